/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A YAML text as a tree, for rule files: plain YAML, one document, and an error with line and
 * column for whatever is wrong. What only makes a file harder to read or to bound is refused:
 * anchors, aliases, tags, nesting deeper than any rule needs. On top of libyaml's documents.
 */
#ifndef IOMMUTOP_ASSERT_RULE_TREE_H
#define IOMMUTOP_ASSERT_RULE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "util/error.h"

#define RULE_TREE_BYTES (1U << 20) /* longest text */
#define RULE_TREE_DEPTH 16U
#define RULE_TREE_KEYS  8U /* that a mapping may know */

struct rule_tree {
	char name[256]; /* of the file, for messages */
	const char *text;
	size_t len;
	yaml_document_t doc;
	struct error *err; /* where errors go: those of the functions below too */
};

/* name, text and err must outlive t. 0 and a tree to free; or -EINVAL or -ENOMEM, and err says why.
 */
int rule_tree__load(struct rule_tree *t, const char *name, const char *text, size_t len,
		    struct error *err);
void rule_tree__free(struct rule_tree *t);

yaml_node_t *rule_tree__root(struct rule_tree *t);
unsigned int
rule_tree__line(const yaml_node_t *at); /* from 1, as is column, which counts characters */
unsigned int rule_tree__column(const yaml_node_t *at);

/* "NAME:LINE:COLUMN: …" to t->err. Returns -EINVAL. */
int rule_tree__error(const struct rule_tree *t, const yaml_node_t *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* One key of a mapping, and what was found. */
struct rule_tree_key {
	const char *name;         /* NULL ends the list */
	yaml_node_t *key, *value; /* NULL = not given */
};
/*
 * Fills in keys from a mapping; what ("a rule") names it in messages. Each key at most once, with a
 * value, and no other. 0 or -EINVAL.
 */
int rule_tree__mapping(struct rule_tree *t, yaml_node_t *node, const char *what,
		       struct rule_tree_key *keys);

bool rule_tree__is_list(const yaml_node_t *node);
/* Of a list; any other node is a list of itself. */
size_t rule_tree__count(const yaml_node_t *node);
yaml_node_t *rule_tree__item(struct rule_tree *t, yaml_node_t *node, size_t i);

/* A single value as it is written, without quotes; the tree's. Never empty, no control characters
 * but line breaks. NULL: it is something else; what ("driver") names it in the message. */
const char *rule_tree__text(struct rule_tree *t, const yaml_node_t *node, const char *what);

#endif

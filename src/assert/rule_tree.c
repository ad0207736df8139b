// SPDX-License-Identifier: GPL-2.0-only
#include "assert/rule_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/nearest.h"
#include "util/text.h"

/* line, column: from 0, as libyaml counts */
static int error_at(const struct rule_tree *t, size_t line, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int error_va(const struct rule_tree *t, size_t line, size_t column, const char *fmt,
		    va_list ap)
{
	char text[sizeof(t->err->text)];

	vsnprintf(text, sizeof(text), fmt, ap);
	return error__set(t->err, -EINVAL, "%s:%zu:%zu: %s", t->name, line + 1, column + 1, text);
}

static int error_at(const struct rule_tree *t, size_t line, size_t column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_va(t, line, column, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int rule_tree__error(const struct rule_tree *t, const yaml_node_t *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_va(t, at->start_mark.line, at->start_mark.column, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

unsigned int rule_tree__line(const yaml_node_t *at)
{
	return (unsigned int)at->start_mark.line + 1;
}

unsigned int rule_tree__column(const yaml_node_t *at)
{
	return (unsigned int)at->start_mark.column + 1;
}

/* Of a byte of the text: line and column, from 0. Columns count characters. */
static void locate(const struct rule_tree *t, size_t byte, size_t *line, size_t *column)
{
	*line = *column = 0;
	for (size_t i = 0; i < byte && i < t->len; i++) {
		if (t->text[i] == '\n') {
			(*line)++;
			*column = 0;
		} else if ((t->text[i] & 0xc0) != 0x80) {
			(*column)++;
		}
	}
}

/*
 * What libyaml says, as somebody meets it who doesn't know YAML's grammar. problem and context are
 * begins of its texts, NULL = any. The message tells of the place where it noticed, or where the
 * thing it was reading began.
 */
#define INDENTED "this is indented like no line above it: keys of one rule begin in the same column"
static const struct {
	const char *problem, *context;
	bool at_context;
	const char *says;
} mistakes[] = {
	{ NULL, "while scanning an alias", true,
	  "a value that begins with * must be in quotes: \"*\"" },
	{ NULL, "while scanning an anchor", true,
	  "a value that begins with & must be in quotes: \"&\"" },
	{ "found unexpected end of stream", "while scanning a quoted scalar", true,
	  "the quote that begins here is never closed" },
	{ "found unexpected document indicator", "while scanning a quoted scalar", true,
	  "the quote that begins here is never closed" },
	{ "found unknown escape character", NULL, false,
	  "\\ begins an escape in double quotes: use single quotes" },
	{ "did not find expected hexdecimal number", NULL, false,
	  "\\x, \\u and \\U begin an escape in double quotes: use single quotes" },
	{ "did not find expected key", NULL, false, INDENTED },
	{ "did not find expected '-' indicator", NULL, false,
	  "the list above goes on with \"- \" in the same column, or ends with less indentation" },
	{ "mapping values are not allowed", NULL, false,
	  "this \": \" can't be here: put a value that holds it in quotes, or look at how the line "
	  "is indented" },
	{ "block sequence entries are not allowed", NULL, false,
	  "no list can begin here: put the \"- \" on a line of its own" },
	{ "could not find expected ':'", NULL, true,
	  "this is not \"key: value\": the colon is missing, or the blank behind it" },
	{ "found character that cannot start any token", NULL, false,
	  "a value can't begin with this character: put it in quotes" },
};

static bool begins(const char *text, const char *with)
{
	return !with || (text && !strncmp(text, with, strlen(with)));
}

/* Whether only blanks are in front of it in its line. */
static bool begins_line(const struct rule_tree *t, const yaml_mark_t *at)
{
	const char *c = t->text, *end = t->text + t->len;

	for (size_t line = 0; line < at->line && c < end; c++)
		line += *c == '\n';
	for (size_t i = 0; i < at->column && c < end; i++, c++) {
		if (*c != ' ')
			return false;
	}
	return true;
}

/* libyaml takes the end of the text for a line of its own, even if the last one isn't ended. */
static bool ends_within_line(const struct rule_tree *t, const yaml_mark_t *at)
{
	size_t characters = 0;

	for (size_t i = 0; i < t->len; i++)
		characters += (t->text[i] & 0xc0) != 0x80;
	return at->index >= characters && t->len && t->text[t->len - 1] != '\n';
}

static int syntax_error(const struct rule_tree *t, const yaml_parser_t *p)
{
	const yaml_mark_t *at = &p->problem_mark;
	yaml_mark_t end = { 0 };
	size_t line, column;

	/* its loader doesn't always say what failed if it was memory */
	if (p->error == YAML_MEMORY_ERROR || p->error == YAML_NO_ERROR)
		return error__set(t->err, -ENOMEM, "no memory to read %s", t->name);
	if (p->error == YAML_READER_ERROR) {
		locate(t, p->problem_offset, &line, &column);
		return error_at(t, line, column, "%s: a rule file is text in UTF-8",
				begins(p->problem, "control") ? "a control character"
							      : "this byte isn't UTF-8");
	}
	if (ends_within_line(t, at)) {
		locate(t, t->len, &end.line, &end.column);
		at = &end;
	}
	if ((begins(p->problem, "found character that cannot start") &&
	     *p->buffer.pointer == '\t') ||
	    begins(p->problem, "found a tab character"))
		return error_at(t, at->line, at->column,
				"a tab: YAML is indented with blanks only");
	if (begins(p->problem, "did not find expected ',' or "))
		return error_at(t, at->line, at->column,
				"a comma or %c is missing in the %c of line %zu, column %zu",
				strchr(p->problem, '}') ? '}' : ']',
				strchr(p->problem, '}') ? '{' : '[', p->context_mark.line + 1,
				p->context_mark.column + 1);
	if (begins(p->problem, "did not find expected key") && !begins_line(t, at))
		return error_at(
			t, at->line, at->column,
			"the value ended before this, at a quote or bracket: put all of it in "
			"(other) quotes");
	if (begins(p->problem, "did not find expected '-'") && at->column > p->context_mark.column)
		return error_at(t, at->line, at->column, INDENTED);
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		if (!begins(p->problem, mistakes[i].problem) ||
		    !begins(p->context, mistakes[i].context))
			continue;
		if (mistakes[i].at_context && p->context)
			at = &p->context_mark;
		return error_at(t, at->line, at->column, "%s", mistakes[i].says);
	}
	return error_at(t, at->line, at->column, "not YAML: %s%s%s", p->problem,
			p->context ? ", " : "", p->context ? p->context : "");
}

static void open_parser(const struct rule_tree *t, yaml_parser_t *p)
{
	yaml_parser_set_encoding(p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(p, (const unsigned char *)t->text, t->len);
}

/* What a node carries besides its value. */
static int check_extras(const struct rule_tree *t, const yaml_event_t *e, const void *anchor,
			const void *tag)
{
	size_t line = e->start_mark.line, column = e->start_mark.column;

	if (anchor)
		return error_at(t, line, column,
				"anchors (&…) and aliases (*…) are not used here: write it out; a "
				"value that begins with & must be in quotes");
	if (tag)
		return error_at(
			t, line, column,
			"tags (!…) are not used here: write the value alone; one that begins "
			"with ! must be in quotes");
	return 0;
}

/* One event of the text: *depth is how many lists and mappings are open, *documents have begun. */
static int check_event(const struct rule_tree *t, const yaml_event_t *e, unsigned int *depth,
		       unsigned int *documents)
{
	size_t line = e->start_mark.line, column = e->start_mark.column;

	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if ((*documents)++)
			return error_at(t, line, column,
					"a second document begins here: a rule file has only one");
		return 0;
	case YAML_ALIAS_EVENT:
		return error_at(
			t, line, column,
			"aliases are not used here: write it out; a value that begins with * "
			"must be in quotes: \"*%s\"",
			text__quote((const char *)e->data.alias.anchor).s);
	case YAML_SCALAR_EVENT:
		if (memchr(e->data.scalar.value, 0, e->data.scalar.length))
			return error_at(t, line, column, "this text holds a NUL character");
		return check_extras(t, e, e->data.scalar.anchor, e->data.scalar.tag);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		if (++*depth > RULE_TREE_DEPTH)
			return error_at(t, line, column,
					"lists and mappings nest deeper than %u here",
					RULE_TREE_DEPTH);
		if (e->type == YAML_MAPPING_START_EVENT)
			return check_extras(t, e, e->data.mapping_start.anchor,
					    e->data.mapping_start.tag);
		return check_extras(t, e, e->data.sequence_start.anchor,
				    e->data.sequence_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		--*depth;
		return 0;
	default:
		return 0;
	}
}

static const char *value_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/* YAML's ways to write nothing */
static bool is_null(const yaml_node_t *node)
{
	const char *v;

	if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	v = value_of(node);
	return !*v || !strcmp(v, "~") || !strcasecmp(v, "null");
}

static int nothing(const struct rule_tree *t)
{
	return error_at(
		t, 0, 0,
		"there is nothing in this file; the least is \"preset: boot\", or \"rules:\" and "
		"below it \"  - invariant: no-fault\"");
}

/* A pass over the text before any of it is kept: a tree forgets anchors, tags and where aliases
 * were, and takes memory however deep it is. */
static int check_text(const struct rule_tree *t)
{
	unsigned int depth = 0, documents = 0;
	yaml_parser_t parser;
	yaml_event_t e;
	bool end = false;
	int err = 0;

	if (!yaml_parser_initialize(&parser))
		return error__set(t->err, -ENOMEM, "no memory to read %s", t->name);
	open_parser(t, &parser);
	while (!err && !end) {
		if (!yaml_parser_parse(&parser, &e)) {
			err = syntax_error(t, &parser);
			break;
		}
		end = e.type == YAML_STREAM_END_EVENT;
		err = check_event(t, &e, &depth, &documents);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	return !err && !documents ? nothing(t) : err;
}

int rule_tree__load(struct rule_tree *t, const char *name, const char *text, size_t len,
		    struct error *err)
{
	yaml_parser_t parser;
	size_t line, column;
	const char *nul;
	int ret;

	memset(t, 0, sizeof(*t));
	text__copy(t->name, sizeof(t->name), name, strlen(name));
	t->text = text;
	t->len = len;
	t->err = err;
	if (len > RULE_TREE_BYTES)
		return error_at(t, 0, 0, "this is longer than %u bytes: not a rule file",
				RULE_TREE_BYTES);
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		/* a byte order mark: libyaml takes it for a column of the first line */
		t->text += 3;
		t->len -= 3;
	}
	nul = t->len ? memchr(t->text, 0, t->len) : NULL;
	if (nul) {
		locate(t, (size_t)(nul - t->text), &line, &column);
		return error_at(t, line, column, "a NUL byte: a rule file is text in UTF-8");
	}
	ret = check_text(t);
	if (ret)
		return ret;
	if (!yaml_parser_initialize(&parser))
		return error__set(err, -ENOMEM, "no memory to read %s", t->name);
	open_parser(t, &parser);
	if (!yaml_parser_load(&parser, &t->doc))
		ret = syntax_error(t, &parser);
	yaml_parser_delete(&parser);
	return !ret && is_null(rule_tree__root(t)) ? nothing(t) : ret;
}

void rule_tree__free(struct rule_tree *t)
{
	yaml_document_delete(&t->doc);
}

yaml_node_t *rule_tree__root(struct rule_tree *t)
{
	return yaml_document_get_root_node(&t->doc);
}

static const char *kind_of(const yaml_node_t *node)
{
	return node->type == YAML_SEQUENCE_NODE  ? "a list"
	       : node->type == YAML_MAPPING_NODE ? "a mapping (key: value)"
	       : is_null(node)                   ? "nothing"
						 : "a single value";
}

static int unknown_key(struct rule_tree *t, const yaml_node_t *key, const char *what,
		       const struct rule_tree_key *keys)
{
	struct nearest near = { .word = value_of(key) };

	if (!strcmp(near.word, "<<"))
		return rule_tree__error(t, key, "merge keys (<<) are not used here: write it out");
	for (; keys->name; keys++)
		nearest__offer(&near, keys->name);
	return rule_tree__error(t, key, "%s has no key \"%s\"; %s", what, text__quote(near.word).s,
				nearest__hint(&near).s);
}

int rule_tree__mapping(struct rule_tree *t, yaml_node_t *node, const char *what,
		       struct rule_tree_key *keys)
{
	struct rule_tree_key *k;

	for (k = keys; k->name; k++)
		k->key = k->value = NULL;
	if (node->type != YAML_MAPPING_NODE)
		return rule_tree__error(t, node, "%s is a mapping (%s: …), and this is %s", what,
					keys->name, kind_of(node));
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
	     p++) {
		yaml_node_t *key = yaml_document_get_node(&t->doc, p->key);
		yaml_node_t *value = yaml_document_get_node(&t->doc, p->value);

		if (key->type != YAML_SCALAR_NODE)
			return rule_tree__error(t, key, "a key must be a word, and this is %s",
						kind_of(key));
		for (k = keys; k->name && strcmp(k->name, value_of(key)) != 0;)
			k++;
		if (!k->name)
			return unknown_key(t, key, what, keys);
		if (k->key)
			return rule_tree__error(t, key,
						"\"%s\" a second time: the first is in line %u",
						k->name, rule_tree__line(k->key));
		if (is_null(value))
			return rule_tree__error(t, key,
						"\"%s\" has no value: give it one, or leave it "
						"out",
						k->name);
		k->key = key;
		k->value = value;
	}
	return 0;
}

bool rule_tree__is_list(const yaml_node_t *node)
{
	return node->type == YAML_SEQUENCE_NODE;
}

size_t rule_tree__count(const yaml_node_t *node)
{
	if (!rule_tree__is_list(node))
		return 1;
	return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

yaml_node_t *rule_tree__item(struct rule_tree *t, yaml_node_t *node, size_t i)
{
	if (!rule_tree__is_list(node))
		return node;
	return yaml_document_get_node(&t->doc, node->data.sequence.items.start[i]);
}

const char *rule_tree__text(struct rule_tree *t, const yaml_node_t *node, const char *what)
{
	const char *v;

	if (node->type != YAML_SCALAR_NODE || is_null(node)) {
		rule_tree__error(t, node, "%s takes a single value, and this is %s", what,
				 kind_of(node));
		return NULL;
	}
	v = value_of(node);
	if (!v[strspn(v, " \t\r\n")]) {
		rule_tree__error(t, node, "%s is empty: give it a value, or leave it out", what);
		return NULL;
	}
	for (const unsigned char *c = (const unsigned char *)v; *c; c++) {
		/* 0xc2 is the begin of U+0080 to U+00BF */
		if ((*c < 0x20 && *c != '\n') || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0)) {
			rule_tree__error(t, node, "%s holds a control character", what);
			return NULL;
		}
	}
	return v;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules: which invariant must hold for which devices, in which phase, and what is waived. Read from
 * YAML (rule.c), or from a preset, which is YAML too (presets.c). docs/man/iommutop-rules.5 is the
 * format.
 */
#ifndef IOMMUTOP_ASSERT_RULE_H
#define IOMMUTOP_ASSERT_RULE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "assert/invariant.h"
#include "util/error.h"

/* All that are given must match. In patterns, * is any number of characters and ? is one. */
struct selector {
	char *device; /* name: "0000:04:10.0", "refdma.*"; NULL = any */
	char *driver; /* NULL = any */
	char *iommu;  /* "dmar0"; NULL = any */
	__s32 group;  /* -1 = any */
	__s32 type;   /* IOT_TYPE_* of the domain; -1 = any */
};

/* A known violation: it is reported, but doesn't fail, until it expires. */
struct waiver {
	struct selector selector; /* within that of its rule */
	char *reason;             /* never NULL */
	char *link;               /* NULL = none */
	__s32 expires;            /* days since 1970-01-01, the last day it holds; -1 = never */
	unsigned int line, column;
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

#define PHASE_BOOT     1U /* from the begin to the mark "workload" */
#define PHASE_WORKLOAD 2U /* from there to the mark "shutdown"; everything, if there is no mark */
#define PHASE_SHUTDOWN 4U
#define PHASE_ALL      7U

struct rule {
	const struct invariant *invariant;
	char *name; /* of the rule; the invariant's unless given; unique in its set */
	char *file; /* that it is from, as rule_set.name */
	struct selector selector;
	__u64 params[INVARIANT_PARAMS]; /* in the order of invariant->params */
	enum severity severity;
	bool skip_unseen; /* domains whose driver has no functions that it could be seen by, as the
			     kernel is, are left out; otherwise they make it inconclusive */
	__u32 phases;
	struct waiver *waivers;
	size_t nr_waivers;
	unsigned int line, column; /* in its file, from 1 */
};

struct rule_set {
	struct rule *rules;
	size_t nr;
	char *name; /* "rules.yaml", "preset strict" */
};
#define RULES_MAX   1000U /* of a set */
#define WAIVERS_MAX 1000U /* of a rule */

/*
 * text: len bytes of YAML, name for messages. All errors are of the form "NAME:LINE:COLUMN: what is
 * wrong, and what would be right", the first one only. 0 and a set to free, of one rule at least;
 * -EINVAL or -ENOMEM, and an empty set.
 */
int rules__parse(struct rule_set *out, const char *name, const char *text, size_t len,
		 struct error *err);
/* "-" is standard input. Also errors of reading. */
int rules__load(struct rule_set *out, const char *path, struct error *err);
/* "strict", "lazy", "vfio", "boot". -ENOENT: no such, err lists them. */
int rules__preset(struct rule_set *out, const char *name, struct error *err);
/* The YAML of preset number i, its name in *name; NULL: there are no more. */
const char *rules__preset_text(size_t i, const char **name);
/* Moves the rules of more to the end of set; one that has the name of a rule of set takes its
 * place. more is empty then, also after -ENOMEM. A set without a name takes that of more. */
int rules__add(struct rule_set *set, struct rule_set *more);
/* What all of them together must see: NEED_*. */
__u32 rules__needs(const struct rule_set *set);
void rules__free(struct rule_set *set); /* all zero is fine, and left */

struct model;
struct model_device;
struct model_domain;
/*
 * dev, dom: NULL = not known, which matches only what is not asked for; so does a property that
 * isn't known of them. The group is that of either. Who has a domain of several devices asks for
 * each.
 */
bool selector__match(const struct selector *s, const struct model_device *dev,
		     const struct model_domain *dom);

/*
 * The first waiver that covers dev and dom, or NULL. today: days since 1970-01-01. An expired one
 * covers nothing; *expired is the first that would have covered them, if no other does, else NULL.
 */
const struct waiver *rule__waiver(const struct rule *rule, const struct model_device *dev,
				  const struct model_domain *dom, __s32 today,
				  const struct waiver **expired);

#endif

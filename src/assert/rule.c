// SPDX-License-Identifier: GPL-2.0-only
#include "assert/rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert/rule_set.h"
#include "assert/rule_tree.h"
#include "assert/rule_value.h"
#include "util/nearest.h"
#include "util/text.h"

/* A file in the making. */
struct reading {
	struct rule_tree tree;
	struct rule_set set;
};

static int no_memory(struct reading *r)
{
	return error__set(r->tree.err, -ENOMEM, "%s: no memory for the rules", r->tree.name);
}

/* Gives an error of a value the place of its node. */
static int place(struct reading *r, const yaml_node_t *at, int ret, const struct error *why)
{
	if (ret == -EINVAL)
		return rule_tree__error(&r->tree, at, "%s", why->text);
	return ret ? no_memory(r) : 0;
}

/* The word of a list that the node is; node may be absent, which leaves *out. */
static int read_word(struct reading *r, const yaml_node_t *node, const char *what,
		     const char *const *words, size_t *out)
{
	struct error why = { "" };
	const char *text;

	if (!node)
		return 0;
	text = rule_tree__text(&r->tree, node, what);
	if (!text)
		return -EINVAL;
	return place(r, node, rule_value__word(words, what, text, out, &why), &why);
}

enum { SELECT_DEVICE, SELECT_DRIVER, SELECT_IOMMU, SELECT_GROUP, SELECT_TYPE, SELECT_NR };

static int read_selector(struct reading *r, yaml_node_t *node, struct selector *s)
{
	struct rule_tree_key keys[] = { { .name = "device" }, { .name = "driver" },
					{ .name = "iommu" },  { .name = "group" },
					{ .name = "type" },   { .name = NULL } };
	char **patterns[] = { &s->device, &s->driver, &s->iommu };
	int ret;

	s->group = -1;
	s->type = -1;
	if (!node)
		return 0;
	ret = rule_tree__mapping(&r->tree, node, "select", keys);
	for (int i = 0; !ret && i < SELECT_NR; i++) {
		struct error why = { "" };
		const char *text;

		if (!keys[i].value)
			continue;
		if (rule_tree__is_list(keys[i].value))
			return rule_tree__error(
				&r->tree, keys[i].value,
				"%s takes one value: for several, write a rule (or a "
				"waiver) for each",
				keys[i].name);
		text = rule_tree__text(&r->tree, keys[i].value, keys[i].name);
		if (!text)
			return -EINVAL;
		if (i == SELECT_GROUP)
			ret = rule_value__group(text, &s->group, &why);
		else if (i == SELECT_TYPE)
			ret = rule_value__type(text, &s->type, &why);
		else
			ret = rule_value__pattern(keys[i].name, text, patterns[i], &why);
		ret = place(r, keys[i].value, ret, &why);
	}
	return ret;
}

enum { WAIVER_SELECT, WAIVER_REASON, WAIVER_LINK, WAIVER_EXPIRES };

static int read_waiver(struct reading *r, yaml_node_t *node, struct waiver *w)
{
	struct rule_tree_key keys[] = { { .name = "select" },
					{ .name = "reason" },
					{ .name = "link" },
					{ .name = "expires" },
					{ .name = NULL } };
	struct error why = { "" };
	int ret;

	w->expires = -1;
	w->line = rule_tree__line(node);
	w->column = rule_tree__column(node);
	ret = rule_tree__mapping(&r->tree, node, "a waiver", keys);
	if (!ret && !keys[WAIVER_REASON].value)
		ret = rule_tree__error(&r->tree, node, "a waiver needs a reason: reason: \"…\"");
	if (!ret)
		ret = read_selector(r, keys[WAIVER_SELECT].value, &w->selector);
	for (int i = WAIVER_REASON; !ret && keys[i].name; i++) {
		const char *text;

		if (!keys[i].value)
			continue;
		text = rule_tree__text(&r->tree, keys[i].value, keys[i].name);
		if (!text)
			return -EINVAL;
		ret = i == WAIVER_REASON ? rule_value__reason(text, &w->reason, &why)
		      : i == WAIVER_LINK ? rule_value__link(text, &w->link, &why)
					 : rule_value__date(text, &w->expires, &why);
		ret = place(r, keys[i].value, ret, &why);
	}
	return ret;
}

/* Whether node is a list, or what is wrong with it. */
static int want_list(struct reading *r, const yaml_node_t *node, const char *what)
{
	if (!rule_tree__is_list(node))
		return rule_tree__error(&r->tree, node,
					"%s is a list: begin each of its items with \"- \"", what);
	if (!rule_tree__count(node))
		return rule_tree__error(&r->tree, node, "%s is an empty list: leave it out", what);
	return 0;
}

static int read_waivers(struct reading *r, yaml_node_t *node, struct rule *rule)
{
	size_t nr;
	int ret;

	if (!node)
		return 0;
	ret = want_list(r, node, "waivers");
	if (ret)
		return ret;
	nr = rule_tree__count(node);
	if (nr > WAIVERS_MAX)
		return rule_tree__error(&r->tree, node,
					"a rule has %u waivers at most, and this %zu", WAIVERS_MAX,
					nr);
	rule->waivers = calloc(nr, sizeof(*rule->waivers));
	if (!rule->waivers)
		return no_memory(r);
	rule->nr_waivers = nr;
	for (size_t i = 0; !ret && i < nr; i++)
		ret = read_waiver(r, rule_tree__item(&r->tree, node, i), &rule->waivers[i]);
	return ret;
}

static int read_phases(struct reading *r, yaml_node_t *node, __u32 *out)
{
	static const char *const words[] = { "boot", "workload", "shutdown", "all", NULL };
	static const __u32 phases[] = { PHASE_BOOT, PHASE_WORKLOAD, PHASE_SHUTDOWN, PHASE_ALL };
	size_t word = 0;
	int ret = 0;

	*out = node ? 0 : PHASE_ALL;
	if (!node)
		return 0;
	if (!rule_tree__count(node))
		return rule_tree__error(&r->tree, node,
					"phase is an empty list: the rule would never hold");
	for (size_t i = 0; !ret && i < rule_tree__count(node); i++) {
		yaml_node_t *item = rule_tree__item(&r->tree, node, i);

		ret = read_word(r, item, "phase", words, &word);
		if (!ret && *out & phases[word])
			ret = rule_tree__error(&r->tree, item, "phase: %s is in the list already",
					       words[word]);
		if (!ret)
			*out |= phases[word];
	}
	return ret;
}

/* What a parameter is if the file doesn't say. */
static int preset_param(struct reading *r, const yaml_node_t *at, const struct invariant *inv,
			const struct invariant_param *p, __u64 *out)
{
	struct error why = { "" };
	char words[100] = "";

	if (p->preset)
		return place(r, at, rule_value__param(p, p->preset, out, &why), &why);
	for (size_t i = 0; p->words && p->words[i]; i++)
		text__append(words, sizeof(words), "%s%s", i ? ", " : "", p->words[i]);
	return rule_tree__error(&r->tree, at, "%s needs params: {%s: …}%s%s", inv->name, p->name,
				words[0] ? ", one of " : "", words);
}

/* at: where the invariant is named */
static int read_params(struct reading *r, yaml_node_t *node, const yaml_node_t *at,
		       struct rule *rule)
{
	const struct invariant *inv = rule->invariant;
	struct rule_tree_key keys[INVARIANT_PARAMS + 1] = { { .name = NULL } };
	char what[64];
	int ret = 0, nr = 0;

	snprintf(what, sizeof(what), "params of %s", inv->name);
	for (; inv->params[nr].name; nr++)
		keys[nr].name = inv->params[nr].name;
	if (node && !nr)
		return rule_tree__error(&r->tree, node, "%s takes no params: leave them out",
					inv->name);
	if (node)
		ret = rule_tree__mapping(&r->tree, node, what, keys);
	for (int i = 0; !ret && i < nr; i++) {
		struct error why = { "" };
		const char *text;

		if (!keys[i].value) {
			ret = preset_param(r, at, inv, &inv->params[i], &rule->params[i]);
			continue;
		}
		text = rule_tree__text(&r->tree, keys[i].value, keys[i].name);
		if (!text)
			return -EINVAL;
		ret = rule_value__param(&inv->params[i], text, &rule->params[i], &why);
		ret = place(r, keys[i].value, ret, &why);
	}
	return ret;
}

/* The invariant's name, with the rule's in front if there is one: "nic", "nic-window". */
static int name_rule(struct reading *r, const yaml_node_t *name, const yaml_node_t *list,
		     struct rule *rule)
{
	const char *text = rule->invariant->name;
	struct error why = { "" };
	char joined[128];

	if (name) {
		text = rule_tree__text(&r->tree, name, "name");
		if (!text)
			return -EINVAL;
		if (list) {
			snprintf(joined, sizeof(joined), "%s-%s", text, rule->invariant->name);
			text = joined;
		}
	}
	return place(r, name, rule_value__name(text, &rule->name, &why), &why);
}

enum {
	RULE_INVARIANT,
	RULE_NAME,
	RULE_SELECT,
	RULE_PARAMS,
	RULE_SEVERITY,
	RULE_UNSEEN,
	RULE_PHASE,
	RULE_WAIVERS,
};

static int read_invariant(struct reading *r, const yaml_node_t *node, struct rule *rule)
{
	const char *text = rule_tree__text(&r->tree, node, "invariant");
	const char *names[INV_NR + 1] = { NULL };
	struct error why = { "" };
	size_t i = 0;

	if (!text)
		return -EINVAL;
	for (i = 0; i < INV_NR; i++)
		names[i] = invariants[i].name;
	if (rule_value__word(names, "invariant", text, &i, &why))
		return rule_tree__error(&r->tree, node, "%s", why.text);
	rule->invariant = &invariants[i];
	return 0;
}

/* The rule for one invariant of those that node names: item. */
static int read_rule(struct reading *r, const struct rule_tree_key *keys, yaml_node_t *item,
		     struct rule *rule)
{
	static const char *const severities[] = { "error", "warning", NULL };
	static const char *const unseens[] = { "inconclusive", "skip", NULL };
	yaml_node_t *named = keys[RULE_INVARIANT].value;
	size_t severity = SEVERITY_ERROR, unseen = 0;
	const struct rule *same;
	int ret;

	rule->line = rule_tree__line(item);
	rule->column = rule_tree__column(item);
	rule->file = strdup(r->set.name);
	if (!rule->file)
		return no_memory(r);
	ret = read_invariant(r, item, rule);
	if (!ret)
		ret = name_rule(r, keys[RULE_NAME].value, rule_tree__is_list(named) ? named : NULL,
				rule);
	if (ret)
		return ret;
	same = rule_set__find(&r->set, rule->name);
	if (same)
		return rule_tree__error(
			&r->tree, keys[RULE_NAME].value ? keys[RULE_NAME].value : item,
			"a rule named %s is in line %u already: give this one a name "
			"of its own, name: …",
			rule->name, same->line);
	ret = read_selector(r, keys[RULE_SELECT].value, &rule->selector);
	if (!ret)
		ret = read_params(r, keys[RULE_PARAMS].value, item, rule);
	if (!ret)
		ret = read_word(r, keys[RULE_SEVERITY].value, "severity", severities, &severity);
	if (!ret)
		ret = read_word(r, keys[RULE_UNSEEN].value, "unseen", unseens, &unseen);
	if (!ret)
		ret = read_phases(r, keys[RULE_PHASE].value, &rule->phases);
	if (!ret)
		ret = read_waivers(r, keys[RULE_WAIVERS].value, rule);
	rule->severity = (enum severity)severity;
	rule->skip_unseen = unseen;
	return ret;
}

static int read_item(struct reading *r, yaml_node_t *node)
{
	struct rule_tree_key keys[] = {
		{ .name = "invariant" }, { .name = "name" },     { .name = "select" },
		{ .name = "params" },    { .name = "severity" }, { .name = "unseen" },
		{ .name = "phase" },     { .name = "waivers" },  { .name = NULL },
	};
	yaml_node_t *named;
	int ret = rule_tree__mapping(&r->tree, node, "a rule", keys);

	if (ret)
		return ret;
	named = keys[RULE_INVARIANT].value;
	if (!named)
		return rule_tree__error(&r->tree, node, "a rule needs an invariant: invariant: …");
	if (!rule_tree__count(named))
		return rule_tree__error(&r->tree, named, "invariant is an empty list");
	for (size_t i = 0; !ret && i < rule_tree__count(named); i++) {
		yaml_node_t *item = rule_tree__item(&r->tree, named, i);
		struct rule rule = { 0 };

		ret = read_rule(r, keys, item, &rule);
		if (!ret && r->set.nr == RULES_MAX)
			ret = rule_tree__error(&r->tree, item, "more than %u rules", RULES_MAX);
		if (ret)
			rule__free(&rule);
		else
			ret = rule_set__append(&r->set, &rule) ? no_memory(r) : 0;
	}
	return ret;
}

/* A name that "disable" gives: out with that rule. */
static int disable(struct reading *r, const yaml_node_t *node, struct rule_set *presets)
{
	const char *name = rule_tree__text(&r->tree, node, "disable");
	struct nearest near = { .word = name };
	struct rule *rule;

	if (!name)
		return -EINVAL;
	rule = rule_set__find(presets, name);
	if (!rule) {
		for (size_t i = 0; i < presets->nr; i++)
			nearest__offer(&near, presets->rules[i].name);
		return rule_tree__error(&r->tree, node, "the preset has no rule \"%s\"; %s",
					text__quote(name).s, nearest__hint(&near).s);
	}
	rule__free(rule);
	presets->nr--;
	memmove(rule, rule + 1, (size_t)(&presets->rules[presets->nr] - rule) * sizeof(*rule));
	return 0;
}

static int add_preset(struct reading *r, const yaml_node_t *node, struct rule_set *presets)
{
	const char *name = rule_tree__text(&r->tree, node, "preset");
	struct rule_set preset = { 0 };
	struct error why = { "" };
	int ret;

	if (!name)
		return -EINVAL;
	ret = rules__preset(&preset, name, &why);
	if (!ret)
		ret = rules__add(presets, &preset);
	return ret == -ENOMEM ? no_memory(r)
	       : ret          ? rule_tree__error(&r->tree, node, "%s", why.text)
			      : 0;
}

/* The presets that the file builds on, without what it disables, go before its own rules. */
static int read_presets(struct reading *r, yaml_node_t *named, yaml_node_t *disabled)
{
	struct rule_set presets = { .name = r->set.name };
	int ret = 0;

	r->set.name = NULL;
	if (!rule_tree__count(named))
		ret = rule_tree__error(&r->tree, named, "preset is an empty list: leave it out");
	for (size_t i = 0; !ret && i < rule_tree__count(named); i++)
		ret = add_preset(r, rule_tree__item(&r->tree, named, i), &presets);
	for (size_t i = 0; !ret && disabled && i < rule_tree__count(disabled); i++)
		ret = disable(r, rule_tree__item(&r->tree, disabled, i), &presets);
	if (!ret && rules__add(&presets, &r->set))
		ret = no_memory(r);
	rules__free(&r->set);
	r->set = presets;
	return ret;
}

static int read_file(struct reading *r)
{
	enum { FILE_RULES, FILE_PRESET, FILE_DISABLE };
	struct rule_tree_key keys[] = {
		{ .name = "rules" }, { .name = "preset" }, { .name = "disable" }, { .name = NULL }
	};
	yaml_node_t *root = rule_tree__root(&r->tree), *rules;
	int ret;

	if (rule_tree__is_list(root))
		return rule_tree__error(
			&r->tree, root,
			"the rules are a list already; it lacks its head: \"rules:\" on "
			"a line above it");
	ret = rule_tree__mapping(&r->tree, root, "a rule file", keys);
	if (ret)
		return ret;
	rules = keys[FILE_RULES].value;
	if (keys[FILE_DISABLE].value && !keys[FILE_PRESET].value)
		return rule_tree__error(
			&r->tree, keys[FILE_DISABLE].key,
			"disable leaves out rules of a preset, and there is no preset");
	if (rules)
		ret = want_list(r, rules, "rules");
	for (size_t i = 0; rules && !ret && i < rule_tree__count(rules); i++)
		ret = read_item(r, rule_tree__item(&r->tree, rules, i));
	if (!ret && keys[FILE_PRESET].value)
		ret = read_presets(r, keys[FILE_PRESET].value, keys[FILE_DISABLE].value);
	if (!ret && !r->set.nr)
		ret = rule_tree__error(&r->tree, root, "no rule is left: nothing would be checked");
	return ret;
}

int rules__parse(struct rule_set *out, const char *name, const char *text, size_t len,
		 struct error *err)
{
	struct reading r = { 0 };
	int ret;

	memset(out, 0, sizeof(*out));
	r.set.name = strdup(name);
	ret = r.set.name ? rule_tree__load(&r.tree, name, text, len, err)
			 : error__set(err, -ENOMEM, "no memory for the rules");
	if (!ret)
		ret = read_file(&r);
	rule_tree__free(&r.tree);
	if (ret)
		rules__free(&r.set);
	*out = r.set;
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes as a rule file. What is refused must say where, within the text, in printable words, and
 * leave nothing behind; what is taken must be what a set of rules promises, and take the place of
 * itself.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "assert/rule.h"
#include "model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* "fuzz:LINE:COLUMN: …" */
static void check_error(const char *text, const uint8_t *data, size_t bytes)
{
	unsigned long line, column, lines = 1;
	char *end;

	for (size_t i = 0; i < bytes; i++)
		lines += data[i] == '\n' || data[i] == '\r' || data[i] == 0xc2 || data[i] == 0xe2;
	assert(!strncmp(text, "fuzz:", 5));
	line = strtoul(text + 5, &end, 10);
	assert(line >= 1 && line <= lines && *end == ':');
	column = strtoul(end + 1, &end, 10);
	assert(column >= 1 && column <= bytes + 1 && !strncmp(end, ": ", 2) && end[2]);
	for (; *end; end++)
		assert(!iscntrl((unsigned char)*end));
}

static void check_text(const char *text)
{
	for (; text && *text; text++)
		assert((uint8_t)*text >= ' ' && *text != 0x7f);
}

static void check_selector(const struct selector *s)
{
	check_text(s->device);
	check_text(s->driver);
	check_text(s->iommu);
	assert(s->group >= -1 && s->type >= -1);
}

static void check_param(const struct invariant_param *p, __u64 v)
{
	size_t words = 0;

	while (p->words && p->words[words])
		words++;
	assert(p->kind != PARAM_DURATION || v);
	assert(p->kind != PARAM_PERCENT || (v && v <= 100000));
	assert(p->kind != PARAM_WORD || v < words);
}

static void check_rule(const struct rule *r)
{
	static const struct model_device dev = { .name = "refdma.0", .driver = "refdma" };
	static const struct model_domain dom = { .type = 3, .type_known = true };
	const struct waiver *covers, *expired;

	assert(r->invariant >= invariants && r->invariant < invariants + INV_NR);
	assert(r->name && isalnum((unsigned char)*r->name) && !strpbrk(r->name, " #\n<>&\"'"));
	assert(r->line && r->column && r->file);
	assert(r->phases && !(r->phases & ~PHASE_ALL));
	assert(r->severity == SEVERITY_ERROR || r->severity == SEVERITY_WARNING);
	check_selector(&r->selector);
	for (int i = 0; r->invariant->params[i].name; i++)
		check_param(&r->invariant->params[i], r->params[i]);
	for (size_t i = 0; i < r->nr_waivers; i++) {
		assert(r->waivers[i].reason && *r->waivers[i].reason);
		check_text(r->waivers[i].reason);
		check_text(r->waivers[i].link);
		check_selector(&r->waivers[i].selector);
		assert(r->waivers[i].expires >= -1 && r->waivers[i].line);
	}
	covers = rule__waiver(r, &dev, &dom, 20000, &expired);
	assert(!covers || !expired);
	selector__match(&r->selector, &dev, &dom);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct rule_set set, again;
	struct error err = { "" };
	size_t nr;

	if (rules__parse(&set, "fuzz", (const char *)data, bytes, &err)) {
		assert(!set.rules && !set.nr && !set.name);
		check_error(err.text, data, bytes);
		return 0;
	}
	assert(!err.text[0] && set.nr && set.nr <= 2 * RULES_MAX);
	for (size_t i = 0; i < set.nr; i++) {
		check_rule(&set.rules[i]);
		for (size_t j = 0; j < i && j < 32; j++)
			assert(strcmp(set.rules[i].name, set.rules[j].name) != 0);
	}
	nr = set.nr;
	if (rules__parse(&again, "fuzz", (const char *)data, bytes, &err) ||
	    rules__add(&set, &again))
		abort();
	assert(set.nr == nr);
	rules__free(&set);
	return 0;
}

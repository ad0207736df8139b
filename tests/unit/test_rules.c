// SPDX-License-Identifier: GPL-2.0-only
/* What a rule file says, what the presets say, and which devices a rule and its waivers are about.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "assert/rule.h"
#include "assert/rule_value.h"
#include "event.h"
#include "model/model.h"

static struct rule_set set;

static void parse(const char *text)
{
	struct error err = { "" };

	rules__free(&set);
	if (rules__parse(&set, "t.yaml", text, strlen(text), &err))
		fail_msg("%s", err.text);
	assert_string_equal(err.text, "");
}

static int teardown(void **state)
{
	(void)state;
	rules__free(&set);
	return 0;
}

static const struct rule *rule(const char *name)
{
	for (size_t i = 0; i < set.nr; i++)
		if (!strcmp(set.rules[i].name, name))
			return &set.rules[i];
	fail_msg("no rule %s", name);
	return NULL;
}

/* The names of all rules, in their order. */
static const char *names(void)
{
	static char text[1024];

	text[0] = '\0';
	for (size_t i = 0; i < set.nr; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 set.rules[i].name);
	return text;
}

static void everything(void **state)
{
	const struct rule *r;

	(void)state;
	parse("# a comment\n"
	      "rules:\n"
	      "  - invariant: window\n"
	      "    name: nic-window\n"
	      "    select: {device: \"0000:04:*\", driver: ixgbe, iommu: dmar0, group: 7, type: "
	      "DMA-FQ}\n"
	      "    params: {below: 20ms, percentile: 99.9}\n"
	      "    severity: warning\n"
	      "    unseen: skip\n"
	      "    phase: [boot, shutdown]\n"
	      "    waivers:\n"
	      "      - select: {device: \"0000:04:10.0\"}\n"
	      "        reason: >\n"
	      "          firmware 2.1\n"
	      "          is slow\n"
	      "        link: https://example.org/1?a=b#c\n"
	      "        expires: 2027-01-31\n"
	      "      - {reason: 'known: \"it\" \xc3\xbc'}\n");
	assert_int_equal(set.nr, 1);
	assert_string_equal(set.name, "t.yaml");
	r = &set.rules[0];
	assert_ptr_equal(r->invariant, &invariants[INV_WINDOW]);
	assert_string_equal(r->name, "nic-window");
	assert_string_equal(r->file, "t.yaml");
	assert_int_equal(r->line, 3);
	assert_int_equal(r->column, 16);
	assert_string_equal(r->selector.device, "0000:04:*");
	assert_string_equal(r->selector.driver, "ixgbe");
	assert_string_equal(r->selector.iommu, "dmar0");
	assert_int_equal(r->selector.group, 7);
	assert_int_equal(r->selector.type, IOT_TYPE_DMA_FQ);
	assert_true(r->params[0] == 20000000);
	assert_true(r->params[1] == 99900);
	assert_int_equal(r->severity, SEVERITY_WARNING);
	assert_true(r->skip_unseen);
	assert_int_equal(r->phases, PHASE_BOOT | PHASE_SHUTDOWN);
	assert_int_equal(r->nr_waivers, 2);
	assert_string_equal(r->waivers[0].selector.device, "0000:04:10.0");
	assert_null(r->waivers[0].selector.driver);
	assert_string_equal(r->waivers[0].reason, "firmware 2.1 is slow");
	assert_string_equal(r->waivers[0].link, "https://example.org/1?a=b#c");
	assert_int_equal(r->waivers[0].expires, 20849);
	assert_int_equal(r->waivers[0].line, 11);
	assert_int_equal(r->waivers[0].column, 9);
	assert_string_equal(r->waivers[1].reason, "known: \"it\" \xc3\xbc");
	assert_null(r->waivers[1].link);
	assert_int_equal(r->waivers[1].expires, -1);
	assert_int_equal(r->waivers[1].selector.group, -1);
	assert_int_equal(r->waivers[1].selector.type, -1);
}

/* What has to be hooked for them: no more than they are about. */
static void needing(void **state)
{
	static const struct {
		const char *rules;
		__u32 needs;
	} cases[] = {
		{ "[{invariant: no-map-over-map}]", NEED_MAPS },
		{ "[{invariant: no-leak}]", NEED_MAPS | NEED_TALLY },
		{ "[{invariant: domain-type, params: {is: DMA}}]", NEED_RARE },
		/* that an IOVA is freed shows that its unmap came to its end */
		{ "[{invariant: window}]", NEED_MAPS | NEED_FLUSHES | NEED_IOVAS },
		{ "[{invariant: teardown-stall}, {invariant: no-map-over-map}]",
		  NEED_TEARDOWN | NEED_RARE | NEED_TALLY | NEED_MAPS },
		{ "[{invariant: pt-balance}]", NEED_MAPS | NEED_RARE | NEED_TABLES | NEED_TALLY },
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "rules: %s\n", cases[i].rules);
		parse(text);
		assert_int_equal(rules__needs(&set), cases[i].needs);
	}
}

static void defaults(void **state)
{
	const struct rule *r;

	(void)state;
	parse("rules: [{invariant: flush-latency}]\n");
	r = rule("flush-latency");
	assert_null(r->selector.device);
	assert_null(r->selector.driver);
	assert_null(r->selector.iommu);
	assert_int_equal(r->selector.group, -1);
	assert_int_equal(r->selector.type, -1);
	assert_true(r->params[0] == 1000000);
	assert_true(r->params[1] == 99000);
	assert_int_equal(r->severity, SEVERITY_ERROR);
	assert_false(r->skip_unseen);
	assert_int_equal(r->phases, PHASE_ALL);
	assert_int_equal(r->nr_waivers, 0);
	assert_null(r->waivers);

	/* What a table says must be what a file might say. */
	for (size_t i = 0; i < INV_NR; i++) {
		for (const struct invariant_param *p = invariants[i].params; p->name; p++) {
			struct error err = { "" };
			__u64 v;

			assert_true(p->kind != PARAM_WORD || (p->words && p->words[0]));
			if (p->preset && rule_value__param(p, p->preset, &v, &err))
				fail_msg("%s: %s", invariants[i].name, err.text);
		}
	}
}

static void values(void **state)
{
	(void)state;
	parse("rules:\n"
	      "  - {invariant: no-fault, params: {max: \"3\"}, phase: all}\n"
	      "  - {invariant: no-leak, params: {growth: 64K}, phase: workload}\n"
	      "  - {invariant: sync-map, params: {invalidates: yes}}\n"
	      "  - {invariant: domain-type, params: {is: identity}}\n"
	      "  - {invariant: teardown-stall, params: {below: 1.5s}}\n"
	      "  - {invariant: no-hang, select: {device: 4:1F.7, type: blocked, group: 0}}\n"
	      "  - {invariant: coverage, select: {device: 0001:0A:00.0, driver: \"*\"}}\n");
	assert_true(rule("no-fault")->params[0] == 3);
	assert_int_equal(rule("no-fault")->phases, PHASE_ALL);
	assert_true(rule("no-leak")->params[0] == 65536);
	assert_int_equal(rule("no-leak")->phases, PHASE_WORKLOAD);
	assert_string_equal(invariants[INV_SYNC_MAP].params[0].words[rule("sync-map")->params[0]],
			    "yes");
	assert_string_equal(
		invariants[INV_DOMAIN_TYPE].params[0].words[rule("domain-type")->params[0]],
		"identity");
	assert_true(rule("teardown-stall")->params[0] == 1500000000);
	assert_string_equal(rule("no-hang")->selector.device, "0000:04:1f.7");
	assert_int_equal(rule("no-hang")->selector.type, IOT_TYPE_BLOCKED);
	assert_int_equal(rule("no-hang")->selector.group, 0);
	assert_string_equal(rule("coverage")->selector.device, "0001:0a:00.0");
	assert_string_equal(rule("coverage")->selector.driver, "*");
}

static void lists(void **state)
{
	(void)state;
	parse("rules:\n"
	      "  - invariant: [no-fault, no-hang]\n"
	      "  - invariant: [no-hang, no-fault]\n"
	      "    name: nic\n"
	      "    params: {max: 2}\n"
	      "    waivers: [{reason: x}]\n"
	      "  - invariant: [window]\n"
	      "    name: a\n");
	assert_string_equal(names(), "no-fault no-hang nic-no-hang nic-no-fault a-window");
	assert_true(rule("nic-no-fault")->params[0] == 2);
	assert_true(rule("no-fault")->params[0] == 0);
	assert_int_equal(rule("no-hang")->column, 27);
	assert_string_equal(rule("nic-no-hang")->waivers[0].reason, "x");
	assert_string_equal(rule("nic-no-fault")->waivers[0].reason, "x");
}

static void layouts(void **state)
{
	(void)state;
	parse("\xef\xbb\xbfrules:\r\n- invariant: no-fault\r\n"); /* as Windows writes it */
	assert_string_equal(names(), "no-fault");
	parse("%YAML 1.2\n---\n{\"rules\": [{\"invariant\": \"no-hang\"}]}\n...\n"); /* JSON */
	assert_string_equal(names(), "no-hang");
	parse("preset: boot"); /* no end of line */
	assert_string_equal(rule("no-hang")->file, "preset boot");
}

static void presets_first(void **state)
{
	(void)state;
	parse("preset: lazy\n"
	      "disable: [coverage, no-hang]\n"
	      "rules:\n"
	      "  - {invariant: window, params: {below: 5ms}}\n"
	      "  - {invariant: no-leak}\n"
	      "  - {invariant: window, name: other}\n");
	assert_string_equal(
		names(), "no-fault no-stale-access flush-before-reuse flush-covers-unmap "
			 "no-map-over-map unmap-matches-map sync-map detach-empty "
			 "invalidation-timeout pt-freed-after-flush pt-balance domain-type window "
			 "flush-latency teardown-stall no-leak other");
	assert_true(rule("window")->params[0] == 5000000);
	assert_true(rule("window")->params[1] == 100000); /* its own default, not the preset's */
	assert_string_equal(rule("window")->file, "t.yaml");
	assert_string_equal(rule("no-fault")->file, "preset lazy");
	assert_string_equal(set.name, "t.yaml");

	parse("preset: boot\ndisable: coverage\n");
	assert_int_equal(set.nr, 8);
	parse("preset: [boot, vfio]\ndisable: [no-fault, vfio-sync-map]\n");
	assert_string_equal(
		names(),
		"no-hang invalidation-timeout no-stale-access flush-covers-unmap "
		"no-map-over-map detach-empty coverage teardown-stall vfio-no-stale-access "
		"vfio-flush-before-reuse vfio-flush-covers-unmap vfio-no-map-over-map "
		"vfio-unmap-matches-map vfio-detach-empty vfio-pt-freed-after-flush "
		"vfio-pt-balance vfio-teardown-stall vfio-flush-latency");
}

static void sets_add_up(void **state)
{
	struct rule_set all = { 0 };

	(void)state;
	parse("rules: [{invariant: no-fault}, {invariant: window, name: a}, {invariant: no-hang}]");
	assert_int_equal(rules__add(&all, &set), 0);
	assert_int_equal(set.nr, 0);
	assert_null(set.rules);
	assert_null(set.name);
	assert_string_equal(all.name, "t.yaml");
	parse("rules: [{invariant: coverage, name: a}, {invariant: no-leak}]");
	assert_int_equal(rules__add(&all, &set), 0);
	set = all;
	assert_string_equal(names(), "no-fault a no-hang no-leak");
	assert_ptr_equal(rule("a")->invariant, &invariants[INV_COVERAGE]);
}

static void all_presets(void **state)
{
	static const char *const known[] = { "strict", "lazy", "vfio", "boot" };
	struct error err = { "" };
	const char *name;
	size_t i;

	(void)state;
	for (i = 0; rules__preset_text(i, &name); i++) {
		assert_string_equal(name, known[i]);
		rules__free(&set);
		if (rules__preset(&set, name, &err))
			fail_msg("%s", err.text);
		/* asked of every machine: that nothing went wrong, and that we would have seen it
		 */
		rule("no-fault");
		rule("no-hang");
		rule("invalidation-timeout");
		rule("coverage");
		for (size_t j = 0; j < set.nr; j++) {
			const struct rule *r = &set.rules[j];

			assert_ptr_not_equal(r->invariant, &invariants[INV_NO_LEAK]);
			/* what most kernels can't show must not keep a preset from passing */
			if (r->invariant->needs & NEED_TABLES)
				assert_true(r->skip_unseen);
		}
	}
	assert_int_equal(i, 4);

	rules__free(&set);
	assert_int_equal(rules__preset(&set, "strict", &err), 0);
	assert_int_equal(rule("domain-type")->params[0], 1); /* DMA */
	assert_int_equal(rule("strict-means-strict")->severity, SEVERITY_ERROR);
	rules__free(&set);
	assert_int_equal(rules__preset(&set, "lazy", &err), 0);
	assert_int_equal(rule("domain-type")->params[0], 0); /* DMA-FQ */
	assert_true(rule("window")->params[0] == 50000000);
	assert_int_equal(rule("window")->severity, SEVERITY_ERROR);
	assert_int_equal(rule("flush-latency")->severity, SEVERITY_WARNING);
	rules__free(&set);
	assert_int_equal(rules__preset(&set, "lasy", &err), -ENOENT);
	assert_string_equal(err.text, "no preset \"lasy\"; did you mean \"lazy\"?");
	assert_int_equal(set.nr, 0);
}

/* vfio beside another one takes none of that one's rules away. */
static void vfio_adds(void **state)
{
	struct rule_set all = { 0 }, vfio = { 0 };
	struct error err = { "" };

	(void)state;
	assert_int_equal(rules__preset(&all, "strict", &err), 0);
	assert_int_equal(rules__preset(&vfio, "vfio", &err), 0);
	for (size_t i = 0; i < vfio.nr; i++) {
		bool named = !strncmp(vfio.rules[i].name, "vfio-", 5);

		assert_int_equal(vfio.rules[i].selector.type, named ? IOT_TYPE_UNMANAGED : -1);
	}
	assert_int_equal(rules__add(&all, &vfio), 0);
	set = all;
	assert_int_equal(rule("flush-before-reuse")->selector.type, -1);
	assert_int_equal(rule("teardown-stall")->selector.type, -1);
	assert_int_equal(rule("vfio-teardown-stall")->selector.type, IOT_TYPE_UNMANAGED);
}

static const struct model_device nic = {
	.name = "0000:04:10.0", .driver = "ixgbe", .iommu = "dmar0", .group = 7
};
static const struct model_domain lazy = { .type = IOT_TYPE_DMA_FQ, .type_known = true, .group = 7 };

static bool selects(const char *selector, const struct model_device *dev,
		    const struct model_domain *dom)
{
	char text[256];

	snprintf(text, sizeof(text), "rules: [{invariant: window, select: {%s}}]", selector);
	parse(text);
	return selector__match(&set.rules[0].selector, dev, dom);
}

static void selecting(void **state)
{
	static const char *const hits[] = {
		"device: 04:10.0", "device: \"0000:04:*\"", "device: \"0000:0?:10.0\"",
		"driver: ixgbe",   "driver: \"ix*\"",       "iommu: \"dmar?\"",
		"group: 7",        "type: DMA-FQ",          "driver: ixgbe, group: 7, type: DMA-FQ"
	};
	static const char *const misses[] = { "device: 04:10.1",
					      "device: \"0000:04\"",
					      "driver: IXGBE",
					      "driver: ixgb",
					      "iommu: dmar1",
					      "group: 0",
					      "type: DMA",
					      "driver: ixgbe, group: 7, type: DMA",
					      "driver: igb, group: 7, type: DMA-FQ" };
	struct model_device bare = nic;
	struct model_domain untold = lazy;

	(void)state;
	for (size_t i = 0; i < sizeof(hits) / sizeof(hits[0]); i++)
		if (!selects(hits[i], &nic, &lazy))
			fail_msg("%s", hits[i]);
	for (size_t i = 0; i < sizeof(misses) / sizeof(misses[0]); i++)
		if (selects(misses[i], &nic, &lazy))
			fail_msg("%s", misses[i]);

	/* What isn't known matches only what isn't asked for. */
	assert_false(selects("device: \"*\"", NULL, &lazy));
	assert_false(selects("driver: \"*\"", NULL, &lazy));
	assert_false(selects("iommu: \"*\"", NULL, NULL));
	assert_true(selects("group: 7", NULL, &lazy));
	assert_true(selects("group: 7", &nic, NULL));
	assert_false(selects("group: 7", NULL, NULL));
	assert_false(selects("type: DMA-FQ", &nic, NULL));
	bare.driver[0] = '\0';
	assert_false(selects("driver: \"*\"", &bare, &lazy));
	untold.type_known = false;
	assert_false(selects("type: DMA-FQ", &nic, &untold));
	untold.type = 0; /* IOT_TYPE_BLOCKED */
	assert_false(selects("type: blocked", &nic, &untold));
	parse("rules: [{invariant: window}]");
	assert_true(selector__match(&set.rules[0].selector, NULL, NULL));
}

static void waiving(void **state)
{
	const struct waiver *expired;
	const struct rule *r;
	struct model_device other = nic;

	(void)state;
	parse("rules:\n"
	      "  - invariant: window\n"
	      "    waivers:\n"
	      "      - {reason: old, select: {driver: ixgbe}, expires: 2026-01-31}\n" /* 20484 */
	      "      - {reason: older, select: {driver: ixgbe}, expires: 2025-01-31}\n"
	      "      - {reason: one, select: {device: 04:10.0}, expires: 2026-06-30}\n"); /* 20634
											   */
	r = &set.rules[0];
	strcpy(other.name, "0000:04:10.1");
	/* the last day is part of it */
	assert_ptr_equal(rule__waiver(r, &nic, &lazy, 20484, &expired), &r->waivers[0]);
	assert_null(expired);
	/* the next day another one covers it */
	assert_ptr_equal(rule__waiver(r, &nic, &lazy, 20485, &expired), &r->waivers[2]);
	assert_null(expired);
	/* … but not the other device: the first that would have is named */
	assert_null(rule__waiver(r, &other, &lazy, 20485, &expired));
	assert_ptr_equal(expired, &r->waivers[0]);
	assert_null(rule__waiver(r, &nic, &lazy, 20635, &expired));
	assert_ptr_equal(expired, &r->waivers[0]);
	/* nobody knows which device it was */
	assert_null(rule__waiver(r, NULL, &lazy, 20484, &expired));
	assert_null(expired);

	parse("rules: [{invariant: window, waivers: [{reason: for ever}]}]");
	assert_ptr_equal(rule__waiver(&set.rules[0], NULL, NULL, 1000000, &expired),
			 &set.rules[0].waivers[0]);
	assert_null(expired);
}

static void files(void **state)
{
	char path[] = "/tmp/test_rules.XXXXXX", want[160];
	int fd = mkstemp(path);
	struct error err = { "" };
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	n = write(fd, "rules:\n  - invariant: window\n", 29);
	close(fd);
	assert_int_equal(n, 29);
	rules__free(&set);
	assert_int_equal(rules__load(&set, path, &err), 0);
	assert_string_equal(set.name, path);
	assert_int_equal(truncate(path, 20), 0);
	assert_int_equal(truncate(path, (2 << 20)), 0);
	rules__free(&set);
	assert_int_equal(rules__load(&set, path, &err), -EINVAL);
	snprintf(want, sizeof(want), "%s:1:1: this is longer than 1048576 bytes: not a rule file",
		 path);
	assert_string_equal(err.text, want);
	assert_int_equal(unlink(path), 0);
	err.text[0] = '\0';
	assert_int_equal(rules__load(&set, path, &err), -ENOENT);
	snprintf(want, sizeof(want), "cannot read the rules %s: No such file or directory", path);
	assert_string_equal(err.text, want);
	err.text[0] = '\0';
	assert_int_equal(rules__load(&set, "vfio", &err), -ENOENT);
	assert_string_equal(err.text,
			    "cannot read the rules vfio: No such file or directory; for the "
			    "preset, use --preset vfio");
	err.text[0] = '\0';
	assert_int_equal(rules__load(&set, "/", &err), -EISDIR);
	assert_string_equal(err.text, "cannot read the rules /: Is a directory");
	assert_null(set.rules);
}

static void standard_input(void **state)
{
	static const char text[] = "rules: [{invariant: windo}]\n";
	int old = dup(STDIN_FILENO), pipes[2];
	struct error err = { "" };
	int rc;

	(void)state;
	assert_true(old >= 0);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], text, sizeof(text) - 1), sizeof(text) - 1);
	close(pipes[1]);
	dup2(pipes[0], STDIN_FILENO);
	close(pipes[0]);
	rules__free(&set);
	rc = rules__load(&set, "-", &err);
	dup2(old, STDIN_FILENO);
	close(old);
	assert_int_equal(rc, -EINVAL);
	assert_string_equal(err.text,
			    "standard input:1:21: invariant: \"windo\" is unknown; did you "
			    "mean \"window\"?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),     cmocka_unit_test(defaults),
		cmocka_unit_test(values),         cmocka_unit_test(lists),
		cmocka_unit_test(layouts),        cmocka_unit_test(presets_first),
		cmocka_unit_test(sets_add_up),    cmocka_unit_test(all_presets),
		cmocka_unit_test(vfio_adds),      cmocka_unit_test(selecting),
		cmocka_unit_test(waiving),        cmocka_unit_test(files),
		cmocka_unit_test(standard_input), cmocka_unit_test(needing),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}

// SPDX-License-Identifier: GPL-2.0-only
/* What a rule file may get wrong: each mistake is told where it is, and how it would be right. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assert/rule.h"
#include "assert/rule_tree.h"

struct mistake {
	const char *text;
	const char *says; /* behind "t.yaml:" */
};

static void refuse(const char *text, size_t len, const char *says)
{
	struct rule_set set = { .nr = 7 };
	struct error err = { "" };
	int rc = rules__parse(&set, "t.yaml", text, len, &err);

	if (strncmp(err.text, "t.yaml:", 7) != 0 || strcmp(err.text + 7, says) != 0)
		fail_msg("%s\n  says \"%s\"\n  not  \"t.yaml:%s\"", text, err.text, says);
	assert_int_equal(rc, -EINVAL);
	assert_null(set.rules);
	assert_int_equal(set.nr, 0);
}

static void refuse_all(const struct mistake *m, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		refuse(m[i].text, strlen(m[i].text), m[i].says);
}
#define REFUSE(mistakes) refuse_all(mistakes, sizeof(mistakes) / sizeof((mistakes)[0]))

#define EMPTY                                                                                   \
	"1:1: there is nothing in this file; the least is \"preset: boot\", or \"rules:\" and " \
	"below "                                                                                \
	"it \"  - invariant: no-fault\""

static void files(void **state)
{
	static const struct mistake m[] = {
		{ "", EMPTY },
		{ "\n\n", EMPTY },
		{ "# only a comment\n", EMPTY },
		{ "---\n", EMPTY },
		{ "~\n", EMPTY },
		{ "rules:\n", "1:1: \"rules\" has no value: give it one, or leave it out" },
		{ "rules: []\n", "1:8: rules is an empty list: leave it out" },
		{ "preset:\n", "1:1: \"preset\" has no value: give it one, or leave it out" },
		{ "- invariant: no-fault\n", "1:1: the rules are a list already; it lacks its "
					     "head: \"rules:\" on a line above it" },
		{ "no-fault\n",
		  "1:1: a rule file is a mapping (rules: …), and this is a single value" },
		{ "rules: no-fault\n",
		  "1:8: rules is a list: begin each of its items with \"- \"" },
		{ "rules:\n  invariant: no-fault\n",
		  "2:3: rules is a list: begin each of its items with \"- \"" },
		{ "rules:\n  - no-fault\n",
		  "2:5: a rule is a mapping (invariant: …), and this is a single value" },
		{ "rules:\n  - [no-fault]\n",
		  "2:5: a rule is a mapping (invariant: …), and this is a list" },
		{ "rules:\n  -\n", "2:4: a rule is a mapping (invariant: …), and this is nothing" },
		{ "preset: boot\n---\npreset: lazy\n",
		  "2:1: a second document begins here: a rule file has only one" },
		{ "preset: lasy\n", "1:9: no preset \"lasy\"; did you mean \"lazy\"?" },
		{ "preset: everything\n",
		  "1:9: no preset \"everything\"; choose from strict, lazy, vfio, boot" },
		{ "preset: []\n", "1:9: preset is an empty list: leave it out" },
		{ "preset: [lazy, boat]\n", "1:16: no preset \"boat\"; did you mean \"boot\"?" },
		{ "preset: {lazy: boot}\n",
		  "1:9: preset takes a single value, and this is a mapping (key: value)" },
		{ "disable: window\n",
		  "1:1: disable leaves out rules of a preset, and there is no preset" },
		{ "preset: lazy\ndisable: [window, no-falt]\n",
		  "2:19: the preset has no rule \"no-falt\"; did you mean \"no-fault\"?" },
		{ "preset: lazy\ndisable: [window, window]\n",
		  "2:19: the preset has no rule \"window\"; choose from no-fault, no-hang, "
		  "no-stale-access, flush-before-reuse, flush-covers-unmap, no-map-over-map, "
		  "unmap-matches-map, sync-map, detach-empty, invalidation-timeout, coverage, "
		  "pt-freed-after-flush, pt-balance, domain-type, flush-latency, teardown-stall" },
		{ "preset: boot\ndisable: [no-fault, no-hang, invalidation-timeout, "
		  "no-stale-access, "
		  "flush-covers-unmap, no-map-over-map, detach-empty, coverage, teardown-stall]\n",
		  "1:1: no rule is left: nothing would be checked" },
		{ "rule:\n  - invariant: no-fault\n",
		  "1:1: a rule file has no key \"rule\"; did you mean \"rules\"?" },
		{ "version: 1\n",
		  "1:1: a rule file has no key \"version\"; choose from rules, preset, disable" },
		{ "preset: boot\npreset: lazy\n",
		  "2:1: \"preset\" a second time: the first is in line 1" },
		{ "? [a]\n: b\n", "1:3: a key must be a word, and this is a list" },
	};

	(void)state;
	REFUSE(m);
}

/* One rule, from line 2, column 5 on. */
#define RULE(rest)    "rules:\n  - invariant: window\n    " rest "\n"
#define OF(inv, rest) "rules:\n  - invariant: " inv "\n    " rest "\n"
#define WAIVER(rest)  RULE("waivers:\n      - " rest)

static void rules(void **state)
{
	static const struct mistake m[] = {
		{ "rules:\n  - name: x\n", "2:5: a rule needs an invariant: invariant: …" },
		{ "rules:\n  - invariant: no-fualt\n",
		  "2:16: invariant: \"no-fualt\" is unknown; did you mean \"no-fault\"?" },
		{ "rules:\n  - invariant: everything\n",
		  "2:16: invariant: \"everything\" is unknown; choose from no-fault, no-hang, "
		  "no-stale-access, "
		  "flush-before-reuse, strict-means-strict, window, flush-covers-unmap, "
		  "no-map-over-map, unmap-matches-map, no-leak, sync-map, domain-type, "
		  "pt-freed-after-flush, pt-balance, teardown-stall, flush-latency, "
		  "invalidation-timeout, detach-empty, coverage" },
		{ "rules:\n  - invariant: []\n", "2:16: invariant is an empty list" },
		{ "rules:\n  - invariant: {no-fault: 1}\n",
		  "2:16: invariant takes a single value, and this is a mapping (key: value)" },
		{ "rules:\n  - invariant: [no-fault, [no-hang]]\n",
		  "2:27: invariant takes a single value, and this is a list" },
		{ "rules:\n  - invariant: [no-fault, no-hang, no-fault]\n",
		  "2:36: a rule named no-fault is in line 2 already: give this one a name of its "
		  "own, name: …" },
		{ "rules:\n  - invariant: window\n  - invariant: window\n",
		  "3:16: a rule named window is in line 2 already: give this one a name of its "
		  "own, "
		  "name: …" },
		{ "rules:\n  - invariant: window\n    name: a\n  - name: a\n    invariant: "
		  "no-hang\n",
		  "4:11: a rule named a is in line 2 already: give this one a name of its own, "
		  "name: …" },
		{ RULE("selct: {driver: a}"),
		  "3:5: a rule has no key \"selct\"; did you mean \"select\"?" },
		{ RULE("below: 20ms"),
		  "3:5: a rule has no key \"below\"; choose from invariant, name, select, params, "
		  "severity, unseen, phase, waivers" },
		{ RULE("name: \"two words\""), "3:11: \"two words\" can't be a name: that is up to "
					       "64 letters, digits and . _ -, a "
					       "letter or digit first" },
		{ RULE("name: -x"), "3:11: \"-x\" can't be a name: that is up to 64 letters, "
				    "digits and . _ -, a letter "
				    "or digit first" },
		{ RULE("severity: fatal"),
		  "3:15: severity: \"fatal\" is unknown; choose from error, warning" },
		{ RULE("severity: Warning"),
		  "3:15: severity: \"Warning\" is unknown; did you mean \"warning\"?" },
		{ RULE("unseen: pass"),
		  "3:13: unseen: \"pass\" is unknown; choose from inconclusive, skip" },
		{ RULE("severity: [error]"),
		  "3:15: severity takes a single value, and this is a list" },
		{ RULE("phase: startup"), "3:12: phase: \"startup\" is unknown; choose from boot, "
					  "workload, shutdown, all" },
		{ RULE("phase: []"), "3:12: phase is an empty list: the rule would never hold" },
		{ RULE("phase: [boot, boot]"), "3:19: phase: boot is in the list already" },
		{ RULE("phase: [boot, all]"), "3:19: phase: all is in the list already" },
		{ RULE("waivers: {reason: x}"),
		  "3:14: waivers is a list: begin each of its items with \"- \"" },
		{ RULE("waivers: []"), "3:14: waivers is an empty list: leave it out" },
	};

	(void)state;
	REFUSE(m);
}

static void params(void **state)
{
	static const struct mistake m[] = {
		{ RULE("params: 20ms"),
		  "3:13: params of window is a mapping (below: …), and this is a single value" },
		{ RULE("params: {bellow: 20ms}"),
		  "3:14: params of window has no key \"bellow\"; did you mean \"below\"?" },
		{ RULE("params: {max: 1}"),
		  "3:14: params of window has no key \"max\"; choose from below, percentile" },
		{ RULE("params: {below: 1ms, below: 2ms}"),
		  "3:26: \"below\" a second time: the first is in line 3" },
		{ RULE("params: {below: 20}"),
		  "3:21: below: \"20\" has no unit: write 20ms, 20us or 20s" },
		{ RULE("params: {below: 0.5}"),
		  "3:21: below: \"0.5\" has no unit: write 0.5ms, 0.5us or 0.5s" },
		{ RULE("params: {below: 0}"), "3:21: below: the time must be longer than 0" },
		{ RULE("params: {below: 0ms}"), "3:21: below: the time must be longer than 0" },
		{ RULE("params: {below: 20 ms}"), "3:21: below takes a time with its unit, such as "
						  "20ms, 1.5s or 250us, and this is "
						  "\"20 ms\"" },
		{ RULE("params: {below: fast}"), "3:21: below takes a time with its unit, such as "
						 "20ms, 1.5s or 250us, and this is "
						 "\"fast\"" },
		{ RULE("params: {below: 9999999999h}"),
		  "3:21: below: \"9999999999h\" is too long" },
		{ RULE("params: {below: [20ms]}"),
		  "3:21: below takes a single value, and this is a list" },
		{ RULE("params: {below: \"\"}"),
		  "3:21: below is empty: give it a value, or leave it out" },
		{ RULE("params: {below: }"),
		  "3:14: \"below\" has no value: give it one, or leave it out" },
		{ RULE("params: {percentile: 100.1}"),
		  "3:26: percentile: 100.1 is out of range, which is above 0 up to 100" },
		{ RULE("params: {percentile: 0}"),
		  "3:26: percentile: 0 is out of range, which is above 0 up to 100" },
		{ RULE("params: {percentile: 99.9999}"),
		  "3:26: percentile takes a number with up to three digits after the point, such "
		  "as 99 "
		  "or 99.9, and this is \"99.9999\"" },
		{ RULE("params: {percentile: p99}"), "3:26: percentile takes a number with up to "
						     "three digits after the point, such as 99 "
						     "or 99.9, and this is \"p99\"" },
		{ OF("no-fault", "params: {max: -1}"),
		  "3:19: max takes a number, such as 0 or 12, and this is \"-1\"" },
		{ OF("no-fault", "params: {max: 18446744073709551616}"),
		  "3:19: max takes a number, such as 0 or 12, and this is "
		  "\"18446744073709551616\"" },
		{ OF("no-leak", "params: {growth: 4 pages}"),
		  "3:22: growth takes bytes, such as 4096, 64K or 2M, and this is \"4 pages\"" },
		{ OF("coverage", "params: {max: 1}"),
		  "3:13: coverage takes no params: leave them out" },
		{ OF("domain-type", "severity: error"), "2:16: domain-type needs params: {is: …}, "
							"one of DMA-FQ, DMA, identity, unmanaged, "
							"blocked" },
		{ OF("domain-type", "params: {is: dma-fq}"),
		  "3:18: is: \"dma-fq\" is unknown; did you mean \"DMA-FQ\"?" },
		{ OF("sync-map", "params: {invalidates: true}"),
		  "3:27: invalidates: \"true\" is unknown; choose from no, yes" },
		{ OF("[window, no-fault]", "params: {below: 1ms}"),
		  "3:14: params of no-fault has no key \"below\"; choose from max" },
	};

	(void)state;
	REFUSE(m);
}

static void selectors(void **state)
{
	static const struct mistake m[] = {
		{ RULE("select: ixgbe"),
		  "3:13: select is a mapping (device: …), and this is a single value" },
		{ RULE("select: {drivers: ixgbe}"),
		  "3:14: select has no key \"drivers\"; did you mean \"driver\"?" },
		{ RULE("select: {driver: [ixgbe, igb]}"),
		  "3:22: driver takes one value: for several, write a rule (or a waiver) for "
		  "each" },
		{ RULE("select: {device: }"),
		  "3:14: \"device\" has no value: give it one, or leave it out" },
		{ RULE("select: {device: \"\"}"),
		  "3:22: device is empty: give it a value, or leave it out" },
		{ RULE("select: {device: \"04:*\"}"),
		  "3:22: device: names of PCI devices begin with the segment: \"0000:04:*\"" },
		{ RULE("select: {device: \"0000:0[45]:*\"}"),
		  "3:22: device: in patterns * is any text and ? any character, and "
		  "\"0000:0[45]:*\" uses something else" },
		{ RULE("select: {group: a}"),
		  "3:21: group takes the number of an IOMMU group, and this is \"a\"" },
		{ RULE("select: {group: 4294967296}"),
		  "3:21: group takes the number of an IOMMU group, and this is \"4294967296\"" },
		{ RULE("select: {type: lazy}"), "3:20: type: \"lazy\" is unknown; choose from "
						"DMA-FQ, DMA, identity, unmanaged, blocked" },
		{ RULE("select: {type: dma}"),
		  "3:20: type: \"dma\" is unknown; did you mean \"DMA\"?" },
	};

	(void)state;
	REFUSE(m);
}

static void waivers(void **state)
{
	static const struct mistake m[] = {
		{ WAIVER("0000:04:10.0"),
		  "4:9: a waiver is a mapping (select: …), and this is a single value" },
		{ WAIVER("link: https://a.org/1"), "4:9: a waiver needs a reason: reason: \"…\"" },
		{ WAIVER("reason:"), "4:9: \"reason\" has no value: give it one, or leave it out" },
		{ WAIVER("reason: \"  \""),
		  "4:17: reason is empty: give it a value, or leave it out" },
		{ WAIVER("{reason: x, expires: 2027-02-30}"),
		  "4:30: expires takes a day from 1970 on, year first, such as 2027-01-31, and "
		  "this is "
		  "\"2027-02-30\"" },
		{ WAIVER("{reason: x, expires: never}"),
		  "4:30: expires takes a day from 1970 on, year first, such as 2027-01-31, and "
		  "this is "
		  "\"never\"" },
		{ WAIVER("{reason: x, link: bug 12}"),
		  "4:27: link takes an address, https://… without blanks, and this is \"bug 12\"" },
		{ WAIVER("{reason: x, link: \"javascript:alert(1)\"}"),
		  "4:27: link takes an address, https://… without blanks, and this is "
		  "\"javascript:alert(1)\"" },
		{ WAIVER("{reason: x, link: \"https://\"}"),
		  "4:27: link takes an address, https://… without blanks, and this is "
		  "\"https://\"" },
		{ WAIVER("{reason: x, until: 2027-01-31}"),
		  "4:21: a waiver has no key \"until\"; choose from select, reason, link, "
		  "expires" },
		{ WAIVER("{reason: x, select: {type: nested}}"),
		  "4:36: type: \"nested\" is unknown; choose from DMA-FQ, DMA, identity, "
		  "unmanaged, blocked" },
		{ WAIVER("reason: \"a\\e[31mb\""), "4:17: reason holds a control character" },
		{ WAIVER("reason: \"a\\x7fb\""), "4:17: reason holds a control character" },
		{ WAIVER("reason: \"a\\x9bb\""), "4:17: reason holds a control character" },
		{ WAIVER("reason: \"a\\0b\""), "4:17: this text holds a NUL character" },
	};

	(void)state;
	REFUSE(m);
}

static void yaml(void **state)
{
	static const struct mistake m[] = {
		{ "rules:\n\t- invariant: no-fault\n",
		  "2:1: a tab: YAML is indented with blanks only" },
		{ "rules:\n  - invariant: window\n\tname: x\n",
		  "3:1: a tab: YAML is indented with blanks only" },
		{ "rules:\n  - invariant: window\n   name: x\n",
		  "3:4: this is indented like no line above it: keys of one rule begin in the same "
		  "column" },
		{ "rules:\n  invariant: window\n  - name: x\n",
		  "3:3: this is indented like no line above it: keys of one rule begin in the same "
		  "column" },
		{ "rules:\n  - invariant: window\n      name: x\n",
		  "3:11: this \": \" can't be here: put a value that holds it in quotes, or look "
		  "at how "
		  "the line is indented" },
		{ WAIVER("reason: firmware: too old"),
		  "4:25: this \": \" can't be here: put a value that holds it in quotes, or look "
		  "at how "
		  "the line is indented" },
		{ "rules:\n  - invariant: window\n    name\n",
		  "3:5: this is not \"key: value\": the colon is missing, or the blank behind it" },
		{ "rules:\n  - invariant: window\n    name:x\n",
		  "3:5: this is not \"key: value\": the colon is missing, or the blank behind it" },
		{ RULE("name: \"x"), "3:11: the quote that begins here is never closed" },
		{ RULE("name: 'x\n---\n"), "3:11: the quote that begins here is never closed" },
		{ RULE("select: {driver: ixgbe"),
		  "4:1: a comma or } is missing in the { of line 3, column 13" },
		{ "preset: {boot", "1:14: a comma or } is missing in the { of line 1, column 9" },
		{ "rules:\n  - invariant: [window\n",
		  "3:1: a comma or ] is missing in the [ of line 2, column 16" },
		{ RULE("select: {device: *}"),
		  "3:22: a value that begins with * must be in quotes: \"*\"" },
		{ RULE("select: {device: *.0}"),
		  "3:22: a value that begins with * must be in quotes: \"*\"" },
		{ RULE("select: {device: *virtio}"), "3:22: aliases are not used here: write it "
						     "out; a value that begins with * must be "
						     "in quotes: \"*virtio\"" },
		{ RULE("select: &s {device: a}"), "3:13: anchors (&…) and aliases (*…) are not "
						  "used here: write it out; a value that "
						  "begins with & must be in quotes" },
		{ RULE("name: !x y"), "3:11: tags (!…) are not used here: write the value alone; "
				      "one that begins with ! "
				      "must be in quotes" },
		{ RULE("<<: {name: x}"), "3:5: merge keys (<<) are not used here: write it out" },
		{ WAIVER("reason: \"it said \"no\" to us\""),
		  "4:27: the value ended before this, at a quote or bracket: put all of it in "
		  "(other) quotes" },
		{ WAIVER("reason: [draft] it said"),
		  "4:25: the value ended before this, at a quote or bracket: put all of it in "
		  "(other) quotes" },
		{ RULE("name: @x"),
		  "3:11: a value can't begin with this character: put it in quotes" },
		{ RULE("name: \"\\d\""),
		  "3:12: \\ begins an escape in double quotes: use single quotes" },
		{ RULE("name: \"\\xyz\""),
		  "3:14: \\x, \\u and \\U begin an escape in double quotes: use single quotes" },
		{ "rules: - invariant: window\n",
		  "1:8: no list can begin here: put the \"- \" on a line of its own" },
		{ "rules:\n  - invariant: window\n  name: x\n",
		  "3:3: the list above goes on with \"- \" in the same column, or ends with less "
		  "indentation" },
		{ "rules:\n- invariant: window\n  bad\xff\n",
		  "3:6: this byte isn't UTF-8: a rule file is text in UTF-8" },
		{ "# \xc3\xbc\xc3\xb6\x01\n",
		  "1:5: a control character: a rule file is text in UTF-8" },
		{ "[[[[[[[[[[[[[[[[[", "1:17: lists and mappings nest deeper than 16 here" },
		{ "%YAML 3.0\n---\npreset: boot\n",
		  "1:1: not YAML: found incompatible YAML document" },
	};
	static const char nul[] = "rules:\n  - invariant: no\0fault\n";
	static const char utf16[] = "\xff\xfe"
				    "r\0u\0l\0e\0s\0";

	(void)state;
	REFUSE(m);
	refuse(nul, sizeof(nul) - 1, "2:18: a NUL byte: a rule file is text in UTF-8");
	refuse(utf16, sizeof(utf16) - 1, "1:4: a NUL byte: a rule file is text in UTF-8");
}

/* n times the text, behind a head: the caller's */
static char *repeat(const char *head, const char *text, size_t n)
{
	char *all = malloc(strlen(head) + n * strlen(text) + 1), *end;

	assert_non_null(all);
	end = stpcpy(all, head);
	while (n--)
		end = stpcpy(end, text);
	return all;
}

static void limits(void **state)
{
	char *text = repeat("preset: boot\n#", "x", RULE_TREE_BYTES), *at;
	struct rule_set set;
	struct error err = { "" };

	(void)state;
	refuse(text, strlen(text), "1:1: this is longer than 1048576 bytes: not a rule file");
	assert_int_equal(rules__parse(&set, "t.yaml", text, RULE_TREE_BYTES, &err), 0);
	rules__free(&set);
	free(text);

	text = repeat("rules:\n", "- {invariant: window, name: n0000}\n", 1001);
	at = text;
	for (int i = 0; i < 1001; i++) {
		char digits[8];

		at = strstr(at, "n0000");
		snprintf(digits, sizeof(digits), "n%04d", i);
		memcpy(at, digits, 5);
		at += 5;
	}
	refuse(text, strlen(text), "1002:15: more than 1000 rules");
	*strstr(text, "- {invariant: window, name: n1000") = '\0';
	assert_int_equal(rules__parse(&set, "t.yaml", text, strlen(text), &err), 0);
	assert_int_equal(set.nr, 1000);
	rules__free(&set);
	free(text);

	text = repeat(RULE("waivers:"), "    - reason: x\n", 1001);
	refuse(text, strlen(text), "4:5: a rule has 1000 waivers at most, and this 1001");
	free(text);
}

/* What is quoted from the file is cut, and can't hide the rest of a message. */
static void quotes(void **state)
{
	char *text = repeat("rules:\n  - ", "y", 900), *whole;
	struct rule_set set;
	struct error err = { "" };

	(void)state;
	assert_true(asprintf(&whole, "%s: 1\n", text) > 0);
	refuse(whole, strlen(whole),
	       "2:5: a rule has no key "
	       "\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...\"; choose "
	       "from "
	       "invariant, name, select, params, severity, unseen, phase, waivers");
	free(whole);
	free(text);
	assert_int_equal(rules__parse(&set, "bad\033[31m/\xc3\xbc", "x: 1\n", 5, &err), -EINVAL);
	assert_string_equal(err.text,
			    "bad?[31m/??:1:1: a rule file has no key \"x\"; choose from rules, "
			    "preset, disable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),     cmocka_unit_test(rules),   cmocka_unit_test(params),
		cmocka_unit_test(selectors), cmocka_unit_test(waivers), cmocka_unit_test(yaml),
		cmocka_unit_test(limits),    cmocka_unit_test(quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

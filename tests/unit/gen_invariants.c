// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints docs/invariants.md from the table of invariants; tests/cli/invariants_page.sh compares.
 *
 *     build/tests/gen_invariants > docs/invariants.md
 */
#include <stdio.h>
#include <string.h>

#include "assert/invariant.h"

#define WIDTH 120

static const struct {
	__u32 need;
	const char *words;
} needs[] = {
	{ NEED_MAPS, "every map and unmap" },
	{ NEED_FLUSHES, "every flush, by all flush functions" },
	{ NEED_IOVAS, "every IOVA allocated and freed" },
	{ NEED_RARE, "every fault, hang, attach and domain event" },
	{ NEED_LOG, "every line of the kernel log" },
	{ NEED_TABLES, "every page-table page of the domain's driver" },
	{ NEED_TEARDOWN, "the driver's domain free" },
	{ NEED_COVERAGE, "self-checks" },
};

/* Text, broken at blanks; first: columns that are used in the line already. */
static void fill(const char *text, size_t first)
{
	size_t column = first;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column && column + 1 + n > WIDTH) {
			putchar('\n');
			column = 0;
		} else if (column) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)n, text);
		column += n;
		text += n;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void paragraph(const char *head, const char *text)
{
	printf("\n%s", head);
	fill(text, strlen(head));
}

static void print_params(const struct invariant *inv)
{
	if (!inv->params[0].name)
		return;
	printf("\n| parameter | default | |\n|---|---|---|\n");
	for (int i = 0; i < INVARIANT_PARAMS && inv->params[i].name; i++) {
		const struct invariant_param *p = &inv->params[i];

		printf("| `%s` | %s | %s", p->name, p->preset ? p->preset : "must be given",
		       p->help);
		for (int w = 0; p->words && p->words[w]; w++)
			printf("%s%s", w ? ", " : ": ", p->words[w]);
		printf(" |\n");
	}
}

static void print_needs(const struct invariant *inv)
{
	char text[512] = "";
	size_t n = 0;

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (inv->needs & needs[i].need)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? "; " : "",
					      needs[i].words);
	snprintf(text + n, sizeof(text) - n, ".%s",
		 inv->counted ? " Where events are missing, the kernel side's own counts may still "
				"decide it."
			      : "");
	paragraph("**Must have been seen:**", text);
}

int main(void)
{
	printf("<!-- SPDX-License-Identifier: GPL-2.0-only -->\n"
	       "<!-- Made by build/tests/gen_invariants from src/assert/invariant.c -->\n"
	       "# Invariants\n\n");
	fill("What `iommutop assert` can check. A rule (iommutop-rules(5)) says which of them must "
	     "hold, for which "
	     "devices and in which phase. The result is PASS, FAIL, INCONCLUSIVE (no violation was "
	     "seen, but one could "
	     "have been missed: the result says why) or SKIP (nothing that it is about was there).",
	     0);
	putchar('\n');
	fill("[detection.md](detection.md) shows which bugs of the reference driver trip which of "
	     "them.",
	     0);
	printf("\n| | what holds if it passes |\n|---|---|\n");
	for (int i = 0; i < INV_NR; i++)
		printf("| [%s](#%s) | %s |\n", invariants[i].name, invariants[i].name,
		       invariants[i].holds);
	for (int i = 0; i < INV_NR; i++) {
		const struct invariant *inv = &invariants[i];

		printf("\n## %s\n", inv->name);
		paragraph("", inv->holds);
		paragraph("**The rule behind it:**", inv->rule);
		if (inv->blind)
			paragraph("**What it can't see:**", inv->blind);
		print_needs(inv);
		print_params(inv);
	}
	return 0;
}

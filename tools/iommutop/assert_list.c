// SPDX-License-Identifier: GPL-2.0-only
#include "assert_list.h"

#include <errno.h>
#include <string.h>

#include "assert/rule.h"
#include "report/wrap.h"

static void print_param(FILE *out, const struct invariant_param *p)
{
	char head[24], text[512];
	int n = snprintf(text, sizeof(text), "%s (", p->help);

	for (size_t i = 0; p->kind == PARAM_WORD && p->words[i]; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", i ? "|" : "",
			      p->words[i]);
	snprintf(text + n, sizeof(text) - (size_t)n, "%s%s%s)", p->kind == PARAM_WORD ? "; " : "",
		 p->preset ? "default: " : "must be given", p->preset ?: "");
	snprintf(head, sizeof(head), "    %-12s", p->name);
	wrap__print(out, head, text);
}

static void print_all(FILE *out)
{
	const char *name;

	fputs("Invariants\n", out);
	for (size_t i = 0; i < INV_NR; i++) {
		const struct invariant *inv = &invariants[i];

		fprintf(out, "  %s\n", inv->name);
		wrap__print(out, "    ", inv->holds);
		for (size_t n = 0; n < INVARIANT_PARAMS && inv->params[n].name; n++)
			print_param(out, &inv->params[n]);
	}
	fputs("\nPresets (--list --preset NAME prints one, to begin a file of your own)\n", out);
	for (size_t i = 0; rules__preset_text(i, &name); i++)
		fprintf(out, "  %s\n", name);
}

static const char *find_preset(const char *wanted)
{
	const char *name, *text;

	for (size_t i = 0; (text = rules__preset_text(i, &name)); i++)
		if (!strcmp(name, wanted))
			return text;
	return NULL;
}

int assert_list__print(FILE *out, const struct opt_strings *presets)
{
	for (size_t i = 0; i < presets->nr; i++) {
		const char *text = find_preset(presets->items[i]);

		if (!text) {
			cmd__complain(
				"assert",
				"there is no preset '%s'; `iommutop assert --list` lists them",
				presets->items[i]);
			return -ENOENT;
		}
		fputs(text, out);
	}
	if (!presets->nr)
		print_all(out);
	return 0;
}

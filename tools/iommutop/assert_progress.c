// SPDX-License-Identifier: GPL-2.0-only
#include "assert_progress.h"

#include <inttypes.h>

#include "outfile.h"
#include "report/words.h"

static void print(FILE *out, const struct checks *c, size_t nr, uint64_t ns)
{
	const char *first;
	bool fails = false;

	for (size_t i = 0; i < nr; i++)
		fails = fails || (checks__so_far(c, i, &first) &&
				  checks__result(c, i)->rule->severity == SEVERITY_ERROR);
	fprintf(out, "%s, after %s.\n", fails ? PROGRESS_FAILS : "Not over yet",
		words__duration(ns).s);
	for (size_t i = 0; i < nr; i++) {
		const struct rule *rule = checks__result(c, i)->rule;
		__u64 violations = checks__so_far(c, i, &first);

		fprintf(out, "  %-24s %s%s\n", rule->name,
			violations ? words__times(violations, "violation", "violations").s
				   : "no violation so far",
			violations && rule->severity == SEVERITY_WARNING ? " (warning)" : "");
		if (*first)
			fprintf(out, "    %s\n", first);
	}
}

int assert_progress__write(const char *path, const struct checks *c, size_t nr, uint64_t ns,
			   struct error *err)
{
	struct outfile file;
	int rc = outfile__open(&file, path, err);

	if (rc)
		return rc;
	print(file.out, c, nr, ns);
	return outfile__commit(&file, err);
}

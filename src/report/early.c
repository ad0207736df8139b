// SPDX-License-Identifier: GPL-2.0-only
#include "report/early.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/jsonput.h"
#include "report/words.h"
#include "util/parse.h"

static const char *const counts[] = { "maps",        "map_bytes", "unmaps",
				      "unmap_bytes", "faults",    "overwritten" };

/* False: that event was not traced. */
static bool count(const struct model *m, const char *what, uint64_t *n)
{
	char key[32];
	const char *value;

	snprintf(key, sizeof(key), "early.%s", what);
	value = model__attr(m, key);
	return value && !parse__u64(value, n);
}

char *early__says(const struct model *m)
{
	const char *error = model__attr(m, "early.error");
	uint64_t n = 0, bytes = 0, overwritten = 0;
	char *text = NULL, *separator = "";
	size_t size;
	FILE *out;

	if (!model__attr(m, "early.events"))
		return strdup("");
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	fputs("Before the hooks: ", out);
	if (error) {
		fprintf(out, "not known, for the kernel's trace buffer can't be read (%s).", error);
		fclose(out);
		return text;
	}
	if (count(m, "maps", &n) && count(m, "map_bytes", &bytes)) {
		fprintf(out, "%s (%s)", words__times(n, "map", "maps").s, words__bytes(bytes).s);
		separator = ", ";
	}
	if (count(m, "unmaps", &n) && count(m, "unmap_bytes", &bytes)) {
		fprintf(out, "%s%s (%s)", separator, words__times(n, "unmap", "unmaps").s,
			words__bytes(bytes).s);
		separator = ", ";
	}
	if (count(m, "faults", &n))
		fprintf(out, "%s%s", separator, words__times(n, "fault", "faults").s);
	count(m, "overwritten", &overwritten);
	fprintf(out, ", from the kernel's trace buffer; %s overwritten%s.",
		words__times(overwritten, "entry was", "entries were").s,
		overwritten ? ", so there were more" : "");
	fclose(out);
	return text;
}

struct json_object *early__json(const struct model *m)
{
	const char *events = model__attr(m, "early.events"), *error = model__attr(m, "early.error");
	struct json_object *o;
	uint64_t n;

	if (!events)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "events", json_object_new_string(events));
	json_object_object_add(o, "error", error ? json_object_new_string(error) : NULL);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		json_object_object_add(o, counts[i],
				       !error && count(m, counts[i], &n) ? json_object_new_uint64(n)
									 : NULL);
	return o;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "report/leaks.h"

#include "report/jsonput.h"
#include "report/words.h"
#include "report/wrap.h"

#define SHOWN 30U

/* "1.5M": short, for columns. */
static struct words short_bytes(__u64 bytes)
{
	static const char units[] = "BKMGTPE";
	double v = (double)bytes;
	struct words w;
	size_t u = 0;

	while (v >= 999.5 && units[u + 1]) {
		v /= 1024;
		u++;
	}
	snprintf(w.s, sizeof(w.s), v >= 9.95 || !u ? "%.0f%c" : "%.1f%c", v, units[u]);
	return w;
}

static void print_one(FILE *out, const struct model *m, const struct leaks *l, const struct leak *k)
{
	char where[32];

	snprintf(where, sizeof(where), "domain %u", k->domain);
	wrap__name(out, k->dev ? words__device_name(m, k->dev).s : where, 14);
	fprintf(out, " %8s %9s %8s  ", words__count(k->nr).s, words__bytes(k->bytes).s,
		words__duration(l->end > k->oldest ? l->end - k->oldest : 0).s);
	for (__u32 i = 0; i < LEAKS_PARTS; i++)
		fprintf(out, " %5s", k->parts[i] ? short_bytes(k->parts[i]).s : "-");
	if (k->stack)
		fprintf(out, "\n      %s\n", words__stack(m, k->stack).s);
	else
		fprintf(out, "\n      %s\n", words__task(m, k->tid).s);
}

const char *leaks__nothing(const struct model *m, bool scoped)
{
	if (!m->has_mappings && !m->capture_begin)
		return "not known: a kernel log doesn't tell of maps.";
	return scoped ? "nothing of what was asked for."
		      : "nothing that was mapped during the capture.";
}

void leaks__print(FILE *out, const struct analysis *a, const struct leaks *l)
{
	if (!l->nr) {
		fprintf(out, "\nStill mapped at the end: %s\n",
			leaks__nothing(&a->model, a->scope != NULL));
		if (l->unsure)
			wrap__print(out, "  ", LEAKS_UNSURE);
		return;
	}
	fprintf(out, "\nStill mapped at the end: %s, %s\n",
		words__times(l->mappings, "mapping", "mappings").s, words__bytes(l->bytes).s);
	wrap__print(out, "  ",
		    "What was mapped before the capture is not in it. Columns 1 to 8: bytes by the "
		    "eighth of the capture in which they were mapped; what grows to the end, or is "
		    "spread over all of it, is more likely a leak than what came in one go.");
	if (l->unsure)
		wrap__print(out, "  ", LEAKS_UNSURE);
	if (!l->stacks)
		wrap__print(
			out, "  ",
			"The session has no stacks of maps: the task that mapped is all there is "
			"to tell them apart.");
	fprintf(out, "  %-14s %8s %9s %8s  ", "device", "mappings", "bytes", "oldest");
	for (__u32 i = 1; i <= LEAKS_PARTS; i++)
		fprintf(out, " %5u", i);
	fputc('\n', out);
	for (size_t i = 0; i < l->nr && i < SHOWN; i++)
		print_one(out, &a->model, l, &l->list[i]);
	if (l->nr > SHOWN)
		fprintf(out, "  and %zu more; --json has them all\n", l->nr - SHOWN);
}

struct json_object *leaks__json(const struct analysis *a, const struct leaks *l)
{
	json *o = json_object_new_object(), *all = json_object_new_array();
	const struct model *m = &a->model;

	put_u64(o, "mappings", l->mappings);
	put_u64(o, "bytes", l->bytes);
	put_u64(o, "begin_ns", l->begin);
	put_u64(o, "end_ns", l->end);
	put(o, "has_stacks", json_object_new_boolean(l->stacks));
	put(o, "unsure", json_object_new_boolean(l->unsure));
	for (size_t i = 0; i < l->nr; i++) {
		const struct leak *k = &l->list[i];
		json *e = json_object_new_object(), *parts = json_object_new_array();

		put_nonzero(e, "device", k->dev);
		put_nonzero(e, "domain", k->domain);
		put(e, "stack", stack_json(m, k->stack));
		put_nonzero(e, "tid", k->stack ? 0 : k->tid);
		put_u64(e, "mappings", k->nr);
		put_u64(e, "bytes", k->bytes);
		put_u64(e, "oldest_ns", k->oldest);
		put_u64(e, "newest_ns", k->newest);
		for (__u32 n = 0; n < LEAKS_PARTS; n++)
			json_object_array_add(parts, json_object_new_uint64(k->parts[n]));
		put(e, "bytes_by_eighth", parts);
		json_object_array_add(all, e);
	}
	put(o, "mappers", all);
	return o;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "report/requests.h"

#include <stdlib.h>

#include "analyze/judgement.h"
#include "report/json_stats.h"
#include "report/jsonput.h"
#include "report/words.h"

static int by_device(const void *a, const void *b)
{
	const struct idtab_slot *const *x = a, *const *y = b;

	return (*x)->key < (*y)->key ? -1 : (*x)->key > (*y)->key;
}

struct idtab_slot **requests__sorted(const struct model *m, size_t *nr)
{
	const struct idtab *t = &m->requests.devs;
	struct idtab_slot **all = t->nr ? malloc(t->nr * sizeof(struct idtab_slot *)) : NULL;

	*nr = 0;
	if (!all)
		return NULL;
	idtab__for_each (t, s)
		if (requests__any(s->value))
			all[(*nr)++] = s;
	if (!*nr) {
		free(all);
		return NULL;
	}
	qsort(all, *nr, sizeof(struct idtab_slot *), by_device);
	return all;
}

bool requests__is_ceiling(const struct model *m)
{
	return model__lost(m, 0, ~0ULL, JUDGEMENT_LOSES_ANSWERS) ||
	       !judgement__sees_answers(m, m->origin);
}

__u64 requests__waited(const struct model *m, const struct requests_dev *d, __u64 now)
{
	__u64 begin, end, oldest = requests__oldest(d);

	model__span(m, &begin, &end);
	if (now)
		end = now;
	return oldest && oldest < end ? end - oldest : 0;
}

static void print_notes(FILE *out, const struct model *m, const char *name,
			const struct requests_dev *d)
{
	if (d->waiting)
		fprintf(out, "  %s: %s no answer at the end%s, the oldest for %s\n", name,
			words__times(d->waiting, "group has", "groups have").s,
			requests__is_ceiling(m) ? ", or its event is missing" : "",
			words__duration(requests__waited(m, d, 0)).s);
	if (d->failed)
		fprintf(out, "  %s: %s could not be given\n", name,
			words__times(d->failed, "answer", "answers").s);
	if (d->other)
		fprintf(out, "  %s: %s a code that isn't known\n", name,
			words__times(d->other, "answer has", "answers have").s);
	if (d->untracked)
		fprintf(out, "  %s: %s more than can be waited for\n", name,
			words__times(d->untracked, "group was", "groups were").s);
}

void requests__print(FILE *out, const struct summary_view *v)
{
	size_t nr;
	struct idtab_slot **all = requests__sorted(v->m, &nr);

	if (!all)
		return;
	fprintf(out,
		"\nPage requests, and the time from a group's last one to its answer\n"
		"  %-16s %8s %6s %7s %7s %7s %7s %6s %8s %8s %8s\n",
		"device", "requests", "groups", "success", "invalid", "failure", "refused", "open",
		"p50", "p99", "max");
	for (size_t i = 0; i < nr; i++) {
		const struct requests_dev *d = all[i]->value;
		struct words name = words__device_name(v->m, (__u32)all[i]->key);

		fprintf(out, "  %-16s %8s %6s", name.s, words__count(d->requests).s,
			words__count(d->groups).s);
		for (int c = 0; c < IOT_PAGE_CODES; c++)
			fprintf(out, " %7s", words__count(d->answers[c]).s);
		fprintf(out, " %6s", words__count(d->waiting).s);
		for (int q = 0; q < 3; q++)
			fprintf(out, " %8s",
				d->latency.nr
					? words__duration(
						  hist__value(&d->latency,
							      (const double[]){ 0.5, 0.99, 1 }[q]))
						  .s
					: "-");
		fputc('\n', out);
		print_notes(out, v->m, name.s, d);
	}
	free(all);
}

static json *one_json(const struct model *m, __u32 nr, const struct requests_dev *d, __u64 now)
{
	static const char *const answers[IOT_PAGE_CODES] = {
		[IOT_PAGE_SUCCESS] = "success",
		[IOT_PAGE_INVALID] = "invalid",
		[IOT_PAGE_FAILURE] = "failure",
		[IOT_PAGE_REFUSED] = "refused",
	};
	json *o = json_object_new_object();

	put_text(o, "device", nr ? words__device_name(m, nr).s : NULL);
	put_u64(o, "requests", d->requests);
	put_u64(o, "groups", d->groups);
	for (int c = 0; c < IOT_PAGE_CODES; c++)
		put_u64(o, answers[c], d->answers[c]);
	put_u64(o, "other", d->other);
	put_u64(o, "failed", d->failed);
	put_u64(o, "unanswered", d->waiting);
	put(o, "unanswered_is_ceiling",
	    json_object_new_boolean(d->waiting && requests__is_ceiling(m)));
	put(o, "oldest_unanswered_ns",
	    d->waiting ? json_object_new_uint64(requests__waited(m, d, now)) : NULL);
	put(o, "latency", hist_json(&d->latency));
	return o;
}

struct json_object *requests__json(const struct model *m, __u64 now)
{
	size_t nr;
	struct idtab_slot **all = requests__sorted(m, &nr);
	json *o = all ? json_object_new_array() : NULL;

	for (size_t i = 0; o && i < nr; i++)
		json_object_array_add(o, one_json(m, (__u32)all[i]->key, all[i]->value, now));
	free(all);
	return o;
}

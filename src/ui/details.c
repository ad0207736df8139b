// SPDX-License-Identifier: GPL-2.0-only
#include "ui/details.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "report/requests.h"
#include "report/submits.h"
#include "report/words.h"
#include "ui/numbers.h"

struct seen {
	__u32 dev;
	__u64 requests, before;
};

struct details {
	struct submits submits;
	__u64 submits_before[IOT_BY_NR][IOT_SUBMIT_NR];
	struct seen *devs;
	size_t nr_devs;
	__u64 interval;
};

struct details *details__new(void)
{
	return calloc(1, sizeof(struct details));
}

void details__free(struct details *d)
{
	if (!d)
		return;
	free(d->devs);
	free(d);
}

void details__begin(struct details *d, __u64 interval)
{
	d->interval = interval;
	for (int f = 0; f < IOT_BY_NR; f++)
		for (int k = 0; k < IOT_SUBMIT_NR; k++)
			d->submits_before[f][k] = d->submits.cells[f][k].time.nr;
	for (size_t i = 0; i < d->nr_devs; i++)
		d->devs[i].before = d->devs[i].requests;
}

int details__submission(void *details, const struct live_submits *s)
{
	struct details *d = details;

	if (s->by >= IOT_BY_NR || s->kind >= IOT_SUBMIT_NR)
		return -EINVAL;
	d->submits.cells[s->by][s->kind] = (struct submits_cell){
		.commands = s->commands,
		.failed = s->failed,
		.time = s->time,
	};
	return 0;
}

static struct seen *seen_of(const struct details *d, __u32 dev)
{
	for (size_t i = 0; i < d->nr_devs; i++)
		if (d->devs[i].dev == dev)
			return &d->devs[i];
	return NULL;
}

int details__requests(struct details *d, const struct model *m)
{
	idtab__for_each (&m->requests.devs, s) {
		const struct requests_dev *r = s->value;
		struct seen *known = seen_of(d, (__u32)s->key), *more;

		if (!known) {
			more = realloc(d->devs, (d->nr_devs + 1) * sizeof(*more));
			if (!more)
				return -ENOMEM;
			d->devs = more;
			known = &more[d->nr_devs++];
			*known = (struct seen){ .dev = (__u32)s->key };
		}
		known->requests = r->requests;
	}
	return 0;
}

/* "3.21 us / 12.3 us / 1.02 ms"; "-" of nothing. */
static void print_times(FILE *out, const struct hist *h)
{
	if (!h->nr) {
		fputs("-\n", out);
		return;
	}
	fprintf(out, "%s / %s / %s\n", words__duration(hist__value(h, 0.5)).s,
		words__duration(hist__value(h, 0.99)).s, words__duration(h->max).s);
}

static void submits_text(const struct details *d, FILE *out)
{
	bool any = false;

	for (__u32 f = 0; f < IOT_BY_NR; f++)
		for (__u32 k = 0; k < IOT_SUBMIT_NR; k++) {
			const struct submits_cell *c = &d->submits.cells[f][k];

			if (!c->time.nr)
				continue;
			if (!any)
				fprintf(out, "%-8s %-18s %-7s %6s %8s %8s %6s | %s\n", "HARDWARE",
					"FUNCTION", "WHAT", "/s", "TOTAL", "COMMANDS", "FAILED",
					"TIME p50 / p99 / max");
			any = true;
			fprintf(out, "%-8s %-18s %-7s %6s %8s %8s %6s | ", submits__driver(f),
				submits__function(f), submits__kind(k),
				numbers__rate(c->time.nr, d->submits_before[f][k], d->interval).s,
				words__count(c->time.nr).s,
				c->commands ? words__count(c->commands).s : "-",
				c->failed ? words__count(c->failed).s : "-");
			print_times(out, &c->time);
		}
}

static void requests_text(const struct details *d, const struct model *m, __u64 now, FILE *out)
{
	size_t nr;
	struct idtab_slot **all = requests__sorted(m, &nr);

	if (!all)
		return;
	fprintf(out, "%-16s %6s %7s %7s %7s %7s %7s | %6s %8s | %s\n", "PAGE REQUESTS", "/s",
		"GROUPS", "SUCCESS", "INVALID", "FAILURE", "REFUSED", "OPEN", "OLDEST",
		"ANSWER p50 / p99 / max");
	for (size_t i = 0; i < nr; i++) {
		const struct requests_dev *r = all[i]->value;
		const struct seen *s = seen_of(d, (__u32)all[i]->key);
		struct words open = words__count(r->waiting);

		/* fewer, if an answer was lost */
		if (r->waiting && requests__is_ceiling(m))
			snprintf(open.s + strlen(open.s), sizeof(open.s) - strlen(open.s), "-");
		fprintf(out, "%-16.16s %6s %7s", words__device_name(m, (__u32)all[i]->key).s,
			s ? numbers__rate(s->requests, s->before, d->interval).s : "-",
			words__count(r->groups).s);
		for (int c = 0; c < IOT_PAGE_CODES; c++)
			fprintf(out, " %7s", words__count(r->answers[c]).s);
		fprintf(out, " | %6s %8s | ", open.s,
			r->waiting ? words__duration(requests__waited(m, r, now)).s : "-");
		print_times(out, &r->latency);
	}
	free(all);
}

void details__text(const struct details *d, const struct model *m, __u64 now, FILE *out)
{
	submits_text(d, out);
	requests_text(d, m, now, out);
}

void details__json(const struct details *d, const struct model *m, __u64 now, struct json_object *o)
{
	struct json_object *submits = submits__json(&d->submits);

	if (submits && !json_object_array_length(submits)) {
		json_object_put(submits);
		submits = NULL;
	}
	json_object_object_add(o, "submissions", submits);
	json_object_object_add(o, "page_requests", requests__json(m, now));
}

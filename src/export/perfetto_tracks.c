// SPDX-License-Identifier: GPL-2.0-only
#include "export/perfetto_tracks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LANES_MAX 256 /* slices of one kind at one time; more are shown as instants */

uint64_t tracks__uuid(unsigned int kind, uint32_t nr, uint32_t lane)
{
	return 1ULL << 63 | (uint64_t)kind << 52 | (uint64_t)nr << 16 | lane;
}

void tracks__tell(struct exporter *x, uint64_t id, uint64_t parent, const char *name, int unit)
{
	struct perfetto *p = x->state;

	perfetto__track(&p->packet, &x->out,
			&(struct perfetto_track){
				.uuid = id, .parent = parent, .name = name, .unit = unit });
}

/* A stranger's session may name any number of them: what the model has no room for is "not known".
 */
uint32_t tracks__bounded(const struct idtab *t, uint32_t nr, uint32_t max)
{
	return t->nr < max || idtab__find(t, nr + 1ULL) ? nr : 0;
}

struct domain_tracks *tracks__domain(struct exporter *x, uint32_t nr)
{
	struct perfetto *p = x->state;
	struct domain_tracks *d = idtab__find(&p->domains, nr + 1ULL);
	const char *whose;
	char name[96];

	if (d)
		return d;
	d = calloc(1, sizeof(*d));
	if (!d || idtab__set(&p->domains, nr + 1ULL, d)) {
		free(d);
		return NULL;
	}
	whose = names__domain(&x->names, nr);
	if (nr)
		snprintf(name, sizeof(name), "domain %u%s%s", nr, whose ? ": " : "",
			 whose ? whose : "");
	else
		snprintf(name, sizeof(name), "domain not known");
	tracks__tell(x, tracks__uuid(TRACK_DOMAIN, nr, 0), 0, name, PERFETTO_SLICES);
	if (nr)
		tracks__tell(x, tracks__uuid(TRACK_BYTES, nr, 0), tracks__uuid(TRACK_DOMAIN, nr, 0),
			     "mapped bytes", PERFETTO_BYTES);
	tracks__tell(x, tracks__uuid(TRACK_RATE, nr, 0), tracks__uuid(TRACK_DOMAIN, nr, 0),
		     "maps per second", PERFETTO_COUNT);
	return d;
}

struct device_tracks *tracks__device(struct exporter *x, uint32_t nr)
{
	struct perfetto *p = x->state;
	struct device_tracks *d = idtab__find(&p->devices, nr + 1ULL);
	const char *whose;
	char name[96];

	if (d)
		return d;
	d = calloc(1, sizeof(*d));
	if (!d || idtab__set(&p->devices, nr + 1ULL, d)) {
		free(d);
		return NULL;
	}
	whose = names__device(&x->names, nr);
	if (whose)
		snprintf(name, sizeof(name), "%s", whose);
	else if (nr)
		snprintf(name, sizeof(name), "device %u", nr);
	else
		snprintf(name, sizeof(name), "device not known");
	tracks__tell(x, tracks__uuid(TRACK_DEVICE, nr, 0), 0, name, PERFETTO_SLICES);
	return d;
}

/*
 * The track where a slice from begin to end has room, told when it is new; 0 = too many at once.
 * Slices come in the order of their ends.
 */
static uint64_t lane_of(struct exporter *x, struct lanes *l, uint64_t begin, uint64_t end,
			const struct perfetto_track *first)
{
	uint32_t i = 0;

	while (i < l->nr && l->ends[i] > begin)
		i++;
	if (i == LANES_MAX)
		return 0;
	if (i == l->nr) {
		if (!l->ends)
			l->ends = calloc(LANES_MAX, sizeof(*l->ends));
		if (!l->ends) {
			x->out.error = -ENOMEM;
			return 0;
		}
		l->nr++;
		tracks__tell(x, first->uuid + i, first->parent, first->name, PERFETTO_SLICES);
	}
	l->ends[i] = end;
	return first->uuid + i;
}

void tracks__open_slice(struct exporter *x, struct lanes *l, const struct perfetto_track *first,
			uint64_t begin, uint64_t end, enum perfetto_name name, uint64_t *track)
{
	struct perfetto *p = x->state;

	*track = begin && begin <= end ? lane_of(x, l, begin, end, first) : 0;
	if (*track) {
		perfetto__slice_begin(&p->packet, begin, *track, name);
		return;
	}
	perfetto__instant(&p->packet, end, first->parent, name);
	if (begin)
		perfetto__arg_uint(&p->packet, ARG_BEGIN, begin);
}

void tracks__close_slice(struct exporter *x, uint64_t end, uint64_t track)
{
	struct perfetto *p = x->state;

	perfetto__write(&p->packet, &x->out);
	if (track)
		perfetto__slice_end(&p->packet, &x->out, end, track);
}

void tracks__free(struct exporter *x)
{
	struct perfetto *p = x->state;

	idtab__for_each (&p->domains, s) {
		struct domain_tracks *d = s->value;

		free(d->flushes.ends);
		free(d->windows.ends);
		free(d);
	}
	idtab__for_each (&p->devices, s) {
		struct device_tracks *d = s->value;

		free(d->resets.ends);
		free(d);
	}
	idtab__free(&p->domains);
	idtab__free(&p->devices);
	free(p->losses.ends);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "collect/rings.h"

#include <stdlib.h>

#include "collect/chunks.h"
#include "collect/drain.h"
#include "collect/merge.h"

#define DEFAULT_MEMORY (16 << 20)

struct rings {
	uint64_t hold_ns;
	struct chunks memory;
	struct drain drain;
	struct merge merge;
	struct chunk_list *fresh; /* nr_cpus: on the way from one to the other */
};

struct rings *rings__new(struct iot_cpu *cpus, void *hot, uint32_t nr_cpus, uint32_t slots,
			 uint64_t hold_ns, size_t memory)
{
	struct rings *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return NULL;
	r->hold_ns = hold_ns;
	r->fresh = calloc(nr_cpus + 1, sizeof(*r->fresh));
	err = chunks__init(&r->memory, nr_cpus, memory ? memory : DEFAULT_MEMORY);
	err |= drain__init(&r->drain, cpus, hot, nr_cpus, slots, &r->memory);
	err |= merge__init(&r->merge, nr_cpus, &r->memory);
	if (err || !r->fresh) {
		rings__free(r);
		return NULL;
	}
	return r;
}

void rings__free(struct rings *r)
{
	if (!r)
		return;
	drain__free(&r->drain);
	merge__free(&r->merge);
	chunks__free(&r->memory);
	free(r->fresh);
	free(r);
}

int rings__start(struct rings *r)
{
	return drain__start(&r->drain);
}

void rings__stop(struct rings *r)
{
	drain__stop(&r->drain);
}

int rings__add(struct rings *r, const struct iot_event *ev)
{
	return merge__add(&r->merge, ev);
}

/* Hands over what was read since the last time. Returns when that was; *blocked_at as in
 * drain.h. */
static uint64_t hand_over(struct rings *r, uint64_t *blocked_at)
{
	uint64_t read_at = drain__take(&r->drain, r->fresh, blocked_at);

	for (uint32_t cpu = 0; cpu < r->drain.nr_cpus; cpu++)
		merge__take(&r->merge, cpu, &r->fresh[cpu]);
	return read_at;
}

/* What is left when nothing comes any more. Memory may be too small to read it all at once. */
static int drain_all(struct rings *r, uint64_t now, rings_sink sink, void *ctx)
{
	uint64_t before, blocked_at;
	int err;

	do {
		before = r->merge.delivered;
		drain__read(&r->drain, now);
		hand_over(r, &blocked_at);
		err = merge__deliver(&r->merge, blocked_at, sink, ctx);
	} while (!err && r->merge.delivered != before);
	return err ? err : merge__deliver(&r->merge, UINT64_MAX, sink, ctx);
}

int rings__drain(struct rings *r, uint64_t now, bool all, rings_sink sink, void *ctx)
{
	uint64_t limit, blocked_at;

	if (all)
		return drain_all(r, now, sink, ctx);
	if (!r->drain.running)
		drain__read(&r->drain, now);
	limit = hand_over(r, &blocked_at);
	/* what came another way was read at now, the rings perhaps since */
	if (limit > now)
		limit = now;
	limit = limit > r->hold_ns ? limit - r->hold_ns : 0;
	return merge__deliver(&r->merge, limit < blocked_at ? limit : blocked_at, sink, ctx);
}

void rings__activate(struct rings *r, bool on)
{
	drain__activate(&r->drain, on);
}

bool rings__empty(const struct rings *r)
{
	return drain__empty(&r->drain);
}

uint64_t rings__left(const struct rings *r, uint64_t *since)
{
	return drain__left(&r->drain, since);
}

unsigned int rings__fill(struct rings *r)
{
	return r->drain.running ? chunks__fill(&r->memory) : r->drain.fill;
}

uint64_t rings__delivered(const struct rings *r)
{
	return r->merge.delivered;
}

uint64_t rings__late(const struct rings *r)
{
	return r->merge.late;
}

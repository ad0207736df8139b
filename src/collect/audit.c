// SPDX-License-Identifier: GPL-2.0-only
/* What is missing, and whether our hooks saw everything: loss counters, skipped programs,
 * self-checks. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/facts.h"
#include "collect/internal.h"
#include "collect/programs.h"
#include "iommutop.skel.h"

/* A flush that began later is one that the end of the capture met, as it meets maps and unmaps. */
#define UNENDED_NS 10000000ULL

static int add_loss(struct collect *c, struct iot_loss *e, uint32_t cpu, const char *what)
{
	e->h.ts = facts__now();
	e->h.id = IOT_EV_LOSS;
	e->h.len = sizeof(*e);
	e->h.cpu = (uint16_t)cpu;
	snprintf(e->what, sizeof(e->what), "%s", what);
	if (e->cause != IOT_LOST_LATE)
		c->counts.lost += e->count;
	if (e->cause == IOT_LOST_RING || e->cause == IOT_LOST_RARE)
		c->counts.no_room += e->count;
	return collect__add(c, &e->h);
}

int collect__note_loss(struct collect *c, uint32_t cause, uint64_t begin, uint64_t count,
		       const char *what)
{
	struct iot_loss e = { .begin = begin, .count = count, .cause = cause };

	return add_loss(c, &e, 0xffff, what);
}

static int note_cpu_loss(struct collect *c, uint32_t cpu, uint32_t cause, uint64_t count,
			 const char *what)
{
	struct iot_loss e = { .begin = c->last_poll, .count = count, .cause = cause };

	return add_loss(c, &e, cpu, what);
}

int audit__cpus(struct collect *c)
{
	const struct iot_cpu *cpus = c->state->cpus;
	static const struct {
		size_t field;
		uint32_t cause;
		const char *what;
	} checks[] = {
		{ offsetof(struct iot_cpu, lost), IOT_LOST_RING, "hot ring" },
		{ offsetof(struct iot_cpu, rare_lost), IOT_LOST_RARE, "rare ring" },
		{ offsetof(struct iot_cpu, unknown_domain), IOT_LOST_DOMAIN_TABLE, "domain table" },
		{ offsetof(struct iot_cpu, no_begin), IOT_LOST_BEGIN, "flush begin" },
		{ offsetof(struct iot_cpu, no_call[IOT_CALL_INVALIDATE]), IOT_LOST_CALL,
		  "invalidation" },
		{ offsetof(struct iot_cpu, no_call[IOT_CALL_TABLE]), IOT_LOST_CALL, "page table" },
		{ offsetof(struct iot_cpu, no_call[IOT_CALL_SUBMIT]), IOT_LOST_CALL, "submission" },
		{ offsetof(struct iot_cpu, no_record), IOT_LOST_RECORD, "VT-d: fault records" },
		{ offsetof(struct iot_cpu, record_overflows), IOT_LOST_RECORD,
		  "VT-d: fault records overflow" },
		{ offsetof(struct iot_cpu, no_device), IOT_LOST_DEVICE_TABLE, "device table" },
	};
	int err = 0;

	for (uint32_t cpu = 0; cpu < c->knobs.nr_cpus; cpu++) {
		for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
			const uint64_t *nowp =
				(const void *)((const char *)&cpus[cpu] + checks[i].field);
			uint64_t *seen = (void *)((char *)&c->seen[cpu] + checks[i].field);
			uint64_t value = __atomic_load_n(nowp, __ATOMIC_RELAXED);

			if (value == *seen)
				continue;
			err = note_cpu_loss(c, cpu, checks[i].cause, value - *seen, checks[i].what);
			if (err)
				return err;
			*seen = value;
		}
	}
	return 0;
}

static int note_misses(struct collect *c, uint32_t cause, uint64_t n, uint64_t *seen,
		       const char *what)
{
	int err;

	if (n == *seen)
		return 0;
	err = collect__note_loss(c, cause, c->last_slow, n - *seen, what);
	*seen = n;
	return err;
}

/* Programs that the kernel skipped: one system call a program, so not at every poll. */
int audit__misses(struct collect *c)
{
	static const char *const calls[PAIR_KINDS] = {
		[PAIR_INVALIDATE] = "invalidation",
		[PAIR_TABLE_ALLOC] = "page table",
		[PAIR_TABLE_FREE] = "page table",
		[PAIR_SUBMIT] = "submission",
	};
	int err = 0;

	for (size_t i = 0; !err && i < plan_nr_points; i++) {
		struct bpf_program *prog = load__program(c, i);

		/* not of all kernels known for kprobes: they have to notice by themselves */
		if (prog && plan__chosen(&c->plan, i)->kind != PLAN_CALL)
			err = note_misses(c, IOT_LOST_RECURSION,
					  program__misses(bpf_program__fd(prog)),
					  &c->misses_seen[i], plan_points[i].name);
	}
	if (err)
		return err;
	err = note_misses(c, IOT_LOST_RECURSION, roles__misses(c->roles), &c->role_misses_seen,
			  "flush");
	for (enum pair_kind k = 0; c->drivers && !err && k < PAIR_KINDS; k++)
		if (calls[k])
			err = note_misses(c, IOT_LOST_CALL, drivers__misses(c->drivers, k),
					  &c->driver_misses_seen[k], calls[k]);
	return err;
}

/* The flush's domain, if its key is one: with a gather, that is all that is known. */
static uint32_t domain_of(const struct collect *c, const struct iot_inflight *f)
{
	for (uint32_t i = 0; f->domain && i < c->nr_places; i++)
		if (c->state->doms[i].ptr == f->domain)
			return c->state->doms[i].id;
	return 0;
}

static int note_unended(struct collect *c, const struct iot_inflight *f, uint64_t end)
{
	struct iot_loss e = {
		.begin = f->begin, .end = end, .count = 1, .cause = IOT_LOST_UNENDED
	};
	char what[sizeof(e.what)] = "strict";
	uint32_t domain = domain_of(c, f);

	if (domain)
		snprintf(what, sizeof(what), "domain %u", domain);
	return add_loss(c, &e, 0xffff, what);
}

int audit__unended(struct collect *c, uint64_t end)
{
	struct iot_inflight *all = calloc(IOT_INFLIGHT, sizeof(*all));
	uint32_t *keys = calloc(IOT_INFLIGHT, sizeof(*keys));
	uint32_t nr = IOT_INFLIGHT, next;
	int rc = -ENOMEM;

	if (all && keys)
		rc = bpf_map_lookup_batch(bpf_map__fd(c->skel->maps.inflight), NULL, &next, keys,
					  all, &nr, NULL);
	if (rc == -ENOENT) /* that was all */
		rc = 0;
	for (uint32_t i = 0; !rc && i < nr; i++)
		if (all[i].begin && all[i].begin + UNENDED_NS <= end)
			rc = note_unended(c, &all[i], end);
	free(keys);
	free(all);
	return rc;
}

static int add_coverage(struct collect *c, uint32_t check, uint32_t domain, uint64_t ours,
			uint64_t control, uint32_t slack)
{
	struct iot_coverage e = {
		.begin = c->begin, .ours = ours, .control = control, .check = check, .slack = slack
	};

	e.h.ts = facts__now();
	e.h.id = IOT_EV_COVERAGE;
	e.h.len = sizeof(e);
	e.h.cpu = 0xffff;
	e.h.domain = domain;
	return collect__add(c, &e.h);
}

/* Hot events, those that found no room included, against those whose domain had a place in the
 * table. */
static int tell_known_domains(struct collect *c)
{
	const struct iot_cpu *cpus = c->state->cpus;
	uint64_t events = 0, unknown = 0;

	for (uint32_t cpu = 0; cpu < c->knobs.nr_cpus; cpu++) {
		events += cpus[cpu].head;
		unknown += cpus[cpu].unknown_domain;
	}
	return add_coverage(c, IOT_CHECK_DOMAIN_KNOWN, 0, events - unknown, events, 0);
}

/* A flush is counted by the kernel when it begins and by us when it ends: one a CPU may be under
 * way. */
static int tell_queue_flushes(struct collect *c)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < c->nr_places; i++) {
		const struct iot_dom *d = &c->state->doms[i];

		if (d->ptr > IOT_DOM_DEAD && d->cookie && (d->fq_ours || d->fq_control))
			err = add_coverage(c, IOT_CHECK_FQ_FLUSHES, d->id, d->fq_ours,
					   d->fq_control, c->knobs.nr_cpus);
	}
	return err;
}

static uint32_t byte_slack(uint32_t operations, uint64_t max)
{
	return max > UINT32_MAX / operations ? UINT32_MAX : (uint32_t)max * operations;
}

/* Slack: an operation under way on each CPU at begin and end may be in one count and not in the
 * other. */
static int tell_control(struct collect *c)
{
	const struct iot_cpu *cpus = c->state->cpus;
	uint32_t slack = 2 * c->knobs.nr_cpus;
	struct iot_cpu sum = {};
	int err;

	for (uint32_t cpu = 0; cpu < c->knobs.nr_cpus; cpu++) {
		sum.map_bytes += cpus[cpu].map_bytes;
		sum.unmap_bytes += cpus[cpu].unmap_bytes;
		sum.unmaps += cpus[cpu].unmaps;
		if (cpus[cpu].map_max > sum.map_max)
			sum.map_max = cpus[cpu].map_max;
		if (cpus[cpu].unmap_max > sum.unmap_max)
			sum.unmap_max = cpus[cpu].unmap_max;
		sum.tp_map_bytes += cpus[cpu].tp_map_bytes;
		sum.tp_unmap_bytes += cpus[cpu].tp_unmap_bytes;
		sum.tp_unmaps += cpus[cpu].tp_unmaps;
	}
	err = add_coverage(c, IOT_CHECK_MAP_BYTES, 0, sum.map_bytes, sum.tp_map_bytes,
			   byte_slack(slack, sum.map_max));
	if (!err)
		err = add_coverage(c, IOT_CHECK_UNMAP_BYTES, 0, sum.unmap_bytes, sum.tp_unmap_bytes,
				   byte_slack(slack, sum.unmap_max));
	if (!err)
		err = add_coverage(c, IOT_CHECK_UNMAP_COUNT, 0, sum.unmaps, sum.tp_unmaps, slack);
	return err;
}

int audit__coverage(struct collect *c)
{
	int err = tell_queue_flushes(c);

	if (!err && c->opts.stream)
		err = tell_known_domains(c);
	if (!err && c->opts.coverage)
		err = tell_control(c);
	return err;
}

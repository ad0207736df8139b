/* SPDX-License-Identifier: GPL-2.0-only */
/* The collector's own state, shared by its files: load.c fills it, collect.c lives with it,
 * events.c makes the stream, checks.c watches it. */
#ifndef IOMMUTOP_COLLECT_INTERNAL_H
#define IOMMUTOP_COLLECT_INTERNAL_H

#include <bpf/libbpf.h>

#include "collect/calls.h"
#include "collect/collect.h"
#include "collect/drivers.h"
#include "collect/early.h"
#include "collect/live.h"
#include "collect/rings.h"
#include "collect/roles.h"
#include "collect/tally.h"
#include "event.h"
#include "shared.h"

struct btf;
struct hooks;
struct iommutop_bpf;
struct symbols;
struct targets;
struct types;
struct world;

/* A BPF map seen through mmap. */
struct window {
	void *mem;
	size_t bytes;
};

struct want {
	enum role_kind kind;
	uint64_t addr;
};

struct collect {
	struct collect_opts opts;
	collect_sink sink;
	void *ctx;

	struct symbols *symbols; /* NULL: the kernel has none to ask for */
	struct kallsyms *syms;
	struct btf *btf;
	struct types *types; /* of btf */
	struct targets *targets;
	struct plan plan;
	struct iot_knobs knobs;
	uint32_t ring_slots, nr_places; /* what the masks in knobs stand for */
	struct iommutop_bpf *skel;
	char *logs;
	struct bpf_link **links; /* plan_nr_points of them */
	struct calls calls;
	struct rare *rare;
	struct iot_state *state; /* libbpf's mapping of the BPF objects' global data */
	struct window hot, live_counters, live_submits, tallies;
	struct rings *rings;
	struct roles *roles;
	struct drivers *drivers; /* NULL: neither invariants nor hw is asked for */
	struct tally tally;
	struct live *live;
	struct iot_cpu *seen;  /* per CPU: what was told of its counters */
	uint64_t *misses_seen; /* per plan point */
	uint64_t role_misses_seen, driver_misses_seen[PAIR_KINDS];
	uint64_t late_seen;
	struct world *world;
	struct early early; /* what came before the hooks */
	struct hooks *hooks;
	struct want *wants;
	size_t nr_wants;
	uint8_t *stack_told; /* by stack number */
	uint8_t *task_told;  /* by task id; with stacks only */
	uint64_t attach_begin, last_poll, last_slow, begin;
	uint64_t end; /* ns: the rings were switched off */
	struct collect_counts counts;
	int pending_err; /* of a callback that can't return one */
	bool running;
	struct iot_why_vars why_vars;
	bool unlinks; /* its DMA API can remove a part of a range */
	bool strict;  /* the points of PLAN_STRICT are attached, or can't be */
};

/* load.c: knobs, plan and BPF object, up to the point where programs could be attached. 0, or
 * -errno with err set. */
int load__object(struct collect *c, struct error *err);
/* The loaded program that the plan chose for a point; NULL: none, or not wanted. */
struct bpf_program *load__program(const struct collect *c, size_t point);

/* collect.c: attaches the points of PLAN_STRICT, if they aren't. */
void collect__strict(struct collect *c);

#define TASKS_MAX (1U << 22) /* PID_MAX_LIMIT of include/linux/threads.h */

/* events.c: puts an event into the stream. The second is for those who call back. */
int collect__add(struct collect *c, const struct iot_event *ev);
int events__add(void *collect, const struct iot_event *ev);
/* An event of the ring of rare ones: into the stream, with what it tells the collector. */
int events__rare(void *collect, void *data, size_t size);
/* Attaches to functions that domains' ops named since the last time, and to others of drivers that
 * are there now (c->drivers), and tells of them. */
int events__attach(struct collect *c);
/* The same, if any was named. */
int events__serve_wants(struct collect *c);
/* Tells what became of a point of the plan. */
int events__point(void *collect, size_t point);
/* Merged events to the sink, after the names of stacks and tasks that are new. */
int events__deliver(void *collect, void *events, size_t bytes);

/* audit.c: each adds what it finds to the stream. */
int audit__cpus(struct collect *c); /* events lost since the last time; memory reads only */
int audit__misses(
	struct collect *c); /* programs that the kernel skipped; a system call a program */
/* Flushes that were under way when the capture ended, at end; at once, for the next flush of the
 * same thread takes the place of one that ends now. */
int audit__unended(struct collect *c, uint64_t end);
int audit__coverage(struct collect *c); /* at the end: our counts against the kernel's */

#endif

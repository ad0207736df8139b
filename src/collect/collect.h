/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live capture: loads bpf/, attaches it by the plan, takes the snapshot, and hands out one ordered
 * stream of events.
 *
 * Life: collect__new() → __start() → __poll() as often as it says → __stop() → __free(). All from
 * one thread; with .stream, one of its own copies events out of the kernel's rings meanwhile.
 * Nothing stays attached after __free(), nor after the process dies: programs live as long as their
 * file descriptors.
 */
#ifndef IOMMUTOP_COLLECT_COLLECT_H
#define IOMMUTOP_COLLECT_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/plan.h"
#include "event.h"
#include "util/error.h"
#include "util/hist.h"

struct collect;

struct collect_opts {
	bool stream; /* every event (record); false: counters in the kernel, rare events only (top)
		      */
	bool stacks; /* kernel stacks on unmap and fault */
	bool iova;   /* IOVA_ALLOC and IOVA_FREE too … */
	bool iova_times; /* … and when an allocation began, and whether the tree was searched */
	bool invariants; /* what src/assert needs: implies coverage; with stream only */
	bool tables;     /* of that, pages of page tables too */
	bool hw;         /* what drivers submit to the hardware, too: SUBMIT, live as counters */
	bool pages;      /* page requests of devices, and their answers */
	bool fault_records;  /* what IOMMUs record of faults, beneath the log's rate limit */
	bool coverage;       /* hold our hooks against the kernel's tracepoints */
	bool only_snapshot;  /* attach nothing: __start() delivers what is attached now, then
				__stop() */
	uint64_t ring_bytes; /* per CPU, rounded up to a power of two; 0 = chosen by the number of
				CPUs */
	uint64_t rare_bytes; /* the ring of rare events; 0 = 1 MiB */
	uint64_t memory;     /* bytes for events that wait to be sorted; 0 = 16 MiB */
	uint64_t hold_ns;    /* how long events wait for older ones of other CPUs; 0 = 10 ms */
};

/*
 * Takes whole events in time order: bytes bytes at events. A negative return ends the poll with it.
 * The memory is the collector's and good until the sink returns.
 */
typedef int (*collect_sink)(void *ctx, const void *events, size_t bytes);

/*
 * Opens, resolves the plan and loads. What a kernel lacks is in the plan, and fails here only if it
 * is vital. On failure *out is NULL and err says what to do.
 */
int collect__new(struct collect **out, const struct collect_opts *opts, collect_sink sink,
		 void *ctx, struct error *err);
/* Attaches everything, takes the snapshot and delivers it, then IOT_EV_CAPTURE. */
int collect__start(struct collect *c, struct error *err);
/* Delivers what is old enough. Returns the ns to wait before the next call, or a negative errno
 * (the sink's). */
int64_t collect__poll(struct collect *c, struct error *err);
/* Ends the capture and delivers the rest with the last state, loss and coverage, then
 * IOT_EV_CAPTURE. The programs stay attached until __free(), which takes some time; they do nothing
 * any more. */
int collect__stop(struct collect *c, struct error *err);
void collect__free(struct collect *c);

/* Tells the stream of something only the caller knows: count events are missing since begin (cause:
 * IOT_LOST_*). */
int collect__note_loss(struct collect *c, uint32_t cause, uint64_t begin, uint64_t count,
		       const char *what);

struct kallsyms *collect__syms(const struct collect *c);

/* Calls say() with a line for each thing that was wanted and could not be attached; to be asked
 * after __start(). */
void collect__gaps(const struct collect *c, void (*say)(void *ctx, const char *line), void *ctx);

struct collect_counts {
	uint64_t delivered; /* events, of all kinds */
	uint64_t lost;      /* events lost, all causes but IOT_LOST_LATE; of these … */
	uint64_t no_room;   /* … those that found a ring full */
	uint64_t late;      /* delivered with a corrected time */
};
void collect__counts(const struct collect *c, struct collect_counts *out);

/* Live counters of one domain, all CPUs together. */
struct live_row {
	uint32_t domain; /* as in the events */
	uint32_t dev;    /* its one device, or 0 */
	uint32_t nr_devs;
	int32_t group;
	uint32_t type;            /* IOT_TYPE_* */
	bool gone;                /* freed: the last state */
	uint64_t maps, map_bytes; /* calls, failed ones included */
	uint64_t unmaps_strict, unmaps_lazy, unmap_bytes;
	uint64_t flushes[IOT_WHY_NR];
	uint64_t flush_ns;
	uint64_t unmeasured; /* lazy unmaps whose window is not in the histogram (the kernel's list
				was full) */
	uint64_t pending;    /* lazy unmaps that no flush has covered yet */
	uint64_t window_max[2]; /* ns; [0] strict, [1] lazy */
	__u64 window[2][HIST_BUCKETS];
};

/*
 * Calls each() for every domain, freed ones included, in the order of their numbers. The counters
 * only ever grow, each on its own: one may be ahead of another by the operations under way.
 */
int collect__live(struct collect *c, int (*each)(void *ctx, const struct live_row *row), void *ctx);

/* Live counters of submissions to the hardware, all CPUs together. */
struct live_submits {
	uint32_t by, kind; /* IOT_BY_*, IOT_SUBMIT_* */
	uint64_t commands, failed;
	struct hist time; /* ns; its nr is how many there were */
};

/* Calls each() for every function and kind of which there was any; with hw only. 0, or what each()
 * returned. */
int collect__live_submits(struct collect *c, int (*each)(void *ctx, const struct live_submits *s),
			  void *ctx);

#endif

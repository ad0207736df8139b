/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state that a stream of events leads to: devices, domains, what is mapped now, what was mapped
 * (bounded), which unmaps no flush has covered yet, counters, what is missing. It draws no
 * conclusion; src/analyze does.
 *
 * Memory follows live mappings, the history bound and the number of devices, domains and stacks;
 * not the number of events.
 */
#ifndef IOMMUTOP_MODEL_MODEL_H
#define IOMMUTOP_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"
#include "model/heat.h"
#include "model/history.h"
#include "model/idtab.h"
#include "model/lists.h"
#include "model/numa.h"
#include "model/pending.h"
#include "model/ranges.h"
#include "model/requests.h"
#include "model/series.h"
#include "model/stats.h"
#include "model/submits.h"

#define MODEL_DEVICES_MAX    65536U
#define MODEL_DOMAINS_MAX    65536U
#define MODEL_LOSSES_MAX     4096U
#define MODEL_CHECKS_MAX     4096U
#define MODEL_RECENT_FLUSHES 8U
#define MODEL_REGIONS_MAX    4096U
#define MODEL_STAYS          4U
#define MODEL_LOAD_SLOTS     64U
#define MODEL_LOAD_SHIFT     30 /* a slot is 2^30 ns: 1.07 s */

/* Numbers of devices that only the kernel log names begin here; devices of the stream stay below.
 */
#define MODEL_LOG_DEVICE 0x80000000U

/* A domain that a device was attached to and isn't any more. */
struct model_stay {
	__u32 domain;
	__u64 from; /* ns, 0 = since before the capture */
	__u64 to;
};

struct model_device {
	__u32 nr;
	__u32 origin;  /* of a merged session; names and rids are of one origin */
	char name[40]; /* "" = only the number is known */
	char driver[24];
	char bus[16];
	char iommu[24];
	char physfn[16];
	__u32 rid; /* if rid_known */
	bool rid_known;
	__s32 group;    /* -1 = not known */
	__u32 domain;   /* attached to it now; 0 = none or not known */
	__u64 attached; /* ns; 0 with a domain: since before the capture */
	__u8 dma_bits;  /* width of its DMA mask, 0 = not known */
	bool node_known;
	__u32 node;                           /* NUMA node, if node_known */
	struct model_stay stays[MODEL_STAYS]; /* the last ones that ended: ring, next at nr_stays %
						 … */
	__u32 nr_stays;
	struct model_stats stats; /* of hot events: as of the last model__add_up() */
};

/* Addresses with a meaning of their own in every domain of a group. */
struct model_region {
	__u64 first, last; /* both included */
	__u32 origin;
	__s32 group; /* of that origin */
	__u32 kind;  /* IOT_REGION_* */
};

/* What a domain's flushes and IOVA allocations took in a stretch of time. */
struct model_load {
	__u64 slot; /* time >> MODEL_LOAD_SHIFT, of their ends */
	__u64 flush_ns, flush_longest;
	__u64 alloc_ns, alloc_longest;
	__u32 flushes, allocs; /* whose begin is known */
};

struct model_flush {
	__u64 begin, end;
	__u8 kind, why;
};

struct model_domain {
	__u32 nr;
	__u32 origin; /* of a merged session */
	__u32 type;   /* IOT_TYPE_* if type_known */
	bool type_known;
	__u8 user; /* IOT_USER_*: once it isn't unknown, it stays; sessions that don't say: by type
		    */
	bool fq_known, fq_active;
	bool snapshot; /* it was there before the capture began */
	bool no_sync;  /* its driver has no iotlb_sync: what a strict unmap flushes isn't seen */
	__s32 group;   /* -1 = not known */
	__u64 seen, freed; /* ns; freed 0 = alive */
	__u32 *devs;       /* attached now */
	size_t nr_devs, size_devs;
	struct ranges live;
	struct pending pending;
	struct model_flush recent[MODEL_RECENT_FLUSHES]; /* of kinds ALL and SYNC: ring, next at
							    nr_flushes % … */
	__u64 nr_flushes;
	struct model_load load[MODEL_LOAD_SLOTS]; /* by slot % … */
	__u64 live_bytes, live_bytes_max;
	struct series *iovas;     /* NULL = no IOVA event */
	__u64 replaced;           /* maps that landed on something mapped: an unmap wasn't seen */
	struct hist flush_times;  /* of flushes but those after map, ns, in scope or not */
	struct model_stats stats; /* as of a device */
};

struct cell;

struct model_loss {
	__u64 begin, end, count;
	__u32 cause; /* IOT_LOST_* */
	char what[40];
};

struct model_stack {
	__u32 nr;
	__u64 ip[]; /* innermost first */
};

struct model_symbol {
	__u32 offset;
	char name[];
};

struct model_attr {
	struct model_attr *next;
	__u32 origin;
	char text[]; /* "key=value" */
};

struct model {
	struct idtab devices, domains, stacks, symbols;
	struct model_device *last_dev; /* the stream asks for the same ones again and again */
	struct model_domain *last_dom;
	__u32 nr_log_devices;
	/* Of the event in hand: names, rids and attributes are looked up within it. */
	__u32 origin;
	bool merged; /* there is more than one */
	struct ranges_pool *pool;
	struct history history;
	struct range *pieces; /* of the unmap in hand */
	size_t nr_pieces, size_pieces;
	struct dead **watched; /* see model__watch() */
	size_t nr_watched, size_watched;
	struct model_loss *losses;
	size_t nr_losses;
	struct iot_coverage *checks;
	size_t nr_checks;
	struct model_region *regions;
	size_t nr_regions;
	size_t nr_attrs;
	struct model_attr *attrs;
	struct idtab pairs;  /* see model/cells.h */
	struct cell **cells; /* counters of hot events; cell 0 belongs to nobody */
	__u32 nr_cells;
	size_t size_cells;
	struct lists lists;
	struct numa numa;
	struct model_stats total; /* as of a device */
	__u64 uncounted; /* events that are in total only: too many pairs of domain and device */
	struct requests requests;
	struct submits *submits; /* NULL: none was seen in scope */
	struct heat *heat; /* if set: windows and flushes count here as well. Somebody else's */
	__u64 refused;     /* events of devices and domains that there was no room for */
	__u64 first, last; /* ns, of class 0 events that aren't snapshots; 0 = none yet */
	__u64 capture_begin, capture_end, attach_begin; /* ns, 0 = not told */
	__u64 mono_to_real;                             /* ns to add to ts; 0 = not known */
	/* If set: called for each unmap that a flush covers, while the model takes that flush. */
	void (*on_covered)(void *ctx, const struct model_domain *dom, const struct pending_unmap *u,
			   bool lazy);
	void *on_covered_ctx;
	bool in_scope;     /* the event in hand counts; the state follows all of them */
	bool has_mappings; /* any map or unmap in the stream: a kernel log alone has none */
	int error;         /* first -ENOMEM, kept */
};

/* history: how many dead mappings to remember, 0 = 65536. 0 or -ENOMEM. */
int model__init(struct model *m, size_t history);
void model__free(struct model *m);

/* Takes one event of the stream, in time order, len checked to be at least what its id demands. */
void model__event(struct model *m, const struct iot_event *ev);

/* Brings stats of domains and devices, and total, up to date. */
void model__add_up(struct model *m);

/*
 * ns: from when to when was recorded. As marked; where the marks are missing, or merged sessions
 * were not recorded at the same time, from the first event to the last. Never end < begin.
 */
void model__span(const struct model *m, __u64 *begin, __u64 *end);

#define MODEL_ANY_ORIGIN IOT_ORIGINS /* model.origin when no event is in hand */

/* NULL = not known. number 0 gives NULL. By name: within the origin of the event in hand. */
struct model_device *model__device(struct model *m, __u32 nr);
struct model_domain *model__domain(struct model *m, __u32 nr);
struct model_device *model__device_by_name(const struct model *m, const char *name);
/* For devices that the log names: found by name or rid, else made. name may be "". NULL: no memory
 * or too many. */
struct model_device *model__log_device(struct model *m, const char *name, const char *driver,
				       const __u32 *rid);

/* The region of the group that holds addr, NULL = none or not known. */
const struct model_region *model__region(const struct model *m, __u32 origin, __s32 group,
					 __u64 addr);
/* What ended in [from, to], in whole slots: an upper limit. Slots more than MODEL_LOAD_SLOTS back
 * are forgotten. */
struct model_load model__load(const struct model_domain *dom, __u64 from, __u64 to);

/*
 * Keeps a copy of a dead mapping up to date: d->flushed and the rest are filled in when the flush
 * that covers it is seen. d must live, and stay where it is, until the model is freed. 0, -ENOMEM
 * or -ENOSPC: each flush has to look at all of them, so there is a limit.
 */
#define MODEL_WATCHED_MAX 256U
int model__watch(struct model *m, struct dead *d);

/* The loss that overlaps [from, to] with a cause in mask (1 << IOT_LOST_*), NULL = none. */
const struct model_loss *model__lost(const struct model *m, __u64 from, __u64 to, __u32 mask);

const struct model_stack *model__stack(const struct model *m, __u32 nr);
/* addr: as struct model_stack has it, in which the origin is folded. */
const struct model_symbol *model__symbol(const struct model *m, __u64 addr);
__u64 model__plain_address(__u64 addr); /* without the origin */
/*
 * The value of "key=value" in the origin of the event in hand; with none in hand, of whatever
 * origin. NULL = not there, or it is not the same in all origins that have it.
 */
const char *model__attr(const struct model *m, const char *key);
/* In one origin, whatever event is in hand. */
const char *model__attr_of(const struct model *m, __u32 origin, const char *key);

#endif

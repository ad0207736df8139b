/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of invariants: what a kernel's use of its IOMMU must not break. Names are stable; the
 * rule file, the man page and docs/invariants.md go by this table. The checkers are in check_*.c.
 */
#ifndef IOMMUTOP_ASSERT_INVARIANT_H
#define IOMMUTOP_ASSERT_INVARIANT_H

#include <linux/types.h>
#include <stddef.h>

enum invariant_id {
	INV_NO_FAULT,
	INV_NO_HANG,
	INV_NO_STALE_ACCESS,
	INV_FLUSH_BEFORE_REUSE,
	INV_STRICT_MEANS_STRICT,
	INV_WINDOW,
	INV_FLUSH_COVERS_UNMAP,
	INV_NO_MAP_OVER_MAP,
	INV_UNMAP_MATCHES_MAP,
	INV_NO_LEAK,
	INV_SYNC_MAP,
	INV_DOMAIN_TYPE,
	INV_PT_FREED_AFTER_FLUSH,
	INV_PT_BALANCE,
	INV_TEARDOWN_STALL,
	INV_FLUSH_LATENCY,
	INV_INVALIDATION_TIMEOUT,
	INV_DETACH_EMPTY,
	INV_COVERAGE,
	INV_NR
};

/* What a checker must have been able to see. Where it was missing, the result is INCONCLUSIVE. */
#define NEED_MAPS     0x001 /* every MAP and UNMAP */
#define NEED_FLUSHES  0x002 /* every FLUSH, all flush functions hooked */
#define NEED_IOVAS    0x004 /* every IOVA_ALLOC and IOVA_FREE */
#define NEED_RARE     0x008 /* every fault, hang, domain event */
#define NEED_LOG      0x010 /* every kernel log line */
#define NEED_TABLES   0x020 /* every TABLE_ALLOC and TABLE_FREE of the domain's driver */
#define NEED_TEARDOWN 0x040 /* the driver's domain free is hooked */
#define NEED_TALLY    0x080 /* IOT_EV_TALLY: counted in the kernel, decides despite lost events */
#define NEED_COVERAGE 0x100 /* IOT_EV_COVERAGE: the hooks were held against the tracepoints */

enum param_kind {
	PARAM_DURATION, /* ns */
	PARAM_SIZE,     /* bytes */
	PARAM_COUNT,
	PARAM_PERCENT, /* thousandths: 99.9 is 99900 */
	PARAM_WORD,    /* index into words[] */
};

#define INVARIANT_PARAMS 3
struct invariant_param {
	const char *name; /* NULL ends the list */
	enum param_kind kind;
	const char *preset;       /* default, as it would be written; NULL: must be given */
	const char *const *words; /* PARAM_WORD: NULL terminated */
	const char *help;
};

struct invariant {
	const char *name;
	const char *holds; /* what holds if it passes: one sentence */
	const char *rule;  /* the kernel's rule behind it, and what breaks it: a paragraph */
	const char *blind; /* what it can't see: a paragraph, or NULL */
	__u32 needs;       /* NEED_*: of all of these … */
	__u32 counted; /* … these are enough to decide if the others are incomplete; 0 = none */
	struct invariant_param params[INVARIANT_PARAMS + 1];
};

extern const struct invariant invariants[INV_NR];

#endif

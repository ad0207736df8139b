/* SPDX-License-Identifier: GPL-2.0-only */
/* How the reports say things: units, names of devices and domains, verdicts, stacks. All write into
 * the caller's buffer. */
#ifndef IOMMUTOP_REPORT_WORDS_H
#define IOMMUTOP_REPORT_WORDS_H

#include <stdio.h>

#include "analyze/analysis.h"

/* A short text returned by value, so that several fit one printf. */
struct words {
	char s[96];
};

struct words words__duration(__u64 ns); /* "812 ns", "3.21 ms", "4.02 s" */
struct words words__bytes(__u64 bytes); /* "4 KiB", "1.5 MiB" */
struct words words__count(__u64 nr);    /* "1234567", "12.3 M" */
struct words words__times(__u64 nr, const char *one, const char *many); /* "1 fault", "3 faults" */

/* ns: what the reports count time from: the capture's begin; 0 in a log, which has its own time. */
__u64 words__zero(const struct model *m);
/* "5.238000 s (2026-01-01 12:00:00.123 UTC)", the wall clock only if it is known. */
struct words words__when(const struct model *m, __u64 ts);

const struct model_device *words__find_device(const struct model *m, __u32 nr);
const struct model_domain *words__find_domain(const struct model *m, __u32 nr);
/* Whether the mapping that the fault's address seems to be cut from needs more bits than the
 * device's DMA mask has: then nobody promised that the device reaches it. */
bool words__above_mask(const struct incident_fault *f, const struct model *m);
struct words words__device(const struct model *m,
			   __u32 nr); /* "refdma.0 (refdma)", "an unknown device" */
struct words words__device_name(const struct model *m, __u32 nr); /* "refdma.0", "device 7", "-" */
struct words words__task(const struct model *m,
			 __u32 tid); /* "task 61 (kworker/0:1)" if its name is known */

/* Of a merged session: what the one with this number is. The model's; NULL: there is none. */
const char *words__origin(const struct model *m, int number);

const char *words__domain_type(const struct model_domain *dom); /* "DMA-FQ"; "-" = not known */
/* Who maps in it: "dma-api", "vfio", "iommufd", "unmanaged"; NULL = nobody, or not known. */
const char *words__domain_user(const struct model_domain *dom);
/* The type, or, of unmanaged ones, whose it is: "DMA-FQ", "vfio", "nested". */
const char *words__domain_kind(const struct model_domain *dom);
const char *words__domain_mode(
	const struct model_domain *dom); /* what unmaps really do: "lazy", "strict", "-" */
struct words words__error(__s32 err);    /* "ENOMEM", "error -515" */
const char *words__access(__u32 access); /* "read", "write", "access" */
const char *words__mode(__u32 mode);     /* IOT_UNMAP_*: "lazy", … */
const char *words__why(__u32 why);       /* IOT_WHY_*: "queue full", … */
const char *words__loss(__u32 cause);    /* IOT_LOST_* */
const char *words__check(__u32 check);   /* IOT_CHECK_* */

const char *words__verdict(enum verdict v);    /* "Use after unmap, before the flush" */
const char *words__verdict_id(enum verdict v); /* stable, for JSON: "use_after_unmap_window_open" */
const char *words__confidence(enum confidence c);

/*
 * The first few callers outside the DMA API and the IOMMU core, innermost first: "refdma_work+0x12
 * < kthread+0xd0". An empty text if the stack isn't known.
 */
struct words words__stack(const struct model *m, __u32 stack);
/* One address: "name+0x12 [module]" or "0xffffffff81234567". */
struct words words__symbol(const struct model *m, __u64 addr);

#endif

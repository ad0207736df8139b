/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happened before our hooks, from the kernel's own trace buffer, if the kernel's command line
 * had trace_event=iommu:*. Told as attributes early.* and, a fault each, as FAULT events with
 * IOT_F_SNAPSHOT: they had happened when the capture began. Maps and unmaps are counted only.
 *
 * A mark in the buffer is the border: what is before it is counted here and nowhere else.
 */
#ifndef IOMMUTOP_COLLECT_EARLY_H
#define IOMMUTOP_COLLECT_EARLY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "collect/facts.h"

struct early_fault {
	char dev[40];
	uint64_t iova;
	uint32_t flags; /* of the tracepoint: 1 = write */
	uint16_t cpu;
};
#define EARLY_FAULTS 256U

struct early {
	char asked[128]; /* the words of trace_event= that concern IOMMUs; "" = none */
	char mark[64];
	char why[160]; /* why the buffer can't be read; "" = it can */
	const char *tracing;
	uint64_t maps, map_bytes, unmaps, unmap_bytes, faults;
	uint64_t overwritten;                  /* entries of any kind */
	bool marked;                           /* the mark was found */
	struct early_fault list[EARLY_FAULTS]; /* the first ones */
};

/* The words of a kernel's command line; out "" = none. True if there are any. */
bool early__asked(const char *cmdline, char *out, size_t size);

/* Before the first hook is attached: puts the mark into the buffer, if it was asked for. */
void early__begin(struct early *e);

/* Takes lines as /sys/kernel/tracing/trace prints them, up to the mark. 0 or -ENOMEM. */
int early__scan(struct early *e, FILE *trace);

/* When devices have their numbers: find() gives that of a name, 0 = none. Reads the buffer and
 * tells what was in it. 0 or what add() returned. */
int early__tell(struct early *e, uint32_t (*find)(void *ctx, const char *name), void *find_ctx,
		facts_add add, void *ctx);

#endif

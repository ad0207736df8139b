/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a tracing program that the kernel skipped (a loss of cause "recursion") would have told: all
 * else is there.
 */
#ifndef IOMMUTOP_MODEL_SKIPPED_H
#define IOMMUTOP_MODEL_SKIPPED_H

#include <linux/types.h>

#define SKIPPED_MAPS          0x01U
#define SKIPPED_FLUSHES       0x02U
#define SKIPPED_IOVAS         0x04U
#define SKIPPED_TABLES        0x08U
#define SKIPPED_INVALIDATIONS 0x10U
#define SKIPPED_RARE          0x20U
#define SKIPPED_TEARDOWNS     0x40U
/* all that is in the rings of hot events */
#define SKIPPED_HOT \
	(SKIPPED_MAPS | SKIPPED_FLUSHES | SKIPPED_IOVAS | SKIPPED_TABLES | SKIPPED_INVALIDATIONS)

/* what: the loss's, a point of the attach plan, or what the collector calls it; "" = not said. */
__u32 skipped__of(const char *what);

#endif

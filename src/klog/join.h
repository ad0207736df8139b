/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel log records in their order to what they tell of. Most say all in one record; an SMMUv3
 * event comes as a head and four words, each printed on its own and perhaps with other CPUs' lines
 * between, and newer kernels add a line that names the client.
 */
#ifndef IOMMUTOP_KLOG_JOIN_H
#define IOMMUTOP_KLOG_JOIN_H

#include "klog/klog.h"

#define KLOG_JOIN_SMMUS 4 /* whose events may be mixed with each other */
#define KLOG_SMMU_WORDS 4 /* 64 bits each: EVTQ_ENT_DWORDS of drivers/iommu/arm/arm-smmu-v3 */

struct klog_join {
	struct {
		char smmu[40];
		__u64 ts; /* ns, of the head */
		__u64 word[KLOG_SMMU_WORDS];
		unsigned int nr;
		bool waiting; /* not told yet */
		bool told;    /* a line about the client that comes now repeats it */
	} events[KLOG_JOIN_SMMUS];
	unsigned int next;
};

/* ts: ns, of the record that r begins with. A return that isn't 0 ends the call with it. */
typedef int (*klog_join_fn)(void *ctx, __u64 ts, const struct klog_record *r);

/*
 * Takes one record (see klog__parse()), calls fn for what is complete with it: nothing, one, or an
 * event that waited and this one. *j begins as zero.
 */
int klog_join__feed(struct klog_join *j, __u64 ts, const char *text, size_t len, klog_join_fn fn,
		    void *ctx);
/* At the end of the log: what still waits, complete or not. */
int klog_join__end(struct klog_join *j, klog_join_fn fn, void *ctx);

#endif

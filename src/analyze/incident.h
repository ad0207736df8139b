/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An incident: faults of one device that belong together, and the hang and reset that followed; or
 * a hang without a fault. What is here are facts and judgements; src/report makes words of them.
 */
#ifndef IOMMUTOP_ANALYZE_INCIDENT_H
#define IOMMUTOP_ANALYZE_INCIDENT_H

#include <stdbool.h>

#include "analyze/relate.h"
#include "event.h"
#include "model/model.h"

#define INCIDENTS_MAX    4096U /* the rest is only counted */
#define INCIDENT_FAULTS  16U   /* faults at different pages that are kept one by one */
#define INCIDENT_SOURCES 5U    /* IOT_SRC_*, 0 = not said */
#define INCIDENT_NOTES   8U

enum verdict {
	VERDICT_UNMAPPED_WINDOW,   /* used after unmap, before the flush that covers the unmap had
				      begun */
	VERDICT_UNMAPPED_FLUSHING, /* … while that flush was under way */
	VERDICT_UNMAPPED_FLUSHED,  /* … after that flush */
	VERDICT_UNMAPPED,          /* … and about the flush nothing is known */
	VERDICT_NEVER_MAPPED,
	VERDICT_PAST_END,     /* just behind a mapping: the device ran over its end */
	VERDICT_BEFORE_START, /* just in front of one */
	VERDICT_PERMISSION,   /* mapped, but not for this kind of access */
	VERDICT_TRUNCATED,    /* the upper bits of a mapped address are missing */
	VERDICT_OTHER_DOMAIN, /* mapped, but in another domain */
	VERDICT_RESERVED,     /* a reserved or MSI region */
	VERDICT_MAPPED,       /* mapped, and should have worked: page table or IOTLB disagree */
	VERDICT_TORN_DOWN,    /* the domain was being taken apart, or the device reset */
	VERDICT_NO_ADDRESS,
	VERDICT_CANNOT_KNOW,
	VERDICT_NO_FAULT,     /* a hang, and no fault before it */
	VERDICT_INVALIDATION, /* no fault: an invalidation timed out or failed */
	VERDICT_FLUSH_STALL,  /* no fault: a flush took as long as a hang takes */
	VERDICT_NR
};

enum confidence { CONFIDENCE_UNKNOWN, CONFIDENCE_LIKELY, CONFIDENCE_CERTAIN };

struct judgement {
	enum verdict verdict;
	enum confidence confidence;
	char reason[240]; /* why this sure, or why it can't be known; a clause without full stop */
};

struct incident_fault {
	__u64 first, last; /* ns; this page may fault again and again */
	__u64 iova;
	__u64 count; /* faults, seen by whichever source saw most */
	__u64 seen[INCIDENT_SOURCES];
	__u32 dev;    /* 0 = not known */
	__u32 domain; /* 0 = not known */
	__u32 access; /* IOT_ACCESS_* */
	__u32 reason;
	__u32 rid; /* if rid_known */
	__u32 stack;
	bool rid_known, iova_known;
	bool domain_by_attach; /* the event didn't say: taken from what the device was attached to
				*/
	/* State when it was first seen. */
	bool has_dead, has_live, has_below, has_above, has_flush;
	struct dead dead;          /* last owner, gone; flush fields are kept up to date later */
	struct range live;         /* owner now */
	struct range below, above; /* live neighbours */
	struct model_flush flush;  /* last flush of the domain that had ended */
	__u64 forgotten; /* ns: unmaps before are not in the history any more, 0 = all are */
	struct judgement judgement;
};

struct incident_trouble {
	__u64 ts; /* ns, first one */
	__u64 last;
	__u64 begin;   /* reset: begin, 0 = not known */
	__u64 stalled; /* ns, 0 = not said */
	__u64 count;   /* as told by the source that told most; 0 = none */
	__u64 seen[INCIDENT_SOURCES];
	__u32 dev;
	__u32 source;
	__s32 queue;
	__s32 ret;
	char what[40];
	struct relation relation; /* to the device that faulted; for a reset without fault, to the
				     one that hung */
};

struct incident {
	__u64 first, last; /* ns, of all that belongs to it */
	__u64 first_fault, last_fault;
	__u64 nr_faults;                    /* a floor if suppressed or lost */
	__u64 other_seen[INCIDENT_SOURCES]; /* faults beyond those kept one by one */
	__u64 nr_other;
	__u32 dev; /* that faulted, or that hung; 0 = not known */
	bool reported_by_log_only;
	struct incident_fault *faults[INCIDENT_FAULTS]; /* nr_kept of them */
	__u32 nr_kept;
	struct incident_trouble hang, reset; /* count 0 = none */
	struct judgement judgement;          /* of the first fault, or of the hang */
	__u64 suppressed;                    /* log lines that the kernel dropped around it */
	__u64 searched; /* hang without fault: ns before it in which a fault would have been seen */
	__u64 earlier_fault; /* … ns, last fault of the device, that the hang can't be blamed on; 0
				= none */
	bool progressed;     /* … because the device went on working after it */
	char notes[INCIDENT_NOTES][200]; /* what could not be seen */
	__u32 nr_notes;
};

struct incidents {
	struct incident **list; /* by time of their first event */
	__u32 nr, size;
	__u64 dropped;
};

void incidents__free(struct incidents *in);

/* Each takes its event in time order, after the model has. 0 or -ENOMEM. */
int incidents__fault(struct incidents *in, struct model *m, const struct iot_fault *ev);
int incidents__hang(struct incidents *in, struct model *m, const struct iot_trouble *ev);
int incidents__reset(struct incidents *in, struct model *m, const struct iot_trouble *ev);

#endif

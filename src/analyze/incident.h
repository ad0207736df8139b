/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An incident: faults of one device that belong together, and the hang, reset and errors that go
 * with them; or a hang, a failed invalidation or a stalled flush without a fault. Hangs and the
 * rest join in src/analyze/trouble.c, page requests that were not served in src/analyze/pages.c.
 * What is here are facts and judgements; src/report makes words of them.
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
	VERDICT_PAGE_REQUEST, /* no fault: the device hung after a page request wasn't served */
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
	__u32 dev;      /* 0 = not known */
	__u32 sole_dev; /* … then the only one that was in the domain; 0 = several, or not known */
	__u32 domain;   /* 0 = not known */
	__u32 access;   /* IOT_ACCESS_* */
	__u32 reason;
	__u32 rid;   /* if rid_known */
	__u32 pasid; /* if pasid_known: of VT-d's records */
	__u32 stack;
	__u16 iommu; /* as in struct iot_fault */
	bool rid_known, iova_known, pasid_known;
	bool domain_by_attach; /* the event didn't say: taken from what the device was attached to
				*/
	bool domain_by_alias;  /* … and the device from its requester id, which no device has */
	/* State when it was first seen (src/analyze/lookup.c). A struct dead with unmap_ts 0 was
	 * mapped at that moment. */
	bool has_dead, has_live, has_below, has_above, has_flush;
	struct dead dead;          /* last owner, gone; flush fields are kept up to date later */
	__u64 dead_nr;             /* … its number in the history */
	bool unwatched;            /* … too many faults: they weren't kept up to date */
	struct range live;         /* owner now */
	struct range below, above; /* live neighbours */
	struct model_flush flush;  /* last flush of the domain that had ended */
	__u64 forgotten; /* ns: unmaps before are not in the history any more, 0 = all are */
	bool has_dead_below, has_dead_above;
	struct dead dead_below, dead_above; /* neighbours that are gone, within LOOKUP_NEAR */
	bool has_cut;
	struct dead cut; /* has the same lowest cut_bits bits at cut_iova */
	__u64 cut_iova;
	__u64 cut_bytes; /* mapped at addresses of more than cut_bits bits */
	__u32 cut_bits;
	bool has_phys;
	struct dead phys; /* its physical address, not its IOVA, is the one that faulted */
	bool has_former;
	struct dead former; /* owner in a domain that the device was attached to before */
	__u64 former_left;  /* … until, ns */
	struct dead other;  /* owner in one of nr_others domains that it never was attached to */
	__u32 nr_others;
	__u32 other_dev;   /* a device of that domain */
	__u64 other_bytes; /* mapped there within 16 MiB below and above */
	__u64 reset_ts;    /* the device was reset a moment ago; 0 = no */
	/* State when it is judged. */
	bool has_reuse, has_region, has_left;
	struct dead reuse;          /* who was given the address after dead */
	struct model_region region; /* that the address is in */
	__u64 left;                 /* ns: the device left the domain, or the domain was freed */
	__u64 distance;             /* bytes past the end or before the start */
	struct dead neighbour;      /* … of this mapping */
	struct judgement judgement;
};

struct incident_trouble {
	__u64 ts; /* ns, first one */
	__u64 last;
	__u64 end;     /* reset: when it had ended, 0 = not known */
	__u64 stalled; /* ns, 0 = not said */
	__u64 count;   /* as told by the source that told most; 0 = none */
	__u64 seen[INCIDENT_SOURCES];
	__u32 dev;
	__u32 source;
	__s32 queue;
	__s32 ret;
	__u32 kind; /* of an error: IOT_ERROR_* */
	char what[40];
	struct relation relation; /* to the device that faulted; for a reset without fault, to the
				     one that hung */
};

/* Flushes of one domain that took so long that everybody who waited for them stood still, or in
 * whose time an invalidation failed. */
struct incident_stall {
	__u64 count;       /* 0 = none */
	__u64 begin, end;  /* ns, of the longest */
	__u64 median;      /* ns, of the domain's flushes until then; 0 = it had hardly any */
	__u32 domain, dev; /* dev 0 = several, or not known */
	__u8 kind, why;
	struct relation relation; /* to the device of the incident */
};

/* What became of a page request. */
enum page_fate {
	PAGE_SERVED,
	PAGE_UNANSWERED, /* it waited when the fault or the hang came */
	PAGE_LATE,       /* served, after PAGES_LATE and more */
	PAGE_INVALID,
	PAGE_FAILURE,
	PAGE_REFUSED,
	PAGE_NOT_GIVEN, /* the answer couldn't be given to the device */
};

/* A page request, or a group of them, that wasn't served, before a fault or a hang of its device.
 */
struct incident_page {
	__u64 count;                 /* 0 = none; how many came to the same end, 64 at most */
	struct requests_group group; /* if asked */
	bool asked;                  /* the request itself was seen, not only its answer */
	__u64 answered;              /* ns; 0 = no answer was seen */
	__u64 latency;               /* ns from the request to it, 0 = not known */
	__u64 at;                    /* ns, of the fault or the hang that it came before */
	__u32 dev, pasid, prgi;      /* pasid: if pasid_valid */
	__u32 code;                  /* IOT_PAGE_*, if answered */
	__s32 ret;                   /* … and the result of giving it, or refusing */
	__u32 tid;                   /* … and who did */
	enum page_fate fate;
	bool pasid_valid, in_irq;
	bool same_page; /* the fault is at iova's page */
	__u64 iova;
	bool doubt; /* UNANSWERED: it may have been answered unseen, so it proves nothing */
};
#define INCIDENT_PAGES 64U

/* What the IOMMU took of the time before a hang. */
struct incident_share {
	bool known;   /* the domain is known and flushes are recorded */
	__u64 window; /* ns before the hang */
	__u32 domain;
	__u64 flush_ns, flush_longest, alloc_ns, alloc_longest; /* at most: sums over all CPUs */
	__u32 flushes, allocs;
};

struct incident {
	__u64 first, last; /* ns, of all that belongs to it */
	bool in_scope;     /* one of its events is: it is to be reported */
	__u64 first_fault, last_fault;
	__u64 nr_faults;                    /* a floor if suppressed or lost */
	__u64 other_seen[INCIDENT_SOURCES]; /* faults beyond those kept one by one */
	__u64 nr_other;
	__u32 dev; /* that faulted, or that hung; 0 = not known */
	bool reported_by_log_only;
	struct incident_fault *faults[INCIDENT_FAULTS]; /* nr_kept of them */
	__u32 nr_kept;
	struct incident_trouble hang, reset; /* count 0 = none */
	struct incident_trouble error;
	struct incident_trouble before; /* the last reset before it all began */
	struct incident_stall stall;
	struct incident_page page;
	struct judgement judgement; /* of the first fault, or of what came without one */
	bool floor;                 /* there were at least nr_faults, perhaps more */
	__u64 suppressed;           /* log lines that the kernel dropped around it */
	__u64 searched; /* hang without fault: ns before it in which a fault would have been seen */
	__u64 earlier_fault; /* … ns, last fault of the device, that the hang can't be blamed on; 0
				= none */
	__u64 unsaid_fault; /* … ns, last fault of which nothing says whether it is this device's; 0
			       = none */
	__u32 unsaid_dev;   /* … the device that it names, 0 = none */
	bool progressed;    /* earlier_fault: because the device went on working after it */
	struct incident_share share;
	bool cleared;                    /* the evidence says that the IOMMU is not the cause */
	char notes[INCIDENT_NOTES][200]; /* what could not be seen */
	__u32 nr_notes;
};

/* A reset or an error: it may be what the next incident follows from. */
struct incident_recent {
	__u16 id; /* IOT_EV_RESET, IOT_EV_ERROR */
	struct incident_trouble trouble;
};
#define INCIDENT_RECENT 64U

struct incidents {
	struct incident **list; /* by time of their first event */
	__u32 nr, size;
	__u64 dropped;
	struct incident_recent recent[INCIDENT_RECENT]; /* ring, next at nr_recent % … */
	__u64 nr_recent;
	struct incident_page pages[INCIDENT_PAGES]; /* answered ones, as above */
	__u64 nr_pages;
	__u64 open_pages;    /* incidents with one that isn't answered yet */
	__u64 pages_work;    /* requests that were looked at, see src/analyze/pages.c */
	struct idtab bursts; /* by device, or by domain where that isn't known: newest incident */
	__u64 work;          /* see lookup__fault() */
	__u64 open_error;    /* ns: a failed invalidation whose flush hasn't ended yet; 0 = none */
	__u64 out_of_scope;  /* forgotten by incidents__drop() */
};

void incidents__free(struct incidents *in);
/* Forgets those that aren't in scope. The model must take no more events: it may watch what they
 * kept. */
void incidents__drop(struct incidents *in);

/* A fault, in time order, after the model has taken it. 0 or -ENOMEM. */
int incidents__fault(struct incidents *in, struct model *m, const struct iot_fault *ev);

/* For src/analyze/trouble.c. NULL: *err is -ENOMEM, or 0 and there are too many. */
struct incident *incidents__new(struct incidents *in, const struct model *m, __u64 ts, __u32 dev,
				int *err);
/* Counts what one source saw in seen[INCIDENT_SOURCES]. The same thing may be seen by several: what
 * the one that saw most says is *count. False: another has told of this one already. */
bool incidents__count(__u64 *seen, __u64 *count, __u32 source);
/* Another event, the one the model has in hand, belongs to it. */
void incident__touch(struct incident *i, const struct model *m, __u64 ts);

/* The device that a hang or reset must belong to so that the incident can be its cause: that which
 * faulted or hung; if the fault didn't say, the only one that it can have been. 0 = not known. */
static inline __u32 incident__suspect(const struct incident *i)
{
	return i->dev || !i->nr_kept ? i->dev : i->faults[0]->sole_dev;
}

/* The moment that times are given relative to: the first fault, else the hang, else the begin. */
static inline __u64 incident__zero(const struct incident *i)
{
	if (i->nr_faults)
		return i->first_fault;
	return i->judgement.verdict == VERDICT_NO_FAULT ? i->hang.ts : i->first;
}

static inline __u64 incident__since(__u64 then, __u64 now)
{
	return now > then ? now - then : 0;
}

#endif

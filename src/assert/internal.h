/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the checkers share: who an event belongs to, which rules that concerns, and where findings
 * go. For the files beside it.
 */
#ifndef IOMMUTOP_ASSERT_INTERNAL_H
#define IOMMUTOP_ASSERT_INTERNAL_H

#include "assert/book.h"
#include "assert/check.h"
#include "assert/rule.h"
#include "model/idtab.h"
#include "model/skipped.h"

/* Parts of the stream: before the mark "workload", after it, after the mark "shutdown". */
#define SEGMENTS 3U

/* Losses, as bits of IOT_LOST_* */
#define LOSS(cause) (1U << IOT_LOST_##cause)
/* Hot events are missing. */
#define LOSS_HOT                                                                                \
	(LOSS(RING) | LOSS(RECURSION) | LOSS(DOMAIN_TABLE) | LOSS(WRITER) | LOSS(OVERWRITTEN) | \
	 LOSS(DAMAGE))
/* What is needed to say that something was not flushed. */
#define LOSS_FLUSH \
	(LOSS_HOT | LOSS(BEGIN) | LOSS(UNHOOKED) | LOSS(UNENDED) | LOSS(LATE) | LOSS(CALL))

/* What is counted of each subject; looked_at is made of it. */
enum seen {
	SEEN_MAPS,
	SEEN_ALLOCS,
	SEEN_UNMAPS,
	SEEN_STRICT,  /* unmaps that strict-means-strict is about */
	SEEN_FLUSHED, /* unmaps whose flush ended */
	SEEN_SYNC_MAPS,
	SEEN_NR
};

/* A finding, and what would make it nothing. */
struct kept {
	struct finding finding;
	__u64 times;
	__u64 from, to; /* ns: if an event of … */
	__u32 causes;   /* … these losses (bits) is missing in between; 0 = certain */
};
#define KEPT_MAX 32U

/* What a rule found in one segment. */
struct segment {
	__u64 seen[SEEN_NR];
	__u64 looked;             /* of what isn't counted by subject */
	__u64 violations, waived; /* waived: not in violations */
	struct kept *kept;        /* KEPT_MAX; NULL = none */
	__u32 nr_kept;
	__u64 beyond;                 /* violations that there was no room for … */
	__u64 beyond_from, beyond_to; /* … which are nothing if a loss lies in here, of … */
	__u32 beyond_causes;          /* … these causes; 0 = one of them is certain */
	const struct waiver *expired;
	struct hist *times; /* window, flush-latency; NULL = none */
	__u64 over;         /* of these, not below the limit */
	char doubts[CHECK_WHY][200];
	__u32 nr_doubts;
};

struct typed_as {
	__u32 domain, is; /* is: enum wanted of check_end.c */
};

struct rule_state {
	const struct rule *rule;
	enum invariant_id id;
	struct segment seg[SEGMENTS];
	struct idtab devices; /* numbers of those that it concerns, or did at some time */
	struct idtab types;   /* domain-type: device -> struct typed_as, as it was last judged */
	__u64 noted;          /* incidents so far, not waived: they are judged at the end */
	char noted_first[160];
	__u32 unseen; /* domains that are left out: rule.skip_unseen */
	char unseen_first[160];
	struct check_result result;
};

/* An attribute "invalidate.PREFIX" and its kin. */
enum hook_kind { HOOK_INVALIDATE, HOOK_TABLES, HOOK_TEARDOWN, HOOK_NR };
struct hooked {
	enum hook_kind kind;
	__u64 ts;
	char prefix[48];
	char functions[160]; /* names, with blanks between */
};
#define HOOKED_MAX 256U

/* What is known of a driver, by the name of one of its flush functions. */
struct driver {
	char fn[64];          /* "" = not known yet */
	__u64 since[HOOK_NR]; /* ns: its functions are hooked from here on; 0 = they aren't */
};

struct told { /* one INVALIDATE */
	__u64 begin, ts, first, last;
	__u64 runner;
};
#define TOLD_MAX 256U

/* A flush ended, and the hardware had not been told of all that this unmap removed. */
struct untold {
	__u64 first, last, ts; /* of the unmap */
	__u64 flush_begin, flush_end;
	__u64 late_begin,
		late_ts; /* the INVALIDATE that came afterwards, in no flush; 0 = none yet */
	__u64 late_runner;
	struct subject *subject;
	__u32 other_domain; /* that was told instead; 0 = none */
	__u8 kind;          /* of the flush */
	bool lazy;
	bool within; /* everything was being told to go while it was under way … */
	bool left;   /* … because the domain's last device was leaving */
};
#define UNTOLD_MAX 1024U
/* An invalidation that comes later than this after its flush belongs to another. */
#define UNTOLD_PATIENCE 1000000000ULL

/* The 2 MiB around an address from one table's allocation to the next. */
struct epoch {
	__u32 refs;       /* tables, and the domain's index while it is the current one */
	__u32 last_place; /* the last unmap in it */
	__u64 last_seq;   /* 0 = none yet */
	__u64 region;     /* address >> 21 */
	__u64 mapped_ts;  /* end of the map that it begins with */
	__u64 unmap_ts;
};

struct watched { /* a domain */
	__u32 nr;
	struct model_domain *dom; /* NULL: domain 0 */
	struct driver *driver;
	struct book_domain unmaps;
	__u32 last_dev; /* attached last; 0 = none yet */
	bool has_sync_map, torn_down;
	__u64 first_unmap; /* ns; 0 = none yet */
	__u64 freed;       /* ns; 0 = it lives */
	struct told *told; /* ring, NULL = none yet; next at nr_told % TOLD_MAX */
	__u64 nr_told;
	struct untold *untold;
	__u32 nr_untold;
	struct idtab epochs; /* address >> 21 -> struct epoch, the current ones */
	bool has_tables;
	__u64 tables;             /* allocated in it and not freed */
	__u64 bytes_at[SEGMENTS]; /* mapped when the segment began */
	struct iot_tally tally;   /* the last one told; h.id 0 = none */
	__u64 queued, queued_ts;  /* queued unmaps while the type was DMA, and when the first was */
	__u32 told_reuse;         /* gather whose reuse was told */
	bool doubted_sync, doubted_old, doubted_told; /* said already */
};

/* A domain and a device that occur together in events. */
struct subject {
	__u32 domain, dev; /* dev 0 = not known, or several */
	struct watched *w;
	struct model_device *device; /* NULL = not known */
	__u64 seen[SEEN_NR];         /* since it was last folded */
	__u32 generation;            /* of checks */
	__u16 begin[INV_NR + 1];     /* rules[begin[i]] … of invariant i */
	struct rule_state **rules;
};

/* A page of a page table that lives. */
struct page {
	__u64 page;
	__u32 domain; /* 0 = not known */
	bool fresh;   /* in a runner's list */
	bool gone;    /* … and freed already */
	__u32 nr;     /* of epochs; 0 = it can't be judged */
	struct epoch *epochs[4];
};
#define PAGE_EPOCHS 4U

/* A page that went back while its runner is in the middle of something. */
struct going {
	struct page *page; /* no longer in checks.pages */
	__u64 ts;
	bool early;  /* the last unmap in each of its epochs was not flushed */
	__u64 unmap; /* ns, that unmap */
};
#define GOING_MAX 64U

/* Who runs: a task, an interrupt on top of it, or a CPU's idle task. */
struct runner {
	__u64 key;
	bool irq;
	__u64 op_ts; /* end of its last event but flushes, ns */
	/* Strict unmaps that it hasn't synced, in the DMA API: of one domain and gather. */
	__u32 waits_domain, waits_gather, waits_place;
	__u64 waits_seq; /* 0 = none */
	/* What it synced since op_ts: an unmap under way may be partly in it. */
	__u32 sync_gather, sync_domain; /* gather 0 = nothing */
	__u64 sync_first, sync_last;
	/* The last INVALIDATE it made. */
	__u32 told_domain;
	__u64 told_begin;
	/* The last one for everything that was in no flush of its. */
	__u32 all_domain; /* 0 = none */
	__u64 all_begin, all_end;
	struct page **fresh; /* allocated since its last event, for the map under way */
	__u32 nr_fresh, size_fresh;
	struct going *going;
	__u32 nr_going;
};
/* Runners without anything under way are forgotten beyond this. */
#define RUNNERS_MAX 16384U

struct checks {
	const struct rule_set *set;
	struct analysis *a;
	__s32 today;
	struct rule_state *rules; /* set->nr of them */
	struct rule_state **by_id[INV_NR];
	__u32 nr_by_id[INV_NR];
	__u64 violations;
	__u32 segment, segment_next; /* next: while one ends */
	__u64 began[SEGMENTS];       /* ns, 0 = it didn't; [0]: the first event */
	__u64 now;
	__u32 generation;
	struct idtab subjects, domains, runners, drivers, pages, devices;
	struct idtab fns; /* iot_flush.fn + 1 -> its name */
	struct subject *last_subject;
	struct runner *last_runner;
	struct book book;
	struct hooked *hooked;
	__u32 nr_hooked;
	__u64 tables_unowned; /* pages of no known domain */
	char policy[2][96];   /* lines of the kernel log about domain types */
	bool seen_end;        /* CAPTURE END */
	__u32 incidents;      /* of these, violations has some */
	int error;
};

/* --- found.c --- */
struct watched *checks__domain(struct checks *c, __u32 nr); /* NULL: no memory */
/* NULL: no memory. Never moves. */
struct subject *checks__subject(struct checks *c, __u32 domain, __u32 dev);
struct runner *checks__runner(struct checks *c, const struct iot_event *ev);
/* Counts what was seen so far for the rules that it concerns, as the subject was until now. */
void checks__fold(struct checks *c);
/* Which rules concern it now. */
void subject__refresh(struct checks *c, struct subject *s);
__u32 checks__segment_of(const struct checks *c, __u64 ts);

/* Of a device and domain that need not have a subject; each may be NULL. */
struct place {
	struct model_device *dev;
	struct model_domain *dom;
};
bool rule__concerns(const struct rule_state *r, struct checks *c, struct place where);

struct violation {
	enum invariant_id id;
	struct place where;
	struct rule_state *only; /* NULL = all rules that it concerns */
	__u64 ts;                /* 0: at no moment; in the segment of now */
	__u64 times;             /* 0 is 1 */
	__u32 incident, stack;
	__u64 from, to; /* as in struct kept */
	__u32 causes;
};
/* For each rule that concerns it. text: without full stop. */
__attribute__((format(printf, 3, 4))) void
checks__violation(struct checks *c, const struct violation *v, const char *fmt, ...);
/* Something that could not be seen, for each rule of it that is concerned, in the segment of now.
 */
__attribute__((format(printf, 4, 5))) void checks__doubt(struct checks *c, enum invariant_id id,
							 struct place where, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void segment__doubt(struct segment *seg, const char *fmt,
							  ...);
void checks__looked(struct checks *c, enum invariant_id id, struct place where, __u64 n);

static inline struct place subject__place(const struct subject *s)
{
	return (struct place){ s->device, s->w->dom };
}

static inline bool domain__is_dma(const struct model_domain *dom)
{
	return dom && dom->type_known &&
	       (dom->type == IOT_TYPE_DMA || dom->type == IOT_TYPE_DMA_FQ);
}

static inline __u64 range__last(__u64 first, __u64 size)
{
	return size - 1 > ~0ULL - first ? ~0ULL : first + size - 1;
}

static inline bool subject__wants(const struct subject *s, enum invariant_id id)
{
	return s->begin[id] != s->begin[id + 1];
}

/* "refdma.0", "domain 3": for texts. */
struct who {
	char s[64];
};
/* Of numbers, 0 = not known; the device's domain, if it is asked for none. */
struct place checks__place(struct checks *c, __u32 dev, __u32 domain);
/* The device of a domain, if it has one only or none is attached any more; else NULL. */
struct place watched__place(struct checks *c, const struct watched *w);
struct who place__name(const struct checks *c, struct place where);

/* --- hooked.c --- */
/* An attribute, in the order of time. */
void hooked__attr(struct checks *c, const struct iot_attr *ev);
void hooked__domain(struct checks *c, struct watched *w, __u64 owner);
/* Which list the function is in, or -1: none, it is a flush function. */
int hooked__kind_of(const struct checks *c, const char *function);
/* A flush of the domain tells which driver it is. */
void hooked__flush(struct checks *c, struct watched *w, __u16 fn);
void hooked__free(struct checks *c);
/* Is that function of the domain's driver hooked since ts at the latest? */
static inline bool hooked__sees(const struct watched *w, enum hook_kind kind, __u64 ts)
{
	return w->driver && w->driver->since[kind] && w->driver->since[kind] <= ts;
}

/* --- check_flush.c --- */
void flush__map(struct checks *c, struct subject *s, struct runner *r, const struct iot_map *ev);
void flush__unmap(struct checks *c, struct subject *s, struct runner *r,
		  const struct iot_unmap *ev);
void flush__flush(struct checks *c, struct subject *s, struct runner *r,
		  const struct iot_flush *ev);
void flush__iova(struct checks *c, struct subject *s, const struct iot_iova *ev);
/* Unmaps that still wait: the domain is gone, or the stream ends. */
void flush__end(struct checks *c, struct watched *w, bool stream_ends);

/* --- check_told.c --- */
/* Whether the hardware was told to forget the addresses by INVALIDATEs that began at from or later
 * and ended until to. 1, 0, or -1: not known, too many came since. */
struct telling {
	__u64 first, last; /* addresses */
	__u64 from, to;
	__u64 runner, own_from; /* of this one, those count that began at own_from or later */
};
int told__of(const struct watched *w, struct telling t);
void told__invalidate(struct checks *c, struct subject *s, struct runner *r,
		      const struct iot_invalidate *ev);
/* The flush ended; u was to be covered by it. */
void told__covered(struct checks *c, struct watched *w, struct runner *r,
		   const struct iot_flush *ev, const struct unflushed *u);
/* A flush of the domain by the runner ended: what it told was no late comer. */
void told__flush(struct checks *c, struct watched *w, struct runner *r, const struct iot_flush *ev);
/* A device has left the domain, and the model knows. */
void told__detached(struct watched *w, const struct runner *r);
void told__sync_map(struct checks *c, struct subject *s, const struct iot_flush *ev);
void told__end(struct checks *c, struct watched *w);
bool told__seen(const struct watched *w, const struct iot_flush *ev);

/* --- check_map.c --- */
/* After the model has taken it; replaced: what its domain counted of these before. */
void maps__map(struct checks *c, struct subject *s, const struct iot_map *ev, __u64 replaced);
/* Before the model takes it. */
void maps__unmap(struct checks *c, struct subject *s, const struct iot_unmap *ev);
/* Before the model takes a domain's end. */
void maps__freed(struct checks *c, struct watched *w, __u64 ts);
/* The segment ends: what is mapped and shouldn't be. */
void maps__leaks(struct checks *c, __u32 segment, bool last);

/* --- check_table.c --- */
void tables__allocated(struct checks *c, struct subject *s, struct runner *r,
		       const struct iot_table *ev);
void tables__freed(struct checks *c, struct subject *s, struct runner *r,
		   const struct iot_table *ev);
/* The runner's next event: what was under way is over. */
void tables__next(struct checks *c, struct subject *s, struct runner *r,
		  const struct iot_event *ev);
void tables__unmapped(struct checks *c, struct watched *w, __u32 place, const struct iot_unmap *ev);
void tables__teardown(struct checks *c, const struct iot_teardown *ev);
void tables__end(struct checks *c);
void tables__release(struct checks *c, struct watched *w);
void page__free(struct checks *c, struct page *p);

/* --- check_end.c --- */
void ends__incidents(struct checks *c);
/* At the end of a segment. */
void ends__types(struct checks *c, __u32 segment);
void ends__coverage(struct checks *c);

/* --- outcome.c --- */
/* PHASE_* of a segment, as far as marks have been seen. */
__u32 checks__phase(const struct checks *c, __u32 segment);
/* The segment began, and the rule is about its phase. */
bool rule__is_in(const struct checks *c, const struct rule_state *r, __u32 segment);
void checks__decide(struct checks *c, struct rule_state *r);
/* One more reason, told once. */
__attribute__((format(printf, 2, 3))) void result__why(struct check_result *res, const char *fmt,
						       ...);

/* --- missing.c --- */
/* A loss of one of the causes (bits) in [from, to], as far as it concerns the rule. Of programs
 * that the kernel skipped: those that would have told of skipped. */
const struct model_loss *missing__lost(struct checks *c, const struct rule_state *r, __u64 from,
				       __u64 to, __u32 causes, __u32 skipped);
/* What needs (NEED_*) of the rule have to be told of: SKIPPED_*. */
__u32 missing__skipped(const struct rule_state *r, __u32 need);
/* The causes that make needs (NEED_*) incomplete for the rule. */
__u32 missing__causes(const struct rule_state *r, __u32 need);
/* A flush function could not be hooked at all: flushes by it are not seen, ever. */
bool missing__untraced(const struct checks *c);
const char *missing__cause(__u32 cause);
/* Adds to the rule's result why a violation could have been missed. */
void missing__tell(struct checks *c, struct rule_state *r);

/* --- tally.c --- */
/* Whether what the kernel counted decides the rule, though events are missing: true, and the
 * outcome is filled in. */
bool tally__decide(struct checks *c, struct rule_state *r);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the model knows about an address at the moment of a fault: its owner, its neighbours, and
 * where else it might come from. Later events change all that, so it is copied.
 */
#ifndef IOMMUTOP_ANALYZE_LOOKUP_H
#define IOMMUTOP_ANALYZE_LOOKUP_H

#include "analyze/incident.h"
#include "model/model.h"

/* A device that runs over the end of a buffer, or begins too early, faults in the next page. */
#define LOOKUP_NEAR 0x1000ULL
/* Older than this, "used after unmap" and "never meant this address" look alike. */
#define LOOKUP_FRESH 1000000000ULL
/* A match that more than one address in so many would give by chance is none. */
#define LOOKUP_CHANCE 64

/*
 * Fills in what f knows from has_live on. Searching takes time that grows with the history and with
 * what is mapped; *work bounds it over all faults: when it is used up, only the newest part of the
 * history is looked at, and f->forgotten says so. 0 or -ENOMEM.
 */
int lookup__fault(struct incident_fault *f, struct model *m, __u64 *work);

/* Who was given the address after f->dead, as far as is remembered: fills in f->reuse. */
void lookup__reuse(struct incident_fault *f, struct model *m, __u64 *work);

/* A live mapping in the form of a dead one: unmap_ts 0. */
struct dead lookup__as_dead(const struct range *r, __u32 domain);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Page requests of devices and their answers (IOT_EV_PAGE_REQUEST, IOT_EV_PAGE_RESPONSE). */
#ifndef IOMMUTOP_MODEL_REQUESTS_H
#define IOMMUTOP_MODEL_REQUESTS_H

#include <linux/types.h>
#include <stdbool.h>

#include "event.h"
#include "model/idtab.h"
#include "util/hist.h"

/* Of one device; more are only counted, in untracked. */
#define REQUESTS_OPEN_MAX 65536U
/* Addresses that are remembered of a group. */
#define REQUESTS_PAGES 8U

/* A group of requests: those of one number, up to its last one. */
struct requests_group {
	__u64 first, since;          /* ns: its first request, and the latest one so far */
	__u64 iovas[REQUESTS_PAGES]; /* that were asked for: the first of nr */
	__u32 nr;
	__u32 perm; /* IOT_PAGE_*: what any of them needs */
	bool in_scope;
};

struct requests_dev {
	__u64 requests, groups;
	__u64 answers[IOT_PAGE_CODES]; /* by IOT_PAGE_* */
	__u64 other;                   /* answers with a code that isn't known */
	__u64 failed;                  /* of all these but the refused: they could not be given */
	__u64 untracked;               /* groups whose answer isn't waited for */
	__u64 waiting;                 /* groups in open that are in scope */
	struct hist latency;           /* ns; of answers to requests that were seen */
	struct idtab open;             /* complete groups that wait for an answer, by group_key() */
	struct idtab begun;            /* groups that aren't complete */
};

struct requests {
	struct idtab devs; /* by number of the device; struct requests_dev */
	/* The group that the answer in hand was to, if its request was seen. */
	struct requests_group answered;
	bool has_answered;
};

/* in_scope: it counts. The state follows all events. 0 or -ENOMEM. */
int requests__add(struct requests *r, const struct iot_page_request *ev, bool in_scope);
int requests__answer(struct requests *r, const struct iot_page_response *ev, bool in_scope);
void requests__free(struct requests *r);

/* Is there anything to tell of it? Devices out of scope have state, and nothing that counts. */
bool requests__any(const struct requests_dev *d);

/* When the request was made that waits longest, ns; 0: none that is in scope waits. */
__u64 requests__oldest(const struct requests_dev *d);

/* The key of a complete group in open; and what it is of. */
__u64 requests__key(__u32 prgi, __u32 pasid, __u8 pasid_valid);
static inline __u32 requests__prgi(__u64 key)
{
	return (__u32)key;
}

/* PASIDs have 20 bits. */
static inline __u32 requests__pasid(__u64 key)
{
	return (__u32)(key >> 32) & 0xfffff;
}

static inline bool requests__has_pasid(__u64 key)
{
	return key >> 63;
}

#endif

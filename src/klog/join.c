// SPDX-License-Identifier: GPL-2.0-only
#include "klog/join.h"

#include <stdio.h>
#include <string.h>

#include "event.h"

/* Fields of an event, drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h: EVTQ_0_ID and so on. */
#define EVENT_ID(w)        ((__u32)((w)[0] & 0xff))
#define EVENT_SID(w)       ((__u32)((w)[0] >> 32))
#define EVENT_READ(w)      ((w)[1] >> 35 & 1)
#define EVENT_ADDR(w)      ((w)[2])
#define EVENT_IS_FAULT(id) ((id) >= 0x10 && (id) <= 0x13) /* translation … permission */
#define EVENT_COMPLETE(e)  ((e)->nr == KLOG_SMMU_WORDS)

#define events_of(j, e) \
	for (__typeof__(&(j)->events[0]) e = (j)->events; e < (j)->events + KLOG_JOIN_SMMUS; e++)

static void describe(const struct klog_join *j, size_t n, struct klog_record *r)
{
	__typeof__(&j->events[0]) e = &j->events[n];
	__u32 id = EVENT_ID(e->word);

	*r = (struct klog_record){ .queue = -1, .signal = "SMMUv3 event", .reason = id };
	if (EVENT_COMPLETE(e))
		/* A stream id is no requester id: what it stands for is in the firmware's tables.
		 */
		snprintf(r->dev, sizeof(r->dev), "%.24s sid 0x%x", e->smmu, EVENT_SID(e->word));
	else
		snprintf(r->dev, sizeof(r->dev), "%s", e->smmu);
	if (!EVENT_IS_FAULT(id)) {
		r->kind = KLOG_ERROR;
		r->error = IOT_ERROR_IOMMU;
		return;
	}
	r->kind = KLOG_FAULT;
	if (!EVENT_COMPLETE(e))
		return;
	r->iova = EVENT_ADDR(e->word);
	r->iova_known = true;
	r->access = EVENT_READ(e->word) ? IOT_ACCESS_READ : IOT_ACCESS_WRITE;
}

static int tell(struct klog_join *j, size_t n, klog_join_fn fn, void *ctx)
{
	struct klog_record r;

	if (!j->events[n].waiting)
		return 0;
	describe(j, n, &r);
	j->events[n].waiting = false;
	j->events[n].told = true;
	return fn(ctx, j->events[n].ts, &r);
}

static int begin(struct klog_join *j, __u64 ts, const struct klog_record *head, klog_join_fn fn,
		 void *ctx)
{
	size_t n;
	int rc;

	for (n = 0; n < KLOG_JOIN_SMMUS; n++)
		if (!strcmp(j->events[n].smmu, head->dev))
			break;
	if (n == KLOG_JOIN_SMMUS)
		n = j->next++ % KLOG_JOIN_SMMUS;
	rc = tell(j, n, fn, ctx);
	memset(&j->events[n], 0, sizeof(j->events[n]));
	memcpy(j->events[n].smmu, head->dev, sizeof(head->dev));
	j->events[n].ts = ts;
	j->events[n].word[0] = head->reason;
	j->events[n].waiting = true;
	return rc;
}

static void take_word(struct klog_join *j, const struct klog_record *r)
{
	events_of(j, e)
	{
		if (!e->waiting || EVENT_COMPLETE(e) || strcmp(e->smmu, r->dev))
			continue;
		/* The first word holds the id that the head has told. */
		if (!e->nr && (r->word & 0xff) != e->word[0])
			return;
		e->word[e->nr++] = r->word;
		return;
	}
}

/* The line about the client: completes the event that waits, or repeats one. */
static int take_client(struct klog_join *j, __u64 ts, const struct klog_record *client,
		       klog_join_fn fn, void *ctx)
{
	struct klog_record r;

	for (size_t n = 0; n < KLOG_JOIN_SMMUS; n++) {
		__typeof__(&j->events[0]) e = &j->events[n];

		if (!EVENT_COMPLETE(e) || EVENT_ADDR(e->word) != client->iova)
			continue;
		if (e->told) {
			e->told = false;
			return 0;
		}
		if (!e->waiting)
			continue;
		describe(j, n, &r);
		if (client->dev[0] != '(') { /* "(unassigned sid)" */
			memcpy(r.dev, client->dev, sizeof(r.dev));
			r.rid = client->rid;
			r.rid_known = client->rid_known;
		}
		e->waiting = false;
		return fn(ctx, e->ts, &r);
	}
	return fn(ctx, ts, client);
}

int klog_join__feed(struct klog_join *j, __u64 ts, const char *text, size_t len, klog_join_fn fn,
		    void *ctx)
{
	struct klog_record r;
	bool found = klog__parse(text, len, &r);
	int rc;

	if (found && r.kind == KLOG_SMMU_WORD) {
		take_word(j, &r);
		return 0;
	}
	if (found && r.kind == KLOG_SMMU_HEAD)
		return begin(j, ts, &r, fn, ctx);
	if (found && r.kind == KLOG_FAULT && !strcmp(r.signal, "SMMUv3 event"))
		return take_client(j, ts, &r, fn, ctx);
	for (size_t n = 0; n < KLOG_JOIN_SMMUS; n++) {
		rc = EVENT_COMPLETE(&j->events[n]) ? tell(j, n, fn, ctx) : 0;
		if (rc)
			return rc;
	}
	return found ? fn(ctx, ts, &r) : 0;
}

int klog_join__end(struct klog_join *j, klog_join_fn fn, void *ctx)
{
	int rc = 0;

	for (size_t n = 0; n < KLOG_JOIN_SMMUS && !rc; n++)
		rc = tell(j, n, fn, ctx);
	return rc;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* How often, and for how many bytes, each kernel stack led to one kind of event. */
#ifndef IOMMUTOP_ANALYZE_FOLDED_H
#define IOMMUTOP_ANALYZE_FOLDED_H

#include "event.h"
#include "model/idtab.h"

struct folded_entry {
	__u32 stack; /* 0: no stack, tid says who */
	__u32 tid;
	__u64 nr;
	__u64 bytes; /* mapped or unmapped; of others 0 */
	__u64 ns;    /* flush: how long they took */
};

#define FOLDED_MAX 262144U

struct folded {
	__u16 id;                      /* IOT_EV_MAP, UNMAP, FLUSH or FAULT */
	struct idtab by_stack, by_tid; /* -> struct folded_entry */
	__u64 dropped;                 /* events of further stacks */
};

/* Each event in scope. 0 or -ENOMEM. */
int folded__event(struct folded *f, const struct iot_event *ev);
void folded__free(struct folded *f);

#endif

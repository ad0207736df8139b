/* SPDX-License-Identifier: GPL-2.0-only */
/* The unmaps of one domain that no flush has covered yet: how long does the oldest one wait? */
#ifndef IOMMUTOP_TRIGGER_WAITING_H
#define IOMMUTOP_TRIGGER_WAITING_H

#include "event.h"

#define WAITING_MAX    65536 /* lazy unmaps; those beyond are younger than these */
#define WAITING_STRICT 64    /* one for each CPU that unmaps; a hash, so now and then one is lost */

struct waiting {
	__u64 *lazy; /* ns, ends of unmaps in time order: a ring of size, a power of two */
	__u32 first, nr, size;
	struct {
		__u64 ts;
		__u32 gather;
	} strict[WAITING_STRICT];
};

int waiting__unmap(struct waiting *w, const struct iot_unmap *ev); /* 0 or -ENOMEM */
/* Takes out what the flush covers. ns: how long the oldest of these waited, 0 = there were none. */
__u64 waiting__flush(struct waiting *w, const struct iot_flush *ev);
/* ns, end of the oldest unmap that waits for a flush of the whole domain; 0 = there is none. */
__u64 waiting__oldest(const struct waiting *w);
void waiting__forget(struct waiting *w); /* all of them */
void waiting__free(struct waiting *w);

#endif

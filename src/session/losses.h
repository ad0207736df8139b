/* SPDX-License-Identifier: GPL-2.0-only */
/* Loss events of a session, collected; those that were told already are taken out again. */
#ifndef IOMMUTOP_SESSION_LOSSES_H
#define IOMMUTOP_SESSION_LOSSES_H

#include <stddef.h>

#include "event.h"

#define LOSSES_MAX 65536u /* the last one takes what comes then */

struct losses {
	struct iot_loss *items;
	size_t nr;
};

int losses__add(struct losses *l, const struct iot_loss *loss); /* 0 or -ENOMEM */

/*
 * Takes out of l what told has too: one for one, as there may be two alike. Both are in another
 * order then: l by time, told by content. Alike are those of one file, kind, begin and count; not
 * the end, for that of a torn tail is the end of the session, which grows with what is told in it.
 */
void losses__drop(struct losses *l, struct losses *told);

void losses__free(struct losses *l);

#endif

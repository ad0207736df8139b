/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A flight recorder that was killed: faults are on disk and the events that explain them were in
 * memory. The reader gives each event to this, and tells what it says at the end.
 */
#ifndef IOMMUTOP_SESSION_FORGOTTEN_H
#define IOMMUTOP_SESSION_FORGOTTEN_H

#include <stdbool.h>

#include "event.h"
#include "session/session.h"

struct forgotten {
	__u64 known; /* ns, the last event of the last dump, or the first event of the session */
	__u64 last;  /* of all */
	bool ended;  /* the recorder came to its natural end, and dumped what it had */
};

static inline void forgotten__see(struct forgotten *f, const struct iot_event *ev)
{
	if (ev->id >= IOT_EV_DEVICE)
		return;
	if (ev->id < IOT_EV_FAULT || !f->known)
		f->known = ev->ts;
	if (ev->id == IOT_EV_CAPTURE && ((const struct iot_capture *)ev)->what == IOT_CAPTURE_END)
		f->ended = true;
	f->last = ev->ts;
}

/* When all has been read: true, and *loss has no count, for nobody knows it. */
bool forgotten__loss(const struct forgotten *f, const struct session_info *info,
		     struct iot_loss *loss);

#endif

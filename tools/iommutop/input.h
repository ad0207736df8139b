/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the events of analyze, diff and export come from: a session, or a saved kernel log. One
 * reader for all of them, so that every command takes the same sources and reports damage alike.
 */
#ifndef IOMMUTOP_INPUT_H
#define IOMMUTOP_INPUT_H

#include "event.h"
#include "util/error.h"

struct json_object;

struct input {               /* exactly one of the two is set */
	const char *session; /* directory */
	const char *klog;    /* file, "-" = standard input */
};

/* A return that isn't 0 ends the reading with it. The event is good until the function returns. */
typedef int (*input_feed)(void *ctx, const struct iot_event *ev);

/*
 * Reads all of it, in time order; what is missing from the session comes as IOT_EV_LOSS events.
 * *about becomes an object that says what was read, to be put by the caller: the session's
 * environment and its damage, or the log's name and size. 0, or a negative errno and err.
 */
int input__read(const struct input *in, input_feed feed, void *ctx, struct json_object **about,
		struct error *err);

#endif

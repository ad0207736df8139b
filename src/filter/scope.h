/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which events are counted and reported: by device, domain, group, time and filter expression. Who
 * builds a model gives it all events all the same, so that a fault inside is explained by a map
 * outside.
 *
 * All kinds of conditions must hold; of several devices (domains, groups), one. An event without a
 * device belongs to a device if its domain does, that is, if the device is attached to it then.
 */
#ifndef IOMMUTOP_FILTER_SCOPE_H
#define IOMMUTOP_FILTER_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"
#include "util/error.h"

struct scope_opts {                 /* texts as on a command line; the caller's */
	const char *const *devices; /* name, pattern with * and ?, or PCI address, and @N: of
				       origin N only */
	size_t nr_devices;
	const char *const *domains, *const *groups; /* numbers */
	size_t nr_domains, nr_groups;
	const char *time;   /* "FROM,TO", see scope_time__parse(); NULL = all */
	const char *filter; /* NULL = none */
	bool stamps; /* times since the begin are those of the events: a kernel log has no begin */
};

struct scope;

/*
 * *out is NULL if opts ask for nothing: every event is in scope. 0; -EINVAL and err, which names
 * the option; or -ENOMEM.
 */
int scope__new(struct scope **out, const struct scope_opts *opts, struct error *err);
void scope__free(struct scope *s); /* NULL is fine */

/* What was asked for, as the options of a command line: "--dev 0000:03:00.0 --time 2,3". The
 * scope's; NULL: everything. */
const char *scope__text(const struct scope *s);

/*
 * Takes each event of a stream in order and says whether it is in scope; NULL: it is. ev is at
 * least as long as its id demands. Side tables (ids from IOT_EV_DEVICE on) always are: what they
 * say may be needed.
 */
bool scope__event(struct scope *s, const struct iot_event *ev);

/* The same for an event that isn't of the stream, without learning from it. */
bool scope__has(const struct scope *s, const struct iot_event *ev);
/* A device that no event of the stream tells of: one that the kernel log names. 0 or -ENOMEM. */
int scope__device(struct scope *s, __u32 nr, const char *name, __u32 origin, __s32 group);

/* Narrows [*begin, *end], ns, to the time asked for; to nothing (begin = end) if it is outside.
 * NULL: leaves it. */
void scope__narrow(const struct scope *s, __u64 *begin, __u64 *end);

/* What was asked for and never came: "device 0000:03:00.0". NULL if all did. For a warning at the
 * end. Valid until the next call. */
const char *scope__unseen(struct scope *s);
/* First -ENOMEM, or 0. */
int scope__error(const struct scope *s);

#endif

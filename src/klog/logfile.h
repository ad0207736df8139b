/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A saved kernel log (dmesg, journalctl -k, a serial console's file) to events: one IOT_EV_LOG a
 * record. Lines without a time belong to the record before; so do indented lines that have its
 * time, as consoles print them. A time that goes back within a boot (CPUs that have just come up
 * print 0) is held at the latest one. Times of the day count from the first line. Lines that a
 * syslog daemon wrote for another program are left out. Memory doesn't grow with what is read.
 */
#ifndef IOMMUTOP_KLOG_LOGFILE_H
#define IOMMUTOP_KLOG_LOGFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "event.h"

/* ev is valid during the call only. Not 0 ends the reading and is given back. */
typedef int (*logfile_fn)(const struct iot_log *ev, void *ctx);

struct logfile_info {
	__u64 lines, records;
	__u64 without_time; /* records before the first time: they get ts 1 */
	/* More than 1: each further boot is set an hour behind the one before, unless the times are
	 * of the day. */
	__u64 boots;
	char first[40];     /* times are of the day: the first one, as printed; else "" */
	bool whole_seconds; /* … without fractions */
};

/* 0, what fn returned, or negative errno of reading, or -ENOMEM. */
int logfile__read(FILE *in, logfile_fn fn, void *ctx, struct logfile_info *info);

#endif

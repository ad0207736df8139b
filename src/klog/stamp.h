/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands in front of a line of a saved kernel log: level, time and host, as dmesg, journalctl,
 * syslog or a serial console print them. It takes any bytes.
 */
#ifndef IOMMUTOP_KLOG_STAMP_H
#define IOMMUTOP_KLOG_STAMP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct klog_stamp {
	__u64 ns;       /* since boot; if of_day: since 1970, without a year since that of 2000 */
	size_t at, len; /* where in the line the time itself is, for whoever shows it */
	bool of_day;    /* the clock of the day, as `dmesg -T` and `journalctl -k` print it */
	bool has_year;
	bool whole; /* whole seconds: the order within one isn't known */
	bool other; /* a line of another program, in the file of a syslog daemon */
};

/*
 * Bytes of line in front of what the kernel printed; 0: the line has no time that is known, and
 * *out is not set. Known are
 *
 *	[ 5959.338214] text                       dmesg, the console; also with "[    T1]" behind
 *	[Sun Nov 22 09:00:01 2026] text           dmesg -T
 *	2026-11-22T09:00:01,338214+00:00 text     dmesg --time-format iso
 *	Nov 22 09:00:01.338214 host kernel: text  journalctl -k, syslog; with or without fraction
 *	2026-11-22T09:00:01+0000 host kernel: text  journalctl -o short-iso, syslog
 *	[ 5959.338214] host kernel: text          journalctl -o short-monotonic
 *
 * and each of them behind a level ("<6>", "kern  :info  : "). Of two times, "[ 5959.338214]"
 *counts.
 */
size_t klog_stamp__skip(const char *line, size_t len, struct klog_stamp *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of log formats. A pattern is literal text with fields in braces:
 *
 *   {rid} PCI address, segment or not	{sid} requester id in hexadecimal
 *   {ep} decimal endpoint that is a requester id
 *   {iova} {reason} {flags} {word64} {hex} hexadecimal, 0x or not
 *   {amdflags} AMD event flags		{dmarstatus} VT-d fault status that says "records lost"
 *   {queue} {n} {ms} decimal		{access} "Read", "w"…	{rwx} "R", "W" or "RW"
 *   {dev} {driver} {func} {word} a word	{*} anything up to the literal that follows it
 *
 * A blank in the pattern stands for any number of blanks. A pattern that starts with literal text
 * may stand behind the head that drivers print ("ixgbe 0000:03:00.0 enp3s0: "), which names driver
 * and device; one that starts with a field is matched at the start of the line. What follows the
 * end of the pattern doesn't matter: put longer ones first.
 */
#ifndef IOMMUTOP_KLOG_KLOG_FORMATS_H
#define IOMMUTOP_KLOG_KLOG_FORMATS_H

#include <stdbool.h>

#include "klog/klog.h"

struct klog_format {
	enum klog_kind kind;
	const char *signal;
	const char *pattern;
	const char *more; /* a second pattern, looked for in the lines that follow; may fail; NULL =
			     none */
	bool head_is_iommu; /* the device in the head reports, it isn't the one concerned */
	__u32 error;        /* KLOG_ERROR: IOT_ERROR_* */
};

extern const struct klog_format klog_formats[]; /* kind 0 at the end */

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Typed parsers for what people write on a command line. Each reads to the end of the string or
 * fails. */
#ifndef IOMMUTOP_UTIL_PARSE_H
#define IOMMUTOP_UTIL_PARSE_H

#include <stdint.h>

/* All return 0, -EINVAL (not such a value) or -ERANGE (too large); *out is written on success only.
 */
int parse__u64(const char *s, uint64_t *out); /* decimal or 0x…, no sign */
int parse__size(const char *s,
		uint64_t *out); /* bytes: 4096, 64k, 64K, 64KiB, 2M, 1G (powers of 1024) */
int parse__duration(const char *s,
		    uint64_t *out_ns); /* 250ms, 2s, 1.5s, 10us, 3m, 1h; a bare number is seconds */
/* A number with up to digits (at most 9) digits after the point, in units of the last one: "99.9"
 * with 3 is 99900. -EINVAL also for more digits. */
int parse__decimal(const char *s, unsigned int digits, uint64_t *out);
/* A day of the Gregorian calendar, 1970-01-01 to 9999-12-31: days since the first of these. */
int parse__date(const char *s, int32_t *out);
int parse__pci_rid(const char *s,
		   uint32_t *out); /* [dddd:]bb:dd.f -> segment << 16 | bus << 8 | devfn */

#endif

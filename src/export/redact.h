/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hides addresses and names in events. Tokens are keyed with a secret of this export alone: the
 * same address is the same token everywhere in it, and in no other export. Addresses are permuted
 * (a keyed bijection), so different ones stay different; order and distance are gone.
 * docs/export.md says what remains.
 */
#ifndef IOMMUTOP_EXPORT_REDACT_H
#define IOMMUTOP_EXPORT_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

#define REDACT_ADDRESSES 1u /* IOVAs, physical and kernel addresses, flush tokens */
#define REDACT_NAMES     2u /* devices, IOMMUs, tasks, host, log text */

struct redact {
	unsigned int what; /* REDACT_* */
	bool keep_offset;  /* the low 12 bits of addresses stay */
	uint64_t key[2];
	union {
		struct iot_event h;
		uint8_t bytes[IOT_EVENT_MAX];
	} copy;
};

/* Takes its key from the kernel. 0 or a negative errno. */
int redact__init(struct redact *r, unsigned int what, bool keep_offset);

/* The event with everything hidden, good until the next call. Its layout is that of the original.
 */
const struct iot_event *redact__event(struct redact *r, const struct iot_event *ev);

/* 0, which stands for "none", stays 0. */
uint64_t redact__address(const struct redact *r, uint64_t addr);
/* "dev-3f09a1c2d7" for a name; "" stays "". Ended by NUL, at most size bytes with it. */
void redact__name(const struct redact *r, const char *kind, const char *name, char *buf,
		  size_t size);
/*
 * Copies text, every number in it that may be an address replaced: 0x… of any length, words of five
 * hexadecimal digits or more with a decimal digit among them, words of eight or more, and eight or
 * more with a decimal digit inside a word. Returns the length; what doesn't fit is cut.
 */
size_t redact__text(const struct redact *r, const char *text, size_t len, char *buf, size_t size);

#endif

// SPDX-License-Identifier: GPL-2.0-only
#include "export/proto.h"

#include <errno.h>

void proto__end(struct buf *b, size_t begin)
{
	size_t len = b->nr - begin;

	if (b->error)
		return;
	if (len > PROTO_MESSAGE_MAX) {
		b->error = -E2BIG;
		return;
	}
	b->data[begin - 3] = (uint8_t)(len | 0x80);
	b->data[begin - 2] = (uint8_t)(len >> 7 | 0x80);
	b->data[begin - 1] = (uint8_t)(len >> 14);
}

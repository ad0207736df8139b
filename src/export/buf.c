// SPDX-License-Identifier: GPL-2.0-only
#include "export/buf.h"

#include <errno.h>
#include <stdlib.h>

uint8_t *buf__grow(struct buf *b, size_t more)
{
	size_t size = b->size ? b->size : 256;
	uint8_t *data;

	if (b->error)
		return NULL;
	while (size - b->nr < more)
		size *= 2;
	data = realloc(b->data, size);
	if (!data) {
		b->error = -ENOMEM;
		return NULL;
	}
	b->data = data;
	b->size = size;
	return b->data + b->nr;
}

void buf__free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

// SPDX-License-Identifier: GPL-2.0-only
#include "mux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mux__init(struct mux *m, const char *nonce, const struct mux_ops *ops, void *ctx)
{
	*m = (struct mux){ .ops = ops, .ctx = ctx };
	m->mark_len = (size_t)snprintf(m->mark, sizeof(m->mark), "\036@%.32s ", nonce);
}

static int mux__frame(struct mux *m)
{
	char *word = m->frame + m->mark_len, *arg;

	m->frame[m->frame_len - 1] = '\0';
	m->frame_len = 0;
	arg = strchr(word, ' ');
	if (arg)
		*arg++ = '\0';
	if (!strcmp(word, "data")) {
		m->data_left = arg ? strtoull(arg, NULL, 10) : 0;
		return 0;
	}
	return m->ops->frame(m->ctx, word, arg ?: "");
}

int mux__end(struct mux *m)
{
	size_t len = m->frame_len;

	m->frame_len = 0;
	return len ? m->ops->text(m->ctx, m->frame, len) : 0;
}

/* One byte while a frame is under way, or may be. */
static int mux__byte(struct mux *m, char byte)
{
	m->frame[m->frame_len++] = byte;
	if (m->frame_len <= m->mark_len) {
		/* RS is only at the mark's start: a mismatch needs no look back but for this byte
		 * itself. */
		if (byte == m->mark[m->frame_len - 1])
			return 0;
		if (byte == m->mark[0]) {
			size_t len = m->frame_len - 1;

			m->frame_len = 1;
			return m->ops->text(m->ctx, m->frame, len);
		}
		return mux__end(m);
	}
	if (byte == '\n')
		return mux__frame(m);
	/* Longer than any frame of init.sh: not a frame. */
	return m->frame_len == sizeof(m->frame) ? mux__end(m) : 0;
}

int mux__feed(struct mux *m, const char *bytes, size_t len)
{
	int code = 0;

	while (len && !code) {
		size_t n = len;

		if (m->data_left) {
			n = m->data_left < len ? (size_t)m->data_left : len;
			code = m->ops->data(m->ctx, bytes, n);
			m->data_left -= n;
		} else if (m->frame_len || *bytes == m->mark[0]) {
			n = 1;
			code = mux__byte(m, *bytes);
		} else {
			const char *start = memchr(bytes, m->mark[0], len);

			n = start ? (size_t)(start - bytes) : len;
			code = m->ops->text(m->ctx, bytes, n);
		}
		bytes += n;
		len -= n;
	}
	return code;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes apart what a guest sends over ttyS1: plain output with frames in it. A frame is RS (0x1e),
 * '@', the run's nonce, a space, a word, an optional argument, LF. After the frame "data N", N raw
 * bytes follow.
 */
#ifndef IOMMUTOP_BOOT_MUX_H
#define IOMMUTOP_BOOT_MUX_H

#include <stddef.h>
#include <stdint.h>

struct mux_ops {
	/* Plain output of the command. All three: 0, or negative errno, which ends mux__feed(). */
	int (*text)(void *ctx, const char *data, size_t len);
	/* A frame; arg is "" if it has none. */
	int (*frame)(void *ctx, const char *word, const char *arg);
	/* Raw bytes of a "data" frame. */
	int (*data)(void *ctx, const char *data, size_t len);
};

struct mux {
	const struct mux_ops *ops;
	void *ctx;
	char mark[64]; /* how a frame begins */
	size_t mark_len;
	char frame[512]; /* of the frame under way, mark included */
	size_t frame_len;
	uint64_t data_left;
};

/* The nonce has at most 32 characters. */
void mux__init(struct mux *m, const char *nonce, const struct mux_ops *ops, void *ctx);
/* Bytes in the order they came, in pieces of any size. 0 or what a callback returned. */
int mux__feed(struct mux *m, const char *bytes, size_t len);
/* No more will come: what looked like the start of a frame was text. */
int mux__end(struct mux *m);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stream file as what it is made of: whole packets, checked, and damage between and behind them.
 * Plain or compressed, of either byte order. Input may be hostile.
 */
#ifndef IOMMUTOP_SESSION_PACKETS_H
#define IOMMUTOP_SESSION_PACKETS_H

#include <stdbool.h>

#include "session/crc32c.h"
#include "session/packet.h"
#include "session/source.h"

enum piece_kind {
	PIECE_END,
	PIECE_PACKET,
	PIECE_DAMAGE, /* no whole packet, but one follows */
	PIECE_TAIL,   /* no whole packet, to the end of the file */
};

struct piece {
	enum piece_kind kind;
	uint64_t at, bytes; /* place in the file */
	/*
	 * PACKET: its head and its events. TAIL: if has_head, a packet began here that has no end,
	 * and the events at its beginning that can be believed, content_bytes 0 if none.
	 */
	bool has_head;
	struct packet_head head; /* of our byte order */
	const uint8_t *content;  /* 8-aligned, of our byte order, valid until the next call */
	size_t content_bytes;
	uint32_t salvaged; /* TAIL: events in content */
};

struct packet_file {
	struct source src;
	const uint8_t *uuid;
	const struct crc32c *crc;
	bool swapped, compressed;
	uint64_t at;       /* where the next piece begins */
	uint64_t last_ts;  /* of the last event; the caller keeps it: no packet begins before */
	uint64_t next_seq; /* no packet has a number below */
	uint64_t budget;   /* bytes that may still be checked in vain */
	uint8_t *packet;   /* turned or unpacked; PACKET_MAX bytes */
	void *zstd;        /* ZSTD_DCtx */
};

/* src, uuid, crc, swapped and compressed must be set, all else 0. */
void packet_file__begin(struct packet_file *f);
void packet_file__next(struct packet_file *f, struct piece *p);
/* Frees memory and descriptor. The file can be read on after source__reopen(&f->src, fd). */
void packet_file__put_away(struct packet_file *f);
void packet_file__close(struct packet_file *f);

#endif

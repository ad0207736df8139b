/* SPDX-License-Identifier: GPL-2.0-only */
/* The head of a packet as it is on disk. tsdl.c declares the same to every other reader. */
#ifndef IOMMUTOP_SESSION_PACKET_H
#define IOMMUTOP_SESSION_PACKET_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAGIC        0xc1fc1fc1u /* CTF 1.8.3, section 5.1 */
#define PACKET_MAX          (1u << 20)  /* bytes; a longer one is damage */
#define PACKET_CLASS_EVENTS 0
#define PACKET_CLASS_TABLES 1
#define PACKET_CLASSES      2

struct packet_head {
	uint32_t magic;
	uint8_t uuid[16];          /* of the trace */
	uint32_t stream_id;        /* PACKET_CLASS_* */
	uint64_t timestamp_begin;  /* of the first event, ns */
	uint64_t timestamp_end;    /* of the last */
	uint64_t content_size;     /* bits, head included */
	uint64_t packet_size;      /* bits; equal to content_size */
	uint64_t events_discarded; /* since the stream began: dropped, never written */
	uint64_t packet_seq_num;   /* 0, 1, 2 … within the stream */
	uint32_t events;           /* in this packet */
	uint32_t crc32c;           /* of the whole content, with this field 0 */
};

static_assert(sizeof(struct packet_head) == 80, "records must stay 8-aligned behind the head");
static_assert(offsetof(struct packet_head, timestamp_begin) == 24, "packet.header has 24 bytes");

#endif

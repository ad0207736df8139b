// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes become the streams of a session that is read to its end. The input: a byte of flags (1
 * compressed, 2 the other byte order, 4 checksums are made right), then up to three streams, each
 * with a length of two bytes before it.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "session/crc32c.h"
#include "session/packet.h"
#include "session/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const uint8_t uuid[16] = "0123456789abcdef";

#define METADATA(order)                                                                      \
	"/* CTF 1.8 */ trace { uuid = \"30313233-3435-3637-3839-616263646566\"; byte_order " \
	"= " order "; }; env { tracer_name = \"iommutop\"; format_version = 1; };"           \
	"clock { uuid = \"00000000-0000-4000-8000-000000000000\"; };"

/* Short: most of the time would be spent on it. */
static const char *metadata(int other)
{
	return (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) == !other ? METADATA("le")
								     : METADATA("be");
}

/* So that what is behind the checksum is reached: heads that could be are signed. */
static void sign(uint8_t *data, size_t bytes, int other)
{
	static struct crc32c crc;
	size_t at = 0;

	if (!crc.update)
		crc32c__init(&crc);
	while (at + sizeof(struct packet_head) <= bytes) {
		struct packet_head *h = (struct packet_head *)(data + at);
		uint64_t bits = other ? __builtin_bswap64(h->content_size) : h->content_size;

		h->magic = other ? __builtin_bswap32(PACKET_MAGIC) : PACKET_MAGIC;
		memcpy(h->uuid, uuid, 16);
		if (bits < sizeof(*h) * 8 || bits % 64 || bits / 8 > bytes - at)
			return;
		h->packet_size = h->content_size;
		h->crc32c = 0;
		h->crc32c = ~crc32c__update(&crc, CRC32C_START, h, bits / 8);
		if (other)
			h->crc32c = __builtin_bswap32(h->crc32c);
		at += bits / 8;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const char *const plain[] = { "events_0", "rare_0", "tables_0" };
	static const char *const packed[] = { "events_0.zst", "rare_0.zst", "tables_0.zst" };
	struct session_buffer files[4] = { 0 };
	const struct session_info *info;
	const struct iot_event *ev;
	struct session_reader *r;
	struct error err = { "" };
	uint64_t last = 0, sum = 0;
	uint8_t *copies[3] = { NULL };
	size_t nr = 1, n;
	int flags;

	if (!bytes)
		return 0;
	flags = *data++;
	bytes--;
	files[0].name = "metadata";
	files[0].data = metadata(flags >> 1 & 1);
	files[0].bytes = strlen(files[0].data);
	while (nr < 4 && bytes > 2) {
		n = (size_t)(data[0] | data[1] << 8);
		data += 2;
		bytes -= 2;
		n = nr == 3 || n > bytes ? bytes : n;
		copies[nr - 1] = aligned_alloc(8, n / 8 * 8 + 8);
		memcpy(copies[nr - 1], data, n);
		if ((flags & 5) == 4)
			sign(copies[nr - 1], n, flags >> 1 & 1);
		files[nr] = (struct session_buffer){ flags & 1 ? packed[nr - 1] : plain[nr - 1],
						     copies[nr - 1], n };
		nr++;
		data += n;
		bytes -= n;
	}
	if (session_reader__open_buffers(&r, files, nr, &err))
		abort();
	while (session_reader__next(r, &ev) == 1) {
		assert(ev->ts >= last && ev->len % 8 == 0 && ev->len >= sizeof(*ev));
		last = ev->ts;
		for (n = 0; n < ev->len / 8; n++)
			sum += ((const uint64_t *)ev)[n];
	}
	info = session_reader__info(r);
	assert(info->bytes + info->damaged_bytes + info->torn_bytes == info->total_bytes);
	session_reader__close(r);
	for (n = 0; n < 3; n++)
		free(copies[n]);
	return sum == 1 ? 0 : 0;
}

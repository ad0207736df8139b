/* SPDX-License-Identifier: GPL-2.0-only */
/* CRC-32C (Castagnoli), the checksum of packets: RFC 3720, appendix B.4 has test values. */
#ifndef IOMMUTOP_SESSION_CRC32C_H
#define IOMMUTOP_SESSION_CRC32C_H

#include <stddef.h>
#include <stdint.h>

struct crc32c {
	uint32_t (*update)(const struct crc32c *c, uint32_t state, const uint8_t *p, size_t bytes);
	uint32_t table[8][256]; /* for CPUs without the instruction: eight bytes a step */
	uint32_t shift[4]
		      [256]; /* with it: a state, byte by byte, CRC32C_LANE bytes of zero later */
};

#define CRC32C_LANE 1024

void crc32c__init(struct crc32c *c); /* the CPU's own instruction if there is one */
void crc32c__init_portable(struct crc32c *c);

#define CRC32C_START 0xffffffffu

/*
 * Running state in, running state out; the checksum is the last state inverted. data needs no
 * alignment.
 */
static inline uint32_t crc32c__update(const struct crc32c *c, uint32_t state, const void *data,
				      size_t bytes)
{
	return c->update(c, state, data, bytes);
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
#include "session/crc32c.h"

#include <endian.h>
#include <string.h>

#define POLY 0x82f63b78u /* reflected */

static uint32_t update_portable(const struct crc32c *c, uint32_t state, const uint8_t *p,
				size_t bytes)
{
	uint64_t word;

	for (; bytes >= 8; bytes -= 8, p += 8) {
		memcpy(&word, p, 8);
		word = le64toh(word) ^ state;
		state = c->table[7][word & 255] ^ c->table[6][word >> 8 & 255] ^
			c->table[5][word >> 16 & 255] ^ c->table[4][word >> 24 & 255] ^
			c->table[3][word >> 32 & 255] ^ c->table[2][word >> 40 & 255] ^
			c->table[1][word >> 48 & 255] ^ c->table[0][word >> 56];
	}
	while (bytes--)
		state = state >> 8 ^ c->table[0][(state ^ *p++) & 255];
	return state;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
update_sse42(const struct crc32c *c, uint32_t state, const uint8_t *p, size_t bytes)
{
	uint64_t wide = state, words[8];
	int i;

	(void)c;
	for (; bytes >= 64; bytes -= 64, p += 64) {
		memcpy(words, p, 64);
#pragma GCC unroll 8
		for (i = 0; i < 8; i++)
			wide = __builtin_ia32_crc32di(wide, words[i]);
	}
	for (; bytes >= 8; bytes -= 8, p += 8) {
		memcpy(words, p, 8);
		wide = __builtin_ia32_crc32di(wide, words[0]);
	}
	state = (uint32_t)wide;
	while (bytes--)
		state = __builtin_ia32_crc32qi(state, *p++);
	return state;
}
#endif

/* table[n][b]: what byte b does to the state when n more bytes of zero follow it. */
void crc32c__init_portable(struct crc32c *c)
{
	uint32_t state;
	int b, n;

	for (b = 0; b < 256; b++) {
		state = (uint32_t)b;
		for (n = 0; n < 8; n++)
			state = state >> 1 ^ (state & 1 ? POLY : 0);
		c->table[0][b] = state;
	}
	for (n = 1; n < 8; n++) {
		for (b = 0; b < 256; b++) {
			state = c->table[n - 1][b];
			c->table[n][b] = state >> 8 ^ c->table[0][state & 255];
		}
	}
	c->update = update_portable;
}

void crc32c__init(struct crc32c *c)
{
	crc32c__init_portable(c);
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		c->update = update_sse42;
#endif
}

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
static uint32_t shift_lane(const struct crc32c *c, uint32_t state)
{
	return c->shift[0][state & 255] ^ c->shift[1][state >> 8 & 255] ^
	       c->shift[2][state >> 16 & 255] ^ c->shift[3][state >> 24];
}

static uint64_t load_word(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, 8);
	return word;
}

/*
 * The instruction takes three cycles but one can begin in each, so three lanes are summed up side
 * by side. The sum is linear: what comes before a lane is shifted over it and added.
 */
__attribute__((target("sse4.2"))) static uint32_t
update_sse42(const struct crc32c *c, uint32_t state, const uint8_t *p, size_t bytes)
{
	uint64_t one = state, two, three;
	int i;

	for (; bytes >= 3 * CRC32C_LANE; bytes -= 3 * CRC32C_LANE, p += 3 * CRC32C_LANE) {
		two = three = 0;
		for (i = 0; i < CRC32C_LANE; i += 8) {
			one = __builtin_ia32_crc32di(one, load_word(p + i));
			two = __builtin_ia32_crc32di(two, load_word(p + CRC32C_LANE + i));
			three = __builtin_ia32_crc32di(three, load_word(p + 2 * CRC32C_LANE + i));
		}
		one = shift_lane(c, (uint32_t)one) ^ two;
		one = shift_lane(c, (uint32_t)one) ^ three;
	}
	for (; bytes >= 8; bytes -= 8, p += 8)
		one = __builtin_ia32_crc32di(one, load_word(p));
	state = (uint32_t)one;
	while (bytes--)
		state = __builtin_ia32_crc32qi(state, *p++);
	return state;
}

/* Linear as well: each of the 32 bits alone, then their sums. */
static void init_shift(struct crc32c *c)
{
	static const uint8_t zero[CRC32C_LANE];
	int byte, bit, value;

	memset(c->shift, 0, sizeof(c->shift));
	for (byte = 0; byte < 4; byte++) {
		for (bit = 0; bit < 8; bit++)
			c->shift[byte][1 << bit] = update_portable(
				c, (uint32_t)1 << (8 * byte + bit), zero, CRC32C_LANE);
		for (value = 1; value < 256; value++)
			c->shift[byte][value] = c->shift[byte][value & (value - 1)] ^
						c->shift[byte][value & -value];
	}
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
	if (__builtin_cpu_supports("sse4.2")) {
		init_shift(c);
		c->update = update_sse42;
	}
#endif
}

// SPDX-License-Identifier: GPL-2.0-only
#include "export/redact.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "session/tsdl.h"
#include "util/text.h"

#define ROUNDS 8

int redact__init(struct redact *r, unsigned int what, bool keep_offset)
{
	*r = (struct redact){ .what = what, .keep_offset = keep_offset };
	if (getrandom(r->key, sizeof(r->key), 0) != sizeof(r->key))
		return -errno;
	return 0;
}

static uint64_t rotate(uint64_t v, int bits)
{
	return v << bits | v >> (64 - bits);
}

struct sip {
	uint64_t v0, v1, v2, v3;
};

static void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

/* SipHash-2-4 (Aumasson, Bernstein 2012): a short keyed function made for just this. */
static uint64_t sip(const uint64_t key[2], const void *data, size_t len)
{
	struct sip s = { key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
			 key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL };
	const uint8_t *p = data;
	uint64_t word;
	size_t at;

	for (at = 0; at <= len; at += 8) {
		size_t n = len - at < 8 ? len - at : 8;

		word = n < 8 ? (uint64_t)len << 56 : 0;
		for (size_t i = 0; i < n; i++)
			word |= (uint64_t)p[at + i] << 8 * i;
		s.v3 ^= word;
		sip_round(&s);
		sip_round(&s);
		s.v0 ^= word;
	}
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* A Feistel network permutes the numbers of bits (even) bits; what maps to 0 goes round again. */
static uint64_t permute(const struct redact *r, uint64_t v, int bits)
{
	uint64_t half = (1ULL << bits / 2) - 1, left, right, next;

	if (!v)
		return 0;
	do {
		left = v >> bits / 2;
		right = v & half;
		for (uint64_t i = 0; i < ROUNDS; i++) {
			uint64_t in[2] = { (uint64_t)bits << 8 | i, right };

			next = left ^ (sip(r->key, in, sizeof(in)) & half);
			left = right;
			right = next;
		}
		v = left << bits / 2 | right;
	} while (!v);
	return v;
}

uint64_t redact__address(const struct redact *r, uint64_t addr)
{
	if (!(r->what & REDACT_ADDRESSES))
		return addr;
	if (r->keep_offset)
		return permute(r, addr >> 12, 52) << 12 | (addr & 0xfff);
	return permute(r, addr, 64);
}

void redact__name(const struct redact *r, const char *kind, const char *name, char *buf,
		  size_t size)
{
	char clean[64];
	uint64_t token;
	size_t len;

	if (!*name) {
		*buf = '\0';
		return;
	}
	/* as the model keeps names, so that a name is one token wherever it comes from */
	len = text__copy(clean, sizeof(clean), name, sizeof(clean));
	/* 40 bits: with a thousand names two are alike once in two million exports */
	token = sip(r->key, clean, len) >> 24;
	snprintf(buf, size, "%s-%010llx", kind, (unsigned long long)token);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c);
}

/* Length of the number at s that may be an address, 0 = none. *digits: where its digits begin. */
static size_t address_at(const char *s, size_t len, bool inside, size_t *digits)
{
	size_t from = len > 2 && s[0] == '0' && (s[1] | 32) == 'x' ? 2 : 0, n = from;
	bool decimal = false;

	while (n < len && isxdigit((unsigned char)s[n])) {
		decimal = decimal || isdigit((unsigned char)s[n]);
		n++;
	}
	*digits = from;
	if (from)
		return n > from ? n : 0;
	/* part of a longer word, "pte00fffff000x": an identifier, unless it is long */
	if (inside || (n < len && is_word(s[n])))
		return n >= 8 && decimal ? n : 0;
	return n >= 8 || (n >= 5 && decimal) ? n : 0;
}

static uint64_t read_hex(const char *s, size_t len)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++)
		v = v << 4 |
		    (uint64_t)(isdigit((unsigned char)s[i]) ? s[i] - '0' : (s[i] | 32) - 'a' + 10);
	return v;
}

size_t redact__text(const struct redact *r, const char *text, size_t len, char *buf, size_t size)
{
	size_t at = 0, out = 0;

	while (at < len && out + 1 < size) {
		size_t digits, n;
		char token[20];

		n = address_at(text + at, len - at, at && is_word(text[at - 1]), &digits);
		if (!n) {
			buf[out++] = text[at++];
			continue;
		}
		/* more digits than a register has can't be looked up; they are hidden all the same
		 */
		snprintf(token, sizeof(token), "0x%llx",
			 (unsigned long long)redact__address(
				 r, read_hex(text + at + digits, n - digits)));
		for (const char *t = token; *t && out + 1 < size; t++)
			buf[out++] = *t;
		at += n;
	}
	buf[out] = '\0';
	return out;
}

/* The texts that name things of this machine, and of what kind; NULL = it doesn't. */
static const char *name_kind(uint16_t id, const struct tsdl_field *f)
{
	static const struct {
		uint16_t offset;
		const char *kind;
	} fields[] = {
		{ offsetof(struct iot_device, name), "dev" },
		{ offsetof(struct iot_device, physfn), "dev" },
		{ offsetof(struct iot_device, iommu), "iommu" },
	};

	for (size_t i = 0; id == IOT_EV_DEVICE && i < sizeof(fields) / sizeof(fields[0]); i++)
		if (f->offset == fields[i].offset)
			return fields[i].kind;
	return NULL;
}

/* Attributes that say nothing about the machine but how it was traced. */
static bool attr_is_plain(const char *text)
{
	static const char *const keys[] = { "flush_fn.",   "plan.",   "attach.", "node.",
					    "invalidate.", "tables.", "submit.", "teardown." };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strncmp(text, keys[i], strlen(keys[i])))
			return true;
	return false;
}

static void hide_attr(struct redact *r, char *text, size_t size)
{
	char *value = strchr(text, '='), token[24];

	if (attr_is_plain(text))
		return;
	/* the name before it may be a device's */
	if (!strncmp(text, "alias.", 6) || !value) {
		memset(text, 0, size);
		return;
	}
	redact__name(r, "value", value + 1, token, sizeof(token));
	memset(value + 1, 0, size - (size_t)(value + 1 - text));
	snprintf(value + 1, size - (size_t)(value + 1 - text), "%s", token);
}

static void hide_text(struct redact *r, const struct tsdl_field *f, char *text, size_t size)
{
	uint16_t id = r->copy.h.id;
	char copy[IOT_EVENT_MAX];
	const char *kind = name_kind(id, f);
	size_t len = strnlen(text, size);

	if (id == IOT_EV_SYMBOL)
		return;
	if (r->what & REDACT_ADDRESSES && !(kind && r->what & REDACT_NAMES)) {
		memcpy(copy, text, len);
		memset(text, 0, size);
		redact__text(r, copy, len, text, size);
	}
	if (!(r->what & REDACT_NAMES))
		return;
	if (id == IOT_EV_LOG) {
		memset(text, 0, size);
	} else if (id == IOT_EV_ATTR) {
		hide_attr(r, text, size);
	} else if (kind) {
		snprintf(copy, sizeof(copy), "%s", text);
		memset(text, 0, size);
		redact__name(r, kind, copy, text, size);
	}
}

static void hide_field(struct redact *r, const struct tsdl_field *f)
{
	uint8_t *at = r->copy.bytes + f->offset;
	uint32_t count = f->count, v32;
	uint64_t v64;

	if (f->count == TSDL_COUNT_IN_FIELD)
		memcpy(&count, r->copy.bytes + f->count_offset, sizeof(count));
	if (f->show == TSDL_TEXT) {
		hide_text(r, f, (char *)at, count);
		return;
	}
	if (f->show == TSDL_HEX && f->width == 8 && r->what & REDACT_ADDRESSES) {
		for (uint32_t i = 0; i < (f->count ? count : 1); i++) {
			memcpy(&v64, at + 8 * i, 8);
			v64 = redact__address(r, v64);
			memcpy(at + 8 * i, &v64, 8);
		}
	}
	/* The token of a gather is made of the address of a kernel stack. */
	if ((r->what & REDACT_ADDRESSES && !strcmp(f->name, "gather")) ||
	    (r->what & REDACT_NAMES && !strcmp(f->name, "rid"))) {
		memcpy(&v32, at, 4);
		v32 = (uint32_t)permute(r, v32, 32);
		memcpy(at, &v32, 4);
	}
}

const struct iot_event *redact__event(struct redact *r, const struct iot_event *ev)
{
	const struct tsdl_event *type = tsdl__event(ev->id);

	memcpy(&r->copy, ev, ev->len);
	for (unsigned int i = 0; type && i < type->nr_fields; i++)
		hide_field(r, &type->fields[i]);
	return &r->copy.h;
}

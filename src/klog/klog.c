// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE 1 /* memmem() */
#include "klog/klog.h"

#include <ctype.h>
#include <string.h>

#include "event.h"
#include "klog/klog_formats.h"
#include "klog/stamp.h"

/* The text that is left; every reader takes from its front. */
struct cursor {
	const char *p;
	const char *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct cursor *c)
{
	while (c->p < c->end && is_blank(*c->p))
		c->p++;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* At least one digit; false if none or if it doesn't fit 64 bits. */
static bool take_number(struct cursor *c, int base, __u64 *out)
{
	const char *start = c->p;
	__u64 v = 0;

	while (c->p < c->end && digit_value(*c->p) < base) {
		if (v > (~0ULL - 15) / (__u64)base)
			return false;
		v = v * (__u64)base + (__u64)digit_value(*c->p++);
	}
	*out = v;
	return c->p > start;
}

static bool take_hex(struct cursor *c, __u64 *out)
{
	if (c->end - c->p > 2 && c->p[0] == '0' && (c->p[1] | 0x20) == 'x')
		c->p += 2;
	return take_number(c, 16, out);
}

static bool take_char(struct cursor *c, char want)
{
	if (c->p >= c->end || *c->p != want)
		return false;
	c->p++;
	return true;
}

/* [dddd:]bb:dd.f */
static bool take_rid(struct cursor *c, __u32 *out)
{
	__u64 part[3], fn;
	int nr = 0;

	do {
		if (nr == 3 || !take_number(c, 16, &part[nr++]))
			return false;
	} while (take_char(c, ':'));
	if (nr < 2 || !take_char(c, '.') || !take_number(c, 16, &fn))
		return false;
	if (fn > 7 || part[nr - 1] > 31 || part[nr - 2] > 255 || (nr == 3 && part[0] > 0xffff))
		return false;
	*out = (__u32)((nr == 3 ? part[0] << 16 : 0) | part[nr - 2] << 8 | part[nr - 1] << 3 | fn);
	return true;
}

/* Up to a blank or the stop character; false if empty. Cut to fit, so that a long word is no error.
 */
static bool take_word(struct cursor *c, char stop, char *out, size_t size)
{
	size_t n = 0;

	while (c->p < c->end && !is_blank(*c->p) && *c->p != stop) {
		if (n + 1 < size)
			out[n++] = isprint((unsigned char)*c->p) ? *c->p : '?';
		c->p++;
	}
	out[n] = '\0';
	return n > 0;
}

static bool take_access(struct cursor *c, struct klog_record *r)
{
	bool letters = false;

	r->access = IOT_ACCESS_UNKNOWN;
	if (c->p < c->end && (*c->p | 0x20) == 'r')
		r->access = IOT_ACCESS_READ;
	else if (c->p < c->end && (*c->p | 0x20) == 'w')
		r->access = IOT_ACCESS_WRITE;
	while (c->p < c->end && isalpha((unsigned char)*c->p)) {
		c->p++;
		letters = true;
	}
	return letters;
}

static void take_rwx(struct cursor *c, struct klog_record *r)
{
	r->access = IOT_ACCESS_UNKNOWN;
	for (; c->p < c->end && strchr("RWX", *c->p) && *c->p; c->p++) {
		if (*c->p == 'R' && r->access == IOT_ACCESS_UNKNOWN)
			r->access = IOT_ACCESS_READ;
		if (*c->p == 'W')
			r->access = IOT_ACCESS_WRITE;
	}
}

static bool take_field(struct cursor *c, const char *name, size_t len, char stop,
		       struct klog_record *r)
{
	char word[64];
	__u64 v = 0;

#define IS(s) (len == sizeof(s) - 1 && !memcmp(name, s, len))
	if (IS("rid"))
		return r->rid_known = take_rid(c, &r->rid);
	if (IS("iova"))
		return r->iova_known = take_hex(c, &r->iova);
	if (IS("access"))
		return take_access(c, r);
	if (IS("rwx")) {
		take_rwx(c, r);
		return true;
	}
	if (IS("dev"))
		return take_word(c, stop, r->dev, sizeof(r->dev));
	if (IS("driver"))
		return take_word(c, stop, r->driver, sizeof(r->driver));
	if (IS("func"))
		return take_word(c, stop, r->func, sizeof(r->func));
	if (IS("word"))
		return take_word(c, stop, word, sizeof(word));

	/* Fault status of VT-d: bit 0 says that records were lost, nobody knows how many. */
	if (IS("dmarstatus")) {
		r->suppressed = 1;
		memcpy(r->func, KLOG_VTD_OVERFLOW, sizeof(KLOG_VTD_OVERFLOW));
		return take_hex(c, &v) && (v & 1);
	}
	if (IS("word64"))
		return take_hex(c, &r->word);
	if (IS("sid")) {
		if (!take_hex(c, &v))
			return false;
		r->rid = (__u32)v;
		r->rid_known = v <= 0xffff;
		return true;
	}

	if (IS("reason") || IS("flags") || IS("hex") || IS("amdflags")) {
		if (!take_hex(c, &v))
			return false;
		if (IS("reason"))
			r->reason = (__u32)v;
		if (IS("flags") || IS("amdflags"))
			r->flags = (__u32)v;
		/* Event log flags of AMD: 0x8 interrupt request, 0x20 write. */
		if (IS("amdflags") && !(v & 0x8))
			r->access = v & 0x20 ? IOT_ACCESS_WRITE : IOT_ACCESS_READ;
		return true;
	}

	if (!take_number(c, 10, &v))
		return false;
	if (IS("queue"))
		r->queue = v <= 0x7fffffff ? (__s32)v : -1;
	if (IS("n"))
		r->suppressed = v;
	if (IS("ms"))
		r->stalled = v <= ~0ULL / 1000000 ? v * 1000000 : 0;
	if (IS("ep")) {
		r->rid = (__u32)v;
		r->rid_known = v <= 0xffffffff;
	}
	return true;
#undef IS
}

/* Moves to where the literal in front of the next field begins; the first place counts, so this is
 * linear. */
static bool skip_to(struct cursor *c, const char *literal)
{
	size_t len = strcspn(literal, "{");
	const char *at;

	if (!len) {
		c->p = c->end;
		return true;
	}
	at = memmem(c->p, (size_t)(c->end - c->p), literal, len);
	if (!at)
		return false;
	c->p = at;
	return true;
}

static bool match(struct cursor c, const char *pattern, struct klog_record *r)
{
	while (*pattern) {
		if (*pattern == ' ') {
			skip_blanks(&c);
			pattern++;
		} else if (*pattern == '{') {
			const char *close = strchr(pattern, '}');
			size_t len = (size_t)(close - pattern) - 1;

			if (len == 1 && pattern[1] == '*') {
				if (!skip_to(&c, close + 1))
					return false;
			} else if (!take_field(&c, pattern + 1, len, close[1], r)) {
				return false;
			}
			pattern = close + 1;
		} else if (!take_char(&c, *pattern++)) {
			return false;
		}
	}
	return true;
}

/*
 * The head "driver device[ interface …]: ". Returns its length with the blank behind the colon, or
 * 0; r is filled with driver and device. A PCI address has colons too, but none with a blank
 * behind.
 */
static size_t take_head(const char *line, size_t len, struct klog_record *r)
{
	const char *colon = memmem(line, len, ": ", 2);
	struct cursor c = { line, colon };

	if (!colon || colon - line > 120)
		return 0;
	if (!take_word(&c, 0, r->driver, sizeof(r->driver)))
		return 0;
	skip_blanks(&c);
	if (!take_word(&c, 0, r->dev, sizeof(r->dev))) {
		r->driver[0] = '\0';
		return 0;
	}
	skip_blanks(&c);
	take_word(&c, 0, r->ifname, sizeof(r->ifname));
	c = (struct cursor){ r->dev, r->dev + strlen(r->dev) };
	r->rid_known = take_rid(&c, &r->rid) && c.p == c.end;
	return (size_t)(colon - line) + 2;
}

static void reset(struct klog_record *r)
{
	*r = (struct klog_record){ .queue = -1 };
}

static bool match_line(const struct klog_format *f, const char *line, size_t len,
		       struct klog_record *r)
{
	struct cursor c = { line, line + len };
	size_t head = 0;

	reset(r);
	if (f->pattern[0] != '{')
		head = take_head(line, len, r);
	c.p += head;
	if (f->head_is_iommu) {
		/* Forget whom the head named. */
		reset(r);
	}
	if (!match(c, f->pattern, r)) {
		if (!head)
			return false;
		/* No head after all: "DMAR: DRHD: …" looks like one when the pattern itself has a
		 * colon. */
		reset(r);
		c.p = line;
		if (!match(c, f->pattern, r))
			return false;
	}
	r->kind = f->kind;
	r->signal = f->signal;
	r->error = f->error;
	return true;
}

static void match_more(const struct klog_format *f, const char *text, size_t len,
		       struct klog_record *r)
{
	while (len) {
		const char *nl = memchr(text, '\n', len);
		size_t line = nl ? (size_t)(nl - text) : len;
		struct cursor c = { text, text + line };

		skip_blanks(&c);
		if (match(c, f->more, r))
			return;
		if (!nl)
			return;
		text = nl + 1;
		len -= line + 1;
	}
}

/* Cheap test that most lines of a log fail: the pattern's first literal occurs at all. */
static bool may_match(const struct klog_format *f, const char *line, size_t len)
{
	const char *literal = f->pattern + strspn(f->pattern, " ");

	if (*literal == '{')
		literal = strchr(literal, '}') + 1;
	return memmem(line, len, literal, strcspn(literal, " {")) != NULL;
}

bool klog__parse(const char *text, size_t len, struct klog_record *out)
{
	struct klog_stamp unused;

	while (len) {
		const char *nl = memchr(text, '\n', len);
		size_t line = nl ? (size_t)(nl - text) : len,
		       skip = klog_stamp__skip(text, line, &unused);

		for (const struct klog_format *f = klog_formats; f->kind; f++) {
			if (!may_match(f, text + skip, line - skip))
				continue;
			if (!match_line(f, text + skip, line - skip, out))
				continue;
			if (f->more && nl)
				match_more(f, nl + 1, len - line - 1, out);
			return true;
		}
		if (!nl)
			break;
		text = nl + 1;
		len -= line + 1;
	}
	reset(out);
	return false;
}

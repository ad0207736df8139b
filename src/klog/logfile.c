// SPDX-License-Identifier: GPL-2.0-only
#include "klog/logfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "klog/stamp.h"

/* Far enough that nothing of one boot is joined with anything of the next. */
#define BETWEEN_BOOTS (3600 * 1000000000ULL)
#define DAY           (24 * 3600 * 1000000000ULL)
/* Bytes of a line that are looked at, many times what a record holds: whatever somebody takes for a
 * log costs no more memory. */
#define LINE_MAX_LEN 65536

struct record {
	union {
		struct iot_log ev;
		char bytes[sizeof(struct iot_log) + IOT_TEXT_MAX];
	};
	size_t len;  /* of the text so far, what doesn't fit included */
	__u64 stamp; /* as printed */
	bool open;
};

/* len may be more than there is of text: what is beyond LINE_MAX_LEN doesn't fit anyway. */
static void append(struct record *r, const char *text, size_t len)
{
	size_t at = r->len + (r->len > 0), room = IOT_TEXT_MAX - 1;

	if (r->len > 0 && r->len < room)
		r->ev.text[r->len] = '\n';
	if (at < room)
		memcpy(r->ev.text + at, text, len < room - at ? len : room - at);
	r->len = at + len;
}

static int finish(struct record *r, logfile_fn fn, void *ctx, struct logfile_info *info)
{
	size_t len = r->len < IOT_TEXT_MAX - 1 ? r->len : IOT_TEXT_MAX - 1,
	       padded = (len + 8) & ~(size_t)7;

	if (!r->open)
		return 0;
	memset(r->ev.text + len, 0, padded - len);
	r->ev.h.id = IOT_EV_LOG;
	r->ev.h.len = (__u16)(sizeof(r->ev) + padded);
	r->ev.full_len = (__u32)r->len;
	r->ev.text_len = (__u32)padded;
	r->open = false;
	info->records++;
	return fn(&r->ev, ctx);
}

static void begin(struct record *r, __u64 ts, __u64 stamp)
{
	memset(&r->ev, 0, sizeof(r->ev));
	r->ev.h.ts = ts;
	r->ev.h.cpu = 0xffff;
	r->len = 0;
	r->stamp = stamp;
	r->open = true;
}

/* What every boot begins with. */
static bool is_first_line(const char *text, size_t len)
{
	static const char first[] = "Linux version ";

	return len >= sizeof(first) - 1 && !memcmp(text, first, sizeof(first) - 1);
}

/* A line without its end, and its length, of which LINE_MAX_LEN bytes are in text. 1, 0 at the end
 * of the file, or negative errno. */
static int read_line(FILE *in, char *text, size_t *len)
{
	size_t n = 0;
	int c;

	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		if (n < LINE_MAX_LEN)
			text[n] = (char)c;
		n++;
	}
	if (c == EOF && ferror(in))
		return -(errno ?: EIO);
	while (n && n <= LINE_MAX_LEN && text[n - 1] == '\r')
		n--;
	*len = n;
	return c != EOF || n;
}

/* Where the lines are on one time line. */
struct clock {
	__u64 now, base;  /* base: of the boot */
	__u64 last, year; /* the day's clock: of the line before, and what further years add */
	__u64 first;
};

/* The day's clock counts from the file's first line; its years, where no line has one, are told by
 * months that go back. */
static __u64 of_day(struct clock *c, const struct klog_stamp *stamp)
{
	if (!c->first)
		c->first = stamp->ns;
	if (!stamp->has_year && stamp->ns + c->year + 180 * DAY < c->last)
		c->year += 366 * DAY; /* from one New Year of a leap year to the next */
	c->last = stamp->ns + c->year;
	return c->last > c->first ? c->last - c->first : 0;
}

static void note_clock(struct logfile_info *info, const struct klog_stamp *stamp, const char *line)
{
	if (!stamp->of_day || info->first[0])
		return;
	info->whole_seconds = stamp->whole;
	snprintf(info->first, sizeof(info->first), "%.*s", (int)stamp->len, line + stamp->at);
}

int logfile__read(FILE *in, logfile_fn fn, void *ctx, struct logfile_info *info)
{
	struct record *r = calloc(1, sizeof(*r));
	char *line = malloc(LINE_MAX_LEN);
	struct clock c = { .now = 1 };
	size_t len = 0;
	int err = r && line ? 0 : -ENOMEM;

	*info = (struct logfile_info){ .boots = 1 };
	while (!err && (err = read_line(in, line, &len)) > 0) {
		struct klog_stamp stamp = { 0 };
		size_t skip =
			klog_stamp__skip(line, len < LINE_MAX_LEN ? len : LINE_MAX_LEN, &stamp);
		__u64 at;

		err = 0;
		info->lines++;
		if (stamp.other) {
			err = finish(r, fn, ctx, info);
			continue;
		}
		if (r->open && (!skip ? r->stamp || line[0] == ' ' || line[0] == '\t'
				      : stamp.ns == r->stamp && skip < len && line[skip] == ' ')) {
			append(r, line + skip, len - skip);
			continue;
		}
		err = finish(r, fn, ctx, info);
		if (!skip)
			info->without_time++;
		note_clock(info, &stamp, line);
		if (info->records && skip && is_first_line(line + skip, len - skip)) {
			info->boots++;
			if (!stamp.of_day)
				c.base = c.now + BETWEEN_BOOTS;
		}
		at = stamp.of_day ? of_day(&c, &stamp) : c.base + stamp.ns;
		if (skip && at > c.now)
			c.now = at;
		begin(r, c.now, stamp.ns);
		append(r, line + skip, len - skip);
	}
	if (!err)
		err = finish(r, fn, ctx, info);
	free(line);
	free(r);
	return err;
}

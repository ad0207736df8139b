// SPDX-License-Identifier: GPL-2.0-only
#include "klog/logfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "klog/klog.h"

/* Far enough that nothing of one boot is joined with anything of the next. */
#define BETWEEN_BOOTS (3600 * 1000000000ULL)

struct record {
	union {
		struct iot_log ev;
		char bytes[sizeof(struct iot_log) + IOT_TEXT_MAX];
	};
	size_t len;  /* of the text so far, what doesn't fit included */
	__u64 stamp; /* as printed */
	bool open;
};

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

int logfile__read(FILE *in, logfile_fn fn, void *ctx, struct logfile_info *info)
{
	struct record *r = calloc(1, sizeof(*r));
	char *line = NULL;
	size_t size = 0;
	__u64 now = 1, base = 0;
	ssize_t got;
	int err = 0;

	*info = (struct logfile_info){ .boots = 1 };
	if (!r)
		return -ENOMEM;
	while (!err && (got = getline(&line, &size, in)) >= 0) {
		size_t len = (size_t)got, skip;
		__u64 stamp = 0;

		while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			len--;
		info->lines++;
		skip = klog__skip_stamp(line, len, &stamp);
		if (r->open && (!skip ? r->stamp || line[0] == ' ' || line[0] == '\t'
				      : stamp == r->stamp && skip < len && line[skip] == ' ')) {
			append(r, line + skip, len - skip);
			continue;
		}
		err = finish(r, fn, ctx, info);
		if (!skip)
			info->without_time++;
		if (info->records && skip && is_first_line(line + skip, len - skip)) {
			info->boots++;
			base = now + BETWEEN_BOOTS;
		}
		if (skip && base + stamp > now)
			now = base + stamp;
		begin(r, now, stamp);
		append(r, line + skip, len - skip);
	}
	if (!err && ferror(in))
		err = -EIO;
	if (!err)
		err = finish(r, fn, ctx, info);
	free(line);
	free(r);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE 1 /* memmem() */
#include "klog/stamp.h"

#include <string.h>

#define NS 1000000000ULL

/* The text that is left; every reader takes from its front, or leaves it as it is. */
struct text {
	const char *p;
	const char *end;
};

static bool take_char(struct text *t, char want)
{
	if (t->p >= t->end || *t->p != want)
		return false;
	t->p++;
	return true;
}

static void skip_blanks(struct text *t)
{
	while (take_char(t, ' '))
		;
}

/* A number of at most max digits, and of as many digits at least as min says. */
static bool take_digits(struct text *t, int min, int max, __u64 *out)
{
	const char *p = t->p;
	__u64 v = 0;

	while (p < t->end && p - t->p < max && *p >= '0' && *p <= '9')
		v = 10 * v + (__u64)(*p++ - '0');
	if (p - t->p < min || (p < t->end && *p >= '0' && *p <= '9'))
		return false;
	*out = v;
	t->p = p;
	return true;
}

/* One of several words, with a blank between them; its place in the list, or -1. */
static int take_word(struct text *t, const char *words)
{
	for (int i = 0;; i++) {
		size_t len = strcspn(words, " ");

		if ((size_t)(t->end - t->p) >= len && !memcmp(t->p, words, len)) {
			t->p += len;
			return i;
		}
		if (!words[len])
			return -1;
		words += len + 1;
	}
}

/* What isn't blank: the name of a host. */
static bool take_name(struct text *t)
{
	const char *p = t->p;

	while (p<t->end && * p> ' ' && p - t->p < 256)
		p++;
	if (p == t->p)
		return false;
	t->p = p;
	return true;
}

/* ".338214" in ns; 0 and nothing taken if there is none. */
static __u64 take_fraction(struct text *t, char point)
{
	struct text at = *t;
	const char *digits = at.p + 1;
	__u64 frac;

	if (!take_char(&at, point) || !take_digits(&at, 1, 9, &frac))
		return 0;
	for (long i = at.p - digits; i < 9; i++)
		frac *= 10;
	*t = at;
	return frac;
}

/* Whether its ns since 1970 fit, whatever its time zone. */
static bool is_year(__u64 year)
{
	return year > 1970 && year < 2400;
}

/* Since 1970; years that begin in March have their leap day at the end. */
static __u64 days(__u64 year, __u64 month, __u64 day)
{
	const __u64 y = month < 3 ? year - 1 : year, m = month < 3 ? month + 9 : month - 3;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* "09:00:01" */
static bool take_clock(struct text *t, __u64 *sec)
{
	struct text at = *t;
	__u64 h, m, s;

	if (!take_digits(&at, 2, 2, &h) || !take_char(&at, ':') || !take_digits(&at, 2, 2, &m) ||
	    !take_char(&at, ':') || !take_digits(&at, 2, 2, &s) || h > 23 || m > 59 || s > 60)
		return false;
	*sec = 3600 * h + 60 * m + s;
	*t = at;
	return true;
}

/* "Nov 22", "Nov  2" */
static bool take_month_day(struct text *t, __u64 *month, __u64 *day)
{
	struct text at = *t;
	int m = take_word(&at, "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec");

	if (m < 0 || !take_char(&at, ' '))
		return false;
	skip_blanks(&at);
	if (!take_digits(&at, 1, 2, day) || !*day || *day > 31 || !take_char(&at, ' '))
		return false;
	*month = (__u64)m + 1;
	*t = at;
	return true;
}

/* "<6>", or what dmesg -x prints: "kern  :info  : " */
static void skip_level(struct text *t)
{
	struct text at = *t;
	__u64 level;

	if (take_char(&at, '<')) {
		if (take_digits(&at, 1, 3, &level) && take_char(&at, '>'))
			*t = at;
		return;
	}
	if (take_word(&at, "kern user mail daemon authpriv auth syslog lpr news uucp cron ftp") < 0)
		return;
	skip_blanks(&at);
	if (!take_char(&at, ':') ||
	    take_word(&at, "emerg alert crit err warn notice info debug") < 0)
		return;
	skip_blanks(&at);
	if (take_char(&at, ':') && take_char(&at, ' '))
		*t = at;
}

/* Behind a time in brackets: the CPU or the thread that printed, "[    T1]", and a blank. */
static void skip_caller(struct text *t)
{
	const size_t left = (size_t)(t->end - t->p);
	const char *close = left && *t->p == '[' ? memchr(t->p, ']', left < 32 ? left : 32) : NULL;

	if (close)
		t->p = close + 1;
	take_char(t, ' ');
}

/* "[ 5959.338214] " */
static bool take_uptime(struct text *t, struct klog_stamp *out)
{
	struct text at = *t;
	const char *from;
	__u64 sec, frac;

	if (!take_char(&at, '['))
		return false;
	skip_blanks(&at);
	from = at.p;
	if (!take_digits(&at, 1, 10, &sec) || sec > ~0ULL / 2 / NS || at.p >= at.end ||
	    *at.p != '.')
		return false;
	frac = take_fraction(&at, '.');
	*out = (struct klog_stamp){ .ns = sec * NS + frac, .len = (size_t)(at.p - from) };
	if (!take_char(&at, ']'))
		return false;
	out->at = (size_t)(from - t->p);
	skip_caller(&at);
	*t = at;
	return true;
}

/* "[Sun Nov 22 09:00:01 2026] " */
static bool take_ctime(struct text *t, struct klog_stamp *out)
{
	struct text at = *t;
	__u64 month, day, sec, year;

	if (!take_char(&at, '[') || take_word(&at, "Sun Mon Tue Wed Thu Fri Sat") < 0 ||
	    !take_char(&at, ' ') || !take_month_day(&at, &month, &day) || !take_clock(&at, &sec) ||
	    !take_char(&at, ' ') || !take_digits(&at, 4, 4, &year) || !is_year(year))
		return false;
	*out = (struct klog_stamp){ .ns = (days(year, month, day) * 86400 + sec) * NS,
				    .at = 1,
				    .len = (size_t)(at.p - t->p) - 1,
				    .of_day = true,
				    .has_year = true,
				    .whole = true };
	if (!take_char(&at, ']'))
		return false;
	skip_caller(&at);
	*t = at;
	return true;
}

/* "Z", "+0000", "+00:00": seconds to take off. */
static bool take_zone(struct text *t, __s64 *sec)
{
	bool east = t->p < t->end && *t->p == '+';
	__u64 h, m;

	*sec = 0;
	if (take_char(t, 'Z'))
		return true;
	if (!take_char(t, '+') && !take_char(t, '-'))
		return false;
	/* four digits at once, or two and two */
	if (take_digits(t, 4, 4, &h)) {
		m = h % 100;
		h /= 100;
	} else if (!take_digits(t, 2, 2, &h) || !take_char(t, ':') || !take_digits(t, 2, 2, &m)) {
		return false;
	}
	*sec = (__s64)(3600 * h + 60 * m) * (east ? 1 : -1);
	return true;
}

/* "2026-11-22T09:00:01.338214+00:00 "; dmesg has a comma for the point, and no host behind it. */
static bool take_iso(struct text *t, struct klog_stamp *out, bool *dmesg)
{
	struct text at = *t;
	__u64 year, month, day, sec, frac;
	__s64 zone;

	if (!take_digits(&at, 4, 4, &year) || !take_char(&at, '-') ||
	    !take_digits(&at, 2, 2, &month) || !take_char(&at, '-') ||
	    !take_digits(&at, 2, 2, &day) || !take_char(&at, 'T') || !take_clock(&at, &sec) ||
	    !is_year(year) || !month || month > 12 || !day || day > 31)
		return false;
	*dmesg = at.p < at.end && *at.p == ',';
	*out = (struct klog_stamp){ .of_day = true, .has_year = true };
	out->whole = at.p >= at.end || (*at.p != ',' && *at.p != '.');
	frac = take_fraction(&at, *dmesg ? ',' : '.');
	if (!take_zone(&at, &zone))
		return false;
	out->len = (size_t)(at.p - t->p);
	if (!take_char(&at, ' '))
		return false;
	out->ns = (__u64)((__s64)(days(year, month, day) * 86400 + sec) - zone) * NS + frac;
	*t = at;
	return true;
}

/* "Nov 22 09:00:01.338214 " */
static bool take_syslog(struct text *t, struct klog_stamp *out)
{
	struct text at = *t;
	__u64 month, day, sec, frac;

	if (!take_month_day(&at, &month, &day) || !take_clock(&at, &sec))
		return false;
	*out = (struct klog_stamp){ .of_day = true, .whole = at.p >= at.end || *at.p != '.' };
	frac = take_fraction(&at, '.');
	out->len = (size_t)(at.p - t->p);
	if (!take_char(&at, ' '))
		return false;
	/* a leap year, so that there is a 29th of February */
	out->ns = (days(2000, month, day) * 86400 + sec) * NS + frac;
	*t = at;
	return true;
}

/* "host kernel: " */
static bool take_host(struct text *t)
{
	struct text at = *t;

	if (!take_name(&at) || !take_char(&at, ' ') || take_word(&at, "kernel:") < 0)
		return false;
	take_char(&at, ' ');
	*t = at;
	return true;
}

/* Whatever somebody's console server puts in front of "… kernel: [ 5959.338214] ". */
static size_t behind_anything(const char *line, size_t len, struct klog_stamp *out)
{
	static const char tag[] = " kernel: ";
	const char *kernel = memmem(line, len < 128 ? len : 128, tag, sizeof(tag) - 1);
	struct text t = { kernel ? kernel + sizeof(tag) - 1 : line + len, line + len };

	if (!take_uptime(&t, out))
		return 0;
	out->at += (size_t)(kernel + sizeof(tag) - 1 - line);
	return (size_t)(t.p - line);
}

size_t klog_stamp__skip(const char *line, size_t len, struct klog_stamp *out)
{
	struct text t = { line, line + len };
	struct klog_stamp uptime;
	bool dmesg = true;
	const char *from;

	skip_level(&t);
	from = t.p;
	if (take_uptime(&t, out)) {
		out->at += (size_t)(from - line);
		take_host(&t);
		return (size_t)(t.p - line);
	}
	if (!take_ctime(&t, out) && !take_iso(&t, out, &dmesg)) {
		if (!take_syslog(&t, out))
			return behind_anything(line, len, out);
		dmesg = false;
	}
	out->at += (size_t)(from - line);
	if (dmesg)
		return (size_t)(t.p - line);
	if (!take_host(&t)) {
		out->other = true;
		return (size_t)(t.p - line);
	}
	from = t.p;
	if (take_uptime(&t, &uptime)) {
		*out = uptime;
		out->at += (size_t)(from - line);
	}
	return (size_t)(t.p - line);
}

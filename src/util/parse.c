// SPDX-License-Identifier: GPL-2.0-only
#include "util/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* strtoull accepts blanks and a minus sign; a value for us starts with a digit. */
static int parse_number(const char *s, int base, uint64_t *out, const char **end)
{
	char *stop;

	if (!isdigit((unsigned char)*s) && !(base == 16 && isxdigit((unsigned char)*s)))
		return -EINVAL;
	errno = 0;
	*out = strtoull(s, &stop, base);
	if (errno)
		return -errno;
	*end = stop;
	return 0;
}

int parse__u64(const char *s, uint64_t *out)
{
	int base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
	const char *end;
	uint64_t v;
	int err;

	err = parse_number(s, base, &v, &end);
	if (err)
		return err;
	if (*end)
		return -EINVAL;
	*out = v;
	return 0;
}

int parse__size(const char *s, uint64_t *out)
{
	static const char units[] = "KMGT";
	const char *end, *unit;
	unsigned int shift = 0;
	uint64_t v;
	int err;

	err = parse_number(s, 10, &v, &end);
	if (err)
		return err;
	if (*end) {
		unit = strchr(units, toupper((unsigned char)*end));
		if (!unit)
			return -EINVAL;
		shift = 10 * (unsigned int)(unit - units + 1);
		end++;
		if (*end && strcmp(end, "B") && strcmp(end, "iB"))
			return -EINVAL;
	}
	if (v > UINT64_MAX >> shift)
		return -ERANGE;
	*out = v << shift;
	return 0;
}

int parse__duration(const char *s, uint64_t *out_ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", 1000000000 },
		{ "s", 1000000000 },
		{ "ms", 1000000 },
		{ "us", 1000 },
		{ "ns", 1 },
		{ "m", 60000000000 },
		{ "min", 60000000000 },
		{ "h", 3600000000000 },
	};
	uint64_t v, ns, frac = 0, scale = 1;
	const char *end;
	int err;

	err = parse_number(s, 10, &v, &end);
	if (err)
		return err;
	if (*end == '.') {
		if (!isdigit((unsigned char)*++end))
			return -EINVAL;
		for (; isdigit((unsigned char)*end); end++) {
			if (scale == 1000000000)
				continue; /* below a nanosecond of the largest unit that has
					     fractions */
			frac = frac * 10 + (uint64_t)(*end - '0');
			scale *= 10;
		}
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].name))
			continue;
		if (__builtin_mul_overflow(v, units[i].ns, &ns))
			return -ERANGE;
		/* frac < scale <= 1e9, so the quotient is exact to 1 ns and never overflows */
		ns += (uint64_t)((unsigned __int128)frac * units[i].ns / scale);
		*out_ns = ns;
		return 0;
	}
	return -EINVAL;
}

int parse__decimal(const char *s, unsigned int digits, uint64_t *out)
{
	const char *end;
	uint64_t v;
	int err;

	err = parse_number(s, 10, &v, &end);
	if (err)
		return err;
	if (*end == '.' && !isdigit((unsigned char)*++end))
		return -EINVAL;
	for (unsigned int i = 0; i < digits; i++) {
		uint64_t digit = isdigit((unsigned char)*end) ? (uint64_t)(*end++ - '0') : 0;

		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
			return -ERANGE;
	}
	if (*end)
		return -EINVAL;
	*out = v;
	return 0;
}

static int digits(const char *s, int n)
{
	int v = 0;

	while (n--)
		v = v * 10 + (*s++ - '0');
	return v;
}

int parse__date(const char *s, int32_t *out)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };
	int year, month, day, length, past;
	bool leap;

	for (int i = 0; i < 10; i++) {
		if (i == 4 || i == 7 ? s[i] != '-' : !isdigit((unsigned char)s[i]))
			return -EINVAL;
	}
	if (s[10])
		return -EINVAL;
	year = digits(s, 4);
	month = digits(s + 5, 2);
	day = digits(s + 8, 2);
	if (year < 1970)
		return -ERANGE;
	if (month < 1 || month > 12)
		return -EINVAL;
	leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
	length = before[month] - before[month - 1] + (leap && month == 2);
	if (day < 1 || day > length)
		return -EINVAL;
	past = year - 1; /* whole years since year 1, of which 1970 begins after 719162 days */
	*out = past * 365 + past / 4 - past / 100 + past / 400 - 719162 + before[month - 1] +
	       (leap && month > 2) + day - 1;
	return 0;
}

int parse__pci_rid(const char *s, uint32_t *out)
{
	uint64_t part[4];
	const char *colon = strchr(s, ':');
	int first = 1, err;

	if (colon && strchr(colon + 1, ':'))
		first = 0;
	part[0] = 0;
	for (int i = first; i < 4; i++) {
		const char sep = "::."[i < 3 ? i : 0];

		err = parse_number(s, 16, &part[i], &s);
		if (err)
			return err;
		if (i < 3 && *s++ != sep)
			return -EINVAL;
	}
	if (*s)
		return -EINVAL;
	if (part[0] > 0xffff || part[1] > 0xff || part[2] > 0x1f || part[3] > 7)
		return -ERANGE;
	*out = (uint32_t)(part[0] << 16 | part[1] << 8 | part[2] << 3 | part[3]);
	return 0;
}

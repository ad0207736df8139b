// SPDX-License-Identifier: GPL-2.0-only
/* What people write on a command line: taken to the end of the string, or refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/parse.h"

struct good {
	const char *text;
	uint64_t value;
};

static void check(int (*parse)(const char *, uint64_t *), const struct good *good, size_t nr_good,
		  const char *const *bad, size_t nr_bad)
{
	uint64_t v;

	for (size_t i = 0; i < nr_good; i++) {
		v = 12345;
		assert_int_equal(parse(good[i].text, &v), 0);
		assert_true(v == good[i].value);
	}
	for (size_t i = 0; i < nr_bad; i++) {
		v = 12345;
		assert_true(parse(bad[i], &v) < 0);
		assert_true(v == 12345); /* untouched */
	}
}
#define CHECK(parse, good, bad) \
	check(parse, good, sizeof(good) / sizeof(good[0]), bad, sizeof(bad) / sizeof(bad[0]))

static void numbers(void **state)
{
	static const struct good good[] = {
		{ "0", 0 }, { "42", 42 }, { "0x10", 16 }, { "18446744073709551615", UINT64_MAX }
	};
	static const char *const bad[] = { "",   " 1", "1 ",
					   "-1", "+1", "0x",
					   "1k", "x",  "18446744073709551616" };

	(void)state;
	CHECK(parse__u64, good, bad);
}

static void sizes(void **state)
{
	static const struct good good[] = { { "4096", 4096 },     { "64k", 65536 },
					    { "64K", 65536 },     { "64KiB", 65536 },
					    { "64kB", 65536 },    { "2M", 2 << 20 },
					    { "1G", 1ULL << 30 }, { "3T", 3ULL << 40 } };
	static const char *const bad[] = { "",   "k",    "64kk",      "64 k", "64KiBs",
					   "-1", "1.5M", "16777216T", "1X" };

	(void)state;
	CHECK(parse__size, good, bad);
}

static void durations(void **state)
{
	static const struct good good[] = { { "0", 0 },
					    { "2", 2000000000 },
					    { "250ms", 250000000 },
					    { "1.5s", 1500000000 },
					    { "10us", 10000 },
					    { "7ns", 7 },
					    { "3m", 180000000000 },
					    { "1h", 3600000000000 },
					    { "0.000000001", 1 },
					    { "1.0000000019", 1000000001 } };
	static const char *const bad[] = { "",    "s",   "1.",   ".5",          "1,5",
					   "1 s", "-1s", "5sec", "99999999999h" };

	(void)state;
	CHECK(parse__duration, good, bad);
}

static void requester_ids(void **state)
{
	static const struct {
		const char *text;
		uint32_t rid;
	} good[] = { { "0000:03:00.0", 0x0300 },
		     { "04:10.0", 0x0480 },
		     { "0001:ff:1f.7", 0x1ffff },
		     { "10000:00:00.0", 0 } };
	static const char *const bad[] = { "",        "03",       "03:00",    "03:00.8",
					   "03:20.0", "100:00.0", "03:00.0 ", "g3:00.0" };
	uint32_t rid;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(parse__pci_rid(good[i].text, &rid), 0);
		assert_int_equal(rid, good[i].rid);
	}
	/* Intel VMD's segments have five digits and don't fit a requester id of 32 bits */
	assert_int_equal(parse__pci_rid(good[3].text, &rid), -ERANGE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(parse__pci_rid(bad[i], &rid) < 0);
}

static int thousandths(const char *s, uint64_t *out)
{
	return parse__decimal(s, 3, out);
}

static void decimals(void **state)
{
	static const struct good good[] = { { "0", 0 },
					    { "99", 99000 },
					    { "99.9", 99900 },
					    { "0.001", 1 },
					    { "07.05", 7050 },
					    { "100.000", 100000 },
					    { "18446744073709551.615", UINT64_MAX } };
	static const char *const bad[] = { "",       ".5",    "1.",
					   "1.2345", "1.2.3", "-1",
					   "1 ",     "1%",    "18446744073709551.616" };

	(void)state;
	CHECK(thousandths, good, bad);
}

/* The days are those of `date -u -d DAY +%s`, divided by 86400. */
static void dates(void **state)
{
	static const struct {
		const char *text;
		int32_t day;
	} good[] = { { "1970-01-01", 0 },     { "1970-12-31", 364 },    { "1972-02-29", 789 },
		     { "1972-03-01", 790 },   { "2000-02-29", 11016 },  { "2027-01-31", 20849 },
		     { "2100-03-01", 47541 }, { "9999-12-31", 2932896 } };
	static const char *const bad[] = { "",           "2027-1-31",  "27-01-31",   "2027-01-31 ",
					   "2027-02-29", "2100-02-29", "2027-13-01", "2027-00-01",
					   "2027-04-31", "2027-04-00", "2027/01/31", "2027-01",
					   "1969-12-31", "31-01-2027", "+027-01-31", "2027-01-3x" };
	int32_t day = 12345;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(parse__date(bad[i], &day) < 0);
		assert_int_equal(day, 12345);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(parse__date(good[i].text, &day), 0);
		assert_int_equal(day, good[i].day);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),   cmocka_unit_test(sizes),
		cmocka_unit_test(durations), cmocka_unit_test(requester_ids),
		cmocka_unit_test(decimals),  cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

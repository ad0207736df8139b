// SPDX-License-Identifier: GPL-2.0-only
/* Tracing programs that the kernel skipped: a verdict is in doubt by those alone that would have
 * told what it rests on. */
#include "scene.h"

static void skipped(__u64 begin, __u64 end, const char *what)
{
	struct iot_loss ev = { .h = head(IOT_EV_LOSS, sizeof(ev), end),
			       .begin = AT(begin),
			       .count = 1,
			       .cause = IOT_LOST_RECURSION };

	strncpy(ev.what, what, sizeof(ev.what) - 1);
	feed(&ev);
}

static void never_mapped(const char *what)
{
	map_at(1000, IOVA + 0x100000, 0x1000, RW);
	skipped(1100, 1200, what);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
}

static void a_flush_is_no_map(void **state)
{
	(void)state;
	never_mapped("flush");
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void nor_is_an_iova(void **state)
{
	(void)state;
	never_mapped("iova-alloc");
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void a_map_is(void **state)
{
	(void)state;
	never_mapped("map");
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

/* An attach changes what is mapped for the device. */
static void an_attach_may_matter(void **state)
{
	(void)state;
	never_mapped("attach");
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void what_is_not_said_may_be_anything(void **state)
{
	(void)state;
	never_mapped("");
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void unmapped(const char *what)
{
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	skipped(3000, 4000, what);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	flush_at(9000, 9100, IOT_FLUSH_ALL);
}

/* It may have been the one that covers the unmap. */
static void a_missing_flush_leaves_open_whether_there_was_one(void **state)
{
	(void)state;
	unmapped("flush");
	expect(VERDICT_UNMAPPED, CONFIDENCE_CERTAIN);
	says("no map of the address was seen since, and no map or unmap is missing in between");
}

static void without_it_there_was_none(void **state)
{
	(void)state;
	unmapped("iova-free");
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
}

static void a_missing_map_leaves_the_owner_open(void **state)
{
	(void)state;
	unmapped("map");
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void a_flush_that_was_seen_is_enough(void **state)
{
	(void)state;
	used_after_the_flush();
	skipped(2500, 2600, "flush");
	expect(VERDICT_UNMAPPED_FLUSHED, CONFIDENCE_CERTAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_flush_is_no_map),
		SCENE(nor_is_an_iova),
		SCENE(a_map_is),
		SCENE(an_attach_may_matter),
		SCENE(what_is_not_said_may_be_anything),
		SCENE(a_missing_flush_leaves_open_whether_there_was_one),
		SCENE(without_it_there_was_none),
		SCENE(a_missing_map_leaves_the_owner_open),
		SCENE(a_flush_that_was_seen_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/* What the analysis says of one fault: the scenes of each verdict, and neighbours that must not
 * give it. */
#include "scene.h"

/* --- use after unmap
 * ------------------------------------------------------------------------------------------- */

static void access_before_the_flush_is_in_the_window(void **state)
{
	(void)state;
	used_before_the_flush();
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
	assert_true(first_fault()->dead.flushed);
	assert_int_equal(first_fault()->dead.flush_end, AT(9100));
	assert_int_equal(first_fault()->dead.map_ts, AT(1000));
}

static void access_without_any_flush_is_in_the_window(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
}

static void a_flush_that_began_before_the_unmap_does_not_cover_it(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(1990, 2100, IOT_FLUSH_ALL);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
}

static void
a_flush_that_began_before_the_unmap_and_ends_after_the_fault_does_not_cover_it(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	flush_at(1900, 6000, IOT_FLUSH_ALL);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
	assert_false(first_fault()->dead.flushed);
}

static void access_during_the_flush_is_told_apart(void **state)
{
	(void)state;
	used_during_the_flush();
	expect(VERDICT_UNMAPPED_FLUSHING, CONFIDENCE_CERTAIN);
}

static void access_after_the_flush_is_told_apart(void **state)
{
	(void)state;
	used_after_the_flush();
	expect(VERDICT_UNMAPPED_FLUSHED, CONFIDENCE_CERTAIN);
}

/* The end of a "Next" and of the incident's text: the evidence comes next. */
#define THEN_EVIDENCE " -"

static void used_after_unmap(bool strict, __u32 stack)
{
	struct iot_unmap ev = { .h = head(IOT_EV_UNMAP, sizeof(ev), 2000),
				.iova = IOVA,
				.size = 0x1000,
				.unmapped = 0x1000,
				.mode = strict ? IOT_UNMAP_STRICT : IOT_UNMAP_LAZY,
				.gather = strict ? 77 : 0 };

	ev.h.stack = stack;
	map_at(1000, IOVA, 0x1000, RW);
	feed(&ev);
	flush_at(3000, 3100, strict ? IOT_FLUSH_SYNC : IOT_FLUSH_ALL);
	fault_at(9000, IOVA, IOT_ACCESS_READ);
}

static void stacks_are_not_advised_where_there_is_one(void **state)
{
	(void)state;
	used_after_unmap(false, 5);
	says("before? Boot with iommu.strict=1 to have it fault closer to its "
	     "cause." THEN_EVIDENCE);
}

static void strict_is_not_advised_where_it_is(void **state)
{
	(void)state;
	used_after_unmap(true, 0);
	says("before? Record with --stacks to see that code." THEN_EVIDENCE);
}

static void a_fault_reported_right_after_the_flush_is_only_likely_after_it(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(3000, 3100, IOT_FLUSH_ALL);
	fault_at(3200, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_FLUSHED, CONFIDENCE_LIKELY);
}

static void a_sync_with_the_same_token_covers_a_strict_unmap(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_STRICT);
	flush_at(2001, 2010, IOT_FLUSH_SYNC);
	fault_at(9000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_UNMAPPED_FLUSHED, CONFIDENCE_CERTAIN);
	assert_int_equal(a->model.total.strict.nr, 1);
	assert_int_equal(a->model.total.strict.max, 10000);
}

static void a_sync_does_not_cover_a_lazy_unmap(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(2001, 2010, IOT_FLUSH_SYNC);
	fault_at(9000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
}

static void the_owner_of_one_page_of_a_longer_mapping_is_found(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x4000, RW);
	unmap_at(2000, IOVA + 0x1000, 0x1000, IOT_UNMAP_LAZY);
	fault_at(3000, IOVA + 0x1800, IOT_ACCESS_READ);
	/* What is below is live and ends right there: an overrun can't be excluded. */
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_LIKELY);
	assert_int_equal(first_fault()->dead.start, IOVA + 0x1000);
	assert_int_equal(first_fault()->dead.last, IOVA + 0x1fff);
}

static void long_after_the_unmap_it_is_only_likely(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(3000, 3100, IOT_FLUSH_ALL);
	fault_at(5002000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_FLUSHED, CONFIDENCE_LIKELY);
}

static void the_last_owner_counts_not_an_earlier_one(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(3000, 3100, IOT_FLUSH_ALL);
	map_at(4000, IOVA, 0x1000, RW);
	unmap_at(5000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(6000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
	assert_int_equal(first_fault()->dead.map_ts, AT(4000));
}

static void a_mapping_from_before_the_capture_still_has_an_unmap(void **state)
{
	(void)state;
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
	assert_int_equal(first_fault()->dead.map_ts, 0);
}

/* --- never mapped, mapped, unknown
 * ------------------------------------------------------------------------------ */

static void an_address_nobody_mapped_is_never_mapped(void **state)
{
	(void)state;
	map_at(1000, IOVA + 0x100000, 0x1000, RW);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void the_same_address_in_another_domain_says_nothing(void **state)
{
	struct iot_map other = {
		.h = head(IOT_EV_MAP, sizeof(other), 1000), .iova = IOVA, .size = 0x1000, .prot = RW
	};

	(void)state;
	other.h.domain = DOM + 1;
	feed(&other);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void in_a_domain_older_than_the_capture_it_cannot_be_known(void **state)
{
	(void)state;
	domain_event(30, IOT_DOMAIN_SEEN, IOT_F_SNAPSHOT);
	map_at(1000, IOVA + 0x100000, 0x1000, RW);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void a_write_to_a_read_only_mapping_is_a_matter_of_permission(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, 1);
	fault_at(3000, IOVA + 8, IOT_ACCESS_WRITE);
	expect(VERDICT_PERMISSION, CONFIDENCE_CERTAIN);
}

static void a_read_of_a_read_only_mapping_is_not_a_matter_of_permission(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, 1);
	fault_at(3000, IOVA + 8, IOT_ACCESS_READ);
	expect(VERDICT_MAPPED, CONFIDENCE_LIKELY);
}

static void a_map_right_before_the_report_may_have_come_after_the_access(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_STRICT);
	map_at(2950, IOVA, 0x1000, RW);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void a_failed_map_maps_nothing(void **state)
{
	struct iot_map failed = { .h = head(IOT_EV_MAP, sizeof(failed), 1000),
				  .iova = IOVA,
				  .size = 0x1000,
				  .prot = RW,
				  .ret = -12 };

	(void)state;
	feed(&failed);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
	assert_int_equal(a->model.total.map_failed, 1);
}

static void a_fault_without_address_stays_one(void **state)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), 3000), .source = IOT_SRC_HOOK };

	(void)state;
	map_at(1000, 0, 0x1000, RW);
	feed(&ev);
	expect(VERDICT_NO_ADDRESS, CONFIDENCE_CERTAIN);
}

static void a_device_in_no_known_domain_cannot_be_judged(void **state)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), 3000),
				.source = IOT_SRC_HOOK,
				.iova = IOVA,
				.iova_known = 1 };

	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	ev.h.dev = 9;
	ev.h.domain = 0;
	feed(&ev);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

/* report_iommu_fault() without a device. */
static void nameless_fault_at(__u64 us)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), us),
				.source = IOT_SRC_REPORT,
				.iova = IOVA,
				.iova_known = 1 };

	ev.h.dev = 0;
	feed(&ev);
}

static void a_fault_without_device_is_explained_by_its_domain(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(2100, 2200, IOT_FLUSH_ALL);
	nameless_fault_at(30000);
	expect(VERDICT_UNMAPPED_FLUSHED, CONFIDENCE_CERTAIN);
	assert_int_equal(only_incident()->dev, 0);
	says("Use after unmap, after the IOTLB flush: device not known");
	says("an unknown device tried to");
	says("device not known, access");
	says("refdma.0 is the only one that was in the domain");
}

static void its_hang_and_reset_belong_to_the_only_device_of_the_domain(void **state)
{
	(void)state;
	nameless_fault_at(3000);
	trouble(IOT_EV_HANG, 900000, DEV, "net_dev_xmit_timeout");
	trouble(IOT_EV_RESET, 900100, DEV, "pci reset");
	says("then a hang of refdma.0 and a reset");
	assert_int_equal(only_incident()->hang.count, 1);
	assert_int_equal(only_incident()->reset.count, 1);
}

static void of_several_devices_none_is_taken(void **state)
{
	(void)state;
	device(2, "refdma.1", "refdma", "", 5);
	attach(30, 2, DOM);
	nameless_fault_at(3000);
	trouble(IOT_EV_HANG, 900000, DEV, "net_dev_xmit_timeout");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
	assert_int_equal(a->incidents.list[0]->hang.count, 0);
	says("Which device it was: the IOMMU driver didn't say");
}

/* --- loss
 * -------------------------------------------------------------------------------------------------------
 */

static void loss_since_the_unmap_makes_it_unknown(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	loss(2500, 6000, IOT_LOST_RING); /* told of late, but it was before the fault */
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
	says("between 2.500 ms before and 1.000 ms after the fault");
}

static void a_loss_that_was_over_before_the_fault_is_said_to_be(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	loss(2500, 4250, IOT_LOST_RING);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
	says("are missing (place not known) from 2.500 ms to 0.750 ms before the fault;");
}

static void a_loss_that_began_with_the_fault_is_said_to_be_after_it(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	loss(5000, 6500, IOT_LOST_RING);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
	says("from 0.000 ms to 1.500 ms after the fault");
}

static void loss_before_the_unmap_changes_nothing(void **state)
{
	(void)state;
	loss(100, 900, IOT_LOST_RING);
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
}

static void loss_between_map_and_unmap_leaves_open_who_mapped(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	loss(1100, 1200, IOT_LOST_RING);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
	says("Between that map and the unmap events are missing");
}

static void loss_makes_never_mapped_unknown(void **state)
{
	(void)state;
	map_at(1000, IOVA + 0x100000, 0x1000, RW);
	loss(1100, 1200, IOT_LOST_RECURSION);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void loss_that_concerns_no_mapping_changes_nothing(void **state)
{
	(void)state;
	map_at(1000, IOVA + 0x100000, 0x1000, RW);
	loss(1100, 4000, IOT_LOST_LATE);
	loss(1100, 4000, IOT_LOST_BEGIN);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void a_flush_function_not_traced_leaves_the_flush_unknown(void **state)
{
	struct iot_loss ev = { .h = head(IOT_EV_LOSS, sizeof(ev), 4000),
			       .begin = AT(100),
			       .cause = IOT_LOST_UNHOOKED };

	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	feed(&ev);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED, CONFIDENCE_CERTAIN);
}

/* A flush that the end of the recording met, told of there. */
static void unended(__u64 begin, __u64 end)
{
	struct iot_loss ev = { .h = head(IOT_EV_LOSS, sizeof(ev), end),
			       .begin = AT(begin),
			       .count = 1,
			       .cause = IOT_LOST_UNENDED,
			       .what = "domain 3" };

	feed(&ev);
}

static void a_flush_that_never_ended_may_have_been_under_way(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	unended(4000, 900000);
	expect(VERDICT_UNMAPPED, CONFIDENCE_CERTAIN);
	says("A flush (domain 3) had begun, and had not ended when the recording did.");
	says("flush had begun and not ended at the end");
}

static void one_that_began_after_the_fault_was_not(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	unended(6000, 900000);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
}

/* Such a driver flushes in its own unmap function, past the operations that are traced. */
static void a_driver_without_sync_leaves_the_flush_of_a_strict_unmap_unknown(void **state)
{
	struct iot_domain ev = { .h = head(IOT_EV_DOMAIN, sizeof(ev), 30),
				 .what = IOT_DOMAIN_STATE,
				 .type = IOT_TYPE_DMA,
				 .group = -1,
				 .owner = 0xffffffffc0200000ULL };

	(void)state;
	feed(&ev);
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_STRICT);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED, CONFIDENCE_CERTAIN);
}

static void a_driver_with_sync_has_not_flushed_a_strict_unmap_yet(void **state)
{
	struct iot_domain ev = { .h = head(IOT_EV_DOMAIN, sizeof(ev), 30),
				 .what = IOT_DOMAIN_STATE,
				 .type = IOT_TYPE_DMA,
				 .group = -1,
				 .sync = 0xffffffffc0100000ULL,
				 .owner = 0xffffffffc0200000ULL };

	(void)state;
	feed(&ev);
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_STRICT);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
	says("Next: Look at the code that unmapped it");
}

static void a_forgotten_history_is_not_never_mapped(void **state)
{
	struct analysis_opts opts = { .history = 16 };

	end(state);
	assert_int_equal(analysis__new(&a, &opts), 0);
	device(DEV, "refdma.0", "refdma", "", 5);
	domain_event(10, IOT_DOMAIN_SEEN, 0);
	attach(20, DEV, DOM);
	for (__u64 i = 0; i < 40; i++) {
		map_at(1000 + i * 10, IOVA + i * 0x10000, 0x1000, RW);
		unmap_at(1005 + i * 10, IOVA + i * 0x10000, 0x1000, IOT_UNMAP_LAZY);
	}
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void the_report_says_how_long_attaching_took(void **state)
{
	struct iot_capture ev = { .h = head(IOT_EV_CAPTURE, sizeof(ev), 0),
				  .what = IOT_CAPTURE_BEGIN,
				  .attach_begin = T0 - 1700 * MS };
	char *text = NULL;
	size_t size;
	FILE *out;

	(void)state;
	feed(&ev);
	analysis__finish(a);
	out = open_memstream(&text, &size);
	report__text(out, a);
	fclose(out);
	assert_non_null(strstr(text, "Attaching took 1.7"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(the_report_says_how_long_attaching_took),
		SCENE(access_before_the_flush_is_in_the_window),
		SCENE(access_without_any_flush_is_in_the_window),
		SCENE(a_flush_that_began_before_the_unmap_does_not_cover_it),
		SCENE(a_flush_that_began_before_the_unmap_and_ends_after_the_fault_does_not_cover_it),
		SCENE(access_during_the_flush_is_told_apart),
		SCENE(access_after_the_flush_is_told_apart),
		SCENE(stacks_are_not_advised_where_there_is_one),
		SCENE(strict_is_not_advised_where_it_is),
		SCENE(a_fault_reported_right_after_the_flush_is_only_likely_after_it),
		SCENE(a_sync_with_the_same_token_covers_a_strict_unmap),
		SCENE(a_sync_does_not_cover_a_lazy_unmap),
		SCENE(the_owner_of_one_page_of_a_longer_mapping_is_found),
		SCENE(long_after_the_unmap_it_is_only_likely),
		SCENE(the_last_owner_counts_not_an_earlier_one),
		SCENE(a_mapping_from_before_the_capture_still_has_an_unmap),
		SCENE(an_address_nobody_mapped_is_never_mapped),
		SCENE(the_same_address_in_another_domain_says_nothing),
		SCENE(in_a_domain_older_than_the_capture_it_cannot_be_known),
		SCENE(a_write_to_a_read_only_mapping_is_a_matter_of_permission),
		SCENE(a_read_of_a_read_only_mapping_is_not_a_matter_of_permission),
		SCENE(a_map_right_before_the_report_may_have_come_after_the_access),
		SCENE(a_failed_map_maps_nothing),
		SCENE(a_fault_without_address_stays_one),
		SCENE(a_device_in_no_known_domain_cannot_be_judged),
		SCENE(a_fault_without_device_is_explained_by_its_domain),
		SCENE(its_hang_and_reset_belong_to_the_only_device_of_the_domain),
		SCENE(of_several_devices_none_is_taken),
		SCENE(loss_since_the_unmap_makes_it_unknown),
		SCENE(a_loss_that_was_over_before_the_fault_is_said_to_be),
		SCENE(a_loss_that_began_with_the_fault_is_said_to_be_after_it),
		SCENE(loss_before_the_unmap_changes_nothing),
		SCENE(loss_between_map_and_unmap_leaves_open_who_mapped),
		SCENE(loss_makes_never_mapped_unknown),
		SCENE(loss_that_concerns_no_mapping_changes_nothing),
		SCENE(a_flush_function_not_traced_leaves_the_flush_unknown),
		SCENE(a_flush_that_never_ended_may_have_been_under_way),
		SCENE(one_that_began_after_the_fault_was_not),
		SCENE(a_driver_without_sync_leaves_the_flush_of_a_strict_unmap_unknown),
		SCENE(a_driver_with_sync_has_not_flushed_a_strict_unmap_yet),
		SCENE(a_forgotten_history_is_not_never_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

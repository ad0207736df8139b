// SPDX-License-Identifier: GPL-2.0-only
/* Domains that end under a running device; mappings that should have worked; what the report says
 * of faults; storms. */
#include <time.h>

#include "scene.h"

#define NEXT 4 /* the domain that the device moves to */

static void move(__u64 us, __u32 type)
{
	detach(us, DEV, DOM);
	domain_of_type(us, NEXT, type, 0);
	attach(us, DEV, NEXT);
}

/* --- taken apart
 * ----------------------------------------------------------------------------------- */

static void a_mapping_lost_with_the_domain_is_teardown(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	move(5000, IOT_TYPE_DMA_FQ);
	fault_at(6000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_TORN_DOWN, CONFIDENCE_CERTAIN);
	says("1.00 ms after its domain was taken from it. There it had 0xfff0000-0xfff0fff (4 "
	     "KiB), "
	     "mapped "
	     "5.00 ms before the fault by task 61 and still mapped.");
	says("Next: The device has to be stopped before");
}

static void a_domain_freed_with_its_mappings_is_teardown(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	move(5000, IOT_TYPE_DMA_FQ);
	domain_event(5500, IOT_DOMAIN_FREE, 0);
	fault_at(6000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_TORN_DOWN, CONFIDENCE_CERTAIN);
	says("mapped 5.00 ms before the fault by task 61 and gone with its domain");
}

static void an_unmap_just_before_the_domain_goes_is_teardown(void **state)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), 6000),
				.iova = IOVA,
				.iova_known = 1,
				.access = IOT_ACCESS_WRITE,
				.source = IOT_SRC_REPORT };

	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(5000, IOVA, 0x1000, IOT_UNMAP_STRICT);
	flush_at(5001, 5010, IOT_FLUSH_SYNC);
	feed(&ev); /* the event names the domain */
	move(7000, IOT_TYPE_DMA_FQ);
	expect(VERDICT_TORN_DOWN, CONFIDENCE_CERTAIN);
	says("1.00 ms before its domain was taken from it. It was mapped 5.00 ms before");
}

static void an_unmap_long_before_the_domain_goes_is_not(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(5000, IOVA, 0x1000, IOT_UNMAP_STRICT);
	flush_at(5001, 5010, IOT_FLUSH_SYNC);
	fault_at(500000, IOVA, IOT_ACCESS_WRITE);
	move(550000, IOT_TYPE_DMA_FQ);
	expect(VERDICT_UNMAPPED_FLUSHED, CONFIDENCE_CERTAIN);
}

static void an_address_that_the_domain_before_never_had_is_not(void **state)
{
	(void)state;
	map_at(1000, IOVA + 0x100000, 0x1000, RW);
	move(5000, IOT_TYPE_DMA_FQ);
	fault_at(6000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void after_a_domain_that_is_older_than_the_capture_it_is_likely(void **state)
{
	(void)state;
	domain_event(30, IOT_DOMAIN_SEEN, IOT_F_SNAPSHOT);
	map_at(1000, IOVA + 0x100000, 0x1000, RW);
	move(5000, IOT_TYPE_DMA_FQ);
	fault_at(6000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_TORN_DOWN, CONFIDENCE_LIKELY);
}

static void a_blocking_domain_lets_nothing_through(void **state)
{
	(void)state;
	map_at(1000, IOVA + 0x100000, 0x1000, RW);
	move(5000, IOT_TYPE_BLOCKED);
	fault_at(4000000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_TORN_DOWN, CONFIDENCE_CERTAIN);
	says("in a domain that blocks every access");
}

static void a_device_in_no_domain_any_more_is_teardown(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	detach(5000, DEV, DOM);
	fault_at(6000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_TORN_DOWN, CONFIDENCE_CERTAIN);
}

static void a_domain_that_it_left_and_came_back_to_is_whole(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	detach(2000, DEV, DOM);
	attach(2500, DEV, DOM);
	fault_at(50000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_MAPPED, CONFIDENCE_LIKELY);
}

static void with_rare_events_lost_it_may_be_in_one(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	detach(5000, DEV, DOM);
	fault_at(6000, IOVA, IOT_ACCESS_WRITE);
	loss(5500, 6500, IOT_LOST_RARE);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void what_a_reset_unmaps_is_teardown(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	trouble(IOT_EV_RESET, 4000, DEV, "pci reset");
	unmap_at(5000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(6000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_TORN_DOWN, CONFIDENCE_LIKELY);
	says("which had been unmapped during a reset of the device");
}

static void what_was_unmapped_before_the_reset_is_not(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(3000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	trouble(IOT_EV_RESET, 4000, DEV, "pci reset");
	fault_at(6000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
	says("The device had been reset 2.00 ms before.");
}

/* --- mapped
 * ---------------------------------------------------------------------------------------- */

static void a_fault_that_goes_on_at_a_fresh_mapping_is_no_race(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_STRICT);
	map_at(2950, IOVA, 0x1000, RW);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	fault_at(13000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_MAPPED, CONFIDENCE_LIKELY);
	says("2 faults in all, in 10.0 ms, at one page");
}

static void a_fresh_mapping_of_an_address_that_nobody_had_is_no_race(void **state)
{
	(void)state;
	map_at(2950, IOVA, 0x1000, RW);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_MAPPED, CONFIDENCE_LIKELY);
	says("before that nobody is known to have had the address");
}

static void after_a_flush_the_page_table_is_to_blame(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	flush_at(2000, 2100, IOT_FLUSH_ALL);
	fault_at(30000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_MAPPED, CONFIDENCE_LIKELY);
	says("The whole domain has been flushed since");
}

static void without_one_the_iotlb_may_be_wrong_too(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	fault_at(30000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_MAPPED, CONFIDENCE_LIKELY);
	says("the IOTLB may also still hold that nothing is mapped there");
}

static void a_loss_since_the_map_makes_it_unknown(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	loss(2000, 2100, IOT_LOST_RING);
	fault_at(30000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void the_right_that_the_mapping_before_had_makes_permission_less_sure(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_STRICT);
	flush_at(2001, 2010, IOT_FLUSH_SYNC);
	map_at(2100, IOVA, 0x1000, 1);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_PERMISSION, CONFIDENCE_LIKELY);
	says("this may be a late use of that one");
}

static void an_access_of_no_known_kind_may_be_a_matter_of_permission(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, 1);
	fault_at(3000, IOVA, IOT_ACCESS_UNKNOWN);
	expect(VERDICT_PERMISSION, CONFIDENCE_LIKELY);
}

static void in_an_identity_domain_nothing_can_be_known(void **state)
{
	(void)state;
	move(100, IOT_TYPE_IDENTITY);
	map_in(1000, 9, IOVA, 0x1000, RW);
	fault_at(3000000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
	says("the domain passes addresses through as they are");
}

/* --- what is said of the rest of the tree
 * ----------------------------------------------------------- */

static void use_after_unmap_is_told_with_owner_flush_and_reuse(void **state)
{
	(void)state;
	used_after_the_flush();
	map_at(12000, IOVA, 0x1000, RW);
	expect(VERDICT_UNMAPPED_FLUSHED, CONFIDENCE_CERTAIN);
	assert_int_equal(first_fault()->dead.epoch, 1);
	assert_int_equal(first_fault()->reuse.map_ts, AT(12000));
	says("refdma.0 (refdma) tried to read IOVA 0xfff0000 in domain 3 (DMA-FQ, lazy) after it "
	     "had "
	     "been unmapped. It was mapped 8.00 ms before the fault by task 61 and unmapped 7.00 "
	     "ms "
	     "before the fault by the same task. The unmap was lazy; the IOTLB flush that covers "
	     "it "
	     "(timer) ended 1.10 ms after the unmap and 5.90 ms before the fault");
	says("The address was given out again 3.00 ms after the fault, to task 61.");
	says("covers the unmap; the domain's flush 1; took 100 us, window 1.10 ms");
}

static void a_reuse_that_ended_again_is_found_too(void **state)
{
	(void)state;
	used_after_the_flush();
	map_at(12000, IOVA, 0x1000, RW);
	unmap_at(13000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	map_at(14000, IOVA, 0x1000, RW);
	only_incident();
	assert_int_equal(first_fault()->reuse.map_ts, AT(12000));
}

static void an_open_window_is_told(void **state)
{
	(void)state;
	used_before_the_flush();
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
	says("the IOTLB flush that covers it (timer) began only 4.00 ms after the fault: the "
	     "window "
	     "was open");
	says("Next: Boot with iommu.strict=1");
}

static void a_flush_in_flight_is_told(void **state)
{
	(void)state;
	used_during_the_flush();
	expect(VERDICT_UNMAPPED_FLUSHING, CONFIDENCE_CERTAIN);
	says("had begun 1.00 ms before the fault and ended 1.00 ms after it");
}

static void never_mapped_no_address_and_unknown_are_told(void **state)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), 6000000),
				.source = IOT_SRC_HOOK };

	(void)state;
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	feed(&ev);
	says("tried to read IOVA 0xfff0000 in domain 3 (DMA-FQ, lazy), which was never mapped "
	     "there. "
	     "Certain: the domain has been watched from its beginning, and no map of it is "
	     "missing");
	says("Fault without an address: refdma.0");
	says("tried to access memory in domain 3 (DMA-FQ, lazy), and the IOMMU refused. Certain: "
	     "the "
	     "record of the fault has no address");
}

static void a_suppressed_count_is_a_floor(void **state)
{
	(void)state;
	log_line(3000, "DMAR: [DMA Read NO_PASID] Request device [00:03.0] fault addr 0xfff0000 "
		       "[fault reason 0x06] x");
	log_line(3100, "DMAR: [DMA Read NO_PASID] Request device [00:03.0] fault addr 0xfff0000 "
		       "[fault reason 0x06] x");
	log_line(4003000, "dmar_fault: 25 callbacks suppressed");
	only_incident();
	says("At least 2 faults in all");
}

/* --- storms
 * ---------------------------------------------------------------------------------------- */

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The work is counted, because time isn't the same everywhere; the seconds are for whoever reads
 * the log. */
static void a_storm_of_faults_costs_no_more_than_its_bound(void **state)
{
	double begin = cpu_seconds();

	(void)state;
	for (__u64 i = 0; i < 70000; i++) {
		map_at(1000 + i, IOVA + (i << 14), 0x1000, RW);
		unmap_at(1000 + i, IOVA + (i << 14), 0x1000, IOT_UNMAP_LAZY);
	}
	/* Each burst is an incident of its own; each page is looked for in the whole history. */
	for (__u64 i = 0; i < 100000; i++)
		fault_at(200000 + i / 16 * 1100000 + i % 16, 0x1000 + (i << 13), IOT_ACCESS_READ);
	analysis__finish(a);
	print_message("%u incidents, %llu looked at, %.2f s\n", a->incidents.nr, a->incidents.work,
		      cpu_seconds() - begin);
	assert_int_equal(a->incidents.nr, INCIDENTS_MAX);
	/* What any number of faults may cost, and the least for each that is kept. */
	assert_true(a->incidents.work <
		    (1ULL << 24) + 16 * 70000 + 65536 + 3ULL * 1024 * 16 * a->incidents.nr);
}

static void when_the_work_is_used_up_it_says_how_far_it_looked(void **state)
{
	(void)state;
	for (__u64 i = 0; i < 5000; i++) {
		map_at(1000 + i * 10, IOVA + (i << 14), 0x1000, RW);
		unmap_at(1005 + i * 10, IOVA + (i << 14), 0x1000, IOT_UNMAP_LAZY);
	}
	a->incidents.work = 1ULL << 40;
	fault_at(60000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
	/* The newest 1024 of 5000: the oldest of these was unmapped at 1005 + 3976 * 10 µs. */
	assert_int_equal(first_fault()->forgotten, AT(1005 + 39760));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_mapping_lost_with_the_domain_is_teardown),
		SCENE(a_domain_freed_with_its_mappings_is_teardown),
		SCENE(an_unmap_just_before_the_domain_goes_is_teardown),
		SCENE(an_unmap_long_before_the_domain_goes_is_not),
		SCENE(an_address_that_the_domain_before_never_had_is_not),
		SCENE(after_a_domain_that_is_older_than_the_capture_it_is_likely),
		SCENE(a_blocking_domain_lets_nothing_through),
		SCENE(a_device_in_no_domain_any_more_is_teardown),
		SCENE(a_domain_that_it_left_and_came_back_to_is_whole),
		SCENE(with_rare_events_lost_it_may_be_in_one),
		SCENE(what_a_reset_unmaps_is_teardown),
		SCENE(what_was_unmapped_before_the_reset_is_not),
		SCENE(a_fault_that_goes_on_at_a_fresh_mapping_is_no_race),
		SCENE(a_fresh_mapping_of_an_address_that_nobody_had_is_no_race),
		SCENE(after_a_flush_the_page_table_is_to_blame),
		SCENE(without_one_the_iotlb_may_be_wrong_too),
		SCENE(a_loss_since_the_map_makes_it_unknown),
		SCENE(the_right_that_the_mapping_before_had_makes_permission_less_sure),
		SCENE(an_access_of_no_known_kind_may_be_a_matter_of_permission),
		SCENE(in_an_identity_domain_nothing_can_be_known),
		SCENE(use_after_unmap_is_told_with_owner_flush_and_reuse),
		SCENE(a_reuse_that_ended_again_is_found_too),
		SCENE(an_open_window_is_told),
		SCENE(a_flush_in_flight_is_told),
		SCENE(never_mapped_no_address_and_unknown_are_told),
		SCENE(a_suppressed_count_is_a_floor),
		SCENE(a_storm_of_faults_costs_no_more_than_its_bound),
		SCENE(when_the_work_is_used_up_it_says_how_far_it_looked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

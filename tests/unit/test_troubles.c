// SPDX-License-Identifier: GPL-2.0-only
/* Errors, failed invalidations, stalled flushes, and hangs that the IOMMU has no part in. */
#include "scene.h"

#define PEER 2

static void stalled_hang(__u64 us, __u32 dev, __u64 ms)
{
	struct iot_trouble ev = { .h = head(IOT_EV_HANG, sizeof(ev), us),
				  .queue = 0,
				  .source = IOT_SRC_HOOK,
				  .stalled = ms * MS,
				  .what = "net_dev_xmit_timeout" };

	ev.h.dev = dev;
	ev.h.domain = 0;
	feed(&ev);
}

static void two_devices(const char *iommu_of_peer)
{
	device_with(DEV, "0000:03:00.0", "ixgbe", "", 5, "dmar0", 0);
	device_with(PEER, "0000:04:00.0", "nvme", "", 6, iommu_of_peer, 0);
}

/* --- failed invalidations
 * -------------------------------------------------------------------------- */

static void a_failed_invalidation_is_an_incident_of_its_device(void **state)
{
	const struct incident *i;

	(void)state;
	two_devices("dmar0");
	error_at(5000, DEV, IOT_ERROR_INVALIDATION, "Invalidation Time-out Error");
	i = only_incident();
	assert_int_equal(i->judgement.verdict, VERDICT_INVALIDATION);
	assert_int_equal(i->judgement.confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(a->model.total.errors, 1);
	says("IOTLB invalidation failed: 0000:03:00.0");
	says("The IOMMU driver reported that an invalidation failed or timed out (Invalidation "
	     "Time-out Error), of 0000:03:00.0 (ixgbe).");
	says("Next: Boot with pci=noats");
}

static void a_reset_before_it_is_told(void **state)
{
	const struct incident *i;

	(void)state;
	two_devices("dmar0");
	trouble(IOT_EV_RESET, 4000, DEV, "pci reset");
	error_at(204000, DEV, IOT_ERROR_INVALIDATION, "Invalidation Time-out Error");
	i = only_incident();
	assert_int_equal(i->before.count, 1);
	assert_int_equal(i->before.relation.kind, RELATION_SAME);
	assert_int_equal(i->reset.count, 0);
	says("The device was reset 200 ms before (pci reset). A device that is reset while an "
	     "invalidation of its own TLB is under way never answers it");
}

/* AMD's completion wait names no device: the only one that was reset is the likely one. */
static void without_a_device_the_only_one_reset_is_named(void **state)
{
	const struct incident *i;

	(void)state;
	two_devices("dmar0");
	trouble(IOT_EV_RESET, 4000, PEER, "pci reset");
	error_at(204000, 0, IOT_ERROR_INVALIDATION, "Completion-Wait loop timed out");
	error_at(304000, 0, IOT_ERROR_INVALIDATION, "Completion-Wait loop timed out");
	stalled_hang(9000000, DEV, 5000);
	i = only_incident();
	assert_int_equal(i->judgement.verdict, VERDICT_INVALIDATION);
	assert_int_equal(i->judgement.confidence, CONFIDENCE_LIKELY);
	assert_int_equal(i->error.count, 2);
	assert_int_equal(i->before.dev, PEER);
	assert_int_equal(i->hang.count, 1);
	says("0000:04:00.0 (nvme) was reset 200 ms before");
	says("IOTLB invalidation failed, after a reset of 0000:04:00.0, then a hang of "
	     "0000:03:00.0");
	says("of all devices, only this one was reset in the minute before");
	says("That they belong together is inferred from the time alone");
}

static void of_two_resets_none_is_named(void **state)
{
	const struct incident *i;

	(void)state;
	two_devices("dmar0");
	trouble(IOT_EV_RESET, 3000, DEV, "pci reset");
	trouble(IOT_EV_RESET, 4000, PEER, "pci reset");
	error_at(204000, 0, IOT_ERROR_INVALIDATION, "Completion-Wait loop timed out");
	i = only_incident();
	assert_int_equal(i->before.count, 0);
	says("the IOMMU driver reported it, but not of which device");
}

static void a_hang_behind_the_same_iommu_joins_and_another_does_not(void **state)
{
	(void)state;
	two_devices("dmar0");
	device_with(7, "0000:80:00.0", "e1000e", "", 9, "dmar1", 0);
	error_at(5000, DEV, IOT_ERROR_INVALIDATION, "Invalidation Time-out Error");
	stalled_hang(5000000, PEER, 5000);
	stalled_hang(5000100, 7, 5000);
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
	assert_int_equal(a->incidents.list[0]->hang.dev, PEER);
	assert_int_equal(a->incidents.list[0]->hang.relation.kind, RELATION_IOMMU);
	assert_int_equal(a->incidents.list[1]->judgement.verdict, VERDICT_NO_FAULT);
	says("Both wait for the same IOMMU (dmar0).");
}

static void errors_that_are_none_of_its_business_make_no_incident(void **state)
{
	(void)state;
	two_devices("dmar0");
	error_at(5000, DEV, IOT_ERROR_AER, "aer corrected");
	error_at(6000, 0, IOT_ERROR_IOMMU, "event log overflow");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 0);
	assert_int_equal(a->model.total.errors, 2);
}

static void an_aer_error_before_a_hang_is_told_with_it(void **state)
{
	const struct incident *i;

	(void)state;
	two_devices("dmar0");
	error_at(30000000, DEV, IOT_ERROR_AER, "aer uncorrected");
	error_at(30000000, PEER, IOT_ERROR_AER, "aer of another");
	stalled_hang(34000000, DEV, 5000);
	i = only_incident();
	assert_int_equal(i->judgement.verdict, VERDICT_NO_FAULT);
	assert_int_equal(i->error.count, 1);
	assert_int_equal(i->error.dev, DEV);
	says("4.00 s before the hang, a PCI Express error was reported (aer uncorrected).");
}

static void an_aer_error_after_a_fault_joins_it(void **state)
{
	(void)state;
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	error_at(4000, DEV, IOT_ERROR_AER, "aer uncorrected");
	assert_int_equal(only_incident()->error.count, 1);
	says("1.00 ms after the fault, a PCI Express error was reported");
}

static void when_the_iommu_lost_events_no_fault_proves_nothing(void **state)
{
	(void)state;
	two_devices("dmar0");
	error_at(59000000, 0, IOT_ERROR_IOMMU, "event log overflow");
	stalled_hang(60000000, DEV, 5000);
	/* An error that names no IOMMU may be of another one than the device's. */
	expect(VERDICT_NO_FAULT, CONFIDENCE_UNKNOWN);
	says("the IOMMU reported an error of its own (event log overflow) in that time");
}

/* --- stalled flushes
 * ------------------------------------------------------------------------------ */

static void usual_flushes(void)
{
	for (__u64 n = 0; n < 20; n++)
		flush_at(1000 + n * 100, 1010 + n * 100, IOT_FLUSH_ALL);
}

static void a_flush_of_300_ms_is_a_stall(void **state)
{
	const struct incident *i;

	(void)state;
	usual_flushes();
	flush_at(10000, 310000, IOT_FLUSH_ALL);
	i = only_incident();
	assert_int_equal(i->judgement.verdict, VERDICT_FLUSH_STALL);
	assert_int_equal(i->judgement.confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(i->dev, DEV);
	assert_int_equal(i->stall.begin, AT(10000));
	assert_int_equal(i->first, AT(10000));
	says("IOTLB flush stalled: refdma.0");
	says("A flush of the IOTLB (all of domain 3, refdma.0 (refdma); timer) took 300 ms, where "
	     "half "
	     "of that domain's take less than");
	says("Next: See whether other devices behind the same IOMMU stall too");
}

static void a_flush_of_99_ms_is_none(void **state)
{
	(void)state;
	usual_flushes();
	flush_at(10000, 109900, IOT_FLUSH_ALL);
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 0);
}

static void where_all_flushes_are_slow_a_slow_one_is_no_stall(void **state)
{
	(void)state;
	for (__u64 n = 0; n < 20; n++)
		flush_at(1000 + n * 20000, 11000 + n * 20000, IOT_FLUSH_ALL);
	flush_at(1000000, 1300000, IOT_FLUSH_ALL);
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 0);
}

static void stalls_of_one_domain_are_one_incident(void **state)
{
	const struct incident *i;

	(void)state;
	usual_flushes();
	flush_at(10000, 310000, IOT_FLUSH_ALL);
	flush_at(400000, 900000, IOT_FLUSH_ALL);
	flush_at(1000000, 1200000, IOT_FLUSH_ALL);
	i = only_incident();
	assert_int_equal(i->stall.count, 3);
	assert_int_equal(i->stall.begin, AT(400000));
	says("It was the longest of 3 that stalled.");
}

static void a_hang_while_the_flush_lasts_belongs_to_it(void **state)
{
	const struct incident *i;

	(void)state;
	usual_flushes();
	trouble(IOT_EV_HANG, 5000000, DEV, "net_dev_xmit_timeout");
	flush_at(10000, 7000000, IOT_FLUSH_ALL);
	i = only_incident();
	assert_int_equal(i->judgement.verdict, VERDICT_FLUSH_STALL);
	assert_int_equal(i->judgement.confidence, CONFIDENCE_LIKELY);
	assert_int_equal(i->hang.count, 1);
	says("IOTLB flush stalled: refdma.0, then a hang");
}

static void a_hang_before_the_flush_does_not(void **state)
{
	(void)state;
	usual_flushes();
	trouble(IOT_EV_HANG, 5000000, DEV, "net_dev_xmit_timeout");
	flush_at(5100000, 7000000, IOT_FLUSH_ALL);
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
	assert_int_equal(a->incidents.list[0]->judgement.verdict, VERDICT_NO_FAULT);
}

static void a_hang_after_the_flush_joins(void **state)
{
	(void)state;
	usual_flushes();
	flush_at(10000, 7000000, IOT_FLUSH_ALL);
	trouble(IOT_EV_HANG, 8000000, DEV, "net_dev_xmit_timeout");
	assert_int_equal(only_incident()->hang.relation.kind, RELATION_SAME);
}

static void a_time_out_in_the_flush_is_its_cause(void **state)
{
	const struct incident *i;

	(void)state;
	usual_flushes();
	error_at(200000, 0, IOT_ERROR_INVALIDATION, "invalidation timed out");
	flush_at(10000, 310000, IOT_FLUSH_ALL);
	i = only_incident();
	assert_int_equal(i->judgement.verdict, VERDICT_INVALIDATION);
	assert_int_equal(i->stall.count, 1);
}

static void a_time_out_right_after_the_flush_is_its_cause(void **state)
{
	(void)state;
	usual_flushes();
	flush_at(10000, 310000, IOT_FLUSH_ALL);
	error_at(310100, 0, IOT_ERROR_INVALIDATION, "invalidation timed out");
	assert_int_equal(only_incident()->judgement.verdict, VERDICT_INVALIDATION);
}

static void a_short_flush_tells_whose_time_out_it_was(void **state)
{
	(void)state;
	usual_flushes();
	error_at(60000, 0, IOT_ERROR_INVALIDATION, "invalidation timed out");
	flush_at(60100, 60200, IOT_FLUSH_ALL);
	assert_int_equal(only_incident()->stall.count, 0);
	assert_int_equal(only_incident()->dev, 0);
	flush_at(10000, 70000, IOT_FLUSH_ALL);
	assert_int_equal(only_incident()->stall.count, 1);
	assert_int_equal(only_incident()->dev, DEV);
	flush_at(70100, 70200, IOT_FLUSH_ALL);
	assert_int_equal(only_incident()->stall.count, 1);
}

static void an_iommu_that_names_itself_is_not_the_device(void **state)
{
	(void)state;
	usual_flushes();
	log_line(309000, "refiommu refiommu.0: invalidation timed out after 300 ms");
	flush_at(10000, 310000, IOT_FLUSH_ALL);
	expect(VERDICT_INVALIDATION, CONFIDENCE_LIKELY);
	says("IOTLB invalidation failed: refdma.0");
	says("in the time of a flush for this one; it may have waited for another's");
}

static void a_flush_whose_begin_may_be_anothers_is_only_likely(void **state)
{
	(void)state;
	usual_flushes();
	flush_at(10000, 310000, IOT_FLUSH_ALL);
	loss(20000, 30000, IOT_LOST_BEGIN);
	expect(VERDICT_FLUSH_STALL, CONFIDENCE_LIKELY);
}

/* --- the IOMMU is not the cause
 * -------------------------------------------------------------------- */

/* Three flushes of 100 µs in the 5 s before the hang. */
static const struct incident *quiet_hang(void)
{
	for (__u64 n = 0; n < 3; n++)
		flush_at(56000000 + n * 1000, 56000100 + n * 1000, IOT_FLUSH_ALL);
	map_at(56500000, IOVA, 0x1000, RW);
	stalled_hang(60000000, DEV, 5000);
	return only_incident();
}

static void a_hang_without_anything_clears_the_iommu(void **state)
{
	const struct incident *i = quiet_hang();

	(void)state;
	assert_int_equal(i->judgement.verdict, VERDICT_NO_FAULT);
	assert_int_equal(i->judgement.confidence, CONFIDENCE_LIKELY);
	assert_true(i->cleared);
	assert_int_equal(i->share.flush_ns, 300000);
	assert_int_equal(i->share.flush_longest, 100000);
	says("By all that can be seen, the IOMMU is not the cause. Flushes of its domain took 300 "
	     "us "
	     "of the 5.00 s before it (3 of them, the longest 100 us).");
	says("Next: Look elsewhere first");
	says("How long IOVA allocations took wasn't recorded");
}

static void an_emulated_amd_iommu_is_not_cleared_by_silence(void **state)
{
	(void)state;
	amd_iommu("1f03000f");
	assert_false(quiet_hang()->cleared);
	says("so nothing here says that the IOMMU is the cause.");
	says("The machine is virtual (ivhd0 caches what isn't present)");
}

static void a_lost_fault_does_not_clear_it(void **state)
{
	(void)state;
	quiet_hang();
	loss(59000000, 59500000, IOT_LOST_RARE);
	assert_false(only_incident()->cleared);
	expect(VERDICT_NO_FAULT, CONFIDENCE_UNKNOWN);
}

static void a_lost_flush_does_not_clear_it(void **state)
{
	(void)state;
	quiet_hang();
	loss(59000000, 59500000, IOT_LOST_RING);
	assert_false(only_incident()->cleared);
	says("so nothing here says that the IOMMU is the cause.");
}

static void a_large_share_does_not_clear_it(void **state)
{
	const struct incident *i;

	(void)state;
	for (__u64 n = 0; n < 40; n++)
		flush_at(56000000 + n * 100000, 56090000 + n * 100000, IOT_FLUSH_ALL);
	map_at(59990000, IOVA, 0x1000, RW);
	stalled_hang(60000000, DEV, 5000);
	i = only_incident();
	assert_false(i->cleared);
	assert_int_equal(i->share.flushes, 40);
	assert_int_equal(i->share.flush_ns, 40 * 90 * MS);
	says("Next: The IOMMU took a good part of that time");
}

static void slow_iova_allocations_do_not_clear_it(void **state)
{
	struct iot_iova ev = { .h = head(IOT_EV_IOVA_ALLOC, sizeof(ev), 58000000),
			       .iova = IOVA,
			       .size = 0x1000,
			       .begin = AT(57000000) };

	(void)state;
	feed(&ev);
	assert_false(quiet_hang()->cleared);
	says("IOVA allocations 1.00 s (1, the longest 1.00 s)");
}

static void without_maps_nothing_is_said_of_the_share(void **state)
{
	(void)state;
	stalled_hang(60000000, DEV, 5000);
	assert_false(only_incident()->share.known);
	assert_false(only_incident()->cleared);
}

/* --- JSON
 * ------------------------------------------------------------------------------------------ */

static struct json_object *key(struct json_object *o, const char *name)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(o, name, &value));
	return value;
}

static void json_has_what_the_text_says(void **state)
{
	struct json_object *json, *i;

	(void)state;
	usual_flushes();
	trouble(IOT_EV_RESET, 4000, DEV, "pci reset");
	flush_at(10000, 310000, IOT_FLUSH_ALL);
	error_at(310100, DEV, IOT_ERROR_INVALIDATION, "invalidation timed out");
	analysis__finish(a);
	json = report__json(a);
	i = json_object_array_get_idx(key(json, "incidents"), 0);
	assert_string_equal(json_object_get_string(key(i, "verdict")), "invalidation_failed");
	assert_string_equal(json_object_get_string(key(key(i, "error"), "kind")), "invalidation");
	assert_string_equal(json_object_get_string(key(key(i, "reset_before"), "relation")),
			    "same_device");
	assert_int_equal(json_object_get_int64(key(key(i, "stall"), "end_ns")), AT(310000));
	assert_false(json_object_get_boolean(key(i, "iommu_cleared")));
	assert_null(key(i, "iommu_share"));
	json_object_put(json);
}

static void json_has_the_share(void **state)
{
	struct json_object *json, *i;

	(void)state;
	quiet_hang();
	json = report__json(a);
	i = json_object_array_get_idx(key(json, "incidents"), 0);
	assert_true(json_object_get_boolean(key(i, "iommu_cleared")));
	assert_int_equal(json_object_get_int64(key(key(i, "iommu_share"), "flush_ns")), 300000);
	assert_int_equal(json_object_get_int64(key(key(i, "iommu_share"), "window_ns")), 5 * S);
	json_object_put(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_failed_invalidation_is_an_incident_of_its_device),
		SCENE(a_reset_before_it_is_told),
		SCENE(without_a_device_the_only_one_reset_is_named),
		SCENE(of_two_resets_none_is_named),
		SCENE(a_hang_behind_the_same_iommu_joins_and_another_does_not),
		SCENE(errors_that_are_none_of_its_business_make_no_incident),
		SCENE(an_aer_error_before_a_hang_is_told_with_it),
		SCENE(an_aer_error_after_a_fault_joins_it),
		SCENE(when_the_iommu_lost_events_no_fault_proves_nothing),
		SCENE(a_flush_of_300_ms_is_a_stall),
		SCENE(a_flush_of_99_ms_is_none),
		SCENE(where_all_flushes_are_slow_a_slow_one_is_no_stall),
		SCENE(stalls_of_one_domain_are_one_incident),
		SCENE(a_hang_while_the_flush_lasts_belongs_to_it),
		SCENE(a_hang_before_the_flush_does_not),
		SCENE(a_hang_after_the_flush_joins),
		SCENE(a_time_out_in_the_flush_is_its_cause),
		SCENE(a_time_out_right_after_the_flush_is_its_cause),
		SCENE(a_short_flush_tells_whose_time_out_it_was),
		SCENE(an_iommu_that_names_itself_is_not_the_device),
		SCENE(a_flush_whose_begin_may_be_anothers_is_only_likely),
		SCENE(a_hang_without_anything_clears_the_iommu),
		SCENE(an_emulated_amd_iommu_is_not_cleared_by_silence),
		SCENE(a_lost_fault_does_not_clear_it),
		SCENE(a_lost_flush_does_not_clear_it),
		SCENE(a_large_share_does_not_clear_it),
		SCENE(slow_iova_allocations_do_not_clear_it),
		SCENE(without_maps_nothing_is_said_of_the_share),
		SCENE(json_has_what_the_text_says),
		SCENE(json_has_the_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Resets that are told twice, at their begin and at their end, and those that the log tells too. */
#include "scene.h"

#define PEER 2

static void reset_ends(__u64 us, __u64 begin, __u32 dev, const char *what, int ret)
{
	struct iot_trouble ev = { .h = head(IOT_EV_RESET, sizeof(ev), us),
				  .begin = head(IOT_EV_RESET, sizeof(ev), begin).ts,
				  .queue = -1,
				  .ret = ret,
				  .source = IOT_SRC_HOOK };

	ev.h.dev = dev;
	ev.h.domain = 0;
	strncpy(ev.what, what, sizeof(ev.what) - 1);
	feed(&ev);
}

static void the_end_of_a_reset_is_no_other_one(void **state)
{
	const struct incident *i;

	(void)state;
	trouble(IOT_EV_HANG, 3000, DEV, "net_dev_xmit_timeout");
	trouble(IOT_EV_RESET, 4000, DEV, "pci reset");
	reset_ends(104000, 4000, DEV, "pci reset, flr", 0);
	i = only_incident();
	assert_int_equal(a->model.total.resets, 1);
	assert_int_equal(i->reset.count, 1);
	assert_string_equal(i->reset.what, "pci reset, flr");
	assert_int_equal(i->reset.end - i->reset.ts, 100000000);
	says("The device was reset 1.00 ms after the hang, which took 100 ms.");
}

static void a_reset_that_failed_is_said_to_have(void **state)
{
	(void)state;
	trouble(IOT_EV_HANG, 3000, DEV, "net_dev_xmit_timeout");
	trouble(IOT_EV_RESET, 4000, DEV, "pci reset");
	reset_ends(104000, 4000, DEV, "pci reset, bus", -25);
	only_incident();
	says("which took 100 ms and failed (-25).");
}

/* What is told of the reset before a failed invalidation is its method, though it came later. */
static void the_end_completes_what_an_error_followed(void **state)
{
	(void)state;
	trouble(IOT_EV_RESET, 4000, DEV, "pci reset");
	error_at(204000, DEV, IOT_ERROR_INVALIDATION, "Invalidation Time-out Error");
	reset_ends(304000, 4000, DEV, "pci reset, flr", 0);
	assert_int_equal(only_incident()->before.count, 1);
	says("The device was reset 200 ms before (pci reset, flr).");
	assert_int_equal(a->model.total.resets, 1);
}

static void an_end_whose_begin_was_lost_is_a_reset(void **state)
{
	(void)state;
	reset_ends(104000, 4000, DEV, "pci reset, flr", 0);
	analysis__finish(a);
	assert_int_equal(a->model.total.resets, 1);
}

static void the_end_of_another_device_is_another_reset(void **state)
{
	(void)state;
	device(PEER, "refdma.1", "refdma", "", 6);
	trouble(IOT_EV_RESET, 4000, DEV, "pci reset");
	reset_ends(104000, 4000, PEER, "pci reset, flr", 0);
	analysis__finish(a);
	assert_int_equal(a->model.total.resets, 2);
}

static void two_resets_are_two(void **state)
{
	(void)state;
	trouble(IOT_EV_RESET, 4000, DEV, "pci reset");
	reset_ends(104000, 4000, DEV, "pci reset, flr", 0);
	trouble(IOT_EV_RESET, 105000, DEV, "pci reset");
	reset_ends(205000, 105000, DEV, "pci reset, flr", 0);
	analysis__finish(a);
	assert_int_equal(a->model.total.resets, 2);
}

/* vfio-pci prints it when it is over. */
static void hook_and_log_of_one_reset_are_one(void **state)
{
	(void)state;
	trouble(IOT_EV_RESET, 4000, DEV, "pci reset");
	reset_ends(1104000, 4000, DEV, "pci reset, bus", 0);
	log_line(1105000, "vfio-pci refdma.0: reset done");
	analysis__finish(a);
	assert_int_equal(a->model.total.resets, 1);
	log_line(3500000, "vfio-pci refdma.0: reset done");
	assert_int_equal(a->model.total.resets, 2);
}

/* --- lines that the kernel suppressed */

static void attr(const char *text)
{
	struct {
		struct iot_attr attr;
		char text[64];
	} ev = { .attr = { .h = head(IOT_EV_ATTR, sizeof(ev), 0), .text_len = sizeof(ev.text) } };

	strncpy(ev.text, text, sizeof(ev.text) - 1);
	feed(&ev);
}

#define LINE                                                                                    \
	"DMAR: [DMA Read NO_PASID] Request device [00:03.0] fault addr 0x100000 [fault reason " \
	"0x06] x"

/* func: which of the kernel's functions suppressed four lines. */
static void three_faults(const char *func)
{
	char line[64];

	device_with(PEER, "0000:00:03.0", "edu", "", 6, "dmar0", 0);
	for (int n = 0; n < 3; n++) {
		struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev),
						  10000 + 1000 * (__u64)n),
					.iova = 0x100000,
					.iova_known = 1,
					.access = IOT_ACCESS_READ,
					.source = IOT_SRC_HOOK };

		ev.h.dev = PEER;
		ev.h.domain = 0;
		feed(&ev);
		if (!n)
			log_line(10500, LINE);
	}
	snprintf(line, sizeof(line), "%s: 4 callbacks suppressed", func);
	log_line(5000000, line);
}

static void suppressed_lines_of_recorded_faults_miss_nothing(void **state)
{
	const struct incident *i;

	(void)state;
	attr("plan.virtio-record=fexit virtqueue_get_buf");
	three_faults("viommu_fault_handler");
	i = only_incident();
	assert_int_equal(i->nr_faults, 3);
	assert_int_equal(i->suppressed, 0);
	assert_false(i->floor);
	assert_int_equal(a->model.total.faults, 3);
	assert_false(analysis__faults_are_floor(a));
}

static void without_the_hook_they_make_a_lower_limit(void **state)
{
	const struct incident *i;

	(void)state;
	attr("plan.virtio-record=off");
	three_faults("viommu_fault_handler");
	i = only_incident();
	assert_int_equal(i->suppressed, 4);
	assert_true(i->floor);
	assert_true(analysis__faults_are_floor(a));
}

/* The hook of one driver says nothing of another's lines. */
static void suppressed_lines_of_another_driver_count(void **state)
{
	(void)state;
	attr("plan.virtio-record=fexit virtqueue_get_buf");
	three_faults("dmar_fault");
	assert_true(only_incident()->floor);
}

static void vtd_is_read(void)
{
	attr("plan.intel-record-in=fentry dmar_fault");
	attr("plan.intel-record=calls in dmar_fault");
	attr("plan.intel-record-out=fexit dmar_fault");
}

/* What the log says of an overflow the records say as well. */
static void lines_about_vtd_add_nothing_to_its_records(void **state)
{
	(void)state;
	vtd_is_read();
	three_faults("dmar_fault");
	log_line(5100000, "DMAR: DRHD: handling fault status reg 3");
	assert_int_equal(only_incident()->nr_faults, 3);
	assert_int_equal(only_incident()->suppressed, 0);
	assert_false(only_incident()->floor);
	assert_false(analysis__faults_are_floor(a));
}

static void without_one_of_the_three_hooks_they_do(void **state)
{
	(void)state;
	vtd_is_read();
	attr("plan.intel-record=missing: the kernel refused to attach");
	three_faults("dmar_fault");
	assert_true(only_incident()->floor);
	assert_int_equal(only_incident()->suppressed, 4);
}

static void a_fault_without_a_record_makes_a_lower_limit(void **state)
{
	struct iot_loss ev = { .h = head(IOT_EV_LOSS, sizeof(ev), 12500),
			       .begin = AT(11500),
			       .count = 2,
			       .cause = IOT_LOST_RECORD,
			       .what = "VT-d: fault records overflow" };

	(void)state;
	vtd_is_read();
	three_faults("dmar_fault");
	feed(&ev);
	says("At least 3 faults");
	says("Of at least 2 faults around it no record was read (VT-d: fault records overflow)");
	assert_true(only_incident()->floor);
	assert_int_equal(only_incident()->suppressed, 0);
	assert_true(analysis__faults_are_floor(a));
}

static void a_record_names_its_iommu_and_its_pasid(void **state)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), 3000),
				.iova = 0x100000,
				.iova_known = 1,
				.source = IOT_SRC_HOOK,
				.reason = 0x58,
				.flags = IOT_VTD_PASID_VALID | 0x40000058 | 0x12345 << 8,
				.rid = 0x18,
				.rid_known = 1,
				.iommu = 2 };

	(void)state;
	feed(&ev);
	says("reason 0x58, PASID 0x12345, recorded by dmar1");
}

static void without_a_pasid_it_names_none(void **state)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), 3000),
				.source = IOT_SRC_HOOK,
				.reason = 6,
				.flags = 0x40ffff06,
				.iommu = 1 };

	(void)state;
	feed(&ev);
	says("reason 0x6, recorded by dmar0");
}

/* Not a fault of DMA, and told once. */
static void a_blocked_interrupt_is_one_error(void **state)
{
	(void)state;
	vtd_is_read();
	device_with(PEER, "0000:00:03.0", "edu", "", 6, "dmar0", 0);
	error_at(10000, PEER, IOT_ERROR_IOMMU, "interrupt blocked");
	log_line(10100, "DMAR: [INTR-REMAP] Request device [00:03.0] fault index 0x5 [fault reason "
			"0x22] x");
	analysis__finish(a);
	assert_int_equal(a->model.total.errors, 1);
	assert_int_equal(a->model.total.faults, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(the_end_of_a_reset_is_no_other_one),
		SCENE(a_reset_that_failed_is_said_to_have),
		SCENE(the_end_completes_what_an_error_followed),
		SCENE(an_end_whose_begin_was_lost_is_a_reset),
		SCENE(the_end_of_another_device_is_another_reset),
		SCENE(two_resets_are_two),
		SCENE(hook_and_log_of_one_reset_are_one),
		SCENE(suppressed_lines_of_recorded_faults_miss_nothing),
		SCENE(without_the_hook_they_make_a_lower_limit),
		SCENE(suppressed_lines_of_another_driver_count),
		SCENE(lines_about_vtd_add_nothing_to_its_records),
		SCENE(without_one_of_the_three_hooks_they_do),
		SCENE(a_fault_without_a_record_makes_a_lower_limit),
		SCENE(a_record_names_its_iommu_and_its_pasid),
		SCENE(without_a_pasid_it_names_none),
		SCENE(a_blocked_interrupt_is_one_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "event.h"
#include "klog/klog.h"
#include "klog/klog_formats.h"
#include "klog_fixture.h"

#define MS 1000000ULL

/* The text is copied to a block of exactly its size, so that a sanitizer sees every byte read
 * beyond it. */
static bool parse(const char *text, struct klog_record *r)
{
	size_t len = strlen(text);
	char *exact = malloc(len ? len : 1);
	bool found;

	assert_non_null(exact);
	memcpy(exact, text, len);
	found = klog__parse(exact, len, r);
	free(exact);
	return found;
}

static struct klog_record must(const char *text, enum klog_kind kind)
{
	struct klog_record r;

	assert_true(parse(text, &r));
	assert_int_equal(r.kind, kind);
	return r;
}

static void intel_6_line_gives_device_address_and_reason(void **state)
{
	struct klog_record r =
		must("DMAR: [DMA Write NO_PASID] Request device [3a:1f.7] fault addr 0xfffff000 "
		     "[fault reason 0x05] PTE Write access is not set",
		     KLOG_FAULT);

	(void)state;
	assert_true(r.rid_known && r.iova_known);
	assert_int_equal(r.rid, 0x3aff);
	assert_int_equal(r.iova, 0xfffff000);
	assert_int_equal(r.access, IOT_ACCESS_WRITE);
	assert_int_equal(r.reason, 5);
	assert_string_equal(r.dev, "");
}

static void intel_7_line_has_a_segment(void **state)
{
	struct klog_record r =
		must("DMAR: [DMA Read PASID 0x12] Request device [0001:3a:00.0] fault addr 0x1000 "
		     "[fault reason 0x79] SM: x",
		     KLOG_FAULT);

	(void)state;
	assert_int_equal(r.rid, 0x13a00);
	assert_int_equal(r.access, IOT_ACCESS_READ);
	assert_int_equal(r.reason, 0x79);
}

static void amd_line_with_known_device_names_it_in_the_head(void **state)
{
	struct klog_record r =
		must("vfio-pci 0000:04:10.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0037 "
		     "address=0x7b657064 flags=0x0000]",
		     KLOG_FAULT);

	(void)state;
	assert_string_equal(r.dev, "0000:04:10.0");
	assert_string_equal(r.driver, "vfio-pci");
	assert_int_equal(r.rid, 0x0480);
	assert_int_equal(r.iova, 0x7b657064);
	assert_int_equal(r.access, IOT_ACCESS_READ);
}

static void amd_line_with_unknown_device_has_its_id_inside(void **state)
{
	struct klog_record r =
		must("AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:01:00.1 domain=0x0002 "
		     "address=0xffff00000000 flags=0x0020]",
		     KLOG_FAULT);

	(void)state;
	assert_int_equal(r.rid, 0x0101);
	assert_int_equal(r.iova, 0xffff00000000ULL);
	assert_int_equal(r.access, IOT_ACCESS_WRITE);
}

static void amd_interrupt_request_is_neither_read_nor_write(void **state)
{
	struct klog_record r = must("AMD-Vi: Event logged [IO_PAGE_FAULT device=01:00.1 "
				    "domain=0x0002 address=0x0 flags=0x0028]",
				    KLOG_FAULT);

	(void)state;
	assert_int_equal(r.access, IOT_ACCESS_UNKNOWN);
}

static void virtio_endpoint_is_the_requester_id(void **state)
{
	struct klog_record r =
		must("virtio_iommu virtio1: page fault from EP 24 at 0xfe0c2000 [W]", KLOG_FAULT);

	(void)state;
	assert_int_equal(r.rid, 24);
	assert_int_equal(r.iova, 0xfe0c2000);
	assert_int_equal(r.access, IOT_ACCESS_WRITE);
	assert_string_equal(r.dev, ""); /* virtio1 is the IOMMU */

	r = must("virtio_iommu virtio1: domain fault from EP 8", KLOG_FAULT);
	assert_false(r.iova_known);
	assert_int_equal(r.rid, 8);
}

static void smmu_event_line_names_its_client(void **state)
{
	struct klog_record r = must("arm-smmu-v3 arm-smmu-v3.0.auto: event: F_TRANSLATION client: "
				    "0000:01:00.0 sid: 0x100 "
				    "ssid: 0x0 iova: 0xdead000 ipa: 0x0",
				    KLOG_FAULT);

	(void)state;
	assert_string_equal(r.dev, "0000:01:00.0");
	assert_int_equal(r.iova, 0xdead000);
}

static void intel_nic_hangs_are_hangs(void **state)
{
	struct klog_record r = must(
		"ixgbe 0000:03:00.0 enp3s0: Detected Tx Unit Hang\n  Tx Queue             <7>\n"
		"  TDH, TDT             <93>, <9d>\n",
		KLOG_HANG);

	(void)state;
	assert_string_equal(r.dev, "0000:03:00.0");
	assert_string_equal(r.driver, "ixgbe");
	assert_int_equal(r.rid, 0x0300);
	assert_int_equal(r.queue, 7);
	r = must("igb 0000:01:00.0: Detected Tx Unit Hang\n  Tx Queue             <2>\n  TDH       "
		 "           <1>\n",
		 KLOG_HANG);
	assert_int_equal(r.queue, 2);
	r = must("igc 0000:02:00.0: Detected Tx Unit Hang\n  Tx Queue             <1>\n",
		 KLOG_HANG);
	assert_int_equal(r.queue, 1);
	r = must("e1000e 0000:00:03.0 eth0: Detected Hardware Unit Hang:\n  TDH                  "
		 "<0>\n",
		 KLOG_HANG);
	assert_int_equal(r.queue, -1);
	assert_string_equal(r.signal, "Detected Hardware Unit Hang");
	must("e1000e 0000:00:03.0 eth0: Reset adapter unexpectedly", KLOG_RESET);
	must("ixgbe 0000:03:00.0 enp3s0: initiating reset due to tx timeout", KLOG_RESET);
}

static void netdev_watchdog_gives_queue_and_time(void **state)
{
	struct klog_record r = must("e1000e 0000:00:03.0 eth0: NETDEV WATCHDOG: CPU: 1: transmit "
				    "queue 3 timed out 5376 ms",
				    KLOG_HANG);

	(void)state;
	assert_int_equal(r.queue, 3);
	assert_int_equal(r.stalled, 5376 * MS);
	assert_string_equal(r.dev, "0000:00:03.0");
	r = must("NETDEV WATCHDOG: eth0 (e1000e): transmit queue 2 timed out", KLOG_HANG);
	assert_int_equal(r.queue, 2);
}

static void nvme_timeouts_of_all_kernels_are_hangs(void **state)
{
	static const struct {
		const char *text, *signal;
		int queue;
	} lines[] = {
		{ "nvme nvme0: I/O 17 QID 2 timeout, completion polled",
		  "nvme timeout, completion polled", 2 },
		{ "nvme nvme0: I/O 17 (Read) QID 3 timeout, aborting", "nvme timeout, aborting",
		  3 },
		{ "nvme nvme0: I/O 1 QID 0 timeout, disable controller",
		  "nvme timeout, disable controller", 0 },
		{ "nvme nvme0: I/O tag 5 (1005) QID 4 timeout, completion polled",
		  "nvme timeout, completion polled", 4 },
		{ "nvme nvme0: I/O tag 5 (1005) opcode 0x2 (Read) QID 1 timeout, reset controller",
		  "nvme timeout, reset controller", 1 },
		{ "nvme nvme0: I/O tag 5 (1005) opcode 0x2 (Read) QID 1 timeout, aborting "
		  "req_op:READ(0) size:4096",
		  "nvme timeout, aborting", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct klog_record r = must(lines[i].text, KLOG_HANG);

		assert_string_equal(r.signal, lines[i].signal);
		assert_int_equal(r.queue, lines[i].queue);
		assert_string_equal(r.dev, "nvme0");
	}
	must("nvme nvme0: controller is down; will reset: CSTS=0x3, PCI_STATUS=0x10", KLOG_RESET);
	assert_int_equal(must("nvme nvme0: pci function 0000:00:04.0", KLOG_ALIAS).rid, 0x20);
}

static void reference_driver_lines_are_known(void **state)
{
	struct klog_record r =
		must("refdma refdma.0: queue 1 stalled for 512 ms, resetting", KLOG_HANG);

	(void)state;
	assert_string_equal(r.dev, "refdma.0");
	assert_int_equal(r.queue, 1);
	assert_int_equal(r.stalled, 512 * MS);
	r = must("refdma refdma.0: queue 1 reset done", KLOG_RESET);
	assert_int_equal(r.queue, 1);
	r = must("refiommu refiommu.0: fault: device refdma.0 domain 3 iova 0xfffff000 write: no "
		 "mapping",
		 KLOG_FAULT);
	assert_string_equal(r.dev, "refdma.0");
	assert_int_equal(r.iova, 0xfffff000);
	assert_int_equal(r.access, IOT_ACCESS_WRITE);
	r = must("refiommu refiommu.0: fault: device refdma.1 domain 3, address not recorded",
		 KLOG_FAULT);
	assert_string_equal(r.dev, "refdma.1");
	assert_false(r.iova_known);
}

static void suppressed_lines_are_counted(void **state)
{
	struct klog_record r = must("dmar_fault: 893 callbacks suppressed", KLOG_RATELIMIT);

	(void)state;
	assert_int_equal(r.suppressed, 893);
	assert_string_equal(r.func, "dmar_fault");
}

static void neighbours_are_not_taken_for_what_they_resemble(void **state)
{
	static const char *const lines[] = {
		"",
		"\n\n",
		"DMAR: DRHD: handling fault status reg 2",
		"nvme nvme0: 4/0/0 default/read/poll queues",
		"e1000e 0000:00:03.0 eth0: Some characters NIC Link is Up",
		"pcieport 0000:00:1c.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, "
		"(Receiver ID)",
		"DMAR: Invalidation Time-out Error (ITE) cleared",
		"amdgpu 0000:03:00.0: amdgpu: ring gfx uses VM inv eng 0 on hub 0",
		"x 0000:03:00.0: not ready 1023ms after FLR; waiting",
		"user: it said \"Detected Tx Unit Hang\" yesterday",
		"note Detected Tx Unit Hang",
		"DMAR: [DMA Write NO_PASID] Request device [00:03.8] fault addr 0x1000 [fault "
		"reason 0x05] x",
		"DMAR: [DMA Write NO_PASID] Request device [00:03.0] fault addr "
		"0x1ffffffffffffffff0 [fault reason 0x05] x",
		"DMAR: [DMA Write NO_PASID] Request device [00:03.0] fault addr ",
		"I/O",
		"AMD-Vi: Event logged [IO_PAGE_FAULT",
	};
	struct klog_record r;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (parse(lines[i], &r))
			fail_msg("taken for %s: %s", r.signal, lines[i]);
}

static void every_cut_of_a_line_is_harmless(void **state)
{
	static const char *const lines[] = {
		"<4>[ 1.000000] vfio-pci 0000:04:10.0: AMD-Vi: Event logged [IO_PAGE_FAULT "
		"domain=0x0037 address=0x7b657064 flags=0x0000]",
		"DMAR: [DMA Read PASID 0x12] Request device [0001:3a:00.0] fault addr 0x1000 "
		"[fault reason 0x79] SM: x",
		"ixgbe 0000:03:00.0 enp3s0: Detected Tx Unit Hang\n  Tx Queue             <7>\n",
		"nvme nvme0: I/O tag 5 (1005) opcode 0x2 (Read) QID 1 timeout, reset controller",
	};
	struct klog_record r;
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		for (size_t len = 0; len <= strlen(lines[i]); len++) {
			snprintf(text, sizeof(text), "%.*s", (int)len, lines[i]);
			parse(text, &r);
			parse(lines[i] + len, &r);
		}
}

static void random_bytes_with_fragments_are_harmless(void **state)
{
	static const char *const bits[] = {
		"DMAR: [DMA ",
		"Request device [",
		"AMD-Vi: Event logged [IO_PAGE_FAULT ",
		"0000:00:03.0",
		": ",
		"0xfff",
		"\n",
		"I/O ",
		" QID ",
		" timeout, ",
		"Tx Queue",
		"<",
		" callbacks suppressed",
		"[",
		"]",
		"9999999999999999999999",
		" ",
	};
	struct klog_record r;
	char text[600];

	(void)state;
	srandom(3);
	for (int n = 0; n < 50000; n++) {
		size_t len = 0;

		while (len < sizeof(text) - 60 && random() % 20)
			len += (size_t)(random() % 3
						? sprintf(text + len, "%s",
							  bits[(size_t)random() %
							       (sizeof(bits) / sizeof(bits[0]))])
						: sprintf(text + len, "%c",
							  (char)(1 + random() % 255)));
		text[len] = '\0';
		if (parse(text, &r)) {
			assert_true(memchr(r.dev, 0, sizeof(r.dev)) != NULL);
			assert_true(r.kind >= KLOG_FAULT && r.kind <= KLOG_SMMU_WORD);
		}
	}
}

static void a_long_line_takes_time_in_proportion(void **state)
{
	size_t len = 4 << 20;
	char *text = malloc(len);
	struct klog_record r;
	struct timespec t0, t1;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = "I/O DMAR: [DMA fault from EP AMD-Vi: "[i % 37];
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
	assert_false(klog__parse(text, len, &r));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
	assert_true(t1.tv_sec - t0.tv_sec < 5); /* quadratic time would be days */
	free(text);
}

static void every_format_can_be_matched_at_all(void **state)
{
	(void)state;
	for (const struct klog_format *f = klog_formats; f->kind; f++) {
		const char *open = f->pattern;

		assert_non_null(f->signal);
		assert_true(strlen(f->signal) < 40); /* iot_trouble.what */
		while ((open = strchr(open, '{')) != NULL) {
			assert_non_null(strchr(open, '}'));
			open++;
		}
	}
}

static void a_log_file_is_cut_into_records(void **state)
{
	struct logfile_info info;
	struct seen s;

	(void)state;
	info = read_text("[ 1.000000] a: b\n[ 2.000000] ixgbe x: Detected\n          Tx Queue "
			 "<0>\n   more\n[ 2.500000] c\n",
			 &s);
	assert_int_equal(info.records, 3);
	assert_int_equal(s.ts[1], 2000000000ULL);
	assert_string_equal(s.text, "c");
	/* As a console prints it: every line with the record's time. */
	info = read_text("[ 2.000000] ixgbe x: Detected\n[ 2.000000]   Tx Queue <0>\n[ 2.000000] "
			 "other: line\n",
			 &s);
	assert_int_equal(info.records, 2);
	info = read_text("[ 2.000000] ixgbe x: Detected\n[ 2.000000]   Tx Queue <0>", &s);
	assert_string_equal(s.text, "ixgbe x: Detected\n  Tx Queue <0>");
}

static void boots_are_kept_apart(void **state)
{
	struct logfile_info info;
	struct seen s;

	(void)state;
	info = read_text("[ 0.000000] Linux version 6\n[ 100.000000] a\n[ 0.000000] Linux version "
			 "6\n[ 1.000000] b\n",
			 &s);
	assert_int_equal(info.boots, 2);
	assert_true(s.ts[2] >= s.ts[1] + 3600 * 1000 * MS);
	assert_int_equal(s.ts[3] - s.ts[2], 1000 * MS);
}

static void a_time_that_goes_back_within_a_boot_is_held(void **state)
{
	struct logfile_info info;
	struct seen s;

	(void)state;
	info = read_text("[ 1.000000] a\n[ 0.000000] smpboot: CPU 1\n[ 1.500000] b\n", &s);
	assert_int_equal(info.boots, 1);
	assert_int_equal(s.ts[1], 1000 * MS);
	assert_int_equal(s.ts[2], 1500 * MS);
}

static void a_record_too_long_is_cut(void **state)
{
	char text[5000] = "[ 1.000000] ";
	struct seen s;

	(void)state;
	memset(text + strlen(text), 'x', sizeof(text) - strlen(text) - 1);
	assert_int_equal(read_text(text, &s).records, 1);
	assert_int_equal(strlen(s.text), IOT_TEXT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intel_6_line_gives_device_address_and_reason),
		cmocka_unit_test(intel_7_line_has_a_segment),
		cmocka_unit_test(amd_line_with_known_device_names_it_in_the_head),
		cmocka_unit_test(amd_line_with_unknown_device_has_its_id_inside),
		cmocka_unit_test(amd_interrupt_request_is_neither_read_nor_write),
		cmocka_unit_test(virtio_endpoint_is_the_requester_id),
		cmocka_unit_test(smmu_event_line_names_its_client),
		cmocka_unit_test(intel_nic_hangs_are_hangs),
		cmocka_unit_test(netdev_watchdog_gives_queue_and_time),
		cmocka_unit_test(nvme_timeouts_of_all_kernels_are_hangs),
		cmocka_unit_test(reference_driver_lines_are_known),
		cmocka_unit_test(suppressed_lines_are_counted),
		cmocka_unit_test(neighbours_are_not_taken_for_what_they_resemble),
		cmocka_unit_test(every_cut_of_a_line_is_harmless),
		cmocka_unit_test(random_bytes_with_fragments_are_harmless),
		cmocka_unit_test(a_long_line_takes_time_in_proportion),
		cmocka_unit_test(every_format_can_be_matched_at_all),
		cmocka_unit_test(a_log_file_is_cut_into_records),
		cmocka_unit_test(boots_are_kept_apart),
		cmocka_unit_test(a_time_that_goes_back_within_a_boot_is_held),
		cmocka_unit_test(a_record_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Log lines of errors that are no faults, of SMMU and s390, and names of interfaces; and events
 * that the kernel prints as several records. The texts are what the kernel's format strings give.
 */
#include "scene.h"

#include "klog/join.h"
#include "klog/klog.h"

static struct klog_record must(const char *text, enum klog_kind kind)
{
	struct klog_record r;

	assert_true(klog__parse(text, strlen(text), &r));
	assert_int_equal(r.kind, kind);
	return r;
}

static void an_invalidation_that_timed_out_names_the_device(void **state)
{
	struct klog_record r;

	(void)state;
	r = must("DMAR: VT-d detected Invalidation Time-out Error: SID 3a08", KLOG_ERROR);
	assert_int_equal(r.error, IOT_ERROR_INVALIDATION);
	assert_true(r.rid_known);
	assert_int_equal(r.rid, 0x3a08);
	r = must("AMD-Vi: Event logged [IOTLB_INV_TIMEOUT device=0000:0a:00.0 "
		 "address=0x1003b6c0]",
		 KLOG_ERROR);
	assert_int_equal(r.error, IOT_ERROR_INVALIDATION);
	assert_int_equal(r.rid, 0x0a00);
	assert_false(r.iova_known); /* it is the address of the command */
	r = must("arm-smmu-v3 arm-smmu-v3.0.auto: CMD_SYNC timeout at 0x000001f3 [hwprod "
		 "0x000001f4, hwcons 0x000001f2]",
		 KLOG_ERROR);
	assert_int_equal(r.error, IOT_ERROR_INVALIDATION);
	r = must("refiommu refiommu.0: invalidation timed out after 120 ms", KLOG_ERROR);
	assert_int_equal(r.error, IOT_ERROR_INVALIDATION);
	assert_int_equal(r.stalled, 120 * MS);
}

static void completion_wait_is_known_with_and_without_its_iommu(void **state)
{
	struct klog_record r;

	(void)state;
	r = must("AMD-Vi: Completion-Wait loop timed out", KLOG_ERROR);
	assert_false(r.rid_known);
	r = must("AMD-Vi: IOMMU 0000:00:00.2: Completion-Wait loop timed out", KLOG_ERROR);
	assert_int_equal(r.error, IOT_ERROR_INVALIDATION);
	assert_false(r.rid_known); /* the IOMMU's, not the device's */
	assert_string_equal(r.dev, "");
}

static void a_blocked_interrupt_is_no_dma_fault(void **state)
{
	struct klog_record r =
		must("DMAR: [INTR-REMAP] Request device [0000:00:03.0] fault index 0x20 "
		     "[fault reason 0x25] Blocked a compatibility format interrupt request",
		     KLOG_ERROR);

	(void)state;
	assert_int_equal(r.error, IOT_ERROR_IOMMU);
	assert_int_equal(r.rid, 0x18);
	assert_int_equal(r.reason, 0x25);
	r = must("AMD-Vi: Event logged [ILLEGAL_DEV_TABLE_ENTRY device=0000:02:00.1 "
		 "pasid=0x00000 address=0xfffffffdf8000000 flags=0x0008]",
		 KLOG_ERROR);
	assert_int_equal(r.rid, 0x201);
}

static void amd_faults_without_an_address_or_without_a_domain(void **state)
{
	struct klog_record r;

	(void)state;
	/* two lines are one fault */
	assert_false(klog__parse("AMD-Vi: Event logged [Device not attached to domain properly]",
				 62, &r));
	r = must("AMD-Vi:   device=0000:01:00.1 domain=0x0002", KLOG_FAULT);
	assert_int_equal(r.rid, 0x0101);
	assert_false(r.iova_known);
	r = must("vfio-pci 0000:41:00.0: AMD-Vi: Event logged [RMP_PAGE_FAULT vmg_tag=0x0001, "
		 "gpa=0x7b657064, flags_rmp=0x0004, flags=0x0020]",
		 KLOG_FAULT);
	assert_string_equal(r.dev, "0000:41:00.0");
	assert_int_equal(r.iova, 0x7b657064);
	assert_int_equal(r.access, IOT_ACCESS_WRITE);
	r = must("AMD-Vi: Event logged [RMP_PAGE_FAULT device=0000:41:00.0, vmg_tag=0x0001, "
		 "gpa=0x7b657064, flags_rmp=0x0004, flags=0x0000]",
		 KLOG_FAULT);
	assert_int_equal(r.rid, 0x4100);
	assert_int_equal(r.access, IOT_ACCESS_READ);
}

static void amd_errors_of_the_iommu_itself(void **state)
{
	struct klog_record r;

	(void)state;
	r = must("AMD-Vi: Event logged [INVALID_PPR_REQUEST device=0000:41:00.0 pasid=0x00001 "
		 "address=0x7f0000000000 flags=0x0005 tag=0x002]",
		 KLOG_ERROR);
	assert_int_equal(r.rid, 0x4100);
	r = must("pci 0000:00:00.2: AMD-Vi: Event logged [ILLEGAL_COMMAND_ERROR "
		 "address=0x1003b6c0]",
		 KLOG_ERROR);
	assert_int_equal(r.error, IOT_ERROR_IOMMU);
	assert_false(r.iova_known); /* it is the address of the command */
	must("pci 0000:00:00.2: AMD-Vi: Event logged [UNKNOWN event[0]=0x00000000 "
	     "event[1]=0xd0000000 event[2]=0x00000000 event[3]=0x00000000",
	     KLOG_ERROR);
}

static void page_requests_that_come_to_nothing(void **state)
{
	struct klog_record r;

	(void)state;
	r = must("DMAR: IOMMU: dmar3: PRQ overflow detected", KLOG_ERROR);
	assert_int_equal(r.error, IOT_ERROR_IOMMU);
	assert_false(klog__parse("DMAR: IOMMU: dmar3: PRQ overflow cleared", 40, &r));
	must("DMAR: dmar3: Invalid page request: 6a01000000000004 7f12345000000805", KLOG_ERROR);
	must("AMD-Vi: IOMMU PPR log restarting", KLOG_ERROR);
	r = must("idxd 0000:6a:01.0: iopf with pasid 1 aborted", KLOG_ERROR);
	assert_int_equal(r.error, IOT_ERROR_OTHER);
	assert_int_equal(r.rid, 0x6a08);
}

static void overflow_of_the_fault_records_is_a_suppression(void **state)
{
	struct klog_record r;

	(void)state;
	r = must("DMAR: DRHD: handling fault status reg 3", KLOG_RATELIMIT);
	assert_int_equal(r.suppressed, 1);
	assert_false(klog__parse("DMAR: DRHD: handling fault status reg 2", 39, &r));
	assert_false(klog__parse("DMAR: DRHD: handling fault status reg 702", 41, &r));
}

static void aer_tells_the_severity(void **state)
{
	struct klog_record r;

	(void)state;
	r = must("ixgbe 0000:03:00.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal), "
		 "type=Transaction Layer, (Requester ID)",
		 KLOG_ERROR);
	assert_int_equal(r.error, IOT_ERROR_AER);
	assert_string_equal(r.dev, "0000:03:00.0");
	assert_string_equal(r.signal, "AER uncorrected, non-fatal");
	r = must("nvme 0000:04:00.0: PCIe Bus Error: severity=Uncorrected (Fatal), "
		 "type=Inaccessible, (Unregistered Agent ID)",
		 KLOG_ERROR);
	assert_string_equal(r.signal, "AER uncorrected, fatal");
}

static void s390_says_which_function_but_not_where(void **state)
{
	struct klog_record r;

	(void)state;
	r = must("zpci: 0001:00:00.0: Event 0x1 reports an error for PCI function 0x1a",
		 KLOG_FAULT);
	assert_int_equal(r.rid, 1u << 16);
	assert_int_equal(r.reason, 1);
	assert_false(r.iova_known);
	r = must("zpci: n/a: Event 0x3a reports an error for PCI function 0x1a", KLOG_FAULT);
	assert_false(r.rid_known);
	r = must("zpci: 0001:00:00.0: Initiating reset", KLOG_RESET);
	assert_int_equal(r.rid, 1u << 16);
}

static void resets_and_gpus_are_known(void **state)
{
	struct klog_record r;

	(void)state;
	r = must("vfio-pci 0000:04:10.0: reset done", KLOG_RESET);
	assert_string_equal(r.dev, "0000:04:10.0");
	r = must("vfio-pci 0000:04:10.0: not ready 65535ms after FLR; giving up", KLOG_HANG);
	assert_int_equal(r.stalled, 65535 * MS);
	r = must("amdgpu 0000:03:00.0: amdgpu: ring gfx_0.0.0 timeout, signaled seq=8, emitted "
		 "seq=10",
		 KLOG_HANG);
	assert_string_equal(r.dev, "0000:03:00.0");
	r = must("amdgpu 0000:03:00.0: amdgpu: GPU reset begin!", KLOG_RESET);
	assert_string_equal(r.dev, "0000:03:00.0");
	r = must("i915 0000:00:02.0: [drm] GPU HANG: ecode 9:1:85dffffb, in Xorg [900]", KLOG_HANG);
	assert_string_equal(r.dev, "0000:00:02.0");
}

static void the_head_names_the_interface(void **state)
{
	struct klog_record r;

	(void)state;
	r = must("ixgbe 0000:03:00.0 enp3s0: renamed from eth0", KLOG_NAMES);
	assert_string_equal(r.ifname, "enp3s0");
	assert_int_equal(r.rid, 0x300);
	r = must("NETDEV WATCHDOG: enp3s0 (ixgbe): transmit queue 4 timed out", KLOG_HANG);
	assert_string_equal(r.dev, "enp3s0");
	assert_string_equal(r.driver, "ixgbe");
	assert_int_equal(r.queue, 4);
}

/* --- events of several records --- */

struct told {
	int nr;
	__u64 ts[8];
	struct klog_record r[8];
};

static int remember(void *ctx, __u64 ts, const struct klog_record *r)
{
	struct told *t = ctx;

	assert_true(t->nr < 8);
	t->ts[t->nr] = ts;
	t->r[t->nr++] = *r;
	return 0;
}

static void say(struct klog_join *j, __u64 ts, const char *text, struct told *t)
{
	assert_int_equal(klog_join__feed(j, ts, text, strlen(text), remember, t), 0);
}

#define SMMU "arm-smmu-v3 arm-smmu-v3.0.auto: "

/* F_TRANSLATION of stream 0x100, a write (RnW clear), at 0xdeadb000. */
static const char *const event[] = {
	SMMU "event 0x10 received:", SMMU "\t0x0000010000000010", SMMU "\t0x0000020000000000",
	SMMU "\t0x00000000deadb000", SMMU "\t0x0000000000000000",
};

static void an_smmu_event_is_its_head_and_four_words(void **state)
{
	struct klog_join j = { 0 };
	struct told t = { 0 };

	(void)state;
	for (__u64 i = 0; i < 5; i++) {
		say(&j, 100 + i, event[i], &t);
		say(&j, 100 + i, "usb 1-1: unrelated line of another CPU", &t);
	}
	assert_int_equal(klog_join__end(&j, remember, &t), 0);
	assert_int_equal(t.nr, 1);
	assert_int_equal(t.ts[0], 100);
	assert_int_equal(t.r[0].kind, KLOG_FAULT);
	assert_true(t.r[0].iova_known);
	assert_int_equal(t.r[0].iova, 0xdeadb000);
	assert_int_equal(t.r[0].access, IOT_ACCESS_WRITE);
	assert_int_equal(t.r[0].reason, 0x10);
	/* a stream id is no requester id */
	assert_false(t.r[0].rid_known);
	assert_string_equal(t.r[0].dev, "arm-smmu-v3.0.auto sid 0x100");
}

static void the_line_with_the_client_completes_the_event(void **state)
{
	struct klog_join j = { 0 };
	struct told t = { 0 };

	(void)state;
	for (__u64 i = 0; i < 5; i++)
		say(&j, 100 + i, event[i], &t);
	say(&j, 105,
	    SMMU "event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: 0xdeadb000 "
		 "ipa: 0x0",
	    &t);
	say(&j, 106, SMMU "unpriv data write s1 \"Input address caused fault\" stag: 0x0", &t);
	assert_int_equal(klog_join__end(&j, remember, &t), 0);
	assert_int_equal(t.nr, 1);
	assert_string_equal(t.r[0].dev, "0000:01:00.0");
	assert_int_equal(t.r[0].access, IOT_ACCESS_WRITE);
}

static void the_line_with_the_client_counts_no_event_twice(void **state)
{
	struct klog_join j = { 0 };
	struct told t = { 0 };

	(void)state;
	for (__u64 i = 0; i < 5; i++)
		say(&j, 100 + i, event[i], &t);
	say(&j, 104, "usb 1-1: a line between", &t);
	say(&j, 105,
	    SMMU "event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: 0xdeadb000 "
		 "ipa: 0x0",
	    &t);
	assert_int_equal(t.nr, 1);
	/* the next event at the same address is a new one */
	for (__u64 i = 0; i < 5; i++)
		say(&j, 200 + i, event[i], &t);
	assert_int_equal(klog_join__end(&j, remember, &t), 0);
	assert_int_equal(t.nr, 2);
}

static void an_event_cut_short_has_no_address(void **state)
{
	struct klog_join j = { 0 };
	struct told t = { 0 };

	(void)state;
	for (__u64 i = 0; i < 3; i++)
		say(&j, 100 + i, event[i], &t);
	for (__u64 i = 0; i < 5; i++)
		say(&j, 200 + i, event[i], &t);
	assert_int_equal(klog_join__end(&j, remember, &t), 0);
	assert_int_equal(t.nr, 2);
	assert_int_equal(t.ts[0], 100);
	assert_false(t.r[0].iova_known);
	assert_true(t.r[1].iova_known);
}

static void events_of_two_smmus_may_be_mixed(void **state)
{
	static const char *const other[] = {
		"arm-smmu-v3 arm-smmu-v3.1.auto: event 0x13 received:",
		"arm-smmu-v3 arm-smmu-v3.1.auto: \t0x0000020800000013",
		"arm-smmu-v3 arm-smmu-v3.1.auto: \t0x0000020800000000",
		"arm-smmu-v3 arm-smmu-v3.1.auto: \t0x0000000000001000",
		"arm-smmu-v3 arm-smmu-v3.1.auto: \t0x0000000000000000",
	};
	struct klog_join j = { 0 };
	struct told t = { 0 };

	(void)state;
	for (__u64 i = 0; i < 5; i++) {
		say(&j, 100 + i, event[i], &t);
		say(&j, 100 + i, other[i], &t);
	}
	assert_int_equal(klog_join__end(&j, remember, &t), 0);
	assert_int_equal(t.nr, 2);
	assert_int_equal(t.r[0].iova, 0xdeadb000);
	assert_int_equal(t.r[1].iova, 0x1000);
	assert_int_equal(t.r[1].reason, 0x13);
	assert_int_equal(t.r[1].access, IOT_ACCESS_READ);
}

static void words_without_a_head_are_nothing(void **state)
{
	struct klog_join j = { 0 };
	struct told t = { 0 };

	(void)state;
	for (__u64 i = 1; i < 5; i++)
		say(&j, 100 + i, event[i], &t);
	assert_int_equal(klog_join__end(&j, remember, &t), 0);
	assert_int_equal(t.nr, 0);
}

/* --- through the analysis --- */

static void a_watchdog_that_names_the_interface_finds_the_pci_device(void **state)
{
	const struct incident *i;

	(void)state;
	log_line(1000, "ixgbe 0000:03:00.0 enp3s0: renamed from eth0");
	log_line(2000000, "DMAR: [DMA Write NO_PASID] Request device [03:00.0] fault addr 0x1000 "
			  "[fault reason 0x05] PTE Write access is not set");
	log_line(7000000, "NETDEV WATCHDOG: enp3s0 (ixgbe): transmit queue 4 timed out");
	i = only_incident();
	assert_int_equal(i->nr_faults, 1);
	assert_int_equal(i->hang.count, 1);
	assert_int_equal(i->hang.queue, 4);
	assert_int_equal(i->hang.relation.kind, RELATION_SAME);
}

static void an_smmu_event_in_the_stream_is_one_fault(void **state)
{
	const struct incident *i;

	(void)state;
	for (__u64 n = 0; n < 5; n++)
		log_line(1000 + n, event[n]);
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 1);
	i = a->incidents.list[0];
	assert_int_equal(i->nr_faults, 1);
	assert_int_equal(i->first_fault, AT(1000));
	assert_int_equal(i->faults[0]->iova, 0xdeadb000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_invalidation_that_timed_out_names_the_device),
		cmocka_unit_test(completion_wait_is_known_with_and_without_its_iommu),
		cmocka_unit_test(a_blocked_interrupt_is_no_dma_fault),
		cmocka_unit_test(overflow_of_the_fault_records_is_a_suppression),
		cmocka_unit_test(aer_tells_the_severity),
		cmocka_unit_test(amd_faults_without_an_address_or_without_a_domain),
		cmocka_unit_test(amd_errors_of_the_iommu_itself),
		cmocka_unit_test(page_requests_that_come_to_nothing),
		cmocka_unit_test(s390_says_which_function_but_not_where),
		cmocka_unit_test(resets_and_gpus_are_known),
		cmocka_unit_test(the_head_names_the_interface),
		cmocka_unit_test(an_smmu_event_is_its_head_and_four_words),
		cmocka_unit_test(the_line_with_the_client_completes_the_event),
		cmocka_unit_test(the_line_with_the_client_counts_no_event_twice),
		cmocka_unit_test(an_event_cut_short_has_no_address),
		cmocka_unit_test(events_of_two_smmus_may_be_mixed),
		cmocka_unit_test(words_without_a_head_are_nothing),
		SCENE(a_watchdog_that_names_the_interface_finds_the_pci_device),
		SCENE(an_smmu_event_in_the_stream_is_one_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

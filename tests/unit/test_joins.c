// SPDX-License-Identifier: GPL-2.0-only
/* What belongs to one incident: bursts, sources, hangs, resets, related devices; and hostile
 * events. */
#include "scene.h"

/* --- bursts and sources
 * ----------------------------------------------------------------------------------------- */

static void repeated_faults_are_one_incident(void **state)
{
	const struct incident *i;

	(void)state;
	for (__u64 n = 0; n < 100; n++)
		fault_at(3000 + n * 100, IOVA + (n % 50) * 0x1000, IOT_ACCESS_READ);
	i = only_incident();
	assert_int_equal(i->nr_faults, 100);
	assert_int_equal(i->nr_kept, INCIDENT_FAULTS);
	assert_int_equal(i->first_fault, AT(3000));
	assert_int_equal(i->last_fault, AT(3000 + 9900));
	assert_int_equal(a->model.total.faults, 100);
}

static void faults_seconds_apart_are_two_incidents(void **state)
{
	(void)state;
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	fault_at(3003000, IOVA, IOT_ACCESS_READ);
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
}

static void faults_of_two_devices_are_two_incidents(void **state)
{
	struct iot_fault other = { .h = head(IOT_EV_FAULT, sizeof(other), 3001),
				   .iova = IOVA,
				   .iova_known = 1 };

	(void)state;
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	other.h.dev = 2;
	feed(&other);
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
}

static void a_fault_seen_by_hook_and_in_the_log_is_one(void **state)
{
	const struct incident *i;

	(void)state;
	fault_at(3000, IOVA + 0x40, IOT_ACCESS_UNKNOWN);
	log_line(3050, "refdma refdma.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 "
		       "address=0xfff0040 flags=0x0020]");
	i = only_incident();
	assert_int_equal(i->nr_faults, 1);
	assert_int_equal(i->faults[0]->access, IOT_ACCESS_WRITE);
	assert_int_equal(a->model.total.faults, 1);
	assert_false(i->reported_by_log_only);
}

static void two_log_lines_are_two_faults(void **state)
{
	(void)state;
	log_line(3050, "refdma refdma.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 "
		       "address=0xfff0040 flags=0x0020]");
	log_line(3060, "refdma refdma.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 "
		       "address=0xfff0040 flags=0x0020]");
	assert_int_equal(only_incident()->nr_faults, 2);
	assert_true(a->incidents.list[0]->reported_by_log_only);
}

static void suppressed_lines_are_told(void **state)
{
	(void)state;
	log_line(3000, "DMAR: [DMA Read NO_PASID] Request device [00:03.0] fault addr 0xfff0000 "
		       "[fault reason 0x06] x");
	log_line(4003000, "dmar_fault: 25 callbacks suppressed");
	assert_int_equal(only_incident()->suppressed, 25);
}

static void derived_events_in_the_stream_are_not_counted_again(void **state)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), 3000),
				.iova = IOVA,
				.iova_known = 1,
				.source = IOT_SRC_LOG };

	(void)state;
	ev.h.flags = IOT_F_DERIVED;
	feed(&ev);
	assert_int_equal(a->incidents.nr, 0);
}

/* --- hangs and resets
 * -------------------------------------------------------------------------------------------- */

static void a_hang_after_a_fault_joins_it(void **state)
{
	const struct incident *i;

	(void)state;
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	log_line(515000, "refdma refdma.0: queue 0 stalled for 512 ms, resetting");
	log_line(516000, "refdma refdma.0: queue 0 reset done");
	i = only_incident();
	assert_int_equal(i->hang.count, 1);
	assert_int_equal(i->hang.stalled, 512 * MS);
	assert_int_equal(i->hang.queue, 0);
	assert_int_equal(i->hang.relation.kind, RELATION_SAME);
	assert_int_equal(i->reset.count, 1);
}

static void a_device_that_went_on_working_did_not_hang_by_the_fault(void **state)
{
	(void)state;
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	log_line(2515000, "refdma refdma.0: queue 0 stalled for 512 ms, resetting");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
	assert_true(a->incidents.list[1]->progressed);
	assert_int_equal(a->incidents.list[1]->judgement.verdict, VERDICT_NO_FAULT);
}

static void a_hang_of_an_unrelated_device_does_not_join(void **state)
{
	(void)state;
	device(2, "0000:00:05.0", "e1000e", "", 6);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	trouble(IOT_EV_HANG, 515000, 2, "net_dev_xmit_timeout");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
	assert_int_equal(a->incidents.list[0]->hang.count, 0);
	assert_int_equal(a->incidents.list[1]->judgement.verdict, VERDICT_NO_FAULT);
}

static void a_hang_of_the_same_group_joins(void **state)
{
	(void)state;
	device(2, "0000:00:05.0", "e1000e", "", 5);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	trouble(IOT_EV_HANG, 515000, 2, "net_dev_xmit_timeout");
	assert_int_equal(only_incident()->hang.relation.kind, RELATION_GROUP);
}

static void a_hang_too_long_after_does_not_join(void **state)
{
	(void)state;
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	trouble(IOT_EV_HANG, 40000000, DEV, "net_dev_xmit_timeout");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
	assert_int_equal(a->incidents.list[1]->judgement.verdict, VERDICT_NO_FAULT);
}

static void an_nvme_timeout_comes_half_a_minute_later(void **state)
{
	(void)state;
	device(2, "0000:00:04.0", "nvme", "", 7);
	log_line(100, "nvme nvme0: pci function 0000:00:04.0");
	log_line(3000, "DMAR: [DMA Write NO_PASID] Request device [00:04.0] fault addr 0x0 [fault "
		       "reason 0x05] PTE Write access is not set");
	log_line(31000000,
		 "nvme nvme0: I/O tag 5 (1005) opcode 0x2 (Read) QID 1 timeout, reset controller");
	assert_int_equal(only_incident()->hang.relation.kind, RELATION_SAME);
}

static void a_hang_alone_does_not_blame_the_iommu(void **state)
{
	const struct incident *i;

	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	trouble(IOT_EV_HANG, 60000000, DEV, "refdma stall");
	i = only_incident();
	assert_int_equal(i->judgement.verdict, VERDICT_NO_FAULT);
	assert_int_equal(i->judgement.confidence, CONFIDENCE_LIKELY);
	assert_int_equal(i->searched, 10 * S);
	assert_int_equal(i->nr_faults, 0);
}

static void a_hang_with_lost_rare_events_before_it_is_unknown(void **state)
{
	(void)state;
	trouble(IOT_EV_HANG, 60000000, DEV, "refdma stall");
	loss(55000000, 61000000, IOT_LOST_RARE);
	expect(VERDICT_NO_FAULT, CONFIDENCE_UNKNOWN);
}

#define VTD_FAULT                                                                                 \
	"DMAR: [DMA Write NO_PASID] Request device [03:00.0] fault addr 0xffe0000 [fault reason " \
	"0x05] PTE Write access is not set"

/* A log without the boot's lines: which device eth0 is, or that of a line without any, isn't there.
 */
static void a_name_without_a_place_acquits_nobody(void **state)
{
	static const struct {
		const char *before, *hang;
		__u64 at; /* us */
		enum confidence confidence;
		bool unsaid;
	} cases[] = {
		{ "", "NETDEV WATCHDOG: eth0 (igb): transmit queue 0 timed out", 9000000,
		  CONFIDENCE_UNKNOWN, true },
		{ "", "NETDEV WATCHDOG: CPU: 1: transmit queue 0 timed out 5376 ms", 9000000,
		  CONFIDENCE_UNKNOWN, true },
		/* later than a fault leads to such a hang */
		{ "", "NETDEV WATCHDOG: eth0 (igb): transmit queue 0 timed out", 30000000,
		  CONFIDENCE_LIKELY, false },
		/* another place on the bus, said at once or at the boot */
		{ "",
		  "igb 0000:04:00.0 eth0: NETDEV WATCHDOG: CPU: 1: transmit queue 0 timed out "
		  "5376 ms",
		  17000000, CONFIDENCE_LIKELY, false },
		{ "igb 0000:04:00.0 eth0: igb: eth0 NIC Link is Up",
		  "NETDEV WATCHDOG: eth0 (igb): transmit queue 0 timed out", 17000000,
		  CONFIDENCE_LIKELY, false },
	};

	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		const struct incident *i;

		if (n) {
			end(NULL);
			begin(NULL);
		}
		log_line(1000, "Linux version 6.12.0");
		log_line(2000, cases[n].before);
		log_line(2500000, VTD_FAULT);
		log_line(cases[n].at, cases[n].hang);
		analysis__finish(a);
		assert_int_equal(a->incidents.nr, 2);
		i = a->incidents.list[1];
		assert_int_equal(i->judgement.verdict, VERDICT_NO_FAULT);
		assert_int_equal(i->judgement.confidence, cases[n].confidence);
		assert_int_equal(i->unsaid_fault, cases[n].unsaid ? AT(2500000) : 0);
		assert_int_equal(i->unsaid_dev, cases[n].unsaid ? a->incidents.list[0]->dev : 0);
		assert_false(i->cleared);
	}
}

/* … but one whose place an earlier line tells is as good as that. */
static void a_name_whose_place_is_told_joins_its_vf(void **state)
{
	const struct incident *i;

	(void)state;
	log_line(1000, "igb 0000:03:00.0 enp3s0: igb: enp3s0 NIC Link is Up 1000 Mbps Full Duplex");
	log_line(10000000, "vfio-pci 0000:04:10.0: AMD-Vi: Event logged [IO_PAGE_FAULT "
			   "domain=0x0037 address=0x7b657064 flags=0x0000]");
	log_line(14000000, "NETDEV WATCHDOG: enp3s0 (igb): transmit queue 0 timed out");
	i = only_incident();
	assert_int_equal(i->nr_faults, 1);
	assert_int_equal(i->hang.count, 1);
	assert_int_equal(i->hang.relation.kind, RELATION_VF_OFFSET);
}

/* A fault whose device isn't known, but its domain is: it may be any device's of that domain. */
static void a_fault_without_a_device_acquits_none_of_its_domain(void **state)
{
	(void)state;
	for (int other = 0; other < 2; other++) {
		struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), 3000),
					.iova = IOVA,
					.iova_known = 1,
					.source = IOT_SRC_REPORT };

		if (other) {
			end(NULL);
			begin(NULL);
		}
		device(DEV, "refdma.0", "refdma", "", 5);
		device(DEV + 1, "refdma.1", "refdma", "", 5);
		device(DEV + 2, "refdma.2", "refdma", "", 6);
		attach(10, DEV, DOM);
		attach(11, DEV + 1, DOM);
		attach(12, DEV + 2, DOM + 1);
		ev.h.dev = 0;
		feed(&ev);
		trouble(IOT_EV_HANG, 500000, other ? DEV + 2 : DEV, "refdma stall");
		analysis__finish(a);
		assert_int_equal(a->incidents.nr, 2);
		assert_int_equal(a->incidents.list[1]->unsaid_fault, other ? 0 : AT(3000));
	}
}

static void a_hang_said_again_is_one_incident(void **state)
{
	(void)state;
	for (__u64 s = 10; s < 20; s += 2)
		trouble(IOT_EV_HANG, s * 1000000, DEV, "Detected Tx Unit Hang");
	assert_int_equal(only_incident()->hang.count, 5);
}

static void a_hang_told_by_hook_and_log_is_one(void **state)
{
	const struct incident *i;

	(void)state;
	device(DEV, "0000:00:01.0", "e1000e", "", 5);
	trouble(IOT_EV_HANG, 20000000, DEV, "net_dev_xmit_timeout");
	log_line(20000320, "e1000e 0000:00:01.0 eth0: NETDEV WATCHDOG: CPU: 1: transmit queue 0 "
			   "timed out 5624 ms");
	trouble(IOT_EV_RESET, 20001000, DEV, "pci reset");
	log_line(20001500, "e1000e 0000:00:01.0 eth0: Reset adapter unexpectedly");
	i = only_incident();
	assert_int_equal(i->hang.count, 1);
	assert_int_equal(i->hang.stalled, 5624 * MS);
	assert_int_equal(i->reset.count, 1);
	assert_int_equal(a->model.total.hangs, 1);
	assert_int_equal(a->model.total.resets, 1);
}

static void a_hang_after_the_reset_is_a_new_one(void **state)
{
	(void)state;
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	trouble(IOT_EV_HANG, 500000, DEV, "refdma stall");
	trouble(IOT_EV_RESET, 501000, DEV, "refdma reset");
	trouble(IOT_EV_HANG, 5500000, DEV, "refdma stall");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
	assert_int_equal(a->incidents.list[1]->judgement.verdict, VERDICT_NO_FAULT);
	assert_int_equal(a->incidents.list[1]->earlier_fault, AT(3000));
}

static void a_reset_alone_is_no_incident(void **state)
{
	(void)state;
	trouble(IOT_EV_RESET, 500000, DEV, "refdma reset");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 0);
	assert_int_equal(a->model.total.resets, 1);
}

static void the_device_table_joins_vf_and_pf(void **state)
{
	(void)state;
	device(2, "0000:04:10.0", "vfio-pci", "0000:03:00.0", 8);
	device(4, "0000:03:00.0", "ice", "", 9);
	log_line(3000, "vfio-pci 0000:04:10.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0037 "
		       "address=0x7b657064 flags=0x0000]");
	trouble(IOT_EV_HANG, 4000000, 4, "net_dev_xmit_timeout");
	assert_int_equal(only_incident()->hang.relation.kind, RELATION_PHYSFN);
}

static void the_82599_layout_joins_vf_and_pf(void **state)
{
	const struct incident *i;

	(void)state;
	log_line(3000, "vfio-pci 0000:04:10.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0037 "
		       "address=0x7b657064 flags=0x0000]");
	log_line(4018215,
		 "ixgbe 0000:03:00.0 enp3s0: Detected Tx Unit Hang\n  Tx Queue             <0>\n");
	i = only_incident();
	assert_int_equal(i->hang.relation.kind, RELATION_VF_OFFSET);
	assert_int_equal(i->hang.relation.offset, 0x180);
	assert_int_equal(i->hang.queue, 0);
}

static void another_distance_joins_nothing(void **state)
{
	(void)state;
	/* 0x0481 is a VF of the port's second function, not of this one */
	log_line(3000, "vfio-pci 0000:04:10.1: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0037 "
		       "address=0x7b657064 flags=0x0000]");
	log_line(4018215, "ixgbe 0000:03:00.0 enp3s0: Detected Tx Unit Hang\n");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
}

static void the_same_distance_of_another_driver_joins_nothing(void **state)
{
	(void)state;
	log_line(3000, "vfio-pci 0000:04:10.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0037 "
		       "address=0x7b657064 flags=0x0000]");
	log_line(4018215, "e1000e 0000:03:00.0 enp3s0: Detected Hardware Unit Hang:\n");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
}

/* --- hostile input
 * ------------------------------------------------------------------------------------------------
 */

static void texts_of_strangers_reach_no_terminal(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	device(DEV, "\033[2Jevil\n", "\x9b\rdriver", "", 5);
	trouble(IOT_EV_HANG, 60000000, DEV, "\033]0;title\007\n\n1. Fake incident");
	analysis__finish(a);
	report__text(out, a);
	fclose(out);
	assert_non_null(strstr(text, "?[2Jevil?"));
	for (const char *c = text; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
	assert_null(strstr(text, "\n1. Fake"));
	free(text);
}

static void random_events_do_no_harm(void **state)
{
	union {
		struct iot_event h;
		__u8 bytes[IOT_EVENT_MAX];
	} ev;
	static const __u16 ids[] = { 1,  2,  3,  4,  5,  6,  7,  8,  16, 17, 18, 19, 20, 21,
				     22, 23, 24, 25, 26, 28, 29, 64, 65, 66, 67, 68, 99 };

	(void)state;
	srandom(11);
	for (int n = 0; n < 200000; n++) {
		for (size_t b = 0; b < sizeof(ev.bytes); b += 4)
			*(__u32 *)(void *)&ev.bytes[b] =
				(__u32)random() & (random() & 1 ? 0xff : 0xffffffff);
		ev.h.id = ids[(size_t)random() % (sizeof(ids) / sizeof(ids[0]))];
		ev.h.len = (__u16)(32 + ((__u32)random() % 125) * 8);
		ev.h.domain &= 7;
		ev.h.dev &= 7;
		ev.h.flags &= 0xb;
		analysis__event(a, &ev.h);
	}
	analysis__finish(a);
	for (int i = 0; i < 8; i++)
		if (model__domain(&a->model, (__u32)i))
			assert_true(ranges__sound(&model__domain(&a->model, (__u32)i)->live));
	json_object_put(report__json(a));
}

/* --- what an emulated AMD-Vi says
 * ------------------------------------------------------------------------ */

static void amd_faults(const char *address)
{
	char line[128];

	snprintf(line, sizeof(line),
		 "igb 0000:03:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0000 address=%s "
		 "flags=0x0009]",
		 address);
	device_with(DEV, "0000:03:00.0", "igb", "", 5, "ivhd0", 0);
	domain_event(100, IOT_DOMAIN_SEEN, 0);
	attach(200, DEV, DOM);
	map_at(300, IOVA, 0x1000, RW);
	log_line(5000, line);
	log_line(6000, line);
}

/* QEMU's fills in no address: that nothing was ever mapped at 0 is no finding. */
static void an_emulated_amd_iommu_says_0_of_every_fault(void **state)
{
	(void)state;
	amd_iommu("1f03000f");
	amd_faults("0x0");
	expect(VERDICT_NO_ADDRESS, CONFIDENCE_CERTAIN);
	assert_false(only_incident()->faults[0]->iova_known);
	says("0000:03:00.0 (igb) tried to access memory in domain 3");
	says("At least 2 faults in all, in 1.00 ms.");
	says("the log says 0, which tells nothing: the machine is virtual (ivhd0 caches");
}

static void other_addresses_of_it_count(void **state)
{
	(void)state;
	amd_iommu("1f03000f");
	amd_faults("0x1000");
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
	says("tried to access IOVA 0x1000");
}

static void a_real_amd_iommu_means_it(void **state)
{
	(void)state;
	amd_iommu("190b640f");
	amd_faults("0x0");
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
	says("tried to access IOVA 0x0");
	says("At least 2 faults in all, in 1.00 ms, at one page.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(repeated_faults_are_one_incident),
		SCENE(faults_seconds_apart_are_two_incidents),
		SCENE(faults_of_two_devices_are_two_incidents),
		SCENE(a_fault_seen_by_hook_and_in_the_log_is_one),
		SCENE(two_log_lines_are_two_faults),
		SCENE(suppressed_lines_are_told),
		SCENE(derived_events_in_the_stream_are_not_counted_again),
		SCENE(a_hang_after_a_fault_joins_it),
		SCENE(a_device_that_went_on_working_did_not_hang_by_the_fault),
		SCENE(a_hang_of_an_unrelated_device_does_not_join),
		SCENE(a_hang_of_the_same_group_joins),
		SCENE(a_hang_too_long_after_does_not_join),
		SCENE(an_nvme_timeout_comes_half_a_minute_later),
		SCENE(a_hang_alone_does_not_blame_the_iommu),
		SCENE(a_hang_with_lost_rare_events_before_it_is_unknown),
		SCENE(a_name_without_a_place_acquits_nobody),
		SCENE(a_name_whose_place_is_told_joins_its_vf),
		SCENE(a_fault_without_a_device_acquits_none_of_its_domain),
		SCENE(a_hang_said_again_is_one_incident),
		SCENE(a_hang_told_by_hook_and_log_is_one),
		SCENE(a_hang_after_the_reset_is_a_new_one),
		SCENE(a_reset_alone_is_no_incident),
		SCENE(the_device_table_joins_vf_and_pf),
		SCENE(the_82599_layout_joins_vf_and_pf),
		SCENE(another_distance_joins_nothing),
		SCENE(the_same_distance_of_another_driver_joins_nothing),
		SCENE(texts_of_strangers_reach_no_terminal),
		SCENE(random_events_do_no_harm),
		SCENE(an_emulated_amd_iommu_says_0_of_every_fault),
		SCENE(other_addresses_of_it_count),
		SCENE(a_real_amd_iommu_means_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

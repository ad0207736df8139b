// SPDX-License-Identifier: GPL-2.0-only
/* Requester ids that no device has: bridges and functions that don't exist. */
#include "scene.h"

#define PEER 2

static void fault_of_rid(__u64 us, __u32 rid)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), us),
				.iova = IOVA,
				.iova_known = 1,
				.rid = rid,
				.rid_known = 1,
				.source = IOT_SRC_HOOK };

	ev.h.dev = ev.h.domain = 0;
	feed(&ev);
}

static void a_bridge_stands_for_what_is_behind_it(void **state)
{
	(void)state;
	device(PEER, "0000:05:04.0", "e1000", "", 8);
	fault_of_rid(3000, 0x0500);
	trouble(IOT_EV_HANG, 4000000, PEER, "net_dev_xmit_timeout");
	assert_int_equal(only_incident()->hang.relation.kind, RELATION_BRIDGE);
	says("what a PCIe-to-PCI bridge puts in");
}

static void the_domain_behind_a_bridge_is_inferred(void **state)
{
	(void)state;
	device(PEER, "0000:05:04.0", "e1000", "", 8);
	domain_of_type(30, 9, IOT_TYPE_DMA, 0);
	attach(40, PEER, 9);
	map_in(1000, 9, IOVA, 0x1000, 1);
	fault_of_rid(3000, 0x0500);
	a->incidents.list[0]->faults[0]->access = IOT_ACCESS_WRITE;
	expect(VERDICT_PERMISSION, CONFIDENCE_LIKELY);
	says("No device has the requester id of the fault: that it stands for devices of domain 9");
}

static void of_two_domains_behind_a_bridge_none_is_taken(void **state)
{
	(void)state;
	device(PEER, "0000:05:04.0", "e1000", "", 8);
	device(7, "0000:05:05.0", "e1000", "", 9);
	domain_of_type(30, 9, IOT_TYPE_DMA, 0);
	attach(40, PEER, 9);
	attach(41, 7, DOM);
	map_in(1000, 9, IOVA, 0x1000, 1);
	fault_of_rid(3000, 0x0500);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void a_function_that_does_not_exist_stands_for_its_slot(void **state)
{
	(void)state;
	device(PEER, "0000:05:00.0", "ahci", "", 8);
	fault_of_rid(3000, 0x0501);
	trouble(IOT_EV_HANG, 4000000, PEER, "scsi timeout");
	assert_int_equal(only_incident()->hang.relation.kind, RELATION_FUNCTION);
}

static void a_device_that_exists_stands_for_itself(void **state)
{
	(void)state;
	device(PEER, "0000:05:00.0", "ahci", "", 8);
	device(7, "0000:05:00.1", "snd_hda_intel", "", 9);
	fault_of_rid(3000, 0x0501);
	trouble(IOT_EV_HANG, 4000000, PEER, "scsi timeout");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
}

static void the_root_bus_has_no_bridge(void **state)
{
	(void)state;
	device(PEER, "0000:00:04.0", "nvme", "", 8);
	fault_of_rid(3000, 0x0000);
	trouble(IOT_EV_HANG, 4000000, PEER, "nvme timeout, reset controller");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_bridge_stands_for_what_is_behind_it),
		SCENE(the_domain_behind_a_bridge_is_inferred),
		SCENE(of_two_domains_behind_a_bridge_none_is_taken),
		SCENE(a_function_that_does_not_exist_stands_for_its_slot),
		SCENE(a_device_that_exists_stands_for_itself),
		SCENE(the_root_bus_has_no_bridge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Faults at addresses that nobody had in the domain: edges of mappings, truncated addresses, other
 * domains, reserved regions. */
#include "scene.h"

#define OTHER 4 /* a second domain … */
#define PEER  2 /* … and its device */
#define HIGH  0x1fff00000ULL

/* --- past the end, before the start
 * ---------------------------------------------------------------- */

static void an_access_right_behind_a_mapping_is_past_its_end(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x2000, RW);
	fault_at(3000, IOVA + 0x2000 + 99, IOT_ACCESS_WRITE);
	expect(VERDICT_PAST_END, CONFIDENCE_LIKELY);
	assert_int_equal(first_fault()->distance, 100);
	assert_int_equal(first_fault()->neighbour.start, IOVA);
	says("IOVA 0xfff2063 in domain 3 (DMA-FQ, lazy), 100 bytes past the end of a mapping: "
	     "0xfff0000-0xfff1fff (8 KiB), mapped 2.00 ms before the fault by task 61 and still "
	     "mapped.");
	says("Next: Compare the length and offset");
}

static void at_a_page_begin_the_number_of_bytes_is_not_exact(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	fault_at(3000, IOVA + 0x1000, IOT_ACCESS_WRITE);
	expect(VERDICT_PAST_END, CONFIDENCE_LIKELY);
	says("1 byte past the end of a mapping (up to 4096, if the IOMMU tells only the page)");
}

static void the_end_of_a_mapping_that_is_gone_counts_too(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(2100, 2200, IOT_FLUSH_ALL);
	fault_at(3000, IOVA + 0x1010, IOT_ACCESS_WRITE);
	expect(VERDICT_PAST_END, CONFIDENCE_LIKELY);
	assert_int_equal(first_fault()->neighbour.unmap_ts, AT(2000));
	says("17 bytes past the end of a mapping: 0xfff0000-0xfff0fff (4 KiB), mapped 2.00 ms "
	     "before "
	     "the fault by task 61 and unmapped 1.00 ms before it.");
}

static void a_page_further_behind_is_no_overrun(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	fault_at(3000, IOVA + 0x2001, IOT_ACCESS_WRITE);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void an_access_in_front_of_a_mapping_is_before_its_start(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	fault_at(3000, IOVA - 64, IOT_ACCESS_READ);
	expect(VERDICT_BEFORE_START, CONFIDENCE_LIKELY);
	assert_int_equal(first_fault()->distance, 64);
	says("64 bytes before the start of a mapping: 0xfff0000-0xfff0fff");
}

static void between_two_mappings_an_overrun_is_likelier(void **state)
{
	(void)state;
	map_at(1000, IOVA - 0x1000, 0x1000, RW);
	map_at(1000, IOVA + 0x1000, 0x1000, RW);
	fault_at(3000, IOVA + 0x10, IOT_ACCESS_READ);
	expect(VERDICT_PAST_END, CONFIDENCE_LIKELY);
}

static void right_behind_a_mapping_an_owner_of_long_ago_counts_less(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x2000, RW);
	unmap_at(2000, IOVA + 0x1000, 0x1000, IOT_UNMAP_LAZY);
	flush_at(2100, 2200, IOT_FLUSH_ALL);
	fault_at(3000000, IOVA + 0x1008, IOT_ACCESS_READ);
	expect(VERDICT_PAST_END, CONFIDENCE_LIKELY);
	says("the address itself was last unmapped 3.0 s earlier");
}

static void in_an_older_domain_an_overrun_takes_a_second_of_watching(void **state)
{
	(void)state;
	domain_event(30, IOT_DOMAIN_SEEN, IOT_F_SNAPSHOT);
	map_at(1000, IOVA, 0x1000, RW);
	fault_at(900000, IOVA + 0x1000, IOT_ACCESS_WRITE);
	fault_at(2500000, IOVA + 0x1000, IOT_ACCESS_WRITE);
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
	assert_int_equal(a->incidents.list[0]->judgement.verdict, VERDICT_CANNOT_KNOW);
	assert_int_equal(a->incidents.list[1]->judgement.verdict, VERDICT_PAST_END);
	assert_int_equal(a->incidents.list[1]->judgement.confidence, CONFIDENCE_LIKELY);
	says("wasn't mapped in the 2.5 s seen before");
}

static void a_loss_just_before_makes_an_edge_unknown(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	loss(1100, 1200, IOT_LOST_RING);
	fault_at(3000, IOVA + 0x1000, IOT_ACCESS_WRITE);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void a_neighbour_from_before_a_loss_proves_nothing(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	loss(1100, 1200, IOT_LOST_RECURSION);
	fault_at(3000000, IOVA + 0x1000, IOT_ACCESS_WRITE);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void nor_does_one_above(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	loss(1100, 1200, IOT_LOST_RECURSION);
	fault_at(3000000, IOVA - 64, IOT_ACCESS_WRITE);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void a_neighbour_gone_since_the_loss_counts(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	loss(1100, 1200, IOT_LOST_RECURSION);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(3000000, IOVA + 0x1004, IOT_ACCESS_WRITE);
	expect(VERDICT_PAST_END, CONFIDENCE_LIKELY);
}

/* --- truncated
 * ------------------------------------------------------------------------------------- */

static void missing_upper_bits_are_found(void **state)
{
	(void)state;
	device_with(DEV, "refdma.0", "refdma", "", 5, "", 64);
	map_at(1000, HIGH, 0x4000, RW);
	fault_at(3000, (HIGH + 0x1040) & 0xffffffff, IOT_ACCESS_WRITE);
	expect(VERDICT_TRUNCATED, CONFIDENCE_LIKELY);
	assert_int_equal(first_fault()->cut_bits, 32);
	assert_int_equal(first_fault()->cut_iova, HIGH + 0x1040);
	says("But IOVA 0x1fff01040 has the same lowest 32 bits, in the mapping "
	     "0x1fff00000-0x1fff03fff (16 KiB), mapped 2.00 ms before the fault by task 61 and "
	     "still "
	     "mapped: the bits from 32 on seem to be missing. Its DMA mask promises 64 bits.");
	says("Boot with iommu.forcedac=1");
	/* 16 KiB in 4 GiB */
	says("only one in 262144 would fit one by chance");
}

static void a_mapping_above_the_mask_was_promised_by_nobody(void **state)
{
	(void)state;
	device_with(DEV, "refdma.0", "refdma", "", 5, "", 32);
	map_at(1000, HIGH, 0x4000, RW);
	fault_at(3000, (HIGH + 0x1040) & 0xffffffff, IOT_ACCESS_WRITE);
	expect(VERDICT_TRUNCATED, CONFIDENCE_LIKELY);
	says("Its DMA mask is of 32 bits only: that mapping is above it.");
	says("Look at how that mapping came to lie above the device's DMA mask");
}

static void a_cut_at_forty_bits_is_told_from_one_at_thirty_two(void **state)
{
	(void)state;
	map_at(1000, 0xfffffffff000ULL, 0x1000, RW);
	fault_at(3000, 0xfffffff000ULL, IOT_ACCESS_WRITE);
	expect(VERDICT_TRUNCATED, CONFIDENCE_LIKELY);
	assert_int_equal(first_fault()->cut_bits, 40);
}

static void a_mapping_just_gone_may_be_the_one(void **state)
{
	(void)state;
	map_at(1000, HIGH, 0x1000, RW);
	unmap_at(2000, HIGH, 0x1000, IOT_UNMAP_LAZY);
	fault_at(3000, HIGH & 0xffffffff, IOT_ACCESS_WRITE);
	expect(VERDICT_TRUNCATED, CONFIDENCE_LIKELY);
	says("a recent mapping has the same lowest 32 bits");
}

static void a_mapping_gone_for_long_is_not(void **state)
{
	(void)state;
	map_at(1000, HIGH, 0x1000, RW);
	unmap_at(2000, HIGH, 0x1000, IOT_UNMAP_LAZY);
	fault_at(2003000, HIGH & 0xffffffff, IOT_ACCESS_WRITE);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void other_lower_bits_are_no_truncation(void **state)
{
	(void)state;
	map_at(1000, HIGH, 0x1000, RW);
	fault_at(3000, (HIGH + 0x2000) & 0xffffffff, IOT_ACCESS_WRITE);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void where_any_address_would_match_none_is_truncated(void **state)
{
	(void)state;
	/* A guest's memory above 4 GiB: its PCI hole matches some of it in the lower 32 bits. */
	map_at(1000, 1ULL << 32, 1ULL << 32, RW);
	fault_at(3000, 0xf0000000, IOT_ACCESS_READ);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void a_loss_since_the_map_makes_truncation_unknown(void **state)
{
	(void)state;
	map_at(1000, HIGH, 0x1000, RW);
	loss(1100, 1200, IOT_LOST_OVERWRITTEN);
	fault_at(3000000, HIGH & 0xffffffff, IOT_ACCESS_WRITE);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void its_own_former_mapping_comes_before_truncation(void **state)
{
	(void)state;
	map_at(1000, HIGH & 0xffffffff, 0x1000, RW);
	unmap_at(2000, HIGH & 0xffffffff, 0x1000, IOT_UNMAP_LAZY);
	map_at(2100, HIGH, 0x1000, RW);
	fault_at(3000, HIGH & 0xffffffff, IOT_ACCESS_WRITE);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
}

/* --- other domains
 * --------------------------------------------------------------------------------- */

static void peer(void)
{
	device(PEER, "refdma.1", "refdma", "", 6);
	domain_of_type(30, OTHER, IOT_TYPE_DMA_FQ, 0);
	attach(40, PEER, OTHER);
}

static void an_address_of_one_other_device_is_told(void **state)
{
	(void)state;
	peer();
	map_in(1000, OTHER, IOVA, 0x1000, RW);
	fault_at(3000, IOVA + 8, IOT_ACCESS_WRITE);
	expect(VERDICT_OTHER_DOMAIN, CONFIDENCE_LIKELY);
	says("which was never mapped there. Domain 4 has it, that of refdma.1 (refdma): "
	     "0xfff0000-0xfff0fff (4 KiB), mapped 2.00 ms before the fault");
	says("Next: Look at which struct device the driver passes");
}

static void an_address_that_two_others_have_is_a_coincidence(void **state)
{
	(void)state;
	peer();
	device(7, "refdma.2", "refdma", "", 7);
	domain_of_type(30, 9, IOT_TYPE_DMA_FQ, 0);
	attach(40, 7, 9);
	map_in(1000, OTHER, IOVA, 0x1000, RW);
	map_in(1000, 9, IOVA, 0x1000, RW);
	fault_at(3000, IOVA + 8, IOT_ACCESS_WRITE);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
	says("The same address is mapped in 2 other domains, which alone says nothing");
}

static void in_a_thickly_mapped_zone_the_other_domain_says_nothing(void **state)
{
	(void)state;
	peer();
	map_in(1000, OTHER, IOVA - 0x800000, 0x1000000, RW);
	fault_at(3000, IOVA + 8, IOT_ACCESS_WRITE);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
	says("The same address is mapped in 1 other domain, which alone says nothing");
}

static void another_domain_that_does_not_allow_the_access_is_not_meant(void **state)
{
	(void)state;
	peer();
	map_in(1000, OTHER, IOVA, 0x1000, 1);
	fault_at(3000, IOVA + 8, IOT_ACCESS_WRITE);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void a_domain_without_devices_is_not_meant(void **state)
{
	(void)state;
	map_in(1000, OTHER, IOVA, 0x1000, RW);
	fault_at(3000, IOVA + 8, IOT_ACCESS_WRITE);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void its_own_unmap_comes_before_another_domain(void **state)
{
	(void)state;
	peer();
	map_in(1000, OTHER, IOVA, 0x1000, RW);
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(3000, IOVA + 8, IOT_ACCESS_WRITE);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
}

static void a_loss_makes_another_domain_unknown(void **state)
{
	(void)state;
	peer();
	map_in(1000, OTHER, IOVA, 0x1000, RW);
	loss(500, 600, IOT_LOST_RING);
	fault_at(3000000, IOVA + 8, IOT_ACCESS_WRITE);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void an_address_of_the_domain_before_is_certain(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	detach(2000, DEV, DOM);
	domain_of_type(2001, OTHER, IOT_TYPE_UNMANAGED, 0);
	attach(2002, DEV, OTHER);
	fault_at(4002000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_OTHER_DOMAIN, CONFIDENCE_CERTAIN);
	says("which it had in domain 3 until it left that one 4.00 s before the fault");
}

/* --- reserved regions
 * ------------------------------------------------------------------------------ */

static void an_address_in_a_reserved_region_is_told(void **state)
{
	(void)state;
	region(5, 0xfee00000, 0xfeefffff, IOT_REGION_MSI);
	fault_at(3000, 0xfee01000, IOT_ACCESS_READ);
	expect(VERDICT_RESERVED, CONFIDENCE_CERTAIN);
	says("It lies in the region 0xfee00000-0xfeefffff, which is the interrupt window");
	says("Next: Compare the address with /sys/kernel/iommu_groups/*/reserved_regions");
}

static void the_last_byte_of_a_region_is_in_it_and_the_next_is_not(void **state)
{
	(void)state;
	region(5, 0x8000000, 0x80fffff, IOT_REGION_RESERVED);
	fault_at(3000, 0x80fffff, IOT_ACCESS_READ);
	fault_at(3000000, 0x8100000, IOT_ACCESS_READ);
	analysis__finish(a);
	assert_int_equal(a->incidents.list[0]->judgement.verdict, VERDICT_RESERVED);
	assert_int_equal(a->incidents.list[1]->judgement.verdict, VERDICT_NEVER_MAPPED);
	says("which is reserved: the kernel never maps anything there");
}

static void a_region_of_another_group_is_not_meant(void **state)
{
	(void)state;
	region(6, 0xfee00000, 0xfeefffff, IOT_REGION_MSI);
	fault_at(3000, 0xfee01000, IOT_ACCESS_READ);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void a_reserved_region_stays_one_whatever_is_lost(void **state)
{
	(void)state;
	region(5, 0xfee00000, 0xfeefffff, IOT_REGION_MSI);
	loss(1000, 4000, IOT_LOST_RING);
	fault_at(3000, 0xfee01000, IOT_ACCESS_READ);
	expect(VERDICT_RESERVED, CONFIDENCE_CERTAIN);
}

static void of_a_direct_region_a_loss_leaves_it_likely(void **state)
{
	(void)state;
	region(5, 0x8000000, 0x80fffff, IOT_REGION_DIRECT);
	loss(1000, 4000, IOT_LOST_RING);
	fault_at(3000, 0x8000000, IOT_ACCESS_READ);
	expect(VERDICT_RESERVED, CONFIDENCE_LIKELY);
	says("which firmware asks to have mapped one to one for the device, and which isn't");
}

static void a_mapped_direct_region_is_a_mapping(void **state)
{
	(void)state;
	region(5, 0x8000000, 0x80fffff, IOT_REGION_DIRECT);
	map_at(1000, 0x8000000, 0x100000, RW);
	fault_at(30000, 0x8000000, IOT_ACCESS_READ);
	expect(VERDICT_MAPPED, CONFIDENCE_LIKELY);
}

static void json_tells_what_the_verdict_rests_on(void **state)
{
	struct json_object *json, *list, *fault, *clue, *value;

	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	fault_at(3000, IOVA + 0x1003, IOT_ACCESS_READ);
	analysis__finish(a);
	json = report__json(a);
	assert_true(json_object_object_get_ex(json, "incidents", &list));
	assert_true(json_object_object_get_ex(json_object_array_get_idx(list, 0), "faults", &list));
	fault = json_object_array_get_idx(list, 0);
	assert_true(json_object_object_get_ex(fault, "clue", &clue));
	assert_true(json_object_object_get_ex(clue, "distance", &value));
	assert_int_equal(json_object_get_int64(value), 4);
	assert_true(json_object_object_get_ex(clue, "mapping", &clue));
	assert_true(json_object_object_get_ex(clue, "start", &value));
	assert_string_equal(json_object_get_string(value), "0xfff0000");
	json_object_put(json);
}

/* --- a physical address
 * ---------------------------------------------------------------------------- */

static void a_physical_address_is_pointed_out(void **state)
{
	struct iot_map ev = { .h = head(IOT_EV_MAP, sizeof(ev), 1000),
			      .iova = 0xffffe000,
			      .paddr = 0x12345000,
			      .size = 0x1000,
			      .prot = RW };

	(void)state;
	feed(&ev);
	fault_at(3000, 0x12345080, IOT_ACCESS_READ);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
	says("It may be a physical address: the memory at 0x12345080 is mapped at IOVA "
	     "0xffffe000.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(an_access_right_behind_a_mapping_is_past_its_end),
		SCENE(at_a_page_begin_the_number_of_bytes_is_not_exact),
		SCENE(the_end_of_a_mapping_that_is_gone_counts_too),
		SCENE(a_page_further_behind_is_no_overrun),
		SCENE(an_access_in_front_of_a_mapping_is_before_its_start),
		SCENE(between_two_mappings_an_overrun_is_likelier),
		SCENE(right_behind_a_mapping_an_owner_of_long_ago_counts_less),
		SCENE(in_an_older_domain_an_overrun_takes_a_second_of_watching),
		SCENE(a_loss_just_before_makes_an_edge_unknown),
		SCENE(a_neighbour_from_before_a_loss_proves_nothing),
		SCENE(nor_does_one_above),
		SCENE(a_neighbour_gone_since_the_loss_counts),
		SCENE(missing_upper_bits_are_found),
		SCENE(a_mapping_above_the_mask_was_promised_by_nobody),
		SCENE(a_cut_at_forty_bits_is_told_from_one_at_thirty_two),
		SCENE(a_mapping_just_gone_may_be_the_one),
		SCENE(a_mapping_gone_for_long_is_not),
		SCENE(other_lower_bits_are_no_truncation),
		SCENE(where_any_address_would_match_none_is_truncated),
		SCENE(a_loss_since_the_map_makes_truncation_unknown),
		SCENE(its_own_former_mapping_comes_before_truncation),
		SCENE(an_address_of_one_other_device_is_told),
		SCENE(an_address_that_two_others_have_is_a_coincidence),
		SCENE(in_a_thickly_mapped_zone_the_other_domain_says_nothing),
		SCENE(another_domain_that_does_not_allow_the_access_is_not_meant),
		SCENE(a_domain_without_devices_is_not_meant),
		SCENE(its_own_unmap_comes_before_another_domain),
		SCENE(a_loss_makes_another_domain_unknown),
		SCENE(an_address_of_the_domain_before_is_certain),
		SCENE(an_address_in_a_reserved_region_is_told),
		SCENE(the_last_byte_of_a_region_is_in_it_and_the_next_is_not),
		SCENE(a_region_of_another_group_is_not_meant),
		SCENE(a_reserved_region_stays_one_whatever_is_lost),
		SCENE(of_a_direct_region_a_loss_leaves_it_likely),
		SCENE(a_mapped_direct_region_is_a_mapping),
		SCENE(json_tells_what_the_verdict_rests_on),
		SCENE(a_physical_address_is_pointed_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Virtual and physical functions, devices of one group, and whose a domain is, in the reports. */
#include "scene.h"

#include "report/kin.h"
#include "report/words.h"

#define PF 10

static const struct model_device *find(const char *name)
{
	return model__device_by_name(&a->model, name);
}

static void is_told(const char *name, const char *words)
{
	char text[200];

	assert_string_equal(kin__text(&a->model, find(name), text, sizeof(text)), words);
}

static void pf_with(unsigned int vfs)
{
	device(PF, "0000:01:00.0", "igb", "", 20);
	for (unsigned int n = 0; n < vfs; n++) {
		char name[16];

		snprintf(name, sizeof(name), "0000:01:1%u.0", n);
		device(PF + 1 + n, name, "igbvf", "0000:01:00.0", 21 + (int)n);
	}
}

static void a_pf_has_its_vfs_and_they_have_it(void **state)
{
	(void)state;
	pf_with(2);
	is_told("0000:01:00.0", "PF of 0000:01:10.0, 0000:01:11.0");
	is_told("0000:01:10.0", "VF of 0000:01:00.0");
	is_told("refdma.0", "");
	says("PF of 0000:01:10.0, 0000:01:11.0");
	says("VF of 0000:01:00.0");
}

static void of_many_vfs_three_are_named(void **state)
{
	(void)state;
	pf_with(9);
	is_told("0000:01:00.0", "PF of 0000:01:10.0, 0000:01:11.0, 0000:01:12.0 and 6 more");
}

static void devices_of_a_group_name_each_other(void **state)
{
	(void)state;
	device(30, "0000:02:01.0", "e1000", "", 7);
	device(31, "0000:02:02.0", "", "", 7);
	is_told("0000:02:01.0", "shares group 7 with 0000:02:02.0");
	is_told("0000:02:02.0", "shares group 7 with 0000:02:01.0");
}

static void a_vf_behind_a_switch_without_isolation_is_both(void **state)
{
	(void)state;
	device(PF, "0000:01:00.0", "igb", "", 20);
	device(PF + 1, "0000:01:10.0", "igbvf", "0000:01:00.0", 20);
	is_told("0000:01:10.0", "VF of 0000:01:00.0; shares group 20 with 0000:01:00.0");
	is_told("0000:01:00.0", "PF of 0000:01:10.0; shares group 20 with 0000:01:10.0");
}

static void one_that_was_removed_and_found_again_is_no_kin_of_itself(void **state)
{
	(void)state;
	device(30, "0000:02:01.0", "e1000", "", 7);
	device(31, "0000:02:01.0", "e1000", "", 7);
	is_told("0000:02:01.0", "");
}

static void text_that_does_not_fit_is_cut(void **state)
{
	char text[12];

	(void)state;
	pf_with(2);
	assert_string_equal(kin__text(&a->model, find("0000:01:00.0"), text, sizeof(text)),
			    "PF of 0000:");
}

static void json_has_all_of_them(void **state)
{
	struct json_object *list;

	(void)state;
	pf_with(9);
	list = kin__json(&a->model, find("0000:01:00.0"), kin__is_vf_of);
	assert_int_equal(json_object_array_length(list), 9);
	assert_string_equal(json_object_get_string(json_object_array_get_idx(list, 8)),
			    "0000:01:18.0");
	json_object_put(list);
}

/* --- whose a domain is */

static void used_by(__u64 us, __u32 type, __u8 user)
{
	struct iot_domain ev = { .h = head(IOT_EV_DOMAIN, sizeof(ev), us),
				 .what = IOT_DOMAIN_STATE,
				 .type = type,
				 .group = -1,
				 .user = user };

	ev.h.domain = 9;
	feed(&ev);
}

static void a_domain_of_vfio_is_told_from_a_drivers_own(void **state)
{
	const struct model_domain *dom;

	(void)state;
	used_by(100, IOT_TYPE_UNMANAGED, IOT_USER_UNMANAGED);
	dom = words__find_domain(&a->model, 9);
	assert_string_equal(words__domain_user(dom), "unmanaged");
	assert_string_equal(words__domain_kind(dom), "unmanaged");
	used_by(200, IOT_TYPE_UNMANAGED, IOT_USER_VFIO);
	assert_string_equal(words__domain_user(dom), "vfio");
	assert_string_equal(words__domain_kind(dom), "vfio");
	/* at the end the group isn't claimed any more */
	used_by(300, IOT_TYPE_UNMANAGED, IOT_USER_UNMANAGED);
	assert_string_equal(words__domain_user(dom), "vfio");
}

static void what_iommufd_nests_is_told_by_its_type(void **state)
{
	const struct model_domain *dom;

	(void)state;
	used_by(100, IOT_TYPE_NESTED, IOT_USER_IOMMUFD);
	dom = words__find_domain(&a->model, 9);
	assert_string_equal(words__domain_user(dom), "iommufd");
	assert_string_equal(words__domain_kind(dom), "nested");
}

static void the_dma_apis_are_told_by_their_type(void **state)
{
	(void)state;
	assert_string_equal(words__domain_user(words__find_domain(&a->model, DOM)), "dma-api");
	assert_string_equal(words__domain_kind(words__find_domain(&a->model, DOM)), "DMA-FQ");
}

/* Of an old session: what nobody said isn't known. */
static void an_unmanaged_one_that_nobody_told_of_is_nobodys(void **state)
{
	(void)state;
	used_by(100, IOT_TYPE_UNMANAGED, IOT_USER_UNKNOWN);
	assert_null(words__domain_user(words__find_domain(&a->model, 9)));
	used_by(100, IOT_TYPE_UNMANAGED, 200); /* of a newer iommutop */
	assert_null(words__domain_user(words__find_domain(&a->model, 9)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_pf_has_its_vfs_and_they_have_it),
		SCENE(of_many_vfs_three_are_named),
		SCENE(devices_of_a_group_name_each_other),
		SCENE(a_vf_behind_a_switch_without_isolation_is_both),
		SCENE(one_that_was_removed_and_found_again_is_no_kin_of_itself),
		SCENE(text_that_does_not_fit_is_cut),
		SCENE(json_has_all_of_them),
		SCENE(a_domain_of_vfio_is_told_from_a_drivers_own),
		SCENE(what_iommufd_nests_is_told_by_its_type),
		SCENE(the_dma_apis_are_told_by_their_type),
		SCENE(an_unmanaged_one_that_nobody_told_of_is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Page requests that were not served, as evidence of the fault or the hang after them. */
#include <errno.h>

#include "scene.h"

#define PEER 2
#define FAR  (IOVA + 0x100000)

static const struct incident_page *page(void)
{
	return &only_incident()->page;
}

static void attr(const char *text)
{
	struct {
		struct iot_attr attr;
		char text[64];
	} ev = { .attr = { .h = head(IOT_EV_ATTR, sizeof(ev), 5), .text_len = sizeof(ev.text) } };

	strncpy(ev.text, text, sizeof(ev.text) - 1);
	feed(&ev);
}

static void hang_at(__u64 us, __u32 dev, const char *what, __u64 stalled_us)
{
	struct iot_trouble ev = { .h = head(IOT_EV_HANG, sizeof(ev), us),
				  .queue = 0,
				  .source = IOT_SRC_HOOK,
				  .stalled = stalled_us * 1000 };

	ev.h.dev = dev;
	ev.h.domain = 0;
	strncpy(ev.what, what, sizeof(ev.what) - 1);
	feed(&ev);
}

static void silent(const char *words)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	report__text(out, a);
	fclose(out);
	if (strstr(text, words))
		fail_msg("said: %s\n%s", words, text);
	free(text);
}

/* --- faults
 * ---------------------------------------------------------------------------------------- */

static void a_fault_at_the_page_that_was_answered_invalid_has_it_as_evidence(void **state)
{
	const struct incident_page *p;

	(void)state;
	page_request(1000, IOVA, 7, 5, true);
	page_answer(2200, 7, 5, IOT_PAGE_INVALID, 1200, 0);
	fault_at(3000, IOVA + 0x40, IOT_ACCESS_WRITE);
	p = page();
	assert_int_equal(p->count, 1);
	assert_int_equal(p->fate, PAGE_INVALID);
	assert_true(p->same_page);
	assert_int_equal(p->answered, AT(2200));
	assert_int_equal(p->group.since, AT(1000));
	says("2.00 ms before the fault, refdma.0 (refdma) asked for the page at 0xfff0000 (write, "
	     "PASID 5, group 7). This request was answered INVALID (this access can't be) 1.20 ms "
	     "later, by task 61. The fault is at the same page, after the device had been told "
	     "that it can't have it.");
	says("The fault doesn't say its PASID");
	says("refdma.0 asks for the page at 0xfff0000, write, PASID 5, group 7");
	says("refdma.0: INVALID, after 1.20 ms");
}

static void at_another_address_only_device_and_time_join(void **state)
{
	(void)state;
	page_request(1000, FAR, 7, 0, true);
	page_answer(2000, 7, 0, IOT_PAGE_INVALID, 1000, 0);
	fault_at(900000, IOVA, IOT_ACCESS_WRITE);
	assert_false(page()->same_page);
	assert_int_equal(page()->count, 1);
	says("The fault is not at an address that it asked for, as far as is known: only device "
	     "and time join the two.");
}

static void at_another_address_a_second_is_too_long(void **state)
{
	(void)state;
	page_request(1000, FAR, 7, 0, true);
	page_answer(2000, 7, 0, IOT_PAGE_FAILURE, 1000, 0);
	fault_at(1003000, IOVA, IOT_ACCESS_WRITE);
	assert_int_equal(page()->count, 0);
	silent("asked for the page");
}

static void at_the_same_page_it_may_be_ten_seconds(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	page_answer(2000, 7, 0, IOT_PAGE_INVALID, 1000, 0);
	fault_at(9000000, IOVA, IOT_ACCESS_WRITE);
	assert_true(page()->same_page);
}

static void and_no_more(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	page_answer(2000, 7, 0, IOT_PAGE_INVALID, 1000, 0);
	fault_at(10003000, IOVA, IOT_ACCESS_WRITE);
	assert_int_equal(page()->count, 0);
}

static void the_same_page_beats_what_is_newer(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	page_answer(2000, 7, 0, IOT_PAGE_INVALID, 1000, 0);
	page_request(3000, FAR, 8, 0, true);
	page_answer(4000, 8, 0, IOT_PAGE_INVALID, 1000, 0);
	fault_at(5000, IOVA, IOT_ACCESS_WRITE);
	assert_int_equal(page()->prgi, 7);
	assert_int_equal(page()->count, 2);
	says("2 requests of the device ended so by then.");
}

static void a_later_fault_of_the_burst_may_fit_better(void **state)
{
	(void)state;
	page_request(1000, IOVA + 0x5000, 7, 0, true);
	page_answer(2000, 7, 0, IOT_PAGE_INVALID, 1000, 0);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	fault_at(4000, IOVA + 0x5000, IOT_ACCESS_WRITE);
	assert_true(page()->same_page);
	assert_int_equal(page()->at, AT(4000));
}

static void each_page_of_a_group_counts_as_far_as_it_is_known(void **state)
{
	(void)state;
	for (__u32 n = 0; n <= REQUESTS_PAGES; n++)
		page_request(1000 + n, FAR + n * 0x10000, 7, 0, n == REQUESTS_PAGES);
	page_answer(2000, 7, 0, IOT_PAGE_INVALID, 1000, 0);
	fault_at(3000, FAR + (REQUESTS_PAGES - 1) * 0x10000 + 8, IOT_ACCESS_WRITE);
	assert_true(page()->same_page);
	assert_int_equal(page()->group.nr, REQUESTS_PAGES + 1);
	says("asked for the page at 0x10160000 and 8 more");
}

static void of_more_pages_nothing_is_claimed(void **state)
{
	(void)state;
	for (__u32 n = 0; n <= REQUESTS_PAGES; n++)
		page_request(1000 + n, FAR + n * 0x10000, 7, 0, n == REQUESTS_PAGES);
	page_answer(2000, 7, 0, IOT_PAGE_INVALID, 1000, 0);
	fault_at(3000, FAR + REQUESTS_PAGES * 0x10000, IOT_ACCESS_WRITE);
	assert_false(page()->same_page);
}

static void another_device_has_nothing_to_do_with_it(void **state)
{
	struct iot_page_response ev = { .h = head(IOT_EV_PAGE_RESPONSE, sizeof(ev), 2000),
					.code = IOT_PAGE_FAILURE };

	(void)state;
	device(PEER, "refdma.1", "refdma", "", 6);
	ev.h.dev = PEER;
	feed(&ev);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	assert_int_equal(page()->count, 0);
}

static void what_was_served_is_no_evidence(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	page_answer(2000, 7, 0, IOT_PAGE_SUCCESS, 1000, 0);
	page_request(2100, IOVA, 8, 0, true);
	page_answer(2200, 8, 0, 9, 100, 0); /* a code of a later kernel */
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	assert_int_equal(page()->count, 0);
}

static void a_page_that_came_late_is_at_its_address(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	page_answer(351000, 7, 0, IOT_PAGE_SUCCESS, 350000, 0);
	fault_at(352000, IOVA, IOT_ACCESS_WRITE);
	assert_int_equal(page()->fate, PAGE_LATE);
	says("This request was served only after 350 ms. The fault is at the same page, after the "
	     "device had been told that it is there.");
}

static void and_at_no_other(void **state)
{
	(void)state;
	page_request(1000, FAR, 7, 0, true);
	page_answer(351000, 7, 0, IOT_PAGE_SUCCESS, 350000, 0);
	fault_at(352000, IOVA, IOT_ACCESS_WRITE);
	assert_int_equal(page()->count, 0);
}

static void a_device_whose_pages_always_take_long_has_none_that_is_late(void **state)
{
	(void)state;
	for (__u32 n = 0; n < 20; n++)
		page_answer(1000 + n, n, 0, IOT_PAGE_SUCCESS, 4000, 0);
	page_request(2000, IOVA, 7, 0, true);
	page_answer(352000, 7, 0, IOT_PAGE_SUCCESS, 350000, 0);
	fault_at(353000, IOVA, IOT_ACCESS_WRITE);
	assert_int_equal(page()->count, 0);
}

static void what_the_core_refused_is_told_with_its_error(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	page_answer(1001, 7, 0, IOT_PAGE_REFUSED, 1, -EINVAL);
	fault_at(1010, IOVA, IOT_ACCESS_WRITE);
	assert_int_equal(page()->fate, PAGE_REFUSED);
	says("This request the kernel's core refused (EINVAL): nobody handles them.");
	says("refdma.0: refused by the core, EINVAL");
}

static void an_answer_that_could_not_be_given_is_none(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	page_answer(2000, 7, 0, IOT_PAGE_SUCCESS, 1000, -ENODEV);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	assert_int_equal(page()->fate, PAGE_NOT_GIVEN);
	says("the answer (SUCCESS) could not be given to the device (ENODEV)");
}

static void an_answer_to_what_was_not_seen_is_told_so(void **state)
{
	(void)state;
	page_answer(2000, 7, 5, IOT_PAGE_FAILURE, 0, 0);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	assert_false(page()->asked);
	assert_false(page()->same_page);
	says("A page request of refdma.0 (refdma) (PASID 5, group 7), which wasn't seen itself, "
	     "was answered FAILURE (neither this access nor others of the device), by task 61.");
}

static void a_fault_at_a_page_that_is_still_asked_for(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	assert_int_equal(page()->fate, PAGE_UNANSWERED);
	assert_false(page()->doubt);
	says("This request had no answer when the fault came, 2.00 ms later, and got none until "
	     "the "
	     "end. The fault is at the same page: the device used it without an answer.");
}

static void a_request_that_waits_for_another_page_is_none_of_the_faults(void **state)
{
	(void)state;
	page_request(1000, FAR, 7, 0, true);
	fault_at(2000000, IOVA, IOT_ACCESS_WRITE);
	assert_int_equal(page()->count, 0);
}

static void an_answer_after_the_fault_is_told(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	page_answer(5000, 7, 0, IOT_PAGE_INVALID, 4000, 0);
	assert_int_equal(a->incidents.open_pages, 0);
	says("had no answer when the fault came, 2.00 ms later; it came 2.00 ms after that "
	     "(INVALID).");
}

/* --- what can't be known
 * ---------------------------------------------------------------------------
 */

static void an_answer_that_may_be_missing_proves_nothing(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	loss(2000, 2500, IOT_LOST_RARE);
	assert_true(page()->doubt);
	silent("asked for the page");
	says("A page request of the device for 0xfff0000 waited, as far as is seen; but events "
	     "are missing since, and its answer may be among them.");
}

/* A flight recorder keeps what is rare. */
static void nor_does_what_a_flight_recorder_let_go(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	loss(2000, 2500, IOT_LOST_OVERWRITTEN);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	assert_false(page()->doubt);
}

static void what_is_missing_later_changes_nothing(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	loss(4000, 4500, IOT_LOST_RARE);
	assert_false(page()->doubt);
}

static void where_answers_are_not_seen_none_is_missed(void **state)
{
	(void)state;
	attr("plan.page-answered=missing: no function");
	page_request(1000, IOVA, 7, 0, true);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	assert_true(page()->doubt);
	says("answers to page requests aren't seen on this kernel");
}

static void where_they_are_the_attribute_says_so(void **state)
{
	(void)state;
	attr("plan.page-answered=fexit iopf_group_response");
	page_request(1000, IOVA, 7, 0, true);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	assert_false(page()->doubt);
}

static void a_number_that_is_used_again_was_answered(void **state)
{
	(void)state;
	page_request(1000, IOVA, 7, 0, true);
	fault_at(3000, IOVA, IOT_ACCESS_WRITE);
	page_request(4000, FAR, 7, 0, true);
	assert_true(page()->doubt);
	says("but its number was used again, so its answer was missed.");
}

/* --- hangs
 * ---------------------------------------------------------------------------------------- */

static void a_hang_after_a_failed_request_is_one_incident(void **state)
{
	const struct incident *i;

	(void)state;
	page_request(20000000, IOVA, 7, 5, true);
	page_answer(20001000, 7, 5, IOT_PAGE_FAILURE, 1000, 0);
	hang_at(25001000, DEV, "net_dev_xmit_timeout", 5000000);
	i = only_incident();
	assert_int_equal(i->judgement.verdict, VERDICT_PAGE_REQUEST);
	assert_int_equal(i->judgement.confidence, CONFIDENCE_LIKELY);
	assert_false(i->cleared);
	assert_int_equal(i->first, AT(20000000));
	assert_int_equal(a->model.total.hangs, 1);
	says("Page request not served: refdma.0, then a hang");
	says("refdma.0 (refdma) asked for the page at 0xfff0000 (write, PASID 5, group 7). This "
	     "request was answered FAILURE (neither this access nor others of the device) 1.00 ms "
	     "later, by task 61. 5.00 s later the device hung (net_dev_xmit_timeout, queue 0, no "
	     "progress for 5.00 s).");
	says("Next: Look at who answers the device's page requests");
}

static void a_hang_while_a_request_waits(void **state)
{
	(void)state;
	page_request(20000000, IOVA, 7, 5, true);
	hang_at(25000000, DEV, "net_dev_xmit_timeout", 4900000);
	page_answer(27000000, 7, 5, IOT_PAGE_SUCCESS, 7000000, 0);
	assert_int_equal(only_incident()->judgement.verdict, VERDICT_PAGE_REQUEST);
	says("This request had no answer when the device hung, 5.00 s later; it came 2.00 s after "
	     "that (SUCCESS). It hung (net_dev_xmit_timeout");
}

static void the_oldest_of_those_that_wait(void **state)
{
	(void)state;
	page_request(20000000, FAR, 1, 0, true);
	page_request(19000000, IOVA, 2, 0, true);
	page_request(24000000, IOVA, 3, 0, true);
	hang_at(25000000, DEV, "net_dev_xmit_timeout", 4900000);
	assert_int_equal(page()->prgi, 2);
}

static void a_request_that_only_just_came_does_not_explain_a_hang(void **state)
{
	(void)state;
	page_request(24950000, IOVA, 7, 0, true);
	hang_at(25000000, DEV, "net_dev_xmit_timeout", 4900000);
	expect(VERDICT_NO_FAULT, CONFIDENCE_LIKELY);
	assert_int_equal(a->incidents.list[0]->page.count, 0);
}

static void nor_does_one_that_waits_for_ever(void **state)
{
	(void)state;
	page_request(9900000, IOVA, 7, 0, true);
	hang_at(25000000, DEV, "net_dev_xmit_timeout", 4900000); /* 15 s */
	expect(VERDICT_NO_FAULT, CONFIDENCE_LIKELY);
}

static void a_hang_may_be_as_late_as_its_signal_says(void **state)
{
	(void)state;
	page_answer(20000000, 7, 0, IOT_PAGE_INVALID, 0, 0);
	hang_at(35100000, DEV, "net_dev_xmit_timeout", 5000000); /* 15 s */
	expect(VERDICT_NO_FAULT, CONFIDENCE_LIKELY);
}

static void what_goes_on_working_did_not_hang_for_it(void **state)
{
	(void)state;
	page_answer(20000000, 7, 0, IOT_PAGE_INVALID, 0, 0);
	hang_at(25000000, DEV, "refdma", 4000000); /* it worked until 21 s */
	expect(VERDICT_NO_FAULT, CONFIDENCE_LIKELY);
}

static void what_stopped_then_may_have(void **state)
{
	(void)state;
	page_answer(20000000, 7, 0, IOT_PAGE_INVALID, 0, 0);
	hang_at(25000000, DEV, "refdma", 5100000);
	expect(VERDICT_PAGE_REQUEST, CONFIDENCE_LIKELY);
}

static void a_hang_of_another_device_is_blamed_on_nothing(void **state)
{
	(void)state;
	device(PEER, "refdma.1", "refdma", "", 6);
	page_request(20000000, IOVA, 7, 0, true);
	hang_at(25000000, PEER, "net_dev_xmit_timeout", 5000000);
	expect(VERDICT_NO_FAULT, CONFIDENCE_LIKELY);
}

static void a_wait_with_something_missing_is_no_verdict_but_clears_nothing(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	page_request(20000000, IOVA, 7, 0, true);
	loss(21000000, 21000100, IOT_LOST_RECURSION);
	hang_at(25000000, DEV, "net_dev_xmit_timeout", 5000000);
	expect(VERDICT_NO_FAULT, CONFIDENCE_LIKELY);
	assert_false(a->incidents.list[0]->cleared);
	says("its answer may be among them");
}

static void a_fault_between_keeps_its_verdict(void **state)
{
	const struct incident *i;

	(void)state;
	page_request(20000000, IOVA, 7, 0, true);
	page_answer(20001000, 7, 0, IOT_PAGE_INVALID, 1000, 0);
	fault_at(20002000, IOVA, IOT_ACCESS_WRITE);
	hang_at(25000000, DEV, "net_dev_xmit_timeout", 5000000);
	i = only_incident();
	assert_int_equal(i->judgement.verdict, VERDICT_NEVER_MAPPED);
	assert_true(i->page.same_page);
	assert_int_equal(i->hang.count, 1);
	says("2.00 ms before the fault, refdma.0 (refdma) asked");
	says("The fault fits as its cause");
}

/* --- JSON
 * --------------------------------------------------------------------------------------------- */

static void json_tells_the_same(void **state)
{
	struct json_object *all, *list, *page;

	(void)state;
	page_request(1000, IOVA, 7, 5, false);
	page_request(1001, IOVA + 0x1000, 7, 5, true);
	page_answer(2001, 7, 5, IOT_PAGE_INVALID, 1000, 0);
	fault_at(3000, IOVA + 0x1000, IOT_ACCESS_WRITE);
	analysis__finish(a);
	all = report__json(a);
	assert_true(json_object_object_get_ex(all, "incidents", &list));
	assert_true(json_object_object_get_ex(json_object_array_get_idx(list, 0), "page_request",
					      &page));
	assert_string_equal(json_object_to_json_string_ext(page, JSON_C_TO_STRING_PLAIN),
			    "{\"count\":1,\"end\":\"invalid\",\"doubtful\":false,\"device\":1,"
			    "\"device_name\":\"refdma.0\",\"pasid\":5,\"group\":7,"
			    "\"asked_ns\":100001001000,\"addresses\":[\"0xfff0000\",\"0xfff1000\"],"
			    "\"requests\":2,\"permissions\":2,\"answered_ns\":100002001000,"
			    "\"answer\":\"INVALID\",\"result\":0,\"latency_ns\":1000000,\"tid\":61,"
			    "\"same_page\":true}");
	json_object_put(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_fault_at_the_page_that_was_answered_invalid_has_it_as_evidence),
		SCENE(at_another_address_only_device_and_time_join),
		SCENE(at_another_address_a_second_is_too_long),
		SCENE(at_the_same_page_it_may_be_ten_seconds),
		SCENE(and_no_more),
		SCENE(the_same_page_beats_what_is_newer),
		SCENE(a_later_fault_of_the_burst_may_fit_better),
		SCENE(each_page_of_a_group_counts_as_far_as_it_is_known),
		SCENE(of_more_pages_nothing_is_claimed),
		SCENE(another_device_has_nothing_to_do_with_it),
		SCENE(what_was_served_is_no_evidence),
		SCENE(a_page_that_came_late_is_at_its_address),
		SCENE(and_at_no_other),
		SCENE(a_device_whose_pages_always_take_long_has_none_that_is_late),
		SCENE(what_the_core_refused_is_told_with_its_error),
		SCENE(an_answer_that_could_not_be_given_is_none),
		SCENE(an_answer_to_what_was_not_seen_is_told_so),
		SCENE(a_fault_at_a_page_that_is_still_asked_for),
		SCENE(a_request_that_waits_for_another_page_is_none_of_the_faults),
		SCENE(an_answer_after_the_fault_is_told),
		SCENE(an_answer_that_may_be_missing_proves_nothing),
		SCENE(what_is_missing_later_changes_nothing),
		SCENE(nor_does_what_a_flight_recorder_let_go),
		SCENE(where_answers_are_not_seen_none_is_missed),
		SCENE(where_they_are_the_attribute_says_so),
		SCENE(a_number_that_is_used_again_was_answered),
		SCENE(a_hang_after_a_failed_request_is_one_incident),
		SCENE(a_hang_while_a_request_waits),
		SCENE(the_oldest_of_those_that_wait),
		SCENE(a_request_that_only_just_came_does_not_explain_a_hang),
		SCENE(nor_does_one_that_waits_for_ever),
		SCENE(a_hang_may_be_as_late_as_its_signal_says),
		SCENE(what_goes_on_working_did_not_hang_for_it),
		SCENE(what_stopped_then_may_have),
		SCENE(a_hang_of_another_device_is_blamed_on_nothing),
		SCENE(a_wait_with_something_missing_is_no_verdict_but_clears_nothing),
		SCENE(a_fault_between_keeps_its_verdict),
		SCENE(json_tells_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

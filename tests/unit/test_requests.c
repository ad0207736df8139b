// SPDX-License-Identifier: GPL-2.0-only
/* Page requests and their answers: what is counted, and what is open at the end. */
#include <errno.h>

#include "scene.h"

static void end_at(__u64 us)
{
	struct iot_capture ev = { .h = head(IOT_EV_CAPTURE, sizeof(ev), us),
				  .what = IOT_CAPTURE_END };

	ev.h.domain = ev.h.dev = 0;
	feed(&ev);
	analysis__finish(a);
}

static struct requests_dev *counted(__u32 dev)
{
	return idtab__find(&a->model.requests.devs, dev);
}

/* "key":value is in the first object of page_requests. */
static void json_has(const char *key, const char *value)
{
	struct json_object *all = report__json(a), *list = NULL, *one, *v = NULL;

	assert_true(json_object_object_get_ex(all, "page_requests", &list));
	one = json_object_array_get_idx(list, 0);
	assert_true(json_object_object_get_ex(one, key, &v));
	assert_string_equal(v ? json_object_get_string(v) : "null", value);
	json_object_put(all);
}

static void a_group_gets_one_answer(void **state)
{
	struct requests_dev *d;

	(void)state;
	assert_null(counted(DEV));
	page_request(10, IOVA, 1, 0, false);
	page_request(11, IOVA, 1, 0, false);
	page_request(12, IOVA, 1, 0, true);
	d = counted(DEV);
	assert_int_equal(d->requests, 3);
	assert_int_equal(d->groups, 1);
	assert_int_equal(d->open.nr, 1);
	page_answer(32, 1, 0, IOT_PAGE_SUCCESS, 20, 0);
	assert_int_equal(d->open.nr, 0);
	assert_int_equal(d->answers[IOT_PAGE_SUCCESS], 1);
	assert_int_equal(d->latency.nr, 1);
	assert_int_equal(d->latency.max, 20000);
}

static void groups_of_one_number_differ_by_pasid_and_device(void **state)
{
	struct iot_page_response other = { .h = head(IOT_EV_PAGE_RESPONSE, sizeof(other), 20),
					   .prgi = 1 };
	struct requests_dev *d;

	(void)state;
	page_request(10, IOVA, 1, 0, true);
	page_request(11, IOVA, 1, 5, true);
	page_request(12, IOVA, 1, 6, true);
	d = counted(DEV);
	assert_int_equal(d->open.nr, 3);
	other.h.dev = DEV + 1;
	feed(&other);
	assert_int_equal(d->open.nr, 3);
	page_answer(21, 1, 5, IOT_PAGE_INVALID, 10, 0);
	assert_int_equal(d->open.nr, 2);
	assert_int_equal(requests__oldest(d), AT(10));
	page_answer(22, 1, 0, IOT_PAGE_SUCCESS, 12, 0);
	assert_int_equal(requests__oldest(d), AT(12));
	page_answer(23, 1, 7, IOT_PAGE_SUCCESS, 0, 0); /* of a request that wasn't seen */
	assert_int_equal(d->open.nr, 1);
	assert_int_equal(d->latency.nr, 2);
}

static void a_number_may_come_again_once_it_is_answered(void **state)
{
	(void)state;
	for (__u64 i = 0; i < 100; i++) {
		page_request(10 * i, IOVA, 1, 0, true);
		page_answer(10 * i + 5, 1, 0, IOT_PAGE_SUCCESS, 5, 0);
	}
	assert_int_equal(counted(DEV)->groups, 100);
	assert_int_equal(counted(DEV)->open.nr, 0);
}

static void what_is_refused_waits_no_longer(void **state)
{
	(void)state;
	page_request(10, IOVA, 1, 0, true);
	page_answer(11, 1, 0, IOT_PAGE_REFUSED, 1, -EINVAL);
	assert_int_equal(counted(DEV)->open.nr, 0);
	assert_int_equal(counted(DEV)->answers[IOT_PAGE_REFUSED], 1);
	assert_int_equal(counted(DEV)->failed, 0);
	assert_int_equal(counted(DEV)->latency.nr, 0); /* nobody answered */
}

static void answers_of_other_kinds_and_those_that_fail_are_told(void **state)
{
	(void)state;
	page_request(10, IOVA, 1, 0, true);
	page_answer(20, 1, 0, IOT_PAGE_FAILURE, 10, -ENODEV);
	page_answer(30, 2, 0, IOT_PAGE_CODES, 0, 0);
	page_answer(31, 3, 0, ~0U, 0, 0);
	assert_int_equal(counted(DEV)->answers[IOT_PAGE_FAILURE], 1);
	assert_int_equal(counted(DEV)->failed, 1);
	assert_int_equal(counted(DEV)->other, 2);
}

static void more_than_can_be_waited_for_are_counted(void **state)
{
	(void)state;
	for (__u32 i = 0; i < REQUESTS_OPEN_MAX + 3; i++)
		page_request(i, IOVA, i, 0, true);
	assert_int_equal(counted(DEV)->open.nr, REQUESTS_OPEN_MAX);
	assert_int_equal(counted(DEV)->untracked, 3);
	page_request(REQUESTS_OPEN_MAX + 3, IOVA, 7, 0, true); /* of one that waits already */
	assert_int_equal(counted(DEV)->untracked, 3);
}

static void what_is_open_at_the_end_is_told_and_may_be_less_if_events_are_missing(void **state)
{
	struct iot_loss lost = { .h = head(IOT_EV_LOSS, sizeof(lost), 3000),
				 .begin = AT(0),
				 .count = 1,
				 .cause = IOT_LOST_RARE };

	(void)state;
	device(DEV, "refdma.0", "refdma", "", 5);
	page_request(1000, IOVA, 1, 0, true);
	page_request(2000, IOVA, 2, 0, true);
	end_at(4000);
	json_has("device", "refdma.0");
	json_has("unanswered", "2");
	json_has("unanswered_is_ceiling", "false");
	json_has("oldest_unanswered_ns", "3000000");
	json_has("latency", "null");
	feed(&lost);
	json_has("unanswered_is_ceiling", "true");
	page_answer(3500, 1, 0, IOT_PAGE_SUCCESS, 2500, 0);
	page_answer(3500, 2, 0, IOT_PAGE_SUCCESS, 1500, 0);
	json_has("unanswered_is_ceiling", "false");
	json_has("oldest_unanswered_ns", "null");
}

static void out_of_scope_they_are_known_but_not_counted(void **state)
{
	struct iot_page_request ask = {
		.h = head(IOT_EV_PAGE_REQUEST, sizeof(ask), 10), .iova = IOVA, .prgi = 1, .last = 1
	};
	struct iot_page_response ev = { .h = head(IOT_EV_PAGE_RESPONSE, sizeof(ev), 20),
					.prgi = 1,
					.code = IOT_PAGE_INVALID };
	struct requests r = { .has_answered = false };
	struct requests_dev *d;

	(void)state;
	assert_int_equal(requests__add(&r, &ask, false), 0);
	d = idtab__find(&r.devs, DEV);
	assert_false(requests__any(d));
	assert_int_equal(d->waiting, 0);
	assert_int_equal(requests__oldest(d), 0);
	assert_int_equal(requests__answer(&r, &ev, true), 0);
	assert_true(r.has_answered);
	assert_int_equal(r.answered.iovas[0], IOVA);
	assert_int_equal(d->answers[IOT_PAGE_INVALID], 1);
	assert_true(requests__any(d));
	assert_int_equal(requests__answer(&r, &ev, true), 0);
	assert_false(r.has_answered); /* nobody asked again */
	requests__free(&r);
}

static void a_group_remembers_where_it_began(void **state)
{
	const struct requests_group *g;

	(void)state;
	page_request(10, IOVA, 1, 5, false);
	page_request(11, IOVA + 0x5000, 1, 5, false);
	assert_int_equal(counted(DEV)->open.nr, 0);
	page_request(12, IOVA + 0x9000, 1, 5, true);
	g = idtab__find(&counted(DEV)->open, requests__key(1, 5, 1));
	assert_non_null(g);
	assert_true(g->first == AT(10) && g->since == AT(12) && g->nr == 3);
	assert_true(g->iovas[0] == IOVA && g->iovas[2] == IOVA + 0x9000);
	assert_int_equal(requests__prgi(requests__key(1, 5, 1)), 1);
	assert_int_equal(requests__pasid(requests__key(1, 0xfffff, 1)), 0xfffff);
	assert_true(requests__has_pasid(requests__key(1, 0, 1)));
	assert_false(requests__has_pasid(requests__key(~0U, 0, 0)));
}

static void they_are_no_faults_and_no_incidents(void **state)
{
	(void)state;
	page_request(10, IOVA, 1, 0, true);
	page_answer(20, 1, 0, IOT_PAGE_FAILURE, 10, 0);
	end_at(1000);
	assert_int_equal(a->incidents.nr, 0);
	assert_int_equal(a->model.total.faults, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_group_gets_one_answer),
		SCENE(groups_of_one_number_differ_by_pasid_and_device),
		SCENE(a_number_may_come_again_once_it_is_answered),
		SCENE(what_is_refused_waits_no_longer),
		SCENE(answers_of_other_kinds_and_those_that_fail_are_told),
		SCENE(more_than_can_be_waited_for_are_counted),
		SCENE(what_is_open_at_the_end_is_told_and_may_be_less_if_events_are_missing),
		SCENE(out_of_scope_they_are_known_but_not_counted),
		SCENE(a_group_remembers_where_it_began),
		SCENE(they_are_no_faults_and_no_incidents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "analyze/analysis.h"
#include "report/report.h"

#define MS	1000000ULL
#define S	1000000000ULL
#define DOM	3
#define DEV	1
#define IOVA	0xfff0000ULL
#define RW	3

/* Times are given in µs after this, so that the stream has a past. */
#define T0	(100 * S)
#define AT(us)	(T0 + (us) * 1000ULL)

static struct analysis *a;

static struct iot_event head(__u16 id, size_t len, __u64 us)
{
	return (struct iot_event){ .ts = AT(us), .id = id, .len = (__u16)len, .tid = 61, .domain = DOM, .dev = DEV };
}

static void feed(const void *ev)
{
	assert_int_equal(analysis__event(a, ev), 0);
}

static void device(__u32 nr, const char *name, const char *driver, const char *physfn, int group)
{
	struct iot_device ev = { .h = head(IOT_EV_DEVICE, sizeof(ev), 0), .group = group };

	ev.h.dev = nr;
	strncpy(ev.name, name, sizeof(ev.name) - 1);
	strncpy(ev.driver, driver, sizeof(ev.driver) - 1);
	strncpy(ev.physfn, physfn, sizeof(ev.physfn) - 1);
	feed(&ev);
}

static void attach(__u64 us, __u32 dev, __u32 domain)
{
	struct iot_attach ev = { .h = head(IOT_EV_ATTACH, sizeof(ev), us), .group = -1 };

	ev.h.dev = dev;
	ev.h.domain = domain;
	feed(&ev);
}

static void domain_event(__u64 us, __u32 what, __u16 flags)
{
	struct iot_domain ev = { .h = head(IOT_EV_DOMAIN, sizeof(ev), us), .what = what, .type = IOT_TYPE_DMA_FQ, .group = -1,
				 .fq_active = 1, .fq_known = 1 };

	ev.h.flags = flags;
	feed(&ev);
}

static void map_at(__u64 us, __u64 iova, __u64 size, __u32 prot)
{
	struct iot_map ev = { .h = head(IOT_EV_MAP, sizeof(ev), us), .iova = iova, .size = size, .prot = prot };

	feed(&ev);
}

static void unmap_at(__u64 us, __u64 iova, __u64 size, __u32 mode)
{
	struct iot_unmap ev = { .h = head(IOT_EV_UNMAP, sizeof(ev), us), .iova = iova, .size = size, .unmapped = size,
				.mode = mode, .gather = mode == IOT_UNMAP_STRICT ? 77 : 0 };

	feed(&ev);
}

static void flush_at(__u64 begin, __u64 end, __u8 kind)
{
	struct iot_flush ev = { .h = head(IOT_EV_FLUSH, sizeof(ev), end), .begin = AT(begin), .kind = kind,
				.why = kind == IOT_FLUSH_ALL ? IOT_WHY_TIMER : IOT_WHY_STRICT,
				.gather = kind == IOT_FLUSH_SYNC ? 77 : 0 };

	feed(&ev);
}

static void fault_from(__u64 us, __u64 iova, __u32 access, __u32 source)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), us), .iova = iova, .iova_known = 1, .access = access,
				.source = source };

	ev.h.domain = 0;
	feed(&ev);
}

static void fault_at(__u64 us, __u64 iova, __u32 access)
{
	fault_from(us, iova, access, IOT_SRC_REPORT);
}

static void trouble(__u16 id, __u64 us, __u32 dev, const char *what)
{
	struct iot_trouble ev = { .h = head(id, sizeof(ev), us), .queue = -1, .source = IOT_SRC_HOOK };

	ev.h.dev = dev;
	ev.h.domain = 0;
	strncpy(ev.what, what, sizeof(ev.what) - 1);
	feed(&ev);
}

static void loss(__u64 begin, __u64 end, __u32 cause)
{
	struct iot_loss ev = { .h = head(IOT_EV_LOSS, sizeof(ev), end), .begin = AT(begin), .count = 5, .cause = cause };

	feed(&ev);
}

static void log_line(__u64 us, const char *text)
{
	struct {
		struct iot_log log;
		char text[IOT_TEXT_MAX];
	} ev = { .log = { .h = head(IOT_EV_LOG, sizeof(ev), us), .text_len = sizeof(ev.text) } };

	ev.log.h.dev = ev.log.h.domain = 0;
	strncpy(ev.text, text, sizeof(ev.text) - 1);
	feed(&ev);
}

static int begin(void **state)
{
	struct iot_capture ev = { .h = head(IOT_EV_CAPTURE, sizeof(ev), 0), .what = IOT_CAPTURE_BEGIN };

	(void)state;
	assert_int_equal(analysis__new(&a, NULL), 0);
	feed(&ev);
	device(DEV, "refdma.0", "refdma", "", 5);
	domain_event(10, IOT_DOMAIN_SEEN, 0);
	attach(20, DEV, DOM);
	return 0;
}

static int end(void **state)
{
	(void)state;
	analysis__free(a);
	return 0;
}

/* Every scene is also written in both forms: no report may crash or leak. */
static const struct incident *only_incident(void)
{
	struct json_object *json;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	analysis__finish(a);
	report__text(out, a);
	fclose(out);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 100);
	free(text);
	json = report__json(a);
	assert_non_null(json);
	json_object_put(json);
	assert_int_equal(a->incidents.nr, 1);
	return a->incidents.list[0];
}

static void expect(enum verdict verdict, enum confidence confidence)
{
	const struct incident *i = only_incident();

	assert_int_equal(i->judgement.verdict, verdict);
	assert_int_equal(i->judgement.confidence, confidence);
}

/* --- use after unmap ------------------------------------------------------------------------------------------- */

static void access_before_the_flush_is_in_the_window(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA + 0x40, IOT_ACCESS_READ);
	flush_at(9000, 9100, IOT_FLUSH_ALL);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
	assert_true(a->incidents.list[0]->faults[0]->dead.flushed);
	assert_int_equal(a->incidents.list[0]->faults[0]->dead.flush_end, AT(9100));
	assert_int_equal(a->incidents.list[0]->faults[0]->dead.map_ts, AT(1000));
}

static void access_without_any_flush_is_in_the_window(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
}

static void a_flush_that_began_before_the_unmap_does_not_cover_it(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(1990, 2100, IOT_FLUSH_ALL);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
}

static void a_flush_that_began_before_the_unmap_and_ends_after_the_fault_does_not_cover_it(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	flush_at(1900, 6000, IOT_FLUSH_ALL);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
	assert_false(a->incidents.list[0]->faults[0]->dead.flushed);
}

static void access_during_the_flush_is_told_apart(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	flush_at(4000, 6000, IOT_FLUSH_ALL);
	expect(VERDICT_UNMAPPED_FLUSHING, CONFIDENCE_CERTAIN);
}

static void access_after_the_flush_is_told_apart(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(3000, 3100, IOT_FLUSH_ALL);
	fault_at(9000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_FLUSHED, CONFIDENCE_CERTAIN);
}

static void a_fault_reported_right_after_the_flush_is_only_likely_after_it(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(3000, 3100, IOT_FLUSH_ALL);
	fault_at(3200, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_FLUSHED, CONFIDENCE_LIKELY);
}

static void a_sync_with_the_same_token_covers_a_strict_unmap(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_STRICT);
	flush_at(2001, 2010, IOT_FLUSH_SYNC);
	fault_at(9000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_UNMAPPED_FLUSHED, CONFIDENCE_CERTAIN);
	assert_int_equal(a->model.total.strict.nr, 1);
	assert_int_equal(a->model.total.strict.max, 10000);
}

static void a_sync_does_not_cover_a_lazy_unmap(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(2001, 2010, IOT_FLUSH_SYNC);
	fault_at(9000, IOVA, IOT_ACCESS_WRITE);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
}

static void the_owner_of_one_page_of_a_longer_mapping_is_found(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x4000, RW);
	unmap_at(2000, IOVA + 0x1000, 0x1000, IOT_UNMAP_LAZY);
	fault_at(3000, IOVA + 0x1800, IOT_ACCESS_READ);
	/* What is below is live and ends right there: an overrun can't be excluded. */
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_LIKELY);
	assert_int_equal(a->incidents.list[0]->faults[0]->dead.start, IOVA + 0x1000);
	assert_int_equal(a->incidents.list[0]->faults[0]->dead.last, IOVA + 0x1fff);
}

static void long_after_the_unmap_it_is_only_likely(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(3000, 3100, IOT_FLUSH_ALL);
	fault_at(5002000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_FLUSHED, CONFIDENCE_LIKELY);
}

static void the_last_owner_counts_not_an_earlier_one(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(3000, 3100, IOT_FLUSH_ALL);
	map_at(4000, IOVA, 0x1000, RW);
	unmap_at(5000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(6000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
	assert_int_equal(a->incidents.list[0]->faults[0]->dead.map_ts, AT(4000));
}

static void a_mapping_from_before_the_capture_still_has_an_unmap(void **state)
{
	(void)state;
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
	assert_int_equal(a->incidents.list[0]->faults[0]->dead.map_ts, 0);
}

/* --- never mapped, mapped, unknown ------------------------------------------------------------------------------ */

static void an_address_nobody_mapped_is_never_mapped(void **state)
{
	(void)state;
	map_at(1000, IOVA + 0x100000, 0x1000, RW);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void the_same_address_in_another_domain_says_nothing(void **state)
{
	struct iot_map other = { .h = head(IOT_EV_MAP, sizeof(other), 1000), .iova = IOVA, .size = 0x1000, .prot = RW };

	(void)state;
	other.h.domain = DOM + 1;
	feed(&other);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void in_a_domain_older_than_the_capture_it_cannot_be_known(void **state)
{
	(void)state;
	domain_event(30, IOT_DOMAIN_SEEN, IOT_F_SNAPSHOT);
	map_at(1000, IOVA + 0x100000, 0x1000, RW);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void a_write_to_a_read_only_mapping_is_a_matter_of_permission(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, 1);
	fault_at(3000, IOVA + 8, IOT_ACCESS_WRITE);
	expect(VERDICT_PERMISSION, CONFIDENCE_CERTAIN);
}

static void a_read_of_a_read_only_mapping_is_not_a_matter_of_permission(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, 1);
	fault_at(3000, IOVA + 8, IOT_ACCESS_READ);
	expect(VERDICT_MAPPED, CONFIDENCE_LIKELY);
}

static void a_map_right_before_the_report_may_have_come_after_the_access(void **state)
{
	(void)state;
	map_at(2950, IOVA, 0x1000, RW);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void a_failed_map_maps_nothing(void **state)
{
	struct iot_map failed = { .h = head(IOT_EV_MAP, sizeof(failed), 1000), .iova = IOVA, .size = 0x1000, .prot = RW, .ret = -12 };

	(void)state;
	feed(&failed);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
	assert_int_equal(a->model.total.map_failed, 1);
}

static void a_fault_without_address_stays_one(void **state)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), 3000), .source = IOT_SRC_HOOK };

	(void)state;
	map_at(1000, 0, 0x1000, RW);
	feed(&ev);
	expect(VERDICT_NO_ADDRESS, CONFIDENCE_CERTAIN);
}

static void a_device_in_no_known_domain_cannot_be_judged(void **state)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), 3000), .source = IOT_SRC_HOOK, .iova = IOVA, .iova_known = 1 };

	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	ev.h.dev = 9;
	ev.h.domain = 0;
	feed(&ev);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

/* --- loss ------------------------------------------------------------------------------------------------------- */

static void loss_since_the_unmap_makes_it_unknown(void **state)
{
	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	loss(2500, 6000, IOT_LOST_RING); /* told of late, but it was before the fault */
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void loss_before_the_unmap_changes_nothing(void **state)
{
	(void)state;
	loss(100, 900, IOT_LOST_RING);
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED_WINDOW, CONFIDENCE_CERTAIN);
}

static void loss_makes_never_mapped_unknown(void **state)
{
	(void)state;
	map_at(1000, IOVA + 0x100000, 0x1000, RW);
	loss(1100, 1200, IOT_LOST_RECURSION);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

static void loss_that_concerns_no_mapping_changes_nothing(void **state)
{
	(void)state;
	map_at(1000, IOVA + 0x100000, 0x1000, RW);
	loss(1100, 4000, IOT_LOST_LATE);
	loss(1100, 4000, IOT_LOST_BEGIN);
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_NEVER_MAPPED, CONFIDENCE_CERTAIN);
}

static void a_flush_function_not_traced_leaves_the_flush_unknown(void **state)
{
	struct iot_loss ev = { .h = head(IOT_EV_LOSS, sizeof(ev), 4000), .begin = AT(100), .cause = IOT_LOST_UNHOOKED };

	(void)state;
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	feed(&ev);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_UNMAPPED, CONFIDENCE_CERTAIN);
}

static void a_forgotten_history_is_not_never_mapped(void **state)
{
	struct analysis_opts opts = { .history = 16 };

	end(state);
	assert_int_equal(analysis__new(&a, &opts), 0);
	device(DEV, "refdma.0", "refdma", "", 5);
	domain_event(10, IOT_DOMAIN_SEEN, 0);
	attach(20, DEV, DOM);
	for (__u64 i = 0; i < 40; i++) {
		map_at(1000 + i * 10, IOVA + i * 0x10000, 0x1000, RW);
		unmap_at(1005 + i * 10, IOVA + i * 0x10000, 0x1000, IOT_UNMAP_LAZY);
	}
	fault_at(3000, IOVA, IOT_ACCESS_READ);
	expect(VERDICT_CANNOT_KNOW, CONFIDENCE_UNKNOWN);
}

/* --- bursts and sources ----------------------------------------------------------------------------------------- */

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
	struct iot_fault other = { .h = head(IOT_EV_FAULT, sizeof(other), 3001), .iova = IOVA, .iova_known = 1 };

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
	log_line(3050, "refdma refdma.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=0xfff0040 flags=0x0020]");
	i = only_incident();
	assert_int_equal(i->nr_faults, 1);
	assert_int_equal(i->faults[0]->access, IOT_ACCESS_WRITE);
	assert_int_equal(a->model.total.faults, 1);
	assert_false(i->reported_by_log_only);
}

static void two_log_lines_are_two_faults(void **state)
{
	(void)state;
	log_line(3050, "refdma refdma.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=0xfff0040 flags=0x0020]");
	log_line(3060, "refdma refdma.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=0xfff0040 flags=0x0020]");
	assert_int_equal(only_incident()->nr_faults, 2);
	assert_true(a->incidents.list[0]->reported_by_log_only);
}

static void suppressed_lines_are_told(void **state)
{
	(void)state;
	log_line(3000, "DMAR: [DMA Read NO_PASID] Request device [00:03.0] fault addr 0xfff0000 [fault reason 0x06] x");
	log_line(4003000, "dmar_fault: 25 callbacks suppressed");
	assert_int_equal(only_incident()->suppressed, 25);
}

static void derived_events_in_the_stream_are_not_counted_again(void **state)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), 3000), .iova = IOVA, .iova_known = 1, .source = IOT_SRC_LOG };

	(void)state;
	ev.h.flags = IOT_F_DERIVED;
	feed(&ev);
	assert_int_equal(a->incidents.nr, 0);
}

/* --- hangs and resets -------------------------------------------------------------------------------------------- */

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
	log_line(3000, "DMAR: [DMA Write NO_PASID] Request device [00:04.0] fault addr 0x0 [fault reason 0x05] PTE Write access is not set");
	log_line(31000000, "nvme nvme0: I/O tag 5 (1005) opcode 0x2 (Read) QID 1 timeout, reset controller");
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

static void a_hang_said_again_is_one_incident(void **state)
{
	(void)state;
	for (__u64 s = 10; s < 20; s += 2)
		trouble(IOT_EV_HANG, s * 1000000, DEV, "Detected Tx Unit Hang");
	assert_int_equal(only_incident()->hang.count, 5);
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
	log_line(3000, "vfio-pci 0000:04:10.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0037 address=0x7b657064 flags=0x0000]");
	trouble(IOT_EV_HANG, 4000000, 4, "net_dev_xmit_timeout");
	assert_int_equal(only_incident()->hang.relation.kind, RELATION_PHYSFN);
}

static void the_82599_layout_joins_vf_and_pf(void **state)
{
	const struct incident *i;

	(void)state;
	log_line(3000, "vfio-pci 0000:04:10.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0037 address=0x7b657064 flags=0x0000]");
	log_line(4018215, "ixgbe 0000:03:00.0 enp3s0: Detected Tx Unit Hang\n  Tx Queue             <0>\n");
	i = only_incident();
	assert_int_equal(i->hang.relation.kind, RELATION_VF_OFFSET);
	assert_int_equal(i->hang.relation.offset, 0x180);
	assert_int_equal(i->hang.queue, 0);
}

static void another_distance_joins_nothing(void **state)
{
	(void)state;
	/* 0x0481 is a VF of the port's second function, not of this one */
	log_line(3000, "vfio-pci 0000:04:10.1: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0037 address=0x7b657064 flags=0x0000]");
	log_line(4018215, "ixgbe 0000:03:00.0 enp3s0: Detected Tx Unit Hang\n");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
}

static void the_same_distance_of_another_driver_joins_nothing(void **state)
{
	(void)state;
	log_line(3000, "vfio-pci 0000:04:10.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0037 address=0x7b657064 flags=0x0000]");
	log_line(4018215, "e1000e 0000:03:00.0 enp3s0: Detected Hardware Unit Hang:\n");
	analysis__finish(a);
	assert_int_equal(a->incidents.nr, 2);
}

/* --- hostile input ------------------------------------------------------------------------------------------------ */

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
	static const __u16 ids[] = { 1, 2, 3, 4, 5, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 64, 65, 66, 67, 68, 99 };

	(void)state;
	srandom(11);
	for (int n = 0; n < 200000; n++) {
		for (size_t b = 0; b < sizeof(ev.bytes); b += 4)
			*(__u32 *)(void *)&ev.bytes[b] = (__u32)random() & (random() & 1 ? 0xff : 0xffffffff);
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

#define SCENE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(access_before_the_flush_is_in_the_window),
		SCENE(access_without_any_flush_is_in_the_window),
		SCENE(a_flush_that_began_before_the_unmap_does_not_cover_it),
		SCENE(a_flush_that_began_before_the_unmap_and_ends_after_the_fault_does_not_cover_it),
		SCENE(access_during_the_flush_is_told_apart),
		SCENE(access_after_the_flush_is_told_apart),
		SCENE(a_fault_reported_right_after_the_flush_is_only_likely_after_it),
		SCENE(a_sync_with_the_same_token_covers_a_strict_unmap),
		SCENE(a_sync_does_not_cover_a_lazy_unmap),
		SCENE(the_owner_of_one_page_of_a_longer_mapping_is_found),
		SCENE(long_after_the_unmap_it_is_only_likely),
		SCENE(the_last_owner_counts_not_an_earlier_one),
		SCENE(a_mapping_from_before_the_capture_still_has_an_unmap),
		SCENE(an_address_nobody_mapped_is_never_mapped),
		SCENE(the_same_address_in_another_domain_says_nothing),
		SCENE(in_a_domain_older_than_the_capture_it_cannot_be_known),
		SCENE(a_write_to_a_read_only_mapping_is_a_matter_of_permission),
		SCENE(a_read_of_a_read_only_mapping_is_not_a_matter_of_permission),
		SCENE(a_map_right_before_the_report_may_have_come_after_the_access),
		SCENE(a_failed_map_maps_nothing),
		SCENE(a_fault_without_address_stays_one),
		SCENE(a_device_in_no_known_domain_cannot_be_judged),
		SCENE(loss_since_the_unmap_makes_it_unknown),
		SCENE(loss_before_the_unmap_changes_nothing),
		SCENE(loss_makes_never_mapped_unknown),
		SCENE(loss_that_concerns_no_mapping_changes_nothing),
		SCENE(a_flush_function_not_traced_leaves_the_flush_unknown),
		SCENE(a_forgotten_history_is_not_never_mapped),
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
		SCENE(a_hang_said_again_is_one_incident),
		SCENE(a_hang_after_the_reset_is_a_new_one),
		SCENE(a_reset_alone_is_no_incident),
		SCENE(the_device_table_joins_vf_and_pf),
		SCENE(the_82599_layout_joins_vf_and_pf),
		SCENE(another_distance_joins_nothing),
		SCENE(the_same_distance_of_another_driver_joins_nothing),
		SCENE(texts_of_strangers_reach_no_terminal),
		SCENE(random_events_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

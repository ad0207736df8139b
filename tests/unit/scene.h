/* SPDX-License-Identifier: GPL-2.0-only */
/* Scenes of events for the tests of the analysis: each helper feeds one event; times are µs after
 * the capture's begin. */
#ifndef IOMMUTOP_TESTS_SCENE_H
#define IOMMUTOP_TESTS_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "analyze/analysis.h"
#include "report/html.h"
#include "report/report.h"

#define MS   1000000ULL
#define S    1000000000ULL
#define DOM  3
#define DEV  1
#define IOVA 0xfff0000ULL
#define RW   3

/* Times are given in µs after this, so that the stream has a past. */
#define T0     (100 * S)
#define AT(us) (T0 + (us)*1000ULL)

static struct analysis *a;

static inline struct iot_event head(__u16 id, size_t len, __u64 us)
{
	return (struct iot_event){
		.ts = AT(us), .id = id, .len = (__u16)len, .tid = 61, .domain = DOM, .dev = DEV
	};
}

/* Tests of what sits on top of the analysis say where events go. */
#ifndef SCENE_EVENT
#define SCENE_EVENT(ev) analysis__event(a, ev)
#endif

static inline void feed(const void *ev)
{
	assert_int_equal(SCENE_EVENT(ev), 0);
}

static inline void device_with(__u32 nr, const char *name, const char *driver, const char *physfn,
			       int group, const char *iommu, __u8 dma_bits)
{
	struct iot_device ev = { .h = head(IOT_EV_DEVICE, sizeof(ev), 0),
				 .group = group,
				 .dma_bits = dma_bits };

	ev.h.dev = nr;
	strncpy(ev.name, name, sizeof(ev.name) - 1);
	strncpy(ev.driver, driver, sizeof(ev.driver) - 1);
	strncpy(ev.physfn, physfn, sizeof(ev.physfn) - 1);
	strncpy(ev.iommu, iommu, sizeof(ev.iommu) - 1);
	feed(&ev);
}

static inline void device(__u32 nr, const char *name, const char *driver, const char *physfn,
			  int group)
{
	device_with(nr, name, driver, physfn, group, "", 0);
}

static inline void attach(__u64 us, __u32 dev, __u32 domain)
{
	struct iot_attach ev = { .h = head(IOT_EV_ATTACH, sizeof(ev), us), .group = -1 };

	ev.h.dev = dev;
	ev.h.domain = domain;
	feed(&ev);
}

static inline void detach(__u64 us, __u32 dev, __u32 domain)
{
	struct iot_attach ev = { .h = head(IOT_EV_DETACH, sizeof(ev), us), .group = -1 };

	ev.h.dev = dev;
	ev.h.domain = domain;
	feed(&ev);
}

static inline void domain_of_type(__u64 us, __u32 domain, __u32 type, __u16 flags)
{
	struct iot_domain ev = { .h = head(IOT_EV_DOMAIN, sizeof(ev), us),
				 .what = IOT_DOMAIN_SEEN,
				 .type = type,
				 .group = -1 };

	ev.h.domain = domain;
	ev.h.dev = 0;
	ev.h.flags = flags;
	feed(&ev);
}

static inline void region(__s32 group, __u64 first, __u64 last, __u32 kind)
{
	struct iot_region ev = { .h = head(IOT_EV_REGION, sizeof(ev), 0),
				 .first = first,
				 .last = last,
				 .group = group,
				 .kind = kind };

	ev.h.dev = ev.h.domain = 0;
	feed(&ev);
}

static inline void domain_event(__u64 us, __u32 what, __u16 flags)
{
	struct iot_domain ev = { .h = head(IOT_EV_DOMAIN, sizeof(ev), us),
				 .what = what,
				 .type = IOT_TYPE_DMA_FQ,
				 .group = -1,
				 .fq_active = 1,
				 .fq_known = 1 };

	ev.h.flags = flags;
	feed(&ev);
}

static inline void map_in(__u64 us, __u32 domain, __u64 iova, __u64 size, __u32 prot)
{
	struct iot_map ev = {
		.h = head(IOT_EV_MAP, sizeof(ev), us), .iova = iova, .size = size, .prot = prot
	};

	ev.h.domain = domain;
	feed(&ev);
}

static inline void map_at(__u64 us, __u64 iova, __u64 size, __u32 prot)
{
	map_in(us, DOM, iova, size, prot);
}

static inline void unmap_at(__u64 us, __u64 iova, __u64 size, __u32 mode)
{
	struct iot_unmap ev = { .h = head(IOT_EV_UNMAP, sizeof(ev), us),
				.iova = iova,
				.size = size,
				.unmapped = size,
				.mode = mode,
				.gather = mode == IOT_UNMAP_STRICT ? 77 : 0 };

	feed(&ev);
}

static inline void flush_at(__u64 begin, __u64 end, __u8 kind)
{
	struct iot_flush ev = { .h = head(IOT_EV_FLUSH, sizeof(ev), end),
				.begin = AT(begin),
				.kind = kind,
				.why = kind == IOT_FLUSH_ALL ? IOT_WHY_TIMER : IOT_WHY_STRICT,
				.gather = kind == IOT_FLUSH_SYNC ? 77 : 0 };

	feed(&ev);
}

static inline void fault_from(__u64 us, __u64 iova, __u32 access, __u32 source)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), us),
				.iova = iova,
				.iova_known = 1,
				.access = access,
				.source = source };

	ev.h.domain = 0;
	feed(&ev);
}

static inline void fault_at(__u64 us, __u64 iova, __u32 access)
{
	fault_from(us, iova, access, IOT_SRC_REPORT);
}

static inline void trouble(__u16 id, __u64 us, __u32 dev, const char *what)
{
	struct iot_trouble ev = { .h = head(id, sizeof(ev), us),
				  .queue = -1,
				  .source = IOT_SRC_HOOK };

	ev.h.dev = dev;
	ev.h.domain = 0;
	strncpy(ev.what, what, sizeof(ev.what) - 1);
	feed(&ev);
}

static inline void error_at(__u64 us, __u32 dev, __u32 kind, const char *what)
{
	struct iot_trouble ev = { .h = head(IOT_EV_ERROR, sizeof(ev), us),
				  .queue = -1,
				  .source = IOT_SRC_HOOK,
				  .kind = kind };

	ev.h.dev = dev;
	ev.h.domain = 0;
	strncpy(ev.what, what, sizeof(ev.what) - 1);
	feed(&ev);
}

static inline void page_request(__u64 us, __u64 iova, __u32 prgi, __u32 pasid, bool last)
{
	struct iot_page_request ev = { .h = head(IOT_EV_PAGE_REQUEST, sizeof(ev), us),
				       .iova = iova,
				       .pasid = pasid,
				       .prgi = prgi,
				       .perm = IOT_PAGE_WRITE,
				       .pasid_valid = pasid != 0,
				       .last = last };

	feed(&ev);
}

static inline void page_answer(__u64 us, __u32 prgi, __u32 pasid, __u32 code, __u64 latency_us,
			       __s32 ret)
{
	struct iot_page_response ev = { .h = head(IOT_EV_PAGE_RESPONSE, sizeof(ev), us),
					.latency = latency_us * 1000,
					.pasid = pasid,
					.prgi = prgi,
					.code = code,
					.ret = ret,
					.pasid_valid = pasid != 0 };

	feed(&ev);
}

static inline void loss(__u64 begin, __u64 end, __u32 cause)
{
	struct iot_loss ev = { .h = head(IOT_EV_LOSS, sizeof(ev), end),
			       .begin = AT(begin),
			       .count = 5,
			       .cause = cause };

	feed(&ev);
}

/* An AMD-Vi with that capability header; bit 26: it caches what isn't present. */
static inline void amd_iommu(const char *cap)
{
	struct {
		struct iot_attr attr;
		char text[48];
	} e = { 0 };

	e.attr.h = head(IOT_EV_ATTR, sizeof(e), 0);
	e.attr.text_len = sizeof(e.text);
	snprintf(e.text, sizeof(e.text), "iommu.ivhd0=cap %s, features 29d3:0", cap);
	feed(&e);
}

static inline void log_line(__u64 us, const char *text)
{
	struct {
		struct iot_log log;
		char text[IOT_TEXT_MAX];
	} ev = { .log = { .h = head(IOT_EV_LOG, sizeof(ev), us), .text_len = sizeof(ev.text) } };

	ev.log.h.dev = ev.log.h.domain = 0;
	strncpy(ev.text, text, sizeof(ev.text) - 1);
	feed(&ev);
}

static inline int begin(void **state)
{
	struct iot_capture ev = { .h = head(IOT_EV_CAPTURE, sizeof(ev), 0),
				  .what = IOT_CAPTURE_BEGIN };

	(void)state;
	assert_int_equal(analysis__new(&a, NULL), 0);
	feed(&ev);
	device(DEV, "refdma.0", "refdma", "", 5);
	domain_event(10, IOT_DOMAIN_SEEN, 0);
	attach(20, DEV, DOM);
	return 0;
}

/* A lazy mapping that is used after its unmap: before the flush that covers it, while it is under
 * way, and after it. */
static inline void used_before_the_flush(void)
{
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA + 0x40, IOT_ACCESS_READ);
	flush_at(9000, 9100, IOT_FLUSH_ALL);
}

static inline void used_during_the_flush(void)
{
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	fault_at(5000, IOVA, IOT_ACCESS_READ);
	flush_at(4000, 6000, IOT_FLUSH_ALL);
}

static inline void used_after_the_flush(void)
{
	map_at(1000, IOVA, 0x1000, RW);
	unmap_at(2000, IOVA, 0x1000, IOT_UNMAP_LAZY);
	flush_at(3000, 3100, IOT_FLUSH_ALL);
	fault_at(9000, IOVA, IOT_ACCESS_READ);
}

/* Of the first incident; once the analysis is finished. */
static inline const struct incident_fault *first_fault(void)
{
	return a->incidents.list[0]->faults[0];
}

static inline int end(void **state)
{
	(void)state;
	analysis__free(a);
	return 0;
}

/* Every scene is also written in all forms: no report may crash or leak. */
static inline const struct incident *only_incident(void)
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
	text = NULL;
	out = open_memstream(&text, &size);
	assert_int_equal(report__html(out, a, NULL, NULL), 0);
	fclose(out);
	assert_non_null(strstr(text, "id=\"incident-1\""));
	assert_string_equal(text + size - 8, "</html>\n");
	free(text);
	json = report__json(a);
	assert_non_null(json);
	json_object_put(json);
	assert_int_equal(a->incidents.nr, 1);
	return a->incidents.list[0];
}

static inline void expect(enum verdict verdict, enum confidence confidence)
{
	const struct incident *i = only_incident();

	assert_int_equal(i->judgement.verdict, verdict);
	assert_int_equal(i->judgement.confidence, confidence);
}

/* The text report of all there is, in one line, holds the words. */
static inline void says(const char *words)
{
	char *text = NULL, *to;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	analysis__finish(a);
	report__text(out, a);
	fclose(out);
	to = text;
	for (const char *from = text; *from; from++) {
		char c = *from == '\n' ? ' ' : *from;

		if (c != ' ' || (to > text && to[-1] != ' '))
			*to++ = c;
	}
	*to = 0;
	if (!strstr(text, words))
		fail_msg("not said: %s\n%s", words, text);
	free(text);
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, begin, end)

#endif

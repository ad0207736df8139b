// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes become events with valid heads, as a stranger's session may hold them, and go through every
 * invariant, the analysis and its incidents. Numbers are drawn from few values, so that maps,
 * unmaps and flushes meet, and from the extremes.
 *
 * An event takes three bytes (kind, who and when, shape), then one for each eight bytes of its
 * body.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/analysis.h"
#include "assert/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const __u64 numbers[] = {
	0,
	1,
	2,
	3,
	4,
	11,
	0x1000,
	0x2000,
	0x3000,
	0x200000,
	0x201000,
	0x40000000,
	0xfee00000,
	0xffffffff,
	1ULL << 32,
	0x2000ULL << 32 | 0x1000,
	1ULL << 63,
	~0ULL,
	~0xfffULL,
	~0ULL << 32,
	0xffffffffc0001000,
	0xffffffffc0002000,
	0x0000000100000001,
	0x0000000100000003,
	0x0000000200000001,
	0x0000000300000002,
	0x0000000b00000002,
	0xfffffffe00000000,
};

/* What the parts that read words look for. */
static const char *const texts[] = {
	"iommutop: phase workload\n",
	"iommutop: phase shutdown\n",
	"flush_fn.1=iotlb_sync refiommu_iotlb_sync refiommu, fentry",
	"flush_fn.2=iotlb_sync x_sync, not attached: no such function",
	"invalidate.refiommu_=refiommu_inval_range",
	"tables.refiommu_=refiommu_table_alloc refiommu_table_free",
	"tables.=iommu_alloc_pages",
	"teardown.refiommu_=refiommu_domain_free",
	"plan.map=off",
	"plan.fault=missing",
	"early.faults=3",
	"early.overwritten=7",
	"iommu: Default domain type: Translated",
	"iommu: DMA domain TLB invalidation policy: lazy mode",
	"DMAR: [DMA Write NO_PASID] Request device [00:03.0] fault addr 0xfee00000 [fault reason "
	"0x05]",
	"e1000e 0000:00:03.0 eth0: Detected Hardware Unit Hang:",
	"nvme nvme0: I/O 1 QID 2 timeout, aborting",
	"DMAR: VT-d detected Invalidation Time-out Error: SID 300",
	"dmar_fault: 17 callbacks suppressed",
	"",
};

static const struct {
	__u16 id, len;
} kinds[] = {
	{ IOT_EV_MAP, 64 },
	{ IOT_EV_UNMAP, 64 },
	{ IOT_EV_FLUSH, 64 },
	{ IOT_EV_IOVA_ALLOC, 64 },
	{ IOT_EV_IOVA_FREE, 64 },
	{ IOT_EV_INVALIDATE, 64 },
	{ IOT_EV_TABLE_ALLOC, 64 },
	{ IOT_EV_TABLE_FREE, 64 },
	{ IOT_EV_SUBMIT, 64 },
	{ IOT_EV_FAULT, sizeof(struct iot_fault) },
	{ IOT_EV_HANG, sizeof(struct iot_trouble) },
	{ IOT_EV_RESET, sizeof(struct iot_trouble) },
	{ IOT_EV_ERROR, sizeof(struct iot_trouble) },
	{ IOT_EV_LOG, 0 },
	{ IOT_EV_DOMAIN, sizeof(struct iot_domain) },
	{ IOT_EV_ATTACH, sizeof(struct iot_attach) },
	{ IOT_EV_DETACH, sizeof(struct iot_attach) },
	{ IOT_EV_MODULE, sizeof(struct iot_module) },
	{ IOT_EV_LOSS, sizeof(struct iot_loss) },
	{ IOT_EV_COVERAGE, sizeof(struct iot_coverage) },
	{ IOT_EV_CAPTURE, sizeof(struct iot_capture) },
	{ IOT_EV_TEARDOWN, sizeof(struct iot_teardown) },
	{ IOT_EV_TALLY, sizeof(struct iot_tally) },
	{ IOT_EV_PAGE_REQUEST, sizeof(struct iot_page_request) },
	{ IOT_EV_PAGE_RESPONSE, sizeof(struct iot_page_response) },
	{ IOT_EV_DEVICE, sizeof(struct iot_device) },
	{ IOT_EV_STACK, sizeof(struct iot_stack) },
	{ IOT_EV_ATTR, 0 },
	{ IOT_EV_CLOCK, sizeof(struct iot_clock) },
	{ IOT_EV_REGION, sizeof(struct iot_region) },
};

union any {
	struct iot_event h;
	struct iot_log text; /* ATTR has its text at the same place */
	__u64 words[IOT_EVENT_MAX / 8];
};

struct input {
	const uint8_t *data, *end;
};

static uint8_t next(struct input *in)
{
	return in->data < in->end ? *in->data++ : 0;
}

static void put_text(union any *ev, const char *text)
{
	size_t len = (strlen(text) + 8) & ~7UL;

	ev->text.full_len = (__u32)len;
	ev->text.text_len = (__u32)len;
	memcpy(ev->text.text, text, strlen(text));
	ev->h.len = (__u16)(sizeof(ev->text) + len);
}

/* Times never go back, as the reader sees to. */
static void draw(struct input *in, union any *ev, __u64 *now)
{
	static const __u64 steps[] = {
		0, 1, 1000, 50000, 1000000, 11000000, 1500000000, 60000000000
	};
	uint8_t kind = next(in), who = next(in), shape = next(in);

	memset(ev, 0, sizeof(*ev));
	*now += steps[who & 7];
	ev->h.ts = *now;
	ev->h.id = kinds[kind % NR(kinds)].id;
	ev->h.len = kinds[kind % NR(kinds)].len;
	ev->h.domain = who >> 3 & 3;
	ev->h.dev = who >> 5 & 3;
	ev->h.tid = who >> 7;
	ev->h.stack = shape & 1;
	/* irq, snapshot, derived, no begin; and whose of a merged session's */
	ev->h.flags = (__u16)((shape >> 1 & 15) | (shape == 0xff ? 1U << IOT_F_ORIGIN_SHIFT : 0));
	if (!ev->h.len) {
		put_text(ev, texts[next(in) % NR(texts)]);
		return;
	}
	/* shorter than it should be, or longer: only hot events can't be */
	if (ev->h.id > IOT_EV_HOT_LAST && shape >> 5 == 1)
		ev->h.len = 32;
	else if (ev->h.id > IOT_EV_HOT_LAST && shape >> 5 == 2)
		ev->h.len = (__u16)(ev->h.len + 8);
	for (size_t i = sizeof(ev->h) / 8; i < ev->h.len / 8U; i++) {
		uint8_t b = next(in);

		/* now and then it is a time, a little before */
		ev->words[i] = b >= 0xf0 ? *now - (b - 0xf0ULL) * 1000 : numbers[b % NR(numbers)];
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const char *const presets[] = { "strict", "lazy", "vfio", "boot" };
	static const char every[] =
		"rules:\n"
		"- {invariant: [no-fault, no-hang, no-stale-access, flush-before-reuse, window,\n"
		"   strict-means-strict, flush-covers-unmap, no-map-over-map, unmap-matches-map,\n"
		"   no-leak, detach-empty, pt-freed-after-flush, pt-balance, teardown-stall,\n"
		"   flush-latency, invalidation-timeout, coverage]}\n"
		"- {invariant: domain-type, params: {is: DMA-FQ}, phase: [boot, workload]}\n"
		"- {invariant: sync-map, params: {invalidates: yes}}\n"
		"- {invariant: no-leak, name: growth, params: {growth: 4K}, select: {group: 1}}\n"
		"- {invariant: window, name: most, params: {percentile: 50}, phase: shutdown,\n"
		"   waivers: [{reason: a, expires: 1970-01-02}, {reason: b, select: {device: "
		"x}}]}\n";
	struct input in = { data, data + bytes };
	const struct analysis_opts opts = { .history = 16 };
	struct rule_set set = { 0 };
	struct error err = { "" };
	struct analysis *a = NULL;
	struct checks *c = NULL;
	uint8_t which = next(&in);
	__u64 now = 1000000000;
	union any ev;
	int rc;

	rc = which & 3 ? rules__preset(&set, presets[which >> 2 & 3], &err)
		       : rules__parse(&set, "fuzz", every, sizeof(every) - 1, &err);
	if (rc || analysis__new(&a, &opts) || checks__new(&c, &set, a, 20000))
		abort();
	while (in.data < in.end) {
		draw(&in, &ev, &now);
		checks__event(c, &ev.h);
	}
	checks__finish(c);
	for (size_t i = 0; i < set.nr; i++) {
		const struct check_result *r = checks__result(c, i);

		/* what the reports rely on */
		assert(r->rule && r->unit && r->nr_findings <= CHECK_FINDINGS &&
		       r->nr_why <= CHECK_WHY);
		assert(r->outcome != OUTCOME_FAIL || r->violations);
		assert(r->outcome != OUTCOME_INCONCLUSIVE || r->nr_why);
		assert(r->outcome != OUTCOME_PASS || r->looked_at || r->waived);
	}
	checks__free(c);
	analysis__free(a);
	rules__free(&set);
	return 0;
}

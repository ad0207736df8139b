// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speed of the analysis alone: synthetic events made in memory, fed again and again with moved
 * times, so that the machine's disk and the making of events don't count. Once as `analyze` does
 * without options, once with everything on: a filter that looks at each event, the journey of an
 * address, folded stacks, leaks, and both reports; and once as `assert` does, with a rule of each
 * invariant and the events that these need. Usage: bench_analyze [MILLIONS_OF_EVENTS]
 */
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "analyze/analysis.h"
#include "assert/check.h"
#include "report/leaks.h"
#include "report/report.h"

#define LIVE 20000 /* mappings live at any time, as of a busy NIC and an NVMe disk */
#define BATCH                                                                                    \
	300000 /* events made at once; whole rounds, so that the live set is the same at the end \
		*/
#define QUEUE 256 /* unmaps to a flush of the whole domain */

struct hot {
	union {
		struct iot_event h;
		struct iot_map map;
		struct iot_unmap unmap;
		struct iot_flush flush;
		struct iot_iova iova;
		struct iot_invalidate invalidate;
	};
};

struct maker {
	struct hot *events;
	size_t nr;
	__u64 now;
	__u32 unmaps;
	bool full;           /* IOVAs and invalidations too, and no address used again too early */
	__u64 queued[QUEUE]; /* IOVAs that wait for the flush */
	__u8 generation[LIVE]; /* of a slot: which of its addresses it has */
};

static struct iot_event head(struct maker *mk, __u16 id, __u32 domain)
{
	mk->now += 150;
	return (struct iot_event){ .ts = mk->now,
				   .id = id,
				   .len = IOT_HOT_SIZE,
				   .cpu = (__u16)(random() & 1),
				   .tid = 60 + (__u32)random() % 4,
				   .domain = domain,
				   .dev = domain };
}

static void make_map(struct maker *mk, __u32 domain, __u64 iova)
{
	mk->events[mk->nr++].map = (struct iot_map){ .h = head(mk, IOT_EV_MAP, domain),
						     .iova = iova,
						     .paddr = iova ^ 0x5555000,
						     .size = 0x1000,
						     .prot = 3 };
}

static void make_iova(struct maker *mk, __u16 id, __u32 domain, __u64 iova)
{
	if (mk->full)
		mk->events[mk->nr++].iova = (struct iot_iova){ .h = head(mk, id, domain),
							       .iova = iova,
							       .size = 0x1000 };
}

/* What the driver tells the hardware, in the flush that comes next. */
static void make_invalidate(struct maker *mk, __u32 domain, __u64 first, __u64 last)
{
	struct iot_event h;

	if (!mk->full)
		return;
	h = head(mk, IOT_EV_INVALIDATE, domain);
	mk->events[mk->nr++].invalidate =
		(struct iot_invalidate){ .h = h, .begin = h.ts - 10, .iova = first, .last = last };
}

static void make_flush(struct maker *mk, __u32 domain)
{
	make_invalidate(mk, domain, 0, ~0ULL);
	mk->events[mk->nr++].flush = (struct iot_flush){ .h = head(mk, IOT_EV_FLUSH, domain),
							 .begin = mk->now - (mk->full ? 200 : 100),
							 .kind = IOT_FLUSH_ALL,
							 .why = IOT_WHY_QUEUE_FULL };
	for (size_t i = 0; i < QUEUE; i++)
		make_iova(mk, IOT_EV_IOVA_FREE, domain, mk->queued[i]);
}

static void make_unmap(struct maker *mk, __u32 domain, __u64 iova, __u32 mode)
{
	static __u32 token;

	mk->events[mk->nr++].unmap = (struct iot_unmap){ .h = head(mk, IOT_EV_UNMAP, domain),
							 .iova = iova,
							 .size = 0x1000,
							 .unmapped = 0x1000,
							 .mode = mode,
							 .gather = ++token };
	if (mode == IOT_UNMAP_STRICT) {
		make_invalidate(mk, domain, iova, iova + 0xfff);
		mk->events[mk->nr++].flush =
			(struct iot_flush){ .h = head(mk, IOT_EV_FLUSH, domain),
					    .begin = mk->now - (mk->full ? 200 : 100),
					    .iova = iova,
					    .size = 0x1000,
					    .gather = token,
					    .kind = IOT_FLUSH_SYNC,
					    .why = IOT_WHY_STRICT };
		make_iova(mk, IOT_EV_IOVA_FREE, domain, iova);
		return;
	}
	mk->queued[mk->unmaps++ % QUEUE] = iova;
	if (mk->unmaps % QUEUE == 0)
		make_flush(mk, domain);
}

/* Even slots belong to a lazy domain, odd ones to a strict one. */
static void slot_owner(size_t slot, __u32 *domain, __u32 *mode, __u64 *iova)
{
	*domain = 1 + (slot & 1);
	*mode = slot & 1 ? IOT_UNMAP_STRICT : IOT_UNMAP_LAZY;
	*iova = 0xfff00000ULL - (__u64)slot * 0x1000;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

struct sink {
	struct analysis *a;
	struct checks *checks; /* NULL: the analysis alone */
};

static void feed(struct sink *to, struct maker *mk)
{
	for (size_t i = 0; i < mk->nr; i++)
		if (to->checks ? checks__event(to->checks, &mk->events[i].h)
			       : analysis__event(to->a, &mk->events[i].h))
			abort();
}

/* Each slot has eight addresses, which it uses in turn. */
static void turn_slot(struct maker *mk, size_t slot, __u8 generation)
{
	__u32 domain, mode;
	__u64 iova, step = (__u64)LIVE * 0x1000;

	slot_owner(slot, &domain, &mode, &iova);
	make_unmap(mk, domain, iova - mk->generation[slot] * step, mode);
	mk->generation[slot] = mk->full ? generation : 0;
	iova -= mk->generation[slot] * step;
	make_iova(mk, IOT_EV_IOVA_ALLOC, domain, iova);
	make_map(mk, domain, iova);
}

/* Fills mk with the maps of the live set, feeds them, then fills it with rounds of unmap and map.
 * Returns how long these are, ns. */
static __u64 make(struct sink *to, struct maker *mk)
{
	__u64 iova, begin;
	__u32 domain, mode;

	*mk = (struct maker){ .events = mk->events, .now = 1000000, .full = to->checks };
	srandom(1);
	for (size_t s = 0; s < LIVE; s++) {
		slot_owner(s, &domain, &mode, &iova);
		make_map(mk, domain, iova);
	}
	feed(to, mk);
	mk->nr = 0;
	begin = mk->now;
	while (mk->nr < BATCH) {
		size_t slot = (size_t)random() % LIVE;

		turn_slot(mk, slot, (mk->generation[slot] + 1) % 8);
	}
	/* back to the first addresses, which must have been flushed then and when it begins again
	 */
	for (int round = 0; mk->full && round < 2; round++) {
		make_flush(mk, 1);
		for (size_t s = 0; !round && s < LIVE; s++)
			if (mk->generation[s])
				turn_slot(mk, s, 0);
	}
	return mk->now - begin;
}

static void report(const struct analysis *a)
{
	FILE *out = fopen("/dev/null", "w");
	struct json_object *json = report__json(a);
	struct leaks leaks;

	if (!out || !json || leaks__collect(a, &leaks))
		abort();
	report__text(out, a);
	leaks__print(out, a, &leaks);
	fputs(json_object_to_json_string(json), out);
	json_object_put(json);
	leaks__free(&leaks);
	fclose(out);
}

static void tell_domain(struct checks *c, __u32 nr, __u32 type)
{
	struct iot_domain domain = {
		.h = { .id = IOT_EV_DOMAIN, .len = sizeof(domain), .domain = nr },
		.what = IOT_DOMAIN_SEEN,
		.type = type,
		.group = (__s32)nr,
		.fq_active = type == IOT_TYPE_DMA_FQ,
		.fq_known = 1,
		.sync = 1,
		.owner = 1
	};
	struct iot_attach attach = {
		.h = { .id = IOT_EV_ATTACH, .len = sizeof(attach), .domain = nr, .dev = nr },
		.group = (__s32)nr
	};
	struct iot_device dev = { .h = { .id = IOT_EV_DEVICE, .len = sizeof(dev), .dev = nr },
				  .group = (__s32)nr };

	snprintf(dev.name, sizeof(dev.name), "bench.%u", nr);
	if (checks__event(c, &dev.h) || checks__event(c, &domain.h) || checks__event(c, &attach.h))
		abort();
}

static void tell_attr(struct checks *c, const char *text)
{
	struct {
		struct iot_attr attr;
		char text[64];
	} ev = { .attr = { .h = { .id = IOT_EV_ATTR, .len = sizeof(ev) },
			   .text_len = sizeof(ev.text) } };

	snprintf(ev.text, sizeof(ev.text), "%s", text);
	if (checks__event(c, &ev.attr.h))
		abort();
}

/* A rule of each invariant, with limits that nothing here reaches. */
static struct checks *all_invariants(struct analysis *a, struct rule_set *set)
{
	struct iot_capture begin = { .h = { .id = IOT_EV_CAPTURE, .len = sizeof(begin), .ts = 1 },
				     .what = IOT_CAPTURE_BEGIN };
	struct checks *c;

	*set = (struct rule_set){ .rules = calloc(INV_NR, sizeof(*set->rules)), .nr = INV_NR };
	if (!set->rules)
		abort();
	for (int i = 0; i < INV_NR; i++)
		set->rules[i] = (struct rule){ .invariant = &invariants[i],
					       .selector = { .group = -1, .type = -1 },
					       .params = { ~0ULL, 100000 },
					       .phases = PHASE_ALL };
	set->rules[INV_DOMAIN_TYPE].selector.type = IOT_TYPE_DMA_FQ;
	set->rules[INV_DOMAIN_TYPE].params[0] = 0;
	if (checks__new(&c, set, a, 0))
		abort();
	tell_attr(c, "flush_fn.0=iotlb_sync bench_sync bench, fentry");
	tell_attr(c, "invalidate.bench_=bench_invalidate");
	tell_attr(c, "tables.bench_=bench_alloc bench_free");
	tell_domain(c, 1, IOT_TYPE_DMA_FQ);
	tell_domain(c, 2, IOT_TYPE_DMA);
	if (checks__event(c, &begin.h))
		abort();
	return c;
}

/* The stream breaks no rule, and those about hot events looked at all of it. */
static void check_results(struct checks *c, __u64 done)
{
	struct iot_capture end = { .h = { .id = IOT_EV_CAPTURE, .len = sizeof(end), .ts = ~0ULL },
				   .what = IOT_CAPTURE_END };

	if (checks__event(c, &end.h) || checks__finish(c))
		abort();
	for (size_t i = 0; i < INV_NR; i++) {
		const struct check_result *r = checks__result(c, i);

		if (r->outcome == OUTCOME_FAIL) {
			fprintf(stderr, "%s: %s\n", r->rule->invariant->name, r->findings[0].text);
			abort();
		}
	}
	if (checks__result(c, INV_FLUSH_COVERS_UNMAP)->outcome != OUTCOME_PASS ||
	    checks__result(c, INV_FLUSH_COVERS_UNMAP)->looked_at < done / 6)
		abort();
}

static void run(const char *what, struct maker *mk, __u64 want, const struct analysis_opts *opts,
		bool with_report, bool with_checks)
{
	struct rule_set set = { 0 };
	struct sink to = { 0 };
	struct analysis *a;
	struct rusage ru;
	double spent = 0, begin;
	__u64 done = 0, span;

	if (analysis__new(&a, opts))
		abort();
	to.a = a;
	if (with_checks)
		to.checks = all_invariants(a, &set);
	span = make(&to, mk);
	while (done < want) {
		begin = seconds();
		feed(&to, mk);
		spent += seconds() - begin;
		done += mk->nr;
		for (size_t i = 0; i < mk->nr; i++) {
			mk->events[i].h.ts += span;
			if (mk->events[i].h.id == IOT_EV_FLUSH)
				mk->events[i].flush.begin += span;
			else if (mk->events[i].h.id == IOT_EV_INVALIDATE)
				mk->events[i].invalidate.begin += span;
		}
	}
	begin = seconds();
	if (to.checks)
		check_results(to.checks, done);
	else
		analysis__finish(a);
	if (with_report)
		report(a);
	spent += seconds() - begin;
	getrusage(RUSAGE_SELF, &ru);
	if (a->model.total.lazy.nr + a->model.total.strict.nr < a->model.total.unmaps * 9 / 10)
		abort();
	printf("analysis%s: %.1f M events in %.2f s of CPU time: %.2f M events/s, %ld MiB at most "
	       "(events %zu MiB of them)\n",
	       what, (double)done / 1e6, spent, (double)done / 1e6 / spent, ru.ru_maxrss / 1024,
	       mk->nr * sizeof(*mk->events) >> 20);
	checks__free(to.checks);
	free(set.rules);
	analysis__free(a);
}

int main(int argc, char **argv)
{
	__u64 want = (argc > 1 ? strtoull(argv[1], NULL, 10) : 20) * 1000000, iova = 0xffe00000;
	struct maker mk = { .events = malloc((BATCH + 4096 + 7 * LIVE) * sizeof(*mk.events)) };
	struct analysis_opts all = { .iova = &iova, .folded = IOT_EV_UNMAP };

	if (!mk.events ||
	    scope__new(&all.scope,
		       &(struct scope_opts){ .filter = "size<1G || id==flush", .time = "0," },
		       NULL))
		abort();
	run("", &mk, want, NULL, false, false);
	run(", everything on", &mk, want, &all, true, false);
	run(", all invariants", &mk, want, NULL, false, true);
	scope__free(all.scope);
	free(mk.events);
	return 0;
}

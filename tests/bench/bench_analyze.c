// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speed of the analysis alone: synthetic events made in memory, fed again and again with moved
 * times, so that the machine's disk and the making of events don't count. Once as `analyze` does
 * without options, once with everything on: a filter that looks at each event, the journey of an
 * address, folded stacks, leaks, and both reports. Usage: bench_analyze [MILLIONS_OF_EVENTS]
 */
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "analyze/analysis.h"
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
	};
};

struct maker {
	struct hot *events;
	size_t nr;
	__u64 now;
	__u32 unmaps;
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
		mk->events[mk->nr++].flush =
			(struct iot_flush){ .h = head(mk, IOT_EV_FLUSH, domain),
					    .begin = mk->now - 100,
					    .iova = iova,
					    .size = 0x1000,
					    .gather = token,
					    .kind = IOT_FLUSH_SYNC,
					    .why = IOT_WHY_STRICT };
	} else if (++mk->unmaps % QUEUE == 0) {
		mk->events[mk->nr++].flush =
			(struct iot_flush){ .h = head(mk, IOT_EV_FLUSH, domain),
					    .begin = mk->now - 100,
					    .kind = IOT_FLUSH_ALL,
					    .why = IOT_WHY_QUEUE_FULL };
	}
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

static void feed(struct analysis *a, struct maker *mk)
{
	for (size_t i = 0; i < mk->nr; i++)
		if (analysis__event(a, &mk->events[i].h))
			abort();
}

/* Fills mk with the maps of the live set, feeds them, then fills it with rounds of unmap and map.
 * Returns how long these are, ns. */
static __u64 make(struct analysis *a, struct maker *mk)
{
	__u64 iova, begin;
	__u32 domain, mode;

	*mk = (struct maker){ .events = mk->events, .now = 1000000 };
	srandom(1);
	for (size_t s = 0; s < LIVE; s++) {
		slot_owner(s, &domain, &mode, &iova);
		make_map(mk, domain, iova);
	}
	feed(a, mk);
	mk->nr = 0;
	begin = mk->now;
	while (mk->nr < BATCH) {
		slot_owner((size_t)random() % LIVE, &domain, &mode, &iova);
		make_unmap(mk, domain, iova, mode);
		make_map(mk, domain, iova);
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

static void run(const char *what, struct maker *mk, __u64 want, const struct analysis_opts *opts,
		bool with_report)
{
	struct analysis *a;
	struct rusage ru;
	double spent = 0, begin;
	__u64 done = 0, span;

	if (analysis__new(&a, opts))
		abort();
	span = make(a, mk);
	while (done < want) {
		begin = seconds();
		feed(a, mk);
		spent += seconds() - begin;
		done += mk->nr;
		for (size_t i = 0; i < mk->nr; i++) {
			mk->events[i].h.ts += span;
			if (mk->events[i].h.id == IOT_EV_FLUSH)
				mk->events[i].flush.begin += span;
		}
	}
	begin = seconds();
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
	analysis__free(a);
}

int main(int argc, char **argv)
{
	__u64 want = (argc > 1 ? strtoull(argv[1], NULL, 10) : 20) * 1000000, iova = 0xffe00000;
	struct maker mk = { .events = malloc((BATCH + 4096 + 2 * LIVE) * sizeof(*mk.events)) };
	struct analysis_opts all = { .iova = &iova, .folded = IOT_EV_UNMAP };

	if (!mk.events ||
	    scope__new(&all.scope,
		       &(struct scope_opts){ .filter = "size<1G || id==flush", .time = "0," },
		       NULL))
		abort();
	run("", &mk, want, NULL, false);
	run(", everything on", &mk, want, &all, true);
	scope__free(all.scope);
	free(mk.events);
	return 0;
}

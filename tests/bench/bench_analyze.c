// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speed of the analysis alone: synthetic events made in memory, fed again and again with moved
 * times, so that the machine's disk and the making of events don't count. Usage: bench_analyze
 * [MILLIONS_OF_EVENTS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "analyze/analysis.h"

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

int main(int argc, char **argv)
{
	__u64 want = (argc > 1 ? strtoull(argv[1], NULL, 10) : 20) * 1000000, done = 0, span;
	struct maker mk = { .events = malloc((BATCH + 4096 + 2 * LIVE) * sizeof(*mk.events)),
			    .now = 1000000 };
	struct analysis *a;
	struct rusage ru;
	double spent = 0;
	__u64 iova;
	__u32 domain, mode;

	if (!mk.events || analysis__new(&a, NULL))
		abort();
	srandom(1);
	for (size_t s = 0; s < LIVE; s++) {
		slot_owner(s, &domain, &mode, &iova);
		make_map(&mk, domain, iova);
	}
	feed(a, &mk);
	mk.nr = 0;
	span = mk.now;
	while (mk.nr < BATCH) {
		slot_owner((size_t)random() % LIVE, &domain, &mode, &iova);
		make_unmap(&mk, domain, iova, mode);
		make_map(&mk, domain, iova);
	}
	span = mk.now - span;
	while (done < want) {
		double begin = seconds();

		feed(a, &mk);
		spent += seconds() - begin;
		done += mk.nr;
		for (size_t i = 0; i < mk.nr; i++) {
			mk.events[i].h.ts += span;
			if (mk.events[i].h.id == IOT_EV_FLUSH)
				mk.events[i].flush.begin += span;
		}
	}
	analysis__finish(a);
	getrusage(RUSAGE_SELF, &ru);
	if (a->model.total.lazy.nr + a->model.total.strict.nr < a->model.total.unmaps * 9 / 10)
		abort();
	printf("analysis: %.1f M events in %.2f s of CPU time: %.2f M events/s, %ld MiB at most "
	       "(events %zu MiB of them)\n",
	       (double)done / 1e6, spent, (double)done / 1e6 / spent, ru.ru_maxrss / 1024,
	       mk.nr * sizeof(*mk.events) >> 20);
	analysis__free(a);
	free(mk.events);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hot event costs the collector between the kernel's ring and the sink: a ring in memory,
 * filled as the BPF programs fill it and drained again and again. Usage: bench_rings
 * [THOUSANDS_OF_EVENTS [CPUS]] Instructions: valgrind --tool=callgrind
 * --toggle-collect=rings__drain, its "Collected" divided by the events printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "collect/rings.h"

#define SLOTS 65536 /* as record's default of 4 MiB */
#define POLL  8000  /* events between two drains: 400,000 a second and a poll every 20 ms */
#define STEP  1250  /* ns between two events of a CPU */
#define HOLD  10000000

static int count(void *ctx, void *events, size_t bytes)
{
	(void)events;
	*(uint64_t *)ctx += bytes / IOT_HOT_SIZE;
	return 0;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void publish(struct iot_cpu *cpu, struct iot_map *ring, uint64_t ts)
{
	struct iot_map *slot = &ring[cpu->head++ & (SLOTS - 1)];

	*slot = (struct iot_map){ .h = { .id = IOT_EV_MAP, .len = IOT_HOT_SIZE, .domain = 1 },
				  .iova = ts << 12,
				  .size = 4096 };
	slot->h.ts = ts;
}

int main(int argc, char **argv)
{
	uint64_t want = (argc > 1 ? strtoull(argv[1], NULL, 10) : 4000) * 1000;
	uint32_t nr_cpus = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 2;
	struct iot_cpu *cpus = calloc(nr_cpus, sizeof(*cpus));
	struct iot_map *hot = calloc((size_t)nr_cpus * SLOTS, sizeof(*hot));
	struct rings *rings = rings__new(cpus, hot, nr_cpus, SLOTS, HOLD, 0);
	uint64_t now = HOLD, seen = 0, made = 0;
	double begin, spent = 0;

	if (!nr_cpus || !cpus || !hot || !rings)
		abort();
	rings__activate(rings, true);
	while (made < want) {
		for (uint32_t i = 0; i < POLL; i += nr_cpus, now += STEP)
			for (uint32_t c = 0; c < nr_cpus; c++, made++)
				publish(&cpus[c], hot + (size_t)c * SLOTS,
					now + c * STEP / nr_cpus);
		begin = seconds();
		if (rings__drain(rings, now, false, count, &seen))
			abort();
		spent += seconds() - begin;
	}
	if (rings__drain(rings, now, true, count, &seen) || seen != made || rings__late(rings))
		abort();
	printf("rings: %llu events of %u CPUs, %.1f ns of CPU time each\n",
	       (unsigned long long)seen, nr_cpus, spent / (double)seen * 1e9);
	rings__free(rings);
	free(hot);
	free(cpus);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "collect/facts.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#define CLOCK_ATTEMPTS 8
#define CLOCK_SPAN_NS  10000 /* good enough: clocks are compared to milliseconds */

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t facts__now(void)
{
	return now(CLOCK_MONOTONIC);
}

void facts__header(struct iot_event *e, uint16_t id, size_t len)
{
	memset(e, 0, len);
	e->ts = facts__now();
	e->id = id;
	e->len = (uint16_t)len;
	e->cpu = 0xffff;
}

/* Room for one event with text behind its fixed part. */
union text_event {
	struct iot_event h;
	struct iot_attr attr;
	struct iot_symbol symbol;
	char bytes[IOT_EVENT_MAX];
};

static uint32_t text_room(size_t len)
{
	return (uint32_t)((len + 1 + 7) & ~(size_t)7);
}

int facts__attr(facts_add add, void *ctx, const char *fmt, ...)
{
	union text_event e;
	char text[IOT_EVENT_MAX - sizeof(struct iot_attr)];
	uint32_t room;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	room = text_room(strlen(text));
	facts__header(&e.h, IOT_EV_ATTR, sizeof(e.attr) + room);
	e.attr.text_len = room;
	memcpy(e.attr.text, text, strlen(text));
	return add(ctx, &e.h);
}

static int add_symbol(facts_add add, void *ctx, uint64_t addr, struct kallsyms *syms)
{
	union text_event e;
	struct ksym sym;
	char text[160];
	uint32_t room;

	/* further from any symbol than a function is long: generated code, or a module that came
	 * later */
	if (!syms || kallsyms__at(syms, addr, &sym) || addr - sym.addr > 1 << 20)
		return 0;
	if (sym.module[0])
		snprintf(text, sizeof(text), "%s [%s]", sym.name, sym.module);
	else
		snprintf(text, sizeof(text), "%s", sym.name);
	room = text_room(strlen(text));
	facts__header(&e.h, IOT_EV_SYMBOL, sizeof(e.symbol) + room);
	e.symbol.addr = addr;
	e.symbol.offset = (uint32_t)(addr - sym.addr);
	e.symbol.text_len = room;
	memcpy(e.symbol.text, text, strlen(text));
	return add(ctx, &e.h);
}

int facts__stack(facts_add add, void *ctx, int map_fd, uint32_t id, struct kallsyms *syms)
{
	struct {
		struct iot_stack s;
		uint64_t ip[IOT_STACK_MAX];
	} e;
	uint64_t ip[IOT_STACK_MAX] = {};
	uint32_t key = id - 1, nr = 0;
	int err;

	if (bpf_map_lookup_elem(map_fd, &key, ip))
		return -ENOENT;
	while (nr < IOT_STACK_MAX && ip[nr])
		nr++;
	for (uint32_t i = 0; i < nr; i++) {
		err = add_symbol(add, ctx, ip[i], syms);
		if (err)
			return err;
	}
	facts__header(&e.s.h, IOT_EV_STACK, sizeof(e.s) + nr * sizeof(ip[0]));
	e.s.h.stack = id;
	e.s.nr = nr;
	memcpy(e.s.ip, ip, nr * sizeof(ip[0]));
	return add(ctx, &e.s.h);
}

/* "The same moment" is only as short as nobody interrupts: the best of a few attempts. */
int facts__clock(facts_add add, void *ctx)
{
	__u64 best = UINT64_MAX;
	struct iot_clock e;

	facts__header(&e.h, IOT_EV_CLOCK, sizeof(e));
	for (int i = 0; i < CLOCK_ATTEMPTS && best > CLOCK_SPAN_NS; i++) {
		__u64 before = facts__now(), real = now(CLOCK_REALTIME), boot = now(CLOCK_BOOTTIME),
		      after = facts__now();

		if (after - before >= best)
			continue;
		best = after - before;
		e.real = real;
		e.boot = boot;
		e.h.ts = after;
	}
	return add(ctx, &e.h);
}

static int add_file(facts_add add, void *ctx, const char *key, const char *path)
{
	char text[900];
	size_t n;
	FILE *f = fopen(path, "re");

	if (!f)
		return 0; /* not on this kernel: the attribute is absent */
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	while (n && (text[n - 1] == '\n' || !text[n - 1]))
		n--;
	text[n] = 0;
	return facts__attr(add, ctx, "%s=%s", key, text);
}

int facts__task(facts_add add, void *ctx, uint32_t tid)
{
	char path[48], key[24];

	snprintf(path, sizeof(path), "/proc/%u/comm", tid);
	snprintf(key, sizeof(key), "task.%u", tid);
	return add_file(add, ctx, key, path);
}

/* The words of the command line that change what an IOMMU does, or what addresses devices get. */
static int add_options(facts_add add, void *ctx)
{
	static const char *const words[] = { "iommu", "swiotlb", "vfio", "iomem", "pci=", "pcie" };
	char line[8192], text[900] = "", *word, *save = NULL;
	size_t used = 0;
	FILE *f = fopen("/proc/cmdline", "re");

	if (!f)
		return 0;
	line[fread(line, 1, sizeof(line) - 1, f)] = 0;
	fclose(f);
	for (word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		bool ours = false;

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			ours = ours || strstr(word, words[i]);
		if (ours && used + strlen(word) + 2 < sizeof(text))
			used += (size_t)sprintf(text + used, "%s%s", used ? " " : "", word);
	}
	return facts__attr(add, ctx, "iommu_options=%s", text);
}

int facts__host(facts_add add, void *ctx)
{
	static const struct {
		const char *key, *path;
	} files[] = {
		{ "cmdline", "/proc/cmdline" },
		{ "boot_id", "/proc/sys/kernel/random/boot_id" },
	};
	struct utsname u;
	int err;

	if (uname(&u))
		return -errno;
	err = facts__attr(add, ctx, "kernel=%s", u.release);
	if (!err)
		err = facts__attr(add, ctx, "machine=%s", u.machine);
	for (size_t i = 0; !err && i < sizeof(files) / sizeof(files[0]); i++)
		err = add_file(add, ctx, files[i].key, files[i].path);
	return err ? err : add_options(add, ctx);
}

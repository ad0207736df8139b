// SPDX-License-Identifier: GPL-2.0-only
/*
 * gen_export DIR EVENTS SEED [LEVEL]: writes a session as a busy machine would, for the tests and
 * the bench of exports: three domains (lazy; strict; one with two devices), stacks, faults by hook
 * and by log line, a hang, resets, losses. LEVEL is zstd's. Every name and address that a redaction
 * has to hide is known to the test of it: it begins with "secret" or SECRET.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "session/writer.h"

#define SLOTS      4096
#define QUEUE      256
#define SECRET     0x0000a5c3b7000000ULL /* physical addresses and IOVAs of domain 2 begin here */
#define SECRET_LOW 0xd3c40000ULL         /* below 4 GiB: IOVAs of domain 1 */
#define KERNEL     0xffffffffb6e12340ULL

struct slot {
	__u64 iova;
	__u32 size, domain; /* domain 0: free */
};

static struct session_writer *writer;
static __u64 now = 5000000000ULL, state;
static struct slot slots[SLOTS];
static __u64 pages; /* given out */
static __u32 queued, gathers;

static __u64 draw(void) /* splitmix64 */
{
	__u64 z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static void put(void *ev, __u16 id, size_t len, __u32 domain, __u32 dev)
{
	struct iot_event *h = ev;

	now += 100 + draw() % 900;
	h->ts = now;
	h->id = id;
	h->len = (__u16)len;
	h->cpu = draw() % 4;
	h->tid = 60 + draw() % 3;
	h->domain = domain;
	h->dev = dev;
	if (session_writer__write(writer, ev, len))
		exit(1);
}

static void text_event(__u16 id, size_t head, const char *text, __u64 addr)
{
	union {
		struct iot_event h;
		struct iot_log log;
		struct iot_attr attr;
		struct iot_symbol symbol;
		char bytes[IOT_EVENT_MAX];
	} e = { .bytes = { 0 } };
	__u32 len = (__u32)(strlen(text) / 8 * 8 + 8);

	if (id == IOT_EV_LOG) {
		e.log.full_len = (__u32)strlen(text);
		e.log.text_len = len;
	} else if (id == IOT_EV_SYMBOL) {
		e.symbol.addr = addr;
		e.symbol.offset = 0x12;
		e.symbol.text_len = len;
	} else {
		e.attr.text_len = len;
	}
	strcpy(e.bytes + head, text);
	put(&e, id, head + len, 0, 0);
}

static void device(__u32 nr, __s32 group, __u32 rid, const char *name, const char *driver,
		   const char *iommu, const char *physfn)
{
	struct iot_device e = { .group = group, .rid = rid, .rid_known = rid != 0, .dma_bits = 32 };

	strncpy(e.name, name, sizeof(e.name) - 1);
	strncpy(e.driver, driver, sizeof(e.driver) - 1);
	strcpy(e.bus, "pci");
	strncpy(e.iommu, iommu, sizeof(e.iommu) - 1);
	strncpy(e.physfn, physfn, sizeof(e.physfn) - 1);
	put(&e, IOT_EV_DEVICE, sizeof(e), 0, nr);
}

static void domain(__u32 nr, __u32 type, __s32 group)
{
	struct iot_domain e = { .h.flags = IOT_F_SNAPSHOT,
				.what = IOT_DOMAIN_SEEN,
				.type = type,
				.group = group,
				.fq_known = 1,
				.fq_active = type == IOT_TYPE_DMA_FQ,
				.flush_all = KERNEL + 0x1000,
				.sync = KERNEL + 0x2000,
				.owner = KERNEL + 0x3000 };

	put(&e, IOT_EV_DOMAIN, sizeof(e), nr, 0);
}

static void attach(__u32 dom, __u32 dev, __s32 group)
{
	struct iot_attach e = { .h.flags = IOT_F_SNAPSHOT, .group = group };

	put(&e, IOT_EV_ATTACH, sizeof(e), dom, dev);
}

static void stack(__u32 nr, __u32 depth)
{
	struct {
		struct iot_stack s;
		__u64 ip[IOT_STACK_MAX];
	} e = { .s = { .h.stack = nr, .nr = depth } };

	for (__u32 i = 0; i < depth; i++)
		e.ip[i] = KERNEL + 16 * i;
	put(&e, IOT_EV_STACK, sizeof(e.s) + 8 * depth, 0, 0);
}

static void capture(__u32 what)
{
	struct iot_capture e = { .what = what, .attach_begin = now - 50 };

	put(&e, IOT_EV_CAPTURE, sizeof(e), 0, 0);
}

/* The wall clock, in November 2026; the machine slept for an hour before. */
static void clock_sample(void)
{
	struct iot_clock e = { .real = now + 1795000000000000000ULL,
			       .boot = now + 3600000000000ULL };

	put(&e, IOT_EV_CLOCK, sizeof(e), 0, 0);
}

static void begin(void)
{
	static const char *const symbols[] = { "iommu_unmap", "dma_unmap_page; attrs",
					       "refdma_work [refdma]" };

	text_event(IOT_EV_ATTR, sizeof(struct iot_attr), "flush_fn.0=ref_flush_all [refiommu]", 0);
	text_event(IOT_EV_ATTR, sizeof(struct iot_attr), "task.61=secret-task", 0);
	clock_sample();
	device(1, 5, 0x3aff, "0000:3a:1f.7", "refdma", "secret-dmar0", "");
	device(2, 6, 0x3b00, "0000:3b:00.0", "nvme", "secret-dmar1", "0000:3a:1f.7");
	device(3, 7, 0, "=cmd|' /C calc'!A0", "e,v\"il", "secret-dmar1", "");
	device(4, 7, 0, "d3c40000.secret\n\"x\"", "", "", "");
	domain(1, IOT_TYPE_DMA_FQ, 5);
	domain(2, IOT_TYPE_DMA, 6);
	domain(3, IOT_TYPE_DMA, 7);
	attach(1, 1, 5);
	attach(2, 2, 6);
	attach(3, 3, 7);
	attach(3, 4, 7);
	for (__u32 i = 0; i < 3; i++)
		text_event(IOT_EV_SYMBOL, sizeof(struct iot_symbol), symbols[i], KERNEL + 16 * i);
	stack(1, 3);
	stack(2, 4); /* its last address has no symbol */
	capture(IOT_CAPTURE_BEGIN);
}

static void map(struct slot *s)
{
	struct iot_map e = { .h.stack = draw() % 3, .prot = 3 };
	__u32 dom = 1 + draw() % 3;

	s->domain = dom;
	s->size = draw() % 4 ? 4096 : 65536;
	s->iova = (dom == 1 ? SECRET_LOW : SECRET) + (pages += 16) * 4096;
	if (dom == 1)
		s->iova &= 0xffffffff;
	e.iova = s->iova;
	e.paddr = SECRET + draw() % (1 << 20) * 4096 + 0x640;
	e.size = s->size;
	if (draw() % 1000 == 0) {
		e.ret = -12;
		s->domain = 0;
	}
	put(&e, IOT_EV_MAP, sizeof(e), dom, dom == 3 ? 0 : dom);
}

static void flush(__u32 dom, __u8 kind, __u8 why, __u32 gather, const struct slot *s)
{
	struct iot_flush e = { .begin = now + 50, .gather = gather, .kind = kind, .why = why };

	if (s) {
		e.iova = s->iova;
		e.size = s->size;
	}
	put(&e, IOT_EV_FLUSH, sizeof(e), dom, dom == 3 ? 0 : dom);
}

static void unmap(struct slot *s)
{
	struct iot_unmap e = { .h.stack = draw() % 3, .iova = s->iova, .size = s->size };
	bool lazy = s->domain == 1;

	e.unmapped = s->size;
	e.mode = lazy ? IOT_UNMAP_LAZY : IOT_UNMAP_STRICT;
	e.gather = lazy ? 0 : ++gathers * 2654435761u;
	put(&e, IOT_EV_UNMAP, sizeof(e), s->domain, s->domain == 3 ? 0 : s->domain);
	if (!lazy)
		flush(s->domain, IOT_FLUSH_SYNC, IOT_WHY_STRICT, e.gather, s);
	else if (++queued % QUEUE == 0)
		flush(1, IOT_FLUSH_ALL, draw() % 2 ? IOT_WHY_TIMER : IOT_WHY_QUEUE_FULL, 0, NULL);
	s->domain = 0;
}

/* One of what is rare, in turn. */
static void rare(unsigned int turn)
{
	struct iot_fault fault = { .iova = SECRET + 0x123000,
				   .access = IOT_ACCESS_WRITE,
				   .source = IOT_SRC_REPORT,
				   .iova_known = 1 };
	struct iot_trouble t = { .queue = -1,
				 .source = IOT_SRC_HOOK,
				 .what = "net_dev_xmit_timeout" };
	struct iot_loss loss = { .begin = now - 300,
				 .end = now - 100,
				 .count = 7,
				 .cause = IOT_LOST_RING,
				 .what = "ring 1" };
	struct iot_iova iova = { .iova = SECRET_LOW, .size = 4096, .limit = 0xd3c4ffff };

	switch (turn % 8) {
	case 0:
		put(&fault, IOT_EV_FAULT, sizeof(fault), 2, 2);
		break;
	case 1:
		text_event(
			IOT_EV_LOG, sizeof(struct iot_log),
			"DMAR: [DMA Write NO_PASID] Request device [3a:1f.7] fault addr 0xd3c47000 "
			"[fault reason 0x05] PTE Write access is not set",
			0);
		break;
	case 2:
		put(&t, IOT_EV_HANG, sizeof(t), 0, 1);
		break;
	case 3:
		t.begin = now - 2000;
		put(&t, IOT_EV_RESET, sizeof(t), 0, 1);
		break;
	case 4:
		t.kind = IOT_ERROR_AER;
		put(&t, IOT_EV_ERROR, sizeof(t), 0, 2);
		break;
	case 5:
		put(&loss, IOT_EV_LOSS, sizeof(loss), 0, 0);
		break;
	case 6:
		put(&iova, IOT_EV_IOVA_ALLOC, sizeof(iova), 1, 1);
		break;
	case 7:
		text_event(IOT_EV_LOG, sizeof(struct iot_log),
			   "secret-device: dma d3c45000 at 3552858112, 0XA5C3B7001000; caf\xe9", 0);
		break;
	}
}

int main(int argc, char **argv)
{
	const struct session_env env = { .host = "secret-host",
					 .kernel = "6.12.0",
					 .version = "test",
					 .command = "secret-command 0xa5c3b7001000" };
	struct session_writer_opts opts = { .compress = argc == 5 ? atoi(argv[4]) : 0 };
	struct error err = { "" };
	unsigned long nr, i;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: gen_export DIR EVENTS SEED [LEVEL]\n");
		return 2;
	}
	nr = strtoul(argv[2], NULL, 0);
	state = strtoull(argv[3], NULL, 0);
	if (session_writer__open_with(&writer, argv[1], &env, &opts, &err)) {
		fprintf(stderr, "gen_export: %s\n", err.text);
		return 1;
	}
	begin();
	for (i = 0; i < nr; i++) {
		struct slot *s = &slots[draw() % SLOTS];

		if (i % 500 == 250)
			rare((unsigned int)(i / 500));
		else if (s->domain)
			unmap(s);
		else
			map(s);
	}
	capture(IOT_CAPTURE_END);
	clock_sample();
	if (session_writer__close(writer, &err)) {
		fprintf(stderr, "gen_export: %s\n", err.text);
		return 1;
	}
	return 0;
}

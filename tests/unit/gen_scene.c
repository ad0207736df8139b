// SPDX-License-Identifier: GPL-2.0-only
/*
 * gen_scene DIR: writes a small session whose numbers can be worked out by hand, with something for
 * every table of the report. gen_scene DIR troubled: the same, and then a fault of each kind that
 * is explained by another mapping or a region, a flush that stalls, and a hang without a fault.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "session/writer.h"

#define US 1000ULL
#define MS 1000000ULL
#define S  1000000000ULL

#define LAZY   3 /* domains: DMA-FQ, of the reference device on node 0 */
#define STRICT 4 /* DMA, of a NIC on node 1 */
#define ROUNDS 100
#define LEAKED 5 /* the last rounds never unmap */

static struct session_writer *writer;
static __u64 now = 100 * S;
static __u16 cpu;

static struct iot_event head(__u16 id, size_t len, __u32 domain)
{
	return (struct iot_event){ .ts = now,
				   .id = id,
				   .len = (__u16)len,
				   .cpu = cpu,
				   .tid = 61,
				   .domain = domain,
				   .dev = domain ? domain - 2 : 0 };
}

static void put(const void *ev)
{
	const struct iot_event *h = ev;

	if (session_writer__write(writer, ev, h->len)) {
		fprintf(stderr, "gen_scene: event %u isn't as it should be\n", h->id);
		exit(1);
	}
}

static void attr(const char *text)
{
	struct {
		struct iot_attr a;
		char text[200];
	} ev = { .a = { .h = head(IOT_EV_ATTR, sizeof(ev), 0), .text_len = sizeof(ev.text) } };

	strncpy(ev.text, text, sizeof(ev.text) - 1);
	put(&ev);
}

static void device(__u32 nr, const char *name, const char *driver, int group, __u32 node)
{
	struct iot_device ev = { .h = head(IOT_EV_DEVICE, sizeof(ev), 0),
				 .group = group,
				 .node_known = 1,
				 .node = node,
				 .dma_bits = 32 };

	ev.h.dev = nr;
	strncpy(ev.name, name, sizeof(ev.name) - 1);
	strncpy(ev.driver, driver, sizeof(ev.driver) - 1);
	strncpy(ev.bus, strchr(name, ':') ? "pci" : "platform", sizeof(ev.bus) - 1);
	if (strchr(name, ':')) {
		ev.rid = 0x300;
		ev.rid_known = 1;
	}
	put(&ev);
}

static void stack(__u32 nr, __u64 a, __u64 b)
{
	struct {
		struct iot_stack s;
		__u64 ip[2];
	} ev = { .s = { .h = head(IOT_EV_STACK, sizeof(ev), 0), .nr = 2 }, .ip = { a, b } };

	ev.s.h.stack = nr;
	put(&ev);
}

static void symbol(__u64 addr, const char *name)
{
	struct {
		struct iot_symbol s;
		char text[32];
	} ev = { .s = { .h = head(IOT_EV_SYMBOL, sizeof(ev), 0),
			.addr = addr,
			.offset = 0x10,
			.text_len = sizeof(ev.text) } };

	strncpy(ev.text, name, sizeof(ev.text) - 1);
	put(&ev);
}

static void domain(__u32 nr, __u32 type, __u8 fq)
{
	struct iot_domain ev = { .h = head(IOT_EV_DOMAIN, sizeof(ev), nr),
				 .what = IOT_DOMAIN_SEEN,
				 .type = type,
				 .group = (__s32)nr + 2,
				 .fq_active = fq,
				 .fq_known = 1 };
	struct iot_attach at = { .h = head(IOT_EV_ATTACH, sizeof(at), nr), .group = (__s32)nr + 2 };

	ev.h.dev = 0;
	put(&ev);
	put(&at);
}

static void map(__u32 dom, __u64 iova, __u64 paddr, __u64 size, __s32 ret)
{
	struct iot_map ev = { .h = head(IOT_EV_MAP, sizeof(ev), dom),
			      .iova = iova,
			      .paddr = paddr,
			      .size = size,
			      .prot = 3,
			      .ret = ret };

	put(&ev);
	now += US;
}

static void unmap(__u32 dom, __u64 iova, __u64 size, __u32 mode, __u32 gather)
{
	struct iot_unmap ev = { .h = head(IOT_EV_UNMAP, sizeof(ev), dom),
				.iova = iova,
				.size = size,
				.unmapped = size,
				.mode = mode,
				.gather = gather };

	ev.h.stack = 1;
	put(&ev);
	now += US;
}

/* Takes ns and ends now. */
static void flush(__u32 dom, __u8 kind, __u8 why, __u64 ns, __u32 gather)
{
	struct iot_flush ev = { .begin = now, .kind = kind, .why = why, .gather = gather };

	now += ns;
	ev.h = head(IOT_EV_FLUSH, sizeof(ev), dom);
	put(&ev);
	now += US;
}

static void iova(__u16 id, __u32 dom, __u64 addr, __u64 size, __u64 took, bool slow)
{
	struct iot_iova ev = { .iova = addr, .size = size };

	if (id == IOT_EV_IOVA_ALLOC) {
		ev.begin = now;
		ev.limit = 0xffffffff;
		now += took;
	}
	ev.h = head(id, sizeof(ev), dom);
	if (slow)
		ev.h.flags |= IOT_F_SLOW;
	put(&ev);
	now += US;
}

/* Lists of four pages: allocated, mapped, and unmapped one round later. The tree is searched every
 * tenth time. A flush of the domain every 25 unmaps takes 20 us. */
static void lazy_rounds(void)
{
	for (__u32 i = 0; i < ROUNDS; i++) {
		__u64 at = 0xff000000 - i * 0x4000ULL;

		cpu = i % 4;
		iova(IOT_EV_IOVA_ALLOC, LAZY, at, 0x4000, i % 10 ? 500 : 5000, !(i % 10));
		for (__u64 p = 0; p < 4; p++)
			map(LAZY, at + p * 0x1000, 0x10000000 + i * 0x10000 + p * 0x2000, 0x1000,
			    0);
		if (i >= ROUNDS - LEAKED)
			continue;
		now += 10 * US;
		unmap(LAZY, at, 0x4000, IOT_UNMAP_LAZY, 0);
		if (i % 25 == 24)
			flush(LAZY, IOT_FLUSH_ALL, IOT_WHY_QUEUE_FULL, 20 * US, 0);
		iova(IOT_EV_IOVA_FREE, LAZY, at, 0x4000, 0, false);
		now += MS;
	}
	cpu = 0;
}

/* What the next flush gives the hardware: from 1 us after its begin on, and that long. */
static void submit(__u8 kind, __u64 took, __s32 ret)
{
	struct iot_submit ev = { .h = head(IOT_EV_SUBMIT, sizeof(ev), 0),
				 .begin = now + US,
				 .iommu = 0xffff888000001000,
				 .commands = 2,
				 .ret = ret,
				 .kind = kind,
				 .by = IOT_BY_QI_SUBMIT };

	ev.h.ts = ev.begin + took;
	put(&ev);
}

/* 64 KiB at the same address again and again; each map and each unmap is flushed by itself. */
static void strict_rounds(void)
{
	cpu = 2;
	for (__u32 i = 0; i < 50; i++) {
		map(STRICT, 0xfe000000, 0x20000000, 0x10000, 0);
		flush(STRICT, IOT_FLUSH_SYNC_MAP, IOT_WHY_MAP, 3 * US, 0);
		unmap(STRICT, 0xfe000000, 0x10000, IOT_UNMAP_STRICT, 7);
		submit(i % 25 ? IOT_SUBMIT_IOTLB : IOT_SUBMIT_IRQ, i == 49 ? 4 * US : 2 * US,
		       i == 7 ? -22 : 0);
		flush(STRICT, IOT_FLUSH_SYNC, IOT_WHY_STRICT, 5 * US, 7);
		now += 100 * US;
	}
	cpu = 0;
}

static void trouble(void)
{
	struct iot_fault fault = { .h = head(IOT_EV_FAULT, sizeof(fault), 0),
				   .iova = 0xff000040,
				   .access = IOT_ACCESS_WRITE,
				   .source = IOT_SRC_REPORT,
				   .iova_known = 1 };
	struct iot_trouble hang = { .h = head(IOT_EV_HANG, sizeof(hang), 0),
				    .queue = 0,
				    .source = IOT_SRC_HOOK,
				    .what = "net_dev_xmit_timeout" };
	struct iot_loss lost = { .h = head(IOT_EV_LOSS, sizeof(lost), 0),
				 .begin = 100 * S,
				 .count = 2,
				 .cause = IOT_LOST_LATE,
				 .what = "ring" };
	struct iot_coverage check = { .h = head(IOT_EV_COVERAGE, sizeof(check), 0),
				      .begin = 100 * S,
				      .ours = 445,
				      .control = 445,
				      .check = IOT_CHECK_UNMAP_COUNT };

	fault.h.dev = 1;
	fault.h.stack = 2;
	put(&fault);
	now += 100 * MS;
	hang.h.ts = now;
	hang.h.dev = 1;
	put(&hang);
	lost.h.ts = check.h.ts = now;
	put(&lost);
	put(&check);
}

static void fault(__u32 dev, __u64 addr)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), 0),
				.iova = addr,
				.access = IOT_ACCESS_WRITE,
				.source = IOT_SRC_REPORT,
				.iova_known = 1 };

	ev.h.dev = dev;
	put(&ev);
	now += 10 * S; /* far enough to be another incident */
}

static void page_request(__u64 iova, __u32 prgi, __u32 pasid, __u8 last)
{
	struct iot_page_request ev = { .h = head(IOT_EV_PAGE_REQUEST, sizeof(ev), 0),
				       .iova = iova,
				       .pasid = pasid,
				       .prgi = prgi,
				       .perm = IOT_PAGE_READ,
				       .pasid_valid = pasid != 0,
				       .last = last };

	ev.h.dev = 2;
	put(&ev);
	now += US;
}

static void page_response(__u32 prgi, __u32 pasid, __u32 code, __u64 latency)
{
	struct iot_page_response ev = { .h = head(IOT_EV_PAGE_RESPONSE, sizeof(ev), 0),
					.latency = latency,
					.pasid = pasid,
					.prgi = prgi,
					.code = code,
					.ret = code == IOT_PAGE_REFUSED ? -22 : 0,
					.pasid_valid = pasid != 0 };

	ev.h.dev = 2;
	put(&ev);
}

/* Three groups: a success, an invalid one, one without an answer; and a request that wasn't taken.
 */
static void page_requests(void)
{
	page_request(0x10000, 1, 0, 0);
	page_request(0x10000, 1, 0, 1);
	page_request(0x10000, 2, 5, 1);
	page_request(0x10000, 2, 6, 1);
	now += 20 * US;
	page_response(1, 0, IOT_PAGE_SUCCESS, 22 * US);
	page_response(2, 5, IOT_PAGE_INVALID, 40 * US);
	page_request(0x10000, 7, 0, 0);
	page_response(7, 0, IOT_PAGE_REFUSED, 0);
}

static void more_trouble(void)
{
	struct iot_region region = { .h = head(IOT_EV_REGION, sizeof(region), 0),
				     .first = 0xfee00000,
				     .last = 0xfeefffff,
				     .group = 6,
				     .kind = IOT_REGION_MSI };
	struct iot_trouble hang = { .queue = 0,
				    .source = IOT_SRC_HOOK,
				    .what = "net_dev_xmit_timeout" };

	struct iot_attach moved = { .group = 6 };

	put(&region);
	page_requests();
	map(STRICT, 0x7123450000, 0x60000000, 0x10000, 0);
	now += 200 * S; /* what came before is no neighbour in time */
	fault(1, 0x80000000 + (3 << 20));
	page_request(0xfee00000, 9, 5, 1);
	now += 40 * US;
	page_response(9, 5, IOT_PAGE_INVALID, 40 * US);
	now += MS;
	fault(2, 0xfee00000); /* a page that it was refused */
	fault(2, 0x23450040); /* without the bits above 32 */
	domain(5, IOT_TYPE_DMA, 0);
	moved.h = head(IOT_EV_ATTACH, sizeof(moved), 5);
	moved.h.dev = 2;
	put(&moved);
	now += MS;
	fault(2, 0x7123450040); /* mapped in the domain that it left */
	moved.h = head(IOT_EV_ATTACH, sizeof(moved), STRICT);
	put(&moved);
	now += 200 * S;
	flush(STRICT, IOT_FLUSH_SYNC, IOT_WHY_STRICT, 300 * MS, 9);
	now += 200 * S;
	hang.h = head(IOT_EV_HANG, sizeof(hang), 0);
	hang.h.dev = 2;
	put(&hang);
}

/* What the kernel's trace buffer had of the time before. */
static void before(void)
{
	attr("early.events=iommu:*");
	attr("early.maps=12");
	attr("early.map_bytes=49152");
	attr("early.unmaps=1");
	attr("early.unmap_bytes=4096");
	attr("early.faults=0");
	attr("early.overwritten=0");
}

static void side_tables(void)
{
	struct iot_clock clock = { .h = head(IOT_EV_CLOCK, sizeof(clock), 0),
				   .real = 1700000000 * S,
				   .boot = now };

	attr("node.0=0-1");
	attr("node.1=2-3");
	attr("task.61=dma-test");
	attr("why.core=def_type=11 strict=0 cmd_line=0 asks=1");
	attr("why.kconfig=lazy /boot/config-6.12");
	attr("why.group.5=now=11 owned=0 type=11 flush_all=1 generic_pt=0 queue=1 driver=1 "
	     "written=0 "
	     "capable=refiommu_capable");
	attr("why.group.6=now=3 owned=0 type=3 flush_all=1 generic_pt=0 queue=0 driver=1 written=0 "
	     "def_domain_type=smmu_def_domain_type capable=arm_smmu_capable");
	device(1, "refdma.0", "refdma", 5, 0);
	device(2, "0000:03:00.0", "nic", 6, 1);
	stack(1, 0x1000, 0x2000);
	stack(2, 0x3000, 0x2000);
	symbol(0x1000, "refdma_unmap [refdma]");
	symbol(0x2000, "kthread");
	symbol(0x3000, "refdma_irq [refdma]");
	put(&clock);
}

int main(int argc, char **argv)
{
	struct iot_capture mark = { .what = IOT_CAPTURE_BEGIN, .attach_begin = now - MS };
	const struct session_env env = { .host = "scene", .version = "test", .command = "scene" };
	struct error err = { "" };

	if (argc != 2 && !(argc == 3 && !strcmp(argv[2], "troubled"))) {
		fputs("usage: gen_scene DIR [troubled]\n", stderr);
		return 2;
	}
	if (session_writer__open(&writer, argv[1], &env, &err)) {
		fprintf(stderr, "gen_scene: %s\n", err.text);
		return 1;
	}
	side_tables();
	if (argc == 3)
		before();
	mark.h = head(IOT_EV_CAPTURE, sizeof(mark), 0);
	put(&mark);
	now += MS;
	domain(LAZY, IOT_TYPE_DMA_FQ, 1);
	domain(STRICT, IOT_TYPE_DMA, 0);
	lazy_rounds();
	/* One large page and what is left of 3 MiB. */
	map(LAZY, 0x80000000, 0x40000000, 3 << 20, 0);
	map(LAZY, 0x90000000, 0x50000000, 0x1000, -12);
	map(LAZY, 0x90000000, 0x50000000, 0x1000, -12);
	map(LAZY, 0x90000001, 0x50000000, 0x1000, -22);
	strict_rounds();
	trouble();
	if (argc == 3)
		more_trouble();
	now += MS;
	mark.what = IOT_CAPTURE_END;
	mark.h = head(IOT_EV_CAPTURE, sizeof(mark), 0);
	put(&mark);
	if (session_writer__close(writer, &err)) {
		fprintf(stderr, "gen_scene: %s\n", err.text);
		return 1;
	}
	return 0;
}

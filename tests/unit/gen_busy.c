// SPDX-License-Identifier: GPL-2.0-only
/*
 * gen_busy DIR [hostile]: writes a session as a busy machine makes it, 12 s long: a NIC with lazy
 * unmaps, a disk with strict ones, a stretch of lost events; the NIC uses an address after its
 * unmap and its flush, faults, hangs 4 s later and is reset; the disk then faults where nothing
 * ever was. hostile: all names are text that would like to be markup.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "session/writer.h"

#define US 1000ULL
#define MS 1000000ULL
#define S  1000000000ULL

#define T0    (5950 * S) /* of CLOCK_MONOTONIC */
#define REAL0 (1763700000 * S)
#define NIC   1
#define DISK  2
#define IDLE  3

struct slot {
	__u64 ts;
	size_t at; /* in bytes[] */
};

static struct {
	__u8 *bytes;
	size_t used, size;
	struct slot *slots;
	size_t nr, nr_size;
	__u64 random;
	bool hostile;
} g = { .random = 1 };

static __u64 draw(__u64 below)
{
	__u64 z = g.random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) % below;
}

static void add(const void *event)
{
	const struct iot_event *h = event;

	if (g.used + h->len > g.size) {
		g.size = g.size ? 2 * g.size : 1 << 20;
		g.bytes = realloc(g.bytes, g.size);
	}
	if (g.nr == g.nr_size) {
		g.nr_size = g.nr_size ? 2 * g.nr_size : 1 << 14;
		g.slots = realloc(g.slots, g.nr_size * sizeof(*g.slots));
	}
	if (!g.bytes || !g.slots)
		abort();
	memcpy(g.bytes + g.used, event, h->len);
	g.slots[g.nr++] = (struct slot){ h->ts, g.used };
	g.used += h->len;
}

static int by_time(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Domains have the numbers of their devices. */
static struct iot_event head(__u16 id, size_t len, __u64 ts, __u32 dev)
{
	return (struct iot_event){ .ts = T0 + ts,
				   .id = id,
				   .len = (__u16)len,
				   .cpu = (__u16)draw(4),
				   .tid = dev == NIC ? 812 : 377,
				   .domain = dev,
				   .dev = dev };
}

static const char *name(const char *plain, const char *hostile)
{
	return g.hostile ? hostile : plain;
}

static void attr(const char *text)
{
	struct {
		struct iot_attr attr;
		char text[256];
	} ev = { .attr = { .h = head(IOT_EV_ATTR, sizeof(ev), 0, 0), .text_len = 256 } };

	snprintf(ev.text, sizeof(ev.text), "%s", text);
	add(&ev);
}

static void symbol(__u64 addr, __u32 offset, const char *text)
{
	struct {
		struct iot_symbol symbol;
		char text[128];
	} ev = { .symbol = { .h = head(IOT_EV_SYMBOL, sizeof(ev), 0, 0),
			     .addr = addr,
			     .offset = offset,
			     .text_len = 128 } };

	snprintf(ev.text, sizeof(ev.text), "%s", text);
	add(&ev);
}

static void stack(__u32 nr, __u64 first, __u64 second)
{
	struct {
		struct iot_stack stack;
		__u64 ip[4];
	} ev = { .stack = { .h = head(IOT_EV_STACK, sizeof(ev), 0, 0), .nr = 4 },
		 .ip = { 0xffffffff81000010 + nr % 2, first, second, 0xffffffff81000040 } };

	ev.stack.h.stack = nr;
	add(&ev);
}

static void device(__u32 nr, __u32 type, const char *dev, const char *driver, const char *physfn)
{
	struct iot_device d = { .h = head(IOT_EV_DEVICE, sizeof(d), 0, nr),
				.group = 11 + (__s32)nr,
				.rid = nr << 8,
				.rid_known = 1,
				.dma_bits = 64 };
	struct iot_domain dom = { .h = head(IOT_EV_DOMAIN, sizeof(dom), 0, nr),
				  .what = IOT_DOMAIN_SEEN,
				  .type = type,
				  .group = d.group,
				  .fq_known = 1,
				  .fq_active = type == IOT_TYPE_DMA_FQ };
	struct iot_attach at = { .h = head(IOT_EV_ATTACH, sizeof(at), 0, nr), .group = d.group };

	snprintf(d.name, sizeof(d.name), "%s", dev);
	snprintf(d.driver, sizeof(d.driver), "%s", driver);
	snprintf(d.bus, sizeof(d.bus), "pci");
	snprintf(d.iommu, sizeof(d.iommu), "%s", name("dmar0", "<i>dmar'0\""));
	snprintf(d.physfn, sizeof(d.physfn), "%s", physfn);
	add(&d);
	add(&dom);
	add(&at);
}

static void map(__u64 ts, __u32 dev, __u64 iova, __u64 size)
{
	struct iot_map ev = { .h = head(IOT_EV_MAP, sizeof(ev), ts, dev),
			      .iova = iova,
			      .paddr = 0x100000000 + iova,
			      .size = size,
			      .prot = 3 };

	ev.h.stack = dev == NIC ? 1 : 3;
	add(&ev);
}

static void unmap(__u64 ts, __u32 dev, __u64 iova, __u64 size, __u32 mode, __u32 token)
{
	struct iot_unmap ev = { .h = head(IOT_EV_UNMAP, sizeof(ev), ts, dev),
				.iova = iova,
				.size = size,
				.unmapped = size,
				.mode = mode,
				.gather = token };

	ev.h.stack = dev == NIC ? 2 : 4;
	add(&ev);
}

static void flush(__u64 begin, __u64 end, __u32 dev, __u8 why, __u32 token)
{
	struct iot_flush ev = { .h = head(IOT_EV_FLUSH, sizeof(ev), end, dev),
				.begin = T0 + begin,
				.kind = token ? IOT_FLUSH_SYNC : IOT_FLUSH_ALL,
				.why = why,
				.gather = token };

	add(&ev);
}

static void fault(__u64 ts, __u32 dev, __u64 iova, __u32 access)
{
	struct iot_fault ev = { .h = head(IOT_EV_FAULT, sizeof(ev), ts, dev),
				.iova = iova,
				.iova_known = 1,
				.access = access,
				.source = IOT_SRC_REPORT };

	add(&ev);
}

static void trouble(__u16 id, __u64 ts, __u32 dev, const char *what, __u64 stalled)
{
	struct iot_trouble ev = { .h = head(id, sizeof(ev), ts, dev),
				  .stalled = stalled,
				  .queue = id == IOT_EV_HANG ? 0 : -1,
				  .source = IOT_SRC_HOOK };

	snprintf(ev.what, sizeof(ev.what), "%s", what);
	add(&ev);
}

static void capture(__u64 ts, __u32 what)
{
	struct iot_capture ev = { .h = head(IOT_EV_CAPTURE, sizeof(ev), ts, 0), .what = what };

	ev.attach_begin = T0 - 300 * MS;
	add(&ev);
}

static void loss(__u64 begin, __u64 end, __u32 cause, __u64 count, const char *what)
{
	struct iot_loss ev = { .h = head(IOT_EV_LOSS, sizeof(ev), end, 0),
			       .begin = T0 + begin,
			       .end = T0 + end,
			       .count = count,
			       .cause = cause };

	snprintf(ev.what, sizeof(ev.what), "%s", what);
	add(&ev);
}

static void check(__u32 which, __u64 ours, __u64 control)
{
	struct iot_coverage ev = { .h = head(IOT_EV_COVERAGE, sizeof(ev), 11990 * MS, 0),
				   .begin = T0,
				   .ours = ours,
				   .control = control,
				   .check = which };

	add(&ev);
}

#define PERIOD (10 * MS) /* of the flush queue's timer */

/* The device's own buffers live long; a packet's for a millisecond. Silent while it hangs. */
static void nic(void)
{
	__u64 iova = 0xfff00000, ts, queued_until = 0;

	for (__u64 i = 0; i < 64; i++)
		map(2 * MS + i * US, NIC, 0x7b600000 + i * 0x10000, 0x10000);
	for (ts = 10 * MS; ts < 11900 * MS;) {
		bool busy = ts > 3 * S && ts < 3600 * MS;
		__u64 life = 300 * US + draw(1500 * US);

		if (ts > 5250 * MS && ts < 9700 * MS) {
			ts = 9700 * MS;
			continue;
		}
		iova = iova <= 0xf0000000 ? 0xfff00000 : iova - 0x2000;
		if (ts < 2 * S || ts > 2150 * MS) { /* what lies between was lost */
			map(ts, NIC, iova, 0x1000);
			unmap(ts + life, NIC, iova, 0x1000, IOT_UNMAP_LAZY, 0);
			if (ts + life > queued_until) {
				__u64 at = ts + life + (busy ? 1 * MS + draw(2 * MS) : PERIOD);

				flush(at, at + 4 * US + draw(12 * US), NIC,
				      busy ? IOT_WHY_QUEUE_FULL : IOT_WHY_TIMER, 0);
				queued_until = at;
			}
		}
		ts += busy ? 60 * US + draw(80 * US) : 250 * US + draw(400 * US);
	}
}

static void disk(void)
{
	__u32 token = 1;

	for (__u64 ts = 20 * MS; ts < 11900 * MS; ts += 1 * MS + draw(3 * MS)) {
		__u64 iova = 0x40000000 + draw(0x8000) * 0x8000, size = 0x1000 << draw(4);
		__u64 end = ts + 80 * US + draw(300 * US),
		      slow = draw(200) ? 0 : 900 * US + draw(3 * MS);

		map(ts, DISK, iova, size);
		unmap(end, DISK, iova, size, IOT_UNMAP_STRICT, ++token);
		flush(end + 1 * US, end + 12 * US + draw(30 * US) + slow, DISK, IOT_WHY_STRICT,
		      token);
	}
}

static void scene(void)
{
	struct iot_clock clock = { .h = head(IOT_EV_CLOCK, sizeof(clock), 0, 0),
				   .real = REAL0,
				   .boot = T0 };

	add(&clock);
	attr("kernel.iommu=on");
	attr(name("task.812=iperf3", "task.812=<script>x"));
	attr("task.377=kworker/2:1H");
	device(NIC, IOT_TYPE_DMA_FQ, name("0000:03:00.0", "</script><script>alert(1)</script>"),
	       name("ixgbe", "\"><img src=x>"), "");
	device(DISK, IOT_TYPE_DMA, name("0000:04:00.0", "'\"&amp;<b onclick=x>_______________"),
	       name("nvme", "</title><svg/onload=1>"), "");
	device(IDLE, IOT_TYPE_DMA_FQ, "0000:03:10.0", "ixgbevf", name("0000:03:00.0", "<!--"));
	symbol(0xffffffff81000010, 0x12, "dma_unmap_page_attrs");
	symbol(0xffffffff81000011, 0x5e, "dma_map_page_attrs");
	symbol(0xffffffff81000020, 0x5a, name("ixgbe_tx_map [ixgbe]", "</pre><script>alert(2)"));
	symbol(0xffffffff81000021, 0x91, "ixgbe_clean_tx_irq [ixgbe]");
	symbol(0xffffffff81000022, 0x1c, "nvme_map_data [nvme]");
	symbol(0xffffffff81000023, 0x44, "nvme_unmap_data [nvme]");
	symbol(0xffffffff81000030, 0x77, "ixgbe_poll [ixgbe]");
	symbol(0xffffffff81000031, 0x3d, "blk_mq_end_request");
	symbol(0xffffffff81000040, 0x2d, "__napi_poll");
	stack(1, 0xffffffff81000020, 0xffffffff81000030);
	stack(2, 0xffffffff81000021, 0xffffffff81000030);
	stack(3, 0xffffffff81000022, 0xffffffff81000031);
	stack(4, 0xffffffff81000023, 0xffffffff81000031);
	capture(1 * US, IOT_CAPTURE_BEGIN);
	nic();
	disk();
	loss(6 * S, 6001 * MS, IOT_LOST_LATE, 3, "");
	loss(2 * S, 2150 * MS, IOT_LOST_RING, 1234, name("cpu 1", "<u onmouseover='x'>"));

	/* A long-lived buffer: unmapped, flushed, and written to 38 ms later. */
	unmap(5200 * MS, NIC, 0x7b650000, 0x10000, IOT_UNMAP_LAZY, 0);
	flush(5207 * MS, 5207 * MS + 9 * US, NIC, IOT_WHY_TIMER, 0);
	for (__u64 i = 0; i < 5; i++)
		fault(5238 * MS + i * 40 * US, NIC, 0x7b657064 + (i / 2) * 0x1000,
		      IOT_ACCESS_WRITE);
	trouble(IOT_EV_HANG, 9253 * MS, NIC,
		name("Detected Tx Unit Hang", "<h1>Hang</h1> & \"co\""), 4010 * MS);
	trouble(IOT_EV_RESET, 9690 * MS, NIC, "pci_reset_function", 0);
	fault(10700 * MS, DISK, 0xdead0000, IOT_ACCESS_READ);

	trouble(IOT_EV_ERROR, 9100 * MS, NIC, "AER: Uncorrectable error", 0);

	check(IOT_CHECK_MAP_BYTES, 1234567, 1234567);
	check(IOT_CHECK_FQ_FLUSHES, 410, 415);
	capture(12 * S, IOT_CAPTURE_END);
}

int main(int argc, char **argv)
{
	static char longish[6000];
	struct session_env env = { .version = "test", .kernel = "6.12.57+deb12-amd64" };
	struct session_writer *w;
	struct error err = { "" };
	int ret;

	if (argc < 2)
		return 2;
	g.hostile = argc > 2 && !strcmp(argv[2], "hostile");
	memset(longish, 'x', sizeof(longish) - 1);
	memcpy(longish, "</script><script>alert(3)</script>", 34);
	env.host = name("bench7", "</title><script>alert('host')</script>\"'&");
	env.command = g.hostile ? longish : "iperf3 -c 10.0.0.1 -P 4 -t 10";
	scene();
	qsort(g.slots, g.nr, sizeof(*g.slots), by_time);
	ret = session_writer__open(&w, argv[1], &env, &err);
	for (size_t i = 0; !ret && i < g.nr; i++) {
		const struct iot_event *h = (const void *)(g.bytes + g.slots[i].at);

		ret = session_writer__write(w, h, h->len);
	}
	if (!ret)
		ret = session_writer__close(w, &err);
	if (ret)
		fprintf(stderr, "gen_busy: %s: %s\n", err.text, strerror(-ret));
	free(g.bytes);
	free(g.slots);
	return ret ? 1 : 0;
}

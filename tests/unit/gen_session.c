// SPDX-License-Identifier: GPL-2.0-only
/*
 * gen_session DIR EVENTS SEED: writes a session with every class of event and values drawn from
 * SEED, and prints on stdout, from the C structs alone, what babeltrace2's sink.text.pretty has to
 * print for it.
 * gen_session DIR: prints the same for a session that is there, as our reader reads it.
 */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "session/reader.h"
#include "session/writer.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

union any {
	struct iot_event h;
	struct iot_map map;
	struct iot_unmap unmap;
	struct iot_flush flush;
	struct iot_iova iova;
	struct iot_invalidate invalidate;
	struct iot_table table;
	struct iot_submit submit;
	struct iot_fault fault;
	struct iot_trouble trouble;
	struct iot_log log;
	struct iot_domain domain;
	struct iot_attach attach;
	struct iot_module module;
	struct iot_loss loss;
	struct iot_coverage coverage;
	struct iot_capture capture;
	struct iot_teardown teardown;
	struct iot_tally tally;
	struct iot_page_request page_request;
	struct iot_page_response page_response;
	struct iot_device device;
	struct iot_stack stack;
	struct iot_symbol symbol;
	struct iot_attr attr;
	struct iot_clock clock;
	struct iot_region region;
	__u8 bytes[IOT_EVENT_MAX];
};

static const struct {
	__u16 id, size;
	const char *name;
} kinds[] = {
	{ IOT_EV_MAP, sizeof(struct iot_map), "map" },
	{ IOT_EV_UNMAP, sizeof(struct iot_unmap), "unmap" },
	{ IOT_EV_FLUSH, sizeof(struct iot_flush), "flush" },
	{ IOT_EV_IOVA_ALLOC, sizeof(struct iot_iova), "iova_alloc" },
	{ IOT_EV_IOVA_FREE, sizeof(struct iot_iova), "iova_free" },
	{ IOT_EV_INVALIDATE, sizeof(struct iot_invalidate), "invalidate" },
	{ IOT_EV_TABLE_ALLOC, sizeof(struct iot_table), "table_alloc" },
	{ IOT_EV_TABLE_FREE, sizeof(struct iot_table), "table_free" },
	{ IOT_EV_SUBMIT, sizeof(struct iot_submit), "submit" },
	{ IOT_EV_FAULT, sizeof(struct iot_fault), "fault" },
	{ IOT_EV_HANG, sizeof(struct iot_trouble), "hang" },
	{ IOT_EV_RESET, sizeof(struct iot_trouble), "reset" },
	{ IOT_EV_LOG, sizeof(struct iot_log), "log" },
	{ IOT_EV_DOMAIN, sizeof(struct iot_domain), "domain" },
	{ IOT_EV_ATTACH, sizeof(struct iot_attach), "attach" },
	{ IOT_EV_DETACH, sizeof(struct iot_attach), "detach" },
	{ IOT_EV_MODULE, sizeof(struct iot_module), "module" },
	{ IOT_EV_LOSS, sizeof(struct iot_loss), "loss" },
	{ IOT_EV_COVERAGE, sizeof(struct iot_coverage), "coverage" },
	{ IOT_EV_CAPTURE, sizeof(struct iot_capture), "capture" },
	{ IOT_EV_ERROR, sizeof(struct iot_trouble), "error" },
	{ IOT_EV_TEARDOWN, sizeof(struct iot_teardown), "teardown" },
	{ IOT_EV_TALLY, sizeof(struct iot_tally), "tally" },
	{ IOT_EV_PAGE_REQUEST, sizeof(struct iot_page_request), "page_request" },
	{ IOT_EV_PAGE_RESPONSE, sizeof(struct iot_page_response), "page_response" },
	{ IOT_EV_DEVICE, sizeof(struct iot_device), "device" },
	{ IOT_EV_STACK, sizeof(struct iot_stack), "stack" },
	{ IOT_EV_SYMBOL, sizeof(struct iot_symbol), "symbol" },
	{ IOT_EV_ATTR, sizeof(struct iot_attr), "attr" },
	{ IOT_EV_CLOCK, sizeof(struct iot_clock), "clock_sample" },
	{ IOT_EV_REGION, sizeof(struct iot_region), "region" },
};

static __u64 draw(__u64 *state) /* splitmix64 */
{
	__u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/*
 * Letters, quotes, backslashes, tabs and line ends; at least one, NULs from anywhere on. Not empty:
 * babeltrace2 2.0 shows an empty text as the one before it (docs/session-format.md).
 */
static void draw_text(__u64 *state, char *text, size_t room)
{
	static const char letters[] = "abcXYZ019 .:-_[]+\"\\\t\n'?%";
	size_t len = 1 + draw(state) % (room - 1), i;

	memset(text, 0, room);
	for (i = 0; i < len; i++)
		text[i] = letters[draw(state) % (sizeof(letters) - 1)];
}

static __u32 text_room(__u64 *state, size_t head)
{
	return 8 * (1 + (__u32)(draw(state) % ((IOT_EVENT_MAX - head) / 8)));
}

/* Every bit at random, then what a valid event can't have at random: lengths and texts. */
static void draw_event(__u64 *state, union any *e, size_t kind, __u64 ts)
{
	__u64 word;
	size_t i;

	for (i = 0; i < sizeof(e->bytes); i += 8) {
		word = draw(state);
		memcpy(e->bytes + i, &word, 8);
	}
	e->h.ts = ts;
	e->h.id = kinds[kind].id;
	e->h.len = kinds[kind].size;
	switch (e->h.id) {
	case IOT_EV_UNMAP:
		e->unmap.mode %= 3;
		break;
	case IOT_EV_FLUSH:
		e->flush.kind = 1 + e->flush.kind % 3;
		e->flush.why %= 6;
		break;
	case IOT_EV_HANG:
	case IOT_EV_RESET:
	case IOT_EV_ERROR:
		draw_text(state, e->trouble.what, sizeof(e->trouble.what));
		break;
	case IOT_EV_LOG:
		e->log.text_len = text_room(state, sizeof(e->log));
		draw_text(state, e->log.text, e->log.text_len);
		e->h.len += e->log.text_len;
		break;
	case IOT_EV_REGION:
		e->region.kind = 1 + e->region.kind % 5;
		break;
	case IOT_EV_PAGE_RESPONSE:
		e->page_response.code %= IOT_PAGE_CODES + 1; /* one that has no name */
		break;
	case IOT_EV_MODULE:
		e->module.gone %= 2;
		draw_text(state, e->module.name, sizeof(e->module.name));
		break;
	case IOT_EV_LOSS:
		e->loss.cause = 1 + e->loss.cause % (IOT_LOST_CAUSES - 1);
		draw_text(state, e->loss.what, sizeof(e->loss.what));
		break;
	case IOT_EV_DEVICE:
		draw_text(state, e->device.name, sizeof(e->device.name));
		draw_text(state, e->device.driver, sizeof(e->device.driver));
		draw_text(state, e->device.bus, sizeof(e->device.bus));
		draw_text(state, e->device.iommu, sizeof(e->device.iommu));
		draw_text(state, e->device.physfn, sizeof(e->device.physfn));
		break;
	case IOT_EV_STACK:
		e->stack.nr %= IOT_STACK_MAX + 1;
		e->h.len += 8 * e->stack.nr;
		break;
	case IOT_EV_SYMBOL:
		e->symbol.text_len = text_room(state, sizeof(e->symbol));
		draw_text(state, e->symbol.text, e->symbol.text_len);
		e->h.len += e->symbol.text_len;
		break;
	case IOT_EV_ATTR:
		e->attr.text_len = text_room(state, sizeof(e->attr));
		draw_text(state, e->attr.text, e->attr.text_len);
		e->h.len += e->attr.text_len;
		break;
	}
}

static int first; /* field of the line being printed */

static void name_field(const char *name)
{
	printf("%s%s = ", first ? "" : ", ", name);
	first = 0;
}

static void dec(const char *name, __u64 v)
{
	name_field(name);
	printf("%llu", v);
}

static void neg(const char *name, __s64 v)
{
	name_field(name);
	printf("%lld", v);
}

static void hex(const char *name, __u64 v)
{
	name_field(name);
	printf("0x%llX", v);
}

static void label(const char *name, __u64 v, const char *const *labels, size_t nr)
{
	name_field(name);
	if (v < nr && labels[v])
		printf("( \"%s\" : container = %llu )", labels[v], v);
	else
		printf("( <unknown> : container = %llu )", v);
}
#define LABEL(name, v, ...)                                           \
	do {                                                          \
		static const char *const labels_[] = { __VA_ARGS__ }; \
		label(name, v, labels_, NR(labels_));                 \
	} while (0)

static void source(__u32 v)
{
	LABEL("source", v, "unknown", "report", "log", "tracepoint", "hook");
}

/* babeltrace2 escapes as C does, and stops at the first NUL. */
static void text(const char *name, const char *s)
{
	const char *plain = "\\'\"?\a\b\f\n\r\t\v", *letters = "\\'\"?abfnrtv", *at;

	name_field(name);
	putchar('"');
	for (; *s; s++) {
		at = strchr(plain, *s);
		if (at)
			printf("\\%c", letters[at - plain]);
		else
			putchar(*s);
	}
	putchar('"');
}

#define ARRAY_DEC 10 /* of 8 bytes, in decimal; 8: in hexadecimal */
static void array(const char *name, const void *data, size_t nr, int width)
{
	size_t i;

	name_field(name);
	printf("[");
	for (i = 0; i < nr; i++) {
		if (width == 1)
			printf("%s [%zu] = %u", i ? "," : "", i, ((const __u8 *)data)[i]);
		else if (width == ARRAY_DEC)
			printf("%s [%zu] = %llu", i ? "," : "", i, ((const __u64 *)data)[i]);
		else
			printf("%s [%zu] = 0x%llX", i ? "," : "", i, ((const __u64 *)data)[i]);
	}
	printf(" ]");
}

static void print_fields(const union any *e)
{
	switch (e->h.id) {
	case IOT_EV_MAP:
		hex("iova", e->map.iova), hex("paddr", e->map.paddr), dec("size", e->map.size);
		hex("prot", e->map.prot), neg("ret", e->map.ret);
		break;
	case IOT_EV_UNMAP:
		hex("iova", e->unmap.iova), dec("size", e->unmap.size),
			dec("unmapped", e->unmap.unmapped);
		hex("gather", e->unmap.gather);
		LABEL("mode", e->unmap.mode, "unknown", "strict", "lazy");
		break;
	case IOT_EV_FLUSH:
		dec("begin", e->flush.begin), hex("iova", e->flush.iova),
			dec("size", e->flush.size);
		hex("gather", e->flush.gather);
		LABEL("kind", e->flush.kind, NULL, "all", "sync", "sync_map");
		LABEL("why", e->flush.why, "unknown", "strict", "queue_full", "timer", "map",
		      "other", "range", "detach");
		dec("fn", e->flush.fn);
		break;
	case IOT_EV_IOVA_ALLOC:
	case IOT_EV_IOVA_FREE:
		hex("iova", e->iova.iova), dec("size", e->iova.size), hex("limit", e->iova.limit);
		dec("begin", e->iova.begin);
		break;
	case IOT_EV_INVALIDATE:
		dec("begin", e->invalidate.begin), hex("iova", e->invalidate.iova),
			hex("last", e->invalidate.last), dec("pad", e->invalidate.pad);
		break;
	case IOT_EV_TABLE_ALLOC:
	case IOT_EV_TABLE_FREE:
		hex("page", e->table.page), dec("bytes", e->table.bytes),
			array("pad", e->table.pad, 2, ARRAY_DEC);
		break;
	case IOT_EV_SUBMIT:
		dec("begin", e->submit.begin), hex("iommu", e->submit.iommu),
			dec("commands", e->submit.commands), neg("ret", e->submit.ret);
		LABEL("kind", e->submit.kind, "other", "iotlb", "dev_tlb", "context", "irq",
		      "wait");
		LABEL("by", e->submit.by, NULL, "qi_submit_sync", "cache_tag_flush",
		      "amd_queue_command", "amd_completion_wait", "amd_domain_flush_pages",
		      "viommu_sync_req", "refiommu_inval_range");
		array("pad", e->submit.pad, 6, 1);
		break;
	case IOT_EV_FAULT:
		hex("iova", e->fault.iova);
		LABEL("access", e->fault.access, "unknown", "read", "write");
		source(e->fault.source);
		hex("reason", e->fault.reason), hex("flags", e->fault.flags),
			hex("rid", e->fault.rid);
		dec("iova_known", e->fault.iova_known), dec("rid_known", e->fault.rid_known);
		dec("iommu", e->fault.iommu);
		break;
	case IOT_EV_HANG:
	case IOT_EV_RESET:
	case IOT_EV_ERROR:
		dec("begin", e->trouble.begin), dec("stalled", e->trouble.stalled),
			neg("queue", e->trouble.queue);
		neg("ret", e->trouble.ret), source(e->trouble.source);
		LABEL("kind", e->trouble.kind, "other", "aer", "invalidation", "iommu");
		text("what", e->trouble.what);
		break;
	case IOT_EV_LOG:
		dec("full_len", e->log.full_len), dec("text_len", e->log.text_len),
			text("text", e->log.text);
		break;
	case IOT_EV_DOMAIN:
		LABEL("what", e->domain.what, NULL, "seen", "state", "free");
		LABEL("type", e->domain.type, "blocked", "unmanaged", NULL, "dma", "identity",
		      [11] = "dma_fq", [16] = "sva", [32] = "platform", [64] = "nested");
		neg("group", e->domain.group), dec("fq_active", e->domain.fq_active);
		dec("fq_known", e->domain.fq_known);
		LABEL("user", e->domain.user, "unknown", "dma_api", "unmanaged", "vfio", "iommufd");
		array("pad", e->domain.pad, 1, 1);
		dec("fq_started", e->domain.fq_started), dec("fq_finished", e->domain.fq_finished);
		hex("flush_all", e->domain.flush_all), hex("sync", e->domain.sync);
		hex("sync_map", e->domain.sync_map), hex("owner", e->domain.owner);
		break;
	case IOT_EV_ATTACH:
	case IOT_EV_DETACH:
		neg("ret", e->attach.ret), neg("group", e->attach.group);
		break;
	case IOT_EV_MODULE:
		LABEL("gone", e->module.gone, "loaded", "going");
		dec("pad", e->module.pad), text("name", e->module.name);
		break;
	case IOT_EV_LOSS:
		dec("begin", e->loss.begin), dec("end", e->loss.end), dec("count", e->loss.count);
		LABEL("cause", e->loss.cause, NULL, "ring", "rare_ring", "recursion",
		      "domain_table", "device_table", "begin", "late", "ratelimit", "writer",
		      "unhooked", "overwritten", "damage", "unended", "call", "record");
		dec("pad", e->loss.pad), text("what", e->loss.what);
		break;
	case IOT_EV_COVERAGE:
		dec("begin", e->coverage.begin), dec("ours", e->coverage.ours),
			dec("control", e->coverage.control);
		LABEL("check", e->coverage.check, NULL, "map_bytes", "unmap_bytes", "unmap_count",
		      "fq_flushes", "domain_known");
		dec("slack", e->coverage.slack);
		break;
	case IOT_EV_CAPTURE:
		LABEL("what", e->capture.what, NULL, "begin", "end");
		dec("pad", e->capture.pad), dec("attach_begin", e->capture.attach_begin);
		break;
	case IOT_EV_TEARDOWN:
		dec("begin", e->teardown.begin), dec("longest", e->teardown.longest),
			dec("tables", e->teardown.tables), dec("offers", e->teardown.offers);
		break;
	case IOT_EV_TALLY:
		dec("begin", e->tally.begin);
		dec("maps", e->tally.maps), dec("map_bytes", e->tally.map_bytes);
		dec("unmaps", e->tally.unmaps), dec("unmap_bytes", e->tally.unmap_bytes);
		dec("short_unmaps", e->tally.short_unmaps), dec("map_errors", e->tally.map_errors);
		dec("faults", e->tally.faults), dec("hangs", e->tally.hangs);
		dec("tables_allocated", e->tally.tables_allocated),
			dec("tables_freed", e->tally.tables_freed);
		dec("teardown_longest", e->tally.teardown_longest);
		dec("flushes", e->tally.flushes), dec("flush_longest", e->tally.flush_longest);
		array("flush", e->tally.flush, IOT_TALLY_LOG2, ARRAY_DEC);
		dec("last", e->tally.last), dec("snapshot", e->tally.snapshot);
		break;
	case IOT_EV_PAGE_REQUEST:
		hex("iova", e->page_request.iova), dec("pasid", e->page_request.pasid);
		dec("prgi", e->page_request.prgi), hex("perm", e->page_request.perm);
		dec("pasid_valid", e->page_request.pasid_valid);
		dec("last", e->page_request.last), array("pad", e->page_request.pad, 2, 1);
		break;
	case IOT_EV_PAGE_RESPONSE:
		dec("latency", e->page_response.latency), dec("pasid", e->page_response.pasid);
		dec("prgi", e->page_response.prgi);
		LABEL("code", e->page_response.code, "success", "invalid", "failure", "refused");
		neg("ret", e->page_response.ret);
		dec("pasid_valid", e->page_response.pasid_valid);
		array("pad", e->page_response.pad, 7, 1);
		break;
	case IOT_EV_DEVICE:
		neg("group", e->device.group), hex("rid", e->device.rid),
			dec("rid_known", e->device.rid_known);
		dec("dma_bits", e->device.dma_bits), dec("node_known", e->device.node_known);
		dec("pad", e->device.pad), dec("node", e->device.node),
			text("name", e->device.name), text("driver", e->device.driver);
		text("bus", e->device.bus), text("iommu", e->device.iommu),
			text("physfn", e->device.physfn);
		break;
	case IOT_EV_STACK:
		dec("nr", e->stack.nr), dec("pad", e->stack.pad),
			array("ip", e->stack.ip, e->stack.nr, 8);
		break;
	case IOT_EV_SYMBOL:
		hex("addr", e->symbol.addr), dec("offset", e->symbol.offset),
			dec("text_len", e->symbol.text_len);
		text("text", e->symbol.text);
		break;
	case IOT_EV_ATTR:
		dec("pad", e->attr.pad), dec("text_len", e->attr.text_len),
			text("text", e->attr.text);
		break;
	case IOT_EV_REGION:
		hex("first", e->region.first), hex("last", e->region.last);
		neg("group", e->region.group);
		LABEL("kind", e->region.kind, NULL, "direct", "direct_relaxable", "reserved", "msi",
		      "sw_msi");
		break;
	case IOT_EV_CLOCK:
		dec("real", e->clock.real), dec("boot", e->clock.boot);
		break;
	}
}

static void print_event(const union any *e, const char *name)
{
	printf("[%020llu] %s: { ", e->h.ts, name);
	first = 1;
	dec("len", e->h.len), dec("cpu", e->h.cpu), hex("flags", e->h.flags), dec("tid", e->h.tid);
	dec("domain", e->h.domain), dec("dev", e->h.dev), dec("stack", e->h.stack);
	printf(" }, { ");
	first = 1;
	print_fields(e);
	printf(" }\n");
}

static int print_session(const char *dir)
{
	const struct iot_event *ev;
	struct error err = { "" };
	struct session_reader *r;
	size_t kind;

	if (session_reader__open(&r, dir, &err)) {
		fprintf(stderr, "gen_session: %s\n", err.text);
		return 1;
	}
	while (session_reader__next(r, &ev) == 1) {
		if (!session_reader__file(r)[0])
			continue; /* made by the reader: no event of the session */
		for (kind = 0; kinds[kind].id != ev->id; kind++)
			;
		print_event((const union any *)ev, kinds[kind].name);
	}
	session_reader__close(r);
	return 0;
}

static int write_session(const char *dir, unsigned long nr, __u64 state)
{
	/* Bytes that would end a TSDL string or line if they were written as they are. */
	const struct session_env_entry more[] = {
		{ "quoted", "a\"b\\c\n\td\x7f\xc3\xa4*/;", 0 },
		{ "negative", NULL, -42 },
	};
	const struct session_env env = {
		.host = "generator",
		.version = "test",
		.command = "gen_session \"x\"",
		.more = more,
		.nr_more = 2,
	};
	struct error err = { "" };
	struct session_writer *w;
	__u64 ts = 1000;
	unsigned long i;
	union any e;
	size_t kind;
	int rc;

	rc = session_writer__open(&w, dir, &env, &err);
	for (i = 0; !rc && i < nr; i++) {
		kind = i < NR(kinds) ? i : draw(&state) % NR(kinds);
		ts += 1 + draw(&state) % 100000;
		draw_event(&state, &e, kind, ts);
		rc = session_writer__write(w, &e, e.h.len);
		print_event(&e, kinds[kind].name);
	}
	if (w)
		rc = session_writer__close(w, &err) ?: rc;
	if (rc)
		fprintf(stderr, "gen_session: %s (%d)\n", err.text, rc);
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return print_session(argv[1]);
	if (argc == 4)
		return write_session(argv[1], strtoul(argv[2], NULL, 0),
				     strtoull(argv[3], NULL, 0));
	fprintf(stderr, "usage: gen_session DIR [EVENTS SEED]\n");
	return 2;
}

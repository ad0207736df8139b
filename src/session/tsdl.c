// SPDX-License-Identifier: GPL-2.0-only
#include "session/tsdl.h"

#include <ctype.h>
#include <string.h>

#include "event.h"
#include "session/packet.h"
#include "session/record.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

#define MEMBER(type, name_) (((struct type *)0)->name_)
#define IS_SIGNED(expr)     (((__typeof__(expr))-1) < 1)

#define SCALAR(type, name_, show_)                                                                 \
	{                                                                                          \
		.name = #name_, .offset = offsetof(struct type, name_),                            \
		.width = sizeof(MEMBER(type, name_)), .is_signed = IS_SIGNED(MEMBER(type, name_)), \
		.show = show_                                                                      \
	}
#define DEC(type, name_)  SCALAR(type, name_, TSDL_DEC)
#define HEX(type, name_)  SCALAR(type, name_, TSDL_HEX)
#define TIME(type, name_) SCALAR(type, name_, TSDL_TIME)
#define LABELED(type, name_, labels_)                                                              \
	{                                                                                          \
		.name = #name_, .offset = offsetof(struct type, name_),                            \
		.width = sizeof(MEMBER(type, name_)), .is_signed = IS_SIGNED(MEMBER(type, name_)), \
		.show = TSDL_ENUM, .labels = &(labels_)                                            \
	}
#define ARRAY(type, name_, show_)                                        \
	{                                                                \
		.name = #name_, .offset = offsetof(struct type, name_),  \
		.width = sizeof(MEMBER(type, name_)[0]), .is_signed = 0, \
		.count = NR(MEMBER(type, name_)), .show = show_          \
	}
#define TEXT(type, name_) ARRAY(type, name_, TSDL_TEXT)
#define PAD(type, name_)  ARRAY(type, name_, TSDL_DEC)
#define SEQUENCE(type, name_, count_, show_)                                                 \
	{                                                                                    \
		.name = #name_, .offset = offsetof(struct type, name_),                      \
		.width = sizeof(MEMBER(type, name_)[0]), .is_signed = 0,                     \
		.count = TSDL_COUNT_IN_FIELD, .count_offset = offsetof(struct type, count_), \
		.count_name = #count_, .show = show_                                         \
	}

#define ENUM(name_, bits_, ...)                                                         \
	static const struct tsdl_label name_##_labels[] = { __VA_ARGS__, { 0, NULL } }; \
	static const struct tsdl_enum name_ = { #name_, bits_, name_##_labels }

ENUM(unmap_mode, 32, { IOT_UNMAP_UNKNOWN, "unknown" }, { IOT_UNMAP_STRICT, "strict" },
     { IOT_UNMAP_LAZY, "lazy" });
ENUM(flush_kind, 8, { IOT_FLUSH_ALL, "all" }, { IOT_FLUSH_SYNC, "sync" },
     { IOT_FLUSH_SYNC_MAP, "sync_map" });
ENUM(flush_why, 8, { IOT_WHY_UNKNOWN, "unknown" }, { IOT_WHY_STRICT, "strict" },
     { IOT_WHY_QUEUE_FULL, "queue_full" }, { IOT_WHY_TIMER, "timer" }, { IOT_WHY_MAP, "map" },
     { IOT_WHY_OTHER, "other" });
ENUM(fault_access, 32, { IOT_ACCESS_UNKNOWN, "unknown" }, { IOT_ACCESS_READ, "read" },
     { IOT_ACCESS_WRITE, "write" });
ENUM(source, 32, { 0, "unknown" }, { IOT_SRC_REPORT, "report" }, { IOT_SRC_LOG, "log" },
     { IOT_SRC_TRACEPOINT, "tracepoint" }, { IOT_SRC_HOOK, "hook" });
ENUM(domain_what, 32, { IOT_DOMAIN_SEEN, "seen" }, { IOT_DOMAIN_STATE, "state" },
     { IOT_DOMAIN_FREE, "free" });
ENUM(domain_type, 32, { IOT_TYPE_BLOCKED, "blocked" }, { IOT_TYPE_UNMANAGED, "unmanaged" },
     { IOT_TYPE_DMA, "dma" }, { IOT_TYPE_IDENTITY, "identity" }, { IOT_TYPE_DMA_FQ, "dma_fq" },
     { IOT_TYPE_SVA, "sva" }, { IOT_TYPE_PLATFORM, "platform" }, { IOT_TYPE_NESTED, "nested" });
ENUM(domain_user, 8, { IOT_USER_UNKNOWN, "unknown" }, { IOT_USER_DMA_API, "dma_api" },
     { IOT_USER_UNMANAGED, "unmanaged" }, { IOT_USER_VFIO, "vfio" },
     { IOT_USER_IOMMUFD, "iommufd" });
ENUM(module_gone, 32, { 0, "loaded" }, { 1, "going" });
ENUM(loss_cause, 32, { IOT_LOST_RING, "ring" }, { IOT_LOST_RARE, "rare_ring" },
     { IOT_LOST_RECURSION, "recursion" }, { IOT_LOST_DOMAIN_TABLE, "domain_table" },
     { IOT_LOST_DEVICE_TABLE, "device_table" }, { IOT_LOST_BEGIN, "begin" },
     { IOT_LOST_LATE, "late" }, { IOT_LOST_RATELIMIT, "ratelimit" }, { IOT_LOST_WRITER, "writer" },
     { IOT_LOST_UNHOOKED, "unhooked" }, { IOT_LOST_OVERWRITTEN, "overwritten" },
     { IOT_LOST_DAMAGE, "damage" }, { IOT_LOST_UNENDED, "unended" });
ENUM(coverage_check, 32, { IOT_CHECK_MAP_BYTES, "map_bytes" },
     { IOT_CHECK_UNMAP_BYTES, "unmap_bytes" }, { IOT_CHECK_UNMAP_COUNT, "unmap_count" },
     { IOT_CHECK_FQ_FLUSHES, "fq_flushes" }, { IOT_CHECK_DOMAIN_KNOWN, "domain_known" });
ENUM(error_kind, 32, { IOT_ERROR_OTHER, "other" }, { IOT_ERROR_AER, "aer" },
     { IOT_ERROR_INVALIDATION, "invalidation" }, { IOT_ERROR_IOMMU, "iommu" });
ENUM(region_kind, 32, { IOT_REGION_DIRECT, "direct" }, { IOT_REGION_RELAXABLE, "direct_relaxable" },
     { IOT_REGION_RESERVED, "reserved" }, { IOT_REGION_MSI, "msi" },
     { IOT_REGION_SW_MSI, "sw_msi" });
ENUM(capture_what, 32, { IOT_CAPTURE_BEGIN, "begin" }, { IOT_CAPTURE_END, "end" });

static const struct tsdl_enum *const enums[] = {
	&unmap_mode,   &flush_kind,  &flush_why,   &fault_access, &source,
	&domain_what,  &domain_type, &module_gone, &loss_cause,   &coverage_check,
	&capture_what, &error_kind,  &region_kind, &domain_user,
};

/* ts and id are the event header of CTF; the rest of struct iot_event is its event context. */
static const struct tsdl_field header_fields[] = {
	DEC(iot_event, len),    DEC(iot_event, cpu), HEX(iot_event, flags), DEC(iot_event, tid),
	DEC(iot_event, domain), DEC(iot_event, dev), DEC(iot_event, stack),
};

static const struct tsdl_field map_fields[] = {
	HEX(iot_map, iova), HEX(iot_map, paddr), DEC(iot_map, size),
	HEX(iot_map, prot), DEC(iot_map, ret),
};

static const struct tsdl_field unmap_fields[] = {
	HEX(iot_unmap, iova),
	DEC(iot_unmap, size),
	DEC(iot_unmap, unmapped),
	HEX(iot_unmap, gather),
	LABELED(iot_unmap, mode, unmap_mode),
};

static const struct tsdl_field flush_fields[] = {
	TIME(iot_flush, begin),
	HEX(iot_flush, iova),
	DEC(iot_flush, size),
	HEX(iot_flush, gather),
	LABELED(iot_flush, kind, flush_kind),
	LABELED(iot_flush, why, flush_why),
	DEC(iot_flush, fn),
};

static const struct tsdl_field iova_fields[] = {
	HEX(iot_iova, iova),
	DEC(iot_iova, size),
	HEX(iot_iova, limit),
	TIME(iot_iova, begin),
};

static const struct tsdl_field invalidate_fields[] = {
	TIME(iot_invalidate, begin),
	HEX(iot_invalidate, iova),
	HEX(iot_invalidate, last),
	DEC(iot_invalidate, pad),
};

static const struct tsdl_field table_fields[] = {
	HEX(iot_table, page),
	DEC(iot_table, bytes),
	PAD(iot_table, pad),
};

static const struct tsdl_field fault_fields[] = {
	HEX(iot_fault, iova),
	LABELED(iot_fault, access, fault_access),
	LABELED(iot_fault, source, source),
	HEX(iot_fault, reason),
	HEX(iot_fault, flags),
	HEX(iot_fault, rid),
	DEC(iot_fault, iova_known),
	DEC(iot_fault, rid_known),
	PAD(iot_fault, pad),
};

static const struct tsdl_field trouble_fields[] = {
	TIME(iot_trouble, begin),
	DEC(iot_trouble, stalled),
	DEC(iot_trouble, queue),
	DEC(iot_trouble, ret),
	LABELED(iot_trouble, source, source),
	LABELED(iot_trouble, kind, error_kind),
	TEXT(iot_trouble, what),
};

static const struct tsdl_field log_fields[] = {
	DEC(iot_log, full_len),
	DEC(iot_log, text_len),
	SEQUENCE(iot_log, text, text_len, TSDL_TEXT),
};

static const struct tsdl_field domain_fields[] = {
	LABELED(iot_domain, what, domain_what),
	LABELED(iot_domain, type, domain_type),
	DEC(iot_domain, group),
	DEC(iot_domain, fq_active),
	DEC(iot_domain, fq_known),
	LABELED(iot_domain, user, domain_user),
	PAD(iot_domain, pad),
	DEC(iot_domain, fq_started),
	DEC(iot_domain, fq_finished),
	HEX(iot_domain, flush_all),
	HEX(iot_domain, sync),
	HEX(iot_domain, sync_map),
	HEX(iot_domain, owner),
};

static const struct tsdl_field attach_fields[] = {
	DEC(iot_attach, ret),
	DEC(iot_attach, group),
};

static const struct tsdl_field module_fields[] = {
	LABELED(iot_module, gone, module_gone),
	DEC(iot_module, pad),
	TEXT(iot_module, name),
};

static const struct tsdl_field loss_fields[] = {
	TIME(iot_loss, begin), TIME(iot_loss, end),
	DEC(iot_loss, count),  LABELED(iot_loss, cause, loss_cause),
	DEC(iot_loss, pad),    TEXT(iot_loss, what),
};

static const struct tsdl_field coverage_fields[] = {
	TIME(iot_coverage, begin),  DEC(iot_coverage, ours),
	DEC(iot_coverage, control), LABELED(iot_coverage, check, coverage_check),
	DEC(iot_coverage, slack),
};

static const struct tsdl_field capture_fields[] = {
	LABELED(iot_capture, what, capture_what),
	DEC(iot_capture, pad),
	TIME(iot_capture, attach_begin),
};

static const struct tsdl_field teardown_fields[] = {
	TIME(iot_teardown, begin),
	DEC(iot_teardown, longest),
	DEC(iot_teardown, tables),
	DEC(iot_teardown, offers),
};

static const struct tsdl_field tally_fields[] = {
	TIME(iot_tally, begin),
	DEC(iot_tally, maps),
	DEC(iot_tally, map_bytes),
	DEC(iot_tally, unmaps),
	DEC(iot_tally, unmap_bytes),
	DEC(iot_tally, short_unmaps),
	DEC(iot_tally, map_errors),
	DEC(iot_tally, faults),
	DEC(iot_tally, hangs),
	DEC(iot_tally, tables_allocated),
	DEC(iot_tally, tables_freed),
	DEC(iot_tally, teardown_longest),
	DEC(iot_tally, flushes),
	DEC(iot_tally, flush_longest),
	ARRAY(iot_tally, flush, TSDL_DEC),
	DEC(iot_tally, last),
	DEC(iot_tally, snapshot),
};

static const struct tsdl_field device_fields[] = {
	DEC(iot_device, group),    HEX(iot_device, rid),        DEC(iot_device, rid_known),
	DEC(iot_device, dma_bits), DEC(iot_device, node_known), DEC(iot_device, pad),
	DEC(iot_device, node),     TEXT(iot_device, name),      TEXT(iot_device, driver),
	TEXT(iot_device, bus),     TEXT(iot_device, iommu),     TEXT(iot_device, physfn),
};

static const struct tsdl_field stack_fields[] = {
	DEC(iot_stack, nr),
	DEC(iot_stack, pad),
	SEQUENCE(iot_stack, ip, nr, TSDL_HEX),
};

static const struct tsdl_field symbol_fields[] = {
	HEX(iot_symbol, addr),
	DEC(iot_symbol, offset),
	DEC(iot_symbol, text_len),
	SEQUENCE(iot_symbol, text, text_len, TSDL_TEXT),
};

static const struct tsdl_field attr_fields[] = {
	DEC(iot_attr, pad),
	DEC(iot_attr, text_len),
	SEQUENCE(iot_attr, text, text_len, TSDL_TEXT),
};

static const struct tsdl_field clock_fields[] = {
	DEC(iot_clock, real),
	DEC(iot_clock, boot),
};

static const struct tsdl_field region_fields[] = {
	HEX(iot_region, first),
	HEX(iot_region, last),
	DEC(iot_region, group),
	LABELED(iot_region, kind, region_kind),
};

#define EVENT(id_, name_, type, fields_)       \
	[id_] = { .name = name_,               \
		  .id = id_,                   \
		  .size = sizeof(struct type), \
		  .fields = fields_,           \
		  .nr_fields = NR(fields_) }

static const struct tsdl_event events[] = {
	EVENT(IOT_EV_MAP, "map", iot_map, map_fields),
	EVENT(IOT_EV_UNMAP, "unmap", iot_unmap, unmap_fields),
	EVENT(IOT_EV_FLUSH, "flush", iot_flush, flush_fields),
	EVENT(IOT_EV_IOVA_ALLOC, "iova_alloc", iot_iova, iova_fields),
	EVENT(IOT_EV_IOVA_FREE, "iova_free", iot_iova, iova_fields),
	EVENT(IOT_EV_INVALIDATE, "invalidate", iot_invalidate, invalidate_fields),
	EVENT(IOT_EV_TABLE_ALLOC, "table_alloc", iot_table, table_fields),
	EVENT(IOT_EV_TABLE_FREE, "table_free", iot_table, table_fields),
	EVENT(IOT_EV_FAULT, "fault", iot_fault, fault_fields),
	EVENT(IOT_EV_HANG, "hang", iot_trouble, trouble_fields),
	EVENT(IOT_EV_RESET, "reset", iot_trouble, trouble_fields),
	EVENT(IOT_EV_LOG, "log", iot_log, log_fields),
	EVENT(IOT_EV_DOMAIN, "domain", iot_domain, domain_fields),
	EVENT(IOT_EV_ATTACH, "attach", iot_attach, attach_fields),
	EVENT(IOT_EV_DETACH, "detach", iot_attach, attach_fields),
	EVENT(IOT_EV_MODULE, "module", iot_module, module_fields),
	EVENT(IOT_EV_LOSS, "loss", iot_loss, loss_fields),
	EVENT(IOT_EV_COVERAGE, "coverage", iot_coverage, coverage_fields),
	EVENT(IOT_EV_CAPTURE, "capture", iot_capture, capture_fields),
	EVENT(IOT_EV_ERROR, "error", iot_trouble, trouble_fields),
	EVENT(IOT_EV_TEARDOWN, "teardown", iot_teardown, teardown_fields),
	EVENT(IOT_EV_TALLY, "tally", iot_tally, tally_fields),
	EVENT(IOT_EV_DEVICE, "device", iot_device, device_fields),
	EVENT(IOT_EV_STACK, "stack", iot_stack, stack_fields),
	EVENT(IOT_EV_SYMBOL, "symbol", iot_symbol, symbol_fields),
	EVENT(IOT_EV_ATTR, "attr", iot_attr, attr_fields),
	EVENT(IOT_EV_CLOCK, "clock_sample", iot_clock, clock_fields),
	EVENT(IOT_EV_REGION, "region", iot_region, region_fields),
};

const struct tsdl_event *tsdl__event(uint16_t id)
{
	return id < NR(events) && events[id].name ? &events[id] : NULL;
}

const struct tsdl_event *tsdl__next(const struct tsdl_event *after)
{
	const struct tsdl_event *e = after ? after + 1 : events;

	while (e < events + NR(events) && !e->name)
		e++;
	return e < events + NR(events) ? e : NULL;
}

const struct tsdl_field *tsdl__header(size_t *nr)
{
	*nr = NR(header_fields);
	return header_fields;
}

int tsdl__key_ok(const char *key)
{
	static const char *const words[] = {
		"align",          "callsite", "char",     "clock",   "const",
		"double",         "enum",     "env",      "event",   "float",
		"floating_point", "int",      "integer",  "long",    "short",
		"signed",         "stream",   "string",   "struct",  "trace",
		"typealias",      "typedef",  "unsigned", "variant", "void",
	};
	size_t i;

	if (!key || !(islower((unsigned char)key[0]) || key[0] == '_') || strlen(key) > 63)
		return 0;
	for (i = 1; key[i]; i++) {
		if (!islower((unsigned char)key[i]) && !isdigit((unsigned char)key[i]) &&
		    key[i] != '_')
			return 0;
	}
	for (i = 0; i < NR(words); i++) {
		if (!strcmp(key, words[i]))
			return 0;
	}
	return 1;
}

void tsdl__uuid_text(const uint8_t uuid[16], char text[37])
{
	int i, at = 0;

	for (i = 0; i < 16; i++)
		at += sprintf(text + at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			      uuid[i]);
}

/*
 * Every byte outside printable ASCII becomes three octal digits: nothing can end the literal early.
 */
static void print_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s >= ' ' && *s <= '~')
			fputc(*s, out);
		else
			fprintf(out, "\\%03o", (unsigned char)*s);
	}
	fputc('"', out);
}

static void print_enums(FILE *out)
{
	const struct tsdl_label *l;
	size_t i;

	for (i = 0; i < NR(enums); i++) {
		fprintf(out, "enum %s : uint%u_t {", enums[i]->name, enums[i]->bits);
		for (l = enums[i]->labels; l->text; l++)
			fprintf(out, " \"%s\" = %u,", l->text, l->value);
		fprintf(out, " };\n");
	}
}

static void print_field(FILE *out, const struct tsdl_field *f)
{
	if (f->show == TSDL_ENUM)
		fprintf(out, "\t\tenum %s %s", f->labels->name, f->name);
	else if (f->show == TSDL_TEXT)
		fprintf(out, "\t\ttext_t %s", f->name);
	else
		fprintf(out, "\t\t%s%u_t %s",
			f->show == TSDL_HEX ? "hex"
			: f->is_signed      ? "int"
					    : "uint",
			f->width * 8u, f->name);
	if (f->count == TSDL_COUNT_IN_FIELD)
		fprintf(out, "[%s]", f->count_name);
	else if (f->count)
		fprintf(out, "[%u]", f->count);
	fprintf(out, ";\n");
}

static void print_head(FILE *out, const struct tsdl_trace *trace)
{
	int64_t s = trace->clock.offset_ns / 1000000000, ns = trace->clock.offset_ns % 1000000000;
	char uuid[37];
	size_t i;

	if (ns < 0) {
		s--;
		ns += 1000000000;
	}
	tsdl__uuid_text(trace->uuid, uuid);
	fprintf(out, "/* CTF 1.8 */\n\n");
	for (i = 8; i <= 64; i *= 2) {
		fprintf(out,
			"typealias integer { size = %zu; align = 8; signed = false; } "
			":= uint%zu_t;\n",
			i, i);
		fprintf(out,
			"typealias integer { size = %zu; align = 8; signed = true; } "
			":= int%zu_t;\n",
			i, i);
		fprintf(out,
			"typealias integer { size = %zu; align = 8; signed = false; base = 16; } "
			":= hex%zu_t;\n",
			i, i);
	}
	fprintf(out, "typealias integer { size = 8; align = 8; signed = false; encoding = UTF8; } "
		     ":= text_t;\n\n");
	fprintf(out, "trace {\n\tmajor = 1;\n\tminor = 8;\n\tuuid = \"%s\";\n\tbyte_order = %s;\n",
		uuid, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "le" : "be");
	fprintf(out, "\tpacket.header := struct {\n\t\tuint32_t magic;\n\t\tuint8_t uuid[16];\n"
		     "\t\tuint32_t stream_id;\n\t};\n};\n\nenv {\n");
	for (i = 0; i < trace->nr_env; i++) {
		fprintf(out, "\t%s = ", trace->env[i].key);
		if (trace->env[i].text)
			print_string(out, trace->env[i].text);
		else
			fprintf(out, "%lld", (long long)trace->env[i].number);
		fprintf(out, ";\n");
	}
	fprintf(out,
		"};\n\nclock {\n\tname = \"monotonic\";\n\tuuid = \"%s\";\n"
		"\tdescription = \"CLOCK_MONOTONIC; offset: CLOCK_REALTIME minus it\";\n"
		"\tfreq = 1000000000;\n\toffset_s = %lld;\n\toffset = %lld;\n"
		"\tabsolute = TRUE;\n};\n\n",
		trace->clock.boot_id, (long long)s, (long long)ns);
	fprintf(out, "typealias integer { size = 64; align = 8; signed = false; "
		     "map = clock.monotonic.value; } := ts_t;\n");
}

static void print_streams(FILE *out)
{
	size_t i;

	fprintf(out, "\nstruct event_header {\n\tts_t timestamp;\n\tuint16_t id;\n};\n\n"
		     "struct event_context {\n");
	for (i = 0; i < NR(header_fields); i++)
		print_field(out, &header_fields[i]);
	fprintf(out,
		"};\n\nstruct packet_context {\n\tts_t timestamp_begin;\n\tts_t timestamp_end;\n"
		"\tuint64_t content_size;\n\tuint64_t packet_size;\n\tuint64_t events_discarded;\n"
		"\tuint64_t packet_seq_num;\n\tuint32_t events;\n\thex32_t crc32c;\n};\n\n");
	for (i = 0; i < PACKET_CLASSES; i++)
		fprintf(out,
			"stream {\n\tid = %zu;\n\tevent.header := struct event_header;\n"
			"\tpacket.context := struct packet_context;\n"
			"\tevent.context := struct event_context;\n};\n\n",
			i);
}

void tsdl__print(FILE *out, const struct tsdl_trace *trace)
{
	const struct tsdl_event *e;
	unsigned int i;

	print_head(out, trace);
	print_enums(out);
	print_streams(out);
	for (e = tsdl__next(NULL); e; e = tsdl__next(e)) {
		fprintf(out,
			"event {\n\tname = \"%s\";\n\tid = %u;\n\tstream_id = %d;\n"
			"\tfields := struct {\n",
			e->name, e->id, record__class(e->id));
		for (i = 0; i < e->nr_fields; i++)
			print_field(out, &e->fields[i]);
		fprintf(out, "\t};\n};\n\n");
	}
}

// SPDX-License-Identifier: GPL-2.0-only
#include "session/tsdl_text.h"

#include <ctype.h>
#include <string.h>

#include "session/packet.h"
#include "session/record.h"
#include "session/tsdl.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

int tsdl_text__key_ok(const char *key)
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

void tsdl_text__uuid(const uint8_t uuid[16], char text[37])
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
	const struct tsdl_enum *const *enums;
	const struct tsdl_label *l;
	size_t nr, i;

	enums = tsdl__enums(&nr);
	for (i = 0; i < nr; i++) {
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
	tsdl_text__uuid(trace->uuid, uuid);
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
	const struct tsdl_field *header;
	size_t nr, i;

	header = tsdl__header(&nr);
	fprintf(out, "\nstruct event_header {\n\tts_t timestamp;\n\tuint16_t id;\n};\n\n"
		     "struct event_context {\n");
	for (i = 0; i < nr; i++)
		print_field(out, &header[i]);
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

void tsdl_text__print(FILE *out, const struct tsdl_trace *trace)
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

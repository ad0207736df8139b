// SPDX-License-Identifier: GPL-2.0-only
#include "session/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "session/tsdl.h"
#include "util/text.h"

static uint64_t load(const void *p, unsigned int width)
{
	uint64_t v = 0;

	/* integers are of our byte order */
	memcpy((uint8_t *)&v + (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 8 - width), p,
	       width);
	return v;
}

static const char *label(const struct tsdl_enum *e, uint64_t v)
{
	const struct tsdl_label *l;

	for (l = e->labels; l->text; l++) {
		if (l->value == v)
			return l->text;
	}
	return NULL;
}

static void print_value(FILE *out, const uint8_t *p, const struct tsdl_field *f)
{
	uint64_t v = load(p, f->width);
	const char *name = f->show == TSDL_ENUM ? label(f->labels, v) : NULL;
	unsigned int spare = 64 - 8u * f->width;

	if (name)
		fputs(name, out);
	else if (f->show == TSDL_HEX)
		fprintf(out, "0x%llx", (unsigned long long)v);
	else if (f->is_signed)
		fprintf(out, "%lld", (long long)(v << spare) >> spare);
	else
		fprintf(out, "%llu", (unsigned long long)v);
}

static void print_text(FILE *out, const uint8_t *p, size_t bytes)
{
	char text[IOT_EVENT_MAX];
	const char *c;

	text__copy(text, sizeof(text), (const char *)p, bytes);
	fputc('"', out);
	for (c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fputc('\\', out);
		fputc(*c, out);
	}
	fputc('"', out);
}

static bool is_left_out(const struct iot_event *ev, const struct tsdl_field *f)
{
	return !strcmp(f->name, "pad") || !strcmp(f->name, "len") ||
	       /* how long a sequence is shows in the sequence */
	       (f->offset >= sizeof(*ev) && !strcmp(f->name, "text_len"));
}

static void print_field(FILE *out, const struct iot_event *ev, const struct tsdl_field *f)
{
	const uint8_t *p = (const uint8_t *)ev + f->offset;
	uint32_t count = f->count, i;

	if (is_left_out(ev, f))
		return;
	if (f->count == TSDL_COUNT_IN_FIELD)
		memcpy(&count, (const uint8_t *)ev + f->count_offset, sizeof(count));
	fprintf(out, " %s=", f->name);
	if (f->show == TSDL_TEXT) {
		print_text(out, p, count);
	} else if (!f->count) {
		print_value(out, p, f);
	} else {
		for (i = 0; i < count; i++) {
			if (i)
				fputc(',', out);
			print_value(out, p + (size_t)i * f->width, f);
		}
	}
}

void format__event(FILE *out, const struct iot_event *ev, const char *dev_name)
{
	const struct tsdl_event *type = tsdl__event(ev->id);
	const struct tsdl_field *f;
	size_t nr, i;

	fprintf(out, "%llu.%09llu %s", (unsigned long long)(ev->ts / 1000000000),
		(unsigned long long)(ev->ts % 1000000000), type ? type->name : "unknown");
	f = tsdl__header(&nr);
	for (i = 0; i < nr; i++, f++) {
		if (!load((const uint8_t *)ev + f->offset, f->width))
			continue;
		if (f->offset == offsetof(struct iot_event, dev) && dev_name)
			fprintf(out, " dev=%s", dev_name);
		else if (f->offset == offsetof(struct iot_event, cpu) && ev->cpu == 0xffff)
			continue;
		else
			print_field(out, ev, f);
	}
	if (!type) {
		fprintf(out, " id=%u", ev->id);
		return;
	}
	for (f = type->fields; f < type->fields + type->nr_fields; f++)
		print_field(out, ev, f);
}

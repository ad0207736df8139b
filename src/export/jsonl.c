// SPDX-License-Identifier: GPL-2.0-only
/* JSON lines: an object a line, the first says what it is, the last that it is whole. */
#include <json-c/json.h>
#include <string.h>

#include "export/encode.h"
#include "export/internal.h"

static char *key(char *p, const char *name)
{
	p = encode__str(p, ",\"");
	p = encode__str(p, name);
	return encode__str(p, "\":");
}

static char *number(char *p, const struct tsdl_field *f, const struct iot_event *ev, unsigned int i)
{
	uint64_t v = columns__number(f, ev, i);
	const char *label = f->show == TSDL_ENUM ? columns__label(f, v) : NULL;

	if (label)
		return encode__json(p, label, strlen(label));
	if (f->show == TSDL_HEX) {
		*p++ = '"';
		p = encode__hex(p, v);
		*p++ = '"';
		return p;
	}
	return f->is_signed ? encode__signed(p, (int64_t)v) : encode__dec(p, v);
}

static char *sequence(char *p, const struct tsdl_field *f, const struct iot_event *ev)
{
	uint32_t count = f->count;

	if (f->count == TSDL_COUNT_IN_FIELD)
		memcpy(&count, (const char *)ev + f->count_offset, sizeof(count));
	*p++ = '[';
	for (uint32_t i = 0; i < count; i++) {
		if (i)
			*p++ = ',';
		p = number(p, f, ev, i);
	}
	*p++ = ']';
	return p;
}

static char *field(char *p, const struct tsdl_field *f, const struct iot_event *ev)
{
	const char *text;
	size_t len;

	if (f->show == TSDL_TEXT) {
		len = columns__text(f, ev, &text);
		return encode__json(p, text, len);
	}
	return f->count ? sequence(p, f, ev) : number(p, f, ev, 0);
}

char *jsonl__fields(char *p, const struct columns_body *body, const struct iot_event *ev)
{
	for (unsigned int i = 0; i < body->nr; i++) {
		p = key(p, body->fields[i].name);
		p = field(p, body->fields[i].field, ev);
	}
	return p;
}

static char *maybe(char *p, const char *name, const char *text)
{
	p = key(p, name);
	return text ? encode__json(p, text, strlen(text)) : encode__str(p, "null");
}

static int jsonl_begin(struct exporter *x, struct error *err)
{
	struct json_object *o = json_object_new_object();
	const char *text;

	(void)err;
	json_object_object_add(o, "schema", json_object_new_int(EXPORT_SCHEMA));
	json_object_object_add(o, "format", json_object_new_string("iommutop-jsonl"));
	json_object_object_add(o, "version", json_object_new_string(IOMMUTOP_VERSION));
	json_object_object_add(o, "clock", json_object_new_string("monotonic"));
	json_object_object_add(o, "redacted", json_object_new_string(export__redacted(x)));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	out__write(&x->out, text, strlen(text));
	out__write(&x->out, "\n", 1);
	json_object_put(o);
	return x->out.error;
}

static int jsonl_event(struct exporter *x, const struct iot_event *ev)
{
	const struct tsdl_event *type = tsdl__event(ev->id);
	char *const row = out__room(&x->out, EXPORT_ROW_MAX), *p = row;
	const struct tsdl_field *header;
	size_t nr;

	p = encode__str(p, "{\"event\":\"");
	p = encode__str(p, type->name);
	p = encode__str(p, "\",\"ts\":");
	p = encode__dec(p, ev->ts);
	header = tsdl__header(&nr);
	for (size_t i = 0; i < nr; i++) {
		if (header[i].offset == offsetof(struct iot_event, len))
			continue;
		p = key(p, header[i].name);
		p = number(p, &header[i], ev, 0);
	}
	p = maybe(p, "device", names__device(&x->names, ev->dev));
	p = maybe(p, "domain_name", names__domain(&x->names, ev->domain));
	p = jsonl__fields(p, &x->columns.bodies[ev->id], ev);
	p = encode__str(p, "}\n");
	out__used(&x->out, (size_t)(p - row));
	return 0;
}

static int jsonl_end(struct exporter *x, struct json_object *about, struct error *err)
{
	struct json_object *o = json_object_new_object();
	const char *text;

	(void)err;
	json_object_object_add(o, "event", json_object_new_string("end"));
	json_object_object_add(o, "events", json_object_new_uint64(x->events));
	json_object_object_add(o, "source", json_object_get(about));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							 JSON_C_TO_STRING_NOSLASHESCAPE);
	out__write(&x->out, text, strlen(text));
	out__write(&x->out, "\n", 1);
	json_object_put(o);
	return 0;
}

const struct export_format export_jsonl = {
	.name = "jsonl",
	.says_source = true,
	.begin = jsonl_begin,
	.event = jsonl_event,
	.end = jsonl_end,
};

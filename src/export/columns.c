// SPDX-License-Identifier: GPL-2.0-only
#include "export/columns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "export/encode.h"

/* Events that share a table. Each other event has one of its own, under its own name. */
static const struct {
	const char *name;
	uint16_t ids[COLUMNS_KINDS_MAX];
} shared[] = {
	{ "events",
	  { IOT_EV_MAP, IOT_EV_UNMAP, IOT_EV_FLUSH, IOT_EV_IOVA_ALLOC, IOT_EV_IOVA_FREE } },
	{ "fault", { IOT_EV_FAULT } },
	{ "trouble", { IOT_EV_HANG, IOT_EV_RESET, IOT_EV_ERROR } },
	{ "attach", { IOT_EV_ATTACH, IOT_EV_DETACH } },
	{ "page_table", { IOT_EV_TABLE_ALLOC, IOT_EV_TABLE_FREE } },
};

bool columns__is_layout(const struct tsdl_event *type, const struct tsdl_field *f)
{
	if (!strcmp(f->name, "pad"))
		return true;
	for (unsigned int i = 0; i < type->nr_fields; i++)
		if (type->fields[i].count_name && !strcmp(type->fields[i].count_name, f->name))
			return true;
	return false;
}

/* Beside those of the header: with the event's name in front if both have a field of that name. */
static void put_name(const struct tsdl_event *type, const struct tsdl_field *f, char name[32])
{
	const struct tsdl_field *header;
	size_t nr;

	header = tsdl__header(&nr);
	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(header[i].name, f->name)) {
			snprintf(name, 32, "%s_%s", type->name, f->name);
			return;
		}
	}
	snprintf(name, 32, "%s", f->name);
}

/* As many numbers in each event: one value, while a sequence is a row for each. */
static bool is_list(const struct tsdl_field *f)
{
	return f->count && f->count != TSDL_COUNT_IN_FIELD && f->show != TSDL_TEXT;
}

static enum column_type type_of(const struct tsdl_field *f)
{
	if (f->show == TSDL_TEXT)
		return f->count == TSDL_COUNT_IN_FIELD ? COLUMN_TEXT : COLUMN_NAME;
	if (f->show == TSDL_ENUM)
		return COLUMN_NAME;
	if (is_list(f))
		return COLUMN_TEXT;
	if (f->is_signed)
		return COLUMN_I32;
	return f->width == 8   ? COLUMN_U64
	       : f->width == 4 ? COLUMN_U32
	       : f->width == 2 ? COLUMN_U16
			       : COLUMN_U8;
}

static struct column *add_column(struct columns_table *t, const char *name, enum column_type type,
				 enum column_source source)
{
	struct column *c;

	if (t->nr == COLUMNS_MAX)
		return NULL;
	c = &t->columns[t->nr++];
	*c = (struct column){ .type = type, .source = source };
	snprintf(c->name, sizeof(c->name), "%s", name);
	return c;
}

static int add_header(struct columns_table *t)
{
	const struct tsdl_field *header;
	struct column *c;
	size_t nr;

	header = tsdl__header(&nr);
	add_column(t, "ts", COLUMN_U64, COLUMN_OF_TS);
	add_column(t, "time", COLUMN_TIME, COLUMN_OF_CLOCK)->nullable = true;
	add_column(t, "event", COLUMN_NAME, COLUMN_OF_EVENT);
	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(header[i].name, "len"))
			continue;
		c = add_column(t, header[i].name, type_of(&header[i]), COLUMN_OF_HEADER);
		if (!c)
			return -EOVERFLOW;
		c->fields[0] = &header[i];
		c->hex = header[i].show == TSDL_HEX;
	}
	c = add_column(t, "device", COLUMN_NAME, COLUMN_OF_DEVICE);
	if (c)
		c->nullable = true;
	c = c ? add_column(t, "domain_name", COLUMN_NAME, COLUMN_OF_DOMAIN) : NULL;
	if (!c)
		return -EOVERFLOW;
	c->nullable = true;
	return 0;
}

static struct column *find_column(struct columns_table *t, const char *name)
{
	for (unsigned int i = 0; i < t->nr; i++)
		if (!strcmp(t->columns[i].name, name))
			return &t->columns[i];
	return NULL;
}

static int add_kind(struct columns *c, struct columns_table *t, const struct tsdl_event *type)
{
	struct columns_body *body = &c->bodies[type->id & 255];
	unsigned int kind = t->nr_kinds;

	if (kind == COLUMNS_KINDS_MAX || type->id > 255)
		return -EOVERFLOW;
	t->kinds[t->nr_kinds++] = type;
	c->table_of[type->id] = (uint8_t)(t - c->tables + 1);
	c->kind_of[type->id] = (uint8_t)kind;
	for (unsigned int i = 0; i < type->nr_fields; i++) {
		const struct tsdl_field *f = &type->fields[i];
		const char *name;
		struct column *col;

		if (columns__is_layout(type, f))
			continue;
		if (body->nr == COLUMNS_BODY_MAX || (is_list(f) && f->count > COLUMNS_LIST_MAX))
			return -EOVERFLOW;
		put_name(type, f, body->fields[body->nr].name);
		name = body->fields[body->nr].name;
		body->fields[body->nr++].field = f;
		if (f->count == TSDL_COUNT_IN_FIELD && f->show != TSDL_TEXT) {
			if (!add_column(t, "frame", COLUMN_U32, COLUMN_OF_FRAME))
				return -EOVERFLOW;
			t->sequence = f;
		}
		col = find_column(t, name);
		if (!col)
			col = add_column(t, name, type_of(f), COLUMN_OF_BODY);
		if (!col || col->type != type_of(f) || col->source != COLUMN_OF_BODY)
			return -EOVERFLOW;
		col->fields[kind] = f;
		col->hex = f->show == TSDL_HEX;
	}
	return 0;
}

static struct columns_table *add_table(struct columns *c, const char *name)
{
	struct columns_table *t;

	if (c->nr == COLUMNS_TABLES_MAX)
		return NULL;
	t = &c->tables[c->nr++];
	t->name = name;
	return add_header(t) ? NULL : t;
}

static void find_nullable(struct columns_table *t)
{
	for (unsigned int i = 0; i < t->nr; i++)
		for (unsigned int k = 0; k < t->nr_kinds; k++)
			if (t->columns[i].source == COLUMN_OF_BODY && !t->columns[i].fields[k])
				t->columns[i].nullable = true;
}

int columns__init(struct columns *c)
{
	const struct tsdl_event *type = NULL;
	struct columns_table *t;
	int ret = 0;

	*c = (struct columns){ 0 };
	for (size_t s = 0; s < sizeof(shared) / sizeof(shared[0]) && !ret; s++) {
		t = add_table(c, shared[s].name);
		for (size_t k = 0; t && k < COLUMNS_KINDS_MAX && shared[s].ids[k] && !ret; k++)
			ret = add_kind(c, t, tsdl__event(shared[s].ids[k]));
		if (!t)
			ret = -EOVERFLOW;
	}
	while (!ret && (type = tsdl__next(type))) {
		if (type->id <= 255 && c->table_of[type->id])
			continue;
		t = add_table(c, type->name);
		ret = t ? add_kind(c, t, type) : -EOVERFLOW;
	}
	for (unsigned int i = 0; i < c->nr; i++)
		find_nullable(&c->tables[i]);
	return ret;
}

const struct columns_table *columns__find(const struct columns *c, const char *name)
{
	for (unsigned int i = 0; i < c->nr; i++)
		if (!strcmp(c->tables[i].name, name))
			return &c->tables[i];
	return NULL;
}

const struct columns_table *columns__of(const struct columns *c, uint16_t id)
{
	return id <= 255 && c->table_of[id] ? &c->tables[c->table_of[id] - 1] : NULL;
}

unsigned int columns__rows(const struct columns_table *t, const struct iot_event *ev)
{
	uint32_t count;

	if (!t->sequence)
		return 1;
	memcpy(&count, (const char *)ev + t->sequence->count_offset, sizeof(count));
	return count;
}

uint64_t columns__number(const struct tsdl_field *f, const struct iot_event *ev, unsigned int i)
{
	const uint8_t *at = (const uint8_t *)ev + f->offset + (size_t)f->width * i;
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	switch (f->width) {
	case 8:
		memcpy(&v64, at, 8);
		return v64;
	case 4:
		memcpy(&v32, at, 4);
		return f->is_signed ? (uint64_t)(int32_t)v32 : v32;
	case 2:
		memcpy(&v16, at, 2);
		return v16;
	default:
		return *at;
	}
}

const char *columns__label(const struct tsdl_field *f, uint64_t value)
{
	for (const struct tsdl_label *l = f->labels->labels; l->text; l++)
		if (l->value == value)
			return l->text;
	return NULL;
}

size_t columns__text(const struct tsdl_field *f, const struct iot_event *ev, const char **text)
{
	uint32_t count = f->count;

	*text = (const char *)ev + f->offset;
	if (f->count == TSDL_COUNT_IN_FIELD)
		memcpy(&count, (const char *)ev + f->count_offset, sizeof(count));
	return strnlen(*text, count);
}

static void set_text(struct column_value *v, const char *text)
{
	v->null = !text;
	v->text = text;
	v->len = text ? strlen(text) : 0;
}

static void body_value(const struct tsdl_field *f, const struct iot_event *ev, unsigned int row,
		       struct column_value *v)
{
	if (f->show == TSDL_TEXT) {
		v->len = columns__text(f, ev, &v->text);
		return;
	}
	if (is_list(f)) {
		char *p = v->room;

		for (unsigned int i = 0; i < f->count; i++) {
			if (i)
				*p++ = ' ';
			p = encode__dec(p, columns__number(f, ev, i));
		}
		v->text = v->room;
		v->len = (size_t)(p - v->room);
		return;
	}
	v->number = columns__number(f, ev, row);
	if (f->show != TSDL_ENUM)
		return;
	v->text = columns__label(f, v->number);
	if (!v->text) {
		*encode__dec(v->room, v->number) = '\0';
		v->text = v->room;
	}
	v->len = strlen(v->text);
}

void columns__value(const struct columns *c, const struct column *col, struct names *n,
		    const struct iot_event *ev, unsigned int row, struct column_value *v)
{
	const struct tsdl_field *f;

	v->null = false;
	switch (col->source) {
	case COLUMN_OF_EVENT:
		set_text(v, tsdl__event(ev->id)->name);
		break;
	case COLUMN_OF_TS:
		v->number = ev->ts;
		break;
	case COLUMN_OF_CLOCK:
		v->null = !n->model->mono_to_real;
		v->number = (ev->ts + n->model->mono_to_real) / 1000;
		break;
	case COLUMN_OF_HEADER:
		v->number = columns__number(col->fields[0], ev, 0);
		break;
	case COLUMN_OF_DEVICE:
		set_text(v, names__device(n, ev->dev));
		break;
	case COLUMN_OF_DOMAIN:
		set_text(v, names__domain(n, ev->domain));
		break;
	case COLUMN_OF_FRAME:
		v->number = row;
		break;
	case COLUMN_OF_BODY:
		f = col->fields[c->kind_of[ev->id]];
		v->null = !f;
		if (f)
			body_value(f, ev, row, v);
		break;
	}
}

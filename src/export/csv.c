// SPDX-License-Identifier: GPL-2.0-only
/*
 * CSV by RFC 4180. One table has its own columns; without a choice all events are in one file, with
 * the columns of the hot ones and the fields of all others as JSON in the last.
 */
#include <string.h>

#include "export/encode.h"
#include "export/internal.h"

struct csv {
	const struct columns_table *table; /* whose columns the file has */
	bool all;
};

static int csv_begin(struct exporter *x, struct error *err)
{
	struct csv *csv = x->state;
	char *const row = out__room(&x->out, EXPORT_ROW_MAX), *p = row;

	(void)err;
	csv->all = !x->opts.table;
	csv->table = columns__find(&x->columns, csv->all ? "events" : x->opts.table);
	for (unsigned int i = 0; i < csv->table->nr; i++) {
		if (i)
			*p++ = ',';
		p = encode__str(p, csv->table->columns[i].name);
	}
	p = encode__str(p, csv->all ? ",fields\r\n" : "\r\n");
	out__used(&x->out, (size_t)(p - row));
	return x->out.error;
}

static char *value(char *p, const struct column *c, const struct column_value *v)
{
	if (v->null)
		return p;
	switch (c->type) {
	case COLUMN_NAME:
	case COLUMN_TEXT:
		return encode__csv(p, v->text, v->len);
	case COLUMN_I32:
	case COLUMN_TIME:
		return encode__signed(p, (int64_t)v->number);
	default:
		return c->hex ? encode__hex(p, v->number) : encode__dec(p, v->number);
	}
}

static char *other_fields(struct exporter *x, char *p, const struct iot_event *ev)
{
	char json[EXPORT_ROW_MAX / 2], *end;

	end = jsonl__fields(json, &x->columns.bodies[ev->id], ev);
	if (end == json)
		return p;
	json[0] = '{'; /* in place of the first comma */
	*end++ = '}';
	return encode__csv(p, json, (size_t)(end - json));
}

static void put_row(struct exporter *x, const struct iot_event *ev, unsigned int row)
{
	const struct csv *csv = x->state;
	const struct columns_table *t = csv->table;
	bool ours = columns__of(&x->columns, ev->id) == t;
	char *const begin = out__room(&x->out, EXPORT_ROW_MAX), *p = begin;
	struct column_value v;

	for (unsigned int i = 0; i < t->nr; i++) {
		const struct column *c = &t->columns[i];

		if (i)
			*p++ = ',';
		if (!ours && c->source == COLUMN_OF_BODY)
			continue;
		columns__value(&x->columns, c, &x->names, ev, row, &v);
		p = value(p, c, &v);
	}
	if (csv->all) {
		*p++ = ',';
		if (!ours)
			p = other_fields(x, p, ev);
	}
	p = encode__str(p, "\r\n");
	out__used(&x->out, (size_t)(p - begin));
}

static int csv_event(struct exporter *x, const struct iot_event *ev)
{
	const struct csv *csv = x->state;
	unsigned int rows = 1;

	if (!csv->all) {
		if (columns__of(&x->columns, ev->id) != csv->table)
			return 0;
		rows = columns__rows(csv->table, ev);
	}
	for (unsigned int i = 0; i < rows; i++)
		put_row(x, ev, i);
	return 0;
}

static int csv_end(struct exporter *x, struct json_object *about, struct error *err)
{
	(void)x, (void)about, (void)err;
	return 0;
}

const struct export_format export_csv = {
	.name = "csv",
	.takes_table = true,
	.state_size = sizeof(struct csv),
	.begin = csv_begin,
	.event = csv_event,
	.end = csv_end,
};

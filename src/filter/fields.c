// SPDX-License-Identifier: GPL-2.0-only
#include "filter/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session/tsdl.h"
#include "util/glob.h"
#include "util/parse.h"

static const struct {
	const char *name;
	__u16 mask;
	const char *help;
} flags[] = {
	{ "irq", IOT_F_IRQ, "in an interrupt" },
	{ "snapshot", IOT_F_SNAPSHOT, "state found when tracing began" },
	{ "derived", IOT_F_DERIVED, "read out of a log line" },
	{ "no_begin", IOT_F_NO_BEGIN, "the begin was not seen" },
	{ "slow", IOT_F_SLOW, "the IOVA allocator's tree was searched" },
};
#define NR_FLAGS (sizeof(flags) / sizeof(flags[0]))

/* Labels of errors are -ENOMEM and the like: those of Linux on every architecture but a few. */
static bool errno_value(const char *text, __u64 *out)
{
	if (text[0] != '-' || text[1] != 'E')
		return false;
	for (int e = 1; e < 134; e++) {
		const char *name = strerrorname_np(e);

		if (name && !strcmp(name, text + 1)) {
			*out = (__u64)-e;
			return true;
		}
	}
	return false;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && !strcmp(text + len - n, end);
}

/* 12, -12, 0x1f, 64K, 16MiB, 20us, 1.5s, 2min. "m" could be either: neither is guessed. */
static bool number_value(const char *text, __u64 *out, bool *negative)
{
	bool minus = *text == '-';
	uint64_t v;

	text += minus;
	if (parse__u64(text, &v)) {
		bool is_time = ends_with(text, "s") || ends_with(text, "min");

		if (ends_with(text, "m") ||
		    (is_time ? parse__duration(text, &v) : parse__size(text, &v)))
			return false;
	}
	if (minus && v > (uint64_t)INT64_MAX)
		return false;
	*negative = minus && v;
	*out = minus ? -v : v;
	return true;
}

static bool label_value(const struct tsdl_enum *e, const char *text, __u64 *out)
{
	for (const struct tsdl_label *l = e ? e->labels : NULL; l && l->text; l++)
		if (!strcmp(l->text, text)) {
			*out = l->value;
			return true;
		}
	return false;
}

static bool event_value(const char *text, __u64 *out)
{
	for (const struct tsdl_event *e = tsdl__next(NULL); e; e = tsdl__next(e))
		if (!strcmp(e->name, text)) {
			*out = e->id;
			return true;
		}
	return false;
}

struct asked {
	const struct field_word *name, *value;
	enum lex_kind op;
	bool is_number, negative;
	__u64 number;
	bool found;                     /* some event has the field */
	bool fits;                      /* and the value can be one of it */
	bool text_op_on_it;             /* ~ on something that is no text */
	bool order_on_text;             /* < on a text */
	const struct tsdl_enum *labels; /* for the message */
};

static bool is_like(enum lex_kind op)
{
	return op == LEX_LIKE || op == LEX_UNLIKE;
}

static void number_field(struct field_ref *ref, struct asked *q, const char *name,
			 const struct tsdl_enum *labels)
{
	q->found = true;
	if (labels)
		q->labels = labels;
	if (is_like(q->op)) {
		q->text_op_on_it = true;
		return;
	}
	ref->how = FIELD_NUMBER;
	if (!q->value) {
		q->fits = true;
		return;
	}
	ref->value = q->number;
	ref->negative = q->negative;
	if (q->is_number && !q->value->quoted) {
		q->fits = true;
	} else if (label_value(labels, q->value->text, &ref->value) ||
		   (!strcmp(name, "id") && event_value(q->value->text, &ref->value))) {
		q->fits = true;
		ref->negative = false;
	} else if (!strcmp(name, "ret") && errno_value(q->value->text, &ref->value)) {
		q->fits = ref->negative = true;
	} else if (!strcmp(name, "rid")) {
		uint32_t rid;

		if (parse__pci_rid(q->value->text, &rid)) {
			ref->how = FIELD_NONE;
			return;
		}
		ref->value = rid;
		ref->negative = false;
		q->fits = true;
	} else {
		ref->how = FIELD_NONE;
	}
}

static void text_field(struct field_ref *ref, struct asked *q)
{
	q->found = true;
	if (q->op != LEX_EQ && q->op != LEX_NE && !is_like(q->op) && q->op != LEX_END) {
		q->order_on_text = true;
		return;
	}
	ref->how = FIELD_TEXT;
	q->fits = true;
}

static void one_field(struct field_test *t, const struct tsdl_event *e, const struct tsdl_field *f,
		      struct asked *q)
{
	struct field_ref *ref = &t->by_id[e->id];

	/* Paddings hold nothing, and a stack is a list. */
	if (strcmp(f->name, q->name->text) || !strcmp(f->name, "pad") ||
	    (f->count && f->show != TSDL_TEXT))
		return;
	ref->offset = f->offset;
	ref->width = f->width;
	ref->is_signed = f->is_signed;
	if (f->show == TSDL_TEXT) {
		ref->room = f->count == TSDL_COUNT_IN_FIELD ? 0 : f->count;
		text_field(ref, q);
	} else {
		number_field(ref, q, f->name, f->show == TSDL_ENUM ? f->labels : NULL);
	}
}

static void for_every_event(struct field_test *t, struct asked *q, __u16 offset, __u8 width)
{
	for (const struct tsdl_event *e = tsdl__next(NULL); e; e = tsdl__next(e)) {
		struct field_ref *ref = &t->by_id[e->id];

		ref->offset = offset;
		ref->width = width;
		number_field(ref, q, q->name->text, NULL);
	}
}

static bool derived_field(struct field_test *t, struct asked *q)
{
	const char *name = q->name->text;

	for (size_t i = 0; i < NR_FLAGS; i++) {
		if (strcmp(flags[i].name, name))
			continue;
		for (const struct tsdl_event *e = tsdl__next(NULL); e; e = tsdl__next(e)) {
			t->by_id[e->id].how = FIELD_FLAG;
			t->by_id[e->id].value = flags[i].mask;
		}
		q->found = true;
		q->fits = !q->value;
		return true;
	}
	if (strcmp(name, "took"))
		return false;
	for (const struct tsdl_event *e = tsdl__next(NULL); e; e = tsdl__next(e))
		for (size_t i = 0; i < e->nr_fields; i++) {
			struct field_ref *ref = &t->by_id[e->id];

			/* Of a loss, a self-check or a tally, begin is not the begin of an
			 * operation. */
			if (strcmp(e->fields[i].name, "begin") || e->id == IOT_EV_LOSS ||
			    e->id == IOT_EV_COVERAGE || e->id == IOT_EV_TALLY)
				continue;
			ref->offset = e->fields[i].offset;
			number_field(ref, q, name, NULL);
			if (ref->how == FIELD_NUMBER)
				ref->how = FIELD_TOOK;
		}
	return true;
}

static int complain(const struct asked *q, struct error *err)
{
	const struct field_word *name = q->name, *value = q->value;
	char labels[256] = "";
	size_t len = 0;

	if (!q->found)
		return error__set(
			err, -EINVAL,
			"column %zu: no event has a field '%s'; `--filter help` lists them",
			name->column, name->text);
	if (q->text_op_on_it)
		return error__set(err, -EINVAL,
				  "column %zu: ~ compares texts, and %s is a number; use ==",
				  name->column, name->text);
	if (q->order_on_text)
		return error__set(
			err, -EINVAL,
			"column %zu: %s is a text: it can be ==, !=, ~ and !~, not less or "
			"greater",
			name->column, name->text);
	if (!value || (q->op != LEX_END && !q->fits && !q->labels && strcmp(name->text, "id") &&
		       strcmp(name->text, "ret") && strcmp(name->text, "rid"))) {
		for (size_t i = 0; i < NR_FLAGS; i++)
			if (!strcmp(flags[i].name, name->text))
				return error__set(err, -EINVAL,
						  "column %zu: %s is true or not; write %s or !%s",
						  name->column, name->text, name->text, name->text);
		return error__set(err, -EINVAL,
				  "column %zu: '%s' is no number; write it like 4096, 0x1000, 64K, "
				  "20us or 2min",
				  value ? value->column : name->column,
				  value ? value->text : name->text);
	}
	if (!strcmp(name->text, "id"))
		return error__set(err, -EINVAL,
				  "column %zu: there is no event '%s'; `--filter help` lists them",
				  value->column, value->text);
	if (!strcmp(name->text, "ret"))
		return error__set(err, -EINVAL,
				  "column %zu: '%s' is no result; write 0, a number below 0, or an "
				  "error like -ENOMEM",
				  value->column, value->text);
	if (!strcmp(name->text, "rid"))
		return error__set(err, -EINVAL,
				  "column %zu: '%s' is no requester id; write it like 0000:03:00.0",
				  value->column, value->text);
	for (const struct tsdl_label *l = q->labels->labels; l->text && len < sizeof(labels); l++)
		len += (size_t)snprintf(labels + len, sizeof(labels) - len, "%s%s", len ? ", " : "",
					l->text);
	return error__set(err, -EINVAL, "column %zu: %s is never '%s'; it is one of %s",
			  value->column, name->text, value->text, labels);
}

int fields__test(struct field_test *out, const struct field_word *name, enum lex_kind op,
		 const struct field_word *value, struct error *err)
{
	struct asked q = { .name = name, .value = value, .op = op };
	const struct tsdl_field *head;
	size_t nr_head;

	*out = (struct field_test){ .op = op };
	if (value) {
		snprintf(out->pattern, sizeof(out->pattern), "%s", value->text);
		q.is_number = number_value(value->text, &q.number, &q.negative);
	}
	if (!strcmp(name->text, "dev") && value && (value->quoted || !q.is_number)) {
		out->by_device = true;
		q.found = true;
		if (op == LEX_EQ || op == LEX_NE || is_like(op))
			return 0;
		q.order_on_text = true;
		return complain(&q, err);
	}
	if (!derived_field(out, &q)) {
		if (!strcmp(name->text, "ts"))
			for_every_event(out, &q, offsetof(struct iot_event, ts), 8);
		if (!strcmp(name->text, "id"))
			for_every_event(out, &q, offsetof(struct iot_event, id), 2);
		head = tsdl__header(&nr_head);
		for (size_t i = 0; i < nr_head; i++)
			if (!strcmp(head[i].name, name->text))
				for_every_event(out, &q, head[i].offset, head[i].width);
		for (const struct tsdl_event *e = tsdl__next(NULL); e; e = tsdl__next(e))
			for (size_t i = 0; i < e->nr_fields; i++)
				one_field(out, e, &e->fields[i], &q);
	}
	return q.fits ? 0 : complain(&q, err);
}

bool fields__text_holds(const struct field_test *t, const char *text)
{
	switch (t->op) {
	case LEX_EQ:
		return !strcmp(text, t->pattern);
	case LEX_NE:
		return strcmp(text, t->pattern) != 0;
	case LEX_LIKE:
		return glob__match(t->pattern, text);
	case LEX_UNLIKE:
		return !glob__match(t->pattern, text);
	default:
		return *text != '\0';
	}
}

static bool text_holds(const struct field_test *t, const struct field_ref *ref,
		       const struct iot_event *ev)
{
	size_t room = ev->len > ref->offset ? ev->len - ref->offset : 0;
	char text[IOT_EVENT_MAX];

	if (ref->room && ref->room < room)
		room = ref->room;
	if (room >= sizeof(text))
		room = sizeof(text) - 1;
	memcpy(text, (const char *)ev + ref->offset, room);
	text[room] = '\0';
	return fields__text_holds(t, text);
}

static __u64 load(const struct iot_event *ev, __u16 offset, __u8 width, bool is_signed)
{
	const char *at = (const char *)ev + offset;

	switch (width) {
	case 1:
		return is_signed ? (__u64) * (const __s8 *)at : *(const __u8 *)at;
	case 2:
		return is_signed ? (__u64) * (const __s16 *)at : *(const __u16 *)at;
	case 4:
		return is_signed ? (__u64) * (const __s32 *)at : *(const __u32 *)at;
	default:
		return *(const __u64 *)at;
	}
}

/* Below 0, 0 or above 0. Two numbers of the same sign compare alike as two's complement. */
static int compare(__u64 a, bool a_negative, __u64 b, bool b_negative)
{
	if (a_negative != b_negative)
		return a_negative ? -1 : 1;
	return a < b ? -1 : a > b;
}

bool fields__holds(const struct field_test *t, const struct iot_event *ev)
{
	const struct field_ref *ref = &t->by_id[ev->id % FIELDS_IDS];
	__u64 v;
	int c;

	if (ev->id >= FIELDS_IDS)
		return false;
	switch ((enum field_how)ref->how) {
	case FIELD_TEXT:
		return text_holds(t, ref, ev);
	case FIELD_FLAG:
		return ev->flags & ref->value;
	case FIELD_NUMBER:
		v = load(ev, ref->offset, ref->width, ref->is_signed);
		break;
	case FIELD_TOOK:
		v = load(ev, ref->offset, 8, false);
		if (!v || v > ev->ts)
			return false;
		v = ev->ts - v;
		break;
	default:
		return false;
	}
	c = compare(v, ref->is_signed && (__s64)v < 0, ref->value, ref->negative);
	switch (t->op) {
	case LEX_EQ:
		return !c;
	case LEX_NE:
		return c != 0;
	case LEX_LT:
		return c < 0;
	case LEX_LE:
		return c <= 0;
	case LEX_GT:
		return c > 0;
	case LEX_GE:
		return c >= 0;
	default:
		return v != 0;
	}
}

static void help_labels(FILE *out, const struct tsdl_event *e)
{
	for (size_t i = 0; i < e->nr_fields; i++) {
		const struct tsdl_field *f = &e->fields[i];

		if (f->show != TSDL_ENUM)
			continue;
		fprintf(out, "    %s %s:", e->name, f->name);
		for (const struct tsdl_label *l = f->labels->labels; l->text; l++)
			fprintf(out, " %s", l->text);
		fputc('\n', out);
	}
}

void fields__help(FILE *out)
{
	size_t nr;
	const struct tsdl_field *head = tsdl__header(&nr);

	fputs("Every event: ts id", out);
	for (size_t i = 0; i < nr; i++)
		fprintf(out, " %s", head[i].name);
	fputs("\n  ts, begin, stalled: ns; size, unmapped: bytes; dev: a number or a name\n"
	      "  took: from begin to ts, of flush, iova_alloc, invalidate, submit, teardown and "
	      "reset\n",
	      out);
	for (size_t i = 0; i < NR_FLAGS; i++)
		fprintf(out, "  %s: %s\n", flags[i].name, flags[i].help);
	fputs("Events by id, and their fields:\n", out);
	for (const struct tsdl_event *e = tsdl__next(NULL); e; e = tsdl__next(e)) {
		fprintf(out, "  %s:", e->name);
		for (size_t i = 0; i < e->nr_fields; i++)
			if (strcmp(e->fields[i].name, "pad") &&
			    (!e->fields[i].count || e->fields[i].show == TSDL_TEXT))
				fprintf(out, " %s", e->fields[i].name);
		fputc('\n', out);
		help_labels(out, e);
	}
}

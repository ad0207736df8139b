// SPDX-License-Identifier: GPL-2.0-only
#include "filter/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter/fields.h"
#include "filter/lex.h"
#include "model/idtab.h"

enum op_kind { OP_TEST, OP_NOT, OP_AND, OP_OR };

struct op {
	__u8 kind;
	__u8 test;
};

/* A test is a push, and each push but the first has one AND or OR; !! is dropped. */
#define OPS_MAX (FILTER_TESTS * 4)

struct filter_device {
	__u64 matches; /* one bit a test: those by_device that hold for its name */
};

struct filter {
	struct op ops[OPS_MAX]; /* in the order of evaluation, operands first */
	size_t nr_ops;
	struct field_test *tests[FILTER_TESTS];
	size_t nr_tests;
	struct idtab devices; /* number -> struct filter_device */
};
_Static_assert(FILTER_TESTS <= 64, "filter_device.matches has a bit for each test");

struct parser {
	struct filter *f;
	struct lex lex;
	unsigned int depth;
	struct error *err;
};

static int add_op(struct parser *p, enum op_kind kind)
{
	struct filter *f = p->f;

	if (f->nr_ops == OPS_MAX)
		return error__set(p->err, -EINVAL, "column %zu: the filter is too long",
				  p->lex.column);
	f->ops[f->nr_ops++] = (struct op){ .kind = (__u8)kind,
					   .test = (__u8)(f->nr_tests ? f->nr_tests - 1 : 0) };
	return 0;
}

static int unexpected(const struct parser *p, const char *wanted)
{
	const struct lex *l = &p->lex;

	if (l->kind == LEX_BAD)
		return error__set(p->err, -EINVAL, "column %zu: %s", l->column, l->text);
	if (l->kind == LEX_END)
		return error__set(p->err, -EINVAL, "column %zu: it ends where %s should be",
				  l->column, wanted);
	return error__set(p->err, -EINVAL, "column %zu: here should be %s", l->column, wanted);
}

static int parse_test(struct parser *p)
{
	struct lex name = p->lex, value;
	struct field_word name_word = { name.text, name.column, false }, value_word;
	enum lex_kind op = LEX_END;
	struct field_test *t;
	int err;

	lex__next(&p->lex);
	if (lex__is_comparison(p->lex.kind)) {
		op = p->lex.kind;
		lex__next(&p->lex);
		if (p->lex.kind != LEX_WORD && p->lex.kind != LEX_TEXT)
			return unexpected(p, "a value");
		value = p->lex;
		lex__next(&p->lex);
		value_word =
			(struct field_word){ value.text, value.column, value.kind == LEX_TEXT };
	}
	if (p->f->nr_tests == FILTER_TESTS)
		return error__set(p->err, -EINVAL, "column %zu: more than %u comparisons",
				  name.column, FILTER_TESTS);
	t = malloc(sizeof(*t));
	if (!t)
		return error__set(p->err, -ENOMEM, "out of memory");
	err = fields__test(t, &name_word, op, op == LEX_END ? NULL : &value_word, p->err);
	if (err) {
		free(t);
		return err;
	}
	p->f->tests[p->f->nr_tests++] = t;
	return add_op(p, OP_TEST);
}

static int parse_or(struct parser *p);

static int parse_not(struct parser *p)
{
	bool negated = false;
	int err;

	for (; p->lex.kind == LEX_NOT; lex__next(&p->lex))
		negated = !negated;
	if (p->lex.kind == LEX_OPEN) {
		size_t column = p->lex.column;

		if (p->depth == FILTER_DEPTH)
			return error__set(p->err, -EINVAL,
					  "column %zu: more than %u parentheses in one another",
					  column, FILTER_DEPTH);
		p->depth++;
		lex__next(&p->lex);
		err = parse_or(p);
		if (err)
			return err;
		if (p->lex.kind == LEX_END)
			return error__set(p->err, -EINVAL,
					  "column %zu: this parenthesis isn't closed", column);
		if (p->lex.kind != LEX_CLOSE)
			return unexpected(p, "&&, || or )");
		p->depth--;
		lex__next(&p->lex);
	} else if (p->lex.kind == LEX_WORD) {
		err = parse_test(p);
		if (err)
			return err;
	} else {
		return unexpected(p, "the name of a field");
	}
	return negated ? add_op(p, OP_NOT) : 0;
}

static int parse_and(struct parser *p)
{
	int err = parse_not(p);

	while (!err && p->lex.kind == LEX_AND) {
		lex__next(&p->lex);
		err = parse_not(p);
		if (!err)
			err = add_op(p, OP_AND);
	}
	return err;
}

static int parse_or(struct parser *p)
{
	int err = parse_and(p);

	while (!err && p->lex.kind == LEX_OR) {
		lex__next(&p->lex);
		err = parse_and(p);
		if (!err)
			err = add_op(p, OP_OR);
	}
	return err;
}

int filter__new(struct filter **out, const char *text, struct error *err)
{
	struct parser p = { .f = calloc(1, sizeof(*p.f)), .err = err };
	int ret;

	if (!p.f)
		return error__set(err, -ENOMEM, "out of memory");
	lex__init(&p.lex, text);
	ret = parse_or(&p);
	if (!ret && p.lex.kind != LEX_END)
		ret = unexpected(&p, "&&, || or the end");
	if (ret) {
		filter__free(p.f);
		return ret;
	}
	*out = p.f;
	return 0;
}

void filter__free(struct filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->nr_tests; i++)
		free(f->tests[i]);
	idtab__for_each (&f->devices, s)
		free(s->value);
	idtab__free(&f->devices);
	free(f);
}

int filter__device(struct filter *f, __u32 nr, const char *name)
{
	struct filter_device *d = idtab__find(&f->devices, nr);

	if (!d) {
		d = calloc(1, sizeof(*d));
		if (!d || idtab__set(&f->devices, nr, d)) {
			free(d);
			return -ENOMEM;
		}
	}
	d->matches = 0;
	for (size_t i = 0; i < f->nr_tests; i++)
		if (f->tests[i]->by_device && fields__text_holds(f->tests[i], name))
			d->matches |= 1ULL << i;
	return 0;
}

static bool test(const struct filter *f, size_t i, const struct iot_event *ev)
{
	const struct filter_device *d;

	if (!f->tests[i]->by_device)
		return fields__holds(f->tests[i], ev);
	d = ev->dev ? idtab__find(&f->devices, ev->dev) : NULL;
	return d && d->matches >> i & 1;
}

bool filter__match(const struct filter *f, const struct iot_event *ev)
{
	bool stack[FILTER_TESTS];
	size_t top = 0;

	for (size_t i = 0; i < f->nr_ops; i++) {
		switch ((enum op_kind)f->ops[i].kind) {
		case OP_TEST:
			stack[top++] = test(f, f->ops[i].test, ev);
			break;
		case OP_NOT:
			stack[top - 1] = !stack[top - 1];
			break;
		case OP_AND:
			top--;
			stack[top - 1] = stack[top - 1] && stack[top];
			break;
		case OP_OR:
			top--;
			stack[top - 1] = stack[top - 1] || stack[top];
			break;
		}
	}
	return stack[0];
}

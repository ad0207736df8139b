// SPDX-License-Identifier: GPL-2.0-only
#include "report/folded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/words.h"

static __u64 weight_of(const struct folded_entry *e, enum folded_weight weight)
{
	return weight == FOLDED_BYTES ? e->bytes : weight == FOLDED_TIME ? e->ns : e->nr;
}

/* A frame ends at ';', a line's number behind the last blank; names of tasks may have either. */
static void print_frame(FILE *out, const char *name)
{
	for (; *name; name++)
		fputc(*name == ';' ? ':' : *name, out);
}

static void print_symbol(FILE *out, const struct model *m, __u64 ip)
{
	const struct model_symbol *s = model__symbol(m, ip);

	if (s)
		print_frame(out, s->name);
	else
		fprintf(out, "0x%llx", ip);
}

static void print_entry(FILE *out, const struct model *m, const struct folded_entry *e,
			enum folded_weight weight)
{
	const struct model_stack *st = e->stack ? model__stack(m, e->stack) : NULL;

	if (!e->stack)
		print_frame(out, words__task(m, e->tid).s);
	for (__u32 i = st ? st->nr : 0; i-- > 0;) {
		print_symbol(out, m, st->ip[i]);
		if (i)
			fputc(';', out);
	}
	if (!st)
		fprintf(out, "%s", e->stack ? "[stack not in the session]" : ";[no stack]");
	fprintf(out, " %llu\n", weight_of(e, weight));
}

struct sorted {
	const struct folded_entry *e;
	__u64 weight;
};

static int by_weight(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	if (x->e->stack != y->e->stack)
		return x->e->stack < y->e->stack ? -1 : 1;
	return x->e->tid < y->e->tid ? -1 : x->e->tid > y->e->tid;
}

int folded__print(FILE *out, const struct analysis *a, enum folded_weight weight)
{
	const struct folded *f = &a->folded;
	size_t nr = 0, all = f->by_stack.nr + f->by_tid.nr;
	struct sorted *list = calloc(all ? all : 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	idtab__for_each (&f->by_stack, s)
		list[nr++].e = s->value;
	idtab__for_each (&f->by_tid, s)
		list[nr++].e = s->value;
	for (size_t i = 0; i < nr; i++)
		list[i].weight = weight_of(list[i].e, weight);
	qsort(list, nr, sizeof(*list), by_weight);
	for (size_t i = 0; i < nr; i++)
		if (list[i].weight)
			print_entry(out, &a->model, list[i].e, weight);
	free(list);
	return 0;
}

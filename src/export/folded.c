// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folded stacks, as flame graph tools take them: "map;outermost;…;innermost WEIGHT". The event's
 * kind is the root, so that one picture holds them all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/encode.h"
#include "export/internal.h"

struct weight {
	uint64_t count, bytes;
};

struct folded {
	struct idtab weights; /* by stack << 16 | id */
};

static uint64_t bytes_of(const struct iot_event *ev)
{
	const void *body = ev;

	switch (ev->id) {
	case IOT_EV_MAP:
		return ((const struct iot_map *)body)->ret ? 0
							   : ((const struct iot_map *)body)->size;
	case IOT_EV_UNMAP:
		return ((const struct iot_unmap *)body)->unmapped;
	case IOT_EV_FLUSH:
		return ((const struct iot_flush *)body)->size;
	case IOT_EV_IOVA_ALLOC:
	case IOT_EV_IOVA_FREE:
		return ((const struct iot_iova *)body)->iova ? ((const struct iot_iova *)body)->size
							     : 0;
	default:
		return 0;
	}
}

static int folded_begin(struct exporter *x, struct error *err)
{
	(void)x, (void)err;
	return 0;
}

static int folded_event(struct exporter *x, const struct iot_event *ev)
{
	struct folded *f = x->state;
	uint64_t key = (uint64_t)ev->stack << 16 | ev->id;
	struct weight *w;

	/* state that was there, the tables and the log are nobody's doing */
	if (ev->id >= IOT_EV_DEVICE || ev->id == IOT_EV_LOG || ev->id == IOT_EV_LOSS ||
	    ev->flags & IOT_F_SNAPSHOT)
		return 0;
	w = idtab__find(&f->weights, key);
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w || idtab__set(&f->weights, key, w)) {
			free(w);
			return -ENOMEM;
		}
	}
	w->count++;
	w->bytes += bytes_of(ev);
	return 0;
}

/* A frame is one word: what separates frames and the weight is in none. */
static char *frame(char *p, const struct names *n, uint64_t addr)
{
	char name[256];
	size_t len;

	names__symbol(n, addr, name, sizeof(name));
	len = strlen(name);
	for (size_t i = 0; i < len; i++)
		if (name[i] == ';' || (unsigned char)name[i] <= ' ')
			name[i] = '_';
	*p++ = ';';
	return encode__text(p, name, len);
}

static void put_line(struct exporter *x, uint64_t key, uint64_t weight)
{
	const struct model_stack *st = model__stack(&x->model, (__u32)(key >> 16));
	char *const row = out__room(&x->out, OUT_ROOM), *p = row;

	p = encode__str(p, tsdl__event(key & 0xffff)->name);
	if (!st)
		p = encode__str(p, key >> 16 ? ";[stack not in the session]" : ";[no stack]");
	for (uint32_t i = st ? st->nr : 0; i-- > 0;)
		p = frame(p, &x->names, st->ip[i]);
	*p++ = ' ';
	p = encode__dec(p, weight);
	*p++ = '\n';
	out__used(&x->out, (size_t)(p - row));
}

static int by_key(const void *a, const void *b)
{
	const struct idtab_slot *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static void folded_abort(struct exporter *x)
{
	struct folded *f = x->state;

	idtab__for_each (&f->weights, s)
		free(s->value);
	idtab__free(&f->weights);
}

static int folded_end(struct exporter *x, struct json_object *about, struct error *err)
{
	struct folded *f = x->state;
	struct idtab_slot *sorted;
	size_t nr = 0;

	(void)about;
	sorted = malloc((f->weights.nr + 1) * sizeof(*sorted));
	if (!sorted)
		return error__set(err, -ENOMEM, "cannot fold the stacks: out of memory");
	idtab__for_each (&f->weights, s)
		sorted[nr++] = *s;
	/* the table's order is of no use to anybody, and two runs should be alike */
	qsort(sorted, nr, sizeof(*sorted), by_key);
	for (size_t i = 0; i < nr; i++) {
		const struct weight *w = sorted[i].value;
		uint64_t v = x->opts.weight == EXPORT_BYTES ? w->bytes : w->count;

		if (v)
			put_line(x, sorted[i].key, v);
	}
	free(sorted);
	folded_abort(x);
	return 0;
}

const struct export_format export_folded = {
	.name = "folded",
	.state_size = sizeof(struct folded),
	.begin = folded_begin,
	.event = folded_event,
	.end = folded_end,
	.abort = folded_abort,
};

// SPDX-License-Identifier: GPL-2.0-only
#include "session/renumber.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/record.h"
#include "session/tsdl.h"

#define NUMBERS_MAX (1u << 24) /* of one kind in one session; beyond it is hostile */
#define ORIGIN_MASK (0xffffu << IOT_F_ORIGIN_SHIFT & 0xffffu)

static struct renumber_pair *slot_of(const struct renumber_map *m, __u32 from)
{
	size_t at = (size_t)(from * 2654435761u) & (m->size - 1);

	while (m->slots[at].to && m->slots[at].from != from)
		at = (at + 1) & (m->size - 1);
	return &m->slots[at];
}

static int grow(struct renumber_map *m)
{
	struct renumber_map bigger = { .nr = m->nr, .size = m->size ? 2 * m->size : 64 };
	size_t i;

	if (bigger.size > 2 * NUMBERS_MAX)
		return -E2BIG;
	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (i = 0; i < m->size; i++) {
		if (m->slots[i].to)
			*slot_of(&bigger, m->slots[i].from) = m->slots[i];
	}
	free(m->slots);
	*m = bigger;
	return 0;
}

/* The new number of `from`, in *to. New numbers begin at 1. */
static int find(struct renumber_map *m, __u32 *next, __u32 from, __u32 *to)
{
	struct renumber_pair *p;
	int rc;

	if (m->nr * 2 >= m->size) {
		rc = grow(m);
		if (rc)
			return rc;
	}
	p = slot_of(m, from);
	if (!p->to) {
		*p = (struct renumber_pair){ .from = from, .to = ++*next };
		m->nr++;
	}
	*to = p->to;
	return 0;
}

/* 0 stays: it means none. */
static int replace(struct renumber_map *m, __u32 *next, __u32 *number)
{
	return *number ? find(m, next, *number, number) : 0;
}

/* Functions are numbered from 0, in 16 bits; the last one stands for those beyond. */
static int find_fn(struct renumber *r, __u32 from, __u16 *to)
{
	__u32 number;
	int rc = find(&r->fns, &r->next->fn, from, &number);

	*to = number > 0xffff ? 0xffff : (__u16)(number - 1);
	return rc;
}

static void move_times(const struct renumber *r, union any_event *e)
{
	const struct tsdl_event *type = tsdl__event(e->h.id);
	const struct tsdl_field *f;
	__u64 ts;

	e->h.ts += r->shift;
	for (f = type->fields; f < type->fields + type->nr_fields; f++) {
		if (f->show != TSDL_TIME)
			continue;
		memcpy(&ts, (char *)e + f->offset, sizeof(ts));
		ts += ts ? r->shift : 0;
		memcpy((char *)e + f->offset, &ts, sizeof(ts));
	}
}

void renumber__attr(union any_event *out, __u64 ts, unsigned int origin, const char *fmt, ...)
{
	va_list ap;
	int n;

	memset(out, 0, sizeof(*out));
	va_start(ap, fmt);
	n = vsnprintf(out->attr.text, sizeof(*out) - sizeof(out->attr), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if ((size_t)n >= sizeof(*out) - sizeof(out->attr))
		n = (int)(sizeof(*out) - sizeof(out->attr)) - 1;
	out->attr.text_len = ((__u32)n + 8) / 8 * 8;
	out->h = (struct iot_event){
		.ts = ts,
		.id = IOT_EV_ATTR,
		.len = (__u16)(sizeof(out->attr) + out->attr.text_len),
		.cpu = 0xffff,
		.flags = (__u16)(origin << IOT_F_ORIGIN_SHIFT),
	};
}

/* "key.N=rest": 1 and N and where the rest begins ("=…"). */
static int has_number(const char *text, const char *key, unsigned long *number, const char **rest)
{
	size_t len = strlen(key);
	char *end;

	if (strncmp(text, key, len) || text[len] < '0' || text[len] > '9')
		return 0;
	*number = strtoul(text + len, &end, 10);
	*rest = end;
	return *end == '=' && *number <= 0xffff;
}

/* Attributes whose names have numbers in them. */
static int replace_key(struct renumber *r, union any_event *e)
{
	const struct iot_event h = e->h;
	char text[IOT_EVENT_MAX];
	const char *rest;
	unsigned long number;
	__u16 fn;
	int rc;

	snprintf(text, sizeof(text), "%s", e->attr.text);
	if (has_number(text, "flush_fn.", &number, &rest)) {
		rc = find_fn(r, (__u32)number, &fn);
		if (rc)
			return rc;
		renumber__attr(e, h.ts, 0, "flush_fn.%u%s", fn, rest);
		e->h.flags = h.flags;
	} else if (has_number(text, "origin.", &number, &rest)) {
		renumber__attr(e, h.ts, 0, "origin.%lu%s", number + r->origin, rest);
		e->h.flags = h.flags;
	}
	return 0;
}

int renumber__event(struct renumber *r, const struct iot_event *ev, union any_event *out)
{
	const __u16 len = record__exact_len(ev);
	int rc;

	memcpy(out, ev, len);
	out->h.len = len;
	move_times(r, out);
	out->h.flags = (__u16)((ev->flags & ~ORIGIN_MASK) | (IOT_ORIGIN(ev->flags) + r->origin)
								    << IOT_F_ORIGIN_SHIFT);
	rc = replace(&r->domains, &r->next->domain, &out->h.domain);
	if (!rc)
		rc = replace(&r->devs, &r->next->dev, &out->h.dev);
	if (!rc)
		rc = replace(&r->stacks, &r->next->stack, &out->h.stack);
	if (!rc && ev->id == IOT_EV_FLUSH)
		rc = find_fn(r, out->flush.fn, &out->flush.fn);
	if (!rc && ev->id == IOT_EV_ATTR)
		rc = replace_key(r, out);
	return rc;
}

void renumber__free(struct renumber *r)
{
	free(r->domains.slots);
	free(r->devs.slots);
	free(r->stacks.slots);
	free(r->fns.slots);
}

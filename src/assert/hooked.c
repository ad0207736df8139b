// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which driver a domain belongs to, and which of its functions are hooked. The stream names drivers
 * by their flush functions only; domains with one table of operations have one driver.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assert/internal.h"
#include "util/parse.h"
#include "util/text.h"

static const char *const hook_keys[HOOK_NR] = {
	[HOOK_INVALIDATE] = "invalidate.",
	[HOOK_TABLES] = "tables.",
	[HOOK_TEARDOWN] = "teardown.",
};

static void apply(struct driver *d, const struct hooked *h)
{
	if (d->fn[0] && !d->since[h->kind] && !strncmp(d->fn, h->prefix, strlen(h->prefix)))
		d->since[h->kind] = h->ts;
}

static void learn_hook(struct checks *c, enum hook_kind kind, const char *prefix,
		       const char *functions, __u64 ts)
{
	struct hooked *h;

	for (__u32 i = 0; i < c->nr_hooked; i++)
		if (c->hooked[i].kind == kind && !strcmp(c->hooked[i].prefix, prefix))
			return;
	if (!c->hooked)
		c->hooked = calloc(HOOKED_MAX, sizeof(*c->hooked));
	if (!c->hooked || c->nr_hooked == HOOKED_MAX)
		return;
	h = &c->hooked[c->nr_hooked++];
	h->kind = kind;
	h->ts = ts ? ts : 1;
	snprintf(h->prefix, sizeof(h->prefix), "%s", prefix);
	snprintf(h->functions, sizeof(h->functions), "%s", functions);
	idtab__for_each (&c->drivers, s)
		apply(s->value, h);
}

/* "flush_fn.3=iotlb_sync refiommu_iotlb_sync refiommu, fentry" */
static void learn_function(struct checks *c, const char *number, const char *value)
{
	const char *fn = strchr(value, ' ');
	uint64_t n;
	char *name;

	if (!fn || parse__u64(number, &n) || n > 0xffff || idtab__find(&c->fns, n + 1))
		return;
	fn++;
	name = strndup(fn, strcspn(fn, " ,"));
	if (!name || idtab__set(&c->fns, n + 1, name)) {
		free(name);
		c->error = -ENOMEM;
	}
}

void hooked__attr(struct checks *c, const struct iot_attr *ev)
{
	char text[IOT_EVENT_MAX], *value;
	size_t room = ev->h.len - sizeof(*ev);

	text__copy(text, sizeof(text), ev->text, ev->text_len < room ? ev->text_len : room);
	value = strchr(text, '=');
	if (!value)
		return;
	*value++ = 0;
	if (!strncmp(text, "flush_fn.", 9)) {
		learn_function(c, text + 9, value);
		return;
	}
	/* "missing: …", "absent: …": as of plan.POINT */
	if (!*value || strchr(value, ':'))
		return;
	for (enum hook_kind k = 0; k < HOOK_NR; k++)
		if (!strncmp(text, hook_keys[k], strlen(hook_keys[k])))
			learn_hook(c, k, text + strlen(hook_keys[k]), value, ev->h.ts);
}

void hooked__domain(struct checks *c, struct watched *w, __u64 owner)
{
	/* addresses of two hosts may be equal; numbers of domains are none */
	__u64 key = owner ? owner ^ (__u64)w->dom->origin << 57 : w->nr;
	struct driver *d = idtab__find(&c->drivers, key);

	if (w->driver && (!owner || w->driver == d))
		return;
	if (!d) {
		d = calloc(1, sizeof(*d));
		if (!d || idtab__set(&c->drivers, key, d)) {
			free(d);
			c->error = -ENOMEM;
			return;
		}
		if (w->driver)
			*d = *w->driver;
	}
	w->driver = d;
}

void hooked__flush(struct checks *c, struct watched *w, __u16 fn)
{
	const char *name;

	if (!w->driver)
		hooked__domain(c, w, 0);
	if (!w->driver || w->driver->fn[0])
		return;
	name = idtab__find(&c->fns, (__u64)fn + 1);
	if (!name)
		return;
	snprintf(w->driver->fn, sizeof(w->driver->fn), "%s", name);
	for (__u32 i = 0; i < c->nr_hooked; i++)
		apply(w->driver, &c->hooked[i]);
}

int hooked__kind_of(const struct checks *c, const char *function)
{
	size_t len = strlen(function);

	for (__u32 i = 0; i < c->nr_hooked; i++)
		for (const char *at = c->hooked[i].functions; *at; at += strspn(at, " ")) {
			size_t n = strcspn(at, " ");

			if (n == len && !strncmp(at, function, n))
				return (int)c->hooked[i].kind;
			at += n;
		}
	return -1;
}

void hooked__free(struct checks *c)
{
	idtab__for_each (&c->drivers, s)
		free(s->value);
	idtab__free(&c->drivers);
	idtab__for_each (&c->fns, s)
		free(s->value);
	idtab__free(&c->fns);
	free(c->hooked);
}

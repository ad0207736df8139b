// SPDX-License-Identifier: GPL-2.0-only
#include "filter/scope.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter/filter.h"
#include "filter/scope_text.h"
#include "filter/scope_time.h"
#include "model/idtab.h"
#include "util/glob.h"
#include "util/parse.h"
#include "util/text.h"

struct wanted { /* a device, by name or requester id; a domain or a group, by number */
	char *name;
	__u32 rid;
	bool by_rid, seen;
	__u32 number;
	__s32 origin; /* of a merged session: -1 = any */
};

struct wanted_list {
	struct wanted *items;
	size_t nr;
};

struct scope_device {
	__u32 nr;
	__u32 domain; /* attached to it now; 0 = none or not known */
	__s32 group;  /* -1 = not known */
	__u32 rid;
	bool rid_known;
	bool by_name; /* it is one of the devices asked for */
	bool by_group;
};

struct scope_domain {
	__u32 by_name; /* attached devices that are */
	bool by_group;
};

struct scope {
	struct wanted_list devs, doms, groups;
	struct scope_time from, to;
	__u64 zero; /* ns, the begin; 0 = not known yet */
	bool stamps, zero_is_capture;
	struct filter *filter;
	struct idtab devices, domains;
	char unseen[80];
	char *text;
	int error;
};

/* "refdma.0@1" is how reports of merged sessions call a device. */
static __s32 cut_origin(char *name)
{
	char *at = strrchr(name, '@');
	uint64_t v;

	if (!at || at == name || parse__u64(at + 1, &v) || v >= IOT_ORIGINS)
		return -1;
	*at = 0;
	return (__s32)v;
}

static int want_devices(struct wanted_list *l, const char *const *names, size_t nr,
			struct error *err)
{
	l->items = calloc(nr ? nr : 1, sizeof(*l->items));
	if (!l->items)
		return error__set(err, -ENOMEM, "out of memory");
	for (; l->nr < nr; l->nr++) {
		struct wanted *w = &l->items[l->nr];

		if (!*names[l->nr])
			return error__set(err, -EINVAL, "--dev takes a name, not an empty one");
		w->name = strdup(names[l->nr]);
		if (!w->name)
			return error__set(err, -ENOMEM, "out of memory");
		w->origin = cut_origin(w->name);
		/* 03:00.0 is what people write for 0000:03:00.0 */
		w->by_rid = !parse__pci_rid(w->name, &w->rid);
	}
	return 0;
}

static int want_numbers(struct wanted_list *l, const char *option, const char *const *numbers,
			size_t nr, struct error *err)
{
	uint64_t v;

	l->items = calloc(nr ? nr : 1, sizeof(*l->items));
	if (!l->items)
		return error__set(err, -ENOMEM, "out of memory");
	for (; l->nr < nr; l->nr++) {
		if (parse__u64(numbers[l->nr], &v) || v > UINT32_MAX)
			return error__set(err, -EINVAL, "--%s takes a number, not '%s'", option,
					  numbers[l->nr]);
		l->items[l->nr].number = (__u32)v;
	}
	return 0;
}

const char *scope__text(const struct scope *s)
{
	return s ? s->text : NULL;
}

int scope__new(struct scope **out, const struct scope_opts *opts, struct error *err)
{
	struct scope *s;
	int ret;

	*out = NULL;
	if (!opts->nr_devices && !opts->nr_domains && !opts->nr_groups && !opts->time &&
	    !opts->filter)
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return error__set(err, -ENOMEM, "out of memory");
	s->stamps = opts->stamps;
	ret = want_devices(&s->devs, opts->devices, opts->nr_devices, err);
	if (!ret)
		ret = want_numbers(&s->doms, "domain", opts->domains, opts->nr_domains, err);
	if (!ret)
		ret = want_numbers(&s->groups, "group", opts->groups, opts->nr_groups, err);
	if (!ret && opts->time)
		ret = scope_time__parse(opts->time, &s->from, &s->to, err);
	if (!ret && opts->filter) {
		struct error why = { "" };

		ret = filter__new(&s->filter, opts->filter, &why);
		if (ret)
			error__set(err, ret, "--filter '%s': %s", opts->filter, why.text);
	}
	s->text = scope_text__new(opts);
	if (!ret && !s->text)
		ret = error__set(err, -ENOMEM, "out of memory");
	if (ret)
		scope__free(s);
	else
		*out = s;
	return ret;
}

static void free_wanted(struct wanted_list *l)
{
	for (size_t i = 0; i < l->nr; i++)
		free(l->items[i].name);
	free(l->items);
}

static void free_values(struct idtab *t)
{
	idtab__for_each (t, slot)
		free(slot->value);
	idtab__free(t);
}

void scope__free(struct scope *s)
{
	if (!s)
		return;
	free_wanted(&s->devs);
	free_wanted(&s->doms);
	free_wanted(&s->groups);
	filter__free(s->filter);
	free_values(&s->devices);
	free_values(&s->domains);
	free(s->text);
	free(s);
}

int scope__error(const struct scope *s)
{
	return s ? s->error : 0;
}

static void *get(struct scope *s, struct idtab *t, __u32 nr, size_t size)
{
	void *v = idtab__find(t, nr);

	if (v || !nr)
		return v;
	v = calloc(1, size);
	if (!v || idtab__set(t, nr, v)) {
		free(v);
		s->error = -ENOMEM;
		return NULL;
	}
	return v;
}

static struct scope_device *device(struct scope *s, __u32 nr)
{
	struct scope_device *d = idtab__find(&s->devices, nr);

	if (d || !nr)
		return d;
	d = get(s, &s->devices, nr, sizeof(*d));
	if (d) {
		d->nr = nr;
		d->group = -1;
	}
	return d;
}

static struct scope_domain *domain(struct scope *s, __u32 nr)
{
	return get(s, &s->domains, nr, sizeof(struct scope_domain));
}

static bool wants_number(struct wanted_list *l, __u32 number)
{
	bool is = false;

	for (size_t i = 0; i < l->nr; i++)
		if (l->items[i].number == number)
			is = l->items[i].seen = true;
	return is;
}

static bool wants_device(struct wanted_list *l, const char *name, __u32 origin, bool rid_known,
			 __u32 rid)
{
	bool is = false;

	for (size_t i = 0; i < l->nr; i++) {
		struct wanted *w = &l->items[i];

		if (w->origin >= 0 && (__u32)w->origin != origin)
			continue;
		if (glob__match(w->name, name) || (w->by_rid && rid_known && w->rid == rid))
			is = w->seen = true;
	}
	return is;
}

static void set_group(struct scope *s, struct scope_device *d, __s32 group)
{
	if (group < 0)
		return;
	d->group = group;
	d->by_group = wants_number(&s->groups, (__u32)group);
}

static void name_device(struct scope *s, __u32 nr, const char *name, __u32 origin, bool rid_known,
			__u32 rid, __s32 group)
{
	struct scope_device *d = device(s, nr);
	struct scope_domain *dom;
	bool by_name;

	if (!d)
		return;
	if (!rid_known)
		rid_known = !parse__pci_rid(name, &rid);
	d->rid_known = rid_known;
	d->rid = rid;
	by_name = wants_device(&s->devs, name, origin, rid_known, rid);
	dom = idtab__find(&s->domains, d->domain);
	if (dom && by_name != d->by_name)
		dom->by_name += by_name ? 1 : -1U;
	d->by_name = by_name;
	set_group(s, d, group);
	if (s->filter && filter__device(s->filter, nr, name))
		s->error = -ENOMEM;
}

int scope__device(struct scope *s, __u32 nr, const char *name, __u32 origin, __s32 group)
{
	if (!s)
		return 0;
	name_device(s, nr, name, origin, false, 0, group);
	return s->error;
}

static void leave(struct scope *s, struct scope_device *d)
{
	struct scope_domain *dom = idtab__find(&s->domains, d->domain);

	if (dom && d->by_name && dom->by_name)
		dom->by_name--;
	d->domain = 0;
}

static void on_attach(struct scope *s, const struct iot_attach *ev)
{
	struct scope_device *d = device(s, ev->h.dev);
	struct scope_domain *dom;

	if (!d || ev->ret)
		return;
	if (ev->h.id == IOT_EV_DETACH) {
		if (!ev->h.domain || ev->h.domain == d->domain)
			leave(s, d);
		return;
	}
	leave(s, d);
	dom = domain(s, ev->h.domain);
	if (!dom)
		return;
	d->domain = ev->h.domain;
	dom->by_name += d->by_name;
	set_group(s, d, ev->group);
	if (d->group >= 0)
		dom->by_group = wants_number(&s->groups, (__u32)d->group);
}

static void learn(struct scope *s, const struct iot_event *ev)
{
	const void *body = ev;

	switch (ev->id) {
	case IOT_EV_DEVICE: {
		const struct iot_device *d = body;
		char name[sizeof(d->name)];

		text__copy(name, sizeof(name), d->name, sizeof(d->name));
		name_device(s, ev->dev, name, IOT_ORIGIN(ev->flags), d->rid_known, d->rid,
			    d->group);
		break;
	}
	case IOT_EV_ATTACH:
	case IOT_EV_DETACH:
		on_attach(s, body);
		break;
	case IOT_EV_DOMAIN: {
		const struct iot_domain *d = body;
		struct scope_domain *dom = domain(s, ev->domain);

		if (dom && d->group >= 0)
			dom->by_group = wants_number(&s->groups, (__u32)d->group);
		break;
	}
	case IOT_EV_CAPTURE:
		if (((const struct iot_capture *)body)->what == IOT_CAPTURE_BEGIN &&
		    !s->zero_is_capture) {
			s->zero = ev->ts;
			s->zero_is_capture = true;
		}
		break;
	}
	/* As long as no event says when the capture began, it began with the first. */
	if (!s->zero && ev->id < IOT_EV_DEVICE && !(ev->flags & IOT_F_SNAPSHOT))
		s->zero = ev->ts;
}

static __u64 stamp(const struct scope *s, const struct scope_time *t)
{
	__u64 zero = t->absolute || s->stamps ? 0 : s->zero, at;

	return __builtin_add_overflow(zero, t->ns, &at) ? UINT64_MAX : at;
}

static bool in_time(const struct scope *s, __u64 ts)
{
	return !(s->from.given && ts < stamp(s, &s->from)) &&
	       !(s->to.given && ts > stamp(s, &s->to));
}

void scope__narrow(const struct scope *s, __u64 *begin, __u64 *end)
{
	if (s && s->from.given && *begin < stamp(s, &s->from))
		*begin = stamp(s, &s->from);
	if (s && s->to.given && *end > stamp(s, &s->to))
		*end = stamp(s, &s->to);
	if (*begin > *end)
		*begin = *end;
}

/* Faults may name only the requester. */
static const struct scope_device *requester(const struct scope *s, const struct iot_event *ev)
{
	const struct iot_fault *f = (const void *)ev;

	if (ev->id != IOT_EV_FAULT || !f->rid_known)
		return NULL;
	idtab__for_each (&s->devices, slot) {
		const struct scope_device *d = slot->value;

		if (d->rid_known && d->rid == f->rid)
			return d;
	}
	return NULL;
}

static bool is_number(const struct wanted_list *l, __u32 number)
{
	for (size_t i = 0; i < l->nr; i++)
		if (l->items[i].number == number)
			return true;
	return false;
}

bool scope__has(const struct scope *s, const struct iot_event *ev)
{
	const struct scope_device *d = NULL;
	const struct scope_domain *dom = NULL;

	if (!s || ev->id >= IOT_EV_DEVICE)
		return true;
	if ((s->from.given || s->to.given) && !in_time(s, ev->ts))
		return false;
	if (s->devs.nr || s->groups.nr || s->doms.nr) {
		d = ev->dev ? idtab__find(&s->devices, ev->dev) : requester(s, ev);
		dom = ev->domain ? idtab__find(&s->domains, ev->domain) : NULL;
	}
	if (s->devs.nr && !(ev->dev || d ? d && d->by_name : dom && dom->by_name))
		return false;
	if (s->groups.nr && !(d && d->by_group) && !(dom && dom->by_group))
		return false;
	if (s->doms.nr && !is_number(&s->doms, ev->domain) &&
	    !(!ev->domain && d && is_number(&s->doms, d->domain)))
		return false;
	return !s->filter || filter__match(s->filter, ev);
}

bool scope__event(struct scope *s, const struct iot_event *ev)
{
	if (!s)
		return true;
	learn(s, ev);
	if (s->doms.nr && ev->domain)
		wants_number(&s->doms, ev->domain);
	return scope__has(s, ev);
}

const char *scope__unseen(struct scope *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->devs.nr; i++)
		if (!s->devs.items[i].seen) {
			const struct wanted *w = &s->devs.items[i];
			int n = snprintf(s->unseen, sizeof(s->unseen), "device %.60s", w->name);

			if (w->origin >= 0)
				snprintf(s->unseen + n, sizeof(s->unseen) - (size_t)n, "@%d",
					 w->origin);
			return s->unseen;
		}
	for (int k = 0; k < 2; k++) {
		const struct wanted_list *l = k ? &s->groups : &s->doms;

		for (size_t i = 0; i < l->nr; i++)
			if (!l->items[i].seen) {
				snprintf(s->unseen, sizeof(s->unseen), "%s %u",
					 k ? "group" : "domain", l->items[i].number);
				return s->unseen;
			}
	}
	return NULL;
}

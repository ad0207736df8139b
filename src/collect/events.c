// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/aer.h"
#include "collect/choosers.h"
#include "collect/facts.h"
#include "collect/hooks.h"
#include "collect/internal.h"
#include "collect/pair.h"
#include "collect/world.h"
#include "iommutop.skel.h"

int collect__add(struct collect *c, const struct iot_event *ev)
{
	int err = rings__add(c->rings, ev);

	if (err && !c->pending_err)
		c->pending_err = err;
	return err;
}

int events__add(void *ctx, const struct iot_event *ev)
{
	return collect__add(ctx, ev);
}

static int tell_stack(struct collect *c, uint32_t number)
{
	if (!number || number > bpf_map__max_entries(c->skel->maps.stacks) || c->stack_told[number])
		return 0;
	c->stack_told[number] = 1;
	return facts__stack(events__add, c, bpf_map__fd(c->skel->maps.stacks), number, c->syms) ==
			       -ENOMEM
		       ? -ENOMEM
		       : 0;
}

/* Its name, while it is still there: a number says little to a reader. */
static void tell_task(struct collect *c, uint32_t tid)
{
	if (!tid || tid >= TASKS_MAX || c->task_told[tid])
		return;
	c->task_told[tid] = 1;
	facts__task(events__add, c, tid);
}

static void want_role(struct collect *c, enum role_kind kind, uint64_t addr)
{
	struct want *more;

	if (!addr || c->opts.only_snapshot)
		return;
	more = realloc(c->wants, (c->nr_wants + 1) * sizeof(*more));
	if (!more) {
		c->pending_err = -ENOMEM;
		return;
	}
	c->wants = more;
	more[c->nr_wants++] = (struct want){ kind, addr };
}

/*
 * Do unmaps in this domain flush by iotlb_sync? Where the DMA API can remove a part of a range
 * (drivers/iommu/dma-iommu.c of 7.x), they do in lazy domains, too. A new domain of the DMA API
 * gets its queue after it was seen first, which tells its state.
 */
static bool may_sync(const struct collect *c, const struct iot_domain *d)
{
	bool settled = d->what == IOT_DOMAIN_STATE || d->h.flags & IOT_F_SNAPSHOT;

	if (!d->sync || c->opts.only_snapshot)
		return false;
	if (c->unlinks)
		return true;
	switch (d->type) {
	case IOT_TYPE_UNMANAGED:
		return true;
	case IOT_TYPE_DMA:
		return settled;
	case IOT_TYPE_DMA_FQ:
		return settled && d->fq_known && !d->fq_active;
	default:
		return false;
	}
}

/* The line with what it needs: BPF reserved room for the longest. */
static void cut_log(struct iot_log *log)
{
	uint32_t len = (uint32_t)strnlen(log->text, IOT_TEXT_MAX - 1);

	log->text[len] = 0;
	log->text_len = (len + 1 + 7) & ~7U;
	memset(log->text + len, 0, log->text_len - len);
	log->h.len = (uint16_t)(sizeof(*log) + log->text_len);
}

int events__point(void *ctx, size_t i)
{
	struct collect *c = ctx;
	const struct plan_choice *ch = &c->plan.choices[i];
	const struct plan_candidate *cand = plan__chosen(&c->plan, i);
	const char *name = plan_points[i].name;

	if (!ch->wanted)
		return facts__attr(events__add, c, "plan.%s=off", name);
	if (ch->attached)
		return facts__attr(events__add, c, "plan.%s=%s %s", name,
				   plan__kind_name(cand->kind), cand->function);
	return facts__attr(events__add, c, "plan.%s=%s: %s", name,
			   ch->absent ? "absent" : "missing", plan__why_not(ch));
}

static int on_module(struct collect *c, const struct iot_module *m)
{
	world__changed(c->world);
	kallsyms__changed(c->syms);
	if (!m->gone)
		return hooks__module_loaded(c->hooks, m->name, events__point, c);
	roles__module_gone(c->roles, m->name);
	if (c->drivers)
		drivers__module_gone(c->drivers, m->name);
	hooks__module_gone(c->hooks, m->name);
	return 0;
}

/* The name is that of the log line about the same. */
static void irq_fault(const struct iot_fault *raw, uint32_t dev, struct iot_trouble *out)
{
	memset(out, 0, sizeof(*out));
	out->h = raw->h;
	out->h.id = IOT_EV_ERROR;
	out->h.len = sizeof(*out);
	out->h.dev = dev;
	out->queue = -1;
	out->source = IOT_SRC_HOOK;
	out->kind = IOT_ERROR_IOMMU;
	snprintf(out->what, sizeof(out->what), "interrupt blocked");
}

int events__rare(void *ctx, void *data, size_t size)
{
	struct collect *c = ctx;
	union {
		struct iot_event h;
		struct iot_log log;
		struct iot_device dev;
		struct iot_domain domain;
		struct iot_module module;
		struct iot_fault fault;
		struct iot_trouble trouble;
		struct iot_raw_aer aer;
		struct iot_raw_free free;
		struct iot_raw_why_core core;
		struct iot_raw_why_group group;
		struct iot_raw_why_dev untrusted;
		char bytes[IOT_EVENT_MAX];
	} e, raw;
	int err = 0;

	if (size > sizeof(e) || size < sizeof(e.h))
		return 0;
	memcpy(&e, data, size);
	switch (e.h.id) {
	case IOT_EV_LOG:
		cut_log(&e.log);
		break;
	case IOT_EV_DEVICE:
		err = world__device(c->world, &e.dev);
		break;
	case IOT_RAW_BOUND:
		world__changed(c->world);
		return 0;
	case IOT_RAW_FREE:
		want_role(c, ROLE_FREE, e.free.fn);
		return 0;
	case IOT_RAW_WHY_CORE:
		return choosers__core(&e.core, events__add, c);
	case IOT_RAW_WHY_GROUP:
		return choosers__group(&e.group, c->syms, events__add, c);
	case IOT_RAW_WHY_DEV:
		return choosers__untrusted(&e.untrusted, events__add, c);
	case IOT_RAW_IRQ_FAULT:
		raw.fault = e.fault;
		irq_fault(&raw.fault, world__find_rid(c->world, raw.fault.rid), &e.trouble);
		break;
	case IOT_RAW_AER:
		raw.aer = e.aer;
		aer__event(&raw.aer, world__find(c->world, raw.aer.name), &e.trouble);
		break;
	case IOT_EV_DOMAIN:
		if (e.domain.what != IOT_DOMAIN_FREE) {
			want_role(c, ROLE_FLUSH_ALL, e.domain.flush_all);
			want_role(c, ROLE_SYNC, e.domain.sync);
			want_role(c, ROLE_SYNC_MAP, e.domain.sync_map);
			if (may_sync(c, &e.domain))
				collect__strict(c);
		}
		break;
	case IOT_EV_FAULT: /* of a record, which knows no more than the requester */
		if (!e.h.dev && e.fault.rid_known)
			e.h.dev = world__find_rid(c->world, e.fault.rid);
		break;
	case IOT_EV_MODULE:
		err = on_module(c, &e.module);
		break;
	}
	if (err && !c->pending_err)
		c->pending_err = err;
	if (e.h.stack)
		tell_stack(c, e.h.stack);
	return collect__add(c, &e.h);
}

/* All of the driver's that are attached: kinds of domains may have functions of their own. */
static int tell_free(struct collect *c, const struct role *r)
{
	int prefix = role__prefix(r->function);
	char list[400] = "";

	for (size_t i = 0; i < roles__count(c->roles); i++) {
		const struct role *o = roles__at(c->roles, i);
		size_t len = strlen(list);

		if (o->kind == ROLE_FREE && !o->why_not[0] && !o->gone &&
		    !strncmp(o->function, r->function, (size_t)prefix))
			snprintf(list + len, sizeof(list) - len, "%s%s", len ? " " : "",
				 o->function);
	}
	return facts__attr(events__add, c, "teardown.%.*s=%s", prefix, r->function, list);
}

static int tell_role(struct collect *c, size_t i)
{
	const struct role *r = roles__at(c->roles, i);

	if (r->kind == ROLE_FREE && r->why_not[0])
		return facts__attr(events__add, c, "plan.%s=missing: %s", r->function, r->why_not);
	if (r->kind == ROLE_FREE)
		return tell_free(c, r);
	return facts__attr(events__add, c, "flush_fn.%zu=%s %s%s%s, %s%s", i,
			   role__kind_name(r->kind), r->function, r->module[0] ? " " : "",
			   r->module,
			   r->why_not[0] ? "not attached: "
			   : r->kprobe   ? "kprobe"
					 : "fentry",
			   r->why_not);
}

/* A function of a driver that was not hooked until now: what it did before was not seen. */
static int driver_is_fresh(void *ctx, const char *function)
{
	struct collect *c = ctx;

	return c->running ? collect__note_loss(c, IOT_LOST_UNHOOKED, c->last_poll, 0, function) : 0;
}

static int attach_pending(struct collect *c)
{
	size_t nr = roles__pending(c->roles, NULL), n;
	struct pair **pairs;

	nr += c->drivers ? drivers__pending(c->drivers, NULL) : 0;
	if (!nr)
		return 0;
	pairs = calloc(nr, sizeof(struct pair *));
	if (!pairs)
		return -ENOMEM;
	n = roles__pending(c->roles, pairs);
	if (c->drivers)
		drivers__pending(c->drivers, pairs + n);
	live__attach_begin(c->live);
	pairs__attach(pairs, nr,
		      &(struct pair_with){ c->skel->obj, &c->knobs, c->types, c->targets });
	live__attach_end(c->live);
	free(pairs);
	roles__settle(c->roles);
	return 0;
}

static int tell_drivers(struct collect *c)
{
	int err = drivers__settle(c->drivers, driver_is_fresh, c);

	return err ? err : drivers__tell(c->drivers, events__add, c);
}

/* Roles from number first on. */
static int tell_roles(struct collect *c, size_t first)
{
	int err = 0;

	for (size_t i = first; !err && i < roles__count(c->roles); i++) {
		const struct role *r = roles__at(c->roles, i);

		err = tell_role(c, i);
		/* flushes by it up to now were not seen; if it can't be attached, none ever will be
		 */
		if (!err && r->kind != ROLE_FREE && (c->running || r->why_not[0]))
			err = collect__note_loss(c, IOT_LOST_UNHOOKED, c->last_poll, 0,
						 r->function);
	}
	return err;
}

int events__attach(struct collect *c)
{
	size_t first = roles__count(c->roles);
	int err = 0;

	for (size_t i = 0; i < c->nr_wants; i++)
		if (roles__want(c->roles, c->wants[i].kind, c->wants[i].addr, c->syms) == -ENOMEM)
			err = -ENOMEM;
	c->nr_wants = 0;
	/* a driver that is new has a function that is */
	if (c->drivers && (!c->running || roles__count(c->roles) > first))
		drivers__look(c->drivers, c->syms, c->roles);
	if (!err)
		err = attach_pending(c);
	if (!err)
		err = tell_roles(c, first);
	return err || !c->drivers ? err : tell_drivers(c);
}

int events__serve_wants(struct collect *c)
{
	return c->nr_wants ? events__attach(c) : 0;
}

int events__deliver(void *ctx, void *events, size_t bytes)
{
	struct collect *c = ctx;
	char *p = events, *end = p + bytes;

	if (c->opts.stacks)
		for (struct iot_event *e; p < end; p += e->len) {
			e = (void *)p;
			tell_stack(c, e->stack);
			tell_task(c, e->tid);
		}
	return c->sink(c->ctx, events, bytes);
}

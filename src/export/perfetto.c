// SPDX-License-Identifier: GPL-2.0-only
/*
 * The session on Perfetto's time line: a track for each domain, with its flushes, the windows
 * between unmap and flush, and counters; a track for each device, with its faults, hangs and
 * resets. Packets are in no order of time, nor need they be.
 */
#include "export/perfetto_tracks.h"

#include <errno.h>
#include <json-c/json.h>

#define SAMPLE_NS 1000000  /* the counter of mapped bytes moves at most once in it */
#define RATE_NS   10000000 /* maps are counted over this */

static const struct tsdl_field *field_of(const struct iot_event *ev, size_t offset)
{
	const struct tsdl_event *type = tsdl__event(ev->id);

	for (unsigned int i = 0; i < type->nr_fields; i++)
		if (type->fields[i].offset == offset)
			return &type->fields[i];
	return NULL;
}

/* An enumeration's label as an argument, or its number. */
static void put_label(struct exporter *x, const struct iot_event *ev, size_t offset,
		      enum perfetto_arg arg)
{
	struct perfetto *p = x->state;
	const struct tsdl_field *f = field_of(ev, offset);
	uint64_t v = columns__number(f, ev, 0);
	const char *label = columns__label(f, v);

	if (label)
		perfetto__arg_text(&p->packet, arg, label, strlen(label));
	else
		perfetto__arg_uint(&p->packet, arg, v);
}

static void covered(void *ctx, const struct model_domain *dom, const struct pending_unmap *u,
		    bool lazy)
{
	struct perfetto *p = ctx;

	(void)dom;
	if (!(p->lazy + p->strict) || u->ts < p->oldest)
		p->oldest = u->ts;
	if (lazy)
		p->lazy++;
	else
		p->strict++;
}

static void put_window(struct exporter *x, struct domain_tracks *d, uint32_t nr,
		       const struct iot_flush *ev)
{
	struct perfetto *p = x->state;
	const struct perfetto_track first = {
		.uuid = tracks__uuid(TRACK_WINDOWS, nr, 0),
		.parent = tracks__uuid(TRACK_DOMAIN, nr, 0),
		.name = "unmapped, not flushed",
	};
	uint64_t track;

	if (!(p->lazy + p->strict))
		return;
	tracks__open_slice(x, &d->windows, &first, p->oldest, ev->h.ts, NAME_WINDOW, &track);
	if (p->lazy)
		perfetto__arg_uint(&p->packet, ARG_LAZY, p->lazy);
	if (p->strict)
		perfetto__arg_uint(&p->packet, ARG_STRICT, p->strict);
	tracks__close_slice(x, ev->h.ts, track);
	p->lazy = p->strict = 0;
}

static void put_flush(struct exporter *x, struct domain_tracks *d, uint32_t nr,
		      const struct iot_flush *ev)
{
	static const enum perfetto_name names[] = {
		[IOT_FLUSH_ALL] = NAME_FLUSH_ALL,
		[IOT_FLUSH_SYNC] = NAME_FLUSH_SYNC,
		[IOT_FLUSH_SYNC_MAP] = NAME_FLUSH_SYNC_MAP,
	};
	struct perfetto *p = x->state;
	const struct perfetto_track first = {
		.uuid = tracks__uuid(TRACK_FLUSHES, nr, 0),
		.parent = tracks__uuid(TRACK_DOMAIN, nr, 0),
		.name = "flushes",
	};
	bool known = ev->kind < sizeof(names) / sizeof(names[0]) && names[ev->kind];
	uint64_t track;

	tracks__open_slice(x, &d->flushes, &first, ev->begin, ev->h.ts,
			   known ? names[ev->kind] : NAME_FLUSH, &track);
	put_label(x, &ev->h, offsetof(struct iot_flush, why), ARG_WHY);
	perfetto__arg_uint(&p->packet, ARG_CPU, ev->h.cpu);
	if (ev->size) {
		perfetto__arg_address(&p->packet, ARG_IOVA, ev->iova);
		perfetto__arg_uint(&p->packet, ARG_SIZE, ev->size);
	}
	tracks__close_slice(x, ev->h.ts, track);
}

static void put_bytes(struct exporter *x, uint32_t nr, uint64_t ts, uint64_t bytes)
{
	struct perfetto *p = x->state;

	perfetto__counter(&p->packet, &x->out, ts, tracks__uuid(TRACK_BYTES, nr, 0),
			  (int64_t)bytes);
}

static void count_bytes(struct exporter *x, struct domain_tracks *d, const struct iot_event *ev)
{
	const struct model_domain *dom = model__domain(&x->model, ev->domain);

	if (!dom || dom->live_bytes == (d->late_ts ? d->late_bytes : d->bytes))
		return;
	if (ev->ts < d->next_bytes) {
		d->late_ts = ev->ts;
		d->late_bytes = dom->live_bytes;
		return;
	}
	if (d->late_ts)
		put_bytes(x, ev->domain, d->late_ts, d->late_bytes);
	put_bytes(x, ev->domain, ev->ts, dom->live_bytes);
	d->bytes = dom->live_bytes;
	d->late_ts = 0;
	d->next_bytes = ev->ts + SAMPLE_NS;
}

static void put_rate(struct exporter *x, uint32_t nr, uint64_t slot, uint64_t maps)
{
	struct perfetto *p = x->state;

	perfetto__counter(&p->packet, &x->out, slot * RATE_NS, tracks__uuid(TRACK_RATE, nr, 0),
			  (int64_t)(maps * (1000000000 / RATE_NS)));
}

static void end_rate(struct exporter *x, struct domain_tracks *d, uint32_t nr, uint64_t now)
{
	if (!d->rate_open)
		return;
	put_rate(x, nr, d->rate_slot, d->maps);
	if (now > d->rate_slot + 1)
		put_rate(x, nr, d->rate_slot + 1, 0);
	d->rate_open = false;
}

static void count_map(struct exporter *x, struct domain_tracks *d, uint32_t nr,
		      const struct iot_map *ev)
{
	uint64_t slot = ev->h.ts / RATE_NS;

	if (ev->ret)
		return;
	if (slot != d->rate_slot)
		end_rate(x, d, nr, slot);
	if (!d->rate_open) {
		d->rate_open = true;
		d->rate_slot = slot;
		d->maps = 0;
	}
	d->maps++;
}

static int on_hot(struct exporter *x, const struct iot_event *ev)
{
	struct perfetto *p = x->state;
	uint32_t nr = tracks__bounded(&p->domains, ev->domain, MODEL_DOMAINS_MAX);
	struct domain_tracks *d = tracks__domain(x, nr);
	const void *body = ev;

	if (!d)
		return -ENOMEM;
	if (ev->id == IOT_EV_MAP)
		count_map(x, d, nr, body);
	if (ev->id == IOT_EV_FLUSH) {
		put_flush(x, d, nr, body);
		put_window(x, d, nr, body);
	} else {
		count_bytes(x, d, ev);
	}
	return 0;
}

static int on_fault(struct exporter *x, const struct iot_fault *ev)
{
	struct perfetto *p = x->state;
	uint32_t nr = tracks__bounded(&p->devices, ev->h.dev, MODEL_DEVICES_MAX);

	if (!tracks__device(x, nr))
		return -ENOMEM;
	perfetto__instant(&p->packet, ev->h.ts, tracks__uuid(TRACK_DEVICE, nr, 0), NAME_FAULT);
	if (ev->iova_known)
		perfetto__arg_address(&p->packet, ARG_IOVA, ev->iova);
	put_label(x, &ev->h, offsetof(struct iot_fault, access), ARG_ACCESS);
	put_label(x, &ev->h, offsetof(struct iot_fault, source), ARG_SOURCE);
	perfetto__arg_uint(&p->packet, ARG_REASON, ev->reason);
	if (ev->h.domain)
		perfetto__arg_uint(&p->packet, ARG_DOMAIN, ev->h.domain);
	perfetto__write(&p->packet, &x->out);
	return 0;
}

static int on_trouble(struct exporter *x, const struct iot_trouble *ev)
{
	struct perfetto *p = x->state;
	uint32_t nr = tracks__bounded(&p->devices, ev->h.dev, MODEL_DEVICES_MAX);
	struct device_tracks *d = tracks__device(x, nr);
	const struct perfetto_track first = {
		.uuid = tracks__uuid(TRACK_RESETS, nr, 0),
		.parent = tracks__uuid(TRACK_DEVICE, nr, 0),
		.name = "resets",
	};
	uint64_t track = 0;

	if (!d)
		return -ENOMEM;
	if (ev->h.id == IOT_EV_RESET)
		tracks__open_slice(x, &d->resets, &first, ev->begin, ev->h.ts, NAME_RESET, &track);
	else
		perfetto__instant(&p->packet, ev->h.ts, first.parent,
				  ev->h.id == IOT_EV_HANG ? NAME_HANG : NAME_ERROR);
	perfetto__arg_text(&p->packet, ARG_WHAT, ev->what, strnlen(ev->what, sizeof(ev->what)));
	if (ev->stalled)
		perfetto__arg_uint(&p->packet, ARG_STALLED, ev->stalled);
	if (ev->ret)
		perfetto__arg_int(&p->packet, ARG_RET, ev->ret);
	tracks__close_slice(x, ev->h.ts, track);
	return 0;
}

static int on_loss(struct exporter *x, const struct iot_loss *ev)
{
	struct perfetto *p = x->state;
	const struct perfetto_track first = { .uuid = tracks__uuid(TRACK_LOSS, 0, 0),
					      .name = "losses" };
	uint64_t end = ev->end ? ev->end : ev->h.ts, track;

	tracks__open_slice(x, &p->losses, &first, ev->begin, end, NAME_LOST, &track);
	perfetto__arg_uint(&p->packet, ARG_COUNT, ev->count);
	put_label(x, &ev->h, offsetof(struct iot_loss, cause), ARG_CAUSE);
	perfetto__arg_text(&p->packet, ARG_WHAT, ev->what, strnlen(ev->what, sizeof(ev->what)));
	tracks__close_slice(x, end, track);
	return 0;
}

static int on_log(struct exporter *x, const struct iot_log *ev)
{
	struct perfetto *p = x->state;

	if (!p->log_told)
		tracks__tell(x, tracks__uuid(TRACK_LOG, 0, 0), 0, "kernel log", PERFETTO_SLICES);
	p->log_told = true;
	perfetto__instant(&p->packet, ev->h.ts, tracks__uuid(TRACK_LOG, 0, 0), NAME_LOG);
	perfetto__arg_text(&p->packet, ARG_TEXT, ev->text, strnlen(ev->text, ev->text_len));
	perfetto__write(&p->packet, &x->out);
	return 0;
}

static void capture_instant(struct exporter *x, uint64_t ts, enum perfetto_name name)
{
	struct perfetto *p = x->state;

	if (!p->capture_told)
		tracks__tell(x, tracks__uuid(TRACK_CAPTURE, 0, 0), 0, "capture", PERFETTO_SLICES);
	p->capture_told = true;
	perfetto__instant(&p->packet, ts, tracks__uuid(TRACK_CAPTURE, 0, 0), name);
}

static int on_capture(struct exporter *x, const struct iot_event *ev)
{
	struct perfetto *p = x->state;
	const struct iot_module *module = (const void *)ev;

	capture_instant(x, ev->ts, ev->id == IOT_EV_MODULE ? NAME_MODULE : NAME_CAPTURE);
	if (ev->id == IOT_EV_MODULE) {
		put_label(x, ev, offsetof(struct iot_module, gone), ARG_WHAT);
		perfetto__arg_text(&p->packet, ARG_TEXT, module->name,
				   strnlen(module->name, sizeof(module->name)));
	} else {
		put_label(x, ev, offsetof(struct iot_capture, what), ARG_WHAT);
	}
	perfetto__write(&p->packet, &x->out);
	return 0;
}

static int on_attach(struct exporter *x, const struct iot_attach *ev)
{
	struct perfetto *p = x->state;
	uint32_t nr = tracks__bounded(&p->devices, ev->h.dev, MODEL_DEVICES_MAX);

	if (ev->h.flags & IOT_F_SNAPSHOT)
		return 0;
	if (!tracks__device(x, nr))
		return -ENOMEM;
	perfetto__instant(&p->packet, ev->h.ts, tracks__uuid(TRACK_DEVICE, nr, 0),
			  ev->h.id == IOT_EV_ATTACH ? NAME_ATTACH : NAME_DETACH);
	perfetto__arg_uint(&p->packet, ARG_DOMAIN, ev->h.domain);
	if (ev->ret)
		perfetto__arg_int(&p->packet, ARG_RET, ev->ret);
	perfetto__write(&p->packet, &x->out);
	return 0;
}

/* The unmaps that a flush outside of what is asked for covered belong to no later one. */
static void perfetto_hidden(struct exporter *x)
{
	struct perfetto *p = x->state;

	p->lazy = p->strict = 0;
}

static int perfetto_begin(struct exporter *x, struct error *err)
{
	(void)err;
	x->model.on_covered = covered;
	x->model.on_covered_ctx = x->state;
	return 0;
}

static int perfetto_event(struct exporter *x, const struct iot_event *ev)
{
	struct perfetto *p = x->state;
	const struct iot_clock *clock = (const void *)ev;

	if (!p->begun) {
		perfetto__header(&p->packet, &x->out, ev->ts);
		perfetto__clock(&p->packet, &x->out, ev->ts, 0, 0);
		p->begun = true;
	}
	p->last_ts = ev->ts;
	switch (ev->id) {
	case IOT_EV_MAP:
	case IOT_EV_UNMAP:
	case IOT_EV_FLUSH:
		return on_hot(x, ev);
	case IOT_EV_FAULT:
		return on_fault(x, (const void *)ev);
	case IOT_EV_HANG:
	case IOT_EV_RESET:
	case IOT_EV_ERROR:
		return on_trouble(x, (const void *)ev);
	case IOT_EV_LOSS:
		return on_loss(x, (const void *)ev);
	case IOT_EV_LOG:
		return on_log(x, (const void *)ev);
	case IOT_EV_MODULE:
	case IOT_EV_CAPTURE:
		return on_capture(x, ev);
	case IOT_EV_ATTACH:
	case IOT_EV_DETACH:
		return on_attach(x, (const void *)ev);
	case IOT_EV_CLOCK:
		perfetto__clock(&p->packet, &x->out, ev->ts, clock->boot, clock->real);
		return 0;
	}
	return 0;
}

static void perfetto_abort(struct exporter *x)
{
	struct perfetto *p = x->state;

	tracks__free(x);
	buf__free(&p->packet.b);
}

/* That it is only a part, as far as there is room for an expression. */
static void tell_only(struct exporter *x, struct json_object *about)
{
	struct perfetto *p = x->state;
	struct json_object *only;
	const char *text;

	if (!p->begun || !json_object_object_get_ex(about, "only", &only))
		return;
	text = json_object_get_string(only);
	capture_instant(x, p->last_ts, NAME_ONLY);
	perfetto__arg_text(&p->packet, ARG_TEXT, text, strnlen(text, IOT_EVENT_MAX));
	perfetto__write(&p->packet, &x->out);
}

static int perfetto_end(struct exporter *x, struct json_object *about, struct error *err)
{
	struct perfetto *p = x->state;

	tell_only(x, about);
	idtab__for_each (&p->domains, s) {
		struct domain_tracks *d = s->value;
		uint32_t nr = (uint32_t)(s->key - 1);

		if (d->late_ts)
			put_bytes(x, nr, d->late_ts, d->late_bytes);
		end_rate(x, d, nr, UINT64_MAX);
	}
	if (x->out.error)
		return error__set(err, x->out.error, "cannot write %s: %s", x->opts.path,
				  strerror(-x->out.error));
	perfetto_abort(x);
	return 0;
}

const struct export_format export_perfetto = {
	.name = "perfetto",
	.wants_state = true,
	.says_source = true,
	.state_size = sizeof(struct perfetto),
	.begin = perfetto_begin,
	.event = perfetto_event,
	.hidden = perfetto_hidden,
	.end = perfetto_end,
	.abort = perfetto_abort,
};

// SPDX-License-Identifier: GPL-2.0-only
#include "trigger/trigger.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "klog/klog.h"
#include "trigger/waiting.h"
#include "util/parse.h"

#define DOMAINS_MAX (1U << 20) /* numbers are never used again; beyond this, none is watched */

/* After these losses nobody knows which unmaps still wait. */
#define LOSES_FLUSHES                                                            \
	(1U << IOT_LOST_RING | 1U << IOT_LOST_RECURSION | 1U << IOT_LOST_BEGIN | \
	 1U << IOT_LOST_UNHOOKED | 1U << IOT_LOST_WRITER)

struct domain {
	struct waiting waiting;
	__u64 told; /* oldest unmap for which the alarm was given */
	__s64 live; /* bytes; below 0: what was mapped before the begin was unmapped */
	bool live_told;
};

struct trigger {
	struct trigger_opts opts;
	bool hot; /* maps, unmaps and flushes matter */
	struct domain **domains;
	__u32 nr_domains;
	struct trigger_hit *hit; /* where the first hit goes; NULL: there was one */
	int error;
};

/* --- what to look for --- */

static int parse_item(struct trigger_opts *o, const char *item, size_t len)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = { { "fault", &o->fault },
		      { "hang", &o->hang },
		      { "reset", &o->reset },
		      { "error", &o->error } };
	const struct {
		const char *name;
		int (*parse)(const char *s, uint64_t *out);
		uint64_t *value;
	} limits[] = { { "window>", parse__duration, &o->window_ns },
		       { "flush>", parse__duration, &o->flush_ns },
		       { "live>", parse__size, &o->live_bytes } };
	char text[64];
	int rc;

	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, item, len);
	text[len] = 0;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(text, flags[i].name))
			continue;
		*flags[i].flag = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		size_t name = strlen(limits[i].name);

		if (strncmp(text, limits[i].name, name))
			continue;
		rc = limits[i].parse(text + name, limits[i].value);
		return rc ? rc : *limits[i].value ? 0 : -ERANGE;
	}
	return -EINVAL;
}

int trigger__parse(struct trigger_opts *o, const char *list, struct error *err)
{
	const char *end;
	int rc = 0;

	for (; !rc; list = end + 1) {
		end = strchrnul(list, ',');
		rc = parse_item(o, list, (size_t)(end - list));
		if (rc)
			return error__set(
				err, rc,
				"cannot dump on '%.*s': it is %s; there are fault, hang, "
				"reset, error, window>TIME, flush>TIME and live>SIZE, as in "
				"fault,window>20ms,live>1G",
				(int)(end - list), list,
				rc == -ERANGE ? "out of range" : "unknown");
		if (!*end)
			break;
	}
	return 0;
}

/* --- life --- */

int trigger__new(struct trigger **out, const struct trigger_opts *opts)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->opts = *opts;
	(*out)->hot = opts->window_ns || opts->flush_ns || opts->live_bytes;
	return 0;
}

void trigger__free(struct trigger *t)
{
	if (!t)
		return;
	for (__u32 i = 0; i < t->nr_domains; i++) {
		if (t->domains[i])
			waiting__free(&t->domains[i]->waiting);
		free(t->domains[i]);
	}
	free(t->domains);
	free(t);
}

static struct domain *add_domain(struct trigger *t, __u32 nr)
{
	__u32 size = t->nr_domains ? t->nr_domains : 64;
	struct domain **more;

	if (!nr || nr >= DOMAINS_MAX)
		return NULL;
	while (size <= nr)
		size *= 2;
	if (size > t->nr_domains) {
		more = realloc(t->domains, size * sizeof(*more));
		if (!more)
			goto no_memory;
		memset(more + t->nr_domains, 0, (size - t->nr_domains) * sizeof(*more));
		t->domains = more;
		t->nr_domains = size;
	}
	t->domains[nr] = calloc(1, sizeof(struct domain));
	if (t->domains[nr])
		return t->domains[nr];
no_memory:
	t->error = -ENOMEM;
	return NULL;
}

static inline struct domain *domain_of(struct trigger *t, __u32 nr)
{
	struct domain *d = nr < t->nr_domains ? t->domains[nr] : NULL;

	return d ? d : add_domain(t, nr);
}

/* --- events --- */

static __attribute__((format(printf, 3, 4))) void hit(struct trigger *t, __u64 ts, const char *fmt,
						      ...)
{
	va_list ap;

	if (!t->hit)
		return;
	t->hit->ts = ts;
	va_start(ap, fmt);
	vsnprintf(t->hit->what, sizeof(t->hit->what), fmt, ap);
	va_end(ap);
	t->hit = NULL;
}

static double ms(__u64 ns)
{
	return (double)ns / 1e6;
}

static void on_window(struct trigger *t, struct domain *d, __u32 nr, __u64 ts, __u64 since)
{
	if (d->told != since)
		hit(t, ts, "window of %s%.3f ms, domain %u",
		    waiting__oldest(&d->waiting) == since ? "at least " : "", ms(ts - since), nr);
	d->told = since;
}

static void on_flush(struct trigger *t, const struct iot_flush *ev)
{
	struct domain *d;
	__u64 window;

	if (t->opts.flush_ns && !(ev->h.flags & IOT_F_NO_BEGIN) &&
	    ev->h.ts - ev->begin > t->opts.flush_ns)
		hit(t, ev->h.ts, "flush of %.3f ms, domain %u", ms(ev->h.ts - ev->begin),
		    ev->h.domain);
	if (!t->opts.window_ns)
		return;
	d = domain_of(t, ev->h.domain);
	window = d ? waiting__flush(&d->waiting, ev) : 0;
	if (window > t->opts.window_ns)
		on_window(t, d, ev->h.domain, ev->h.ts, ev->h.ts - window);
}

static void on_live(struct trigger *t, const struct iot_event *ev, __s64 more)
{
	struct domain *d = domain_of(t, ev->domain);
	__s64 limit = (__s64)t->opts.live_bytes;

	if (!d)
		return;
	d->live += more;
	if (d->live > limit && !d->live_told) {
		d->live_told = true;
		hit(t, ev->ts, "%lld MiB more mapped than at the begin, domain %u",
		    (long long)(d->live >> 20), ev->domain);
	} else if (d->live < limit - limit / 8) {
		d->live_told = false; /* not again for each map around the limit */
	}
}

static void on_unmap(struct trigger *t, const struct iot_unmap *ev)
{
	struct domain *d;

	if (t->opts.live_bytes)
		on_live(t, &ev->h, -(__s64)ev->unmapped);
	if (!t->opts.window_ns)
		return;
	d = domain_of(t, ev->h.domain);
	if (d && waiting__unmap(&d->waiting, ev))
		t->error = -ENOMEM;
}

static void on_log(struct trigger *t, const struct iot_log *log)
{
	const struct trigger_opts *o = &t->opts;
	size_t room = log->h.len - sizeof(*log);
	struct klog_record r;
	bool wanted;

	if (!klog__parse(log->text, strnlen(log->text, log->text_len < room ? log->text_len : room),
			 &r))
		return;
	wanted = r.kind == KLOG_FAULT || r.kind == KLOG_SMMU_HEAD ? o->fault
		 : r.kind == KLOG_HANG                            ? o->hang
		 : r.kind == KLOG_RESET                           ? o->reset
		 : r.kind == KLOG_ERROR                           ? o->error
								  : false;
	if (wanted)
		hit(t, log->h.ts, "kernel log: %s%s%s", r.dev, r.dev[0] ? ": " : "",
		    r.signal ? r.signal : "fault");
}

static void forget_windows(struct trigger *t)
{
	for (__u32 i = 0; i < t->nr_domains; i++)
		if (t->domains[i])
			waiting__forget(&t->domains[i]->waiting);
}

static void on_rare(struct trigger *t, const struct iot_event *ev)
{
	const struct iot_fault *fault = (const void *)ev;
	const struct iot_trouble *trouble = (const void *)ev;
	const struct iot_domain *domain = (const void *)ev;
	const struct iot_loss *loss = (const void *)ev;

	switch (ev->id) {
	case IOT_EV_FAULT:
		if (t->opts.fault && fault->iova_known)
			hit(t, ev->ts, "fault at iova 0x%llx, domain %u",
			    (unsigned long long)fault->iova, ev->domain);
		else if (t->opts.fault)
			hit(t, ev->ts, "fault, domain %u", ev->domain);
		break;
	case IOT_EV_HANG:
		if (t->opts.hang)
			hit(t, ev->ts, "hang: %.39s", trouble->what);
		break;
	case IOT_EV_RESET:
		if (t->opts.reset && !trouble->begin) /* else it was told when it began */
			hit(t, ev->ts, "reset: %.39s", trouble->what);
		break;
	case IOT_EV_ERROR:
		if (t->opts.error)
			hit(t, ev->ts, "error: %.39s", trouble->what);
		break;
	case IOT_EV_LOG:
		on_log(t, (const void *)ev);
		break;
	case IOT_EV_DOMAIN:
		if (domain->what == IOT_DOMAIN_FREE && ev->domain < t->nr_domains &&
		    t->domains[ev->domain]) {
			waiting__free(&t->domains[ev->domain]->waiting);
			free(t->domains[ev->domain]);
			t->domains[ev->domain] = NULL;
		}
		break;
	case IOT_EV_LOSS:
		if (loss->cause < 32 && (LOSES_FLUSHES & 1U << loss->cause))
			forget_windows(t);
		break;
	}
}

static void on_hot(struct trigger *t, const struct iot_event *ev)
{
	const struct iot_map *map = (const void *)ev;

	switch (ev->id) {
	case IOT_EV_MAP:
		if (t->opts.live_bytes && !map->ret)
			on_live(t, ev, (__s64)map->size);
		break;
	case IOT_EV_UNMAP:
		on_unmap(t, (const void *)ev);
		break;
	case IOT_EV_FLUSH:
		on_flush(t, (const void *)ev);
		break;
	}
}

/* A flush that never comes would never be seen to be late. */
static void look_at_clock(struct trigger *t, __u64 now)
{
	for (__u32 i = 0; i < t->nr_domains; i++) {
		__u64 oldest = t->domains[i] ? waiting__oldest(&t->domains[i]->waiting) : 0;

		if (oldest && now > oldest && now - oldest > t->opts.window_ns)
			on_window(t, t->domains[i], i, now, oldest);
	}
}

int trigger__feed(struct trigger *t, const void *events, size_t bytes, struct trigger_hit *to)
{
	const char *at = events, *end = at + bytes;
	const struct iot_event *ev = NULL;
	int rc;

	t->hit = to;
	for (; at < end; at += ev->len) {
		ev = (const struct iot_event *)at;
		if (ev->id >= IOT_EV_FAULT)
			on_rare(t, ev);
		else if (t->hot)
			on_hot(t, ev);
	}
	if (t->opts.window_ns && ev)
		look_at_clock(t, ev->ts);
	if (!t->hit)
		return 1;
	rc = t->error;
	t->error = 0;
	return rc;
}

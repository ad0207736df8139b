// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/analysis.h"

#include <errno.h>
#include <stdlib.h>

#include "analyze/pages.h"
#include "analyze/trouble.h"
#include "analyze/verdict.h"

static const __u16 least[] = {
	[IOT_EV_MAP] = sizeof(struct iot_map),
	[IOT_EV_UNMAP] = sizeof(struct iot_unmap),
	[IOT_EV_FLUSH] = sizeof(struct iot_flush),
	[IOT_EV_IOVA_ALLOC] = sizeof(struct iot_iova),
	[IOT_EV_IOVA_FREE] = sizeof(struct iot_iova),
	[IOT_EV_INVALIDATE] = sizeof(struct iot_invalidate),
	[IOT_EV_TABLE_ALLOC] = sizeof(struct iot_table),
	[IOT_EV_TABLE_FREE] = sizeof(struct iot_table),
	[IOT_EV_SUBMIT] = sizeof(struct iot_submit),
	[IOT_EV_FAULT] = sizeof(struct iot_fault),
	[IOT_EV_HANG] = sizeof(struct iot_trouble),
	[IOT_EV_RESET] = sizeof(struct iot_trouble),
	[IOT_EV_LOG] = sizeof(struct iot_log),
	[IOT_EV_DOMAIN] = sizeof(struct iot_domain),
	[IOT_EV_ATTACH] = sizeof(struct iot_attach),
	[IOT_EV_DETACH] = sizeof(struct iot_attach),
	[IOT_EV_MODULE] = sizeof(struct iot_module),
	[IOT_EV_LOSS] = sizeof(struct iot_loss),
	[IOT_EV_COVERAGE] = sizeof(struct iot_coverage),
	[IOT_EV_CAPTURE] = sizeof(struct iot_capture),
	[IOT_EV_ERROR] = sizeof(struct iot_trouble),
	[IOT_EV_TEARDOWN] = sizeof(struct iot_teardown),
	[IOT_EV_TALLY] = sizeof(struct iot_tally),
	[IOT_EV_PAGE_REQUEST] = sizeof(struct iot_page_request),
	[IOT_EV_PAGE_RESPONSE] = sizeof(struct iot_page_response),
	[IOT_EV_DEVICE] = sizeof(struct iot_device),
	[IOT_EV_STACK] = sizeof(struct iot_stack),
	[IOT_EV_SYMBOL] = sizeof(struct iot_symbol),
	[IOT_EV_ATTR] = sizeof(struct iot_attr),
	[IOT_EV_CLOCK] = sizeof(struct iot_clock),
	[IOT_EV_REGION] = sizeof(struct iot_region),
};
#define NR_LEAST (sizeof(least) / sizeof(least[0]))

int analysis__new(struct analysis **out, const struct analysis_opts *opts)
{
	struct analysis *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	err = model__init(&a->model, opts ? opts->history : 0);
	if (err) {
		free(a);
		return err;
	}
	err = timeline__init(&a->timeline);
	if (!err && opts && opts->iova)
		err = journey__new(&a->journey, *opts->iova);
	if (err) {
		analysis__free(a);
		return err;
	}
	if (opts) {
		a->scope = opts->scope;
		a->folded.id = opts->folded;
	}
	*out = a;
	return 0;
}

void analysis__free(struct analysis *a)
{
	if (!a)
		return;
	incidents__free(&a->incidents);
	journey__free(a->journey);
	folded__free(&a->folded);
	model__free(&a->model);
	timeline__free(&a->timeline);
	free(a);
}

/* What only some ask for. */
static int watch(struct analysis *a, const struct iot_event *ev)
{
	if (!a->model.in_scope)
		return 0;
	if (a->journey)
		journey__event(a->journey, &a->model, ev);
	return a->folded.id ? folded__event(&a->folded, ev) : 0;
}

static int on_line(void *ctx, const union logline_event *ev)
{
	struct analysis *a = ctx;
	int err;

	a->log_matched++;
	a->model.in_scope = logline__in_scope(a->scope, &a->model, &ev->h);
	model__event(&a->model, &ev->h);
	err = watch(a, &ev->h);
	if (err)
		return err;
	switch (ev->h.id) {
	case IOT_EV_FAULT:
		return incidents__fault(&a->incidents, &a->model, &ev->fault);
	case IOT_EV_HANG:
		return trouble__hang(&a->incidents, &a->model, &ev->trouble);
	case IOT_EV_RESET:
		return trouble__reset(&a->incidents, &a->model, &ev->trouble);
	case IOT_EV_ERROR:
		return trouble__error(&a->incidents, &a->model, &ev->trouble);
	default:
		return 0;
	}
}

int analysis__event(struct analysis *a, const struct iot_event *ev)
{
	const void *body = ev;
	int err = 0;

	a->events++;
	if (ev->len < (ev->id < NR_LEAST ? least[ev->id] : sizeof(*ev))) {
		a->malformed++;
		return 0;
	}
	if (ev->flags & IOT_F_DERIVED)
		return 0;
	a->model.in_scope = !a->scope || scope__event(a->scope, ev);
	a->in_scope += a->model.in_scope && ev->id < IOT_EV_DEVICE;
	timeline__event(&a->timeline, &a->model, ev);
	model__event(&a->model, ev);
	if ((a->journey || a->folded.id) && watch(a, ev))
		a->model.error = -ENOMEM;
	switch (ev->id) {
	case IOT_EV_FLUSH:
		if (trouble__wants(&a->incidents, body))
			err = trouble__flush(&a->incidents, &a->model, body);
		break;
	case IOT_EV_FAULT:
		err = incidents__fault(&a->incidents, &a->model, body);
		break;
	case IOT_EV_HANG:
		err = trouble__hang(&a->incidents, &a->model, body);
		break;
	case IOT_EV_RESET:
		err = trouble__reset(&a->incidents, &a->model, body);
		break;
	case IOT_EV_ERROR:
		err = trouble__error(&a->incidents, &a->model, body);
		break;
	case IOT_EV_PAGE_RESPONSE:
		pages__answer(&a->incidents, &a->model, body);
		break;
	case IOT_EV_LOG:
		a->log_lines++;
		err = logline__feed(&a->lines[IOT_ORIGIN(ev->flags)], &a->model, body, on_line, a);
		break;
	}
	if (!err)
		err = a->model.error ? a->model.error : scope__error(a->scope);
	if (err && !a->error)
		a->error = err;
	return err;
}

bool analysis__faults_are_floor(const struct analysis *a)
{
	const __u32 causes = 1U << IOT_LOST_RARE | 1U << IOT_LOST_RECURSION |
			     1U << IOT_LOST_RATELIMIT | 1U << IOT_LOST_WRITER |
			     1U << IOT_LOST_DAMAGE | 1U << IOT_LOST_RECORD;

	/* what only the log tells is rate limited, whether the log says so or not */
	for (__u32 i = 0; i < a->incidents.nr; i++)
		if (a->incidents.list[i]->nr_faults && a->incidents.list[i]->reported_by_log_only)
			return true;
	return model__lost(&a->model, 0, ~0ULL, causes) != NULL;
}

static __u64 suppressed_near(const struct model *m, const struct incident *i)
{
	__u64 nr = 0;

	for (size_t n = 0; n < m->nr_losses; n++) {
		const struct model_loss *l = &m->losses[n];

		if (l->cause == IOT_LOST_RATELIMIT && l->begin <= i->last_fault &&
		    l->end >= i->first_fault)
			nr += l->count;
	}
	return nr;
}

void analysis__finish(struct analysis *a)
{
	int err = 0;

	for (int i = 0; !err && i < IOT_ORIGINS; i++)
		err = logline__end(&a->lines[i], &a->model, on_line, a);

	if (err && !a->error)
		a->error = err;
	a->model.origin = MODEL_ANY_ORIGIN;
	model__add_up(&a->model);
	timeline__update(&a->timeline, &a->model);
	if (a->scope)
		incidents__drop(&a->incidents);
	for (__u32 n = 0; n < a->incidents.nr; n++) {
		struct incident *i = a->incidents.list[n];

		i->suppressed = i->nr_faults ? suppressed_near(&a->model, i) : 0;
		verdict__judge(i, &a->model, &a->incidents.work);
	}
}

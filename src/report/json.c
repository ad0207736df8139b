// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "report/advice.h"
#include "report/early.h"
#include "report/evidence.h"
#include "report/explain.h"
#include "report/explain_page.h"
#include "report/journey.h"
#include "report/kin.h"
#include "report/json_stats.h"
#include "report/why.h"
#include "report/report.h"
#include "report/requests.h"
#include "report/submits.h"
#include "report/summary.h"
#include "report/words.h"

static json *device_json(const struct model *m, const struct model_device *d)
{
	json *o = json_object_new_object();
	char related[400];

	put_u64(o, "number", d->nr);
	put_u64(o, "origin", d->origin);
	put_text(o, "name", d->name);
	put_text(o, "driver", d->driver);
	put_text(o, "bus", d->bus);
	put_text(o, "iommu", d->iommu);
	put_text(o, "physfn", d->physfn);
	put(o, "virtfns", kin__json(m, d, kin__is_vf_of));
	put(o, "group", d->group >= 0 ? json_object_new_int(d->group) : NULL);
	put(o, "group_devices", kin__json(m, d, kin__share_group));
	put_text(o, "related", kin__text(m, d, related, sizeof(related)));
	if (d->rid_known)
		put_hex(o, "rid", d->rid);
	else
		put(o, "rid", NULL);
	put_nonzero(o, "domain", d->domain);
	put_nonzero(o, "dma_bits", d->dma_bits);
	put(o, "numa_node", d->node_known ? json_object_new_int64(d->node) : NULL);
	put(o, "stats", json_stats(&d->stats));
	put(o, "numa", json_numa(m, d));
	return o;
}

static json *domain_json(const struct analysis *a, const struct model_domain *d)
{
	json *o = json_object_new_object(), *devs = json_object_new_array();
	const struct model *m = &a->model;

	put_u64(o, "number", d->nr);
	put_text(o, "type", d->type_known ? words__domain_type(d) : NULL);
	put_text(o, "owner", words__domain_user(d));
	put_text(o, "mode", strcmp(words__domain_mode(d), "-") ? words__domain_mode(d) : NULL);
	put(o, "group", d->group >= 0 ? json_object_new_int(d->group) : NULL);
	put(o, "older_than_capture", json_object_new_boolean(d->snapshot));
	put_nonzero(o, "freed_ns", d->freed);
	for (size_t i = 0; i < d->nr_devs; i++)
		json_object_array_add(devs,
				      json_object_new_string(words__device_name(m, d->devs[i]).s));
	put(o, "devices", devs);
	put_u64(o, "live_mappings", d->live.nr);
	put_u64(o, "live_bytes", d->live_bytes);
	put_u64(o, "live_bytes_max", d->live_bytes_max);
	put_u64(o, "maps_over_live", d->replaced);
	put_u64(o, "windows_not_measured", d->pending.forgotten);
	put(o, "stats", json_stats(&d->stats));
	put(o, "iova_over_time", json_iova_over_time(d));
	put(o, "strict_or_lazy", json_whatif(a, d));
	return o;
}

/* unmap_ts 0: it was mapped at the moment of the fault. */
static json *mapping_json(const struct dead *d, const struct model *m)
{
	json *o = json_object_new_object();

	put_hex(o, "start", d->start);
	put_hex(o, "last", d->last);
	put_u64(o, "domain", d->domain);
	put_nonzero(o, "map_ns", d->map_ts);
	put_nonzero(o, "map_tid", d->map_ts ? d->map_tid : 0);
	put(o, "map_stack", stack_json(m, d->map_stack));
	put_nonzero(o, "unmap_ns", d->unmap_ts);
	return o;
}

static json *owner_json(const struct incident_fault *f, const struct model *m)
{
	const struct dead *d = &f->dead;
	json *o;

	if (!f->has_live && !f->has_dead)
		return NULL;
	o = json_object_new_object();
	put_hex(o, "start", f->has_live ? f->live.start : d->start);
	put_hex(o, "last", f->has_live ? f->live.last : d->last);
	put(o, "still_mapped", json_object_new_boolean(f->has_live));
	put_nonzero(o, "map_ns", f->has_live ? f->live.ts : d->map_ts);
	put_nonzero(o, "map_tid", f->has_live ? f->live.tid : d->map_tid);
	put(o, "map_stack", stack_json(m, f->has_live ? f->live.stack : d->map_stack));
	if (f->has_live)
		return o;
	put_u64(o, "unmap_ns", d->unmap_ts);
	put_u64(o, "unmap_tid", d->unmap_tid);
	put_u64(o, "unmap_cpu", d->unmap_cpu);
	put(o, "unmap_in_interrupt", json_object_new_boolean(d->unmap_flags & IOT_F_IRQ));
	put(o, "unmap_stack", stack_json(m, d->unmap_stack));
	put_text(o, "mode", words__mode(d->mode));
	put(o, "flushed", json_object_new_boolean(d->flushed));
	if (d->flushed) {
		put_u64(o, "flush_begin_ns", d->flush_begin);
		put_u64(o, "flush_end_ns", d->flush_end);
		put_text(o, "flush_why", words__why(d->flush_why));
		put_u64(o, "window_ns", d->flush_end - d->unmap_ts);
		put_u64(o, "flush_epoch", d->epoch);
	}
	put(o, "reused", f->has_reuse ? mapping_json(&f->reuse, m) : NULL);
	return o;
}

/* What the verdict rests on where it isn't the address's own mapping; NULL = it is. */
static json *clue_json(const struct incident_fault *f, const struct model *m)
{
	json *o = json_object_new_object();

	switch (f->judgement.verdict) {
	case VERDICT_PAST_END:
	case VERDICT_BEFORE_START:
		put_u64(o, "distance", f->distance);
		put(o, "mapping", mapping_json(&f->neighbour, m));
		return o;
	case VERDICT_TRUNCATED:
		put_hex(o, "iova", f->cut_iova);
		put_u64(o, "bits", f->cut_bits);
		put(o, "mapping", mapping_json(&f->cut, m));
		return o;
	case VERDICT_OTHER_DOMAIN:
		put(o, "mapping", mapping_json(f->has_former ? &f->former : &f->other, m));
		put_nonzero(o, "left_ns", f->has_former ? f->former_left : 0);
		return o;
	case VERDICT_TORN_DOWN:
		put(o, "mapping", f->has_former ? mapping_json(&f->former, m) : NULL);
		put_nonzero(o, "left_ns", f->has_left ? f->left : 0);
		return o;
	case VERDICT_RESERVED: {
		static const char *const kinds[] = { NULL,       "direct", "direct_relaxable",
						     "reserved", "msi",    "sw_msi" };

		put_hex(o, "first", f->region.first);
		put_hex(o, "last", f->region.last);
		put_text(o, "kind",
			 f->region.kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[f->region.kind]
									   : NULL);
		return o;
	}
	default:
		json_object_put(o);
		return NULL;
	}
}

static void put_judgement(json *o, const struct judgement *j)
{
	put_text(o, "verdict", words__verdict_id(j->verdict));
	put_text(o, "confidence", words__confidence(j->confidence));
	put_text(o, "reason", j->reason);
}

static json *fault_json(const struct incident_fault *f, const struct model *m)
{
	json *o = json_object_new_object();
	char iommu[16];

	put_u64(o, "first_ns", f->first);
	put_u64(o, "last_ns", f->last);
	put_u64(o, "count", f->count);
	put_nonzero(o, "device", f->dev);
	put_nonzero(o, "domain", f->domain);
	if (f->iova_known)
		put_hex(o, "iova", f->iova);
	else
		put(o, "iova", NULL);
	put_text(o, "access", f->access ? words__access(f->access) : NULL);
	put_u64(o, "reason_code", f->reason);
	put(o, "pasid", f->pasid_known ? json_object_new_int64(f->pasid) : NULL);
	snprintf(iommu, sizeof(iommu), "dmar%u", f->iommu - 1U);
	put_text(o, "recorded_by", f->iommu ? iommu : NULL);
	put_u64(o, "seen_by_hook",
		f->seen[IOT_SRC_REPORT] + f->seen[IOT_SRC_TRACEPOINT] + f->seen[IOT_SRC_HOOK]);
	put_u64(o, "seen_in_log", f->seen[IOT_SRC_LOG]);
	put(o, "stack", stack_json(m, f->stack));
	put(o, "owner", owner_json(f, m));
	put(o, "clue", clue_json(f, m));
	put_judgement(o, &f->judgement);
	return o;
}

static const char *relation_name(const struct relation *r)
{
	static const char *const names[] = {
		[RELATION_NONE] = "none",           [RELATION_SAME] = "same_device",
		[RELATION_GROUP] = "same_group",    [RELATION_PHYSFN] = "physfn",
		[RELATION_VF_OFFSET] = "vf_offset", [RELATION_BRIDGE] = "bridge",
		[RELATION_FUNCTION] = "function",   [RELATION_IOMMU] = "same_iommu",
		[RELATION_UNSAID] = "time_only",
	};

	return names[r->kind];
}

static json *stall_json(const struct incident_stall *s, const struct model *m)
{
	json *o;

	if (!s->count)
		return NULL;
	o = json_object_new_object();
	put_u64(o, "count", s->count);
	put_u64(o, "begin_ns", s->begin);
	put_u64(o, "end_ns", s->end);
	put_nonzero(o, "median_ns", s->median);
	put_u64(o, "domain", s->domain);
	put_nonzero(o, "device", s->dev);
	put_text(o, "device_name", words__device_name(m, s->dev).s);
	put_text(o, "why", words__why(s->why));
	put_text(o, "relation", relation_name(&s->relation));
	return o;
}

static json *page_json(const struct incident_page *p, const struct model *m)
{
	json *o, *iovas;
	char answer[24];

	if (!p->count)
		return NULL;
	o = json_object_new_object();
	iovas = json_object_new_array();
	put_u64(o, "count", p->count);
	put_text(o, "end", explain__fate(p->fate));
	put(o, "doubtful", json_object_new_boolean(p->doubt));
	put_u64(o, "device", p->dev);
	put_text(o, "device_name", words__device_name(m, p->dev).s);
	put(o, "pasid", p->pasid_valid ? json_object_new_uint64(p->pasid) : NULL);
	put_u64(o, "group", p->prgi);
	put_nonzero(o, "asked_ns", p->asked ? p->group.since : 0);
	for (__u32 n = 0; n < p->group.nr && n < REQUESTS_PAGES; n++)
		json_object_array_add(iovas, hex_json(p->group.iovas[n]));
	put(o, "addresses", iovas);
	put_u64(o, "requests", p->group.nr);
	put_u64(o, "permissions", p->group.perm);
	put_nonzero(o, "answered_ns", p->answered);
	put_text(o, "answer",
		 !p->answered                  ? NULL
		 : p->code == IOT_PAGE_REFUSED ? "REFUSED"
					       : explain__answer(p->code, answer, sizeof(answer)));
	put(o, "result", json_object_new_int(p->ret));
	put_nonzero(o, "latency_ns", p->latency);
	put_nonzero(o, "tid", p->answered && !p->in_irq ? p->tid : 0);
	put(o, "same_page", json_object_new_boolean(p->same_page));
	return o;
}

static json *share_json(const struct incident_share *s)
{
	json *o;

	if (!s->known)
		return NULL;
	o = json_object_new_object();
	put_u64(o, "window_ns", s->window);
	put_u64(o, "domain", s->domain);
	put_u64(o, "flushes", s->flushes);
	put_u64(o, "flush_ns", s->flush_ns);
	put_u64(o, "flush_longest_ns", s->flush_longest);
	put_u64(o, "iova_allocs", s->allocs);
	put_u64(o, "iova_alloc_ns", s->alloc_ns);
	put_u64(o, "iova_alloc_longest_ns", s->alloc_longest);
	return o;
}

static json *trouble_json(const struct incident_trouble *t, const struct model *m, bool is_error)
{
	static const char *const errors[] = { "other", "aer", "invalidation", "iommu" };
	json *o;

	if (!t->count)
		return NULL;
	o = json_object_new_object();
	put_u64(o, "first_ns", t->ts);
	put_u64(o, "last_ns", t->last);
	put_u64(o, "count", t->count);
	put_nonzero(o, "device", t->dev);
	put_text(o, "device_name", words__device_name(m, t->dev).s);
	put_text(o, "signal", t->what);
	put(o, "queue", t->queue >= 0 ? json_object_new_int(t->queue) : NULL);
	put_nonzero(o, "stalled_ns", t->stalled);
	put_nonzero(o, "begin_ns", t->end ? t->ts : 0);
	put_nonzero(o, "end_ns", t->end);
	put(o, "result", json_object_new_int(t->ret));
	put_text(o, "relation", relation_name(&t->relation));
	if (is_error)
		put_text(o, "kind", t->kind < 4 ? errors[t->kind] : NULL);
	return o;
}

/* Takes the text and frees it. */
static void put_own_text(json *o, const char *key, char *text)
{
	put_text(o, key, text);
	free(text);
}

static json *incident_json(const struct incident *i, __u32 nr, const struct model *m)
{
	json *o = json_object_new_object(), *faults = json_object_new_array(),
	     *lines = json_object_new_array(), *notes = json_object_new_array();
	struct evidence_list list;

	put_u64(o, "number", nr);
	put_u64(o, "first_ns", i->first);
	put_u64(o, "last_ns", i->last);
	put_nonzero(o, "device", i->dev);
	put_text(o, "device_name", words__device_name(m, i->dev).s);
	put_own_text(o, "title", explain__title(i, m));
	put_own_text(o, "explanation", explain__paragraph(i, m));
	put_judgement(o, &i->judgement);
	put_u64(o, "fault_count", i->nr_faults);
	put(o, "fault_count_is_floor", json_object_new_boolean(i->floor));
	put_u64(o, "suppressed_log_lines", i->suppressed);
	for (__u32 n = 0; n < i->nr_kept; n++)
		json_object_array_add(faults, fault_json(i->faults[n], m));
	put(o, "faults", faults);
	put(o, "hang", trouble_json(&i->hang, m, false));
	put(o, "reset", trouble_json(&i->reset, m, false));
	put(o, "reset_before", trouble_json(&i->before, m, false));
	put(o, "error", trouble_json(&i->error, m, true));
	put(o, "stall", stall_json(&i->stall, m));
	put(o, "page_request", page_json(&i->page, m));
	put(o, "iommu_share", share_json(&i->share));
	put(o, "iommu_cleared", json_object_new_boolean(i->cleared));
	put_text(o, "next", advice__next(i, m));
	evidence__collect(&list, i, m);
	for (int n = 0; n < list.nr; n++) {
		json *e = json_object_new_object();

		put_u64(e, "ts_ns", list.items[n].ts);
		put(e, "offset_ns", json_object_new_int64((int64_t)(list.items[n].ts - list.zero)));
		put_text(e, "what", list.items[n].what);
		put_text(e, "text", list.items[n].text);
		json_object_array_add(lines, e);
	}
	put(o, "evidence", lines);
	for (__u32 n = 0; n < i->nr_notes; n++)
		json_object_array_add(notes, json_object_new_string(i->notes[n]));
	put(o, "not_seen", notes);
	return o;
}

static json *losses_json(const struct model *m)
{
	json *all = json_object_new_array();

	for (size_t i = 0; i < m->nr_losses; i++) {
		const struct model_loss *l = &m->losses[i];
		json *o = json_object_new_object();

		put_text(o, "cause", words__loss(l->cause));
		put_u64(o, "cause_code", l->cause);
		put_text(o, "what", l->what);
		put_u64(o, "count", l->count);
		put_u64(o, "begin_ns", l->begin);
		put_u64(o, "end_ns", l->end);
		json_object_array_add(all, o);
	}
	return all;
}

static json *checks_json(const struct model *m)
{
	json *all = json_object_new_array();

	for (size_t i = 0; i < m->nr_checks; i++) {
		const struct iot_coverage *c = &m->checks[i];
		__u64 off = c->ours > c->control ? c->ours - c->control : c->control - c->ours;
		json *o = json_object_new_object();

		put_text(o, "check", words__check(c->check));
		put_u64(o, "check_code", c->check);
		put_nonzero(o, "domain", c->h.domain);
		put_u64(o, "ours", c->ours);
		put_u64(o, "control", c->control);
		put_u64(o, "slack", c->slack);
		put(o, "passed", json_object_new_boolean(off <= c->slack));
		json_object_array_add(all, o);
	}
	return all;
}

/* NULL: it isn't merged. */
static json *origins_json(const struct model *m)
{
	json *all = m->merged ? json_object_new_array() : NULL;

	for (int i = 0; all && i < IOT_ORIGINS; i++) {
		const char *what = words__origin(m, i);
		json *o;

		if (!what)
			continue;
		o = json_object_new_object();
		put_u64(o, "number", (__u64)i);
		put_text(o, "what", what);
		json_object_array_add(all, o);
	}
	return all;
}

struct json_object *report__json(const struct analysis *a)
{
	const struct model *m = &a->model;
	json *o = json_object_new_object(), *capture = json_object_new_object(),
	     *incidents = json_object_new_array(), *devices = json_object_new_array(),
	     *domains = json_object_new_array();
	const struct model_device **devs;
	const struct model_domain **doms;
	size_t nr;

	if (!o || !capture || !incidents || !devices || !domains) {
		json_object_put(o);
		json_object_put(capture);
		json_object_put(incidents);
		json_object_put(devices);
		json_object_put(domains);
		return NULL;
	}
	put_u64(o, "schema", REPORT_SCHEMA);
	put_nonzero(capture, "attach_begin_ns", m->attach_begin);
	put_nonzero(capture, "begin_ns", m->capture_begin);
	put_nonzero(capture, "end_ns", m->capture_end);
	put_nonzero(capture, "first_event_ns", m->first);
	put_nonzero(capture, "last_event_ns", m->last);
	put_nonzero(capture, "real_minus_monotonic_ns", m->mono_to_real);
	put_u64(capture, "events", a->events);
	put(capture, "events_in_scope", a->scope ? json_object_new_uint64(a->in_scope) : NULL);
	put_u64(capture, "log_lines", a->log_lines);
	put_u64(capture, "refused_events", m->refused);
	put_u64(capture, "uncounted_events", m->uncounted);
	put_u64(capture, "malformed_events", a->malformed);
	put(capture, "out_of_memory", json_object_new_boolean(a->error != 0));
	put(o, "origins", origins_json(m));
	put_text(o, "scope", scope__text(a->scope));
	put(capture, "before", early__json(m));
	put(o, "capture", capture);
	for (__u32 n = 0; n < a->incidents.nr; n++)
		json_object_array_add(incidents, incident_json(a->incidents.list[n], n + 1, m));
	put(o, "incidents", incidents);
	put_u64(o, "incidents_dropped", a->incidents.dropped);
	put_u64(o, "incidents_out_of_scope", a->incidents.out_of_scope);
	put(o, "totals", json_stats(&m->total));
	put(o, "faults_are_floor", json_object_new_boolean(analysis__faults_are_floor(a)));
	devs = summary__devices(m, &nr);
	for (size_t i = 0; i < nr; i++)
		json_object_array_add(devices, device_json(m, devs[i]));
	free(devs);
	put(o, "devices", devices);
	doms = summary__domains(m, &nr);
	for (size_t i = 0; i < nr; i++)
		json_object_array_add(domains, domain_json(a, doms[i]));
	free(doms);
	put(o, "domains", domains);
	put(o, "why", report__why_json(a));
	put(o, "journey", journey__json(a));
	put(o, "submissions", submits__json(m->submits));
	put(o, "page_requests", requests__json(m, 0));
	put(o, "leaks", NULL); /* who asked for them, puts them */
	put(o, "losses", losses_json(m));
	put(o, "coverage", checks_json(m));
	return o;
}

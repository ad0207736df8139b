// SPDX-License-Identifier: GPL-2.0-only
#include "collect/collect.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "collect/aer.h"
#include "collect/choosers.h"
#include "collect/facts.h"
#include "collect/hooks.h"
#include "collect/internal.h"
#include "collect/offers.h"
#include "collect/programs.h"
#include "collect/rare.h"
#include "collect/symbols.h"
#include "collect/sysfs.h"
#include "collect/targets.h"
#include "collect/types.h"
#include "collect/world.h"
#include "iommutop.skel.h"

#define SETTLE_NS 1000000000ULL /* how long __stop() waits for what programs have reserved */
#define SLOW_NS   1000000000ULL /* how often counters that cost a system call each are read */

/* --- setting up
 * ------------------------------------------------------------------------------------------------
 */

static int map_window(struct bpf_map *map, struct window *w, struct error *err)
{
	long page = sysconf(_SC_PAGESIZE);

	w->bytes = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
	w->bytes = (w->bytes + (size_t)page - 1) & ~((size_t)page - 1);
	w->mem = mmap(NULL, w->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (w->mem == MAP_FAILED) {
		w->mem = NULL;
		return error__set(err, -errno, "mapping %zu bytes of a BPF map failed: %s",
				  w->bytes, strerror(errno));
	}
	return 0;
}

static int make_windows(struct collect *c, struct error *err)
{
	int rc = 0;

	c->state = &c->skel->data_state->state;
	if (c->opts.stream)
		rc = map_window(c->skel->maps.hot, &c->hot, err);
	if (!rc && !c->opts.stream)
		rc = map_window(c->skel->maps.live, &c->live_counters, err);
	if (!rc && !c->opts.stream && c->opts.hw)
		rc = map_window(c->skel->maps.live_submits, &c->live_submits, err);
	if (!rc && c->opts.invariants)
		rc = map_window(c->skel->maps.tallies, &c->tallies, err);
	if (rc)
		return rc;
	c->rare = rare__new(bpf_map__fd(c->skel->maps.rare), events__rare, c);
	c->rings = rings__new(c->state->cpus, c->hot.mem, c->opts.stream ? c->knobs.nr_cpus : 0,
			      c->ring_slots, c->opts.hold_ns ? c->opts.hold_ns : 10000000,
			      c->opts.memory);
	c->roles = roles__new(c->skel->obj, c->types);
	if (c->opts.invariants || c->opts.hw)
		c->drivers = drivers__new(
			c->types,
			&(struct drivers_want){ c->opts.invariants, c->opts.tables, c->opts.hw });
	c->tally = (struct tally){ .counts = c->tallies.mem,
				   .doms = c->state->doms,
				   .nr_cpus = c->knobs.nr_cpus,
				   .nr_places = c->nr_places };
	c->hooks = hooks__new(c->skel->obj, &c->knobs, &c->plan, c->types);
	c->world = world__new(events__add, c, NULL, bpf_program__fd(c->skel->progs.look_at_devices),
			      bpf_map__fd(c->skel->maps.devs));
	c->live = live__new(c->state, c->live_counters.mem, c->live_submits.mem, &c->knobs);
	c->seen = calloc(c->knobs.nr_cpus, sizeof(*c->seen));
	c->misses_seen = calloc(plan_nr_points, sizeof(*c->misses_seen));
	c->stack_told = calloc(1, bpf_map__max_entries(c->skel->maps.stacks) + 1);
	c->task_told = calloc(c->opts.stacks ? TASKS_MAX : 1, 1);
	if (((c->opts.invariants || c->opts.hw) && !c->drivers) || !c->task_told || !c->rare ||
	    !c->rings || !c->roles || !c->hooks || !c->world || !c->live || !c->seen ||
	    !c->misses_seen || !c->stack_told)
		return error__set(err, -ENOMEM, "no memory for the collector");
	return 0;
}

int collect__new(struct collect **out, const struct collect_opts *opts, collect_sink sink,
		 void *ctx, struct error *err)
{
	struct collect *c = calloc(1, sizeof(*c));
	int rc;

	*out = NULL;
	if (!c)
		return error__set(err, -ENOMEM, "no memory for the collector");
	c->opts = *opts;
	if (c->opts.invariants)
		c->opts.coverage = true;
	c->sink = sink;
	c->ctx = ctx;
	c->links = calloc(plan_nr_points, sizeof(*c->links));
	if (!c->links) {
		rc = error__set(err, -ENOMEM, "no memory for the collector");
		goto fail;
	}
	rc = load__object(c, err);
	if (!rc)
		rc = make_windows(c, err);
	if (rc)
		goto fail;
	*out = c;
	return 0;
fail:
	collect__free(c);
	return rc;
}

static void unmap_window(struct window *w)
{
	if (w->mem)
		munmap(w->mem, w->bytes);
}

static void detach_all(struct collect *c)
{
	for (size_t i = 0; i < plan_nr_points; i++) {
		bpf_link__destroy(c->links[i]);
		c->links[i] = NULL;
	}
	calls__detach(&c->calls);
}

void collect__free(struct collect *c)
{
	if (!c)
		return;
	if (c->links)
		detach_all(c);
	hooks__free(c->hooks);
	roles__free(c->roles);
	drivers__free(c->drivers);
	world__free(c->world);
	rings__free(c->rings);
	live__free(c->live);
	rare__free(c->rare);
	unmap_window(&c->hot);
	unmap_window(&c->live_counters);
	unmap_window(&c->live_submits);
	unmap_window(&c->tallies);
	iommutop_bpf__destroy(c->skel);
	plan__free(&c->plan);
	targets__free(c->targets);
	types__free(c->types);
	btf__free(c->btf);
	kallsyms__free(c->syms);
	symbols__free(c->symbols);
	free(c->links);
	free(c->seen);
	free(c->misses_seen);
	free(c->wants);
	free(c->stack_told);
	free(c->task_told);
	free(c);
}

/* --- life
 * ------------------------------------------------------------------------------------------------------
 */

static int read_rare(struct collect *c, uint64_t now)
{
	int rc = rare__read(c->rare, now);

	if (rc < 0)
		return rc;
	rc = c->pending_err;
	c->pending_err = 0;
	if (!rc)
		rc = events__serve_wants(c);
	return rc;
}

static int tell_capture(struct collect *c, uint32_t what)
{
	struct iot_capture e = { .what = what,
				 .attach_begin =
					 what == IOT_CAPTURE_END ? c->end : c->attach_begin };

	e.h.ts = facts__now();
	e.h.id = IOT_EV_CAPTURE;
	e.h.len = sizeof(e);
	e.h.cpu = 0xffff;
	return collect__add(c, &e.h);
}

static void attach_point(struct collect *c, size_t i, struct bpf_program *prog)
{
	const struct plan_candidate *cand = plan__chosen(&c->plan, i);
	struct plan_choice *ch = &c->plan.choices[i];

	if (cand->kind == PLAN_CALL) {
		ch->attached = !calls__attach(&c->calls, prog, cand, c->syms,
					      bpf_program__fd(c->skel->progs.read_text),
					      ch->why_not[ch->chosen], sizeof(ch->why_not[0]));
		return;
	}
	c->links[i] = bpf_program__attach(prog);
	ch->attached = c->links[i] != NULL;
	ch->absent = false;
	if (!c->links[i])
		snprintf(ch->why_not[ch->chosen], sizeof(ch->why_not[0]),
			 "the kernel refused to attach: %s", strerror(errno));
}

static int attach_all(struct collect *c, struct error *err)
{
	for (size_t i = 0; i < plan_nr_points; i++) {
		struct plan_choice *ch = &c->plan.choices[i];
		struct bpf_program *prog = load__program(c, i);

		if (!prog) {
			ch->attached = ch->chosen >= 0 && ch->wanted &&
				       plan__chosen(&c->plan, i)->kind == PLAN_SYMBOL;
			continue;
		}
		if (plan_points[i].group == PLAN_STRICT) {
			ch->absent = true;
			snprintf(ch->why_not[ch->chosen], sizeof(ch->why_not[0]),
				 "all unmaps here are lazy; attached when that changes");
			continue;
		}
		attach_point(c, i, prog);
		if (!ch->attached && plan_points[i].need == PLAN_VITAL)
			return error__set(err, -errno, "attaching to %s (%s) failed: %s",
					  plan__chosen(&c->plan, i)->function, plan_points[i].sees,
					  strerror(errno));
	}
	hooks__attach(c->hooks);
	return 0;
}

void collect__strict(struct collect *c)
{
	uint64_t told = 1;

	if (c->strict)
		return;
	c->strict = true;
	for (size_t i = 0; i < plan_nr_points; i++) {
		struct bpf_program *prog = load__program(c, i);

		if (plan_points[i].group != PLAN_STRICT)
			continue;
		if (prog)
			attach_point(c, i, prog);
		told &= c->plan.choices[i].attached;
		if (c->running)
			events__point(c, i);
	}
	__atomic_store_n(&c->state->unmaps_told, told, __ATOMIC_RELAXED);
}

static int tell_plan(struct collect *c)
{
	int err = 0;

	for (size_t i = 0; !err && i < plan_nr_points; i++)
		err = events__point(c, i);
	return err;
}

/* Why domains have their types: at the begin, and at the end, when there may be other groups. */
static int tell_choosers(struct collect *c)
{
	uint32_t ret;
	int rc = program__run(bpf_program__fd(c->skel->progs.look_at_choosers), &c->why_vars,
			      sizeof(c->why_vars), &ret);

	return rc ? rc : read_rare(c, facts__now());
}

static int tell_kernel_default(struct collect *c)
{
	struct utsname u;
	int rc;

	if (uname(&u))
		return -errno;
	rc = choosers__kconfig("", u.release, events__add, c);
	return rc ? rc : choosers__quirks("/sys", events__add, c);
}

static uint32_t find_device(void *ctx, const char *name)
{
	return world__find(ctx, name);
}

static int tell_offers(struct collect *c)
{
	uint32_t seen = 0;
	bool hooked = false;
	int rc;

	for (size_t i = 0; i < plan_nr_points; i++)
		if (!strcmp(plan_points[i].name, "teardown-offer"))
			hooked = c->plan.choices[i].attached;
	rc = program__run(bpf_program__fd(c->skel->progs.offers_are_seen), NULL, 0, &seen);
	return rc ? rc : offers__tell(&c->knobs, hooked, seen, events__add, c);
}

static int add_tally(void *ctx, uint32_t place)
{
	struct collect *c = ctx;

	return tally__gone(&c->tally, place, events__add, c);
}

int collect__start(struct collect *c, struct error *err)
{
	struct iot_tell tell = { .end = 0 };
	uint32_t ret = 0;
	int rc;

	rc = program__run(bpf_program__fd(c->skel->progs.look_at_cpus), NULL, 0, &ret);
	if (rc)
		return error__set(err, rc, "a BPF program can't be run: %s", strerror(-rc));
	c->attach_begin = c->begin = c->last_poll = c->last_slow = facts__now();
	if (c->opts.stream)
		early__begin(&c->early);
	rc = attach_all(c, err);
	if (rc)
		return rc;
	rc = program__run(bpf_program__fd(c->skel->progs.snapshot), NULL, 0, &ret);
	if (rc || ret)
		return error__set(err, rc ? rc : -EIO,
				  "the list of IOMMU groups can't be read from the kernel (%s)",
				  rc         ? strerror(-rc)
				  : ret == 2 ? "it has no end"
					     : "iommu_group_kset is not readable");
	/* the domains name their flush functions; then the state from which flushes are counted */
	rc = read_rare(c, facts__now());
	/* without a domain, nobody named any */
	if (!rc && c->drivers)
		rc = events__attach(c);
	if (!rc)
		rc = program__run(bpf_program__fd(c->skel->progs.tell_domains), &tell, sizeof(tell),
				  &ret);
	if (!rc)
		rc = read_rare(c, facts__now());
	if (!rc)
		rc = facts__host(events__add, c);
	if (!rc)
		rc = tell_kernel_default(c);
	if (!rc)
		rc = tell_choosers(c);
	if (!rc)
		rc = tell_plan(c);
	if (!rc && c->opts.invariants)
		rc = tell_offers(c);
	if (!rc)
		rc = sysfs__nodes("/sys", events__add, c);
	if (!rc)
		rc = sysfs__iommus("/sys", events__add, c);
	if (!rc)
		rc = world__tell(c->world);
	if (!rc)
		rc = early__tell(&c->early, find_device, c->world, events__add, c);
	if (!rc) {
		c->begin = c->tally.begin = facts__now();
		rings__activate(c->rings, true);
		__atomic_store_n(&c->state->calls_count, !c->opts.stream, __ATOMIC_RELAXED);
		rc = tell_capture(c, IOT_CAPTURE_BEGIN);
	}
	if (!rc && c->opts.stream)
		rc = rings__start(c->rings);
	if (rc)
		return error__set(err, rc, "starting the capture failed: %s", strerror(-rc));
	c->running = true;
	return 0;
}

static int drain(struct collect *c, bool all)
{
	uint64_t t = facts__now(), late;
	int rc;

	rc = read_rare(c, t);
	if (!rc)
		rc = audit__cpus(c);
	if (!rc && (all || t - c->last_slow >= SLOW_NS)) {
		rc = audit__misses(c);
		if (!rc)
			rc = world__tick(c->world, t);
		c->last_slow = t;
	}
	late = rings__late(c->rings) - c->late_seen;
	if (!rc && late) {
		rc = collect__note_loss(c, IOT_LOST_LATE, c->last_poll, late, "order");
		c->late_seen += late;
		c->counts.late += late;
	}
	if (!rc)
		rc = live__reap(c->live, add_tally, c);
	if (!rc)
		rc = rings__drain(c->rings, rare__read_up_to(c->rare), all, events__deliver, c);
	c->last_poll = t;
	return rc;
}

int64_t collect__poll(struct collect *c, struct error *err)
{
	unsigned int fill;
	int rc = drain(c, false);

	if (rc)
		return error__set(err, rc, "the capture broke off: %s", strerror(-rc));
	fill = rings__fill(c->rings);
	/* the thread that drains the rings has a clock of its own */
	return fill > 25 ? 1000000 : fill > 10 ? 5000000 : 20000000;
}

/* Programs that don't come to their end leave events behind them in their rings. */
static int drain_last(struct collect *c)
{
	uint64_t left, since;
	int rc = drain(c, true);

	left = rings__left(c->rings, &since);
	if (rc || !left)
		return rc;
	rc = collect__note_loss(c, IOT_LOST_RING, since, left, "not published");
	return rc ? rc : rings__drain(c->rings, facts__now(), true, events__deliver, c);
}

int collect__stop(struct collect *c, struct error *err)
{
	struct iot_tell tell = { .end = 1 };
	uint64_t deadline;
	uint32_t ret;
	int rc;

	if (!c->running)
		return 0;
	c->running = false;
	c->end = facts__now();
	/* first: one that ends in between is told of twice rather than not at all */
	rc = c->opts.stream ? audit__unended(c, c->end) : 0;
	rings__activate(c->rings, false);
	rings__stop(c->rings);
	if (!rc)
		rc = program__run(bpf_program__fd(c->skel->progs.tell_domains), &tell, sizeof(tell),
				  &ret);
	if (!rc)
		rc = tell_choosers(c);
	/*
	 * Detaching is left to collect__free(): it takes longer than all the rest of the end, and
	 * programs that begin now find the rings off. Those that had begun before end first.
	 */
	if (!rc)
		rc = programs__wait();
	deadline = facts__now() + SETTLE_NS;
	do {
		if (!rc)
			rc = drain(c, false);
	} while (!rc && !rings__empty(c->rings) && facts__now() < deadline);
	if (!rc)
		rc = audit__cpus(c);
	if (!rc)
		rc = audit__coverage(c);
	if (!rc)
		rc = world__tell(c->world);
	if (!rc)
		rc = tally__end(&c->tally, events__add, c);
	if (!rc)
		rc = tell_capture(c, IOT_CAPTURE_END);
	if (!rc)
		rc = drain_last(c);
	return rc ? error__set(err, rc, "ending the capture failed: %s", strerror(-rc)) : 0;
}

void collect__gaps(const struct collect *c, void (*say)(void *ctx, const char *line), void *ctx)
{
	char line[512];

	for (size_t i = 0; i < plan_nr_points; i++) {
		const struct plan_choice *ch = &c->plan.choices[i];

		if (!ch->wanted || ch->attached || ch->absent)
			continue;
		snprintf(line, sizeof(line), "not seen: %s: %s", plan_points[i].sees,
			 plan__why_not(ch));
		say(ctx, line);
	}
	for (size_t i = 0; i < roles__count(c->roles); i++) {
		const struct role *r = roles__at(c->roles, i);

		if (!r->why_not[0])
			continue;
		snprintf(line, sizeof(line), "not seen: %s by %s (%s): %s",
			 r->kind == ROLE_FREE ? "ends of domains" : "flushes", r->function,
			 role__kind_name(r->kind), r->why_not);
		say(ctx, line);
	}
	if (c->drivers)
		drivers__gaps(c->drivers, say, ctx);
}

struct kallsyms *collect__syms(const struct collect *c)
{
	return c->syms;
}

void collect__counts(const struct collect *c, struct collect_counts *out)
{
	*out = c->counts;
	out->delivered = rings__delivered(c->rings);
}

int collect__live(struct collect *c, int (*each)(void *ctx, const struct live_row *row), void *ctx)
{
	return live__each(c->live, each, ctx);
}

int collect__live_submits(struct collect *c, int (*each)(void *ctx, const struct live_submits *s),
			  void *ctx)
{
	return live__each_submits(c->live, each, ctx);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "collect/collect.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collect/host.h"
#include "collect/live.h"
#include "collect/programs.h"
#include "collect/rings.h"
#include "collect/roles.h"
#include "collect/facts.h"
#include "event.h"
#include "iommutop.skel.h"
#include "shared.h"

#define LOG_BYTES	(256 << 10)	/* a program's verifier log, for the message if it is refused */
#define SETTLE_NS	1000000000ULL	/* how long __stop() waits for programs that were running when detached */
#define SLOW_NS		1000000000ULL	/* how often counters that cost a system call each are read */

/* A BPF map seen through mmap. */
struct window {
	void *mem;
	size_t bytes;
};

struct want {
	enum role_kind kind;
	uint64_t addr;
};

struct collect {
	struct collect_opts opts;
	collect_sink sink;
	void *ctx;

	struct kallsyms *syms;
	struct btf *btf;
	struct plan plan;
	struct iot_knobs knobs;
	uint32_t ring_slots, nr_places;
	struct iommutop_bpf *skel;
	char *logs;
	struct bpf_link **links;	/* plan_nr_points of them */
	struct ring_buffer *rare;
	struct iot_state *state;	/* libbpf's mapping of the BPF objects' global data */
	struct window hot, live_counters;
	struct rings *rings;
	struct roles *roles;
	struct live *live;
	struct iot_cpu *seen;		/* per CPU: what was told of its counters */
	uint64_t *misses_seen;		/* per plan point */
	uint64_t role_misses_seen;
	uint64_t late_seen;
	struct iot_device *devices;	/* as told, to be told again with the driver bound at the end */
	size_t nr_devices;
	struct want *wants;
	size_t nr_wants;
	uint8_t *stack_told;		/* by stack number */
	uint64_t attach_begin, last_poll, last_slow, begin;
	struct collect_counts counts;
	int pending_err;		/* of a callback that can't return one */
	bool running;
};

/* --- setting up ------------------------------------------------------------------------------------------------ */

static uint64_t round_pow2(uint64_t v)
{
	uint64_t p = 1;

	while (p < v)
		p <<= 1;
	return p;
}

static size_t count_groups(void)
{
	size_t n = 0;

	for (char path[64]; n < 65536; n++) {
		snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%zu", n);
		if (access(path, F_OK))
			break;
	}
	return n;
}

static void choose_knobs(struct collect *c)
{
	uint64_t ring = c->opts.ring_bytes;

	c->knobs.mode = c->opts.stream ? IOT_MODE_STREAM : IOT_MODE_LIVE;
	c->knobs.nr_cpus = (uint32_t)libbpf_num_possible_cpus();
	/* 4 MiB hold 65,536 events; on large machines the sum of all rings is what counts */
	if (!ring)
		ring = c->knobs.nr_cpus <= 16 ? 4 << 20 : 1 << 20;
	c->ring_slots = (uint32_t)round_pow2(ring / IOT_HOT_SIZE);
	if (c->ring_slots < 2 * IOT_RING_SLACK)
		c->ring_slots = 2 * IOT_RING_SLACK;
	c->knobs.ring_mask = c->ring_slots - 1;
	/* half full at most, so that four probes find a place */
	c->nr_places = (uint32_t)round_pow2(2 * count_groups() + 128);
	if (c->nr_places > IOT_DOMS_MAX)
		c->nr_places = IOT_DOMS_MAX;
	c->knobs.dom_mask = c->nr_places - 1;
	c->knobs.stacks = c->opts.stacks;
	c->knobs.coverage = c->opts.coverage;
}

static bool is_wanted(const struct collect *c, const struct plan_point *point)
{
	enum plan_group group = point->group;

	if (c->opts.only_snapshot)
		return point->candidates[0].kind == PLAN_SYMBOL;
	switch (group) {
	case PLAN_STREAM:
		return c->opts.stream;
	case PLAN_LIVE:
		return !c->opts.stream;
	case PLAN_IOVA:
		return c->opts.iova && c->opts.stream;
	case PLAN_CONTROL:
		return c->opts.coverage;
	default:
		return true;
	}
}

static int resolve_plan(struct collect *c, struct error *err)
{
	struct ksym kset;

	if (plan__resolve(&c->plan, c->syms, c->btf))
		return error__set(err, -ENOMEM, "no memory for the attach plan");
	for (size_t i = 0; i < plan_nr_points; i++) {
		c->plan.choices[i].wanted = is_wanted(c, &plan_points[i]);
		if (plan_points[i].vital && c->plan.choices[i].wanted && c->plan.choices[i].chosen < 0)
			return error__set(err, -ENOTSUP,
					  "this kernel can't be traced: no hook for '%s' (%s): %s; `iommutop probe` shows "
					  "the whole plan", plan_points[i].name, plan_points[i].sees,
					  c->plan.choices[i].why_not[0]);
	}
	if (kallsyms__count(c->syms, "iommu_group_kset", &kset))
		c->knobs.group_kset = kset.addr;
	return 0;
}

static struct bpf_program *point_program(const struct collect *c, size_t point)
{
	const struct plan_candidate *cand = plan__chosen(&c->plan, point);

	if (!cand || !cand->program || !c->plan.choices[point].wanted)
		return NULL;
	return bpf_object__find_program_by_name(c->skel->obj, cand->program);
}

/* Opens the object with every program that the plan chose pointed at its function, everything else switched off. */
static int open_object(struct collect *c, struct error *err)
{
	struct bpf_program *prog;
	size_t n = 0;
	int rc = 0;

	c->skel = iommutop_bpf__open();
	if (!c->skel)
		return error__set(err, -errno, "opening the BPF object failed: %s", strerror(errno));
	memcpy((void *)&c->skel->rodata->knobs, &c->knobs, sizeof(c->knobs));
	bpf_object__for_each_program(prog, c->skel->obj) {
		bpf_program__set_autoload(prog, bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL);
		bpf_program__set_log_buf(prog, c->logs + n++ * LOG_BYTES, LOG_BYTES);
	}
	for (size_t i = 0; i < plan_nr_points; i++) {
		const struct plan_candidate *cand = plan__chosen(&c->plan, i);

		prog = point_program(c, i);
		if (!prog)
			continue;
		bpf_program__set_autoload(prog, true);
		if (cand->kind != PLAN_TP_BTF && !rc)
			rc = bpf_program__set_attach_target(prog, 0, cand->function);
	}
	if (!rc && c->opts.stream)
		rc = bpf_map__set_max_entries(c->skel->maps.hot, c->knobs.nr_cpus * c->ring_slots);
	if (!rc && !c->opts.stream)
		rc = bpf_map__set_max_entries(c->skel->maps.live, c->knobs.nr_cpus * c->nr_places);
	if (!rc && c->opts.rare_bytes) {
		uint64_t bytes = round_pow2(c->opts.rare_bytes);
		long page = sysconf(_SC_PAGESIZE);

		rc = bpf_map__set_max_entries(c->skel->maps.rare, (uint32_t)(bytes < (uint64_t)page ? (uint64_t)page : bytes));
	}
	return rc ? error__set(err, rc, "setting up the BPF object failed: %s", strerror(-rc)) : 0;
}

/* The line of a verifier log that says what is wrong: the last one before the statistics. */
static void last_complaint(char *log, char *out, size_t size)
{
	char *line, *next, *save = NULL;

	out[0] = 0;
	for (line = strtok_r(log, "\n", &save); line; line = next) {
		next = strtok_r(NULL, "\n", &save);
		if (strncmp(line, "processed ", 10))
			snprintf(out, size, "%s", line);
	}
}

/*
 * The program that the verifier refused, by its log: all others' are empty. Its point is given up; false if the
 * capture can't do without it, or nobody knows which it was.
 */
static bool give_up_refused(struct collect *c, struct error *err)
{
	const char *name = NULL;
	struct bpf_program *prog;
	char why[120];
	size_t n = 0;

	bpf_object__for_each_program(prog, c->skel->obj) {
		char *log = c->logs + n++ * LOG_BYTES;

		if (!log[0])
			continue;
		name = bpf_program__name(prog);
		last_complaint(log, why, sizeof(why));
	}
	for (size_t i = 0; name && i < plan_nr_points; i++) {
		struct plan_choice *ch = &c->plan.choices[i];
		const struct plan_candidate *cand = plan__chosen(&c->plan, i);

		if (!cand || !cand->program || strcmp(cand->program, name))
			continue;
		snprintf(ch->why_not[ch->chosen], sizeof(ch->why_not[0]), "refused by the verifier: %s", why);
		ch->chosen = -1;
		if (!plan_points[i].vital)
			return true;
	}
	if (name)
		error__set(err, -EINVAL, "the kernel's verifier refused the program %s: %s", name, why);
	return false;
}

static int load_object(struct collect *c, struct error *err)
{
	int rc;

	for (;;) {
		memset(c->logs, 0, LOG_BYTES * 64);
		rc = open_object(c, err);
		if (rc)
			return rc;
		rc = iommutop_bpf__load(c->skel);
		if (!rc)
			return 0;
		if (!give_up_refused(c, err))
			break;
		iommutop_bpf__destroy(c->skel);
		c->skel = NULL;
	}
	if (rc == -EPERM)
		return error__set(err, rc,
				  "the kernel doesn't let us load BPF programs: run as root; in a container it needs "
				  "CAP_BPF, CAP_PERFMON and no seccomp filter on bpf()");
	return error__set(err, rc, "loading the BPF programs failed: %s", strerror(-rc));
}

static int map_window(struct bpf_map *map, struct window *w, struct error *err)
{
	long page = sysconf(_SC_PAGESIZE);

	w->bytes = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
	w->bytes = (w->bytes + (size_t)page - 1) & ~((size_t)page - 1);
	w->mem = mmap(NULL, w->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (w->mem == MAP_FAILED) {
		w->mem = NULL;
		return error__set(err, -errno, "mapping %zu bytes of a BPF map failed: %s", w->bytes, strerror(errno));
	}
	return 0;
}

static int on_rare(void *ctx, void *data, size_t size);

static int make_windows(struct collect *c, struct error *err)
{
	int rc = 0;

	c->state = &c->skel->data_state->state;
	if (c->opts.stream)
		rc = map_window(c->skel->maps.hot, &c->hot, err);
	if (!rc && !c->opts.stream)
		rc = map_window(c->skel->maps.live, &c->live_counters, err);
	if (rc)
		return rc;
	c->rare = ring_buffer__new(bpf_map__fd(c->skel->maps.rare), on_rare, c, NULL);
	c->rings = rings__new(c->state->cpus, c->hot.mem, c->opts.stream ? c->knobs.nr_cpus : 0, c->ring_slots,
			      c->opts.hold_ns ? c->opts.hold_ns : 10000000);
	c->roles = roles__new(c->skel->obj, &c->knobs, c->btf);
	c->live = live__new(c->state->doms, c->live_counters.mem, &c->knobs);
	c->seen = calloc(c->knobs.nr_cpus, sizeof(*c->seen));
	c->misses_seen = calloc(plan_nr_points, sizeof(*c->misses_seen));
	c->stack_told = calloc(1, bpf_map__max_entries(c->skel->maps.stacks) + 1);
	if (!c->rare || !c->rings || !c->roles || !c->live || !c->seen || !c->misses_seen || !c->stack_told)
		return error__set(err, -ENOMEM, "no memory for the collector");
	return 0;
}

int collect__new(struct collect **out, const struct collect_opts *opts, collect_sink sink, void *ctx, struct error *err)
{
	struct collect *c = calloc(1, sizeof(*c));
	struct host host;
	int rc;

	*out = NULL;
	if (!c)
		return error__set(err, -ENOMEM, "no memory for the collector");
	c->opts = *opts;
	c->sink = sink;
	c->ctx = ctx;
	c->logs = malloc(LOG_BYTES * 64);
	c->links = calloc(plan_nr_points, sizeof(*c->links));
	if (!c->logs || !c->links) {
		rc = error__set(err, -ENOMEM, "no memory for the collector");
		goto fail;
	}
	host__look(&host);
	rc = host__check(&host, err);
	if (rc)
		goto fail;
	choose_knobs(c);
	if (c->knobs.nr_cpus > IOT_CPUS_MAX) {
		rc = error__set(err, -E2BIG, "this machine has %u possible CPUs; iommutop is built for %u at the most",
				c->knobs.nr_cpus, IOT_CPUS_MAX);
		goto fail;
	}
	rc = kallsyms__load(&c->syms, NULL, err);
	if (rc)
		goto fail;
	c->btf = btf__load_vmlinux_btf();
	if (libbpf_get_error(c->btf)) {
		rc = (int)libbpf_get_error(c->btf);
		c->btf = NULL;
		error__set(err, rc, "the kernel's BTF can't be read: %s", strerror(-rc));
		goto fail;
	}
	rc = resolve_plan(c, err);
	if (!rc)
		rc = load_object(c, err);
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
}

void collect__free(struct collect *c)
{
	if (!c)
		return;
	if (c->links)
		detach_all(c);
	roles__free(c->roles);
	rings__free(c->rings);
	live__free(c->live);
	ring_buffer__free(c->rare);
	unmap_window(&c->hot);
	unmap_window(&c->live_counters);
	iommutop_bpf__destroy(c->skel);
	plan__free(&c->plan);
	btf__free(c->btf);
	kallsyms__free(c->syms);
	free(c->links);
	free(c->logs);
	free(c->seen);
	free(c->misses_seen);
	free(c->devices);
	free(c->wants);
	free(c->stack_told);
	free(c);
}

/* --- events ---------------------------------------------------------------------------------------------------- */

static int add_event(void *ctx, const struct iot_event *ev)
{
	struct collect *c = ctx;
	int err = rings__add(c->rings, ev);

	if (err && !c->pending_err)
		c->pending_err = err;
	return err;
}

int collect__note_loss(struct collect *c, uint32_t cause, uint64_t begin, uint64_t count, const char *what)
{
	struct iot_loss e = { .begin = begin, .count = count, .cause = cause };

	e.h.ts = facts__now();
	e.h.id = IOT_EV_LOSS;
	e.h.len = sizeof(e);
	e.h.cpu = 0xffff;
	snprintf(e.what, sizeof(e.what), "%s", what);
	if (cause != IOT_LOST_LATE)
		c->counts.lost += count;
	return add_event(c, &e.h);
}

static int note_cpu_loss(struct collect *c, uint32_t cpu, uint32_t cause, uint64_t count, const char *what)
{
	struct iot_loss e = { .begin = c->last_poll, .count = count, .cause = cause };

	e.h.ts = facts__now();
	e.h.id = IOT_EV_LOSS;
	e.h.len = sizeof(e);
	e.h.cpu = (uint16_t)cpu;
	snprintf(e.what, sizeof(e.what), "%s", what);
	c->counts.lost += count;
	return add_event(c, &e.h);
}

static int tell_stack(struct collect *c, uint32_t number)
{
	if (!number || number > bpf_map__max_entries(c->skel->maps.stacks) || c->stack_told[number])
		return 0;
	c->stack_told[number] = 1;
	return facts__stack(add_event, c, bpf_map__fd(c->skel->maps.stacks), number, c->syms) == -ENOMEM ? -ENOMEM : 0;
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

static void remember_device(struct collect *c, struct iot_device *dev)
{
	struct iot_device *more;

	facts__complete_device(dev, NULL);
	more = realloc(c->devices, (c->nr_devices + 1) * sizeof(*more));
	if (!more) {
		c->pending_err = -ENOMEM;
		return;
	}
	c->devices = more;
	more[c->nr_devices++] = *dev;
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

static int on_rare(void *ctx, void *data, size_t size)
{
	struct collect *c = ctx;
	union {
		struct iot_event h;
		struct iot_log log;
		struct iot_device dev;
		struct iot_domain domain;
		struct iot_module module;
		char bytes[IOT_EVENT_MAX];
	} e;

	if (size > sizeof(e) || size < sizeof(e.h))
		return 0;
	memcpy(&e, data, size);
	switch (e.h.id) {
	case IOT_EV_LOG:
		cut_log(&e.log);
		break;
	case IOT_EV_DEVICE:
		remember_device(c, &e.dev);
		break;
	case IOT_EV_DOMAIN:
		if (e.domain.what != IOT_DOMAIN_FREE) {
			want_role(c, ROLE_FLUSH_ALL, e.domain.flush_all);
			want_role(c, ROLE_SYNC, e.domain.sync);
			want_role(c, ROLE_SYNC_MAP, e.domain.sync_map);
		}
		break;
	case IOT_EV_MODULE:
		if (e.module.gone)
			roles__module_gone(c->roles, e.module.name);
		break;
	}
	if (e.h.stack)
		tell_stack(c, e.h.stack);
	return add_event(c, &e.h);
}

static int tell_role(struct collect *c, size_t i)
{
	const struct role *r = roles__at(c->roles, i);

	return facts__attr(add_event, c, "flush_fn.%zu=%s %s%s%s%s%s", i, role__kind_name(r->kind), r->function,
			    r->module[0] ? " " : "", r->module, r->why_not[0] ? ": not attached: " : "", r->why_not);
}

/* Attaches to flush functions that domains named since the last time. Ops of a module loaded since need new symbols. */
static int serve_wants(struct collect *c)
{
	bool reloaded = false;
	struct ksym sym;
	int rc, err = 0;

	for (size_t i = 0; i < c->nr_wants; i++) {
		const struct want *w = &c->wants[i];

		if (!reloaded && (kallsyms__at(c->syms, w->addr, &sym) || sym.addr != w->addr)) {
			struct kallsyms *fresh;

			reloaded = true;
			if (!kallsyms__load(&fresh, NULL, NULL)) {
				kallsyms__free(c->syms);
				c->syms = fresh;
			}
		}
		rc = roles__want(c->roles, w->kind, w->addr, c->syms);
		if (rc == -ENOMEM)
			err = rc;
		if (!rc)
			continue;
		if (tell_role(c, roles__count(c->roles) - 1))
			err = -ENOMEM;
		/* flushes by it up to now were not seen; if it can't be attached, none ever will be */
		if (c->running || rc < 0)
			collect__note_loss(c, IOT_LOST_UNHOOKED, c->last_poll, 0,
					   roles__at(c->roles, roles__count(c->roles) - 1)->function);
	}
	c->nr_wants = 0;
	return err;
}

static int deliver(void *ctx, void *events, size_t bytes)
{
	struct collect *c = ctx;
	char *p = events, *end = p + bytes;

	if (c->opts.stacks)
		for (struct iot_event *e; p < end; p += e->len) {
			e = (void *)p;
			tell_stack(c, e->stack);
		}
	return c->sink(c->ctx, events, bytes);
}

/* --- loss ------------------------------------------------------------------------------------------------------ */

static int check_cpus(struct collect *c)
{
	const struct iot_cpu *cpus = c->state->cpus;
	static const struct {
		size_t field;
		uint32_t cause;
		const char *what;
	} checks[] = {
		{ offsetof(struct iot_cpu, lost), IOT_LOST_RING, "hot ring" },
		{ offsetof(struct iot_cpu, rare_lost), IOT_LOST_RARE, "rare ring" },
		{ offsetof(struct iot_cpu, unknown_domain), IOT_LOST_DOMAIN_TABLE, "domain table" },
		{ offsetof(struct iot_cpu, no_begin), IOT_LOST_BEGIN, "flush begin" },
	};
	int err = 0;

	for (uint32_t cpu = 0; cpu < c->knobs.nr_cpus; cpu++) {
		for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
			const uint64_t *nowp = (const void *)((const char *)&cpus[cpu] + checks[i].field);
			uint64_t *seen = (void *)((char *)&c->seen[cpu] + checks[i].field);
			uint64_t value = __atomic_load_n(nowp, __ATOMIC_RELAXED);

			if (value == *seen)
				continue;
			err = note_cpu_loss(c, cpu, checks[i].cause, value - *seen, checks[i].what);
			if (err)
				return err;
			*seen = value;
		}
	}
	return 0;
}

/* Programs that the kernel skipped: one system call a program, so not at every poll. */
static int check_misses(struct collect *c)
{
	uint64_t n;
	int err;

	for (size_t i = 0; i < plan_nr_points; i++) {
		struct bpf_program *prog = point_program(c, i);

		n = prog ? program__misses(bpf_program__fd(prog)) : 0;
		if (n == c->misses_seen[i])
			continue;
		err = collect__note_loss(c, IOT_LOST_RECURSION, c->last_slow, n - c->misses_seen[i],
					 plan_points[i].name);
		if (err)
			return err;
		c->misses_seen[i] = n;
	}
	n = roles__misses(c->roles);
	if (n == c->role_misses_seen)
		return 0;
	err = collect__note_loss(c, IOT_LOST_RECURSION, c->last_slow, n - c->role_misses_seen, "flush");
	c->role_misses_seen = n;
	return err;
}

static int add_coverage(struct collect *c, uint32_t check, uint32_t domain, uint64_t ours, uint64_t control,
			uint32_t slack)
{
	struct iot_coverage e = { .begin = c->begin, .ours = ours, .control = control, .check = check, .slack = slack };

	e.h.ts = facts__now();
	e.h.id = IOT_EV_COVERAGE;
	e.h.len = sizeof(e);
	e.h.cpu = 0xffff;
	e.h.domain = domain;
	return add_event(c, &e.h);
}

/* Hot events, those that found no room included, against those whose domain had a place in the table. */
static int tell_known_domains(struct collect *c)
{
	const struct iot_cpu *cpus = c->state->cpus;
	uint64_t events = 0, unknown = 0;

	for (uint32_t cpu = 0; cpu < c->knobs.nr_cpus; cpu++) {
		events += cpus[cpu].head;
		unknown += cpus[cpu].unknown_domain;
	}
	return add_coverage(c, IOT_CHECK_DOMAIN_KNOWN, 0, events - unknown, events, 0);
}

/* A flush is counted by the kernel when it begins and by us when it ends: one a CPU may be under way. */
static int tell_queue_flushes(struct collect *c)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < c->nr_places; i++) {
		const struct iot_dom *d = &c->state->doms[i];

		if (d->ptr > IOT_DOM_DEAD && d->cookie && (d->fq_ours || d->fq_control))
			err = add_coverage(c, IOT_CHECK_FQ_FLUSHES, d->id, d->fq_ours, d->fq_control, c->knobs.nr_cpus);
	}
	return err;
}

/* Slack: an operation under way on each CPU at begin and end may be in one count and not in the other. */
static int tell_control(struct collect *c)
{
	const struct iot_cpu *cpus = c->state->cpus;
	uint32_t slack = 2 * c->knobs.nr_cpus;
	struct iot_cpu sum = {};
	int err;

	for (uint32_t cpu = 0; cpu < c->knobs.nr_cpus; cpu++) {
		sum.map_bytes += cpus[cpu].map_bytes;
		sum.unmap_bytes += cpus[cpu].unmap_bytes;
		sum.unmaps += cpus[cpu].unmaps;
		sum.tp_map_bytes += cpus[cpu].tp_map_bytes;
		sum.tp_unmap_bytes += cpus[cpu].tp_unmap_bytes;
		sum.tp_unmaps += cpus[cpu].tp_unmaps;
	}
	err = add_coverage(c, IOT_CHECK_MAP_BYTES, 0, sum.map_bytes, sum.tp_map_bytes, slack);
	if (!err)
		err = add_coverage(c, IOT_CHECK_UNMAP_BYTES, 0, sum.unmap_bytes, sum.tp_unmap_bytes, slack);
	if (!err)
		err = add_coverage(c, IOT_CHECK_UNMAP_COUNT, 0, sum.unmaps, sum.tp_unmaps, slack);
	return err;
}

static int tell_coverage(struct collect *c)
{
	int err = tell_queue_flushes(c);

	if (!err && c->opts.stream)
		err = tell_known_domains(c);
	if (!err && c->opts.coverage)
		err = tell_control(c);
	return err;
}

/* --- life ------------------------------------------------------------------------------------------------------ */

/* tell: what tell_domains is run with; NULL for snapshot. */
static int run_program(struct bpf_program *prog, const struct iot_tell *tell, uint32_t *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = tell, .ctx_size_in = tell ? sizeof(*tell) : 0);
	int err = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);

	*ret = opts.retval;
	return err;
}

static int read_rare(struct collect *c)
{
	int rc = ring_buffer__consume(c->rare);

	if (rc < 0)
		return rc;
	rc = c->pending_err;
	c->pending_err = 0;
	if (!rc)
		rc = serve_wants(c);
	return rc;
}

static int tell_capture(struct collect *c, uint32_t what)
{
	struct iot_capture e = { .what = what, .attach_begin = c->attach_begin };

	e.h.ts = facts__now();
	e.h.id = IOT_EV_CAPTURE;
	e.h.len = sizeof(e);
	e.h.cpu = 0xffff;
	return add_event(c, &e.h);
}

static int attach_all(struct collect *c, struct error *err)
{
	for (size_t i = 0; i < plan_nr_points; i++) {
		struct plan_choice *ch = &c->plan.choices[i];
		struct bpf_program *prog = point_program(c, i);

		if (!prog) {
			ch->attached = ch->chosen >= 0 && ch->wanted;
			continue;
		}
		c->links[i] = bpf_program__attach(prog);
		ch->attached = c->links[i] != NULL;
		if (c->links[i])
			continue;
		snprintf(ch->why_not[ch->chosen], sizeof(ch->why_not[0]), "the kernel refused to attach: %s",
			 strerror(errno));
		if (plan_points[i].vital)
			return error__set(err, -errno, "attaching to %s (%s) failed: %s",
					  plan__chosen(&c->plan, i)->function, plan_points[i].sees, strerror(errno));
	}
	return 0;
}

static int tell_plan(struct collect *c)
{
	int err = 0;

	for (size_t i = 0; !err && i < plan_nr_points; i++) {
		const struct plan_choice *ch = &c->plan.choices[i];
		const struct plan_candidate *cand = plan__chosen(&c->plan, i);

		if (ch->attached)
			err = facts__attr(add_event, c, "attach.%s=%s %s", plan_points[i].name,
					   plan__kind_name(cand->kind), cand->function);
		else if (ch->wanted)
			err = facts__attr(add_event, c, "attach.%s=none: %s", plan_points[i].name,
					   ch->why_not[ch->chosen < 0 ? 0 : ch->chosen]);
	}
	return err;
}

int collect__start(struct collect *c, struct error *err)
{
	uint32_t ret = 0;
	int rc;

	c->attach_begin = c->begin = c->last_poll = c->last_slow = facts__now();
	rc = attach_all(c, err);
	if (rc)
		return rc;
	rc = run_program(c->skel->progs.snapshot, NULL, &ret);
	if (rc || ret)
		return error__set(err, rc ? rc : -EIO, "the list of IOMMU groups can't be read from the kernel (%s)",
				  rc ? strerror(-rc) : ret == 2 ? "it has no end" : "iommu_group_kset is not readable");
	/* the domains name their flush functions; then the state from which flushes are counted */
	rc = read_rare(c);
	if (!rc)
		rc = run_program(c->skel->progs.tell_domains, &(struct iot_tell){ .end = 0 }, &ret);
	if (!rc)
		rc = read_rare(c);
	if (!rc)
		rc = facts__host(add_event, c);
	if (!rc)
		rc = tell_plan(c);
	if (!rc)
		rc = facts__clock(add_event, c);
	if (!rc) {
		c->begin = facts__now();
		rings__activate(c->rings, true);
		rc = tell_capture(c, IOT_CAPTURE_BEGIN);
	}
	if (rc)
		return error__set(err, rc, "starting the capture failed: %s", strerror(-rc));
	c->running = true;
	return 0;
}

static int drain(struct collect *c, bool all)
{
	uint64_t t = facts__now(), late;
	int rc;

	rc = read_rare(c);
	if (!rc)
		rc = check_cpus(c);
	if (!rc && (all || t - c->last_slow >= SLOW_NS)) {
		rc = check_misses(c);
		c->last_slow = t;
	}
	late = rings__late(c->rings) - c->late_seen;
	if (!rc && late) {
		rc = collect__note_loss(c, IOT_LOST_LATE, c->last_poll, late, "order");
		c->late_seen += late;
		c->counts.late += late;
	}
	if (!rc)
		rc = live__reap(c->live);
	if (!rc)
		rc = rings__drain(c->rings, t, all, deliver, c);
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
	/* the consumer's clock: nobody wakes us, so come back before the fullest ring can fill up at this rate */
	return fill > 50 ? 0 : fill > 25 ? 1000000 : fill > 10 ? 5000000 : 20000000;
}

/* After detaching, programs may still be running: waits until every reserved slot is published. */
static bool all_published(const struct collect *c)
{
	const struct iot_cpu *cpus = c->state->cpus;

	for (uint32_t cpu = 0; c->opts.stream && cpu < c->knobs.nr_cpus; cpu++)
		if (__atomic_load_n(&cpus[cpu].head, __ATOMIC_ACQUIRE) != cpus[cpu].tail)
			return false;
	return true;
}

int collect__stop(struct collect *c, struct error *err)
{
	uint64_t deadline;
	uint32_t ret;
	int rc;

	if (!c->running)
		return 0;
	c->running = false;
	rings__activate(c->rings, false);
	rc = run_program(c->skel->progs.tell_domains, &(struct iot_tell){ .end = 1 }, &ret);
	detach_all(c);
	roles__detach(c->roles);
	for (size_t i = 0; !rc && i < c->nr_devices; i++) {
		struct iot_device d = c->devices[i];

		facts__complete_device(&d, NULL);
		d.h.ts = facts__now();
		if (memcmp(d.driver, c->devices[i].driver, sizeof(d.driver)))
			rc = add_event(c, &d.h);
	}
	deadline = facts__now() + SETTLE_NS;
	do {
		if (!rc)
			rc = drain(c, false);
	} while (!rc && !all_published(c) && facts__now() < deadline);
	if (!rc)
		rc = check_cpus(c);
	if (!rc)
		rc = tell_coverage(c);
	if (!rc)
		rc = facts__clock(add_event, c);
	if (!rc)
		rc = tell_capture(c, IOT_CAPTURE_END);
	if (!rc)
		rc = drain(c, true);
	return rc ? error__set(err, rc, "ending the capture failed: %s", strerror(-rc)) : 0;
}

const struct plan *collect__plan(const struct collect *c)
{
	return &c->plan;
}

const struct kallsyms *collect__syms(const struct collect *c)
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

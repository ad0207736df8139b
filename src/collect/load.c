// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/choosers.h"
#include "collect/host.h"
#include "collect/internal.h"
#include "collect/offers.h"
#include "collect/subset.h"
#include "collect/symbols.h"
#include "collect/targets.h"
#include "collect/types.h"
#include "iommutop.skel.h"

#define LOG_BYTES  (256 << 10) /* a program's verifier log, for the message if it is refused */
#define GROUP_KSET "iommu_group_kset"
#define LOGS       128 /* programs at the most */
/* a function that only kernels have whose DMA API can remove a part of a range */
#define IOVA_UNLINK "dma_iova_unlink"

static uint64_t round_pow2(uint64_t v)
{
	uint64_t p = 1;

	while (p < v)
		p <<= 1;
	return p;
}

static size_t count_groups(void)
{
	DIR *d = opendir("/sys/kernel/iommu_groups");
	struct dirent *e;
	size_t n = 0;

	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
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
	c->knobs.invariants = c->opts.invariants;
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
	case PLAN_IOVA_TIMES:
		return c->opts.iova_times && c->opts.stream;
	case PLAN_INVARIANTS:
		return c->opts.invariants;
	case PLAN_PAGES:
		return c->opts.pages;
	case PLAN_RECORDS:
		return c->opts.fault_records;
	case PLAN_CONTROL:
		return c->opts.coverage;
	default:
		return true;
	}
}

static int resolve_plan(struct collect *c, struct error *err)
{
	struct ksym kset;

	if (plan__resolve(&c->plan, c->syms, c->types))
		return error__set(err, -ENOMEM, "no memory for the attach plan");
	for (size_t i = 0; i < plan_nr_points; i++) {
		c->plan.choices[i].wanted = is_wanted(c, &plan_points[i]);
		if (plan_points[i].need == PLAN_VITAL && c->plan.choices[i].wanted &&
		    c->plan.choices[i].chosen < 0)
			return error__set(err, -ENOTSUP,
					  "this kernel can't be traced: no hook for '%s' (%s): %s; "
					  "`iommutop probe` shows "
					  "the whole plan",
					  plan_points[i].name, plan_points[i].sees,
					  c->plan.choices[i].why_not[0]);
	}
	if (kallsyms__count(c->syms, GROUP_KSET, &kset))
		c->knobs.group_kset = kset.addr;
	/* asked once: after a module was loaded, the next question reads all symbols again */
	choosers__find(&c->why_vars, c->syms);
	c->unlinks = kallsyms__count(c->syms, IOVA_UNLINK, NULL) > 0;
	if (c->opts.invariants)
		offers__choose(&c->knobs, c->syms);
	return 0;
}

static const char *program_name(const struct collect *c, const struct plan_candidate *cand)
{
	return c->opts.invariants && cand->counted ? cand->counted : cand->program;
}

struct bpf_program *load__program(const struct collect *c, size_t point)
{
	const struct plan_candidate *cand = plan__chosen(&c->plan, point);

	if (!cand || !cand->program || !c->plan.choices[point].wanted)
		return NULL;
	return bpf_object__find_program_by_name(c->skel->obj, program_name(c, cand));
}

/* Opens the object with every program that the plan chose pointed at its function, everything else
 * switched off. */
static int open_object(struct collect *c, const char *btf_path, struct error *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = btf_path);
	struct bpf_program *prog;
	size_t n = 0;
	int rc = 0;

	c->skel = iommutop_bpf__open_opts(&opts);
	if (!c->skel)
		return error__set(err, -errno, "opening the BPF object failed: %s",
				  strerror(errno));
	memcpy((void *)&c->skel->rodata->knobs, &c->knobs, sizeof(c->knobs));
	targets__clear(c->targets);
	bpf_object__for_each_program (prog, c->skel->obj) {
		bpf_program__set_autoload(prog, bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL);
		if (c->logs && n < LOGS)
			bpf_program__set_log_buf(prog, c->logs + n++ * LOG_BYTES, LOG_BYTES);
	}
	for (size_t i = 0; i < plan_nr_points; i++) {
		const struct plan_candidate *cand = plan__chosen(&c->plan, i);

		prog = load__program(c, i);
		if (!prog)
			continue;
		bpf_program__set_autoload(prog, true);
		if (!rc && cand->kind == PLAN_TP_BTF)
			rc = targets__tracepoint(c->targets, prog, cand->function);
		else if (!rc && cand->kind != PLAN_CALL)
			rc = targets__function(c->targets, prog, cand->function);
	}
	if (!rc && c->opts.stream)
		rc = bpf_map__set_max_entries(c->skel->maps.hot, c->knobs.nr_cpus * c->ring_slots);
	if (!rc && !c->opts.stream)
		rc = bpf_map__set_max_entries(c->skel->maps.live, c->knobs.nr_cpus * c->nr_places);
	if (!rc && !c->opts.stream && c->opts.hw)
		rc = bpf_map__set_max_entries(c->skel->maps.live_submits,
					      c->knobs.nr_cpus * IOT_BY_NR * IOT_SUBMIT_NR);
	if (!rc && c->opts.invariants)
		rc = bpf_map__set_max_entries(c->skel->maps.tallies,
					      c->knobs.nr_cpus * (c->nr_places + 1));
	if (!rc && c->opts.rare_bytes) {
		uint64_t bytes = round_pow2(c->opts.rare_bytes);
		long page = sysconf(_SC_PAGESIZE);

		rc = bpf_map__set_max_entries(
			c->skel->maps.rare,
			(uint32_t)(bytes < (uint64_t)page ? (uint64_t)page : bytes));
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
 * The program that the verifier refused, by its log: all others' are empty. Its point is given up;
 * false if the capture can't do without it, or nobody knows which it was.
 */
static bool give_up_refused(struct collect *c, struct error *err)
{
	const char *name = NULL;
	struct bpf_program *prog;
	char why[120];
	size_t n = 0;

	bpf_object__for_each_program (prog, c->skel->obj) {
		char *log = c->logs + n * LOG_BYTES;

		if (n++ >= LOGS)
			break;
		if (!log[0])
			continue;
		name = bpf_program__name(prog);
		last_complaint(log, why, sizeof(why));
	}
	for (size_t i = 0; name && i < plan_nr_points; i++) {
		struct plan_choice *ch = &c->plan.choices[i];
		const struct plan_candidate *cand = plan__chosen(&c->plan, i);

		if (!cand || !cand->program || strcmp(program_name(c, cand), name))
			continue;
		snprintf(ch->why_not[ch->chosen], sizeof(ch->why_not[0]),
			 "refused by the verifier: %s", why);
		ch->refused = ch->chosen;
		ch->chosen = -1;
		if (plan_points[i].need != PLAN_VITAL)
			return true;
	}
	if (name)
		error__set(err, -EINVAL, "the kernel's verifier refused the program %s: %s", name,
			   why);
	return false;
}

static int load_programs(struct collect *c, struct error *err)
{
	struct subset few;
	int rc;

	for (;;) {
		for (size_t i = 0; c->logs && i < LOGS; i++)
			c->logs[i * LOG_BYTES] = 0;
		rc = open_object(c, subset__open(&few), err);
		if (rc) {
			subset__close(&few);
			return rc;
		}
		rc = subset__fill(&few, c->types, bpf_object__btf(c->skel->obj), NULL);
		if (!rc)
			rc = iommutop_bpf__load(c->skel);
		subset__close(&few);
		if (!rc)
			return 0;
		/* which one it was, only logs tell, which are large: they are for a second try */
		if (c->logs && !give_up_refused(c, err))
			break;
		if (!c->logs)
			c->logs = calloc(LOGS, LOG_BYTES);
		if (!c->logs)
			return error__set(err, -ENOMEM, "no memory for the collector");
		iommutop_bpf__destroy(c->skel);
		c->skel = NULL;
	}
	if (rc == -EPERM)
		return error__set(err, rc,
				  "the kernel doesn't let us load BPF programs: run as root; in a "
				  "container it needs "
				  "CAP_BPF, CAP_PERFMON and no seccomp filter on bpf()");
	return error__set(err, rc, "loading the BPF programs failed: %s", strerror(-rc));
}

/* Those that are known to be asked for are read in one go. */
static int want_symbols(struct kallsyms *k)
{
	int rc = kallsyms__want(k, GROUP_KSET);

	for (size_t i = 0; !rc && i < plan_nr_points; i++)
		for (int n = 0; !rc && n < PLAN_CANDIDATES; n++) {
			const struct plan_candidate *cand = &plan_points[i].candidates[n];

			if (cand->function && cand->kind != PLAN_TP_BTF)
				rc = kallsyms__want(k, cand->function);
			if (!rc && cand->callee)
				rc = kallsyms__want(k, cand->callee);
		}
	if (!rc)
		rc = kallsyms__want(k, IOVA_UNLINK);
	if (!rc)
		rc = choosers__want(k);
	if (!rc)
		rc = offers__want(k);
	return rc ? rc : drivers__want(k);
}

static int open_symbols(struct collect *c, struct error *err)
{
	struct kallsyms_source source = { .named = symbols__named,
					  .at = symbols__at,
					  .of = symbols__of };
	int rc;

	if (symbols__new(&c->symbols, c->types))
		return kallsyms__load(&c->syms, NULL, err);
	source.ctx = c->symbols;
	rc = kallsyms__ask(&c->syms, &source);
	if (!rc)
		rc = want_symbols(c->syms);
	return rc ? error__set(err, rc, "no memory for the kernel's symbols") : 0;
}

int load__object(struct collect *c, struct error *err)
{
	struct host host;
	int rc;

	host__look(&host);
	rc = host__check(&host, err);
	if (rc)
		return rc;
	choose_knobs(c);
	if (c->knobs.nr_cpus > IOT_CPUS_MAX)
		return error__set(
			err, -E2BIG,
			"this machine has %u possible CPUs; iommutop is built for %u at the most",
			c->knobs.nr_cpus, IOT_CPUS_MAX);
	c->btf = btf__load_vmlinux_btf();
	if (libbpf_get_error(c->btf)) {
		rc = (int)libbpf_get_error(c->btf);
		c->btf = NULL;
		return error__set(err, rc, "the kernel's BTF can't be read: %s", strerror(-rc));
	}
	c->types = types__new(c->btf);
	c->targets = c->types ? targets__new(c->types) : NULL;
	if (!c->targets)
		return error__set(err, -ENOMEM, "no memory for the collector");
	rc = open_symbols(c, err);
	if (!rc)
		rc = resolve_plan(c, err);
	if (!rc)
		rc = load_programs(c, err);
	free(c->logs);
	c->logs = NULL;
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-only
/* probe: what could be traced here, by which hook, and why not the others. Loads nothing. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>
#include <stdbool.h>

#include "collect/host.h"
#include "collect/kallsyms.h"
#include "collect/plan.h"
#include "collect/types.h"
#include "opts.h"

struct probe_opts {
	bool json;
};

static const struct opt probe_table[] = {
	{ OPT_FLAG, 'j', "json", NULL, "as JSON", offsetof(struct probe_opts, json), 0, 0 },
	{ .kind = OPT_END },
};

static const char *yes(bool b)
{
	return b ? "yes" : "no";
}

static void print_text(const struct host *h, const struct plan *plan, const struct error *problem)
{
	printf("kernel          %s\n", h->release);
	printf("privileges      load BPF: %s, attach to functions: %s, BTF of modules: %s, kernel "
	       "addresses: %s\n",
	       yes(h->cap_bpf), yes(h->cap_perfmon), yes(h->cap_sys_admin), yes(h->cap_syslog));
	printf("BTF             %s\n", h->btf ? "yes" : "no (/sys/kernel/btf/vmlinux is missing)");
	printf("lockdown        %s\n", h->lockdown[0] ? h->lockdown : "not known");
	printf("kptr_restrict   %d\n", h->kptr_restrict);
	printf("IOMMU groups    %s\n", h->iommu_groups ? "yes" : "none: no IOMMU is in use");
	if (problem->text[0])
		printf("problem         %s\n", problem->text);
	if (!plan->choices)
		return;
	printf("\n%-16s %-8s %s\n", "POINT", "HOW", "FUNCTION OR REASON");
	for (size_t i = 0; i < plan_nr_points; i++) {
		const struct plan_choice *ch = &plan->choices[i];
		const struct plan_candidate *c = plan__chosen(plan, i);

		printf("%-16s %-8s %s\n", plan_points[i].name, c ? plan__kind_name(c->kind) : "-",
		       c                                   ? c->function
		       : plan_points[i].need == PLAN_VITAL ? "MISSING, and nothing works without it"
		       : ch->absent                        ? "not there: nothing to be seen"
							   : "missing");
		for (int k = 0; k < PLAN_CANDIDATES; k++)
			if (ch->why_not[k][0])
				printf("%-16s %-8s   not %s %s: %s\n", "", "",
				       plan__kind_name(plan_points[i].candidates[k].kind),
				       plan_points[i].candidates[k].function, ch->why_not[k]);
	}
	printf("\nFlush functions are found in the ops of live domains when tracing starts; "
	       "`iommutop list` shows them.\n");
}

static json_object *point_json(const struct plan *plan, size_t i)
{
	const struct plan_candidate *chosen = plan__chosen(plan, i);
	json_object *p = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(p, "point", json_object_new_string(plan_points[i].name));
	json_object_object_add(p, "sees", json_object_new_string(plan_points[i].sees));
	json_object_object_add(p, "vital",
			       json_object_new_boolean(plan_points[i].need == PLAN_VITAL));
	json_object_object_add(
		p, "how", chosen ? json_object_new_string(plan__kind_name(chosen->kind)) : NULL);
	json_object_object_add(p, "function",
			       chosen ? json_object_new_string(chosen->function) : NULL);
	json_object_object_add(p, "absent", json_object_new_boolean(plan->choices[i].absent));
	for (int k = 0; k < PLAN_CANDIDATES; k++) {
		json_object *r;

		if (!plan->choices[i].why_not[k][0])
			continue;
		r = json_object_new_object();
		json_object_object_add(
			r, "how",
			json_object_new_string(plan__kind_name(plan_points[i].candidates[k].kind)));
		json_object_object_add(
			r, "function",
			json_object_new_string(plan_points[i].candidates[k].function));
		json_object_object_add(r, "why_not",
				       json_object_new_string(plan->choices[i].why_not[k]));
		json_object_array_add(list, r);
	}
	json_object_object_add(p, "rejected", list);
	return p;
}

static void print_json(const struct host *h, const struct plan *plan, const struct error *problem)
{
	json_object *o = json_object_new_object(), *points = json_object_new_array();

	json_object_object_add(o, "schema", json_object_new_int(1));
	json_object_object_add(o, "kernel", json_object_new_string(h->release));
	json_object_object_add(o, "cap_bpf", json_object_new_boolean(h->cap_bpf));
	json_object_object_add(o, "cap_perfmon", json_object_new_boolean(h->cap_perfmon));
	json_object_object_add(o, "cap_sys_admin", json_object_new_boolean(h->cap_sys_admin));
	json_object_object_add(o, "cap_syslog", json_object_new_boolean(h->cap_syslog));
	json_object_object_add(o, "btf", json_object_new_boolean(h->btf));
	json_object_object_add(o, "lockdown",
			       h->lockdown[0] ? json_object_new_string(h->lockdown) : NULL);
	json_object_object_add(o, "kptr_restrict", json_object_new_int(h->kptr_restrict));
	json_object_object_add(o, "iommu_groups", json_object_new_boolean(h->iommu_groups));
	json_object_object_add(o, "problem",
			       problem->text[0] ? json_object_new_string(problem->text) : NULL);
	for (size_t i = 0; plan->choices && i < plan_nr_points; i++)
		json_object_array_add(points, point_json(plan, i));
	json_object_object_add(o, "points", points);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int probe_run(const void *values, int rest_nr, char **rest)
{
	const struct probe_opts *o = values;
	struct kallsyms *syms = NULL;
	struct error problem = {};
	struct plan plan = {};
	struct types *types = NULL;
	struct btf *btf = NULL;
	struct host h;
	bool vital = true;

	if (rest_nr) {
		cmd__complain("probe", "takes no argument, not '%s'", rest[0]);
		return EXIT_USAGE;
	}
	host__look(&h);
	host__check(&h, &problem);
	if (!kallsyms__load(&syms, NULL, &problem)) {
		btf = h.btf ? btf__load_vmlinux_btf() : NULL;
		if (libbpf_get_error(btf))
			btf = NULL;
		types = btf ? types__new(btf) : NULL;
		plan__resolve(&plan, syms, types);
	}
	for (size_t i = 0; i < plan_nr_points; i++)
		if (plan_points[i].need == PLAN_VITAL &&
		    (!plan.choices || plan.choices[i].chosen < 0))
			vital = false;
	if (o->json)
		print_json(&h, &plan, &problem);
	else
		print_text(&h, &plan, &problem);
	plan__free(&plan);
	types__free(types);
	btf__free(btf);
	kallsyms__free(syms);
	return vital && !problem.text[0] ? EXIT_OK : EXIT_FAILED;
}

const struct cmd cmd_probe = {
	.name = "probe",
	.args = "",
	.summary = "show what can be traced on this kernel, by which hook, and why not by others",
	.notes = "Exit code: 0 if iommutop can trace here, 1 if not.",
	.opts = probe_table,
	.values_size = sizeof(struct probe_opts),
	.run = probe_run,
};

// SPDX-License-Identifier: GPL-2.0-only
#include "collect/hooks.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/programs.h"
#include "collect/subset.h"
#include "shared.h"

#include "hang.skel.h" /* after shared.h: it holds structs of it */

struct hook {
	struct hang_bpf *skel;
	struct bpf_link *link; /* NULL: not attached */
};

struct hooks {
	struct bpf_object *main_object;
	struct iot_knobs knobs;
	struct plan *plan;
	const struct types *types;
	struct hook *points; /* plan_nr_points of them */
};

/* The module's candidate of a point: such a point has no other. */
static const struct plan_candidate *candidate(size_t point)
{
	const struct plan_candidate *c = &plan_points[point].candidates[0];

	return c->kind == PLAN_KPROBE ? c : NULL;
}

struct hooks *hooks__new(struct bpf_object *main_object, const struct iot_knobs *knobs,
			 struct plan *plan, const struct types *types)
{
	struct hooks *h = calloc(1, sizeof(*h));

	if (h)
		h->points = calloc(plan_nr_points, sizeof(*h->points));
	if (!h || !h->points) {
		free(h);
		return NULL;
	}
	h->main_object = main_object;
	h->knobs = *knobs;
	h->plan = plan;
	h->types = types;
	return h;
}

static void detach(struct hook *k)
{
	bpf_link__destroy(k->link);
	hang_bpf__destroy(k->skel);
	k->link = NULL;
	k->skel = NULL;
}

void hooks__free(struct hooks *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < plan_nr_points; i++)
		detach(&h->points[i]);
	free(h->points);
	free(h);
}

static int load(struct hooks *h, struct hook *k, const struct plan_candidate *c)
{
	struct bpf_program *prog, *wanted;
	struct subset few;
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = subset__open(&few));
	int err;

	k->skel = hang_bpf__open_opts(&opts);
	if (!k->skel) {
		err = -errno;
		goto out;
	}
	memcpy((void *)&k->skel->rodata->knobs, &h->knobs, sizeof(h->knobs));
	wanted = bpf_object__find_program_by_name(k->skel->obj, c->program);
	bpf_object__for_each_program (prog, k->skel->obj)
		bpf_program__set_autoload(prog, prog == wanted);
	err = programs__share_maps(k->skel->obj, h->main_object);
	if (!err)
		err = subset__fill(&few, h->types, bpf_object__btf(k->skel->obj), c->module);
	if (!err)
		err = hang_bpf__load(k->skel);
	if (err)
		goto out;
	k->link = bpf_program__attach_kprobe(wanted, false, c->function);
	err = k->link ? 0 : -errno;
out:
	subset__close(&few);
	return err;
}

static void attach_point(struct hooks *h, size_t point)
{
	struct plan_choice *ch = &h->plan->choices[point];
	struct hook *k = &h->points[point];
	int err;

	ch->chosen = 0;
	ch->absent = false;
	ch->why_not[0][0] = 0;
	err = load(h, k, candidate(point));
	ch->attached = !err;
	if (!err)
		return;
	detach(k);
	ch->chosen = -1;
	snprintf(ch->why_not[0], sizeof(ch->why_not[0]), "the kernel refused it: %s%s",
		 strerror(-err), err == -EPERM ? "" : " (its types need the module's BTF)");
}

void hooks__attach(struct hooks *h)
{
	for (size_t i = 0; i < plan_nr_points; i++)
		if (candidate(i) && h->plan->choices[i].wanted && h->plan->choices[i].chosen == 0)
			attach_point(h, i);
}

int hooks__module_loaded(struct hooks *h, const char *module, int (*done)(void *ctx, size_t point),
			 void *ctx)
{
	int err = 0;

	for (size_t i = 0; !err && i < plan_nr_points; i++) {
		if (!candidate(i) || strcmp(candidate(i)->module, module) ||
		    !h->plan->choices[i].wanted || h->plan->choices[i].attached)
			continue;
		attach_point(h, i);
		err = done(ctx, i);
	}
	return err;
}

void hooks__module_gone(struct hooks *h, const char *module)
{
	for (size_t i = 0; i < plan_nr_points; i++) {
		struct plan_choice *ch = &h->plan->choices[i];

		if (!candidate(i) || strcmp(candidate(i)->module, module) || !ch->attached)
			continue;
		detach(&h->points[i]);
		ch->attached = false;
		ch->absent = true;
		ch->chosen = -1;
	}
}

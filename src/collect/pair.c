// SPDX-License-Identifier: GPL-2.0-only
#include "collect/pair.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/programs.h"
#include "collect/subset.h"
#include "collect/targets.h"

#include "template.skel.h" /* after shared.h: it holds structs of it */

struct template
{
	struct template_bpf *skel;
	unsigned int users; /* pairs */
};

static const struct {
	const char *entry, *exit;   /* fentry, fexit */
	const char *kentry, *kexit; /* kprobe, kretprobe */
} programs[PAIR_KINDS] = {
	[PAIR_FLUSH_ALL] = { "flush_all_entry", "flush_all_exit", "flush_all_kentry",
			     "flush_all_kexit" },
	[PAIR_SYNC] = { "sync_entry", "sync_exit", "sync_kentry", "sync_kexit" },
	[PAIR_SYNC_MAP] = { "sync_map_entry", "sync_map_exit", "sync_map_kentry",
			    "sync_map_kexit" },
	[PAIR_FREE] = { "free_entry", "free_exit", "free_kentry", "free_kexit" },
	[PAIR_INVALIDATE] = { "inval_entry", "inval_exit", "inval_kentry", "inval_kexit" },
	[PAIR_TABLE_ALLOC] = { "alloc_entry", "alloc_exit", "alloc_kentry", "alloc_kexit" },
	[PAIR_TABLE_FREE] = { "page_free_entry", "page_free_exit", "page_free_kentry",
			      "page_free_kexit" },
	[PAIR_SUBMIT] = { "submit_entry", "submit_exit", "submit_kentry", "submit_kexit" },
};

static void template__put(struct template *t)
{
	if (!t || --t->users)
		return;
	template_bpf__destroy(t->skel);
	free(t);
}

static void detach(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		bpf_link__destroy(p->links[i]);
		p->links[i] = NULL;
	}
}

void pair__drop(struct pair *p)
{
	detach(p);
	template__put(p->of);
	p->of = NULL;
}

uint64_t pair__misses(const struct pair *p)
{
	return p->of ? program__misses(bpf_program__fd(p->entry)) +
			       program__misses(bpf_program__fd(p->exit))
		     : 0;
}

/* Its part of the read-only data. */
static void describe(struct template_bpf *skel, const struct pair *p)
{
	switch (p->kind) {
	case PAIR_FLUSH_ALL:
		*(uint32_t *)&skel->rodata->flush_fns[IOT_FLUSH_ALL] = p->flush_fn;
		break;
	case PAIR_SYNC:
		*(uint32_t *)&skel->rodata->flush_fns[IOT_FLUSH_SYNC] = p->flush_fn;
		break;
	case PAIR_SYNC_MAP:
		*(uint32_t *)&skel->rodata->flush_fns[IOT_FLUSH_SYNC_MAP] = p->flush_fn;
		break;
	case PAIR_INVALIDATE:
		memcpy((void *)&skel->rodata->inval_fn, &p->how, sizeof(p->how));
		break;
	case PAIR_TABLE_ALLOC:
		memcpy((void *)&skel->rodata->alloc_fn, &p->how, sizeof(p->how));
		break;
	case PAIR_TABLE_FREE:
		memcpy((void *)&skel->rodata->free_fn, &p->how, sizeof(p->how));
		break;
	case PAIR_SUBMIT:
		memcpy((void *)&skel->rodata->submit_fn, &p->how, sizeof(p->how));
		break;
	default:
		break;
	}
}

/* Between open and load: switches its two programs on and points them at the function. */
static int prepare(struct template *t, struct pair *p, struct targets *targets)
{
	struct bpf_object *obj = t->skel->obj;
	int err;

	p->entry = bpf_object__find_program_by_name(obj, p->kprobe ? programs[p->kind].kentry
								   : programs[p->kind].entry);
	p->exit = bpf_object__find_program_by_name(obj, p->kprobe ? programs[p->kind].kexit
								  : programs[p->kind].exit);
	describe(t->skel, p);
	bpf_program__set_autoload(p->entry, true);
	bpf_program__set_autoload(p->exit, true);
	err = p->kprobe ? 0 : targets__function(targets, p->entry, p->function);
	return err || p->kprobe ? err : targets__function(targets, p->exit, p->function);
}

static int attach(struct pair *p)
{
	int err;

	if (p->kprobe) {
		p->links[1] = bpf_program__attach_kprobe(p->exit, true, p->function);
		p->links[0] = p->links[1] ? bpf_program__attach_kprobe(p->entry, false, p->function)
					  : NULL;
	} else {
		p->links[1] = bpf_program__attach(p->exit);
		p->links[0] = p->links[1] ? bpf_program__attach(p->entry) : NULL;
	}
	if (p->links[0])
		return 0;
	err = -errno;
	detach(p);
	return err;
}

/* pairs: of different kinds. 0 if all are loaded. */
static int load(struct template *t, struct pair **pairs, size_t nr, const struct pair_with *with)
{
	struct bpf_program *prog;
	struct subset few;
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = subset__open(&few));
	int err;

	t->skel = template_bpf__open_opts(&opts);
	if (!t->skel) {
		err = -errno;
		goto out;
	}
	memcpy((void *)&t->skel->rodata->knobs, with->knobs, sizeof(*with->knobs));
	targets__clear(with->targets);
	bpf_object__for_each_program (prog, t->skel->obj)
		bpf_program__set_autoload(prog, false);
	err = programs__share_maps(t->skel->obj, with->main_object);
	for (size_t i = 0; !err && i < nr; i++)
		err = prepare(t, pairs[i], with->targets);
	if (!err)
		err = subset__fill(&few, with->types, bpf_object__btf(t->skel->obj), NULL);
	if (!err)
		err = template_bpf__load(t->skel);
out:
	subset__close(&few);
	return err;
}

static void attach_some(struct pair **pairs, size_t nr, const struct pair_with *with)
{
	struct template *t = calloc(1, sizeof(*t));
	int err = -ENOMEM;

	if (t) {
		t->users = 1; /* this function */
		err = load(t, pairs, nr, with);
	}
	if (err && nr > 1) {
		/* one that is refused is not to take the others with it */
		for (size_t i = 0; i < nr; i++)
			attach_some(&pairs[i], 1, with);
		nr = 0;
	}
	for (size_t i = 0; i < nr; i++) {
		pairs[i]->err = err ? err : attach(pairs[i]);
		if (pairs[i]->err)
			continue;
		pairs[i]->of = t;
		t->users++;
	}
	template__put(t);
}

void pairs__attach(struct pair **pairs, size_t nr, const struct pair_with *with)
{
	while (nr) {
		bool taken[PAIR_KINDS] = { false };
		struct pair *some[PAIR_KINDS];
		size_t n = 0, left = 0;

		for (size_t i = 0; i < nr; i++) {
			if (taken[pairs[i]->kind]) {
				pairs[left++] = pairs[i];
				continue;
			}
			taken[pairs[i]->kind] = true;
			some[n++] = pairs[i];
		}
		attach_some(some, n, with);
		nr = left;
	}
}

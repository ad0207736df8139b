// SPDX-License-Identifier: GPL-2.0-only
#include "collect/world.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/programs.h"
#include "collect/sysfs.h"
#include "shared.h"

#define SOON_NS  1000000000ULL
#define CLOCK_NS 10000000000ULL /* between samples of the clocks; and until names have settled */

struct alias {
	char *name, *device;
};

struct world {
	facts_add add;
	void *ctx;
	const char *sysfs;
	int look_fd, devs_fd;
	struct iot_device *devices; /* by number, as told; h.dev 0: none has it */
	uint32_t nr_devices;
	struct iot_region *regions;
	size_t nr_regions;
	void *aliases; /* tree of struct alias */
	uint64_t last_look, last_clock;
	bool changed, settling;
};

struct world *world__new(facts_add add, void *ctx, const char *sysfs, int look_fd, int devs_fd)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->add = add;
	w->ctx = ctx;
	w->sysfs = sysfs ? sysfs : "/sys";
	w->look_fd = look_fd;
	w->devs_fd = devs_fd;
	return w;
}

static void free_alias(void *p)
{
	struct alias *a = p;

	free(a->name);
	free(a->device);
	free(a);
}

void world__free(struct world *w)
{
	if (!w)
		return;
	tdestroy(w->aliases, free_alias);
	free(w->devices);
	free(w->regions);
	free(w);
}

/* --- reserved regions */

static int tell_region(void *ctx, const struct iot_region *found)
{
	struct iot_region r = *found, *more;
	struct world *w = ctx;

	for (size_t i = 0; i < w->nr_regions; i++) {
		const struct iot_region *told = &w->regions[i];

		if (told->group == r.group && told->first == r.first && told->last == r.last &&
		    told->kind == r.kind)
			return 0;
	}
	more = realloc(w->regions, (w->nr_regions + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	w->regions = more;
	more[w->nr_regions++] = r;
	facts__header(&r.h, IOT_EV_REGION, sizeof(r.h));
	r.h.len = sizeof(r);
	return w->add(w->ctx, &r.h);
}

/* --- devices */

int world__device(struct world *w, struct iot_device *dev)
{
	uint32_t nr = dev->h.dev;

	if (!nr)
		return 0;
	sysfs__device(dev, w->sysfs);
	if (nr >= w->nr_devices) {
		struct iot_device *more = realloc(w->devices, (nr + 1) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		memset(more + w->nr_devices, 0, (nr + 1 - w->nr_devices) * sizeof(*more));
		w->devices = more;
		w->nr_devices = nr + 1;
	}
	w->devices[nr] = *dev;
	w->changed = true;
	return dev->group < 0 ? 0 : sysfs__regions(w->sysfs, dev->group, tell_region, w);
}

uint32_t world__find(const struct world *w, const char *name)
{
	for (uint32_t nr = w->nr_devices; nr-- > 1;)
		if (w->devices[nr].h.dev && !strcmp(w->devices[nr].name, name))
			return nr;
	return 0;
}

uint32_t world__find_rid(const struct world *w, uint32_t rid)
{
	for (uint32_t nr = w->nr_devices; nr-- > 1;)
		if (w->devices[nr].h.dev && w->devices[nr].rid_known && w->devices[nr].rid == rid)
			return nr;
	return 0;
}

/* What a device is now, if it is other than what was told. */
static int retell_device(struct world *w, const struct iot_dev *now)
{
	struct iot_device d, *told = now->id < w->nr_devices ? &w->devices[now->id] : NULL;

	if (!told || !told->h.dev)
		return 0;
	d = *told;
	d.group = now->group;
	d.dma_bits = now->dma_bits;
	d.node_known = now->node_known;
	d.node = now->node;
	sysfs__device(&d, w->sysfs);
	if (!memcmp(&d, told, sizeof(d)))
		return 0;
	*told = d;
	d.h.ts = facts__now();
	d.h.flags = 0;
	return w->add(w->ctx, &d.h);
}

static int look_at_devices(struct world *w)
{
	uint64_t key, *last = NULL;
	struct iot_dev now;
	uint32_t ret;
	int err;

	if (w->look_fd < 0)
		return 0;
	err = program__run(w->look_fd, NULL, 0, &ret);
	while (!err && !bpf_map_get_next_key(w->devs_fd, last, &key)) {
		last = &key;
		if (!bpf_map_lookup_elem(w->devs_fd, &key, &now))
			err = retell_device(w, &now);
	}
	return err;
}

/* --- names */

static int compare_alias(const void *a, const void *b)
{
	return strcmp(((const struct alias *)a)->name, ((const struct alias *)b)->name);
}

/* The alias of this name in the tree, made if it wasn't there; NULL: no memory. */
static struct alias *find_alias(struct world *w, const char *name)
{
	struct alias *made, **found = tfind(&(struct alias){ .name = (char *)name }, &w->aliases,
					    compare_alias);

	if (found)
		return *found;
	made = calloc(1, sizeof(*made));
	if (!made)
		return NULL;
	made->name = strdup(name);
	if (!made->name || !tsearch(made, &w->aliases, compare_alias)) {
		free_alias(made);
		return NULL;
	}
	return made;
}

static int tell_alias(void *ctx, const char *name, const char *device)
{
	struct world *w = ctx;
	struct alias *a = find_alias(w, name);
	char *copy;

	if (!a)
		return -ENOMEM;
	if (a->device && !strcmp(a->device, device))
		return 0;
	copy = strdup(device);
	if (!copy)
		return -ENOMEM;
	free(a->device);
	a->device = copy;
	return facts__attr(w->add, w->ctx, "alias.%s=%s", name, device);
}

/* --- when */

void world__changed(struct world *w)
{
	w->changed = true;
}

static int look(struct world *w, uint64_t now)
{
	int err = look_at_devices(w);

	w->last_look = now;
	w->changed = false;
	return err ? err : sysfs__aliases(w->sysfs, tell_alias, w);
}

static int sample_clocks(struct world *w, uint64_t now)
{
	w->last_clock = now;
	return facts__clock(w->add, w->ctx);
}

int world__tell(struct world *w)
{
	uint64_t now = facts__now();
	int err = look(w, now);

	return err ? err : sample_clocks(w, now);
}

int world__tick(struct world *w, uint64_t now)
{
	int err = 0;

	if (w->changed && now - w->last_look >= SOON_NS) {
		err = look(w, now);
		w->settling = true;
	}
	if (err || now - w->last_clock < CLOCK_NS)
		return err;
	if (w->settling) {
		w->settling = false;
		err = look(w, now);
	}
	return err ? err : sample_clocks(w, now);
}

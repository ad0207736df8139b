// SPDX-License-Identifier: GPL-2.0-only
#include "report/diff_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/words.h"

struct list {
	struct diff_fact *out;
	size_t max, nr;
};

static void add(struct list *l, const char *what, const char *a, const char *b)
{
	struct diff_fact *f = &l->out[l->nr];

	if (!strcmp(a, b))
		return;
	if (l->nr++ >= l->max)
		return;
	snprintf(f->what, sizeof(f->what), "%s", what);
	snprintf(f->a, sizeof(f->a), "%s", a);
	snprintf(f->b, sizeof(f->b), "%s", b);
}

/* Names of tasks, of boots and of functions' numbers differ between any two recordings. */
static bool says_nothing(const char *attr)
{
	static const char *const prefixes[] = { "task.", "flush_fn.", "alias.",
						"boot_id=", "origin." };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(attr, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static void attrs(struct list *l, const struct model *a, const struct model *b, bool only_missing)
{
	char key[64];

	for (const struct model_attr *x = a->attrs; x; x = x->next) {
		size_t len = strcspn(x->text, "=");
		const char *other;

		if (says_nothing(x->text) || !x->text[len] || len >= sizeof(key))
			continue;
		memcpy(key, x->text, len);
		key[len] = 0;
		other = model__attr(b, key);
		if (only_missing && !other)
			add(l, key, "-", x->text + len + 1);
		else if (!only_missing)
			add(l, key, x->text + len + 1, other ? other : "-");
	}
}

struct device_state {
	char driver[32], iommu[32], type[16], mode[16];
};

static struct device_state state_of(const struct model *m, const struct model_device *dev)
{
	const struct model_domain *dom = words__find_domain(m, dev->domain);
	struct device_state s;

	snprintf(s.driver, sizeof(s.driver), "%s", dev->driver[0] ? dev->driver : "-");
	snprintf(s.iommu, sizeof(s.iommu), "%s", dev->iommu[0] ? dev->iommu : "-");
	snprintf(s.type, sizeof(s.type), "%s", words__domain_type(dom));
	snprintf(s.mode, sizeof(s.mode), "%s", words__domain_mode(dom));
	return s;
}

static int by_name(const void *x, const void *y)
{
	const struct model_device *const *a = x, *const *b = y;

	return strcmp((*a)->name, (*b)->name);
}

/* Those with a name, sorted by it; to free(). */
static const struct model_device **devices(const struct model *m, size_t *nr)
{
	const struct model_device **list = calloc(m->devices.nr + 1, sizeof(struct model_device *));

	*nr = 0;
	if (!list)
		return NULL;
	idtab__for_each (&m->devices, slot) {
		const struct model_device *dev = slot->value;

		if (dev->name[0])
			list[(*nr)++] = dev;
	}
	qsort(list, *nr, sizeof(*list), by_name);
	return list;
}

static void compare_device(struct list *l, const char *name, const struct device_state *a,
			   const struct device_state *b)
{
	char what[64];

	snprintf(what, sizeof(what), "%s driver", name);
	add(l, what, a->driver, b->driver);
	snprintf(what, sizeof(what), "%s IOMMU", name);
	add(l, what, a->iommu, b->iommu);
	snprintf(what, sizeof(what), "%s domain type", name);
	add(l, what, a->type, b->type);
	snprintf(what, sizeof(what), "%s mode", name);
	add(l, what, a->mode, b->mode);
}

static void device_facts(struct list *l, const struct model *a, const struct model *b)
{
	size_t nr_a, nr_b, i = 0, k = 0;
	const struct model_device **da = devices(a, &nr_a), **db = devices(b, &nr_b);

	while (da && db && (i < nr_a || k < nr_b)) {
		int order = i == nr_a ? 1 : k == nr_b ? -1 : strcmp(da[i]->name, db[k]->name);

		if (order < 0) {
			add(l, da[i++]->name, "there", "-");
		} else if (order > 0) {
			add(l, db[k++]->name, "-", "there");
		} else {
			struct device_state sa = state_of(a, da[i]), sb = state_of(b, db[k]);

			compare_device(l, da[i]->name, &sa, &sb);
			i++;
			k++;
		}
	}
	free(da);
	free(db);
}

size_t diff_facts__list(struct diff_fact *out, size_t max, const struct model *a,
			const struct model *b)
{
	struct list l = { .out = out, .max = max };

	attrs(&l, a, b, false);
	attrs(&l, b, a, true);
	device_facts(&l, a, b);
	return l.nr;
}

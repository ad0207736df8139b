// SPDX-License-Identifier: GPL-2.0-only
/* list: IOMMU groups and devices, the type of their domain, and what unmaps really do there. */
#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/analysis.h"
#include "collect/collect.h"
#include "event.h"
#include "opts.h"
#include "report/kin.h"
#include "report/why.h"
#include "report/words.h"

struct list_opts {
	bool json;
	bool why;
};

static const struct opt list_table[] = {
	{ OPT_FLAG, 'j', "json", NULL, "as JSON", offsetof(struct list_opts, json), 0, 0 },
	{ OPT_FLAG, 'w', "why", NULL, "why each group has its type, and who decided",
	  offsetof(struct list_opts, why), 0, 0 },
	{ .kind = OPT_END },
};

/* What the domains said of their ops; the model keeps no addresses. By number of the domain. */
struct ops {
	uint64_t flush_all, sync, sync_map;
};

struct listing {
	struct analysis *analysis;
	struct ops *ops;
	size_t nr_ops;
};

static int keep_ops(struct listing *l, const struct iot_domain *d)
{
	struct ops *more;

	if (d->h.domain >= l->nr_ops) {
		more = realloc(l->ops, (d->h.domain + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		memset(more + l->nr_ops, 0, (d->h.domain + 1 - l->nr_ops) * sizeof(*more));
		l->ops = more;
		l->nr_ops = d->h.domain + 1;
	}
	l->ops[d->h.domain] = (struct ops){ d->flush_all, d->sync, d->sync_map };
	return 0;
}

static int on_events(void *ctx, const void *events, size_t bytes)
{
	struct listing *l = ctx;
	int err = 0;

	for (const char *p = events, *end = p + bytes; !err && p < end;) {
		const struct iot_event *ev = (const void *)p;

		if (ev->id == IOT_EV_DOMAIN)
			err = keep_ops(l, (const void *)ev);
		if (!err)
			err = analysis__event(l->analysis, ev);
		p += ev->len;
	}
	return err;
}

static int compare_device(const void *a, const void *b)
{
	const struct model_device *x = *(const struct model_device *const *)a;
	const struct model_device *y = *(const struct model_device *const *)b;

	return x->group != y->group ? (x->group > y->group) - (x->group < y->group)
				    : strcmp(x->name, y->name);
}

static const struct model_device **sorted_devices(const struct model *m, size_t *nr)
{
	const struct model_device **list = calloc(m->devices.nr + 1, sizeof(*list));

	*nr = 0;
	if (!list)
		return NULL;
	idtab__for_each (&m->devices, slot)
		list[(*nr)++] = slot->value;
	qsort(list, *nr, sizeof(*list), compare_device);
	return list;
}

/* A copy: the symbol's own name is gone with the next look-up. */
static struct words function_name(const struct collect *c, uint64_t addr)
{
	struct words w = { "-" };
	struct ksym sym;

	if (addr && !kallsyms__at(collect__syms(c), addr, &sym) && sym.addr == addr)
		snprintf(w.s, sizeof(w.s), "%s", sym.name);
	return w;
}

static bool queue_without_flush(const struct listing *l, const struct model_domain *d)
{
	return d && d->type_known && d->type == IOT_TYPE_DMA_FQ && d->nr < l->nr_ops &&
	       !l->ops[d->nr].flush_all;
}

static void print_text(const struct listing *l, const struct collect *c,
		       const struct model_device **list, size_t nr)
{
	printf("%5s  %-14s %-14s %-12s %-10s %-7s %s\n", "GROUP", "DEVICE", "DRIVER", "IOMMU",
	       "DOMAIN", "UNMAP", "FLUSH FUNCTIONS (all, sync, map)");
	for (size_t i = 0; i < nr; i++) {
		const struct model_device *dev = list[i];
		const struct model_domain *dom =
			words__find_domain(&l->analysis->model, dev->domain);
		struct ops none = {}, *o = dom && dom->nr < l->nr_ops ? &l->ops[dom->nr] : &none;
		char kin[200];

		printf("%5d  %-14s %-14s %-12s %-10s %-7s %s, %s, %s\n", dev->group, dev->name,
		       dev->driver[0] ? dev->driver : "-", dev->iommu[0] ? dev->iommu : "-",
		       words__domain_kind(dom), words__domain_mode(dom),
		       function_name(c, o->flush_all).s, function_name(c, o->sync).s,
		       function_name(c, o->sync_map).s);
		kin__text(&l->analysis->model, dev, kin, sizeof(kin));
		if (kin[0])
			printf("       %s\n", kin);
		if (queue_without_flush(l, dom))
			printf("       WARNING: the domain queues unmaps, but its driver has no "
			       "flush_iotlb_all: the first "
			       "flush of the queue will call a NULL pointer\n");
	}
	if (!nr)
		printf("no device is in an IOMMU group: no IOMMU is in use (see the kernel's "
		       "intel_iommu=, amd_iommu=, "
		       "iommu= parameters and the firmware)\n");
}

static void print_json(const struct listing *l, const struct collect *c,
		       const struct model_device **list, size_t nr, bool why)
{
	json_object *o = json_object_new_object(), *devices = json_object_new_array();

	json_object_object_add(o, "schema", json_object_new_int(1));
	for (size_t i = 0; i < nr; i++) {
		const struct model_device *dev = list[i];
		const struct model_domain *dom =
			words__find_domain(&l->analysis->model, dev->domain);
		struct ops none = {}, *ops = dom && dom->nr < l->nr_ops ? &l->ops[dom->nr] : &none;
		json_object *d = json_object_new_object();
		const char *owner;

		json_object_object_add(d, "group", json_object_new_int(dev->group));
		json_object_object_add(d, "device", json_object_new_string(dev->name));
		json_object_object_add(d, "driver",
				       dev->driver[0] ? json_object_new_string(dev->driver) : NULL);
		json_object_object_add(d, "bus", json_object_new_string(dev->bus));
		json_object_object_add(d, "iommu",
				       dev->iommu[0] ? json_object_new_string(dev->iommu) : NULL);
		json_object_object_add(d, "physfn",
				       dev->physfn[0] ? json_object_new_string(dev->physfn) : NULL);
		json_object_object_add(d, "virtfns",
				       kin__json(&l->analysis->model, dev, kin__is_vf_of));
		json_object_object_add(d, "group_devices",
				       kin__json(&l->analysis->model, dev, kin__share_group));
		json_object_object_add(d, "domain", json_object_new_int((int)dev->domain));
		json_object_object_add(d, "type", json_object_new_string(words__domain_type(dom)));
		owner = words__domain_user(dom);
		json_object_object_add(d, "owner", owner ? json_object_new_string(owner) : NULL);
		json_object_object_add(d, "unmap", json_object_new_string(words__domain_mode(dom)));
		json_object_object_add(d, "flush_iotlb_all",
				       json_object_new_string(function_name(c, ops->flush_all).s));
		json_object_object_add(d, "iotlb_sync",
				       json_object_new_string(function_name(c, ops->sync).s));
		json_object_object_add(d, "iotlb_sync_map",
				       json_object_new_string(function_name(c, ops->sync_map).s));
		json_object_object_add(d, "queue_without_flush",
				       json_object_new_boolean(queue_without_flush(l, dom)));
		json_object_array_add(devices, d);
	}
	json_object_object_add(o, "devices", devices);
	if (why)
		json_object_object_add(o, "why", report__why_json(l->analysis));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int list_run(const void *values, int rest_nr, char **rest)
{
	const struct list_opts *o = values;
	struct collect_opts copts = { .only_snapshot = true };
	const struct model_device **list = NULL;
	struct collect *c = NULL;
	struct listing l = {};
	struct error err = {};
	size_t nr;
	int rc;

	if (rest_nr) {
		cmd__complain("list", "takes no argument, not '%s'", rest[0]);
		return EXIT_USAGE;
	}
	rc = analysis__new(&l.analysis, NULL);
	if (!rc)
		rc = collect__new(&c, &copts, on_events, &l, &err);
	if (!rc)
		rc = collect__start(c, &err);
	if (!rc)
		rc = collect__stop(c, &err);
	if (rc)
		goto out;
	list = sorted_devices(&l.analysis->model, &nr);
	if (!list)
		rc = -ENOMEM;
	else if (o->json)
		print_json(&l, c, list, nr, o->why);
	else if (o->why && nr)
		report__why_text(stdout, l.analysis);
	else
		print_text(&l, c, list, nr);
out:
	if (rc)
		cmd__complain("list", "%s", err.text[0] ? err.text : strerror(-rc));
	free(list);
	free(l.ops);
	collect__free(c);
	analysis__free(l.analysis);
	return rc ? EXIT_FAILED : EXIT_OK;
}

const struct cmd cmd_list = {
	.name = "list",
	.args = "",
	.summary =
		"list IOMMU groups, devices, domain types, and whether unmaps are strict or lazy",
	.notes = "UNMAP is what really happens: \"lazy\" only if the domain has a working flush "
		 "queue.",
	.opts = list_table,
	.values_size = sizeof(struct list_opts),
	.run = list_run,
};

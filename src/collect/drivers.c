// SPDX-License-Identifier: GPL-2.0-only
#include "collect/drivers.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/pair.h"
#include "collect/roles.h"
#include "collect/types.h"

#define SUBMIT(by_, told_, submit_, iommu_)                                  \
	{                                                                    \
		.by = by_, .told = told_, .submit = submit_, .iommu = iommu_ \
	}

/*
 * One function a row, one row for each of the forms that it had. Sources: drivers/iommu
 * of 6.1, 6.12 and 7.2; intel/cache.c, intel/dmar.c, amd/iommu.c, virtio-iommu.c, iommu-pages.c.
 * 6.1 has Intel's and AMD's inlined or cloned. A clone (.isra.0) is entered with other arguments
 * than its source says: only when, and how long, is known.
 */
static const struct row {
	enum pair_kind kind;
	const char *prefix, *function;
	int nr_args;
	const char *holder;          /* argument 0 is a struct of this name; "" = the domain itself,
					NULL = something else */
	const char *with_tracepoint; /* only on kernels that have it; NULL = any */
	struct iot_driver_fn how;
} rows[] = {
	{ PAIR_INVALIDATE, "refiommu_", "refiommu_inval_range", 3, "", NULL, { 0 } },
	{ PAIR_INVALIDATE, "intel_", "cache_tag_flush_range", 4, "dmar_domain", NULL, { 0 } },
	/* 7.2 has no such tracepoint, and there it does nothing but call the one above */
	{ PAIR_INVALIDATE,
	  "intel_",
	  "cache_tag_flush_all",
	  1,
	  "dmar_domain",
	  "cache_tag_flush_all",
	  { .range = IOT_RANGE_ALL } },
	{ PAIR_INVALIDATE,
	  "amd_",
	  "amd_iommu_domain_flush_pages",
	  3,
	  "protection_domain",
	  NULL,
	  { .range = IOT_RANGE_SIZE } },
	{ PAIR_INVALIDATE,
	  "amd_",
	  "amd_iommu_domain_flush_pages",
	  4,
	  "protection_domain",
	  NULL,
	  { 0 } },
	{ PAIR_TABLE_ALLOC, "refiommu_", "refiommu_table_alloc", 2, "", NULL, { .bytes = 4096 } },
	{ PAIR_TABLE_FREE, "refiommu_", "refiommu_table_free", 2, "", NULL, { .bytes = 4096 } },
	{ PAIR_TABLE_ALLOC, "", "iommu_alloc_pages_node_sz", 3, NULL, NULL, { .inner = 1 } },
	{ PAIR_TABLE_FREE,
	  "",
	  "__iommu_free_desc",
	  1,
	  NULL,
	  NULL,
	  { .inner = 1, .page = IOT_PAGE_STRUCT } },
	{ PAIR_SUBMIT, "refiommu_", "refiommu_inval_range", 3, "", NULL,
	  SUBMIT(IOT_BY_REFIOMMU, IOT_TOLD_FIXED, IOT_SUBMIT_IOTLB, 0) },
	{ PAIR_SUBMIT, "intel_", "qi_submit_sync", 4, NULL, NULL,
	  SUBMIT(IOT_BY_QI_SUBMIT, IOT_TOLD_VTD, 0, 1) },
	{ PAIR_SUBMIT, "intel_", "cache_tag_flush_range", 4, "dmar_domain", NULL,
	  SUBMIT(IOT_BY_CACHE_TAGS, IOT_TOLD_FIXED, IOT_SUBMIT_IOTLB, 0) },
	{ PAIR_SUBMIT, "intel_", "cache_tag_flush_all", 1, "dmar_domain", "cache_tag_flush_all",
	  SUBMIT(IOT_BY_CACHE_TAGS, IOT_TOLD_FIXED, IOT_SUBMIT_IOTLB, 0) },
	{ PAIR_SUBMIT, "amd_", "__iommu_queue_command_sync", 3, NULL, NULL,
	  SUBMIT(IOT_BY_AMD_COMMAND, IOT_TOLD_AMDVI, 0, 1) },
	{ PAIR_SUBMIT, "amd_", "amd_iommu_domain_flush_pages", 3, "protection_domain", NULL,
	  SUBMIT(IOT_BY_AMD_PAGES, IOT_TOLD_FIXED, IOT_SUBMIT_IOTLB, 0) },
	{ PAIR_SUBMIT, "amd_", "amd_iommu_domain_flush_pages", 4, "protection_domain", NULL,
	  SUBMIT(IOT_BY_AMD_PAGES, IOT_TOLD_FIXED, IOT_SUBMIT_IOTLB, 0) },
	{ PAIR_SUBMIT, "amd_", "iommu_completion_wait", 1, NULL, NULL,
	  SUBMIT(IOT_BY_AMD_WAIT, IOT_TOLD_FIXED, IOT_SUBMIT_WAIT, 1) },
	{ PAIR_SUBMIT, "amd_", "iommu_completion_wait.isra.0", 1, NULL, NULL,
	  SUBMIT(IOT_BY_AMD_WAIT, IOT_TOLD_FIXED, IOT_SUBMIT_WAIT, 0) },
	{ PAIR_SUBMIT, "viommu_", "__viommu_sync_req", 1, NULL, NULL,
	  SUBMIT(IOT_BY_VIRTIO_SYNC, IOT_TOLD_FIXED, IOT_SUBMIT_WAIT, 1) },
	{ PAIR_SUBMIT, "viommu_", "__viommu_sync_req.isra.0", 1, NULL, NULL,
	  SUBMIT(IOT_BY_VIRTIO_SYNC, IOT_TOLD_FIXED, IOT_SUBMIT_WAIT, 0) },
};
#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

/* Variables that say where the page of a struct page is. */
static const char page_map[] = "vmemmap_base", page_offset[] = "page_offset_base";

static const char *const sees[PAIR_KINDS] = {
	[PAIR_INVALIDATE] = "invalidations by",
	[PAIR_TABLE_ALLOC] = "pages of page tables allocated by",
	[PAIR_TABLE_FREE] = "pages of page tables freed by",
	[PAIR_SUBMIT] = "submissions to the hardware by",
};

enum state {
	STATE_OFF,    /* not asked for */
	STATE_ABSENT, /* the kernel hasn't got it, or not in this form */
	STATE_FAILED,
	STATE_PENDING, /* to be attached */
	STATE_ATTACHED,
};

struct copy {
	enum state state;
	struct pair pair;
	char module[56];
	char why_not[160];
	bool told;
};

struct drivers {
	const struct types *types;
	struct copy copies[NR_ROWS];
	uint64_t misses_gone[PAIR_KINDS];
};

static bool is_wanted(const struct drivers_want *want, const struct row *row)
{
	switch (row->kind) {
	case PAIR_INVALIDATE:
		return want->invalidations;
	case PAIR_SUBMIT:
		return want->submissions;
	default:
		return want->tables;
	}
}

struct drivers *drivers__new(const struct types *types, const struct drivers_want *want)
{
	struct drivers *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->types = types;
	for (size_t i = 0; i < NR_ROWS; i++) {
		d->copies[i].state = is_wanted(want, &rows[i]) ? STATE_ABSENT : STATE_OFF;
		snprintf(d->copies[i].why_not, sizeof(d->copies[i].why_not),
			 "no function %s in this kernel", rows[i].function);
	}
	return d;
}

void drivers__free(struct drivers *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < NR_ROWS; i++)
		pair__drop(&d->copies[i].pair);
	free(d);
}

/* Offset in bytes of the member "domain" of a struct of the kernel; -ENOENT. */
static int domain_offset(const struct types *types, const char *holder)
{
	const struct btf_type *t = types__find(types, holder, BTF_KIND_STRUCT);
	const struct btf *btf = types__btf(types);
	const struct btf_member *m;

	if (!t)
		return -ENOENT;
	m = btf_members(t);
	for (__u16 i = 0; i < btf_vlen(t); i++, m++) {
		const struct btf_type *in = btf__type_by_id(btf, m->type);
		const char *name = btf__name_by_offset(btf, m->name_off);

		if (!strcmp(name, "domain"))
			return (int)(btf_member_bit_offset(t, i) / 8);
		/* 7.2 has it in a union without a name, where everything is at its begin */
		for (__u16 k = 0; !name[0] && btf_is_composite(in) && k < btf_vlen(in); k++)
			if (!strcmp(btf__name_by_offset(btf, btf_members(in)[k].name_off),
				    "domain"))
				return (int)((btf_member_bit_offset(t, i) +
					      btf_member_bit_offset(in, k)) /
					     8);
	}
	return -ENOENT;
}

/* Everything the programs have to know. False: the reason is in the copy. */
static bool choose(const struct drivers *d, const struct row *row, struct copy *c,
		   struct kallsyms *syms, struct iot_driver_fn *how)
{
	struct ksym map, offset;
	int at;

	*how = row->how;
	if (row->holder) {
		at = row->holder[0] ? domain_offset(d->types, row->holder) : 0;
		if (at < 0) {
			snprintf(c->why_not, sizeof(c->why_not),
				 "the kernel's BTF has no struct %s with a domain", row->holder);
			return false;
		}
		how->domain = 1;
		how->domain_at = (__u32)at;
	}
	if (how->page != IOT_PAGE_STRUCT)
		return true;
	if (!kallsyms__count(syms, page_map, &map) ||
	    !kallsyms__count(syms, page_offset, &offset)) {
		snprintf(c->why_not, sizeof(c->why_not),
			 "it frees by struct page, whose address can't be worked out: no "
			 "vmemmap_base in /proc/kallsyms");
		return false;
	}
	how->vmemmap_base = map.addr;
	how->page_offset_base = offset.addr;
	return true;
}

int drivers__want(struct kallsyms *syms)
{
	int rc = kallsyms__want(syms, page_map);

	if (!rc)
		rc = kallsyms__want(syms, page_offset);
	for (size_t i = 0; !rc && i < NR_ROWS; i++)
		rc = kallsyms__want(syms, rows[i].function);
	return rc;
}

static void look(struct drivers *d, size_t i, struct kallsyms *syms, const struct roles *roles)
{
	const struct row *row = &rows[i];
	struct copy *c = &d->copies[i];
	struct iot_driver_fn how;
	struct ksym sym;
	size_t copies;
	int nr;

	copies = kallsyms__count(syms, row->function, &sym);
	if (!copies || (row->with_tracepoint && !types__tracepoint(d->types, row->with_tracepoint)))
		return;
	/* most kernels have the drivers of machines of several makers built in */
	if (row->prefix[0] && !sym.module[0] && !roles__has_prefix(roles, row->prefix)) {
		snprintf(c->why_not, sizeof(c->why_not), "no domain is of its driver");
		return;
	}
	snprintf(c->module, sizeof(c->module), "%s", sym.module);
	nr = types__nr_args(d->types, row->function, sym.module);
	if (nr >= 0 && nr != row->nr_args) {
		snprintf(c->why_not, sizeof(c->why_not),
			 "%s takes %d arguments here, not %d as in another row", row->function, nr,
			 row->nr_args);
		return;
	}
	c->state = STATE_FAILED;
	c->told = false;
	if (copies > 1) {
		snprintf(c->why_not, sizeof(c->why_not), "%zu functions are called %s", copies,
			 row->function);
		return;
	}
	/* without BTF the number of arguments can't be asked: a module's is as in its sources */
	if (nr < 0 && !sym.module[0]) {
		snprintf(c->why_not, sizeof(c->why_not), "%s has no BTF", row->function);
		return;
	}
	if (!choose(d, row, c, syms, &how))
		return;
	c->pair = (struct pair){ .kind = row->kind, .kprobe = nr < 0, .how = how };
	snprintf(c->pair.function, sizeof(c->pair.function), "%s", row->function);
	c->state = STATE_PENDING;
}

void drivers__look(struct drivers *d, struct kallsyms *syms, const struct roles *roles)
{
	for (size_t i = 0; i < NR_ROWS; i++)
		if (d->copies[i].state == STATE_ABSENT)
			look(d, i, syms, roles);
}

size_t drivers__pending(struct drivers *d, struct pair **out)
{
	size_t n = 0;

	for (size_t i = 0; i < NR_ROWS; i++) {
		if (d->copies[i].state != STATE_PENDING)
			continue;
		if (out)
			out[n] = &d->copies[i].pair;
		n++;
	}
	return n;
}

int drivers__settle(struct drivers *d, int (*fresh)(void *ctx, const char *function), void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < NR_ROWS; i++) {
		struct copy *c = &d->copies[i];

		if (c->state != STATE_PENDING)
			continue;
		c->state = c->pair.err ? STATE_FAILED : STATE_ATTACHED;
		if (c->pair.err)
			snprintf(c->why_not, sizeof(c->why_not), "the kernel refused it: %s",
				 strerror(-c->pair.err));
		else if (!err && fresh && rows[i].kind != PAIR_SUBMIT)
			err = fresh(ctx, rows[i].function);
	}
	return err;
}

void drivers__module_gone(struct drivers *d, const char *module)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		struct copy *c = &d->copies[i];

		if (c->state <= STATE_ABSENT || strcmp(c->module, module))
			continue;
		d->misses_gone[rows[i].kind] += pair__misses(&c->pair);
		pair__drop(&c->pair);
		c->state = STATE_ABSENT;
		c->told = false;
		snprintf(c->why_not, sizeof(c->why_not), "module %s was unloaded", module);
	}
}

/* Rows of one concern are told together, by an attribute of this name. */
static const char *concern(const struct row *row)
{
	switch (row->kind) {
	case PAIR_INVALIDATE:
		return "invalidate";
	case PAIR_SUBMIT:
		return "submit";
	default:
		return "tables";
	}
}

static bool are_alike(const struct row *a, const struct row *b)
{
	return !strcmp(a->prefix, b->prefix) && concern(a) == concern(b);
}

/* The functions of row i's prefix and concern that are attached; of tables both, or none. */
static int tell_list(const struct drivers *d, size_t i, facts_add add, void *ctx)
{
	char list[160] = "";
	bool has[PAIR_KINDS] = { false };

	for (size_t k = 0; k < NR_ROWS; k++) {
		size_t len = strlen(list);

		if (!are_alike(&rows[k], &rows[i]))
			continue;
		/* one that is there and can't be seen: who relies on the list would miss its calls
		 */
		if (d->copies[k].state == STATE_FAILED)
			return 0;
		if (d->copies[k].state != STATE_ATTACHED)
			continue;
		has[rows[k].kind] = true;
		snprintf(list + len, sizeof(list) - len, "%s%s", len ? " " : "", rows[k].function);
	}
	if (has[PAIR_TABLE_ALLOC] != has[PAIR_TABLE_FREE] || !list[0])
		return 0;
	return facts__attr(add, ctx, "%s.%s=%s", concern(&rows[i]), rows[i].prefix, list);
}

/* The first row that is in the same list as row i. */
static size_t first_like(size_t i)
{
	size_t k = 0;

	while (!are_alike(&rows[k], &rows[i]))
		k++;
	return k;
}

int drivers__tell(struct drivers *d, facts_add add, void *ctx)
{
	bool changed[NR_ROWS] = { false };
	int err = 0;

	for (size_t i = 0; !err && i < NR_ROWS; i++) {
		struct copy *c = &d->copies[i];
		const char *name = rows[i].function;

		/* of a function that has several rows, the one that fits speaks for all */
		if (c->told || c->state == STATE_OFF ||
		    (c->state == STATE_ABSENT && i + 1 < NR_ROWS &&
		     !strcmp(rows[i + 1].function, name)) ||
		    (c->state == STATE_ABSENT && i && !strcmp(rows[i - 1].function, name) &&
		     d->copies[i - 1].state != STATE_ABSENT))
			continue;
		c->told = true;
		if (c->state != STATE_ATTACHED) {
			err = facts__attr(add, ctx, "plan.%s=%s: %s", name,
					  c->state == STATE_ABSENT ? "absent" : "missing",
					  c->why_not);
			continue;
		}
		changed[first_like(i)] = true;
		err = facts__attr(add, ctx, "plan.%s=%s %s", name,
				  c->pair.kprobe ? "kprobe" : "fentry", name);
	}
	for (size_t i = 0; !err && i < NR_ROWS; i++)
		if (changed[i])
			err = tell_list(d, i, add, ctx);
	return err;
}

void drivers__gaps(const struct drivers *d, void (*say)(void *ctx, const char *line), void *ctx)
{
	char line[320];

	for (size_t i = 0; i < NR_ROWS; i++) {
		if (d->copies[i].state != STATE_FAILED)
			continue;
		snprintf(line, sizeof(line), "not seen: %s %s: %s", sees[rows[i].kind],
			 rows[i].function, d->copies[i].why_not);
		say(ctx, line);
	}
}

uint64_t drivers__misses(const struct drivers *d, enum pair_kind kind)
{
	uint64_t n = d->misses_gone[kind];

	for (size_t i = 0; i < NR_ROWS; i++)
		if (rows[i].kind == kind)
			n += pair__misses(&d->copies[i].pair);
	return n;
}

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
#include "collect/programs.h"
#include "driver.skel.h"

enum kind {
	KIND_INVALIDATE,
	KIND_TABLE_ALLOC,
	KIND_TABLE_FREE,
	KIND_SUBMIT,
};

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
	enum kind kind;
	const char *prefix, *function;
	int nr_args;
	const char *holder;          /* argument 0 is a struct of this name; "" = the domain itself,
					NULL = something else */
	const char *with_tracepoint; /* only on kernels that have it; NULL = any */
	struct iot_driver_fn how;
} rows[] = {
	{ KIND_INVALIDATE, "refiommu_", "refiommu_inval_range", 3, "", NULL, { 0 } },
	{ KIND_INVALIDATE, "intel_", "cache_tag_flush_range", 4, "dmar_domain", NULL, { 0 } },
	/* 7.2 has no such tracepoint, and there it does nothing but call the one above */
	{ KIND_INVALIDATE,
	  "intel_",
	  "cache_tag_flush_all",
	  1,
	  "dmar_domain",
	  "cache_tag_flush_all",
	  { .range = IOT_RANGE_ALL } },
	{ KIND_INVALIDATE,
	  "amd_",
	  "amd_iommu_domain_flush_pages",
	  3,
	  "protection_domain",
	  NULL,
	  { .range = IOT_RANGE_SIZE } },
	{ KIND_INVALIDATE,
	  "amd_",
	  "amd_iommu_domain_flush_pages",
	  4,
	  "protection_domain",
	  NULL,
	  { 0 } },
	{ KIND_TABLE_ALLOC, "refiommu_", "refiommu_table_alloc", 2, "", NULL, { .bytes = 4096 } },
	{ KIND_TABLE_FREE, "refiommu_", "refiommu_table_free", 2, "", NULL, { .bytes = 4096 } },
	{ KIND_TABLE_ALLOC, "", "iommu_alloc_pages_node_sz", 3, NULL, NULL, { .inner = 1 } },
	{ KIND_TABLE_FREE,
	  "",
	  "__iommu_free_desc",
	  1,
	  NULL,
	  NULL,
	  { .inner = 1, .page = IOT_PAGE_STRUCT } },
	{ KIND_SUBMIT, "refiommu_", "refiommu_inval_range", 3, "", NULL,
	  SUBMIT(IOT_BY_REFIOMMU, IOT_TOLD_FIXED, IOT_SUBMIT_IOTLB, 0) },
	{ KIND_SUBMIT, "intel_", "qi_submit_sync", 4, NULL, NULL,
	  SUBMIT(IOT_BY_QI_SUBMIT, IOT_TOLD_VTD, 0, 1) },
	{ KIND_SUBMIT, "intel_", "cache_tag_flush_range", 4, "dmar_domain", NULL,
	  SUBMIT(IOT_BY_CACHE_TAGS, IOT_TOLD_FIXED, IOT_SUBMIT_IOTLB, 0) },
	{ KIND_SUBMIT, "intel_", "cache_tag_flush_all", 1, "dmar_domain", "cache_tag_flush_all",
	  SUBMIT(IOT_BY_CACHE_TAGS, IOT_TOLD_FIXED, IOT_SUBMIT_IOTLB, 0) },
	{ KIND_SUBMIT, "amd_", "__iommu_queue_command_sync", 3, NULL, NULL,
	  SUBMIT(IOT_BY_AMD_COMMAND, IOT_TOLD_AMDVI, 0, 1) },
	{ KIND_SUBMIT, "amd_", "amd_iommu_domain_flush_pages", 3, "protection_domain", NULL,
	  SUBMIT(IOT_BY_AMD_PAGES, IOT_TOLD_FIXED, IOT_SUBMIT_IOTLB, 0) },
	{ KIND_SUBMIT, "amd_", "amd_iommu_domain_flush_pages", 4, "protection_domain", NULL,
	  SUBMIT(IOT_BY_AMD_PAGES, IOT_TOLD_FIXED, IOT_SUBMIT_IOTLB, 0) },
	{ KIND_SUBMIT, "amd_", "iommu_completion_wait", 1, NULL, NULL,
	  SUBMIT(IOT_BY_AMD_WAIT, IOT_TOLD_FIXED, IOT_SUBMIT_WAIT, 1) },
	{ KIND_SUBMIT, "amd_", "iommu_completion_wait.isra.0", 1, NULL, NULL,
	  SUBMIT(IOT_BY_AMD_WAIT, IOT_TOLD_FIXED, IOT_SUBMIT_WAIT, 0) },
	{ KIND_SUBMIT, "viommu_", "__viommu_sync_req", 1, NULL, NULL,
	  SUBMIT(IOT_BY_VIRTIO_SYNC, IOT_TOLD_FIXED, IOT_SUBMIT_WAIT, 1) },
	{ KIND_SUBMIT, "viommu_", "__viommu_sync_req.isra.0", 1, NULL, NULL,
	  SUBMIT(IOT_BY_VIRTIO_SYNC, IOT_TOLD_FIXED, IOT_SUBMIT_WAIT, 0) },
};
#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct {
	const char *sees;
	struct pair_names programs;
} kinds[] = {
	[KIND_INVALIDATE] = { "invalidations by",
			      { "inval_entry", "inval_exit", "inval_kentry", "inval_kexit" } },
	[KIND_TABLE_ALLOC] = { "pages of page tables allocated by",
			       { "alloc_entry", "alloc_exit", "alloc_kentry", "alloc_kexit" } },
	[KIND_TABLE_FREE] = { "pages of page tables freed by",
			      { "free_entry", "free_exit", "free_kentry", "free_kexit" } },
	[KIND_SUBMIT] = { "submissions to the hardware by",
			  { "inval_entry", "submit_exit", "inval_kentry", "submit_kexit" } },
};

enum state {
	STATE_ABSENT, /* the kernel hasn't got it, or not in this form */
	STATE_FAILED,
	STATE_ATTACHED,
};

struct copy {
	enum state state;
	struct driver_bpf *skel;
	struct pair pair;
	char module[56];
	char why_not[160];
	bool told;
};

struct drivers {
	struct bpf_object *main_object;
	const struct btf *vmlinux;
	struct iot_knobs knobs;
	bool submissions;
	struct bpf_map *in_table_fn; /* of the first copy: all share it */
	struct copy copies[NR_ROWS];
	uint64_t misses_gone;
};

struct drivers *drivers__new(struct bpf_object *main_object, const struct iot_knobs *knobs,
			     const struct btf *vmlinux, bool submissions)
{
	struct drivers *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->main_object = main_object;
	d->knobs = *knobs;
	d->vmlinux = vmlinux;
	d->submissions = submissions;
	for (size_t i = 0; i < NR_ROWS; i++)
		snprintf(d->copies[i].why_not, sizeof(d->copies[i].why_not),
			 "no function %s in this kernel", rows[i].function);
	return d;
}

static void destroy_copy(struct copy *c)
{
	pair__detach(&c->pair);
	driver_bpf__destroy(c->skel);
	c->skel = NULL;
}

void drivers__free(struct drivers *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < NR_ROWS; i++)
		destroy_copy(&d->copies[i]);
	free(d);
}

/* Offset in bytes of the member "domain" of a struct of the kernel; -ENOENT. */
static int domain_offset(const struct btf *btf, const char *holder)
{
	int id = btf__find_by_name_kind(btf, holder, BTF_KIND_STRUCT);
	const struct btf_type *t;
	const struct btf_member *m;

	if (id < 0)
		return -ENOENT;
	t = btf__type_by_id(btf, (__u32)id);
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

static bool has_tracepoint(const struct btf *btf, const char *name)
{
	char type[96];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) > 0;
}

/* Everything the programs have to know. False: the reason is in the copy. */
static bool choose(const struct drivers *d, const struct row *row, struct copy *c,
		   const struct kallsyms *syms, struct iot_driver_fn *how)
{
	struct ksym map, offset;
	int at;

	*how = row->how;
	if (row->holder) {
		at = row->holder[0] ? domain_offset(d->vmlinux, row->holder) : 0;
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
	if (!kallsyms__count(syms, "vmemmap_base", &map) ||
	    !kallsyms__count(syms, "page_offset_base", &offset)) {
		snprintf(c->why_not, sizeof(c->why_not),
			 "it frees by struct page, whose address can't be worked out: no "
			 "vmemmap_base in /proc/kallsyms");
		return false;
	}
	how->vmemmap_base = map.addr;
	how->page_offset_base = offset.addr;
	return true;
}

static int load(struct drivers *d, const struct row *row, struct copy *c,
		const struct iot_driver_fn *how, bool kprobe)
{
	int err;

	c->skel = driver_bpf__open();
	if (!c->skel)
		return -errno;
	memcpy((void *)&c->skel->rodata->knobs, &d->knobs, sizeof(d->knobs));
	memcpy((void *)&c->skel->rodata->fn, how, sizeof(*how));
	err = pair__prepare(&c->pair, c->skel->obj, d->main_object, &kinds[row->kind].programs,
			    row->function, kprobe);
	for (size_t i = 0; !err && i < NR_ROWS; i++)
		if (&d->copies[i] != c && d->copies[i].skel)
			err = bpf_map__reuse_fd(c->skel->maps.in_table_fn,
						bpf_map__fd(d->copies[i].skel->maps.in_table_fn));
	if (!err)
		err = driver_bpf__load(c->skel);
	return err ? err : pair__attach(&c->pair, row->function);
}

/* 1: newly attached. */
static int look(struct drivers *d, size_t i, const struct kallsyms *syms)
{
	const struct row *row = &rows[i];
	struct copy *c = &d->copies[i];
	struct iot_driver_fn how;
	struct ksym sym;
	size_t copies;
	int nr, err;

	copies = kallsyms__count(syms, row->function, &sym);
	if (!copies || (row->with_tracepoint && !has_tracepoint(d->vmlinux, row->with_tracepoint)))
		return 0;
	snprintf(c->module, sizeof(c->module), "%s", sym.module);
	nr = function__nr_args(d->vmlinux, row->function, sym.module);
	if (nr >= 0 && nr != row->nr_args) {
		snprintf(c->why_not, sizeof(c->why_not),
			 "%s takes %d arguments here, not %d as in another row", row->function, nr,
			 row->nr_args);
		return 0;
	}
	c->state = STATE_FAILED;
	c->told = false;
	if (copies > 1) {
		snprintf(c->why_not, sizeof(c->why_not), "%zu functions are called %s", copies,
			 row->function);
		return 0;
	}
	/* without BTF the number of arguments can't be asked: a module's is as in its sources */
	if (nr < 0 && !sym.module[0]) {
		snprintf(c->why_not, sizeof(c->why_not), "%s has no BTF", row->function);
		return 0;
	}
	if (!choose(d, row, c, syms, &how))
		return 0;
	err = load(d, row, c, &how, nr < 0);
	if (err) {
		snprintf(c->why_not, sizeof(c->why_not), "the kernel refused it: %s",
			 strerror(-err));
		destroy_copy(c);
		return 0;
	}
	c->state = STATE_ATTACHED;
	return 1;
}

static bool is_wanted(const struct drivers *d, const struct row *row)
{
	return row->kind == KIND_SUBMIT ? d->submissions : d->knobs.invariants;
}

int drivers__look(struct drivers *d, const struct kallsyms *syms,
		  int (*fresh)(void *ctx, const char *function), void *ctx)
{
	int err = 0;

	for (size_t i = 0; !err && i < NR_ROWS; i++)
		if (is_wanted(d, &rows[i]) && d->copies[i].state == STATE_ABSENT &&
		    look(d, i, syms) && fresh && rows[i].kind != KIND_SUBMIT)
			err = fresh(ctx, rows[i].function);
	return err;
}

static uint64_t copy_misses(const struct copy *c)
{
	return c->skel ? program__misses(bpf_program__fd(c->pair.entry)) +
				 program__misses(bpf_program__fd(c->pair.exit))
		       : 0;
}

void drivers__module_gone(struct drivers *d, const char *module)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		struct copy *c = &d->copies[i];

		if (c->state == STATE_ABSENT || strcmp(c->module, module))
			continue;
		d->misses_gone += copy_misses(c);
		destroy_copy(c);
		c->state = STATE_ABSENT;
		c->told = false;
		snprintf(c->why_not, sizeof(c->why_not), "module %s was unloaded", module);
	}
}

void drivers__detach(struct drivers *d)
{
	for (size_t i = 0; i < NR_ROWS; i++)
		pair__detach(&d->copies[i].pair);
}

/* Rows of one concern are told together, by an attribute of this name. */
static const char *concern(const struct row *row)
{
	switch (row->kind) {
	case KIND_INVALIDATE:
		return "invalidate";
	case KIND_SUBMIT:
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
	bool has[KIND_SUBMIT + 1] = { false };

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
	if (has[KIND_TABLE_ALLOC] != has[KIND_TABLE_FREE] || !list[0])
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
		if (c->told || !is_wanted(d, &rows[i]) ||
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
		snprintf(line, sizeof(line), "not seen: %s %s: %s", kinds[rows[i].kind].sees,
			 rows[i].function, d->copies[i].why_not);
		say(ctx, line);
	}
}

uint64_t drivers__misses(const struct drivers *d)
{
	uint64_t n = d->misses_gone;

	for (size_t i = 0; i < NR_ROWS; i++)
		n += copy_misses(&d->copies[i]);
	return n;
}

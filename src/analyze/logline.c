// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/logline.h"

#include <stdio.h>
#include <string.h>

#include "analyze/why.h"
#include "model/tables.h"

/* Suppressed lines are told of when the period of the limit (5 s) is over. */
#define RATELIMIT_PERIOD 5000000000ULL

static __u32 device_of(struct model *m, const struct klog_record *r)
{
	const char *name = r->dev, *real;
	struct model_device *dev;
	char key[56];

	snprintf(key, sizeof(key), "alias.%s", r->dev);
	real = *name ? model__attr(m, key) : NULL;
	if (real)
		name = real;
	dev = model__log_device(m, name, r->driver, r->rid_known ? &r->rid : NULL);
	return dev ? dev->nr : 0;
}

/* From here on the log's name is that PCI device: "nvme nvme0: pci function 0000:00:04.0". */
static void learn_alias(struct model *m, const char *name, __u32 rid)
{
	struct {
		struct iot_attr attr;
		char text[104];
	} ev = { .attr = { .h = { .id = IOT_EV_ATTR, .len = sizeof(ev) },
			   .text_len = sizeof(ev.text) } };
	char key[56];

	snprintf(key, sizeof(key), "alias.%s", name);
	if (model__attr(m, key))
		return;
	snprintf(ev.text, sizeof(ev.text), "%s=%04x:%02x:%02x.%x", key, rid >> 16, rid >> 8 & 0xff,
		 rid >> 3 & 0x1f, rid & 7);
	tables__attr(m, &ev.attr);
}

/* Only what limits lines about the IOMMU: "dmar_fault", "amd_iommu_report_page_fault",
 * "viommu_fault_handler" … */
static bool limits_faults(const char *func)
{
	return strstr(func, "fault") || strstr(func, "iommu") || strstr(func, "smmu");
}

static bool is_attached(const struct model *m, const char *point)
{
	const char *how = model__attr(m, point);

	return how && (!strncmp(how, "fentry ", 7) || !strncmp(how, "fexit ", 6) ||
		       !strncmp(how, "calls in ", 9));
}

/* All that VT-d records is told (record --fault-records), what it had no room for as well. */
static bool reads_vtd(const struct model *m)
{
	return is_attached(m, "plan.intel-record-in") && is_attached(m, "plan.intel-record") &&
	       is_attached(m, "plan.intel-record-out");
}

/* The faults behind these lines were recorded all the same: nothing is missing. */
static bool is_recorded(const struct model *m, const char *func)
{
	if (!strcmp(func, "viommu_fault_handler"))
		return is_attached(m, "plan.virtio-record");
	return (!strcmp(func, "dmar_fault") || !strcmp(func, KLOG_VTD_OVERFLOW)) && reads_vtd(m);
}

/*
 * An AMD-Vi that caches what isn't present is emulated, and QEMU's writes 0 into its events where
 * the address belongs (seen with 11.1.3, and so in amdvi_setevent_bits() of its source: a shift by
 * 64).
 */
static bool has_no_address(const struct logline *l, const struct klog_record *r)
{
	struct why_core core;

	if (r->iova || strcmp(r->signal, "IO_PAGE_FAULT"))
		return false;
	why__core(&core, l->model, l->origin);
	return core.np_cache[0];
}

static void fill_fault(struct logline *l, const struct klog_record *r, union logline_event *out)
{
	out->h.id = IOT_EV_FAULT;
	out->h.len = sizeof(out->fault);
	out->h.dev = device_of(l->model, r);
	out->fault.iova = r->iova;
	out->fault.iova_known = r->iova_known && !has_no_address(l, r);
	out->fault.access = r->access;
	out->fault.source = IOT_SRC_LOG;
	out->fault.reason = r->reason;
	out->fault.flags = r->flags;
	out->fault.rid = r->rid;
	out->fault.rid_known = r->rid_known;
}

static void fill_trouble(struct logline *l, const struct klog_record *r, union logline_event *out)
{
	out->h.id = r->kind == KLOG_HANG    ? IOT_EV_HANG
		    : r->kind == KLOG_RESET ? IOT_EV_RESET
					    : IOT_EV_ERROR;
	out->h.len = sizeof(out->trouble);
	out->h.dev = device_of(l->model, r);
	out->trouble.stalled = r->stalled;
	out->trouble.queue = r->queue;
	out->trouble.source = IOT_SRC_LOG;
	out->trouble.kind = r->error;
	snprintf(out->trouble.what, sizeof(out->trouble.what), "%s", r->signal);
}

static void fill_loss(const struct klog_record *r, union logline_event *out)
{
	out->h.id = IOT_EV_LOSS;
	out->h.len = sizeof(out->loss);
	out->loss.count = r->suppressed;
	out->loss.cause = IOT_LOST_RATELIMIT;
	out->loss.begin = out->h.ts > RATELIMIT_PERIOD ? out->h.ts - RATELIMIT_PERIOD : 0;
	memcpy(out->loss.what, r->func, sizeof(out->loss.what) - 1);
}

static int on_record(void *ctx, __u64 ts, const struct klog_record *r)
{
	struct logline *l = ctx;
	union logline_event out;

	memset(&out, 0, sizeof(out));
	out.h.ts = ts;
	out.h.flags = (__u16)(IOT_F_DERIVED | l->origin << IOT_F_ORIGIN_SHIFT);
	out.h.cpu = l->log ? l->log->cpu : 0xffff;
	out.h.tid = l->log ? l->log->tid : 0;
	if (r->ifname[0] && r->rid_known)
		learn_alias(l->model, r->ifname, r->rid);
	switch (r->kind) {
	case KLOG_ALIAS:
		if (r->dev[0] && r->rid_known)
			learn_alias(l->model, r->dev, r->rid);
		return 0;
	case KLOG_RATELIMIT:
		if (!limits_faults(r->func) || !r->suppressed || is_recorded(l->model, r->func))
			return 0;
		fill_loss(r, &out);
		break;
	case KLOG_FAULT:
		fill_fault(l, r, &out);
		break;
	case KLOG_ERROR:
		if (!strcmp(r->signal, KLOG_VTD_INTERRUPT) && reads_vtd(l->model))
			return 0;
		/* fallthrough */
	case KLOG_HANG:
	case KLOG_RESET:
		fill_trouble(l, r, &out);
		break;
	default:
		return 0;
	}
	return l->fn(l->ctx, &out);
}

int logline__feed(struct logline *l, struct model *m, const struct iot_log *log, logline_fn fn,
		  void *ctx)
{
	size_t room = log->h.len - sizeof(*log),
	       len = strnlen(log->text, log->text_len < room ? log->text_len : room);

	l->model = m;
	l->log = &log->h;
	l->origin = IOT_ORIGIN(log->h.flags);
	l->fn = fn;
	l->ctx = ctx;
	return klog_join__feed(&l->join, log->h.ts, log->text, len, on_record, l);
}

int logline__end(struct logline *l, struct model *m, logline_fn fn, void *ctx)
{
	l->model = m;
	l->log = NULL;
	m->origin = l->origin;
	l->fn = fn;
	l->ctx = ctx;
	return klog_join__end(&l->join, on_record, l);
}

bool logline__in_scope(struct scope *s, struct model *m, const struct iot_event *derived)
{
	const struct model_device *dev = model__device(m, derived->dev);

	/* A line of the log names its device itself; no event of the stream does. */
	if (s && dev && dev->nr >= MODEL_LOG_DEVICE)
		scope__device(s, dev->nr, dev->name, dev->origin, dev->group);
	return scope__has(s, derived);
}

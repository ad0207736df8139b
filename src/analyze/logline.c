// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/logline.h"

#include <stdio.h>
#include <string.h>

#include "klog/klog.h"
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

/* "nvme nvme0: pci function 0000:00:04.0": from here on nvme0 is that PCI device. */
static void learn_alias(struct model *m, const struct klog_record *r)
{
	struct {
		struct iot_attr attr;
		char text[104];
	} ev = { .attr = { .h = { .id = IOT_EV_ATTR, .len = sizeof(ev) },
			   .text_len = sizeof(ev.text) } };

	snprintf(ev.text, sizeof(ev.text), "alias.%s=%04x:%02x:%02x.%x", r->dev, r->rid >> 16,
		 r->rid >> 8 & 0xff, r->rid >> 3 & 0x1f, r->rid & 7);
	tables__attr(m, &ev.attr);
}

/* Only what limits lines about the IOMMU: "dmar_fault", "amd_iommu_report_page_fault",
 * "viommu_fault_handler" … */
static bool limits_faults(const char *func)
{
	return strstr(func, "fault") || strstr(func, "iommu") || strstr(func, "smmu");
}

int logline__event(struct model *m, const struct iot_log *log, union logline_event *out)
{
	size_t room = log->h.len - sizeof(*log),
	       len = strnlen(log->text, log->text_len < room ? log->text_len : room);
	struct iot_event h = {
		.ts = log->h.ts, .cpu = log->h.cpu, .tid = log->h.tid, .flags = IOT_F_DERIVED
	};
	struct klog_record r;

	if (!klog__parse(log->text, len, &r))
		return 0;
	switch (r.kind) {
	case KLOG_ALIAS:
		if (r.dev[0] && r.rid_known)
			learn_alias(m, &r);
		return 0;
	case KLOG_RATELIMIT:
		if (!limits_faults(r.func) || !r.suppressed)
			return 0;
		h.id = IOT_EV_LOSS;
		h.len = sizeof(out->loss);
		out->loss = (struct iot_loss){ .h = h,
					       .count = r.suppressed,
					       .cause = IOT_LOST_RATELIMIT,
					       .begin = h.ts > RATELIMIT_PERIOD
								? h.ts - RATELIMIT_PERIOD
								: 0 };
		memcpy(out->loss.what, r.func, sizeof(out->loss.what) - 1);
		return 1;
	case KLOG_FAULT:
		h.id = IOT_EV_FAULT;
		h.len = sizeof(out->fault);
		h.dev = device_of(m, &r);
		out->fault = (struct iot_fault){ .h = h,
						 .iova = r.iova,
						 .iova_known = r.iova_known,
						 .access = r.access,
						 .source = IOT_SRC_LOG,
						 .reason = r.reason,
						 .flags = r.flags,
						 .rid = r.rid,
						 .rid_known = r.rid_known };
		return 1;
	case KLOG_HANG:
	case KLOG_RESET:
		h.id = r.kind == KLOG_HANG ? IOT_EV_HANG : IOT_EV_RESET;
		h.len = sizeof(out->trouble);
		h.dev = device_of(m, &r);
		out->trouble = (struct iot_trouble){
			.h = h, .stalled = r.stalled, .queue = r.queue, .source = IOT_SRC_LOG
		};
		snprintf(out->trouble.what, sizeof(out->trouble.what), "%s", r.signal);
		return 1;
	}
	return 0;
}

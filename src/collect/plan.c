// SPDX-License-Identifier: GPL-2.0-only
#include "collect/plan.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/types.h"

#define FENTRY(f, n, p)                                                        \
	{                                                                      \
		.kind = PLAN_FENTRY, .function = f, .nr_args = n, .program = p \
	}
#define FEXIT(f, n, p)                                                        \
	{                                                                     \
		.kind = PLAN_FEXIT, .function = f, .nr_args = n, .program = p \
	}
#define FEXIT_COUNTED(f, n, p)                                                 \
	{                                                                      \
		.kind = PLAN_FEXIT, .function = f, .nr_args = n, .program = p, \
		.counted = p "_counted"                                        \
	}
#define TP(t, p)                                                                \
	{                                                                       \
		.kind = PLAN_TP_BTF, .function = t, .nr_args = -1, .program = p \
	}
#define KPROBE(f, m, p)                                                                      \
	{                                                                                    \
		.kind = PLAN_KPROBE, .function = f, .nr_args = -1, .program = p, .module = m \
	}
#define CALLS(f, c, n, p)                                                                  \
	{                                                                                  \
		.kind = PLAN_CALL, .function = f, .callee = c, .nr_args = n, .program = p, \
	}
#define SYMBOL(s)                                                 \
	{                                                         \
		.kind = PLAN_SYMBOL, .function = s, .nr_args = -1 \
	}

/* Names, argument counts and completeness: kernel sources 6.1, 6.12 and 7.2; docs/compatibility.md
 * has what was measured. */
const struct plan_point plan_points[] = {
	{ "map",
	  "PTEs written, with domain and result (record)",
	  PLAN_VITAL,
	  PLAN_STREAM,
	  { FEXIT_COUNTED("__iommu_map", 6, "map_exit"),
	    FEXIT_COUNTED("iommu_map_nosync", 6, "map_exit") } },
	{ "map-live",
	  "PTEs written, counted (top)",
	  PLAN_VITAL,
	  PLAN_LIVE,
	  { FENTRY("__iommu_map", 6, "map_live_entry"),
	    FENTRY("iommu_map_nosync", 6, "map_live_entry") } },
	{ "unmap",
	  "PTEs cleared, with domain, strict or lazy (record)",
	  PLAN_VITAL,
	  PLAN_STREAM,
	  { FEXIT_COUNTED("__iommu_unmap", 4, "unmap_exit") } },
	{ "unmap-live",
	  "PTEs cleared, counted, strict or lazy (top)",
	  PLAN_VITAL,
	  PLAN_LIVE,
	  { FEXIT("__iommu_unmap", 4, "unmap_live_exit") } },
	{ "attach",
	  "device attached to a domain",
	  PLAN_VITAL,
	  PLAN_ALWAYS,
	  { FEXIT("__iommu_attach_device", 2, "attach2_exit"),
	    FEXIT("__iommu_attach_device", 3, "attach3_exit") } },
	{ "snapshot",
	  "what was attached before we started",
	  PLAN_VITAL,
	  PLAN_ALWAYS,
	  { SYMBOL("iommu_group_kset") } },
	{ "domain-free",
	  "domain freed",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FENTRY("iommu_domain_free", 1, "domain_free_entry") } },
	{ "cookie-free",
	  "domain freed, where domain-free is inlined in part (6.1)",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FENTRY("iommu_put_dma_cookie", 1, "cookie_put_entry") } },
	{ "queue-init",
	  "flush queue switched on for a domain",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FEXIT("iommu_dma_init_fq", 1, "init_fq_exit") } },
	{ "dma-setup",
	  "DMA API set up for a device",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FEXIT("iommu_setup_dma_ops", -1, "setup_dma_exit") } },
	{ "queue-timer-in",
	  "flush queue's timer, for the reason of a flush",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FENTRY("fq_flush_timeout", 1, "fq_timer_entry") } },
	{ "queue-timer-out",
	  "its end",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FEXIT("fq_flush_timeout", 1, "fq_timer_exit") } },
	{ "attach-in",
	  "a device gets another domain, for the reason of a flush",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FENTRY("__iommu_attach_device", -1, "attach_entry") } },
	{ "domain-free-out",
	  "the core has freed it, for the reason of a flush",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FEXIT("iommu_domain_free", 1, "domain_free_end") } },
	{ "strict-unmap-in",
	  "begin of a strict unmap: is a flush in the middle of it",
	  PLAN_USEFUL,
	  PLAN_STRICT,
	  { FENTRY("__iommu_unmap", 4, "strict_unmap_entry") } },
	{ "strict-unmap-out",
	  "its end",
	  PLAN_USEFUL,
	  PLAN_STRICT,
	  { FEXIT("__iommu_unmap", 4, "strict_unmap_exit") } },
	{ "device-remove",
	  "device left its IOMMU group",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { TP("remove_device_from_group", "group_remove") } },
	{ "module-load",
	  "module loaded: new IOMMU drivers",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { TP("module_load", "module_load") } },
	{ "module-free",
	  "module going away",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { TP("module_free", "module_free") } },
	{ "fault",
	  "faults of drivers that use report_iommu_fault()",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FENTRY("report_iommu_fault", 4, "fault_report") } },
	{ "page-request",
	  "page requests of devices (PRI, stalls)",
	  PLAN_OPTIONAL,
	  PLAN_PAGES,
	  { FENTRY("iommu_report_device_fault", 2, "page_request") } },
	{ "page-refused",
	  "page requests that the core doesn't take",
	  PLAN_OPTIONAL,
	  PLAN_PAGES,
	  { FEXIT("iommu_report_device_fault", 2, "page_refused") } },
	{ "page-answer",
	  "begin of the answer to page requests",
	  PLAN_OPTIONAL,
	  PLAN_PAGES,
	  { FENTRY("iopf_group_response", 2, "group_answer"),
	    FENTRY("iommu_page_response", 2, "page_answer") } },
	{ "page-answered",
	  "its end and result",
	  PLAN_OPTIONAL,
	  PLAN_PAGES,
	  { FEXIT("iopf_group_response", 2, "group_answered"),
	    FEXIT("iommu_page_response", 2, "page_answered") } },
	{ "page-queue-left",
	  "a device stops making page requests: those that wait are invalid",
	  PLAN_OPTIONAL,
	  PLAN_PAGES,
	  { FENTRY("iopf_queue_remove_device", 2, "page_queue_left") } },
	{ "virtio-record",
	  "virtio: each fault, printed or not (--fault-records)",
	  PLAN_OPTIONAL,
	  PLAN_RECORDS,
	  { FEXIT("virtqueue_get_buf", 2, "virtio_fault_buffer") } },
	{ "intel-record-in",
	  "VT-d: its driver begins to read fault records (--fault-records)",
	  PLAN_OPTIONAL,
	  PLAN_RECORDS,
	  { FENTRY("dmar_fault", 2, "vtd_begin") } },
	{ "intel-record",
	  "VT-d: it reads the next one, and prints it or not (--fault-records)",
	  PLAN_OPTIONAL,
	  PLAN_RECORDS,
	  { CALLS("dmar_fault", "___ratelimit", 2, "vtd_asks") } },
	{ "intel-record-out",
	  "VT-d: it has read them all (--fault-records)",
	  PLAN_OPTIONAL,
	  PLAN_RECORDS,
	  { FEXIT("dmar_fault", 2, "vtd_end") } },
	{ "log",
	  "kernel log: faults and hangs that are only printed",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { TP("console", "console_line") } },
	{ "net-hang",
	  "network transmit timeout",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { TP("net_dev_xmit_timeout", "xmit_timeout") } },
	{ "pci-reset",
	  "begin of PCI resets, of each function",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FENTRY("pci_dev_save_and_disable", 1, "pci_saved") } },
	{ "pci-function-in",
	  "a PCI function is reset",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FENTRY("__pci_reset_function_locked", 1, "pci_reset_entry") } },
	{ "pci-function",
	  "PCI function reset: its end and result",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FEXIT("__pci_reset_function_locked", 1, "pci_reset_exit") } },
	{ "pci-flr",
	  "function level reset",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FEXIT("pcie_flr", 1, "pci_flr_exit") } },
	{ "pci-bus-in",
	  "all that is below a bridge is reset",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FENTRY("pcibios_reset_secondary_bus", 1, "pci_bus_entry") } },
	{ "pci-bus",
	  "PCI slot and bus resets: their end and result",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FEXIT("pci_bridge_secondary_bus_reset", 1, "pci_bus_exit") } },
	{ "pci-slot",
	  "the same, where that is inlined, or a hotplug driver has a way of its own",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FEXIT("pci_reset_bus", 1, "pci_reset_bus_exit") } },
	{ "devlink",
	  "devlink health reports: a driver says that its device is ill",
	  PLAN_OPTIONAL,
	  PLAN_ALWAYS,
	  { TP("devlink_health_report", "devlink_report") } },
	{ "aer",
	  "PCI Express errors (AER)",
	  PLAN_OPTIONAL,
	  PLAN_ALWAYS,
	  { TP("aer_event", "aer") } },
	{ "nvme-timeout",
	  "NVMe commands out of time",
	  PLAN_OPTIONAL,
	  PLAN_ALWAYS,
	  { KPROBE("nvme_timeout", "nvme", "nvme_timeout") } },
	{ "nvme-reset",
	  "NVMe controllers reset",
	  PLAN_OPTIONAL,
	  PLAN_ALWAYS,
	  { KPROBE("nvme_reset_ctrl", "nvme_core", "nvme_reset") } },
	{ "nvme-sync",
	  "the same, by whoever waits for it (ioctl)",
	  PLAN_OPTIONAL,
	  PLAN_ALWAYS,
	  { KPROBE("nvme_reset_ctrl_sync", "nvme_core", "nvme_sync") } },
	{ "nvme-sysfs",
	  "the same, by sysfs",
	  PLAN_OPTIONAL,
	  PLAN_ALWAYS,
	  { KPROBE("nvme_sysfs_reset", "nvme_core", "nvme_sysfs") } },
	{ "nvme-again",
	  "the same, of a controller that is prepared for it",
	  PLAN_OPTIONAL,
	  PLAN_ALWAYS,
	  { KPROBE("nvme_try_sched_reset", "nvme_core", "nvme_again") } },
	{ "scsi-timeout",
	  "SCSI and ATA commands out of time",
	  PLAN_OPTIONAL,
	  PLAN_ALWAYS,
	  { KPROBE("scsi_timeout", "scsi_mod", "scsi_timeout") } },
	{ "drm-timeout",
	  "jobs of graphics schedulers out of time",
	  PLAN_OPTIONAL,
	  PLAN_ALWAYS,
	  { KPROBE("drm_sched_job_timedout", "gpu_sched", "drm_timeout") } },
	{ "driver-bound",
	  "a driver was bound: device tables are looked at again",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FENTRY("driver_bound", 1, "bound") } },
	{ "device-gone",
	  "a device without an IOMMU was removed",
	  PLAN_USEFUL,
	  PLAN_ALWAYS,
	  { FENTRY("device_del", 1, "device_gone") } },
	{ "iova-alloc",
	  "IOVA allocated (--iova)",
	  PLAN_USEFUL,
	  PLAN_IOVA,
	  { FEXIT("iommu_dma_alloc_iova", 4, "iova_alloc_exit") } },
	{ "iova-begin",
	  "its begin: how long it took (--iova)",
	  PLAN_USEFUL,
	  PLAN_IOVA_TIMES,
	  { FENTRY("iommu_dma_alloc_iova", 4, "iova_alloc_entry") } },
	{ "iova-slow",
	  "the allocator's tree was searched (--iova)",
	  PLAN_USEFUL,
	  PLAN_IOVA_TIMES,
	  { FENTRY("alloc_iova", 4, "iova_slow_entry") } },
	{ "iova-free",
	  "IOVA freed (--iova)",
	  PLAN_USEFUL,
	  PLAN_IOVA,
	  { FENTRY("free_iova_fast", 3, "iova_free_entry") } },
	{ "control-map",
	  "the kernel's own tracepoint, as a check (--coverage)",
	  PLAN_USEFUL,
	  PLAN_CONTROL,
	  { TP("map", "control_map") } },
	{ "control-unmap",
	  "the kernel's own tracepoint, as a check (--coverage)",
	  PLAN_USEFUL,
	  PLAN_CONTROL,
	  { TP("unmap", "control_unmap") } },
	{ "teardown-switch",
	  "a task sleeps while it frees a domain (--invariants)",
	  PLAN_USEFUL,
	  PLAN_INVARIANTS,
	  { TP("sched_switch", "ending_switch") } },
	{ "teardown-offer",
	  "it offers to be preempted (--invariants)",
	  PLAN_OPTIONAL,
	  PLAN_INVARIANTS,
	  { FENTRY("__cond_resched", 0, "ending_offer") } },
};
const size_t plan_nr_points = sizeof(plan_points) / sizeof(plan_points[0]);

const char *plan__kind_name(enum plan_kind kind)
{
	static const char *const names[] = { "fentry", "fexit",  "tp_btf",
					     "symbol", "kprobe", "calls in" };

	return names[kind];
}

static int check_tracepoint(const struct types *types, const char *name, char *why, size_t size)
{
	if (types__tracepoint(types, name))
		return 0;
	snprintf(why, size, "this kernel has no tracepoint %s in its BTF", name);
	return -ENOENT;
}

static int check_function(struct kallsyms *syms, const struct types *types,
			  const struct plan_candidate *c, char *why, size_t size)
{
	size_t copies = kallsyms__count(syms, c->function, NULL);
	int nr;

	if (!copies && c->kind == PLAN_SYMBOL) {
		snprintf(why, size,
			 "the kernel's variable %s is not in /proc/kallsyms; it takes "
			 "CONFIG_KALLSYMS_ALL",
			 c->function);
		return -ENOENT;
	}
	if (!copies && c->kind == PLAN_KPROBE) {
		snprintf(why, size, "module %s isn't loaded; attached as soon as it is", c->module);
		return -ENOENT;
	}
	if (!copies) {
		snprintf(why, size, "no function %s in this kernel (renamed or inlined)",
			 c->function);
		return -ENOENT;
	}
	if (copies > 1) {
		/* the kernel would silently take the first of them */
		snprintf(why, size, "%zu functions are called %s; attaching would miss all but one",
			 copies, c->function);
		return -EEXIST;
	}
	if (c->kind == PLAN_CALL && kallsyms__count(syms, c->callee, NULL) != 1) {
		snprintf(why, size, "%s is not one function of this kernel", c->callee);
		return -ENOENT;
	}
	if (c->kind == PLAN_SYMBOL || c->kind == PLAN_KPROBE || c->kind == PLAN_CALL)
		return 0;
	nr = types ? types__nr_args(types, c->function, "") : -ENOENT;
	if (nr < 0) {
		snprintf(why, size, "%s has no BTF", c->function);
		return -ENOENT;
	}
	if (c->nr_args >= 0 && nr != c->nr_args) {
		snprintf(why, size, "%s takes %d arguments, this program knows it with %d",
			 c->function, nr, c->nr_args);
		return -EPROTO;
	}
	return 0;
}

int plan__check(struct kallsyms *syms, const struct types *types, const struct plan_candidate *c,
		char *why, size_t why_size)
{
	why[0] = 0;
	if (c->kind == PLAN_TP_BTF)
		return check_tracepoint(types, c->function, why, why_size);
	return check_function(syms, types, c, why, why_size);
}

int plan__resolve(struct plan *plan, struct kallsyms *syms, const struct types *types)
{
	int err;

	plan->choices = calloc(plan_nr_points, sizeof(*plan->choices));
	if (!plan->choices)
		return -ENOMEM;
	for (size_t i = 0; i < plan_nr_points; i++) {
		struct plan_choice *ch = &plan->choices[i];

		ch->chosen = ch->refused = -1;
		ch->absent = plan_points[i].need == PLAN_OPTIONAL;
		for (int c = 0; c < PLAN_CANDIDATES && plan_points[i].candidates[c].function; c++) {
			err = plan__check(syms, types, &plan_points[i].candidates[c],
					  ch->why_not[c], sizeof(ch->why_not[c]));
			ch->absent = ch->absent && err == -ENOENT;
			if (err)
				continue;
			ch->chosen = c;
			break;
		}
	}
	return 0;
}

const char *plan__why_not(const struct plan_choice *ch)
{
	if (ch->chosen >= 0)
		return ch->why_not[ch->chosen];
	return ch->why_not[ch->refused < 0 ? 0 : ch->refused];
}

void plan__free(struct plan *plan)
{
	free(plan->choices);
	plan->choices = NULL;
}

const struct plan_candidate *plan__chosen(const struct plan *plan, size_t point)
{
	int c = plan->choices[point].chosen;

	return c < 0 ? NULL : &plan_points[point].candidates[c];
}

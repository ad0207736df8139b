/* SPDX-License-Identifier: GPL-2.0-only */
/* What this machine lets us do, asked before anything is tried, so that the answer can be told in
 * plain words. */
#ifndef IOMMUTOP_COLLECT_HOST_H
#define IOMMUTOP_COLLECT_HOST_H

#include <stdbool.h>

#include "util/error.h"

struct host {
	bool cap_bpf;       /* CAP_BPF or CAP_SYS_ADMIN: load programs */
	bool cap_perfmon;   /* CAP_PERFMON or CAP_SYS_ADMIN: attach to kernel functions */
	bool cap_sys_admin; /* BTF of modules is found with it only */
	bool cap_syslog;    /* addresses in /proc/kallsyms */
	bool btf;           /* /sys/kernel/btf/vmlinux */
	bool iommu_groups;  /* /sys/kernel/iommu_groups has a group */
	char lockdown[24];  /* "none", "integrity", "confidentiality", "" = not known */
	int kptr_restrict;  /* -1 = not known */
	char release[65];
};

void host__look(struct host *h);
/* 0, or the first reason why tracing can't work here, with what to do about it. */
int host__check(const struct host *h, struct error *err);

#endif

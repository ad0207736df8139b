// SPDX-License-Identifier: GPL-2.0-only
#include "collect/host.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static uint64_t effective_caps(void)
{
	char line[256];
	uint64_t caps = 0;
	FILE *f = fopen("/proc/self/status", "re");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "CapEff:", 7))
			caps = strtoull(line + 7, NULL, 16);
	fclose(f);
	return caps;
}

static bool has_entry(const char *path)
{
	struct dirent *e;
	bool found = false;
	DIR *d = opendir(path);

	if (!d)
		return false;
	while (!found && (e = readdir(d)))
		found = e->d_name[0] != '.';
	closedir(d);
	return found;
}

/* "none [integrity] confidentiality": the bracketed word is in force. */
static void read_lockdown(char *out, size_t size)
{
	char text[128] = "", *from, *to;
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");

	out[0] = 0;
	if (!f)
		return;
	if (fgets(text, sizeof(text), f) && (from = strchr(text, '[')) &&
	    (to = strchr(from, ']'))) {
		*to = 0;
		snprintf(out, size, "%s", from + 1);
	}
	fclose(f);
}

void host__look(struct host *h)
{
	uint64_t caps = effective_caps();
	struct utsname u;
	FILE *f;

	memset(h, 0, sizeof(*h));
	h->cap_sys_admin = caps >> CAP_SYS_ADMIN & 1;
	h->cap_bpf = h->cap_sys_admin || (caps >> CAP_BPF & 1);
	h->cap_perfmon = h->cap_sys_admin || (caps >> CAP_PERFMON & 1);
	h->cap_syslog = h->cap_sys_admin || (caps >> CAP_SYSLOG & 1);
	h->btf = !access("/sys/kernel/btf/vmlinux", R_OK);
	h->iommu_groups = has_entry("/sys/kernel/iommu_groups");
	read_lockdown(h->lockdown, sizeof(h->lockdown));
	h->kptr_restrict = -1;
	f = fopen("/proc/sys/kernel/kptr_restrict", "re");
	if (f) {
		if (fscanf(f, "%d", &h->kptr_restrict) != 1)
			h->kptr_restrict = -1;
		fclose(f);
	}
	if (!uname(&u))
		snprintf(h->release, sizeof(h->release), "%s", u.release);
}

int host__check(const struct host *h, struct error *err)
{
	if (!h->cap_bpf || !h->cap_perfmon || !h->cap_syslog)
		return error__set(err, -EPERM,
				  "tracing the kernel needs root (CAP_BPF, CAP_PERFMON, "
				  "CAP_SYSLOG; CAP_SYS_ADMIN for "
				  "IOMMU drivers in modules): run it with sudo");
	if (!strcmp(h->lockdown, "confidentiality"))
		return error__set(err, -EPERM,
				  "the kernel is locked down (confidentiality), which forbids BPF "
				  "to read kernel "
				  "memory: boot with lockdown=integrity, or without it");
	if (!h->btf)
		return error__set(err, -ENOENT,
				  "this kernel (%s) has no BTF (/sys/kernel/btf/vmlinux is "
				  "missing): use one built with "
				  "CONFIG_DEBUG_INFO_BTF=y, as all large distributions do",
				  h->release);
	if (h->kptr_restrict == 2)
		return error__set(
			err, -EPERM,
			"kernel.kptr_restrict is 2, which hides kernel addresses even from root: "
			"sysctl kernel.kptr_restrict=1");
	return 0;
}

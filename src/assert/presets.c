// SPDX-License-Identifier: GPL-2.0-only
#include "assert/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/nearest.h"
#include "util/text.h"

/* What the kernel promises of every domain's mappings and tables. */
#define PROMISES                       \
	"      - no-stale-access\n"    \
	"      - flush-before-reuse\n" \
	"      - flush-covers-unmap\n" \
	"      - no-map-over-map\n"    \
	"      - unmap-matches-map\n"  \
	"      - sync-map\n"           \
	"      - detach-empty\n"
/* Most kernels show nothing of page tables, which is no reason for a run to be inconclusive. */
#define TABLES "  - invariant: [pt-freed-after-flush, pt-balance]\n"
#define UNSEEN "    unseen: skip\n"
/* The list that more can be added to: of what is no domain's, too. */
#define EVERYWHERE                                                     \
	"  - invariant:\n      - no-fault\n      - no-hang\n" PROMISES \
	"      - invalidation-timeout\n      - coverage\n"
#define SPEED                                              \
	"  - invariant: [flush-latency, teardown-stall]\n" \
	"    severity: warning\n"

/*
 * What each is for is in docs/man/iommutop-rules.5. Violations of what a kernel promises are
 * errors; how long something takes, which the machine has a part in, is a warning, unless the
 * preset is about it. Nothing here that a machine in use can't keep: no-leak, since drivers keep
 * rings mapped.
 */
static const struct {
	const char *name, *text;
} presets[] = {
	{ "strict",
	  "# Strict domains (iommu.strict=1): after unmap, no device reaches the memory.\n"
	  "rules:\n" EVERYWHERE "      - strict-means-strict\n" TABLES UNSEEN
	  "  - invariant: domain-type\n"
	  "    params: {is: DMA}\n"
	  "  - invariant: window\n"
	  "    params: {below: 10ms, percentile: 99}\n"
	  "    severity: warning\n" SPEED },
	{ "lazy", "# Lazy domains, the default of most: memory stays reachable up to 50 ms.\n"
		  "rules:\n" EVERYWHERE TABLES UNSEEN "  - invariant: domain-type\n"
		  "    params: {is: DMA-FQ}\n"
		  "  - invariant: window\n"
		  "    params: {below: 50ms, percentile: 99.9}\n" SPEED },
	{ "vfio",
	  "# Devices that guests or user space drive: VFIO and iommufd. Names begin with vfio-,\n"
	  "# so that it adds to the other presets instead of narrowing their rules.\n"
	  "rules:\n"
	  "  - invariant: [no-fault, no-hang, invalidation-timeout, coverage]\n"
	  "  - invariant:\n" PROMISES "    name: vfio\n"
	  "    select: {type: unmanaged}\n" TABLES "    name: vfio\n"
	  "    select: {type: unmanaged}\n" UNSEEN "  - invariant: [teardown-stall]\n"
	  "    name: vfio\n"
	  "    select: {type: unmanaged}\n"
	  "    params: {below: 100ms}\n"
	  "  - invariant: [flush-latency]\n"
	  "    name: vfio\n"
	  "    select: {type: unmanaged}\n"
	  "    severity: warning\n" },
	{ "boot", "# Any kernel that boots, whatever its domains: what must never be there.\n"
		  "rules:\n"
		  "  - invariant:\n"
		  "      - no-fault\n"
		  "      - no-hang\n"
		  "      - invalidation-timeout\n"
		  "      - no-stale-access\n"
		  "      - flush-covers-unmap\n"
		  "      - no-map-over-map\n"
		  "      - detach-empty\n"
		  "      - coverage\n"
		  "  - invariant: teardown-stall\n"
		  "    severity: warning\n" },
};
#define NR_PRESETS (sizeof(presets) / sizeof(presets[0]))

const char *rules__preset_text(size_t i, const char **name)
{
	if (i >= NR_PRESETS)
		return NULL;
	*name = presets[i].name;
	return presets[i].text;
}

int rules__preset(struct rule_set *out, const char *name, struct error *err)
{
	struct nearest near = { .word = name };
	char file[40];

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < NR_PRESETS; i++) {
		if (!strcmp(presets[i].name, name)) {
			snprintf(file, sizeof(file), "preset %s", name);
			return rules__parse(out, file, presets[i].text, strlen(presets[i].text),
					    err);
		}
		nearest__offer(&near, presets[i].name);
	}
	return error__set(err, -ENOENT, "no preset \"%s\"; %s", text__quote(name).s,
			  nearest__hint(&near).s);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "assert/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/nearest.h"
#include "util/text.h"

/*
 * What each is for is in docs/man/iommutop-rules.5. Violations of what a kernel promises are
 * errors; how long something takes, which the machine has a part in, is a warning, unless the
 * preset is about it. Nothing here that a machine in use can't keep: no-leak, since drivers keep
 * rings mapped. Most kernels show nothing of page tables: where that is so, it is no reason for
 * a run to be inconclusive.
 */
static const struct {
	const char *name, *text;
} presets[] = {
	{ "strict",
	  "# Strict domains (iommu.strict=1): after unmap, no device reaches the memory.\n"
	  "rules:\n"
	  "  - invariant:\n"
	  "      - no-fault\n"
	  "      - no-hang\n"
	  "      - no-stale-access\n"
	  "      - flush-before-reuse\n"
	  "      - strict-means-strict\n"
	  "      - flush-covers-unmap\n"
	  "      - no-map-over-map\n"
	  "      - unmap-matches-map\n"
	  "      - sync-map\n"
	  "      - detach-empty\n"
	  "      - invalidation-timeout\n"
	  "      - coverage\n"
	  "  - invariant: [pt-freed-after-flush, pt-balance]\n"
	  "    unseen: skip\n"
	  "  - invariant: domain-type\n"
	  "    params: {is: DMA}\n"
	  "  - invariant: window\n"
	  "    params: {below: 10ms, percentile: 99}\n"
	  "    severity: warning\n"
	  "  - invariant: [flush-latency, teardown-stall]\n"
	  "    severity: warning\n" },
	{ "lazy", "# Lazy domains, the default of most: memory stays reachable up to 50 ms.\n"
		  "rules:\n"
		  "  - invariant:\n"
		  "      - no-fault\n"
		  "      - no-hang\n"
		  "      - no-stale-access\n"
		  "      - flush-before-reuse\n"
		  "      - flush-covers-unmap\n"
		  "      - no-map-over-map\n"
		  "      - unmap-matches-map\n"
		  "      - sync-map\n"
		  "      - detach-empty\n"
		  "      - invalidation-timeout\n"
		  "      - coverage\n"
		  "  - invariant: [pt-freed-after-flush, pt-balance]\n"
		  "    unseen: skip\n"
		  "  - invariant: domain-type\n"
		  "    params: {is: DMA-FQ}\n"
		  "  - invariant: window\n"
		  "    params: {below: 50ms, percentile: 99.9}\n"
		  "  - invariant: [flush-latency, teardown-stall]\n"
		  "    severity: warning\n" },
	{ "vfio",
	  "# Devices that guests or user space drive: VFIO and iommufd. Names begin with vfio-,\n"
	  "# so that it adds to the other presets instead of narrowing their rules.\n"
	  "rules:\n"
	  "  - invariant: [no-fault, no-hang, invalidation-timeout, coverage]\n"
	  "  - invariant:\n"
	  "      - no-stale-access\n"
	  "      - flush-before-reuse\n"
	  "      - flush-covers-unmap\n"
	  "      - no-map-over-map\n"
	  "      - unmap-matches-map\n"
	  "      - sync-map\n"
	  "      - detach-empty\n"
	  "    name: vfio\n"
	  "    select: {type: unmanaged}\n"
	  "  - invariant: [pt-freed-after-flush, pt-balance]\n"
	  "    name: vfio\n"
	  "    select: {type: unmanaged}\n"
	  "    unseen: skip\n"
	  "  - invariant: [teardown-stall]\n"
	  "    name: vfio\n"
	  "    select: {type: unmanaged}\n"
	  "    params: {below: 100ms}\n"
	  "    unseen: skip\n"
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

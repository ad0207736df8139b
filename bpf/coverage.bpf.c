// SPDX-License-Identifier: GPL-2.0-only
/* The control: what the kernel's own tracepoints count, to be held against what our hooks count. */
#include "state.h"

SEC("?tp_btf/map")
int BPF_PROG(control_map, unsigned long iova, u64 paddr, u64 size)
{
	struct iot_cpu *c = cpu__this(bpf_get_smp_processor_id());

	if (hot__active(c))
		c->tp_map_bytes += size;
	return 0;
}

SEC("?tp_btf/unmap")
int BPF_PROG(control_unmap, unsigned long iova, u64 size, u64 unmapped)
{
	struct iot_cpu *c = cpu__this(bpf_get_smp_processor_id());

	if (hot__active(c)) {
		c->tp_unmap_bytes += unmapped;
		c->tp_unmaps++;
	}
	return 0;
}

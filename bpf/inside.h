/* SPDX-License-Identifier: GPL-2.0-only */
/* Notes what whoever runs is inside of (IOT_INSIDE_*): see inside.bpf.c. */
#ifndef IOMMUTOP_BPF_INSIDE_H
#define IOMMUTOP_BPF_INSIDE_H

#include "state.h"

static __always_inline int inside__enter(__u32 what, __u64 runner)
{
	if (bpf_map_update_elem(&inside, &runner, &what, BPF_ANY))
		__sync_fetch_and_add(&cpu__this(bpf_get_smp_processor_id())->no_begin, 1);
	return 0;
}

static __always_inline int inside__leave(__u64 runner)
{
	bpf_map_delete_elem(&inside, &runner);
	return 0;
}

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* The flush queue's timer: while its function runs on a CPU, flushes there are the timer's. */
#include "state.h"

static __always_inline int timer__set(__u32 inside)
{
	cpu__this(bpf_get_smp_processor_id())->in_fq_timer = inside;
	return 0;
}

SEC("?fentry")
int BPF_PROG(fq_timer_entry)
{
	return timer__set(1);
}

SEC("?fexit")
int BPF_PROG(fq_timer_exit)
{
	return timer__set(0);
}

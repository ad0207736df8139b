// SPDX-License-Identifier: GPL-2.0-only
/*
 * While a task is inside of a driver's domain free: when it sleeps, is preempted or offers to be
 * (cond_resched). At any other time each of these costs a look at one number.
 */
#include "ending.h"

SEC("?tp_btf/sched_switch")
int BPF_PROG(ending_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u64 task = (__u64)prev, now;
	struct iot_ending *t;

	if (!*(volatile __u64 *)&state.endings)
		return 0;
	now = bpf_ktime_get_ns();
	t = bpf_map_lookup_elem(&endings, &task);
	if (t) {
		ending__stretch(t, now);
		t->offers++;
	}
	task = (__u64)next;
	t = bpf_map_lookup_elem(&endings, &task);
	if (t)
		t->mark = now;
	return 0;
}

SEC("?fentry")
int BPF_PROG(ending_offer)
{
	struct iot_ending *t;
	__u64 task;

	if (!*(volatile __u64 *)&state.endings)
		return 0;
	task = bpf_get_current_task();
	t = bpf_map_lookup_elem(&endings, &task);
	if (t) {
		ending__stretch(t, bpf_ktime_get_ns());
		t->offers++;
	}
	return 0;
}

/* What TEARDOWN would say now: 1 = it sees offers. */
SEC("?syscall")
int offers_are_seen(void *ctx)
{
	return (int)offers__seen();
}

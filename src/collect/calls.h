/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of one function in another, hooked by kprobe where they are made. So a call is told from
 * all others of the same function, costs nothing elsewhere, and the callee may be one that nothing
 * attaches to: kprobe events refuse what has no ftrace (kernel/trace/trace_kprobe.c,
 * within_notrace_func()), as all of lib/. Only x86's direct calls are known.
 */
#ifndef IOMMUTOP_COLLECT_CALLS_H
#define IOMMUTOP_COLLECT_CALLS_H

#include <stddef.h>
#include <stdint.h>

#define CALLS_MAX 8

struct bpf_link;
struct bpf_program;
struct kallsyms;
struct plan_candidate;

struct calls {
	struct bpf_link *links[CALLS_MAX];
	size_t nr;
};

/*
 * Attaches prog, which is loaded, to each call that c (PLAN_CALL) means; reader: the loaded program
 * read_text. 0, or -errno with the reason in why: then nothing is attached, as when there are not
 * as many calls as c says.
 */
int calls__attach(struct calls *calls, const struct bpf_program *prog,
		  const struct plan_candidate *c, struct kallsyms *syms, int reader, char *why,
		  size_t size);
void calls__detach(struct calls *calls);

/* Offsets of calls of callee in code, which lies at addr; how many, of which max at the most are in
 * *at. */
size_t calls__find(const uint8_t *code, size_t bytes, uint64_t addr, uint64_t callee, size_t *at,
		   size_t max);

#endif

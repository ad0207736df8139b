// SPDX-License-Identifier: GPL-2.0-only
#include "collect/calls.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "collect/kallsyms.h"
#include "collect/plan.h"
#include "collect/programs.h"
#include "shared.h"

/* CALL rel32: the distance counts from the end of the instruction. */
#define OPCODE     0xe8
#define CALL_BYTES 5

/* No function that is of interest is longer. */
#define CODE_MAX 8192

size_t calls__find(const uint8_t *code, size_t bytes, uint64_t addr, uint64_t callee, size_t *at,
		   size_t max)
{
	size_t nr = 0;
	int32_t far;

	for (size_t i = 0; i + CALL_BYTES <= bytes; i++) {
		if (code[i] != OPCODE)
			continue;
		memcpy(&far, code + i + 1, sizeof(far));
		if (addr + i + CALL_BYTES + (uint64_t)(int64_t)far != callee)
			continue;
		if (nr < max)
			at[nr] = i;
		nr++;
	}
	return nr;
}

/* Reads the function's code, whose end is where another one begins. Its length, or -errno. */
static int read_code(uint8_t *code, uint64_t addr, struct kallsyms *syms, int reader)
{
	struct iot_text text;
	struct ksym at;
	size_t bytes;
	uint32_t ret;
	int rc;

	for (bytes = 0; bytes < CODE_MAX; bytes += sizeof(text.words)) {
		if (kallsyms__at(syms, addr + bytes, &at) || at.addr != addr)
			break;
		text.addr = addr + bytes;
		rc = program__run(reader, &text, sizeof(text), &ret);
		if (rc || ret)
			return rc ? rc : -EFAULT;
		memcpy(code + bytes, text.words, sizeof(text.words));
	}
	return (int)bytes;
}

static int attach_at(struct calls *calls, const struct bpf_program *prog, const char *function,
		     size_t offset)
{
	LIBBPF_OPTS(bpf_kprobe_opts, opts, .offset = offset);
	struct bpf_link *link;

	if (calls->nr == CALLS_MAX)
		return -E2BIG;
	link = bpf_program__attach_kprobe_opts(prog, function, &opts);
	if (!link)
		return -errno;
	calls->links[calls->nr++] = link;
	return 0;
}

int calls__attach(struct calls *calls, const struct bpf_program *prog,
		  const struct plan_candidate *c, struct kallsyms *syms, int reader, char *why,
		  size_t size)
{
	size_t at[CALLS_MAX], nr, before = calls->nr;
	struct ksym function, callee, end;
	uint8_t code[CODE_MAX];
	int rc;

	if (!kallsyms__count(syms, c->callee, &callee) ||
	    !kallsyms__count(syms, c->function, &function))
		return -ENOENT;
	rc = read_code(code, function.addr, syms, reader);
	if (rc < 0) {
		snprintf(why, size, "the kernel's code can't be read: %s", strerror(-rc));
		return rc;
	}
	nr = calls__find(code, (size_t)rc, function.addr, callee.addr, at, CALLS_MAX);
	/* what was read may reach into the function behind it */
	while (nr && nr <= CALLS_MAX &&
	       (kallsyms__at(syms, function.addr + at[nr - 1], &end) || end.addr != function.addr))
		nr--;
	if (nr != (size_t)c->nr_args) {
		snprintf(why, size, "%s calls %s in %zu places, this program knows it with %d",
			 c->function, c->callee, nr, c->nr_args);
		return -EPROTO;
	}
	rc = 0;
	for (size_t i = 0; !rc && i < nr; i++)
		rc = attach_at(calls, prog, c->function, at[i]);
	if (!rc)
		return 0;
	while (calls->nr > before)
		bpf_link__destroy(calls->links[--calls->nr]);
	snprintf(why, size, "the kernel refused to attach: %s", strerror(-rc));
	return rc;
}

void calls__detach(struct calls *calls)
{
	while (calls->nr)
		bpf_link__destroy(calls->links[--calls->nr]);
}

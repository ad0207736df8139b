// SPDX-License-Identifier: GPL-2.0-only
#include "collect/targets.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "collect/types.h"

static const struct {
	const char *section;
	enum bpf_attach_type attach;
} sections[] = {
	{ "fentry+", BPF_TRACE_FENTRY },
	{ "fexit+", BPF_TRACE_FEXIT },
	{ "tp_btf+", BPF_TRACE_RAW_TP },
};
#define NR_SECTIONS (sizeof(sections) / sizeof(sections[0]))

struct target {
	const struct bpf_program *prog;
	uint32_t id; /* of the kernel's BTF */
};

struct targets {
	const struct types *types;
	struct target *known;
	size_t nr;
	int handlers[NR_SECTIONS]; /* negative: none */
};

/* Called by libbpf. What is of a module it has looked up itself. */
static int before_load(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	const struct targets *t = (const void *)cookie;

	for (size_t i = 0; i < t->nr; i++)
		if (t->known[i].prog == prog)
			opts->attach_btf_id = t->known[i].id;
	return opts->attach_btf_id ? 0 : -ESRCH;
}

static int attach(const struct bpf_program *prog, long cookie __attribute__((unused)),
		  struct bpf_link **link)
{
	*link = bpf_program__attach_trace(prog);
	return (int)libbpf_get_error(*link);
}

struct targets *targets__new(const struct types *types)
{
	struct targets *t = calloc(1, sizeof(*t));
	bool failed = false;

	if (!t)
		return NULL;
	t->types = types;
	for (size_t i = 0; i < NR_SECTIONS; i++) {
		LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = (long)t,
			    .prog_prepare_load_fn = before_load, .prog_attach_fn = attach);

		t->handlers[i] = libbpf_register_prog_handler(
			sections[i].section, BPF_PROG_TYPE_TRACING, sections[i].attach, &opts);
		failed |= t->handlers[i] < 0;
	}
	if (!failed)
		return t;
	targets__free(t);
	return NULL;
}

void targets__free(struct targets *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < NR_SECTIONS; i++)
		if (t->handlers[i] >= 0)
			libbpf_unregister_prog_handler(t->handlers[i]);
	free(t->known);
	free(t);
}

void targets__clear(struct targets *t)
{
	t->nr = 0;
}

static int add(struct targets *t, const struct bpf_program *prog, uint32_t id)
{
	struct target *more = realloc(t->known, (t->nr + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	t->known = more;
	t->known[t->nr++] = (struct target){ .prog = prog, .id = id };
	return 0;
}

int targets__function(struct targets *t, struct bpf_program *prog, const char *name)
{
	uint32_t id = types__id(t->types, name, BTF_KIND_FUNC);

	/* a module's, then: libbpf knows how to name its BTF to the kernel */
	return id ? add(t, prog, id) : bpf_program__set_attach_target(prog, 0, name);
}

int targets__tracepoint(struct targets *t, struct bpf_program *prog, const char *name)
{
	uint32_t id = types__tracepoint(t->types, name);

	return id ? add(t, prog, id) : -ESRCH;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fentry, fexit and tp_btf programs are loaded for, by our index of the kernel's types:
 * libbpf's own way compares the name of each of 130,000 types, for each program. It asks handlers
 * of sections before it loads a program; those are the process's, so there is one struct targets at
 * a time.
 */
#ifndef IOMMUTOP_COLLECT_TARGETS_H
#define IOMMUTOP_COLLECT_TARGETS_H

#include <stdbool.h>

struct bpf_program;
struct targets;
struct types;

/* Before any object is opened. types: the caller's, must outlive it. NULL: no memory. */
struct targets *targets__new(const struct types *types);
/* After the last object was destroyed. */
void targets__free(struct targets *t);

/*
 * Between opening and loading of its object: the program is for this function of the kernel or of a
 * module, or for this tracepoint of the kernel. 0, or negative errno: -ESRCH if there is none.
 */
int targets__function(struct targets *t, struct bpf_program *prog, const char *name);
int targets__tracepoint(struct targets *t, struct bpf_program *prog, const char *name);
/* Forgets the programs so far: they were loaded, or never will be. */
void targets__clear(struct targets *t);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two programs of a template object on entry and exit of one function: by fentry and fexit, or,
 * where the function has no BTF (a module built without), by kprobe and kretprobe at about three
 * times the cost.
 */
#ifndef IOMMUTOP_COLLECT_PAIR_H
#define IOMMUTOP_COLLECT_PAIR_H

#include <stdbool.h>

struct bpf_link;
struct bpf_object;
struct bpf_program;
struct btf;

struct pair_names {
	const char *entry, *exit;   /* fentry, fexit */
	const char *kentry, *kexit; /* kprobe, kretprobe */
};

struct pair {
	struct bpf_program *entry, *exit; /* of the caller's object */
	struct bpf_link *links[2];
	bool kprobe;
};

/* Number of arguments that BTF knows a function with: that of its module has to be asked, or a
 * namesake in the kernel would answer. -ENOENT: it has no BTF. module: "" = the kernel itself. */
int function__nr_args(const struct btf *vmlinux, const char *function, const char *module);

/*
 * Between open and load of obj: chooses the two programs, points them at the function, switches all
 * others off and shares the maps of main_object. 0, or negative errno.
 */
int pair__prepare(struct pair *p, struct bpf_object *obj, struct bpf_object *main_object,
		  const struct pair_names *names, const char *function, bool kprobe);
/* After load. The exit first: a call that entered unseen is told from one whose exit was missed. 0,
 * or negative errno, and then nothing is attached. */
int pair__attach(struct pair *p, const char *function);
void pair__detach(struct pair *p);

#endif

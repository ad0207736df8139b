/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few of the kernel's types that a BPF object names, as BTF of their own. libbpf compares the
 * name of each of the kernel's 130,000 types with each type that an object relocates; among these
 * few that is nothing.
 */
#ifndef IOMMUTOP_COLLECT_SUBSET_H
#define IOMMUTOP_COLLECT_SUBSET_H

struct btf;
struct types;

struct subset {
	int fd;        /* a file without a name; -1: none */
	char path[32]; /* of it, for btf_custom_path of struct bpf_object_open_opts */
};

/* An empty one. The path for an object to be opened with; NULL: libbpf has to do without. */
const char *subset__open(struct subset *s);
/*
 * Between opening and loading: the types that the object's BTF names and the kernel or a module of
 * it (NULL: none) has, with all that lies within them; what is only pointed to isn't needed. 0, or
 * -errno.
 */
int subset__fill(const struct subset *s, const struct types *types, const struct btf *named,
		 const char *module);
/* After loading. */
void subset__close(struct subset *s);

#endif

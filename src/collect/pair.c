// SPDX-License-Identifier: GPL-2.0-only
#include "collect/pair.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "collect/programs.h"

int function__nr_args(const struct btf *vmlinux, const char *function, const char *module)
{
	const struct btf *btf = vmlinux;
	struct btf *mod = NULL;
	int id, nr = -ENOENT;

	if (module[0]) {
		mod = btf__load_module_btf(module, (struct btf *)vmlinux);
		if (libbpf_get_error(mod))
			return -ENOENT;
		btf = mod;
	}
	id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	if (id >= 0)
		nr = btf_vlen(btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type));
	btf__free(mod);
	return nr;
}

int pair__prepare(struct pair *p, struct bpf_object *obj, struct bpf_object *main_object,
		  const struct pair_names *names, const char *function, bool kprobe)
{
	struct bpf_program *prog;
	int err;

	p->kprobe = kprobe;
	p->entry = bpf_object__find_program_by_name(obj, kprobe ? names->kentry : names->entry);
	p->exit = bpf_object__find_program_by_name(obj, kprobe ? names->kexit : names->exit);
	bpf_object__for_each_program (prog, obj)
		bpf_program__set_autoload(prog, prog == p->entry || prog == p->exit);
	err = programs__share_maps(obj, main_object);
	if (!err && !kprobe)
		err = bpf_program__set_attach_target(p->entry, 0, function);
	if (!err && !kprobe)
		err = bpf_program__set_attach_target(p->exit, 0, function);
	return err;
}

int pair__attach(struct pair *p, const char *function)
{
	int err;

	if (p->kprobe) {
		p->links[1] = bpf_program__attach_kprobe(p->exit, true, function);
		p->links[0] =
			p->links[1] ? bpf_program__attach_kprobe(p->entry, false, function) : NULL;
	} else {
		p->links[1] = bpf_program__attach(p->exit);
		p->links[0] = p->links[1] ? bpf_program__attach(p->entry) : NULL;
	}
	if (p->links[0])
		return 0;
	err = -errno;
	pair__detach(p);
	return err;
}

void pair__detach(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		bpf_link__destroy(p->links[i]);
		p->links[i] = NULL;
	}
}

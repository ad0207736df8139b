// SPDX-License-Identifier: GPL-2.0-only
#include "collect/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

uint64_t program__misses(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	return info.recursion_misses;
}

int program__run(int fd, const void *arg, size_t size, uint32_t *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = arg, .ctx_size_in = (__u32)size);
	int err = bpf_prog_test_run_opts(fd, &opts);

	*ret = opts.retval;
	return err;
}

int programs__share_maps(struct bpf_object *obj, struct bpf_object *main_object)
{
	struct bpf_map *map, *main_map;
	int err;

	bpf_object__for_each_map (map, obj) {
		if (bpf_map__is_internal(map) && strstr(bpf_map__name(map), ".rodata"))
			continue;
		main_map = bpf_object__find_map_by_name(main_object, bpf_map__name(map));
		if (!main_map)
			continue; /* its own alone */
		err = bpf_map__reuse_fd(map, bpf_map__fd(main_map));
		if (err)
			return err;
	}
	return 0;
}

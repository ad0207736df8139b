// SPDX-License-Identifier: GPL-2.0-only
#include "collect/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

uint64_t program__misses(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	return info.recursion_misses;
}

int program__run(int fd, void *arg, size_t size, uint32_t *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = arg, .ctx_size_in = (__u32)size);
	int err = bpf_prog_test_run_opts(fd, &opts);

	*ret = opts.retval;
	return err;
}

/* The kernel promises it to whoever replaces a map in a map of maps (bpf_map_update_elem() of
 * kernel/bpf/syscall.c): the programs that saw the old one are done with it then. */
int programs__wait(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int inner, outer = -1, rc = 0;
	__u32 key = 0;

	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(key), sizeof(key), 1, NULL);
	if (inner < 0)
		return -errno;
	opts.inner_map_fd = (__u32)inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, NULL, sizeof(key), sizeof(key), 1,
			       &opts);
	if (outer < 0 || bpf_map_update_elem(outer, &key, &inner, BPF_ANY))
		rc = -errno;
	if (outer >= 0)
		close(outer);
	close(inner);
	return rc;
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

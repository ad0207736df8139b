// SPDX-License-Identifier: GPL-2.0-only
#include "collect/programs.h"

#include <bpf/bpf.h>

uint64_t program__misses(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	return info.recursion_misses;
}

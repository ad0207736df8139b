/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IOMMUTOP_COLLECT_PROGRAMS_H
#define IOMMUTOP_COLLECT_PROGRAMS_H

#include <stdint.h>

/*
 * How often the kernel skipped a loaded program because it was already running on that CPU
 * (recursion_misses of struct bpf_prog_info, kernel >= 5.12). 0 for fd < 0 and where the kernel
 * doesn't say.
 */
uint64_t program__misses(int fd);

#endif

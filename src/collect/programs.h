/* SPDX-License-Identifier: GPL-2.0-only */
/* Loaded BPF programs. */
#ifndef IOMMUTOP_COLLECT_PROGRAMS_H
#define IOMMUTOP_COLLECT_PROGRAMS_H

#include <stddef.h>
#include <stdint.h>

struct bpf_object;

/*
 * How often the kernel skipped a loaded program because it was already running on that CPU
 * (recursion_misses of struct bpf_prog_info, kernel >= 5.12). 0 for fd < 0 and where the kernel
 * doesn't say.
 */
uint64_t program__misses(int fd);

/* Runs a program of type syscall with size bytes at arg (NULL: none). 0, or negative errno; *ret:
 * what the program returned. */
int program__run(int fd, void *arg, size_t size, uint32_t *ret);

/*
 * Waits until every program that runs now has ended, on any CPU, preempted ones too. Those that
 * begin meanwhile may run on. 0 or a negative errno.
 */
int programs__wait(void);

/*
 * Lets an object that isn't loaded yet use the maps of one that is, by name, its global data
 * included. Read-only data stays each object's own. 0, or negative errno.
 */
int programs__share_maps(struct bpf_object *obj, struct bpf_object *main_object);

#endif

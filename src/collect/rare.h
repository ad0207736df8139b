/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of rare events, and how far it has been read: an event that a program has reserved and
 * not yet written holds back those behind it, however old they are.
 */
#ifndef IOMMUTOP_COLLECT_RARE_H
#define IOMMUTOP_COLLECT_RARE_H

#include <stddef.h>
#include <stdint.h>

struct rare;

/* Takes one event, as ring_buffer_sample_fn of libbpf; not 0 ends the reading. */
typedef int (*rare_sink)(void *ctx, void *data, size_t size);

/* fd: of the BPF map, kept by the caller. NULL: no memory, or the kernel refuses. */
struct rare *rare__new(int fd, rare_sink sink, void *ctx);
void rare__free(struct rare *r); /* NULL is fine */

/* Reads what is there; now: ns, CLOCK_MONOTONIC, taken before. 0 or a negative errno. */
int rare__read(struct rare *r, uint64_t now);

/* Every event before this time (ns) has been read, if programs take an event's time after its
 * place. */
uint64_t rare__read_up_to(const struct rare *r);

#endif

// SPDX-License-Identifier: GPL-2.0-only
#include "collect/rare.h"

#include <bpf/libbpf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * How a BPF ring buffer is mapped (kernel: Documentation/bpf/ringbuf.rst): the consumer's position
 * in its first page, the producer's in the second. Later versions of libbpf than Debian 12's tell
 * them.
 */
struct rare {
	struct ring_buffer *ring;
	const unsigned long *consumer, *producer;
	uint64_t up_to;
};

static const void *map_page(int fd, long page, long nr)
{
	void *mem = mmap(NULL, (size_t)page, PROT_READ, MAP_SHARED, fd, nr * page);

	return mem == MAP_FAILED ? NULL : mem;
}

struct rare *rare__new(int fd, rare_sink sink, void *ctx)
{
	struct rare *r = calloc(1, sizeof(*r));
	long page = sysconf(_SC_PAGESIZE);

	if (!r)
		return NULL;
	r->ring = ring_buffer__new(fd, sink, ctx, NULL);
	r->consumer = map_page(fd, page, 0);
	r->producer = map_page(fd, page, 1);
	if (r->ring && r->consumer && r->producer)
		return r;
	rare__free(r);
	return NULL;
}

void rare__free(struct rare *r)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!r)
		return;
	if (r->consumer)
		munmap((void *)r->consumer, page);
	if (r->producer)
		munmap((void *)r->producer, page);
	ring_buffer__free(r->ring);
	free(r);
}

int rare__read(struct rare *r, uint64_t now)
{
	unsigned long reserved = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	int rc = ring_buffer__consume(r->ring);

	if (rc < 0)
		return rc;
	/* both only grow, and wrap */
	if ((long)(__atomic_load_n(r->consumer, __ATOMIC_ACQUIRE) - reserved) >= 0)
		r->up_to = now;
	return 0;
}

uint64_t rare__read_up_to(const struct rare *r)
{
	return r->up_to;
}

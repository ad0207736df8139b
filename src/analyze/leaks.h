/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is mapped at the end, by who mapped it and for which device, and when in the capture it was
 * mapped: a cache has been filled at some time, a leak goes on growing. What was mapped before the
 * capture is not in it: nobody saw it.
 */
#ifndef IOMMUTOP_ANALYZE_LEAKS_H
#define IOMMUTOP_ANALYZE_LEAKS_H

#include "analyze/analysis.h"

#define LEAKS_PARTS 8U

struct leak {
	__u32 dev, domain; /* dev 0 = not known, or several: then domain says where */
	__u32 stack;       /* of the maps; 0: they have none, tid says who */
	__u32 tid;
	__u64 nr, bytes;
	__u64 oldest, newest;     /* ns, when they were mapped */
	__u64 parts[LEAKS_PARTS]; /* bytes by when they were mapped, in equal parts of the capture
				   */
};

struct leaks {
	struct leak *list; /* most bytes first */
	size_t nr;
	__u64 mappings, bytes;
	__u64 begin, end; /* ns, what the parts are parts of */
	bool stacks;      /* there is one of at least one map */
	/* Events are missing: of these, some may have been unmapped unseen, and others may not be
	 * known of. */
	bool unsure;
};

/* Of what is in scope, as if asked for by its map. 0 or -ENOMEM. */
int leaks__collect(const struct analysis *a, struct leaks *out);
void leaks__free(struct leaks *l);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers to pointers: an open hash table. It never shrinks. The pointers are the caller's. */
#ifndef IOMMUTOP_MODEL_IDTAB_H
#define IOMMUTOP_MODEL_IDTAB_H

#include <linux/types.h>
#include <stddef.h>

struct idtab_slot {
	__u64 key;
	void *value; /* NULL = free */
};

struct idtab {
	struct idtab_slot *slots;
	size_t nr, size; /* size is a power of two, or 0 */
};

void *idtab__find(const struct idtab *t, __u64 key);     /* NULL = not there */
int idtab__set(struct idtab *t, __u64 key, void *value); /* value not NULL; 0 or -ENOMEM */
void *idtab__remove(struct idtab *t, __u64 key);         /* what was there, or NULL */
void idtab__free(struct idtab *t);                       /* the table, not what it points to */

/* Every entry, in no particular order. */
#define idtab__for_each(t, slot)                                                                  \
	for (struct idtab_slot *slot = (t)->slots; slot && slot < (t)->slots + (t)->size; slot++) \
		if (slot->value)

#endif

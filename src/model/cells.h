/* SPDX-License-Identifier: GPL-2.0-only */
/* Where hot events are counted: a cell for each domain, device and NUMA place that occur together.
 */
#ifndef IOMMUTOP_MODEL_CELLS_H
#define IOMMUTOP_MODEL_CELLS_H

#include <stdbool.h>

#include "model/model.h"
#include "model/stats.h"

/* Beyond these, events are counted in one cell that belongs to nobody: totals stay right, and
 * model.uncounted says so. */
#define CELLS_PAIRS_MAX 8192U

/* Was the CPU on the device's own node? */
enum place { PLACE_UNKNOWN, PLACE_LOCAL, PLACE_REMOTE, PLACE_NR };

struct cell {
	__u32 domain, dev; /* 0 = not known or none */
	enum place place;
	struct model_stats stats;
};

/* What an event belongs to. */
struct pair {
	struct model_domain *dom; /* NULL = not known */
	struct model_device *dev; /* the same */
	__u32 cell[PLACE_NR];     /* index in model.cells; 0 = none yet */
	bool shared;              /* too many: its events are counted in cell 0 */
};

/* The pair of the event's domain and device, NULL = not seen before. */
struct pair *cells__find(const struct model *m, const struct iot_event *ev);
/* Takes a copy of p for the event's. NULL: no memory, or too many. Valid until the model is freed.
 */
struct pair *cells__add(struct model *m, const struct iot_event *ev, const struct pair *p);
/* The index of the event's cell in model.cells. 0, the one that belongs to nobody, is always there.
 */
__u32 cells__index(struct model *m, struct pair *p, const struct iot_event *ev);

static inline struct model_stats *cells__stats(struct model *m, struct pair *p,
					       const struct iot_event *ev)
{
	__u32 i = cells__index(m, p, ev); /* may move the array */

	return &m->cells[i]->stats;
}

int cells__init(struct model *m); /* 0 or -ENOMEM */
void cells__free(struct model *m);
/* What was counted of a device with the CPU at that place. */
void cells__of_device(const struct model *m, __u32 dev, enum place place, struct model_stats *out);
/* All of hot events, as of now. */
void cells__total(const struct model *m, struct model_stats *out);
/* Makes the sums: of domains, devices and all. */
void cells__add_up(struct model *m);

#endif

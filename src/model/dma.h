/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of the model that the hot events change: live and dead mappings, flushes and windows.
 * For model.c. */
#ifndef IOMMUTOP_MODEL_DMA_H
#define IOMMUTOP_MODEL_DMA_H

#include "event.h"
#include "model/cells.h"
#include "model/model.h"

void dma__map(struct model *m, struct pair *p, const struct iot_map *ev);
void dma__unmap(struct model *m, struct pair *p, const struct iot_unmap *ev);
void dma__flush(struct model *m, struct pair *p, const struct iot_flush *ev);
/* The domain was freed: what was still mapped is dead, unflushed. */
void dma__freed(struct model *m, struct model_domain *dom);
/* An IOVA allocation that took ns ended at ts. */
void dma__load_alloc(struct model_domain *dom, __u64 ts, __u64 ns);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of the model that the hot events change: live and dead mappings, flushes and windows.
 * For model.c. */
#ifndef IOMMUTOP_MODEL_DMA_H
#define IOMMUTOP_MODEL_DMA_H

#include "event.h"
#include "model/model.h"

/* dom and dev may be NULL: not known. */
void dma__map(struct model *m, struct model_domain *dom, struct model_device *dev,
	      const struct iot_map *ev);
void dma__unmap(struct model *m, struct model_domain *dom, struct model_device *dev,
		const struct iot_unmap *ev);
void dma__flush(struct model *m, struct model_domain *dom, struct model_device *dev,
		const struct iot_flush *ev);

#endif

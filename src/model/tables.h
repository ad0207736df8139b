/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of the model that is only remembered: stacks, symbols, attributes, losses, self-checks.
 * For model.c. */
#ifndef IOMMUTOP_MODEL_TABLES_H
#define IOMMUTOP_MODEL_TABLES_H

#include "event.h"
#include "model/model.h"

void tables__stack(struct model *m, const struct iot_stack *ev);
void tables__symbol(struct model *m, const struct iot_symbol *ev);
void tables__attr(struct model *m, const struct iot_attr *ev);
void tables__loss(struct model *m, const struct iot_loss *ev);
void tables__check(struct model *m, const struct iot_coverage *ev);
void tables__region(struct model *m, const struct iot_region *ev);
void tables__free(struct model *m);

#endif

// SPDX-License-Identifier: GPL-2.0-only
#include "model/submits.h"

void submits__add(struct submits *s, const struct iot_submit *ev)
{
	struct submits_cell *c = &s->cells[ev->by < IOT_BY_NR ? ev->by : 0]
					  [ev->kind < IOT_SUBMIT_NR ? ev->kind : IOT_SUBMIT_OTHER];

	c->commands += ev->commands;
	c->failed += ev->ret != 0;
	/* a damaged session may end one before it begins */
	hist__add(&c->time, ev->begin < ev->h.ts ? ev->h.ts - ev->begin : 0);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What src/analyze/verdict.c and its helpers share. */
#ifndef IOMMUTOP_ANALYZE_JUDGEMENT_H
#define IOMMUTOP_ANALYZE_JUDGEMENT_H

#include "analyze/incident.h"

/* Causes of loss after which who owned an address, or whether there was a fault, isn't known. */
#define JUDGEMENT_LOSES_MAPPINGS                                                            \
	(1U << IOT_LOST_RING | 1U << IOT_LOST_RARE | 1U << IOT_LOST_RECURSION |             \
	 1U << IOT_LOST_DOMAIN_TABLE | 1U << IOT_LOST_WRITER | 1U << IOT_LOST_OVERWRITTEN | \
	 1U << IOT_LOST_DAMAGE)
#define JUDGEMENT_LOSES_FAULTS (1U << IOT_LOST_RARE | 1U << IOT_LOST_WRITER | 1U << IOT_LOST_DAMAGE)
#define JUDGEMENT_LOSES_FLUSHES                                                          \
	(1U << IOT_LOST_RING | 1U << IOT_LOST_RECURSION | 1U << IOT_LOST_BEGIN |         \
	 1U << IOT_LOST_DOMAIN_TABLE | 1U << IOT_LOST_WRITER | 1U << IOT_LOST_UNHOOKED | \
	 1U << IOT_LOST_OVERWRITTEN | 1U << IOT_LOST_DAMAGE)

__attribute__((format(printf, 4, 5))) void judgement__set(struct judgement *j, enum verdict verdict,
							  enum confidence confidence,
							  const char *reason, ...);
/* One more thing that could not be seen, or that bears on the verdict; a whole sentence. */
__attribute__((format(printf, 2, 3))) void incident__note(struct incident *i, const char *fmt, ...);

/* Judges an incident without a fault: hang, failed invalidation, stalled flush. */
void judgement__without_fault(struct incident *i, struct model *m);
/* Adds the notes about what could not be seen. */
void judgement__limits(struct incident *i, struct model *m);

#endif

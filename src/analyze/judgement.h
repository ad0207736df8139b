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

/* … after which whether a page request was answered isn't known */
#define JUDGEMENT_LOSES_ANSWERS (JUDGEMENT_LOSES_FAULTS | 1U << IOT_LOST_RECURSION)

/* Whether answers to page requests are seen on this kernel, by what the capture says of its hooks.
 */
bool judgement__sees_answers(const struct model *m, __u32 origin);

__attribute__((format(printf, 4, 5))) void judgement__set(struct judgement *j, enum verdict verdict,
							  enum confidence confidence,
							  const char *reason, ...);
/* The loss may have a map or an unmap in it, or what ends mappings. */
bool judgement__loses_mappings(const struct model_loss *l);
/* In [from, to] the kernel skipped a program that tells of one of these (SKIPPED_*). */
bool judgement__skipped(const struct model *m, __u64 from, __u64 to, __u32 told);
/* True, and the judgement is made, if events that could change it are missing. */
bool judgement__lost(struct judgement *j, const struct model *m, __u64 from, __u64 to);
/* One more thing that could not be seen; a whole sentence. */
__attribute__((format(printf, 2, 3))) void incident__note(struct incident *i, const char *fmt, ...);

/* Whether IOMMU_READ 1, IOMMU_WRITE 2 in prot suffice; an access that isn't known needs both. */
static inline bool judgement__allows(__u32 prot, __u32 access)
{
	__u32 need = access == IOT_ACCESS_WRITE ? 2 : access == IOT_ACCESS_READ ? 1 : 3;

	return (prot & need) == need;
}

static inline double judgement__ms(__u64 ns)
{
	return (double)ns / 1e6;
}

/* Judges a fault whose address isn't known. */
void judgement__no_address(struct judgement *j, struct model *m, const struct incident_fault *f);
/* Judges an incident without a fault: hang, failed invalidation, stalled flush. */
void judgement__without_fault(struct incident *i, struct model *m);
/* Adds the notes about what could not be seen. */
void judgement__limits(struct incident *i, struct model *m);

#endif

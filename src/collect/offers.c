// SPDX-License-Identifier: GPL-2.0-only
#include "collect/offers.h"

void offers__choose(struct iot_knobs *knobs, const struct kallsyms *syms)
{
	struct ksym key, fn;

	knobs->offers = IOT_OFFERS_UNSEEN;
	/* only kernels that can't be preempted anywhere at all times have the function */
	if (!kallsyms__count(syms, "__cond_resched", &fn)) {
		knobs->offers = IOT_OFFERS_ANYWHERE;
	} else if (kallsyms__count(syms, "__SCK__cond_resched", &key)) {
		/* its first member is the function (struct static_call_key) */
		knobs->offers = IOT_OFFERS_KEY;
		knobs->offers_key = key.addr;
		knobs->offers_fn = fn.addr;
	} else if (!kallsyms__count(syms, "dynamic_cond_resched", NULL)) {
		/* with that one, a static branch decides, which we don't read (arm64) */
		knobs->offers = IOT_OFFERS_SEEN;
	}
}

int offers__tell(const struct iot_knobs *knobs, bool hooked, bool seen, facts_add add, void *ctx)
{
	if (seen && hooked)
		return facts__attr(add, ctx, "offers=seen");
	if (knobs->offers == IOT_OFFERS_ANYWHERE || (knobs->offers == IOT_OFFERS_KEY && hooked))
		return facts__attr(add, ctx,
				   "offers=anywhere: this kernel may preempt its own code wherever "
				   "preemption isn't disabled, and cond_resched() does nothing");
	return facts__attr(add, ctx, "offers=unseen: %s",
			   hooked ? "whether cond_resched() does anything isn't known here"
				  : "__cond_resched isn't hooked");
}

// SPDX-License-Identifier: GPL-2.0-only
#include "collect/offers.h"

static const char function[] = "__cond_resched", static_key[] = "__SCK__cond_resched",
		  dynamic[] = "dynamic_cond_resched";

int offers__want(struct kallsyms *syms)
{
	int rc = kallsyms__want(syms, function);

	if (!rc)
		rc = kallsyms__want(syms, static_key);
	return rc ? rc : kallsyms__want(syms, dynamic);
}

void offers__choose(struct iot_knobs *knobs, struct kallsyms *syms)
{
	struct ksym key, fn;

	knobs->offers = IOT_OFFERS_UNSEEN;
	/* only kernels that can't be preempted anywhere at all times have the function */
	if (!kallsyms__count(syms, function, &fn)) {
		knobs->offers = IOT_OFFERS_ANYWHERE;
	} else if (kallsyms__count(syms, static_key, &key)) {
		/* its first member is the function (struct static_call_key) */
		knobs->offers = IOT_OFFERS_KEY;
		knobs->offers_key = key.addr;
		knobs->offers_fn = fn.addr;
	} else if (!kallsyms__count(syms, dynamic, NULL)) {
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

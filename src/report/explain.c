// SPDX-License-Identifier: GPL-2.0-only
#include "report/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/words.h"

char *explain__title(const struct incident *i, const struct model *m)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s: %s", words__verdict(i->judgement.verdict),
		words__device_name(m, i->dev).s);
	if (i->nr_faults && i->hang.count && i->hang.dev != i->dev)
		fprintf(out, ", then a hang of %s", words__device_name(m, i->hang.dev).s);
	else if (i->nr_faults && i->hang.count)
		fputs(", then a hang", out);
	if (i->reset.count)
		fputs(i->hang.count && i->nr_faults ? " and a reset" : ", then a reset", out);
	fclose(out);
	return text;
}

static void say_owner(FILE *out, const struct incident_fault *f, const struct model *m)
{
	const struct dead *d = &f->dead;
	struct words mapper = words__task(m, d->map_tid), unmapper = words__task(m, d->unmap_tid);

	if (d->map_ts)
		fprintf(out, " It was mapped %s before the fault by %s",
			words__duration(f->first - d->map_ts).s, mapper.s);
	else
		fputs(" It was mapped before the capture began", out);
	if (d->unmap_flags & IOT_F_IRQ)
		fprintf(out, " and unmapped %s before the fault, in an interrupt.",
			words__duration(f->first - d->unmap_ts).s);
	else
		fprintf(out, " and unmapped %s before the fault by %s.",
			words__duration(f->first - d->unmap_ts).s,
			d->map_ts && d->map_tid == d->unmap_tid ? "the same task" : unmapper.s);
}

static void say_flush(FILE *out, const struct incident_fault *f, enum verdict v)
{
	const struct dead *d = &f->dead;

	fprintf(out, " The unmap was %s", words__mode(d->mode));
	switch (v) {
	case VERDICT_UNMAPPED_FLUSHED:
		fprintf(out,
			"; the IOTLB flush that covers it (%s) ended %s after the unmap and %s "
			"before the fault, so no stale "
			"entry was left and the IOMMU refused the access.",
			words__why(d->flush_why), words__duration(d->flush_end - d->unmap_ts).s,
			words__duration(f->first - d->flush_end).s);
		break;
	case VERDICT_UNMAPPED_FLUSHING:
		fprintf(out,
			"; the IOTLB flush that covers it (%s) had begun %s before the fault and "
			"ended %s after it.",
			words__why(d->flush_why), words__duration(f->first - d->flush_begin).s,
			words__duration(d->flush_end - f->first).s);
		break;
	case VERDICT_UNMAPPED_WINDOW:
		if (d->flushed)
			fprintf(out,
				"; the IOTLB flush that covers it (%s) began only %s after the "
				"fault: the window was open, "
				"and another access may have reached the old page unseen.",
				words__why(d->flush_why),
				words__duration(d->flush_begin - f->first).s);
		else
			fputs("; no IOTLB flush that covers it was seen: the window was open, and "
			      "another access may have "
			      "reached the old page unseen.",
			      out);
		break;
	default:
		fputs("; whether an IOTLB flush covered it isn't known.", out);
	}
}

static void say_fault(FILE *out, const struct incident *i, const struct model *m)
{
	const struct incident_fault *f = i->faults[0];
	const struct model_domain *dom = words__find_domain(m, f->domain);
	enum verdict v = f->judgement.verdict;

	fprintf(out, "%s tried to %s ", words__device(m, f->dev).s,
		f->access ? words__access(f->access) : "access");
	if (f->iova_known)
		fprintf(out, "IOVA 0x%llx", f->iova);
	else
		fputs("memory", out);
	if (dom)
		fprintf(out, " in domain %u (%s, %s)", dom->nr, words__domain_type(dom),
			words__domain_mode(dom));
	switch (v) {
	case VERDICT_UNMAPPED_WINDOW:
	case VERDICT_UNMAPPED_FLUSHING:
	case VERDICT_UNMAPPED_FLUSHED:
	case VERDICT_UNMAPPED:
		fputs(" after it had been unmapped.", out);
		say_owner(out, f, m);
		say_flush(out, f, v);
		break;
	case VERDICT_NEVER_MAPPED:
		fputs(", which was never mapped there.", out);
		break;
	case VERDICT_PERMISSION:
	case VERDICT_MAPPED:
		fprintf(out, ", which was mapped (%s%s%s) since %s and is still mapped.",
			f->live.prot & 1 ? "read" : "", (f->live.prot & 3) == 3 ? " and " : "",
			f->live.prot & 2 ? "write" : "", words__duration(f->first - f->live.ts).s);
		if (v == VERDICT_MAPPED)
			fputs(" The page table or the IOTLB disagree with what the kernel asked "
			      "for.",
			      out);
		break;
	default:
		fputs(", and the IOMMU refused.", out);
	}
}

static void say_neighbours(FILE *out, const struct incident_fault *f)
{
	/* Where the last owner is known, neighbours only distract. */
	if (f->judgement.verdict != VERDICT_NEVER_MAPPED &&
	    f->judgement.verdict != VERDICT_CANNOT_KNOW)
		return;
	if (f->has_below && f->iova - f->below.last == 1)
		fputs(" A live mapping ends right before the address.", out);
	else if (f->has_below && f->iova - f->below.last <= 0x100000)
		fprintf(out, " The live mapping below ends %s before the address.",
			words__bytes(f->iova - f->below.last - 1).s);
	if (f->has_above && f->above.start - f->iova <= 0x100000)
		fprintf(out, " The live mapping above begins %s behind it.",
			words__bytes(f->above.start - f->iova).s);
}

static void say_repeats(FILE *out, const struct incident *i)
{
	__u32 same = 0;

	if (i->nr_faults < 2)
		return;
	fprintf(out, " %llu faults in all, in %s, at ", i->nr_faults,
		words__duration(i->last_fault - i->first_fault).s);
	if (i->nr_kept == 1)
		fputs("one page", out);
	else
		fprintf(out, "%s%u pages", i->nr_other ? "more than " : "", i->nr_kept);
	for (__u32 n = 0; n < i->nr_kept; n++)
		same += i->faults[n]->judgement.verdict == i->judgement.verdict;
	if (same < i->nr_kept)
		fprintf(out, "; at %u of them the verdict is another one (see the evidence)",
			i->nr_kept - same);
	fputs(".", out);
}

static void say_relation(FILE *out, const struct incident *i, const struct incident_trouble *t,
			 const struct model *m)
{
	const struct model_device *pf = words__find_device(m, t->relation.pf_dev);
	__u32 vf = t->relation.pf_dev == t->dev ? i->dev : t->dev;
	const struct model_device *v = words__find_device(m, vf);

	switch (t->relation.kind) {
	case RELATION_GROUP:
		fprintf(out, " Both devices are in one IOMMU group.");
		break;
	case RELATION_PHYSFN:
		fprintf(out, " %s is a virtual function of %s.", words__device_name(m, vf).s,
			pf ? pf->name : "the other");
		break;
	case RELATION_VF_OFFSET:
		if (pf && v)
			fprintf(out,
				" They belong together by their requester ids: 0x%04x = 0x%04x + "
				"0x%x is where VF %u of %s %s has "
				"its id.",
				v->rid, pf->rid, t->relation.offset, t->relation.vf,
				strchr("aeiou", pf->driver[0]) ? "an" : "a", pf->driver);
		break;
	default:
		break;
	}
}

static void say_hang(FILE *out, const struct incident *i, const struct model *m)
{
	const struct incident_trouble *h = &i->hang;

	if (i->nr_faults) {
		fprintf(out, " %s later %s hung", words__duration(h->ts - i->last_fault).s,
			h->dev == i->dev ? "the device" : words__device(m, h->dev).s);
	} else {
		fprintf(out, "%s hung", words__device(m, h->dev).s);
	}
	fprintf(out, " (%s", h->what[0] ? h->what : "no details");
	if (h->queue >= 0)
		fprintf(out, ", queue %d", h->queue);
	if (h->stalled)
		fprintf(out, ", no progress for %s", words__duration(h->stalled).s);
	fputs(")", out);
	if (h->count > 1)
		fprintf(out, " and was reported hung %llu times", h->count);
	fputs(".", out);
	if (i->nr_faults) {
		say_relation(out, i, h, m);
		fputs(" The fault fits as its cause; the order in time alone doesn't prove it.",
		      out);
		return;
	}
	fprintf(out,
		" No IOMMU fault of this device was seen in the %s before, so nothing here says "
		"that the IOMMU is the cause. "
		"That excludes an access that the IOMMU refused and reported; it doesn't exclude a "
		"fault that wasn't reported, a "
		"stale access that still hit the IOTLB, or a lost interrupt.",
		words__duration(i->searched).s);
}

static void say_reset(FILE *out, const struct incident *i, const struct model *m)
{
	const struct incident_trouble *r = &i->reset;
	__u64 from = i->hang.count ? i->hang.ts : i->last_fault;

	fprintf(out, " %s was reset %s after the %s",
		r->dev == i->dev ? "The device" : words__device(m, r->dev).s,
		words__duration(r->ts > from ? r->ts - from : 0).s,
		i->hang.count ? "hang" : "fault");
	if (r->begin && r->ts > r->begin)
		fprintf(out, ", which took %s", words__duration(r->ts - r->begin).s);
	if (r->ret)
		fprintf(out, " and failed (%d)", r->ret);
	fputs(".", out);
	if (i->nr_faults && !i->hang.count)
		say_relation(out, i, r, m);
}

char *explain__paragraph(const struct incident *i, const struct model *m)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (i->nr_faults) {
		say_fault(out, i, m);
		say_neighbours(out, i->faults[0]);
		say_repeats(out, i);
	}
	if (i->hang.count)
		say_hang(out, i, m);
	if (i->reset.count)
		say_reset(out, i, m);
	fclose(out);
	return text;
}

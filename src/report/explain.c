// SPDX-License-Identifier: GPL-2.0-only
#include "report/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/lookup.h"
#include "report/explain_page.h"
#include "report/explain_trouble.h"
#include "report/kin.h"
#include "report/words.h"

char *explain__title(const struct incident *i, const struct model *m)
{
	bool hang = i->hang.count && i->judgement.verdict != VERDICT_NO_FAULT;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs(i->unsaid_fault ? "Hang, perhaps after an IOMMU fault"
			      : words__verdict(i->judgement.verdict),
	      out);
	if (i->dev)
		fprintf(out, ": %s", words__device_name(m, i->dev).s);
	else if (i->nr_faults)
		fputs(": device not known", out);
	else if (i->before.count)
		fprintf(out, ", after a reset of %s", words__device_name(m, i->before.dev).s);
	if (hang && i->hang.dev != i->dev)
		fprintf(out, ", then a hang of %s", words__device_name(m, i->hang.dev).s);
	else if (hang)
		fputs(", then a hang", out);
	if (i->reset.count)
		fputs(hang ? " and a reset" : ", then a reset", out);
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
	else if (d->freed)
		fputs(" and went with its domain.", out);
	else
		fprintf(out, " and unmapped %s before the fault by %s.",
			words__duration(f->first - d->unmap_ts).s,
			d->map_ts && d->map_tid == d->unmap_tid ? "the same task" : unmapper.s);
}

/* From then on a late access would hit somebody else's memory. */
static void say_reuse(FILE *out, const struct incident_fault *f, const struct model *m)
{
	__u64 ts = f->reuse.map_ts;

	if (f->has_reuse)
		fprintf(out, " The address was given out again %s after the fault, to %s.",
			words__duration(ts > f->first ? ts - f->first : 0).s,
			words__task(m, f->reuse.map_tid).s);
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

/* Who mapped it and whether it still is; d->unmap_ts 0 stands for that. */
static void say_mapping(FILE *out, const struct incident_fault *f, const struct dead *d,
			const struct model *m)
{
	struct words stack = words__stack(m, d->map_stack);

	fprintf(out, "0x%llx-0x%llx (%s)", d->start, d->last,
		words__bytes(d->last - d->start + 1).s);
	if (d->map_ts)
		fprintf(out, ", mapped %s before the fault by %s%s%s",
			words__duration(f->first - d->map_ts).s, words__task(m, d->map_tid).s,
			stack.s[0] ? ", " : "", stack.s);
	else
		fputs(", mapped before the capture began", out);
	if (d->freed)
		fputs(" and gone with its domain", out);
	else if (d->unmap_ts)
		fprintf(out, " and unmapped %s before it",
			words__duration(f->first - d->unmap_ts).s);
	else
		fputs(" and still mapped", out);
}

static void say_edge(FILE *out, const struct incident_fault *f, const struct model *m)
{
	bool past = f->judgement.verdict == VERDICT_PAST_END, page = !(f->iova & 0xfff);

	fprintf(out, ", %llu byte%s %s a mapping", f->distance, f->distance == 1 ? "" : "s",
		past ? "past the end of" : "before the start of");
	/* Intel's IOMMU tells the page only. */
	if (page)
		fprintf(out, " (%s, if the IOMMU tells only the page)",
			past ? "up to 4096" : "or fewer");
	fputs(": ", out);
	say_mapping(out, f, &f->neighbour, m);
	fputs(".", out);
}

static void say_cut(FILE *out, const struct incident_fault *f, const struct model *m)
{
	const struct model_device *dev = words__find_device(m, f->dev);

	fprintf(out,
		", where nothing is mapped. But IOVA 0x%llx has the same lowest %u bits, in the "
		"mapping ",
		f->cut_iova, f->cut_bits);
	say_mapping(out, f, &f->cut, m);
	fprintf(out, ": the bits from %u on seem to be missing.", f->cut_bits);
	if (words__above_mask(f, m))
		fprintf(out, " Its DMA mask is of %u bits only: that mapping is above it.",
			dev->dma_bits);
	else if (dev && dev->dma_bits)
		fprintf(out, " Its DMA mask promises %u bits.", dev->dma_bits);
}

static void say_other(FILE *out, const struct incident_fault *f, const struct model *m)
{
	if (f->has_former) {
		fprintf(out,
			", which it had in domain %u until it left that one %s before the fault: ",
			f->former.domain, words__duration(f->first - f->former_left).s);
		say_mapping(out, f, &f->former, m);
		fputs(".", out);
		return;
	}
	fprintf(out,
		", which was never mapped there. Domain %u has it, that of %s: ", f->other.domain,
		words__device(m, f->other_dev).s);
	say_mapping(out, f, &f->other, m);
	fputs(".", out);
}

static void say_region(FILE *out, const struct incident_fault *f)
{
	static const char *const kinds[] = {
		[IOT_REGION_DIRECT] = "firmware asks to have mapped one to one for the device, and "
				      "which isn't",
		[IOT_REGION_RELAXABLE] = "firmware asks to have mapped one to one until a driver "
					 "takes over, and which isn't",
		[IOT_REGION_RESERVED] = "is reserved: the kernel never maps anything there",
		[IOT_REGION_MSI] = "is the interrupt window: only interrupts (MSI) are written "
				   "there, memory is never mapped",
		[IOT_REGION_SW_MSI] = "the kernel keeps for interrupts (MSI)",
	};
	__u32 kind = f->region.kind;

	fprintf(out, ". It lies in the region 0x%llx-0x%llx, which %s.", f->region.first,
		f->region.last,
		kind < sizeof(kinds) / sizeof(kinds[0]) && kinds[kind] ? kinds[kind]
								       : "is special");
}

static void say_torn_down(FILE *out, const struct incident_fault *f, const struct model *m)
{
	if (f->has_left)
		fprintf(out, ", %s %s its domain was taken from it.",
			words__duration(f->left < f->first ? f->first - f->left
							   : f->left - f->first)
				.s,
			f->left <= f->first ? "after" : "before");
	else if (f->has_dead)
		fputs(", which had been unmapped during a reset of the device.", out);
	else
		fputs(", in a domain that blocks every access.", out);
	if (f->has_live || f->has_former) {
		struct dead live = lookup__as_dead(&f->live, f->domain);

		fputs(" There it had ", out);
		say_mapping(out, f, f->has_live ? &live : &f->former, m);
		fputs(".", out);
	} else if (f->has_dead) {
		say_owner(out, f, m);
	}
}

static void say_mapped(FILE *out, const struct incident_fault *f)
{
	fprintf(out, ", which was mapped (%s%s%s) since %s and is still mapped.",
		f->live.prot & 1 ? "read" : "", (f->live.prot & 3) == 3 ? " and " : "",
		f->live.prot & 2 ? "write" : "", words__duration(f->first - f->live.ts).s);
	if (f->judgement.verdict != VERDICT_MAPPED)
		return;
	fputs(" The page table or the IOTLB disagree with what the kernel asked for.", out);
	if (f->has_flush && f->flush.kind == IOT_FLUSH_ALL && f->flush.begin >= f->live.ts)
		fputs(" The whole domain has been flushed since, so an old IOTLB entry can't be "
		      "the reason: look at the page table.",
		      out);
	else
		fputs(" The whole domain hasn't been flushed since as far as is known, so the "
		      "IOTLB "
		      "may also still hold that nothing is mapped there.",
		      out);
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
		fprintf(out, " in domain %u (%s, %s)", dom->nr, words__domain_kind(dom),
			words__domain_mode(dom));
	switch (v) {
	case VERDICT_UNMAPPED_WINDOW:
	case VERDICT_UNMAPPED_FLUSHING:
	case VERDICT_UNMAPPED_FLUSHED:
	case VERDICT_UNMAPPED:
		fputs(" after it had been unmapped.", out);
		say_owner(out, f, m);
		say_flush(out, f, v);
		say_reuse(out, f, m);
		break;
	case VERDICT_NEVER_MAPPED:
		fputs(", which was never mapped there.", out);
		break;
	case VERDICT_PAST_END:
	case VERDICT_BEFORE_START:
		say_edge(out, f, m);
		break;
	case VERDICT_TRUNCATED:
		say_cut(out, f, m);
		break;
	case VERDICT_OTHER_DOMAIN:
		say_other(out, f, m);
		break;
	case VERDICT_RESERVED:
		say_region(out, f);
		break;
	case VERDICT_TORN_DOWN:
		say_torn_down(out, f, m);
		break;
	case VERDICT_PERMISSION:
	case VERDICT_MAPPED:
		say_mapped(out, f);
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

/* What else is known of the address, and isn't the verdict. */
static void say_clues(FILE *out, const struct incident_fault *f)
{
	enum verdict v = f->judgement.verdict;

	if (f->reset_ts && v != VERDICT_TORN_DOWN)
		fprintf(out, " The device had been reset %s before.",
			words__duration(f->first - f->reset_ts).s);
	if (f->has_live || f->has_dead)
		return;
	if (f->has_phys && v != VERDICT_RESERVED)
		fprintf(out,
			" It may be a physical address: the memory at 0x%llx is mapped at IOVA "
			"0x%llx.",
			f->iova, f->phys.start);
	if (f->nr_others && v != VERDICT_OTHER_DOMAIN)
		fprintf(out,
			" The same address is mapped in %u other domain%s, which alone says "
			"nothing: domains use the same addresses.",
			f->nr_others, f->nr_others == 1 ? "" : "s");
}

static void say_repeats(FILE *out, const struct incident *i)
{
	__u32 same = 0;

	if (i->nr_faults < 2)
		return;
	fprintf(out, " %s%llu faults in all, in %s", i->floor ? "At least " : "", i->nr_faults,
		words__duration(i->last_fault - i->first_fault).s);
	if (i->nr_kept > 1)
		fprintf(out, ", at %s%u pages", i->nr_other ? "more than " : "", i->nr_kept);
	else if (i->faults[0]->iova_known)
		fputs(", at one page", out);
	for (__u32 n = 0; n < i->nr_kept; n++)
		same += i->faults[n]->judgement.verdict == i->judgement.verdict;
	if (same < i->nr_kept)
		fprintf(out, "; at %u of them the verdict is another one (see the evidence)",
			i->nr_kept - same);
	fputs(".", out);
}

/* Who else may have done it, or suffers from it. */
static void say_kin(FILE *out, const struct incident *i, const struct model *m)
{
	const struct model_device *dev = words__find_device(m, i->dev);
	char text[300];

	if (dev && kin__text(m, dev, text, sizeof(text))[0])
		fprintf(out, " %s: %s.", dev->name, text);
}

char *explain__paragraph(const struct incident *i, const struct model *m)
{
	char *text = NULL;
	bool page_first;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (i->nr_faults) {
		say_fault(out, i, m);
		say_neighbours(out, i->faults[0]);
		say_clues(out, i->faults[0]);
		say_repeats(out, i);
	}
	page_first = i->nr_faults || i->judgement.verdict == VERDICT_PAGE_REQUEST;
	if (page_first)
		explain__page(out, i, m);
	explain__trouble(out, i, m);
	if (!page_first)
		explain__page(out, i, m);
	say_kin(out, i, m);
	fclose(out);
	return text;
}

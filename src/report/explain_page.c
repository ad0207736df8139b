// SPDX-License-Identifier: GPL-2.0-only
#include "report/explain_page.h"

#include <stdbool.h>
#include <string.h>

#include "report/words.h"

const char *explain__fate(enum page_fate fate)
{
	static const char *const names[] = {
		[PAGE_SERVED] = "served",       [PAGE_UNANSWERED] = "unanswered",
		[PAGE_LATE] = "late",           [PAGE_INVALID] = "invalid",
		[PAGE_FAILURE] = "failure",     [PAGE_REFUSED] = "refused",
		[PAGE_NOT_GIVEN] = "not_given",
	};

	return names[fate];
}

const char *explain__answer(__u32 code, char *out, size_t size)
{
	static const char *const names[] = {
		[IOT_PAGE_SUCCESS] = "SUCCESS",
		[IOT_PAGE_INVALID] = "INVALID",
		[IOT_PAGE_FAILURE] = "FAILURE",
	};

	if (code < sizeof(names) / sizeof(names[0]))
		snprintf(out, size, "%s", names[code]);
	else
		snprintf(out, size, "code %u", code);
	return out;
}

const char *explain__page_detail(const struct incident_page *p, char *out, size_t size)
{
	static const struct {
		__u32 bit;
		const char *name;
	} perms[] = {
		{ IOT_PAGE_READ, "read" },
		{ IOT_PAGE_WRITE, "write" },
		{ IOT_PAGE_EXEC, "execute" },
		{ IOT_PAGE_PRIV, "privileged" },
	};
	size_t len = 0;

	for (size_t n = 0; n < sizeof(perms) / sizeof(perms[0]); n++)
		if (p->asked && p->group.perm & perms[n].bit)
			len += (size_t)snprintf(out + len, size - len, "%s, ", perms[n].name);
	if (p->pasid_valid)
		len += (size_t)snprintf(out + len, size - len, "PASID %u, ", p->pasid);
	snprintf(out + len, size - len, "group %u", p->prgi);
	return out;
}

/* The page's evidence is for the hang, not for a fault before it. */
static bool of_hang(const struct incident *i)
{
	return !i->nr_faults || i->page.at == i->hang.ts;
}

static void say_asked(FILE *out, const struct incident *i, const struct model *m)
{
	const struct incident_page *p = &i->page;
	bool leads = i->judgement.verdict == VERDICT_PAGE_REQUEST;
	struct words dev = words__device(m, p->dev);
	char detail[80];

	explain__page_detail(p, detail, sizeof(detail));
	if (!p->asked) {
		fprintf(out, "%sA page request of %s (%s), which wasn't seen itself,",
			leads ? "" : " ", dev.s, detail);
		return;
	}
	fputs(leads ? "" : " ", out);
	if (!leads)
		fprintf(out, "%s before the %s, ", words__duration(p->at - p->group.since).s,
			of_hang(i) ? "hang" : "fault");
	fprintf(out, "%s asked for the page at 0x%llx", dev.s,
		p->same_page ? p->iova : p->group.iovas[0]);
	if (p->group.nr > 1)
		fprintf(out, " and %u more", p->group.nr - 1);
	fprintf(out, " (%s). This request", detail);
}

static void say_answerer(FILE *out, const struct incident_page *p, const struct model *m)
{
	if (p->latency)
		fprintf(out, " %s later", words__duration(p->latency).s);
	if (p->in_irq)
		fputs(", in an interrupt", out);
	else
		fprintf(out, ", by %s", words__task(m, p->tid).s);
}

static void say_fate(FILE *out, const struct incident *i, const struct model *m)
{
	const struct incident_page *p = &i->page;
	char answer[24];

	explain__answer(p->code, answer, sizeof(answer));
	switch (p->fate) {
	case PAGE_SERVED:
		return;
	case PAGE_UNANSWERED:
		fprintf(out, " had no answer when the %s, %s later",
			of_hang(i) ? "device hung" : "fault came",
			words__duration(p->at - p->group.since).s);
		if (p->answered)
			fprintf(out, "; it came %s after that (%s)",
				words__duration(p->answered - p->at).s,
				p->code == IOT_PAGE_REFUSED ? "refused" : answer);
		else
			fputs(", and got none until the end", out);
		break;
	case PAGE_LATE:
		fprintf(out, " was served only after %s", words__duration(p->latency).s);
		break;
	case PAGE_INVALID:
		fputs(" was answered INVALID (this access can't be)", out);
		say_answerer(out, p, m);
		break;
	case PAGE_FAILURE:
		fputs(" was answered FAILURE (neither this access nor others of the device)", out);
		say_answerer(out, p, m);
		break;
	case PAGE_REFUSED:
		fprintf(out, " the kernel's core refused (%s): nobody handles them",
			words__error(p->ret).s);
		break;
	case PAGE_NOT_GIVEN:
		fprintf(out,
			" was answered, but the answer (%s) could not be given to the device (%s)",
			answer, words__error(p->ret).s);
		break;
	}
	fputs(".", out);
	if (p->fate != PAGE_UNANSWERED && p->count > 1)
		fprintf(out, " %llu%s requests of the device ended so by then.", p->count,
			p->count == INCIDENT_PAGES ? " or more" : "");
}

static void say_fit(FILE *out, const struct incident *i)
{
	const struct incident_page *p = &i->page;

	if (of_hang(i))
		return;
	if (!p->same_page)
		fputs(" The fault is not at an address that it asked for, as far as is known: "
		      "only device and time join the two.",
		      out);
	else if (p->fate == PAGE_UNANSWERED)
		fputs(" The fault is at the same page: the device used it without an answer.", out);
	else if (p->fate == PAGE_LATE)
		fputs(" The fault is at the same page, after the device had been told that it is "
		      "there.",
		      out);
	else
		fputs(" The fault is at the same page, after the device had been told that it "
		      "can't have it.",
		      out);
}

void explain__page(FILE *out, const struct incident *i, const struct model *m)
{
	if (!i->page.count || i->page.doubt)
		return;
	say_asked(out, i, m);
	say_fate(out, i, m);
	say_fit(out, i);
}

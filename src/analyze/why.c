// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/text.h"

#define CMD_LINE_TYPE   1 /* bits of iommu_cmd_line */
#define CMD_LINE_STRICT 2

__attribute__((format(printf, 5, 6))) static void say(struct why *out, enum why_chooser by,
						      enum why_said said, const char *asked,
						      const char *fmt, ...)
{
	struct why_step *s = &out->steps[by];
	va_list ap;

	s->said = said;
	snprintf(s->asked, sizeof(s->asked), "%s", asked);
	va_start(ap, fmt);
	vsnprintf(s->how, sizeof(s->how), fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 4, 5))) static void decided(struct why *out, enum why_chooser by,
							  enum why_sure sure, const char *fmt, ...)
{
	va_list ap;

	out->steps[by].decided = true;
	out->sure = sure;
	va_start(ap, fmt);
	vsnprintf(out->because, sizeof(out->because), fmt, ap);
	va_end(ap);
}

/* --- what holds for the machine --- */

static bool cmd_line_has(const struct why_core *c, int bit, const char *words)
{
	return c->cmd_line >= 0 ? (c->cmd_line & bit) != 0 : words[0] != 0;
}

static void ask_kconfig(struct why *out, const struct why_core *c)
{
	static const char *const words[] = { "", "lazy", "strict", "passthrough" };
	static const char *const symbols[] = { "", "DMA_LAZY", "DMA_STRICT", "PASSTHROUGH" };

	if (c->kconfig != WHY_KCONFIG_UNKNOWN)
		say(out, WHY_BY_KCONFIG, WHY_ASKED, words[c->kconfig],
		    "CONFIG_IOMMU_DEFAULT_%s in %s", symbols[c->kconfig], c->kconfig_from);
	else if (c->strict == 0 && !cmd_line_has(c, CMD_LINE_STRICT, c->strict_word) &&
		 !cmd_line_has(c, CMD_LINE_TYPE, c->type_word) && c->def_type == IOT_TYPE_DMA_FQ)
		say(out, WHY_BY_KCONFIG, WHY_INFERRED, "lazy",
		    "the kernel's variables say lazy, and no word of the command line made them");
	else
		say(out, WHY_BY_KCONFIG, WHY_OPEN, "",
		    "no configuration in /proc/config.gz, /boot or /lib/modules");
}

static void ask_cmdline(struct why *out, const struct why_core *c)
{
	const char *words[] = { c->type_word, c->strict_word, c->driver_word };
	char asked[24] = "", how[160] = "";

	if (c->type_word[0])
		text__append(asked, sizeof(asked), "%s",
			     c->word_passthrough ? "passthrough" : "translated");
	if (c->strict_word[0] || c->driver_word[0])
		text__append(asked, sizeof(asked), "%s%s", asked[0] ? ", " : "",
			     c->driver_word[0] || c->word_strict ? "strict" : "lazy");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i][0])
			text__append(how, sizeof(how), "%s%s", how[0] ? " " : "", words[i]);
	if (asked[0])
		say(out, WHY_BY_CMDLINE, WHY_ASKED, asked, "%s", how);
	else if (c->cmd_line > 0)
		say(out, WHY_BY_CMDLINE, WHY_ASKED, "",
		    "iommu_cmd_line is %d, but /proc/cmdline has no word that sets it",
		    c->cmd_line);
	else
		say(out, WHY_BY_CMDLINE, WHY_SILENT, "", "no word about it");
}

static void ask_machine(struct why *out, const struct why_core *c)
{
	if (c->np_cache[0])
		say(out, WHY_BY_MACHINE, WHY_ASKED, "strict",
		    "%s caches what isn't present (NpCache): virtualised, so the driver turns "
		    "flush "
		    "queues off for all",
		    c->np_cache);
	else if (c->caching[0] && !c->caching_open)
		say(out, WHY_BY_MACHINE, WHY_ASKED, "strict",
		    "%s has caching mode: virtualised, so the driver turns flush queues off for "
		    "all",
		    c->caching);
	else if (c->caching[0])
		say(out, WHY_BY_MACHINE, WHY_OPEN, "strict",
		    "%s has caching mode, which turns flush queues off unless first-stage tables "
		    "are "
		    "used",
		    c->caching);
	else if (c->quirk[0])
		say(out, WHY_BY_MACHINE, WHY_OPEN, "strict",
		    "%s (Ironlake): the driver turns flush queues off if graphics is behind the "
		    "IOMMU",
		    c->quirk);
	else
		say(out, WHY_BY_MACHINE, WHY_SILENT, "",
		    "no IOMMU that caches what isn't present, and no quirk that is known");
}

static void default_is_passthrough(struct why *out, const struct why_core *c)
{
	if (cmd_line_has(c, CMD_LINE_TYPE, c->type_word))
		decided(out, WHY_BY_CMDLINE, WHY_SURE, "the command line asks for passthrough");
	else if (c->kconfig == WHY_PASSTHROUGH)
		decided(out, WHY_BY_KCONFIG, WHY_SURE, "passthrough is how this kernel was built");
	else if (c->kconfig != WHY_KCONFIG_UNKNOWN)
		decided(out, WHY_BY_MACHINE, WHY_BY_ELIMINATION,
			"the firmware opted in to an IOMMU for untrusted devices alone (Intel): "
			"neither Kconfig nor the command line asks for passthrough");
	else {
		out->steps[WHY_BY_KCONFIG].decided = true;
		decided(out, WHY_BY_MACHINE, WHY_NOT_KNOWN,
			"Kconfig, or firmware that opted in to an IOMMU for untrusted devices "
			"alone "
			"(Intel)");
	}
}

static void default_is_strict(struct why *out, const struct why_core *c)
{
	bool word = cmd_line_has(c, CMD_LINE_STRICT, c->strict_word);
	bool may_be_machine = c->np_cache[0] || c->caching[0] || c->quirk[0];
	bool must_be_machine = c->np_cache[0] || (c->caching[0] && !c->caching_open);

	if (word && c->strict_word[0] && c->word_strict)
		decided(out, WHY_BY_CMDLINE, WHY_SURE, "the command line asks for strict");
	else if (!word && c->kconfig == WHY_STRICT)
		decided(out, WHY_BY_KCONFIG, WHY_SURE, "strict is how this kernel was built");
	else if (c->driver_word[0])
		decided(out, WHY_BY_CMDLINE, WHY_SURE,
			"the command line asks the driver for strict");
	else if (must_be_machine)
		decided(out, WHY_BY_MACHINE, WHY_SURE,
			"the IOMMU is virtualised: its driver makes all strict, whatever Kconfig "
			"%s",
			word ? "and iommu.strict=0 say" : "says");
	else if (may_be_machine && (word || c->kconfig != WHY_KCONFIG_UNKNOWN))
		decided(out, WHY_BY_MACHINE, WHY_BY_ELIMINATION,
			"neither Kconfig nor the command line asks for strict");
	else if (may_be_machine) {
		out->steps[WHY_BY_KCONFIG].decided = true;
		decided(out, WHY_BY_MACHINE, WHY_NOT_KNOWN, "Kconfig or the machine");
	} else if (c->kconfig != WHY_KCONFIG_UNKNOWN || word)
		decided(out, WHY_BY_MACHINE, WHY_NOT_KNOWN,
			"a driver called iommu_set_dma_strict(), for no reason that is known here");
	else
		decided(out, WHY_BY_KCONFIG, WHY_BY_ELIMINATION,
			"no word of the command line, and no machine that is known to ask for it");
}

static void default_is_lazy(struct why *out, const struct why_core *c)
{
	if (cmd_line_has(c, CMD_LINE_STRICT, c->strict_word))
		decided(out, WHY_BY_CMDLINE, WHY_SURE, "the command line asks for lazy");
	else if (c->kconfig == WHY_PASSTHROUGH)
		decided(out, WHY_BY_CMDLINE, WHY_SURE,
			"the command line asks for translation, and nobody for strict");
	else
		decided(out, WHY_BY_KCONFIG, WHY_SURE,
			"lazy is how this kernel was built, and nobody asks for another type");
}

/* The group has the type that all have which nobody singles out: who chose that? */
static void default_decided(struct why *out, const struct why_core *c)
{
	if (c->def_type == IOT_TYPE_IDENTITY)
		default_is_passthrough(out, c);
	else if (c->def_type == IOT_TYPE_DMA_FQ)
		default_is_lazy(out, c);
	else if (c->strict == 1)
		default_is_strict(out, c);
	else
		decided(out, WHY_BY_MACHINE, WHY_NOT_KNOWN,
			"the default is %s, and iommu_dma_strict is %s: nothing says who set it",
			why__type_name(c->def_type), c->strict ? "not known" : "0");
}

/* --- what holds for the group --- */

/* Drivers whose capable() says yes for each device, wherever it is asked (their sources in 6.12 and
 * 7.2). */
static bool may_defer(const char *capable)
{
	static const char *const names[] = { "intel_iommu_capable", "amd_iommu_capable",
					     "viommu_capable", "arm_smmu_capable" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(capable, names[i]))
			return true;
	return false;
}

static void ask_untrusted(struct why *out, const struct why_group *g)
{
	if (g->untrusted[0])
		say(out, WHY_BY_UNTRUSTED, WHY_ASKED, "DMA",
		    "%s is behind an external port: always strict", g->untrusted);
	else
		say(out, WHY_BY_UNTRUSTED, WHY_SILENT, "", "no device of it is");
}

/* The driver's answer, where it follows from what is known: true, and *type. */
static bool driver_answer(const struct why_core *c, const struct why_group *g, int *type)
{
	if (g->fixed >= 0) {
		*type = g->fixed;
		return true;
	}
	/* from 6.12 on device_def_domain_type() begins with it (drivers/iommu/intel/iommu.c) */
	if (!strcmp(g->def_domain_type, "device_def_domain_type") && c->asks == 1 &&
	    g->pass_through == 0) {
		*type = IOT_TYPE_DMA;
		return true;
	}
	return false;
}

static void ask_driver(struct why *out, const struct why_core *c, const struct why_group *g)
{
	int type;

	if (g->driver != 1)
		say(out, WHY_BY_DRIVER, WHY_OPEN, "", "its operations could not be read");
	else if (g->fixed >= 0)
		say(out, WHY_BY_DRIVER, WHY_ASKED, why__type_name(g->fixed),
		    "its one default domain, for all devices");
	else if (!g->def_domain_type[0])
		say(out, WHY_BY_DRIVER, WHY_SILENT, "", "it has no def_domain_type()");
	else if (driver_answer(c, g, &type))
		say(out, WHY_BY_DRIVER, WHY_ASKED, why__type_name(type),
		    "%s(): %s can't pass through (ECAP.PT is 0)", g->def_domain_type, g->iommu);
	else
		say(out, WHY_BY_DRIVER, WHY_OPEN, "", "the kernel doesn't keep what %s() answered",
		    g->def_domain_type);
}

/*
 * Could the driver have answered this? Of VT-d's and AMD's it is known when they answer DMA: to
 * passing through that is impossible, and to devices that aren't trusted, which is looked at before
 * this (drivers/iommu/intel/iommu.c, amd/iommu.c in all three kernels).
 */
static bool may_answer(const struct why_group *g, int type)
{
	static const char *const never_dma[] = { "device_def_domain_type",
						 "amd_iommu_def_domain_type" };

	if (g->driver != 1)
		return true;
	for (size_t i = 0; type == IOT_TYPE_DMA && i < sizeof(never_dma) / sizeof(never_dma[0]);
	     i++)
		if (!strcmp(g->def_domain_type, never_dma[i]))
			return false;
	return g->def_domain_type[0];
}

/* Could the answer to "may flushes be deferred?" have been no? */
static bool may_lack_capability(const struct why_core *c, const struct why_group *g)
{
	return c->asks != 0 && g->generic_pt != 1 && !may_defer(g->capable);
}

static void ask_capability(struct why *out, const struct why_core *c, const struct why_group *g)
{
	if (c->asks == 0)
		say(out, WHY_BY_CAPABILITY, WHY_SILENT, "",
		    "this kernel doesn't ask for IOMMU_CAP_DEFERRED_FLUSH");
	else if (g->generic_pt == 1)
		say(out, WHY_BY_CAPABILITY, WHY_SILENT, "",
		    "not asked: the kernel's generic page tables can always defer flushes");
	else if (g->driver == 1 && !g->capable[0])
		say(out, WHY_BY_CAPABILITY, WHY_ASKED, "DMA", "it has no capable(): no");
	else if (may_defer(g->capable))
		say(out, WHY_BY_CAPABILITY, WHY_SILENT, "", "%s() says yes to all", g->capable);
	else
		say(out, WHY_BY_CAPABILITY, WHY_OPEN, "",
		    "the kernel doesn't keep what %s() answered",
		    g->capable[0] ? g->capable : "capable");
}

static void ask_sysfs(struct why *out, const struct why_group *g)
{
	char when[40] = "";
	time_t t = (time_t)g->written;
	struct tm tm;

	if (g->written > 0 && gmtime_r(&t, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	if (when[0])
		say(out, WHY_BY_SYSFS, WHY_OPEN, "",
		    "somebody opened iommu_groups/%d/type to write it, at %s", g->group, when);
	else if (g->written == 0)
		say(out, WHY_BY_SYSFS, WHY_OPEN, "",
		    "no trace of a write to iommu_groups/%d/type; one that doesn't cut the file "
		    "leaves none",
		    g->group);
	else
		say(out, WHY_BY_SYSFS, WHY_OPEN, "", "writes to its type are not kept");
}

static void ask_owner(struct why *out, const struct why_group *g)
{
	if (g->owned)
		say(out, WHY_BY_OWNER, WHY_ASKED, why__type_name(g->now_type),
		    "VFIO or iommufd has it now; all else is about the default domain, to which it "
		    "returns");
	else
		say(out, WHY_BY_OWNER, WHY_SILENT, "", "the DMA API has it");
}

/* --- who was it --- */

static void must_have(struct why *out, enum why_chooser by, int type)
{
	struct why_step *s = &out->steps[by];

	if (s->said == WHY_OPEN)
		s->said = WHY_INFERRED;
	snprintf(s->asked, sizeof(s->asked), "%s", why__type_name(type));
}

static void by_sysfs(struct why *out, const struct why_group *g, const char *because)
{
	must_have(out, WHY_BY_SYSFS, g->type);
	decided(out, WHY_BY_SYSFS, WHY_BY_ELIMINATION, "%s", because);
}

/* Lazy although neither the default nor anybody else but sysfs asks for it. */
static void judge_lazy(struct why *out, const struct why_group *g)
{
	by_sysfs(out, g,
		 g->untrusted[0]
			 ? "nothing else makes an untrusted device lazy"
			 : "nothing else asks for DMA-FQ on this machine (or the default was "
			   "DMA-FQ when the group was made)");
}

/* One of those who may have asked, when there is more than one. */
static void among(struct why *out, enum why_chooser by, int type, char *names, size_t size)
{
	struct why_step *s = &out->steps[by];

	s->decided = true;
	if (s->said == WHY_OPEN)
		snprintf(s->asked, sizeof(s->asked), "%s", why__type_name(type));
	text__append(names, size, "%s%s", names[0] ? " or " : "", why__chooser_name(by));
}

/* Not the default, and no one who is known to have asked for it: whoever may have. */
static void judge_open(struct why *out, const struct why_core *c, const struct why_group *g)
{
	bool demoted = g->type == IOT_TYPE_DMA && c->def_type == IOT_TYPE_DMA_FQ;
	bool driver = may_answer(g, g->type);
	bool capability = demoted && may_lack_capability(c, g);
	char names[80] = "";

	if (g->written > 0) {
		must_have(out, WHY_BY_SYSFS, g->type);
		decided(out, WHY_BY_SYSFS, WHY_BY_ELIMINATION,
			"somebody opened the file to write it, and the group hasn't the default");
		return;
	}
	if (driver != capability) {
		enum why_chooser by = driver ? WHY_BY_DRIVER : WHY_BY_CAPABILITY;

		must_have(out, by, g->type);
		decided(out, by, WHY_BY_ELIMINATION,
			"nobody else is known to have asked%s; sysfs without a trace%s not ruled "
			"out",
			driver && demoted
				? ": with this answer the kernel sets up no flush queue, and says "
				  "nothing"
				: "",
			demoted ? " and a queue that could not be allocated are" : " is");
		return;
	}
	if (driver) {
		among(out, WHY_BY_DRIVER, g->type, names, sizeof(names));
		among(out, WHY_BY_CAPABILITY, g->type, names, sizeof(names));
		decided(out, WHY_BY_DRIVER, WHY_NOT_KNOWN,
			"%s: the driver is asked first; only if it answers nothing, the capability "
			"is. "
			"The kernel keeps neither answer",
			names);
		return;
	}
	if (demoted) {
		among(out, WHY_BY_QUEUE, g->type, names, sizeof(names));
		snprintf(out->steps[WHY_BY_QUEUE].how, sizeof(out->steps[WHY_BY_QUEUE].how),
			 "there is none. If it, or a domain of type DMA-FQ, can't be had, the "
			 "kernel "
			 "falls back to DMA");
	}
	among(out, WHY_BY_SYSFS, g->type, names, sizeof(names));
	decided(out, WHY_BY_SYSFS, WHY_NOT_KNOWN, "%s%s: nobody else can have asked for it", names,
		c->def_type == IOT_TYPE_IDENTITY ? ", or no identity domain could be had" : "");
}

static void judge(struct why *out, const struct why_core *c, const struct why_group *g)
{
	int answer;

	if (g->type < 0 || c->def_type < 0) {
		out->sure = WHY_NOT_KNOWN;
		snprintf(out->because, sizeof(out->because), "%s could not be read",
			 g->type < 0 ? "the group's default domain" : "the kernel's default");
		return;
	}
	if (g->type == IOT_TYPE_DMA_FQ &&
	    (c->def_type != IOT_TYPE_DMA_FQ || g->untrusted[0] || driver_answer(c, g, &answer))) {
		judge_lazy(out, g);
		return;
	}
	if (g->untrusted[0] && g->type == IOT_TYPE_DMA) {
		decided(out, WHY_BY_UNTRUSTED, WHY_SURE,
			"devices that aren't trusted are strict, whatever others ask for");
		return;
	}
	if (driver_answer(c, g, &answer) && answer == g->type) {
		decided(out, WHY_BY_DRIVER, WHY_SURE,
			"its answer goes before the default, and the kernel doesn't say so");
		return;
	}
	if (g->type == c->def_type) {
		default_decided(out, c);
		return;
	}
	if (g->type == IOT_TYPE_DMA && c->def_type == IOT_TYPE_DMA_FQ && c->asks == 1 &&
	    g->driver == 1 && !g->capable[0] && !g->def_domain_type[0]) {
		decided(out, WHY_BY_CAPABILITY, WHY_SURE, "without it there is no flush queue");
		return;
	}
	judge_open(out, c, g);
}

/* What unmaps do in the default domain, and what is wrong with it. */
static void judge_mode(struct why *out, const struct why_group *g)
{
	if (g->type == IOT_TYPE_DMA || g->type == IOT_TYPE_DMA_FQ)
		out->lazy = g->queue;
	else
		out->lazy = g->type < 0 ? WHY_UNKNOWN : WHY_NO_UNMAPS;
	if (g->queue == 1 && g->flush_all == 0)
		snprintf(out->warning, sizeof(out->warning),
			 "the domain queues unmaps, but its driver has no flush_iotlb_all: the "
			 "first "
			 "flush of the queue will call a NULL pointer");
	else if (g->type == IOT_TYPE_DMA_FQ && g->queue == 0) {
		snprintf(out->warning, sizeof(out->warning),
			 "type says DMA-FQ, flush queue is off: unmaps are strict");
	}
}

void why__decide(struct why *out, const struct why_core *core, const struct why_group *g)
{
	memset(out, 0, sizeof(*out));
	out->type = g->type;
	ask_kconfig(out, core);
	ask_cmdline(out, core);
	ask_machine(out, core);
	ask_untrusted(out, g);
	ask_driver(out, core, g);
	ask_capability(out, core, g);
	say(out, WHY_BY_QUEUE, WHY_SILENT, "", "%s",
	    g->queue == 1   ? "there is one"
	    : g->queue == 0 ? "there is none"
			    : "there is no DMA cookie");
	ask_sysfs(out, g);
	ask_owner(out, g);
	judge(out, core, g);
	judge_mode(out, g);
}

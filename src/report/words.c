// SPDX-License-Identifier: GPL-2.0-only
#include "report/words.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "analyze/why.h"

#define STACK_FRAMES 2

static __attribute__((format(printf, 1, 2))) struct words say(const char *fmt, ...)
{
	struct words w;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w.s, sizeof(w.s), fmt, ap);
	va_end(ap);
	return w;
}

struct words words__duration(__u64 ns)
{
	static const struct {
		double unit;
		const char *name;
	} units[] = { { 1e3, "us" }, { 1e6, "ms" }, { 1e9, "s" } };
	size_t u = 0;
	double v;

	if (ns < 1000)
		return say("%llu ns", ns);
	while (u < 2 && (double)ns / units[u].unit >= 999.5)
		u++;
	v = (double)ns / units[u].unit;
	return say(v < 9.995 ? "%.2f %s" : v < 99.95 ? "%.1f %s" : "%.0f %s", v, units[u].name);
}

struct words words__bytes(__u64 bytes)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 1024 && u + 1 < sizeof(names) / sizeof(names[0])) {
		v /= 1024;
		u++;
	}
	return say(v == (double)(__u64)v || v >= 100 ? "%.0f %s" : "%.1f %s", v, names[u]);
}

struct words words__count(__u64 nr)
{
	if (nr < 10000000)
		return say("%llu", nr);
	if (nr < 10000000000ULL)
		return say("%.1f M", (double)nr / 1e6);
	return say("%.1f G", (double)nr / 1e9);
}

struct words words__times(__u64 nr, const char *one, const char *many)
{
	return say("%llu %s", nr, nr == 1 ? one : many);
}

__u64 words__zero(const struct model *m)
{
	if (m->capture_begin)
		return m->capture_begin;
	return m->has_mappings ? m->first : 0;
}

struct words words__when(const struct model *m, __u64 ts)
{
	double s = (double)(__s64)(ts - words__zero(m)) / 1e9;
	__u64 real = ts + m->mono_to_real;
	time_t sec = (time_t)(real / 1000000000);
	char text[40];
	struct tm tm;

	if (!m->mono_to_real || !gmtime_r(&sec, &tm) || !strftime(text, sizeof(text), "%F %T", &tm))
		return say("%.6f s", s);
	return say("%.6f s (%s.%03llu UTC)", s, text, real / 1000000 % 1000);
}

const struct model_device *words__find_device(const struct model *m, __u32 nr)
{
	return nr ? idtab__find(&m->devices, nr) : NULL;
}

const struct model_domain *words__find_domain(const struct model *m, __u32 nr)
{
	return nr ? idtab__find(&m->domains, nr) : NULL;
}

bool words__above_mask(const struct incident_fault *f, const struct model *m)
{
	const struct model_device *dev = words__find_device(m, f->dev);

	return dev && dev->dma_bits && dev->dma_bits < 64 && f->cut_iova >> dev->dma_bits;
}

struct words words__device_name(const struct model *m, __u32 nr)
{
	const struct model_device *dev = words__find_device(m, nr);

	if (!nr)
		return say("-");
	if (m->merged && dev)
		return dev->name[0] ? say("%s@%u", dev->name, dev->origin)
				    : say("device %u@%u", nr, dev->origin);
	return dev && dev->name[0] ? say("%s", dev->name) : say("device %u", nr);
}

struct words words__device(const struct model *m, __u32 nr)
{
	const struct model_device *dev = words__find_device(m, nr);

	if (!nr)
		return say("an unknown device");
	if (dev && dev->driver[0])
		return say("%s (%s)", words__device_name(m, nr).s, dev->driver);
	return words__device_name(m, nr);
}

struct words words__task(const struct model *m, __u32 tid)
{
	const char *name;
	char key[24];

	snprintf(key, sizeof(key), "task.%u", tid);
	name = model__attr(m, key);
	return name ? say("task %u (%.32s)", tid, name) : say("task %u", tid);
}

const char *words__origin(const struct model *m, int number)
{
	char key[16];

	snprintf(key, sizeof(key), "origin.%d", number);
	return model__attr(m, key);
}

const char *words__domain_type(const struct model_domain *dom)
{
	return why__type_name(dom && dom->type_known ? (int)dom->type : -1);
}

const char *words__domain_user(const struct model_domain *dom)
{
	static const char *const users[] = {
		[IOT_USER_DMA_API] = "dma-api",
		[IOT_USER_UNMANAGED] = "unmanaged",
		[IOT_USER_VFIO] = "vfio",
		[IOT_USER_IOMMUFD] = "iommufd",
	};

	return dom && dom->user < sizeof(users) / sizeof(users[0]) ? users[dom->user] : NULL;
}

const char *words__domain_kind(const struct model_domain *dom)
{
	bool unmanaged = dom && dom->type_known && dom->type == IOT_TYPE_UNMANAGED;

	/* a nested domain is iommufd's, too, but that it is nested says more */
	if (unmanaged && (dom->user == IOT_USER_VFIO || dom->user == IOT_USER_IOMMUFD))
		return words__domain_user(dom);
	return words__domain_type(dom);
}

const char *words__domain_mode(const struct model_domain *dom)
{
	if (!dom)
		return "-";
	if (dom->stats.unmaps_lazy && dom->stats.unmaps_strict)
		return "both";
	if (dom->stats.unmaps_lazy || (dom->fq_known && dom->fq_active))
		return "lazy";
	if (dom->stats.unmaps_strict || (dom->type_known && dom->type == IOT_TYPE_DMA) ||
	    (dom->type_known && dom->type == IOT_TYPE_DMA_FQ && dom->fq_known))
		return "strict";
	return "-";
}

struct words words__error(__s32 err)
{
	const char *name = err < 0 && err > -4096 ? strerrorname_np(-err) : NULL;

	return name ? say("%s", name) : say("error %d", err);
}

const char *words__access(__u32 access)
{
	return access == IOT_ACCESS_READ ? "read" : access == IOT_ACCESS_WRITE ? "write" : "access";
}

const char *words__mode(__u32 mode)
{
	return mode == IOT_UNMAP_LAZY     ? "lazy"
	       : mode == IOT_UNMAP_STRICT ? "strict"
					  : "mode not known";
}

static const char *name_of(const char *const *names, size_t nr, __u32 i)
{
	return i < nr && names[i] ? names[i] : "unknown";
}
#define NAME_OF(names, i) name_of(names, sizeof(names) / sizeof((names)[0]), i)

const char *words__why(__u32 why)
{
	static const char *const names[] = {
		[IOT_WHY_UNKNOWN] = "reason not known",
		[IOT_WHY_STRICT] = "strict",
		[IOT_WHY_QUEUE_FULL] = "queue full",
		[IOT_WHY_TIMER] = "timer",
		[IOT_WHY_MAP] = "after map",
		[IOT_WHY_OTHER] = "other caller",
		[IOT_WHY_RANGE] = "inside unmap",
		[IOT_WHY_DETACH] = "detach",
	};

	return NAME_OF(names, why);
}

const char *words__loss(__u32 cause)
{
	static const char *const names[IOT_LOST_CAUSES] = {
		[IOT_LOST_RING] = "a CPU's ring was full",
		[IOT_LOST_RARE] = "the ring of rare events was full",
		[IOT_LOST_RECURSION] = "tracing program skipped by the kernel",
		[IOT_LOST_DOMAIN_TABLE] = "no room for a new domain",
		[IOT_LOST_DEVICE_TABLE] = "no room for a new device",
		[IOT_LOST_BEGIN] = "begin of a flush forgotten",
		[IOT_LOST_LATE] = "arrived late, time moved forward",
		[IOT_LOST_RATELIMIT] = "log lines suppressed by the kernel",
		[IOT_LOST_WRITER] = "not on disk: too slow or full",
		[IOT_LOST_UNHOOKED] = "flush function not traced",
		[IOT_LOST_OVERWRITTEN] = "only the newest events were kept",
		[IOT_LOST_DAMAGE] = "session damaged",
		[IOT_LOST_UNENDED] = "flush had begun and not ended at the end",
		[IOT_LOST_CALL] = "call of a driver's own function not told",
		[IOT_LOST_RECORD] = "no record of a fault",
	};

	return NAME_OF(names, cause);
}

const char *words__check(__u32 check)
{
	static const char *const names[] = {
		[IOT_CHECK_MAP_BYTES] = "bytes mapped",
		[IOT_CHECK_UNMAP_BYTES] = "bytes unmapped",
		[IOT_CHECK_UNMAP_COUNT] = "unmaps",
		[IOT_CHECK_FQ_FLUSHES] = "flush queue flushes",
		[IOT_CHECK_DOMAIN_KNOWN] = "events with a known domain",
	};

	return NAME_OF(names, check);
}

const char *words__verdict(enum verdict v)
{
	static const char *const names[VERDICT_NR] = {
		[VERDICT_UNMAPPED_WINDOW] = "Use after unmap, before the IOTLB flush",
		[VERDICT_UNMAPPED_FLUSHING] = "Use after unmap, during the IOTLB flush",
		[VERDICT_UNMAPPED_FLUSHED] = "Use after unmap, after the IOTLB flush",
		[VERDICT_UNMAPPED] = "Use after unmap",
		[VERDICT_NEVER_MAPPED] = "Access to an address that was never mapped",
		[VERDICT_PAST_END] = "Access past the end of a mapping",
		[VERDICT_BEFORE_START] = "Access before the start of a mapping",
		[VERDICT_PERMISSION] = "Access without permission",
		[VERDICT_TRUNCATED] = "Access with a truncated address",
		[VERDICT_OTHER_DOMAIN] = "Access to an address of another domain",
		[VERDICT_RESERVED] = "Access to a reserved region",
		[VERDICT_MAPPED] = "Fault at a mapped address",
		[VERDICT_TORN_DOWN] = "Access while its domain was taken apart",
		[VERDICT_NO_ADDRESS] = "Fault without an address",
		[VERDICT_CANNOT_KNOW] = "Fault, cause not known",
		[VERDICT_NO_FAULT] = "Hang without an IOMMU fault",
		[VERDICT_INVALIDATION] = "IOTLB invalidation failed",
		[VERDICT_FLUSH_STALL] = "IOTLB flush stalled",
		[VERDICT_PAGE_REQUEST] = "Page request not served",
	};

	return NAME_OF(names, v);
}

const char *words__verdict_id(enum verdict v)
{
	static const char *const names[VERDICT_NR] = {
		[VERDICT_UNMAPPED_WINDOW] = "use_after_unmap_window_open",
		[VERDICT_UNMAPPED_FLUSHING] = "use_after_unmap_flush_in_flight",
		[VERDICT_UNMAPPED_FLUSHED] = "use_after_unmap_flushed",
		[VERDICT_UNMAPPED] = "use_after_unmap",
		[VERDICT_NEVER_MAPPED] = "never_mapped",
		[VERDICT_PAST_END] = "past_the_end",
		[VERDICT_BEFORE_START] = "before_the_start",
		[VERDICT_PERMISSION] = "wrong_permission",
		[VERDICT_TRUNCATED] = "address_truncated",
		[VERDICT_OTHER_DOMAIN] = "other_domain",
		[VERDICT_RESERVED] = "reserved_region",
		[VERDICT_MAPPED] = "mapped_but_faults",
		[VERDICT_TORN_DOWN] = "domain_torn_down",
		[VERDICT_NO_ADDRESS] = "address_unknown",
		[VERDICT_CANNOT_KNOW] = "cannot_be_known",
		[VERDICT_NO_FAULT] = "hang_without_fault",
		[VERDICT_INVALIDATION] = "invalidation_failed",
		[VERDICT_FLUSH_STALL] = "flush_stalled",
		[VERDICT_PAGE_REQUEST] = "page_request_not_served",
	};

	return NAME_OF(names, v);
}

const char *words__confidence(enum confidence c)
{
	return c == CONFIDENCE_CERTAIN ? "certain" : c == CONFIDENCE_LIKELY ? "likely" : "unknown";
}

struct words words__symbol(const struct model *m, __u64 addr)
{
	const struct model_symbol *s = model__symbol(m, addr);
	size_t name;

	if (!s)
		return say("0x%llx", model__plain_address(addr));
	name = strcspn(s->name, " ");
	return say("%.*s+0x%x%s", (int)name, s->name, s->offset, s->name + name);
}

/* Frames that every unmap goes through say nothing about who did it. */
static bool is_plumbing(const char *symbol)
{
	static const char *const prefixes[] = {
		"iommu_",       "__iommu_",   "dma_map",     "dma_unmap",          "dma_alloc",
		"dma_free",     "__dma_map",  "__dma_unmap", "dma_direct",         "dma_iova",
		"intel_iommu_", "amd_iommu_", "bpf_",        "report_iommu_fault", "refiommu_",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(symbol, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

struct words words__stack(const struct model *m, __u32 stack)
{
	const struct model_stack *st = stack ? model__stack(m, stack) : NULL;
	struct words w = { "" };
	__u32 from = 0;
	size_t len = 0;

	if (!st)
		return w;
	while (from < st->nr && is_plumbing(words__symbol(m, st->ip[from]).s))
		from++;
	if (from == st->nr)
		from = 0;
	for (__u32 i = from; i < st->nr && i < from + STACK_FRAMES; i++) {
		struct words f = words__symbol(m, st->ip[i]);
		size_t need = strlen(f.s) + (len ? 3 : 0);

		if (len + need >= sizeof(w.s))
			break;
		len += (size_t)snprintf(w.s + len, sizeof(w.s) - len, "%s%s", len ? " < " : "",
					f.s);
	}
	return w;
}

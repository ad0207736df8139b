// SPDX-License-Identifier: GPL-2.0-only
/* The facts out of the attributes of a capture (src/collect/choosers.c, sysfs.c, facts.c). */
#include <stdio.h>
#include <string.h>

#include "analyze/why.h"
#include "util/parse.h"
#include "util/text.h"

/* The value of "key=value" among blanks; NULL: it isn't there. *len: its length. */
static const char *word(const char *text, const char *key, size_t *len)
{
	size_t key_len = strlen(key);

	for (const char *p = text; p && *p; p += strcspn(p, " "), p += strspn(p, " ")) {
		if (strncmp(p, key, key_len) || p[key_len] != '=')
			continue;
		p += key_len + 1;
		*len = strcspn(p, " ");
		return p;
	}
	return NULL;
}

static __s64 number(const char *text, const char *key)
{
	size_t len;
	const char *p = word(text, key, &len);
	char digits[24];
	uint64_t n;

	if (!p || len >= sizeof(digits))
		return WHY_UNKNOWN;
	memcpy(digits, p, len);
	digits[len] = 0;
	return parse__u64(digits, &n) || n > INT64_MAX ? WHY_UNKNOWN : (__s64)n;
}

static int small(const char *text, const char *key)
{
	__s64 n = number(text, key);

	return n < 0 || n > INT32_MAX ? WHY_UNKNOWN : (int)n;
}

static void name(char *out, size_t size, const char *text, const char *key)
{
	size_t len;
	const char *p = word(text, key, &len);

	text__copy(out, size, p ? p : "", p ? len : 0);
}

/* As the kernel's kstrtobool() takes it: -1 = not at all. */
static int boolean(const char *s)
{
	if (strchr("yYtT1", s[0]) && s[0])
		return 1;
	if (strchr("nNfF0", s[0]) && s[0])
		return 0;
	if (s[0] == 'o' || s[0] == 'O')
		return s[1] == 'n' || s[1] == 'N' ? 1 : s[1] == 'f' || s[1] == 'F' ? 0 : -1;
	return -1;
}

/* Is one of the words of a comma-separated list, or the begin of one, as the kernel looks at it? */
static bool in_list(const char *list, const char *what)
{
	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
		if (!strncmp(p, what, strlen(what)))
			return true;
	return false;
}

/* One word of the command line. x86 has iommu=pt and nopt (arch/x86/kernel/pci-dma.c). */
static void take_word(struct why_core *core, const char *w)
{
	static const struct {
		const char *param, *value;
	} drivers[] = { { "intel_iommu=", "strict" },
			{ "amd_iommu=", "fullflush" },
			{ "s390_iommu=", "strict" } };
	int value;

	if (!strncmp(w, "iommu.passthrough=", 18)) {
		value = boolean(w + 18);
		if (value >= 0) {
			text__copy(core->type_word, sizeof(core->type_word), w, strlen(w));
			core->word_passthrough = value;
		}
	} else if (!strncmp(w, "iommu.strict=", 13)) {
		value = boolean(w + 13);
		if (value >= 0) {
			text__copy(core->strict_word, sizeof(core->strict_word), w, strlen(w));
			core->word_strict = value;
		}
	} else if (!strncmp(w, "iommu=", 6) && (in_list(w + 6, "pt") || in_list(w + 6, "nopt"))) {
		text__copy(core->type_word, sizeof(core->type_word), w, strlen(w));
		core->word_passthrough = in_list(w + 6, "pt");
	}
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strncmp(w, drivers[i].param, strlen(drivers[i].param)) &&
		    in_list(w + strlen(drivers[i].param), drivers[i].value))
			text__copy(core->driver_word, sizeof(core->driver_word), w, strlen(w));
}

static void take_options(struct why_core *core, const char *options)
{
	char w[128];

	for (const char *p = options; p && *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");

		text__copy(w, sizeof(w), p, len);
		take_word(core, w);
		p += len;
	}
}

/* A register of an IOMMU, "cap d2008c222f0606, ecap f00f5e"; 0 if it isn't told. */
static __u64 reg(const char *text, const char *key)
{
	size_t len = strlen(key);
	char digits[24];
	uint64_t value;

	for (const char *p = text; p;
	     p = strchr(p, ','), p = p ? p + 1 + strspn(p + 1, " ") : NULL) {
		if (strncmp(p, key, len) || p[len] != ' ')
			continue;
		p += len + 1;
		snprintf(digits, sizeof(digits), "0x%.*s", (int)strcspn(p, ", "), p);
		return parse__u64(digits, &value) ? 0 : value;
	}
	return 0;
}

#define VTD_CAP_CM  (1ULL << 7) /* VT-d spec, 11.4.2: caching mode */
#define VTD_ECAP_PT (1ULL << 6) /* 11.4.3: pass-through */
#define VTD_ECAP_SMTS \
	(1ULL << 43) /* scalable mode, without which there are no first-stage tables */
#define AMD_CAP_NPCACHE (1ULL << 26) /* AMD I/O virtualisation spec, capability header */

static void take_iommu(struct why_core *core, const char *text)
{
	const char *value = strchr(text, '=');
	bool vtd = value && strstr(value, "ecap ");
	__u64 cap = value ? reg(value + 1, "cap") : 0;
	char *list = NULL;
	int len;

	/* VT-d's list begins with its version */
	if (value && vtd && (cap & VTD_CAP_CM)) {
		list = core->caching;
		core->caching_open |= (reg(value + 1, "ecap") & VTD_ECAP_SMTS) != 0;
	} else if (value && !vtd && strstr(value, "features ") && (cap & AMD_CAP_NPCACHE)) {
		list = core->np_cache;
	}
	if (!list)
		return;
	len = (int)(value - text) - (int)strlen("iommu.");
	text__append(list, sizeof(core->caching), "%s%.*s", list[0] ? ", " : "", len,
		     text + strlen("iommu."));
}

void why__core(struct why_core *core, const struct model *m, __u32 origin)
{
	const char *text = model__attr_of(m, origin, "why.core"),
		   *kconfig = model__attr_of(m, origin, "why.kconfig"),
		   *quirk = model__attr_of(m, origin, "why.quirk");
	static const char *const words[] = { "", "lazy ", "strict ", "passthrough " };

	memset(core, 0, sizeof(*core));
	core->def_type = small(text, "def_type");
	core->strict = small(text, "strict");
	core->cmd_line = small(text, "cmd_line");
	core->asks = small(text, "asks");
	for (int i = WHY_LAZY; kconfig && i <= WHY_PASSTHROUGH; i++) {
		if (strncmp(kconfig, words[i], strlen(words[i])))
			continue;
		core->kconfig = (enum why_kconfig)i;
		kconfig += strlen(words[i]);
		text__copy(core->kconfig_from, sizeof(core->kconfig_from), kconfig,
			   strlen(kconfig));
		break;
	}
	text__copy(core->quirk, sizeof(core->quirk), quirk ? quirk : "", quirk ? strlen(quirk) : 0);
	take_options(core, model__attr_of(m, origin, "iommu_options"));
	for (const struct model_attr *a = m->attrs; a; a = a->next)
		if ((a->origin == origin || !m->merged) && !strncmp(a->text, "iommu.", 6))
			take_iommu(core, a->text);
}

/* The IOMMU of the group's devices, and what it can. */
static void take_group_iommu(struct why_group *g, const struct model *m, __u32 origin)
{
	char key[40];
	const char *text;

	idtab__for_each (&m->devices, slot) {
		const struct model_device *dev = slot->value;

		if (dev->group == g->group && dev->iommu[0] &&
		    (!m->merged || dev->origin == origin))
			snprintf(g->iommu, sizeof(g->iommu), "%s", dev->iommu);
	}
	snprintf(key, sizeof(key), "iommu.%s", g->iommu);
	text = g->iommu[0] ? model__attr_of(m, origin, key) : NULL;
	if (text && strstr(text, "ecap "))
		g->pass_through = (reg(text, "ecap") & VTD_ECAP_PT) != 0;
}

bool why__group(struct why_group *g, const struct model *m, __u32 origin, int group)
{
	char key[40];
	const char *text, *untrusted;

	memset(g, 0, sizeof(*g));
	g->group = group;
	g->pass_through = WHY_UNKNOWN;
	snprintf(key, sizeof(key), "why.group.%d", group);
	text = model__attr_of(m, origin, key);
	if (!text)
		return false;
	g->type = small(text, "type");
	g->now_type = small(text, "now");
	g->queue = small(text, "queue");
	g->flush_all = small(text, "flush_all");
	g->generic_pt = small(text, "generic_pt");
	g->owned = small(text, "owned") == 1;
	g->driver = small(text, "driver");
	g->fixed = small(text, "fixed");
	g->written = number(text, "written");
	name(g->def_domain_type, sizeof(g->def_domain_type), text, "def_domain_type");
	name(g->capable, sizeof(g->capable), text, "capable");
	snprintf(key, sizeof(key), "why.untrusted.%d", group);
	untrusted = model__attr_of(m, origin, key);
	text__copy(g->untrusted, sizeof(g->untrusted), untrusted ? untrusted : "",
		   untrusted ? strlen(untrusted) : 0);
	take_group_iommu(g, m, origin);
	return true;
}

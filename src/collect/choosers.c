// SPDX-License-Identifier: GPL-2.0-only
#include "collect/choosers.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "util/parse.h"
#include "util/text.h"

static const char *const variables[] = { "iommu_def_domain_type", "iommu_dma_strict",
					 "iommu_cmd_line" };

int choosers__want(struct kallsyms *syms)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(variables) / sizeof(variables[0]); i++)
		rc = kallsyms__want(syms, variables[i]);
	return rc;
}

static uint64_t address(struct kallsyms *syms, const char *name)
{
	struct ksym sym;

	/* of two namesakes nobody knows which is meant */
	return kallsyms__count(syms, name, &sym) == 1 ? sym.addr : 0;
}

void choosers__find(struct iot_why_vars *vars, struct kallsyms *syms)
{
	vars->def_type = address(syms, variables[0]);
	vars->strict = address(syms, variables[1]);
	vars->cmd_line = address(syms, variables[2]);
}

int choosers__core(const struct iot_raw_why_core *raw, facts_add add, void *ctx)
{
	char text[120] = "";

	if (raw->known & IOT_WHY_DEF_TYPE)
		text__append(text, sizeof(text), "def_type=%u ", raw->def_type);
	if (raw->known & IOT_WHY_STRICTNESS)
		text__append(text, sizeof(text), "strict=%u ", raw->strict);
	if (raw->known & IOT_WHY_CMD_LINE)
		text__append(text, sizeof(text), "cmd_line=%u ", raw->cmd_line);
	return facts__attr(add, ctx, "why.core=%sasks=%u", text, raw->asks);
}

/* " key=name", the address if the symbols don't name it, nothing if there is no function. */
static void add_function(char *text, size_t size, const char *key, uint64_t addr,
			 struct kallsyms *syms)
{
	struct ksym sym;

	if (!addr)
		return;
	if (kallsyms__at(syms, addr, &sym) || sym.addr != addr)
		text__append(text, size, " %s=0x%llx", key, (unsigned long long)addr);
	else
		text__append(text, size, " %s=%s", key, sym.name);
}

int choosers__group(const struct iot_raw_why_group *raw, struct kallsyms *syms, facts_add add,
		    void *ctx)
{
	char text[600] = "";
	uint32_t f = raw->flags;

	if (f & IOT_WHY_TYPE_KNOWN)
		text__append(text, sizeof(text), " type=%u flush_all=%u generic_pt=%u", raw->type,
			     raw->flush_all != 0, (f & IOT_WHY_GENERIC_PT) != 0);
	if (f & IOT_WHY_QUEUE_KNOWN)
		text__append(text, sizeof(text), " queue=%u", (f & IOT_WHY_QUEUE) != 0);
	if (f & IOT_WHY_DRIVER_KNOWN)
		text__append(text, sizeof(text), " driver=1");
	if (f & IOT_WHY_FIXED)
		text__append(text, sizeof(text), " fixed=%u", raw->fixed_type);
	if (f & IOT_WHY_SYSFS_KNOWN)
		text__append(text, sizeof(text), " written=%llu", (unsigned long long)raw->written);
	add_function(text, sizeof(text), "def_domain_type", raw->def_domain_type, syms);
	add_function(text, sizeof(text), "capable", raw->capable, syms);
	return facts__attr(add, ctx, "why.group.%d=now=%u owned=%u%s", raw->group, raw->now_type,
			   (f & IOT_WHY_OWNED) != 0, text);
}

int choosers__untrusted(const struct iot_raw_why_dev *raw, facts_add add, void *ctx)
{
	return facts__attr(add, ctx, "why.untrusted.%d=%.*s", raw->group, (int)sizeof(raw->name),
			   raw->name);
}

/* drivers/iommu/Kconfig: one of these three. */
static const char *kconfig_default(const char *path)
{
	static const struct {
		const char *line, *word;
	} choices[] = {
		{ "CONFIG_IOMMU_DEFAULT_DMA_LAZY=y", "lazy" },
		{ "CONFIG_IOMMU_DEFAULT_DMA_STRICT=y", "strict" },
		{ "CONFIG_IOMMU_DEFAULT_PASSTHROUGH=y", "passthrough" },
	};
	const char *word = NULL;
	char line[256];
	gzFile f = gzopen(path, "rb"); /* reads plain text as well */

	while (f && !word && gzgets(f, line, sizeof(line))) {
		line[strcspn(line, "\n")] = 0;
		for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
			if (!strcmp(line, choices[i].line))
				word = choices[i].word;
	}
	if (f)
		gzclose(f);
	return word;
}

int choosers__kconfig(const char *root, const char *release, facts_add add, void *ctx)
{
	static const char *const paths[] = { "/proc/config.gz", "/boot/config-%s",
					     "/lib/modules/%s/config" };
	char name[PATH_MAX / 2], path[PATH_MAX];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *word, *hole = strstr(paths[i], "%s");
		int before = hole ? (int)(hole - paths[i]) : (int)strlen(paths[i]);

		snprintf(name, sizeof(name), "%.*s%s%s", before, paths[i], hole ? release : "",
			 hole ? hole + 2 : "");
		snprintf(path, sizeof(path), "%s%s", root, name);
		word = kconfig_default(path);
		if (word)
			return facts__attr(add, ctx, "why.kconfig=%s %s", word, name);
	}
	return 0;
}

/* The host bridges of quirk_calpella_no_shadow_gtt() in drivers/iommu/intel/iommu.c, which may call
 * iommu_set_dma_strict(). */
static bool is_ironlake(const char *sysfs, const char *device)
{
	static const unsigned int ids[] = { 0x0040, 0x0062, 0x006a };
	uint64_t value[2] = { 0, 0 };
	char path[PATH_MAX], text[16];

	for (int i = 0; i < 2; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/%s", sysfs, device,
			 i ? "device" : "vendor");
		f = fopen(path, "re");
		if (!f)
			return false;
		text[fread(text, 1, sizeof(text) - 1, f)] = 0;
		fclose(f);
		text[strcspn(text, "\n")] = 0;
		if (parse__u64(text, &value[i]))
			return false;
	}
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (value[0] == 0x8086 && value[1] == ids[i])
			return true;
	return false;
}

int choosers__quirks(const char *sysfs, facts_add add, void *ctx)
{
	char path[PATH_MAX];
	struct dirent *e;
	int err = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/bus/pci/devices", sysfs);
	d = opendir(path);
	while (d && !err && (e = readdir(d)))
		if (e->d_name[0] != '.' && is_ironlake(sysfs, e->d_name))
			err = facts__attr(add, ctx, "why.quirk=%s", e->d_name);
	if (d)
		closedir(d);
	return err;
}

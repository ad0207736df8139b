/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a kernel lacks, told without booting it: from its BTF, and from its configuration if that
 * can be found (in the image itself, beside it, or in the tree that it was built in).
 */
#ifndef IOMMUTOP_BOOT_LACKS_H
#define IOMMUTOP_BOOT_LACKS_H

#include "boot/kernel.h"

enum lack {
	LACK_BOOT,  /* the guest won't come up */
	LACK_TRACE, /* iommutop can't trace there */
	LACK_PART,  /* something is slower, or not seen */
};

/* text: what is missing, what follows from it, and what to do; without full stop. */
typedef void (*lack_say)(void *ctx, enum lack kind, const char *text);

/* given: the kernel as it was asked for; run_dir takes a file; iommu: that of --iommu. *config is
 * the file that told of the configuration, "" if none was found; the caller frees it. 0 or -ENOMEM.
 */
int lacks__find(const struct kernel *k, const char *given, const char *run_dir, const char *iommu,
		lack_say say, void *ctx, char **config);

/* What the configuration in text lacks, for a kernel whose image is an ELF file or not. */
void lacks__config(const char *text, bool elf, const char *iommu, lack_say say, void *ctx);

#endif

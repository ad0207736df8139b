/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds the kernel that was asked for: its image, its modules, the reference driver built for it.
 */
#ifndef IOMMUTOP_BOOT_KERNEL_H
#define IOMMUTOP_BOOT_KERNEL_H

#include "boot/boot.h"

struct kernel {
	char *dir;   /* as kernel.sh makes them; NULL if the kernel was given as a file elsewhere */
	char *image; /* vmlinux, or a bzImage that could not be unpacked */
	char *modules; /* the directory with modules.dep; NULL: none known, all is taken as built in
			*/
	char *ref;     /* the directory with refiommu.ko and refdma.ko; NULL: none */
};

/* run_dir takes an unpacked image. 0 or negative errno; kernel__free() in either case. */
int kernel__find(const struct boot_config *config, const char *run_dir, struct kernel *k,
		 struct error *err);

/* Fills .ref. An error only if it is required. */
int kernel__build_ref(const struct boot_config *config, bool required, struct kernel *k,
		      struct error *err);

void kernel__free(struct kernel *k);

#endif

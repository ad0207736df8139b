/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several boots out of one command line or one file: every kernel with every IOMMU, every QEMU,
 * every addition to the kernel's command line and every command. iommutop-boot(1) describes the
 * file.
 */
#ifndef IOMMUTOP_BOOT_MATRIX_H
#define IOMMUTOP_BOOT_MATRIX_H

#include "boot/strv.h"
#include "util/error.h"

enum matrix_axis {
	AXIS_KERNEL,
	AXIS_IOMMU,
	AXIS_QEMU,
	AXIS_APPEND,
	AXIS_COMMAND,
	AXIS_NR,
};

/* One boot. The strings are the matrix'. */
struct matrix_case {
	const char *at[AXIS_NR];
	/* "debian-6.1", with its number before it if there are several: for files, without / and :
	 */
	char *name;
};

struct matrix_except {
	char *at[AXIS_NR]; /* patterns; NULL: whatever it is */
};

/* Zeroed = empty. */
struct matrix {
	struct strv axes[AXIS_NR];
	struct matrix_except *excepts;
	size_t nr_excepts;
	struct matrix_case *cases;
	size_t nr;
};
#define MATRIX_MAX 256U

/* The axes and exceptions of a file: len bytes of YAML, name for messages, which begin with
 * "NAME:LINE:COLUMN: ". -EINVAL or -ENOMEM. */
int matrix__parse(struct matrix *m, const char *name, const char *text, size_t len,
		  struct error *err);
int matrix__load(struct matrix *m, const char *path, struct error *err);

/* Replaces an axis by other values. 0 or -ENOMEM. */
int matrix__set(struct matrix *m, enum matrix_axis axis, const struct strv *values);

/* Makes the cases of the axes, in the order of a reader: the last axis runs fastest. An empty axis
 * has one value, "". -EINVAL: none, or too many. */
int matrix__expand(struct matrix *m, struct error *err);

void matrix__free(struct matrix *m);

const char *matrix__axis_name(enum matrix_axis axis); /* "kernel" … */

#endif

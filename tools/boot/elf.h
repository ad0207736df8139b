/* SPDX-License-Identifier: GPL-2.0-only */
/* Can a program run where there are no libraries? */
#ifndef IOMMUTOP_BOOT_ELF_H
#define IOMMUTOP_BOOT_ELF_H

#include "util/error.h"

/* 0 if it is linked statically; else negative errno, and err says so and what to do. */
int elf__check_static(const char *path, const char *what_to_do, struct error *err);

#endif

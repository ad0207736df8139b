/* SPDX-License-Identifier: GPL-2.0-only */
/* Assertions from the begin of user space to the end that the command line asks for, reported in
 * frames. */
#ifndef IOMMUTOP_EARLY_ASSERT_H
#define IOMMUTOP_EARLY_ASSERT_H

#include "boot/boot_params.h"

/*
 * Closes ready_fd when everything is attached, or nothing will be. failed: what went wrong before;
 * it is all that is reported then. Returns an exit code.
 */
int early_assert__run(const struct boot_params *p, const struct error *failed, int ready_fd);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The single values of a rule: text, as it is written in a rule file or in the table of invariants,
 * to what it means. Errors say what is wrong and what would be right, without a place. All return
 * 0, -EINVAL or, where they copy, -ENOMEM; *out is written on success only.
 */
#ifndef IOMMUTOP_ASSERT_RULE_VALUE_H
#define IOMMUTOP_ASSERT_RULE_VALUE_H

#include "assert/rule.h"

/* "20ms", "64K", "3", "99.9", "yes": as struct rule has it. */
int rule_value__param(const struct invariant_param *p, const char *text, __u64 *out,
		      struct error *err);
/* Which of the words it is; what names the value in the message. */
int rule_value__word(const char *const *words, const char *what, const char *text, size_t *out,
		     struct error *err);
/* "DMA-FQ" … to IOT_TYPE_*. */
int rule_value__type(const char *text, __s32 *out, struct error *err);
int rule_value__group(const char *text, __s32 *out, struct error *err);
/* "2027-01-31": days since 1970-01-01 */
int rule_value__date(const char *text, __s32 *out, struct error *err);
/* Copies of the text, the caller's. */
int rule_value__name(const char *text, char **out, struct error *err);
/* A full PCI address is made as the kernel writes it: "4:10.0" is "0000:04:10.0". */
int rule_value__pattern(const char *what, const char *text, char **out, struct error *err);
int rule_value__link(const char *text, char **out, struct error *err);
int rule_value__reason(const char *text, char **out, struct error *err); /* in one line */

#endif

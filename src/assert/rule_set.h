/* SPDX-License-Identifier: GPL-2.0-only */
/* What makes up a set of rules, for those who read one. */
#ifndef IOMMUTOP_ASSERT_RULE_SET_H
#define IOMMUTOP_ASSERT_RULE_SET_H

#include "assert/rule.h"

void rule__free(struct rule *rule); /* what it holds, complete or not */

/* By name; NULL = no such. */
struct rule *rule_set__find(const struct rule_set *set, const char *name);
/* Takes what rule holds, also if it fails. 0 or -ENOMEM. */
int rule_set__append(struct rule_set *set, struct rule *rule);

#endif

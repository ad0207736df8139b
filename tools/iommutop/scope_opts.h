/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of analyze, diff and export that say which events count: parsed alike, documented
 * alike. */
#ifndef IOMMUTOP_SCOPE_OPTS_H
#define IOMMUTOP_SCOPE_OPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "filter/scope.h"
#include "opts.h"

struct scope_values {
	struct opt_strings devices, domains, groups;
	const char *time, *filter;
};

/* Rows of a table of options; m is where struct scope_values is in the command's values. */
#define SCOPE_ROW(kind, name, arg, help, at)       \
	{                                          \
		kind, 0, name, arg, help, at, 0, 0 \
	}
#define SCOPE_OPTS(type, m)                                                                        \
	SCOPE_ROW(OPT_GROUP, NULL, NULL, "Which events; of different conditions all must hold",    \
		  0),                                                                              \
		SCOPE_ROW(OPT_STRINGS, "dev", "NAME",                                              \
			  "of this device: name, PCI address or pattern (0000:03:*); again: or "   \
			  "of this",                                                               \
			  offsetof(struct type, m.devices)),                                       \
		SCOPE_ROW(OPT_STRINGS, "domain", "N", "of this domain; again: or of this",         \
			  offsetof(struct type, m.domains)),                                       \
		SCOPE_ROW(OPT_STRINGS, "group", "N", "of this IOMMU group; again: or of this",     \
			  offsetof(struct type, m.groups)),                                        \
		SCOPE_ROW(OPT_STRING, "time", "FROM,TO",                                           \
			  "2.5,3 or 200ms,2s since the begin; @5959.3,@5960 as in dmesg; 2,+1s",   \
			  offsetof(struct type, m.time)),                                          \
		SCOPE_ROW(OPT_STRING, "filter", "EXPR",                                            \
			  "for which it holds: 'id==unmap && size>=64K'; 'help' lists the fields", \
			  offsetof(struct type, m.filter))

/* --filter help: prints the fields; true = it did, and the command has no more to do. */
bool scope_opts__help(const struct scope_values *v);

/*
 * What the options ask for; *out is NULL if that is everything. klog: the source is a kernel log.
 * 0, or the exit code; then what is wrong has been said. cmd is the command's name.
 */
int scope_opts__make(struct scope **out, const struct scope_values *v, bool klog, const char *cmd);

/* Says on standard error which device, domain or group asked for was never seen in source. */
void scope_opts__warn(struct scope *s, const char *cmd, const char *source);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom the numbers in events mean, as far as the stream has told by now; redacted if asked for. */
#ifndef IOMMUTOP_EXPORT_NAMES_H
#define IOMMUTOP_EXPORT_NAMES_H

#include "event.h"
#include "export/redact.h"
#include "model/model.h"

struct names {
	struct model *model;
	const struct redact *redact; /* NULL: nothing is hidden */
	/* the last ones asked for: streams ask for the same again and again */
	__u32 dev, domain;
	char dev_name[48], domain_name[48];
};

/* After each event that may change a name; cheap. */
void names__forget(struct names *n);

/* NULL: not known. Good until the next call for a device. */
const char *names__device(struct names *n, __u32 dev);
/* Its device if it has one only, else "group 5"; NULL: not known. Good until the next call. */
const char *names__domain(struct names *n, __u32 domain);
/* "name+0x12 [module]" or the address; into buf. */
void names__symbol(const struct names *n, __u64 addr, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the formats share. For src/export only. */
#ifndef IOMMUTOP_EXPORT_INTERNAL_H
#define IOMMUTOP_EXPORT_INTERNAL_H

#include "analyze/logline.h"
#include "export/columns.h"
#include "export/export.h"
#include "export/names.h"
#include "export/out.h"
#include "export/redact.h"
#include "model/model.h"

#define EXPORT_ROW_MAX (32 * 1024) /* bytes of one event in any text format, more than it takes */

struct exporter {
	const struct export_format *format;
	struct export_opts opts;
	struct out out; /* unless the format writes to a directory */
	struct model model;
	struct logline lines; /* of the kernel's log */
	struct names names;
	struct redact redact;
	struct columns columns;
	uint64_t events; /* given to the format */
	void *state;     /* the format's own */
};

/* The event's own fields as members of a JSON object, each with a comma in front: at most
 * EXPORT_ROW_MAX / 2 bytes at p. */
char *jsonl__fields(char *p, const struct columns_body *body, const struct iot_event *ev);

/* The parts of a redaction, in words: "addresses", "names", "addresses,names", "". */
const char *export__redacted(const struct exporter *x);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session in other tools' formats. Memory doesn't grow with the number of events, but for a few
 * bytes in 200,000 of them (Parquet's table of contents). docs/export.md describes each format.
 */
#ifndef IOMMUTOP_EXPORT_EXPORT_H
#define IOMMUTOP_EXPORT_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "util/error.h"

#define EXPORT_SCHEMA 1

#define EXPORT_ROW_GROUP 262144 /* default rows in a row group */

enum export_weight {
	EXPORT_COUNT,
	EXPORT_BYTES,
};

struct scope;

struct export_opts {
	const char *path;  /* "-" = standard output; parquet without a table: a new directory */
	const char *table; /* csv, parquet: this one only; NULL = csv: all events, parquet: each */
	enum export_weight weight; /* folded */
	uint64_t row_group;        /* parquet: rows; 0 = EXPORT_ROW_GROUP */
	bool uncompressed;         /* parquet */
	unsigned int redact;       /* REDACT_* */
	bool keep_offset;          /* see struct redact */
	/* What is shown beside side tables and losses, NULL = everything; the caller's, and must
	 * outlive the exporter. */
	struct scope *scope;
};

struct exporter;
struct json_object;

struct export_format {
	const char *name;
	bool takes_table;
	bool to_directory; /* unless one table is asked for */
	bool wants_state;  /* live mappings and windows: the model sees maps and unmaps too */
	bool says_source;  /* has a place for what the export is only a part of */
	size_t state_size; /* bytes, zeroed, at exporter->state */
	int (*begin)(struct exporter *x, struct error *err);
	/* ev is what may be shown. 0 or a negative errno, which ends the export. */
	int (*event)(struct exporter *x, const struct iot_event *ev);
	/* NULL, or: the model has taken an event that isn't to be shown. */
	void (*hidden)(struct exporter *x);
	int (*end)(struct exporter *x, struct json_object *about, struct error *err);
	/* What end() would have done is undone; after end(): nothing left to do. */
	void (*abort)(struct exporter *x);
};

extern const struct export_format export_jsonl, export_csv, export_folded, export_perfetto,
	export_parquet;
extern const struct export_format *const export_formats[]; /* NULL at the end */

const struct export_format *export__format(const char *name); /* NULL: no such format */

/* Creates the output. 0, or a negative errno and err; *out is to be closed or aborted. */
int export__open(struct exporter **out, const struct export_format *format,
		 const struct export_opts *opts, struct error *err);

/* Takes one event of the stream, in time order, checked as the reader does. 0 or a negative errno:
 * -EPIPE if nobody reads the output any more. Lines of the kernel's log that tell of a fault, hang
 * or reset give a second event, marked IOT_F_DERIVED. */
int export__event(struct exporter *x, const struct iot_event *ev);

/* Completes the output. about: what the session says of itself, or NULL. Frees x in any case. */
int export__close(struct exporter *x, struct json_object *about, struct error *err);
/* Removes it: a part is never left under the name asked for. x may be NULL. */
void export__abort(struct exporter *x);

#endif

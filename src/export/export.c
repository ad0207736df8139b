// SPDX-License-Identifier: GPL-2.0-only
#include "export/export.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/internal.h"
#include "filter/scope.h"

/* Dead mappings are of no interest here: the least the model takes. */
#define HISTORY 16

const struct export_format *const export_formats[] = {
	&export_jsonl, &export_csv, &export_folded, &export_perfetto, &export_parquet, NULL,
};

const struct export_format *export__format(const char *name)
{
	for (const struct export_format *const *f = export_formats; *f; f++)
		if (!strcmp((*f)->name, name))
			return *f;
	return NULL;
}

const char *export__redacted(const struct exporter *x)
{
	static const char *const words[] = { "", "addresses", "names", "addresses,names" };

	return words[x->opts.redact & (REDACT_ADDRESSES | REDACT_NAMES)];
}

static void free_exporter(struct exporter *x)
{
	model__free(&x->model);
	free(x->state);
	free(x);
}

static int check(struct exporter *x, struct error *err)
{
	const struct export_format *f = x->format;
	char names[512] = "";
	size_t at = 0;

	if (!x->opts.table)
		return f->to_directory && !strcmp(x->opts.path, "-")
			       ? error__set(err, -EINVAL,
					    "%s has a file for each table: name a directory, or "
					    "one table",
					    f->name)
			       : 0;
	if (!f->takes_table)
		return error__set(err, -EINVAL, "%s has no tables to choose from", f->name);
	if (columns__find(&x->columns, x->opts.table))
		return 0;
	for (unsigned int i = 0; i < x->columns.nr; i++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", i ? ", " : "",
				       x->columns.tables[i].name);
	return error__set(err, -EINVAL, "there is no table '%s'; there are %s", x->opts.table,
			  names);
}

int export__open(struct exporter **out, const struct export_format *format,
		 const struct export_opts *opts, struct error *err)
{
	struct exporter *x = calloc(1, sizeof(*x));
	int ret = -ENOMEM;

	*out = NULL;
	if (!x)
		return error__set(err, ret, "cannot begin the export: out of memory");
	x->format = format;
	x->opts = *opts;
	if (!x->opts.row_group)
		x->opts.row_group = EXPORT_ROW_GROUP;
	x->state = calloc(1, format->state_size ? format->state_size : 1);
	if (!x->state || model__init(&x->model, HISTORY)) {
		free(x->state);
		free(x);
		return error__set(err, ret, "cannot begin the export: out of memory");
	}
	ret = redact__init(&x->redact, opts->redact, opts->keep_offset);
	if (ret) {
		error__set(err, ret, "cannot get a random key: %s", strerror(-ret));
		goto out;
	}
	x->names = (struct names){ .model = &x->model, .redact = opts->redact ? &x->redact : NULL };
	ret = columns__init(&x->columns);
	if (ret) {
		error__set(err, ret, "cannot begin the export: an event doesn't fit its table");
		goto out;
	}
	ret = check(x, err);
	if (!ret && (x->opts.table || !format->to_directory))
		ret = out__open(&x->out, opts->path, err);
	if (!ret)
		ret = format->begin(x, err);
out:
	if (ret)
		export__abort(x);
	else
		*out = x;
	return ret;
}

/* Of an event of the stream; those of the log have been asked for already. What is missing is never
 * left out. */
static bool is_asked_for(struct exporter *x, const struct iot_event *ev)
{
	return scope__event(x->opts.scope, ev) || ev->id == IOT_EV_LOSS;
}

static int show(struct exporter *x, const struct iot_event *ev)
{
	int ret;

	if (!columns__of(&x->columns, ev->id))
		return 0;
	x->events++;
	ret = x->format->event(x, x->opts.redact ? redact__event(&x->redact, ev) : ev);
	return ret ? ret : x->out.error;
}

static int on_line(void *ctx, const union logline_event *ev)
{
	struct exporter *x = ctx;

	return logline__in_scope(x->opts.scope, &x->model, &ev->h) || ev->h.id == IOT_EV_LOSS
		       ? show(x, &ev->h)
		       : 0;
}

int export__event(struct exporter *x, const struct iot_event *ev)
{
	bool hot = ev->id < IOT_EV_FAULT, asked_for = is_asked_for(x, ev);
	int ret = 0;

	if (ev->flags & IOT_F_DERIVED)
		return asked_for ? show(x, ev) : scope__error(x->opts.scope);
	/* The model sees what was recorded, the format what may be shown. */
	if (!hot)
		names__forget(&x->names);
	if (!hot || x->format->wants_state)
		model__event(&x->model, ev);
	if (asked_for)
		ret = show(x, ev);
	else if (x->format->hidden)
		x->format->hidden(x);
	if (!ret && ev->id == IOT_EV_LOG)
		ret = logline__feed(&x->lines, &x->model, (const struct iot_log *)ev, on_line, x);
	if (!ret)
		ret = x->model.error ? x->model.error : scope__error(x->opts.scope);
	return ret;
}

/* What the session says of itself: numbers stay, and so does what the tool says of itself. */
static struct json_object *redact_value(const struct exporter *x, const char *key,
					struct json_object *value)
{
	static const char *const plain[] = { "tracer_name", "iommutop_version", "format_version",
					     "kernel_release" };
	enum json_type type = json_object_get_type(value);
	char text[1024];

	if (type == json_type_int || type == json_type_boolean || type == json_type_double)
		return json_object_get(value);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (!strcmp(key, plain[i]))
			return json_object_get(value);
	if (type != json_type_string || x->opts.redact & REDACT_NAMES)
		return json_object_new_string("redacted");
	redact__text(&x->redact, json_object_get_string(value),
		     (size_t)json_object_get_string_len(value), text, sizeof(text));
	return json_object_new_string(text);
}

static struct json_object *redact_about(const struct exporter *x, struct json_object *about)
{
	struct json_object *o = json_object_new_object();

	json_object_object_foreach(about, key, value)
	{
		json_object_object_add(o, key, redact_value(x, key, value));
	}
	return o;
}

int export__close(struct exporter *x, struct json_object *about, struct error *err)
{
	int ret;

	about = about && x->opts.redact ? redact_about(x, about) : json_object_get(about);
	ret = logline__end(&x->lines, &x->model, on_line, x);
	if (ret)
		error__set(err, ret, "cannot write %s: %s", x->opts.path, strerror(-ret));
	else
		ret = x->format->end(x, about, err);
	json_object_put(about);
	if (ret) {
		export__abort(x);
		return ret;
	}
	if (x->out.is_open)
		ret = out__commit(&x->out, err);
	free_exporter(x);
	return ret;
}

void export__abort(struct exporter *x)
{
	if (!x)
		return;
	if (x->format->abort)
		x->format->abort(x);
	out__abort(&x->out);
	free_exporter(x);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "assert_out.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

static int write_json(FILE *out, const struct assert_report *r)
{
	struct json_object *json = assert__json(r);

	if (!json)
		return -ENOMEM;
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
							     JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	return 0;
}

static int write_one(FILE *out, enum assert_format format, const struct assert_report *r)
{
	static void (*const writers[])(FILE *, const struct assert_report *) = {
		[FORMAT_TEXT] = assert__text,     [FORMAT_KTAP] = assert__ktap,
		[FORMAT_TAP] = assert__tap,       [FORMAT_JUNIT] = assert__junit,
		[FORMAT_GITHUB] = assert__github,
	};

	if (format == FORMAT_JSON)
		return write_json(out, r);
	writers[format](out, r);
	return 0;
}

/* Whether another format has that file already. */
static bool is_twice(const char *const paths[FORMATS], int format)
{
	for (int i = 0; i < format; i++)
		if (paths[i] && !strcmp(paths[i], paths[format]))
			return true;
	return false;
}

int assert_out__open(struct assert_out *o, const char *const paths[FORMATS], struct error *err)
{
	bool taken = false;
	int ret = 0;

	*o = (struct assert_out){ 0 };
	for (int i = 0; i < FORMATS && !ret; i++) {
		if (!paths[i])
			continue;
		if (outfile__is_stdout(paths[i]) && taken)
			ret = error__set(err, -EINVAL,
					 "only one report can go to standard output; name files "
					 "for the others");
		else if (!outfile__is_stdout(paths[i]) && is_twice(paths, i))
			ret = error__set(err, -EINVAL,
					 "two reports can't go to one file, %s: name another for "
					 "one of them",
					 paths[i]);
		else
			ret = outfile__open(&o->files[i], paths[i], err);
		taken = taken || outfile__is_stdout(paths[i]);
	}
	if (ret)
		assert_out__drop(o);
	return ret;
}

int assert_out__write(struct assert_out *o, const struct assert_report *r, struct error *err)
{
	int ret = 0, rc;

	for (int i = 0; i < FORMATS; i++) {
		if (!o->files[i].out)
			continue;
		rc = write_one(o->files[i].out, i, r);
		if (rc) {
			error__set(err, rc, "cannot write %s: %s", o->files[i].path, strerror(-rc));
			outfile__drop(&o->files[i]);
		} else {
			rc = outfile__commit(&o->files[i], err);
		}
		ret = ret ?: rc;
	}
	return ret;
}

void assert_out__drop(struct assert_out *o)
{
	for (int i = 0; i < FORMATS; i++)
		outfile__drop(&o->files[i]);
}

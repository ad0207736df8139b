// SPDX-License-Identifier: GPL-2.0-only
#include "input.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "klog/logfile.h"
#include "progress.h"
#include "session/forgotten.h"
#include "session/reader.h"
#include "util/text.h"

struct sink {
	input_feed feed;
	void *ctx;
};

static void add_env(struct json_object *about, const struct session_env_entry *e)
{
	char text[512];

	if (!e->text) {
		json_object_object_add(about, e->key, json_object_new_int64(e->number));
		return;
	}
	text__copy(text, sizeof(text), e->text, sizeof(text));
	json_object_object_add(about, e->key, json_object_new_string(text));
}

static int read_session(struct sink *to, const char *dir, struct json_object **about,
			struct error *err)
{
	struct forgotten forgotten = { 0 };
	struct session_reader *r;
	const struct session_info *info;
	struct iot_loss loss;
	const struct iot_event *ev;
	struct progress progress;
	unsigned int n = 0;
	int ret;

	ret = session_reader__open(&r, dir, err);
	if (ret)
		return ret;
	info = session_reader__info(r);
	progress__begin(&progress);
	while ((ret = session_reader__next(r, &ev)) > 0) {
		forgotten__see(&forgotten, ev);
		ret = to->feed(to->ctx, ev);
		if (ret)
			break;
		if (!(++n % PROGRESS_EVERY))
			progress__show(&progress, info->bytes + info->damaged_bytes,
				       info->total_bytes);
	}
	progress__end(&progress);
	if (!ret && forgotten__loss(&forgotten, info, &loss))
		ret = to->feed(to->ctx, &loss.h);
	*about = json_object_new_object();
	for (size_t i = 0; i < info->nr_env; i++)
		add_env(*about, &info->env[i]);
	json_object_object_add(*about, "torn_tail", json_object_new_boolean(info->torn_tail));
	json_object_object_add(*about, "damaged_bytes",
			       json_object_new_uint64(info->damaged_bytes));
	if (ret < 0)
		error__set(err, ret, "cannot read session %s to its end: %s", dir, strerror(-ret));
	session_reader__close(r);
	return ret;
}

static int feed_log(const struct iot_log *ev, void *ctx)
{
	struct sink *to = ctx;

	return to->feed(to->ctx, &ev->h);
}

static int read_klog(struct sink *to, const char *path, struct json_object **about,
		     struct error *err)
{
	bool is_stdin = !strcmp(path, "-");
	struct logfile_info info;
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	int ret;

	if (!in)
		return error__set(err, -errno, "cannot open kernel log %s: %s", path,
				  strerror(errno));
	ret = logfile__read(in, feed_log, to, &info);
	if (ret)
		error__set(err, ret, "cannot read kernel log %s: %s", path, strerror(-ret));
	else if (!info.records)
		ret = error__set(err, -ENODATA,
				 "kernel log %s is empty; give the output of `dmesg` or "
				 "`journalctl -k`",
				 path);
	if (!is_stdin)
		fclose(in);
	*about = json_object_new_object();
	json_object_object_add(*about, "klog", json_object_new_string(path));
	json_object_object_add(*about, "lines", json_object_new_uint64(info.lines));
	json_object_object_add(*about, "lines_without_time",
			       json_object_new_uint64(info.without_time));
	json_object_object_add(*about, "boots", json_object_new_uint64(info.boots));
	return ret;
}

int input__read(const struct input *in, input_feed feed, void *ctx, struct json_object **about,
		struct error *err)
{
	struct sink to = { .feed = feed, .ctx = ctx };

	return in->klog ? read_klog(&to, in->klog, about, err)
			: read_session(&to, in->session, about, err);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "input.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "klog/logfile.h"
#include "progress.h"
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

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* What can't be read, in a sentence; nothing if all of it can. */
static void add_damage(struct json_object *about, const struct session_info *i)
{
	char text[512];
	int n;

	if (!i->damaged_packets && !i->missing_packets && !i->torn_tail)
		return;
	n = snprintf(text, sizeof(text), "The session is damaged:");
	if (i->damaged_packets)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      " %" PRIu64 " place%s of %" PRIu64 " bytes in all can't be read%s",
			      i->damaged_packets, plural(i->damaged_packets), i->damaged_bytes,
			      i->missing_packets || i->torn_tail ? "," : "");
	if (i->missing_packets)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      " %" PRIu64 " packet%s of events %s missing%s", i->missing_packets,
			      plural(i->missing_packets), i->missing_packets == 1 ? "is" : "are",
			      i->torn_tail ? "," : "");
	if (i->torn_tail)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      " %" PRIu64 " byte%s at the end %s torn (%" PRIu64
			      " event%s of them could be read)",
			      i->torn_bytes, plural(i->torn_bytes),
			      i->torn_bytes == 1 ? "is" : "are", i->salvaged_events,
			      plural(i->salvaged_events));
	snprintf(text + n, sizeof(text) - (size_t)n,
		 ". What can't be read is missing from this report, and is told as losses.");
	json_object_object_add(about, "damage", json_object_new_string(text));
}

static int read_session(struct sink *to, const char *dir, struct json_object **about,
			struct error *err)
{
	struct session_reader *r;
	const struct session_info *info;
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
		ret = to->feed(to->ctx, ev);
		if (ret)
			break;
		if (!(++n % PROGRESS_EVERY))
			progress__show(&progress, info->bytes + info->damaged_bytes,
				       info->total_bytes);
	}
	progress__end(&progress);
	*about = json_object_new_object();
	for (size_t i = 0; i < info->nr_env; i++)
		add_env(*about, &info->env[i]);
	json_object_object_add(*about, "torn_tail", json_object_new_boolean(info->torn_tail));
	json_object_object_add(*about, "damaged_bytes",
			       json_object_new_uint64(info->damaged_bytes));
	add_damage(*about, info);
	if (ret < 0)
		error__set(err, ret, "cannot read session %s to its end: %s", dir, strerror(-ret));
	session_reader__close(r);
	return ret;
}

struct log {
	struct sink *to;
	FILE *in;
	uint64_t bytes, records; /* bytes: of the file; 0 = not known */
	struct progress progress;
};

static int feed_log(const struct iot_log *ev, void *ctx)
{
	struct log *l = ctx;

	if (l->bytes && !(++l->records % PROGRESS_EVERY))
		progress__show(&l->progress, (uint64_t)ftello(l->in), l->bytes);
	return l->to->feed(l->to->ctx, &ev->h);
}

/* What its times mean, in a sentence; nothing if they are those since boot, as printk makes them.
 */
static void add_times(struct json_object *about, const struct logfile_info *info)
{
	char text[256];

	if (info->first[0])
		snprintf(text, sizeof(text), "Times count from the log's first line, at %s.%s",
			 info->first,
			 info->whole_seconds ? " It has whole seconds: what came first within one "
					       "isn't known."
					     : "");
	else if (info->without_time == info->records)
		snprintf(text, sizeof(text),
			 "No line has a time that is known, so all of it counts as one moment: "
			 "what came how long after what isn't known. If this is no kernel log, "
			 "give the output of `dmesg` or `journalctl -k`.");
	else if (info->boots > 1)
		snprintf(text, sizeof(text),
			 "The log holds more than one boot: times of each further one begin an "
			 "hour behind the one before.");
	else
		return;
	json_object_object_add(about, "times", json_object_new_string(text));
}

static int read_klog(struct sink *to, const char *path, struct json_object **about,
		     struct error *err)
{
	bool is_stdin = !strcmp(path, "-");
	struct logfile_info info;
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	struct log log = { .to = to, .in = in };
	struct stat st;
	int ret;

	if (!in)
		return error__set(err, -errno, "cannot open kernel log %s: %s", path,
				  strerror(errno));
	if (!fstat(fileno(in), &st) && S_ISREG(st.st_mode))
		log.bytes = (uint64_t)st.st_size;
	progress__begin(&log.progress);
	ret = logfile__read(in, feed_log, &log, &info);
	progress__end(&log.progress);
	if (ret)
		error__set(err, ret, "cannot read kernel log %s: %s%s", path, strerror(-ret),
			   ret == -EISDIR ? "; a session is given without --klog" : "");
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
	add_times(*about, &info);
	return ret;
}

int input__read(const struct input *in, input_feed feed, void *ctx, struct json_object **about,
		struct error *err)
{
	struct sink to = { .feed = feed, .ctx = ctx };

	return in->klog ? read_klog(&to, in->klog, about, err)
			: read_session(&to, in->session, about, err);
}

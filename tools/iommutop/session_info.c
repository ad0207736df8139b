// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "progress.h"
#include "session.h"
#include "session/reader.h"
#include "session/tsdl.h"
#include "util/text.h"

#define DEVICES_MAX 4096 /* named in the output; more are counted only */

struct info_opts {
	bool json;
};

static const struct opt info_table[] = {
	{ OPT_FLAG, 0, "json", NULL, "as JSON", offsetof(struct info_opts, json), 0, 0 },
	{ .kind = OPT_END },
};

/* What reading all of a session shows. */
struct seen {
	uint64_t kinds[256];
	uint64_t lost[IOT_LOST_CAUSES], losses[IOT_LOST_CAUSES];
	uint64_t first, last; /* ns, of what happened */
	bool began, ended;    /* the capture */
	struct iot_device *devices;
	size_t nr_devices, more_devices;
};

static int add_device(struct seen *s, const struct iot_device *dev)
{
	struct iot_device *more;

	for (size_t i = 0; i < s->nr_devices; i++) {
		if (s->devices[i].h.dev == dev->h.dev) {
			memcpy(&s->devices[i], dev, sizeof(*dev));
			return 0;
		}
	}
	if (s->nr_devices == DEVICES_MAX) {
		s->more_devices++;
		return 0;
	}
	if (!(s->nr_devices & (s->nr_devices - 1))) {
		more = realloc(s->devices, (s->nr_devices ? 2 * s->nr_devices : 1) * sizeof(*more));
		if (!more)
			return -1;
		s->devices = more;
	}
	memcpy(&s->devices[s->nr_devices++], dev, sizeof(*dev));
	return 0;
}

static int look(struct seen *s, const struct iot_event *ev)
{
	const void *body = ev;

	s->kinds[ev->id < 256 ? ev->id : 0]++;
	if (ev->id < IOT_EV_DEVICE && !(ev->flags & IOT_F_SNAPSHOT) && ev->id != IOT_EV_LOSS) {
		s->first = s->first ? s->first : ev->ts;
		s->last = ev->ts;
	}
	if (ev->id == IOT_EV_LOSS) {
		const struct iot_loss *loss = body;
		unsigned int cause = loss->cause < IOT_LOST_CAUSES ? loss->cause : 0;

		s->lost[cause] += loss->count;
		s->losses[cause]++;
	} else if (ev->id == IOT_EV_CAPTURE) {
		*(((const struct iot_capture *)body)->what == IOT_CAPTURE_BEGIN ? &s->began
										: &s->ended) = true;
	} else if (ev->id == IOT_EV_DEVICE) {
		return add_device(s, body);
	}
	return 0;
}

static const char *loss_name(unsigned int cause)
{
	const struct tsdl_event *loss = tsdl__event(IOT_EV_LOSS);

	for (unsigned int i = 0; i < loss->nr_fields; i++) {
		const struct tsdl_enum *e = loss->fields[i].labels;

		for (const struct tsdl_label *l = e ? e->labels : NULL; l && l->text; l++)
			if (l->value == cause)
				return l->text;
	}
	return "other";
}

static const char *env_text(const struct session_info *info, const char *key, char text[256])
{
	const struct session_env_entry *e = session_info__env(info, key);

	if (!e || !e->text)
		return NULL;
	text__copy(text, 256, e->text, strlen(e->text));
	return text;
}

/* Of the day, in UTC: sessions come from machines elsewhere. */
static void wall_time(const struct session_info *info, uint64_t ts, char text[64])
{
	time_t sec;
	int64_t real; /* both are whatever the file says */
	struct tm tm;
	bool sane = ts <= INT64_MAX &&
		    !__builtin_add_overflow((int64_t)ts, info->clock.offset_ns, &real) && real >= 0;

	sec = sane ? (time_t)(real / 1000000000) : 0;
	if (!sane || !gmtime_r(&sec, &tm) || !strftime(text, 64, "%Y-%m-%d %H:%M:%S UTC", &tm))
		snprintf(text, 64, "not known");
}

static const char *state_of(const struct session_info *info, const struct seen *s)
{
	if (info->growing)
		return "still being written";
	if (s->ended)
		return "complete";
	return s->began ? "without its end: recording was cut off, or goes on"
			: "without begin and end: recording was cut off, or goes on";
}

static void print_damage(const struct session_info *i)
{
	if (!i->damaged_packets && !i->torn_tail && !i->missing_packets) {
		puts("damage      none");
		return;
	}
	printf("damage      %" PRIu64 " stretches of %" PRIu64 " bytes, %" PRIu64
	       " packets missing, %" PRIu64 " bytes torn at the end (%" PRIu64
	       " events of them read)\n",
	       i->damaged_packets, i->damaged_bytes, i->missing_packets, i->torn_bytes,
	       i->salvaged_events);
}

static void print_devices(const struct seen *s)
{
	char name[48], driver[32], iommu[32];

	for (size_t i = 0; i < s->nr_devices; i++) {
		const struct iot_device *d = &s->devices[i];

		text__copy(name, sizeof(name), d->name, sizeof(d->name));
		text__copy(driver, sizeof(driver), d->driver, sizeof(d->driver));
		text__copy(iommu, sizeof(iommu), d->iommu, sizeof(d->iommu));
		printf("%s%-16s %-14s %-12s group %d", i ? "            " : "devices     ", name,
		       driver[0] ? driver : "-", iommu[0] ? iommu : "-", d->group);
		if (IOT_ORIGIN(d->h.flags))
			printf("  origin %u", IOT_ORIGIN(d->h.flags));
		putchar('\n');
	}
	if (s->more_devices)
		printf("            and %zu more\n", s->more_devices);
}

static void print_text(const struct session_info *info, const struct seen *s)
{
	static const char *const keys[][2] = { { "hostname", "host" },
					       { "kernel_release", "kernel" },
					       { "command_line", "command" },
					       { "command", "command" },
					       { "iommutop_version", "iommutop" } };
	char text[256];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (env_text(info, keys[i][0], text))
			printf("%-11s %s\n", keys[i][1], text);
	printf("state       %s\n", state_of(info, s));
	if (s->first) {
		wall_time(info, s->first, text);
		printf("begin       %s, %.6f s after the boot\n", text, (double)s->first / 1e9);
		wall_time(info, s->last, text);
		printf("end         %s, %.6f s after the boot\n", text, (double)s->last / 1e9);
		printf("duration    %.6f s\n", (double)(s->last - s->first) / 1e9);
	}
	printf("format      version %d%s%s\n", info->format_version,
	       info->compressed ? ", compressed" : "",
	       info->other_byte_order ? ", of the other byte order" : "");
	printf("streams     %u files, %" PRIu64 " bytes, %" PRIu64 " packets\n", info->nr_streams,
	       info->total_bytes, info->packets);
	printf("events      %" PRIu64 "\n", info->events);
	for (unsigned int i = 0; i < 256; i++)
		if (s->kinds[i] && tsdl__event((uint16_t)i))
			printf("            %-12s %" PRIu64 "\n", tsdl__event((uint16_t)i)->name,
			       s->kinds[i]);
	if (info->unknown_events)
		printf("            %-12s %" PRIu64 " (of a newer iommutop)\n", "unknown",
		       info->unknown_events);
	print_devices(s);
	for (unsigned int i = 0, any = 0; i < IOT_LOST_CAUSES; i++)
		if (s->losses[i])
			printf("%s%-12s %" PRIu64 " events in %" PRIu64 " places%s\n",
			       any++ ? "            " : "loss        ", loss_name(i), s->lost[i],
			       s->losses[i],
			       i == IOT_LOST_DAMAGE || i == IOT_LOST_UNHOOKED ? ", at least" : "");
	print_damage(info);
}

static void put(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static struct json_object *json_devices(const struct seen *s)
{
	struct json_object *list = json_object_new_array(), *o;
	char text[48];

	for (size_t i = 0; i < s->nr_devices; i++) {
		const struct iot_device *d = &s->devices[i];

		o = json_object_new_object();
		put(o, "number", d->h.dev);
		put(o, "origin", IOT_ORIGIN(d->h.flags));
		text__copy(text, sizeof(text), d->name, sizeof(d->name));
		json_object_object_add(o, "name", json_object_new_string(text));
		text__copy(text, sizeof(text), d->driver, sizeof(d->driver));
		json_object_object_add(o, "driver", json_object_new_string(text));
		json_object_object_add(o, "group", json_object_new_int(d->group));
		json_object_array_add(list, o);
	}
	return list;
}

static void print_json(const struct session_info *info, const struct seen *s)
{
	struct json_object *o = json_object_new_object(), *env = json_object_new_object(),
			   *kinds = json_object_new_object(), *lost = json_object_new_object();
	char text[256];

	json_object_object_add(o, "schema", json_object_new_int(1));
	for (size_t i = 0; i < info->nr_env; i++) {
		const struct session_env_entry *e = &info->env[i];

		json_object_object_add(
			env, e->key,
			e->text ? json_object_new_string(env_text(info, e->key, text) ?: "")
				: json_object_new_int64(e->number));
	}
	json_object_object_add(o, "env", env);
	json_object_object_add(o, "state", json_object_new_string(state_of(info, s)));
	json_object_object_add(o, "growing", json_object_new_boolean(info->growing));
	json_object_object_add(o, "ended", json_object_new_boolean(s->ended));
	json_object_object_add(o, "clock_offset_ns", json_object_new_int64(info->clock.offset_ns));
	put(o, "begin_ns", s->first);
	put(o, "end_ns", s->last);
	put(o, "streams", info->nr_streams);
	json_object_object_add(o, "compressed", json_object_new_boolean(info->compressed));
	json_object_object_add(o, "other_byte_order",
			       json_object_new_boolean(info->other_byte_order));
	put(o, "bytes", info->total_bytes);
	put(o, "packets", info->packets);
	put(o, "events", info->events);
	for (unsigned int i = 0; i < 256; i++)
		if (s->kinds[i] && tsdl__event((uint16_t)i))
			put(kinds, tsdl__event((uint16_t)i)->name, s->kinds[i]);
	json_object_object_add(o, "kinds", kinds);
	put(o, "unknown_events", info->unknown_events);
	json_object_object_add(o, "devices", json_devices(s));
	for (unsigned int i = 0; i < IOT_LOST_CAUSES; i++)
		if (s->losses[i])
			put(lost, loss_name(i), s->lost[i]);
	json_object_object_add(o, "lost", lost);
	put(o, "discarded_events", info->discarded_events);
	put(o, "missing_packets", info->missing_packets);
	put(o, "damaged_stretches", info->damaged_packets);
	put(o, "damaged_bytes", info->damaged_bytes);
	put(o, "torn_bytes", info->torn_bytes);
	put(o, "salvaged_events", info->salvaged_events);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int info_run(const void *values, int rest_nr, char **rest)
{
	const struct info_opts *o = values;
	const struct session_info *info;
	const struct iot_event *ev;
	struct session_reader *r;
	struct progress progress;
	struct error err = { "" };
	unsigned int n = 0;
	struct seen *s;
	int rc;

	if (rest_nr != 1) {
		cmd__complain("session info", "needs the session's directory");
		return EXIT_USAGE;
	}
	if (session_reader__open(&r, rest[0], &err)) {
		cmd__complain("session info", "%s", err.text);
		return EXIT_FAILED;
	}
	info = session_reader__info(r);
	s = calloc(1, sizeof(*s));
	rc = s ? 0 : -1;
	progress__begin(&progress);
	while (!rc && (rc = session_reader__next(r, &ev)) > 0) {
		rc = look(s, ev);
		if (!(++n % PROGRESS_EVERY))
			progress__show(&progress, info->bytes + info->damaged_bytes,
				       info->total_bytes);
	}
	progress__end(&progress);
	if (rc)
		cmd__complain("session info", "cannot read %s to its end: %s", rest[0],
			      rc == -1 ? "out of memory" : strerror(-rc));
	else if (o->json)
		print_json(info, s);
	else
		print_text(info, s);
	session_reader__close(r);
	free(s ? s->devices : NULL);
	free(s);
	return rc ? EXIT_FAILED : EXIT_OK;
}

const struct cmd cmd_session_info = {
	.name = "session info",
	.args = "DIR",
	.summary = "say what is in a session: host, times, events by kind, devices, loss, damage",
	.notes = "Exit status: 0 = it could be read, whatever its state; 1 = not; 2 = usage.",
	.opts = info_table,
	.values_size = sizeof(struct info_opts),
	.options_anywhere = true,
	.run = info_run,
};

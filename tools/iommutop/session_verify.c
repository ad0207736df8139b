// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>

#include "session.h"
#include "session/check.h"

struct verify_opts {
	bool json;
};

static const struct opt verify_table[] = {
	{ OPT_FLAG, 0, "json", NULL, "as JSON", offsetof(struct verify_opts, json), 0, 0 },
	{ .kind = OPT_END },
};

struct findings {
	uint64_t damaged;
	struct json_object *list; /* NULL: print */
};

static const char *kind_name(enum check_kind kind)
{
	static const char *const names[] = {
		[CHECK_DAMAGE] = "damage",          [CHECK_TORN] = "torn_tail",
		[CHECK_GAP] = "missing_packets",    [CHECK_EVENT] = "wrong_event",
		[CHECK_COUNT] = "wrong_count",      [CHECK_TIMES] = "wrong_times",
		[CHECK_UNKNOWN] = "unknown_events", [CHECK_DISCARD] = "discarded_events",
		[CHECK_UNREADABLE] = "unreadable",
	};

	return names[kind];
}

static void add(struct findings *all, const struct check_finding *f, const char *path)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "kind", json_object_new_string(kind_name(f->kind)));
	json_object_object_add(o, "damage", json_object_new_boolean(check__is_damage(f)));
	json_object_object_add(o, "file", json_object_new_string(path));
	json_object_object_add(o, "offset", json_object_new_uint64(f->at));
	json_object_object_add(o, "bytes", json_object_new_uint64(f->bytes));
	json_object_object_add(o, "number", json_object_new_uint64(f->value));
	json_object_object_add(o, "salvageable_events", json_object_new_int64(f->salvaged));
	json_object_object_add(o, "why", json_object_new_string(f->why));
	json_object_array_add(all->list, o);
}

static void report(void *ctx, const struct check_finding *f)
{
	struct findings *all = ctx;
	char path[300];

	session_file__path(f->file, path, sizeof(path));
	all->damaged += (uint64_t)check__is_damage(f);
	if (all->list) {
		add(all, f, path);
		return;
	}
	printf("%s: offset %" PRIu64, path, f->at);
	if (f->bytes)
		printf(", %" PRIu64 " bytes", f->bytes);
	printf(": %s", f->why);
	if (f->value && f->kind != CHECK_UNREADABLE)
		printf(" (%" PRIu64 ")", f->value);
	if (f->salvaged)
		printf("; %" PRIu32 " events of it can be read", f->salvaged);
	puts(check__is_damage(f) ? "" : " (no damage)");
}

static void print_json(struct findings *all, const struct check_total *total)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "schema", json_object_new_int(1));
	json_object_object_add(o, "packets", json_object_new_uint64(total->packets));
	json_object_object_add(o, "events", json_object_new_uint64(total->events));
	json_object_object_add(o, "bytes", json_object_new_uint64(total->bytes));
	json_object_object_add(o, "damaged", json_object_new_boolean(all->damaged > 0));
	json_object_object_add(o, "findings", all->list);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static int verify_run(const void *values, int rest_nr, char **rest)
{
	const struct verify_opts *o = values;
	struct findings all = { 0 };
	struct check_total total;
	struct session_dir d;
	struct error err = { "" };
	int rc;

	if (rest_nr != 1) {
		cmd__complain("session verify", "needs the session's directory");
		return EXIT_USAGE;
	}
	rc = session_dir__open(&d, rest[0], &err);
	if (o->json)
		all.list = json_object_new_array();
	if (!rc)
		rc = check__session(&d, report, &all, &total, &err);
	session_dir__close(&d);
	if (rc) {
		cmd__complain("session verify", "%s", err.text);
		json_object_put(all.list);
		return EXIT_FAILED;
	}
	if (o->json)
		print_json(&all, &total);
	else if (all.damaged)
		printf("damaged in %" PRIu64 " place%s; whole: %" PRIu64 " packets, %" PRIu64
		       " events. `iommutop session repair` makes a whole session of that.\n",
		       all.damaged, all.damaged == 1 ? "" : "s", total.packets, total.events);
	else
		printf("whole: %" PRIu64 " packets, %" PRIu64 " events, %" PRIu64 " bytes\n",
		       total.packets, total.events, total.bytes);
	return all.damaged ? EXIT_FAILED : EXIT_OK;
}

const struct cmd cmd_session_verify = {
	.name = "session verify",
	.args = "DIR",
	.summary = "check every byte of a session: checksums, order, sequence, shape of events",
	.notes = "Exit status: 0 = whole; 1 = damaged, or it could not be read; 2 = usage.",
	.opts = verify_table,
	.values_size = sizeof(struct verify_opts),
	.options_anywhere = true,
	.run = verify_run,
};

// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "filter/scope_time.h"
#include "progress.h"
#include "scope_opts.h"
#include "session.h"
#include "session/emit.h"
#include "session/format.h"
#include "session/reader.h"
#include "session/tsdl.h"
#include "util/text.h"

struct cat_opts {
	const char *output, *time;
	struct opt_strings kinds;
	struct scope_values devices; /* these alone: events of no device are printed, too */
	struct scope_values scope;   /* without devices and time, which mean less here */
};

static const struct opt cat_table[] = {
	{ OPT_STRING, 'o', "output", "DIR",
	  "write a new, plain session instead of text; the original stays as it is",
	  offsetof(struct cat_opts, output), 0, 0 },
	{ OPT_STRING, 0, "time", "A,B",
	  "only from A to B, in seconds as they are printed; either may be left out",
	  offsetof(struct cat_opts, time), 0, 0 },
	{ OPT_STRINGS, 0, "kind", "NAME", "only events of this kind (again for more)",
	  offsetof(struct cat_opts, kinds), 0, 0 },
	{ OPT_STRINGS, 0, "dev", "NAME",
	  "only events of this device (again for more), and those of no device",
	  offsetof(struct cat_opts, devices.devices), 0, 0 },
	SCOPE_ROW(OPT_STRINGS, "domain", "N", "only events of this domain; again: or of this",
		  offsetof(struct cat_opts, scope.domains)),
	SCOPE_ROW(OPT_STRINGS, "group", "N", "only events of this IOMMU group; again: or of this",
		  offsetof(struct cat_opts, scope.groups)),
	SCOPE_ROW(OPT_STRING, "filter", "EXPR",
		  "only those for which it holds: 'id==unmap && size>=64K'; 'help' lists the "
		  "fields",
		  offsetof(struct cat_opts, scope.filter)),
	{ .kind = OPT_END },
};

struct name {
	uint32_t dev;
	char text[64];
};

struct cat {
	const struct cat_opts *opts;
	struct scope *devices, *scope; /* NULL = everything */
	uint64_t from, to;             /* ns, both included */
	bool kinds[256], all_kinds;
	struct name *names;
	size_t nr_names;
	struct session_emitter *out;
	uint64_t first, last, before, after, left_out; /* events not copied */
	bool told_before;
};

/* As the other commands read it, but for what it counts from: times here are those printed. */
static int parse_time(struct cat *c, const char *text)
{
	struct scope_time from, to;
	struct error err;

	if (scope_time__parse(text, &from, &to, &err))
		return -EINVAL;
	c->from = from.given ? from.ns : 0;
	c->to = to.given ? to.ns : UINT64_MAX;
	return c->from <= c->to ? 0 : -EINVAL;
}

static int parse_kinds(struct cat *c)
{
	const struct tsdl_event *e;

	c->all_kinds = !c->opts->kinds.nr;
	for (size_t i = 0; i < c->opts->kinds.nr; i++) {
		for (e = tsdl__next(NULL); e; e = tsdl__next(e))
			if (!strcmp(e->name, c->opts->kinds.items[i]))
				break;
		if (!e) {
			cmd__complain("session cat",
				      "--kind %s is no kind of event; `iommutop session info` "
				      "names those of a session",
				      c->opts->kinds.items[i]);
			return EXIT_USAGE;
		}
		c->kinds[e->id] = true;
	}
	return 0;
}

static const char *name_of(const struct cat *c, uint32_t dev)
{
	for (size_t i = c->nr_names; dev && i-- > 0;)
		if (c->names[i].dev == dev)
			return c->names[i].text;
	return NULL;
}

static int learn_name(struct cat *c, const struct iot_device *dev)
{
	struct name *more, *n;
	size_t len;

	if (!(c->nr_names & (c->nr_names - 1))) {
		more = realloc(c->names, (c->nr_names ? 2 * c->nr_names : 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		c->names = more;
	}
	n = &c->names[c->nr_names++];
	n->dev = dev->h.dev;
	len = text__copy(n->text, sizeof(n->text), dev->name, sizeof(dev->name));
	if (IOT_ORIGIN(dev->h.flags))
		snprintf(n->text + len, sizeof(n->text) - len, "@%u", IOT_ORIGIN(dev->h.flags));
	return 0;
}

/* What is missing is never left out. in_scope holds for every side table; here only those are meant
 * that --kind names. */
static bool is_asked_for(const struct cat *c, const struct iot_event *ev, bool in_scope)
{
	if (ev->id == IOT_EV_LOSS)
		return true;
	if (!c->all_kinds && !(ev->id < 256 && c->kinds[ev->id]))
		return false;
	return in_scope && !(c->scope && c->all_kinds && ev->id >= IOT_EV_DEVICE);
}

/* Of the device asked for, or of none. */
static bool is_of_device(struct cat *c, const struct iot_event *ev)
{
	struct iot_event bare = *ev;

	scope__event(c->devices, ev);
	if (!ev->dev)
		return true;
	/* in a scope are the side tables of all devices; here they are of one like other events */
	bare.id = IOT_EV_LOG;
	return scope__has(c->devices, &bare);
}

/* In a new session also whatever the rest can't be understood without. */
static bool is_needed(const struct iot_event *ev)
{
	return ev->id >= IOT_EV_DEVICE || ev->id == IOT_EV_LOSS || ev->id == IOT_EV_DOMAIN ||
	       ev->id == IOT_EV_ATTACH || ev->id == IOT_EV_DETACH || ev->id == IOT_EV_CAPTURE ||
	       ev->id == IOT_EV_COVERAGE;
}

/* To whoever reads the copy, what was not asked for is missing, too. */
static int tell(struct cat *c, uint64_t ts, uint64_t begin, uint64_t end, uint64_t count)
{
	struct iot_loss loss = {
		.h = { .ts = ts, .id = IOT_EV_LOSS, .len = sizeof(loss), .cpu = 0xffff },
		.begin = begin,
		.end = end,
		.count = count,
		.cause = IOT_LOST_OVERWRITTEN,
		.what = "not copied by session cat",
	};

	return count ? session_emitter__event(c->out, &loss.h) : 0;
}

static int copy_event(struct cat *c, const struct iot_event *ev, bool in_scope)
{
	uint64_t *missing = ev->ts < c->from ? &c->before : ev->ts > c->to ? &c->after : NULL;
	int rc = 0;

	if (ev->id < IOT_EV_DEVICE && !c->first)
		c->first = ev->ts;
	c->last = ev->ts;
	if (!missing && !c->told_before) {
		rc = tell(c, c->from, c->first, c->from, c->before);
		c->told_before = true;
	}
	if (!rc && (is_needed(ev) || (!missing && is_asked_for(c, ev, in_scope))))
		return session_emitter__event(c->out, ev);
	if (!missing)
		missing = &c->left_out;
	++*missing;
	return rc;
}

static int finish_copy(struct cat *c)
{
	int rc = 0;

	if (!c->told_before)
		rc = tell(c, c->last, c->first, c->last, c->before);
	if (!rc)
		rc = tell(c, c->last, c->to, c->last, c->after);
	if (!rc)
		rc = tell(c, c->last, c->from > c->first ? c->from : c->first,
			  c->to < c->last ? c->to : c->last, c->left_out);
	return rc;
}

static int print_event(struct cat *c, const struct iot_event *ev, bool in_scope)
{
	if (ev->ts < c->from || ev->ts > c->to || !is_asked_for(c, ev, in_scope))
		return 0;
	format__event(stdout, ev, name_of(c, ev->dev));
	putchar('\n');
	return ferror(stdout) ? -(errno ? errno : EIO) : 0;
}

static int open_copy(struct cat *c, const struct session_info *info, struct error *err)
{
	const struct tsdl_trace trace = { .clock = info->clock,
					  .env = info->env,
					  .nr_env = info->nr_env };

	return session_emitter__open(&c->out, c->opts->output, &trace, err);
}

static int cat_all(struct cat *c, const char *dir, struct error *err)
{
	const struct session_info *info;
	const struct iot_event *ev;
	struct session_reader *r;
	struct progress progress;
	bool in_scope, of_device;
	unsigned int n = 0;
	int rc;

	rc = session_reader__open(&r, dir, err);
	if (rc)
		return rc;
	info = session_reader__info(r);
	progress__begin(&progress);
	if (c->opts->output)
		rc = open_copy(c, info, err);
	while (!rc && (rc = session_reader__next(r, &ev)) > 0) {
		rc = ev->id == IOT_EV_DEVICE ? learn_name(c, (const struct iot_device *)ev) : 0;
		of_device = is_of_device(c, ev); /* both learn from every event */
		in_scope = scope__event(c->scope, ev) && of_device;
		if (!rc)
			rc = scope__error(c->scope) ?: scope__error(c->devices);
		if (!(++n % PROGRESS_EVERY))
			progress__show(&progress, info->bytes + info->damaged_bytes,
				       info->total_bytes);
		if (!rc)
			rc = c->out ? copy_event(c, ev, in_scope) : print_event(c, ev, in_scope);
	}
	progress__end(&progress);
	if (c->out && !rc)
		rc = finish_copy(c);
	if (c->out)
		rc = session_emitter__close(c->out, err) ?: rc;
	session_reader__close(r);
	if (!rc && !c->opts->output && fflush(stdout))
		rc = -errno;
	if (rc)
		error__set(err, rc, "cannot %s %s: %s", c->opts->output ? "copy" : "print", dir,
			   strerror(-rc));
	return rc;
}

static int cat_run(const void *values, int rest_nr, char **rest)
{
	struct cat c = { .opts = values, .to = UINT64_MAX };
	struct error err = { "" };
	int rc;

	if (scope_opts__help(&c.opts->scope))
		return EXIT_OK;

	if (rest_nr != 1) {
		cmd__complain("session cat", "needs the session's directory");
		return EXIT_USAGE;
	}
	if (c.opts->time && parse_time(&c, c.opts->time)) {
		cmd__complain("session cat", "--time takes A,B (like 12.5,13), not '%s'",
			      c.opts->time);
		return EXIT_USAGE;
	}
	rc = parse_kinds(&c);
	if (!rc)
		rc = scope_opts__make(&c.scope, &c.opts->scope, true, "session cat");
	if (!rc)
		rc = scope_opts__make(&c.devices, &c.opts->devices, true, "session cat");
	if (rc)
		goto out;
	rc = cat_all(&c, rest[0], &err);
	if (rc == -EPIPE && !c.opts->output) {
		clearerr(stdout); /* whoever read it has seen enough */
		rc = 0;
	} else if (rc) {
		cmd__complain("session cat", "%s", err.text);
		rc = EXIT_FAILED;
	} else {
		scope_opts__warn(c.devices, "session cat", rest[0]);
		scope_opts__warn(c.scope, "session cat", rest[0]);
	}
out:
	scope__free(c.devices);
	scope__free(c.scope);
	free(c.names);
	return rc;
}

const struct cmd cmd_session_cat = {
	.name = "session cat",
	.args = "DIR",
	.summary = "print the events of a session, or copy them to a new one",
	.notes = "Events of the kind loss are always printed: they say what is missing.\n"
		 "Exit status: 0 = done; 1 = it could not be read or written; 2 = usage.",
	.opts = cat_table,
	.values_size = sizeof(struct cat_opts),
	.options_anywhere = true,
	.run = cat_run,
};

// SPDX-License-Identifier: GPL-2.0-only
#include "scope_opts.h"

#include <errno.h>
#include <string.h>

#include "filter/fields.h"

bool scope_opts__help(const struct scope_values *v)
{
	if (!v->filter || strcmp(v->filter, "help"))
		return false;
	fields__help(stdout);
	return true;
}

int scope_opts__make(struct scope **out, const struct scope_values *v, bool klog, const char *cmd)
{
	const struct scope_opts opts = {
		.devices = v->devices.items,
		.nr_devices = v->devices.nr,
		.domains = v->domains.items,
		.nr_domains = v->domains.nr,
		.groups = v->groups.items,
		.nr_groups = v->groups.nr,
		.time = v->time,
		.filter = v->filter,
		.stamps = klog,
	};
	struct error err = { "" };
	int ret = scope__new(out, &opts, &err);

	if (ret)
		cmd__complain(cmd, "%s", err.text);
	return !ret ? 0 : ret == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

void scope_opts__warn(struct scope *s, const char *cmd, const char *source)
{
	const char *unseen = scope__unseen(s);

	if (unseen)
		cmd__complain(cmd,
			      "%s is not in %s; `iommutop analyze` without --dev, --domain and "
			      "--group lists all there are",
			      unseen, source);
}

static void put_each(FILE *out, const char *option, const struct opt_strings *values)
{
	for (size_t i = 0; i < values->nr; i++)
		fprintf(out, "%s--%s %s", ftell(out) ? " " : "", option, values->items[i]);
}

static void put_one(FILE *out, const char *option, const char *value)
{
	put_each(out, option, &(struct opt_strings){ &value, value ? 1 : 0 });
}

int scope_opts__text(char **out, const struct scope_values *v)
{
	size_t size;
	FILE *text;

	*out = NULL;
	if (!v->devices.nr && !v->domains.nr && !v->groups.nr && !v->time && !v->filter)
		return 0;
	text = open_memstream(out, &size);
	if (!text)
		return -ENOMEM;
	put_each(text, "dev", &v->devices);
	put_each(text, "domain", &v->domains);
	put_each(text, "group", &v->groups);
	put_one(text, "time", v->time);
	put_one(text, "filter", v->filter);
	return fclose(text) ? -ENOMEM : 0;
}

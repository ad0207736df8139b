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

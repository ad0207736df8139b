// SPDX-License-Identifier: GPL-2.0-only
#include "filter/scope_time.h"

#include <errno.h>
#include <string.h>

#include "util/parse.h"

static int parse_one_time(const char *text, bool second, struct scope_time *out)
{
	uint64_t ns;

	*out = (struct scope_time){ .given = *text };
	if (!*text)
		return 0;
	if (*text == '@') {
		out->absolute = true;
		text++;
	} else if (*text == '+' && second) {
		out->relative_to_from = true;
		text++;
	}
	if (parse__duration(text, &ns))
		return -EINVAL;
	out->ns = ns;
	return 0;
}

int scope_time__parse(const char *text, struct scope_time *from, struct scope_time *to,
		      struct error *err)
{
	const char *comma = strchr(text, ',');
	char first[64];

	if (!comma || (size_t)(comma - text) >= sizeof(first))
		goto bad;
	memcpy(first, text, (size_t)(comma - text));
	first[comma - text] = '\0';
	if (parse_one_time(first, false, from) || parse_one_time(comma + 1, true, to))
		goto bad;
	if (to->relative_to_from) {
		if (!from->given || __builtin_add_overflow(from->ns, to->ns, &to->ns))
			goto bad;
		to->absolute = from->absolute;
	}
	if (from->given && to->given && from->absolute == to->absolute && from->ns > to->ns)
		return error__set(err, -EINVAL, "--time %s: it ends before it begins", text);
	return 0;
bad:
	return error__set(err, -EINVAL,
			  "--time takes FROM,TO, not '%s': seconds since the begin (2.5,3), with a "
			  "unit (200ms,2s), as in the kernel log (@5959.3,@5960) or after FROM "
			  "(2,+500ms); either may be left out",
			  text);
}

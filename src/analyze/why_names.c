// SPDX-License-Identifier: GPL-2.0-only
/* Words for what why__decide() says. */
#include "analyze/why.h"

#include "util/text.h"

const char *why__chooser_name(enum why_chooser chooser)
{
	static const char *const names[] = {
		[WHY_BY_KCONFIG] = "Kconfig",   [WHY_BY_CMDLINE] = "command line",
		[WHY_BY_MACHINE] = "machine",   [WHY_BY_UNTRUSTED] = "untrusted",
		[WHY_BY_DRIVER] = "driver",     [WHY_BY_CAPABILITY] = "capability",
		[WHY_BY_QUEUE] = "flush queue", [WHY_BY_SYSFS] = "sysfs",
		[WHY_BY_OWNER] = "owner",
	};

	return names[chooser];
}

const char *why__chooser_id(enum why_chooser chooser)
{
	static const char *const ids[] = {
		[WHY_BY_KCONFIG] = "kconfig",   [WHY_BY_CMDLINE] = "command_line",
		[WHY_BY_MACHINE] = "machine",   [WHY_BY_UNTRUSTED] = "untrusted",
		[WHY_BY_DRIVER] = "driver",     [WHY_BY_CAPABILITY] = "capability",
		[WHY_BY_QUEUE] = "flush_queue", [WHY_BY_SYSFS] = "sysfs",
		[WHY_BY_OWNER] = "owner",
	};

	return ids[chooser];
}

const char *why__type_name(int type)
{
	switch (type) {
	case IOT_TYPE_BLOCKED:
		return "blocked";
	case IOT_TYPE_UNMANAGED:
		return "unmanaged";
	case IOT_TYPE_DMA:
		return "DMA";
	case IOT_TYPE_IDENTITY:
		return "identity";
	case IOT_TYPE_DMA_FQ:
		return "DMA-FQ";
	case IOT_TYPE_SVA:
		return "SVA";
	case IOT_TYPE_PLATFORM:
		return "platform";
	case IOT_TYPE_NESTED:
		return "nested";
	}
	return type < 0 ? "-" : "other";
}

const char *why__sure_name(enum why_sure sure)
{
	static const char *const names[] = { "certain", "inferred", "not known" };

	return names[sure];
}

void why__deciders(const struct why *why, char *out, size_t size)
{
	out[0] = 0;
	for (int i = 0; i < WHY_CHOOSERS; i++)
		if (why->steps[i].decided)
			text__append(out, size, "%s%s", out[0] ? " or " : "",
				     why__chooser_name((enum why_chooser)i));
	if (!out[0])
		text__append(out, size, "not known");
}

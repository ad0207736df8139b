// SPDX-License-Identifier: GPL-2.0-only
#include "model/skipped.h"

#include <string.h>

__u32 skipped__of(const char *what)
{
	static const struct {
		const char *begins;
		__u32 told;
	} programs[] = {
		{ "map", SKIPPED_MAPS },
		{ "unmap", SKIPPED_MAPS },
		{ "control", SKIPPED_MAPS },
		/* these tell how long an allocation took, not that it was made */
		{ "iova-begin", 0 },
		{ "iova-slow", 0 },
		{ "iova", SKIPPED_IOVAS },
		/* the ends of teardowns are told by one of those that see flushes */
		{ "flush", SKIPPED_FLUSHES | SKIPPED_TEARDOWNS },
		{ "teardown", SKIPPED_TEARDOWNS },
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (!strncmp(what, programs[i].begins, strlen(programs[i].begins)))
			return programs[i].told;
	return *what ? SKIPPED_RARE : SKIPPED_HOT;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Bytes as a filter expression, matched against an event of each kind, and as a time range. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "filter/filter.h"
#include "filter/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	union {
		struct iot_event h;
		uint8_t bytes[IOT_EVENT_MAX];
	} ev;
	struct scope_time from, to;
	struct error err = { "" };
	struct filter *f;
	char *text = malloc(bytes + 1);

	if (!text)
		return 0;
	memcpy(text, data, bytes);
	text[bytes] = '\0';
	scope__parse_time(text, &from, &to, &err);
	if (!filter__new(&f, text, &err)) {
		memset(&ev, 0xa5, sizeof(ev));
		for (__u16 id = 0; id < 200; id++) {
			ev.h.id = id;
			ev.h.len = IOT_EVENT_MAX;
			ev.h.dev = id % 8;
			if (!filter__device(f, ev.h.dev, "0000:03:00.0"))
				filter__match(f, &ev.h);
		}
		filter__free(f);
	}
	free(text);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "collect/aer.h"

#include <stdio.h>
#include <string.h>

#include "util/text.h"

/* Bits of the two status registers: PCI Express Base Specification 5.0, 7.8.4.2 and 7.8.4.5. */
static const char *const corrected[32] = {
	[0] = "Receiver Error", [6] = "Bad TLP",   [7] = "Bad DLLP",  [8] = "Replay Rollover",
	[12] = "Replay Timer",  [13] = "Advisory", [14] = "Internal", [15] = "Header Log Overflow",
};
static const char *const uncorrected[32] = {
	[4] = "Data Link",
	[5] = "Surprise Down",
	[12] = "Poisoned TLP",
	[13] = "Flow Control",
	[14] = "Completion Timeout",
	[15] = "Completer Abort",
	[16] = "Unexpected Completion",
	[17] = "Receiver Overflow",
	[18] = "Malformed TLP",
	[19] = "ECRC",
	[20] = "Unsupported Request",
	[21] = "ACS Violation",
	[22] = "Internal",
	[23] = "MC Blocked TLP",
	[24] = "AtomicOp Blocked",
	[25] = "TLP Prefix Blocked",
	[26] = "Poisoned Blocked",
};

void aer__event(const struct iot_raw_aer *raw, __u32 dev, struct iot_trouble *out)
{
	const char *const *names = raw->severity == IOT_AER_CORRECTED ? corrected : uncorrected;
	char text[160], first[24] = "no error bit";
	unsigned int bits = 0;

	for (unsigned int i = 0; i < 32; i++) {
		if (!(raw->status >> i & 1) || bits++)
			continue;
		if (names[i])
			snprintf(first, sizeof(first), "%s", names[i]);
		else
			snprintf(first, sizeof(first), "bit %u", i);
	}
	memset(out, 0, sizeof(*out));
	out->h = raw->h;
	out->h.id = IOT_EV_ERROR;
	out->h.len = sizeof(*out);
	out->h.dev = dev;
	out->queue = -1;
	out->source = IOT_SRC_TRACEPOINT;
	out->kind = IOT_ERROR_AER;
	snprintf(text, sizeof(text), "AER %s%s%.40s: %s%s",
		 raw->severity == IOT_AER_CORRECTED  ? "corrected"
		 : raw->severity == IOT_AER_NONFATAL ? "non-fatal"
						     : "fatal",
		 dev ? "" : " ", dev ? "" : raw->name, first, bits > 1 ? " +" : "");
	text__copy(out->what, sizeof(out->what), text, strlen(text));
}

// SPDX-License-Identifier: GPL-2.0-only
#include "analyze/signals.h"

#include <string.h>

#define S 1000000000ULL

/*
 * The driver's own time-out plus the period of its check: net_device.watchdog_timeo is 5 s and NIC
 * drivers look every 2 s; nvme_core.io_timeout is 30 s, of the admin queue 60 s; scsi 30 s, drm 10
 * s, hung tasks 120 s.
 */
static const struct signal_kind kinds[] = {
	{ "nvme timeout, completion polled", 65 * S, true, false },
	{ "nvme", 65 * S, false, false },
	{ "Detected", 12 * S, false, false },
	{ "NETDEV WATCHDOG", 15 * S, false, false },
	{ "net_dev_xmit_timeout", 15 * S, false, false },
	{ "scsi", 65 * S, false, false },
	{ "drm", 15 * S, false, false },
	{ "hung task", 125 * S, false, false },
	{ "refdma", 10 * S, false, true },
	{ "", 15 * S, false, false },
};

const struct signal_kind *signals__find(const char *what)
{
	const struct signal_kind *k = kinds;

	while (strncmp(what, k->prefix, strlen(k->prefix)))
		k++;
	return k;
}

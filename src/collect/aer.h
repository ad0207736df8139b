/* SPDX-License-Identifier: GPL-2.0-only */
/* PCI Express Advanced Error Reporting, in words. */
#ifndef IOMMUTOP_COLLECT_AER_H
#define IOMMUTOP_COLLECT_AER_H

#include "event.h"
#include "shared.h"

/*
 * The event that is delivered for what the tracepoint said. dev: number of the device that raw
 * names, 0 = it has none; then the name is in the text.
 */
void aer__event(const struct iot_raw_aer *raw, __u32 dev, struct iot_trouble *out);

#endif

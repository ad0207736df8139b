/* SPDX-License-Identifier: GPL-2.0-only */
/* One event as one line of text, from the table of tsdl.c. */
#ifndef IOMMUTOP_SESSION_FORMAT_H
#define IOMMUTOP_SESSION_FORMAT_H

#include <stdio.h>

#include "event.h"

/*
 * "12.345678901 map cpu=1 tid=77 domain=2 dev=0000:00:03.0 iova=0x1000 …", no newline. Fields of
 * the head that are 0 are left out, paddings always. dev_name: what to call h.dev, NULL = its
 * number. Texts are made fit for a terminal. Errors of out are out's: ferror().
 */
void format__event(FILE *out, const struct iot_event *ev, const char *dev_name);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets of a machine of the other byte order, turned in place. The table of tsdl.c says what is
 * an integer of how many bytes. */
#ifndef IOMMUTOP_SESSION_SWAP_H
#define IOMMUTOP_SESSION_SWAP_H

#include <stddef.h>

#include "session/packet.h"

void swap__head(struct packet_head *h);

/*
 * Events one behind the other, 8-byte aligned. Stops behind the header of one whose length is
 * impossible or which isn't there as a whole: record__check() refuses it.
 */
void swap__events(void *events, size_t bytes);

#endif

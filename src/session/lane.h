/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a session is written in: three lanes, each a stream file of its own, so that a storm of maps
 * can't push out a fault, nor either of them what their numbers mean.
 */
#ifndef IOMMUTOP_SESSION_LANE_H
#define IOMMUTOP_SESSION_LANE_H

#include "event.h"
#include "session/packet.h"

enum lane {
	LANE_EVENTS, /* ids below IOT_EV_FAULT */
	LANE_RARE,   /* the rest of class 0 */
	LANE_TABLES, /* class 1 */
	LANES,
};

static inline enum lane lane__of(unsigned int id)
{
	return id < IOT_EV_FAULT ? LANE_EVENTS : id < IOT_EV_DEVICE ? LANE_RARE : LANE_TABLES;
}

static inline unsigned int lane__class(enum lane lane)
{
	return lane == LANE_TABLES ? PACKET_CLASS_TABLES : PACKET_CLASS_EVENTS;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Which tracks a Perfetto export has, and where on them a slice has room. For perfetto.c. */
#ifndef IOMMUTOP_EXPORT_PERFETTO_TRACKS_H
#define IOMMUTOP_EXPORT_PERFETTO_TRACKS_H

#include "export/internal.h"
#include "export/perfetto.h"

/* Kinds of tracks: part of their uuid. */
enum {
	TRACK_DOMAIN = 1,
	TRACK_FLUSHES,
	TRACK_WINDOWS,
	TRACK_BYTES,
	TRACK_RATE,
	TRACK_DEVICE,
	TRACK_RESETS,
	TRACK_LOSS,
	TRACK_LOG,
	TRACK_CAPTURE,
};

/* Slices that overlap can't share a track: each lane is one, with the same name and parent. */
struct lanes {
	uint64_t *ends;
	uint32_t nr;
};

struct domain_tracks {
	struct lanes flushes, windows;
	uint64_t bytes;               /* as last written */
	uint64_t next_bytes;          /* ns: not written again before */
	uint64_t late_ts, late_bytes; /* the change since; late_ts 0 = none */
	uint64_t rate_slot, maps;     /* in which RATE_NS, and how many in it */
	bool rate_open;
};

struct device_tracks {
	struct lanes resets;
};

struct perfetto {
	struct perfetto_packet packet;
	struct idtab domains, devices; /* by number + 1: 0, not known, is one too */
	struct lanes losses;
	bool begun, log_told, capture_told;
	uint64_t last_ts; /* of the last event shown */
	/* what the flush at hand covers */
	uint64_t lazy, strict, oldest;
};

uint64_t tracks__uuid(unsigned int kind, uint32_t nr, uint32_t lane);
void tracks__tell(struct exporter *x, uint64_t id, uint64_t parent, const char *name, int unit);
/* A stranger's session may name any number of them: one that the model would have no room for (max)
 * is 0, "not known". */
uint32_t tracks__bounded(const struct idtab *t, uint32_t nr, uint32_t max);
/* Told when they are asked for first. NULL: no memory. */
struct domain_tracks *tracks__domain(struct exporter *x, uint32_t nr);
struct device_tracks *tracks__device(struct exporter *x, uint32_t nr);
/*
 * Begins the packet of a slice; *track is for its end. One that has no begin, or no room, becomes
 * an instant with its begin as an argument, and *track 0. first: the first lane's track.
 */
void tracks__open_slice(struct exporter *x, struct lanes *l, const struct perfetto_track *first,
			uint64_t begin, uint64_t end, enum perfetto_name name, uint64_t *track);
void tracks__close_slice(struct exporter *x, uint64_t end, uint64_t track);
void tracks__free(struct exporter *x);

#endif

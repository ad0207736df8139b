/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two template programs on entry and exit of one function: by fentry and fexit, or, where the
 * function has no BTF (a module built without), by kprobe and kretprobe at about three times the
 * cost. An object of templates has the programs for one function of each kind. Opening and loading
 * one costs far more than its programs do, so as many pairs as possible share one.
 */
#ifndef IOMMUTOP_COLLECT_PAIR_H
#define IOMMUTOP_COLLECT_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared.h"

struct bpf_link;
struct bpf_object;
struct bpf_program;
struct targets;
struct template;
struct types;

enum pair_kind {
	PAIR_FLUSH_ALL,
	PAIR_SYNC,
	PAIR_SYNC_MAP,
	PAIR_FREE, /* of the domain */
	PAIR_INVALIDATE,
	PAIR_TABLE_ALLOC,
	PAIR_TABLE_FREE,
	PAIR_SUBMIT,
	PAIR_KINDS,
};

struct pair {
	/* what is asked for */
	enum pair_kind kind;
	bool kprobe;
	uint32_t flush_fn;        /* of flushes: index of the attribute flush_fn.<n> */
	struct iot_driver_fn how; /* from PAIR_INVALIDATE on */
	char function[80];
	/* what became of it */
	int err;
	struct template *of; /* NULL: not attached, or let go */
	struct bpf_program *entry, *exit;
	struct bpf_link *links[2];
};

/* What pairs are loaded with, all of it the caller's. */
struct pair_with {
	struct bpf_object *main_object; /* loaded; lends its maps */
	const struct iot_knobs *knobs;  /* as loaded there */
	const struct types *types;
	struct targets *targets;
};

/*
 * Loads and attaches. Each pair's err tells whether it is; all zero but for what is asked for
 * before. A pair's exit is attached first: a call that entered unseen is told from one whose exit
 * was missed.
 */
void pairs__attach(struct pair **pairs, size_t nr, const struct pair_with *with);
/* Detaches, and lets go of the programs. */
void pair__drop(struct pair *p);
/* Events that the kernel skipped because a program of the pair was already running on the CPU. */
uint64_t pair__misses(const struct pair *p);

#endif

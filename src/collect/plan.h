/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The attach plan: for each thing to be observed, ordered candidates of how. Resolved against the
 * running kernel's symbols and BTF, program by program, never by its version.
 */
#ifndef IOMMUTOP_COLLECT_PLAN_H
#define IOMMUTOP_COLLECT_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "collect/kallsyms.h"

struct types;

enum plan_kind {
	PLAN_FENTRY,
	PLAN_FEXIT,
	PLAN_TP_BTF, /* function: the tracepoint's name */
	PLAN_SYMBOL, /* only an address is needed */
	PLAN_KPROBE, /* of a module, perhaps loaded later; the only candidate of its point */
	PLAN_CALL,   /* all calls of callee in function: src/collect/calls.h */
};

struct plan_candidate {
	enum plan_kind kind;
	const char *function;
	int nr_args;         /* what the program was written for; -1 = any */
	const char *program; /* name in the BPF object; NULL for PLAN_SYMBOL */
	const char *counted; /* the program that counts by domain too, for invariants; NULL = there
				is none */
	const char *module;  /* PLAN_KPROBE: that the function is in, unless it is built in */
	const char *callee;  /* PLAN_CALL; nr_args is the number of calls then */
};

#define PLAN_CANDIDATES 2

enum plan_group { /* what a capture may leave out */
		  PLAN_ALWAYS,
		  PLAN_STREAM, /* every event */
		  PLAN_LIVE,   /* counters only */
		  PLAN_IOVA,
		  PLAN_IOVA_TIMES, /* how long allocating one took, and why */
		  PLAN_CONTROL,
		  PLAN_RECORDS, /* fault records */
		  PLAN_PAGES,   /* page requests */
		  PLAN_INVARIANTS,
		  /* attached when there is a domain whose unmaps flush: collect__strict() */
		  PLAN_STRICT,
};

enum plan_need {
	PLAN_VITAL,  /* without it a capture isn't worth starting */
	PLAN_USEFUL, /* without it something is missed */
	/* tells of a part that not every kernel has: where the part is absent, nothing is missed */
	PLAN_OPTIONAL,
};

struct plan_point {
	const char *name;
	const char *sees; /* in plain words */
	enum plan_need need;
	enum plan_group group;
	struct plan_candidate candidates[PLAN_CANDIDATES];
};

extern const struct plan_point plan_points[];
extern const size_t plan_nr_points;

struct plan_choice {
	int chosen;                         /* index of the candidate, -1 = none */
	char why_not[PLAN_CANDIDATES][160]; /* "" for the chosen one and those not tried */
	int refused; /* the candidate that was chosen and then refused by the verifier, -1 = none */
	bool wanted; /* its group was asked for */
	bool attached; /* set by the collector */
	bool absent;   /* the kernel hasn't got what would be seen: nothing is missed */
};

struct plan {
	struct plan_choice *choices; /* plan_nr_points of them */
};

/* types: the running kernel's, NULL = it has no BTF. Always resolves what it can; only -ENOMEM
 * fails. plan__free() takes what it made. */
int plan__resolve(struct plan *plan, struct kallsyms *syms, const struct types *types);
void plan__free(struct plan *plan);

/* The candidate chosen for a point, or NULL. */
const struct plan_candidate *plan__chosen(const struct plan *plan, size_t point);
/* Why a point isn't attached, of the candidate that came nearest to it; "" if nothing is known. */
const char *plan__why_not(const struct plan_choice *ch);
const char *plan__kind_name(enum plan_kind kind);

/*
 * Can kind be attached to function? 0, or -errno with the reason in why. module: "" for the kernel
 * itself; btf is that of the module then.
 */
int plan__check(struct kallsyms *syms, const struct types *types, const struct plan_candidate *c,
		char *why, size_t why_size);

#endif

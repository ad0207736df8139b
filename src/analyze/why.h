/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a group's default domain has the type that it has, and its unmaps are strict or lazy: what
 * each chooser asked for, and which of them decided.
 *
 * why__decide() is a function of the two structs of facts alone; why__core() and why__group() take
 * them out of what a capture told. The kernel keeps what came out, and not who wanted it: what is
 * inferred is called so, and what can't be told apart stays open.
 *
 * The order of the choosers is that of drivers/iommu/iommu.c (iommu_subsys_init,
 * iommu_set_dma_strict, iommu_get_default_domain_type, iommu_group_store_type) and dma-iommu.c
 * (iommu_dma_init_domain) in Linux 6.1, 6.12 and 7.2.
 */
#ifndef IOMMUTOP_ANALYZE_WHY_H
#define IOMMUTOP_ANALYZE_WHY_H

#include <stdbool.h>

#include "model/model.h"

#define WHY_UNKNOWN (-1) /* of facts that are numbers */

enum why_kconfig { WHY_KCONFIG_UNKNOWN, WHY_LAZY, WHY_STRICT, WHY_PASSTHROUGH };

/* What holds for the whole machine. Texts: "" = none. */
struct why_core {
	int def_type; /* iommu_def_domain_type: IOT_TYPE_* */
	int strict;   /* iommu_dma_strict */
	int cmd_line; /* iommu_cmd_line: bit 0: the type, bit 1: strictness is the command line's */
	int asks; /* the kernel asks for IOMMU_CAP_DEFERRED_FLUSH (6.12 and later); 6.1 doesn't */
	enum why_kconfig kconfig;
	char kconfig_from[80]; /* the file */
	/* words of the kernel's command line: the last that asked for a type, the last
	 * iommu.strict=, a driver's own word for strict */
	char type_word[40], strict_word[40], driver_word[40];
	bool word_passthrough, word_strict; /* what the first two ask for */
	char caching[64];  /* IOMMUs that cache what isn't present: VT-d's caching mode */
	bool caching_open; /* … one that may use first-stage tables, and so be lazy all the same */
	char np_cache[64]; /* AMD's NpCache */
	char quirk[40];    /* a device with a quirk */
};

/* Of one group. */
struct why_group {
	int group;
	int type;                              /* of the default domain */
	int now_type;                          /* of the domain that it is attached to */
	int queue;                             /* the default domain has a flush queue */
	int flush_all;                         /* … and its operations have flush_iotlb_all */
	int generic_pt;                        /* it is one of the kernel's generic page tables */
	bool owned;                            /* taken from the DMA API by VFIO or iommufd */
	int driver;                            /* 1: what follows is known */
	char def_domain_type[64], capable[64]; /* functions of the IOMMU's driver, "" = none */
	int fixed;     /* the one default domain that the driver knows: its type */
	__s64 written; /* s since 1970: its file "type" was cut; 0 = no trace of it; or unknown */
	char untrusted[40]; /* a device of it that the kernel doesn't trust */
	int pass_through;   /* VT-d: the IOMMU can pass through (ECAP.PT) */
	char iommu[24];
};

/* In the order in which the kernel asks. */
enum why_chooser {
	WHY_BY_KCONFIG,
	WHY_BY_CMDLINE,
	WHY_BY_MACHINE, /* virtualised IOMMUs, quirks: iommu_set_dma_strict() */
	WHY_BY_UNTRUSTED,
	WHY_BY_DRIVER, /* def_domain_type() */
	WHY_BY_CAPABILITY,
	WHY_BY_QUEUE, /* it could not be allocated */
	WHY_BY_SYSFS,
	WHY_BY_OWNER,
	WHY_CHOOSERS,
};

enum why_said {
	WHY_SILENT, /* it asked for nothing, or was not asked */
	WHY_ASKED,
	WHY_INFERRED, /* it must have asked, for nobody else could */
	WHY_OPEN,     /* it may have asked: nothing says so */
};

struct why_step {
	enum why_said said;
	char asked[24]; /* "DMA", "strict", … if it did or may have */
	char how[200];  /* how that is known, or why not */
	bool decided;   /* it did, or, if struct why says so, it may have */
};

enum why_sure { WHY_SURE, WHY_BY_ELIMINATION, WHY_NOT_KNOWN };

struct why {
	struct why_step steps[WHY_CHOOSERS];
	enum why_sure sure; /* NOT_KNOWN: more than one may have decided, or nothing is known */
	int type;           /* of the default domain, or WHY_UNKNOWN */
	int lazy;           /* unmaps of the default domain are queued: 0, 1, WHY_UNKNOWN; -2: it
			       maps nothing */
	char because[240];
	char warning[240];
};
#define WHY_NO_UNMAPS (-2)

/* origin: of a merged session; 0 otherwise. */
void why__core(struct why_core *core, const struct model *m, __u32 origin);
/* False: nothing was told of this group. */
bool why__group(struct why_group *g, const struct model *m, __u32 origin, int group);

void why__decide(struct why *out, const struct why_core *core, const struct why_group *g);

const char *why__chooser_name(enum why_chooser chooser); /* "Kconfig", "command line", … */
const char *why__chooser_id(enum why_chooser chooser);   /* stable, for JSON: "kconfig" */
const char *why__type_name(int type);                    /* "DMA-FQ"; "-" = not known */
const char *why__sure_name(enum why_sure sure);          /* "certain", "inferred", "not known" */
/* Of whom it may have been, with "or" between them; "not known" */
void why__deciders(const struct why *why, char *out, size_t size);

#endif

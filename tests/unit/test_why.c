// SPDX-License-Identifier: GPL-2.0-only
/* Who decided about a default domain's type: the order of the choosers on Linux 6.1, 6.12 and 7.2,
 * by hand from drivers/iommu/iommu.c, dma-iommu.c and the drivers. */
#include <stdio.h>

#include "analyze/why.h"
#include "scene.h"

#define FQ    IOT_TYPE_DMA_FQ
#define DMA   IOT_TYPE_DMA
#define IDENT IOT_TYPE_IDENTITY

/* Kernels as the choosers see them: 6.1 asks for no capability; on 7.2 Intel's and AMD's page
 * tables are generic ones, for which it isn't asked. */
enum kernel { V61, V612, V72 };

struct machine {
	int def_type, strict, cmd_line;
	enum why_kconfig kconfig;
	const char *words; /* of the command line */
	const char *iommu; /* attribute of an IOMMU */
	const char *quirk;
};

struct group {
	int type, queue;
	const char *def_domain_type, *capable, *untrusted;
	bool no_flush_all, generic, owned, no_driver, no_queue_known;
	__s64 written;
	const char *iommu;
	int fixed;
};

struct outcome {
	int by; /* bits 1 << WHY_BY_* */
	enum why_sure sure;
};

#define BY(chooser) (1 << WHY_BY_##chooser)

static void attr(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void attr(const char *fmt, ...)
{
	union {
		struct iot_attr attr;
		char bytes[IOT_EVENT_MAX];
	} e = {};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.attr.text, sizeof(e) - sizeof(e.attr), fmt, ap);
	va_end(ap);
	e.attr.text_len = (__u32)((strlen(e.attr.text) + 8) & ~7UL);
	e.attr.h = head(IOT_EV_ATTR, sizeof(e.attr) + e.attr.text_len, 0);
	feed(&e);
}

/* As a capture tells it (src/collect/choosers.c), so that the attributes are tested as well. */
static void tell(enum kernel k, const struct machine *m, const struct group *g)
{
	static const char *const kconfig[] = { "", "lazy", "strict", "passthrough" };
	char text[400] = "";

	attr("why.core=def_type=%d strict=%d cmd_line=%d asks=%d", m->def_type, m->strict,
	     m->cmd_line, k != V61);
	if (m->kconfig)
		attr("why.kconfig=%s /boot/config-x", kconfig[m->kconfig]);
	attr("iommu_options=%s", m->words ? m->words : "");
	if (m->iommu)
		attr("iommu.%s", m->iommu);
	if (m->quirk)
		attr("why.quirk=%s", m->quirk);
	if (g->def_domain_type)
		sprintf(text + strlen(text), " def_domain_type=%s", g->def_domain_type);
	if (g->capable)
		sprintf(text + strlen(text), " capable=%s", g->capable);
	if (!g->no_queue_known && (g->type & 2))
		sprintf(text + strlen(text), " queue=%d", g->queue);
	if (!g->no_driver)
		strcat(text, " driver=1");
	if (g->fixed)
		sprintf(text + strlen(text), " fixed=%d", g->fixed);
	attr("why.group.5=now=%d owned=%d type=%d flush_all=%d generic_pt=%d written=%lld%s",
	     g->owned ? IOT_TYPE_UNMANAGED : g->type, g->owned, g->type, !g->no_flush_all,
	     g->generic, (long long)g->written, text);
	if (g->untrusted)
		attr("why.untrusted.5=%s", g->untrusted);
	device_with(7, "0000:00:02.0", "e1000e", "", 5, g->iommu ? g->iommu : "dmar0", 64);
}

static struct why why;
static struct why_core core;
static struct why_group group;

static void decide(enum kernel k, const struct machine *m, const struct group *g)
{
	if (a)
		analysis__free(a);
	assert_int_equal(analysis__new(&a, NULL), 0);
	tell(k, m, g);
	why__core(&core, &a->model, 0);
	assert_true(why__group(&group, &a->model, 0, 5));
	why__decide(&why, &core, &group);
}

static int deciders(void)
{
	int by = 0;

	for (int i = 0; i < WHY_CHOOSERS; i++)
		by |= why.steps[i].decided << i;
	return by;
}

static void is(const char *what, enum kernel k, struct outcome o)
{
	if (deciders() == o.by && why.sure == o.sure)
		return;
	fail_msg("%s, kernel %d: by %#x (%d), not %#x (%d): %s", what, k, deciders(), why.sure,
		 o.by, o.sure, why.because);
}

#define INTEL    .def_domain_type = "device_def_domain_type", .capable = "intel_iommu_capable"
#define AMD      .def_domain_type = "amd_iommu_def_domain_type", .capable = "amd_iommu_capable"
#define VIRTIO   .capable = "viommu_capable"
#define STRANGER .capable = "other_capable"

#define DMAR_PLAIN   "dmar0=version 1:0, cap d2008c22260206, ecap f00f4a"
#define DMAR_CM      "dmar0=version 1:0, cap d2008c22260286, ecap f00f4a"
#define DMAR_CM_SM   "dmar0=version 1:0, cap d2008c22260286, ecap 80000f00f4a"
#define DMAR_NO_PT   "dmar0=version 1:0, cap d2008c22260206, ecap f00f0a"
#define IVHD_REAL    "ivhd0=cap 190b640f, features 2280000029d3:0"
#define IVHD_VIRTUAL "ivhd0=cap 1d0b640f, features 2280000029d3:0" /* bit 26 */

static const struct machine lazy = { FQ, 0, 0, WHY_LAZY, NULL, NULL, NULL };

/* One row a situation: what each kernel makes of it, and who is to be named. */
static const struct {
	const char *name;
	struct machine m;
	struct group g;
	struct outcome on[3]; /* 6.1, 6.12, 7.2 */
} table[] = {
	{ "default",
	  { FQ, 0, 0, WHY_LAZY, "intel_iommu=on", DMAR_PLAIN, NULL },
	  { FQ, 1, INTEL },
	  { { BY(KCONFIG), WHY_SURE }, { BY(KCONFIG), WHY_SURE }, { BY(KCONFIG), WHY_SURE } } },
	{ "default, its configuration not at hand",
	  { FQ, 0, 0, 0, NULL, DMAR_PLAIN, NULL },
	  { FQ, 1, INTEL },
	  { { BY(KCONFIG), WHY_SURE }, { BY(KCONFIG), WHY_SURE }, { BY(KCONFIG), WHY_SURE } } },
	{ "iommu.strict=1",
	  { DMA, 1, 2, WHY_LAZY, "iommu.strict=1", DMAR_PLAIN, NULL },
	  { DMA, 0, INTEL },
	  { { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE } } },
	{ "iommu.strict=0 on a kernel built strict",
	  { FQ, 0, 2, WHY_STRICT, "iommu.strict=n", DMAR_PLAIN, NULL },
	  { FQ, 1, INTEL },
	  { { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE } } },
	{ "built strict",
	  { DMA, 1, 0, WHY_STRICT, NULL, DMAR_PLAIN, NULL },
	  { DMA, 0, INTEL },
	  { { BY(KCONFIG), WHY_SURE }, { BY(KCONFIG), WHY_SURE }, { BY(KCONFIG), WHY_SURE } } },
	{ "strict, nobody asks, configuration not at hand",
	  { DMA, 1, 0, 0, NULL, DMAR_PLAIN, NULL },
	  { DMA, 0, INTEL },
	  { { BY(KCONFIG), WHY_BY_ELIMINATION },
	    { BY(KCONFIG), WHY_BY_ELIMINATION },
	    { BY(KCONFIG), WHY_BY_ELIMINATION } } },
	{ "strict, nobody asks, built lazy",
	  { DMA, 1, 0, WHY_LAZY, NULL, DMAR_PLAIN, NULL },
	  { DMA, 0, INTEL },
	  { { BY(MACHINE), WHY_NOT_KNOWN },
	    { BY(MACHINE), WHY_NOT_KNOWN },
	    { BY(MACHINE), WHY_NOT_KNOWN } } },
	{ "intel_iommu=on,strict",
	  { DMA, 1, 0, WHY_LAZY, "intel_iommu=on,strict", DMAR_PLAIN, NULL },
	  { DMA, 0, INTEL },
	  { { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE } } },
	{ "amd_iommu=fullflush",
	  { DMA, 1, 0, 0, "amd_iommu=fullflush", IVHD_REAL, NULL },
	  { DMA, 0, AMD, .iommu = "ivhd0" },
	  { { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE } } },
	{ "caching mode",
	  { DMA, 1, 0, 0, NULL, DMAR_CM, NULL },
	  { DMA, 0, INTEL },
	  { { BY(MACHINE), WHY_SURE }, { BY(MACHINE), WHY_SURE }, { BY(MACHINE), WHY_SURE } } },
	{ "caching mode in spite of iommu.strict=0",
	  { DMA, 1, 2, WHY_LAZY, "iommu.strict=0", DMAR_CM, NULL },
	  { DMA, 0, INTEL },
	  { { BY(MACHINE), WHY_SURE }, { BY(MACHINE), WHY_SURE }, { BY(MACHINE), WHY_SURE } } },
	{ "caching mode, scalable: strict",
	  { DMA, 1, 0, 0, NULL, DMAR_CM_SM, NULL },
	  { DMA, 0, INTEL },
	  { { BY(MACHINE) | BY(KCONFIG), WHY_NOT_KNOWN },
	    { BY(MACHINE) | BY(KCONFIG), WHY_NOT_KNOWN },
	    { BY(MACHINE) | BY(KCONFIG), WHY_NOT_KNOWN } } },
	{ "caching mode, scalable, first stage: lazy",
	  { FQ, 0, 0, 0, NULL, DMAR_CM_SM, NULL },
	  { FQ, 1, INTEL },
	  { { BY(KCONFIG), WHY_SURE }, { BY(KCONFIG), WHY_SURE }, { BY(KCONFIG), WHY_SURE } } },
	{ "iommu.strict=1 where caching mode asks as well",
	  { DMA, 1, 2, WHY_LAZY, "iommu.strict=1", DMAR_CM, NULL },
	  { DMA, 0, INTEL },
	  { { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE } } },
	{ "virtualised AMD",
	  { DMA, 1, 0, WHY_LAZY, NULL, IVHD_VIRTUAL, NULL },
	  { DMA, 0, AMD, .iommu = "ivhd0" },
	  { { BY(MACHINE), WHY_SURE }, { BY(MACHINE), WHY_SURE }, { BY(MACHINE), WHY_SURE } } },
	{ "AMD, not virtualised, and strict though nobody asks",
	  { DMA, 1, 0, WHY_LAZY, NULL, IVHD_REAL, NULL },
	  { DMA, 0, AMD, .iommu = "ivhd0" },
	  { { BY(MACHINE), WHY_NOT_KNOWN },
	    { BY(MACHINE), WHY_NOT_KNOWN },
	    { BY(MACHINE), WHY_NOT_KNOWN } } },
	{ "a quirk",
	  { DMA, 1, 0, WHY_LAZY, NULL, DMAR_PLAIN, "0000:00:00.0" },
	  { DMA, 0, INTEL },
	  { { BY(MACHINE), WHY_BY_ELIMINATION },
	    { BY(MACHINE), WHY_BY_ELIMINATION },
	    { BY(MACHINE), WHY_BY_ELIMINATION } } },
	{ "iommu.passthrough=1",
	  { IDENT, 0, 1, WHY_LAZY, "iommu.passthrough=1", DMAR_PLAIN, NULL },
	  { IDENT, 0, INTEL },
	  { { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE } } },
	{ "iommu=pt, an IOMMU that can't",
	  { IDENT, 0, 1, WHY_LAZY, "iommu=pt", DMAR_NO_PT, NULL },
	  { DMA, 0, INTEL },
	  /* 6.1 doesn't look at it */
	  { { BY(SYSFS), WHY_NOT_KNOWN }, { BY(DRIVER), WHY_SURE }, { BY(DRIVER), WHY_SURE } } },
	{ "an IOMMU that can't pass through is strict",
	  { FQ, 0, 0, WHY_LAZY, NULL, DMAR_NO_PT, NULL },
	  { DMA, 0, INTEL },
	  { { BY(QUEUE) | BY(SYSFS), WHY_NOT_KNOWN },
	    { BY(DRIVER), WHY_SURE },
	    { BY(DRIVER), WHY_SURE } } },
	{ "built for passthrough",
	  { IDENT, 0, 0, WHY_PASSTHROUGH, NULL, DMAR_PLAIN, NULL },
	  { IDENT, 0, INTEL },
	  { { BY(KCONFIG), WHY_SURE }, { BY(KCONFIG), WHY_SURE }, { BY(KCONFIG), WHY_SURE } } },
	{ "passthrough that nobody asked for",
	  { IDENT, 0, 0, WHY_LAZY, NULL, DMAR_PLAIN, NULL },
	  { IDENT, 0, INTEL },
	  { { BY(MACHINE), WHY_BY_ELIMINATION },
	    { BY(MACHINE), WHY_BY_ELIMINATION },
	    { BY(MACHINE), WHY_BY_ELIMINATION } } },
	{ "passthrough, configuration not at hand",
	  { IDENT, 0, 0, 0, NULL, DMAR_PLAIN, NULL },
	  { IDENT, 0, INTEL },
	  { { BY(MACHINE) | BY(KCONFIG), WHY_NOT_KNOWN },
	    { BY(MACHINE) | BY(KCONFIG), WHY_NOT_KNOWN },
	    { BY(MACHINE) | BY(KCONFIG), WHY_NOT_KNOWN } } },
	{ "translated on a kernel built for passthrough",
	  { FQ, 0, 1, WHY_PASSTHROUGH, "iommu.passthrough=0", DMAR_PLAIN, NULL },
	  { FQ, 1, INTEL },
	  { { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE }, { BY(CMDLINE), WHY_SURE } } },
	{ "untrusted",
	  { FQ, 0, 0, WHY_LAZY, NULL, DMAR_PLAIN, NULL },
	  { DMA, 0, INTEL, .untrusted = "0000:05:00.0" },
	  { { BY(UNTRUSTED), WHY_SURE },
	    { BY(UNTRUSTED), WHY_SURE },
	    { BY(UNTRUSTED), WHY_SURE } } },
	{ "untrusted, switched to lazy in place",
	  { FQ, 0, 0, WHY_LAZY, NULL, DMAR_PLAIN, NULL },
	  { FQ, 1, INTEL, .untrusted = "0000:05:00.0" },
	  { { BY(SYSFS), WHY_BY_ELIMINATION },
	    { BY(SYSFS), WHY_BY_ELIMINATION },
	    { BY(SYSFS), WHY_BY_ELIMINATION } } },
	{ "lazy where all are strict",
	  { DMA, 1, 2, WHY_LAZY, "iommu.strict=1", DMAR_PLAIN, NULL },
	  { FQ, 1, INTEL },
	  { { BY(SYSFS), WHY_BY_ELIMINATION },
	    { BY(SYSFS), WHY_BY_ELIMINATION },
	    { BY(SYSFS), WHY_BY_ELIMINATION } } },
	{ "strict where all are lazy, and a trace of a write",
	  { FQ, 0, 0, WHY_LAZY, NULL, DMAR_PLAIN, NULL },
	  { DMA, 0, INTEL, .written = 1700000000 },
	  { { BY(SYSFS), WHY_BY_ELIMINATION },
	    { BY(SYSFS), WHY_BY_ELIMINATION },
	    { BY(SYSFS), WHY_BY_ELIMINATION } } },
	{ "strict where all are lazy, without a trace; VT-d's driver doesn't answer DMA",
	  { FQ, 0, 0, WHY_LAZY, NULL, DMAR_PLAIN, NULL },
	  { DMA, 0, INTEL },
	  { { BY(QUEUE) | BY(SYSFS), WHY_NOT_KNOWN },
	    { BY(QUEUE) | BY(SYSFS), WHY_NOT_KNOWN },
	    { BY(QUEUE) | BY(SYSFS), WHY_NOT_KNOWN } } },
	{ "a driver that answers DMA, and may defer",
	  { FQ, 0, 0, WHY_LAZY, NULL, NULL, NULL },
	  { DMA, 0, .def_domain_type = "s_def_domain_type", .capable = "arm_smmu_capable" },
	  { { BY(DRIVER), WHY_BY_ELIMINATION },
	    { BY(DRIVER), WHY_BY_ELIMINATION },
	    { BY(DRIVER), WHY_BY_ELIMINATION } } },
	{ "a driver that may answer DMA, and may lack the capability",
	  { FQ, 0, 0, WHY_LAZY, NULL, NULL, NULL },
	  { DMA, 0, .def_domain_type = "s_def_domain_type", STRANGER },
	  { { BY(DRIVER), WHY_BY_ELIMINATION },
	    { BY(DRIVER) | BY(CAPABILITY), WHY_NOT_KNOWN },
	    { BY(DRIVER) | BY(CAPABILITY), WHY_NOT_KNOWN } } },
	{ "the same with a generic page table, which can always defer",
	  { FQ, 0, 0, WHY_LAZY, NULL, NULL, NULL },
	  { DMA, 0, .def_domain_type = "s_def_domain_type", STRANGER, .generic = true },
	  { { BY(DRIVER), WHY_BY_ELIMINATION },
	    { BY(DRIVER), WHY_BY_ELIMINATION },
	    { BY(DRIVER), WHY_BY_ELIMINATION } } },
	{ "a driver without def_domain_type that may lack the capability",
	  { FQ, 0, 0, WHY_LAZY, NULL, NULL, NULL },
	  { DMA, 0, STRANGER },
	  { { BY(QUEUE) | BY(SYSFS), WHY_NOT_KNOWN },
	    { BY(CAPABILITY), WHY_BY_ELIMINATION },
	    { BY(CAPABILITY), WHY_BY_ELIMINATION } } },
	{ "a driver without capable",
	  { FQ, 0, 0, WHY_LAZY, NULL, NULL, NULL },
	  { DMA, 0, .capable = NULL },
	  { { BY(QUEUE) | BY(SYSFS), WHY_NOT_KNOWN },
	    { BY(CAPABILITY), WHY_SURE },
	    { BY(CAPABILITY), WHY_SURE } } },
	{ "nobody is left but sysfs and a failed allocation",
	  { FQ, 0, 0, WHY_LAZY, NULL, NULL, NULL },
	  { DMA, 0, VIRTIO },
	  { { BY(QUEUE) | BY(SYSFS), WHY_NOT_KNOWN },
	    { BY(QUEUE) | BY(SYSFS), WHY_NOT_KNOWN },
	    { BY(QUEUE) | BY(SYSFS), WHY_NOT_KNOWN } } },
	{ "identity where all are translated: the driver",
	  { FQ, 0, 0, WHY_LAZY, NULL, IVHD_REAL, NULL },
	  { IDENT, 0, AMD, .iommu = "ivhd0" },
	  { { BY(DRIVER), WHY_BY_ELIMINATION },
	    { BY(DRIVER), WHY_BY_ELIMINATION },
	    { BY(DRIVER), WHY_BY_ELIMINATION } } },
	{ "the one domain of a driver",
	  { FQ, 0, 0, WHY_LAZY, NULL, NULL, NULL },
	  { IOT_TYPE_PLATFORM, 0, .fixed = IOT_TYPE_PLATFORM },
	  { { BY(DRIVER), WHY_SURE }, { BY(DRIVER), WHY_SURE }, { BY(DRIVER), WHY_SURE } } },
};

static void each_situation_names_who_decided_on_each_kernel(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (enum kernel k = V61; k <= V72; k++) {
			decide(k, &table[i].m, &table[i].g);
			is(table[i].name, k, table[i].on[k]);
		}
}

/* Motivating: on a driver that answers DMA the kernel sets up no queue, and asks for no capability.
 */
static void the_words_of_a_silent_driver(void **state)
{
	static const struct group g = { DMA, 0, .def_domain_type = "s390_def_domain_type",
					.capable = "arm_smmu_capable" };

	(void)state;
	decide(V612, &lazy, &g);
	assert_int_equal(why.lazy, 0);
	assert_string_equal(why.steps[WHY_BY_DRIVER].asked, "DMA");
	assert_int_equal(why.steps[WHY_BY_DRIVER].said, WHY_INFERRED);
	assert_non_null(strstr(why.because, "the kernel sets up no flush queue"));
	assert_non_null(strstr(why.because, "not ruled out"));
	assert_string_equal(why.warning, "");
}

static void the_mode_is_that_of_the_queue_not_of_the_type(void **state)
{
	static const struct group off = { FQ, 0, VIRTIO }, lazy_in_place = { DMA, 1, VIRTIO },
				  unknown = { FQ, 0, VIRTIO, .no_queue_known = true },
				  crash = { FQ, 1, VIRTIO, .no_flush_all = true },
				  identity = { IDENT, 0, VIRTIO };

	(void)state;
	decide(V612, &lazy, &off);
	assert_int_equal(why.lazy, 0);
	assert_string_equal(why.warning, "type says DMA-FQ, flush queue is off: unmaps are strict");
	decide(V612, &lazy, &lazy_in_place);
	assert_int_equal(why.lazy, 1);
	decide(V612, &lazy, &unknown);
	assert_int_equal(why.lazy, WHY_UNKNOWN);
	assert_string_equal(why.warning, "");
	decide(V61, &lazy, &crash);
	assert_int_equal(why.lazy, 1);
	assert_non_null(strstr(why.warning, "NULL pointer"));
	decide(V612, &lazy, &identity);
	assert_int_equal(why.lazy, WHY_NO_UNMAPS);
}

static void what_could_not_be_read_is_not_known(void **state)
{
	(void)state;
	assert_int_equal(analysis__new(&a, NULL), 0);
	attr("why.core=asks=1");
	attr("why.group.5=now=11 owned=0");
	why__core(&core, &a->model, 0);
	assert_int_equal(core.def_type, WHY_UNKNOWN);
	assert_true(why__group(&group, &a->model, 0, 5));
	why__decide(&why, &core, &group);
	assert_int_equal(deciders(), 0);
	assert_int_equal(why.sure, WHY_NOT_KNOWN);
	assert_int_equal(why.lazy, WHY_UNKNOWN);
	assert_int_equal(why.steps[WHY_BY_DRIVER].said, WHY_OPEN);
	assert_int_equal(why.steps[WHY_BY_SYSFS].said, WHY_OPEN);
	assert_false(why__group(&group, &a->model, 0, 6));
}

static void the_last_word_of_the_command_line_counts(void **state)
{
	static const struct {
		const char *words, *type, *strict, *driver;
		bool pt, on;
	} lines[] = {
		{ "iommu=pt iommu.passthrough=0", "iommu.passthrough=0", "", "", false, false },
		{ "iommu.passthrough=0 iommu=soft,pt", "iommu=soft,pt", "", "", true, false },
		{ "iommu=nopt", "iommu=nopt", "", "", false, false },
		{ "iommu.strict=0 iommu.strict=on", "", "iommu.strict=on", "", false, true },
		/* the kernel refuses it, so the word before holds */
		{ "iommu.strict=1 iommu.strict=maybe", "", "iommu.strict=1", "", false, true },
		{ "iommu.strict= iommu=off intel_iommu=on", "", "", "", false, false },
		{ "intel_iommu=on,strict s390_iommu=none", "", "", "intel_iommu=on,strict", false,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct machine m = lazy;

		m.words = lines[i].words;
		decide(V612, &m, &(struct group){ FQ, 1, VIRTIO });
		assert_string_equal(core.type_word, lines[i].type);
		assert_string_equal(core.strict_word, lines[i].strict);
		assert_string_equal(core.driver_word, lines[i].driver);
		assert_int_equal(core.word_passthrough, lines[i].pt);
		assert_int_equal(core.word_strict, lines[i].on);
	}
}

static void an_owner_is_named_and_the_default_domain_still_explained(void **state)
{
	(void)state;
	decide(V612, &lazy, &(struct group){ FQ, 1, INTEL, .owned = true });
	assert_int_equal(why.steps[WHY_BY_OWNER].said, WHY_ASKED);
	assert_string_equal(why.steps[WHY_BY_OWNER].asked, "unmanaged");
	assert_int_equal(deciders(), BY(KCONFIG));
	decide(V612, &lazy, &(struct group){ FQ, 1, INTEL });
	assert_int_equal(why.steps[WHY_BY_OWNER].said, WHY_SILENT);
}

static int no_capture(void **state)
{
	(void)state;
	analysis__free(a);
	a = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_situation_names_who_decided_on_each_kernel,
					  no_capture),
		cmocka_unit_test_teardown(the_words_of_a_silent_driver, no_capture),
		cmocka_unit_test_teardown(the_mode_is_that_of_the_queue_not_of_the_type,
					  no_capture),
		cmocka_unit_test_teardown(what_could_not_be_read_is_not_known, no_capture),
		cmocka_unit_test_teardown(the_last_word_of_the_command_line_counts, no_capture),
		cmocka_unit_test_teardown(an_owner_is_named_and_the_default_domain_still_explained,
					  no_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

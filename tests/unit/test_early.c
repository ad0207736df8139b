// SPDX-License-Identifier: GPL-2.0-only
/* What happened before the hooks: the words that ask for it, the kernel's buffer as text, and what
 * is told of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/early.h"

static void it_is_asked_for_by_words_of_trace_event(void **state)
{
	static const struct {
		const char *cmdline, *asked;
	} lines[] = {
		{ "quiet trace_event=iommu:* ro\n", "iommu:*" },
		{ "trace_event=sched:sched_switch,iommu:map,iommu:unmap", "iommu:map,iommu:unmap" },
		{ "trace_event=iommu trace_event=iommu:map", "iommu,iommu:map" },
		{ "\"trace_event=iommu:*\"", "iommu:*" },
		{ "quiet intel_iommu=on", "" },
		{ "trace_event=intel_iommu:*", "" },
		{ "trace_event=iommufoo:*", "" },
		{ "my.trace_event=iommu:*", "" },
		{ "trace_event=", "" },
	};
	char asked[128];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		assert_int_equal(early__asked(lines[i].cmdline, asked, sizeof(asked)),
				 *lines[i].asked != 0);
		assert_string_equal(asked, lines[i].asked);
	}
	/* no room: what fits */
	assert_true(early__asked("trace_event=iommu:map,iommu:unmap", asked, 12));
	assert_string_equal(asked, "iommu:map");
}

/* As a 6.12 kernel prints it. */
static const char trace[] =
	"# tracer: nop\n#\n# entries-in-buffer/entries-written: 7/7   #P:2\n#\n"
	"        modprobe-180     [001] .....    21.688447: add_device_to_group: IOMMU: groupID=0 "
	"device=refdma.0\n"
	"              sh-170     [001] .....    21.715744: map: IOMMU: iova=0x0000ffffffffc000 - "
	"0x0000ffffffffd000 paddr=0x0000000006993000 size=4096\n"
	"     a map: b-171     [000] ..s1.    21.716452: map: IOMMU: iova=0x0000ffffffe00000 - "
	"0x0001000000000000 paddr=0x0000000006948000 size=2097152\n"
	"          <idle>-0       [003] d.h1.    21.716470: unmap: IOMMU: iova=0x0000ffffffffc000 "
	"- "
	"0x0000ffffffffd000 size=8192 unmapped_size=4096\n"
	"          <idle>-0       [012] d.h1.    21.716483: io_page_fault: IOMMU:0000:00:03.0 nvme "
	"iova=0x00000000deadb000 flags=0x0001\n"
	"          <idle>-0       [000] d.h1.    21.716484: io_page_fault: IOMMU:refdma.0 refdma "
	"iova=0x0000000000001000 flags=0x0000\n"
	"            init-1       [000] .....    21.800000: tracing_mark_write: iommutop: hooks "
	"from "
	"here on 1\n"
	"              sh-170     [001] .....    21.815744: map: IOMMU: iova=0x0000ffffffffc000 - "
	"0x0000ffffffffd000 paddr=0x0000000006993000 size=4096\n"
	"            init-1       [000] .....    22.800000: tracing_mark_write: iommutop: hooks "
	"from "
	"here on 2\n"
	"              sh-170     [001] .....    22.815744: map: IOMMU: iova=0x0000ffffffffc000 - "
	"0x0000ffffffffd000 paddr=0x0000000006993000 size=4096\n";

static struct early *scan(const char *text, const char *mark)
{
	struct early *e = calloc(1, sizeof(*e));
	FILE *in = fmemopen((void *)text, strlen(text), "r");

	strcpy(e->mark, mark);
	assert_non_null(in);
	assert_int_equal(early__scan(e, in), 0);
	fclose(in);
	return e;
}

static void what_is_before_the_mark_counts(void **state)
{
	struct early *e = scan(trace, "iommutop: hooks from here on 1");

	(void)state;
	assert_true(e->marked);
	assert_int_equal(e->maps, 2);
	assert_int_equal(e->map_bytes, 4096 + (2 << 20));
	assert_int_equal(e->unmaps, 1);
	assert_int_equal(e->unmap_bytes, 4096);
	assert_int_equal(e->faults, 2);
	assert_string_equal(e->list[0].dev, "0000:00:03.0");
	assert_int_equal(e->list[0].iova, 0xdeadb000);
	assert_int_equal(e->list[0].flags, 1);
	assert_int_equal(e->list[0].cpu, 12);
	assert_string_equal(e->list[1].dev, "refdma.0");
	assert_int_equal(e->list[1].flags, 0);
	free(e);
	/* the mark of an earlier run is none */
	e = scan(trace, "iommutop: hooks from here on 2");
	assert_true(e->marked);
	assert_int_equal(e->maps, 3);
	free(e);
	e = scan(trace, "iommutop: hooks from here on 3");
	assert_false(e->marked);
	assert_int_equal(e->maps, 4);
	free(e);
}

static void a_storm_of_faults_is_counted_beyond_what_is_kept(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct early *e;

	(void)state;
	for (int i = 0; i < 1000; i++)
		fprintf(out,
			" x-0 [000] d.h1. 1.0: io_page_fault: IOMMU:d%d x iova=0x%x flags=0x0000\n",
			i, i);
	fprintf(out, " x-0 [000] d.h1. 1.0: io_page_fault: IOMMU:broken off");
	fclose(out);
	e = scan(text, "none");
	assert_int_equal(e->faults, 1000);
	assert_string_equal(e->list[EARLY_FAULTS - 1].dev, "d255");
	free(e);
	free(text);
}

static void nothing_asked_nothing_told(void **state)
{
	struct early *e = calloc(1, sizeof(*e));

	(void)state;
	assert_int_equal(early__tell(e, NULL, NULL, NULL, NULL), 0);
	free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_asked_for_by_words_of_trace_event),
		cmocka_unit_test(what_is_before_the_mark_counts),
		cmocka_unit_test(a_storm_of_faults_is_counted_beyond_what_is_kept),
		cmocka_unit_test(nothing_asked_nothing_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

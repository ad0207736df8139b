// SPDX-License-Identifier: GPL-2.0-only
/* The matrix of boots (its file, its combinations), and what a kernel's configuration lacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "boot/lacks.h"
#include "boot/matrix.h"

static int parse(struct matrix *m, const char *text, struct error *err)
{
	*m = (struct matrix){};
	*err = (struct error){};
	return matrix__parse(m, "m.yaml", text, strlen(text), err);
}

static void every_combination_is_a_boot_the_last_axis_fastest(void **state)
{
	struct matrix m;
	struct error err;

	(void)state;
	assert_int_equal(parse(&m,
			       "# comment\n"
			       "kernel: [debian:6.1, /boot/vmlinuz-6.9]\n"
			       "iommu:\n  - ref\n  - intel,caching-mode=on\n"
			       "append: ['', iommu.strict=1]\n"
			       "command: sh job.sh\n",
			       &err),
			 0);
	assert_int_equal(matrix__expand(&m, &err), 0);
	assert_int_equal(m.nr, 8);
	assert_string_equal(m.cases[0].at[AXIS_KERNEL], "debian:6.1");
	assert_string_equal(m.cases[0].at[AXIS_APPEND], "");
	assert_string_equal(m.cases[1].at[AXIS_APPEND], "iommu.strict=1");
	assert_string_equal(m.cases[2].at[AXIS_IOMMU], "intel,caching-mode=on");
	assert_string_equal(m.cases[7].at[AXIS_KERNEL], "/boot/vmlinuz-6.9");
	assert_string_equal(m.cases[7].at[AXIS_COMMAND], "sh job.sh");
	/* names go to file systems and to artifacts of a CI, which take no colon */
	assert_string_equal(m.cases[0].name, "1-debian-6.1");
	assert_string_equal(m.cases[7].name, "8-vmlinuz-6.9");
	matrix__free(&m);
}

static void a_qemu_is_an_axis_and_part_of_an_exception(void **state)
{
	struct matrix m;
	struct error err;

	(void)state;
	assert_int_equal(parse(&m,
			       "kernel: debian:6.12\n"
			       "iommu: [amd, virtio]\n"
			       "qemu: [qemu-system-x86_64, debian:10]\n"
			       "append: [a, b]\n"
			       "except:\n  - {iommu: virtio, qemu: 'qemu-*'}\n",
			       &err),
			 0);
	assert_int_equal(matrix__expand(&m, &err), 0);
	assert_int_equal(m.nr, 6);
	assert_string_equal(m.cases[1].at[AXIS_QEMU], "qemu-system-x86_64");
	assert_string_equal(m.cases[1].at[AXIS_APPEND], "b");
	assert_string_equal(m.cases[2].at[AXIS_QEMU], "debian:10");
	assert_string_equal(m.cases[4].at[AXIS_IOMMU], "virtio");
	assert_string_equal(m.cases[4].at[AXIS_QEMU], "debian:10");
	matrix__free(&m);
}

static void exceptions_are_patterns(void **state)
{
	struct matrix m;
	struct error err;

	(void)state;
	assert_int_equal(parse(&m,
			       "kernel: [debian:6.1, debian:6.12, source:7.2]\n"
			       "iommu: [ref, virtio, amd]\n"
			       "except:\n"
			       "  - {kernel: 'debian:6.1', iommu: virtio}\n"
			       "  - {kernel: 'debian:*', iommu: amd}\n",
			       &err),
			 0);
	assert_int_equal(matrix__expand(&m, &err), 0);
	assert_int_equal(m.nr, 6);
	for (size_t i = 0; i < m.nr; i++) {
		bool debian = !strncmp(m.cases[i].at[AXIS_KERNEL], "debian", 6);

		assert_false(debian && !strcmp(m.cases[i].at[AXIS_IOMMU], "amd"));
		assert_false(!strcmp(m.cases[i].at[AXIS_KERNEL], "debian:6.1") &&
			     !strcmp(m.cases[i].at[AXIS_IOMMU], "virtio"));
	}
	matrix__free(&m);
}

static void what_the_command_line_says_takes_the_place_of_an_axis(void **state)
{
	char *one[] = { (char *)"debian:7.2" };
	const struct strv values = { .items = one, .nr = 1 };
	struct matrix m;
	struct error err;

	(void)state;
	assert_int_equal(parse(&m, "kernel: [a, b]\niommu: [ref, amd]\n", &err), 0);
	assert_int_equal(matrix__set(&m, AXIS_KERNEL, &values), 0);
	assert_int_equal(matrix__expand(&m, &err), 0);
	assert_int_equal(m.nr, 2);
	assert_string_equal(m.cases[1].at[AXIS_KERNEL], "debian:7.2");
	assert_string_equal(m.cases[1].at[AXIS_IOMMU], "amd");
	matrix__free(&m);

	assert_int_equal(matrix__set(&m, AXIS_KERNEL, &values), 0);
	assert_int_equal(matrix__expand(&m, &err), 0);
	assert_string_equal(m.cases[0].name, "debian-7.2");
	matrix__free(&m);
}

static void each_mistake_is_told_with_line_and_column(void **state)
{
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{ "", "m.yaml:1:1: the file is empty" },
		{ "- a\n", "m.yaml:1:1: a matrix is a mapping" },
		{ "kernel: a\nkernels: b\n", "m.yaml:2:1: unknown key 'kernels'" },
		{ "kernel: a\nkernel: b\n", "m.yaml:2:1: kernel is there twice" },
		{ "kernel: [a,\n  a]\n", "m.yaml:2:3: kernel 'a' is there twice" },
		{ "kernel: []\n", "m.yaml:1:9: the list of kernel is empty" },
		{ "kernel: ''\n", "m.yaml:1:9: kernel is empty" },
		{ "kernel: {a: b}\n", "m.yaml:1:9: kernel is a text" },
		{ "kernel: [[a]]\n", "m.yaml:1:10: kernel is a text" },
		{ "kernel: a\nexcept: a\n", "m.yaml:2:9: except is a list" },
		{ "kernel: a\nexcept: [a]\n", "m.yaml:2:10: an exception is a mapping" },
		{ "kernel: a\nexcept: [{}]\n", "m.yaml:2:10: an exception without a key" },
		{ "kernel: a\nexcept: [{kernl: a}]\n", "m.yaml:2:11: an exception has kernel" },
		{ "kernel: a\nexcept: [{kernel: b}]\n", "m.yaml:2:10: no kernel of this file is" },
		{ "kernel: a\nexcept: [{kernel: a, kernel: a}]\n", "m.yaml:2:22: kernel is there" },
		{ "kernel: a\nexcept: []\nexcept: []\n", "m.yaml:3:1: except is there twice" },
		{ "kernel: a\n---\nkernel: b\n", "m.yaml:3:1: one document is enough" },
		{ "kernel: [a\n", "m.yaml:2:1: did not find expected" },
		{ "kernel:\ta\n\tb: c\n", "m.yaml:2:1: " },
		{ "kernel: \"a\\0b\"\n", "m.yaml:1:9: kernel has a NUL byte" },
		{ "? [a]\n: b\n", "m.yaml:1:3: a key is a text" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct matrix m;
		struct error err;

		if (parse(&m, wrong[i].text, &err) != -EINVAL ||
		    strncmp(err.text, wrong[i].says, strlen(wrong[i].says)))
			fail_msg("'%s' is told as '%s', not '%s'", wrong[i].text, err.text,
				 wrong[i].says);
		matrix__free(&m);
	}
}

static void too_many_boots_and_none_are_refused(void **state)
{
	char text[8192] = "kernel: [k";
	struct matrix m;
	struct error err;

	(void)state;
	for (int i = 0; i < 200; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ", k%d", i);
	strcat(text, "]\niommu: [ref, amd]\n");
	assert_int_equal(parse(&m, text, &err), 0);
	assert_int_equal(matrix__expand(&m, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than 256 boots"));
	matrix__free(&m);

	assert_int_equal(parse(&m, "kernel: a\nexcept: [{kernel: '*'}]\n", &err), 0);
	assert_int_equal(matrix__expand(&m, &err), -EINVAL);
	assert_non_null(strstr(err.text, "every boot of the matrix is excepted"));
	matrix__free(&m);
}

/* --- what a configuration lacks
 * -------------------------------------------------------------------------------------
 */

struct lacks {
	char text[8192];
	int nr[3];
};

static void note(void *ctx, enum lack kind, const char *text)
{
	struct lacks *l = ctx;

	l->nr[kind]++;
	strcat(strcat(l->text, text), "\n");
}

#define WHOLE                                                                               \
	"CONFIG_BLK_DEV_INITRD=y\nCONFIG_BINFMT_ELF=y\nCONFIG_BINFMT_SCRIPT=y\n"            \
	"CONFIG_PROC_FS=y\nCONFIG_SYSFS=y\nCONFIG_DEVTMPFS=y\nCONFIG_SERIAL_8250=y\n"       \
	"CONFIG_BPF_SYSCALL=y\nCONFIG_BPF_JIT=y\nCONFIG_BPF_EVENTS=y\n"                     \
	"CONFIG_DEBUG_INFO_BTF=y\nCONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y\n"              \
	"CONFIG_KALLSYMS_ALL=y\nCONFIG_IOMMU_API=y\nCONFIG_IOMMU_DMA=y\nCONFIG_KPROBES=y\n" \
	"CONFIG_DEBUG_INFO_BTF_MODULES=y\nCONFIG_SERIAL_8250_CONSOLE=y\n"                   \
	"CONFIG_VIRTIO_CONSOLE=m\nCONFIG_MAGIC_SYSRQ=y\n"

static void what_is_there_is_not_missed(void **state)
{
	struct lacks l = {};

	(void)state;
	lacks__config(WHOLE, false, "none", note, &l);
	assert_string_equal(l.text, "");
	/* PVH only for a vmlinux, an IOMMU's driver only where it is asked for */
	lacks__config(WHOLE, true, "none", note, &l);
	assert_string_equal(l.text, "CONFIG_PVH is not set: QEMU can't boot a vmlinux without "
				    "it: give the bzImage\n");
	l = (struct lacks){};
	lacks__config(WHOLE, false, "intel,caching-mode=on", note, &l);
	assert_string_equal(l.text, "CONFIG_INTEL_IOMMU is not set: no driver for --iommu intel\n");
	l = (struct lacks){};
	lacks__config(WHOLE "CONFIG_VIRTIO_IOMMU=m\n", false, "virtio", note, &l);
	assert_string_equal(l.text, "");
}

static void what_is_missing_is_told_by_what_follows(void **state)
{
	struct lacks l = {};

	(void)state;
	lacks__config("# CONFIG_DEBUG_INFO_BTF is not set\nXCONFIG_BPF_JIT=y\n"
		      "CONFIG_DEBUG_INFO_BTF_MODULES=y\nCONFIG_SERIAL_8250=m\n",
		      false, "none", note, &l);
	assert_non_null(strstr(l.text, "CONFIG_DEBUG_INFO_BTF is not set: no BTF"));
	assert_non_null(strstr(l.text, "CONFIG_BPF_JIT is not set"));
	assert_non_null(strstr(l.text, "CONFIG_SERIAL_8250 is a module: no serial port"));
	assert_null(strstr(l.text, "BTF_MODULES"));
	assert_int_equal(l.nr[LACK_BOOT], 7);
	assert_int_equal(l.nr[LACK_TRACE], 7);
	assert_int_equal(l.nr[LACK_PART], 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_is_a_boot_the_last_axis_fastest),
		cmocka_unit_test(a_qemu_is_an_axis_and_part_of_an_exception),
		cmocka_unit_test(exceptions_are_patterns),
		cmocka_unit_test(what_the_command_line_says_takes_the_place_of_an_axis),
		cmocka_unit_test(each_mistake_is_told_with_line_and_column),
		cmocka_unit_test(too_many_boots_and_none_are_refused),
		cmocka_unit_test(what_is_there_is_not_missed),
		cmocka_unit_test(what_is_missing_is_told_by_what_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

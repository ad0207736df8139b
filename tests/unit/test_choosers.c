// SPDX-License-Identifier: GPL-2.0-only
/* What a capture tells of the choosers of domain types: from symbols, kernel structures as BPF
 * hands them over, and files. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "collect/choosers.h"

static char root[] = "/tmp/iommutop-choosers.XXXXXX";
static char told[4][700];
static size_t nr_told;

static int keep(void *ctx, const struct iot_event *ev)
{
	const struct iot_attr *a = (const void *)ev;

	(void)ctx;
	assert_int_equal(ev->id, IOT_EV_ATTR);
	assert_true(nr_told < sizeof(told) / sizeof(told[0]));
	snprintf(told[nr_told++], sizeof(told[0]), "%s", a->text);
	return 0;
}

static void path_of(char *full, const char *path)
{
	snprintf(full, PATH_MAX, "%s/%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = 0;
		mkdir(full, 0700);
	}
}

static void file(const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *f;

	path_of(full, path);
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static struct kallsyms *symbols(const char *text)
{
	char full[PATH_MAX];
	struct kallsyms *k;

	file("kallsyms", text);
	path_of(full, "kallsyms");
	assert_int_equal(kallsyms__load(&k, full, NULL), 0);
	return k;
}

static void variables_are_found_by_symbols_that_mean_one_thing(void **state)
{
	struct kallsyms *k = symbols("ffffffff81000000 T _stext\n"
				     "ffffffff82000000 d iommu_def_domain_type\n"
				     "ffffffff82000010 d iommu_cmd_line\n"
				     "ffffffff82000020 d iommu_cmd_line\n");
	struct iot_why_vars vars = { 1, 1, 1 };

	(void)state;
	choosers__find(&vars, k);
	assert_int_equal(vars.def_type, 0xffffffff82000000);
	assert_int_equal(vars.strict, 0);
	assert_int_equal(vars.cmd_line, 0);
	kallsyms__free(k);
}

static void what_could_not_be_read_is_left_out(void **state)
{
	struct iot_raw_why_core core = { .known = IOT_WHY_STRICTNESS, .def_type = 11, .strict = 1 };
	struct iot_raw_why_group group = { .group = 3, .now_type = 4 };

	(void)state;
	assert_int_equal(choosers__core(&core, keep, NULL), 0);
	assert_string_equal(told[0], "why.core=strict=1 asks=0");
	core.known |= IOT_WHY_DEF_TYPE | IOT_WHY_CMD_LINE;
	core.asks = 1;
	core.cmd_line = 3;
	assert_int_equal(choosers__core(&core, keep, NULL), 0);
	assert_string_equal(told[1], "why.core=def_type=11 strict=1 cmd_line=3 asks=1");
	assert_int_equal(choosers__group(&group, NULL, keep, NULL), 0);
	assert_string_equal(told[2], "why.group.3=now=4 owned=0");
}

static void a_group_is_told_with_the_names_of_its_functions(void **state)
{
	struct kallsyms *k = symbols("ffffffff81000000 T _stext\n"
				     "ffffffff81000100 t some_def_domain_type\n");
	struct iot_raw_why_group group = {
		.group = 0,
		.flags = IOT_WHY_QUEUE_KNOWN | IOT_WHY_QUEUE | IOT_WHY_GENERIC_PT | IOT_WHY_OWNED |
			 IOT_WHY_FIXED | IOT_WHY_SYSFS_KNOWN | IOT_WHY_TYPE_KNOWN |
			 IOT_WHY_DRIVER_KNOWN,
		.type = 11,
		.now_type = 1,
		.fixed_type = 32,
		.def_domain_type = 0xffffffff81000100,
		.capable = 0xffffffff81000104,
		.flush_all = 0xffffffff81000300,
		.written = 1700000000,
	};
	struct iot_raw_why_dev dev = { .group = 0, .name = "0000:05:00.0" };

	(void)state;
	assert_int_equal(choosers__group(&group, k, keep, NULL), 0);
	assert_string_equal(told[0],
			    "why.group.0=now=1 owned=1 type=11 flush_all=1 generic_pt=1 queue=1 "
			    "driver=1 fixed=32 written=1700000000 "
			    "def_domain_type=some_def_domain_type capable=0xffffffff81000104");
	assert_int_equal(choosers__untrusted(&dev, keep, NULL), 0);
	assert_string_equal(told[1], "why.untrusted.0=0000:05:00.0");
	kallsyms__free(k);
}

static void the_kernels_own_configuration_goes_before_installed_ones(void **state)
{
	static const char strict[] = "# CONFIG_IOMMU_DEFAULT_DMA_LAZY is not set\n"
				     "CONFIG_IOMMU_DEFAULT_DMA_STRICT=y\n";
	char full[PATH_MAX];
	gzFile f;

	(void)state;
	assert_int_equal(choosers__kconfig(root, "6.1", keep, NULL), 0);
	assert_int_equal(nr_told, 0);
	file("lib/modules/6.1/config", "CONFIG_IOMMU_DEFAULT_PASSTHROUGH=y\n");
	assert_int_equal(choosers__kconfig(root, "6.1", keep, NULL), 0);
	assert_string_equal(told[0], "why.kconfig=passthrough /lib/modules/6.1/config");
	file("boot/config-6.1", "# a comment\nCONFIG_IOMMU_DEFAULT_DMA_LAZY=y\nCONFIG_X=m\n");
	assert_int_equal(choosers__kconfig(root, "6.1", keep, NULL), 0);
	assert_string_equal(told[1], "why.kconfig=lazy /boot/config-6.1");
	path_of(full, "proc/config.gz");
	f = gzopen(full, "wb");
	assert_non_null(f);
	assert_int_equal(gzwrite(f, strict, sizeof(strict) - 1), sizeof(strict) - 1);
	assert_int_equal(gzclose(f), Z_OK);
	assert_int_equal(choosers__kconfig(root, "6.1", keep, NULL), 0);
	assert_string_equal(told[2], "why.kconfig=strict /proc/config.gz");
}

static void only_ironlake_has_the_quirk(void **state)
{
	(void)state;
	file("bus/pci/devices/0000:00:00.0/vendor", "0x8086\n");
	file("bus/pci/devices/0000:00:00.0/device", "0x29c0\n");
	/* the number of an Ironlake bridge, another vendor's */
	file("bus/pci/devices/0000:00:01.0/vendor", "0x1022\n");
	file("bus/pci/devices/0000:00:01.0/device", "0x0040\n");
	assert_int_equal(choosers__quirks(root, keep, NULL), 0);
	assert_int_equal(nr_told, 0);
	file("bus/pci/devices/0000:00:00.0/device", "0x0040\n");
	assert_int_equal(choosers__quirks(root, keep, NULL), 0);
	assert_int_equal(nr_told, 1);
	assert_string_equal(told[0], "why.quirk=0000:00:00.0");
}

static int fresh(void **state)
{
	(void)state;
	nr_told = 0;
	memset(told, 0, sizeof(told));
	return mkdtemp(strcpy(root, "/tmp/iommutop-choosers.XXXXXX")) ? 0 : -errno;
}

static int clear(void **state)
{
	char cmd[PATH_MAX];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	return system(cmd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(variables_are_found_by_symbols_that_mean_one_thing,
						fresh, clear),
		cmocka_unit_test_setup_teardown(what_could_not_be_read_is_left_out, fresh, clear),
		cmocka_unit_test_setup_teardown(a_group_is_told_with_the_names_of_its_functions,
						fresh, clear),
		cmocka_unit_test_setup_teardown(
			the_kernels_own_configuration_goes_before_installed_ones, fresh, clear),
		cmocka_unit_test_setup_teardown(only_ironlake_has_the_quirk, fresh, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The parts of `iommutop boot` that need no guest: frames on the serial line, the module index,
 * device options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/devices.h"
#include "boot/modules.h"
#include "boot/mux.h"

/* --- frames
 * ---------------------------------------------------------------------------------------------------
 */

struct seen {
	char log[4096];
	char last; /* kind of the last entry */
};

/* t[…] text, d[…] data, f[…] frame; pieces of text or data in a row are one. */
static void note(struct seen *s, char kind, const char *data, size_t len)
{
	size_t at = strlen(s->log);

	if (kind == s->last && kind != 'f')
		snprintf(s->log + at - 1, sizeof(s->log) - at, "%.*s]", (int)len, data);
	else
		snprintf(s->log + at, sizeof(s->log) - at, "%c[%.*s]", kind, (int)len, data);
	s->last = kind;
}

static int seen_text(void *ctx, const char *data, size_t len)
{
	note(ctx, 't', data, len);
	return 0;
}

static int seen_data(void *ctx, const char *data, size_t len)
{
	note(ctx, 'd', data, len);
	return 0;
}

static int seen_frame(void *ctx, const char *word, const char *arg)
{
	char both[256];
	int len = snprintf(both, sizeof(both), "%s|%s", word, arg);

	note(ctx, 'f', both, (size_t)len);
	return 0;
}

static const struct mux_ops ops = { seen_text, seen_frame, seen_data };

static void frames_come_out_however_the_bytes_are_cut(void **state)
{
	static const char bytes[] = "out\036@N start\nmore\n\036@N data 5\n\036@N x\036@N exit "
				    "3\ntail\036\036@N note a b\n\036@M no\n\036@N";
	static const char wanted[] = "t[out]f[start|]t[more\n]d[\036@N "
				     "x]f[exit|3]t[tail\036]f[note|a b]t[\036@M no\n\036@N]";

	(void)state;
	for (size_t step = 1; step < sizeof(bytes); step++) {
		struct seen s = { 0 };
		struct mux m;

		mux__init(&m, "N", &ops, &s);
		for (size_t at = 0; at < sizeof(bytes) - 1; at += step) {
			size_t left = sizeof(bytes) - 1 - at;

			assert_int_equal(mux__feed(&m, bytes + at, left < step ? left : step), 0);
		}
		assert_int_equal(mux__end(&m), 0);
		assert_string_equal(s.log, wanted);
	}
}

static void a_frame_without_end_is_text(void **state)
{
	char bytes[1024];
	struct seen s = { 0 };
	struct mux m;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "\036@N ", 4);
	mux__init(&m, "N", &ops, &s);
	assert_int_equal(mux__feed(&m, bytes, sizeof(bytes)), 0);
	assert_int_equal(mux__end(&m), 0);
	assert_int_equal(strlen(s.log), sizeof(bytes) + strlen("t[]"));
}

static int refuse(void *ctx, const char *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	return -EPIPE;
}

static void an_error_of_the_taker_is_passed_on(void **state)
{
	const struct mux_ops refusing = { refuse, seen_frame, refuse };
	struct seen s = { 0 };
	struct mux m;

	(void)state;
	mux__init(&m, "N", &refusing, &s);
	assert_int_equal(mux__feed(&m, "text", 4), -EPIPE);
}

/* --- modules
 * --------------------------------------------------------------------------------------------------
 */

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void modules_come_in_the_order_to_load(void **state)
{
	char dir[] = "/tmp/test-modules.XXXXXX", command[64];
	struct strv paths = { 0 };
	struct modules *m;
	struct error err = { "" };
	char *all;

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_file(dir, "modules.dep",
		   "k/top-one.ko: k/mid.ko k/base.ko\nk/mid.ko: k/base.ko\nk/base.ko:\nk/other.ko: "
		   "k/base.ko\nk/x.ko.xz:\n");
	write_file(dir, "modules.builtin", "kernel/built-in.ko\n");
	assert_int_equal(modules__open(dir, &m, &err), 0);
	assert_int_equal(modules__resolve(m, "top_one", &paths, &err), 0);
	assert_int_equal(modules__resolve(m, "built_in", &paths, &err), 0);
	assert_int_equal(modules__resolve(m, "other", &paths, &err), 0);
	all = strv__join(&paths, " ");
	assert_string_equal(all, "k/base.ko k/mid.ko k/top-one.ko k/other.ko");
	assert_string_equal(modules__dep_line(m, "k/mid.ko"), "k/mid.ko: k/base.ko");
	assert_null(modules__dep_line(m, "k/mi"));
	assert_int_equal(modules__resolve(m, "top", &paths, &err), -ENOENT);
	assert_non_null(strstr(err.text, "top"));
	err.text[0] = '\0';
	assert_int_equal(modules__resolve(m, "x", &paths, &err), -EINVAL);
	assert_non_null(strstr(err.text, "compressed"));
	free(all);
	strv__free(&paths);
	modules__close(m);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

/* --- devices
 * --------------------------------------------------------------------------------------------------
 */

static char *qemu_of(const char *iommu, unsigned int major, const char *device)
{
	char dir[] = "/tmp/test-devices.XXXXXX", command[64];
	struct devices d = { 0 };
	struct error err = { "" };
	char *all;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(devices__set_iommu(&d, iommu, major, &err), 0);
	if (device)
		assert_int_equal(devices__add(&d, device, dir, &err), 0);
	all = strv__join(&d.qemu, " ");
	devices__free(&d);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	return all;
}

static void expect_qemu(const char *iommu, unsigned int major, const char *device,
			const char *wanted)
{
	char *got = qemu_of(iommu, major, device);

	assert_string_equal(got, wanted);
	free(got);
}

static void options_become_arguments_of_qemu(void **state)
{
	(void)state;
	expect_qemu("none", 7, NULL, "");
	expect_qemu("intel,caching-mode=on", 7, NULL,
		    "-device intel-iommu,intremap=on,caching-mode=on");
	expect_qemu("amd", 7, NULL, "-device amd-iommu");
	expect_qemu("amd", 10, NULL, "-device amd-iommu,intremap=off,pt=off");
	expect_qemu("amd", 11, NULL, "-device amd-iommu,intremap=off,dma-remap=on");
	expect_qemu("ref", 7, "pci-testdev,addr=5", "-device pci-testdev,addr=5");
	expect_qemu("none", 7, "edu", "-device edu,dma_mask=0xffffffffffffffff");
	expect_qemu("none", 7, "e1000e,netdev=mine", "-device e1000e,netdev=mine");
	expect_qemu("none", 7, "e1000e,addr=9",
		    "-netdev user,id=net0,restrict=on,net=10.0.2.0/24,ipv6=off "
		    "-device e1000e,netdev=net0,mac=52:54:00:69:6f:02,addr=9");
	expect_qemu("none", 9, "igb",
		    "-netdev user,id=net0,restrict=on,net=10.0.2.0/24,ipv6=off -device "
		    "pcie-root-port,id=port0,chassis=1 "
		    "-device igb,netdev=net0,mac=52:54:00:69:6f:02,bus=port0");
	expect_qemu("amd", 9, "igb",
		    "-device amd-iommu -netdev user,id=net0,restrict=on,net=10.0.2.0/24,ipv6=off "
		    "-device igb,netdev=net0,mac=52:54:00:69:6f:02");
}

static void a_device_that_this_qemu_lacks_is_refused(void **state)
{
	struct devices d = { 0 };
	struct error err = { "" };

	(void)state;
	assert_int_equal(devices__set_iommu(&d, "none", 7, &err), 0);
	assert_int_equal(devices__add(&d, "igb", "/nonexistent", &err), -ENODEV);
	assert_non_null(strstr(err.text, "QEMU 8"));
	devices__free(&d);
}

static void unknown_iommus_are_refused(void **state)
{
	struct devices d = { 0 };
	struct error err = { "" };

	(void)state;
	assert_int_equal(devices__set_iommu(&d, "inte", 7, &err), -EINVAL);
	assert_non_null(strstr(err.text, "inte"));
	assert_int_equal(devices__set_iommu(&d, "ref,x=1", 7, NULL), -EINVAL);
	assert_int_equal(devices__set_iommu(&d, "", 7, NULL), -EINVAL);
	devices__free(&d);
}

static void commas_in_paths_are_doubled(void **state)
{
	char *escaped = devices__escape("/a,b,,c");

	(void)state;
	assert_string_equal(escaped, "/a,,b,,,,c");
	free(escaped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_out_however_the_bytes_are_cut),
		cmocka_unit_test(a_frame_without_end_is_text),
		cmocka_unit_test(an_error_of_the_taker_is_passed_on),
		cmocka_unit_test(modules_come_in_the_order_to_load),
		cmocka_unit_test(options_become_arguments_of_qemu),
		cmocka_unit_test(a_device_that_this_qemu_lacks_is_refused),
		cmocka_unit_test(unknown_iommus_are_refused),
		cmocka_unit_test(commas_in_paths_are_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

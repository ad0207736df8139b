// SPDX-License-Identifier: GPL-2.0-only
/* What is read from sysfs, from a tree of files made here; and how a capture's tables grow by it.
 */
#include <errno.h>
#include <ftw.h>
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

#include <cmocka.h>

#include "collect/aer.h"
#include "collect/sysfs.h"
#include "collect/world.h"

#define PCI "devices/pci0000:00/"

static char root[] = "/tmp/iommutop-sysfs.XXXXXX";

static void make_dirs(const char *path)
{
	char full[PATH_MAX];
	char *p;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (p = full + strlen(root) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = 0;
		mkdir(full, 0700);
	}
}

static void file(const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *f;

	make_dirs(path);
	snprintf(full, sizeof(full), "%s/%s", root, path);
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* A link from path to target, both below the root. */
static void link_to(const char *path, const char *target)
{
	char full[PATH_MAX], to[PATH_MAX];

	make_dirs(path);
	snprintf(full, sizeof(full), "%s/%s", root, path);
	snprintf(to, sizeof(to), "%s/%s", root, target);
	unlink(full);
	assert_int_equal(symlink(to, full), 0);
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *f)
{
	(void)s;
	(void)type;
	(void)f;
	return remove(path);
}

static int make_root(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* What came out: lines of text. */
static char said[16384];
static size_t nr_said;

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	size_t len = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + len, sizeof(said) - len, fmt, ap);
	va_end(ap);
	nr_said++;
}

static int take(void *ctx, const struct iot_event *ev)
{
	const void *body = ev;
	const struct iot_attr *a = body;
	const struct iot_region *r = body;
	const struct iot_device *d = body;

	(void)ctx;
	assert_true(ev->ts && ev->len >= sizeof(*ev) && ev->len % 8 == 0);
	if (ev->id == IOT_EV_ATTR)
		say("%s\n", a->text);
	else if (ev->id == IOT_EV_REGION)
		say("region %d %llx-%llx %u\n", r->group, (unsigned long long)r->first,
		    (unsigned long long)r->last, r->kind);
	else if (ev->id == IOT_EV_DEVICE)
		say("device %u %s %s %u\n", ev->dev, d->name, d->driver, d->dma_bits);
	else
		assert_int_equal(ev->id, IOT_EV_CLOCK);
	return 0;
}

static int take_region(void *ctx, const struct iot_region *r)
{
	(void)ctx;
	say("%d %llx-%llx %u\n", r->group, (unsigned long long)r->first,
	    (unsigned long long)r->last, r->kind);
	return 0;
}

static int take_alias(void *ctx, const char *name, const char *device)
{
	(void)ctx;
	say("%s=%s\n", name, device);
	return 0;
}

static void start(void)
{
	said[0] = 0;
	nr_said = 0;
}

static bool has(const char *line)
{
	const char *at = strstr(said, line);

	return at && (at == said || at[-1] == '\n') && at[strlen(line)] == '\n';
}

static void regions_have_their_kind(void **state)
{
	(void)state;
	start();
	file("kernel/iommu_groups/7/reserved_regions",
	     "0x0000000000000000 0x0000000000ffffff direct-relaxable\n"
	     "0x00000000fee00000 0x00000000feefffff msi\n"
	     "0x0000000008000000 0x00000000080fffff msi\n"
	     "0x00000000000a0000 0x00000000000bffff direct\n"
	     "0x000000fd00000000 0xffffffffffffffff reserved\n"
	     "0x1 0x2 something-new\n"
	     "no region\n");
	assert_int_equal(sysfs__regions(root, 7, take_region, NULL), 0);
	assert_true(has("7 0-ffffff 2"));
	assert_true(has("7 fee00000-feefffff 4"));
	assert_true(has("7 8000000-80fffff 5"));
	assert_true(has("7 a0000-bffff 1"));
	assert_true(has("7 fd00000000-ffffffffffffffff 3"));
	assert_int_equal(nr_said, 5);
	assert_int_equal(sysfs__regions(root, 8, take_region, NULL), 0);
	assert_int_equal(nr_said, 5);
}

static void nodes_and_iommus(void **state)
{
	(void)state;
	start();
	file("devices/system/node/node0/cpulist", "0-3,8\n");
	file("devices/system/node/node12/cpulist", "\n");
	file("devices/system/node/possible", "0-12\n");
	file("class/iommu/dmar0/intel-iommu/version", "1:0\n");
	file("class/iommu/dmar0/intel-iommu/cap", "d2008c40660462\n");
	file("class/iommu/ivhd0/amd-iommu/features", "4f77ef22294ada\n");
	file("class/iommu/smmu3.0x09050000/uevent", "");
	assert_int_equal(sysfs__nodes(root, take, NULL), 0);
	assert_int_equal(sysfs__iommus(root, take, NULL), 0);
	assert_true(has("node.0=0-3,8"));
	assert_true(has("node.12="));
	assert_true(has("iommu.dmar0=version 1:0, cap d2008c40660462"));
	assert_true(has("iommu.ivhd0=features 4f77ef22294ada"));
	assert_true(has("iommu.smmu3.0x09050000="));
	assert_int_equal(nr_said, 5);
}

static void names_lead_to_the_device_that_does_dma(void **state)
{
	(void)state;
	start();
	file(PCI "0000:00:03.0/net/eth0/x", "");
	link_to("class/net/eth0", PCI "0000:00:03.0/net/eth0");
	file(PCI "0000:00:1c.0/0000:05:00.1/nvme/nvme0/nvme0n1/nvme0n1p1/partition", "1");
	link_to("class/nvme/nvme0", PCI "0000:00:1c.0/0000:05:00.1/nvme/nvme0");
	link_to("class/block/nvme0n1", PCI "0000:00:1c.0/0000:05:00.1/nvme/nvme0/nvme0n1");
	link_to("class/block/nvme0n1p1",
		PCI "0000:00:1c.0/0000:05:00.1/nvme/nvme0/nvme0n1/nvme0n1p1");
	file(PCI "0000:00:05.0/virtio2/net/eth1/x", "");
	link_to("class/net/eth1", PCI "0000:00:05.0/virtio2/net/eth1");
	link_to("bus/virtio/devices/virtio2", PCI "0000:00:05.0/virtio2");
	file(PCI "0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/scsi_device/0:0:0:0/x", "");
	file(PCI "0000:00:1f.2/ata1/link1/dev1.0/ata_device/dev1.0/x", "");
	link_to("class/ata_device/dev1.0", PCI "0000:00:1f.2/ata1/link1/dev1.0/ata_device/dev1.0");
	link_to("class/scsi_device/0:0:0:0",
		PCI "0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/scsi_device/0:0:0:0");
	/* not on PCI, but with a group; and two without anything */
	file("devices/platform/soc/fb000000.ethernet/net/end0/x", "");
	file("devices/platform/soc/fb000000.ethernet/iommu_group/x", "");
	link_to("class/net/end0", "devices/platform/soc/fb000000.ethernet/net/end0");
	file("devices/virtual/net/lo/x", "");
	link_to("class/net/lo", "devices/virtual/net/lo");
	link_to("class/net/gone", "devices/virtual/net/gone");
	file(PCI "0000:00:02.0/drm/card0/card0-DP-1/x", "");
	link_to("class/drm/card0", PCI "0000:00:02.0/drm/card0");
	link_to("class/drm/card0-DP-1", PCI "0000:00:02.0/drm/card0/card0-DP-1");
	assert_int_equal(sysfs__aliases(root, take_alias, NULL), 0);
	assert_true(has("eth0=0000:00:03.0"));
	assert_true(has("nvme0=0000:05:00.1"));
	assert_true(has("nvme0n1=0000:05:00.1"));
	assert_true(has("eth1=0000:00:05.0"));
	assert_true(has("virtio2=0000:00:05.0"));
	assert_true(has("0:0:0:0=0000:00:1f.2"));
	assert_true(has("ata1.00=0000:00:1f.2"));
	assert_true(has("end0=fb000000.ethernet"));
	assert_true(has("card0=0000:00:02.0"));
	assert_int_equal(nr_said, 9);
}

static struct iot_device device(uint32_t nr, const char *name, int32_t group)
{
	struct iot_device d = { .group = group, .bus = "pci" };

	facts__header(&d.h, IOT_EV_DEVICE, sizeof(d.h));
	d.h.len = sizeof(d);
	d.h.dev = nr;
	snprintf(d.name, sizeof(d.name), "%s", name);
	return d;
}

static void tables_tell_what_is_new_only(void **state)
{
	struct world *w = world__new(take, NULL, root, -1, -1);
	struct iot_device a = device(1, "0000:00:03.0", 7), b = device(5, "0000:00:04.0", 7),
			  again = device(9, "0000:00:03.0", 8);
	uint64_t now = facts__now();

	(void)state;
	start();
	assert_non_null(w);
	file("kernel/iommu_groups/7/reserved_regions", "0xfee00000 0xfeefffff msi\n");
	file("kernel/iommu_groups/8/reserved_regions", "0xfee00000 0xfeefffff msi\n");
	file(PCI "0000:00:03.0/net/eth0/x", "");
	link_to("class/net/eth0", PCI "0000:00:03.0/net/eth0");
	file("drivers/e1000e/x", "");
	link_to("bus/pci/devices/0000:00:03.0/driver", "drivers/e1000e");
	assert_int_equal(world__device(w, &a), 0);
	assert_string_equal(a.driver, "e1000e");
	assert_true(a.rid_known && a.rid == 0x18);
	assert_int_equal(world__device(w, &b), 0);
	assert_string_equal(said, "region 7 fee00000-feefffff 4\n");
	assert_int_equal(world__tell(w), 0);
	assert_true(has("alias.eth0=0000:00:03.0"));
	assert_int_equal(nr_said, 2);
	assert_int_equal(world__tell(w), 0);
	assert_int_equal(nr_said, 2);

	/* the name moves to another device: told when it is looked for, not before */
	file(PCI "0000:00:04.0/net/eth0/x", "");
	link_to("class/net/eth0", PCI "0000:00:04.0/net/eth0");
	assert_int_equal(world__tick(w, now + 2000000000), 0);
	assert_int_equal(nr_said, 2);
	world__changed(w);
	assert_int_equal(world__tick(w, now + 3000000000), 0);
	assert_true(has("alias.eth0=0000:00:04.0"));
	assert_int_equal(nr_said, 3);
	/* and once more when names have settled */
	link_to("class/net/eth0", PCI "0000:00:03.0/net/eth0");
	assert_int_equal(world__tick(w, now + 5000000000), 0);
	assert_int_equal(nr_said, 3);
	assert_int_equal(world__tick(w, now + 11000000000), 0);
	assert_int_equal(nr_said, 4);

	/* a device that was plugged in again has a new number */
	assert_int_equal(world__find(w, "0000:00:03.0"), 1);
	assert_int_equal(world__device(w, &again), 0);
	assert_true(has("region 8 fee00000-feefffff 4"));
	assert_int_equal(world__find(w, "0000:00:03.0"), 9);
	assert_int_equal(world__find(w, "0000:00:04.0"), 5);
	assert_int_equal(world__find(w, "0000:00:05.0"), 0);
	assert_int_equal(world__find(w, ""), 0);
	world__free(w);
}

/* The kernel takes the link away before the device. */
static void a_virtual_function_stays_one(void **state)
{
	struct iot_device vf = device(1, "0000:01:10.0", 7);
	char link[PATH_MAX];

	(void)state;
	file(PCI "0000:01:00.0/x", "");
	file("drivers/igbvf/x", "");
	link_to("bus/pci/devices/0000:01:10.0/physfn", PCI "0000:01:00.0");
	link_to("bus/pci/devices/0000:01:10.0/driver", "drivers/igbvf");
	sysfs__device(&vf, root);
	assert_string_equal(vf.physfn, "0000:01:00.0");
	assert_string_equal(vf.driver, "igbvf");
	snprintf(link, sizeof(link), "%s/bus/pci/devices/0000:01:10.0/physfn", root);
	assert_int_equal(unlink(link), 0);
	snprintf(link, sizeof(link), "%s/bus/pci/devices/0000:01:10.0/driver", root);
	assert_int_equal(unlink(link), 0);
	sysfs__device(&vf, root);
	assert_string_equal(vf.physfn, "0000:01:00.0");
	assert_string_equal(vf.driver, "igbvf");
}

static void aer_is_put_into_words(void **state)
{
	struct iot_raw_aer raw = { .status = 1 << 6, .severity = IOT_AER_CORRECTED };
	struct iot_trouble e;

	(void)state;
	raw.h.ts = 42;
	raw.h.id = IOT_RAW_AER;
	raw.h.len = sizeof(raw);
	snprintf(raw.name, sizeof(raw.name), "0000:00:1c.0");
	aer__event(&raw, 3, &e);
	assert_int_equal(e.h.id, IOT_EV_ERROR);
	assert_int_equal(e.h.len, sizeof(e));
	assert_true(e.h.ts == 42 && e.h.dev == 3 && e.kind == IOT_ERROR_AER && e.queue == -1);
	assert_string_equal(e.what, "AER corrected: Bad TLP");
	raw.severity = IOT_AER_NONFATAL;
	raw.status = 1 << 20;
	aer__event(&raw, 3, &e);
	assert_string_equal(e.what, "AER non-fatal: Unsupported Request");
	raw.severity = IOT_AER_FATAL;
	raw.status = 1 << 18 | 1 << 20;
	aer__event(&raw, 3, &e);
	assert_string_equal(e.what, "AER fatal: Malformed TLP +");
	raw.status = 1U << 31;
	aer__event(&raw, 0, &e);
	assert_int_equal(e.h.dev, 0);
	assert_string_equal(e.what, "AER fatal 0000:00:1c.0: bit 31");
	raw.status = 0;
	aer__event(&raw, 3, &e);
	assert_string_equal(e.what, "AER fatal: no error bit");
	/* names are cut, never run over */
	memset(raw.name, 'x', sizeof(raw.name));
	aer__event(&raw, 0, &e);
	assert_int_equal(strlen(e.what), sizeof(e.what) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(regions_have_their_kind, make_root, remove_root),
		cmocka_unit_test_setup_teardown(nodes_and_iommus, make_root, remove_root),
		cmocka_unit_test_setup_teardown(names_lead_to_the_device_that_does_dma, make_root,
						remove_root),
		cmocka_unit_test_setup_teardown(tables_tell_what_is_new_only, make_root,
						remove_root),
		cmocka_unit_test_setup_teardown(a_virtual_function_stays_one, make_root,
						remove_root),
		cmocka_unit_test(aer_is_put_into_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

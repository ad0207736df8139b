// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes real devices misbehave, from user space and with the kernel's own drivers: writes their
 * registers (needs root, and iomem=relaxed where a driver has the device) or, for NVMe, sends
 * commands that the driver knows nothing of. Prints CLOCK_MONOTONIC in ns from just before it did
 * it. Exit codes: 0; 1 it failed; 2 usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/nvme_ioctl.h>

#define BAR_BYTES 0x20000

/* QEMU's docs/specs/edu.rst */
#define EDU_BYTES  0x100000
#define EDU_SRC    0x80
#define EDU_DST    0x88
#define EDU_LEN    0x90
#define EDU_CMD    0x98
#define EDU_BUFFER 0x40000

/* The controllers' datasheets: 82574 (e1000e) 10.2, 82576 (igb) 8.12 */
#define TCTL            0x400
#define TCTL_EN         (1U << 1)
#define E1000E_TDBAL(n) (0x3800U + 0x100U * (n))
#define IGB_TDBAL(n)    (0xe000U + 0x40U * (n))
#define QUEUES_MAX      16
#define E1000E_TDLEN    0x3808
#define E1000E_TDH      0x3810
#define E1000E_TDT      0x3818
#define RING_BYTES      4096U
#define DESCRIPTOR      16U

/* NVM Express base specification, 5: admin commands */
#define NVME_DELETE_SQ 0x00
#define NVME_CREATE_SQ 0x01
/* As Linux has them (io_queue_depth), or a tail that it writes would be refused. */
#define NVME_QUEUE_ENTRIES 1024U

static int failed(const char *what)
{
	fprintf(stderr, "devpoke: %s: %s\n", what, strerror(errno));
	return 1;
}

static void say_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
}

static bool number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && end != text && !*end && *value <= max;
}

/* The device's registers; NULL: errno. */
static volatile void *bar0(const char *slot, size_t bytes)
{
	char path[128];
	void *at;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", slot);
	fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return at == MAP_FAILED ? NULL : at;
}

/* Memory and bus mastering on, for a device that has no driver. */
static int enable(const char *slot)
{
	char path[128];
	uint16_t command;
	int fd, rc = -1;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", slot);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (pread(fd, &command, sizeof(command), 4) == sizeof(command)) {
		command |= 6;
		rc = pwrite(fd, &command, sizeof(command), 4) == sizeof(command) ? 0 : -1;
	}
	close(fd);
	return rc;
}

/* The registers of an edu that may do DMA now; NULL: it was said why not. */
static volatile uint64_t *edu_regs(const char *slot)
{
	volatile uint64_t *regs = NULL;

	if (enable(slot))
		failed("cannot enable the device");
	else if (!(regs = bar0(slot, EDU_BYTES)))
		failed("cannot map the device's registers");
	return regs;
}

/* edu SLOT write|read IOVA: the device moves 64 bytes to or from memory, 100 ms from now. */
static int edu(char **arg)
{
	bool write = !strcmp(arg[1], "write");
	volatile uint64_t *regs;
	uint64_t iova;

	if ((!write && strcmp(arg[1], "read")) || !number(arg[2], UINT64_MAX, &iova))
		return 2;
	regs = edu_regs(arg[0]);
	if (!regs)
		return 1;
	say_time();
	regs[EDU_SRC / 8] = write ? EDU_BUFFER : iova;
	regs[EDU_DST / 8] = write ? iova : EDU_BUFFER;
	regs[EDU_LEN / 8] = 64;
	regs[EDU_CMD / 8] = 1 | (write ? 2 : 0);
	return 0;
}

/*
 * reads SLOT TIMES IOVA: edu reads 4 bytes, which is one access, of so many pages, one after the
 * other: each takes 100 ms.
 */
static int reads(char **arg)
{
	volatile uint64_t *regs;
	uint64_t times, iova;

	if (!number(arg[1], UINT32_MAX, &times) || !number(arg[2], UINT64_MAX, &iova))
		return 2;
	regs = edu_regs(arg[0]);
	if (!regs)
		return 1;
	say_time();
	for (uint64_t n = 0; n < times; n++) {
		unsigned int ms = 0;

		regs[EDU_SRC / 8] = iova + n * 4096;
		regs[EDU_DST / 8] = EDU_BUFFER;
		regs[EDU_LEN / 8] = 4;
		regs[EDU_CMD / 8] = 1;
		for (; regs[EDU_CMD / 8] & 1; ms++) {
			if (ms == 30000) {
				errno = ETIMEDOUT;
				return failed("the device does not come to rest");
			}
			usleep(1000);
		}
	}
	return 0;
}

/* ring SLOT e1000e|igb QUEUES IOVA: the transmit rings of these queues are at another address. */
static int ring(char **arg)
{
	bool igb = !strcmp(arg[1], "igb");
	volatile uint32_t *regs;
	uint64_t iova, queues;

	if ((!igb && strcmp(arg[1], "e1000e")) || !number(arg[2], igb ? QUEUES_MAX : 2, &queues) ||
	    !number(arg[3], UINT64_MAX, &iova))
		return 2;
	regs = bar0(arg[0], BAR_BYTES);
	if (!regs)
		return failed("cannot map the device's registers (iomem=relaxed?)");
	say_time();
	for (unsigned int n = 0; n < queues; n++) {
		unsigned int low = igb ? IGB_TDBAL(n) : E1000E_TDBAL(n);

		regs[low / 4 + 1] = (uint32_t)(iova >> 32);
		regs[low / 4] = (uint32_t)iova;
	}
	return 0;
}

/*
 * burst SLOT TIMES IOVA: an e1000e that has no driver looks so often for a descriptor in a ring at
 * that address, one after the other, as fast as it can be told to.
 */
static int burst(char **arg)
{
	volatile uint32_t *regs;
	uint64_t iova, times;

	if (!number(arg[1], UINT32_MAX, &times) || !number(arg[2], UINT64_MAX, &iova))
		return 2;
	if (enable(arg[0]))
		return failed("cannot enable the device");
	regs = bar0(arg[0], BAR_BYTES);
	if (!regs)
		return failed("cannot map the device's registers (iomem=relaxed?)");
	say_time();
	regs[TCTL / 4] |= TCTL_EN;
	regs[E1000E_TDBAL(0) / 4 + 1] = (uint32_t)(iova >> 32);
	regs[E1000E_TDBAL(0) / 4] = (uint32_t)iova;
	regs[E1000E_TDLEN / 4] = RING_BYTES;
	for (uint64_t n = 0; n < times; n++)
		regs[E1000E_TDT / 4] = (regs[E1000E_TDH / 4] + 1) % (RING_BYTES / DESCRIPTOR);
	regs[TCTL / 4] &= ~TCTL_EN;
	return 0;
}

/* mute SLOT: a network card of either kind transmits no more, and says nothing of it. */
static int mute(char **arg)
{
	volatile uint32_t *regs = bar0(arg[0], BAR_BYTES);

	if (!regs)
		return failed("cannot map the device's registers (iomem=relaxed?)");
	say_time();
	regs[TCTL / 4] &= ~TCTL_EN;
	return 0;
}

static int admin(int fd, struct nvme_admin_cmd *cmd, const char *what)
{
	int rc = ioctl(fd, NVME_IOCTL_ADMIN_CMD, cmd);

	if (rc < 0)
		return failed(what);
	if (rc)
		fprintf(stderr, "devpoke: %s: NVMe status 0x%x\n", what, (unsigned int)rc);
	return rc ? 1 : 0;
}

/* nvme DEVICE QUEUES: the submission queues 1 to QUEUES are at address 0, where nothing is mapped.
 */
static int nvme(char **arg)
{
	uint64_t queues;
	int fd, rc = 0;

	if (!number(arg[1], QUEUES_MAX, &queues))
		return 2;
	fd = open(arg[0], O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return failed(arg[0]);
	say_time();
	for (uint32_t id = 1; !rc && id <= queues; id++) {
		struct nvme_admin_cmd gone = { .opcode = NVME_DELETE_SQ, .cdw10 = id };
		/* No data, hence no PRP. Physically contiguous; completions where they went before.
		 */
		struct nvme_admin_cmd back = { .opcode = NVME_CREATE_SQ,
					       .cdw10 = (NVME_QUEUE_ENTRIES - 1) << 16 | id,
					       .cdw11 = id << 16 | 1 };

		rc = admin(fd, &gone, "delete a submission queue");
		rc = rc ? rc : admin(fd, &back, "create a submission queue");
	}
	close(fd);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name, *args;
		int nr;
		int (*run)(char **arg);
	} commands[] = {
		{ "edu", "SLOT write|read IOVA", 3, edu },
		{ "reads", "SLOT TIMES IOVA", 3, reads },
		{ "ring", "SLOT e1000e|igb QUEUES IOVA", 4, ring },
		{ "burst", "SLOT TIMES IOVA", 3, burst },
		{ "mute", "SLOT", 1, mute },
		{ "nvme", "DEVICE QUEUES", 2, nvme },
	};
	int rc = 2;

	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name) && argc - 2 == commands[i].nr)
			rc = commands[i].run(argv + 2);
	if (rc == 2)
		for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
			fprintf(stderr, "%s devpoke %s %s\n",
				i ? "      " : "usage:", commands[i].name, commands[i].args);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes become events_0 of a session on a memory file system; it is repaired, and must then be
 * whole and hold what could be read before.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/check.h"
#include "session/crc32c.h"
#include "session/reader.h"
#include "session/repair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static char dir[64], name[96], rare[96];
static uint8_t uuid[16];

static void remove_it(void)
{
	char path[128];

	unlink(name);
	unlink(rare);
	snprintf(path, sizeof(path), "%s/ctf/metadata", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/ctf", dir);
	rmdir(path);
	rmdir(dir);
}

/* Short, since most of the time would be spent on it; and no stream yet. */
static void make_session(void)
{
	static const char format[] =
		"/* CTF 1.8 */ trace { uuid = \"30313233-3435-3637-3839-616263646566\"; "
		"byte_order = %s; }; env { tracer_name = \"iommutop\"; format_version = 1; };"
		"clock { uuid = \"00000000-0000-4000-8000-000000000000\"; };";
	char path[128];
	FILE *f;

	memcpy(uuid, "0123456789abcdef", 16);
	snprintf(dir, sizeof(dir), "/dev/shm/fuzz_repair.%d", (int)getpid());
	snprintf(name, sizeof(name), "%s/ctf/events_0", dir);
	snprintf(rare, sizeof(rare), "%s/ctf/rare_0", dir);
	snprintf(path, sizeof(path), "%s/ctf", dir);
	if (mkdir(dir, 0700) || mkdir(path, 0700))
		abort();
	snprintf(path, sizeof(path), "%s/ctf/metadata", dir);
	f = fopen(path, "w");
	if (!f || fprintf(f, format, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "le" : "be") < 0 ||
	    fclose(f))
		abort();
	atexit(remove_it);
}

static void store(const uint8_t *data, size_t bytes)
{
	static struct crc32c crc;
	uint8_t *copy = aligned_alloc(8, bytes / 8 * 8 + 8);
	size_t at = 0;
	int fd;

	if (!crc.update)
		crc32c__init(&crc);
	memcpy(copy, data, bytes);
	while (bytes - at >= sizeof(struct packet_head)) {
		struct packet_head *h = (struct packet_head *)(copy + at);

		/* the input says, by an odd checksum, that it is to be made right */
		h->magic = PACKET_MAGIC;
		memcpy(h->uuid, uuid, 16);
		if (h->content_size < sizeof(*h) * 8 || h->content_size % 64 ||
		    h->content_size / 8 > bytes - at)
			break;
		h->packet_size = h->content_size;
		if (h->crc32c & 1) {
			h->crc32c = 0;
			h->crc32c = ~crc32c__update(&crc, CRC32C_START, h, h->content_size / 8);
		}
		at += h->content_size / 8;
	}
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, copy, bytes) != (ssize_t)bytes) {
		perror(name); /* the machine's fault, not the code's */
		abort();
	}
	close(fd);
	free(copy);
}

/* Sum of the events that are in the files, but the losses that a repair put there. */
static uint64_t read_all(uint64_t *events)
{
	const struct iot_event *ev;
	struct session_reader *r;
	struct error err = { "" };
	uint64_t sum = 0;

	*events = 0;
	if (session_reader__open(&r, dir, &err))
		abort();
	while (session_reader__next(r, &ev) == 1) {
		if (!session_reader__file(r)[0] || !strcmp(session_reader__file(r), "rare_0"))
			continue;
		++*events;
		for (int i = 0; i < ev->len / 8; i++)
			sum = sum * 31 + ((const uint64_t *)ev)[i];
	}
	session_reader__close(r);
	return sum;
}

static void finding(void *ctx, const struct check_finding *f)
{
	(void)ctx;
	assert(!check__is_damage(f));
}

static void step(void *ctx, const struct repair_step *s)
{
	(void)ctx, (void)s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	uint64_t before, after, events_before, events_after;
	struct check_total total;
	struct error err = { "" };
	struct session_dir d;

	if (!dir[0])
		make_session();
	unlink(rare);
	store(data, bytes);
	before = read_all(&events_before);
	if (session__repair(dir, false, step, NULL, &err))
		abort();
	after = read_all(&events_after);
	assert(before == after && events_before == events_after);
	assert(!session_dir__open(&d, dir, &err));
	assert(!check__session(&d, finding, NULL, &total, &err));
	session_dir__close(&d);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD 8192    /* bytes; no record is longer (Documentation/ABI/testing/dev-kmsg) */
#define LINES  1000000 /* nobody logs more in a while: it is no log that is read there */

int kmsg__mark(const char *line)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "<6>%s\n", line), ret = 0;
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* one write is one line of the log */
	if (write(fd, text, (size_t)n) != n)
		ret = -(errno ?: EIO);
	close(fd);
	return ret;
}

int kmsg__open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (lseek(fd, 0, SEEK_END) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

bool kmsg__has(int fd, bool (*is)(void *ctx, const char *line, size_t len), void *ctx)
{
	char record[RECORD];
	bool has = false;

	for (unsigned int i = 0; i < LINES && !has; i++) {
		/* one read is one record: "6,339,5140900,-;text\n", then indented lines */
		ssize_t n = read(fd, record, sizeof(record));
		const char *end = n > 0 ? record + n : record, *text, *line;

		if (n < 0 && (errno == EPIPE || errno == EINTR)) /* EPIPE: it was overwritten */
			continue;
		if (n <= 0)
			break;
		text = memchr(record, ';', (size_t)n);
		line = text ? memchr(text, '\n', (size_t)(end - text)) : NULL;
		if (line)
			has = is(ctx, text + 1, (size_t)(line - text));
	}
	return has;
}

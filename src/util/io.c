// SPDX-License-Identifier: GPL-2.0-only
#include "util/io.h"

#include <errno.h>
#include <unistd.h>

int io__write(int fd, const void *data, size_t bytes)
{
	const char *at = data;
	ssize_t n;

	while (bytes) {
		n = write(fd, at, bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		bytes -= (size_t)n;
	}
	return 0;
}

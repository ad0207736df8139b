// SPDX-License-Identifier: GPL-2.0-only
#include "kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

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

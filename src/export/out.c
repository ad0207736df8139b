// SPDX-License-Identifier: GPL-2.0-only
#include "export/out.h"
#include "util/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (256 * 1024)

static void set_free(struct out *o)
{
	free(o->path);
	free(o->partial);
	free(o->buf);
	*o = (struct out){ 0 };
}

/* Another's data: a new file is for its owner alone, as the session is. */
static int open_file(struct out *o, const char *path)
{
	struct stat st;

	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		if (S_ISDIR(st.st_mode))
			return -EISDIR;
		o->fd = open(path, O_WRONLY | O_CLOEXEC);
		return o->fd < 0 ? -errno : 0;
	}
	if (asprintf(&o->partial, "%s.partial", path) < 0) {
		o->partial = NULL;
		return -ENOMEM;
	}
	o->fd = open(o->partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	return o->fd < 0 ? -errno : 0;
}

int out__open(struct out *o, const char *path, struct error *err)
{
	int ret = 0;

	*o = (struct out){ .is_stdout = !strcmp(path, "-") };
	o->path = strdup(o->is_stdout ? "standard output" : path);
	o->buf = malloc(BUFFER);
	if (!o->path || !o->buf)
		ret = -ENOMEM;
	else if (o->is_stdout)
		o->fd = STDOUT_FILENO;
	else
		ret = open_file(o, path);
	if (ret) {
		error__set(err, ret, "cannot create %s: %s", path, strerror(-ret));
		set_free(o);
		return ret;
	}
	o->is_open = true;
	return 0;
}

static void write_all(struct out *o, const char *data, size_t nr)
{
	if (!o->error)
		o->error = io__write(o->fd, data, nr);
}

static void flush(struct out *o)
{
	write_all(o, o->buf, o->nr);
	o->nr = 0;
}

char *out__room(struct out *o, size_t nr)
{
	if (BUFFER - o->nr < nr)
		flush(o);
	return o->buf + o->nr;
}

void out__used(struct out *o, size_t nr)
{
	o->nr += nr;
	o->offset += nr;
}

void out__write(struct out *o, const void *data, size_t nr)
{
	if (!nr)
		return;
	if (BUFFER - o->nr < nr)
		flush(o);
	o->offset += nr;
	if (nr > BUFFER) {
		write_all(o, data, nr);
		return;
	}
	memcpy(o->buf + o->nr, data, nr);
	o->nr += nr;
}

int out__commit(struct out *o, struct error *err)
{
	int ret;

	flush(o);
	ret = o->error;
	if (!o->is_stdout && close(o->fd) && !ret)
		ret = -errno;
	if (!ret && o->partial && rename(o->partial, o->path))
		ret = -errno;
	if (ret) {
		error__set(err, ret, "cannot write %s: %s%s", o->path, strerror(-ret),
			   o->partial ? "; what was written of it has been removed" : "");
		if (o->partial)
			unlink(o->partial);
	}
	set_free(o);
	return ret;
}

void out__abort(struct out *o)
{
	if (!o->is_open)
		return;
	if (!o->is_stdout)
		close(o->fd);
	if (o->partial)
		unlink(o->partial);
	set_free(o);
}

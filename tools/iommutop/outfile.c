// SPDX-License-Identifier: GPL-2.0-only
#include "outfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool outfile__is_stdout(const char *path)
{
	return !strcmp(path, "-") || !strcmp(path, "/dev/stdout");
}

int outfile__open(struct outfile *o, const char *path, struct error *err)
{
	const char *name = path;
	struct stat st;
	int ret;

	*o = (struct outfile){ .path = path };
	if (outfile__is_stdout(path)) {
		o->out = stdout;
		return 0;
	}
	/* never rename() over what isn't a file of its own: as root that takes /dev/stdout away */
	if (lstat(path, &st) ? errno == ENOENT : S_ISREG(st.st_mode)) {
		if (asprintf(&o->part, "%s.part", path) < 0) {
			o->part = NULL;
			return error__set(err, -ENOMEM, "cannot write %s: out of memory", path);
		}
		name = o->part;
	}
	o->out = fopen(name, "we");
	if (o->out)
		return 0;
	ret = error__set(err, -errno, "cannot write %s: %s", name, strerror(errno));
	free(o->part);
	o->part = NULL;
	return ret;
}

int outfile__commit(struct outfile *o, struct error *err)
{
	int ret = 0;

	/* of a write that failed long before, errno is the best there is */
	if (fflush(o->out) || ferror(o->out))
		ret = -(errno ?: EIO);
	if (o->out != stdout && fclose(o->out) && !ret)
		ret = -errno;
	o->out = NULL;
	if (!ret && o->part && rename(o->part, o->path))
		ret = -errno;
	if (ret)
		error__set(err, ret, "cannot write %s: %s",
			   outfile__is_stdout(o->path) ? "standard output" : o->path,
			   strerror(-ret));
	if (ret && o->part)
		remove(o->part);
	free(o->part);
	o->part = NULL;
	return ret;
}

void outfile__drop(struct outfile *o)
{
	if (!o->out)
		return;
	if (o->out != stdout)
		fclose(o->out);
	if (o->part)
		remove(o->part);
	free(o->part);
	*o = (struct outfile){ 0 };
}

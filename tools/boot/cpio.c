// SPDX-License-Identifier: GPL-2.0-only
#include "cpio.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "strv.h"

struct cpio {
	FILE *file;
	char *name; /* of the archive, for messages */
	struct strv dirs;
	struct strv others;
	uint32_t ino;
};

int cpio__create(const char *path, struct cpio **out, struct error *err)
{
	struct cpio *c = calloc(1, sizeof(*c));

	if (!c || !(c->name = strdup(path))) {
		free(c);
		return error__set(err, -ENOMEM, "no memory to write %s", path);
	}
	c->file = fopen(path, "we");
	if (!c->file) {
		int code = -errno;

		free(c->name);
		free(c);
		return error__set(err, code, "cannot create the initramfs %s: %s", path,
				  strerror(-code));
	}
	*out = c;
	return 0;
}

static int cpio__write(struct cpio *c, const void *data, size_t len, struct error *err)
{
	if (len && fwrite(data, len, 1, c->file) != 1)
		return error__set(err, -EIO,
				  "writing the initramfs %s failed: %s (is the disk full?)",
				  c->name, strerror(errno));
	return 0;
}

static int cpio__pad(struct cpio *c, uint64_t len, struct error *err)
{
	return cpio__write(c, "\0\0\0", (4 - len % 4) % 4, err);
}

/* The header: 110 characters, then the name with its NUL, together padded to 4. */
static int cpio__header(struct cpio *c, const char *path, mode_t mode, uint64_t len,
			unsigned int major, unsigned int minor, struct error *err)
{
	size_t name_len = strlen(path) + 1;
	char head[111];
	int code;

	if (len > UINT32_MAX)
		return error__set(err, -EFBIG, "%s is too large for an initramfs (4 GiB and more)",
				  path);
	c->ino++;
	snprintf(head, sizeof(head), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		 (unsigned int)c->ino, (unsigned int)mode, 0U, 0U, S_ISDIR(mode) ? 2U : 1U, 0U,
		 (unsigned int)len, 0U, 0U, major, minor, (unsigned int)name_len, 0U);
	code = cpio__write(c, head, 110, err);
	if (!code)
		code = cpio__write(c, path, name_len, err);
	return code ?: cpio__pad(c, 110 + name_len, err);
}

/* Adds the directories above path. */
static int cpio__parents(struct cpio *c, const char *path, struct error *err)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *dir = strndup(path, (size_t)(slash - path));
		int code = dir ? 0 : error__set(err, -ENOMEM, "no memory to add %s", path);

		if (!code && !strv__has(&c->dirs, dir))
			code = cpio__add_dir(c, dir, 0755, err);
		free(dir);
		if (code)
			return code;
	}
	return 0;
}

/* What comes before every entry: a sane new path, its parents, and a note that it's there. */
static int cpio__begin(struct cpio *c, const char *path, struct strv *list, struct error *err)
{
	int code;

	if (!*path || *path == '/' || path[strlen(path) - 1] == '/')
		return error__set(err, -EINVAL, "'%s' is no path below the guest's root", path);
	if (strv__has(&c->others, path) || strv__has(&c->dirs, path))
		return error__set(err, -EEXIST, "/%s is put into the guest twice", path);
	code = cpio__parents(c, path, err);
	if (!code && strv__add(list, path))
		code = error__set(err, -ENOMEM, "no memory to add %s", path);
	return code;
}

int cpio__add_dir(struct cpio *c, const char *path, mode_t mode, struct error *err)
{
	int code;

	if (strv__has(&c->dirs, path))
		return 0;
	code = cpio__begin(c, path, &c->dirs, err);
	return code ?: cpio__header(c, path, S_IFDIR | (mode & 07777), 0, 0, 0, err);
}

static int cpio__add_bytes(struct cpio *c, const char *path, mode_t mode, const void *data,
			   size_t len, struct error *err)
{
	int code = cpio__begin(c, path, &c->others, err);

	if (!code)
		code = cpio__header(c, path, mode, len, 0, 0, err);
	if (!code)
		code = cpio__write(c, data, len, err);
	return code ?: cpio__pad(c, len, err);
}

int cpio__add_data(struct cpio *c, const char *path, mode_t mode, const void *data, size_t len,
		   struct error *err)
{
	return cpio__add_bytes(c, path, S_IFREG | (mode & 07777), data, len, err);
}

int cpio__add_symlink(struct cpio *c, const char *path, const char *target, struct error *err)
{
	return cpio__add_bytes(c, path, S_IFLNK | 0777, target, strlen(target), err);
}

int cpio__add_char_device(struct cpio *c, const char *path, mode_t mode, unsigned int major,
			  unsigned int minor, struct error *err)
{
	int code = cpio__begin(c, path, &c->others, err);

	return code ?: cpio__header(c, path, S_IFCHR | (mode & 07777), 0, major, minor, err);
}

static int cpio__add_host_dir(struct cpio *c, const char *path, const char *host, struct error *err)
{
	struct dirent **names = NULL;
	int nr, code = 0;

	/* Sorted, so that equal trees make equal archives. */
	nr = scandir(host, &names, NULL, alphasort);
	if (nr < 0)
		return error__set(err, -errno, "cannot read the directory %s: %s", host,
				  strerror(errno));
	for (int i = 0; i < nr; i++) {
		const char *name = names[i]->d_name;
		char *from = NULL, *to = NULL;

		if (!code && strcmp(name, ".") && strcmp(name, "..")) {
			if (asprintf(&from, "%s/%s", host, name) < 0 ||
			    asprintf(&to, "%s/%s", path, name) < 0)
				code = error__set(err, -ENOMEM, "no memory to add %s", host);
			else
				code = cpio__add_host(c, to, from, err);
			free(from);
			free(to);
		}
		free(names[i]);
	}
	free(names);
	return code;
}

int cpio__add_host(struct cpio *c, const char *path, const char *host, struct error *err)
{
	FILE *from = NULL;
	char *data = NULL;
	struct stat st;
	int code = 0;

	if (stat(host, &st))
		return error__set(err, -errno, "cannot put %s into the guest: %s", host,
				  strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		code = cpio__add_dir(c, path, st.st_mode, err);
		return code ?: cpio__add_host_dir(c, path, host, err);
	}
	if (!S_ISREG(st.st_mode))
		return error__set(err, -EINVAL,
				  "cannot put %s into the guest: neither file nor directory", host);
	from = fopen(host, "re");
	data = malloc((size_t)st.st_size + 1);
	if (!from || !data || fread(data, 1, (size_t)st.st_size, from) != (size_t)st.st_size)
		code = error__set(err, from && data ? -EIO : -errno, "cannot read %s: %s", host,
				  strerror(errno));
	else
		code = cpio__add_data(c, path, st.st_mode, data, (size_t)st.st_size, err);
	free(data);
	if (from)
		fclose(from);
	return code;
}

int cpio__close(struct cpio *c, struct error *err)
{
	int code;

	if (!c)
		return 0;
	/* The trailer's inode number is not looked at. */
	code = cpio__header(c, "TRAILER!!!", 0, 0, 0, 0, err);
	if (fclose(c->file) && !code)
		code = error__set(err, -errno,
				  "writing the initramfs %s failed: %s (is the disk full?)",
				  c->name, strerror(errno));
	strv__free(&c->dirs);
	strv__free(&c->others);
	free(c->name);
	free(c);
	return code;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "session/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define METADATA_MAX (1u << 20) /* bytes; ours has about 10 KiB */

static int open_regular(int dirfd, const char *name, struct stat *st)
{
	int fd, rc;

	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = fstat(fd, st) ? -errno : S_ISREG(st->st_mode) ? 0 : -EINVAL;
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

static int read_all(int fd, char *text, size_t bytes, size_t *got)
{
	ssize_t n;

	for (*got = 0; *got < bytes; *got += (size_t)n) {
		n = read(fd, text + *got, bytes - *got);
		if (n < 0)
			return -errno;
		if (!n)
			break;
	}
	text[*got] = 0;
	return 0;
}

static int read_metadata(struct session_dir *d, const char *dir, struct error *err)
{
	struct error why = { "" };
	char *text = NULL;
	struct stat st;
	size_t got;
	int fd, rc;

	fd = open_regular(d->ctf, "metadata", &st);
	if (fd < 0)
		return error__set(err, fd == -EINVAL ? -EBADMSG : fd,
				  "cannot read session %s: ctf/metadata: %s", dir,
				  fd == -EINVAL ? "it is not a plain file" : strerror(-fd));
	if ((uint64_t)st.st_size > METADATA_MAX) {
		rc = error__set(
			err, -EBADMSG,
			"cannot read session %s: ctf/metadata has %lld bytes; no iommutop writes "
			"that much",
			dir, (long long)st.st_size);
		goto out;
	}
	text = malloc((size_t)st.st_size + 1);
	if (!text) {
		rc = error__set(err, -ENOMEM, "cannot read session %s: out of memory", dir);
		goto out;
	}
	rc = read_all(fd, text, (size_t)st.st_size, &got);
	if (rc) {
		error__set(err, rc, "cannot read session %s: ctf/metadata: %s", dir, strerror(-rc));
		goto out;
	}
	rc = metadata__parse(&d->metadata, text, got, &why);
	if (rc)
		error__set(err, rc, "cannot read session %s: ctf/metadata: %s", dir, why.text);
out:
	free(text);
	close(fd);
	return rc;
}

static int is_plain_stream(const struct dirent *e)
{
	return e->d_name[0] != '.' && strcmp(e->d_name, "metadata");
}

static int is_packed_stream(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 4 && !strcmp(e->d_name + len - 4, ".zst");
}

static int add_files(struct session_dir *d, int fd, bool compressed)
{
	struct dirent **list = NULL;
	struct session_file *more;
	struct stat st;
	int rc = 0, n, i;

	/* versionsort: events_10 follows events_9 */
	n = scandirat(fd, ".", &list, compressed ? is_packed_stream : is_plain_stream, versionsort);
	if (n < 0)
		return -errno;
	more = realloc(d->files, (d->nr_files + (size_t)n + 1) * sizeof(*more));
	if (more)
		d->files = more;
	else
		rc = -ENOMEM;
	for (i = 0; i < n; i++) {
		/* what is no file (a directory, a link) is no part of the trace */
		if (!rc && !fstatat(fd, list[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode)) {
			more = &d->files[d->nr_files];
			*more = (struct session_file){ strdup(list[i]->d_name), compressed };
			if (more->name)
				d->nr_files++;
			else
				rc = -ENOMEM;
		}
		free(list[i]);
	}
	free(list);
	if (!rc && d->nr_files > SESSION_STREAMS_MAX)
		rc = -E2BIG;
	return rc;
}

static int find_streams(struct session_dir *d, const char *dir, struct error *err)
{
	int rc = add_files(d, d->ctf, false);

	if (!rc && d->zst >= 0)
		rc = add_files(d, d->zst, true);
	if (rc == -E2BIG)
		return error__set(err, rc, "cannot read session %s: more than %u streams", dir,
				  SESSION_STREAMS_MAX);
	if (rc)
		return error__set(err, rc, "cannot read session %s: its streams: %s", dir,
				  strerror(-rc));
	return 0;
}

static const char *what_to_do(int err)
{
	if (err == EACCES)
		return "sessions are their owner's only (mode 0700): read it as that user or as "
		       "root";
	return err == ENOTDIR ? "name the directory that record -o was given, or a log with --klog"
			      : "name the directory that record -o was given";
}

static int open_dirs(struct session_dir *d, const char *dir, struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int dirfd, rc = 0;

	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return error__set(err, -errno, "cannot read session %s: %s; %s", dir,
				  strerror(errno), what_to_do(errno));
	d->ctf = openat(dirfd, "ctf", flags);
	if (d->ctf < 0) {
		rc = -errno;
		/* babeltrace2 takes the directory within: people give us the same */
		error__set(err, rc,
			   "cannot read session %s: it is no session: its directory ctf: %s%s", dir,
			   strerror(-rc),
			   faccessat(dirfd, "metadata", F_OK, 0)
				   ? "; name the directory that record -o was given"
				   : "; this is within one: name the directory above");
	}
	if (!rc) {
		d->zst = openat(dirfd, "zst", flags);
		if (d->zst < 0 && errno != ENOENT)
			rc = error__set(err, -errno,
					"cannot read session %s: its directory zst: %s", dir,
					strerror(errno));
	}
	close(dirfd);
	return rc;
}

int session_dir__open(struct session_dir *d, const char *dir, struct error *err)
{
	int rc;

	*d = (struct session_dir){ .ctf = -1, .zst = -1 };
	rc = open_dirs(d, dir, err);
	if (!rc)
		rc = read_metadata(d, dir, err);
	if (!rc)
		rc = find_streams(d, dir, err);
	return rc;
}

static void free_files(struct session_file *files, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(files[i].name);
	free(files);
}

int session_dir__list_again(struct session_dir *d, const char *dir, bool *changed,
			    struct error *err)
{
	struct session_file *before = d->files;
	const size_t nr = d->nr_files;
	int rc;

	d->files = NULL;
	d->nr_files = 0;
	rc = find_streams(d, dir, err);
	*changed = d->nr_files != nr;
	for (size_t i = 0; !*changed && i < nr; i++)
		*changed = d->files[i].compressed != before[i].compressed ||
			   strcmp(d->files[i].name, before[i].name);
	free_files(before, nr);
	return rc;
}

int session_dir__open_file(const struct session_dir *d, const struct session_file *f)
{
	struct stat st;
	int fd = open_regular(f->compressed ? d->zst : d->ctf, f->name, &st);

	return fd == -ELOOP ? -EINVAL : fd; /* a link is no plain file either */
}

void session_dir__close(struct session_dir *d)
{
	free_files(d->files, d->nr_files);
	metadata__free(&d->metadata);
	if (d->ctf >= 0)
		close(d->ctf);
	if (d->zst >= 0)
		close(d->zst);
	*d = (struct session_dir){ .ctf = -1, .zst = -1 };
}

const char *session_file__path(const struct session_file *f, char *text, size_t size)
{
	snprintf(text, size, "%s/%s", f->compressed ? "zst" : "ctf", f->name);
	return text;
}

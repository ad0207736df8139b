// SPDX-License-Identifier: GPL-2.0-only
#include "session/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/crc32c.h"
#include "session/metadata.h"
#include "session/stream.h"

#define STREAMS_MAX  64
#define METADATA_MAX (1u << 20) /* bytes; ours has about 8 KiB */

struct session_reader {
	struct session_info info;
	struct metadata metadata;
	struct crc32c crc;
	unsigned int nr_streams;
	struct stream streams[STREAMS_MAX];
};

const struct session_env_entry *session_info__env(const struct session_info *info, const char *key)
{
	size_t i;

	for (i = 0; i < info->nr_env; i++) {
		if (!strcmp(info->env[i].key, key))
			return &info->env[i];
	}
	return NULL;
}

/* A session comes from strangers: no links out of it, and nothing that blocks or has no end. */
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

static int read_metadata(struct session_reader *r, int ctf, const char *dir, struct error *err)
{
	struct error why = { "" };
	char *text = NULL;
	size_t got = 0;
	struct stat st;
	ssize_t n;
	int fd, rc;

	fd = open_regular(ctf, "metadata", &st);
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
	while (got < (size_t)st.st_size) {
		n = read(fd, text + got, (size_t)st.st_size - got);
		if (n < 0) {
			rc = error__set(err, -errno, "cannot read session %s: ctf/metadata: %s",
					dir, strerror(errno));
			goto out;
		}
		if (!n)
			break;
		got += (size_t)n;
	}
	text[got] = 0;
	rc = metadata__parse(&r->metadata, text, got, &why);
	if (rc)
		error__set(err, rc, "cannot read session %s: ctf/metadata: %s", dir, why.text);
out:
	free(text);
	close(fd);
	return rc;
}

static int is_stream_name(const struct dirent *e)
{
	return e->d_name[0] != '.' && strcmp(e->d_name, "metadata");
}

static int open_stream(struct session_reader *r, int ctf, const char *dir, const char *name,
		       struct error *err)
{
	struct stat st;
	int fd, rc;

	fd = open_regular(ctf, name, &st);
	if (fd == -EINVAL || fd == -ELOOP)
		return 0; /* a directory or a link: not part of the trace */
	if (fd < 0)
		return error__set(err, fd, "cannot read session %s: ctf/%s: %s", dir, name,
				  strerror(-fd));
	rc = -E2BIG;
	if (r->nr_streams == STREAMS_MAX)
		error__set(err, rc, "cannot read session %s: more than %d streams", dir,
			   STREAMS_MAX);
	else
		rc = stream__open(&r->streams[r->nr_streams], fd, r->metadata.uuid, &r->crc,
				  &r->info);
	close(fd);
	if (rc)
		return error__set(err, rc, "cannot read session %s: ctf/%s: %s", dir, name,
				  strerror(-rc));
	r->nr_streams++;
	return 0;
}

/* In the order of their names, so that events of the same time always come in the same order. */
static int open_streams(struct session_reader *r, int ctf, const char *dir, struct error *err)
{
	struct dirent **list = NULL;
	int rc = 0, n, i;

	n = scandirat(ctf, ".", &list, is_stream_name, alphasort);
	if (n < 0)
		return error__set(err, -errno, "cannot read session %s: ctf: %s", dir,
				  strerror(errno));
	for (i = 0; i < n; i++) {
		if (!rc)
			rc = open_stream(r, ctf, dir, list[i]->d_name, err);
		free(list[i]);
	}
	free(list);
	return rc;
}

static int open_ctf(const char *dir, struct error *err)
{
	int dirfd, ctf, rc;

	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return error__set(
			err, -errno,
			"cannot read session %s: %s; name the directory that record -o was given",
			dir, strerror(errno));
	ctf = openat(dirfd, "ctf", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	rc = ctf < 0 ? -errno : ctf;
	close(dirfd);
	if (rc < 0)
		error__set(err, rc,
			   "cannot read session %s: it is no session: its directory ctf: %s", dir,
			   strerror(-rc));
	return rc;
}

int session_reader__open(struct session_reader **out, const char *dir, struct error *err)
{
	struct session_reader *r;
	int rc, ctf;

	*out = NULL;
	ctf = open_ctf(dir, err);
	if (ctf < 0)
		return ctf;
	r = calloc(1, sizeof(*r));
	if (!r) {
		rc = error__set(err, -ENOMEM, "cannot read session %s: out of memory", dir);
		goto out;
	}
	crc32c__init(&r->crc);
	rc = read_metadata(r, ctf, dir, err);
	if (rc)
		goto out;
	r->info.env = r->metadata.env;
	r->info.nr_env = r->metadata.nr_env;
	r->info.clock = r->metadata.clock;
	r->info.format_version = r->metadata.format_version;
	memcpy(r->info.uuid, r->metadata.uuid, 16);
	rc = open_streams(r, ctf, dir, err);
	r->info.nr_streams = r->nr_streams;
out:
	close(ctf);
	if (rc)
		session_reader__close(r);
	else
		*out = r;
	return rc;
}

int session_reader__next(struct session_reader *r, const struct iot_event **ev)
{
	struct stream *s, *best = NULL;

	for (s = r->streams; s < r->streams + r->nr_streams; s++) {
		if (!s->ev)
			continue;
		if (!best || s->ev->ts < best->ev->ts ||
		    (s->ev->ts == best->ev->ts && s->class > best->class))
			best = s;
	}
	if (!best)
		return 0;
	*ev = best->ev;
	r->info.events++;
	stream__advance(best);
	return 1;
}

const struct session_info *session_reader__info(const struct session_reader *r)
{
	return &r->info;
}

void session_reader__close(struct session_reader *r)
{
	unsigned int i;

	if (!r)
		return;
	for (i = 0; i < r->nr_streams; i++)
		stream__close(&r->streams[i]);
	metadata__free(&r->metadata);
	free(r);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "session/create.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "session/tsdl_text.h"

#define ENV_MAX 128 /* entries, our own included */

struct known { /* storage for what session_env leaves open */
	struct utsname uts;
	char boot_id[37];
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/*
 * REALTIME - MONOTONIC, from the tightest of a few tries: being preempted between the two reads
 * would shift it.
 */
static int64_t clock_offset(void)
{
	int64_t before, real, after, best = INT64_MAX, offset = 0;
	int i;

	for (i = 0; i < 10; i++) {
		before = now_ns(CLOCK_MONOTONIC);
		real = now_ns(CLOCK_REALTIME);
		after = now_ns(CLOCK_MONOTONIC);
		if (after - before < best) {
			best = after - before;
			offset = real - (before + best / 2);
		}
	}
	return offset;
}

static int is_uuid(const char *s)
{
	int i;

	for (i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23
			    ? s[i] != '-'
			    : !strchr("0123456789abcdefABCDEF", s[i]) || !s[i])
			return 0;
	}
	return !s[36];
}

/* The nil UUID when /proc can't be read: the clock then belongs to no known boot. */
static void read_boot_id(char text[37])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd >= 0) {
		n = read(fd, text, 36);
		close(fd);
	}
	text[36] = 0;
	if (n != 36 || !is_uuid(text))
		strcpy(text, "00000000-0000-0000-0000-000000000000");
}

static int find_key(const struct session_env_entry *list, size_t n, const char *key)
{
	while (n--) {
		if (!strcmp(list[n].key, key))
			return 1;
	}
	return 0;
}

static int fill_trace(struct tsdl_trace *trace, struct session_env_entry list[ENV_MAX],
		      const struct session_env *env, struct known *known, struct error *err)
{
	const char *boot_id = env->boot_id;
	size_t i, n = 0;

	uname(&known->uts);
	if (!boot_id) {
		read_boot_id(known->boot_id);
		boot_id = known->boot_id;
	}
	if (!is_uuid(boot_id))
		return error__set(err, -EINVAL,
				  "cannot describe the session: boot id \"%.60s\" is not a UUID",
				  boot_id);
	strcpy(trace->clock.boot_id, boot_id);
	trace->clock.offset_ns = clock_offset();

	list[n++] = (struct session_env_entry){ "tracer_name", "iommutop", 0 };
	list[n++] = (struct session_env_entry){ "format_version", NULL, IOT_FORMAT_VERSION };
	list[n++] = (struct session_env_entry){ "iommutop_version",
						env->version ? env->version : "unknown", 0 };
	list[n++] = (struct session_env_entry){ "hostname",
						env->host ? env->host : known->uts.nodename, 0 };
	list[n++] = (struct session_env_entry){ "kernel_release",
						env->kernel ? env->kernel : known->uts.release, 0 };
	if (env->command)
		list[n++] = (struct session_env_entry){ "command_line", env->command, 0 };
	if (env->nr_more > ENV_MAX - n)
		return error__set(err, -E2BIG,
				  "cannot describe the session: %zu values, at most %zu fit",
				  env->nr_more, ENV_MAX - n);
	for (i = 0; i < env->nr_more; i++) {
		if (!tsdl_text__key_ok(env->more[i].key))
			return error__set(
				err, -EINVAL,
				"cannot describe the session: \"%.80s\" can't name a value: use "
				"lower-case letters, digits and _, and no word of TSDL",
				env->more[i].key ? env->more[i].key : "(null)");
		if (find_key(list, n, env->more[i].key))
			return error__set(
				err, -EINVAL,
				"cannot describe the session: the value \"%s\" is there twice",
				env->more[i].key);
		list[n++] = env->more[i];
	}
	trace->env = list;
	trace->nr_env = n;
	return 0;
}

static int random_uuid(uint8_t uuid[16])
{
	if (getrandom(uuid, 16, 0) != 16)
		return -errno;
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) |
			    0x40); /* RFC 4122: version 4, made of random numbers */
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	return 0;
}

const char *session_files__advice(int code)
{
	switch (code) {
	case -ENOSPC:
	case -EDQUOT:
		return "; free some space or record to another file system";
	case -EFBIG:
		return "; raise the limit on file sizes (ulimit -f)";
	case -EROFS:
	case -EACCES:
	case -EPERM:
		return "; record to a directory that may be written to (record -o DIR)";
	case -EIO:
	case -ENODEV:
	case -ENXIO:
		return "; the disk failed or was taken away: see the kernel log, and check the "
		       "file system";
	default:
		return "";
	}
}

/*
 * Some file systems (9p, FUSE) can't fsync a directory and say EINVAL; there is nothing more to do
 * for them.
 */
static int sync_directory(int fd)
{
	return fsync(fd) && errno != EINVAL ? -errno : 0;
}

static int write_metadata(int ctf, const struct tsdl_trace *trace)
{
	int rc = 0, fd;
	FILE *f;

	fd = openat(ctf, "metadata", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	f = fdopen(fd, "w");
	if (!f) {
		rc = -errno;
		close(fd);
		return rc;
	}
	errno = 0;
	tsdl_text__print(f, trace);
	if (fflush(f) || ferror(f) || fsync(fd))
		rc = errno ? -errno : -EIO;
	if (fclose(f) && !rc)
		rc = -errno;
	return rc;
}

/* 0, or -ENOTEMPTY: somebody's files are in there. */
static int check_empty(int dir)
{
	struct dirent *e;
	int rc = 0, fd;
	DIR *d;

	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		rc = -errno;
		close(fd);
		return rc;
	}
	while (!rc && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			rc = -ENOTEMPTY;
	}
	closedir(d);
	return rc;
}

void session_files__name(char name[SESSION_NAME_MAX], enum lane lane, unsigned int number,
			 bool compressed)
{
	static const char *const names[LANES] = { "events", "rare", "tables" };

	snprintf(name, SESSION_NAME_MAX, "%s_%u%s", names[lane], number, compressed ? ".zst" : "");
}

static int open_stream(const struct session_files *files, enum lane lane, unsigned int number)
{
	char name[SESSION_NAME_MAX];
	int fd;

	session_files__name(name, lane, number, files->compressed);
	fd = openat(files->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

int session_files__next(const struct session_files *files, enum lane lane, unsigned int number)
{
	int fd = open_stream(files, lane, number), rc;

	if (fd < 0)
		return fd;
	rc = sync_directory(files->dir);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

static int open_streams(struct session_files *out)
{
	enum lane lane;

	for (lane = 0; lane < LANES; lane++) {
		out->stream[lane] = open_stream(out, lane, 0);
		if (out->stream[lane] < 0)
			return out->stream[lane];
	}
	return 0;
}

void session_files__remove(struct session_files *files, const char *dir)
{
	char name[SESSION_NAME_MAX];
	enum lane lane;
	int fd;

	for (lane = 0; lane < LANES; lane++) {
		if (files->stream[lane] < 0)
			continue;
		close(files->stream[lane]);
		session_files__name(name, lane, 0, files->compressed);
		unlinkat(files->dir, name, 0);
	}
	if (files->dir >= 0)
		close(files->dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && files->made_ctf) {
		unlinkat(fd, "ctf/metadata", 0);
		unlinkat(fd, "zst", AT_REMOVEDIR);
		unlinkat(fd, "ctf", AT_REMOVEDIR);
	}
	if (fd >= 0)
		close(fd);
	if (files->made_dir)
		rmdir(dir);
}

/* Names of new files survive a crash once every directory above them is on disk. */
static int sync_all(const struct session_files *out, int ctf, int dirfd)
{
	int rc, parent;

	rc = sync_directory(ctf);
	if (!rc && out->dir != ctf)
		rc = sync_directory(out->dir);
	if (!rc)
		rc = sync_directory(dirfd);
	if (rc)
		return rc;
	parent = openat(dirfd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return 0; /* recording there needs no right to read it: all we can do */
	rc = sync_directory(parent);
	close(parent);
	return rc;
}

static int make_directory(int dirfd, const char *name)
{
	int fd;

	if (mkdirat(dirfd, name, 0700))
		return -errno;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Everything below dirfd. *what: what was tried last. */
static int fill_directory(struct session_files *out, int dirfd, const struct tsdl_trace *trace,
			  const char **what)
{
	int ctf, rc;

	*what = "make the directory ctf in it";
	ctf = make_directory(dirfd, "ctf");
	if (ctf < 0)
		return ctf;
	out->made_ctf = true;
	*what = "write ctf/metadata in it";
	rc = write_metadata(ctf, trace);
	if (rc)
		goto out;
	*what = "make the streams in it";
	rc = out->compressed ? make_directory(dirfd, "zst") : fcntl(ctf, F_DUPFD_CLOEXEC, 0);
	if (rc < 0)
		goto out;
	out->dir = rc;
	rc = open_streams(out);
	if (rc)
		goto out;
	*what = "bring it to the disk";
	rc = sync_all(out, ctf, dirfd);
out:
	close(ctf);
	return rc;
}

int session_files__create(struct session_files *out, const char *dir, const struct session_env *env,
			  bool compressed, struct error *err)
{
	struct session_env_entry list[ENV_MAX];
	struct tsdl_trace trace = { 0 };
	int rc, dirfd = -1;
	const char *what = "make the directory";
	struct known known;

	*out = (struct session_files){ .compressed = compressed,
				       .dir = -1,
				       .stream = { -1, -1, -1 } };
	rc = random_uuid(trace.uuid);
	if (rc)
		return error__set(err, rc, "cannot get a random session number: %s", strerror(-rc));
	memcpy(out->uuid, trace.uuid, 16);
	rc = fill_trace(&trace, list, env, &known, err);
	if (rc)
		return rc;

	out->made_dir = !mkdir(dir, 0700);
	if (!out->made_dir && errno != EEXIST) {
		rc = -errno;
		goto fail;
	}
	what = "open the directory";
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		rc = -errno;
		goto fail;
	}
	rc = check_empty(dirfd);
	if (rc == -ENOTEMPTY)
		error__set(err, rc, "cannot record to %s: it is not empty; name a new directory",
			   dir);
	if (!rc)
		rc = fill_directory(out, dirfd, &trace, &what);
	if (rc)
		goto fail;
	close(dirfd);
	return 0;

fail:
	error__set(err, rc, "cannot record to %s: cannot %s: %s%s", dir, what, strerror(-rc),
		   session_files__advice(rc));
	session_files__remove(out, dir);
	if (dirfd >= 0)
		close(dirfd);
	return rc;
}

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
#include "session/tsdl.h"

#define ENV_MAX 128 /* entries, our own included */

const char *const session_stream_names[PACKET_CLASSES] = { "events_0", "tables_0" };

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
		if (!tsdl__key_ok(env->more[i].key))
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
	tsdl__print(f, trace);
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

static int open_streams(struct session_files *out)
{
	int i;

	for (i = 0; i < PACKET_CLASSES; i++) {
		out->stream[i] = openat(out->ctf, session_stream_names[i],
					O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
		if (out->stream[i] < 0)
			return -errno;
	}
	return 0;
}

void session_files__remove(struct session_files *out, const char *dir)
{
	int i;

	for (i = 0; i < PACKET_CLASSES; i++) {
		if (out->stream[i] >= 0) {
			close(out->stream[i]);
			unlinkat(out->ctf, session_stream_names[i], 0);
		}
	}
	if (out->ctf >= 0) {
		unlinkat(out->ctf, "metadata", 0);
		unlinkat(out->ctf, "../ctf", AT_REMOVEDIR);
		close(out->ctf);
	}
	if (out->made_dir)
		rmdir(dir);
}

/* Names of new files survive a crash once every directory above them is on disk. */
static int sync_all(const struct session_files *out, int dirfd)
{
	int rc, parent;

	rc = sync_directory(out->ctf);
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

int session_files__create(struct session_files *out, const char *dir, const struct session_env *env,
			  struct error *err)
{
	struct session_env_entry list[ENV_MAX];
	struct tsdl_trace trace = { 0 };
	int rc, dirfd = -1;
	const char *what = "make the directory";
	struct known known;

	*out = (struct session_files){ .ctf = -1, .stream = { -1, -1 } };
	rc = random_uuid(trace.uuid);
	if (rc)
		return error__set(err, rc, "cannot get a random session number: %s", strerror(-rc));
	memcpy(out->uuid, trace.uuid, 16);
	rc = fill_trace(&trace, list, env, &known, err);
	if (rc)
		return rc;

	out->made_dir = !mkdir(dir, 0700);
	if (!out->made_dir && errno != EEXIST)
		goto fail_errno;
	what = "open the directory";
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		goto fail_errno;
	rc = check_empty(dirfd);
	if (rc == -ENOTEMPTY) {
		error__set(err, rc, "cannot record to %s: it is not empty; name a new directory",
			   dir);
		goto fail;
	}
	if (rc)
		goto fail;
	what = "make the directory ctf in it";
	if (mkdirat(dirfd, "ctf", 0700))
		goto fail_errno;
	out->ctf = openat(dirfd, "ctf", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->ctf < 0)
		goto fail_errno;
	what = "write ctf/metadata in it";
	rc = write_metadata(out->ctf, &trace);
	if (rc)
		goto fail;
	what = "make the streams in it";
	rc = open_streams(out);
	if (rc)
		goto fail;
	what = "bring it to the disk";
	rc = sync_all(out, dirfd);
	if (rc)
		goto fail;
	close(dirfd);
	return 0;

fail_errno:
	rc = -errno;
fail:
	error__set(err, rc, "cannot record to %s: cannot %s: %s", dir, what, strerror(-rc));
	session_files__remove(out, dir);
	if (dirfd >= 0)
		close(dirfd);
	return rc;
}

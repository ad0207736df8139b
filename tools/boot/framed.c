// SPDX-License-Identifier: GPL-2.0-only
#include "framed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "session/crc32c.h"

#define HEAD     "iommutop-report: "
#define LINE_MAX 400 /* of text: with its head it fits into a record of the kernel's log */

/* Where lines go: each is one write(), so a record of its own in the kernel's log. */
struct sink {
	const char *kmsg; /* opened anew for each line: the kernel counts lines per opener, and
			     drops those beyond ten in 5 s */
	int fd;           /* if not kmsg */
};

static int put(const struct sink *s, const char *line, size_t len)
{
	int fd = s->kmsg ? open(s->kmsg, O_WRONLY | O_CLOEXEC) : s->fd, rc = 0;
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (!rc && done < len) {
		ssize_t n = write(fd, line + done, len - done);

		if (n < 0 && errno != EINTR)
			rc = -errno;
		if (n > 0)
			done += (size_t)n;
	}
	if (s->kmsg)
		close(fd);
	return rc;
}

static uint32_t checksum(const char *text, size_t len)
{
	struct crc32c crc;

	crc32c__init_portable(&crc);
	return ~crc32c__update(&crc, CRC32C_START, text, len);
}

/* What every channel passes on unchanged: /dev/kmsg shows anything else as an escape. */
static void make_plain(char *line)
{
	for (; *line; line++) {
		if (*line == '\t')
			*line = ' ';
		else if (*line == '\\')
			*line = '/';
		else if (*line < ' ' || *line > '~')
			*line = '?';
	}
}

/* Lines that are too long go on in the next one. */
static int put_frame(const struct sink *s, unsigned int nr, const char *kind, const char *text)
{
	char line[LINE_MAX + 128], plain[LINE_MAX + 1], *all = NULL;
	unsigned int lines = 0;
	size_t all_len = 0;
	FILE *sum = open_memstream(&all, &all_len);
	int n, rc;

	if (!sum)
		return -ENOMEM;
	n = snprintf(line, sizeof(line), HEAD "BEGIN %u %s\n", nr, kind);
	rc = put(s, line, (size_t)n);
	while (!rc && *text) {
		size_t len = strcspn(text, "\n");

		if (len > LINE_MAX)
			len = LINE_MAX;
		snprintf(plain, sizeof(plain), "%.*s", (int)len, text);
		make_plain(plain);
		n = snprintf(line, sizeof(line), HEAD "%u | %s\n", nr, plain);
		rc = put(s, line, (size_t)n);
		fprintf(sum, "%s\n", plain);
		lines++;
		text += len;
		text += *text == '\n';
	}
	if (fclose(sum) || !all)
		rc = rc ?: -ENOMEM;
	if (!rc) {
		n = snprintf(line, sizeof(line), HEAD "END %u %s lines=%u crc32c=%08x\n", nr, kind,
			     lines, checksum(all, all_len));
		rc = put(s, line, (size_t)n);
	}
	free(all);
	return rc;
}

/* A port that is nobody's console has the settings of a terminal of 1970. */
static void set_up_port(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) || cfgetospeed(&t) != B9600)
		return;
	cfsetspeed(&t, B115200);
	tcsetattr(fd, TCSADRAIN, &t);
}

static int send_file(struct framed *f, const char *path, const char *kind, const char *text)
{
	struct sink s = { .fd = -1 };
	char *part = NULL;
	int rc;

	if (asprintf(&part, "%s.part", path) < 0)
		return -ENOMEM;
	s.fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	rc = s.fd < 0 ? -errno : put_frame(&s, f->nr, kind, text);
	if (s.fd >= 0 && fsync(s.fd) && !rc)
		rc = -errno;
	if (s.fd >= 0 && close(s.fd) && !rc)
		rc = -errno;
	if (!rc && rename(part, path))
		rc = -errno;
	if (rc && s.fd >= 0)
		unlink(part);
	free(part);
	return rc;
}

int framed__send(struct framed *f, const char *kind, const char *text, struct error *err)
{
	struct sink s = { .fd = -1 };
	char *path = NULL;
	struct stat st;
	int rc;

	f->nr++;
	if (!strcmp(f->path, "kmsg")) {
		s.kmsg = "/dev/kmsg";
		rc = put_frame(&s, f->nr, kind, text);
	} else if (!strncmp(f->path, "/dev/", 5)) {
		s.fd = open(f->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
		if (s.fd >= 0)
			set_up_port(s.fd);
		rc = s.fd < 0 ? -errno : put_frame(&s, f->nr, kind, text);
		if (s.fd >= 0) {
			tcdrain(s.fd);
			close(s.fd);
		}
	} else if (asprintf(&path, "%s%s", f->root, f->path) < 0) {
		path = NULL;
		rc = -ENOMEM;
	} else if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		rc = -EINVAL;
	} else {
		rc = send_file(f, path, kind, text);
	}
	free(path);
	if (rc)
		error__set(err, rc, "cannot write the report to %s: %s", f->path, strerror(-rc));
	return rc;
}

/* --- reading
 * ----------------------------------------------------------------------------------------------------
 */

/* A frame while it is read. */
struct found {
	unsigned int nr, lines;
	char kind[32], *text;
	size_t len;
	FILE *to; /* NULL: none is open */
};

static void drop(struct found *f)
{
	if (f->to)
		fclose(f->to);
	free(f->text);
	*f = (struct found){};
}

/* One of our lines, behind HEAD. True: it ended a frame that is whole. */
static bool read_line(struct found *f, const char *line, size_t len, bool *damaged)
{
	unsigned int nr, lines, crc;
	char kind[32], copy[LINE_MAX + 128];
	int at = 0;

	snprintf(copy, sizeof(copy), "%.*s", (int)len, line);
	if (sscanf(copy, "BEGIN %u %31s", &nr, kind) == 2) {
		*damaged = true; /* until its end has come */
		drop(f);
		f->nr = nr;
		strcpy(f->kind, kind);
		f->to = open_memstream(&f->text, &f->len);
		return false;
	}
	if (sscanf(copy, "END %u %31s lines=%u crc32c=%x", &nr, kind, &lines, &crc) == 4) {
		bool whole = f->to && nr == f->nr && lines == f->lines && !strcmp(kind, f->kind);

		*damaged = true;
		if (f->to && fclose(f->to))
			whole = false;
		f->to = NULL;
		whole = whole && f->text && checksum(f->text, f->len) == crc;
		*damaged = !whole;
		return whole;
	}
	if (f->to && sscanf(copy, "%u |%n", &nr, &at) == 1 && at && nr == f->nr) {
		at += copy[at] == ' ';
		fprintf(f->to, "%s\n", copy + at);
		f->lines++;
	}
	return false;
}

int framed__find(const char *log, char **out, char *kind)
{
	struct found f = {};
	bool damaged = false;

	*out = NULL;
	while (*log) {
		size_t len = strcspn(log, "\n");
		const char *head = memmem(log, len, HEAD, sizeof(HEAD) - 1), *next = log + len;

		next += *next == '\n';
		if (head) {
			head += sizeof(HEAD) - 1;
			len = (size_t)(log + len - head);
			while (len && head[len - 1] == '\r')
				len--;
			if (read_line(&f, head, len, &damaged)) {
				free(*out);
				*out = f.text;
				f.text = NULL;
				strcpy(kind, f.kind);
			}
		}
		log = next;
	}
	drop(&f);
	return damaged ? -EIO : *out ? 0 : -ENOENT;
}

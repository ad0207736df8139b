// SPDX-License-Identifier: GPL-2.0-only
#include "initrd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "boot/cpio.h"
#include "boot/elf.h"

static int put_together(const char *path, const struct initrd_config *config, struct error *err)
{
	struct cpio *cpio = NULL;
	char *words = NULL;
	int code, closed;

	code = elf__check_static(config->self, "run the static build/iommutop of `make`", err);
	code = code ?: cpio__create(path, &cpio, err);
	if (code)
		return code;
	code = cpio__add_host(cpio, "iommutop/init", config->self, err);
	if (!code && config->rules)
		code = cpio__add_host(cpio, "iommutop/rules.yaml", config->rules, err);
	if (!code && config->words.nr) {
		words = strv__join(&config->words, " ");
		code = words ? cpio__add_data(cpio, "iommutop/cmdline", 0644, words, strlen(words),
					      err)
			     : error__set(err, -ENOMEM, "no memory for %s", path);
	}
	free(words);
	closed = cpio__close(cpio, err);
	return code ?: closed;
}

static int compress_to(const char *path, const char *from_path, struct error *err)
{
	FILE *from = fopen(from_path, "re");
	gzFile to = gzopen(path, "wbe");
	char data[65536];
	int code = 0;
	size_t n;

	if (!from || !to)
		code = error__set(err, -errno, "cannot write %s: %s", path, strerror(errno));
	while (!code && (n = fread(data, 1, sizeof(data), from)))
		if (gzwrite(to, data, (unsigned int)n) != (int)n)
			code = error__set(err, -EIO, "writing %s failed: %s (is the disk full?)",
					  path, strerror(errno));
	if (to && gzclose(to) != Z_OK && !code)
		code = error__set(err, -EIO, "writing %s failed (is the disk full?)", path);
	if (from)
		fclose(from);
	return code;
}

int initrd__write(const char *path, const struct initrd_config *config, struct error *err)
{
	char *plain = NULL, *part = NULL;
	const char *whole;
	struct stat st;
	int code = 0;

	/* rename() would put an archive where a device or a link to the boot loader's initrd was */
	if (!lstat(path, &st) && !S_ISREG(st.st_mode))
		return error__set(err, -EINVAL,
				  "cannot write %s: it is %s; name a file, or one that isn't there "
				  "yet",
				  path,
				  S_ISDIR(st.st_mode)   ? "a directory"
				  : S_ISLNK(st.st_mode) ? "a link"
							: "a device or a pipe");
	if (asprintf(&plain, "%s.plain", path) < 0)
		plain = NULL;
	if (asprintf(&part, "%s.part", path) < 0)
		part = NULL;
	if (!plain || !part) {
		code = error__set(err, -ENOMEM, "no memory for %s", path);
		goto out;
	}
	whole = config->gzip ? part : plain;
	code = put_together(plain, config, err);
	if (!code && config->gzip)
		code = compress_to(part, plain, err);
	if (!code && rename(whole, path))
		code = error__set(err, -errno, "cannot write %s: %s", path, strerror(errno));
out:
	if (plain)
		unlink(plain);
	if (part)
		unlink(part);
	free(plain);
	free(part);
	return code;
}

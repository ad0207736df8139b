// SPDX-License-Identifier: GPL-2.0-only
#include "modules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct modules {
	char *dir;
	struct strv dep;     /* lines of modules.dep */
	struct strv builtin; /* lines of modules.builtin */
};

static int modules__read(const char *dir, const char *name, struct strv *lines, struct error *err)
{
	char *path = NULL, *line = NULL;
	size_t room = 0;
	FILE *file;
	int code = 0;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return error__set(err, -ENOMEM, "no memory to read the modules of %s", dir);
	file = fopen(path, "re");
	if (!file)
		code = error__set(err, -errno,
				  "cannot read %s: %s (a directory of kernel modules has it; "
				  "depmod makes it)",
				  path, strerror(errno));
	while (!code && getline(&line, &room, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strv__add(lines, line))
			code = error__set(err, -ENOMEM, "no memory to read %s", path);
	}
	if (file)
		fclose(file);
	free(line);
	free(path);
	return code;
}

int modules__open(const char *dir, struct modules **out, struct error *err)
{
	struct modules *m = calloc(1, sizeof(*m));
	int code;

	if (!m || !(m->dir = strdup(dir))) {
		free(m);
		return error__set(err, -ENOMEM, "no memory to read the modules of %s", dir);
	}
	code = modules__read(dir, "modules.dep", &m->dep, err);
	if (!code) {
		/* A kernel without built-in modules may have no such list. */
		int builtin = modules__read(dir, "modules.builtin", &m->builtin, NULL);

		if (builtin && builtin != -ENOENT)
			code = error__set(err, builtin, "cannot read %s/modules.builtin: %s", dir,
					  strerror(-builtin));
	}
	if (code) {
		modules__close(m);
		return code;
	}
	*out = m;
	return 0;
}

/* Is this path (which ends at ':' or at its end) the file of the module? */
static bool modules__is(const char *path, const char *name)
{
	size_t len = strcspn(path, ":"), i;
	const char *base = path;

	for (i = 0; i < len; i++)
		if (path[i] == '/')
			base = path + i + 1;
	for (i = 0; name[i]; i++) {
		char a = base[i] == '-' ? '_' : base[i], b = name[i] == '-' ? '_' : name[i];

		if (a != b)
			return false;
	}
	return !strncmp(base + i, ".ko", 3);
}

static int modules__add(struct strv *paths, const char *path, size_t len, const struct modules *m,
			struct error *err)
{
	char *one = strndup(path, len);
	int code = 0;

	if (!one)
		return error__set(err, -ENOMEM, "no memory to list the modules of %s", m->dir);
	if (len < 3 || strcmp(one + len - 3, ".ko"))
		code = error__set(
			err, -EINVAL,
			"%s/%s is compressed: decompress the modules and run depmod first", m->dir,
			one);
	else if (!strv__has(paths, one) && strv__add(paths, one))
		code = error__set(err, -ENOMEM, "no memory to list the modules of %s", m->dir);
	free(one);
	return code;
}

int modules__resolve(const struct modules *m, const char *name, struct strv *paths,
		     struct error *err)
{
	const char *line = NULL, *end;
	int code = 0;

	for (size_t i = 0; i < m->builtin.nr; i++)
		if (modules__is(m->builtin.items[i], name))
			return 0;
	for (size_t i = 0; i < m->dep.nr && !line; i++)
		if (modules__is(m->dep.items[i], name))
			line = m->dep.items[i];
	if (!line)
		return error__set(err, -ENOENT, "this kernel has no module %s (looked in %s)", name,
				  m->dir);

	/* "a.ko: b.ko c.ko": everything a needs, what must be loaded first comes last. */
	end = line + strlen(line);
	while (!code && end > line) {
		const char *start = end;

		while (start > line && start[-1] != ' ')
			start--;
		if (start < end)
			code = modules__add(
				paths, start,
				(size_t)(end - start) - (start == line && end[-1] == ':'), m, err);
		end = start > line ? start - 1 : line;
	}
	return code;
}

const char *modules__dep_line(const struct modules *m, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < m->dep.nr; i++)
		if (!strncmp(m->dep.items[i], path, len) && m->dep.items[i][len] == ':')
			return m->dep.items[i];
	return NULL;
}

void modules__close(struct modules *m)
{
	if (!m)
		return;
	strv__free(&m->dep);
	strv__free(&m->builtin);
	free(m->dir);
	free(m);
}

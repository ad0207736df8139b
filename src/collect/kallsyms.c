// SPDX-License-Identifier: GPL-2.0-only
#include "collect/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct kallsyms {
	char *text;
	struct ksym *by_addr;
	struct ksym **by_name;
	size_t nr;
};

static int compare_addr(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

static int compare_name(const void *a, const void *b)
{
	const struct ksym *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int read_all(const char *path, char **out, size_t *len, struct error *err)
{
	size_t size = 16 << 20, n = 0;
	char *buf = malloc(size + 1), *more;
	ssize_t got;
	int fd, rc = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		rc = error__set(err, -errno, "can't read %s: %s; is /proc mounted?", path, strerror(errno));
		goto out;
	}
	while (buf) {
		got = read(fd, buf + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			rc = error__set(err, -errno, "reading %s failed: %s", path, strerror(errno));
			goto out;
		}
		if (!got)
			break;
		n += (size_t)got;
		if (n < size)
			continue;
		size *= 2;
		more = realloc(buf, size + 1);
		if (!more)
			free(buf);
		buf = more;
	}
	if (!buf) {
		rc = error__set(err, -ENOMEM, "no memory for the kernel's symbols");
		goto out;
	}
	buf[n] = 0;
	*out = buf;
	*len = n;
	buf = NULL;
out:
	free(buf);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* "ffffffff81000000 T name\t[module]": cuts the line in place. Data symbols stay, the compiler's own labels go. */
static bool parse_line(char *line, struct ksym *s)
{
	char *p, *tab;

	s->addr = strtoull(line, &p, 16);
	if (p == line || p[0] != ' ' || !p[1] || p[2] != ' ')
		return false;
	if (!strchr("tTwWdDbBrRvV", p[1]))
		return false;
	s->text = strchr("tTwW", p[1]);
	s->name = p + 3;
	s->module = "";
	tab = strchr(p + 3, '\t');
	if (tab) {
		*tab = 0;
		if (tab[1] == '[') {
			s->module = tab + 2;
			tab[strcspn(tab + 1, "]") + 1] = 0;
		}
	}
	return *s->name != 0;
}

int kallsyms__load(struct kallsyms **out, const char *path, struct error *err)
{
	struct kallsyms *k = calloc(1, sizeof(*k));
	uint64_t any = 0;
	size_t len = 0, lines = 0;
	int rc;

	if (!k)
		return error__set(err, -ENOMEM, "no memory for the kernel's symbols");
	path = path ? path : "/proc/kallsyms";
	rc = read_all(path, &k->text, &len, err);
	if (rc)
		goto fail;
	for (const char *p = k->text; (p = memchr(p, '\n', len - (size_t)(p - k->text))); p++)
		lines++;
	k->by_addr = malloc((lines + 1) * sizeof(*k->by_addr));
	k->by_name = malloc((lines + 1) * sizeof(*k->by_name));
	if (!k->by_addr || !k->by_name) {
		rc = error__set(err, -ENOMEM, "no memory for the kernel's symbols");
		goto fail;
	}
	for (char *line = k->text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (k->nr <= lines && parse_line(line, &k->by_addr[k->nr]))
			any |= k->by_addr[k->nr++].addr;
	}
	if (!any) {
		rc = error__set(err, -EPERM,
				"%s shows no addresses: run as root (CAP_SYSLOG), with kernel.kptr_restrict below 2", path);
		goto fail;
	}
	qsort(k->by_addr, k->nr, sizeof(*k->by_addr), compare_addr);
	for (size_t i = 0; i < k->nr; i++)
		k->by_name[i] = &k->by_addr[i];
	qsort(k->by_name, k->nr, sizeof(*k->by_name), compare_name);
	*out = k;
	return 0;
fail:
	kallsyms__free(k);
	return rc;
}

void kallsyms__free(struct kallsyms *k)
{
	if (!k)
		return;
	free(k->by_name);
	free(k->by_addr);
	free(k->text);
	free(k);
}

size_t kallsyms__count(const struct kallsyms *k, const char *name, struct ksym *first)
{
	size_t lo = 0, hi = k->nr, n = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(k->by_name[mid]->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo + n < k->nr && !strcmp(k->by_name[lo + n]->name, name))
		n++;
	if (n && first)
		*first = *k->by_name[lo];
	return n;
}

int kallsyms__at(const struct kallsyms *k, uint64_t addr, struct ksym *out)
{
	size_t lo = 0, hi = k->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (k->by_addr[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo && !k->by_addr[lo - 1].text)
		lo--;
	if (!lo)
		return -ENOENT;
	*out = k->by_addr[lo - 1];
	return 0;
}

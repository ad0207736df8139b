// SPDX-License-Identifier: GPL-2.0-only
#include "collect/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Looked up by name a few dozen times, so names are hashed, not sorted: a tenth of the time, and it
 * is felt at start-up. */
struct kallsyms {
	char *text;
	struct ksym *by_addr;
	size_t nr;
	uint32_t *names;   /* open hash table of indices into by_addr, plus 1; 0 = free */
	size_t names_size; /* a power of two */
};

static int compare_addr(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

static uint32_t hash_name(const char *name)
{
	uint32_t h = 2166136261U; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619U;
	return h;
}

static int hash_names(struct kallsyms *k)
{
	k->names_size = 1024;
	while (k->names_size < 2 * k->nr)
		k->names_size *= 2;
	k->names = calloc(k->names_size, sizeof(*k->names));
	if (!k->names)
		return -ENOMEM;
	for (size_t i = 0; i < k->nr; i++) {
		size_t at = hash_name(k->by_addr[i].name) & (k->names_size - 1);

		while (k->names[at])
			at = (at + 1) & (k->names_size - 1);
		k->names[at] = (uint32_t)i + 1;
	}
	return 0;
}

/* The kernel's own symbols come sorted, only the modules' behind them don't: sorts no more than
 * that, if it is enough. */
static void sort_addresses(struct ksym *syms, size_t nr)
{
	size_t sorted = 1;

	while (sorted < nr && syms[sorted - 1].addr <= syms[sorted].addr)
		sorted++;
	if (sorted >= nr)
		return;
	qsort(syms + sorted, nr - sorted, sizeof(*syms), compare_addr);
	if (syms[sorted - 1].addr > syms[sorted].addr)
		qsort(syms, nr, sizeof(*syms), compare_addr);
}

static int read_all(const char *path, char **out, size_t *len, struct error *err)
{
	size_t size = 16 << 20, n = 0;
	char *buf = malloc(size + 1), *more;
	ssize_t got;
	int fd, rc = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		rc = error__set(err, -errno, "can't read %s: %s; is /proc mounted?", path,
				strerror(errno));
		goto out;
	}
	while (buf) {
		got = read(fd, buf + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			rc = error__set(err, -errno, "reading %s failed: %s", path,
					strerror(errno));
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

/* "ffffffff81000000 T name\t[module]": cuts the line in place. Data symbols stay, the compiler's
 * own labels go. */
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
	if (!k->by_addr) {
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
				"%s shows no addresses: run as root (CAP_SYSLOG), with "
				"kernel.kptr_restrict below 2",
				path);
		goto fail;
	}
	sort_addresses(k->by_addr, k->nr);
	rc = hash_names(k);
	if (rc) {
		error__set(err, rc, "no memory for the kernel's symbols");
		goto fail;
	}
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
	free(k->names);
	free(k->by_addr);
	free(k->text);
	free(k);
}

size_t kallsyms__count(const struct kallsyms *k, const char *name, struct ksym *first)
{
	size_t n = 0;

	for (size_t at = hash_name(name); k->names[at & (k->names_size - 1)]; at++) {
		const struct ksym *s = &k->by_addr[k->names[at & (k->names_size - 1)] - 1];

		if (strcmp(s->name, name))
			continue;
		if (!n++ && first)
			*first = *s;
	}
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

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
	struct kallsyms_source source; /* .named NULL: the table has all there are */
	const char **asked;            /* that the table is to have */
	size_t nr_asked;
	bool stale; /* the table has to be read, or again */
	char *path;
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

static void clear_table(struct kallsyms *k)
{
	free(k->names);
	free(k->by_addr);
	free(k->text);
	k->names = NULL;
	k->by_addr = NULL;
	k->text = NULL;
	k->nr = 0;
}

/* The table out of k->text. *any: all addresses, combined. */
static int make_table(struct kallsyms *k, size_t len, uint64_t *any)
{
	size_t lines = 0;

	*any = 0;
	for (const char *p = k->text; (p = memchr(p, '\n', len - (size_t)(p - k->text))); p++)
		lines++;
	k->by_addr = malloc((lines + 1) * sizeof(*k->by_addr));
	if (!k->by_addr)
		return -ENOMEM;
	for (char *line = k->text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (k->nr <= lines && parse_line(line, &k->by_addr[k->nr]))
			*any |= k->by_addr[k->nr++].addr;
	}
	sort_addresses(k->by_addr, k->nr);
	return hash_names(k);
}

static int load_all(struct kallsyms *k, struct error *err)
{
	const char *path = k->path ? k->path : "/proc/kallsyms";
	uint64_t any;
	size_t len = 0;
	int rc;

	clear_table(k);
	rc = read_all(path, &k->text, &len, err);
	if (rc)
		return rc;
	rc = make_table(k, len, &any);
	if (rc)
		return error__set(err, rc, "no memory for the kernel's symbols");
	return any ? 0
		   : error__set(err, -EPERM,
				"%s shows no addresses: run as root (CAP_SYSLOG), with "
				"kernel.kptr_restrict below 2",
				path);
}

static int load_asked(struct kallsyms *k)
{
	char *text = NULL;
	uint64_t any;
	size_t len;
	int rc;

	clear_table(k);
	rc = k->source.named(k->source.ctx, k->asked, k->nr_asked, &text, &len);
	if (rc)
		return rc;
	k->text = text;
	return make_table(k, len, &any);
}

/* The old ones stay if that fails. */
static void reload_all(struct kallsyms *k)
{
	struct kallsyms *fresh;

	k->stale = false;
	if (kallsyms__load(&fresh, k->path, NULL)) {
		if (!k->names)
			hash_names(k);
		return;
	}
	clear_table(k);
	k->text = fresh->text;
	k->by_addr = fresh->by_addr;
	k->nr = fresh->nr;
	k->names = fresh->names;
	k->names_size = fresh->names_size;
	fresh->text = NULL;
	fresh->by_addr = NULL;
	fresh->names = NULL;
	kallsyms__free(fresh);
}

/* Whatever comes of it, there is a table, if need be one without symbols. One of all symbols is
 * read again only by kallsyms__at(): a function of a new module would get the name of the one that
 * lies before it. */
static void refresh(struct kallsyms *k)
{
	if (k->source.named && !k->stale)
		return;
	if (k->source.named) {
		k->stale = false;
		if (!load_asked(k))
			return;
		k->source.named = NULL;
		reload_all(k);
	} else if (!k->names) {
		reload_all(k);
	}
}

int kallsyms__load(struct kallsyms **out, const char *path, struct error *err)
{
	struct kallsyms *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return error__set(err, -ENOMEM, "no memory for the kernel's symbols");
	k->path = path ? strdup(path) : NULL;
	rc = path && !k->path ? error__set(err, -ENOMEM, "no memory for the kernel's symbols")
			      : load_all(k, err);
	if (rc)
		kallsyms__free(k);
	else
		*out = k;
	return rc;
}

int kallsyms__ask(struct kallsyms **out, const struct kallsyms_source *source)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->source = *source;
	(*out)->stale = true;
	return 0;
}

void kallsyms__free(struct kallsyms *k)
{
	if (!k)
		return;
	clear_table(k);
	free(k->asked);
	free(k->path);
	free(k);
}

static bool is_asked(const struct kallsyms *k, const char *name)
{
	for (size_t i = 0; i < k->nr_asked; i++)
		if (!strcmp(k->asked[i], name))
			return true;
	return false;
}

int kallsyms__want(struct kallsyms *k, const char *name)
{
	const char **more;

	if (!k->source.named || is_asked(k, name))
		return 0;
	more = realloc(k->asked, (k->nr_asked + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	k->asked = more;
	more[k->nr_asked++] = name;
	k->stale = true;
	return 0;
}

void kallsyms__changed(struct kallsyms *k)
{
	k->stale = true;
}

size_t kallsyms__count(struct kallsyms *k, const char *name, struct ksym *first)
{
	size_t n = 0;

	if (kallsyms__want(k, name))
		k->source.named = NULL;
	refresh(k);
	for (size_t at = hash_name(name); k->names && k->names[at & (k->names_size - 1)]; at++) {
		const struct ksym *s = &k->by_addr[k->names[at & (k->names_size - 1)] - 1];

		if (strcmp(s->name, name))
			continue;
		if (!n++ && first)
			*first = *s;
	}
	return n;
}

int kallsyms__at(struct kallsyms *k, uint64_t addr, struct ksym *out)
{
	size_t lo = 0, hi;

	if (k->source.named)
		return k->source.at(k->source.ctx, addr, out);
	refresh(k);
	if (k->stale)
		reload_all(k);
	hi = k->nr;
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

int kallsyms__function(struct kallsyms *k, uint64_t addr, struct ksym *out)
{
	uint64_t other;

	if (kallsyms__at(k, addr, out) || out->addr != addr)
		return -ENOENT;
	if (!k->source.named)
		return kallsyms__count(k, out->name, NULL) > 1 ? -EEXIST : 0;
	return k->source.of(k->source.ctx, out->name, &other) || other != addr ? -EEXIST : 0;
}

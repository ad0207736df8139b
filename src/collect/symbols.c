// SPDX-License-Identifier: GPL-2.0-only
#include "collect/symbols.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/programs.h"
#include "collect/subset.h"
#include "ksym.h"
#include "symbols.skel.h"

struct symbols {
	struct symbols_bpf *skel;
	struct bpf_link *link;
	char text[256]; /* the names that symbols__at() gave out */
};

static int load(struct symbols *s, const struct types *types)
{
	struct subset few;
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = subset__open(&few));
	int rc = 0;

	s->skel = symbols_bpf__open_opts(&opts);
	if (!s->skel)
		rc = -errno;
	if (!rc)
		rc = subset__fill(&few, types, bpf_object__btf(s->skel->obj), NULL);
	if (!rc)
		rc = symbols_bpf__load(s->skel);
	subset__close(&few);
	return rc;
}

int symbols__new(struct symbols **out, const struct types *types)
{
	struct symbols *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return -ENOMEM;
	rc = load(s, types);
	if (!rc) {
		s->link = bpf_program__attach_iter(s->skel->progs.symbol_lines, NULL);
		rc = s->link ? 0 : -errno;
	}
	if (!rc)
		*out = s;
	else
		symbols__free(s);
	return rc;
}

void symbols__free(struct symbols *s)
{
	if (!s)
		return;
	bpf_link__destroy(s->link);
	symbols_bpf__destroy(s->skel);
	free(s);
}

static int run(const struct bpf_program *prog)
{
	uint32_t ret;

	return program__run(bpf_program__fd(prog), NULL, 0, &ret);
}

static int want(struct symbols *s, const char *name)
{
	char key[IOT_SYMBOL_NAME] = "";
	uint64_t head;
	__u32 one = 1, bit;

	if (strlen(name) >= sizeof(key))
		return -ENAMETOOLONG;
	memcpy(key, name, strlen(name));
	memcpy(&head, key, sizeof(head));
	bit = symbols__bit(head);
	s->skel->bss->ask.filter[bit / 64] |= 1ULL << (bit & 63);
	return bpf_map_update_elem(bpf_map__fd(s->skel->maps.names), key, &one, BPF_ANY);
}

static int add_line(FILE *f, const struct iot_symbol_found *found)
{
	const char *open = found->module[0] ? "\t[" : "", *close = found->module[0] ? "]" : "";
	int n = fprintf(f, "%llx %c %.*s%s%.*s%s\n", (unsigned long long)found->addr, found->type,
			(int)sizeof(found->name) - 1, found->name, open,
			(int)sizeof(found->module) - 1, found->module, close);

	return n < 0 ? -ENOMEM : 0;
}

/* The iterator fills whole buffers, but a symbol may be cut at the end of one. */
static int read_lines(int fd, FILE *f)
{
	struct iot_symbol_found found;
	size_t have = 0;
	ssize_t n;
	int rc = 0;

	while (!rc && (n = read(fd, (char *)&found + have, sizeof(found) - have))) {
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		have += (size_t)n;
		if (have < sizeof(found))
			continue;
		have = 0;
		rc = add_line(f, &found);
	}
	return rc;
}

int symbols__named(void *ctx, const char *const *names, size_t nr, char **text, size_t *len)
{
	struct symbols *s = ctx;
	FILE *f;
	int fd, rc = 0;

	for (size_t i = 0; !rc && i < nr; i++)
		rc = want(s, names[i]);
	if (rc)
		return rc;
	fd = bpf_iter_create(bpf_link__fd(s->link));
	if (fd < 0)
		return -errno;
	*text = NULL;
	f = open_memstream(text, len);
	rc = f ? read_lines(fd, f) : -ENOMEM;
	if (f && fclose(f))
		rc = -ENOMEM;
	close(fd);
	if (!rc)
		return 0;
	free(*text);
	*text = NULL;
	return rc;
}

/* "name+0x12/0x34 [module]"; a number is no name. */
int symbols__at(void *ctx, uint64_t addr, struct ksym *out)
{
	struct symbols *s = ctx;
	unsigned long long offset;
	char *plus, *module;

	s->skel->bss->ask.addr = addr;
	if (run(s->skel->progs.symbol_at))
		return -ENOENT;
	snprintf(s->text, sizeof(s->text), "%s", s->skel->bss->ask.text);
	plus = strchr(s->text, '+');
	if (!plus || sscanf(plus, "+0x%llx", &offset) != 1)
		return -ENOENT;
	*plus = 0;
	module = strchr(plus + 1, '[');
	if (module)
		module[strcspn(module, "] ")] = 0;
	*out = (struct ksym){ .addr = addr - offset,
			      .name = s->text,
			      .module = module ? module + 1 : "",
			      .text = true };
	return 0;
}

int symbols__of(void *ctx, const char *name, uint64_t *addr)
{
	struct symbols *s = ctx;
	char *text = s->skel->bss->ask.text;
	size_t size = sizeof(s->skel->bss->ask.text);

	if (strlen(name) >= size)
		return -ENAMETOOLONG;
	memset(text, 0, size);
	memcpy(text, name, strlen(name));
	if (run(s->skel->progs.symbol_of))
		return -ENOENT;
	*addr = s->skel->bss->ask.addr;
	return *addr ? 0 : -ENOENT;
}

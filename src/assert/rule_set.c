// SPDX-License-Identifier: GPL-2.0-only
#include "assert/rule_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assert/rule_tree.h"

static void selector_free(struct selector *s)
{
	free(s->device);
	free(s->driver);
	free(s->iommu);
}

void rule__free(struct rule *rule)
{
	for (size_t i = 0; i < rule->nr_waivers; i++) {
		selector_free(&rule->waivers[i].selector);
		free(rule->waivers[i].reason);
		free(rule->waivers[i].link);
	}
	free(rule->waivers);
	selector_free(&rule->selector);
	free(rule->name);
	free(rule->file);
}

__u32 rules__needs(const struct rule_set *set)
{
	__u32 needs = 0;

	for (size_t i = 0; i < set->nr; i++) {
		const struct invariant *inv = set->rules[i].invariant;

		needs |= inv->needs | inv->counted;
	}
	/* that an IOVA is freed tells where an unmap and its flush end */
	return needs & NEED_FLUSHES ? needs | NEED_IOVAS : needs;
}

void rules__free(struct rule_set *set)
{
	for (size_t i = 0; i < set->nr; i++)
		rule__free(&set->rules[i]);
	free(set->rules);
	free(set->name);
	memset(set, 0, sizeof(*set));
}

struct rule *rule_set__find(const struct rule_set *set, const char *name)
{
	for (size_t i = 0; i < set->nr; i++) {
		if (!strcmp(set->rules[i].name, name))
			return &set->rules[i];
	}
	return NULL;
}

int rule_set__append(struct rule_set *set, struct rule *rule)
{
	struct rule *more = realloc(set->rules, (set->nr + 1) * sizeof(*more));

	if (!more) {
		rule__free(rule);
		return -ENOMEM;
	}
	set->rules = more;
	set->rules[set->nr++] = *rule;
	return 0;
}

int rules__add(struct rule_set *set, struct rule_set *more)
{
	int err = 0;

	if (!set->name) {
		set->name = more->name;
		more->name = NULL;
	}
	for (size_t i = 0; i < more->nr; i++) {
		struct rule *same = rule_set__find(set, more->rules[i].name);

		if (same) {
			rule__free(same);
			*same = more->rules[i];
		} else if (rule_set__append(set, &more->rules[i])) {
			err = -ENOMEM;
		}
	}
	more->nr = 0;
	rules__free(more);
	return err;
}

/* All of the file, up to one byte more than it may have; *text is the caller's. */
static int read_all(int fd, char **text, size_t *len)
{
	char *s = malloc(RULE_TREE_BYTES + 1);
	ssize_t n = 1;

	*text = s;
	*len = 0;
	if (!s)
		return -ENOMEM;
	while (n && *len <= RULE_TREE_BYTES) {
		n = read(fd, s + *len, RULE_TREE_BYTES + 1 - *len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			*len += (size_t)n;
	}
	return 0;
}

int rules__load(struct rule_set *out, const char *path, struct error *err)
{
	bool is_stdin = !strcmp(path, "-");
	const char *name = is_stdin ? "standard input" : path, *preset;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), ret;
	char *text = NULL;
	size_t len;

	memset(out, 0, sizeof(*out));
	if (fd < 0) {
		ret = -errno;
		for (size_t i = 0; rules__preset_text(i, &preset); i++) {
			if (!strcmp(preset, path))
				return error__set(
					err, ret,
					"cannot read the rules %s: %s; for the preset, use "
					"--preset %s",
					path, strerror(-ret), path);
		}
		return error__set(err, ret, "cannot read the rules %s: %s", path, strerror(-ret));
	}
	ret = read_all(fd, &text, &len);
	if (!is_stdin)
		close(fd);
	if (ret)
		error__set(err, ret, "cannot read the rules %s: %s", name, strerror(-ret));
	else
		ret = rules__parse(out, name, text, len, err);
	free(text);
	return ret;
}

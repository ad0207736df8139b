// SPDX-License-Identifier: GPL-2.0-only
#include "boot_params.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/parse.h"

#define OURS "iommutop."

void boot_params__defaults(struct boot_params *p)
{
	*p = (struct boot_params){
		.preset = "boot",
		.out = "serial",
		.serial = "/dev/ttyS0",
		.init = "/init",
		.every = 30000000000ULL,
	};
}

static int copy(char *to, const char *key, const char *value, struct error *err)
{
	if (strlen(value) >= BOOT_PARAM_MAX)
		return error__set(err, -EINVAL, OURS "%s is longer than %d characters", key,
				  BOOT_PARAM_MAX - 1);
	strcpy(to, value);
	return 0;
}

static int take_rules(struct boot_params *p, const char *value, struct error *err)
{
	static const char preset[] = "preset:";
	int rc;

	if (!strncmp(value, preset, sizeof(preset) - 1)) {
		p->rules[0] = '\0';
		return copy(p->preset, "rules", value + sizeof(preset) - 1, err);
	}
	if (*value != '/')
		return error__set(err, -EINVAL,
				  OURS "rules is a path that begins with / or preset:NAME, not "
				       "'%s'",
				  value);
	rc = copy(p->rules, "rules", value, err);
	if (!rc)
		p->preset[0] = '\0';
	return rc;
}

static int take_end(struct boot_params *p, const char *value, struct error *err)
{
	static const char *const names[] = { "mark", "workload", "shutdown" };

	for (int i = 0; i <= BOOT_END_SHUTDOWN; i++)
		if (!strcmp(value, names[i])) {
			p->end = (enum boot_end)i;
			return 0;
		}
	return error__set(err, -EINVAL, OURS "end is mark, workload or shutdown, not '%s'", value);
}

/* key: without OURS. */
static int take(struct boot_params *p, const char *key, const char *value, struct error *err)
{
	if (!strcmp(key, "rules"))
		return take_rules(p, value, err);
	if (!strcmp(key, "end"))
		return take_end(p, value, err);
	if (!strcmp(key, "out")) {
		if (strcmp(value, "serial") && strcmp(value, "kmsg") && *value != '/')
			return error__set(err, -EINVAL,
					  OURS "out is serial, kmsg or a path that begins with /, "
					       "not '%s'",
					  value);
		return copy(p->out, key, value, err);
	}
	if (!strcmp(key, "init")) {
		if (*value != '/')
			return error__set(err, -EINVAL, OURS "init is a path, not '%s'", value);
		return copy(p->init, key, value, err);
	}
	if (!strcmp(key, "every")) {
		if (parse__duration(value, &p->every) || p->every < 1000000000)
			return error__set(err, -EINVAL, OURS "every is a time from 1s on, not '%s'",
					  value);
		return 0;
	}
	return error__set(err, -EINVAL,
			  "there is no " OURS "%s (there are rules, out, end, every and init)",
			  key);
}

/* console=ttyS1,115200 or console=hvc0: the last one that is no screen. */
static void take_console(struct boot_params *p, const char *value)
{
	static const char *const serials[] = { "ttyS", "hvc", "ttyAMA", "ttysclp" };
	size_t len = strcspn(value, ",");

	for (size_t i = 0; i < sizeof(serials) / sizeof(*serials); i++)
		if (!strncmp(value, serials[i], strlen(serials[i])) &&
		    len < sizeof(p->serial) - sizeof("/dev/"))
			snprintf(p->serial, sizeof(p->serial), "/dev/%.*s", (int)len, value);
}

static int take_word(struct boot_params *p, char *word, struct error *err)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	if (value && !strcmp(word, "console"))
		take_console(p, value);
	if (strncmp(word, OURS, sizeof(OURS) - 1))
		return 0;
	if (!value)
		return error__set(err, -EINVAL, "%s on the kernel's command line has no value",
				  word);
	return take(p, word + sizeof(OURS) - 1, value, err);
}

/* Calls take_word() with each word of a command line, its quotes taken off as the kernel does
 * (lib/cmdline.c, next_arg()). */
int boot_params__cmdline(struct boot_params *p, const char *text, struct error *err)
{
	char word[2 * BOOT_PARAM_MAX];
	bool quoted = false, whole = true;
	size_t len = 0;
	int rc;

	for (;; text++) {
		bool ends = !*text || (!quoted && strchr(" \t\n", *text));

		if (*text == '"')
			quoted = !quoted;
		else if (!ends && len < sizeof(word) - 1)
			word[len++] = *text;
		else if (!ends)
			whole = false;
		if (!ends)
			continue;
		word[len] = '\0';
		if (!whole && !strncmp(word, OURS, sizeof(OURS) - 1))
			return error__set(err, -EINVAL, "%.40s… is too long", word);
		rc = whole ? take_word(p, word, err) : 0;
		if (rc || !*text)
			return rc;
		len = 0;
		whole = true;
	}
}

/* key = "value"[, "value"…], one a line; the kernel has resolved everything else already. */
int boot_params__bootconfig(struct boot_params *p, const char *text, struct error *err)
{
	while (*text) {
		size_t len = strcspn(text, "\n"), key_len = strcspn(text, " =\n");
		char key[64], value[2 * BOOT_PARAM_MAX];
		const char *at = text + key_len;
		size_t value_len;
		int rc = 0;

		if (!strncmp(text, OURS, sizeof(OURS) - 1)) {
			at += strspn(at, " =");
			if (*at == '"')
				at++;
			value_len = strcspn(at, "\"\n");
			if (at > text + len)
				value_len = 0;
			if (key_len - sizeof(OURS) + 1 >= sizeof(key) || value_len >= sizeof(value))
				return error__set(err, -EINVAL, "%.40s… in bootconfig is too long",
						  text);
			snprintf(key, sizeof(key), "%.*s", (int)(key_len - sizeof(OURS) + 1),
				 text + sizeof(OURS) - 1);
			snprintf(value, sizeof(value), "%.*s", (int)value_len, at);
			rc = take(p, key, value, err);
		}
		if (rc)
			return rc;
		text += len + (text[len] == '\n');
	}
	return 0;
}

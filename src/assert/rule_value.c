// SPDX-License-Identifier: GPL-2.0-only
#include "assert/rule_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "util/nearest.h"
#include "util/parse.h"
#include "util/text.h"

#define NAME_MAX_LEN    64U
#define PATTERN_MAX_LEN 128U
#define LINK_MAX_LEN    512U
#define REASON_MAX_LEN  1024U

#define QUOTE(text) (text__quote(text).s)

static int copy(const char *text, char **out, struct error *err)
{
	char *s = strdup(text);

	if (!s)
		return error__set(err, -ENOMEM, "no memory for the rules");
	*out = s;
	return 0;
}

static int duration(const char *name, const char *text, uint64_t *out, struct error *err)
{
	uint64_t number;
	int ret;

	/* A bare number would be seconds, which is hardly ever meant. */
	if (!parse__decimal(text, 9, &number) && number)
		return error__set(err, -EINVAL, "%s: \"%s\" has no unit: write %sms, %sus or %ss",
				  name, QUOTE(text), QUOTE(text), QUOTE(text), QUOTE(text));
	ret = parse__duration(text, out);
	if (ret == -ERANGE)
		return error__set(err, -EINVAL, "%s: \"%s\" is too long", name, QUOTE(text));
	if (ret)
		return error__set(err, -EINVAL,
				  "%s takes a time with its unit, such as 20ms, 1.5s or 250us, and "
				  "this is \"%s\"",
				  name, QUOTE(text));
	if (!*out)
		return error__set(err, -EINVAL, "%s: the time must be longer than 0", name);
	return 0;
}

static int percent(const char *name, const char *text, uint64_t *out, struct error *err)
{
	if (parse__decimal(text, 3, out))
		return error__set(
			err, -EINVAL,
			"%s takes a number with up to three digits after the point, such as "
			"99 or 99.9, and this is \"%s\"",
			name, QUOTE(text));
	if (!*out || *out > 100000)
		return error__set(err, -EINVAL,
				  "%s: %s is out of range, which is above 0 up to 100", name,
				  QUOTE(text));
	return 0;
}

int rule_value__param(const struct invariant_param *p, const char *text, __u64 *out,
		      struct error *err)
{
	uint64_t v = 0;
	size_t word = 0;
	int ret = 0;

	switch (p->kind) {
	case PARAM_DURATION:
		ret = duration(p->name, text, &v, err);
		break;
	case PARAM_PERCENT:
		ret = percent(p->name, text, &v, err);
		break;
	case PARAM_SIZE:
		if (parse__size(text, &v))
			ret = error__set(
				err, -EINVAL,
				"%s takes bytes, such as 4096, 64K or 2M, and this is \"%s\"",
				p->name, QUOTE(text));
		break;
	case PARAM_COUNT:
		if (parse__u64(text, &v))
			ret = error__set(err, -EINVAL,
					 "%s takes a number, such as 0 or 12, and this is \"%s\"",
					 p->name, QUOTE(text));
		break;
	case PARAM_WORD:
		ret = rule_value__word(p->words, p->name, text, &word, err);
		v = word;
		break;
	}
	if (!ret)
		*out = v;
	return ret;
}

int rule_value__word(const char *const *words, const char *what, const char *text, size_t *out,
		     struct error *err)
{
	struct nearest near = { .word = text };

	for (size_t i = 0; words[i]; i++) {
		if (!strcmp(words[i], text)) {
			*out = i;
			return 0;
		}
		nearest__offer(&near, words[i]);
	}
	return error__set(err, -EINVAL, "%s: \"%s\" is unknown; %s", what, QUOTE(text),
			  nearest__hint(&near).s);
}

int rule_value__type(const char *text, __s32 *out, struct error *err)
{
	static const char *const words[] = { "DMA-FQ",    "DMA",     "identity",
					     "unmanaged", "blocked", NULL };
	static const __s32 types[] = { IOT_TYPE_DMA_FQ, IOT_TYPE_DMA, IOT_TYPE_IDENTITY,
				       IOT_TYPE_UNMANAGED, IOT_TYPE_BLOCKED };
	size_t i;
	int ret = rule_value__word(words, "type", text, &i, err);

	if (!ret)
		*out = types[i];
	return ret;
}

int rule_value__group(const char *text, __s32 *out, struct error *err)
{
	uint64_t v;

	if (parse__u64(text, &v) || v > INT32_MAX)
		return error__set(err, -EINVAL,
				  "group takes the number of an IOMMU group, and this is "
				  "\"%s\"",
				  QUOTE(text));
	*out = (__s32)v;
	return 0;
}

int rule_value__date(const char *text, __s32 *out, struct error *err)
{
	if (parse__date(text, out))
		return error__set(
			err, -EINVAL,
			"expires takes a day from 1970 on, year first, such as 2027-01-31, "
			"and this is \"%s\"",
			QUOTE(text));
	return 0;
}

int rule_value__name(const char *text, char **out, struct error *err)
{
	size_t len = strlen(text);

	/* Names go into test results of several formats, where others mean something. */
	if (len > NAME_MAX_LEN || !isalnum((unsigned char)*text) ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
		    len)
		return error__set(
			err, -EINVAL,
			"\"%s\" can't be a name: that is up to %u letters, digits and . _ -, "
			"a letter or digit first",
			QUOTE(text), NAME_MAX_LEN);
	return copy(text, out, err);
}

/* "04:*" */
static bool lacks_segment(const char *p)
{
	return isxdigit((unsigned char)p[0]) && isxdigit((unsigned char)p[1]) && p[2] == ':' &&
	       strpbrk(p, "*?") && !strchr(p + 3, ':');
}

int rule_value__pattern(const char *what, const char *text, char **out, struct error *err)
{
	char address[32];
	uint32_t rid;

	if (strlen(text) > PATTERN_MAX_LEN)
		return error__set(err, -EINVAL, "%s: this is longer than any name", what);
	if (strpbrk(text, "\n[]{}"))
		return error__set(
			err, -EINVAL,
			"%s: in patterns * is any text and ? any character, and \"%s\" uses "
			"something else",
			what, QUOTE(text));
	if (lacks_segment(text))
		return error__set(err, -EINVAL,
				  "%s: names of PCI devices begin with the segment: \"0000:%s\"",
				  what, QUOTE(text));
	if (parse__pci_rid(text, &rid))
		return copy(text, out, err);
	snprintf(address, sizeof(address), "%04x:%02x:%02x.%x", rid >> 16, rid >> 8 & 0xff,
		 rid >> 3 & 0x1f, rid & 7);
	return copy(address, out, err);
}

int rule_value__link(const char *text, char **out, struct error *err)
{
	size_t len = strlen(text), scheme = 0;

	if (!strncmp(text, "https://", 8))
		scheme = 8;
	else if (!strncmp(text, "http://", 7))
		scheme = 7;
	if (!scheme || len == scheme || len > LINK_MAX_LEN || strpbrk(text, " \n\"'<>`"))
		return error__set(
			err, -EINVAL,
			"link takes an address, https://… without blanks, and this is \"%s\"",
			QUOTE(text));
	return copy(text, out, err);
}

int rule_value__reason(const char *text, char **out, struct error *err)
{
	size_t len = 0;
	int ret;

	if (strlen(text) > REASON_MAX_LEN)
		return error__set(err, -EINVAL,
				  "reason is longer than %u bytes; the rest belongs "
				  "behind its link",
				  REASON_MAX_LEN);
	ret = copy(text, out, err);
	if (ret)
		return ret;
	/* Block texts have line breaks. */
	for (const char *c = text; *c; c++) {
		bool blank = *c == ' ' || *c == '\n';

		if (!blank || (len && (*out)[len - 1] != ' '))
			(*out)[len++] = blank ? ' ' : *c;
	}
	while (len && (*out)[len - 1] == ' ')
		len--;
	(*out)[len] = '\0';
	return 0;
}

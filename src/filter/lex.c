// SPDX-License-Identifier: GPL-2.0-only
#include "filter/lex.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *text;
	enum lex_kind kind;
} signs[] = {
	{ "&&", LEX_AND },  { "||", LEX_OR },     { "==", LEX_EQ }, { "!=", LEX_NE },
	{ "<=", LEX_LE },   { ">=", LEX_GE },     { "<", LEX_LT },  { ">", LEX_GT },
	{ "~", LEX_LIKE },  { "!~", LEX_UNLIKE }, { "!", LEX_NOT }, { "(", LEX_OPEN },
	{ ")", LEX_CLOSE },
};

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_.:*?/+-@%", c));
}

static void bad(struct lex *l, const char *why)
{
	l->kind = LEX_BAD;
	snprintf(l->text, sizeof(l->text), "%s", why);
}

static void take_text(struct lex *l)
{
	char quote = *l->at++;
	size_t len = 0;

	for (; *l->at && *l->at != quote; l->at++) {
		if (len + 1 == sizeof(l->text)) {
			bad(l, "this text is too long");
			return;
		}
		l->text[len++] = *l->at;
	}
	if (!*l->at) {
		bad(l, "the quote that begins here isn't closed");
		return;
	}
	l->at++;
	l->text[len] = '\0';
	l->kind = LEX_TEXT;
}

static void take_word(struct lex *l)
{
	size_t len = 0;

	while (in_word(*l->at)) {
		if (len + 1 == sizeof(l->text)) {
			bad(l, "this word is too long");
			return;
		}
		l->text[len++] = *l->at++;
	}
	l->text[len] = '\0';
	l->kind = LEX_WORD;
}

void lex__next(struct lex *l)
{
	while (isspace((unsigned char)*l->at))
		l->at++;
	l->column = (size_t)(l->at - l->start) + 1;
	l->text[0] = '\0';
	if (!*l->at) {
		l->kind = LEX_END;
		return;
	}
	if (*l->at == '"' || *l->at == '\'') {
		take_text(l);
		return;
	}
	if (in_word(*l->at)) {
		take_word(l);
		return;
	}
	/* Longer signs first, but "!~" has to be told from "!" too. */
	for (size_t longest = 2; longest; longest--)
		for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
			if (strlen(signs[i].text) == longest &&
			    !strncmp(l->at, signs[i].text, longest)) {
				l->at += longest;
				l->kind = signs[i].kind;
				return;
			}
	switch (*l->at) {
	case '=':
		bad(l, "write == to compare");
		break;
	case '&':
		bad(l, "write && for and");
		break;
	case '|':
		bad(l, "write || for or");
		break;
	default:
		bad(l, "this character means nothing here");
	}
}

void lex__init(struct lex *l, const char *text)
{
	*l = (struct lex){ .start = text, .at = text };
	lex__next(l);
}

bool lex__is_comparison(enum lex_kind kind)
{
	return kind >= LEX_EQ && kind <= LEX_UNLIKE;
}

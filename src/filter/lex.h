/* SPDX-License-Identifier: GPL-2.0-only */
/* Words of the filter language. */
#ifndef IOMMUTOP_FILTER_LEX_H
#define IOMMUTOP_FILTER_LEX_H

#include <stdbool.h>
#include <stddef.h>

#define LEX_WORD_MAX 128 /* bytes of one word or text, its NUL included */

enum lex_kind {
	LEX_END,
	LEX_WORD, /* a name, a number, an address: 0000:00:03.0, -ENOMEM, eth* */
	LEX_TEXT, /* the same between quotes */
	LEX_OPEN,
	LEX_CLOSE,
	LEX_NOT,
	LEX_AND,
	LEX_OR,
	LEX_EQ,
	LEX_NE,
	LEX_LT,
	LEX_LE,
	LEX_GT,
	LEX_GE,
	LEX_LIKE,
	LEX_UNLIKE,
	LEX_BAD, /* why is in text */
};

struct lex {
	const char *start, *at;
	enum lex_kind kind; /* of the current word */
	size_t column;      /* where it begins, from 1 */
	char text[LEX_WORD_MAX];
};

void lex__init(struct lex *l, const char *text); /* text must outlive l; goes to the first word */
void lex__next(struct lex *l);
bool lex__is_comparison(enum lex_kind kind);

#endif

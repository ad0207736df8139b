// SPDX-License-Identifier: GPL-2.0-only
#include "session/metadata.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"

#define ENV_MAX     1024
#define IS_LITTLE   (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
#define OWN_ORDER   (IS_LITTLE ? "le" : "be")
#define OTHER_ORDER (IS_LITTLE ? "be" : "le")

enum token { TOK_END, TOK_WORD, TOK_STRING, TOK_NUMBER, TOK_MARK, TOK_BAD };

struct parser {
	const char *at;
	int line;
	enum token token;
	const char *word; /* WORD: where it begins; MARK: the character */
	size_t len;
	const char *text; /* STRING: decoded, in store */
	int64_t number;

	char *store; /* free part: never more than the text that is still to come */
	struct metadata *out;
	struct error *err;
	int have_uuid, have_clock, have_order, have_tracer, have_format;
	int64_t offset_s, offset_ns;
};

static void skip_blanks(struct parser *p)
{
	const char *end;

	for (;;) {
		if (isspace((unsigned char)*p->at)) {
			p->line += *p->at++ == '\n';
		} else if (p->at[0] == '/' && p->at[1] == '*') {
			end = strstr(p->at + 2, "*/");
			if (!end)
				return;
			for (; p->at < end + 2; p->at++)
				p->line += *p->at == '\n';
		} else if (p->at[0] == '/' && p->at[1] == '/') {
			p->at += strcspn(p->at, "\n");
		} else {
			return;
		}
	}
}

/* One character of a string literal behind a backslash; -1 if it is none that TSDL knows. */
static int read_escape(struct parser *p)
{
	static const char letters[] = "abfnrtv\\'\"?", values[] = "\a\b\f\n\r\t\v\\'\"?";
	const char *found;
	int value = 0, i;

	if (*p->at >= '0' && *p->at <= '7') {
		for (i = 0; i < 3 && *p->at >= '0' && *p->at <= '7'; i++)
			value = value * 8 + *p->at++ - '0';
		return value > 0 && value < 256 ? value : -1;
	}
	found = *p->at ? strchr(letters, *p->at) : NULL;
	if (!found)
		return -1;
	p->at++;
	return values[found - letters];
}

static enum token read_string(struct parser *p)
{
	char *to = p->store;
	int c;

	p->text = to;
	for (p->at++; *p->at != '"'; *to++ = (char)c) {
		if (!*p->at || *p->at == '\n')
			return TOK_BAD;
		c = *p->at++;
		if (c == '\\')
			c = read_escape(p);
		if (c == -1)
			return TOK_BAD;
	}
	p->at++;
	*to++ = 0;
	p->store = to;
	return TOK_STRING;
}

static enum token read_number(struct parser *p)
{
	char *end;

	errno = 0;
	p->number = strtoll(p->at, &end, 0);
	if (errno || end == p->at)
		return TOK_BAD;
	p->at = end;
	return TOK_NUMBER;
}

static enum token next(struct parser *p)
{
	unsigned char c;

	skip_blanks(p);
	c = (unsigned char)*p->at;
	p->word = p->at;
	p->len = 1;
	if (!c) {
		p->token = TOK_END;
	} else if (c == '"') {
		p->token = read_string(p);
	} else if (isdigit(c) || c == '-') {
		p->token = read_number(p);
	} else if (isalpha(c) || c == '_') {
		while (isalnum((unsigned char)*p->at) || *p->at == '_' || *p->at == '.')
			p->at++;
		p->len = (size_t)(p->at - p->word);
		p->token = TOK_WORD;
	} else {
		p->at++;
		p->token = TOK_MARK;
	}
	return p->token;
}

static int is_mark(const struct parser *p, char mark)
{
	return p->token == TOK_MARK && *p->word == mark;
}

static int is_word(const struct parser *p, const char *word)
{
	return p->token == TOK_WORD && p->len == strlen(word) && !memcmp(p->word, word, p->len);
}

static int bad(struct parser *p, const char *why)
{
	return error__set(p->err, -EBADMSG, "line %d: %s", p->line, why);
}

/* From the current token on to the ';' that ends this declaration. */
static int skip_declaration(struct parser *p)
{
	long depth = 0;

	for (;; next(p)) {
		if (p->token == TOK_END || p->token == TOK_BAD)
			return bad(p, p->token == TOK_END ? "it ends in the middle" : "not TSDL");
		if (is_mark(p, '{'))
			depth++;
		else if (is_mark(p, '}'))
			depth--;
		else if (is_mark(p, ';') && depth <= 0)
			return depth ? bad(p, "a '}' too many") : 0;
	}
}

static int parse_uuid(const char *s, uint8_t uuid[16])
{
	static const char digits[] = "0123456789abcdef";
	const char *d;
	int i = 0;

	for (; *s; s++) {
		if (*s == '-')
			continue;
		d = strchr(digits, tolower((unsigned char)*s));
		if (!d || i == 32)
			return -EINVAL;
		uuid[i / 2] = (uint8_t)(uuid[i / 2] << 4 | (d - digits));
		i++;
	}
	return i == 32 ? 0 : -EINVAL;
}

static int set_trace(struct parser *p, const char *key)
{
	if (!strcmp(key, "uuid")) {
		if (p->token != TOK_STRING || parse_uuid(p->text, p->out->uuid))
			return bad(p, "the trace's uuid is none");
		p->have_uuid = 1;
	} else if (!strcmp(key, "byte_order")) {
		p->out->other_byte_order = is_word(p, OTHER_ORDER);
		if (!is_word(p, OWN_ORDER) && !p->out->other_byte_order)
			return bad(p, "the byte order is neither le nor be");
		p->have_order = 1;
	}
	return 0;
}

static int set_clock(struct parser *p, const char *key)
{
	uint8_t uuid[16];

	if (!strcmp(key, "uuid")) {
		if (p->token != TOK_STRING || strlen(p->text) != 36 || parse_uuid(p->text, uuid))
			return bad(p, "the clock's uuid is none");
		strcpy(p->out->clock.boot_id, p->text);
		p->have_clock = 1;
	} else if (!strcmp(key, "freq")) {
		if (p->token != TOK_NUMBER || p->number != 1000000000)
			return bad(p, "the clock does not count nanoseconds");
	} else if (!strcmp(key, "offset_s") || !strcmp(key, "offset")) {
		if (p->token != TOK_NUMBER ||
		    p->number > INT64_MAX / 2000000000 * (key[6] ? 1 : 1000000000) ||
		    p->number < INT64_MIN / 2000000000 * (key[6] ? 1 : 1000000000))
			return bad(p, "the clock's offset is out of range");
		*(key[6] ? &p->offset_s : &p->offset_ns) = p->number;
	}
	return 0;
}

static int set_env(struct parser *p, const char *key)
{
	struct session_env_entry *e, *list;
	struct metadata *m = p->out;

	if (p->token != TOK_STRING && p->token != TOK_NUMBER)
		return 0;
	if (m->nr_env >= ENV_MAX)
		return bad(p, "too many values in env");
	if (!(m->nr_env & (m->nr_env - 1))) {
		list = realloc(m->env, (m->nr_env ? 2 * m->nr_env : 1) * sizeof(*list));
		if (!list)
			return error__set(p->err, -ENOMEM, "out of memory");
		m->env = list;
	}
	e = &m->env[m->nr_env++];
	*e = (struct session_env_entry){
		.key = key,
		.text = p->token == TOK_STRING ? p->text : NULL,
		.number = p->token == TOK_NUMBER ? p->number : 0,
	};
	if (!strcmp(key, "tracer_name"))
		p->have_tracer = e->text && !strcmp(e->text, "iommutop");
	if (!strcmp(key, "format_version") && !e->text) {
		p->have_format = 1;
		m->format_version =
			e->number > INT32_MAX || e->number < 1 ? INT32_MAX : (int)e->number;
	}
	return 0;
}

typedef int (*setter)(struct parser *p, const char *key);

/* "key = value; … };" up to the ';', which stays the current token. */
static int parse_block(struct parser *p, setter set)
{
	char *key;
	int rc;

	while (!is_mark(p, '}')) {
		if (p->token != TOK_WORD)
			return bad(p, p->token == TOK_END ? "it ends in the middle"
							  : "a name was expected");
		key = p->store;
		memcpy(key, p->word, p->len);
		key[p->len] = 0;
		p->store += p->len + 1;
		next(p);
		if (is_mark(p, '=')) {
			next(p);
			rc = set(p, key);
			if (rc)
				return rc;
		}
		rc = skip_declaration(p);
		if (rc)
			return rc;
		next(p);
	}
	next(p);
	return is_mark(p, ';') ? 0 : bad(p, "a ';' was expected");
}

static int parse_all(struct parser *p)
{
	setter set;
	int rc;

	while (next(p) != TOK_END) {
		set = is_word(p, "trace")   ? set_trace
		      : is_word(p, "env")   ? set_env
		      : is_word(p, "clock") ? set_clock
					    : NULL;
		if (set) {
			next(p);
			if (!is_mark(p, '{'))
				return bad(p, "a '{' was expected");
			next(p);
			rc = parse_block(p, set);
		} else {
			rc = skip_declaration(p);
		}
		if (rc)
			return rc;
	}
	return 0;
}

static int check_complete(struct parser *p)
{
	if (!p->have_tracer)
		return error__set(p->err, -ENOTSUP,
				  "it is a CTF trace, but not one that iommutop wrote");
	if (!p->have_format)
		return error__set(p->err, -EBADMSG, "it does not say its format_version");
	if (p->out->format_version > IOT_FORMAT_VERSION)
		return error__set(p->err, -ENOTSUP,
				  "it has format version %d and this iommutop knows up to %d; "
				  "read it with a newer iommutop",
				  p->out->format_version, IOT_FORMAT_VERSION);
	if (!p->have_uuid || !p->have_clock || !p->have_order)
		return error__set(p->err, -EBADMSG, "it does not name its %s",
				  !p->have_uuid    ? "uuid"
				  : !p->have_clock ? "clock"
						   : "byte order");
	return 0;
}

int metadata__parse(struct metadata *out, const char *text, size_t bytes, struct error *err)
{
	struct parser p = { .at = text, .line = 1, .out = out, .err = err };
	int rc;

	memset(out, 0, sizeof(*out));
	if (strncmp(text, "/* CTF 1.8", 10))
		return error__set(err, -EBADMSG,
				  bytes ? "it does not begin as CTF 1.8 metadata" : "it is empty");
	/*
	 * Names and decoded strings are no longer than what they are read from, and a name is
	 * followed by a mark, a string ends with one: room for their NUL.
	 */
	out->store = malloc(bytes + 1);
	if (!out->store)
		return error__set(err, -ENOMEM, "out of memory");
	p.store = out->store;
	rc = parse_all(&p);
	if (!rc)
		rc = check_complete(&p);
	if (rc) {
		metadata__free(out);
		return rc;
	}
	out->clock.offset_ns = p.offset_s * 1000000000 + p.offset_ns;
	return 0;
}

void metadata__free(struct metadata *m)
{
	free(m->env);
	free(m->store);
	m->env = NULL;
	m->store = NULL;
	m->nr_env = 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes become a filter expression, and behind its NUL or line feed events: a byte says which kind,
 * the next how many bytes it has beyond the least, then come its bytes. Whatever compiles must hold
 * for an event exactly if its negation doesn't; whatever doesn't must say why. The same text is
 * tried as a time.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "filter/filter.h"
#include "filter/scope.h"
#include "filter/scope_time.h"
#include "session/tsdl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define TEXT_MAX 1024

static const struct tsdl_event *kinds[64];
static size_t nr_kinds;

static void list_kinds(void)
{
	const struct tsdl_event *e;

	for (e = tsdl__next(NULL); e; e = tsdl__next(e)) {
		assert(nr_kinds < sizeof(kinds) / sizeof(kinds[0]));
		kinds[nr_kinds++] = e;
	}
}

static struct filter *compile(const char *text)
{
	struct error err = { "" };
	struct filter *f;

	if (!filter__new(&f, text, &err))
		return f;
	assert(!strncmp(err.text, "column ", 7));
	return NULL;
}

static void name_devices(struct filter *f)
{
	if (filter__device(f, 0, "none") || filter__device(f, 1, "0000:03:00.0") ||
	    filter__device(f, 2, "") || filter__device(f, 1, "refdma.0"))
		abort();
}

/* Memory of just its length, so that a read behind it is seen. Returns the bytes used. */
static size_t one_event(const struct filter *f, const struct filter *negation, const uint8_t *data,
			size_t bytes)
{
	const struct tsdl_event *kind = kinds[data[0] % nr_kinds];
	size_t len = (kind->size + 7U) / 8 * 8 + data[1] % 8 * 8, n = bytes - 2;
	struct iot_event *ev = aligned_alloc(8, len);

	if (!ev)
		abort();
	n = n < len ? n : len;
	memset(ev, 0, len);
	memcpy(ev, data + 2, n);
	ev->len = (uint16_t)len;
	ev->id = kind->id;
	ev->dev %= 4;
	if (filter__match(f, ev) == filter__match(negation, ev))
		abort();
	free(ev);
	return n + 2;
}

static void try_time(const char *text)
{
	struct scope_time from, to;
	struct error err = { "" };

	if (scope_time__parse(text, &from, &to, &err))
		assert(!strncmp(err.text, "--time", 6));
	else if (from.given && to.given && from.absolute == to.absolute)
		assert(from.ns <= to.ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	char text[TEXT_MAX], not [TEXT_MAX + 4];
	struct filter *f, *negation;
	size_t n = 0;

	if (!nr_kinds)
		list_kinds();
	while (n < bytes && n < sizeof(text) - 1 && data[n] && data[n] != '\n')
		n++;
	memcpy(text, data, n);
	text[n] = '\0';
	try_time(text);
	f = compile(text);
	if (!f)
		return 0;
	not [0] = '!';
	not [1] = '(';
	memcpy(not +2, text, n);
	memcpy(not +2 + n, ")", 2);
	negation = compile(not );
	name_devices(f);
	if (negation)
		name_devices(negation);
	for (n++; negation && n + 2 < bytes;)
		n += one_event(f, negation, data + n, bytes - n);
	filter__free(f);
	filter__free(negation); /* NULL: one parenthesis too many */
	return 0;
}

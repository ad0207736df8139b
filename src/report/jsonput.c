// SPDX-License-Identifier: GPL-2.0-only
#include "report/jsonput.h"

#include <stdio.h>

#include "report/words.h"

void put(json *o, const char *key, json *value)
{
	json_object_object_add(o, key, value);
}

void put_u64(json *o, const char *key, __u64 v)
{
	put(o, key, json_object_new_uint64(v));
}

void put_text(json *o, const char *key, const char *text)
{
	put(o, key, text && *text ? json_object_new_string(text) : NULL);
}

json *hex_json(__u64 v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", v);
	return json_object_new_string(text);
}

void put_hex(json *o, const char *key, __u64 v)
{
	put(o, key, hex_json(v));
}

void put_nonzero(json *o, const char *key, __u64 v)
{
	put(o, key, v ? json_object_new_uint64(v) : NULL);
}

json *stack_json(const struct model *m, __u32 nr)
{
	const struct model_stack *st = nr ? model__stack(m, nr) : NULL;
	json *o;

	if (!st)
		return NULL;
	o = json_object_new_array();
	for (__u32 i = 0; i < st->nr; i++)
		json_object_array_add(o, json_object_new_string(words__symbol(m, st->ip[i]).s));
	return o;
}

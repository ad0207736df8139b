/* SPDX-License-Identifier: GPL-2.0-only */
/* How the JSON reports write values. A key whose value isn't known has the value null. */
#ifndef IOMMUTOP_REPORT_JSONPUT_H
#define IOMMUTOP_REPORT_JSONPUT_H

#include <json-c/json.h>
#include <linux/types.h>

#include "model/model.h"

typedef struct json_object json;

/* All take the value over. Without memory, the key is missing. */
void put(json *o, const char *key, json *value);
void put_u64(json *o, const char *key, __u64 v);
void put_text(json *o, const char *key, const char *text); /* NULL or "": null */
void put_hex(json *o, const char *key, __u64 v);           /* "0x1000" */
json *hex_json(__u64 v);                                   /* the same, for arrays */
/* null for "none": 0 isn't a time, a number of a device, a domain or a stack. */
void put_nonzero(json *o, const char *key, __u64 v);

/* Names of its functions, innermost first; NULL if the stack isn't known. */
json *stack_json(const struct model *m, __u32 nr);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* What a scope asks for, as the options of a command line. */
#ifndef IOMMUTOP_FILTER_SCOPE_TEXT_H
#define IOMMUTOP_FILTER_SCOPE_TEXT_H

#include "filter/scope.h"

/* "--dev 0000:03:00.0 --time 2,3", to be freed; NULL without memory. */
char *scope_text__new(const struct scope_opts *opts);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* The incidents' part of the HTML report. */
#ifndef IOMMUTOP_REPORT_HTML_INCIDENT_H
#define IOMMUTOP_REPORT_HTML_INCIDENT_H

#include <stdio.h>

#include "model/model.h"

struct json_object;

/* A list of links, if there is more than one, then each in full. incidents: report__json()'s, of
 * which the first shown ones are written. */
void html_incident__all(FILE *out, const struct model *m, struct json_object *incidents,
			size_t shown);

#endif

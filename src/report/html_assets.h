/* SPDX-License-Identifier: GPL-2.0-only */
/* Style and script of the HTML report: the files in src/report/assets, made into C by
 * assets/embed.sh. */
#ifndef IOMMUTOP_REPORT_HTML_ASSETS_H
#define IOMMUTOP_REPORT_HTML_ASSETS_H

/* Texts ended by NUL, and the SHA-256 of each in base64, as a Content-Security-Policy wants it. */
extern const char html_assets__css[], html_assets__css_sha256[];
extern const char html_assets__js[], html_assets__js_sha256[];

#endif

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# embed.sh CSS JS...: style and script as C, on stdout. Several scripts become one, in the order given.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# hash FILE: SHA-256 in base64
hash()
{
	local hex
	hex=$(sha256sum <"$1" | cut -c 1-64)
	# shellcheck disable=SC2001,SC2059 # the format is the data: \x12\x34…
	printf "$(sed 's/../\\x&/g' <<<"$hex")" | base64
}

# text NAME FILE
text()
{
	printf 'const char html_assets__%s_sha256[] = "%s";\n' "$1" "$(hash "$2")"
	printf 'const char html_assets__%s[] = {\n' "$1"
	od -An -v -tu1 -w24 "$2" | sed 's/ *\([0-9][0-9]*\)/\1,/g'
	printf '0 };\n'
}

cp "$1" "$work/css"
shift
cat "$@" >"$work/js"
# in an HTML file neither may hold what ends it
! grep -il '</s' "$work/css" "$work/js" >&2 || { echo "embed.sh: an end tag in the style or script" >&2; exit 1; }
echo '// made by src/report/assets/embed.sh'
echo '#include "report/html_assets.h"'
text css "$work/css"
text js "$work/js"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# docs/invariants.md is what the table of invariants makes of it, and assert knows each that it describes.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"

"${BUILD:-$top/build}/tests/gen_invariants" >"$dir/page"
check "docs/invariants.md is up to date (build/tests/gen_invariants >docs/invariants.md)" \
	diff -u "$top/docs/invariants.md" "$dir/page"
sed -n 's/^## //p' "$top/docs/invariants.md" | sort >"$dir/described"
"$iommutop" assert --list >"$dir/list"
while read -r name; do
	check "assert --list has $name" grep -qE "^ *$name( |$)" "$dir/list"
done <"$dir/described"
check "there are 19" [ "$(wc -l <"$dir/described")" = 19 ]
finish

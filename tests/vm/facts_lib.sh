# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # variables of boot_lib.sh
#
# Sourced after boot_lib.sh by tests that hold what iommutop says against what somebody else counted. A fact is a line
# "name value"; facts are looked up by file and name, so a fact that is missing makes its check fail.

# fact FILE NAME: prints the value, or "none"; $dir/facts is where the files are.
fact()
{
	awk -v n="$2" '$1 == n { sub(/^[^ ]+ /, ""); print; seen = 1; exit }
		END { if (!seen) print "none" }' "$dir/facts/$1"
}

# is_number VALUE: it is one, decimal or hexadecimal, and no fact that is missing.
is_number() { [[ $1 =~ ^-?([0-9]+|0x[0-9a-f]+)$ ]]; }

# grown FILE NAME: of a counter between FILE.before and FILE.after, or none if one of them is missing.
grown()
{
	local before after
	before=$(fact "$1.before" "$2") after=$(fact "$1.after" "$2")
	if is_number "$before" && is_number "$after"; then echo $((after - before)); else echo none; fi
}

# sum FILE NAME...
sum()
{
	local file=$1 name total=0
	shift
	for name in "$@"; do total=$((total + $(fact "$file" "$name" | sed 's/^none$/0/'))); done
	echo $total
}

# equal NAME GOT WANTED: both must be numbers, or both text; "none" and nothing are equal to nothing.
equal()
{
	check "$1 (${3:-nothing})" [ "$2" = "$3" -a -n "$2" -a "$2" != none ]
	[ "$2" = "$3" ] || echo "# got '$2', wanted '$3'"
}

# came_to_end NAME: the guest's script ended and had nothing to complain of; without that there is nothing to compare.
came_to_end()
{
	check "$1: the guest's script came to its end" [ "$code" = 0 -a ! -s "$dir/out" ]
	sed 's/^/# /' "$dir/out"
	[ "$code" = 0 ]
}

# flatten: JSON on standard input as facts: totals.maps 12, incidents.0.title …; a list also has its length as NAME.nr.
flatten()
{
	python3 -c '
import json, sys
def walk(v, path):
    if isinstance(v, list):
        print(path + ".nr", len(v))
    items = None
    if isinstance(v, (dict, list)):
        items = v.items() if isinstance(v, dict) else enumerate(v)
    if items is None:
        print(path, json.dumps(v) if not isinstance(v, str) else v.replace("\n", " "))
    else:
        for k, x in items:
            walk(x, path + "." + str(k) if path else str(k))
walk(json.load(sys.stdin), "")'
}

# without_standstills TRACE: a report without the flushes that took long because the guest had no CPU (stood_still.py).
without_standstills() { python3 "$top/tests/vm/stood_still.py" "$1"; }

# session DIR: facts of a session: what analyze says; flush.KIND and event.NAME: what babeltrace2 counts in it.
session()
{
	"$iommutop" analyze --json "$1" 2>"$dir/err" | flatten
	babeltrace2 "$1/ctf" 2>>"$dir/err" | awk '
		{
			name = ""
			for (i = 1; i < 8 && !name; i++)
				if ($i ~ /^[a-z_]+:$/) name = $i
			sub(":", "", name)
			n[name]++
			if (name == "flush" && match($0, /kind = \( "[a-z_]+"/)) {
				kind = substr($0, RSTART + 10, RLENGTH - 11)
				kinds[kind]++
			}
		}
		END {
			split("map unmap flush fault hang reset invalidate table_alloc table_free", names, " ")
			for (i in names) print "event." names[i], n[names[i]] + 0
			split("all sync sync_map", names, " ")
			for (i in names) print "flush." names[i], kinds[names[i]] + 0
		}'
}

# lost SESSION-FACTS CAUSE-CODE: events lost by a cause, summed.
lost()
{
	awk -v want="$2" '$1 ~ /^losses\.[0-9]+\.cause_code$/ { on = $2 == want }
		$1 ~ /^losses\.[0-9]+\.count$/ && on { s += $2 } END { print s + 0 }' "$dir/facts/$1"
}

# same_words PAGE BOOT DIR: the transcripts of that boot in docs/cookbook/PAGE are what was printed now (transcripts.py), but for
# numbers; with COOKBOOK=1 they are made anew first.
same_words()
{
	local page=$top/docs/cookbook/$1

	[ -z "${COOKBOOK:-}" ] || python3 "$top/tests/vm/transcripts.py" fill "$page" "$2" "$3"
	python3 "$top/tests/vm/transcripts.py" check "$page" "$2" "$3" >"$dir/other-words"
	check "$2: docs/cookbook/$1 has what was printed" [ $? = 0 ]
	sed 's/^/# /' "$dir/other-words"
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Parquet, read back by two readers that have nothing to do with each other, DuckDB and hyparquet: every value of every
# table equals what babeltrace2 or the generator's C structs say, and so do the sums that DuckDB makes itself.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"
. "$top/tests/npm_lib.sh"
gens=${BUILD:-$top/build}/tests
here=$top/tests/cli

if ! npm_packages; then
	skip "Parquet is read back" "$npm_why"
	finish
fi
# modules are looked for beside the script that imports them
mkdir "$dir/js"
ln -s "$npm_modules" "$dir/js/node_modules"
cp "$here/parquet_read.mjs" "$dir/js"

read_by() { node "$dir/js/parquet_read.mjs" "$1" "$2" >"$dir/rows" 2>"$dir/err"; }
holds() { python3 "$here/export_truth.py" tables "$1" "$dir/rows" >"$dir/out" 2>"$dir/err"; }
export_to()
{
	code=0
	"$iommutop" export -f parquet -o "$@" >"$dir/out" 2>"$dir/err" || code=$?
	return $code
}
is() { python3 -c 'import json, sys; t = json.load(open(sys.argv[1])); sys.exit(not eval("(%s)" % sys.argv[2]))' "$dir/rows" "$1"; }

"$gens/gen_session" "$dir/random" 6000 11 >"$dir/random.text"
"$gens/gen_session" "$dir/short" 3 12 >"$dir/short.text"
"$gens/gen_export" "$dir/busy" 8000 13
babeltrace2 --clock-cycles --no-delta "$dir/busy/ctf" >"$dir/busy.text"

# random values: all bits of all integers, every kind of event; small row groups, so that there are many
check "random values are exported" export_to "$dir/random.pq" --row-group 100 "$dir/random"
check "DuckDB reads them" read_by duckdb "$dir/random.pq"
check "DuckDB finds every value, and sums them alike" holds "$dir/random.text"
check "there are many row groups" is 'int(t["events"]["groups"]) == (len(t["events"]["rows"]) + 99) // 100 > 5'
check "integers have their types" is \
	'[t["events"]["types"][c] for c in ("ts", "iova", "cpu", "ret", "time", "kind")] ==
	["UBIGINT", "UBIGINT", "USMALLINT", "INTEGER", "TIMESTAMP WITH TIME ZONE", "VARCHAR"]'
check "hyparquet reads them" read_by hyparquet "$dir/random.pq"
check "hyparquet finds every value" holds "$dir/random.text"

check "without compression" export_to "$dir/plain.pq" --uncompressed "$dir/random"
check "DuckDB reads that" read_by duckdb "$dir/plain.pq"
check "and finds every value" holds "$dir/random.text"
check "in one row group" is 'int(t["events"]["groups"]) == 1'

# a session as machines make them: runs in dictionaries, names, times of day
check "a busy machine's session is exported" export_to "$dir/busy.pq" "$dir/busy"
check "DuckDB reads it" read_by duckdb "$dir/busy.pq"
check "DuckDB finds every value of it" holds "$dir/busy.text"
check "devices and domains have their names" is \
	'{(r["domain"], r["dev"], r["device"], r["domain_name"]) for r in t["events"]["rows"]} ==
	{(1, 1, "0000:3a:1f.7", "0000:3a:1f.7"), (2, 2, "0000:3b:00.0", "0000:3b:00.0"), (3, 0, None, "group 7")}'
check "faults of the log are there, marked" is \
	'{r["device"] for r in t["fault"]["rows"] if r["flags"] & 4} == {"0000:3a:1f.7"}'
check "hyparquet reads it" read_by hyparquet "$dir/busy.pq"
check "hyparquet finds every value of it" holds "$dir/busy.text"

# tables without a row
check "three events are exported" export_to "$dir/short.pq" "$dir/short"
check "DuckDB reads empty tables" read_by duckdb "$dir/short.pq"
check "they are empty, the other isn't" holds "$dir/short.text"
check "an empty table has its columns" is 'not t["fault"]["rows"] and t["fault"]["types"]["iova"] == "UBIGINT"'

# one table, through a pipe
mkdir "$dir/one.pq"
one() { "$iommutop" export -f parquet --table fault "$dir/busy" | cat >"$dir/one.pq/fault.parquet"; }
check "one table goes to a pipe" one
check "it is the one of the directory" cmp -s "$dir/one.pq/fault.parquet" "$dir/busy.pq/fault.parquet"

# what goes wrong
check "an existing directory is left alone" [ "$(export_to "$dir/one.pq" "$dir/busy"; echo $?)" = 1 ]
check "and the message says so" grep -q 'exists already: name a new directory' "$dir/err"
full() { (ulimit -f 100; trap '' XFSZ; export_to "$dir/full.pq" --uncompressed "$dir/random"); }
check "a full disk is an error" [ "$(full; echo $?)" = 1 ]
check "it names the file and the reason" grep -q "cannot write .*full.pq.*File too large" "$dir/err"
check "nothing is left of it" [ -z "$(find "$dir" -maxdepth 1 -name 'full*')" ]
finish

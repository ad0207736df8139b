#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of tap_lib.sh
#
# The HTML report: made whole or not at all, and, in a real browser (tests/html), right, quiet, reachable by keyboard and
# proof against names that would like to be markup. SHOTS=DIR leaves pictures of it in DIR.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../tap_lib.sh"
scene=${BUILD:-$top/build}/tests/gen_busy

# run ARGS...: iommutop analyze, its exit code in $code
run() { "$iommutop" analyze "$@" >"$dir/out" 2>"$dir/err"; code=$?; [ $code = "$want" ]; }

"$scene" "$dir/scene" && "$scene" "$dir/hostile" hostile || { echo "Bail out! gen_busy failed"; exit 1; }
"$(dirname "$scene")/gen_scene" "$dir/troubled" troubled || { echo "Bail out! gen_scene failed"; exit 1; }
"$iommutop" session merge -o "$dir/merged" "$dir/scene" "$dir/troubled" >"$dir/out" 2>&1 || { echo "Bail out! merge failed"; exit 1; }
part=(--dev 0000:04:00.0 --time '1,11s' --filter 'id==map || id==fault || id==unmap')
echo '[ 1.0] nothing of interest' >"$dir/dmesg"
mkdir "$dir/r"
want=0
check "a session" run --html "$dir/r/scene.html" "$dir/scene"
check "nothing is printed" [ -z "$(cat "$dir/out" "$dir/err")" ]
check "no half file is left" [ ! -e "$dir/r/scene.html.part" ]
check "less than 1 MB" [ "$(stat -c %s "$dir/r/scene.html")" -lt 1000000 ]
check "the same on standard output" run --html - "$dir/scene"
check "byte for byte" cmp -s "$dir/out" "$dir/r/scene.html"
check "hostile names" run --html "$dir/r/hostile.html" "$dir/hostile"
check "a session with something for every table" run --leaks --html "$dir/r/troubled.html" "$dir/troubled"
check "a part of a session" run "${part[@]}" --html "$dir/r/scope.html" "$dir/scene"
check "merged sessions" run --html "$dir/r/merged.html" "$dir/merged"
check "a kernel log" run --html "$dir/r/klog.html" --klog "$top/tests/fixtures/klog/82599-vf.txt"
check "a log without anything" run --html "$dir/r/empty.html" --klog "$dir/dmesg"
check "nothing but itself is named in the file" eval '! grep -oE "(src|href)=.?(https?:|//|data:)" "$dir/r/scene.html" | grep -q .'

want=1
check "a file that can't be made is an error" run --html "$dir/none/x.html" "$dir/scene"
check "which names it" grep -q "$dir/none/x.html" "$dir/err"
cp "$dir/r/scene.html" "$dir/kept.html"
check "input that can't be read is an error" run --html "$dir/kept.html" "$dir/nosession"
check "and leaves the old report alone" cmp -s "$dir/kept.html" "$dir/r/scene.html"
full() { "$iommutop" analyze --html - "$dir/scene" >/dev/full 2>"$dir/err"; code=$?; [ $code = 1 ] && grep -q 'No space' "$dir/err"; }
check "a full disk is an error" full
# 16 KiB at most, without the signal: the disk is full in the middle of the file
limited() { (trap '' XFSZ; ulimit -f 16; "$iommutop" analyze --html "$dir/kept.html" "$dir/scene" 2>"$dir/err"); code=$?; [ $code = 1 ] && [ -s "$dir/err" ]; }
check "a disk that gets full is an error" limited
check "which leaves the old report alone" cmp -s "$dir/kept.html" "$dir/r/scene.html"
check "and no half one" [ ! -e "$dir/kept.html.part" ]
want=2
check "HTML and JSON at once is a wrong use" run --html "$dir/x.html" --json "$dir/scene"

"$iommutop" analyze --json "$dir/scene" >"$dir/r/scene.json"
"$iommutop" analyze --json "$dir/hostile" >"$dir/r/hostile.json"
"$iommutop" analyze --json --leaks "$dir/troubled" >"$dir/r/troubled.json"
"$iommutop" analyze --json "${part[@]}" "$dir/scene" >"$dir/r/scope.json"
"$iommutop" analyze --json "$dir/merged" >"$dir/r/merged.json"
"$iommutop" analyze --json --klog "$top/tests/fixtures/klog/82599-vf.txt" >"$dir/r/klog.json"
"$iommutop" analyze --json --klog "$dir/dmesg" >"$dir/r/empty.json"

for tool in node chromium; do
	command -v $tool >/dev/null || { skip "the report in a browser" "$tool is missing: tools/packages.sh"; finish; }
done
# its own numbers would clash with ours: counted on from here
node "$top/tests/html/report.js" "$dir/r" >"$dir/tap"
code=$?
: >"$dir/out"
: >"$dir/err"
awk -v n="$tests" '/^(not )?ok / { n++; sub(/ok [0-9]+/, "ok " n) } !/^1\.\./' "$dir/tap"
tests=$((tests + $(grep -cE '^(not )?ok ' "$dir/tap")))
failed=$((failed + $(grep -c '^not ok ' "$dir/tap")))
check "the browser test ends well" [ $code = 0 ]
finish

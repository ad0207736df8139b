#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # functions are called through check
#
# The reports of assert on a session that has every outcome: each format is read as strictly as it is written down, by
# others' readers too, and all of them say the same.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"
here=$top/tests/cli
formats="tap ktap junit json"

"${BUILD:-$top/build}/tests/gen_scene" "$dir/scene" troubled || exit 1
cat >"$dir/rules.yaml" <<'RULES'
rules:
  - invariant: no-fault
    select: {device: refdma.0}
  - invariant: no-fault
    name: known
    select: {device: "0000:03:*"}
    waivers:
      - reason: '100% "known", #7: <a> & b \\ 20.'
        link: https://example.org/?a=1&b=2
        expires: 2999-12-31
  - invariant: no-fault
    name: no-longer-known
    select: {device: "0000:03:*"}
    waivers:
      - reason: |
          fixed
          long ago
        expires: 2001-02-03
  - invariant: no-hang
    name: hangs
    severity: warning
  - invariant: no-fault
    name: of-no-device
    select: {device: nosuch*}
  - invariant: flush-before-reuse
RULES
cat >"$dir/expected" <<'EXPECTED'
fail	no-fault
pass	known
fail	no-longer-known
warning	hangs
skip	of-no-device
inconclusive	flush-before-reuse
EXPECTED

try()
{
	code=0
	(cd "$dir" && exec timeout 60 "$iommutop" assert "$@") >"$dir/out" 2>"$dir/err" </dev/null || code=$?
}
printed() { grep -qE -- "$1" "$dir/out"; }
wide() { wc -L <"$dir/out"; }

try rules.yaml --session scene --tap r.tap --ktap r.ktap --junit r.junit --json r.json --github r.github
check "a rule that fails: exit code 1" [ "$code" = 1 ]
check "the text goes to standard output" printed '^FAIL +no-fault: '
check "nothing is complained about" [ ! -s "$dir/err" ]
check "nothing is left beside the files" [ -z "$(find "$dir" -name '*.part')" ]
check "text: the verdict is its last line" \
	[ "$(tail -n 1 "$dir/out")" = "FAIL: 2 failed, 1 inconclusive, 1 only a warning, 1 skipped, 1 passed" ]
check "text: what must hold" printed '^ +must hold: No device made an access'
check "text: the incident is explained once" [ "$(grep -c '^ *1\. Use after unmap, after the IOTLB flush' "$dir/out")" = 1 ]
check "text: no line of more than 100 columns" [ "$(wide)" -le 100 ]
check "text: a waiver with its reason" printed 'waived until 2999-12-31: 100% "known", #7: <a> & b'
tr -s ' \n' '  ' <"$dir/out" >"$dir/line"
check "text: an expired waiver and where it is" grep -q 'no longer waived until 2001-02-03: fixed long ago; see rules.yaml:15' "$dir/line"

for format in $formats; do
	python3 "$here/assert_read.py" "$format" "$dir/r.$format" >"$dir/read" 2>"$dir/err" || echo "# $(cat "$dir/err")"
	check "$format is as it has to be, and says what all say" diff "$dir/expected" "$dir/read"
done
python3 "$here/assert_read.py" github "$dir/r.github" >"$dir/read" 2>"$dir/err" || echo "# $(cat "$dir/err")"
cat >"$dir/expected.github" <<'EXPECTED'
error	no-fault: FAIL
notice	known: PASS
error	no-longer-known: FAIL
warning	hangs: FAIL
notice	of-no-device: SKIP
error	flush-before-reuse: INCONCLUSIVE
notice	iommutop
notice	iommutop assert
EXPECTED
check "github: an annotation for what isn't plainly passed" diff "$dir/expected.github" "$dir/read"
check "github: it knows the line of the rule" grep -q '^::error file=rules.yaml,line=2,col=16,title=no-fault%3A FAIL::' "$dir/r.github"

check "junit: valid" xmllint --noout --schema "$here/junit.xsd" "$dir/r.junit" 2>/dev/null
check "json: the incident of a finding is in the report" [ "$(jq '
	.results[0].findings[0] as $f | .report.incidents[] | select(.number == $f.incident) | .device_name' "$dir/r.json")" = '"refdma.0"' ]
# a run there is only live, if it comes to one here or not
try rules.yaml --json live.json -- true
check "docs/json.md has every key of it, and no other" \
	python3 "$top/tests/json_paths.py" "$top/docs/json.md" "$dir/r.json" "$dir/live.json"

# perl's reader knows version 13, of which 14 is a superset that we use nothing of but the name
sed '1s/14/13/' "$dir/r.tap" >"$dir/r13.tap"
cat >"$dir/read.pl" <<'PERL'
use TAP::Parser;
my $p = TAP::Parser->new({ source => $ARGV[0] });
$p->run;
print join(" ", "bad", $p->failed, "todo", $p->todo, "skipped", $p->skipped, "errors", $p->parse_errors), "\n";
PERL
if perl -MTAP::Parser -e 1 2>/dev/null; then
	check "tap: Perl's TAP::Parser sees the same" \
		[ "$(perl "$dir/read.pl" "$dir/r13.tap")" = "bad 1 3 6 todo 4 skipped 5 errors" ]
else
	skip "tap: Perl's TAP::Parser sees the same" "this perl has no TAP::Parser"
fi

# --- one format on standard output

try rules.yaml --session scene --tap -
check "--tap -: it takes the place of the text" cmp -s "$dir/out" "$dir/r.tap"
echo before >"$dir/target"
ln -s target "$dir/link"
mkfifo "$dir/pipe"
cat "$dir/pipe" >"$dir/piped" &
try rules.yaml --session scene --tap link --ktap pipe
wait
check "a link is written as it is, and stays one" [ -L "$dir/link" -a "$(head -n 1 "$dir/target")" = "TAP version 14" ]
check "so is a pipe" [ -p "$dir/pipe" -a "$(head -n 1 "$dir/piped")" = "KTAP version 1" ]
try rules.yaml --session scene -q --text r.text
check "--quiet with --text: the file has it" [ ! -s "$dir/out" -a "$(tail -n 1 "$dir/r.text" | cut -c 1-5)" = FAIL: ]

exec {gone}> >(exit 0)
wait $!
(cd "$dir" && exec timeout 60 "$iommutop" assert rules.yaml -i scene --ktap - --junit survives.junit) 1>&"$gone" 2>"$dir/err"
code=$?
exec {gone}>&-
check "a reader that has gone away is said: exit code 1" [ "$code" = 1 -a "$(cat "$dir/err")" = \
	"iommutop assert: cannot write standard output: Broken pipe" ]
check "and takes no other report along" cmp "$dir/r.junit" "$dir/survives.junit"

# --- exit codes of the rest

# verdict CODE RULES: the exit code, without and with --bisect
verdict()
{
	local want=$1 bisect=$2
	printf 'rules:\n  - %s\n' "$3" >"$dir/one.yaml"
	try one.yaml --session scene
	check "$3: exit code $want" [ "$code" = "$want" ]
	try one.yaml --session scene --bisect
	check "$3: --bisect: $bisect" [ "$code" = "$bisect" ]
}
verdict 0 0 '{invariant: no-fault, params: {max: 1000}}'
verdict 1 1 '{invariant: no-fault}'
verdict 4 125 '{invariant: no-fault, select: {device: nosuch}}'
# events are missing from the session
verdict 5 125 '{invariant: flush-before-reuse}'
# warnings don't count, and nothing else is there
verdict 4 125 '{invariant: no-fault, severity: warning}'
finish

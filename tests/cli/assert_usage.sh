#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # functions are called through check
#
# assert on the command line: mistakes are explained before anything runs, whatever git bisect may think of them; rules
# come from where they are said to come; what can't be watched is skipped, not passed.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"

"${BUILD:-$top/build}/tests/gen_scene" "$dir/scene" || exit 1
cat >"$dir/good.yaml" <<'RULES'
rules:
  - invariant: [no-fault, no-hang]
RULES
printf 'rules:\n  - invariant: no-falt\n' >"$dir/bad.yaml"

try()
{
	code=0
	(cd "$dir" && exec timeout 60 "$iommutop" assert "$@") >"$dir/out" 2>"$dir/err" </dev/null || code=$?
}
ended() { [ "$code" = "$1" ]; }
said() { grep -qE -- "$1" "$dir/err"; }
printed() { grep -qE -- "$1" "$dir/out"; }

# refused REGEX ARGUMENT...: 2, and 125 for git bisect; why; nothing on standard output; nothing was run.
refused()
{
	local words=$1 bisect
	shift
	try "$@"
	check "'$*' is a mistake" ended 2
	check "'$*' says why" said "$words"
	check "'$*' prints nothing" [ ! -s "$dir/out" ]
	try --bisect "$@"
	bisect=$code
	check "'$*' is no commit's fault" [ "$bisect" = 125 ]
}

refused 'needs rules: a file of them, or --preset' -- touch ran
refused 'needs rules' --session scene
refused 'needs something to watch: -- COMMAND' good.yaml
refused 'needs something to watch' good.yaml --
refused 'takes one of' good.yaml --for 1s -- touch ran
refused 'takes one of' good.yaml --for 1s --session scene
refused 'takes one of' good.yaml --until mark --session scene
refused '--until is one of signal.mark' good.yaml --until noon
refused "--for takes a time" good.yaml --for ever
refused '--for 0s is out of range' good.yaml --for 0s
refused '--timeout is for COMMAND' good.yaml --for 1s --timeout 1s
refused '--timeout is for COMMAND' good.yaml --until signal --timeout 1s
refused '--ignore-command is for a COMMAND' good.yaml --for 1s --ignore-command
refused '--save, --stacks and --fault-records are for what is watched live' good.yaml --session scene --save new
refused '--save, --stacks and --fault-records are for what is watched live' good.yaml --session scene --stacks
refused '--save, --stacks and --fault-records are for what is watched live' good.yaml --session scene --fault-records
refused '--ring 1k is out of range' good.yaml --ring 1k -- touch ran
refused "'--no-such' is no option" good.yaml --no-such -- touch ran
refused 'lacks its value' good.yaml --preset
refused 'bad.yaml:2:16: .*"no-falt".*did you mean "no-fault"' bad.yaml -- touch ran
refused '"strickt".*did you mean "strict"' --preset strickt -- touch ran
refused 'missing.yaml' missing.yaml -- touch ran
refused '/nonexistent' good.yaml --session /nonexistent
refused 'only one report can go to standard output' good.yaml --session scene --tap - --ktap -
refused "two reports can't go to one file, r: name another" good.yaml --session scene --junit r --tap r
refused '--list takes no files of rules' --list good.yaml
refused 'cannot write nowhere/x.part: No such file or directory' good.yaml --junit nowhere/x -- touch ran
refused '--list and --check watch nothing' --list -- touch ran
refused '--list and --check watch nothing' --check good.yaml --session scene
check "nothing was run by any of them" [ ! -e "$dir/ran" ]
check "nothing was written" [ -z "$(find "$dir" -name '*.part')" ]
try bad.yaml -- sh -c 'exit 0' --bisect
check "--bisect behind -- is the command's" ended 2

# --- where rules come from

try --check good.yaml --preset strict
check "--check: right" ended 0
check "--check: what and how many" printed '^preset strict, good.yaml: right, [0-9]+ rules$'
code=0
"$iommutop" assert --check - <"$dir/good.yaml" >"$dir/out" 2>"$dir/err" || code=$?
check "--check: from standard input" [ "$code $(cat "$dir/out")" = "0 -: right, 2 rules" ]
try --session scene good.yaml
cp "$dir/out" "$dir/before"
try good.yaml --session scene
check "rules may stand before and behind options" cmp -s "$dir/out" "$dir/before"
cat >"$dir/more.yaml" <<'RULES'
rules:
  - invariant: no-hang
    select: {device: nosuch}
  - invariant: no-fault
    name: another
RULES
try good.yaml more.yaml --session scene
check "a rule takes the place of one with its name" [ "$(grep -cE '^[A-Z]+ +no-hang' "$dir/out")" = 1 ]
check "and is the later one" printed '^SKIP +no-hang'
check "the others stay, in their order" \
	[ "$(sed -nE 's/^[A-Z]+ +([a-z-]+):.*/\1/p' "$dir/out" | grep -v ^FAIL | tr '\n' ' ')" = "no-fault no-hang another " ]

# --- --list

try --list
check "--list exits 0" ended 0
check "--list has every invariant of the man page" [ "$(grep -cE '^  [a-z-]+$' "$dir/out")" = 23 ]
check "--list has parameters with their defaults" printed '^    below +.*default: 50ms'
check "--list: no line of more than 100 columns" [ "$(wc -L <"$dir/out")" -le 100 ]
for preset in strict lazy vfio boot; do
	check "--list has the preset $preset" printed "^  $preset\$"
done
for preset in strict lazy vfio boot; do
	"$iommutop" assert --list --preset $preset >"$dir/$preset.yaml"
	try --check $preset.yaml
	check "--list --preset $preset is a file of rules" ended 0
	"$iommutop" assert --check --preset $preset >"$dir/before"
	check "with as many rules as the preset" \
		[ "$(grep -oE '[0-9]+ rules' "$dir/out")" = "$(grep -oE '[0-9]+ rules' "$dir/before")" ]
done
for what in --list "--check good.yaml"; do
	code=0
	# shellcheck disable=SC2086 # two words
	(cd "$dir" && "$iommutop" assert $what) >/dev/full 2>"$dir/err" || code=$?
	check "${what%% *}: what can't be written is an error" [ "$code" = 2 ]
	check "${what%% *}: which is told" said 'cannot write standard output: No space left'
done
try --list --preset nosuch
check "--list of no preset is a mistake" ended 2

# --- what can't be watched: nobody's privileges are enough

nobody=()
if [ "$(id -u)" != 0 ]; then
	nobody=(env)
elif command -v setpriv >/dev/null; then
	nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all)
fi
chmod 755 "$dir"
cp "$iommutop" "$dir/iommutop"
mkdir -m 777 "$dir/open"
if [ ${#nobody[@]} = 0 ] || ! "${nobody[@]}" "$dir/iommutop" version >/dev/null 2>&1; then
	skip "without root" "no setpriv to become nobody with, or programs in $dir can't be run"
else
	as_nobody() { code=0; (cd "$dir/open" && "${nobody[@]}" ../iommutop assert ../good.yaml "$@") >"$dir/out" 2>"$dir/err" || code=$?; }
	as_nobody --tap r.tap -- touch ran
	check "without root: skipped" ended 4
	check "without root: each rule, and the run" [ "$(grep -c '^SKIP ' "$dir/out")" = 3 ]
	check "without root: why" printed 'sudo'
	check "without root: said on standard error too" said 'sudo'
	check "without root: the reports are written all the same" grep -qE '^ok 1 - no-fault # SKIP ' "$dir/open/r.tap"
	check "without root: the command isn't run" [ ! -e "$dir/open/ran" ]
	as_nobody --bisect -- touch ran
	check "without root: --bisect" ended 125
	chmod -R a+rX "$dir/scene"
	as_nobody --session ../scene --preset strict --tap -
	check "without root: a session is checked" [ "$(grep -c '^not ok .* no-fault' "$dir/out")" = 1 ]
fi
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # functions are called through check
#
# What analyze says of a session that is torn or damaged, plain or compressed: the numbers of `session info`, in every form
# of the report, and where to look; and of a whole one, nothing.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"
gen=${BUILD:-$top/build}/tests/gen_export
[ -x "$gen" ] || { echo "Bail out! $gen is missing: make test-programs"; exit 1; }

analyze()
{
	code=0
	"$iommutop" analyze "$@" >"$dir/out" 2>"$dir/err" </dev/null || code=$?
}
ended() { [ "$code" = "$1" ]; }
# of the output with its lines joined
printed() { tr -s ' \n' ' ' <"$dir/out" | grep -qE -- "$1"; }
has_loss() { jq -e '[.losses[] | select(.cause_code == 12)] | length > 0' "$dir/out" >"$dir/jq"; }
info() { "$iommutop" session info --json "$1" | jq ".$2"; }

# told SESSION KIND: what the report says is what session info says
told()
{
	local s=$1 kind=$2 damage
	analyze "$s"
	check "$kind: the report is made" ended 0
	check "$kind: it is said" printed 'The session is damaged:'
	check "$kind: and who knows more" printed "\`iommutop session verify $s\` says where"
	check "$kind: in lines of 100 columns" [ "$(wc -L <"$dir/out")" -le 100 ]
	analyze --json "$s"
	damage=$(jq -r .source.damage "$dir/out")
	case $kind in
	*torn*) want="$(info "$s" torn_bytes) bytes? at the end (is|are) torn \($(info "$s" salvaged_events) events? " ;;
	*) want="$(info "$s" damaged_stretches) places? of $(info "$s" damaged_bytes) bytes in all can't be read" ;;
	esac
	check "$kind: numbers are those of session info" grep -qE "$want" <<<"$damage"
	check "$kind: JSON has losses of it" has_loss
	analyze --html - "$s"
	check "$kind: in HTML too" grep -q '<p class="warning">The session is damaged: ' "$dir/out"
	check "$kind: verify finds it" [ "$("$iommutop" session verify "$s" >/dev/null; echo $?)" = 1 ]
}

for level in '' 1; do
	s=$dir/s$level name=${level:+compressed, }
	# shellcheck disable=SC2086
	"$gen" "$s" 8000 22 $level >/dev/null || { echo "Bail out! no session"; exit 1; }
	file=ctf/events_0
	[ -z "$level" ] || file=zst/events_0.zst
	check "${name:-plain, }the session is as meant" [ -f "$s/$file" ]
	analyze "$s"
	check "${name}whole: nothing is said" [ "$code:$(grep -c damage "$dir/out")" = 0:0 ]
	check "${name}whole: host and command line are" printed '^secret-host, 6.12.0, secret-command '
	analyze --json "$s"
	check "${name}whole: nothing in JSON" [ "$(jq .source.damage "$dir/out")" = null ]

	rare=${file/events/rare}
	cp -r "$s" "$s.young"
	: >"$s.young/$rare"
	for form in '--tables none' '--html -'; do
		# shellcheck disable=SC2086
		analyze $form "$s.young"
		check "${name}no rare events ($form): no fault was seen, but that says little" \
			printed "The capture's begin isn't in it\\. What .*\\(faults, hangs, resets, domains, devices\\) may be missing"
		# shellcheck disable=SC2086
		analyze $form "$s"
		check "${name}whole ($form): that isn't said" [ "$(grep -c "capture's begin isn't in it" "$dir/out")" = 0 ]
	done

	cp -r "$s" "$s.torn"
	truncate -s -1000 "$s.torn/$file"
	told "$s.torn" "${name}torn"
	cp -r "$s" "$s.hit"
	printf 'not what was there' | dd of="$s.hit/$file" bs=1 seek=$(($(stat -c %s "$s/$file") / 2)) conv=notrunc status=none
	told "$s.hit" "${name}hit"
done
finish

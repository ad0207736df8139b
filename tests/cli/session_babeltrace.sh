#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A session with every class of event and random values: babeltrace2 reads it without a word of complaint, and what it
# prints equals, field by field, what the generator prints from the C structs.
set -eu
cd "$(dirname "$0")/../.."
gen=${BUILD:-build}/tests/gen_session

command -v babeltrace2 >/dev/null || { echo "SKIP: babeltrace2 is not installed"; exit 77; }
[ -x "$gen" ] || { echo "FAIL: $gen is missing: make test-programs"; exit 1; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT INT TERM

# The packet context (events, crc32c) is the packet's, not the event's; the host's name is that of the trace.
event_lines()
{
	sed -e 's/^\(\[[0-9]*\]\) generator \([a-z_]*: \){ events = [0-9]*, crc32c = 0x[0-9A-F]* }, /\1 \2/' "$1"
}

for seed in 1 2 3; do
	"$gen" "$dir/session$seed" 20000 "$seed" >"$dir/ours"
	babeltrace2 --clock-cycles --no-delta "$dir/session$seed/ctf" >"$dir/raw" 2>"$dir/complaints"
	event_lines "$dir/raw" >"$dir/theirs"
	if [ -s "$dir/complaints" ]; then
		echo "FAIL: seed $seed: babeltrace2 complains:"
		head -n 20 "$dir/complaints"
		exit 1
	fi
	if ! cmp -s "$dir/ours" "$dir/theirs"; then
		echo "FAIL: seed $seed: ours (<) and babeltrace2's (>) differ:"
		diff "$dir/ours" "$dir/theirs" | head -n 20
		exit 1
	fi
	"$gen" "$dir/session$seed" >"$dir/reread"
	cmp -s "$dir/ours" "$dir/reread" || { echo "FAIL: seed $seed: our own reader differs"; exit 1; }
	lines=$(wc -l <"$dir/theirs")
	kinds=$(awk '{ print $2 }' "$dir/theirs" | sort -u | wc -l)
	[ "$lines" -eq 20000 ] && [ "$kinds" -eq 31 ] || {
		echo "FAIL: seed $seed: $lines events of $kinds kinds, not 20000 of 31"
		exit 1
	}
done

# What the trace says of itself arrives too, hostile bytes included.
babeltrace2 "$dir/session1/ctf" --component=sink.text.details >"$dir/details" 2>&1
for line in 'tracer_name: iommutop' 'format_version: 1' 'hostname: generator' 'command_line: gen_session "x"' \
	'negative: -42'; do
	grep -qF "$line" "$dir/details" || { echo "FAIL: babeltrace2 does not see '$line'"; exit 1; }
done

# A session that ran into a full disk (here: a limit on the size of files) is a whole trace, and says what is missing.
(ulimit -f 1100; "$gen" "$dir/full" 20000 4) 2>"$dir/message" | cat >/dev/null
grep -q 'File too large.*kept' "$dir/message" || { echo "FAIL: no word of the full disk"; exit 1; }
babeltrace2 "$dir/full/ctf" >"$dir/raw" 2>"$dir/complaints" || { echo "FAIL: full disk: babeltrace2 fails"; exit 1; }
grep -q 'discarded [0-9]* events' "$dir/complaints" || { echo "FAIL: full disk: no events discarded"; exit 1; }
"$gen" "$dir/full" >"$dir/reread"
[ "$(wc -l <"$dir/reread")" -eq "$(wc -l <"$dir/raw")" ] || { echo "FAIL: full disk: counts differ"; exit 1; }

echo "PASS: 3 sessions of 20000 events read by babeltrace2, equal field by field"

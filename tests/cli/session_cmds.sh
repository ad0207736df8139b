#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # functions are called through check
#
# iommutop session: info, verify, repair, cat, merge on made-up sessions; babeltrace2 judges what was repaired, copied
# and merged.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"
gen=${BUILD:-build}/tests/gen_session
[ -x "$gen" ] || { echo "FAIL: $gen is missing: make test-programs"; exit 1; }
gen=$(realpath "$gen")
gen_scene=$(realpath "${BUILD:-build}/tests/gen_scene")

# try ARGUMENT...: output to $dir/out and $dir/err, exit code to $code
try()
{
	code=0
	(cd "$dir" && exec timeout 120 "$iommutop" session "$@") >"$dir/out" 2>"$dir/err" </dev/null || code=$?
}
ended() { [ "$code" = "$1" ]; }
said() { grep -qE -- "$1" "$dir/err"; }
printed() { grep -qE -- "$1" "$dir/out"; }
json() { python3 -c "import json, sys; d = json.load(open('$dir/out')); sys.exit(0 if $1 else 1)"; }
lines() { wc -l <"$1"; }
# babeltrace2 takes it without a word, but those of the events that its writer dropped
accepted()
{
	babeltrace2 "$1/ctf" >"$dir/bt" 2>"$dir/bt.err" && ! grep -v 'discarded' "$dir/bt.err"
}

"$gen" "$dir/s" 20000 11 >/dev/null
cp -r "$dir/s" "$dir/whole"

# --- usage

for args in '' 'nonsense' 'info' 'verify' 'repair' 'cat' 'merge' 'merge -o x' 'merge -o x s' 'cat --time 5 s' \
	'cat --kind nosuch s' 'merge -o x --offset 7:1 s s' 'merge -o x --offset 1:1x s s' 'repair -n -o x s'; do
	# shellcheck disable=SC2086
	try $args
	check "session $args exits 2" ended 2
	check "session $args keeps standard output clean" [ ! -s "$dir/out" ]
done
for part in info verify repair cat merge; do
	try $part --help
	check "session $part --help shows its use" printed "^Usage: iommutop session $part "
done
for part in info verify repair cat; do
	try $part /nonexistent
	check "session $part of nothing exits 1" ended 1
	check "session $part of nothing says why" said '/nonexistent: No such file'
done

for args in 'info s' 'info --json s' 'verify s' 'verify --json s' 'cat s' 'repair -n s'; do
	# shellcheck disable=SC2086
	(cd "$dir" && timeout 120 "$iommutop" session $args) >/dev/full 2>"$dir/err"
	check "session $args can't print: exits 1" [ $? = 1 ]
	check "session $args says that it can't print" said 'No space left on device'
done
try info s/ctf
check "info of a directory within a session says which to name" said 'this is within one: name the directory above'
# root may read everything, but in another user's name
if [ "$(id -u)" = 0 ] && chmod 711 "$dir" && cp "$iommutop" "$dir/iommutop"; then
	setpriv --reuid=65534 --regid=65534 --clear-groups "$dir/iommutop" session info "$dir/s" >"$dir/out" 2>"$dir/err"
	check "info of another user's session says who may read it" said 'owner.s only .mode 0700.: read it as that user'
else
	skip "info of another user's session says who may read it" 'only root can take on another user'
fi
try info s/ctf/metadata
check "info of a file says that a log is another matter" said 'or a log with --klog'

# --- info and verify

try info s
check "info exits 0" ended 0
check "info knows the host" printed '^host +generator$'
check "info counts events" printed '^events +20000$'
try info --json s
check "info --json counts each kind" json 'sum(d["kinds"].values()) == 20000 and len(d["kinds"]) == 31'
try verify s
check "verify of a whole session exits 0" ended 0
check "verify counts what it checked" printed '20000 events'

# --- cat

try cat s
check "cat prints a line an event" [ "$(lines "$dir/out")" = 20000 ]
check "cat prints all fields" printed ' map .*iova=0x.* paddr=0x.* size=.* prot=0x.* ret='
"$iommutop" session cat "$dir/s" 2>"$dir/err" | head -n 1 >"$dir/head"
check "cat ends quietly when nobody reads on" [ "$(lines "$dir/head")" = 1 -a ! -s "$dir/err" ]
try cat --kind fault --kind clock_sample s
check "cat --kind leaves out the others, but never a loss" \
	[ "$(awk '{ print $2 }' "$dir/out" | sort -u | tr '\n' ' ')" = "clock_sample fault loss " ]
try cat s --kind fault
check "options may stand behind the directory" \
	[ "$(awk '{ print $2 }' "$dir/out" | sort -u | tr '\n' ' ')" = "fault loss " ]
try cat --time 0.2,0.3 s
check "cat --time leaves out what is outside" \
	awk '$1 < 0.2 || $1 > 0.3 { bad = 1 } END { exit bad || NR < 1000 }' "$dir/out"
try cat --time 0.2,+100ms s
check "cat --time takes an end after its begin" \
	awk '$1 < 0.2 || $1 > 0.3 { bad = 1 } END { exit bad || NR < 1000 }' "$dir/out"
try cat s
grep -E '^[^ ]+ (loss |map .*iova=0x[0-9a-f]{16} )' "$dir/out" >"$dir/want"
try cat --filter 'id==map && iova>=0x1000000000000000' s
check "cat --filter prints what grep finds, and losses" cmp "$dir/want" "$dir/out"
try cat --filter 'id==map' --kind symbol --kind map s
check "cat --filter leaves side tables that --kind names" \
	[ "$(awk '{ print $2 }' "$dir/out" | sort -u | tr '\n' ' ')" = "loss map symbol " ]
try cat --filter 'id==map' -o maps s
check "cat --filter -o copies side tables, and says what it left out" \
	[ "$("$iommutop" session cat "$dir/maps" | awk '{ print $2 }' | sort | uniq -c | awk '$2 ~ /^(unmap|flush|symbol)$/' |
		wc -l):$("$iommutop" session cat --kind loss "$dir/maps" | grep -c 'what="not copied')" = 1:1 ]
"$gen_scene" "$dir/scene"
try cat --kind map --dev 03:00.0 scene
check "cat --dev takes a PCI address, and leaves out other devices" \
	[ "$(grep -o 'dev=[^ ]*' "$dir/out" | sort -u)" = dev=0000:03:00.0 ]
try cat --kind device --dev 'refdma.*' scene
check "cat --dev takes a pattern, of side tables, too" \
	[ "$(awk '$2 == "device"' "$dir/out" | grep -c .):$(grep -c 'name="refdma.0"' "$dir/out")" = 1:1 ]
try cat --kind map --dev nosuch scene
check "cat --dev says if there is no such device" said 'device nosuch is not in scene'
try cat --filter 'nosuch' s
check "cat --filter is checked" ended 2
try cat -o copy s
check "cat -o makes a session that verifies" "$iommutop" session verify "$dir/copy"
check "cat -o makes a session that babeltrace2 takes" accepted "$dir/copy"
check "cat -o copies every event" [ "$(lines "$dir/bt")" = 20000 ]
try cat -o copy s
check "cat -o leaves a session alone that is there" ended 1
try cat --time 0.4,0.5 -o part s
check "cat -o --time tells what was left out" [ "$("$iommutop" session cat --kind loss "$dir/part" |
	grep -c 'cause=overwritten what="not copied')" = 2 ]
check "cat -o --time is a trace" accepted "$dir/part"

# --- repair

# damage SEED: random damage to the streams of $dir/s
damage()
{
	python3 - "$dir/s/ctf" "$1" <<'EOF'
import random, sys, os
random.seed(int(sys.argv[2]))
for name in random.sample(sorted(n for n in os.listdir(sys.argv[1]) if n != "metadata"), 1 + int(sys.argv[2]) % 2):
    path = os.path.join(sys.argv[1], name)
    b = bytearray(open(path, "rb").read())
    for _ in range(random.randint(1, 3)):
        at, n = random.randrange(len(b)), random.choice([1, 8, 512, 4096, 70000])
        kind = random.randrange(5)
        if kind == 0:
            del b[at:]
        elif kind == 1:
            b[at:at + n] = bytes(len(b[at:at + n]))
        elif kind == 2:
            b[at:] = bytes(len(b) - at)
        elif kind == 3:
            b[at:at + n] = random.randbytes(len(b[at:at + n]))
        else:
            b[at] ^= 1 << random.randrange(8)
        if not b:
            b = bytearray(1)
    open(path, "wb").write(b)
EOF
}

bad=0 damaged=0 refused=0
for seed in $(seq "${REPAIR_ROUNDS:-12}"); do
	rm -rf "$dir/s" && cp -r "$dir/whole" "$dir/s"
	damage "$seed"
	try verify s
	[ "$code" = 1 ] && damaged=$((damaged + 1))
	accepted "$dir/s" || refused=$((refused + 1))
	try repair s
	[ "$code" = 0 ] || { bad=$((bad + 1)); echo "# seed $seed: repair exits $code"; }
	try verify s
	[ "$code" = 0 ] || { bad=$((bad + 1)); echo "# seed $seed: verify finds damage after repair"; }
	accepted "$dir/s" || { bad=$((bad + 1)); echo "# seed $seed: babeltrace2 refuses"; }
	try cat s
	[ "$(lines "$dir/out")" = "$(lines "$dir/bt")" ] || { bad=$((bad + 1)); echo "# seed $seed: counts differ"; }
	grep -q ' loss .*cause=damage' "$dir/out" || { bad=$((bad + 1)); echo "# seed $seed: no loss told"; }
done
check "every one of $seed damaged sessions is repaired: whole, taken by babeltrace2, its loss told" [ $bad = 0 ]
check "nearly all of them were damaged before ($damaged)" [ "$damaged" -gt $((seed * 9 / 10)) ]
check "babeltrace2 refused many of them before ($refused)" [ "$refused" -gt $((seed / 4)) ]

try repair -o scene s
check "repair -o leaves alone what is there" [ "$code" = 1 ]
check "and says what to do" said 'name a new directory'

# --- merge

"$gen_scene" "$dir/scene2"
try merge -o both scene scene2
"$iommutop" analyze --tables none --dev refdma.0@1 "$dir/both" >"$dir/out" 2>"$dir/err"
check "analyze --dev takes a device as reports of merged sessions call it" \
	[ "$(grep -c 'counted: [1-9][0-9]* events' "$dir/out"):$(grep -c . "$dir/err")" = 1:0 ]
"$iommutop" session cat --kind map --dev refdma.0@1 "$dir/both" >"$dir/out"
check "that is of one origin only" [ "$(grep -o ' dev=[^ ]*' "$dir/out" | sort -u)" = " dev=refdma.0@1" ]
cp -r "$dir/scene" "$dir/scene3"
try merge -o twice scene scene2 scene3
check "a session and its copy are refused" said 'cannot merge scene3 with scene: they are the same session'
check "and nothing is made of them" [ ! -e "$dir/twice" ]
try merge -o merged whole copy
check "more than 16 origins are refused" said '32 origins together, at most 16'
check "then nothing is made" [ ! -e "$dir/merged" ]
finish

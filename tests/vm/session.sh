#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Sessions of real kernels: our reader and babeltrace2 count the same events with the same fields; what kill -9 left is read,
# repaired and taken by babeltrace2; sessions of two guests are merged by their wall clocks.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/boot_lib.sh"
. "$here/facts_lib.sh"

# count of events by kind, as ours and as babeltrace2 have it
ours() { "$iommutop" session cat "$1" | awk '{ print $2 }' | sort | uniq -c; }
theirs() { babeltrace2 --no-delta --clock-cycles "$1/ctf" 2>/dev/null | awk '{ print $3 }' | tr -d : | sort | uniq -c; }
# the fields of all maps, as both have them
our_maps()
{
	"$iommutop" session cat --kind map "$1" | grep -v ' loss ' | grep -oE '(iova|paddr|size|prot)=[0-9a-fx]+' |
		cut -d= -f2 | while read -r v; do echo $((v)); done
}
their_maps()
{
	babeltrace2 --no-delta --clock-cycles "$1/ctf" 2>/dev/null | grep ' map: ' |
		grep -oE '(iova|paddr|size|prot) = [0-9A-Fx]+' | awk '{ print $3 }' | while read -r v; do echo $((v)); done
}
same_output() { cmp -s <("$1" "$3") <("$2" "$3"); }
some_lines() { [ "$("$1" "$2" | head -n 20 | wc -l)" = 20 ]; }

guests=()
for kernel in "${@:-debian:6.1 debian:6.12}"; do
	# shellcheck disable=SC2086
	for k in $kernel; do
		s=$dir/files-${k//[:.]/-}
		boot --kernel "$k" --iommu ref --timeout 10m --output "$s" --file "$here/session.guest" -- sh /root/session.guest
		came_to_end "$k" || continue
		guests+=("$s/whole")
		check "$k: a recorded session is whole" "$iommutop" session verify "$s/whole"
		check "$k: as many events of each kind as babeltrace2 counts" same_output ours theirs "$s/whole"
		check "$k: there are maps" some_lines our_maps "$s/whole"
		check "$k: their fields are those that babeltrace2 reads" same_output our_maps their_maps "$s/whole"
		"$iommutop" session info --json "$s/whole" >"$dir/info"
		equal "$k: it has its end" "$(jq -r .state "$dir/info")" complete
		equal "$k: kernel" "$(jq -r '.env.kernel_release' "$dir/info" | grep -o '^6\.[0-9]*')" "${k#*:}"
		check "$k: the device has its name" \
			jq -e '.devices[] | select(.name == "refdma.0" and .driver == "refdma")' "$dir/info"

		check "$k: what kill -9 left can be read" "$iommutop" session info "$s/killed"
		"$iommutop" session info --json "$s/killed" >"$dir/info"
		check "$k: it has maps" jq -e '.kinds.map > 100' "$dir/info"
		check "$k: it says that its end is missing" jq -e '.ended == false' "$dir/info"
		check "$k: it is repaired" "$iommutop" session repair "$s/killed"
		check "$k: it is whole then" "$iommutop" session verify "$s/killed"
		check "$k: and babeltrace2 counts the same" same_output ours theirs "$s/killed"
	done
done

if [ ${#guests[@]} = 2 ]; then
	"$iommutop" session merge -o "$dir/merged" "${guests[@]}" >"$dir/out" 2>"$dir/err"
	code=$?
	equal "merge exits" $code 0
	# one after the other, though they did the same
	check "by their wall clocks" grep -q '^origin 1: .* by the wall clocks of both' "$dir/out"
	check "the merged session is whole" "$iommutop" session verify "$dir/merged"
	check "babeltrace2 counts the same" same_output ours theirs "$dir/merged"
	sum=0
	for g in "${guests[@]}"; do sum=$((sum + $("$iommutop" session info --json "$g" | jq .kinds.map))); done
	equal "it has the maps of both" "$("$iommutop" session info --json "$dir/merged" | jq .kinds.map)" $sum
	"$iommutop" analyze "$dir/merged" >"$dir/out"
	check "the report names both origins" [ "$(grep -c '^Origin @[01]: ' "$dir/out")" = 2 ]
	check "and has the device of each" sh -c 'grep -q refdma.0@0 "$1" && grep -q refdma.0@1 "$1"' - "$dir/out"
fi
finish

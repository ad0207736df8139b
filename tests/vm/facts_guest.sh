# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034,SC2154 # for the script; from refiommu_guest.sh
#
# Sourced in the guest after refiommu_guest.sh: what the scripts that compare iommutop with others' counters share.

control=$debug/refdma/refdma.0/control

# still COMMAND...: waits until what COMMAND prints hasn't changed for 300 ms, thirty times the delay of a flush queue.
still()
{
	last=none steady=0
	wait_until 30 unchanged "$@"
}
unchanged()
{
	now=$("$@")
	if [ "$now" = "$last" ]; then steady=$((steady + 1)); else steady=0; fi
	last=$now
	[ $steady -ge 6 ]
}

# of SESSION KEY: the first number that analyze gives for the key, the totals' for counters.
of() { iommutop analyze --json "$1" 2>/dev/null | grep -m 1 -oE "\"$2\":[0-9]+" | grep -oE '[0-9]+$'; }
begun() { [ -n "$(of "$1" begin_ns)" ]; }
# the session holds the end of its capture
ended() { iommutop session info --json "$1" 2>/dev/null | grep -q '"ended":true'; }
without_end() { ! ended "$1"; }
whole() { begun "$1" && ended "$1" && [ "$(of "$1" damaged_bytes)" = 0 ]; }
# says FILE PATTERN...: everything is in there, and it is short.
says()
{
	file=$1
	shift
	for p in "$@"; do grep -qE -- "$p" "$file" || { sed 's/^/# said: /' "$file"; return 1; }; done
	[ "$(wc -l <"$file")" -le 3 ]
}

gone() { ! kill -0 "$1" 2>/dev/null; }

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

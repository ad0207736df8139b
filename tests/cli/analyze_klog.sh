#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A kernel log alone gives one incident: fault, hang and reset of one device, or of a VF and its PF. The expected texts have
# been read line by line; the logs of e1000e are of a real driver on emulated IOMMUs.
set -eu
cd "$(dirname "$0")/../.."
iommutop=${BUILD:-build}/iommutop
[ -x "$iommutop" ] || { echo "FAIL: $iommutop is missing: make"; exit 1; }

out=$(mktemp)
trap 'rm -f "$out"' EXIT INT TERM

fail() { echo "FAIL: $*"; exit 1; }

for log in tests/fixtures/klog/*.txt; do
	"$iommutop" analyze --klog "$log" >"$out"
	diff -u "${log%.txt}.expected" "$out" || fail "$log"
	"$iommutop" analyze --json --klog - <"$log" >"$out"
	[ "$(grep -c '"title"' "$out")" = 1 ] || fail "$log: not one incident in JSON"
done
"$iommutop" analyze --json --klog tests/fixtures/klog/82599-vf.txt | grep -q '"relation": *"vf_offset"' ||
	fail "the VF's fault and the PF's hang are not joined by their requester ids"

# What can't be read is said, with the documented exit code.
code() { "$iommutop" analyze "$@" >"$out" 2>&1 && rc=0 || rc=$?; echo $rc; }
[ "$(code --klog /nonexistent)" = 1 ] || fail "a missing log must exit 1"
[ "$(code --klog /dev/null)" = 1 ] || fail "an empty log must exit 1"
[ "$(code /nonexistent)" = 1 ] || fail "a missing session must exit 1"
[ "$(code)" = 2 ] || fail "no input must exit 2"
[ "$(code --klog /dev/null extra)" = 2 ] || fail "a session and a log must exit 2"
[ "$(code --history 1 --klog /dev/null)" = 2 ] || fail "a history too short must exit 2"
echo "PASS"

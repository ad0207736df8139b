#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A kernel log alone gives one incident: fault, hang and reset of one device, or of a VF and its PF. The expected texts have
# been read line by line; the logs of e1000e are of a real driver on emulated IOMMUs.
set -eu
cd "$(dirname "$0")/../.."
iommutop=${BUILD:-build}/iommutop
[ -x "$iommutop" ] || { echo "FAIL: $iommutop is missing: make"; exit 1; }

out=$(mktemp)
trap 'rm -f "$out" "$out.log"' EXIT INT TERM

fail() { echo "FAIL: $*"; exit 1; }

for log in tests/fixtures/klog/*.txt; do
	"$iommutop" analyze --klog "$log" >"$out"
	diff -u "${log%.txt}.expected" "$out" || fail "$log"
	"$iommutop" analyze --json --klog - <"$log" >"$out"
	[ "$(grep -c '"title"' "$out")" = 1 ] || fail "$log: not one incident in JSON"
done
"$iommutop" analyze --json --klog tests/fixtures/klog/82599-vf.txt | grep -q '"relation": *"vf_offset"' ||
	fail "the VF's fault and the PF's hang are not joined by their requester ids"

# The same log as other programs print it: the same incident, with the times that they leave of it.
# printed_as SED TIMES: 82599-vf.txt with the stamps that SED makes gives the known text, but for times
printed_as()
{
	sed -E "s/^\[ (5959.338214|5963.353429)\]/$1/; s/5959.338214/$2/; s/5963.353429/$3/" \
		tests/fixtures/klog/82599-vf.txt >"$out.log"
	"$iommutop" analyze --klog "$out.log" >"$out"
	grep -q '1\. Fault, cause not known: 0000:04:10\.0, then a hang of 0000:03:00\.0' "$out" ||
		fail "not the same incident with $2"
	grep -q "$4" "$out" || fail "not '$4' with $2"
}
stamp='host kernel:'
printed_as "\\1 $stamp" 'Nov 22 09:00:01' 'Nov 22 09:00:05' "^Times count from the log's first line, at Nov 22 09:00:01. It has whole seconds"
grep -q 'IOMMU refused\. 4\.00 s later' "$out" || fail "journalctl -k: not 4 s"
printed_as '[\1]' 'Sun Nov 22 09:00:01 2026' 'Sun Nov 22 09:00:05 2026' 'at Sun Nov 22 09:00:01 2026\. It has whole'
printed_as '\1' '2026-11-22T09:00:01,338214+01:00' '2026-11-22T09:00:05,353429+01:00' ' 4015\.215 ms  hang '
printed_as "\\1 $stamp" '2026-11-22T09:00:01+0000' '2026-11-22T09:00:05+0000' 'at 2026-11-22T09:00:01+0000\. It has whole'
printed_as "[ \\1] $stamp" 5959.338214 5963.353429 ' at 5959\.338214 s'
printed_as 'kern  :err   : [ \1]' 5959.338214 5963.353429 ' at 5959\.338214 s'
sed -E 's/^\[[^]]*\] //' tests/fixtures/klog/82599-vf.txt >"$out.log"
"$iommutop" analyze --klog "$out.log" | grep -q '^No line has a time that is known' || fail "a log without times isn't told"
rm "$out.log"

# What can't be read is said, with the documented exit code.
code() { "$iommutop" analyze "$@" >"$out" 2>&1 && rc=0 || rc=$?; echo $rc; }
[ "$(code --klog /nonexistent)" = 1 ] || fail "a missing log must exit 1"
[ "$(code --klog /dev/null)" = 1 ] || fail "an empty log must exit 1"
[ "$(code --klog /)" = 1 ] || fail "a directory as log must exit 1"
grep -q 'Is a directory; a session is given without --klog' "$out" || fail "a directory as log must be told"
[ "$(code /nonexistent)" = 1 ] || fail "a missing session must exit 1"
[ "$(code)" = 2 ] || fail "no input must exit 2"
[ "$(code --klog /dev/null extra)" = 2 ] || fail "a session and a log must exit 2"
[ "$(code --history 1 --klog /dev/null)" = 2 ] || fail "a history too short must exit 2"
echo "PASS"

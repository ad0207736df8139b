#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# What docs/cookbook/ci.md tells people to copy: YAML that parses, shell that is shell, and the step of the example for GitHub
# Actions that boots, run as it stands there.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/boot_lib.sh"
page=$top/docs/cookbook/ci.md

# block LANGUAGE N: the Nth code block of that language.
block() { awk -v lang="\`\`\`$1" -v n="$2" '$0 == "```" { on = 0 } on { print } $0 == lang { on = (++seen == n) }' "$page"; }
count() { grep -cx "\`\`\`$1" "$page"; }

blocks=$(count yaml)
check "the page has its YAML ($blocks)" [ "$blocks" -ge 3 ]
for n in $(seq "$blocks"); do
	block yaml "$n" >"$dir/block.yaml"
	check "YAML $n parses" python3 -c 'import sys, yaml; sys.exit(not isinstance(yaml.safe_load(open(sys.argv[1])), dict))' \
		"$dir/block.yaml"
done
for n in $(seq "$(count sh)"); do
	block sh "$n" >"$dir/block.sh"
	check "shell $n is shell" bash -n "$dir/block.sh"
done

# step NAME: its run text in the first YAML block.
step()
{
	block yaml 1 | python3 -c 'import sys, yaml
for s in yaml.safe_load(sys.stdin)["jobs"]["boot"]["steps"]:
    if s.get("name") == sys.argv[1]:
        print(s["run"])' "$1"
}
mkdir "$dir/clone" "$dir/bin"
ln -s "$iommutop" "$dir/bin/iommutop"
# as a runner does: bash -e, in a directory of its own
run_step()
{
	step "$1" >"$dir/step.sh"
	code=0
	(cd "$dir/clone" && KERNEL=debian:6.12 PATH="$dir/bin:$PATH" bash -e -o pipefail "$dir/step.sh") \
		>"$dir/out" 2>"$dir/err" </dev/null || code=$?
}
run_step check
check "GitHub's step check passes" [ "$code" = 0 -a -s "$dir/step.sh" ]
run_step boot
check "GitHub's step boot passes" [ "$code" = 0 -a -s "$dir/step.sh" ]
check "its results are there" grep -q '<testsuite' "$dir/clone/results/iommu.xml"
check "they have what was asked for" grep -q 'invalidation-timeout' "$dir/clone/results/iommu.xml"
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Replays the kept inputs of each fuzz target, in the order of their names: deterministic, a second each. New inputs come
# from `make fuzz`.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

command -v clang >/dev/null || { echo "SKIP: clang is not installed"; exit 77; }
ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-* >/dev/null 2>&1 ||
	{ echo "SKIP: the compiler's fuzzer library (libclang-rt-14-dev) is not installed"; exit 77; }
make --no-print-directory -j"$(nproc)" fuzz-programs >build/fuzz-make.log 2>&1 || { tail -n 20 build/fuzz-make.log; exit 1; }

failed=0 nr=0
for target in tests/fuzz/fuzz_*.c; do
	target=$(basename "$target" .c)
	target=${target#fuzz_}
	nr=$((nr + 1))
	inputs=$(find "tests/fuzz/corpus/$target" -type f | wc -l)
	if [ "$inputs" = 0 ]; then
		echo "not ok $nr - fuzz_$target has a corpus"
		failed=1
	elif find "tests/fuzz/corpus/$target" -type f -print0 | sort -z |
		xargs -0 "build/fuzz/fuzz_$target" -artifact_prefix=build/fuzz/ >"build/fuzz/$target.replay" 2>&1; then
		echo "ok $nr - fuzz_$target survives its $inputs kept inputs"
	else
		echo "not ok $nr - fuzz_$target survives its $inputs kept inputs"
		tail -n 30 "build/fuzz/$target.replay" | sed 's/^/# /'
		failed=1
	fi
done
echo "1..$nr"
exit $failed

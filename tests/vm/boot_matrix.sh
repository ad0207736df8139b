#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# Several boots by one command: kernels, a matrix file, one exit code for all; what a kernel lacks; and git bisect run.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/boot_lib.sh"

row() { grep -cE "^ +$1 " "$dir/err"; }

# --- a matrix: two boots that differ in everything but the kernel, one that isn't begun, one that is excepted

cat >"$dir/matrix.yaml" <<'END'
# what runs here, and what is left out
kernel: [debian:6.12, /nonexistent/bzImage]
append: [quiet, iommutop.test=1]
command:
  - cat /proc/cmdline; echo one >/output/file
  - echo second; exit 7
except:
  - {kernel: debian:6.12, append: "iommutop.*", command: "cat *"}
  - {kernel: debian:6.12, append: quiet, command: "echo *"}
  - {kernel: /nonexistent/*, command: "cat *"}
END
boot --matrix "$dir/matrix.yaml" --append from_the_command_line --output "$dir/files"
check "the exit code is the worst: a failure comes before what could not be tried" [ "$code" = 7 ]
check "the first boot has both additions to its command line" printed 'from_the_command_line quiet$'
check "the second one's output follows" [ "$(tail -n 1 "$dir/out")" = second ]
check "standard output is the guests' alone" [ "$(wc -l <"$dir/out")" = 2 ]
check "each boot is announced" said "^=== 2 of 4: debian:6.12, append 'iommutop.test=1', command 'echo second; exit 7'$"
check "the table has a line for each" [ "$(row '1 ok +0')$(row '2 failed +7')$(row '3 not tried +125')$(row '4 not tried +125')" = 1111 ]
check "each boot has its files" [ "$(cat "$dir/files/1-debian-6.12/file")" = one -a -f "$dir/files/2-debian-6.12/console.log" ]
check "nothing is left of the runs" nothing_left

boot --kernel /nonexistent/a --kernel /nonexistent/b -- true
check "several kernels by option" [ "$code" = 125 -a "$(row '[12] not tried +125')" = 2 ]

# --- mistakes

echo 'kernel: [debian:6.12' >"$dir/wrong.yaml"
boot --matrix "$dir/wrong.yaml" -- true
check "a wrong matrix is a usage error" [ "$code" = 2 ]
check "its line and column are told" said "wrong.yaml:2:1: did not find expected ',' or '\]'"
boot --matrix "$dir/nosuch.yaml" -- true
check "a matrix that is not there too" [ "$code" = 2 ]
echo 'iommu: [ref]' >"$dir/wrong.yaml"
boot --matrix "$dir/wrong.yaml" -- true
check "no kernel in either" said 'needs --kernel, for the matrix names none'
boot --matrix "$dir/wrong.yaml" --kernel debian:6.12
check "no command in either" said 'needs a COMMAND to run in the guest, for the matrix names none'
boot --bisect --matrix "$dir/wrong.yaml"
check "with --bisect that is 125: no commit is to blame" [ "$code" = 125 ]
boot --no-such --bisect
check "a wrong option, too" [ "$code" = 125 ]

# --- what a kernel lacks: by its configuration, and by its BTF

dir612=$("$top/tools/boot/kernel.sh" get debian:6.12 2>"$dir/err")
boot --check --kernel debian:6.12 --kernel source:7.2 --iommu ref
check "kernels of ours lack nothing" [ "$code" = 0 -a "$(grep -c 'has what booting and tracing need' "$dir/err")" = 2 ]
check "a configuration in the image is found there" said 'source:7.2 .*, by the configuration in the image itself'
mkdir "$dir/kernel"
objcopy --remove-section .BTF --remove-section .BTF_ids "$dir612/vmlinux" "$dir/kernel/vmlinux"
grep -vE '^CONFIG_(DEBUG_INFO_BTF|INTEL_IOMMU|VIRTIO_CONSOLE)=' "$dir612/config" >"$dir/kernel/.config"
boot --check --kernel "$dir/kernel/vmlinux" --iommu intel
check "a kernel that lacks something is 125" [ "$code" = 125 ]
check "no BTF is seen in the image" said "vmlinux with --iommu intel: can't be traced: it has no BTF.*CONFIG_DEBUG_INFO_BTF=y"
check "and in the configuration" said "can't be traced: CONFIG_DEBUG_INFO_BTF is not set"
check "an IOMMU's driver is missed" said "won't boot here: CONFIG_INTEL_IOMMU is not set: no driver for --iommu intel"
check "what is only slower is told" said 'CONFIG_VIRTIO_CONSOLE is not set: output and files come over a serial port'
rm "$dir/kernel/.config"
boot --check --kernel "$dir/kernel/vmlinux"
check "no configuration is said" said "its configuration wasn't found"
boot --kernel "$dir/kernel/vmlinux" --modules "$(echo "$dir612"/lib/modules/*)" -- 'iommutop list; uname -r'
check "a kernel without BTF is booted all the same" grep -qxF "$(cat "$dir612/release")" "$dir/out"
check "what it lacks is said before" said "can't be traced: it has no BTF"

# --- git bisect: the fifth of six commits makes the driver use a buffer after its unmap; the third can't be tested

repo=$dir/repo
git init -q "$repo"
git -C "$repo" config user.name test
git -C "$repo" config user.email test@localhost
commit() { git -C "$repo" add . && git -C "$repo" commit -q -m "$1"; }
echo debian:6.12 >"$repo/kernel"
cat >"$repo/job.sh" <<'END'
. /root/bugs.sh
echo "run workload=single ops=300" >/sys/kernel/debug/refdma/refdma.0/control
END
echo : >"$repo/bugs.sh"
commit "one: good"
echo "# nothing" >>"$repo/bugs.sh"
commit "two: good"
echo /nonexistent/bzImage >"$repo/kernel"
commit "three: can't be built"
echo debian:6.12 >"$repo/kernel"
commit "four: good"
echo 'echo "use-after-unmap next=1 skip=100 when=after" >/sys/kernel/debug/refiommu/bugs' >>"$repo/bugs.sh"
commit "five: bad"
echo "# nothing else" >>"$repo/job.sh"
commit "six: bad"

echo 'rules: [{invariant: no-fault}]' >"$dir/no-fault.yaml"
cat >"$dir/test.sh" <<END
#!/bin/bash
"$iommutop" boot --bisect --kernel "\$(cat kernel)" --iommu ref --file job.sh --file bugs.sh \
	--file "$dir/no-fault.yaml" -- \
	iommutop assert --bisect no-fault.yaml -- sh job.sh
END
chmod +x "$dir/test.sh"
{
	git -C "$repo" bisect start HEAD "$(git -C "$repo" rev-list HEAD | tail -n 1)"
	git -C "$repo" bisect run "$dir/test.sh"
} >"$dir/out" 2>"$dir/err"
code=$?
check "git bisect comes to its end" [ $code = 0 ]
check "the bad commit is found" [ "$(git -C "$repo" log -1 --format=%s refs/bisect/bad)" = "five: bad" ]
check "what can't be tested is skipped" [ -n "$(git -C "$repo" for-each-ref 'refs/bisect/skip-*')" ]
check "good, bad and untestable are said" [ "$(grep -cE 'boot: (good|bad|can.t be tested)' <(cat "$dir/out" "$dir/err"))" -ge 3 ]

boot --bisect --kernel debian:6.12 -- 'exit 5'
check "inconclusive is 125 for git bisect" [ "$code" = 125 ]
boot --bisect --kernel debian:6.12 -- 'echo c >/proc/sysrq-trigger'
check "a panic is 125 for git bisect" [ "$code" = 125 ]
finish

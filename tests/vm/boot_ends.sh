#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # variables of boot_lib.sh
#
# However a guest ends, or does not start, boot ends with the exit code and the words for it.
# usage: boot_ends.sh [KERNEL...]
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/boot_lib.sh"

kernels=("$@")
[ $# -gt 0 ] || kernels=(debian:6.1 debian:6.12 source:7.2)
for kernel in "${kernels[@]}"; do
	boot --kernel "$kernel" --output "$dir/panic" -- 'echo before; echo c >/proc/sysrq-trigger; echo after'
	check "$kernel: a panic is 255" [ "$code" = 255 ]
	check "$kernel: it says so, with the console's end" said 'boot: the kernel panicked'
	check "$kernel: the console's end is shown" said 'Kernel panic - not syncing: sysrq triggered crash'
	check "$kernel: the console is kept" grep -q 'Kernel panic' "$dir/panic/console.log"
	check "$kernel: output from before the panic is there" same <(echo before) "$dir/out"
done

kernel=${kernels[-1]}
boot --kernel "$kernel" -- 'poweroff -f; sleep 100'
check "a guest that powers off is 255" [ "$code" = 255 ]
check "it is told from a panic" said 'without handing over an exit code'

# How long a boot takes depends on the machine: a time-out that was too short for one to come to its command is tried again, longer.
for seconds in 15 60 240; do
	started=$SECONDS
	boot --kernel "$kernel" --timeout ${seconds}s -- 'echo before; sleep 1000'
	[ "$code" = 124 ] && [ ! -s "$dir/out" ] || break
	echo "# nothing was printed within $seconds s"
done
check "a timeout is 124" [ "$code" = 124 ]
check "it says so" said 'the timeout was reached$'
check "it does not come too early" [ $((SECONDS - started)) -ge "$seconds" ]
check "output from before the timeout is there" same <(echo before) "$dir/out"

boot --kernel "$kernel" --qemu /nonexistent/qemu -- true
check "no QEMU is 125" [ "$code" = 125 ]
check "it says what to install" said 'QEMU is missing.*apt-get install'
boot --kernel "$kernel" --device nosuchdevice -- true
check "a device that QEMU has not is 125" [ "$code" = 125 ]
check "QEMU's reason is passed on" said "nosuchdevice.*not a valid device model"
boot --kernel /nonexistent/vmlinux -- true
check "no kernel is 125" [ "$code" = 125 ]
boot --kernel /etc/passwd -- true
check "what is no kernel is 125" [ "$code" = 125 ]
boot --kernel "$kernel" --file /nonexistent/file -- true
check "a file that is not there is 125" [ "$code" = 125 ]
check "it is named" said '/nonexistent/file into the guest: No such file'
boot --kernel "$kernel" --module no_such_module -- true
check "a module that the kernel has not is 125" [ "$code" = 125 ]
check "it is named" said 'no module no_such_module'
TMPDIR=/nonexistent boot --kernel "$kernel" -- true
check "no place for the run is 125" [ "$code" = 125 ]
boot --kernel "$kernel"
check "no command is a usage error" [ "$code" = 2 ]

# A QEMU that hangs, a given number of times, before the real one is started.
cat >"$dir/qemu" <<END
#!/bin/bash
case \$* in *--version*) exec qemu-system-x86_64 --version ;; esac
echo >>"$dir/calls"
[ "\$(wc -l <"$dir/calls")" -gt "\$(cat "$dir/hangs")" ] || exec sleep 1000
exec qemu-system-x86_64 "\$@"
END
chmod +x "$dir/qemu"
echo 2 >"$dir/hangs"
boot --kernel "$kernel" --no-kvm --qemu "$dir/qemu" --silence 2s -- true
check "a boot that hangs twice is 124" [ "$code" = 124 ]
check "it says so" said 'the boot hung twice'
check "it was tried twice" [ "$(wc -l <"$dir/calls")" = 2 ]
# here the kernel must print something in time, too
for seconds in 10 60; do
	echo 1 >"$dir/hangs"
	rm "$dir/calls"
	boot --kernel "$kernel" --no-kvm --qemu "$dir/qemu" --silence ${seconds}s -- 'exit 5'
	[ "$code" = 124 ] || break
	echo "# the second boot was silent for $seconds s"
done
check "a boot that hangs once is retried" [ "$code" = 5 ]
check "it says so" said "printed nothing for $seconds s.*once more"

# One that hangs because of KVM, which its probe didn't tell: emulated the second time.
if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
	cat >"$dir/qemu" <<-END
		#!/bin/bash
		case \$* in
		*--version*) exec qemu-system-x86_64 --version ;;
		*' -S '*) exit 0 ;;
		esac
		echo "\$*" >>"$dir/args"
		exec sleep 1000
	END
	boot --kernel "$kernel" --qemu "$dir/qemu" --silence 2s -- true
	check "it says that it does without KVM" said 'once more, without KVM'
	check "KVM, then none" [ "$(grep -oE -- '-accel [a-z]+' "$dir/args" | tr '\n' ' ')" = '-accel kvm -accel tcg ' ]
else
	skip "a boot that hangs with KVM" "no /dev/kvm"
fi

# Signals: QEMU ends, the run's directory goes, the exit code is that of the signal.
for signal in INT TERM; do
	: >"$dir/out" # the last run's "ready" would do, until the next one has begun
	"$iommutop" boot --kernel "$kernel" -- 'echo ready; sleep 1000' >"$dir/out" 2>"$dir/err" &
	pid=$!
	deadline=$((SECONDS + 300))
	until printed ready || [ $SECONDS -ge $deadline ]; do sleep 0.05; done
	qemu=$(pgrep -P $pid)
	kill -$signal $pid
	wait $pid
	code=$?
	check "SIG$signal ends it" [ $code = $((128 + $(kill -l $signal))) ]
	check "QEMU is gone with SIG$signal" [ -n "$qemu" -a ! -e "/proc/${qemu:-1}" ]
done
"$iommutop" boot --kernel "$kernel" -- 'while :; do echo line; done' 2>"$dir/err" | head -n 1 >"$dir/out"
check "a reader that goes away ends it" same <(echo line) "$dir/out"
check "nothing is left of all these runs" nothing_left
finish

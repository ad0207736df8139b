# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Sourced inside the guest by the refiommu_*.guest scripts: TAP output and access to the modules.

tests=0
failed=0
debug=/sys/kernel/debug
tracing=/sys/kernel/tracing

# check NAME COMMAND...: one test, passed if COMMAND succeeds.
check()
{
	name=$1
	shift
	tests=$((tests + 1))
	if "$@"; then
		echo "ok $tests - $name"
	else
		failed=$((failed + 1))
		echo "not ok $tests - $name"
		echo "# failed: $*"
	fi
}

# equal NAME GOT WANTED
equal()
{
	check "$1 ($2)" [ "$2" = "$3" ]
	[ "$2" = "$3" ] || echo "# got '$2', wanted '$3'"
}

finish()
{
	echo "1..$tests"
	[ "$failed" = 0 ]
	exit
}

# truth MODULE NAME: a counter of /sys/kernel/debug/MODULE/truth.
truth() { awk -v n="$2" '$1 == n { print $2 }' "$debug/$1/truth"; }

# since MODULE NAME: how much a counter has grown since mark.
since() { echo $(($(truth "$1" "$2") - $(awk -v n="$2" '$1 == n { print $2 }' "/tmp/mark.$1"))); }
mark()
{
	cp $debug/refdma/truth /tmp/mark.refdma
	cp $debug/refiommu/truth /tmp/mark.refiommu
}

# The modules' own events are what addresses are compared with; lines "FIELD=VALUE …" of one kind.
watch() { echo 1 >$tracing/events/refiommu/enable; }
driver_events() { grep " $1: " $tracing/trace | sed "s/.* $1: //"; }
field() { sed -n "s/.*\b$1=\([^ ]*\).*/\1/p"; }
fresh() { mark; echo >$tracing/trace; dmesg -c >/dev/null; }

# dma N COMMAND: a command to device N; bug SETTING: one line for the table of bugs.
dma() { echo "$2" >"$debug/refdma/refdma.$1/control"; }
bug() { echo "$*" >$debug/refiommu/bugs; }

load() # REFIOMMU-PARAMETERS REFDMA-PARAMETERS
{
	# shellcheck disable=SC2086
	modprobe refiommu $1 || return
	# shellcheck disable=SC2086
	modprobe refdma $2
}
unload() { rmmod refdma && rmmod refiommu; }

# watch_ticks INSTANCE: the trace instance gets what without_standstills() of facts_lib.sh reads.
watch_ticks()
{
	echo mono >"$1/trace_clock" && echo 1 >"$1/events/irq_vectors/local_timer_entry/enable" &&
		echo 1 >"$1/events/refiommu/refiommu_inval_submit/enable" &&
		echo 1 >"$1/events/refiommu/refiommu_inval_complete/enable"
}

group_of() { basename "$(readlink -f "/sys/bus/platform/devices/refdma.$1/iommu_group")"; }
type_of() { cat "/sys/kernel/iommu_groups/$(group_of "$1")/type"; }

# set_type N TYPE: switches the default domain of device N, whose driver must not be bound for it.
set_type()
{
	echo "refdma.$1" >/sys/bus/platform/drivers/refdma/unbind &&
	echo "$2" >"/sys/kernel/iommu_groups/$(group_of "$1")/type" &&
	echo "refdma.$1" >/sys/bus/platform/drivers/refdma/bind
}

# wait_until SECONDS COMMAND...: polls with a deadline.
wait_until()
{
	tries=$(($1 * 20))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 50000
	done
}

# settled: waits until the flush queues are empty: since the last lazy unmap, their timers have flushed.
flushes() { truth refiommu flush_all; }
queued() { grep -q ' queued=1$' $debug/refiommu/domains; }
quiet() { last=$now; ! queued && now=$(flushes) && [ "$last" = "$now" ]; }
settled()
{
	now=none
	wait_until 60 quiet
}

# unread COMMAND...: record or assert, our parent, stands still meanwhile, and what its rings don't hold is lost.
stopped() { grep -q '^State:.T' /proc/$PPID/status; }
unread()
{
	kill -STOP $PPID
	wait_until 30 stopped && "$@"
	rc=$?
	kill -CONT $PPID
	return $rc
}

# traced SESSION: the functions that flush unmanaged domains are hooked by now; it says that they were not before.
traced()
{
	said=$(iommutop session cat --kind loss "$1" 2>/dev/null)
	for f in refiommu_unmanaged_iotlb_sync refiommu_unmanaged_flush_iotlb_all; do
		case $said in
		*" cause=unhooked what=\"$f\""*) ;;
		*) return 1 ;;
		esac
	done
}

# log_has PATTERN: since the last dmesg -c.
log_has() { dmesg | grep -qE "$1"; }

# Nothing that a kernel says when something is broken.
log_clean()
{
	! dmesg | grep -E 'WARNING|BUG:|Oops|Call Trace|INFO: (possible|task|rcu)|kernel leak|suspicious'
}

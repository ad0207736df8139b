#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# QEMUs that are newer than the machine's: gets Debian's packages with all libraries that they need, and caches them by
# version. Nothing is installed; the C library of the package runs it, so that of the machine doesn't matter.
# stdout carries only the answer (a directory); progress and errors go to stderr.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/debian.sh"
qemus=$cache/qemu
specs=$qemus/specs
instead="give --qemu the path of a QEMU"
program=qemu-system-x86_64

usage()
{
	cat <<-END
	Usage: qemu.sh get [--refresh] SPEC   print the directory of the ready QEMU SPEC; $program is in it
	       qemu.sh list                   print what is cached: SPEC, version, size, directory

	SPEC: debian:10 debian:11   Debian's packages
	END
}

# The suites of a major version: its own, and those that its libraries come from.
suites_of()
{
	case $1 in
	10) echo bookworm-backports bookworm ;;
	11) echo sid ;;
	*) die "unknown QEMU 'debian:$1' (debian:10, debian:11)" ;;
	esac
}

# What running QEMU takes, "NAME=VERSION" a line: apt's solver starts from a system without any package, and of its answer
# everything goes that is no library and no part of QEMU (adduser, systemd: for an installation).
closure()
{
	apt-get -c "$apt_conf" -s --no-install-recommends install qemu-system-x86 ipxe-qemu seabios |
		sed -nE 's/^Inst ((lib|qemu-system|seabios|ipxe)[^ ]*) \(([^ ]+) .*/\1=\3/p' | sort
}

# The starter: the package's own ld.so with its own libraries. exec, so that who ends it ends QEMU.
starter()
{
	cat <<-'END'
	#!/bin/sh
	# made by iommutop's qemu.sh
	here=$(dirname "$(readlink -f "$0")")
	lib=lib/x86_64-linux-gnu
	QEMU_MODULE_DIR=$here/usr/$lib/qemu
	export QEMU_MODULE_DIR
	for ld in "$here/usr/lib64" "$here/lib64" "$here/$lib"; do
		[ ! -x "$ld/ld-linux-x86-64.so.2" ] || break
	done
	exec "$ld/ld-linux-x86-64.so.2" --library-path "$here/usr/$lib:$here/$lib" \
		"$here/usr/bin/qemu-system-x86_64" \
		-L "$here/usr/share/qemu" -L "$here/usr/share/seabios" -L "$here/usr/lib/ipxe/qemu" "$@"
	END
}

fetch()
{
	local spec=$1 major=${1#debian:} suites version final pkgs said

	[ "$(uname -m)" = x86_64 ] || die "QEMUs are fetched for x86-64 only; $instead"
	suites=$(suites_of "$major")
	# shellcheck disable=SC2086
	apt_setup $suites
	version=$(version_of qemu-system-x86)
	version=${version#*:}
	case $version in
	"$major".*) ;;
	*) die "${suites%% *} has QEMU ${version:-none}, not $major: those that are cached stay usable" \
		"('qemu.sh list'); for another one $instead" ;;
	esac
	mapfile -t pkgs < <(closure)
	[ "${#pkgs[@]}" -gt 0 ] || die "apt can't tell what qemu-system-x86 of ${suites%% *} depends on; $instead"
	# no colon may be in it: it is a separator for ld.so
	final=$qemus/debian-$version-$(printf '%s\n' "${pkgs[@]}" "$(starter)" | sha256sum | cut -c1-12)
	if [ -d "$final" ]; then
		say "$spec is $version, cached already"
		point "$spec" "$final"
		return
	fi
	mkdir "$work/out"
	fetch_unpack "$work/out" "${pkgs[@]}"
	rm -rf "$work/out/usr/share/doc" "$work/out/usr/share/locale" "$work/out/usr/share/man"
	starter >"$work/out/$program"
	chmod +x "$work/out/$program"
	said=$("$work/out/$program" --version 2>&1) ||
		die "the QEMU of $spec doesn't run here: ${said:-no message}; $instead"
	echo "$version" >"$work/out/release"
	publish "$spec" "$final"
}

get()
{
	local refresh='' spec='' final

	get_args "$@"
	case $spec in
	debian:*) suites_of "${spec#debian:}" >/dev/null ;;
	*) die "unknown QEMU '$spec' (debian:10, debian:11)" ;;
	esac
	# Answered from the cache without a lock: publish() renames, so what is named is complete.
	if [ -n "$refresh" ] || ! final=$(readlink -e "$specs/$spec"); then
		begin_work "$qemus" "qemu-$spec"
		if [ -n "$refresh" ] || [ ! -e "$specs/$spec" ]; then
			fetch "$spec"
		fi
		final=$(ready "$spec")
	fi
	echo "$final"
}

case ${1:-} in
get) shift; get "$@" ;;
list) list ;;
-h | --help) usage ;;
*) usage >&2; exit 2 ;;
esac

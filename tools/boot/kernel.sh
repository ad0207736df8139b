#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Test kernels: gets Debian's packages or builds our own, and caches the result by content.
# stdout carries only the answer (a directory); progress and errors go to stderr.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/debian.sh"
kernels=$cache/kernels
specs=$cache/specs
instead="give --kernel the path of a vmlinux"

usage()
{
	cat <<-'END'
	Usage: kernel.sh get [--refresh] SPEC   print the directory of the ready kernel SPEC
	       kernel.sh list                   print what is cached: SPEC, release, size, directory
	       kernel.sh extract BZIMAGE ELF    write the uncompressed kernel of a bzImage to ELF

	SPEC: debian:6.1 debian:6.12 debian:7.2   Debian's kernel packages
	      source:7.2 source:7.2-lockdep       linux-source-7.2 with the configuration kept here
	END
}

# --- packages ----------------------------------------------------------------------------------

suite_of()
{
	case $1 in
	6.1) echo bookworm ;;
	6.12) echo bookworm-backports ;;
	*) echo sid ;;
	esac
}

# closure PACKAGE...: those and every linux-* package that they depend on, one a line.
closure()
{
	apt-cache -c "$apt_conf" depends --recurse --important --no-recommends "$@" |
		sed -n 's/^\(linux-[^ ]*\)$/\1/p' | sort -u
}

# --- pieces of a kernel directory --------------------------------------------------------------

le32() { od -An -tu4 -j"$2" -N4 --endian=little "$1" | tr -d ' '; }

# extract BZIMAGE ELF. The payload's place is in the boot protocol's header (2.08 and later:
# Documentation/arch/x86/boot.rst); all compressors but gzip are followed by 4 bytes of size.
extract()
{
	local image=$1 elf=$2 sects start len magic

	[ -r "$image" ] || die "cannot read $image"
	[ "$(od -An -tx1 -j514 -N4 "$image" | tr -d ' ')" = 48647253 ] ||
		die "$image is no bzImage (no HdrS signature)"
	sects=$(od -An -tu1 -j497 -N1 "$image" | tr -d ' ')
	start=$(((sects + 1) * 512 + $(le32 "$image" 584)))
	len=$(le32 "$image" 588)
	magic=$(od -An -tx1 -j"$start" -N4 "$image" | tr -d ' ')
	payload()
	{
		dd if="$image" iflag=skip_bytes,count_bytes skip="$start" count="$1" bs=1M status=none
	}
	case $magic in
	fd377a58) need xz; payload $((len - 4)) | xz -dc >"$elf" ;;
	28b52ffd) need zstd; payload $((len - 4)) | zstd -qdc >"$elf" ;;
	1f8b*) payload "$len" | gzip -dc >"$elf" ;;
	02214c18) need lz4; payload $((len - 4)) | lz4 -dc >"$elf" ;;
	7f454c46) payload "$len" >"$elf" ;;
	*) die "$image: payload of unknown compression (magic $magic)" ;;
	esac
	[ "$(head -c4 "$elf" | od -An -tx1 | tr -d ' ')" = 7f454c46 ] ||
		die "$image: its payload is no ELF file"
}

# one_file DIR NAME REL: /boot/NAME-REL or /usr/lib/modules/REL/NAME, wherever this release has it.
one_file()
{
	local found

	found=$(find "$1" -type f \( -name "$2-$3" -o -path "*/modules/$3/$2" \) -print -quit)
	[ -n "$found" ] || die "the packages of $3 have no $2"
	echo "$found"
}

# modules_ready DIR REL: decompresses the modules in DIR/lib/modules/REL and indexes them.
modules_ready()
{
	local mods=$1/lib/modules/$2

	need depmod
	say "decompressing the modules of $2"
	find "$mods" -name '*.ko.xz' -print0 | xargs -0 -r -P2 -n64 xz -d
	find "$mods" -name '*.ko.zst' -print0 | xargs -0 -r -P2 -n64 zstd -qd --rm
	find "$mods" -name '*.ko.gz' -print0 | xargs -0 -r -P2 -n64 gzip -d
	rm -rf "$mods/build" "$mods/source"
	depmod -b "$1" "$2"
}

# --- the kinds of kernel -----------------------------------------------------------------------

# The headers package finds its parts under /usr/src and /usr/lib: point it at where it was unpacked.
kbuild_debian()
{
	local pkg=$1 final=$2 rel=$3 top=$1/usr/src/linux-headers-$3 file link to

	grep -rlIE '/usr/(src|lib)/linux-' "$pkg/usr/src" --include=Makefile --include='.kernel*' |
		while read -r file; do
			sed -i -E "s#(^|[^A-Za-z0-9_./-])(/usr/(src|lib)/linux-)#\1$final/pkg\2#g" "$file"
		done
	find "$pkg" -type l | while read -r link; do
		to=$(readlink "$link")
		case $to in
		/usr/*) ln -sfn "$final/pkg$to" "$link" ;;
		esac
	done
	[ -f "$top/Makefile" ] || die "no Makefile in the headers of $rel"
}

get_debian()
{
	local spec=$1 series=${1#debian:} suite version image rel out final pkgs

	suite=$(suite_of "$series")
	need xz xargs find
	apt_setup "$suite"
	version=$(version_of linux-image-$arch)
	case $version in
	"$series".*) ;;
	*) die "$suite has Linux ${version:-none}, not $series: kernels that are cached stay usable" \
		"('kernel.sh list'); for another one give --kernel the path of its vmlinux" ;;
	esac
	image=$(apt-cache -c "$apt_conf" depends --important linux-image-$arch |
		awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
	rel=${image#linux-image-}
	rel=${rel%-unsigned}
	final=$kernels/debian-$version-$rel
	if [ -d "$final" ]; then
		say "$spec is $version, cached already"
		point "$spec" "$final"
		return
	fi
	out=$work/out
	# One package on 6.1 and 6.12; on sid image, kernel, modules and configuration are packages of their own.
	mapfile -t pkgs < <(closure "$image" | grep -E '^linux-(image|binary|modules|base)-' |
		grep -F -e "$rel")
	fetch_unpack "$work/image" "${pkgs[@]}"
	mkdir -p "$out/lib/modules"
	extract "$(one_file "$work/image" vmlinuz "$rel")" "$out/vmlinux"
	cp "$(one_file "$work/image" config "$rel")" "$out/config"
	mv "$(find "$work/image" -type d -path "*/lib/modules/$rel")" "$out/lib/modules/"
	rm -f "$out/lib/modules/$rel"/{vmlinuz,config,System.map}
	echo "$rel" >"$out/release"
	modules_ready "$out" "$rel"

	# The headers of newer suites ask for a newer compiler and libc than this machine has.
	if [ "$suite" != sid ]; then
		mapfile -t pkgs < <(closure "linux-headers-$rel" | grep -E '^linux-(headers|kbuild)-')
		fetch_unpack "$out/pkg" "${pkgs[@]}"
		kbuild_debian "$out/pkg" "$final" "$rel"
		ln -s "pkg/usr/src/linux-headers-$rel" "$out/kbuild"
		if [ -x "$out/kbuild/tools/bpf/resolve_btfids/resolve_btfids" ] &&
			[ ! -e "$out/kbuild/vmlinux" ]; then
			ln -s "$final/vmlinux" "$out/kbuild/vmlinux"
		fi
	fi
	publish "$spec" "$final"
}

# The fragments that a source spec is configured with, in order, one a line.
fragments()
{
	case $1 in
	source:7.2) echo "$here/source-7.2.config" ;;
	source:7.2-lockdep) printf '%s\n' "$here/source-7.2.config" "$here/source-7.2-lockdep.config" ;;
	*) die "no configuration for $1 (there are: source:7.2, source:7.2-lockdep)" ;;
	esac
}

# configuration SPEC: the fragments, one after the other.
configuration() { fragments "$1" | xargs -d '\n' cat; }

source_dir() { echo "$kernels/source-$1-$(configuration "$2" | sha256sum | cut -c1-12)${2#source:7.2}"; }

# Each option of the fragments must have survived Kconfig, or the kernel is not what it says it is.
check_config()
{
	local lost

	lost=$(grep -hE '^CONFIG_[A-Z0-9_]+=' "$1" | while read -r line; do
		grep -qxF "$line" "$2" || echo "$line"
	done)
	[ -z "$lost" ] || die "Kconfig dropped from the configuration: $(echo "$lost" | tr '\n' ' ')"
}

build_source()
{
	local spec=$1 version=$2 final=$3 out=$work/out src tar log rel

	need gcc-12 make flex bison bc pahole xz strip python3
	tar=$cache/sources/linux-source-$version.tar.xz
	src=$work/src
	mkdir -p "$src" "$out"
	say "unpacking linux-source $version"
	tar -xJf "$tar" -C "$src" --strip-components=1
	log=$cache/sources/build-${spec#source:}.log
	configuration "$spec" >"$work/fragment"
	export KBUILD_BUILD_USER=iommutop KBUILD_BUILD_HOST=boot KBUILD_BUILD_TIMESTAMP=@0
	local make=(make -C "$src" CC=gcc-12 HOSTCC=gcc-12 LOCALVERSION="-iommutop${spec#source:7.2}" -j2)
	"${make[@]}" -s KCONFIG_ALLCONFIG="$work/fragment" allnoconfig >"$log" 2>&1 ||
		die "configuring $spec failed: $log"
	check_config "$work/fragment" "$src/.config"
	say "building $spec: takes about 7 minutes on 2 cores, log in $log"
	"${make[@]}" vmlinux modules >>"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; die "building $spec failed, see above and $log"; }
	rel=$("${make[@]}" -s kernelrelease)
	"${make[@]}" -s modules_install INSTALL_MOD_PATH="$out" >>"$log" 2>&1 || die "modules_install failed: $log"
	strip -g "$src/vmlinux" -o "$out/vmlinux"
	cp "$src/.config" "$out/config"
	echo "$rel" >"$out/release"
	modules_ready "$out" "$rel"
	"${make[@]}" -s run-command KBUILD_RUN_COMMAND='$(srctree)/scripts/package/install-extmod-build '"$out/kbuild" \
		>>"$log" 2>&1 || die "collecting the files to build modules with failed: $log"
	ln -sfn "$final/vmlinux" "$out/kbuild/vmlinux"
	publish "$spec" "$final"
}

get_source()
{
	local spec=$1 refresh=$2 series version='' known final

	series=${spec#source:}
	series=${series%-lockdep}
	known=$cache/sources/linux-source-$series.version
	fragments "$spec" >/dev/null
	lock "source-$series"
	if [ -z "$refresh" ] && [ -r "$known" ]; then
		version=$(cat "$known")
	else
		need tar
		apt_setup sid
		version=$(version_of "linux-source-$series")
		[ -n "$version" ] || die "sid has no linux-source-$series any more; cached kernels stay usable"
		mkdir -p "$cache/sources"
		if [ ! -f "$cache/sources/linux-source-$version.tar.xz" ]; then
			fetch_unpack "$work/source" "linux-source-$series"
			mv "$work/source/usr/src/linux-source-$series.tar.xz" "$work/tar"
			mv "$work/tar" "$cache/sources/linux-source-$version.tar.xz"
		fi
		echo "$version" >"$known.new"
		mv "$known.new" "$known"
	fi
	final=$(source_dir "$version" "$spec")
	if [ -d "$final" ]; then
		point "$spec" "$final"
		return
	fi
	build_source "$spec" "$version" "$final"
}

# --- commands ----------------------------------------------------------------------------------

get()
{
	local refresh='' spec='' final

	get_args "$@"
	case $spec in
	debian:[0-9]*.[0-9]*) ;;
	source:[0-9]*.[0-9]*) ;;
	*) die "unknown kernel '$spec' (debian:6.1, debian:6.12, debian:7.2, source:7.2, source:7.2-lockdep)" ;;
	esac

	# Answered from the cache without a lock: publish() renames, so what is named is complete.
	if [ -z "$refresh" ] && final=$(readlink -e "$specs/$spec"); then
		case $spec in
		source:*)
			local known=$cache/sources/linux-source-${spec#source:}
			known=${known%-lockdep}.version
			[ "$final" = "$(source_dir "$(cat "$known")" "$spec")" ] || final= ;;
		esac
		[ -z "$final" ] || { echo "$final"; return; }
	fi

	begin_work "$kernels" "spec-$spec"
	case $spec in
	debian:*)
		if [ -n "$refresh" ] || [ ! -e "$specs/$spec" ]; then
			get_debian "$spec"
		fi ;;
	source:*) get_source "$spec" "$refresh" ;;
	esac
	ready "$spec"
}

case ${1:-} in
get) shift; get "$@" ;;
list) list ;;
extract) [ $# = 3 ] || { usage >&2; exit 2; }; extract "$2" "$3" ;;
-h | --help | help) usage ;;
*) usage >&2; exit 2 ;;
esac

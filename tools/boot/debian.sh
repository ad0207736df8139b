# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # instead and specs are the script's
#
# Sourced by kernel.sh and qemu.sh: packages of any Debian suite, through a private apt, and a cache of what is made of them.
# stdout carries only the answer (a directory); progress and errors go to stderr.
#
# The script sets instead, what to do where packages can't be got, and specs, the directory of the names that the cache is
# asked by.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/iommutop
arch=amd64

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# need TOOL...: dies with the Debian packages to install if one is missing.
need()
{
	local tool missing=''
	for tool in "$@"; do
		command -v "$tool" >/dev/null && continue
		case $tool in
		xz) missing+=" xz-utils" ;;
		depmod) missing+=" kmod" ;;
		pahole) missing+=" dwarves" ;;
		strip) missing+=" binutils" ;;
		flock) missing+=" util-linux" ;;
		apt-get | apt-cache | dpkg-deb) missing+=" apt and dpkg (is this a Debian?)" ;;
		*) missing+=" $tool" ;;
		esac
	done
	[ -z "$missing" ] || die "missing on this machine: apt-get install$missing"
}

# Holds the lock NAME until this process ends.
lock()
{
	local fd
	mkdir -p "$cache/locks"
	exec {fd}>"$cache/locks/$1"
	flock -n "$fd" || { say "another run works on $1, waiting for it"; flock "$fd"; }
}

# Lines "URI RELEASE" of the machine's own Debian sources; apt reads both of its formats for us.
machine_sources()
{
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk '$3 == "main" && !seen[$1 $2]++ { print $1, $2 }'
}

# apt_setup SUITE [MORE...]: makes $apt_conf, an apt world that knows these suites and nothing of what is installed. Versions of
# the first one are preferred. Nobody else uses it until this process ends.
apt_setup()
{
	local suite=$1 name codename uri rel key dir

	name=$(IFS=+; echo "$*")
	dir=$cache/apt/$name
	need apt-get apt-cache dpkg-deb
	lock "apt-$name"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/parts"
	: >"$dir/status"
	codename=$(. /etc/os-release; echo "${VERSION_CODENAME:-none}")
	uri=$(machine_sources | awk -v c="$codename" \
		'$1 ~ /\/debian\/?$/ { if (!first) first = $1; if ($2 == c && !own) own = $1 }
		 END { print own ? own : first }')
	[ -n "$uri" ] || die "no Debian archive among this machine's apt sources: packages of $suite" \
		"cannot be fetched; add one, or $instead"
	key=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -r "$key" ] && key="[signed-by=$key] " || key=
	for suite in "$@"; do
		echo "deb $key$uri $suite main"
		# The security and update suites of the same release live under URIs of their own.
		machine_sources | while read -r uri rel; do
			case $rel in
			"$suite-security" | "$suite-updates") echo "deb $key$uri $rel main" ;;
			esac
		done
	done >"$dir/sources.list"

	apt_conf=$dir/apt.conf
	cat >"$apt_conf" <<-END
	#clear APT::Update::Pre-Invoke;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	#clear DPkg::Post-Invoke;
	#clear Acquire::IndexTargets::deb::DEP-11;
	#clear Acquire::IndexTargets::deb::Contents-deb;
	Dir::Etc::sourcelist "$dir/sources.list";
	Dir::Etc::sourceparts "$dir/parts";
	Dir::Etc::preferences "/dev/null";
	Dir::Etc::preferencesparts "$dir/parts";
	Dir::State::lists "$dir/lists";
	Dir::State::status "$dir/status";
	Dir::Cache "$dir/cache";
	APT::Architecture "$arch";
	APT::Architectures { "$arch"; };
	APT::Default-Release "$1";
	APT::Sandbox::User "root";
	APT::Get::List-Cleanup "true";
	Acquire::Languages "none";
	Acquire::Retries "3";
	END
	say "reading the package lists of $*"
	apt-get -c "$apt_conf" -qq update >&2 ||
		die "apt could not read the package lists of $* (its messages are above);" \
			"check the network and the machine's apt sources, or $instead"
}

# version_of PACKAGE: the candidate version, empty if there is none.
version_of()
{
	apt-cache -c "$apt_conf" policy "$1" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# fetch_unpack DEST PACKAGE...
fetch_unpack()
{
	local dest=$1 deb
	shift
	mkdir -p "$work/debs"
	if [ $# -le 8 ]; then say "downloading: $*"; else say "downloading $# packages"; fi
	(cd "$work/debs" && apt-get -c "$apt_conf" -qq download "$@" >&2) ||
		die "apt could not download $* (its messages are above)"
	for deb in "$work"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dest"
		rm "$deb"
	done
}

# begin_work DIR LOCK: makes $work in DIR, which goes away with this process, and takes LOCK.
begin_work()
{
	need flock sha256sum
	mkdir -p "$1"
	work=$(mktemp -d "$1/.work.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	lock "$2"
}

# publish SPEC DIR: moves $work/out to its final place and names it for SPEC.
publish()
{
	mkdir -p "$(dirname "$2")"
	rm -rf "$2"
	mv "$work/out" "$2"
	point "$1" "$2"
}

point()
{
	mkdir -p "$specs"
	ln -sfn "$2" "$work/link"
	mv -T "$work/link" "$specs/$1"
}

# get_args [--refresh] SPEC: sets the caller's refresh and spec.
get_args()
{
	while [ $# -gt 0 ]; do
		case $1 in
		--refresh) refresh=1 ;;
		*) spec=$1 ;;
		esac
		shift
	done
}

# ready SPEC: prints the directory of what has just been made.
ready()
{
	local dir

	dir=$(readlink -e "$specs/$1")
	say "$1 is ready: $(cat "$dir/release")"
	echo "$dir"
}

# What is cached: name, release, size, directory.
list()
{
	local link dir

	for link in "$specs"/*; do
		dir=$(readlink -e "$link") || continue
		printf '%-20s %-28s %6s  %s\n' "${link##*/}" "$(cat "$dir/release")" \
			"$(du -sh "$dir" | cut -f1)" "$dir"
	done
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2317 # functions are called through check
#
# The command line as a user meets it, without a guest: help, mistakes, missing privileges, sessions that can't be made
# or read, JSON that parses, and man pages that know every option and no other.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../tap_lib.sh"
commands=(top record analyze assert diff session export list probe boot version)

# run COMMAND...: output to $dir/out and $dir/err, exit code to $code. A minute is far more than any of it takes.
run()
{
	code=0
	(cd "$dir" && exec timeout 60 "$@") >"$dir/out" 2>"$dir/err" </dev/null || code=$?
}
try() { run "$iommutop" "$@"; }

ended() { [ "$code" = "$1" ]; }
said() { grep -qE -- "$1" "$dir/err"; }
printed() { grep -qE -- "$1" "$dir/out"; }
silent() { [ ! -s "$dir/$1" ]; }
is_json() { python3 -c 'import json, sys; json.load(open(sys.argv[1]))["schema"]' "$dir/out" 2>/dev/null; }

# refused CODE REGEX ARGUMENT...: exits with CODE and explains itself on standard error, nothing on standard output.
refused()
{
	local want=$1 words=$2
	shift 2
	try "$@"
	check "'$*' exits $want" ended "$want"
	check "'$*' says why" said "$words"
	check "'$*' keeps standard output clean" silent out
}

# --- help and version

for arg in --help -h help; do
	try $arg
	check "$arg exits 0" ended 0
	for cmd in "${commands[@]}"; do
		check "$arg names $cmd" printed "^  $cmd "
	done
done
for cmd in "${commands[@]}"; do
	for arg in --help -h; do
		try "$cmd" $arg
		check "$cmd $arg exits 0" ended 0
		check "$cmd $arg shows how it is used" printed "^Usage: iommutop $cmd "
		check "$cmd $arg is no complaint" silent err
	done
done
try version
check "version exits 0" ended 0
check "version says which" printed '^iommutop [0-9]+\.[0-9]+'
cp "$dir/out" "$dir/version"
for arg in --version -V; do
	try $arg
	check "$arg is version" cmp -s "$dir/version" "$dir/out"
done
"$iommutop" version >/dev/full 2>"$dir/err"
check "a version that can't be printed exits 1" [ $? = 1 ]
check "and says why" said 'cannot write standard output: No space left'
try version --json
check "version --json exits 0" ended 0
check "version --json is JSON" is_json

# --- mistakes

refused 2 "no command 'recrod'" recrod
check "an unknown command is told what there is" said '^  record '
for cmd in "${commands[@]}"; do
	refused 2 "--no-such.*try iommutop $cmd --help" "$cmd" --no-such
done
refused 2 "'-Z' is no option" list -Z
refused 2 'lacks its value; try iommutop top --help' top --delay
refused 2 "--delay takes a time \(like 10ms.*not 'soon'" top --delay soon
refused 2 "--delay takes a time.*not '5 s'" top --delay '5 s'
refused 2 "--delay 1us is out of range: 1ms at least" top --delay 1us
refused 2 "--count takes a whole number, not 'x'" top --count x
refused 2 "--count 0 is out of range" top -n 0
refused 2 "--count takes a whole number, not '-1'" top --count=-1
refused 2 "--count 99999999999999999999 is out of range" top -n 99999999999999999999
refused 2 "--cpu-buffer takes a size \(like 64k.*not '4 MB'" record --cpu-buffer '4 MB'
refused 2 "--cpu-buffer 2G is out of range: 1K to 1G" record -m 2G
refused 2 "--memory 1k is out of range" record --memory 1k
for cmd in top list probe version; do
	refused 2 "takes no argument, not 'extra'" "$cmd" extra
done
refused 2 'iommutop analyze' analyze
refused 2 "--filter .sise>1.: column 1: no event has a field" analyze --filter "sise>1" x
refused 2 "--time takes FROM,TO, not .5." analyze --time 5 x
refused 2 "--group takes a number, not .eth0." analyze --group eth0 x
refused 2 "--domain takes a number" analyze --domain -1 x
refused 2 "--dev takes a name" analyze --dev "" x
refused 2 'iommutop boot' boot --kernel debian:6.12
refused 2 "no IOMMU 'nosuch'; choose from ref" boot --kernel debian:6.12 --iommu nosuch -- true
refused 125 "no IOMMU 'nosuch'; choose from ref" boot --bisect --kernel debian:6.12 --iommu nosuch -- true
printf 'iommu: [none, nosuch]\n' >"$dir/matrix.yaml"
refused 2 "matrix.yaml:1:15: no IOMMU 'nosuch'" boot --kernel debian:6.12 --matrix matrix.yaml -- true
head -c 100000 "$iommutop" >"$dir/cut"
refused 125 'it has no BTF.*CONFIG_DEBUG_INFO_BTF=y' boot --check --kernel "$iommutop"
refused 125 "its BTF.*can't be read: is the file whole" boot --check --kernel cut
printf 'rules:\n  - invariant: no-falt\n' >"$dir/bad.yaml"
refused 2 'bad.yaml:2:16: .*did you mean "no-fault"' boot --emit-initrd new.cpio --rules bad.yaml
refused 2 'cannot read the rules none.yaml' boot --emit-initrd new.cpio --rules none.yaml
refused 2 '"strickt".*did you mean "strict"' boot --emit-initrd new.cpio --preset strickt
mkfifo "$dir/pipe"
ln -s elsewhere "$dir/link"
refused 1 'cannot write pipe: it is a device or a pipe; name a file' boot --emit-initrd pipe
refused 1 'cannot write link: it is a link; name a file' boot --emit-initrd link --gzip
check "what is no file isn't replaced by an archive" [ -p "$dir/pipe" -a -L "$dir/link" -a ! -e "$dir/elsewhere" ]
check "no archive is made of wrong rules" [ -z "$(find "$dir" -name 'new.cpio*')" ]
refused 2 'cannot read none.log: No such file' boot --read-report none.log
refused 5 'there is no report in bad.yaml' boot --read-report bad.yaml

# --- sessions that can't be read or made

refused 1 '/nonexistent' analyze /nonexistent
mkdir "$dir/empty" "$dir/full"
refused 1 'empty' analyze "$dir/empty"
echo nonsense >"$dir/full/notes"
refused 1 'full' analyze "$dir/full"
refused 1 'notes' analyze "$dir/full/notes"
refused 1 '/dev/null' analyze --klog /dev/null
refused 1 . record -o "$dir/full" -- touch "$dir/was-run"
check "record leaves another's directory alone" [ "$(cat "$dir/full/notes")" = nonsense -a "$(ls "$dir/full")" = notes ]
check "record runs nothing if it can't record" [ ! -e "$dir/was-run" ]
if "$iommutop" probe >/dev/null 2>&1; then
	try record -o "$dir/full" -- true
	check "record says what is wrong with a directory that isn't empty" said "$dir/full: it is not empty; name a new"
else
	skip "record says what is wrong with a directory that isn't empty" "this kernel can't be traced (iommutop probe)"
fi

# --- probe, whatever this kernel is

try probe
check "probe exits 0 or 1" [ "$code" -le 1 ]
check "probe names the kernel" printed "^kernel +$(uname -r)\$"
try probe --json
check "probe --json exits 0 or 1" [ "$code" -le 1 ]
check "probe --json is JSON" is_json

# --- not root

nobody=()
if [ "$(id -u)" != 0 ]; then
	nobody=(env)
elif command -v setpriv >/dev/null; then
	nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all)
elif command -v runuser >/dev/null; then
	nobody=(runuser -u nobody --)
fi
# where the tests lie may be closed to others
chmod 755 "$dir"
cp "$iommutop" "$dir/iommutop"
if [ ${#nobody[@]} = 0 ] || ! "${nobody[@]}" "$dir/iommutop" version >/dev/null 2>&1; then
	skip "without root" "no setpriv or runuser to become nobody with, or programs in $dir can't be run"
else
	for args in list top 'top --batch --count 1' 'record -o new' 'record -o new -- true'; do
		# shellcheck disable=SC2086
		run "${nobody[@]}" "$dir/iommutop" $args
		check "without root, $args exits 1" ended 1
		check "without root, $args says sudo" said 'sudo'
		check "without root, $args names the capabilities" said 'CAP_BPF, CAP_PERFMON, CAP_SYSLOG'
		check "without root, $args prints nothing" silent out
	done
	check "without root, record makes no directory" [ ! -e "$dir/new" ]
	run "${nobody[@]}" "$dir/iommutop" probe
	check "without root, probe exits 1" ended 1
	check "without root, probe shows which privileges are missing" printed '^privileges +load BPF: no'
	check "without root, probe says what to do" printed '^problem .*sudo'
	for args in version '--help' 'record --help'; do
		# shellcheck disable=SC2086
		run "${nobody[@]}" "$dir/iommutop" $args
		check "without root, $args works" ended 0
	done
fi

# --- man pages

rm -f "$dir/out" "$dir/err"
unset code

# options_of COMMAND: as --help has them, one a line: "-o --output" or "--json".
options_of()
{
	{
		"$iommutop" "$1" --help
		[ "$1" != session ] || for part in info verify repair cat merge; do "$iommutop" session $part --help; done
	} |
		sed -nE 's/^  (-[A-Za-z]), (--[a-z-]+).*/\1 \2/p; s/^      (--[a-z-]+).*/\1/p' | grep -v -- '--help' | sort -u
}
# documented COMMAND: the same from the tags of its page's options.
documented()
{
	sed -nE 's/^\.It Fl ([A-Za-z]) , Fl -([a-z-]+)( .*)?$/-\1 --\2/p; s/^\.It Fl -([a-z-]+)( .*)?$/--\1/p' \
		"$top/docs/man/iommutop-$1.1" | grep -v -- '--help' | sort -u
}
same_options() { diff <(options_of "$1") <(documented "$1") | sed 's/^[<>]/# &/' | { ! grep '^#'; }; }
for cmd in "${commands[@]}"; do
	check "iommutop-$cmd.1 has the options of --help" same_options "$cmd"
	check "iommutop.1 has the command $cmd" grep -q "^\.It Cm $cmd\$" "$top/docs/man/iommutop.1"
done
finish

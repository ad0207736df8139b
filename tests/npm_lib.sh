# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by tests that need packages from npm: those of tests/fixtures/npm, as its lock file pins them, installed once
# into the cache. No package runs a script of its own.

# npm_packages: $npm_modules is the node_modules directory then; or returns 1, and $npm_why says why there is none.
npm_packages()
{
	local fixtures cache home lock
	fixtures=$(cd "$(dirname "${BASH_SOURCE[0]}")/fixtures/npm" && pwd)
	command -v node >/dev/null && command -v npm >/dev/null || { npm_why="Node.js and npm are not installed"; return 1; }
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/iommutop/npm
	home=$cache/$(cat "$fixtures"/package*.json | sha256sum | cut -c1-16)
	npm_modules=$home/node_modules
	mkdir -p "$cache" || { npm_why="cannot create $cache"; return 1; }
	exec {lock}>"$cache/lock"
	flock "$lock"
	if [ ! -e "$home/complete" ]; then
		rm -rf "$home"
		mkdir "$home"
		cp "$fixtures"/package*.json "$home"
		(cd "$home" && timeout 300 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$home/log" 2>&1 &&
			touch "$home/complete"
	fi
	exec {lock}>&-
	[ -e "$home/complete" ] || { npm_why="npm could not install: $(grep -m1 . "$home/log" | cut -c1-100)"; return 1; }
}

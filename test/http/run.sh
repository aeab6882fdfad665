#!/bin/sh
# run.sh — the whole HTTP suite, or the files named: test/http/run.sh [FILE...]
# BUILD_DIR says where the programs are (default: build), HTTP_FILES which files stand for the whole suite ("ops
# refresh"). Ends with the counts; 77: cannot run here.
set -eu
here=$(dirname "$(readlink -f "$0")")

if ! command -v node >/dev/null || ! command -v sqlite3 >/dev/null; then
	echo "NOT TESTED: node and sqlite3 are needed (Debian: nodejs, sqlite3)" >&2
	exit 77
fi
if [ ! -d "$here/../node_modules/jose" ]; then
	echo "NOT TESTED: run 'npm ci' in $(dirname "$here") first" >&2
	exit 77
fi
if [ $# -eq 0 ] && [ -n "${HTTP_FILES:-}" ]; then
	for name in $HTTP_FILES; do set -- "$@" "$here/$name.test.mjs"; done
fi
[ $# -gt 0 ] || set -- "$here"/*.test.mjs
files=$(($(nproc) + 1)) # they wait more than they work
if node --test-concurrency=1 --version >/dev/null 2>&1; then
	exec node --test --test-reporter=spec --test-concurrency="$files" "$@"
fi
exec node --test --test-reporter=spec "$@"

#!/bin/sh
# run.sh - the browser suite, or the files named: test/browser/run.sh [FILE...]
# BUILD_DIR says where the programs are (default: build), CHROMIUM which browser. Ends with the counts; 77: cannot run here.
set -eu
here=$(dirname "$(readlink -f "$0")")

if ! command -v node >/dev/null || ! command -v sqlite3 >/dev/null || [ ! -x "${CHROMIUM:-/usr/bin/chromium}" ]; then
	echo "NOT TESTED: node, sqlite3 and chromium are needed (Debian: nodejs, sqlite3, chromium)" >&2
	exit 77
fi
if [ ! -d "$here/../node_modules/playwright-core" ]; then
	echo "NOT TESTED: run 'npm ci' in $(dirname "$here") first" >&2
	exit 77
fi
[ $# -gt 0 ] || set -- "$here"/*.test.mjs
if node --test-concurrency=1 --version >/dev/null 2>&1; then
	exec node --test --test-reporter=spec --test-concurrency=2 "$@"
fi
exec node --test --test-reporter=spec "$@"

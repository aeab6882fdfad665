#!/bin/sh
# run.sh — libsallyport against a real server: test/client/run.sh [FILE...]
# BUILD_DIR says where the programs are (default: build), CLIENT_FILES which files stand for all of them ("seed
# examples"). Ends with the counts; 77: cannot run here.
set -eu
here=$(dirname "$(readlink -f "$0")")

if [ $# -eq 0 ] && [ -n "${CLIENT_FILES:-}" ]; then
	for name in $CLIENT_FILES; do set -- "$@" "$here/$name.test.mjs"; done
fi
[ $# -gt 0 ] || set -- "$here"/*.test.mjs
exec "$here/../http/run.sh" "$@"

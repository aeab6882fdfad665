#!/usr/bin/env bash
# What a call of the client library costs: GET /auth/me through libsallyport and through bare libcurl, in one process, in
# turns, on a connection each. SECONDS_EACH=8.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh
ninja -C "$build" bench/client >/dev/null
table

"$tools/gen" "$work/data" 100 1 10 http://localhost
pin="taskset -c $server_core"
start "$work/data" SALLYPORT_SERVER_IO_THREADS=1
email=$(head -n 1 "$work/data/emails.txt")
read -r memory file bare < <(taskset -c "$load_core" "$tools/client" "http://127.0.0.1:$port" "$email" "correct horse battery" \
	"$((3 * secs))" "$work/tokens")
row "GET /auth/me, tokens in memory, median us (bare libcurl)" "$memory" "$bare" "$(ratio "$memory" "$bare")" 1.15 "<="
row "GET /auth/me, tokens in a file, median us (bare libcurl)" "$file" "$bare" "$(ratio "$file" "$bare")" 1.15 "<="
stop
verdict

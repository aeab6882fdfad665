#!/usr/bin/env bash
# A file of the hosted pages, and a page, served by us and by nginx (Debian: nginx-light): one core each, the
# same bytes, the same client, in turns. SECONDS_EACH=8.
set -euo pipefail
cd "$(dirname "$0")/.."

. bench/lib.sh
command -v nginx >/dev/null || { echo "bench/static.sh: nginx is needed (Debian: nginx-light)" >&2; exit 1; }
table

data=$work/data
pin="taskset -c $server_core"
export SALLYPORT_SERVER_IO_THREADS=1
mkdir -p "$work/nginx/root/auth/ui"
chmod a+x "$work" # nginx reads as somebody else
start "$data"
for name in auth.js base.css; do curl -sf "http://127.0.0.1:$port/auth/ui/$name" >"$work/nginx/root/auth/ui/$name"; done
stop
sed -e "s|@PORT@|$((port + 1))|" -e "s|@ROOT@|$work/nginx/root|" bench/nginx-static.conf >"$work/nginx/nginx.conf"

# measure PATH: best of three, in turns: the machine's other load then meets both.
measure() {
	local ours=() theirs=() nginx_pid
	for _ in 1 2 3; do
		taskset -c "$server_core" nginx -p "$work/nginx" -c nginx.conf 2>/dev/null &
		nginx_pid=$!
		sleep 0.5
		theirs+=("$(load get "127.0.0.1:$((port + 1))" 64 "$secs" "$1" | good_rate)")
		kill "$nginx_pid"; wait "$nginx_pid" 2>/dev/null || true
		start "$data"
		ours+=("$(load get "127.0.0.1:$port" 64 "$secs" "$1" | good_rate)")
		stop
	done
	us=$(printf '%s\n' "${ours[@]}" | best)
	them=$(printf '%s\n' "${theirs[@]}" | best)
}

# An answer that is not 200 counts for nothing.
good_rate() { awk '{ print ($7 == 0 ? $2 : 0) }'; }

for name in auth.js base.css; do
	size=$(wc -c <"$work/nginx/root/auth/ui/$name")
	measure "/auth/ui/$name"
	row "GET /auth/ui/$name, $size bytes, /s (nginx, file)" "$us" "$them" "$(ratio "$us" "$them")" 0.60 ">="
done
verdict

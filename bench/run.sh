#!/usr/bin/env bash
# Prints each figure beside its limit, both measured in this run on this machine. Ratios are what counts:
# absolute numbers depend on the machine. USERS=1000000 by default; SECONDS_EACH=8.
set -euo pipefail
cd "$(dirname "$0")/.."

users=${USERS:-1000000}
. bench/lib.sh
table

small=$work/small
"$tools/gen" "$small" 1000 3 1000 http://localhost

# ---- GET /auth/me against nginx, one core, one I/O thread ----
pin="taskset -c $server_core"
start "$small" SALLYPORT_SERVER_IO_THREADS=1
body=$(curl -s -H "Authorization: Bearer $(head -n 1 "$small/access.txt")" "http://127.0.0.1:$port/auth/me")
stop
mkdir -p "$work/nginx"
sed -e "s|@PORT@|$((port + 1))|" -e "s|@BODY@|${body//&/\\&}|" bench/nginx.conf >"$work/nginx/nginx.conf"
me_rates=() nginx_rates=()
for _ in 1 2 3; do
	taskset -c "$server_core" nginx -p "$work/nginx" -c nginx.conf 2>/dev/null &
	nginx_pid=$!
	sleep 0.5
	nginx_rates+=("$(load me "127.0.0.1:$((port + 1))" 64 "$secs" "$small/access.txt" | rate)")
	kill "$nginx_pid"; wait "$nginx_pid" 2>/dev/null || true
	start "$small" SALLYPORT_SERVER_IO_THREADS=1
	load me "127.0.0.1:$port" 64 2 "$small/access.txt" >/dev/null
	me_rates+=("$(load me "127.0.0.1:$port" 64 "$secs" "$small/access.txt" | rate)")
	stop
done
me=$(printf '%s\n' "${me_rates[@]}" | best)
nginx=$(printf '%s\n' "${nginx_rates[@]}" | best)
row "GET /auth/me, 1 thread, 64 connections, /s (nginx return 200)" "$me" "$nginx" "$(ratio "$me" "$nginx")" 0.50 ">="
pin=

# ---- password sign-in against bare argon2id ----
start "$small"
hash_rates=() login_rates=()
for _ in 1 2 3; do # in turns: the machine's other load then meets both
	hash_rates+=("$("$tools/raw" argon2 "$cores" "$secs")")
	login_rates+=("$("$tools/load" login "127.0.0.1:$port" 64 "$secs" "$small/emails.txt" | rate)")
done
raw_hash=$(printf '%s\n' "${hash_rates[@]}" | best)
login=$(printf '%s\n' "${login_rates[@]}" | best)
row "password sign-in, /s (libsodium argon2id on $cores threads)" "$login" "$raw_hash" "$(ratio "$login" "$raw_hash")" 0.95 ">="
"$tools/load" login "127.0.0.1:$port" 500 "$secs" "$small/emails.txt" >/dev/null &
flood=$!
sleep 1
health=$("$tools/load" get "127.0.0.1:$port" 2 "$((secs - 2))" /healthz | p99)
wait "$flood"
row "/healthz p99 while 500 sign-ins wait, ms" "$health" 50 "$(ratio "$health" 50)" 1.00 "<="
stop

# ---- refresh with rotation against one row, one transaction, one fsync ----
raw_rows=$("$tools/raw" sqlite "$work/raw.db" "$secs")
start "$small"
refresh=$("$tools/load" refresh "127.0.0.1:$port" 64 "$secs" "$small/refresh.txt" | rate)
row "refresh with rotation, 64 clients, /s (one-fsync SQLite loop)" "$refresh" "$raw_rows" "$(ratio "$refresh" "$raw_rows")" 2.00 ">="
stop

# ---- memory and start ----
start "$work/empty"
sleep 0.3
rss=$(rss_mib)
row "resident memory, idle, MiB" "$rss" 15 "$(ratio "$rss" 15)" 1.00 "<="
"$tools/load" idle "127.0.0.1:$port" 1000 3 >/dev/null &
idle=$!
sleep 2
rss=$(rss_mib)
wait "$idle"
row "resident memory, 1,000 idle keep-alive connections, MiB" "$rss" 40 "$(ratio "$rss" 40)" 1.00 "<="
stop
times=()
for i in 1 2 3; do start "$work/empty$i"; times+=("$start_ms"); stop; done
first=$(printf '%s\n' "${times[@]}" | sort -g | head -n 1)
row "ready after start, empty store, ms" "$first" 50 "$(ratio "$first" 50)" 1.00 "<="

# ---- a million accounts ----
big=$work/big
"$tools/gen" "$big" "$users" 3 1000 http://localhost
start "$big"; stop
start "$big"
row "ready after start, $users accounts, ms" "$start_ms" 300 "$(ratio "$start_ms" 300)" 1.00 "<="
stop
measure() { # DIR → me_ms refresh_ms login_ms, mean per request
	start "$1"
	load me "127.0.0.1:$port" 16 2 "$1/access.txt" >/dev/null
	echo "$(load me "127.0.0.1:$port" 16 "$secs" "$1/access.txt" | awk '{print 1000 / $2}')" \
		"$("$tools/load" refresh "127.0.0.1:$port" 16 "$secs" "$1/refresh.txt" | awk '{print 1000 / $2}')" \
		"$("$tools/load" login "127.0.0.1:$port" 8 "$secs" "$1/emails.txt" | awk '{print 1000 / $2}')" >"$work/measured"
	stop
}
rm -rf "$small" # its refresh tokens are used up
"$tools/gen" "$small" 1000 3 1000 http://localhost
measure "$small"; read -r me_s refresh_s login_s <"$work/measured"
measure "$big"; read -r me_b refresh_b login_b <"$work/measured"
row "GET /auth/me with $users accounts, ms each (1,000 accounts)" "$(printf %.4f "$me_b")" "$(printf %.4f "$me_s")" "$(ratio "$me_b" "$me_s")" 1.30 "<="
row "refresh with $users accounts, ms each (1,000 accounts)" "$(printf %.4f "$refresh_b")" "$(printf %.4f "$refresh_s")" "$(ratio "$refresh_b" "$refresh_s")" 1.30 "<="
row "sign-in with $users accounts, ms each (1,000 accounts)" "$(printf %.2f "$login_b")" "$(printf %.2f "$login_s")" "$(ratio "$login_b" "$login_s")" 1.30 "<="

verdict

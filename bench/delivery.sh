#!/usr/bin/env bash
# What mails cost requests, and how fast a backlog drains: each figure beside its limit, in one run. Needs node
# and the test packages (`./dev bench` sees to both).
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh
table

smtp_port=$((port + 25))
export SALLYPORT_MAIL_TRANSPORT=smtp SALLYPORT_MAIL_FROM=no-reply@sallyport.test SALLYPORT_MAIL_SMTP_TLS=off
export SALLYPORT_MAIL_SMTP_URL=smtp://127.0.0.1:$smtp_port SALLYPORT_VERIFICATION_MODE=lazy

# provider up|blackhole [COUNT]: up ends by itself after COUNT mails.
provider() {
	node bench/smtp.mjs "$smtp_port" "$@" >"$work/provider.txt" &
	provider_pid=$!
	pids+=("$provider_pid")
	until [ -s "$work/provider.txt" ]; do
		kill -0 "$provider_pid" || exit 1
		sleep 0.05
	done
}
provider_gone() {
	kill "$provider_pid" 2>/dev/null || true
	wait "$provider_pid" 2>/dev/null || true
}

fresh() { seq -f "new-$1-%g@example.test" 1 20000 >"$work/fresh.txt"; }
post() { "$tools/load" post "127.0.0.1:$port" "$1" "$secs" "$2" "$3"; }

# ---- p99 of requests that mail, provider up against black-holed, in turns ----
declare -A up down
for round in 1 2 3; do
	for state in up blackhole; do
		"$tools/gen" "$work/$state$round" 1000 1 1000 http://localhost
		sqlite3 "$work/$state$round/sallyport.db" "UPDATE user SET email_verified = 0"
		provider "$state"
		start "$work/$state$round"
		fresh "$state$round"
		for path in forgot-password send-verification-email register; do
			file=$work/$state$round/emails.txt
			[ "$path" = register ] && file=$work/fresh.txt
			p=$(post 4 "$file" "/auth/$path" | p99)
			if [ "$state" = up ]; then up[$path]+="$p "; else down[$path]+="$p "; fi
		done
		stop
		provider_gone
		rm -rf "$work/$state$round"
	done
done
for path in forgot-password send-verification-email register; do
	a=$(printf '%s\n' ${down[$path]} | median)
	b=$(printf '%s\n' ${up[$path]} | median)
	row "POST /auth/$path p99, provider black-holed (up + 5), ms" "$a" "$b" "$(ratio "$a" "$(awk -v b="$b" 'BEGIN {print b + 5}')")" 1.00 "<="
done

# ---- enqueueing against refreshing, in turns ----
"$tools/gen" "$work/rate" 1000 3 1000 http://localhost
provider blackhole
start "$work/rate"
split -n l/5 "$work/rate/refresh.txt" "$work/rate/refresh." # each turn begins with tokens of its own
for part in aa ab ac ad ae; do
	"$tools/load" refresh "127.0.0.1:$port" 64 "$secs" "$work/rate/refresh.$part" | rate >"$work/a"
	post 64 "$work/rate/emails.txt" /auth/forgot-password | rate >"$work/b"
	paste "$work/b" "$work/a" >>"$work/rates.txt"
done
row "POST /auth/forgot-password, 64 clients, /s (refresh, /s)" "$(awk '{print $1}' "$work/rates.txt" | median)" \
	"$(awk '{print $2}' "$work/rates.txt" | median)" "$(awk '{printf "%.2f\n", $1 / $2}' "$work/rates.txt" | median)" 0.50 ">="
stop
provider_gone

# ---- a backlog of 10,000 mails, provider back after an outage ----
"$tools/gen" "$work/backlog" 1000 1 1000 http://localhost
start "$work/backlog"
sqlite3 "$work/backlog/sallyport.db" ".timeout 10000" "DELETE FROM outbox"
while [ "$(sqlite3 "$work/backlog/sallyport.db" "SELECT count(*) FROM outbox")" -lt 10000 ]; do
	"$tools/load" post "127.0.0.1:$port" 16 1 "$work/backlog/emails.txt" /auth/forgot-password >/dev/null
done
began=${EPOCHREALTIME/./}
provider up 10000
wait "$provider_pid"
drained=$(awk -v us=$((${EPOCHREALTIME/./} - began)) 'BEGIN {printf "%.1f", us / 1e6}')
row "10,000 mails to an SMTP server that came back, s" "$drained" 60 "$(ratio "$drained" 60)" 1.00 "<="
stop
verdict

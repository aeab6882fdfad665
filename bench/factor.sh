#!/usr/bin/env bash
# What a second factor costs beside a refresh, in one run, in turns: the machine's other load then meets both.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh
table

factor_rates=() refresh_rates=() factor_p50=() refresh_p50=()
# factors CLIENTS COUNT FILE
factors() {
	local line ok bad
	line=$("$tools/load" factor "127.0.0.1:$port" "$1" 60 "$3")
	read -r _ _ _ _ _ ok bad <<<"$line"
	if [ "$bad" -ne 0 ] || [ "$ok" -ne "$2" ]; then
		echo "$bad of the second factors were refused" >&2
		exit 1
	fi
	echo "$line"
}

for round in 1 2 3; do
	"$tools/gen" "$work/$round" 8000 1 8000 http://localhost factors
	# As people come: in no order. Rows that lie side by side share pages, which flatters both.
	for list in factors refresh; do shuf "$work/$round/$list.txt" -o "$work/$round/$list.txt"; done
	start "$work/$round"
	head -n 4000 "$work/$round/refresh.txt" >"$work/alone.txt" # each run begins with tokens of its own
	tail -n +4001 "$work/$round/refresh.txt" >"$work/together.txt"
	refresh_rates+=("$("$tools/load" refresh "127.0.0.1:$port" 64 "$secs" "$work/together.txt" | rate)")
	refresh_p50+=("$("$tools/load" refresh "127.0.0.1:$port" 1 "$secs" "$work/alone.txt" | awk '{print $3}')")
	head -n 1000 "$work/$round/factors.txt" >"$work/alone.txt" # each handle serves once
	tail -n +1001 "$work/$round/factors.txt" >"$work/together.txt"
	factor_p50+=("$(factors 1 1000 "$work/alone.txt" | awk '{print $3}')")
	factor_rates+=("$(factors 64 7000 "$work/together.txt" | rate)")
	stop
done
factor=$(printf '%s\n' "${factor_rates[@]}" | best)
refresh=$(printf '%s\n' "${refresh_rates[@]}" | best)
each() { awk -v r="$1" 'BEGIN { printf "%.3f", 1000 / r }'; }
factor_ms=$(each "$factor")
refresh_ms=$(each "$refresh")
row "second factor by app, 64 clients, ms each (refresh)" "$factor_ms" "$refresh_ms" "$(ratio "$factor_ms" "$refresh_ms")" 1.20 "<="
least() { printf '%s\n' "$@" | sort -g | head -n 1; }
factor_ms=$(least "${factor_p50[@]}")
refresh_ms=$(least "${refresh_p50[@]}")
row "the same, one client, median ms" "$factor_ms" "$refresh_ms" "$(ratio "$factor_ms" "$refresh_ms")" 1.20 "<="

verdict

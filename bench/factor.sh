#!/usr/bin/env bash
# What a second factor costs beside a refresh, in one run, in turns: the machine's other load then meets both.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh
table

factor_rates=() refresh_rates=()
for round in 1 2 3; do
	"$tools/gen" "$work/$round" 8000 1 8000 http://localhost factors
	start "$work/$round"
	refresh_rates+=("$("$tools/load" refresh "127.0.0.1:$port" 64 "$secs" "$work/$round/refresh.txt" | rate)")
	"$tools/load" factor "127.0.0.1:$port" 64 60 "$work/$round/factors.txt" >"$work/factor.txt"
	stop
	read -r _ one _ _ _ ok bad <"$work/factor.txt"
	if [ "$bad" -ne 0 ] || [ "$ok" -ne 8000 ]; then
		echo "$bad of the second factors were refused" >&2
		exit 1
	fi
	factor_rates+=("$one")
done
factor=$(printf '%s\n' "${factor_rates[@]}" | best)
refresh=$(printf '%s\n' "${refresh_rates[@]}" | best)
each() { awk -v r="$1" 'BEGIN { printf "%.3f", 1000 / r }'; }
factor_ms=$(each "$factor")
refresh_ms=$(each "$refresh")
row "second factor by app, 64 clients, ms each (refresh)" "$factor_ms" "$refresh_ms" "$(ratio "$factor_ms" "$refresh_ms")" 1.20 "<="

verdict

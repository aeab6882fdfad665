#!/usr/bin/env bash
# What a second factor costs beside a refresh, in one run, in short turns one after the other: the machine's other load
# then meets both. Figures are medians of the turns, ratios medians of the ratios of two turns that follow one another.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh
table
rounds=${ROUNDS:-3}
turn=${SECONDS_EACH:-1}

# factors CLIENTS FILE: each handle serves once
factors() {
	local line ok bad
	line=$("$tools/load" factor "127.0.0.1:$port" "$1" 60 "$2")
	read -r _ _ _ _ _ ok bad <<<"$line"
	if [ "$bad" -ne 0 ] || [ "$ok" -ne "$(wc -l <"$2")" ]; then
		echo "$bad of the second factors were refused" >&2
		exit 1
	fi
	echo "$line"
}
each() { awk '{ printf "%.3f\n", 1000 / $2 }'; }
p50() { awk '{ print $3 }'; }

for ((round = 0; round < rounds; round++)); do
	dir=$work/$round
	"$tools/gen" "$dir" 8000 1 8000 http://localhost factors
	# As people come: in no order. Rows that lie side by side share pages, which flatters both.
	for list in factors refresh; do shuf "$dir/$list.txt" -o "$dir/$list.txt"; done
	start "$dir"
	# What is cold is nobody's turn: pages that were never read cost whoever comes first.
	split -n l/7 "$dir/refresh.txt" "$dir/refresh." # each run begins with tokens of its own
	head -n 1000 "$dir/factors.txt" >"$dir/warm"
	sed -n 1001,2000p "$dir/factors.txt" | split -l 334 - "$dir/alone."
	tail -n +2001 "$dir/factors.txt" | split -l 2000 - "$dir/together."
	"$tools/load" refresh "127.0.0.1:$port" 64 "$turn" "$dir/refresh.aa" >/dev/null
	factors 64 "$dir/warm" >/dev/null
	for part in ab:aa ac:ab ad:ac; do
		"$tools/load" refresh "127.0.0.1:$port" 1 "$turn" "$dir/refresh.${part%:*}" | p50 >"$work/a"
		factors 1 "$dir/alone.${part#*:}" | p50 >"$work/b"
		paste "$work/b" "$work/a" >>"$work/alone.txt"
	done
	for part in ae:aa af:ab ag:ac; do
		"$tools/load" refresh "127.0.0.1:$port" 64 "$turn" "$dir/refresh.${part%:*}" | each >"$work/a"
		factors 64 "$dir/together.${part#*:}" | each >"$work/b"
		paste "$work/b" "$work/a" >>"$work/together.txt"
	done
	stop
	rm -rf "$dir"
done
row_of() { # NAME FILE
	row "$1" "$(awk '{print $1}' "$2" | median)" "$(awk '{print $2}' "$2" | median)" \
		"$(awk '{printf "%.2f\n", $1 / $2}' "$2" | median)" 1.20 "<="
}
row_of "second factor by app, 64 clients, ms each (refresh)" "$work/together.txt"
row_of "the same, one client, median ms" "$work/alone.txt"

verdict

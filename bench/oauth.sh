#!/usr/bin/env bash
# Does a provider that hangs slow other sign-ins down? p99 of refreshes and of sign-ins by password while 200 people
# begin 40 sign-ins a second at a provider that answers within a few ms, and while it takes the same 40 and says
# nothing: at first they wait for it, then the breaker opens. All requests come at their time, and the server has time
# to spare: the figure is what requests wait for, not who gets a core. In turns (A B B A, so that what drifts meets
# both), pooled; beside it how far drawings of A alone are apart.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh
table
# Server and load go before whatever else runs here, if this user may say so: in both states alike.
first=
! chrt --rr 1 true 2>/dev/null || first='chrt --rr 1'
pin="$first taskset -c $server_core"
blocks=${BLOCKS:-3}
each=${SECONDS_EACH:-1}
rounds=3 # in a turn, which is 12 s long: the breaker opens after 9
declare -A a_second=([refresh]=300 [login]=16) lasts=([refresh]=$each [login]=$((3 * each))) # fewer need longer

provider_port=$((port + 26))
provider=http://127.0.0.1:$provider_port
"$tools/gen" "$work/data" 8000 1 8000 http://localhost
# A rotated token serves no other part.
split -a 4 -n "l/$((4 * rounds * blocks + 1))" "$work/data/refresh.txt" "$work/tokens."
tokens=("$work"/tokens.*)
start "$work/data" SALLYPORT_OAUTH_ALLOW_PRIVATE=true SALLYPORT_OAUTH_BENCH_AUTHORIZE_URL="$provider/authorize" \
	SALLYPORT_OAUTH_BENCH_TOKEN_URL="$provider/token" SALLYPORT_OAUTH_BENCH_USERINFO_URL="$provider/user" \
	SALLYPORT_OAUTH_BENCH_CLIENT_ID=bench SALLYPORT_OAUTH_BENCH_CLIENT_SECRET=bench-secret-of-nobody

# It shares the load's core, and makes way for it.
taskset -c "$load_core" node bench/crowd.mjs "$port" "$provider_port" bench >>"$work/crowd.txt" &
crowd_pid=$!
pids+=("$crowd_pid")
until [ -s "$work/crowd.txt" ]; do sleep 0.05; done

token_n=-1
paced() { # MODE LATENCIES
	local file=$work/data/emails.txt
	[ "$1" = login ] || { token_n=$((token_n + 1)) file=${tokens[$token_n]}; }
	LOAD_RATE=${a_second[$1]} LOAD_LATENCIES=$2 $first taskset -c "$load_core" \
		"$tools/load" "$1" "127.0.0.1:$port" 8 "${lasts[$1]}" "$file" >>"$work/parts.txt"
}
ticks() { awk '{ print $14 + $15 }' "/proc/$server_pid/stat"; }
declare -A busy=([calm]=0 [hung]=0)
turn_n=0
turn() { # STATE HALF FIRST SECOND
	local before round mode
	before=$(ticks) turn_n=$((turn_n + 1))
	for ((round = 0; round < rounds; round++)); do
		for mode in "$3" "$4"; do
			paced "$mode" "$work/$mode.$1.$2.$turn_n"
		done
	done
	busy[$1]=$((busy[$1] + $(ticks) - before))
}
hung() { # HALF FIRST SECOND
	kill -USR2 "$crowd_pid"
	turn hung "$@"
	: >"$work/crowd.txt"
	kill -USR2 "$crowd_pid"
	until [ -s "$work/crowd.txt" ]; do sleep 0.05; done # the breaker has closed
	sleep 0.5
}

sleep 5 # until all 200 have come
paced refresh /dev/null # what is cold is nobody's turn
paced login /dev/null
for ((block = 0; block < blocks; block++)); do
	turn calm 1 refresh login
	hung 1 refresh login
	hung 2 login refresh
	turn calm 2 login refresh
done
: >"$work/crowd.txt"
kill "$crowd_pid"
wait "$crowd_pid" || true
stop
if awk '$7 > 0 { bad = 1 } END { exit !bad }' "$work/parts.txt"; then
	echo "some requests were refused" >&2
	exit 1
fi

undecided=0
for mode in refresh login; do
	read -r a b low high halves lots samples < <(node bench/pooled.mjs "$work" "$mode")
	r=$(ratio "$a" "$b")
	name="POST /auth/$mode p99, a provider hangs, ms"
	why=$(awk -v r="$r" -v l="$low" -v h="$high" -v d="$lots" 'BEGIN {
		if (r > 1.05 && r > h && r >= d) exit
		if (h > 1.25) print "undecided: noise " l ".." h " is wider than the question"
		else if (r > 1.05) print "undecided: above, but inside the noise"
	}')
	if [ -n "$why" ]; then
		undecided=1
		printf '%-58s %12s %12s %8s  <= 1.05   %s\n' "$name" "$a" "$b" "$r" "$why"
	else
		row "$name" "$a" "$b" "$r" 1.05 "<="
	fi
	echo "    calm beside calm: $halves; 95 of 100 redrawings of its turns: $low to $high;" \
		"all turns dealt by lot: up to $lots;" \
		"${a_second[$mode]} a second, $samples samples each"
done

while read -r state starts answered waited refused paused; do
	echo "    $state: $starts sign-ins a second at the provider: $answered answered by it, $waited waited in vain," \
		"$refused refused while others waited, $paused with nobody waiting; the server had" \
		"$(awk -v t="${busy[$state]}" -v s="$((8 * rounds * blocks * each))" 'BEGIN { printf "%.0f", t / s }') % of a core"
	if [ "$state" = calm ] && [ $((100 * (waited + refused + paused))) -gt "$answered" ]; then
		undecided=1
		echo "    so the provider itself had too little time in its calm state"
	fi
	if [ "$state" = hung ] && { [ "$waited" -eq 0 ] || [ "$paused" -eq 0 ]; }; then
		echo "nobody waited, or the breaker did not open: what was measured is not a provider that hangs" >&2
		exit 1
	fi
done <"$work/crowd.txt"
if [ "$undecided" -eq 1 ]; then
	echo "not decided: run it for longer (BLOCKS=12), on a machine that does nothing else"
	exit 1
fi
verdict

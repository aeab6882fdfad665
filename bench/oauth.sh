#!/usr/bin/env bash
# Does a provider that hangs slow other sign-ins down? p99 of refreshes and of sign-ins by password while nobody and
# while 200 people at once try a provider that takes connections and says nothing, in turns, in one run.
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/lib.sh
table

hole_port=13026
node -e "require('net').createServer(() => {}).listen($hole_port, '127.0.0.1', () => console.log('up'))" >"$work/hole.txt" &
pids+=("$!")
until [ -s "$work/hole.txt" ]; do sleep 0.05; done

median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
# 200 people who try, wait for what comes of it, and try again two seconds later. Once the breaker is open what comes is
# a refusal at once. What this program takes of the cores is in the figure: it must not be a load of its own.
crowd() {
	node -e "
		const http = require('http'), agent = new http.Agent({ keepAlive: true, maxSockets: 200 });
		const again = () => http.get({ host: '127.0.0.1', port: $port, path: '/auth/oauth/hole', agent }, (r) => r.resume().on('end', () => setTimeout(again, 2000))).on('error', () => setTimeout(again, 2000));
		for (let i = 0; i < 200; i++) again();" &
	crowd_pid=$!
	pids+=("$crowd_pid")
	sleep 0.5
}

"$tools/gen" "$work/data" 1000 3 1000 http://localhost
start "$work/data" SALLYPORT_OAUTH_ALLOW_PRIVATE=true SALLYPORT_OAUTH_HOLE_ISSUER="http://127.0.0.1:$hole_port" \
	SALLYPORT_OAUTH_HOLE_CLIENT_ID=bench SALLYPORT_OAUTH_HOLE_CLIENT_SECRET=bench-secret-of-nobody
declare -A calm hung
for round in 1 2 3; do
	for state in calm hung; do
		[ "$state" = calm ] || crowd
		for mode in refresh login; do
			file=$work/data/refresh.txt clients=4
			# Passwords one at a time: several fill all cores, and the figure is then who else has one.
			[ "$mode" = refresh ] || { file=$work/data/emails.txt clients=1; }
			p=$("$tools/load" "$mode" "127.0.0.1:$port" "$clients" "$secs" "$file" | p99)
			if [ "$state" = calm ]; then calm[$mode]+="$p "; else hung[$mode]+="$p "; fi
		done
		[ "$state" = calm ] || { kill "$crowd_pid"; wait "$crowd_pid" 2>/dev/null || true; }
	done
done
for mode in refresh login; do
	a=$(printf '%s\n' ${hung[$mode]} | median)
	b=$(printf '%s\n' ${calm[$mode]} | median)
	row "POST /auth/$mode p99, 200 sign-ins hang at a provider, ms" "$a" "$b" "$(ratio "$a" "$b")" 1.05 "<="
done
stop
verdict

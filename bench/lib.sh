# lib.sh — what the bench scripts share: a server to start and stop, rows to print. Sourced from the root.
secs=${SECONDS_EACH:-8}
build=$(realpath "${BUILD_DIR:-build}")
bin=$build/sallyport
tools=$build/bench
work=$(mktemp -d "${BENCH_DIR:-$build}/bench-data.XXXXXX") # BENCH_DIR=/dev/shm: without what the disk adds
port=${PORT:-13000}
cores=$(nproc)
server_core=0
load_core=$((cores > 1 ? 1 : 0))
pids=()

cleanup() {
	for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

ninja -C "$build" sallyport bench/load bench/gen bench/raw >/dev/null

export SALLYPORT_LOG_REQUESTS=false SALLYPORT_LIMITS_ENABLED=false SALLYPORT_SERVER_OPS_LISTEN=none
export SALLYPORT_SERVER_PUBLIC_URL=http://localhost SALLYPORT_TOKEN_REFRESH_WINDOW=0
export SALLYPORT_PASSWORD_MAX_WAIT=60s SALLYPORT_SERVER_MAX_CONNECTIONS_PER_IP=5000

# start DIR [VAR=value …]: the server, pinned by $pin if set; leaves $server_pid and $start_ms.
start() {
	local dir=$1 t0 line
	shift
	t0=${EPOCHREALTIME/./}
	# shellcheck disable=SC2086
	exec {out}< <(exec env SALLYPORT_LOG_FORMAT=text "$@" ${pin:-} \
		"$bin" serve --data "$dir" --listen "127.0.0.1:$port" 2>&1)
	server_pid=$!
	while IFS= read -r line <&"$out"; do
		case $line in *" ready "*) break ;; esac
		case $line in sallyport:*) echo "$line" >&2; exit 1 ;; esac
	done
	start_ms=$(((${EPOCHREALTIME/./} - t0) / 1000))
	cat <&"$out" >/dev/null & # a stalled reader would only drop lines, but let it read
	pids+=("$server_pid")
}
stop() {
	kill "$server_pid"
	while kill -0 "$server_pid" 2>/dev/null; do sleep 0.05; done
	exec {out}<&-
}
load() { LOAD_SPIN=1 taskset -c "$load_core" "$tools/load" "$@"; }
rate() { awk '{print $2}'; }
p99() { awk '{print $4}'; }
rss_mib() { awk '/^VmRSS/ {printf "%.1f", $2 / 1024}' "/proc/$server_pid/status"; }
best() { sort -g | tail -n 1; }
median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

# row NAME OURS LIMIT RATIO TARGET >=|<=
row() {
	local ok
	ok=$(awk -v r="$4" -v t="$5" -v op="$6" 'BEGIN { print ((op == ">=" ? r >= t : r <= t) ? "met" : "MISSED") }')
	printf '%-58s %12s %12s %8s  %s %-6s %s\n' "$1" "$2" "$3" "$4" "$6" "$5" "$ok"
	[ "$ok" = met ] || missed=$((missed + 1))
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'; }
missed=0


table() {
	printf '%-58s %12s %12s %8s  %s\n' "figure ($(date -u +%F), $cores cores, commit $(git rev-parse --short HEAD 2>/dev/null || echo none))" ours limit ratio target
}
verdict() {
	if [ "$missed" -eq 0 ]; then echo "every target met"; else echo "$missed target(s) missed"; exit 1; fi
}

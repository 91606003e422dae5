#!/bin/bash
# live.sh BUILD - as root: the highest rate at which each program loses nothing
# on one end of a veth pair, in network namespaces of its own; what a packet
# costs one worker and two, at a rate that is slow for both; then the time from
# a packet to its row. Not a test: nothing here fails by time.
#   CAPTURES="mixed bulk"  what is replayed (gencap)      BUFFER_MB=64  ring of each
#   TRIAL_S=3              length of one trial             FLOWS=200     of the latency part
#   PROGRAMS="tcpdump softflowd garitad-1 garitad-2 ndpiReader"   SLOW=100000  the slow rate
# The sender has the last processor nearly for itself, where there are two the
# rest has the other: the rates are of such a machine.
set -u
build=$1
captures=${CAPTURES:-mixed bulk} buffer=${BUFFER_MB:-64} trial=${TRIAL_S:-3} flows=${FLOWS:-200}
programs=${PROGRAMS-tcpdump softflowd garitad-1 garitad-2 ndpiReader} slow=${SLOW:-100000}
cd "$(dirname "$0")/../.." || exit 1
[ "$(id -u)" = 0 ] || { echo "bench-live: needs root" && exit 1; }
work=$build/bench
mkdir -p "$work"
tmp=$(mktemp -d)
near=gb-near-$$ far=gb-far-$$
clean_up() {
	[ -z "${pid:-}" ] || kill "$pid" 2>/dev/null
	ip netns del "$near" 2>/dev/null
	ip netns del "$far" 2>/dev/null
	rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

cc -O2 -o "$work/gencap" tests/bench/gencap.c -lpcap &&
	cc -O2 -o "$work/send_rate" tests/bench/send_rate.c &&
	cc -O2 -o "$work/latency" tests/bench/latency.c -lsqlite3 || exit 1
ip netns add "$near" && ip netns add "$far" &&
	ip link add far0 netns "$far" type veth peer name span0 netns "$near" || exit 1
for n in "$near" "$far"; do ip netns exec "$n" sysctl -qw net.ipv6.conf.all.disable_ipv6=1; done
ip -n "$far" link set far0 up mtu 9000
ip -n "$near" link set span0 up mtu 9000
ip -n "$near" link set lo up
here() { ip netns exec "$near" "$@"; }
there() { ip netns exec "$far" "$@"; }
last=$(($(nproc) - 1))

# garitad gives its rights up: a user that is always there, and a folder it may write.
here_dir=$(pwd)
sed -e "s|\.\./geo/|$here_dir/tests/replay/geo/|g" -e "s/buffer_mb: [0-9]*/buffer_mb: $buffer/" \
	tests/replay/demo/site.yaml >"$tmp/site.yaml"
echo 'user: nobody' >>"$tmp/site.yaml"
chmod 755 "$tmp"

# until SECONDS COMMAND... - wait for it
until_() {
	local n=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		n=$((n - 1))
		[ $n -gt 0 ] || return 1
		sleep 0.05
	done
}
field() { sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p" "$1"; }
start() { # COMMAND... - in the near namespace, behind us
	ip netns exec "$near" "$@" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
}
stop() { # SIGNAL
	kill -"$1" "$pid"
	wait "$pid"
	pid=
}

# Each run_X sets $got to the frames that the program says it took.
run_tcpdump() {
	start tcpdump -i span0 -n -w /dev/null -B $((buffer * 1024)) -Z root
	until_ 5 grep -q 'listening on' "$tmp/err" || return 1
	send "$1" && sleep 1.5 && stop INT   # it takes a second to see the last ones
	got=$(sed -n 's/^\([0-9]*\) packets captured/\1/p' "$tmp/err")
}
run_softflowd() {
	start softflowd -i span0 -d -n 127.0.0.1:9 -B $((buffer << 20)) -m 1000000 -c "$tmp/ctl" -p "$tmp/pid"
	until_ 5 test -S "$tmp/ctl" && sleep 0.3 || return 1
	send "$1" && sleep 1
	softflowctl -c "$tmp/ctl" statistics >"$tmp/stat" 2>&1
	stop TERM
	# The last ones, less than a block, it never sees; libpcap tells what was lost.
	got=$(awk '/^Packets received by libpcap:/ { n += $5 } /^Packets dropped by libpcap:/ { n -= $5 } END { print n }' \
		"$tmp/stat")
}
run_garitad() { # RATE WORKERS
	rm -rf "$tmp/db"
	mkdir "$tmp/db" && chown nobody "$tmp/db"
	start "$build/garitad" -c "$tmp/site.yaml" -D "$tmp/db" -i span0 -w "$2"
	until_ 10 grep -q ready "$tmp/err" && sleep 0.5 || return 1
	send "$1" && sleep 1.2 && stop TERM
	"$build/garita" status --db "$tmp/db/garita.db" --format json >"$tmp/stat"
	got=$(field "$tmp/stat" frames_today)
}
run_ndpireader() {
	start ndpiReader -i span0 -s 999
	sleep 1
	send "$1" && sleep 1.5 && stop INT   # it takes half a second to see the last ones
	got=$(sed -n 's/.* of \([0-9]*\) packets total.*/\1/p' "$tmp/out" | tail -1)
}
one() { # PROGRAM RATE
	case $1 in
	tcpdump) run_tcpdump "$2" ;;
	softflowd) run_softflowd "$2" ;;
	garitad-1) run_garitad "$2" 1 ;;
	garitad-2) run_garitad "$2" 2 ;;
	ndpiReader) run_ndpireader "$2" ;;
	esac
}
send() { # RATE
	there "$work/send_rate" far0 "$capture" "$1" "$trial" "$last" >"$tmp/sent" || return 1
	sent=$(field "$tmp/sent" sent)
	real=$(field "$tmp/sent" rate)
}

# lossless PROGRAM RATE - 0: nothing was lost, and the sender kept its rate.
lossless() {
	got=0 sent=-1 real=0
	one "$1" "$2" || { echo "$1 at $2: did not run" >&2 && cat "$tmp/err" >&2 && exit 1; }
	[ -z "${VERBOSE:-}" ] || echo "  $1 at $2 (sent at $real): $sent sent, ${got:-0} taken" >&2
	[ "${got:-0}" = "$sent" ] && [ "$real" -gt $(($2 * 97 / 100)) ]
}

# The highest of a rising row of rates, each a twelfth more, by halving; seen twice.
highest() { # PROGRAM CEILING
	local low=0 high=${#rates[@]} mid
	while [ $((high - low)) -gt 1 ]; do
		mid=$(((low + high) / 2))
		if [ "${rates[$mid]}" -le "$2" ] && lossless "$1" "${rates[$mid]}"; then
			low=$mid
		else
			high=$mid
		fi
	done
	while [ $low -gt 0 ] && ! lossless "$1" "${rates[$low]}"; do
		low=$((low - 1))
	done
	echo "${rates[$low]}"
}

rates=(0)
r=20000
while [ $r -lt 4000000 ]; do
	rates+=("$r")
	r=$((r * 13 / 12))
done

echo "machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(uname -sr)"
echo "date: $(date -u +%F)   command: make bench-live   ring: $buffer MB   trial: $trial s, twice without loss"
printf '%-8s %-12s %14s %12s\n' capture program 'packets/s' 'x tcpdump'
for kind in $captures; do
	capture=$work/live-$kind.pcap
	templates=()
	for c in tls-approved tls-unapproved tls-v6 ntp ssh-out ssh-in ftp-pull smb-out mqtt rsync-pull dicom \
		name-not-verified demo; do
		templates+=("tests/replay/$c/capture.pcap")
	done
	[ -f "$capture" ] || "$work/gencap" "$kind" 500000 "$capture" "${templates[@]}" || exit 1
	trial_s=$trial trial=1
	send 5000000
	trial=$trial_s
	ceiling=$real
	printf '%-8s %-12s %14s %12s\n' "$kind" "sender" "$ceiling" ''
	base=
	for p in $programs; do
		command -v "${p%%-*}" >/dev/null || [ "${p%%-*}" = garitad ] || continue
		rate=$(highest "$p" "$ceiling") || exit 1
		[ "$p" != tcpdump ] || base=$rate
		awk -v k="$kind" -v p="$p" -v r="$rate" -v b="${base:-0}" \
			'BEGIN { printf "%-8s %-12s %14d %12s\n", k, p, r, (b > 0 ? sprintf("%.2f", r / b) : "") }'
	done
done

# Processor time so far of garitad's children of that name, in ns.
cpu_of() {
	local p
	for p in $(pgrep -P "$pid" -x "garitad-$1"); do cat "/proc/$p/schedstat"; done |
		awk '{ n += $1 } END { printf "%.0f", n }'
}
# cost WORKERS - sets $workers_us and $judge_us, a packet
cost() {
	local before judge
	rm -rf "$tmp/db"
	mkdir "$tmp/db" && chown nobody "$tmp/db"
	start "$build/garitad" -c "$tmp/site.yaml" -D "$tmp/db" -i span0 -w "$1"
	until_ 10 grep -q ready "$tmp/err" && sleep 0.5 || return 1
	before=$(cpu_of worker) judge=$(cpu_of judge)
	send "$slow" && sleep 1
	workers_us=$(awk "BEGIN { print ($(cpu_of worker) - $before) / 1000 / $sent }")
	judge_us=$(awk "BEGIN { print ($(cpu_of judge) - $judge) / 1000 / $sent }")
	stop TERM
	"$build/garita" status --db "$tmp/db/garita.db" --format json >"$tmp/stat"
	got=$(field "$tmp/stat" frames_today)
	[ "$got" = "$sent" ] || echo "only $got of $sent frames were taken: no cost of a packet"
}
# What one worker's rate and two workers' rate would be to each other where
# every process has a processor of its own, and the sender and the kernel keep
# up: neither can be shown where there are two processors.
for kind in $captures; do
	capture=$work/live-$kind.pcap
	for w in 1 2; do
		cost $w || break
		[ $w -gt 1 ] || one_us=$workers_us
		awk -v k="$kind" -v w=$w -v us="$workers_us" -v j="$judge_us" -v one="$one_us" -v r="$slow" 'BEGIN {
			times = w == 1 ? "" : sprintf(": %.2f times one", w * one / us)
			printf "%-8s workers: %d at %d/s: %.2f us a packet, each busy %.0f %% (the judge %.2f us)%s\n",
				k, w, r, us, us * r / 1e4 / w, j, times }'
	done
done

rm -rf "$tmp/db"
mkdir "$tmp/db" && chown nobody "$tmp/db"
start "$build/garitad" -c "$tmp/site.yaml" -D "$tmp/db" -i span0 -w 1
until_ 10 grep -q ready "$tmp/err" && sleep 0.5
printf 'from packet to row, idle: '
there "$work/latency" far0 "$tmp/db/garita.db" "$flows"
stop TERM

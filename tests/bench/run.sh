#!/bin/bash
# run.sh BUILD [PACKETS] - garitad beside others on the same captures, in turn,
# in one run: packets a second, processor time, memory, and the ratios.
# RUNS=5 rounds; medians are printed. Not a test: nothing here fails by time.
set -eu
build=$1
packets=${2:-3446976}
runs=${RUNS:-5}
cd "$(dirname "$0")/../.."
work=$build/bench
mkdir -p "$work"

cc -O2 -o "$work/gencap" tests/bench/gencap.c -lpcap
cc -O2 -o "$work/pcap_loop" tests/bench/pcap_loop.c -lpcap
cc -O2 -o "$work/measure" tests/bench/measure.c

templates=()
for c in tls-approved tls-unapproved tls-v6 ntp ssh-out ssh-in ftp-pull smb-out mqtt rsync-pull dicom \
	name-not-verified demo; do
	templates+=("tests/replay/$c/capture.pcap")
done
[ -f "$work/mixed-$packets.pcap" ] || "$work/gencap" mixed "$packets" "$work/mixed-$packets.pcap" "${templates[@]}"
[ -f "$work/span-$packets.pcap" ] || "$work/gencap" span "$packets" "$work/span-$packets.pcap" "${templates[@]}"
[ -f "$work/bulk-$packets.pcap" ] || "$work/gencap" bulk "$packets" "$work/bulk-$packets.pcap"

# The database of each garitad run is new; what it cost is part of the time.
garitad() { # CAPTURE WORKERS SITE
	rm -rf "$work/db"
	"$build/garitad" -c "$3" -D "$work/db" -r "$1" -w "$2" --format json
}
export -f garitad
# With everything on, and without keeping packets: those cost by what is unapproved, here nearly all.
site=tests/replay/demo/site.yaml
sed "s|\.\./geo|$PWD/tests/replay/geo|g" $site >"$work/no-packets.yaml"
echo 'evidence: {packets: off}' >>"$work/no-packets.yaml"
export build work

# measure NAME COMMAND... : one line "NAME wall cpu peak_kb" to $work/figures
measure() {
	local name=$1
	shift
	"$work/measure" "$work/figures" "$name" "$@" >"$work/out" 2>"$work/err" || true
}

run_all() {
	local kind=$1 file=$2
	measure "$kind pcap-loop" "$work/pcap_loop" "$file"
	measure "$kind garitad-1" bash -c 'garitad "$@"' garitad "$file" 1 "$site"
	measure "$kind garitad-2" bash -c 'garitad "$@"' garitad "$file" 2 "$site"
	measure "$kind no-packets-1" bash -c 'garitad "$@"' garitad "$file" 1 "$work/no-packets.yaml"
	measure "$kind no-packets-2" bash -c 'garitad "$@"' garitad "$file" 2 "$work/no-packets.yaml"
	command -v softflowd >/dev/null && measure "$kind softflowd" softflowd -r "$file" -d -n 127.0.0.1:9
	command -v ndpiReader >/dev/null && measure "$kind ndpiReader" ndpiReader -q -i "$file"
	return 0
}

rm -f "$work/figures"
cat "$work"/*-"$packets".pcap >/dev/null   # into the page cache
for _ in $(seq "$runs"); do
	run_all mixed "$work/mixed-$packets.pcap"
	run_all span "$work/span-$packets.pcap"
	run_all bulk "$work/bulk-$packets.pcap"
done

echo "machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(uname -sr)"
echo "date: $(date -u +%F)   command: make bench   runs: $runs (medians)"
"$build/garitad" -V
awk -v packets="$packets" '
function median(list,    n, a, i, j, t) {
	n = split(list, a, " ")
	for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (a[j] + 0 < a[i] + 0) { t = a[i]; a[i] = a[j]; a[j] = t }
	return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}
{
	k = $1 " " $2
	if (!(k in wall)) order[++count] = k
	wall[k] = wall[k] " " $3; cpu[k] = cpu[k] " " $4; peak[k] = peak[k] " " $5
}
END {
	printf "%-8s %-12s %10s %10s %12s %10s %12s %12s %12s\n", "capture", "program", "wall s", "cpu s", "packets/s", "peak MB", "x pcap-loop", "x ndpiReader", "x softflowd"
	for (i = 1; i <= count; i++) {
		k = order[i]; split(k, p, " "); w = median(wall[k])
		loop = median(wall[p[1] " pcap-loop"]); nd = (p[1] " ndpiReader") in wall ? median(wall[p[1] " ndpiReader"]) : 0
		sf = (p[1] " softflowd") in wall ? median(wall[p[1] " softflowd"]) : 0
		printf "%-8s %-12s %10.3f %10.3f %12.0f %10.1f %12.2f %12.2f %12.2f\n", p[1], p[2], w, median(cpu[k]), packets / w, median(peak[k]) / 1024, loop / w, nd / w, sf / w
	}
}' "$work/figures"

#!/bin/bash
# parts.sh BUILD [PACKETS] - what detections, contents and channels add to the
# processor time of a replay: the same program with and without them (parts.c),
# in turn, in one run. RUNS=9 rounds; what is printed is the least processor time
# (all processes together) of each: others on the machine only add. Not a test.
set -eu
build=$1
packets=${2:-1000000}
runs=${RUNS:-9}
cd "$(dirname "$0")/../.."
work=$build/bench
mkdir -p "$work"

cc -O2 -o "$work/gencap" tests/bench/gencap.c -lpcap
cc -O2 -o "$work/measure" tests/bench/measure.c
templates=()
for c in tls-approved tls-unapproved tls-v6 ntp ssh-out ssh-in ftp-pull smb-out mqtt rsync-pull dicom \
	name-not-verified demo; do
	templates+=("tests/replay/$c/capture.pcap")
done
capture() { # KIND
	[ -f "$work/$1-$packets.pcap" ] || "$work/gencap" "$1" "$packets" "$work/$1-$packets.pcap" "${@:2}"
}
capture mixed "${templates[@]}"
capture span "${templates[@]}"
capture bulk

run() { # NAME WITHOUT FILE
	rm -rf "$work/db"
	GARITA_WITHOUT=$2 "$work/measure" "$work/part-figures" "$1" \
		"$build/bench/garitad-parts" -c tests/replay/demo/site.yaml -D "$work/db" -r "$3" -w 1 --format json \
		>"$work/out" 2>"$work/err" || { cat "$work/err"; exit 1; }
}

rm -f "$work/part-figures"
cat "$work"/{mixed,span,bulk}-"$packets".pcap >/dev/null   # into the page cache
for _ in $(seq "$runs"); do
	for kind in mixed span bulk; do
		file=$work/$kind-$packets.pcap
		run "$kind all" "" "$file"
		run "$kind detections" detections "$file"
		run "$kind contents" contents "$file"
		run "$kind channels" channels "$file"
		run "$kind three" detections,contents,channels "$file"
	done
done

echo "machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), load $(cut -d' ' -f1 /proc/loadavg)"
echo "date: $(date -u +%F)   command: make bench-parts   $packets packets, one worker, runs: $runs (the least of each)"
awk '
{
	k = $1 " " $2
	if (!(k in cpu) || $4 < cpu[k]) cpu[k] = $4
}
function added(kind, part) { return 100 * (cpu[kind " all"] - cpu[kind " " part]) / cpu[kind " " part] }
END {
	split("detections contents channels three", part, " ")
	split("mixed span bulk", kinds, " ")
	for (k = 1; k <= 3; k++) {
		cpu["together all"] += cpu[kinds[k] " all"]
		for (p = 1; p <= 4; p++) cpu["together " part[p]] += cpu[kinds[k] " " part[p]]
	}
	kinds[4] = "together"
	printf "%-9s %10s", "capture", "cpu s, all"
	for (p = 1; p <= 4; p++) printf " %19s", (part[p] == "three" ? "all three" : part[p]) " add"
	printf "\n"
	for (k = 1; k <= 4; k++) {
		printf "%-9s %10.3f", kinds[k], cpu[kinds[k] " all"]
		for (p = 1; p <= 4; p++) printf "   %7.3f s %+5.1f %%", cpu[kinds[k] " all"] - cpu[kinds[k] " " part[p]], added(kinds[k], part[p])
		printf "\n"
	}
}' "$work/part-figures"
rm -rf "$work/db"

#!/bin/bash
# soak.sh - the lab's mixed day again and again, sped up, beside a million flows
# an hour of recorded ones with other addresses (make soak). Needs root.
#   SOAK_MINUTES=30     how long
#   SOAK_FLOWS=278      recorded flows a second: 278 are a million an hour
#   SOAK_KEEP=DIR       leave the log and the table of figures there
# A line a minute: resident memory of each process in kB, descriptors, bytes in
# the rings, rows, the database, frames lost, findings. At the end how each process's
# memory went over the last two thirds: flat, or not, which ends with 1.
# Sped up: idle TCP ends after two minutes, not after thirty.
# shellcheck source-path=SCRIPTDIR disable=SC1091,SC2034,SC2154,SC2317
set -u
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lab.sh"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export LAB_HERE=$root/tests/lab GARITAD=${GARITAD:-$root/build/garitad} GARITA=${GARITA:-$root/build/garita}
export SOAK_MINUTES=${SOAK_MINUTES:-30} SOAK_FLOWS=${SOAK_FLOWS:-278}
if [ -z "${LAB_INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo "SKIPPED: the soak needs root"; exit 0; }
    # shellcheck disable=SC2086
    m=$(lab_missing $LAB_NEEDS cc sqlite3)
    [ -z "$m" ] || { echo "SKIPPED: the soak: not installed: ${m//$'\n'/ }"; exit 0; }
    GARITAD=$(realpath "$GARITAD") GARITA=$(realpath "$GARITA")
fi
lab_enter "$@"

d=$LAB_DIR/soak spid='' templates=()
mkdir -p "$d"
cc -O2 -o "$d/traffic" "$here/traffic.c" -lpcap && cc -O2 -o "$d/gencap" "$root/tests/bench/gencap.c" -lpcap || exit 1
# No IPv6 among the recorded ones: gencap gives each of their flows a peer never seen before, and each of those is a
# finding of its own (88 bytes, up to FINDINGS_MAX), which is no day of any scanner.
for c in tls-approved tls-unapproved ntp ssh-out ssh-in ftp-pull smb-out mqtt rsync-pull dicom name-not-verified; do
    templates+=("$root/tests/replay/$c/capture.pcap")
done

LAB_LIVE=1
lab_build || lab_die "the lab did not come up"
cp -r "$LAB_HERE/../replay/geo" "$LAB_DIR/geo"
lab_load_case demo
lab_case_site | sed '/^networks:/i flows: {tcp_s: 120, tcp_closing_s: 2, udp_s: 30, other_s: 30, icmp_s: 10}' >"$d/site.yaml"
lab_mirror both
real=no
# shellcheck disable=SC2086
if [ -z "$(lab_missing $case_needs)" ] && case_setup >"$d/setup.log" 2>&1; then real=yes
else echo "ATTENTION: the real programs of the lab do not start: recorded flows only"; fi

setsid ip netns exec sensor "$GARITAD" -c "$d/site.yaml" -i span0 -D "$d/data" >"$d/log" 2>&1 </dev/null &
spid=$!
lab_wait 10 grep -q 'supervisor: ready$' "$d/log" || { cat "$d/log"; exit 1; }

# Some 10.2 packets a flow.
packets=$((SOAK_FLOWS * 102 / 10 * SOAK_MINUTES * 60))
"$d/gencap" mixed "$packets" /dev/stdout "${templates[@]}" 2>/dev/null |
    "$d/traffic" -i p-span replay $((SOAK_FLOWS * 102 / 10)) - >/dev/null 2>"$d/sent" &
[ $real = no ] || while :; do case_traffic >"$d/traffic.log" 2>&1; echo . >>"$d/days"; sleep 2; done &

value() { awk -v k="$2:" '$1 == k { print $2 }' "/proc/$1/status" 2>/dev/null; }
count_fds() { local f=(/proc/"$1"/fd/*); echo ${#f[@]}; }
sql() { sqlite3 -readonly -cmd '.timeout 5000' "$d/data/garita.db" "$1" 2>/dev/null; }
printf '%6s %10s %8s %8s %8s %4s %10s %9s %9s %10s %6s %8s\n' minute supervisor judge worker0 worker1 fds ring_bytes rows db_MB frames lost findings
begin=$SECONDS
for minute in $(seq "$SOAK_MINUTES"); do
    sleep $((begin + minute * 60 - SECONDS))
    judge='' workers=() fds=0
    for p in $(cat "/proc/$spid/task/"*/children 2>/dev/null); do
        case $(cat "/proc/$p/comm" 2>/dev/null) in *judge) judge=$p ;; *worker) workers+=("$p") ;; esac
        fds=$((fds + $(count_fds "$p")))
    done
    [ -n "$judge" ] || { echo "garitad has ended:"; tail -5 "$d/log"; exit 1; }
    # shellcheck disable=SC2046,SC2183  # the last is three numbers
    printf '%6d %10d %8d %8d %8d %4d %10d %9d %9d %10d %6d %8d\n' "$minute" "$(value "$spid" VmRSS)" "$(value "$judge" VmRSS)" \
        "$(value "${workers[0]:-0}" VmRSS)" "$(value "${workers[1]:-0}" VmRSS)" $((fds + $(count_fds "$spid"))) \
        "$("$GARITA" status --db "$d/data/garita.db" --format json | jq '[.workers[].queue_bytes] | add')" \
        "$(sql 'SELECT max(id) FROM transfer')" "$(du -m "$d/data/garita.db" | cut -f1)" \
        $(sql 'SELECT frames, kernel_drops + interface_drops, (SELECT count(*) FROM finding) FROM totals' | tr '|' ' ') | tee -a "$d/figures"
done
kill -TERM "$spid"; wait "$spid"; rc=$?
echo "garitad ended with $rc; $(wc -l <"$d/days" 2>/dev/null || echo 0) days of the lab; $(grep -cE 'ended|hangs|refused|cannot' "$d/log") troubles in its log"
[ -z "${SOAK_KEEP:-}" ] || { mkdir -p "$SOAK_KEEP" && cp "$d/figures" "$d/log" "$d/sent" "$d/traffic.log" "$SOAK_KEEP/" 2>/dev/null; }
# The slope of a least-squares line over the last two thirds, times their length.
awk '{ for (i = 2; i <= 6; i++) v[NR, i] = $i; lost = $11 }
     END { name[2] = "supervisor"; name[3] = "judge"; name[4] = "worker0"; name[5] = "worker1"; name[6] = "descriptors"
           from = int(NR / 3) + 1; n = NR - from + 1; bad = 0
           for (i = 2; i <= 6; i++) {
               sx = sy = sxx = sxy = 0
               for (m = from; m <= NR; m++) { sx += m; sy += v[m, i]; sxx += m * m; sxy += m * v[m, i] }
               slope = n > 1 ? (n * sxy - sx * sy) / (n * sxx - sx * sx) : 0
               grown = slope * (n - 1); mean = sy / n
               flat = grown < (i == 6 ? 1 : 1024 + mean * 0.03)
               printf "%-12s mean %8d, by the line %+7d over the last %d minutes: %s\n", name[i], mean, grown, n, flat ? "flat" : "NOT FLAT"
               bad += !flat
           }
           printf "frames lost: %d\n", lost; exit bad != 0 }' "$d/figures" || rc=1
[ $rc = 0 ] && ! grep -qE 'killed by signal|not moved' "$d/log"

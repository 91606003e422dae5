#!/bin/bash
# case.sh CASE - one case of tests/fault, for run.sh: in namespaces of its own,
# with a SPAN port: what is sent on p-span arrives at span0.
# Exit 0, 1, or 77: skipped, the last line says why.
# shellcheck source-path=SCRIPTDIR disable=SC1090,SC1091,SC2034,SC2154,SC2317
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../lab/lab.sh"
lab_enter "$@"

TRAFFIC=$FAULT_WORK/traffic
spid='' bad=0 db='' work=''

ok()     { echo "ok - $*"; }
not_ok() { bad=1; echo "not ok - $*"; }
# check WHAT CMD… ; is WHAT VALUE WANTED, where WANTED is N, >=N or <=N.
check()  { local what=$1; shift; if "$@" >/dev/null 2>&1; then ok "$what"; else not_ok "$what"; fi; }
is() {
    local rc
    case $3 in
    '>='*) [ "$2" -ge "${3#>=}" ] ;;
    '<='*) [ "$2" -le "${3#<=}" ] ;;
    *)     [ "$2" -eq "$3" ] ;;
    esac 2>/dev/null; rc=$?
    if [ $rc = 0 ]; then ok "$1 ($2)"; else not_ok "$1 (wanted $3, found ${2:-nothing})"; fi
}
skip()   { echo "$*"; exit 77; }
figure() { echo "figure: $*"; }
missing() { local m; m=$(lab_missing "$@"); [ -z "$m" ] || skip "not installed: ${m//$'\n'/ }"; }
ms()     { echo $((${EPOCHREALTIME/./} / 1000)); }

# The SPAN port: two ends that say nothing of their own.
span_up() {
    ip link add p-span type veth peer name span0
    sysctl -qw net.ipv6.conf.p-span.disable_ipv6=1 net.ipv6.conf.span0.disable_ipv6=1
    ip link set p-span arp off multicast off up
    ip link set span0 arp off multicast off up
}

# site_yaml [LINE…] - the lines go before the networks.
site_yaml() {
    cat <<END
site: {name: Puerto de Pruebas, sensor: fault-01, timezone: America/Mexico_City, language: es}
capture: {interfaces: [span0], workers: ${WORKERS:-2}, snaplen: 65535, buffer_mb: ${BUFFER_MB:-64}${CAPTURE:-}}
flows: {tcp_closing_s: 1, checkpoint_s: 5${FLOWS:-}}
user: nobody
END
    [ $# = 0 ] || printf '%s\n' "$@"
    cat <<END
networks:
  - {name: cargo-xray, vlan: 120, prefixes: [192.0.2.0/26, "2001:db8:120::/64"]}
equipment:
  - {id: NII-0007, vendor: nuctech, mac: "c0:9b:f4:b0:00:07", addresses: [192.0.2.10, "2001:db8:120::10"]}
  - {id: NII-0008, vendor: rapiscan, mac: "70:b3:d5:cc:90:08", addresses: [192.0.2.11, "2001:db8:120::11"]}
approvals:
  - id: APR-LONG
    equipment: [NII-0008]
    to: {prefixes: [203.0.113.80/32]}
    ports: ["tcp/9100-9200"]
    initiator: equipment
${LIMIT:-}
    valid: 2025-01-01..2035-12-31
    approved_by: Pruebas
    ticket: FLT-1
END
}

# sensor_start DIR [OPTION…] - garitad live with DIR/site.yaml and DIR/data.
sensor_start() {
    work=$1 db=$1/data/garita.db; shift
    setsid "$GARITAD" -c "$work/site.yaml" -i span0 -D "$work/data" "$@" >>"$work/log" 2>&1 </dev/null &
    spid=$!
    ready_count=$((${ready_count:-0} + 1))
    lab_wait 10 is_ready
}
is_ready() { [ "$(grep -c 'supervisor: ready$' "$work/log")" -ge "$ready_count" ]; }
alive()    { [ -n "$spid" ] && kill -0 "$spid" 2>/dev/null; }
# sensor_stop - SIGTERM; garitad's status, 124 if it did not end within a minute.
sensor_stop() {
    local rc i
    kill -TERM "$spid" 2>/dev/null
    for i in $(seq 1200); do kill -0 "$spid" 2>/dev/null || break; sleep 0.05; done
    if kill -0 "$spid" 2>/dev/null; then kill -KILL "$spid"; wait "$spid" 2>/dev/null; rc=124
    else wait "$spid" 2>/dev/null; rc=$?; fi
    spid=''
    return $rc
}
sensor_log() { tail -n 15 "$work/log" | sed 's/^/#   /'; }

# child NAME [N] - pid of garitad's children by name: judge, worker.
children() {
    local p
    # shellcheck disable=SC2013
    for p in $(cat "/proc/$spid/task/"*/children 2>/dev/null); do
        [ "$(cat "/proc/$p/comm" 2>/dev/null)" = "garitad-$1" ] && echo "$p"
    done
}

sql()    { sqlite3 -readonly -cmd '.timeout 5000' "$db" "$1" 2>>"$work/log"; }
# status JQ; warned WORD: does garita status warn of it?
status() { "$GARITA" status --db "$db" --format json 2>>"$work/log" | jq -r "$1" 2>>"$work/log"; }
warned() { [ "$(status "[.warnings[] | select(. == \"$1\")] | length")" = 1 ]; }
# gap CAUSE [DETAIL-PATTERN]
gap()    { [ "$(sql "SELECT count(*) FROM gap WHERE cause = '$1' AND detail LIKE '${2:-%}'")" -ge 1 ]; }
gap_over() { [ "$(sql "SELECT count(*) FROM gap WHERE cause = '$1' AND detail LIKE '${2:-%}' AND end_us IS NOT NULL")" -ge 1 ]; }
says()   { grep -qE -- "$1" "$work/log"; }
frames() { sql 'SELECT sum(frames) FROM totals'; }

# traffic NAME ARG… - in the background; traffic_wait NAME: until it has ended by
# itself; traffic_end NAME: SIGTERM first. Then sent NAME FIELD.
traffic() {
    local name=$1; shift
    "$TRAFFIC" "$@" >/dev/null 2>"$work/$name.sent" &
    echo $! >"$work/$name.pid"
}
traffic_wait() { wait "$(cat "$work/$1.pid")" 2>/dev/null; }
traffic_end()  { kill -TERM "$(cat "$work/$1.pid")" 2>/dev/null; traffic_wait "$1"; }
sent() { jq -r ".$2" "$work/$1.sent" 2>/dev/null; }

# What is in the record of the short and of the long connections of traffic.c.
short_payload() { sql 'SELECT coalesce(sum(payload_bytes_out), 0) FROM transfer WHERE dest_port = 9000'; }
short_flows()   { sql 'SELECT count(*) FROM (SELECT DISTINCT dest_ip, src_port FROM transfer WHERE dest_port = 9000)'; }
long_payload()  { sql 'SELECT coalesce(sum(payload_bytes_out), 0) FROM transfer WHERE dest_port BETWEEN 9100 AND 9200'; }
equals() { [ "$($1)" = "$2" ]; }
# all_there NAME - every byte that NAME sent is in the record, every frame counted.
all_there() {
    lab_wait "${2:-10}" equals frames "$(sent "$1" frames)"
    is "$1: every frame is counted" "$(frames)" "$(sent "$1" frames)"
    lab_wait 10 equals short_payload "$(sent "$1" short_payload)"
    is "$1: short connections are all there" "$(short_flows)" "$(sent "$1" short)"
    is "$1: with every byte" "$(short_payload)" "$(sent "$1" short_payload)"
    lab_wait 10 equals long_payload "$(sent "$1" long_payload)"
    is "$1: long connections have every byte" "$(long_payload)" "$(sent "$1" long_payload)"
}
rss_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status" 2>/dev/null; }
peak_kb() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status" 2>/dev/null; }

missing ip sqlite3 jq perl setpriv unshare ethtool
mount -t sysfs sysfs /sys
ip link set lo up
span_up || { echo "not ok - the SPAN port came up"; exit 1; }
mkdir -p "$LAB_DIR/run" "$LAB_DIR/log"
work=$LAB_DIR/t
mkdir -p "$work"
. "$here/cases/$1.sh"
case_run
[ -z "$spid" ] || { kill -KILL "$spid"; wait "$spid" 2>/dev/null; }
[ $bad = 0 ] || sensor_log
if [ -n "${FAULT_KEEP:-}" ]; then mkdir -p "$FAULT_KEEP/$1" && cp -r "$work/." "$FAULT_KEEP/$1/" 2>/dev/null; fi
exit $bad

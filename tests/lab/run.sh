#!/bin/bash
# run.sh [CASE…] - garitad live behind a real SPAN port while real programs run
# (make lab). Needs root. Without arguments: every case, then the checks of the
# sensor itself, which also go by the names "filter", "storage" and "sensor".
#   GARITAD, GARITA   the programs (default build/garitad, build/garita)
#   LAB_STRICT=1      what is skipped counts as failed
#   LAB_KEEP=DIR      leave each case's site.yaml, log, database and capture there
# One line a check, "N passed, N failed" at the end; exit 0, or 1 if any failed.
# shellcheck source-path=SCRIPTDIR disable=SC1091,SC2154,SC2034,SC2317
set -u
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"

passed=0 failed=0 skipped=0
ok()     { passed=$((passed + 1)); echo "ok - $*"; }
not_ok() { failed=$((failed + 1)); echo "not ok - $*"; }
skip()   { skipped=$((skipped + 1)); echo "SKIPPED - $*"; }
# check WHAT CMD… - one line for a command that should succeed.
check()  { local what=$1; shift; if "$@" >/dev/null 2>&1; then ok "$what"; else not_ok "$what"; fi; }
summary() {
    [ "$skipped" = 0 ] || echo "ATTENTION: $skipped skipped, see the SKIPPED lines above"
    [ -z "${LAB_STRICT:-}" ] || failed=$((failed + skipped))
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}

root=$(cd "$LAB_HERE/../.." && pwd)
export GARITAD=${GARITAD:-$root/build/garitad} GARITA=${GARITA:-$root/build/garita}
if [ -z "${LAB_INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] || { skip "the whole lab: it needs root"; summary; exit; }
    # shellcheck disable=SC2086
    m=$(lab_missing $LAB_NEEDS)
    [ -z "$m" ] || { skip "the whole lab: not installed: ${m//$'\n'/ }"; summary; exit; }
    for p in "$GARITAD" "$GARITA"; do
        [ -x "$p" ] || { not_ok "$p is there (make first)"; summary; exit; }
    done
    GARITAD=$(realpath "$GARITAD") GARITA=$(realpath "$GARITA")
fi
lab_enter "$@"

# ---- the sensor under test --------------------------------------------------

spid='' work='' db=''

# sensor_start DIR [OPTION…] - garitad with DIR/site.yaml and DIR/data; waits for "ready".
# garitad makes the data directory itself, and gives it to its user.
sensor_start() {
    work=$1 db=$1/data/garita.db
    shift
    : >"$work/log"
    setsid ip netns exec sensor "$GARITAD" -c "$work/site.yaml" -i span0 -D "$work/data" "$@" \
        >>"$work/log" 2>&1 </dev/null &
    spid=$!
    lab_wait 5 sensor_says_ready
}
sensor_says_ready() { grep -qE '(^|[ :])ready$' "$work/log"; }
sensor_alive() { [ -n "$spid" ] && kill -0 "$spid" 2>/dev/null; }
sensor_log() { sed 's/^/#   /' "$work/log" | tail -15; }

# sensor_stop - SIGTERM; the exit status is garitad's, 124 if it did not end.
sensor_stop() {
    local rc i
    for i in $(seq 100); do
        [ "$i" != 1 ] || kill -TERM "$spid" 2>/dev/null
        kill -0 "$spid" 2>/dev/null || break
        sleep 0.05
    done
    if kill -0 "$spid" 2>/dev/null; then kill -KILL "$spid"; wait "$spid" 2>/dev/null; rc=124
    else wait "$spid" 2>/dev/null; rc=$?; fi
    spid=''
    return $rc
}

transfers() { "$GARITA" transfers --db "$db" --format json --limit 0; }
# count CONDITION - how many transfers of the database fulfil a jq condition.
count() { transfers 2>>"$work/log" | jq -s "map(select($1)) | length" 2>>"$work/log"; }
has() { [ "$(count "$1")" -ge 1 ]; } 2>/dev/null
fulfils() { # FOUND WANTED, where WANTED is N, >=N or <=N
    case $2 in
    '>='*) [ "$1" -ge "${2#>=}" ] ;;
    '<='*) [ "$1" -le "${2#<=}" ] ;;
    *)     [ "$1" -eq "$2" ] ;;
    esac 2>/dev/null
}
# How many gaps the sensor admits to.
gaps() { "$GARITA" status --db "$db" --format json |
    jq -s '[.. | objects | .gaps? // empty | if type == "array" then length else . end] | max // 0'; }
more_gaps() { [ "$(gaps 2>/dev/null)" -gt "$1" ] 2>/dev/null; }

# ---- a case -----------------------------------------------------------------

# Bytes of the outside addresses as tshark counts them, "address bytes" a line;
# those of a peer in the other scanner network in one VLAN alone (case_peers).
tshark_sums() {
    tshark -r "$1" -T fields -E occurrence=f -e ip.src -e ip.dst -e ip.len -e ipv6.src -e ipv6.dst -e ipv6.plen -e vlan.id 2>/dev/null |
        PEERS=$case_peers perl -F'\t' -lane 'BEGIN { $peer{$_} = 1 for split " ", $ENV{PEERS} }
            my @e = $F[2] ? @F[0, 1] : @F[3, 4]; my $n = $F[2] || ($F[5] // 0) + 40; my $v = $F[6] // "";
            my ($o) = grep { /^(198\.51\.100\.|203\.0\.113\.|2001:db8:f)/ || $peer{"$v:$_"} } grep { defined } @e;
            $s{$o} += $n if defined $o; END { print "$_ $s{$_}" for sort keys %s }'
}
garita_sums() {
    transfers | jq -rs 'group_by(.dest_ip)[] | "\(.[0].dest_ip) \(map(.ip_bytes_out + .ip_bytes_in) | add)"' | sort
}

# What garitad recorded live with its workers, and what one worker makes of the same
# frames offline: the same transfers, to the byte. Not the same: ids, times (offline
# nothing is interrupted), what is held back for whole minutes (collapsed rows).
what_was_recorded() {
    "$GARITA" transfers --db "$1" --format json --limit 0 | jq -c '[.vlan, .equipment, .src_ip, .src_port, .dest_ip,
        .dest_port, .proto, .initiator, .hostname, .hostname_source, .hostname_verified, .country, .asn, .ip_bytes_out,
        .ip_bytes_in, .payload_bytes_out, .payload_bytes_in, .packets_out, .packets_in, .verdict, .approval, .reasons]' | sort
}
same_offline() {
    local name=$1 dir=$2
    "$GARITAD" -c "$dir/site.yaml" -w 1 -r "$dir/capture.pcap" -D "$dir/offline" >"$dir/offline.log" 2>&1
    what_was_recorded "$dir/data" >"$dir/live.jsonl"; what_was_recorded "$dir/offline" >"$dir/offline.jsonl"
    if [ -s "$dir/live.jsonl" ] && diff "$dir/live.jsonl" "$dir/offline.jsonl" >"$dir/offline.diff"; then
        ok "$name: two workers live and one offline record the same"
    else not_ok "$name: two workers live and one offline record the same"; sed 's/^/#   /' "$dir/offline.diff"; fi
}

# The packets of unapproved transfers: tshark opens the files, every transfer over TCP
# whose handshake was seen begins with its SYN, and what is kept and what is missing
# are all of its packets.
evidence_holds() {
    local name=$1 dir=$2 bad f n=0
    for f in "$dir"/data/evidence/*/*.pcapng; do
        [ -e "$f" ] || return
        tshark -r "$f" -T fields -e frame.comment -e tcp.flags.syn >>"$dir/evidence" 2>"$dir/evidence.err" || n=1
    done
    bad=$(sqlite3 "$db" "SELECT t.id FROM transfer t JOIN evidence_part p ON p.transfer = t.id WHERE t.collapsed = 0
        GROUP BY t.id HAVING sum(p.packets) + sum(p.missed) <> t.packets_out + t.packets_in")
    bad=$bad$(sqlite3 "$db" "SELECT id FROM transfer WHERE proto = 6 AND flags & 1 = 0 AND collapsed = 0" |
        awk -F'\t' 'NR == FNR { tcp[$1] = 1; next } match($1, /transfer=[0-9]+/) {
            id = substr($1, RSTART + 9, RLENGTH - 9)
            if (!(id in seen) && id in tcp && $2 != 1 && $2 != "True") print id
            seen[id] = 1 }' - "$dir/evidence")
    if [ $n = 0 ] && [ -z "$bad" ] && [ -s "$dir/evidence" ]; then ok "$name: packets of unapproved transfers are kept from the first one on"
    else not_ok "$name: packets of unapproved transfers are kept from the first one on (transfers ${bad//$'\n'/ })"; fi
}

run_case() {
    local name=$1 dir=$LAB_DIR/case/$1 m want cond what n rc
    lab_load_case "$name"
    # shellcheck disable=SC2086
    m=$(lab_missing $case_needs)
    [ -z "$m" ] || { skip "$name: not installed: ${m//$'\n'/ }"; return; }
    mkdir -p "$dir"
    lab_case_site >"$dir/site.yaml"
    lab_mirror "$case_mirror"
    case_setup || { not_ok "$name: the programs of the case start"; lab_stop_servers; return; }
    lab_drop_neighbours
    if [ "$case_sums" = yes ] && [ -z "$(lab_missing tshark tcpdump)" ]; then
        lab_bg tcpdump sensor tcpdump -Z root -i span0 --immediate-mode -U -w "$dir/capture.pcap"
        lab_wait 5 grep -q 'listening on' "$LAB_DIR/log/tcpdump"
    fi
    if ! sensor_start "$dir"; then
        not_ok "$name: garitad is ready within 5 s"; sensor_log
        sensor_alive && sensor_stop; lab_kill tcpdump; lab_stop_servers; return
    fi
    case_traffic >"$dir/traffic.log" 2>&1 || not_ok "$name: its traffic ran ($(tail -1 "$dir/traffic.log"))"
    sleep 0.3
    sensor_stop; rc=$?
    lab_kill tcpdump
    lab_stop_servers
    if [ $rc = 0 ]; then ok "$name: garitad ends with 0 on SIGTERM"
    else not_ok "$name: garitad ends with 0 on SIGTERM (got $rc)"; sensor_log; fi
    while IFS=$'\t' read -r want cond what; do
        n=$(count "$cond")
        if fulfils "$n" "$want"; then ok "$name: $what"
        else not_ok "$name: $what (wanted $want, found ${n:-nothing}: $cond)"; m=bad; fi
    done <<<"$(case_expect)"
    [ "$m" != bad ] || transfers 2>&1 | head -12 | sed 's/^/#   /'
    if [ -f "$dir/capture.pcap" ]; then
        tshark_sums "$dir/capture.pcap" >"$dir/sums.tshark"; garita_sums >"$dir/sums.garita" 2>/dev/null
        if [ -s "$dir/sums.tshark" ] && diff "$dir/sums.tshark" "$dir/sums.garita" >"$dir/sums.diff"; then
            ok "$name: IP bytes of each peer equal tshark's"
        else not_ok "$name: IP bytes of each peer equal tshark's"; sed 's/^/#   /' "$dir/sums.diff"; fi
        same_offline "$name" "$dir"
    fi
    [ -n "$(lab_missing tshark sqlite3)" ] || evidence_holds "$name" "$dir"
}

# ---- the sensor itself ------------------------------------------------------

ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
# A connection that stays open: 1 kB every 100 ms for so many seconds.
long_flow() { # NAME PORT SECONDS
    lab_bg "case-$1" nii7 bash -c "for i in \$(seq $(($3 * 10))); do head -c 1000 /dev/urandom; sleep 0.1; done | socat -u - TCP4:$DROP:$2"
}
short_flow() { lab_in nii7 bash -c "head -c 5000 /dev/urandom | socat -u - TCP4:$DROP:$1"; }
to_port() { echo ".dest_ip==\"$DROP\" and .dest_port==$1"; }

# The processes below garitad, all of them.
descendants() {
    local p c
    for p in "$@"; do
        # shellcheck disable=SC2013
        for c in $(cat "/proc/$p/task/"*/children 2>/dev/null); do echo "$c"; descendants "$c"; done
    done
}
# Those whose name (comm, or the title in cmdline) has the word.
children_named() {
    local p
    for p in $(descendants "$spid"); do
        { cat "/proc/$p/comm"; tr '\0' ' ' <"/proc/$p/cmdline"; } 2>/dev/null | grep -q "$1" && echo "$p"
    done
}
workers() { children_named worker; }
powerless() { # PID: not root, no capability, no new privileges, a seccomp filter
    awk '/^Uid:/ { u = $2 && $3 && $4 } /^CapEff:/ { e = $2 ~ /^0+$/ } /^CapPrm:/ { c = $2 ~ /^0+$/ }
         /^NoNewPrivs:/ { n = $2 } /^Seccomp:/ { s = $2 == 2 } END { exit !(u && e && c && n && s) }' "/proc/$1/status"
}
workers_are() { [ "$(workers | wc -l)" = "$1" ]; }
worker_replaced() { workers_are "$2" && ! workers | grep -qx "$1"; }
# gap_of CAUSE SECONDS - is there a gap of that cause, over, and no longer than that?
gap_of() {
    # shellcheck disable=SC2016
    "$GARITA" status --db "$db" --format json | jq -es --arg cause "$1" --argjson most "$2" '
        def seconds: .[0:19] + "Z" | fromdate;
        [.[0].gaps[] | select(.cause == $cause and .["end"] != null)
         | select((.["end"] | seconds) - (.start | seconds) <= $most)] | length > 0'
}
# The sum of a field over the rows of a port: a transfer may be in several rows.
sum_of() { transfers | jq -s "map(select($(to_port "$1")) | $2) | add // 0"; }
sum_is() { [ "$(sum_of "$1" "$2")" = "$3" ]; }

run_sensor() {
    local d=$LAB_DIR/sensor t p n g other bad=''
    mkdir -p "$d"
    # shellcheck disable=SC2034
    case_site() { :; }
    lab_mirror both
    lab_case_site | sed '/^networks:/i flows: {tcp_closing_s: 1}' >"$d/site.yaml"   # rows close soon
    for p in 9000 9001 9002 9003 9004 9005 9006 9007 9008; do lab_sink outside tcp "$DROP" "$p"; done

    # Refusals first: nothing may start.
    mkdir -p "$d/bad"; sed 's/^networks:/netwroks:/' "$d/site.yaml" >"$d/bad/site.yaml"
    lab_in sensor timeout 5 "$GARITAD" -c "$d/bad/site.yaml" -i span0 -D "$d/bad" >"$d/bad/log" 2>&1
    n=$?
    if [ $n = 2 ]; then ok "sensor: a bad configuration ends with 2"; else not_ok "sensor: a bad configuration ends with 2 (got $n)"; fi
    check "sensor: and is said with its line" grep -qE 'site\.yaml:[0-9]+' "$d/bad/log"
    check "sensor: and leaves no database" test ! -e "$d/bad/garita.db"

    sensor_start "$d" || { not_ok "sensor: ready within 5 s"; sensor_log; sensor_alive && sensor_stop; lab_stop_servers; return; }
    ok "sensor: ready within 5 s"

    # Within a second, while the flow is open.
    long_flow slow 9000 4; t=$(ms)
    until has "$(to_port 9000) and .verdict==\"unapproved\"" || [ $(($(ms) - t)) -gt 3000 ]; do sleep 0.02; done
    t=$(($(ms) - t))
    if [ "$t" -le 1000 ]; then ok "sensor: an unapproved transfer is in the database within 1 s ($t ms)"
    else not_ok "sensor: an unapproved transfer is in the database within 1 s ($t ms)"; fi
    check "sensor: while it is still open" has "$(to_port 9000) and .state==\"open\""

    # Rights.
    for p in $(descendants "$spid"); do powerless "$p" || bad="$bad $p($(cat "/proc/$p/comm"))"; done
    [ -n "$(descendants "$spid")" ] || bad=none
    if [ -z "$bad" ]; then ok "sensor: every child is powerless (user, capabilities, no new privileges, seccomp)"
    else not_ok "sensor: every child is powerless (user, capabilities, no new privileges, seccomp); not:$bad"; fi

    # A second garitad on the same database.
    lab_in sensor timeout 5 "$GARITAD" -c "$d/site.yaml" -i span0 -D "$d/data" >"$d/second.log" 2>&1
    n=$?
    if [ $n != 0 ] && [ $n != 124 ]; then ok "sensor: a second garitad on the same database is refused"
    else not_ok "sensor: a second garitad on the same database is refused (status $n)"; fi
    check "sensor: with the pid of the first" grep -qw "$spid" "$d/second.log"
    lab_kill case-slow

    # A worker dies.
    n=$(workers | wc -l) p=$(workers | head -1) g=$(gaps 2>/dev/null)
    if [ -n "$p" ]; then
        kill -KILL "$p"; t=$(ms)
        until worker_replaced "$p" "$n" || [ $(($(ms) - t)) -gt 3000 ]; do sleep 0.02; done
        t=$(($(ms) - t))
        if [ "$t" -le 1000 ]; then ok "sensor: a killed worker is back within 1 s ($t ms)"
        else not_ok "sensor: a killed worker is back within 1 s ($t ms)"; fi
        check "sensor: the gap is recorded" lab_wait 2 more_gaps "${g:-0}"
        check "sensor: with its end" lab_wait 2 gap_of worker-died 3
        sleep 0.3; short_flow 9001
        check "sensor: and it captures again" lab_wait 2 has "$(to_port 9001) and .payload_bytes_out>=5000"
    else not_ok "sensor: has processes named worker"; fi

    # The judge dies. The workers go on, and what they count waits for the next one.
    long_flow judged 9007 5; sleep 1.3
    p=$(children_named judge) other=$(workers)
    if [ -n "$p" ]; then
        kill -KILL "$p"; t=$(ms)
        until [ "$(children_named judge)" != "$p" ] && [ -n "$(children_named judge)" ] || [ $(($(ms) - t)) -gt 3000 ]; do sleep 0.02; done
        t=$(($(ms) - t))
        if [ "$t" -le 1000 ]; then ok "sensor: a killed judge is back within 1 s ($t ms)"
        else not_ok "sensor: a killed judge is back within 1 s ($t ms)"; fi
        short_flow 9008
        check "sensor: and records again" lab_wait 2 has "$(to_port 9008) and .verdict==\"unapproved\""
        check "sensor: no worker died of it" [ "$other" = "$(workers)" ]
        check "sensor: what was open is interrupted" has "$(to_port 9007) and .state==\"interrupted\""
        check "sensor: the gap of the judge is recorded" lab_wait 2 gap_of judge-died 2
        lab_wait 6 has "$(to_port 9007) and .state==\"closed\""
        check "sensor: the flow that lived through it counts no byte twice and loses none" sum_is 9007 .payload_bytes_out 50000
    else not_ok "sensor: has a process named judge"; fi

    # The port goes down and comes back.
    g=$(gaps 2>/dev/null)
    ip -n sensor link set span0 down; sleep 1; ip -n sensor link set span0 up; sleep 1.5
    check "sensor: lives through the interface going down" sensor_alive
    short_flow 9002
    check "sensor: sees again when the interface is back" lab_wait 2 has "$(to_port 9002) and .payload_bytes_out>=5000"
    check "sensor: the time it was down is a gap" lab_wait 2 more_gaps "${g:-0}"
    check "sensor: that ended when it came back" gap_of interface-down 3

    # Reload: a bad policy, then a good one.
    cp "$d/site.yaml" "$d/site.good"
    sed -i 's/^approvals:/aprovals:/' "$d/site.yaml"; n=$(wc -l <"$d/log")
    kill -HUP "$spid"; sleep 0.7
    check "sensor: lives through a bad policy" sensor_alive
    check "sensor: says what is bad about it" sh -c "tail -n +$((n + 1)) '$d/log' | grep -qE 'site\.yaml:[0-9]+'"
    lab_in nii7 dig +time=2 +tries=1 "@$RESOLVER" images.aduana.example >/dev/null
    short_flow 9003
    check "sensor: the old policy stays" lab_wait 2 has "$(to_port 9003) and .verdict==\"unapproved\""
    check "sensor: with its approvals" lab_wait 2 has '.approval=="APR-DNS"'
    { cat "$d/site.good"; lab_approval APR-NEW 'equipment: [NII-0007]' "to: {prefixes: [$DROP/32]}" 'ports: [tcp/9004]'; } >"$d/site.yaml"
    long_flow across 9005 3; sleep 0.5
    kill -HUP "$spid"; sleep 0.7
    short_flow 9004
    check "sensor: a good policy holds after SIGHUP" lab_wait 2 has "$(to_port 9004) and .verdict==\"approved\" and .approval==\"APR-NEW\""
    lab_wait 4 sh -c "! kill -0 $(cat "$LAB_DIR/run/case-across")"
    lab_wait 5 has "$(to_port 9005) and .state==\"closed\""
    check "sensor: a flow across the reload lost no packet" has "$(to_port 9005) and .state==\"closed\" and .payload_bytes_out==30000"

    # The end, kind and unkind.
    long_flow last 9006 8; sleep 0.7
    other=$(descendants "$spid")
    kill -KILL "$spid"; wait "$spid" 2>/dev/null; spid=''
    check "sensor: after kill -9 no child stays" lab_wait 2 none_lives "$other"
    check "sensor: and the database opens" has "$(to_port 9006)"
    g=$(gaps 2>/dev/null)
    if sensor_start "$d"; then
        ok "sensor: starts again"
        check "sensor: what was open is interrupted" lab_wait 2 has "$(to_port 9006) and .state==\"interrupted\""
        check "sensor: the time it was dead is a gap" lab_wait 2 more_gaps "${g:-0}"
        check "sensor: the flow still going is seen, mid-stream" lab_wait 2 has "$(to_port 9006) and .state==\"open\""
        lab_kill case-last
        sensor_stop; n=$?
        if [ $n = 0 ]; then ok "sensor: SIGTERM ends it with 0"; else not_ok "sensor: SIGTERM ends it with 0 (got $n)"; fi
        if [ "$(count '.state=="open"')" = 0 ]; then ok "sensor: and nothing stays open"; else not_ok "sensor: and nothing stays open"; fi
    else not_ok "sensor: starts again"; sensor_log; fi
    lab_stop_servers
}

# A filter that the tags must not defeat.
run_filter() {
    local d=$LAB_DIR/filter
    mkdir -p "$d"
    case_site() { :; }
    lab_case_site >"$d/site.yaml"
    lab_mirror both
    sensor_start "$d" -f 'port 443' || { not_ok "filter: ready within 5 s"; sensor_log; sensor_alive && sensor_stop; return; }
    lab_put nii7 https://drop.cloud.example/scan.img -4
    sleep 0.3
    sensor_stop
    check "filter: 'port 443' sees tagged frames" has '.dest_port==443 and .payload_bytes_out>=122880 and .packets_in>0'
    if [ "$(count '.dest_port==53')" = 0 ]; then ok "filter: and nothing else"; else not_ok "filter: and nothing else"; fi
}

# The exfiltration test as a sysadmin runs it: begin, a sink outside, the probe on a
# scanner machine, check; and the weekly report of it.
run_self_test() {
    local d=$LAB_DIR/self-test probe id week
    probe=$(dirname "$GARITA")/garita-probe
    mkdir -p "$d"
    case_site() { :; }
    { lab_case_site; printf 'self_test: {target: %s}\n' "$STRANGER"; } >"$d/site.yaml"
    lab_mirror both
    sensor_start "$d" || { not_ok "self-test: ready within 5 s"; sensor_log; sensor_alive && sensor_stop; return; }
    id=$("$GARITA" self-test begin --db "$db" --lang en | sed -n 's/^Self-test \([^,]*\), .*/\1/p')
    if [ -n "$id" ]; then ok "self-test: has a number ($id)"; else not_ok "self-test: has a number"; fi
    lab_bg case-sink outside "$probe" sink --address "$STRANGER"
    lab_wait 2 grep -q ready "$LAB_DIR/log/case-sink"
    ip netns exec sensor ip route add "$STRANGER" dev span0 2>/dev/null
    if lab_in sensor "$probe" send --id "$id" --target "$STRANGER" >"$d/refused" 2>&1; then not_ok "self-test: does not send where a sensor captures"
    else ok "self-test: does not send where a sensor captures"; fi
    check "self-test: sends by every channel" lab_in nii8 "$probe" send --id "$id" --target "$STRANGER"
    sleep 1.5
    check "self-test: every channel was seen, and is unapproved" "$GARITA" self-test check "$id" --db "$db" --lang en
    "$GARITA" self-test check "$id" --db "$db" --format json --no-record >"$d/check.json"
    check "self-test: each channel was in the record within three seconds" \
        jq -e '.channels | length >= 1 and all(.recorded_us != null and .recorded_us < 3000000)' "$d/check.json"
    check "self-test: the finding that it made was there within two seconds" \
        jq -e '[.channels[] | select(.detected_us != null)] | length >= 1 and all(.detected_us < 2000000)' "$d/check.json"
    if "$GARITA" self-test check "$id" --db "$db" --channel tcp --since 2000-01-01 --target "$VPN" --no-record >/dev/null 2>&1; then
        not_ok "self-test: what was not seen does not pass"
    else ok "self-test: what was not seen does not pass"; fi
    lab_kill case-sink
    sensor_stop
    week=$(TZ=$LAB_TIMEZONE date +%G-W%V)
    check "self-test: stands in the week's report" sh -c \
        "'$GARITA' report weekly --db '$db' --week $week --format json | jq -e '[.self_tests[] | select(.test == \"$id\" and .seen)] | length == 5'"
}

# A database that somebody locks, a disk that is full: facts wait and go in later.
run_storage() {
    local d=$LAB_DIR/storage u i
    mkdir -p "$d/data"
    case_site() { :; }
    lab_case_site >"$d/site.yaml"
    lab_mirror both
    for i in 9010 9011 9012; do lab_sink outside tcp "$DROP" "$i"; done
    u=$(id -u nobody)
    mount -t tmpfs -o "size=8m,mode=750,uid=$u,gid=$(id -g nobody)" tmpfs "$d/data"
    if ! sensor_start "$d"; then
        not_ok "storage: ready within 5 s"; sensor_log; sensor_alive && sensor_stop; lab_stop_servers; return
    fi
    short_flow 9010
    check "storage: a first transfer is in" lab_wait 2 has "$(to_port 9010)"
    if [ -z "$(lab_missing sqlite3)" ]; then
        lab_bg case-lock sensor sqlite3 "$db" 'BEGIN IMMEDIATE;' '.shell sleep 2' 'COMMIT;'
        sleep 0.5; short_flow 9011; sleep 0.2
        if has "$(to_port 9011)"; then not_ok "storage: the lock of the test holds"
        else check "storage: a locked database: the transfer goes in later" lab_wait 5 has "$(to_port 9011) and .payload_bytes_out>=5000"; fi
    else skip "storage: a locked database: sqlite3 is not installed"; fi
    head -c 9m /dev/zero >"$d/data/filler" 2>/dev/null    # to the last block
    short_flow 9012; sleep 1.5
    check "storage: lives with a full disk" sensor_alive
    rm -f "$d/data/filler"
    check "storage: and writes when there is room again" lab_wait 5 has "$(to_port 9012) and .payload_bytes_out>=5000"
    sensor_stop || true
    lab_stop_servers
    cp -r "$d/data" "$d/data.kept" 2>/dev/null; umount "$d/data"
}

none_lives() { local p; for p in $1; do [ ! -e "/proc/$p" ] || return 1; done; }

# ---- nothing was sent -------------------------------------------------------

span_sent() { lab_in sensor cat /sys/class/net/span0/statistics/tx_packets; }
switch_heard() { lab_vsctl get interface p-span statistics:rx_packets; }
run_silence() {
    local a b
    sleep 5.5   # Open vSwitch reads its counters every 5 s
    a=$(span_sent) b=$(switch_heard)
    if [ "$a" = 0 ]; then ok "silence: span0 sent nothing"; else not_ok "silence: span0 sent $a frames"; fi
    if [ "$b" = 0 ]; then ok "silence: the switch heard nothing from the span port"; else not_ok "silence: the switch heard $b frames from the span port"; fi
    # Are these counters that count? One frame on purpose.
    # shellcheck disable=SC2016
    lab_in sensor perl -MSocket -e 'socket my $s, 17, SOCK_RAW, 0 or die;
        my $if = -e "/sys/class/net/span0/ifindex" && do { open my $f, "<", "/sys/class/net/span0/ifindex"; <$f> + 0 };
        send $s, "\xff" x 6 . "\0\0\x5e\0\x53\xee" . "\x88\xb5" . "lab" x 20, 0, pack("S n i S C C a8", 17, 0x88b5, $if, 0, 0, 6, "\xff" x 6) or die $!'
    if [ "$(span_sent)" = $((a + 1)) ]; then ok "silence: and the counter would have told"
    else not_ok "silence: and the counter would have told"; fi
}

LAB_LIVE=1
lab_build || lab_die "the lab did not come up"
cp -r "$LAB_HERE/../replay/geo" "$LAB_DIR/geo"
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(lab_cases) filter self-test storage sensor
for c in "$@"; do
    case $c in
    sensor|filter|storage) "run_$c" ;;
    self-test) run_self_test ;;
    *) run_case "$c" ;;
    esac
done
run_silence
if [ -n "${LAB_KEEP:-}" ]; then mkdir -p "$LAB_KEEP"; cp -r "$LAB_DIR"/case "$LAB_DIR"/self-test "$LAB_DIR"/filter "$LAB_DIR"/storage "$LAB_DIR"/sensor "$LAB_DIR"/log "$LAB_KEEP"/ 2>/dev/null; fi
summary

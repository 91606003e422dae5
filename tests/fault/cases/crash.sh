#!/bin/bash
# nDPI dies over a packet, hangs over another: recorded with its bytes, restarted, its like kept off, the rest goes on
# shellcheck disable=SC2154,SC2034,SC2046,SC2086
# datagram FILE PEER SPORT DPORT TEXT - a capture of one UDP datagram from outside to NII-0007.
datagram() {
    perl -e 'my ($peer, $sport, $dport, $text) = @ARGV;
        my $udp = pack("nnnn", $sport, $dport, 8 + length $text, 0) . $text;
        my $ip = pack("CCnnnCCna4a4", 0x45, 0, 20 + length $udp, 7, 0, 64, 17, 0, pack("C4", split /\./, $peer), pack("C4", 192, 0, 2, 10));
        my $frame = pack("H12H12nnn", "c09bf4b00007", "020000000066", 0x8100, 120, 0x0800) . $ip . $udp;
        print pack("VvvVVVV", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1), pack("VVVV", 1767225600, 0, length $frame, length $frame), $frame' \
        "${@:2}" >"$work/$1.pcap"
}
strike()    { datagram strike "$@"; traffic strike -i p-span replay 100 "$work/strike.pcap"; traffic_wait strike; }
workers()   { children worker | sort -n | tr '\n' ' '; }
deaths()    { grep -c "worker [0-9]* ended: killed by signal $1" "$work/log"; }
deaths_are() { [ "$(deaths "$1")" = "$2" ] && [ "$(children worker | wc -l)" = 2 ] && [ "$(status '[.workers[] | select(.state == "ready")] | length')" = 2 ]; }
row()       { sql "SELECT count(*) FROM transfer WHERE dest_ip = '$1' AND src_port = $2 AND packets_in >= 1 ${3:-}"; }
has_row()   { [ "$(row "$@")" -ge 1 ]; }

case_run() {
    local hex before died up other
    [ -x "$GARITAD-crash" ] || skip "$GARITAD-crash is not there (make fault builds it)"
    site_yaml >"$work/site.yaml"
    GARITAD=$GARITAD-crash sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    traffic load -i p-span work "${CRASH_SECONDS:-30}" 200 16
    sleep 2

    before=$(workers)
    died=$(ms)
    strike 198.51.100.66 5000 7777 'xx GARITA-CRASH xx'
    check "the worker dies and another is ready" lab_wait 5 deaths_are 11 1
    up=$(($(ms) - died)); figure "back after $up ms, the status row of each second included"
    is "back within a second or what status takes to say it" "$up" '<=2500'
    other=$(for p in $before; do [ -d "/proc/$p" ] && echo "$p"; done | wc -l)
    is "the other worker goes on" "$other" 1
    check "a gap tells signal, flow and equipment" lab_wait 3 gap_over worker-died \
        'worker _, signal 11 (%), over NII-0007 192.0.2.10 port 7777 and 198.51.100.66 port 5000, udp: not inspected for a while'
    hex=$(printf 'GARITA-CRASH' | od -An -tx1 | tr -d ' \n')
    check "and the first bytes" [ "$(sql "SELECT count(*) FROM gap WHERE cause = 'worker-died' AND bytes LIKE '45%$hex%'")" = 1 ]
    check "status has them" [ "$(status "[.gaps[] | select(.bytes != null) | select(.bytes | contains(\"$hex\"))] | length")" = 1 ]
    check "the log has no byte of the payload" [ "$(grep -c "$hex\|GARITA-CRASH" "$work/log")" = 0 ]
    check "status says what is kept off" [ "$(status '.not_inspected[0].peer')" = 198.51.100.66 ]
    check "and warns" warned not-inspected

    strike 198.51.100.66 5000 7777 'xx GARITA-CRASH xx'
    check "the same again is counted, its label unknown" lab_wait 5 has_row 198.51.100.66 7777 "AND app = 'Unknown' AND flags & 8192"
    strike 198.51.100.66 6000 7777 'xx GARITA-CRASH xx'
    sleep 1
    is "and kills nobody, from another port neither" "$(deaths 11)" 1
    strike 198.51.100.66 6001 8888 'xx GARITA-CRASH xx'
    check "other ports on both ends kill once more" lab_wait 5 deaths_are 11 2
    strike 198.51.100.66 6002 9999 'xx GARITA-CRASH xx'
    check "then all of that peer is counted and kept off" lab_wait 5 has_row 198.51.100.66 9999 "AND flags & 8192"
    is "it killed nobody" "$(deaths 11)" 2

    strike 198.51.100.67 5000 7777 'xx GARITA-HANG xx'
    check "a worker that hangs is ended and another is ready" lab_wait 20 deaths_are 9 1
    check "its gap says so" lab_wait 3 gap_over worker-died 'worker _, hung, signal 9 (%), over %198.51.100.67%'
    strike 198.51.100.67 5000 7777 'xx GARITA-HANG xx'
    check "the same again is counted" lab_wait 5 has_row 198.51.100.67 7777 "AND flags & 8192"

    strike 198.51.100.68 5000 7777 'an ordinary datagram'
    check "others are inspected" lab_wait 5 has_row 198.51.100.68 7777 "AND flags & 8192 = 0"
    traffic_wait load
    check "traffic is recorded after it all" lab_wait 5 [ "$(sql "SELECT count(*) FROM transfer WHERE dest_port = 9000 AND state = 'closed' AND start_us > (SELECT max(end_us) FROM gap WHERE cause = 'worker-died')")" -ge 50 ]
    sensor_stop; is "garitad ends with" "$?" 0
}

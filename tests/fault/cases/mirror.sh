#!/bin/bash
# a silent mirror, one that shows one direction only, one that shows each frame twice: said
# shellcheck disable=SC2154,SC2034,SC2046,SC2086
case_run() {
    CAPTURE=', silence_s: 5' site_yaml >"$work/site.yaml"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    sleep 7
    check "silent from the start: said" warned no-packet-ever
    "$GARITA" status --db "$db" >"$work/status" 2>&1; is "silent: garita status ends with" "$?" 1
    traffic some -i p-span work 1 50 2; traffic_wait some; sleep 1.2
    "$GARITA" status --db "$db" >"$work/status" 2>&1; is "seeing: garita status ends with" "$?" 0
    sleep 6
    check "silent again: said" warned silent
    "$GARITA" status --db "$db" >"$work/status" 2>&1; is "silent again: garita status ends with" "$?" 1

    # Only what the machines send.
    "$TRAFFIC" -o "$work/all.pcap" work 3 100 2 2>/dev/null
    tcpdump -r "$work/all.pcap" -w "$work/out.pcap" 'vlan 120 and src net 192.0.2.0/26' 2>/dev/null
    sensor_stop || true
    rm -rf "$work/data"
    sensor_start "$work" || { not_ok "ready again"; return; }
    traffic oneway -i p-span replay 3000 "$work/out.pcap"; traffic_wait oneway; sleep 2.2
    check "one-way: said" warned one-way-out
    sensor_stop || true

    # Each frame twice, one right after the other.
    perl -e 'local $/; open F, "<", $ARGV[0]; binmode F; my $d = <F>; binmode STDOUT; print substr $d, 0, 24;
        for (my $o = 24; $o < length $d;) { my $n = 16 + unpack "V", substr $d, $o + 8, 4; print substr($d, $o, $n) x 2; $o += $n }' \
        "$work/all.pcap" >"$work/twice.pcap"
    rm -rf "$work/data"
    sensor_start "$work" || { not_ok "ready again"; return; }
    traffic twice -i p-span replay 3000 "$work/twice.pcap"; traffic_wait twice; sleep 2.2
    check "doubled: said" warned doubled
    check "doubled: a note with its time" gap doubled
    is "doubled: bytes are counted once" "$(short_payload)" 600000
    is "doubled: of the long ones too" "$(long_payload)" 600000
    sensor_stop || true
}
missing tcpdump

#!/bin/bash
# the SPAN port goes down and up, is renamed, is taken away and comes back
# shellcheck disable=SC2154,SC2034,SC2046,SC2086
case_run() {
    site_yaml >"$work/site.yaml"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    burst one; all_there one

    ip link set span0 down; sleep 1.5; ip link set span0 up
    lab_wait 5 gap_over interface-down 'span0%'
    check "down and up: a gap that ended" gap_over interface-down 'span0%'
    burst two; more_there two one

    # Renamed: what it is bound to is the same port, and nothing is lost.
    ip link set span0 down; ip link set span0 name span7; ip link set span7 up
    sleep 1.5
    check "renamed: garitad lives" alive
    burst three
    lab_wait 5 equals frames "$(sum_sent one two three frames)"
    is "renamed: every frame is counted" "$(frames)" "$(sum_sent one two three frames)"
    ip link set span7 down; ip link set span7 name span0; ip link set span0 up
    lab_wait 5 no_open_gap
    check "named as before: no gap stays open" no_open_gap

    # Away, and another one of that name comes.
    ip link del p-span; sleep 2
    check "away: garitad lives" alive
    check "away: said" says 'span0: the interface is gone|no such (interface|device)'
    check "away: status warns of the workers" warned worker-not-ready
    is "away: not said without end (lines)" "$(grep -c . "$work/log")" '<=30'
    span_up; sleep 0.5
    lab_wait 5 workers_ready
    check "back: both workers capture again" workers_ready
    burst four
    lab_wait 5 equals frames "$(sum_sent one two three four frames)"
    is "back: every frame is counted" "$(frames)" "$(sum_sent one two three four frames)"
    lab_wait 5 no_open_gap
    check "back: no gap stays open" no_open_gap
    check "the time away is a gap of two seconds or so" long_gap
    sensor_stop; is "garitad ends with" "$?" 0

    # Away from the beginning.
    ip link del p-span
    timeout 10 "$GARITAD" -c "$work/site.yaml" -i span0 -D "$work/data" >"$work/none.log" 2>&1
    is "a start without the interface ends with" "$?" 1
    check "and says which" grep -q 'span0: no such interface' "$work/none.log"
}
burst() { traffic "$1" -i p-span work 1 100 2; traffic_wait "$1"; }
sum_sent() { local f=${*: -1} n=0 i; for i in "${@:1:$#-1}"; do n=$((n + $(sent "$i" "$f"))); done; echo $n; }
more_there() {
    lab_wait 5 equals frames "$(sum_sent "$@" frames)"
    is "$1: every frame is counted" "$(frames)" "$(sum_sent "$@" frames)"
}
no_open_gap() { [ "$(sql 'SELECT count(*) FROM gap WHERE end_us IS NULL')" = 0 ]; }
workers_ready() { [ "$(status '[.workers[] | select(.state == "ready")] | length')" = 2 ]; }
long_gap() { [ "$(sql "SELECT count(*) FROM gap WHERE cause IN ('interface-down', 'worker-died') AND end_us - start_us BETWEEN 1500000 AND 8000000")" -ge 1 ]; }

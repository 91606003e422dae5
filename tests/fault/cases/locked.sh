#!/bin/bash
# the database locked by another process: nothing stalls, facts wait, all is there later
# shellcheck disable=SC2154,SC2034,SC2046,SC2086
case_run() {
    local seconds=${LOCK_SECONDS:-${FULL:+60}} rate=${LOCK_RATE:-1000}
    seconds=${seconds:-10}
    site_yaml >"$work/site.yaml"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    traffic load -i p-span work $((seconds + 4)) "$rate" 8
    sleep 1
    sqlite3 "$db" 'BEGIN IMMEDIATE;' ".shell sleep $seconds" 'COMMIT;' &
    sleep 1
    local a; a=$(short_flows); sleep 1
    check "the lock holds" [ "$(short_flows)" = "$a" ]
    sleep 2
    check "the log says that nothing can be recorded" says 'nothing can be recorded'
    traffic_wait load
    all_there load 30
    check "no frame was lost" [ "$(sql 'SELECT sum(kernel_drops) FROM totals')" = 0 ]
    check "the record's lateness is a gap" gap record-late '%locked%'
    check "the log says that it goes on" says 'the record goes on'
    sensor_stop; is "garitad ends with" "$?" 0
}

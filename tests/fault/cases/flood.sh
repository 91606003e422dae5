#!/bin/bash
# a SYN flood (ten million with FULL=1): memory capped, established transfers exact, few rows, recovered within a minute
# shellcheck disable=SC2154,SC2034
case_run() {
    local syns=${SYNS:-${FULL:+10000000}} pid end_us since
    syns=${syns:-1000000}
    FLOWS=', max: 200000' site_yaml >"$work/site.yaml"
    db=$work/data/garita.db
    "$TRAFFIC" -o - flood "$syns" 100000 16 2>"$work/flood.sent" |
        "$GARITAD" -c "$work/site.yaml" -w 1 -r - -D "$work/data" --format json >"$work/sums" 2>"$work/log" &
    pid=$!
    watch_peaks "$pid"
    wait "$pid"; is "garitad ends with" "$?" 0
    is "every frame is counted" "$(jq .frames "$work/sums")" "$(sent flood frames)"
    is "long connections have every byte" "$(long_payload)" "$(sent flood long_payload)"
    is "long connections are whole rows" "$(sql 'SELECT count(*) FROM transfer WHERE dest_port BETWEEN 9100 AND 9200 AND collapsed = 0')" 16
    is "the table was full, and it is said" "$(jq .flow_table_full "$work/sums")" '>=1'
    check "as a gap" gap flow-table-full
    # Flood from 2 s on; then 90 s of work.
    end_us=$(sql "SELECT max(end_us) - 90 * 1000000 FROM transfer WHERE dest_port = 9000"); since=$((end_us + 60000000))
    is "short connections from a minute after the flood on" "$(sql "SELECT count(*) FROM transfer WHERE dest_port = 9000 AND start_us >= $since AND payload_bytes_out = 2000 AND collapsed = 0")" '>=590'
    is "gaps of a full table later than that" "$(sql "SELECT count(*) FROM gap WHERE cause = 'flow-table-full' AND end_us > $since + 2000000")" 0
    is "rows of the flood" "$(sql 'SELECT count(*) FROM transfer WHERE dest_port NOT BETWEEN 9000 AND 9200')" '<=20000'
    # IP bytes are exact, refused ones too.
    is "IP bytes in" "$(jq .ip_bytes_in "$work/sums")" '>='$((syns * 40))
    # Headers: 288 bytes a flow, 22 MB of tables, 304 + 12 a live transfer, 64 MB of SQLite and rings;
    # its part of evidence.hold_mb (32) and its index of flows in the worker.
    is "peak of the worker, kB" "$(cat "$work/peak.worker")" '<=165000'
    is "peak of the judge, kB" "$(cat "$work/peak.judge")" '<=160000'
    figure "$syns SYNs, $(sent flood frames) frames in $(sent flood seconds) s; worker $(cat "$work/peak.worker") kB, judge $(cat "$work/peak.judge") kB, $(sql 'SELECT count(*) FROM transfer') rows, $(du -k "$db" | cut -f1) kB of database"
    live
}
# Live, smaller: nothing blocks.
live() {
    rm -rf "$work/data"; ready_count=$(grep -c 'supervisor: ready$' "$work/log")
    sensor_start "$work" || { not_ok "live: ready within 10 s"; return; }
    traffic live -i p-span flood 300000 50000 8; traffic_wait live
    lab_wait 10 equals frames "$(sent live frames)"
    is "live: every frame is counted" "$(frames)" "$(sent live frames)"
    is "live: lost by the kernel" "$(sql 'SELECT sum(kernel_drops) FROM totals')" 0
    lab_wait 10 equals long_payload "$(sent live long_payload)"
    is "live: long connections have every byte" "$(long_payload)" "$(sent live long_payload)"
    is "live: rows of the flood" "$(sql 'SELECT count(*) FROM transfer WHERE dest_port NOT BETWEEN 9000 AND 9200')" '<=10000'
    figure "live: $(sent live frames) frames in $(sent live seconds) s"
    sensor_stop; is "live: garitad ends with" "$?" 0
}
# The highest resident memory of garitad's children by name, until it ends.
watch_peaks() {
    local p n kb
    echo 0 >"$work/peak.worker"; echo 0 >"$work/peak.judge"
    spid=$1
    while kill -0 "$1" 2>/dev/null; do
        for n in worker judge; do
            for p in $(children $n); do
                kb=$(peak_kb "$p"); [ "${kb:-0}" -le "$(cat "$work/peak.$n")" ] || echo "$kb" >"$work/peak.$n"
            done
        done
        sleep 0.2
    done
    spid=''
}

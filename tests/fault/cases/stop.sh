#!/bin/bash
# stopped while nobody has judged what is held: it is decided then, and what is unapproved is kept; nothing goes uncounted
# shellcheck disable=SC2154,SC2034,SC2046,SC2086
case_run() {
    # An approval that only inspection can refuse leaves each connection open for five seconds.
    {
        site_yaml | sed 's/tcp_closing_s: 1/tcp_closing_s: 30/'
        cat <<END
  - id: APR-TLS
    equipment: [NII-0007]
    to: {prefixes: [203.0.113.80/32]}
    apps: [TLS]
    initiator: equipment
    valid: 2025-01-01..2035-12-31
    approved_by: Pruebas
    ticket: FLT-2
END
    } >"$work/site.yaml"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    traffic load -i p-span scan 200
    sleep 2
    traffic_end load
    sleep 1
    is "transfers that are judged so far" "$(sql 'SELECT count(*) FROM transfer')" 0
    sensor_stop; is "garitad ends with" "$?" 0
    is "frames" "$(frames)" "$(sent load frames)"
    is "of unapproved connections" "$(sql "SELECT sum(packets_out + packets_in) FROM transfer WHERE verdict = 'unapproved'")" "$(sent load frames)"
    is "packets that are kept" "$(sql 'SELECT sum(packets) FROM evidence_part')" "$(sent load frames)"
    is "that were missed" "$(sql 'SELECT sum(missed) FROM evidence_part')" 0
    is "that went undecided" "$(status .evidence.missed_packets.undecided)" 0
    check "the record is whole" "$GARITA" verify --db "$db"
    figure "$(sent load frames) packets were decided at the stop"

    # The judge hears nothing, for somebody holds the database: what nobody could decide is counted.
    rm -rf "$work/data"
    sensor_start "$work" || { not_ok "ready again within 10 s"; return; }
    lab_wait 5 some_status
    kill -STOP $(children judge)
    traffic load -i p-span scan 200
    sleep 1
    traffic_end load
    sleep 1
    kill -TERM "$spid"
    sleep 3
    kill -CONT $(children judge)
    wait "$spid"; is "a judge that woke too late: garitad ends with" "$?" 0; spid=''
    is "frames" "$(frames)" "$(sent load frames)"
    is "packets that went undecided" "$(status .evidence.missed_packets.undecided)" "$(sent load frames)"
    is "that turned out to be wanted, and are lost" "$(status .evidence.missed_packets.lost)" "$(sent load frames)"
}
some_status() { [ "$(status .evidence.packets)" = full ]; }

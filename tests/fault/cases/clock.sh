#!/bin/bash
# the clock set back an hour and forward again: flows neither all expire nor live for ever, times and limits stay right
# Live under another wall clock (clock.c: garitad's clock and the stamps of its
# frames; the machine's own clock is nobody's to set here), then from a file.
# shellcheck disable=SC2154,SC2034,SC2086
hour=3600
case_run() {
    local LIMIT='    limit: {out: 1GB, per: hour}' CAPTURE=', silence_s: 5' a b
    perl -e 'print pack "q", 0' >"$work/clock"
    site_yaml >"$work/site.yaml"
    [ -x "$GARITAD-clock" ] || skip "$GARITAD-clock is not there (make fault builds it)"
    FAULT_CLOCK=$work/clock GARITAD=$GARITAD-clock sensor_start "$work" ||
        { not_ok "ready within 10 s"; return; }
    traffic load -i p-span work 60 200 4
    sleep 4; shift_by -$hour
    sleep 3; check "back: said" gap clock-step 'back by 3%'
    still_going "after the clock went back"
    sleep 3; shift_by 0
    sleep 3; check "forward again: said" gap clock-step 'ahead by 3%'
    still_going "after the clock went forward"
    shift_by $hour; sleep 4
    kill -HUP "$spid"; sleep 1
    still_going "an hour ahead"
    check "it still sees" not_warned silent
    is "garita status ends with" "$(code_of "$GARITA" status --db "$db")" 0
    traffic_end load
    sleep 3   # tcp_closing_s and a second
    all_there load
    is "long connections are four rows" "$(sql 'SELECT count(*) FROM transfer WHERE dest_port > 9000')" 4
    is "bytes counted against the limit" "$(sql "SELECT sum(bytes_out) FROM usage WHERE per = 'hour'")" \
        "$(sql 'SELECT sum(ip_bytes_out) FROM transfer WHERE dest_port > 9000')"
    is "hours that were used" "$(sql "SELECT count(*) FROM usage WHERE per = 'hour'")" '>=3'
    is "short connections that took longer than a minute" "$(sql 'SELECT count(*) FROM transfer WHERE dest_port = 9000 AND end_us - start_us > 60000000')" '<=40'

    # What a new judge goes by is what was in force last, not what was loaded at the latest time.
    traffic more -i p-span work 60 200 4; sleep 1
    # Back, another policy, then none that can be read: a new judge takes the last that was in force.
    shift_by 0; sleep 2
    site_yaml | sed 's/fault-01/fault-02/' >"$work/next.yaml"; mv "$work/next.yaml" "$work/site.yaml"
    kill -HUP "$spid"; sleep 1.5
    a=$(sql 'SELECT hash FROM policy WHERE text LIKE "%fault-02%"')
    check "back from there: another policy is in force" [ "$(status .policy)" = "$a" ]
    echo 'nonsense' >"$work/site.yaml"
    kill -KILL "$(children judge)"; sleep 3
    check "a new judge holds that policy" [ "$(status .policy)" = "$a" ]
    still_going "with a new judge"
    b=$(sql "SELECT max(id) FROM transfer"); sleep 1
    is "its verdicts are of another policy" "$(sql "SELECT count(*) FROM transfer t JOIN policy p ON p.id = t.policy WHERE t.id > $b AND p.hash <> '$a'")" 0
    traffic_end more; sleep 3
    is "rows left open" "$(sql "SELECT count(*) FROM transfer WHERE state = 'open'")" 0
    is "rows that end before they start" "$(sql 'SELECT count(*) FROM transfer WHERE end_us < start_us')" 0
    is "gaps that end before they start" "$(sql 'SELECT count(*) FROM gap WHERE end_us < start_us')" 0
    is "judges that ended early" "$(grep -c 'judge ended' "$work/log")" 1
    is "workers that ended early" "$(grep -c 'worker . ended' "$work/log")" 0
    # A mirror that falls silent when the clock is set back must not look well for an hour.
    shift_by $hour; "$TRAFFIC" -i p-span work 1 10 0 2>/dev/null; shift_by 0; sleep 7
    check "silent since the clock went back: said" warned silent
    shift_by $hour; "$TRAFFIC" -i p-span work 1 10 0 2>/dev/null; sleep 2; shift_by 0; sleep 6.5
    check "silent a moment before the clock went back: said" warned silent
    sensor_stop; is "garitad ends with" "$?" 0
    from_a_file
}
# The same through -r, with one worker and with two.
from_a_file() {
    local w LIMIT='    limit: {out: 1GB, per: hour}'
    "$TRAFFIC" -o "$work/step.pcap" -S 20:-$hour -S 40:$hour -S 60:$hour work 90 50 4 2>"$work/file.sent"
    site_yaml >"$work/site.yaml"
    for w in 1 2; do
        rm -rf "$work/data"
        "$GARITAD" -c "$work/site.yaml" -w $w -r "$work/step.pcap" -D "$work/data" >"$work/out.$w" 2>&1
        db=$work/data/garita.db
        all_there file
        # In a file an hour ahead is an hour without a frame: what was idle so long has ended, twice.
        is "file, $w: long connections" "$(sql 'SELECT count(*) FROM transfer WHERE dest_port > 9000')" 12
        is "file, $w: rows that end before they start" "$(sql 'SELECT count(*) FROM transfer WHERE end_us < start_us')" 0
        is "file, $w: steps said" "$(sql "SELECT count(*) FROM gap WHERE cause = 'clock-step'")" '>=1'
        "$GARITA" transfers --db "$db" --format json --limit 0 | jq -c 'del(.id)' | sort >"$work/rows.$w"
    done
    check "file: one worker and two record the same" cmp "$work/rows.1" "$work/rows.2"
}
shift_by() { perl -e 'open F, "+<", $ARGV[1]; print F pack "q", $ARGV[0] * 1e6' -- "$1" "$work/clock"; }
code_of() { "$@" >/dev/null 2>&1; echo $?; }
not_warned() { ! warned "$1"; }
# Four long ones are open and grow, short ones come and close.
still_going() {
    local a b
    a=$(sql 'SELECT max(id) FROM transfer') b=$(long_payload); sleep 1.5
    is "$1: long connections open" "$(sql "SELECT count(*) FROM transfer WHERE dest_port > 9000 AND state = 'open'")" 4
    is "$1: short ones go on being recorded (from $a)" "$(sql 'SELECT max(id) FROM transfer')" ">=$((a + 100))"
    is "$1: short ones open" "$(sql "SELECT count(*) FROM transfer WHERE dest_port = 9000 AND state = 'open'")" '<=1200'
    lab_wait 5 grown "$b"; check "$1: long ones grow" grown "$b"
}
grown() { [ "$(long_payload)" -gt "$1" ]; }

#!/bin/bash
# a replay: the reader dies, a worker dies with frames in its hands: said, a gap, the rest is read on
# shellcheck disable=SC2154,SC2034,SC2012
# Standard input that pauses after half: what came is in the record, and nobody has ended.
replay_half() {
    rm -rf "$work/data"; : >"$work/log"
    mkfifo "$work/in.$1"
    "$GARITAD" -c "$work/site.yaml" -D "$work/data" -w 2 --format json -r - <"$work/in.$1" >"$work/sums" 2>"$work/log" &
    spid=$!
    exec 7>"$work/in.$1"
    head -c "$half" "$work/mixed.pcap" >&7
    db=$work/data/garita.db
    lab_wait 20 paused
}
# Workers and reader sleep.
paused() { [ "$(sql "SELECT count(*) FROM transfer")" -gt 100 ] && [ "$(children worker | wc -l)" = 2 ] && [ "$(children reader | wc -l)" = 1 ]; }
sums()   { jq ".$1" "$work/sums"; }

case_run() {
    local rc half all part
    site_yaml >"$work/site.yaml"
    "$FAULT_WORK/gencap" mixed 60000 "$work/mixed.pcap" "$root"/tests/replay/{tls-approved,tls-unapproved,dicom,smb-out,demo}/capture.pcap 2>/dev/null
    half=$(($(stat -c %s "$work/mixed.pcap") / 2))

    check "standard input for two workers: what came is there while it pauses" replay_half whole
    tail -c "+$((half + 1))" "$work/mixed.pcap" >&7; exec 7>&-
    wait "$spid"; is "in one piece it ends with" "$?" 0
    all=$(sums frames); is "and counts every frame" "$all" 60000

    check "again, up to the pause" replay_half reader
    kill -9 "$(children reader)"
    exec 7>&-
    wait "$spid"; is "the reader dies: garitad ends with" "$?" 1
    check "said" says 'the reader ended: killed by signal 9'
    check "what it had read is counted" [ "$(sums frames)" -gt 20000 -a "$(sums frames)" -lt 60000 ]
    check "the sums hold" [ "$(sums 'frames - (.flow_frames + .housekeeping_frames + .other_network_frames + .non_ip_frames + .malformed_frames + .filtered_frames)')" = 0 ]
    check "and it is a gap" gap input-damaged 'the process that reads the files has ended%'

    check "again, up to the pause" replay_half worker
    kill -STOP "$(children worker | tail -1)"   # it holds what it was given
    tail -c "+$((half + 1))" "$work/mixed.pcap" >&7 & part=$!
    sleep 1
    kill -9 "$(children worker | tail -1)"; wait "$part"; exec 7>&-
    wait "$spid"; rc=$?
    is "a worker dies with frames in its hands: garitad ends with" "$rc" 1
    check "said" says 'worker [01] ended: killed by signal 9'
    check "it is a gap" gap worker-died
    spid=""
    part=$(sql "SELECT count(*) FROM transfer WHERE state = 'closed'")
    is "the other has read all of the file" "$part" '>=500'
    figure "with one of two workers dead: $(sums frames) of $all frames"
}
missing mkfifo

#!/bin/bash
# the disk full while writing, then freed: nothing stalls, facts wait, all is there later
# shellcheck disable=SC2154,SC2034,SC2046,SC2086
case_run() {
    local seconds=${FULL:+60}
    seconds=${seconds:-8}
    site_yaml >"$work/site.yaml"
    mkdir -p "$work/data"
    mount -t tmpfs -o "size=64m,mode=750,uid=$(id -u nobody),gid=$(id -g nobody)" tmpfs "$work/data"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    traffic load -i p-span work $((seconds + 4)) 500 8
    sleep 1.5
    head -c 80m /dev/zero >"$work/data/filler" 2>/dev/null
    sleep 2
    local a; a=$(short_flows); sleep 1
    check "the disk is full: nothing goes in" [ "$(short_flows)" = "$a" ]
    check "the database can be read all the while" [ "$a" -gt 100 ]
    check "the log says that nothing can be recorded" says 'nothing can be recorded'
    sleep $((seconds - 4))
    check "garitad lives" alive
    rm -f "$work/data/filler"
    traffic_wait load
    all_there load 30
    check "no frame was lost" [ "$(sql 'SELECT sum(kernel_drops) FROM totals')" = 0 ]
    check "the record's lateness is a gap" gap record-late
    is "integrity: problems" "$(sql 'PRAGMA integrity_check' | grep -cvx ok)" 0
    sensor_stop; is "garitad ends with" "$?" 0

    # Full already when it starts: said, and no half-made database stays in the way.
    rm -rf "$work/data/"*
    head -c 80m /dev/zero >"$work/data/filler" 2>/dev/null
    local begin=$SECONDS
    timeout 20 "$GARITAD" -c "$work/site.yaml" -i span0 -D "$work/data" >"$work/full.log" 2>&1
    is "a start on a full disk ends with" "$?" 1
    check "and says why" grep -qiE 'full|space' "$work/full.log"
    rm -f "$work/data/filler"
    sensor_start "$work"; check "and starts once there is room" alive
    sensor_stop || true
    figure "start on a full disk: $((SECONDS - begin)) s, $(tail -1 "$work/full.log")"
    cp "$work/data/garita.db" "$work/kept.db" 2>/dev/null
    umount "$work/data"
}

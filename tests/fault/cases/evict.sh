#!/bin/bash
# packets past evidence.total, and past what the disk keeps free: they go while capture goes on, the reviewed first, the ledger says so
# shellcheck disable=SC2154,SC2034,SC2046,SC2086
case_run() {
    site_yaml "evidence: {file: 1MB, total: 4MB}" >"$work/site.yaml"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    # A finding that somebody reviews: its packets are the first to go.
    traffic reviewed -i p-span scan 300
    sleep 2; traffic_end reviewed
    # All of its connections have ended, so that nothing opens it again.
    lab_wait 8 some_of 80 || not_ok "packets of the scan are kept"
    sleep 3
    local frames_before reviewed; frames_before=$(sent reviewed frames) reviewed=$(finding_of 80)
    check "a finding is reviewed" "$GARITA" review "$reviewed" --db "$db" --analyst fault --yes --disposition false-positive --note "a scan of ours"
    local begun; begun=$(date +%s%6N)
    traffic load -i p-span work "${FULL:+4}12" 500 8
    watch_used & local watch=$!
    traffic_wait load
    kill "$watch" 2>/dev/null
    lab_wait 20 equals frames "$((frames_before + $(sent load frames)))"
    is "frames, with those of the scan" "$(frames)" "$((frames_before + $(sent load frames)))"
    lab_wait 10 equals short_payload "$(sent load short_payload)"
    is "short connections" "$(short_flows)" "$(sent load short)"
    is "with every byte" "$(short_payload)" "$(sent load short_payload)"
    is "frames that the kernel lost" "$(sql 'SELECT sum(kernel_drops) FROM totals')" 0
    lab_wait 5 is_within 4000000
    is "bytes of all files in the end" "$(used)" "<=4000000"
    # A look a second, while 1.3 MB come; the file that is open; one that is written again beside what it was.
    is "at most, every tenth of a second" "$(sort -n "$work/used" | tail -1)" "<=8500000"
    is "packets left of the reviewed finding" "$(left "finding = $reviewed")" 0
    is "packets left of the first second that nobody has reviewed" "$(left "finding <> $reviewed AND first_us < $begun + 1000000")" ">=1000"
    evictions
    figure "total: $(sql "SELECT count(*) FROM ledger WHERE kind = 'evidence-evicted'") evictions, at most $(sort -n "$work/used" | tail -1) bytes; $(left 1) of $(sent load frames) packets left"
    sensor_stop; is "garitad ends with" "$?" 0
    check "the record is whole" "$GARITA" verify --db "$db"
    reserve
}
# A small disk: a quarter of it is the database's.
reserve() {
    rm -rf "$work/data"; mkdir -p "$work/data"
    mount -t tmpfs -o "size=40m,mode=750,uid=$(id -u nobody),gid=$(id -g nobody)" tmpfs "$work/data"
    head -c 22m /dev/zero >"$work/data/filler"
    site_yaml "evidence: {file: 1MB}" >"$work/site.yaml"
    sensor_start "$work" || { not_ok "reserve: ready within 10 s"; umount "$work/data"; return; }
    traffic small -i p-span work 10 500 8
    traffic_wait small
    all_there small 20
    lab_wait 10 has_room
    is "reserve: bytes free in the end" "$(room)" ">=9000000"
    # Nobody has reviewed anything: what is there stays, what comes is not kept.
    is "reserve: packets that found no room, by the status" "$(status .evidence.missed_packets.disk)" ">=1000"
    check "reserve: and they are a gap" gap evidence-full
    evictions
    figure "reserve: $(sql "SELECT count(*) FROM ledger WHERE kind = 'evidence-evicted'") evictions, $(room) bytes free"
    sensor_stop; is "reserve: garitad ends with" "$?" 0
    check "reserve: the record is whole" "$GARITA" verify --db "$db"
    umount "$work/data"
}
room()    { df -B1 --output=avail "$work/data" | tail -1; }
has_room() { [ "$(room)" -ge 9000000 ]; }
used()    { find "$work/data/evidence" -name '*.pcapng' -printf '%s\n' 2>/dev/null | awk '{ n += $1 } END { print n + 0 }'; }
left()    { sql "SELECT coalesce(sum(p.packets), 0) FROM evidence_part p JOIN evidence e ON e.id = p.evidence WHERE e.state <> 'evicted' AND $1"; }
is_within() { [ "$(used)" -le "$1" ]; }
watch_used() { while :; do used >>"$work/used"; sleep 0.1; done; }
finding_of() { sql "SELECT finding FROM transfer WHERE dest_ip LIKE '%.$1' AND verdict = 'unapproved' LIMIT 1"; }
some_of() { [ "$(sql "SELECT count(*) FROM evidence_part WHERE finding = $(finding_of "$1")")" -gt 0 ]; }
# Each that is gone, or was written again without what went, has an entry that names it.
evictions() {
    is "evictions in the ledger" "$(sql "SELECT count(*) FROM ledger WHERE kind = 'evidence-evicted'")" ">=3"
    is "files that are gone without an entry" "$(sql "SELECT count(*) FROM evidence e WHERE state = 'evicted' AND NOT EXISTS
        (SELECT 1 FROM ledger l WHERE l.kind = 'evidence-evicted' AND instr(l.body, e.path) > 0)")" 0
    sql "SELECT path FROM evidence WHERE state <> 'evicted'" | sort >"$work/known"
    (cd "$work/data" && find evidence -name '*.pcapng' | sort) >"$work/there"
    is "files that are there and not recorded, or the other way" "$(comm -3 "$work/known" "$work/there" | grep -c .)" 0
}

#!/bin/bash
# the database damaged or taken away, running and at the start: said, put aside, a new one begun, nothing in hand lost
# shellcheck disable=SC2154,SC2034,SC2046,SC2086
asides() { find "$work/data" -name 'garita.db.damaged-*' ! -name '*-wal' ! -name '*-shm' | wc -l; }
event()  { [ "$(sql "SELECT count(*) FROM event WHERE what = '$1'")" -ge 1 ]; }
aside_is() { [ "$(asides)" = "$1" ]; }
owned()  { [ -z "$(find "$work/data" -name 'garita.db*' ! -user nobody)" ]; }
limit_is_whole() {
    [ "$(sql "SELECT sum(bytes_out) FROM usage")" = "$(sql "SELECT sum(ip_bytes_out) FROM transfer WHERE approval = 'APR-LONG'")" ]
}

case_run() {
    LIMIT='    limit: {out: 1TB, per: day}'
    site_yaml >"$work/site.yaml"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    traffic load -i p-span work 14 200 8
    sleep 3
    # Every page, while it writes. What another program committed makes it read pages
    # again, which it does not while it knows them all.
    sqlite3 "$db" 'PRAGMA busy_timeout=5000; UPDATE run SET pid = pid; PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
    dd if=/dev/urandom of="$db" bs=4096 count=$(($(stat -c %s "$db") / 4096)) conv=notrunc status=none
    lab_wait 8 says 'judge: the database is damaged, a new one was begun'
    check "damage while it writes is said in the log" says 'judge: the database is damaged, a new one was begun'
    check "what there was is put aside" lab_wait 5 aside_is 1
    check "the new one has it as an event" lab_wait 5 event database-damaged
    check "and as a gap" gap record-damaged
    check "the judge did not die of it" [ "$(grep -c 'judge ended' "$work/log")" = 0 ]
    sleep 3
    # Somebody takes it away.
    local begun; begun=$(sql 'SELECT count(*) FROM run')
    mv "$db" "$work/taken.db"
    lab_wait 15 says 'garita.db was taken away or replaced'
    check "a file taken away is said in the log" says 'garita.db was taken away or replaced'
    check "the third has it as an event" lab_wait 5 event database-missing
    check "the one that was taken is whole" [ "$(sqlite3 "$work/taken.db" 'PRAGMA integrity_check')" = ok ]
    traffic_wait load
    lab_wait 15 equals frames "$(sent load frames)"
    is "every frame is counted" "$(frames)" "$(sent load frames)"
    lab_wait 10 equals long_payload "$(sent load long_payload)"
    is "what lived all the while has every byte" "$(long_payload)" "$(sent load long_payload)"
    check "and counts against its limit as a whole" lab_wait 10 limit_is_whole
    check "all files belong to the sensor's user" owned
    sensor_stop; is "garitad ends with" "$?" 0
    is "integrity: problems" "$(sql 'PRAGMA integrity_check' | grep -cvx ok)" 0

    # At the start: a header of nothing, a file cut in half, flipped bytes in the middle.
    local n=1 used; used=$(sql 'SELECT sum(bytes_out) FROM usage')
    for how in header half bytes; do
        sqlite3 "$db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
        case $how in
        header) dd if=/dev/urandom of="$db" bs=100 count=1 conv=notrunc status=none ;;
        half)   truncate -s $(($(stat -c %s "$db") / 2 + 100)) "$db" ;;
        bytes)
            # A page of transfers: limits can still be read.
            cp "$work/taken.db" "$db"; chown nobody: "$db"
            used=$(sql 'SELECT sum(bytes_out) FROM usage')
            local page; page=$(sqlite3 "$db" "SELECT pageno FROM dbstat WHERE name = 'transfer' AND pagetype = 'leaf' LIMIT 1 OFFSET 3")
            dd if=/dev/urandom of="$db" bs=4096 seek=$((page - 1)) count=1 conv=notrunc status=none ;;
        esac
        n=$((n + 1))
        sensor_start "$work"
        check "$how: garitad starts all the same" alive
        is "$how: what there was is put aside" "$(asides)" $n
        check "$how: it is an event" lab_wait 5 event database-damaged
        check "$how: the sensor records" lab_wait 5 [ "$(status .running)" = true ]
        [ $how != bytes ] || is "$how: limits are taken over" "$(sql 'SELECT sum(bytes_out) FROM usage')" "$used"
        sensor_stop; is "$how: garitad ends with" "$?" 0
    done
    check "all files belong to the sensor's user" owned
}

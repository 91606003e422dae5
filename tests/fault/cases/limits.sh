#!/bin/bash
# too few file descriptors, too little memory, at the start and while running: a clear word, no silent loss
# shellcheck disable=SC2154,SC2034
case_run() {
    local n rc p sum
    site_yaml >"$work/site.yaml"
    # Descriptors: with each number it starts or says why; it never hangs, never starts half.
    for n in 6 7 8 10 12 16 20 24 29 30 32; do
        start_limited "ulimit -n $n"
        case $rc in
        0) ;;
        1) check "with $n descriptors: says why" grep -q 'files may be open at once' "$work/limited.log" ;;
        *) not_ok "with $n descriptors: ended with $rc ($(tail -1 "$work/limited.log"))" ;;
        esac
        echo "$n descriptors: $rc $(head -1 "$work/limited.log")"
    done
    is "with 32 descriptors it starts" "$rc" 0
    # Memory.
    for n in 20000 40000 60000 80000 120000 200000; do
        start_limited "ulimit -v $n"
        case $rc in
        0) ;;
        1|127) check "with $n kB: says why" grep -qiE 'memory|allocate|map' "$work/limited.log" ;;
        *) not_ok "with $n kB of memory: ended with $rc ($(tail -1 "$work/limited.log"))" ;;
        esac
        echo "$n kB: $rc $(head -1 "$work/limited.log")"
    done

    # While it runs the judge may take no more: facts that find no memory are counted and said.
    rm -rf "$work/data"; ready_count=0
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    "$TRAFFIC" -i p-span work 1 100 2 2>/dev/null
    p=$(children judge)
    setpriv --reuid nobody --regid nogroup --clear-groups prlimit --pid "$p" --as=$(($(awk '/^VmSize/ { print $2 }' "/proc/$p/status") * 1024 + 2000000))
    traffic load -i p-span work 8 2000 8; traffic_wait load
    lab_wait 15 replaced "$p"
    check "judge without memory: said" says 'nothing can be recorded.*memory'
    check "judge without memory: another takes its place" replaced "$p"
    check "judge without memory: what it held is a gap" lab_wait 3 gap judge-died
    traffic more -i p-span work 3 500 4; traffic_wait more
    sum=$(($(sent load frames) + $(sent more frames) + 1336))
    lab_wait 10 equals frames $sum
    is "judge without memory: every frame is counted" "$(frames)" $sum
    lab_wait 5 more_there
    check "the next one records everything" more_there
    figure "judge with 2 MB left: $(($(sql 'SELECT count(*) FROM transfer WHERE dest_port = 9000') - 1600)) of $(sent load short) connections recorded, the rest is a gap of $(sql "SELECT (end_us - start_us) / 1000000 FROM gap WHERE cause = 'judge-died'") s"
    check "garitad lives" alive
    sensor_stop || true
    worker_limited
}
# Workers that get no more memory, and flows that nDPI wants memory for.
worker_limited() {
    local p
    "$FAULT_WORK/gencap" mixed 60000 "$work/mixed.pcap" "$root"/tests/replay/{tls-approved,tls-unapproved,dicom,smb-out,demo}/capture.pcap 2>/dev/null
    rm -rf "$work/data"
    sensor_start "$work" || { not_ok "ready again within 10 s"; return; }
    for p in $(children worker); do
        setpriv --reuid nobody --regid nogroup --clear-groups prlimit --pid "$p" --as=$(($(awk '/^VmSize/ { print $2 }' "/proc/$p/status") * 1024 + 500000))
    done
    traffic mixed -i p-span replay 8000 "$work/mixed.pcap"; traffic_wait mixed
    lab_wait 10 equals frames "$(sent mixed frames)"
    check "garitad lives" alive
    if gap worker-died; then ok "workers without memory: they died, and it is a gap"
    else is "workers without memory: every frame is counted" "$(frames)" "$(sent mixed frames)"; fi
    figure "workers with 0.5 MB left: $(frames) of $(sent mixed frames) frames, $(sql "SELECT count(*) FROM transfer") rows, $(sql "SELECT count(*) FROM transfer WHERE app IS NULL OR app = 'Unknown'") of them without an application; $(sql "SELECT count(*) FROM gap WHERE cause = 'worker-died'") deaths"
    sensor_stop || true
}
# Live with that limit, for a second or until it gives up: rc 0: it was ready.
start_limited() {
    rm -rf "$work/data" "$work/limited.log"
    timeout -k 2 15 bash -c "$1; exec \"\$@\"" limited "$GARITAD" -c "$work/site.yaml" -i span0 -D "$work/data" >"$work/limited.log" 2>&1 &
    local t=$! i
    for i in $(seq 100); do
        kill -0 $t 2>/dev/null || break
        grep -q 'supervisor: ready$' "$work/limited.log" && { kill -TERM $t; break; }
        sleep 0.1
    done
    wait $t; rc=$?
    grep -q 'supervisor: ready$' "$work/limited.log" && rc=0
}
replaced() { local p; p=$(children judge); [ -n "$p" ] && [ "$p" != "$1" ] && [ "$(status '.workers | length')" = 2 ]; }
# The connections of the third traffic have the ports of the first again.
more_there() { [ "$(sql "SELECT count(*) FROM transfer WHERE dest_port = 9000 AND payload_bytes_out = 2000 AND start_us > (SELECT max(end_us) FROM gap WHERE cause = 'judge-died')")" -ge 1500 ]; }
missing prlimit

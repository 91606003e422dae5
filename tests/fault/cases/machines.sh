#!/bin/bash
# a VLAN with 100,000 MACs: memory bounded, what found no place is counted and said, equipment stays itself
# shellcheck disable=SC2154,SC2034
case_run() {
    local before after
    site_yaml >"$work/site.yaml"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    "$TRAFFIC" -i p-span work 1 100 2 2>/dev/null; sleep 2.5
    before=$(rss_kb "$(children judge)")
    traffic many -i p-span macs 100000 10000; traffic_wait many
    lab_wait 20 equals frames $(($(sent many frames) + 1336))
    is "every frame is counted" "$(frames)" $(($(sent many frames) + 1336))
    is "lost by the kernel" "$(sql 'SELECT sum(kernel_drops) FROM totals')" 0
    after=$(rss_kb "$(children judge)")
    is "the judge grew by kB" $((after - before)) '<=150000'
    is "machines in the record" "$(sql 'SELECT count(*) FROM machine')" '<=16400'
    is "of them unknown" "$(sql "SELECT count(*) FROM machine WHERE known = 0")" '>=16000'
    check "those without a place share one" [ "$(sql "SELECT count(*) FROM machine WHERE id = 'unknown:many'")" = 1 ]
    check "and it is said" warned machines-refused
    lab_wait 12 equals bytes_of_them 12800000
    is "bytes of those machines" "$(bytes_of_them)" 12800000
    # Known equipment in the middle of it, and after.
    is "equipment: connections" "$(sql "SELECT count(*) FROM transfer WHERE equipment = 'NII-0007' AND dest_port = 9000 AND payload_bytes_out = 2000")" 200
    "$TRAFFIC" -i p-span work 1 100 2 2>/dev/null; sleep 2.5
    is "equipment, afterwards" "$(sql "SELECT count(*) FROM transfer WHERE equipment <> 'NII-0007' AND dest_port = 9000")" 0
    is "equipment, afterwards, long connections" "$(sql "SELECT count(*) FROM transfer WHERE equipment <> 'NII-0008' AND dest_port > 9000")" 0
    figure "judge $before kB before, $after kB after; $(sql 'SELECT count(*) FROM transfer') rows, $(sql 'SELECT count(*) FROM machine') machines"
    sensor_stop; is "garitad ends with" "$?" 0
}
bytes_of_them() { sql "SELECT sum(ip_bytes_out) FROM transfer WHERE dest_port = 5000"; }

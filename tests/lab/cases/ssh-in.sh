# shellcheck shell=bash disable=SC2034,SC2154
case_about='SSH from outside into a scanner that reads an image: by the approved maintenance host, and by a stranger.'
case_needs='ssh sshd ssh-keygen'
case_site() {
    lab_approval APR-MAINT 'equipment: [NII-0007]' "to: {prefixes: [$VENDOR/32]}" \
        'ports: [tcp/22]' 'apps: [SSH]' 'initiator: peer'
}
case_setup() { lab_start_sshd sshd-nii7 nii7 192.0.2.10 22; }
case_traffic() {
    lab_ssh outside ssh -b "$VENDOR" root@192.0.2.10 "cat $LAB_DIR/tmp/scan.img" >/dev/null
    lab_ssh outside ssh -b "$STRANGER" root@192.0.2.10 "cat $LAB_DIR/tmp/scan.img" >/dev/null
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.src_ip=="192.0.2.10" and .src_port==22 and .dest_ip=="203.0.113.10" and .initiator=="peer" and .verdict=="approved" and .approval=="APR-MAINT"' 'the maintenance session is approved' \
    1 '.src_ip=="192.0.2.10" and .src_port==22 and .dest_ip=="203.0.113.77" and .initiator=="peer" and .verdict=="unapproved" and .payload_bytes_out>=122880' 'the session of the stranger is unapproved, its bytes went out'
}

# shellcheck shell=bash disable=SC2034,SC2154
case_about='scp and sftp of an image from a scanner to a server abroad.'
case_needs='ssh scp sftp sshd ssh-keygen'
case_setup() { lab_start_sshd sshd22 outside "$DROP" 22; }
case_traffic() {
    lab_ssh nii8 scp -q "$LAB_DIR/tmp/scan.img" "root@$DROP:$LAB_DIR/tmp/got1.img"
    echo "put $LAB_DIR/tmp/scan.img $LAB_DIR/tmp/got2.img" |
        lab_ssh nii8 sftp -q -b - "root@$DROP" >/dev/null
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    2 '.src_ip=="192.0.2.11" and .dest_ip=="203.0.113.80" and .dest_port==22 and .initiator=="equipment" and .verdict=="unapproved" and (.app_proto|test("SSH")) and .encrypted==true and .payload_bytes_out>=122880' 'both are unapproved SSH, and carried the image'
}

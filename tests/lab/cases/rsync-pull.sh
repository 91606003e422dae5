# shellcheck shell=bash disable=SC2034,SC2154
case_about='An outside host pulls a folder from an rsync daemon on a scanner.'
case_needs='rsync'
case_setup() {
    mkdir -p "$LAB_DIR/srv/rsync"
    cp "$LAB_DIR/tmp/scan.img" "$LAB_DIR/srv/rsync/"
    cat >"$LAB_DIR/etc/rsyncd.conf" <<END
use chroot = no
uid = root
gid = root
[scans]
path = $LAB_DIR/srv/rsync
read only = yes
END
    lab_bg case-rsyncd nii8 rsync --daemon --no-detach --config="$LAB_DIR/etc/rsyncd.conf"
    lab_wait_port nii8 tcp 873
}
case_traffic() {
    lab_in outside rsync -a --address="$STRANGER" rsync://192.0.2.11/scans/ "$LAB_DIR/tmp/pulled/"
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.src_ip=="192.0.2.11" and .src_port==873 and .dest_ip=="203.0.113.77" and .initiator=="peer" and .verdict=="unapproved" and .payload_bytes_out>=122880 and .payload_bytes_in<10000' 'unapproved, opened by the peer, the image went out'
}

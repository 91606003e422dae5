# shellcheck shell=bash disable=SC2034,SC2154
case_about='An outside host logs in to an FTP server on a scanner and pulls an image, over a passive and then over an active data connection.'
case_needs='vsftpd curl'
case_setup() {
    mkdir -p "$LAB_DIR/srv/ftp"
    cp "$LAB_DIR/tmp/scan.img" "$LAB_DIR/srv/ftp/scan.img"
    cat >"$LAB_DIR/etc/vsftpd.conf" <<END
listen=YES
listen_ipv6=NO
background=NO
anonymous_enable=YES
local_enable=NO
no_anon_password=YES
anon_root=$LAB_DIR/srv/ftp
ftp_username=ftp
secure_chroot_dir=/run/vsftpd/empty
seccomp_sandbox=NO
connect_from_port_20=YES
pasv_min_port=40000
pasv_max_port=40099
xferlog_enable=NO
END
    lab_bg case-vsftpd bag3 vsftpd "$LAB_DIR/etc/vsftpd.conf"
    lab_wait_port bag3 tcp 21
}
case_traffic() {
    lab_in outside curl -sS -m 5 --interface "$VENDOR" -o /dev/null ftp://192.0.2.70/scan.img
    lab_in outside curl -sS -m 5 --interface "$VENDOR" -P - -o /dev/null ftp://192.0.2.70/scan.img
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    2 '.src_ip=="192.0.2.70" and .src_port==21 and .dest_ip=="203.0.113.10" and .initiator=="peer" and .verdict=="unapproved" and (.app_proto|test("FTP"))' 'two control connections, opened by the peer' \
    1 '.src_ip=="192.0.2.70" and .src_port>=40000 and .src_port<=40099 and .initiator=="peer" and .verdict=="unapproved" and .payload_bytes_out==122880 and .payload_bytes_in==0' 'the passive data connection: opened by the peer, the image goes out' \
    1 '.src_ip=="192.0.2.70" and .src_port==20 and .initiator=="equipment" and .verdict=="unapproved" and .payload_bytes_out==122880' 'the active data connection: opened by the equipment'
}

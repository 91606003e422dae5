# shellcheck shell=bash disable=SC2034,SC2154
case_about='A file put on a Windows share abroad (Samba, SMB3).'
case_needs='smbd smbclient'
case_setup() {
    local d=$LAB_DIR/srv/smb
    mkdir -p "$d/share" "$d/state" "$d/private"; chmod 777 "$d/share"
    cat >"$LAB_DIR/etc/smb.conf" <<END
[global]
server role = standalone server
interfaces = $DROP/32
bind interfaces only = yes
smb ports = 445
disable netbios = yes
map to guest = bad user
guest account = nobody
load printers = no
printcap name = /dev/null
pid directory = $d/state
lock directory = $d/state
state directory = $d/state
cache directory = $d/state
private dir = $d/private
ncalrpc dir = $d/state/ncalrpc
log file = $LAB_DIR/log/smbd.log
[scans]
path = $d/share
guest ok = yes
read only = no
END
    lab_bg case-smbd outside smbd -F --no-process-group -s "$LAB_DIR/etc/smb.conf"
    lab_wait_port outside tcp 445
}
case_traffic() {
    lab_in bag4 smbclient -s "$LAB_DIR/etc/smb.conf" -N "//$DROP/scans" \
        -c "put $LAB_DIR/tmp/scan.img scan.img" >/dev/null 2>&1
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.equipment=="BAG-0004" and .dest_ip=="203.0.113.80" and .dest_port==445 and .verdict=="unapproved" and (.app_proto|test("SMB")) and .payload_bytes_out>=122880' 'unapproved SMB that carried the image'
}

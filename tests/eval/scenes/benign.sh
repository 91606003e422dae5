# shellcheck shell=bash disable=SC1091,SC2016,SC2034,SC2154
# What looks like exfiltration and is not.
scene benign-update-http benign approved curl,nginx 'A software update over HTTP from the approved host: 300 KB in.'
s_benign_update_http() { web bag3 "http://updates.maker.example/update.bin"; }

scene benign-update-tls benign approved curl,nginx 'The same over TLS, twice.'
s_benign_update_tls() { every 0.5 2 web nii8 "https://updates.maker.example/update.bin"; }

scene benign-video-udp benign approved socat 'Steady video over UDP to the approved recorder.'
s_benign_video_udp() {
    lab_sink outside udp "$RECORDER" 5004
    lab_in nii7 "$LAB_HERE/send.pl" udp4 "$RECORDER" 5004 1316 150
}
scene benign-video-tcp benign approved socat 'Video over TCP to the approved recorder.'
s_benign_video_tcp() { lab_sink outside tcp "$RECORDER" 8554; raw_to nii7 "$(file 200)" "$RECORDER:8554"; }

scene benign-cdn-dns benign approved dig 'Forty names of a content network, looked up through the approved resolver, and one fetched.'
s_benign_cdn_dns() {
    local i
    for i in $(seq 40); do ask nii7 "img$i-$(printf %04x $((i * 977))).cdn.maker.example" A; done
    web nii7 "http://img1-03d1.cdn.maker.example/update.bin"
}
scene benign-ntp benign approved chronyd 'NTP with the approved clock, polled again and again.'
s_benign_ntp() {
    printf 'local stratum 1\nallow all\nbindaddress %s\ncmdport 0\nbindcmdaddress /\npidfile %s\n' \
        "$NTP" "$LAB_DIR/tmp/chronyd-ntp.pid" >"$LAB_DIR/etc/chrony-ntp"
    lab_bg case-chronyd outside chronyd -x -d -u root -f "$LAB_DIR/etc/chrony-ntp"
    lab_wait_port outside udp 123; sleep 0.3
    local i; for i in 1 2 3 4; do lab_ask_ntp bag4 "$NTP"; done; return 0
}
scene benign-upload benign approved curl,nginx 'A large approved upload of images over TLS.'
s_benign_upload() { send nii7 https://images.aduana.example/scan.img "$(file 400)" -4; }

scene benign-uploads-scans benign approved curl,nginx 'Scan after scan to the approved server, one every 1.5 seconds: equal pieces in rhythm, and right.'
s_benign_uploads_scans() { file 40 >/dev/null; every 1.5 10 send nii7 https://images.aduana.example/scan.img "$LAB_DIR/tmp/blob-40" -4; }

scene benign-ping-big benign approved ping 'Pings of 1,400 bytes to the approved monitor.'
s_benign_ping_big() { lab_in nii8 ping -q -c 15 -i 0.3 -s 1400 "$MONITOR" >/dev/null; }

scene benign-ping benign approved ping 'Pings of the usual size.'
s_benign_ping() { lab_in bag4 ping -q -c 20 -i 0.3 "$MONITOR" >/dev/null; }

scene benign-windows-names benign approved nmblookup 'Name chatter of Windows machines within the network (NetBIOS broadcasts).'
s_benign_windows_names() {
    local n; for n in XRAY7 FILESRV WORKGROUP DOMAIN01 PRINTER; do
        lab_in nii8 timeout 2 nmblookup -B 192.0.2.63 "$n" >/dev/null 2>&1; done; return 0
}
scene benign-mdns benign approved socat 'Multicast DNS and LLMNR that never leave the link.'
s_benign_mdns() {
    local i; for i in 1 2 3 4 5; do
        printf '\0\0\0\0\0\1\0\0\0\0\0\0\5_http\4_tcp\5local\0\0\14\0\1' | lab_in bag3 socat -u - UDP4-DATAGRAM:224.0.0.251:5353,ip-multicast-if=192.0.2.70
        printf '\0\1\0\0\0\1\0\0\0\0\0\0\6xray07\0\0\1\0\1' | lab_in bag3 socat -u - UDP4-DATAGRAM:224.0.0.252:5355,ip-multicast-if=192.0.2.70
        sleep 0.3; done
}
scene benign-dicom benign approved storescu,storescp 'DICOM images to the approved archive.'
s_benign_dicom() {
    lab_bg case-scp outside storescp --ignore -aet ARCHIVE 104; lab_wait_port outside tcp 104
    every 0.7 4 lab_in bag3 storescu -aet XRAY3 -aec ARCHIVE "$ARCHIVE" 104 "$LAB_DIR/tmp/scan.dcm"
}
scene benign-maintenance benign 'approved NII-0007:remote-maintenance? NII-0007:listens?' ssh,sshd 'The approved maintenance session: the maker connects in by SSH.'
s_benign_maintenance() {
    lab_start_sshd sshd-nii7 nii7 192.0.2.10 22
    lab_ssh outside ssh -b "$VENDOR" root@192.0.2.10 'for i in 1 2 3; do uptime; sleep 0.5; done' >/dev/null
}
scene benign-heartbeat benign approved curl,nginx 'A heartbeat to the approved monitor every second: as regular as a beacon.'
s_benign_heartbeat() { every 1 25 web nii8 "http://$MONITOR:8080/post" -d '{"state":"ok"}'; }

scene benign-syslog benign approved logger 'Log lines to the approved monitor.'
s_benign_syslog() { lab_sink outside udp "$MONITOR" 514; local i; for i in $(seq 20); do lab_in bag4 logger -n "$MONITOR" -P 514 -d "belt $i started"; sleep 0.2; done; }

scene benign-snmp benign 'approved BAG-0004:listens?' snmpd,snmpget 'The approved monitor asks by SNMP, every second.'
s_benign_snmp() {
    printf 'agentaddress udp:192.0.2.71:161\nrocommunity public\n' >"$LAB_DIR/etc/snmpd.conf"
    lab_bg case-snmpd bag4 snmpd -f -C -c "$LAB_DIR/etc/snmpd.conf" -Lo -p "$LAB_DIR/tmp/snmpd.pid"; sleep 0.7
    every 1 12 lab_in outside snmpget -v2c -c public --clientaddr="$MONITOR" 192.0.2.71 1.3.6.1.2.1.1.3.0 >/dev/null 2>&1; return 0
}
scene benign-reverse-dns benign approved dig 'Reverse look-ups of a whole subnet.'
s_benign_reverse_dns() { local i; for i in $(seq 60); do ask bag3 -x "198.51.100.$i"; done; }

scene benign-spf benign approved dig 'A few TXT and SRV questions, as mail and domain members ask them.'
s_benign_spf() { local i; for i in 1 2 3 4 5 6; do ask nii8 wide.example TXT; ask nii8 _ldap._tcp.dc.aduana.example SRV; sleep 0.2; done; }

scene benign-ftp benign approved vsftpd,curl 'An approved FTP upload to the archive.'
s_benign_ftp() { scene_vsftpd outside "$ARCHIVE"; lab_in nii7 curl -sS -m 6 -T "$LAB_DIR/tmp/scan.tif" "ftp://$ARCHIVE/up/scan.tif"; }

scene benign-telemetry benign approved mosquitto,mosquitto_pub 'Approved telemetry over MQTT.'
s_benign_telemetry() {
    printf 'listener 1883 %s\nallow_anonymous true\nuser root\n' "$ARCHIVE" >"$LAB_DIR/etc/mosquitto.conf"
    lab_bg case-mosquitto outside mosquitto -c "$LAB_DIR/etc/mosquitto.conf"; lab_wait_port outside tcp 1883
    every 0.5 12 lab_in nii8 mosquitto_pub -h "$ARCHIVE" -i nii8 -q 1 -t scanner/state -m '{"belt":"on"}'
}
scene benign-upload-v6 benign approved curl,nginx 'An approved upload over IPv6.'
s_benign_upload_v6() { send bag3 https://partner.example/x "$(file 200)" -6; }

scene benign-idle-tls benign approved openssl 'One TLS connection to the approved monitor, kept open, a word now and then.'
s_benign_idle_tls() { (for i in 1 2 3 4 5 6; do printf 'GET /post HTTP/1.1\r\nHost: m\r\n\r\n'; sleep 2; done) | lab_in nii8 openssl s_client -quiet -connect "$MONITOR:443" >/dev/null 2>&1; return 0; }

scene benign-browsing benign approved curl,nginx 'An operator at the approved portal: twelve pages at human pace.'
s_benign_browsing() { local i; for i in 0.4 1.3 0.2 2.1 0.7 0.3 1.9 0.5 1.1 0.2 0.9 1.4; do web bag4 https://portal.aduana.example/; sleep "$i"; done; }

scene benign-vpn-partner benign 'approved NII-0007:vpn?' openvpn,socat 'The approved VPN to the partner.'
s_benign_vpn_partner() { scene_openvpn nii7 "$PARTNER" 30; }

scene benign-database-agent benign approved socat 'Small equal messages to the approved archive at human pace.'
s_benign_database_agent() { lab_sink outside tcp "$ARCHIVE" 5432; local i; for i in 0.3 0.9 0.4 1.2 0.2 0.8 1.6 0.3; do raw_to bag3 "$(file 4)" "$ARCHIVE:5432"; sleep "$i"; done; }

scene benign-smb benign approved smbd,smbclient 'An approved copy onto the share of the archive.'
s_benign_smb() { local DROP=$ARCHIVE; . "$LAB_HERE/cases/smb-out.sh"; case_setup; head -c 60000 /dev/urandom >"$LAB_DIR/tmp/scan.img"; case_traffic; }

scene benign-update-check benign 'approved NII-0007:beacon?' curl,nginx 'A check for updates every second: small, regular, approved.'
s_benign_update_check() { every 1 20 web nii7 -I http://updates.maker.example/update.bin; }

scene benign-refused benign approved curl 'The approved monitor is down for a moment: refused and tried again.'
s_benign_refused() { every 0.5 10 web bag3 -m 1 "https://$ARCHIVE:8443/" 2>/dev/null; return 0; }

scene benign-zip-upload benign 'approved NII-0008:archive?' zip,curl 'Logs in a ZIP archive to the approved archive by FTP.'
s_benign_zip_upload() { scene_vsftpd outside "$ARCHIVE"; (cd "$LAB_DIR/tmp" && rm -f l.zip && zip -q l.zip scan.tif); lab_in nii8 curl -sS -m 6 -T "$LAB_DIR/tmp/l.zip" "ftp://$ARCHIVE/up/l.zip"; }

scene benign-tiff-upload benign 'approved NII-0007:inspection-data?' socat 'A TIFF to the approved archive in the clear.'
s_benign_tiff_upload() { lab_sink outside tcp "$ARCHIVE" 9100; raw_to nii7 "$LAB_DIR/tmp/scan.tif" "$ARCHIVE:9100"; }

scene benign-neighbours benign approved ping 'Nothing but address resolution and pings within the network.'
s_benign_neighbours() { lab_in nii7 ping -q -c 6 -i 0.3 192.0.2.11 >/dev/null; lab_in nii7 ping -q -c 4 -i 0.3 2001:db8:120::11 >/dev/null; }

scene benign-dhcp benign approved dnsmasq,perl 'A machine asks for its address by DHCP broadcasts.'
s_benign_dhcp() {
    lab_in bag4 perl -MSocket -e 'socket my $s, PF_INET, SOCK_DGRAM, 0 or die; setsockopt $s, SOL_SOCKET, SO_BROADCAST, 1; setsockopt $s, SOL_SOCKET, SO_REUSEADDR, 1; bind $s, pack_sockaddr_in(68, INADDR_ANY);
        for (1 .. 5) { send $s, pack("CCCCNnnNNNNa16a64a128", 1, 1, 6, 0, 0x1234 + $_, 0, 0, 0, 0, 0, 0, "\x70\xb3\xd5\x00\x40\x04", "", "") . "\x63\x82\x53\x63\x35\1\1\xff", 0, pack_sockaddr_in(67, inet_aton("255.255.255.255")); select undef, undef, undef, 0.3 }'
}
scene benign-cdn-fetch benign approved curl,nginx 'Parts of an update from twelve names of the approved content network.'
s_benign_cdn_fetch() { local i; for i in 01 02 03 04 05 06 07 08 09 10 11 12; do web nii8 "https://part$i-$(printf %x $((0x$i * 7919))).cdn.maker.example/post"; done; }

scene benign-keepalive benign approved socat 'One approved connection that sends a word each second.'
s_benign_keepalive() { lab_sink outside tcp "$ARCHIVE" 4000; (for i in $(seq 12); do echo alive; sleep 1; done) | lab_in bag3 socat -u - "TCP4:$ARCHIVE:4000"; }

scene benign-night-batch benign approved curl,nginx 'The day in one approved batch: eight uploads over TLS, back to back.'
s_benign_night_batch() { file 50 >/dev/null; local i; for i in 1 2 3 4 5 6 7 8; do send bag3 https://images.aduana.example/b$i "$LAB_DIR/tmp/blob-50" -4; done; }

scene benign-both-ways benign approved curl,nginx 'The portal sends as much as it gets: forms and answers.'
s_benign_both_ways() { local i; for i in 1 2 3 4 5; do web nii8 -F "f=@$LAB_DIR/tmp/scan.tif" https://portal.aduana.example/form; web nii8 -r 0-49999 https://portal.aduana.example/update.bin; done; }

scene benign-poll-v6 benign approved curl,nginx 'Small requests to the approved partner over IPv6.'
s_benign_poll_v6() { every 1 6 web bag3 -6 https://partner.example/; }

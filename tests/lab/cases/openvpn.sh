# shellcheck shell=bash disable=SC2034,SC2154
case_about='OpenVPN from a scanner to a server abroad, over udp/1194 and over tcp/443, with an image inside.'
case_needs='openvpn socat'
lab_openvpn() { # NAME NS OPTION…
    local d=$LAB_DIR/etc/tls name=$1 ns=$2; shift 2
    lab_bg "case-$name" "$ns" openvpn --dev-type tun --verb 3 --ca "$d/ca.pem" --cert "$d/server.pem" \
        --key "$d/server.key" --cipher AES-256-GCM --persist-key "$@"
}
case_setup() {
    lab_openvpn ovpn-u outside --dev tunu --ifconfig 192.0.2.225 192.0.2.226 --tls-server --dh none \
        --proto udp --port 1194 --local "$VPN"
    lab_openvpn ovpn-t outside --dev tunt --ifconfig 192.0.2.229 192.0.2.230 --tls-server --dh none \
        --proto tcp-server --port 443 --local "$VPN"
    lab_sink outside udp 0.0.0.0 9999
    lab_wait_port outside udp 1194 && lab_wait_port outside tcp 443
}
case_traffic() {
    lab_openvpn ovpn-cu nii8 --dev tunu --ifconfig 192.0.2.226 192.0.2.225 --tls-client \
        --proto udp --remote "$VPN" 1194 --nobind
    lab_openvpn ovpn-ct nii8 --dev tunt --ifconfig 192.0.2.230 192.0.2.229 --tls-client \
        --proto tcp-client --remote "$VPN" 443 --nobind
    lab_wait 6 grep -q 'Initialization Sequence Completed' "$LAB_DIR/log/case-ovpn-cu" || return 1
    lab_wait 6 grep -q 'Initialization Sequence Completed' "$LAB_DIR/log/case-ovpn-ct" || return 1
    lab_in nii8 "$LAB_HERE/send.pl" udp4 192.0.2.225 9999 1200 30
    lab_in nii8 "$LAB_HERE/send.pl" udp4 192.0.2.229 9999 1200 30
    lab_kill case-ovpn-cu; lab_kill case-ovpn-ct
    lab_kill case-ovpn-u; lab_kill case-ovpn-t   # or they go on while the sensor stops
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.src_ip=="192.0.2.11" and .dest_ip=="203.0.113.99" and .dest_port==1194 and .proto=="udp" and .verdict=="unapproved" and .payload_bytes_out>=36000' 'the tunnel over UDP is unapproved' \
    1 '.src_ip=="192.0.2.11" and .dest_ip=="203.0.113.99" and .dest_port==443 and .proto=="tcp" and .verdict=="unapproved" and .payload_bytes_out>=36000' 'the tunnel over tcp/443 is unapproved' \
    '>=1' '.dest_ip=="203.0.113.99" and (.app_proto|test("OpenVPN"))' 'recognised as OpenVPN' \
    0 '.dest_port==9999' 'its inside is not seen'
}

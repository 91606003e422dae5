# shellcheck shell=bash disable=SC2034,SC2154
case_about='WireGuard from a scanner to a server abroad, on a port that is not its own, with an image inside.'
case_needs='wireguard-go wg socat'
lab_wg() { # NAME NS LOCAL REMOTE
    WG_PROCESS_FOREGROUND=1 lab_bg "case-$1" "$2" wireguard-go -f "$1"
    lab_wait 5 test -S "/var/run/wireguard/$1.sock" || return 1
    lab_in "$2" ip address add "$3" peer "$4" dev "$1"
    lab_in "$2" ip link set "$1" up
}
case_setup() {
    local k=$LAB_DIR/tmp
    (umask 077; wg genkey >"$k/wga"; wg genkey >"$k/wgb")
    lab_wg wga outside 192.0.2.233 192.0.2.234 && lab_wg wgb nii8 192.0.2.234 192.0.2.233 || return 1
    lab_in outside wg set wga private-key "$k/wga" listen-port 4500 peer "$(wg pubkey <"$k/wgb")" allowed-ips 192.0.2.234/32
    lab_in nii8 wg set wgb private-key "$k/wgb" peer "$(wg pubkey <"$k/wga")" allowed-ips 192.0.2.233/32 endpoint "$VPN:4500"
    lab_sink outside udp 0.0.0.0 9999
}
case_traffic() {
    lab_in nii8 "$LAB_HERE/send.pl" udp4 192.0.2.233 9999 1200 30
    sleep 0.3
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.src_ip=="192.0.2.11" and .dest_ip=="203.0.113.99" and .dest_port==4500 and .verdict=="unapproved" and .payload_bytes_out>=36000' 'the tunnel is unapproved' \
    1 '.dest_port==4500 and .channel[0].kind=="vpn" and .channel[0].name=="WireGuard" and .channel[0].by=="label"' 'and named WireGuard, on the port of another' \
    0 '.dest_port==9999' 'its inside is not seen'
}

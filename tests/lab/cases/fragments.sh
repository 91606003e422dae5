# shellcheck shell=bash disable=SC2034,SC2154
case_about='UDP datagrams of 8,000 bytes in fragments, IPv4 and IPv6: every fragment belongs to its flow.'
case_needs='perl socat'
case_setup() { lab_sink outside udp "$STRANGER" 9000; lab_sink outside udp "$DROP6" 9006; }
case_traffic() {
    lab_in nii8 "$LAB_HERE/send.pl" udp4 "$STRANGER" 9000 8000 5
    lab_in nii8 "$LAB_HERE/send.pl" udp6 "$DROP6" 9006 8000 5
}
case_expect() {
    # v4: 6 fragments of 20 more bytes; v6: 6 of 48 (header and fragment header); UDP's 8 once.
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="203.0.113.77" and .dest_port==9000 and .proto=="udp" and .verdict=="unapproved" and .packets_out==30 and .ip_bytes_out==5*(8008+6*20) and .payload_bytes_out==40000' 'IPv4: one flow with all of its fragments' \
    1 '.dest_ip=="2001:db8:f100::80" and .dest_port==9006 and .proto=="udp" and .verdict=="unapproved" and .packets_out==30 and .ip_bytes_out==5*(8008+6*48) and .payload_bytes_out==40000' 'IPv6: the same' \
    0 '(.dest_ip=="203.0.113.77" or .dest_ip=="2001:db8:f100::80") and .dest_port!=9000 and .dest_port!=9006' 'and no other row for them'
}

# shellcheck shell=bash disable=SC2034,SC2154
case_about='ICMP echo with 1,400 bytes of payload each, over IPv4 and IPv6, answered by the kernel of the other side.'
case_needs='perl'
case_traffic() {
    lab_in nii8 "$LAB_HERE/send.pl" icmp4 "$STRANGER" 1400 20
    lab_in nii8 "$LAB_HERE/send.pl" icmp6 "$DROP6" 1400 20
    sleep 0.2
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.src_ip=="192.0.2.11" and .dest_ip=="203.0.113.77" and (.proto|test("^icmp$";"i")) and .verdict=="unapproved" and .packets_out==20 and .packets_in==20 and .ip_bytes_out==28560' 'ICMP, to the byte' \
    1 '.src_ip=="2001:db8:120::11" and .dest_ip=="2001:db8:f100::80" and (.proto|test("icmp-?v?6";"i")) and .verdict=="unapproved" and .packets_out==20 and .ip_bytes_out==28960' 'ICMPv6, to the byte'
}

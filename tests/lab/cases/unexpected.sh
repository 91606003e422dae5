# shellcheck shell=bash disable=SC2034,SC2154
case_about='What site.yaml does not expect on the wire: IPv6 from a machine and a network that have none, VLAN tags that nobody configured, a tunnel within a tunnel.'
case_needs='curl nginx perl socat'
case_sums=no   # the inside of a tunnel may be recorded beside the outside
case_note='The tags are two: the switch port is one of a service VLAN (dot1q-tunnel, 802.1ad), and the machine sends frames with a tag of its own. The kernel of the lab has no gre and ipip devices, tunnel.pl stands for them: GRE carries IP-in-IP, which carries an HTTP upload.'
# Its cargo network has no IPv6, and neither have its machines.
case_whole_site() {
    lab_site | sed -e 's/, "2001:db8:120::\/64"//' -e 's/, "2001:db8:120::1[01]"//'
}
unexpected_tunnels() {
    local h dev addr far
    for h in nii8:192.0.2.11:203.0.113.47:192.0.2.205:192.0.2.206 outside:203.0.113.47:192.0.2.11:192.0.2.206:192.0.2.205; do
        IFS=: read -r h addr far in in_far <<<"$h"
        lab_bg "case-gre-$h" "$h" "$LAB_HERE/tunnel.pl" gre u1 "$addr" "$far"
        lab_wait 3 ip -n "$h" link show u1
        ip -n "$h" addr add "$in/30" dev u1; ip -n "$h" link set u1 mtu 1400 up
        lab_bg "case-ipip-$h" "$h" "$LAB_HERE/tunnel.pl" ipip u2 "$in" "$in_far"
        lab_wait 3 ip -n "$h" link show u2
    done
    ip -n nii8 addr add 192.0.2.209/30 dev u2; ip -n outside addr add 192.0.2.210/30 dev u2
    ip -n nii8 link set u2 mtu 1300 up; ip -n outside link set u2 mtu 1300 up
}
case_setup() {
    unexpected_tunnels
    lab_bg case-serve outside socat -u TCP4-LISTEN:8088,bind=192.0.2.210,reuseaddr OPEN:/dev/null
    lab_wait_port outside tcp 8088
}
# A port of a service VLAN lets a machine choose a tag of its own.
unexpected_tags() {
    lab_vsctl set port p-bag4 vlan_mode=dot1q-tunnel
    lab_in bag4 ping -q -c 1 -W 1 192.0.2.65 >/dev/null 2>&1
    lab_in bag4 "$LAB_HERE/send.pl" tagged "$DROP" 9 400 6 99
    lab_vsctl set port p-bag4 vlan_mode=access
}
case_traffic() {
    lab_put nii7 "https://[$DROP6]/x.img" -k || return 1
    head -c 60000 "$LAB_DIR/tmp/scan.img" | lab_in nii8 socat -u - TCP4:192.0.2.210:8088 || return 1
    unexpected_tags
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.equipment=="NII-0007" and .dest_ip=="2001:db8:f100::80" and .verdict=="unapproved" and (.reasons|index("address-not-in-network")) and (.detections//[]|index("unexpected-ipv6"))' 'IPv6 where none is expected, known by the MAC' \
    '>=1' '.src_ip=="192.0.2.11" and .dest_ip=="203.0.113.47" and .verdict=="unapproved" and (.detections//[]|index("nested-tunnel")) and .ip_bytes_out>60000' 'a tunnel within a tunnel, with its bytes' \
    '>=1' '.equipment=="BAG-0004" and .dest_ip=="203.0.113.80" and .vlan==[130,99] and (.detections//[]|index("stacked-tags"))' 'two tags where one is configured'
}

# shellcheck shell=bash disable=SC2034,SC2154
case_about='Between the two scanner networks, both of them mirrored: DICOM, datagrams in fragments and ICMP from VLAN 120 to 130, a TCP upload over IPv6 from 130 to 120. The router passes each packet on, so each is seen twice, and counts once.'
case_needs='storescu storescp img2dcm socat perl'
# Who is asked, and the VLAN of who asks: there tshark counts each packet once.
case_peers='120:192.0.2.71 120:2001:db8:130::71 130:2001:db8:120::10'
case_setup() {
    lab_make_dicom "$LAB_DIR/tmp/scan.dcm"
    lab_blob "$LAB_DIR/tmp/upload" 80
    lab_bg case-scp-bag4 bag4 storescp --ignore -aet BAG4 104
    lab_wait_port bag4 tcp 104 && lab_sink bag4 udp 192.0.2.71 9000 && lab_sink bag4 udp 2001:db8:130::71 9006 &&
        lab_sink nii7 tcp 2001:db8:120::10 5000
}
case_traffic() {
    lab_in nii8 storescu -aet NII8 -aec BAG4 192.0.2.71 104 "$LAB_DIR/tmp/scan.dcm"
    lab_in nii8 "$LAB_HERE/send.pl" udp4 192.0.2.71 9000 8000 3
    lab_in nii8 "$LAB_HERE/send.pl" udp6 2001:db8:130::71 9006 8000 3
    lab_in nii8 "$LAB_HERE/send.pl" icmp4 192.0.2.71 1400 20
    lab_in nii8 "$LAB_HERE/send.pl" icmp6 2001:db8:130::71 1400 20
    lab_in bag3 socat -u "OPEN:$LAB_DIR/tmp/upload" 'TCP6:[2001:db8:120::10]:5000'
    sleep 0.2
}
case_expect() {
    local nii8='.src_mac=="70:b3:d5:cc:90:08" and .equipment=="NII-0008" and .vlan==[120] and .verdict=="unapproved"'
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="192.0.2.71" and .dest_port==104 and .app_proto=="DICOM" and .payload_bytes_out>120000 and '"$nii8" 'DICOM: one transfer, with the MAC and the VLAN of who began it' \
    1 '.dest_ip=="192.0.2.71" and .dest_port==9000 and .packets_out==18 and .ip_bytes_out==3*(8008+6*20) and .payload_bytes_out==24000 and '"$nii8" 'datagrams over IPv4, with all of their fragments, to the byte' \
    1 '.dest_ip=="2001:db8:130::71" and .dest_port==9006 and .packets_out==18 and .ip_bytes_out==3*(8008+6*48) and .payload_bytes_out==24000 and '"$nii8" 'over IPv6, to the byte' \
    1 '.dest_ip=="192.0.2.71" and .proto=="icmp" and .packets_out==20 and .packets_in==20 and .ip_bytes_out==28560 and '"$nii8" 'ICMP, to the byte' \
    1 '.dest_ip=="2001:db8:130::71" and (.proto|test("icmp-?v?6";"i")) and .packets_out==20 and .ip_bytes_out==28960 and '"$nii8" 'ICMPv6, to the byte' \
    1 '.src_ip=="2001:db8:130::70" and .dest_ip=="2001:db8:120::10" and .dest_port==5000 and .equipment=="BAG-0003" and .src_mac=="00:50:c2:2b:20:03" and .vlan==[130] and .network=="baggage" and .payload_bytes_out==81920' 'the other way: inside is the end that opened it' \
    5 '(.src_ip=="192.0.2.11" or .src_ip=="2001:db8:120::11") and .dest_port!=53' 'nothing is there twice' \
    0 '((.reasons // [])|index("mac-mismatch")) or ((.equipment // "")|startswith("unknown"))' "the router's MAC is nobody's"
}

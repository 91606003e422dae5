# shellcheck shell=bash disable=SC2034,SC2154
case_about='An approved upload over TLS to the national image server, its name given by DNS; and one of the other machine that the approval does not name.'
case_needs='curl nginx dnsmasq'
case_site() {
    lab_approval APR-IMAGES 'equipment: [NII-0007]' 'to: {hosts: [images.aduana.example]}' \
        'ports: [tcp/443]' 'apps: [TLS]' 'initiator: equipment'
}
case_traffic() {
    lab_put nii7 https://images.aduana.example/scan.img -4
    lab_put nii8 https://images.aduana.example/scan.img -4
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.equipment=="NII-0007" and .dest_ip=="198.51.100.20" and .dest_port==443 and .verdict=="approved" and .approval=="APR-IMAGES"' 'the upload of NII-0007 is approved by APR-IMAGES' \
    1 '.equipment=="NII-0007" and .dest_port==443 and .hostname=="images.aduana.example" and .hostname_source=="sni" and .hostname_verified==true and .encrypted==true' 'its name is from the SNI and DNS gave it' \
    1 '.equipment=="NII-0007" and .dest_port==443 and .payload_bytes_out>=122880 and .payload_bytes_out<140000 and .initiator=="equipment" and .vlan==[120]' 'its bytes, initiator and VLAN' \
    1 '.equipment=="NII-0008" and .dest_ip=="198.51.100.20" and .dest_port==443 and .verdict=="unapproved" and (.reasons|index("no-approval"))' 'the upload of NII-0008 is unapproved: no-approval' \
    '>=2' '.dest_ip=="198.51.100.53" and .dest_port==53 and .proto=="udp" and .verdict=="approved" and .approval=="APR-DNS"' 'the questions to the resolver are approved' \
    0 '.verdict=="unapproved" and .equipment=="NII-0007"' 'nothing else of NII-0007 is unapproved'
}

# shellcheck shell=bash disable=SC2034,SC2154
case_about='A plain HTTP upload to the approved server, whose approval is for tcp/443.'
case_needs='curl nginx dnsmasq'
case_site() {
    lab_approval APR-IMAGES 'equipment: [NII-0007]' "to: {prefixes: [$IMAGES/32]}" \
        'ports: [tcp/443]' 'initiator: equipment'
}
case_traffic() { lab_put nii7 http://images.aduana.example/scan.img -4; }
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="198.51.100.20" and .dest_port==80 and .verdict=="unapproved" and (.reasons|index("port-not-approved"))' 'unapproved: port-not-approved' \
    1 '.dest_port==80 and .app_proto=="HTTP" and .hostname=="images.aduana.example" and .hostname_source=="http" and (.encrypted==true|not)' 'it is HTTP in the clear, the name from its Host header'
}

# shellcheck shell=bash disable=SC2034,SC2154
case_about='A machine that is in no inventory, in the scanner VLAN, uploads to an approved server.'
case_needs='curl nginx dnsmasq'
case_site() {
    lab_approval APR-NET 'equipment: [cargo-xray]' "to: {prefixes: [$IMAGES/32]}" \
        'ports: [tcp/443]' 'initiator: equipment'
}
case_traffic() { lab_put rogue https://images.aduana.example/scan.img -4; }
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="198.51.100.20" and .equipment=="unknown:00:00:5e:00:53:66" and .verdict=="unapproved" and (.reasons|index("unknown-equipment"))' 'unapproved: unknown-equipment, named by its MAC'
}

# shellcheck shell=bash disable=SC2034,SC2154
case_about='A TLS upload whose SNI is an approved name, to an address that no DNS answer ever gave for it (curl --resolve).'
case_needs='curl nginx'
case_site() {
    lab_approval APR-IMAGES 'equipment: [NII-0007]' 'to: {hosts: [images.aduana.example]}' \
        'ports: [tcp/443]' 'apps: [TLS]' 'initiator: equipment'
}
case_traffic() {
    lab_put nii7 https://images.aduana.example/scan.img -4 --resolve "images.aduana.example:443:$DROP"
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="203.0.113.80" and .dest_port==443 and .verdict=="unapproved" and (.reasons|index("name-not-verified"))' 'unapproved: name-not-verified' \
    1 '.dest_ip=="203.0.113.80" and .hostname=="images.aduana.example" and .hostname_source=="sni" and .hostname_verified==false' 'the name is recorded, and that it is not verified'
}

# shellcheck shell=bash disable=SC2034,SC2154
case_about='An upload whose approval ran out years ago.'
case_needs='curl nginx dnsmasq'
case_site() {
    lab_approval APR-OLD 'equipment: [NII-0007]' "to: {prefixes: [$IMAGES/32]}" \
        'ports: [tcp/443]' 'initiator: equipment' 'valid: 2019-01-01..2019-12-31'
}
case_traffic() { lab_put nii7 https://images.aduana.example/scan.img -4; }
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="198.51.100.20" and .verdict=="unapproved" and (.reasons|index("approval-expired"))' 'unapproved: approval-expired'
}

# shellcheck shell=bash disable=SC2034,SC2154
case_about='Two uploads of 120 KiB under an approval for 200 KB a day: the second goes past it.'
case_needs='curl nginx dnsmasq'
case_site() {
    lab_approval APR-IMAGES 'equipment: [NII-0007]' "to: {prefixes: [$IMAGES/32]}" \
        'ports: [tcp/443]' 'initiator: equipment' 'limit: {out: 200KB, per: day}'
}
case_traffic() {
    lab_put nii7 https://images.aduana.example/one.img -4
    sleep 2.2   # live, limits are counted at the checkpoints, of each second at best
    lab_put nii7 https://images.aduana.example/two.img -4
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="198.51.100.20" and .verdict=="approved" and .approval=="APR-IMAGES"' 'the first upload is approved' \
    1 '.dest_ip=="198.51.100.20" and .verdict=="unapproved" and (.reasons|index("limit-exceeded"))' 'the second is unapproved: limit-exceeded'
}

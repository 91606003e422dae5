# shellcheck shell=bash disable=SC2034,SC2154
case_about='An upload outside the hours of its approval (hours chosen to exclude the moment of the run).'
case_needs='curl nginx dnsmasq'
case_site() {
    local h='00:00-02:00'
    # 03:00 local or later is outside 00:00-02:00 for the next 21 hours, earlier is outside 12:00-14:00.
    [ "$(TZ=$LAB_TIMEZONE date +%H)" -ge 3 ] || h='12:00-14:00'
    lab_approval APR-IMAGES 'equipment: [NII-0007]' "to: {prefixes: [$IMAGES/32]}" \
        'ports: [tcp/443]' 'initiator: equipment' "hours: \"Mon-Sun $h\""
}
case_traffic() { lab_put nii7 https://images.aduana.example/scan.img -4; }
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="198.51.100.20" and .verdict=="unapproved" and (.reasons|index("outside-hours"))' 'unapproved: outside-hours'
}

# shellcheck shell=bash disable=SC2034,SC2154
case_about='Uploads over IPv6: an approved one to the national image server, an unapproved one abroad.'
case_needs='curl nginx dnsmasq'
case_site() { lab_approval_images; }
case_traffic() {
    lab_put nii7 https://images.aduana.example/scan.img -6
    lab_put nii7 https://files.abroad.example/scan.img -6
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="2001:db8:f000::20" and .dest_port==443 and .verdict=="approved" and .approval=="APR-IMAGES" and .equipment=="NII-0007"' 'the upload to the image server is approved' \
    1 '.dest_ip=="2001:db8:f100::80" and .dest_port==443 and .verdict=="unapproved" and .src_ip=="2001:db8:120::10" and .equipment=="NII-0007" and .payload_bytes_out>=122880' 'the upload abroad is unapproved' \
    0 '.verdict=="unapproved" and .dest_ip!="2001:db8:f100::80"' 'nothing else is: neighbour discovery is housekeeping'
}

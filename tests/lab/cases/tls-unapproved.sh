# shellcheck shell=bash disable=SC2034,SC2154
case_about='The same upload to a storage provider nobody approved, once with TLS 1.2 and once with TLS 1.3; DNS gave its name.'
case_needs='curl nginx dnsmasq'
case_site() { lab_approval_images; }
case_traffic() {
    lab_put nii7 https://drop.cloud.example/scan12.img -4 --tls-max 1.2
    lab_put nii7 https://drop.cloud.example/scan13.img -4
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    2 '.dest_ip=="198.51.100.200" and .dest_port==443 and .verdict=="unapproved" and (.reasons|length)>0' 'both uploads are unapproved, with a reason' \
    2 '.dest_ip=="198.51.100.200" and .hostname=="drop.cloud.example" and .hostname_verified==true and .payload_bytes_out>=122880' 'their verified name and their bytes' \
    2 '.dest_ip=="198.51.100.200" and .src_ip=="192.0.2.10" and .src_mac=="c0:9b:f4:b0:00:07" and .vendor=="nuctech"' 'the machine'
}

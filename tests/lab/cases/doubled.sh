# shellcheck shell=bash disable=SC2034,SC2154
case_about='A mirror of ingress and egress of every port: each frame arrives twice, and counts once.'
case_needs='curl nginx dnsmasq'
case_mirror=doubled case_sums=no
case_site() { lab_approval_images; }
case_traffic() { lab_put nii7 https://drop.cloud.example/scan.img -4; }
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="198.51.100.200" and .dest_port==443 and .verdict=="unapproved" and .payload_bytes_out>=122880 and .ip_bytes_out<150000 and .packets_out<150' 'the upload is counted once'
}

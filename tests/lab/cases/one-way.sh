# shellcheck shell=bash disable=SC2034,SC2154
case_about='A mirror of one direction only: what the machines send. No answer is ever seen, of DNS neither.'
case_needs='curl nginx dnsmasq'
case_mirror=one-way
case_site() { lab_approval_images; }
case_traffic() { lab_put nii7 https://drop.cloud.example/scan.img -4; }
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="198.51.100.200" and .dest_port==443 and .verdict=="unapproved" and .payload_bytes_out>=122880 and .ip_bytes_in==0 and .packets_in==0' 'the upload is counted, one way' \
    1 '.dest_ip=="198.51.100.200" and .initiator=="equipment" and (.hostname_verified==true|not)' 'its name is not verified: no answer was seen'
}

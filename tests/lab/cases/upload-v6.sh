# shellcheck shell=bash disable=SC2034,SC2154
case_about='One small upload (20 KiB) over TLS and IPv6 that nobody approved. make-variants.sh makes the extension headers from this recording.'
case_needs='curl nginx dnsmasq'
case_traffic() {
    local LAB_IMAGE=$LAB_DIR/tmp/small.img
    lab_blob "$LAB_IMAGE" 20
    lab_put nii7 https://files.abroad.example/scan.img -6
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.equipment=="NII-0007" and .dest_ip=="2001:db8:f100::80" and .dest_port==443 and .verdict=="unapproved" and .hostname=="files.abroad.example" and .hostname_verified==true and .payload_bytes_out>=20480' 'the upload is unapproved' \
    0 '.verdict=="unapproved" and .dest_ip!="2001:db8:f100::80"' 'and nothing else is'
}

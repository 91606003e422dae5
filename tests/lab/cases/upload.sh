# shellcheck shell=bash disable=SC2034,SC2154
case_about='One small upload (20 KiB) over TLS that nobody approved, and the DNS question before it. make-variants.sh makes the encapsulations and file formats from this recording.'
case_needs='curl nginx dnsmasq'
case_traffic() {
    local LAB_IMAGE=$LAB_DIR/tmp/small.img
    lab_blob "$LAB_IMAGE" 20
    lab_put nii7 https://drop.cloud.example/scan.img -4
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.equipment=="NII-0007" and .dest_ip=="198.51.100.200" and .dest_port==443 and .verdict=="unapproved" and .hostname=="drop.cloud.example" and .hostname_verified==true and .payload_bytes_out>=20480' 'the upload is unapproved' \
    1 '.equipment=="NII-0007" and .dest_ip=="198.51.100.53" and .dest_port==53 and .verdict=="approved"' 'the question is approved'
}

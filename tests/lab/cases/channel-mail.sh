# shellcheck shell=bash disable=SC2034,SC2154
case_about='An image as an attachment of a mail, to a mail server abroad on its port, and on another.'
case_needs='swaks'
case_setup() {
    lab_bg case-smtp25 outside /usr/bin/python3 -m aiosmtpd -n -u -l "$STRANGER:25"
    lab_bg case-smtp2525 outside /usr/bin/python3 -m aiosmtpd -n -u -l "$STRANGER:2525"
    lab_wait_port outside tcp 25 && lab_wait_port outside tcp 2525
}
case_traffic() {
    local p
    for p in 25 2525; do
        lab_in nii8 swaks --silent 2 --server "$STRANGER" --port $p --helo nii8.example --from a@aduana.example \
            --to b@abroad.example --header 'Subject: scan' --attach "@$LAB_DIR/tmp/scan.img" || return 1
    done
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    2 '.dest_ip=="203.0.113.77" and .verdict=="unapproved" and .payload_bytes_out>=122880' 'both are unapproved' \
    2 '.channel[0].kind=="mail" and .channel[0].name=="SMTP" and .channel[0].by=="label"' 'both are named mail'
}

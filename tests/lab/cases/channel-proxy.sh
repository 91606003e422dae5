# shellcheck shell=bash disable=SC2034,SC2154
case_about='An upload through a SOCKS proxy abroad, one through an HTTP proxy with CONNECT, one without.'
case_needs='curl nginx microsocks tinyproxy'
case_setup() {
    lab_bg case-socks outside microsocks -i "$STRANGER" -p 1080
    printf 'Port 8888\nListen %s\nTimeout 10\nLogLevel Error\nMaxClients 10\nUser root\n' "$STRANGER" >"$LAB_DIR/etc/tinyproxy.conf"
    lab_bg case-http outside tinyproxy -d -c "$LAB_DIR/etc/tinyproxy.conf"
    lab_wait_port outside tcp 1080 && lab_wait_port outside tcp 8888
}
case_traffic() {
    lab_put nii8 http://files.abroad.example/a.img -4 --socks5 "$STRANGER:1080" --resolve "files.abroad.example:80:$DROP"
    lab_put nii8 https://files.abroad.example/b.img -4 --proxy "http://$STRANGER:8888" --proxytunnel
    lab_put nii8 http://files.abroad.example/c.img -4 --proxy "http://$STRANGER:8888"
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_port==1080 and .verdict=="unapproved" and .payload_bytes_out>=122880 and .channel[0].kind=="proxy" and .channel[0].name=="SOCKS" and .channel[0].by=="content"' 'the SOCKS proxy is named by its first bytes' \
    2 '.dest_port==8888 and .verdict=="unapproved" and .payload_bytes_out>=122880 and .channel[0].kind=="proxy" and .channel[0].name=="HTTP proxy"' 'so is the HTTP proxy, with CONNECT and without' \
    1 '.dest_port==8888 and (.content|tostring|contains("files.abroad.example:443"))' 'and whom it was asked for'
}

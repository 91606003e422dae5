# shellcheck shell=bash disable=SC2034,SC2154
case_about='The approved maintenance host, and a stranger, take the screen of a scanner over VNC: what is on it leaves as an image.'
case_needs='x11vnc Xvfb vncsnapshot'
case_site() {
    lab_approval APR-MAINT 'equipment: [NII-0007]' "to: {prefixes: [$VENDOR/32]}" \
        'ports: [tcp/5900]' 'apps: [VNC]' 'initiator: peer'
}
case_setup() {
    lab_bg case-x nii7 Xvfb :7 -screen 0 320x240x24 -nolisten tcp
    lab_wait 5 test -S /tmp/.X11-unix/X7 || return 1
    lab_bg case-vnc nii7 x11vnc -display :7 -forever -shared -nopw -noxdamage -rfbport 5900 -noipv6
    lab_wait_port nii7 tcp 5900
}
case_traffic() {
    # vncsnapshot binds to no address of its own: the route does
    local a via
    via=$(lab_in outside ip -4 route get 192.0.2.10 | sed -n 's/.* via \([^ ]*\) dev \([^ ]*\).*/via \1 dev \2/p')
    for a in "$VENDOR" "$STRANGER"; do
        # shellcheck disable=SC2086  # words of a route
        lab_in outside ip route replace 192.0.2.10/32 $via src "$a" || return 1
        lab_in outside vncsnapshot -quiet -ignoreblank 192.0.2.10:0 "$LAB_DIR/tmp/screen.jpg" || return 1
    done
    lab_in outside ip route del 192.0.2.10/32
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.src_port==5900 and .dest_ip=="203.0.113.10" and .verdict=="approved" and .approval=="APR-MAINT"' 'the session of the maintenance host is approved' \
    1 '.src_port==5900 and .dest_ip=="203.0.113.77" and .verdict=="unapproved"' 'that of the stranger is not' \
    2 '.src_port==5900 and .channel[0].kind=="remote-maintenance" and .channel[0].name=="VNC"' 'both are named remote maintenance' \
    2 '.src_port==5900 and .initiator=="peer" and .ip_bytes_out > .ip_bytes_in' 'the screen goes out'
}

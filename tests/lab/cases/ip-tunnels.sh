# shellcheck shell=bash disable=SC2034,SC2154
case_about='GRE, IP-in-IP and 6in4 tunnels opened by a scanner (its own address is the outer source), an HTTP upload inside each.'
case_needs='perl curl nginx'
case_sums=no   # the inside may be recorded beside the outside
case_setup() {
    local kind n=0 a b p
    for kind in gre ipip 6in4; do
        n=$((n + 1))
        a=192.0.2.$((202 + n * 4))/30 b=192.0.2.$((201 + n * 4))/30
        [ "$kind" != 6in4 ] || { a=2001:db8:f600::1/64; b=2001:db8:f600::2/64; }
        lab_bg "case-$kind-o" outside "$LAB_HERE/tunnel.pl" "$kind" "t$n" "$TUNNEL" 192.0.2.11
        lab_bg "case-$kind-i" nii8 "$LAB_HERE/tunnel.pl" "$kind" "t$n" 192.0.2.11 "$TUNNEL"
        lab_wait 3 ip -n outside link show "t$n"; lab_wait 3 ip -n nii8 link show "t$n"
        p=''; [ "$kind" != 6in4 ] || p=nodad
        # shellcheck disable=SC2086
        ip -n outside addr add "$a" dev "t$n" $p; ip -n nii8 addr add "$b" dev "t$n" $p
        ip -n outside link set "t$n" mtu 1400 up; ip -n nii8 link set "t$n" mtu 1400 up
    done
    printf 'user root; worker_processes 1; daemon off; pid %s; error_log stderr;\nevents {}\nhttp { access_log off; client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s; uwsgi_temp_path %s; scgi_temp_path %s; client_max_body_size 9m; server { listen 8088; listen [::]:8088; root %s; dav_methods PUT; } }\n' \
        "$LAB_DIR/tmp/nginx2.pid" "$LAB_DIR"/tmp/{b2,p2,f2,u2,s2} "$LAB_DIR/srv/www" >"$LAB_DIR/etc/nginx2.conf"
    lab_bg case-nginx2 outside nginx -e stderr -c "$LAB_DIR/etc/nginx2.conf"
    lab_wait_port outside tcp 8088
}
case_traffic() {
    lab_put nii8 http://192.0.2.206:8088/gre.img
    lab_put nii8 http://192.0.2.210:8088/ipip.img
    lab_put nii8 'http://[2001:db8:f600::1]:8088/6in4.img'
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    '>=3' '.src_ip=="192.0.2.11" and .dest_ip=="203.0.113.47" and .verdict=="unapproved" and .ip_bytes_out>=122880' 'each tunnel is an unapproved transfer with all its bytes' \
    1 '.dest_ip=="203.0.113.47" and (.proto|test("gre";"i")) and .ip_bytes_out>=122880' 'GRE' \
    0 '.dest_port==8088 and .verdict=="approved"' 'what is inside is approved by nothing'
}

# shellcheck shell=bash disable=SC2034,SC2154
case_about='Names asked for over TLS (DoT) and over HTTPS (DoH) from a resolver abroad.'
case_needs='unbound kdig nginx'
case_setup() {
    local d=$LAB_DIR/etc/tls
    cat >"$LAB_DIR/etc/unbound.conf" <<END
server:
  username: ""
  chroot: ""
  directory: "$LAB_DIR/tmp"
  pidfile: "$LAB_DIR/tmp/unbound.pid"
  use-syslog: no
  do-daemonize: no
  interface: $NS2@853
  interface: $NS2@443
  access-control: 0.0.0.0/0 allow
  tls-service-key: "$d/server.key"
  tls-service-pem: "$d/server.pem"
  local-zone: "abroad.example." static
  local-data: "relay.abroad.example. A $DROP"
END
    lab_bg case-unbound outside unbound -d -c "$LAB_DIR/etc/unbound.conf"
    lab_wait_port outside tcp 853 && lab_wait_port outside tcp 443
}
case_traffic() {
    lab_in nii7 kdig +tls +time=3 "@$NS2" relay.abroad.example A | grep -q "$DROP" || return 1
    lab_in nii7 kdig +https +tls-sni=dns.quad9.net +time=3 "@$NS2" relay.abroad.example A | grep -q "$DROP"
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="203.0.113.53" and .dest_port==853 and .verdict=="unapproved" and .channel[0].kind=="encrypted-dns"' 'DNS over TLS is named' \
    1 '.dest_ip=="203.0.113.53" and .dest_port==443 and .channel[0].kind=="encrypted-dns" and .channel[0].name=="Quad9" and .channel[0].by=="host"' 'DNS over HTTPS by the name of its resolver' \
    1 '.dest_port==443 and .country!="CH" and .jurisdiction=="CH"' 'whose law is another than the place of the address'
}

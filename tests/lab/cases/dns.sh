# shellcheck shell=bash disable=SC2034,SC2154
case_about='DNS over UDP and TCP to the approved resolver, and to a resolver abroad.'
case_needs='dig dnsmasq'
case_setup() {
    lab_bg case-dns2 outside dnsmasq --keep-in-foreground -C /dev/null --no-resolv --no-hosts --user=root --pid-file= \
        --bind-interfaces --listen-address="$NS2" --host-record="relay.abroad.example,$DROP"
    lab_wait 3 lab_in outside dig +short +time=1 +tries=1 "@$NS2" relay.abroad.example
}
case_traffic() {
    lab_in nii7 dig +time=2 +tries=1 "@$RESOLVER" images.aduana.example A
    lab_in nii7 dig +time=2 +tries=1 "@$RESOLVER" images.aduana.example AAAA
    lab_in nii7 dig +time=2 +tries=1 +tcp "@$RESOLVER" drop.cloud.example A
    lab_in nii7 dig +time=2 +tries=1 "@$NS2" relay.abroad.example A
    lab_in nii7 dig +time=2 +tries=1 +tcp "@$NS2" relay.abroad.example A
} >/dev/null
case_expect() {
    printf '%s\t%s\t%s\n' \
    2 '.dest_ip=="198.51.100.53" and .dest_port==53 and .proto=="udp" and .verdict=="approved"' 'UDP to the resolver is approved' \
    1 '.dest_ip=="198.51.100.53" and .dest_port==53 and .proto=="tcp" and .verdict=="approved"' 'so is TCP' \
    2 '.dest_ip=="203.0.113.53" and .dest_port==53 and .verdict=="unapproved"' 'the resolver abroad is unapproved, UDP and TCP' \
    5 '.dest_port==53 and (.app_proto|test("DNS"))' 'all are DNS'
}

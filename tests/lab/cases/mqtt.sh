# shellcheck shell=bash disable=SC2034,SC2154
case_about='A scanner publishes telemetry, then an image, to an MQTT broker abroad.'
case_needs='mosquitto mosquitto_pub'
case_setup() {
    printf 'listener 1883 %s\nallow_anonymous true\nuser root\n' "$DROP" >"$LAB_DIR/etc/mosquitto.conf"
    lab_bg case-mosquitto outside mosquitto -c "$LAB_DIR/etc/mosquitto.conf"
    lab_wait_port outside tcp 1883
}
case_traffic() {
    lab_in nii8 mosquitto_pub -h "$DROP" -i nii8 -q 1 -t scanner/state -m '{"belt":"on","kv":160}'
    lab_in nii8 mosquitto_pub -h "$DROP" -i nii8 -q 1 -t scanner/image -f "$LAB_DIR/tmp/scan.img"
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    2 '.equipment=="NII-0008" and .dest_ip=="203.0.113.80" and .dest_port==1883 and .verdict=="unapproved" and (.app_proto|test("MQTT"))' 'both connections are unapproved MQTT' \
    1 '.dest_port==1883 and .payload_bytes_out>=122880' 'one of them carried the image'
}

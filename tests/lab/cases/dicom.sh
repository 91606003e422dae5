# shellcheck shell=bash disable=SC2034,SC2154
case_about='DICOM C-STORE of a 120 kB image: approved to the archive on port 104, unapproved abroad on port 11112.'
case_needs='storescu storescp img2dcm'
case_site() {
    lab_approval APR-PACS 'equipment: [BAG-0003]' "to: {prefixes: [$IMAGES/32]}" \
        'ports: [tcp/104]' 'apps: [DICOM]' 'initiator: equipment'
}
case_setup() {
    lab_make_dicom "$LAB_DIR/tmp/scan.dcm"
    lab_bg case-scp104 outside storescp --ignore -aet ARCHIVE 104
    lab_bg case-scp11112 outside storescp --ignore -aet OUTSIDE 11112
    lab_wait_port outside tcp 104 && lab_wait_port outside tcp 11112
}
case_traffic() {
    lab_in bag3 storescu -aet XRAY3 -aec ARCHIVE "$IMAGES" 104 "$LAB_DIR/tmp/scan.dcm"
    lab_in bag3 storescu -aet XRAY3 -aec OUTSIDE "$DROP" 11112 "$LAB_DIR/tmp/scan.dcm"
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    1 '.dest_ip=="198.51.100.20" and .dest_port==104 and .verdict=="approved" and .approval=="APR-PACS" and (.app_proto|test("DICOM"))' 'the archive is approved, and recognised as DICOM' \
    1 '.dest_ip=="203.0.113.80" and .dest_port==11112 and .verdict=="unapproved" and (.app_proto|test("DICOM")) and .equipment=="BAG-0003" and .vlan==[130]' 'the store abroad is unapproved' \
    2 '(.app_proto|test("DICOM")) and .payload_bytes_out>=120000 and (.content|length)>0' 'their bytes, and what was recognised in them'
}

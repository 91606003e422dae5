# shellcheck shell=bash disable=SC2034,SC2154
case_about='DICOM between machines: within VLAN 120 (no transfer), and from VLAN 120 to VLAN 130 through the router (one transfer, though it is seen once in each VLAN).'
case_needs='storescu storescp img2dcm'
case_peers='120:192.0.2.71'   # routed frames are seen once in each VLAN
case_setup() {
    lab_make_dicom "$LAB_DIR/tmp/scan.dcm"
    lab_bg case-scp-nii7 nii7 storescp --ignore -aet NII7 104
    lab_bg case-scp-bag4 bag4 storescp --ignore -aet BAG4 104
    lab_wait_port nii7 tcp 104 && lab_wait_port bag4 tcp 104
}
case_traffic() {
    lab_in nii8 storescu -aet NII8 -aec NII7 192.0.2.10 104 "$LAB_DIR/tmp/scan.dcm"
    lab_in nii8 storescu -aet NII8 -aec BAG4 192.0.2.71 104 "$LAB_DIR/tmp/scan.dcm"
}
case_expect() {
    printf '%s\t%s\t%s\n' \
    0 '.dest_port==104 and (.dest_ip=="192.0.2.10" or .src_ip=="192.0.2.10")' 'within one network nothing is a transfer' \
    1 '.src_ip=="192.0.2.11" and .dest_ip=="192.0.2.71" and .dest_port==104 and .verdict=="unapproved"' 'between two networks the end that opened it is the inside' \
    0 '.src_ip=="192.0.2.71" and .dest_port!=53' 'and only that end' \
    0 '((.reasons // [])|index("mac-mismatch")) or ((.equipment // "")|startswith("unknown"))' "the router's MAC in the second VLAN is nobody's"
}

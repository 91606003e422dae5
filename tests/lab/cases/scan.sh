# shellcheck shell=bash disable=SC2034,SC2154
case_about='A port scan from a scanner to 300 ports of an outside host: few rows, nothing lost.'
case_needs='nc'
case_traffic() { lab_in rogue nc -z -w 1 "$STRANGER" 2001-2300 >/dev/null 2>&1; return 0; }
case_expect() {
    printf '%s\t%s\t%s\n' \
    '>=1' '.src_mac=="00:00:5e:00:53:66" and .dest_ip=="203.0.113.77" and .verdict=="unapproved"' 'the scan is recorded' \
    '<=30' '.src_mac=="00:00:5e:00:53:66" and .dest_ip=="203.0.113.77"' 'in few rows'
}

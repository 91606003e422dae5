#!/bin/bash
# record.sh [-o DIR] CASE… | all - record what the span port delivers while a case
# runs: DIR/CASE/{capture.pcap,site.yaml,expect.tsv,README.md}, DIR being tests/replay.
# shellcheck source-path=SCRIPTDIR disable=SC1091,SC2154,SC2034
set -u
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"

out=${LAB_OUT:-$LAB_HERE/../replay}
[ "${1:-}" != -o ] || { out=$2; export LAB_OUT=$2; shift 2; }
[ $# -gt 0 ] || { sed -n '2,3s/^# \{0,1\}//p' "$0" >&2; exit 2; }
lab_need_root
[ -z "$(lab_missing tcpdump capinfos)" ] || lab_die "needs tcpdump and capinfos (wireshark-common)"
# shellcheck disable=SC2046  # names without spaces
[ "$1" != all ] || set -- $(lab_cases)
lab_enter "$@"

versions() { # TOOL… - name and version of what the case ran
    local t v
    for t in "$@" openvswitch-switch; do
        case $t in
        storescu|storescp|img2dcm) t=dcmtk ;; ssh|scp|sftp|sshd|ssh-keygen) t=openssh-server ;;
        iodined) t=iodine ;; mosquitto_pub) t=mosquitto-clients ;; dnsmasq) t=dnsmasq-base ;;
        chronyd) t=chrony ;; dig) t=bind9-dnsutils ;; nc) t=netcat-openbsd ;; smbd) t=samba ;;
        nginx) t=nginx-light ;;
        esac
        v=$(dpkg-query -W -f '${Version}' "$t" 2>/dev/null) && echo "$t $v"
    done | sort -u | paste -sd, | sed 's/,/, /g'
}

readme() { # CASE FILE
    local day; day=$(date -u +%Y-%m-%d)
    # shellcheck disable=SC2086
    cat <<END
# $1

$case_about

What a record of this capture must say (as conditions: expect.tsv):

$(case_expect | cut -f3 | sed 's/^/- /')

Recorded on $day (UTC) with \`tests/lab/record.sh $1\`: tcpdump on the span port of the
lab (tests/lab/README.md), mirror mode \`$case_mirror\`, $(capinfos -Mc "$2" | sed -n 's/^Number of packets: *//p') packets with their 802.1Q tags.
Nothing was changed afterwards. Addresses are of the documentation ranges; what was
uploaded is random bytes unless it is said below. Made by: $(versions $case_needs).
${case_note:+
$case_note
}
END
}

record() { # CASE
    local dir=$out/$1 pcap=$LAB_DIR/tmp/$1.pcap
    lab_load_case "$1"
    # shellcheck disable=SC2086,SC2046
    set -- "$1" $(lab_missing $case_needs)
    [ $# = 1 ] || { echo "SKIPPED $1: not installed: ${*:2}" >&2; return 1; }
    lab_mirror "$case_mirror"
    case_setup || { echo "not ok - $1: setup" >&2; lab_stop_servers; return 1; }
    sleep 0.3
    lab_drop_neighbours
    lab_bg tcpdump sensor tcpdump -Z root -i span0 --immediate-mode -U -s 0 -w "$pcap"
    lab_wait 5 grep -q 'listening on' "$LAB_DIR/log/tcpdump"
    case_traffic || { echo "not ok - $1: traffic" >&2; lab_kill tcpdump; lab_stop_servers; return 1; }
    sleep 0.4
    lab_kill tcpdump
    lab_stop_servers
    mkdir -p "$dir"
    cp "$pcap" "$dir/capture.pcap"
    lab_case_site >"$dir/site.yaml"
    case_expect >"$dir/expect.tsv"
    readme "$1" "$dir/capture.pcap" >"$dir/README.md"
    echo "ok - $1: $(stat -c %s "$dir/capture.pcap") bytes"
}

lab_build || lab_die "the lab did not come up"
failed=0
for c in "$@"; do record "$c" || failed=1; done
exit $failed

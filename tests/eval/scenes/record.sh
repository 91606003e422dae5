#!/bin/bash
# record.sh NAME… | all - record scenes anew, as root: tests/eval/scenes/NAME.pcap.zst
# shellcheck source-path=SCRIPTDIR disable=SC1090,SC1091,SC2034,SC2154
set -u
SCENES=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$SCENES/../../lab/lab.sh"
LAB_HERE=$SCENES/../../lab
for f in common benign content channels behaviour names evasion ssh; do . "$SCENES/$f.sh"; done
[ $# -gt 0 ] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
lab_need_root
[ "$1" != all ] || set -- "${SCENE_NAMES[@]}"
lab_enter "$@"

record() { # NAME
    local pcap=$LAB_DIR/tmp/$1.pcap missing rc
    # shellcheck disable=SC2086
    missing=$(lab_missing ${SCENE_NEEDS[$1]})
    [ -z "$missing" ] || { echo "SKIPPED $1: not installed:" $missing >&2; return 1; }
    lab_drop_neighbours
    lab_bg tcpdump sensor tcpdump -Z root -i span0 --immediate-mode -U -s 0 -w "$pcap"
    lab_wait 5 grep -q 'listening on' "$LAB_DIR/log/tcpdump"
    "s_${1//-/_}"; rc=$?
    sleep 0.4
    lab_kill tcpdump
    lab_stop_servers
    [ $rc = 0 ] || { echo "not ok - $1: its traffic ended with $rc" >&2; return 1; }
    zstd -q -f -19 "$pcap" -o "$SCENES/$1.pcap.zst"
    echo "ok - $1: $(stat -c %s "$pcap") bytes, $(stat -c %s "$SCENES/$1.pcap.zst") compressed"
    rm -f "$pcap"
}

if ! lab_build || ! scene_world; then lab_die "the lab did not come up"; fi
scene_site >"$SCENES/site.yaml"
sed -i '/^capture:/a geo: {city: ../../replay/geo/GeoLite2-City.mmdb, asn: ../../replay/geo/GeoLite2-ASN.mmdb}' "$SCENES/site.yaml"
failed=0
for s in "$@"; do record "$s" || failed=1; done
exit $failed

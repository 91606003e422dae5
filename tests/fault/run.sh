#!/bin/bash
# run.sh [CASE…] - what a year on a SPAN port brings, one case after the other
# (make fault). Needs root. Each case runs in private namespaces with a SPAN
# port of its own (a veth pair, no way out) and is taken down whatever happens.
#   GARITAD, GARITA   the programs (default build/garitad, build/garita)
#   FULL=1            the long forms: 200 kills, a lock of a minute, ten million SYNs
#   FAULT_STRICT=1    what is skipped counts as failed
#   FAULT_KEEP=DIR    leave each case's files there
# One line a case: PASS, FAIL or SKIPPED, its time, what it is about; what failed
# stands below it. Exit 0, or 1 if any failed.
# shellcheck source-path=SCRIPTDIR disable=SC1091
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export GARITAD=${GARITAD:-$root/build/garitad} GARITA=${GARITA:-$root/build/garita} FULL=${FULL:-}

[ "$(id -u)" = 0 ] || { echo "SKIPPED: all fault cases: they need root"; [ -z "${FAULT_STRICT:-}" ]; exit; }
for p in "$GARITAD" "$GARITA"; do
    [ -x "$p" ] || { echo "FAIL: $p is not there (make first)"; exit 1; }
done
GARITAD=$(realpath "$GARITAD") GARITA=$(realpath "$GARITA")
FAULT_WORK=$(mktemp -d "${TMPDIR:-/tmp}/garita-fault.XXXXXX") || exit 1
export FAULT_WORK
trap 'rm -rf "$FAULT_WORK"' EXIT
trap 'exit 130' INT TERM HUP
cc -O2 -o "$FAULT_WORK/traffic" "$here/traffic.c" -lpcap &&
    cc -O2 -o "$FAULT_WORK/gencap" "$root/tests/bench/gencap.c" -lpcap || exit 1

# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(for f in "$here"/cases/*.sh; do basename "$f" .sh; done)
passed=0 failed=0 skipped=0
for c in "$@"; do
    [ -f "$here/cases/$c.sh" ] || { echo "FAIL: no case $c"; failed=$((failed + 1)); continue; }
    about=$(sed -n '2s/^# //p' "$here/cases/$c.sh") out=$FAULT_WORK/$c.out begin=$SECONDS
    limit=300; [ -z "$FULL" ] || limit=1800
    timeout -k 10 "$limit" "$here/case.sh" "$c" >"$out" 2>&1 </dev/null; rc=$?
    time="$((SECONDS - begin)) s"
    case $rc in
    0)  passed=$((passed + 1)); echo "PASS $c ($time): $about" ;;
    77) skipped=$((skipped + 1)); echo "SKIPPED $c: $(tail -1 "$out")"; continue ;;
    124|137) failed=$((failed + 1)); echo "FAIL $c ($time): did not end within $limit s"; tail -20 "$out" | sed 's/^/#   /' ;;
    *)  failed=$((failed + 1)); echo "FAIL $c ($time): $about" ;;
    esac
    grep -aE "^(not ok|#|figure|SKIPPED)" "$out" | sed 's/^/    /'
    [ -z "${FAULT_VERBOSE:-}" ] || sed 's/^/    /' "$out"
done
[ "$skipped" = 0 ] || echo "ATTENTION: $skipped skipped, see the SKIPPED lines above"
[ -z "${FAULT_STRICT:-}" ] || failed=$((failed + skipped))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

#!/bin/bash
# replay.sh [CASE…] - hold garitad to expect.tsv of tests/replay/CASE, offline; all
# cases without arguments. No root, no lab. One line a check, then the sum.
#   GARITAD, GARITA   the programs (default build/garitad, build/garita)
# The whole records are compared elsewhere; this asks for what each case is about.
set -u
# Under AddressSanitizer: its leak checker traces the process that ends, which
# garitad's sandbox forbids. The unit tests look for leaks.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
cd "$(dirname "$0")/../.." || exit 1
garitad=${GARITAD:-build/garitad} garita=${GARITA:-build/garita}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0
ok()     { passed=$((passed + 1)); echo "ok - $*"; }
not_ok() { failed=$((failed + 1)); echo "not ok - $*"; }

fulfils() { # FOUND WANTED
    case $2 in
    '>='*) [ "$1" -ge "${2#>=}" ] ;;
    '<='*) [ "$1" -le "${2#<=}" ] ;;
    *)     [ "$1" -eq "$2" ] ;;
    esac 2>/dev/null
}

replay() {
    local dir=tests/replay/$1 out=$tmp/$1 want cond what n rc
    "$garitad" -c "$dir/site.yaml" -r "$dir"/capture.* -D "$out" >"$tmp/log" 2>&1
    rc=$? n=$(cat "$dir/exit" 2>/dev/null || echo 0)
    if [ $rc = "$n" ]; then ok "$1: ends with $n"
    else not_ok "$1: ends with $n (got $rc)"; sed 's/^/#   /' "$tmp/log" | tail -5; fi
    "$garita" transfers --db "$out/garita.db" --format json --limit 0 >"$tmp/rows" 2>"$tmp/log"
    while IFS=$'\t' read -r want cond what; do
        n=$(jq -s "map(select($cond)) | length" "$tmp/rows" 2>>"$tmp/log")
        if fulfils "$n" "$want"; then ok "$1: $what"
        else not_ok "$1: $what (wanted $want, found ${n:-nothing}: $cond)"; fi
    done <"$dir/expect.tsv"
}

[ $# -gt 0 ] || for d in tests/replay/*/expect.tsv; do d=${d%/*}; set -- "$@" "${d##*/}"; done
for c in "$@"; do replay "$c"; done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

#!/bin/sh
# decode.sh BUILD [COPIES] - decode against tshark, frame by frame: every
# capture of tests/replay, and of each so many damaged copies (3).
set -eu
build=$1
copies=${2:-3}
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
captures=$(find "$here/../replay" -name 'capture.pcap' -o -name 'capture.pcapng' | sort)
# shellcheck disable=SC2086 # a list of files
perl "$here/decode.pl" "$build/eval/decode_dump" $captures 2>"$work/errors" || { cat "$work/errors" && exit 1; }
seed=0
for f in $captures; do
	for _ in $(seq "$copies"); do
		seed=$((seed + 1))
		"$build/eval/mutate" $seed "$f" "$work/$seed.pcap" 2>>"$work/errors" || rm -f "$work/$seed.pcap"
	done
done
echo "of damaged copies:"
perl "$here/decode.pl" --damaged "$build/eval/decode_dump" "$work"/*.pcap 2>>"$work/errors"

#!/bin/sh
# verify.sh BUILD ENTRIES - makes a ledger with the record's own code and prints what garita verify takes over it.
set -eu
build=$1
entries=$2
work=$(mktemp -d "$build/bench/verify.XXXXXX")
trap 'rm -rf "$work"' EXIT
begin=$(date +%s.%N)
"$build/bench/ledger" "$work" "$entries"
end=$(date +%s.%N)
size=$(stat -c %s "$work/garita.db")
echo "made in $(echo "$end - $begin" | bc | cut -c1-5) s, $((size / 1000000)) MB"
for round in 1 2 3; do
	code=0
	/usr/bin/time -q -f 'round '$round': %e s, user %U s, system %S s, %M kB' "$build/garita" verify --db "$work" --format json >"$work/out" ||
		code=$?
	jq -r '"\(.result): \(.entries) entries, \(.checkpoints) checkpoints, \(.transfers) transfers, \(.findings) findings, \(.wrong) wrong, \(.took_ms) ms"' \
		"$work/out" | tail -n1
	[ "$code" != 1 ] || exit 1
done

#!/bin/sh
# rows.sh BUILD [COUNT] - the record: facts of COUNT unapproved transfers (2.8
# million, 1 GB) into a new database, as fast as they go; then live, 1,000 and 10,000
# a second, from the fact to the commit of its row; at last 50,000 a second for
# a minute (SECONDS_50K=60).
set -eu
rows=$1/bench/rows
count=${2:-2800000}
site=$(dirname "$0")/../replay/demo/site.yaml
work=$(mktemp -d "$1/bench/rows.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$rows" "$site" "$work/fast" "$count"
rm -rf "$work/fast"
for rate in 1000 10000; do
	echo
	"$rows" "$site" "$work/live$rate" $((rate * 20)) $rate
	rm -rf "$work/live$rate"
done
echo
"$rows" "$site" "$work/live50k" $((50000 * ${SECONDS_50K:-60})) 50000

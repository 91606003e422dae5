#!/bin/sh
# rows.sh BUILD [COUNT] - the record: what the ledger adds to the processor time of
# the judge process, replayed (300,000 transfers) and live (2,000 a second for 10 s),
# the least of ROUNDS (5) in turn with and without it; then facts of COUNT unapproved
# transfers (2.8 million, 1 GB) into a new database, as fast as they go; live, 1,000
# and 10,000 a second, from the fact to the commit of its row; at last 50,000 a second
# for a minute (SECONDS_50K=60). ONLY=ledger ends after the first part.
set -eu
rows=$1/bench/rows
count=${2:-2800000}
site=$(dirname "$0")/../replay/demo/site.yaml
work=$(mktemp -d "$1/bench/rows.XXXXXX")
trap 'rm -rf "$work"' EXIT

# cost WITHOUT COUNT [RATE] - processor time of a transfer in us.
cost() {
	without=$1
	shift
	GARITA_WITHOUT=$without "$rows" "$site" "$work/cost" "$@" | sed -n 's/.* cpu, \([0-9.]*\) us of cpu a transfer.*/\1/p'
	rm -rf "$work/cost"
}
# share WHAT COUNT [RATE]
share() {
	what=$1
	shift
	round=0
	: >"$work/with"
	: >"$work/without"
	while [ $round -lt "${ROUNDS:-5}" ]; do
		cost '' "$@" >>"$work/with"
		cost ledger "$@" >>"$work/without"
		round=$((round + 1))
	done
	with=$(sort -n "$work/with" | head -n 1)
	without=$(sort -n "$work/without" | head -n 1)
	echo "$what: $with us a transfer, $without without the ledger: it adds $(echo "$with $without" |
		awk '{printf "%.1f", ($1 / $2 - 1) * 100}') %"
}
share "replayed" 300000
share "live, 2,000 a second" 20000 2000
echo "load: $(cut -d ' ' -f 1-3 /proc/loadavg)"
[ "${ONLY:-}" != ledger ] || exit 0
echo
"$rows" "$site" "$work/fast" "$count"
rm -rf "$work/fast"
for rate in 1000 10000; do
	echo
	"$rows" "$site" "$work/live$rate" $((rate * 20)) $rate
	rm -rf "$work/live$rate"
done
echo
"$rows" "$site" "$work/live50k" $((50000 * ${SECONDS_50K:-60})) 50000

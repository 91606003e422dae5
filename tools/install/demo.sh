#!/bin/sh
# demo.sh BUILD - replay a recorded day at two scanner networks and show what
# left, approved or not.
set -eu
build=$1
cd "$(dirname "$0")/../.."
day=tests/replay/demo
work=$build/demo
rm -rf "$work"
mkdir -p "$work"

say() {
	printf '\n\033[1m%s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi
}

capture=$(ls $day/capture*)
say "Replaying $capture against $day/site.yaml"
"$build/garitad" -c $day/site.yaml -r "$capture" -D "$work/db"

say "Unapproved transfers: who sent what to whom, and why nobody approved it"
"$build/garita" transfers --db "$work/db" --verdict unapproved

say "Approved transfers"
"$build/garita" transfers --db "$work/db" --verdict approved

say "Machines in the scanner networks"
"$build/garita" equipment --db "$work/db"

first=$("$build/garita" transfers --db "$work/db" --verdict unapproved --format json --limit 1 | sed 's/.*"id":\([0-9]*\).*/\1/')
say "Why transfer $first is what it is: garita policy explain $first"
"$build/garita" policy explain "$first" --db "$work/db" -c $day/site.yaml

"$build/garita" transfers --db "$work/db" --format csv --limit 0 >"$work/transfers.csv"
say "All records: $work/transfers.csv, and $work/db/garita.db for sqlite3"

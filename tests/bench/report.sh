#!/bin/sh
# report.sh BUILD [COUNT] - the weekly report of a week of COUNT transfers (5 million,
# 2.2 GB), none of them approved: seconds and memory of each form. The database is made
# by the record's own code, as in rows.sh. The JSON lists every transfer.
set -eu
build=$1
count=${2:-5000000}
work=$(mktemp -d "$build/bench/report.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$build/bench/rows" "$(dirname "$0")/../replay/demo/site.yaml" "$work/db" "$count" | tail -2
cat "$work/db/garita.db" >/dev/null   # into the page cache, where there is room
for form in html csv json; do
	/usr/bin/time -f "$form: %e s wall, %U s user, %S s system, %M KiB" \
		"$build/garita" report weekly --db "$work/db" --week 2026-W25 --format $form -o "$work/$form"
done
/usr/bin/time -f "garita verify --quick: %e s wall, %U s user, %M KiB" "$build/garita" verify --quick --db "$work/db" >/dev/null || true

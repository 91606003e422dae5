#!/bin/sh
# golden.sh [--rewrite] BUILD - the reports of seven weeks, byte for byte as they
# stand in tests/report/<week>: JSON, and pages in both languages (whole, or as
# text), and tables. --rewrite takes over what is made now: read the diff.
set -u
rewrite=no
if [ "$1" = --rewrite ]; then
	rewrite=yes
	shift
fi
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
# In memory, where that can be: the records are small, and written safely.
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0
for p in garitad garita make_week; do
	[ -x "$build/report/$p" ] || { echo "SKIPPED: $build/report/$p is not built (make report-build): no golden reports"; exit 0; }
done
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
export TZ=UTC LC_ALL=C.UTF-8
# shellcheck source=tests/report/weeks.sh
. "$here/weeks.sh"

# one NAME - what was made against what is expected
one() {
	if [ $rewrite = yes ]; then
		mkdir -p "$here/$(dirname "$1")" && cp "$work/out/$1" "$here/$1"
	elif ! diff -u --label "tests/report/$1" --label "now" "$here/$1" "$work/out/$1" >"$work/diff"; then
		head -60 "$work/diff"
		[ "$(wc -l <"$work/diff")" -le 60 ] || echo "… $(($(wc -l <"$work/diff") - 60)) more lines"
		bad=1
	fi
}

# Every file of a report's tables, one after the other.
tables() {
	for f in "$1"/*.csv; do
		echo "== $(basename "$f")"
		tr -d '\r' <"$f"
	done
}

weeks_make "$build" "$work" || exit 1
while read -r name week page csv; do
	report() { still 2027-01-05T00:00:00Z "$build/report/garita" report weekly --db "$work/$name" --week "$week" "$@"; }
	mkdir -p "$work/out/$name"
	report --format json -o "$work/out/$name/report.json" || bad=1
	one "$name/report.json"
	report --format csv -o "$work/$name-csv" || bad=1
	if [ -n "$csv" ]; then
		tables "$work/$name-csv" >"$work/out/$name/tables.csv"
		one "$name/tables.csv"
	fi
	for lang in en es; do
		report --lang $lang -o "$work/out/$name/$lang.html" || bad=1
		if [ "$page" = page ]; then
			one "$name/$lang.html"
		elif python3 "$here/page.py" text "$work/out/$name/$lang.html" >"$work/out/$name/$lang.txt"; then
			one "$name/$lang.txt"
		else
			bad=1
		fi
	done
done <<END
$weeks
END
[ $bad = 0 ] || echo "reports are not as they were: make golden-report takes them over, and git diff tests/report shows what a reader will see"
exit $bad

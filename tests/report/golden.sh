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

fail() {
	echo "not ok: $*"
	bad=1
}

# one NAME - what was made against what is expected
one() {
	if [ $rewrite = yes ]; then
		mkdir -p "$here/$(dirname "$1")" && cp "$work/out/$1" "$here/$1"
	elif ! diff -u --label "tests/report/$1" --label "now" "$here/$1" "$work/out/$1" >"$work/diff"; then
		head -60 "$work/diff"
		[ "$(wc -l <"$work/diff")" -le 60 ] || echo "… $(($(wc -l <"$work/diff") - 60)) more lines"
		bad=1 changed=yes
	fi
}

# Every file of a report's tables, one after the other.
tables() {
	for f in "$1"/*.csv; do
		echo "== $(basename "$f")"
		tr -d '\r' <"$f"
	done
}

report() {
	report_week=$1
	shift
	still 2027-01-05T00:00:00Z "$build/report/garita" report weekly --week "$report_week" "$@" || fail "a report of $report_week"
}

# make_reports NAME WEEK - into out/NAME
make_reports() {
	mkdir -p "$work/out/$1"
	report "$2" --db "$work/$1" --format json -o "$work/out/$1/report.json"
	report "$2" --db "$work/$1" --format csv -o "$work/$1-csv"
	tables "$work/$1-csv" >"$work/out/$1/tables.csv"
	for lang in en es; do
		report "$2" --db "$work/$1" --lang $lang -o "$work/out/$1/$lang.html"
	done
}

# One finding of the demo's as a document, at a moment when its deadline runs.
make_incidents() {
	for lang in en es; do
		still 2026-11-23T03:00:00Z "$build/report/garita" report incident 6 --db "$work/demo" --lang $lang \
			-o "$work/out/demo/incident-$lang.html" || fail "an incident"
	done
}

# Made by somebody else, elsewhere and later: the same bytes.
elsewhere() {
	(cd / && TZ=Asia/Tokyo LC_ALL=es_ES.UTF-8 LANGUAGE=de COLUMNS=40 GOLDEN_TIME=2000000000000000 "$build/report/garita" \
		report weekly --week 2026-W47 --db "$work/gaps" "$@") >"$work/elsewhere" || fail "a report made elsewhere"
}

check_same() {
	elsewhere --format json
	cmp "$work/elsewhere" "$work/out/gaps/report.json" || fail "made elsewhere it is another"
	elsewhere --lang en
	cmp "$work/elsewhere" "$work/out/gaps/en.html" || fail "made elsewhere it is another"
}

# As JSON Schema has it, and as the rows of the database have it.
check_numbers() {
	set --
	if python3 -c 'import jsonschema' 2>/dev/null; then
		"$build/report/garita" report schema >"$work/schema.json"
		set -- --schema "$work/schema.json"
	else
		echo "SKIPPED: python3-jsonschema is not installed: the golden reports are not held against their schema"
	fi
	for json in "$work"/out/*/report.json; do
		set -- "$@" "$work/$(basename "$(dirname "$json")")/garita.db" "$json"
	done
	python3 "$here/check.py" "$@" || fail "numbers of reports"
}

weeks_make "$build" "$work" || exit 1
changed=no
while read -r name week _; do
	make_reports "$name" "$week"
done <<END
$weeks
END
make_incidents
check_same
python3 "$here/page.py" text "$work"/out/*/??.html || fail "text of pages"
python3 "$here/page.py" check "$work"/out/*/*.html || fail "what readers and screen readers need"
check_numbers
while read -r name _ page csv; do
	one "$name/report.json"
	[ -z "$csv" ] || one "$name/tables.csv"
	for lang in en es; do
		if [ "$page" = text ]; then one "$name/$lang.txt"; else one "$name/$lang.html"; fi
	done
done <<END
$weeks
END
one demo/incident-en.html
one demo/incident-es.html
[ $changed = no ] || echo "reports are not as they were: make golden-report takes them over, and git diff tests/report shows what a reader will see"
exit $bad

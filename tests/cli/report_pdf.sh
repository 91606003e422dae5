#!/bin/sh
# report_pdf.sh BUILD - the PDF of reports of known weeks (tests/report), where weasyprint and poppler are.
set -u
build=$(cd "$1" && pwd)
here=tests/report
for p in weasyprint pdfinfo pdftotext pdftohtml; do
	command -v $p >/dev/null || { echo "SKIPPED: $p is not installed (weasyprint, poppler-utils): no PDF is looked at"; exit 0; }
done
[ -x "$build/report/make_week" ] || { echo "SKIPPED: $build/report is not built (make report-build): no PDF is looked at"; exit 0; }
fc-list 2>/dev/null | grep -q "DejaVu Sans" || { echo "SKIPPED: fonts-dejavu-core is not installed: no PDF is looked at"; exit 0; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export TZ=UTC LC_ALL=C.UTF-8
# shellcheck source=tests/report/weeks.sh
here=$(cd "$here" && pwd) && . "$here/weeks.sh"
bad=0
demo_make "$build" "$work/demo" && made_make "$build" "$work/gaps" gaps || exit 1
# look NAME LANG SHEETS - sheets: at most
look() {
	for form in html pdf; do
		still 2027-01-05T00:00:00Z "$build/report/garita" report weekly --db "$work/$1" --week 2026-W47 --lang "$2" --format $form -o "$work/$1-$2.$form" || bad=1
	done
	python3 "$here/pdf.py" "$work/$1-$2.html" "$work/$1-$2.pdf" "$3" || bad=1
}
look demo es 18
look gaps en 18
# The same bytes whenever it is made: the report says so, and its hash is in the ledger.
still 2027-02-05T00:00:00Z "$build/report/garita" report weekly --db "$work/gaps" --week 2026-W47 --lang en --format pdf -o "$work/again.pdf"
cmp -s "$work/gaps-en.pdf" "$work/again.pdf" || { echo "the same record and week, and another PDF"; bad=1; }
# A table that is cut is noticed.
sed 's|</style>|td{overflow:hidden;white-space:nowrap;max-width:40px;display:block}</style>|' "$work/gaps-en.html" >"$work/cut.html"
weasyprint -q --pdf-variant pdf/ua-1 "$work/cut.html" "$work/cut.pdf" 2>/dev/null && python3 "$here/pdf.py" "$work/gaps-en.html" "$work/cut.pdf" 18 >/dev/null &&
	{ echo "cells that are cut are not noticed"; bad=1; }
exit $bad

#!/bin/sh
# weeks.sh - the weeks of the golden reports, for the scripts of this folder.
#   here=tests/report; . weeks.sh
#   weeks_make BUILD WORK   makes WORK/<week>/garita.db of each
# Everything that varies from one making to the next is held still: still.c.

# name, week, and which goldens beside report.json: whole pages, or their text; tables as CSV
here=${here:?}
weeks='demo 2026-W47 page csv
gaps 2026-W47 page csv
nothing 2026-W47 page
never 2026-W47 text
clock 2026-W47 text
summer 2026-W13 text
winter 2026-W43 text'

# still TIME COMMAND… - at that moment
still() {
	still_at=$(date -u -d "$1" +%s)000000
	shift
	GOLDEN_TIME=$still_at "$@"
}

# The recorded day of the demo, replayed on the Sunday of its week, and what people did then. With one worker: in which
# order packets of two come into an evidence file, whose hash the ledger has, is not held still.
demo_make() {
	demo_garita=$1/report/garita
	demo_db=$2
	(cd "$here/../replay/demo" && still 2026-11-23T01:00:00Z "$1/report/garitad" -w 1 -c site.yaml -r capture.pcap -D "$demo_db" >/dev/null) || return 1
	review() { still "$1" "$demo_garita" review "$2" --db "$demo_db" --analyst "$3" --yes "$4" "$5" --note "$6" >/dev/null; }
	review 2026-11-23T01:20:00Z 6 "Ana Ejemplo" --disposition escalated "images of containers went abroad" &&
		review 2026-11-23T01:40:00Z 2 "Ana Ejemplo" --disposition confirmed "the vendor was asked" &&
		review 2026-11-23T02:00:00Z 1 "Luis Ejemplo" --state in-review "waits for the vendor's word" || return 1
	still 2026-11-23T02:10:00Z "$demo_garita" suppress add --db "$demo_db" --equipment BAG-0003 --peer 203.0.113.0/24 --up-to 60 \
		--owner "Ana Ejemplo" --until 2026-12-15 --why "known service" >/dev/null
}

made_make() {
	case $3 in
	summer | winter) zone=madrid ;;
	*) zone=mexico ;;
	esac
	(cd "$here" && "$1/report/make_week" "site-$zone.yaml" "$2" <"$3/week.txt")
}

weeks_make() {
	echo "$weeks" | while read -r name _; do
		if [ "$name" = demo ]; then
			demo_make "$1" "$2/demo"
		else
			made_make "$1" "$2/$name" "$name"
		fi || { echo "no record of the week '$name'" >&2; exit 1; }
	done
}

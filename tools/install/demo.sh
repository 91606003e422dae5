#!/bin/sh
# demo.sh BUILD [en|es] - replay a recorded day at two scanner networks and show
# what left, approved or not. Without a language that of the environment.
set -eu
build=$1
lang=${2:-${LC_ALL:-${LC_MESSAGES:-${LANG:-en}}}}
case $lang in es*) lang=es ;; *) lang=en ;; esac
cd "$(dirname "$0")/../.."
day=tests/replay/demo
work=$build/demo
rm -rf "$work"
mkdir -p "$work"

# say ENGLISH SPANISH
say() {
	text=$1
	[ $lang = en ] || text=$2
	if [ -t 1 ]; then printf '\n\033[1m%s\033[0m\n' "$text"; else printf '\n%s\n' "$text"; fi
}
garita() {
	verb=$1
	shift
	"$build/garita" "$verb" "$@" --db "$work/db" --lang $lang
}
sum() { awk -v name="$1" '$1 == name { print $2 }' "$work/accounting.txt"; }

capture=$(ls $day/capture*)
"$build/garitad" -c $day/site.yaml -r "$capture" -D "$work/db" >"$work/accounting.txt"
say "A recorded day: $capture, judged by $day/site.yaml" \
	"Un día grabado: $capture, juzgado según $day/site.yaml"
if [ $lang = en ]; then
	echo "$(sum frames) frames, $(sum transfers) transfers: $(sum approved) approved, $(sum unapproved) unapproved"
else
	echo "$(sum frames) tramas, $(sum transfers) transferencias: $(sum approved) aprobadas, $(sum unapproved) no aprobadas"
fi

say "What nobody approved: who (→ sent, ← was asked by) whom, how much left, and why" \
	"Lo que nadie aprobó: quién (→ envió a, ← fue pedido por) quién, cuánto salió y por qué"
garita transfers --verdict unapproved

say "What is to be looked at, the worst first (garita findings)" "Qué hay que revisar, lo peor primero (garita findings)"
garita findings --limit 8

# The inspection data that went abroad.
id=$(garita transfers --verdict unapproved --app DICOM --format json --limit 1 | sed 's/.*"finding":\([0-9]*\).*/\1/')
say "One of them on a page (garita show $id)" "Uno de ellos en una página (garita show $id)"
garita show "$id"

say "What was approved, and by which approval" "Lo aprobado, y por cuál aprobación"
garita transfers --verdict approved

say "The machines of the scanner networks, and what left them" "Las máquinas de las redes de escáneres, y lo que salió de ellas"
garita equipment

# The upload that borrowed an approved name; of its explanation the approvals
# that are for this machine at all.
id=$(garita transfers --reason name-not-verified --format json --limit 1 | sed 's/.*"id":\([0-9]*\).*/\1/')
say "Why transfer $id is not approved (garita policy explain $id; approvals for other machines left out)" \
	"Por qué la transferencia $id no está aprobada (garita policy explain $id; sin las aprobaciones de otras máquinas)"
"$build/garita" policy explain "$id" --db "$work/db" -c $day/site.yaml --lang $lang |
	awk -v RS= '!/^APR/ || $0 !~ /\n  NO +equipment/ { print (n++ ? "\n" : "") $0 }'

say "Every frame has its place" "Cada trama tiene su lugar"
cat "$work/accounting.txt"

# The week in which it was recorded.
garita report weekly --week 2026-W47 -o "$work/week.html"
say "The compliance report of that week: $work/week.html" "El informe de cumplimiento de esa semana: $work/week.html"
garita report weekly --week 2026-W47 --format json | sed -n 's/.*"sentence":"\([^"]*\)".*/\1/p'

"$build/garita" transfers --db "$work/db" --format csv --limit 0 >"$work/transfers.csv"
say "All of it: $work/transfers.csv, and $work/db/garita.db for sqlite3" \
	"Todo: $work/transfers.csv, y $work/db/garita.db para sqlite3"

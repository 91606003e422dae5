#!/bin/sh
# report.sh BUILD - the weekly report and the exfiltration test from the command line, on a replay of the demo.
build=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
bad=0
garita=$here/$build/garita
[ -x "$garita" ] || garita=$build/garita
fail() {
	echo "not ok: $*"
	bad=1
}
mkdir "$dir/data" "$dir/none"
cp -r "$here/tests/replay/geo" "$here/tests/replay/demo" "$dir/"
# The leak checker of the sanitizers cannot look into a sandbox.
(cd "$dir/demo" && ASAN_OPTIONS=detect_leaks=0 "$(dirname "$garita")/garitad" -c site.yaml -r capture.pcap -D "$dir/data" >/dev/null 2>&1) || fail "replay"
week() { "$garita" report weekly --db "$dir/data" --week 2026-W47 "$@"; }

# The numbers of the report are those of the transfers.
week --format json >"$dir/a.json" || fail "json"
sleep 1
week --format json >"$dir/b.json"
cmp -s "$dir/a.json" "$dir/b.json" || fail "the same record and week, and other bytes"
"$garita" transfers --db "$dir/data" --format json --limit 0 >"$dir/all.jsonl"
want=$(jq -s -c '[([.[] | select(.verdict == "unapproved")] | length), (map(select(.verdict == "unapproved").ip_bytes_out) | add),
	(map(select(.verdict == "approved").ip_bytes_out) | add)]' "$dir/all.jsonl")
got=$(jq -c '.summary | [.transfers_unapproved, .bytes_out_unapproved, .bytes_out_approved]' "$dir/a.json")
[ "$want" = "$got" ] || fail "summary: $got, transfers: $want"
for by in by_equipment by_country by_network by_app by_scanner_network destinations days; do
	sums=$(jq -c --arg by "$by" '[(.[$by] | map(.bytes_out_unapproved) | add), (.[$by] | map(.bytes_out_approved) | add)]' "$dir/a.json")
	[ "$(echo "$want" | jq -c '.[1:]')" = "$sums" ] || fail "$by adds up to $sums, not $want"
done
[ "$(jq '.unapproved_transfers | length' "$dir/a.json")" = "$(echo "$want" | jq '.[0]')" ] || fail "not every unapproved transfer is listed"
# The databases that placed the peers are those that stand on the disk.
for role in city asn; do
	name=$(echo $role | sed 's/^asn$/ASN/; s/^city$/City/')
	[ "$(jq -r --arg r $role '.geolocation[] | select(.role == $r).sha256' "$dir/a.json")" = \
		"$(sha256sum "$dir/geo/GeoLite2-$name.mmdb" | cut -d' ' -f1)" ] || fail "geolocation: $role is another file"
done
jq -e '.summary.geolocation_old and .summary.geolocation_age_days == 326 and (.summary.geolocation | test("GeoLite2-City 2026-01-01"))' \
	"$dir/a.json" >/dev/null || fail "geolocation: its age"
[ "$(jq -r .summary.light "$dir/a.json")" = inconclusive ] || fail "a replay of files is conclusive"

# Forms.
for lang in en es; do
	week --lang $lang -o "$dir/$lang.html" || fail "html $lang"
	grep -q "<html lang=\"$lang\">" "$dir/$lang.html" || fail "html $lang: language"
	grep -qE 'https?://|<script|src=' "$dir/$lang.html" && fail "html $lang: fetches something"
done
# The map shows each row of the table once, with its numbers; also what no country has.
map() {
	"$garita" report weekly --db "$1" --week 2026-W47 --lang en --format html >"$dir/map.html"
	sed -n 's/.*<g data-country="\([^"]*\)" data-approved="\([0-9]*\)" data-unapproved="\([0-9]*\)".*/\1 \2 \3/p' "$dir/map.html" | sort
}
rows() {
	"$garita" report weekly --db "$1" --week 2026-W47 --format json | jq -r '.by_country[] | select(.bytes_out_approved + .bytes_out_unapproved > 0) |
		"\(.country) \(.bytes_out_approved) \(.bytes_out_unapproved)"' | sort
}
cp -r "$dir/data" "$dir/places"
sqlite3 "$dir/places/garita.db" "UPDATE transfer SET country = NULL, dest_ip = iif(id % 2, '10.9.8.7', '203.0.113.1') WHERE id % 5 = 0;
	UPDATE transfer SET country = 'EU' WHERE id % 5 = 1; UPDATE transfer SET country = 'SG' WHERE id % 5 = 2"
for db in data places; do
	[ -n "$(rows "$dir/$db")" ] && [ "$(map "$dir/$db")" = "$(rows "$dir/$db")" ] || fail "map and table differ: $(map "$dir/$db")"
done
for key in private unknown EU SG; do rows "$dir/places" | grep -q "^$key " || fail "no row for $key"; done
week -o "$dir/en.html" 2>"$dir/err" && fail "a file that is there was replaced"
grep -q force "$dir/err" || fail "and --force is not named"
# A pipe or a device is written to, never replaced.
mkfifo "$dir/pipe"
cat "$dir/pipe" >"$dir/piped.html" &
week --lang en --force -o "$dir/pipe" || fail "into a pipe"
wait $!
[ -p "$dir/pipe" ] || fail "a pipe was replaced by a file"
week --lang en | cmp -s - "$dir/piped.html" || fail "a pipe got another report"
for way in '--format pdf' --issue; do
	# shellcheck disable=SC2086
	week --lang en --force $way -o "$dir/pipe" 2>"$dir/err" && fail "$way into a pipe"
	[ -p "$dir/pipe" ] || fail "$way: a pipe was replaced by a file"
done
"$garita" evidence 6 --db "$dir/data" --force -o "$dir/pipe" 2>"$dir/err" && fail "a bundle into a pipe"
[ -p "$dir/pipe" ] || fail "evidence: a pipe was replaced by a file"
week --format csv -o "$dir/csv" || fail "csv"
[ "$(ls "$dir/csv" | wc -l)" = $(($(jq 'keys | length' "$dir/a.json") - 1)) ] || fail "csv: not one file for each table"
"$garita" report schema | jq -e '.properties | keys' >/dev/null || fail "schema"
for key in $(jq -r 'keys[]' "$dir/a.json"); do
	"$garita" report schema | jq -e --arg k "$key" '.properties | has($k)' >/dev/null || fail "schema: no $key"
done
if python3 -c 'import jsonschema' 2>/dev/null; then
	"$garita" report schema >"$dir/schema.json"
	python3 -c 'import json, sys, jsonschema
jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(json.load(open(sys.argv[2])))' "$dir/schema.json" "$dir/a.json" ||
		fail "the report is not of its schema"
else
	echo "SKIPPED: python3-jsonschema is not installed: the report is not held against its schema"
fi

# Suppressions: what they hide, by whose word; in a copy, made as if in that week.
cp -r "$dir/data" "$dir/hidden"
"$garita" suppress add --db "$dir/hidden" --equipment 'NII-*' --until 30d --owner "Jefa de turno" --why prueba --up-to 100 >/dev/null || fail "suppress"
hide() { sqlite3 "$dir/hidden/garita.db" "UPDATE suppression SET $1" && "$garita" report weekly --db "$dir/hidden" --week 2026-W47 --format json; }
hide 'from_us = 1795300000000000, until_us = 1795500000000000' >"$dir/hidden.json"
[ "$(jq -c '.suppressions[] | [.owner, .state, .findings]' "$dir/hidden.json")" = \
	"$(jq -c '["Jefa de turno", "expiring", ([.findings[] | select(.equipment | startswith("NII-"))] | length)]' "$dir/hidden.json")" ] || fail "suppressions"
hide 'ended_us = 1795400000000000' | jq -e '.suppressions[0] | .state == "ended" and .ended != null' >/dev/null || fail "suppressions: ended"
hide 'ended_us = NULL, until_us = 1795300000000001' | jq -e '.suppressions[0] | .state == "expired" and .findings == 0' >/dev/null || fail "suppressions: expired"
hide 'from_us = 1795500000000000, until_us = 1795600000000000' | jq -e '.suppressions == []' >/dev/null || fail "suppressions: of another week"

# Issued, and told from one that somebody changed.
week --lang en --issue -o "$dir/issued.html" || fail "issue"
"$garita" verify --db "$dir/data" --report "$dir/issued.html" --lang en >"$dir/out"
[ $? = 1 ] && fail "an issued report is not known: $(tail -1 "$dir/out")"
grep -q "issued: weekly report of 2026-W47 (html, en)" "$dir/out" || fail "an issued report is not named"
sed 's/412 kB/411 kB/' "$dir/issued.html" >"$dir/changed.html"
"$garita" verify --db "$dir/data" --report "$dir/changed.html" --lang en >"$dir/out"
[ $? = 1 ] || fail "a changed report is taken for the one that was issued"
week --lang en -o "$dir/again.html"
cmp -s "$dir/issued.html" "$dir/again.html" || fail "a report that was issued is another when it is made again"
week --issue 2>/dev/null && fail "issued to standard output"

# One finding.
for lang in en es; do
	"$garita" report incident 6 --db "$dir/data" --lang $lang -o "$dir/incident-$lang.html" || fail "incident $lang"
	grep -q "files.abroad.example" "$dir/incident-$lang.html" || fail "incident $lang: the peer"
	[ "$(sed -n 's|.*<td class="n">\([0-9]*\)</td>.*|\1|p' "$dir/incident-$lang.html" | head -6 | jq -s add)" = \
		"$("$garita" show 6 --db "$dir/data" --format json | jq .severity)" ] || fail "incident $lang: its terms do not add up"
done
"$garita" report incident 999 --db "$dir/data" 2>"$dir/err" && fail "an incident that is no finding"
grep -q 999 "$dir/err" || fail "and it is not named"
"$garita" report incident 6 --db "$dir/data" --format csv -o "$dir/x" 2>/dev/null && fail "an incident as CSV"

# Of each week, to where site.yaml says: once, and a command that fails is tried again.
sed "/^geo:/a report: {directory: \"$dir/reports\", formats: [html, json], command: 'test -e \"$dir/go\" \&\& cp \"\$1\" \"$dir/go\"'}\ndata_dir: $dir/data" "$dir/demo/site.yaml" >"$dir/demo/deliver.yaml"
deliver() { "$garita" report deliver -c "$dir/demo/deliver.yaml" --week 2026-W47; }
deliver >/dev/null 2>"$dir/err" && fail "deliver: a command that failed is not said"
mkdir "$dir/go"
deliver >"$dir/delivered" || fail "deliver"
[ "$(wc -l <"$dir/delivered")" = 2 ] || fail "deliver: $(cat "$dir/delivered")"
cmp -s "$dir/reports/pe-01-2026-W47.html" "$dir/go/pe-01-2026-W47.html" || fail "deliver: the command got another file"
[ -z "$(deliver)" ] || fail "deliver: twice"
"$garita" verify --db "$dir/data" --report "$dir/reports/pe-01-2026-W47.json" >/dev/null
[ $? = 1 ] && fail "deliver: not issued"

# Bad input.
for bad_week in 2026 2026-W54 W47 2026-W00; do
	week --week $bad_week --format json >/dev/null 2>"$dir/err"
	[ $? = 2 ] || fail "--week $bad_week: exit code"
	grep -q "$bad_week" "$dir/err" || fail "--week $bad_week: is not named"
done
week --format pdf 2>/dev/null && fail "a PDF without -o"
"$garita" report weekly --db "$dir/none" --format json 2>/dev/null && fail "no database"
week --week 2020-W01 --format json | jq -e '.summary.transfers == 0 and .summary.light == "inconclusive"' >/dev/null || fail "a week of nothing"

# The exfiltration test: seen are those of the demo's own transfers.
"$garita" self-test begin --db "$dir/data" --lang en 2>"$dir/err" && fail "self-test without a target"
grep -q self_test.target "$dir/err" || fail "self-test: the target's key is not named"
"$garita" self-test begin --db "$dir/data" --lang en --target 203.0.113.77 >"$dir/begin" || fail "self-test begin"
id=$(sed -n 's/^Self-test \([^,]*\), .*/\1/p' "$dir/begin")
grep -q "garita-probe send --id $id --target 203.0.113.77" "$dir/begin" || fail "self-test: the probe's command"
"$garita" self-test check "$id" --db "$dir/data" --format json >"$dir/check"
[ $? = 1 ] || fail "self-test: passes without a packet"
jq -e '.passed == false and (.channels | length) == 5' "$dir/check" >/dev/null || fail "self-test: check"
"$garita" self-test check 20200101-000000-0000 --db "$dir/data" 2>/dev/null && fail "self-test: a number that never was"
now=$(TZ=America/Mexico_City date +%G-W%V)
"$garita" report weekly --db "$dir/data" --week "$now" --format json |
	jq -e --arg id "$id" '[.self_tests[] | select(.test == $id and .seen == false)] | length == 5' >/dev/null || fail "self-test: the report"
"$garita" verify --db "$dir/data" >/dev/null 2>&1
[ $? = 1 ] && fail "the ledger is whole no longer"
exit $bad

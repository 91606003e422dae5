#!/bin/sh
# garita findings and garita show: filters, orders, formats; severity term by
# term is the severity; hostile text is harmless; both languages.
set -eu
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }
"$build/garitad" -c tests/replay/demo/site.yaml -D "$work/db" -r tests/replay/demo/capture.pcap >"$work/log" 2>&1
findings() { "$build/garita" findings --db "$work/db" "$@"; }
show() { "$build/garita" show "$@" --db "$work/db"; }
all=$(findings --format json)
count() { findings "$@" --format json | wc -l; }

# What they hold is what the transfers hold.
transfers=$("$build/garita" transfers --db "$work/db" --format json --limit 0)
for id in $(echo "$all" | jq .id); do
	want=$(echo "$transfers" | jq -cs "map(select(.finding == $id)) | [length, (map(.ip_bytes_in) | add) // 0]")
	have=$(echo "$all" | jq -c "select(.id == $id) | [.transfers, .ip_bytes_in]")
	[ "$want" = "$have" ] || fail "finding $id: transfers hold $want, it says $have"
	[ "$(show "$id" --format json | jq '[.severity, (.severity_terms | map(.points) | add)] | unique | length')" = 1 ] ||
		fail "finding $id: its terms do not add up"
	[ "$(show "$id" --format json | jq '[(.detections // []), (.detected | map(.word))] | map(sort) | unique | length')" = 1 ] ||
		fail "finding $id: what was detected"
	show "$id" >"$work/en" && show "$id" --lang es >"$work/es"
	cmp -s "$work/en" "$work/es" && fail "finding $id: one language"
done
echo "$all" | jq -es 'map(.severity) == (map(.severity) | sort | reverse)' >/dev/null || fail "the worst is not first"
findings --sort id --format json | jq -es 'map(.id) == (map(.id) | sort)' >/dev/null || fail "--sort id"
findings --sort bytes --format json | jq -es 'map(.ip_bytes_out) == (map(.ip_bytes_out) | sort | reverse)' >/dev/null || fail "--sort bytes"

# Filters.
has() { echo "$all" | jq -cs "map(select($1)) | length"; }
[ "$(count --severity 40)" = "$(has '.severity >= 40')" ] || fail "--severity"
[ "$(count --equipment NII-0008)" = "$(has '.equipment == "NII-0008"')" ] || fail "--equipment"
[ "$(count --equipment 'NII-*')" = "$(has '.equipment | startswith("NII-")')" ] || fail "--equipment *"
[ "$(count --peer files.abroad.example)" = "$(has '.peer == "files.abroad.example"')" ] || fail "--peer name"
[ "$(count --peer '*.example')" = "$(has '.peer | endswith(".example")')" ] || fail "--peer *.name"
[ "$(count --peer AS64499)" = "$(has '.peer == "AS64499"')" ] || fail "--peer AS"
[ "$(count --reason outside-hours)" = "$(has '(.reasons // []) | index("outside-hours") != null')" ] || fail "--reason"
[ "$(count --detection dns-tunnel)" = "$(has '(.detections // []) | index("dns-tunnel") != null')" ] || fail "--detection"
[ "$(count --peer 203.0.113.80)" = "$(echo "$transfers" | jq -s 'map(select(.dest_ip == "203.0.113.80" and .finding) | .finding) | unique | length')" ] ||
	fail "--peer address"
[ "$(count --peer 2001:db8::/32)" = "$(echo "$transfers" | jq -s 'map(select((.dest_ip | startswith("2001:db8:")) and .finding) | .finding) | unique | length')" ] ||
	fail "--peer prefix"
[ "$(count --since 2026-11-23)" = 0 ] || fail "--since"
[ "$(count --until 2026-11-22)" = 0 ] || fail "--until"
[ "$(count --limit 2)" = 2 ] || fail "--limit"
[ "$(count --state open) $(count --state closed)" = "$(count) 0" ] || fail "--state"
[ "$(findings --format csv | wc -l)" = $(($(count) + 1)) ] || fail "csv"
findings --severity 100 >"$work/out" 2>"$work/err"
grep -q 'No finding' "$work/err" || fail "none is said"
for bad in "--severity 101" "--severity x" "--state new" "--sort size" "--reason none" "--detection none" "--peer 1.2.3" more; do
	# shellcheck disable=SC2086
	if findings $bad >/dev/null 2>&1; then fail "$bad was taken"; fi
done
for bad in "" "1 2" x "1 --format csv"; do
	# shellcheck disable=SC2086
	if show $bad >/dev/null 2>&1; then fail "show $bad was taken"; fi
done
show 99999 2>"$work/err" && fail "a finding that is none"
grep -q 'no such finding' "$work/err" || fail "what is said of it"

# A page: the sentence, the terms, the neighbour.
id=$(findings --peer files.abroad.example --format json | jq .id)
show "$id" >"$work/page"
grep -q '^BAG-0004 sent 180 kB to files.abroad.example (NL, DE), mostly over plain TCP,$' "$work/page" ||
	fail "the sentence: $(sed -n 3p "$work/page")"
grep -q '^136 kB of it in a transfer with DICOM images; no approval.$' "$work/page" || fail "it says more than was seen"
show "$id" --lang es | grep -q '^BAG-0004 envió 180 kB a files.abroad.example (NL, DE), sobre todo por TCP sin$' ||
	fail "la frase"
grep -q '^Severity  *15  not approved$' "$work/page" || fail "the terms"
grep -q 'same equipment, other findings: 1. [0-9]* ([0-9]*) → AS64499' "$work/page" || fail "the neighbour"
grep -q 'SNI of TLS; DNS gave it' "$work/page" || fail "the names"

# A day later in packet time it has ended; what is folded is on the page, too; and nothing acts on a terminal.
sqlite3 "$work/db/garita.db" "
	UPDATE finding SET peer_name = char(27) || ']0;x' || char(7) || '2J' || char(8238) || 'evil', country = char(27) || '[2J'
		WHERE id = $id;
	INSERT INTO detection VALUES($id, 'beacon', 90, 3, 1, 2, 0, char(27) || '[31m' || char(10) || 'x'),
		($id, 'not-yet-known', 90, 3, 1, 2, 0, NULL);
	UPDATE finding SET state = 'closed', signs = '[\"beacon\",\"not-yet-known\"]' WHERE id = $id;
	UPDATE transfer SET hostname = char(27) || '[2Jname', as_org = char(27) || 'c', city = char(7), provider = char(155) || '2J',
		content = json_array(json_object('word', 'dicom', 'detail', char(27) || ']52;c;x' || char(7))),
		channel = json_array(json_object('kind', 'vpn', 'name', char(27) || '[5m', 'provider', char(8238) || 'x')) WHERE finding = $id"
for v in "show $id" "show $id --all --lang es" findings; do
	# shellcheck disable=SC2086
	"$build/garita" $v --db "$work/db" >"$work/page"
	if LC_ALL=C grep -q "$(printf '[\001-\011\013-\037\177]')" "$work/page"; then fail "$v: control characters"; fi
	if grep -q "$(printf '\342\200\256')" "$work/page"; then fail "$v: text that runs backwards"; fi
done
show "$id" | grep -q 'beacon 90/100 ×3 \[T1041\]' || fail "its detection"
show "$id" --format json | jq -e '.state == "closed" and ([.detected[].word] | index("beacon") != null)' >/dev/null || fail "its state"
[ "$(count --state closed)" = 1 ] || fail "--state closed"

# One whose transfers are judged otherwise is in no list; asked for, it says so.
sqlite3 "$work/db/garita.db" "UPDATE finding SET transfers = 0, signs = NULL WHERE id = $id"
[ -z "$(findings --format json | jq "select(.id == $id)")" ] || fail "an emptied finding is listed"
show "$id" | grep -q '^What to do  Its transfers are judged otherwise now; nothing is left in it' || fail "an emptied finding"
show "$id" --format json | jq -e '.emptied and (has("sentence") | not)' >/dev/null || fail "an emptied finding, JSON"

# A transfer, approved or not.
for id in $(echo "$transfers" | jq .id); do
	show "$id" --transfer >"$work/page" || fail "transfer $id"
	show "$id" --transfer --all --lang es >/dev/null || fail "transfer $id, all of it"
	[ "$(show "$id" --transfer --format json | jq -r '[.transfer, .verdict] | map(tostring) | join(" ")')" = \
		"$id $(echo "$transfers" | jq -r "select(.id == $id) | .verdict")" ] || fail "transfer $id, JSON"
done
show 99999 --transfer 2>"$work/err" && fail "a transfer that is none"
grep -q 'no such transfer' "$work/err" || fail "what is said of it"

# The manual page has every word of detect.c, with its weight and its ids.
sed -n 's/.*\[DETECT_[A-Z0-9_]*\] = {"\([^"]*\)", "\([^"]*\)", DETECT_[A-Z]*, \([0-9]*\),.*/\1|Weight \3; \2./p' \
	monitor/judge/detect.c >"$work/words"
[ "$(wc -l <"$work/words")" -ge 45 ] || fail "the table of detect.c cannot be read"
while IFS='|' read -r word line; do
	[ "$(grep -A 1 "^\.B $word\$" tools/man/garita-detections.7 | tail -1)" = "$line" ] ||
		fail "garita-detections(7): $word: $line"
done <"$work/words"
[ "$(grep -c '^Weight ' tools/man/garita-detections.7)" = "$(wc -l <"$work/words")" ] || fail "garita-detections(7) has words of its own"

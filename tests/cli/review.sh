#!/bin/sh
# garita review and garita suppress over a recorded day; what is replayed into
# the same record afterwards opens findings again.
set -eu
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }
replay() { "$build/garitad" -c "$work/site.yaml" -D "$work/db" -r tests/replay/demo/capture.pcap >"$work/log" 2>&1; }
findings() { "$build/garita" findings --db "$work/db" --format json "$@"; }
review() { "$build/garita" review --db "$work/db" "$@" </dev/null; }
suppress() { "$build/garita" suppress --db "$work/db" "$@"; }
of() { findings --limit 0 | jq -c "select(.id == $1) | $2"; }
# whatever people and the sensor did: each review is what its newest entry says
whole() {
	sqlite3 "$work/db/garita.db" "SELECT count(*) FROM review r JOIN ledger l ON l.seq = r.entry
		WHERE l.kind = 'review' AND l.subject = r.finding AND r.state = json_extract(l.body, '\$.state')
		AND r.disposition IS json_extract(l.body, '\$.disposition') AND r.transfers = json_extract(l.body, '\$.transfers')
		AND r.due_us IS json_extract(l.body, '\$.due_us') AND r.reopened = json_extract(l.body, '\$.reopened')
		AND r.hold = json_extract(l.body, '\$.hold') AND r.note IS json_extract(l.body, '\$.note')" >"$work/agree"
	"$build/garita" verify --db "$work/db" >"$work/verified" || [ $? = 3 ] || fail "$1: $(cat "$work/verified")"
	[ "$(cat "$work/agree")" = "$(sqlite3 "$work/db/garita.db" 'SELECT count(*) FROM review')" ] || fail "$1: a row and its entry differ"
}
mkdir "$work/geo" && cp tests/replay/geo/*.mmdb "$work/geo"
sed "s|\.\./geo|$work/geo|g" tests/replay/demo/site.yaml >"$work/site.yaml"
echo 'review: {severe: 60, deadline: 90m}' >>"$work/site.yaml"
replay
worst=$(findings --limit 1 | jq .id)
mild=$(findings --limit 0 | jq -s 'map(select(.severity < 60)) | max_by(.transfers) | .id')

# Severe ones have a deadline, counted from now and not from the time of the packets.
now=$(date +%s)
of "$worst" .due | grep -q '"20' || fail "no deadline"
due=$(date -d "$(of "$worst" .due | tr -d '"')" +%s)
[ $((due - now)) -gt 5200 ] && [ $((due - now)) -le 5400 ] || fail "it is due in $((due - now)) s"
[ "$(of "$mild" .due)" = null ] || fail "a mild one has a deadline"
[ "$(findings --review overdue | wc -l)" = 0 ] || fail "overdue already"
[ "$(findings --review new | wc -l)" = "$(findings | wc -l)" ] || fail "all are new"

# What is missing is said, and nothing is asked where there is no terminal.
for bad in "" "$worst" "$worst --disposition confirmed" "$worst --state closed" "$worst --disposition maybe --note x" \
	"$worst --state new" "$worst --hold --release" "$worst --disposition confirmed --state open --note x" "x --note y" \
	"0 --note y" "$worst --severity 3 --note y" "--severity 3 --note y" "$worst --log --note y" "$worst $mild --draft-approval" \
	"$worst --note" "$worst --analyst"; do
	# shellcheck disable=SC2086
	if review $bad >"$work/out" 2>"$work/err"; then fail "'$bad' was taken"; else code=$?; fi
	[ "$code" = 2 ] || fail "'$bad' ends with $code: $(cat "$work/err")"
	[ -s "$work/err" ] && [ ! -s "$work/out" ] || fail "'$bad' says nothing"
done
review 4711 --note y >/dev/null 2>&1 && fail "a finding that is not there"
[ "$(findings --review new | wc -l)" = "$(findings | wc -l)" ] || fail "a wrong call changed something"

# Hostile and binary texts do not get in.
for bad in "$(printf 'a\033[31mb')" "$(printf 'a\377b')" "$(printf 'a\342\200\256b')" "   " ""; do
	review "$worst" --note "$bad" >/dev/null 2>&1 && fail "a note of $(printf %s "$bad" | od -c | head -1)"
	review "$worst" --note x --analyst "$bad" >/dev/null 2>&1 && fail "a name of $(printf %s "$bad" | od -c | head -1)"
done
long=$(printf '%2001s' '' | tr ' ' n)
review "$worst" --note "$long" >/dev/null 2>&1 && fail "a note that is too long"
review "$worst" --note "${long%n}" >/dev/null || fail "a note of 2000 bytes"

# Taken by one, not by another at the same time; decided; by whom in any case.
review "$worst" --state in-review --analyst ana >/dev/null
[ "$(of "$worst" '[.review_state, .analyst]')" = '["in-review","ana"]' ] || fail "taken"
review "$worst" --state in-review --analyst bob >/dev/null 2>"$work/err" && fail "two have it"
grep -q 'ana has it' "$work/err" || fail "who has it"
review "$worst" --state in-review --analyst bob --yes >/dev/null || fail "taken over"
review "$worst" --disposition confirmed --analyst bob --note "línea 1
línea 2; \"real\"" --hold >"$work/out"
grep -q 'closed: confirmed, on legal hold' "$work/out" || fail "said: $(cat "$work/out")"
[ "$(of "$worst" '[.review_state, .disposition, .analyst, .hold, .note, .due]')" = \
	'["closed","confirmed","bob",true,"línea 1 línea 2; \"real\"",null]' ] || fail "decided: $(of "$worst" .)"
review "$worst" --log --format json >"$work/events"
jq -es "map(.action) == [\"due\",\"noted\",\"taken\",\"taken\",\"decided\"] and
	all(.[1:][]; .user | test(\"uid $(id -u)\"))" "$work/events" >/dev/null || fail "the log: $(cat "$work/events")"
[ "$(review "$worst" --log | wc -l) $(review "$worst" --log --format csv | wc -l)" = "5 6" ] || fail "the log as table and CSV"
review "$worst" --release --analyst law --note "case 44 is over" --lang es | grep -q 'hallazgo' || fail "Spanish"
[ "$(of "$worst" '[.analyst, .hold]')" = '["bob",null]' ] || fail "the hold is over, and it is bob's"
whole "after the decision"

# Many at once, where that is meant.
review --equipment NII-0008 --disposition false-positive --note "vendor test" >/dev/null 2>"$work/err" && fail "without --yes"
grep -q -- --yes "$work/err" || fail "how to mean it"
open=$(findings --equipment NII-0008 --review to-review | wc -l)
[ "$(review --equipment NII-0008 --disposition false-positive --note "vendor test" --yes --format json | wc -l)" = "$open" ] || fail "by filters"
[ "$(findings --equipment NII-0008 --review to-review | wc -l)" = 0 ] || fail "all of them"
review --equipment NII-0008 --note again --yes 2>&1 | grep -q 'No finding' || fail "closed ones are left alone"
[ "$(findings --reviewed-by bob | jq .id)" = "$worst" ] || fail "--reviewed-by"
[ "$(findings --sort review | jq -r .review_state | uniq | tr '\n' ' ')" = "open closed " ] || fail "--sort review"

# On a terminal it asks.
if command -v script >/dev/null; then
	printf '7\nfalse-positive\n\ttest of\tthe vendor\n' |
		script -qec "$build/garita review $mild --db $work/db" /dev/null >"$work/out" 2>&1 || fail "asked: $(cat "$work/out")"
	[ "$(of "$mild" '[.disposition, .note]')" = '["false-positive","test of the vendor"]' ] || fail "answered: $(of "$mild" .)"
	grep -q "Finding $mild, severity" "$work/out" || fail "it does not say what it asks about"
	printf '\n' | script -qec "$build/garita review $mild --db $work/db" /dev/null >"$work/out" 2>&1 && fail "left as it is"
fi
review "$mild" --disposition false-positive --note "test of the vendor" >/dev/null

# The same traffic again: of a confirmed finding it is new, of a false positive it is more of the same; not for ever.
before=$(of "$worst" .transfers)
replay
[ "$(of "$worst" '[.review_state, .disposition, .reopened, .transfers]')" = "[\"open\",\"confirmed\",1,$((2 * before))]" ] ||
	fail "not opened again: $(of "$worst" .)"
of "$worst" .due | grep -q '"20' || fail "no deadline of what was opened again"
[ "$(review "$worst" --log --format json | jq -s '.[-1] | [.action, .by, .transfers_since]' -c)" = "[\"reopened\",\"garitad\",$before]" ] ||
	fail "it is not said by how much"
[ "$(findings --review reopened | jq .id)" = "$worst" ] || fail "--review reopened"
[ "$(of "$mild" .review_state)" = '"closed"' ] || fail "a false positive is opened at each packet"
whole "after a replay"
replay
[ "$(of "$mild" '[.review_state, .reopened]')" = '["open",1]' ] || fail "it grows for ever unseen"
whole "after another replay"

# Beside a sensor that runs: it sees at once what somebody decided.
mkfifo "$work/pipe"
"$build/garitad" -c "$work/site.yaml" -D "$work/live" -r - <"$work/pipe" >"$work/log2" 2>&1 &
sensor=$!
{
	cat tests/replay/demo/capture.pcap
	i=0
	while [ ! -e "$work/go" ] && [ $((i += 1)) -lt 600 ]; do sleep 0.1; done
	tail -c +25 tests/replay/demo/capture.pcap
} >"$work/pipe" &
i=0
until [ "$("$build/garita" findings --db "$work/live" --format json 2>/dev/null | jq -s "map(select(.id == $worst)) | .[0].transfers // 0")" = "$before" ]; do
	[ $((i += 1)) -lt 300 ] || fail "nothing is recorded"
	sleep 0.1
done
review "$worst" --disposition escalated --note "call the vendor" --db "$work/live" >/dev/null || fail "beside the sensor"
[ "$("$build/garita" findings --db "$work/live" --format json --review closed | jq .id)" = "$worst" ] || fail "closed beside the sensor"
touch "$work/go"
wait $sensor || fail "the sensor: $(cat "$work/log2")"
[ "$("$build/garita" findings --db "$work/live" --format json --review reopened | jq -c '[.id, .disposition]')" = "[$worst,\"escalated\"]" ] ||
	fail "the sensor did not see it"

# Suppressions: an end, an owner and a reason each.
for bad in "" "add" "add --equipment NII-0008 --owner ana --why w" "add --equipment NII-0008 --until 3d --why w" \
	"add --equipment NII-0008 --until 3d --owner ana" "add --until 3d --owner ana --why w" \
	"add --equipment NII-0008 --until 2020-01-01 --owner ana --why w" "add --equipment NII-0008 --until 400d --owner ana --why w" \
	"add --reason nothing --until 3d --owner ana --why w" "add --peer 1.2.3 --until 3d --owner ana --why w" \
	"add --equipment NII-0008 --until never --owner ana --why w" "end" "end x" "list now"; do
	# shellcheck disable=SC2086
	if suppress $bad >"$work/out" 2>"$work/err"; then fail "suppress '$bad' was taken"; else code=$?; fi
	[ "$code" = 2 ] || fail "suppress '$bad' ends with $code"
done
all=$(findings | wc -l)
suppress add --equipment NII-0008 --until 3d --owner ana --why "vendor test, case \"9\"" >"$work/out"
grep -q 'suppression 1 until' "$work/out" || fail "made: $(cat "$work/out")"
hidden=$(findings --suppressed | wc -l)
[ "$hidden" -gt 0 ] && [ $(($(findings 2>/dev/null | wc -l) + hidden)) = "$all" ] || fail "hidden: $hidden of $all"
findings 2>&1 >/dev/null | grep -q "^$hidden more are hidden" || fail "how many are hidden"
[ "$(findings --suppressed | jq .suppression | sort -u)" = 1 ] || fail "by which"
[ "$(suppress list --format json | jq -c '[.id, .state, .equipment, .owner, .findings]')" = "[1,\"holds\",\"NII-0008\",\"ana\",$hidden]" ] ||
	fail "list: $(suppress list --format json)"
# nothing worse than what its owner saw
suppress add --peer '*.abroad.example' --until 2d --up-to 10 --owner ana --why w >/dev/null
[ "$(findings --suppressed | wc -l)" = "$hidden" ] || fail "worse ones are hidden"
suppress end 2 >/dev/null || fail "end"
suppress end 2 >/dev/null 2>&1 && fail "ended twice"
suppress end 9 >/dev/null 2>&1 && fail "ended what is not there"
forged() { sqlite3 "$work/db/garita.db" "UPDATE suppression SET until_us = $1 WHERE id = 1"; }
until=$(sqlite3 "$work/db/garita.db" "SELECT until_us FROM suppression WHERE id = 1")
forged "from_us + 1"
[ "$(findings | wc -l)" = "$all" ] || fail "an expired one hides"
[ "$(suppress list --format json | jq -c .state | tr '\n' ' ')" = '"ended" "expired" ' ] || fail "expired"
[ "$(suppress list | wc -l) $(suppress list --format csv | wc -l)" = "3 3" ] || fail "lists"
suppress list --lang es | grep -q vencida || fail "Spanish"
forged "$until"
suppress end 1 >/dev/null || fail "end what holds"

# Drafts: refused until somebody answers for them, and loud about what was detected.
flagged=$(findings --limit 0 | jq -s 'map(select((.detections // []) | index("inspection-data"))) | .[0].id')
review "$flagged" --draft-approval >"$work/draft.yaml" 2>"$work/err"
grep -q 'A DETECTION FLAGGED IT: .*inspection-data' "$work/draft.yaml" && grep -q 'flagged it' "$work/err" || fail "it is not said aloud"
[ "$(of "$flagged" .review_state)" = '"open"' ] || fail "a draft changes something"
sed '/^approvals:/,/^[a-z]*:/{/^approvals:/d;/^ /d;/^#/d}' "$work/site.yaml" >"$work/none.yaml"
{ cat "$work/none.yaml"; cat "$work/draft.yaml"; } >"$work/raw.yaml"
"$build/garitad" -c "$work/raw.yaml" -T >/dev/null 2>"$work/err" && fail "nobody approved it"
for key in valid approved_by ticket; do grep -q "'$key' has no value" "$work/err" || fail "$key is not asked for"; done
sed -e 's/^    valid: .*/    valid: 2026-01-01..2026-12-31/' -e 's/^    approved_by: .*/    approved_by: A. Officer/' \
	-e 's/^    ticket: .*/    ticket: OFICIO-1/' "$work/raw.yaml" >"$work/filled.yaml"
"$build/garitad" -c "$work/filled.yaml" -T >/dev/null || fail "the filled draft is refused"
review "$flagged" --draft-approval --format json 2>/dev/null | jq -es 'map(select(.kind == "draft") | .flagged) | length > 0 and all' >/dev/null ||
	fail "the draft as JSON"
review 4711 --draft-approval >/dev/null 2>&1 && fail "a draft from nothing"

# Who writes a decision into the table is found out.
whole "at the end"
cp "$work/db/garita.db" "$work/forged.db"
sqlite3 "$work/forged.db" "UPDATE review SET disposition = 'false-positive' WHERE finding = $worst"
"$build/garita" verify --db "$work/forged.db" >"$work/verified" 2>&1 && fail "a forged decision"
grep -q review "$work/verified" || fail "it is not said: $(cat "$work/verified")"

# What is overdue comes first, and the status says it.
sqlite3 "$work/db/garita.db" "UPDATE review SET due_us = 1 WHERE finding = $worst; UPDATE review SET due_us = NULL WHERE finding <> $worst"
[ "$(findings --review overdue | jq .id) $(findings --sort review | head -1 | jq .id)" = "$worst $worst" ] || fail "overdue"
"$build/garita" status --db "$work/db" --format json >"$work/status" || true
jq -e '.review | .overdue == 1 and .due == 0 and .open + .in_review + .closed + .suppressed > 5' "$work/status" >/dev/null || fail "status: $(jq .review "$work/status")"
"$build/garita" status --db "$work/db" | grep -q 'past the deadline' || fail "the warning"
"$build/garita" status --db "$work/db" --lang es | grep -q 'vencidos: 1' || fail "the warning in Spanish"

# A record that may only be read, and one that is not there.
review 1 --note x --db "$work/none" >/dev/null 2>&1 && fail "no record"
exit 0

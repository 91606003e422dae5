#!/bin/sh
# garita verify: a record as the sensor left it is whole; each thing that is done to it is named.
set -eu
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }
"$build/garitad" -c tests/replay/demo/site.yaml -D "$work/db" -r tests/replay/demo/capture.pcap >"$work/log" 2>&1
db=$work/copy/garita.db

verify() { "$build/garita" verify --db "$db" --format json "$@" || test $? = "${code:-1}"; }
fresh() { rm -rf "$work/copy" && cp -r "$work/db" "$work/copy"; }
# wrong SQL WORD JQ: after that the first thing with that word is as the filter says.
wrong() {
	fresh
	sqlite3 "$db" "$1"
	verify >"$work/out"
	jq -es "map(select(.wrong == \"$2\")) | first | $3" "$work/out" >/dev/null ||
		fail "$1: no $2 with $3: $(cat "$work/out")"
	tail -n1 "$work/out" | jq -e '.result == "wrong" and .wrong > 0' >/dev/null || fail "$1: the result"
}

fresh
code=$("$build/garita" verify --db "$db" >/dev/null && echo 0 || echo $?)
[ "$code" = 0 ] || fail "untouched: $code: $("$build/garita" verify --db "$db")"
verify | jq -es 'last | .wrong == 0 and .entries > 3 and .transfers > 0 and .sealed == .transfers and .findings > 0' >/dev/null ||
	fail "untouched: $(verify)"
unset code

rows=$(sqlite3 "$db" "SELECT seq FROM ledger WHERE kind = 'rows' LIMIT 1")
end=$(sqlite3 "$db" "SELECT max(seq) FROM ledger WHERE kind = 'run-ended'")
wrong "UPDATE ledger SET body = replace(body, 'orderly', 'killed') WHERE seq = $end" entry-hash ".entry == $end"
wrong "UPDATE ledger SET body = replace(body, '\"live\":false', '\"live\":true') WHERE seq = 1" entry-hash '.entry == 1'
wrong "UPDATE ledger SET hash = zeroblob(32) WHERE seq = 1" entry-hash '.entry == 1'
wrong "UPDATE ledger SET body = body || ' ' WHERE seq = 1" entry-text '.entry == 1'
wrong "DELETE FROM ledger WHERE seq = 1" entry-missing '.entry == 1 and .until == 1'
wrong "DELETE FROM ledger WHERE seq = 0" entry-missing '.entry == 0'
wrong "UPDATE ledger SET time_us = time_us + 1 WHERE seq = 2" entry-columns '.entry == 2 and .column == "time_us"'
wrong "UPDATE ledger SET kind = 'gap' WHERE seq = 1" entry-columns '.entry == 1 and .column == "kind"'
wrong "UPDATE ledger SET subject = 77 WHERE seq = 1" entry-columns '.entry == 1 and .column == "subject"'
wrong "UPDATE ledger SET seq = -9 WHERE seq = 1; UPDATE ledger SET seq = 1 WHERE seq = 2; UPDATE ledger SET seq = 2 WHERE seq = -9" \
	entry-place '.entry == 1 and .expected == "2"'

wrong "UPDATE transfer SET ip_bytes_out = ip_bytes_out + 1 WHERE id = 5" transfer-changed ".id == 5 and .entry == $rows"
wrong "UPDATE transfer SET hostname = 'images.example.com' WHERE id = 6" transfer-changed '.id == 6'
wrong "DELETE FROM transfer WHERE id = 5" transfer-missing '.id == 5'
wrong "UPDATE transfer SET id = 500 WHERE id = 5" transfer-unsealed '.id == 500'
wrong "UPDATE transfer SET id = -5 WHERE id = 5" transfer-unsealed '.id == -5'
wrong "UPDATE transfer SET id = 9223372036854775807 WHERE id = 5" transfer-unsealed '.id > 9e18'
wrong "UPDATE transfer SET state = 'open' WHERE id = 5" transfer-reopened '.id == 5'
wrong "UPDATE seal SET rows = substr(rows, 1, length(rows) - 1) WHERE entry = $rows" seal-changed ".entry == $rows"
wrong "DELETE FROM seal WHERE entry = $rows" seal-missing ".entry == $rows"
wrong "UPDATE seal SET entry = 1 WHERE entry = $rows" seal-unknown '.entry == 1'
# findings: what the ledger says, and what their transfers add up to
wrong "UPDATE finding SET severity = 1 WHERE id = 2" finding-changed '.id == 2 and .column == "severity" and .found == "1"'
wrong "UPDATE finding SET reasons = '[]' WHERE id = 2" finding-changed '.id == 2 and .column == "reasons"'
wrong "UPDATE finding SET state = 'closed' WHERE id = 2" finding-changed '.id == 2 and .column == "state"'
wrong "UPDATE finding SET peer = '192.0.2.1' WHERE id = 2" finding-changed '.id == 2 and .column == "peer"'
wrong "UPDATE finding SET bytes_out = bytes_out - 1 WHERE id = 2" finding-changed '.id == 2 and .column == "bytes_out"'
wrong "UPDATE finding SET bytes_out = bytes_out + 1 WHERE id = 2" finding-sum '.id == 2 and .column == "bytes_out"'
wrong "UPDATE finding SET first_us = first_us + 1 WHERE id = 2" finding-changed '.id == 2 and .column == "first_us"'
wrong "UPDATE transfer SET finding = NULL WHERE id = (SELECT min(id) FROM transfer WHERE finding = 2)" finding-sum '.id == 2'
wrong "DELETE FROM finding WHERE id = 2" finding-missing '.id == 2'
wrong "UPDATE finding SET id = 200 WHERE id = 2" finding-unknown '.id == 200'

# what a person decided
fresh
"$build/garita" review 1 2 --db "$db" --disposition false-positive --note "a test of the line" --analyst "Ana Example" --yes >/dev/null
"$build/garita" suppress --help >/dev/null
code=$("$build/garita" verify --db "$db" >/dev/null && echo 0 || echo $?)
[ "$code" = 0 ] || fail "reviewed: $code: $("$build/garita" verify --db "$db")"
rm -rf "$work/db" && cp -r "$work/copy" "$work/db"
unset code
wrong "UPDATE review SET disposition = 'confirmed' WHERE finding = 1" review-changed \
	'.id == 1 and .column == "disposition" and .expected == "false-positive" and .found == "confirmed"'
wrong "UPDATE review SET state = 'open', closed_us = NULL WHERE finding = 2" review-changed '.id == 2 and .column == "state"'
wrong "UPDATE review SET analyst = 'Bob' WHERE finding = 1" review-changed '.column == "analyst"'
wrong "UPDATE review SET hold = 1 WHERE finding = 1" review-changed '.column == "hold"'
wrong "UPDATE review SET note = NULL WHERE finding = 1" review-changed '.column == "note"'
wrong "DELETE FROM review WHERE finding = 1" review-missing '.id == 1'
wrong "INSERT INTO review(finding, state, at_us, transfers, bytes_out, severity, entry) VALUES(3, 'closed', 1, 1, 1, 1, 1)" \
	review-unknown '.id == 3'
wrong "INSERT INTO suppression(id, severity, owner, why, user, from_us, until_us, entry) VALUES(3, 1, 'a', 'b', 'c', 1, 2, 1)" \
	suppression-unknown '.id == 3'
wrong "INSERT INTO evidence(path, run, state, packets, bytes, sha256) VALUES('evidence/x.pcapng', 1, 'closed', 1, 1, zeroblob(32))" \
	evidence-missing '.file == "evidence/x.pcapng"'
fresh
mkdir -p "$work/copy/evidence/2026-11-22"
echo other >"$work/copy/evidence/2026-11-22/left.pcapng"
verify | jq -es 'first | .wrong == "evidence-unknown" and .file == "evidence/2026-11-22/left.pcapng"' >/dev/null || fail "a file too many"

# The head that the sensor signed: in the database, beside it, and taken away.
fresh
"$build/garita" ledger checkpoint --db "$db" -o "$work/head"
"$build/garita" ledger key --db "$db" >"$work/key"
cmp -s "$work/head" "$work/copy/ledger.head" || fail "the head beside the database is another"
"$build/garita" verify --db "$db" --checkpoint "$work/head" --key "$work/key" >/dev/null || fail "its own checkpoint"
"$build/garita" ledger proof 1 --db "$db" --format json | jq -e '.size >= 4 and (.proof | length) > 1 and .checkpoint != null' >/dev/null ||
	fail "a proof"
"$build/garita" ledger proof 1 --db "$db" | sed -n '1p;3p' | tr '\n' ' ' | grep -qx 'c2sp.org/tlog-proof@v1 index 1 ' || fail "tlog-proof"
size=$(sqlite3 "$db" "SELECT max(size) FROM checkpoint")
wrong "UPDATE checkpoint SET root = zeroblob(32) WHERE size = $size" checkpoint-note ".checkpoint == $size"
wrong "UPDATE checkpoint SET note = replace(note, char(10) || '$size' || char(10), char(10) || '1' || char(10)) WHERE size = $size" \
	checkpoint-signature '.checkpoint == 1'
wrong "DELETE FROM ledger WHERE seq >= $((size - 1)); DELETE FROM checkpoint" ledger-cut ".entry == $((size - 1)) and .checkpoint == $size"
fresh
rm "$work/copy/ledger.head"
sqlite3 "$db" "DELETE FROM ledger WHERE seq >= $((size - 1)); DELETE FROM checkpoint"
verify --checkpoint "$work/head" | jq -es "first | .wrong == \"ledger-cut\" and .entry == $((size - 1)) and (.file | endswith(\"/head\"))" >/dev/null ||
	fail "cut: $(verify --checkpoint "$work/head")"
fresh
rm "$work/copy/ledger.pub"
code=3 verify | jq -es 'last | .result == "incomplete" and (.not_checked | length) == 1' >/dev/null || fail "without a key"
fresh
rm "$work/copy/ledger.head"
sqlite3 "$db" "DELETE FROM checkpoint"
code=3 verify | jq -es 'last | .result == "incomplete"' >/dev/null || fail "without a checkpoint"

# What is brought from outside: of another key, no checkpoint at all.
fresh
printf 'example.com/other\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/other Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' >"$work/note"
key=example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
verify --key $key --checkpoint "$work/note" | jq -es 'map(select(.wrong == "checkpoint-key" and (.file // "" | endswith("/note")))) | length == 1' >/dev/null ||
	fail "a checkpoint of another"
cat "$work/note" "$work/note" >"$work/notes"
verify --key $key --checkpoint "$work/notes" | jq -es 'map(select(.wrong == "checkpoint-key" and (.file // "" | endswith("/notes")))) | length == 2' >/dev/null ||
	fail "two in one file"
: >"$work/empty"
verify --checkpoint "$work/empty" | jq -es 'map(select(.wrong == "checkpoint-note")) | length == 1' >/dev/null || fail "an empty file"

for bad in "--checkpoint $work/nowhere" "--key $work/nowhere" "--key $work/note" "--limit x" "--format csv" "extra" "--since 1d"; do
	# shellcheck disable=SC2086
	"$build/garita" verify --db "$db" $bad >/dev/null 2>&1 && fail "$bad was taken"
	# shellcheck disable=SC2086
	"$build/garita" verify --db "$db" $bad >/dev/null 2>&1 || test $? = 2 || fail "$bad: not 2"
done

# Said in both languages, and harmless whatever stands in the row.
sqlite3 "$db" "UPDATE transfer SET app = char(27) || '[2J' WHERE id = 5; UPDATE ledger SET body = '{' || char(27) WHERE seq = 1"
"$build/garita" verify --db "$db" --lang en >"$work/en" || test $? = 1
"$build/garita" verify --db "$db" --lang es >"$work/es" || test $? = 1
for words in "en:WRONG" "en:What to do" "es:ALTERADO" "es:Qué hacer"; do
	grep -q "${words#*:}" "$work/${words%%:*}" || fail "not said: $words"
done
grep -q "$(printf '\033')" "$work/en" && fail "an escape came through"
"$build/garita" verify --db "$db" --limit 1 --format json | wc -l | grep -qx 2 || fail "--limit"
exit 0

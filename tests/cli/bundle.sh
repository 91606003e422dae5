#!/bin/sh
# garita evidence: what there is, and a bundle of each finding that its reader can
# check with what its own page tells him to type; as many packets of each transfer
# as the record says; the same bytes each time; whatever is wrong is said.
set -eu
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }
for tool in tshark capinfos unzip openssl python3 sqlite3 jq; do
	command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed" && exit 0; }
done
query() { sqlite3 "$work/db/garita.db" "$1"; }
evidence() { "$build/garita" evidence --db "$work/db" "$@"; }
site() {
	grep -v '^evidence:' tests/replay/demo/site.yaml | sed "s#\.\./geo#$PWD/tests/replay/geo#g" >"$work/site.yaml"
	echo "evidence: $1" >>"$work/site.yaml"
}
replay() {
	"$build/garitad" -c "$work/site.yaml" -D "$work/db" -r tests/replay/demo/capture.pcap >"$work/log" 2>&1 || { cat "$work/log" && fail replay; }
}
site '{packets: full}'
replay

# The lists.
[ "$(evidence --format json | jq -s 'map(.packets) | add')" = "$(query 'SELECT sum(packets) FROM evidence_part')" ] || fail "the list"
[ "$(evidence --files --format json | jq -rs 'map(.sha256) | join(" ")')" = "$(query "SELECT group_concat(lower(hex(sha256)), ' ') FROM evidence")" ] || fail "--files"
evidence >"$work/en" && evidence --lang es >"$work/es"
cmp -s "$work/en" "$work/es" && fail "one language"
COLUMNS=80 evidence | awk '{ if (length($0) > 80) exit 1 }' || fail "the list is wider than the terminal"

# What the page tells its reader to type, typed.
check() {
	(cd "$1" && sha256sum --strict --quiet -c SHA256SUMS) || fail "$1: SHA256SUMS"
	for page in $pages; do
		(cd "$1" && sed -n 's/^    //p' $page | bash -eo pipefail) >"$work/said" 2>&1 || { cat "$work/said" && fail "$1: what $page says does not work"; }
		grep -q 'Signature Verified Successfully' "$work/said" || fail "$1: $page: no signature"
		grep -q '^0 begun is in the signed ledger' "$work/said" || fail "$1: $page: no proof"
		[ "$(grep -c '^transfer .* is what was sealed' "$work/said")" = "$(jq length "$1/transfers.json")" ] || fail "$1: $page: transfers are not sealed"
	done
	for f in "$1"/policy/*; do
		[ "$(b2sum -l 256 "$f" | cut -d' ' -f1).yaml" = "$(basename "$f")" ] || fail "$f"
	done
	[ "$(capinfos -H "$1/evidence.pcapng" 2>/dev/null | sed -n 's/^SHA256: *//p')" = "$(jq -r '.files[] | select(.name == "evidence.pcapng").sha256' "$1/manifest.json")" ] ||
		fail "$1: capinfos says another SHA-256"
	tshark -r "$1/evidence.pcapng" -T fields -e frame.comment 2>/dev/null | grep -o 'transfer=[0-9]*' | sort | uniq -c |
		awk '{ sub("transfer=", "", $2); print $2 "|" $1 }' | sort >"$work/counted"
}
findings=$(query 'SELECT DISTINCT finding FROM evidence_part ORDER BY 1')
[ "$(echo "$findings" | wc -l)" -ge 5 ] || fail "the demo has fewer findings"
pages='README.txt LEEME.txt'   # of the first; they are the same for all
entries=$(query "SELECT count(*) FROM ledger")
for id in $findings; do
	evidence "$id" -o "$work/$id.zip" >"$work/said" || { cat "$work/said" && fail "bundle of $id"; }
	grep -q "$(sha256sum "$work/$id.zip" | cut -d' ' -f1)" "$work/said" || fail "$id: its SHA-256 is not said"
	[ "$(stat -c %a "$work/$id.zip")" = 600 ] || fail "$id: others may read it"
	(cd "$work" && unzip -q "$id.zip") || fail "$id: unzip"
	check "$work/garita-finding-$id"
	pages=
	query "SELECT transfer, sum(packets) FROM evidence_part WHERE finding = $id AND packets > 0 GROUP BY transfer" | sort | diff - "$work/counted" ||
		fail "$id: other packets than the record says"
	[ "$(jq length "$work/garita-finding-$id/transfers.json")" = "$(query "SELECT count(*) FROM transfer WHERE finding = $id")" ] || fail "$id: transfers.json"
	[ "$(jq .finding "$work/garita-finding-$id/manifest.json") $(jq '.problems | length' "$work/garita-finding-$id/manifest.json")" = "$id 0" ] || fail "$id: manifest.json"
done
id=$(echo "$findings" | head -1)
transfer=$(query "SELECT transfer FROM evidence_part WHERE finding = $id AND packets > 0 LIMIT 1")

# The same bytes; not over another; one transfer; nothing left when it fails.
TZ=Asia/Tokyo evidence "$id" -o "$work/again.zip" >/dev/null
cmp "$work/$id.zip" "$work/again.zip" || fail "another time, other bytes"
evidence "$id" -o "$work/again.zip" 2>"$work/err" && fail "written over another"
grep -q 'force' "$work/err" || fail "--force is not said"
evidence --transfer "$transfer" -o "$work/again.zip" --force --format json | jq -e ".transfers == 1 and .problems == 0" >/dev/null || fail "--transfer"

# Each is an entry of the ledger, by which it is known again; what cannot be entered is made all the same.
[ "$(query "SELECT count(*) FROM ledger")" = "$((entries + $(echo "$findings" | wc -l) + 2))" ] || fail "not an entry for each"
"$build/garita" verify --db "$work/db" --report "$work/$id.zip" >"$work/said" || { cat "$work/said" && fail "garita verify --report"; }
grep -q "^issued: evidence report of $id (zip" "$work/said" || fail "what verify says of it: $(cat "$work/said")"
[ "$(query "SELECT body ->> 'sha256' FROM ledger ORDER BY seq DESC LIMIT 1")" = "$(sha256sum "$work/again.zip" | cut -d' ' -f1)" ] || fail "another SHA-256"
[ "$(query "SELECT body ->> 'about' FROM ledger ORDER BY seq DESC LIMIT 1")" = "transfer $transfer" ] || fail "about what"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	mkdir "$work/theirs" && cp -r "$work/db" "$work/readable" && chmod -R a+rX "$work/readable" && chmod 755 "$work" && chmod 777 "$work/theirs"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$build/garita" evidence "$id" --db "$work/readable" -o "$work/theirs/x.zip" \
		>"$work/said" 2>"$work/err" || fail "a record that is not to be written: $(cat "$work/err")"
	grep -q 'no entry' "$work/err" && [ -s "$work/theirs/x.zip" ] || fail "that there is no entry is not said: $(cat "$work/err")"
	chmod 700 "$work"
fi
for bad in "0 -o $work/x.zip" "-o $work/x.zip" "$id --force" "a" "1 2" "--format csv" "1 --transfer 1 -o $work/x.zip"; do
	code=0
	# shellcheck disable=SC2086
	evidence $bad >/dev/null 2>&1 || code=$?
	[ $code = 2 ] || fail "$bad: exit code $code"
done
for bad in "999999 -o $work/x.zip" "--transfer 999999 -o $work/x.zip" "$id -o $work/none/x.zip" "$id -o $work"; do
	code=0
	# shellcheck disable=SC2086
	evidence $bad >/dev/null 2>"$work/err" || code=$?
	[ $code = 1 ] && [ -s "$work/err" ] || fail "$bad: exit code $code"
done
(ulimit -f 8 && trap '' XFSZ && evidence "$id" -o "$work/x.zip" 2>"$work/err") && fail "a full disk"
[ ! -e "$work/x.zip" ] && [ -z "$(find "$work" -maxdepth 1 -name '.garita*')" ] || fail "half a file stayed"

# A changed segment, a changed entry: made all the same, and said.
cp -r "$work/db" "$work/whole"
file=$work/db/$(query 'SELECT path FROM evidence LIMIT 1')
printf 'X' | dd of="$file" bs=1 seek=2000 conv=notrunc 2>/dev/null
code=0
evidence "$id" -o "$work/changed.zip" >"$work/said" 2>"$work/err" || code=$?
[ $code = 3 ] && grep -q segment-changed "$work/err" || fail "a changed segment: exit code $code: $(cat "$work/err")"
unzip -p "$work/changed.zip" '*/README.txt' | grep -q '^WRONG' || fail "README.txt says nothing of it"
unzip -p "$work/changed.zip" '*/LEEME.txt' | grep -q '^MAL' || fail "LEEME.txt says nothing of it"
rm -rf "$work/db" && cp -r "$work/whole" "$work/db"
query "UPDATE ledger SET body = replace(body, '$id', '$id ') WHERE kind = 'finding-opened' AND subject = $id"
query "UPDATE transfer SET dest_ip = '192.0.2.1' WHERE id = $transfer"
code=0
evidence "$id" -o "$work/entry.zip" >/dev/null 2>"$work/err" || code=$?
[ $code = 3 ] && grep -q entry-changed "$work/err" && grep -q transfer-changed "$work/err" || fail "a changed record: exit code $code: $(cat "$work/err")"

# Past evidence.total the reviewed one goes, and it alone; what is left agrees with the ledger, and a bundle says what went.
rm -rf "$work/db" && cp -r "$work/whole" "$work/db"
largest=$(query 'SELECT finding FROM evidence_part GROUP BY finding ORDER BY sum(bytes) DESC LIMIT 1')
held=$(query "SELECT finding FROM evidence_part WHERE finding <> $largest GROUP BY finding ORDER BY sum(bytes) DESC LIMIT 1")
gone=$(query "SELECT sum(packets) FROM evidence_part WHERE finding = $largest")
"$build/garita" review "$largest" --disposition false-positive --note tested --db "$work/db" >/dev/null 2>&1 || fail "garita review"
"$build/garita" review "$held" --hold --note court --db "$work/db" >/dev/null 2>&1 || fail "garita review --hold"
site "{packets: off, total: 1MB}"
query "UPDATE evidence SET bytes = bytes + 1000000"   # as if it were that large
replay
query "UPDATE evidence SET bytes = bytes - 1000000 WHERE state = 'evicted'"
[ "$(query "SELECT count(*) FROM ledger WHERE kind = 'evidence-evicted' AND body ->> 'findings' = '[$largest]' AND body ->> 'packets' = $gone
	AND body ->> 'why' = 'budget: reviewed as harmless'")" = 1 ] || fail "the eviction is not in the ledger: $(query "SELECT body FROM ledger WHERE kind LIKE 'evidence%'")"
[ "$(query "SELECT path LIKE '%-r1.pcapng' FROM evidence WHERE state = 'closed'")" = 1 ] || fail "the file was not written again"
[ "$(find "$work/db/evidence" -type f | wc -l)" = 1 ] || fail "the old file is still there"
"$build/garita" verify --db "$work/db" >"$work/said" 2>&1 || { cat "$work/said" && fail "garita verify"; }
[ "$(evidence --format json | jq -c "select(.finding == $largest) | [.packets, .packets_evicted]")" = "[0,$gone]" ] || fail "the list: what went"
evidence "$largest" -o "$work/gone.zip" >"$work/said" || fail "a bundle of what went"
grep -q packets-evicted "$work/said" || fail "that packets went is not said"
unzip -p "$work/gone.zip" '*/ledger.jsonl' | grep -q 'evidence-evicted' || fail "the eviction is not in the bundle"
evidence "$held" -o "$work/held.zip" --format json | jq -e ".packets == $(query "SELECT sum(packets) FROM evidence_part WHERE finding = $held") and .problems == 0" >/dev/null ||
	fail "what is on hold"
unzip -p "$work/held.zip" '*/ledger.jsonl' | grep -q '\\"from\\":\\"evidence/' || fail "where the file came from is not in the bundle"

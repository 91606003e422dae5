#!/bin/sh
# garita ledger: what it lists is what the hashes are of; time stamps of an authority of our own; a database that was
# set back, seen and accepted.
set -eu
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }
cp tests/replay/demo/site.yaml "$work/site.yaml"
sed -i "s|\.\./geo|$PWD/tests/replay/geo|" "$work/site.yaml"
echo "data_dir: $work/db" >>"$work/site.yaml"
replay() { "$build/garitad" -c "$work/site.yaml" -D "$work/db" -r tests/replay/demo/capture.pcap >"$work/log" 2>&1; }
ledger() { "$build/garita" ledger --db "$work/db" "$@"; }
verify() { "$build/garita" verify --db "$work/db" "$@"; }
replay
db=$work/db/garita.db

# the list: each line the text that its hash is of, chosen by kind, subject and time
prev=$(printf '%064d' 0)
ledger --format json >"$work/entries"
while IFS= read -r line; do
	[ "$(printf '%s' "$line" | jq -r .prev)" = "$prev" ] || fail "not chained: $line"
	prev=$({ printf '\000'; printf '%s' "$line"; } | sha256sum | cut -d' ' -f1)
done <"$work/entries"
[ "$(ledger head --format json | jq -r .head)" = "$prev" ] || fail "the head"
[ "$(ledger --kind rows --format json | jq -r .kind | sort -u)" = rows ] || fail "--kind"
[ "$(ledger --subject 2 --format json | jq -r .subject | sort -u)" = 2 ] || fail "--subject"
[ "$(ledger --limit 3 --format json | jq -r .seq | head -n1)" = "$(($(wc -l <"$work/entries") - 3))" ] || fail "--limit"
[ -z "$(ledger --until 2020-01-01 --format json)" ] || fail "--until"
ledger --lang es | head -n1 | grep -q 'Asiento' || fail "the heading"
for bad in "--kind x" "proof" "proof x" "proof 1 2" "head 1" "other" "stamp --note x" "accept" "head --kind rows" "--format csv" "--subject x"; do
	# shellcheck disable=SC2086
	ledger $bad >/dev/null 2>&1 && fail "$bad was taken"
	# shellcheck disable=SC2086
	ledger $bad >/dev/null 2>&1 || test $? = 2 || fail "$bad: not 2"
done
ledger proof 100000 >/dev/null 2>&1 && fail "a proof of no entry"

# an authority of our own
if command -v openssl >/dev/null; then
	cat >"$work/tsa.cnf" <<-END
	[tsa]
	default_tsa = one
	[one]
	serial = $work/serial
	default_policy = 1.2.3.4.1
	digests = sha256
	signer_digest = sha256
	[v3]
	extendedKeyUsage = critical,timeStamping
	END
	echo 01 >"$work/serial"
	for who in tsa other; do
		openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/$who.key" -out "$work/$who.pem" -days 30 -subj "/CN=$who" \
			-addext extendedKeyUsage=critical,timeStamping 2>/dev/null
	done
	garita_stamp() { "$build/garita" ledger stamp --db "$work/db" -c "$1"; }
	garita_stamp "$work/site.yaml" >/dev/null 2>&1 && fail "no command was taken"
	for reply in "openssl ts -reply -queryfile /dev/stdin -signer $work/tsa.pem -inkey $work/tsa.key -config $work/tsa.cnf" false "echo no" \
		"cat"; do
		{
			cat "$work/site.yaml"
			echo "ledger: {stamp: \"$reply\"}"
		} >"$work/stamp.yaml"
		case $reply in
		openssl*) garita_stamp "$work/stamp.yaml" 2>/dev/null | grep -q 'has its time stamp' || fail "no time stamp" ;;
		*) garita_stamp "$work/stamp.yaml" >/dev/null 2>&1 && fail "$reply was taken for a time stamp" ;;
		esac
	done
	verify | grep -q 'Time stamps  *1, each of its checkpoint; of which authority was not asked' || fail "the stamp is not counted"
	verify --stamp-ca "$work/tsa.pem" >/dev/null || fail "the stamp is not good"
	verify --stamp-ca "$work/other.pem" --format json >"$work/out" && fail "any authority will do"
	jq -es 'first | .wrong == "checkpoint-stamp"' "$work/out" >/dev/null || fail "of another authority: $(cat "$work/out")"
	cp -r "$work/db" "$work/stamped"
	sqlite3 "$db" "UPDATE checkpoint SET stamp = CAST(stamp || x'00' AS BLOB)"
	verify --format json | jq -es 'first | .wrong == "checkpoint-stamp"' >/dev/null || fail "a stamp changed"
	sqlite3 "$db" "UPDATE checkpoint SET stamp = NULL"
	verify --format json | jq -es 'first | .wrong == "checkpoint-stamp"' >/dev/null || fail "a stamp taken out"
	rm -rf "$work/db"
	mv "$work/stamped" "$work/db"
else
	echo "SKIPPED: no openssl here"
fi

# set back to before the last run: nothing is signed until a person says why; the contradiction stays to be seen
cp "$db" "$work/earlier.db"
replay
cp "$work/db/ledger.head" "$work/old.head"
cp "$work/earlier.db" "$db"
verify --format json | jq -es 'first | .wrong == "ledger-cut"' >/dev/null || fail "set back: $(verify)"
replay
verify --format json | jq -es 'first | .wrong == "entry-changed" and .entry > 0 and .until >= .entry' >/dev/null || fail "and went on"
verify | grep -q '^entries [0-9]* to [1-9][0-9]*: ' || fail "the range: $(verify | head -n1)"
before=$(sqlite3 "$db" "SELECT count(*) FROM checkpoint")
ledger accept --note "restored after the disk failed, ticket 4711" || fail "accept"
ledger --kind record --format json | jq -es 'map(select(.what == "contradiction-accepted" and (.detail | endswith("4711")) and .by != null)) | length == 1' >/dev/null ||
	fail "the entry"
replay
[ "$(sqlite3 "$db" "SELECT count(*) FROM checkpoint")" -gt "$before" ] || fail "nothing is signed after the accepting"
sed -n 1p "$work/db/ledger.head" | grep -q '/2$' || fail "under the same name"

# from now on that is told apart from what nobody has accounted for; older checkpoints, from here or elsewhere, still say it
status() { code=0; verify "$@" >"$work/out" 2>&1 || code=$?; echo $code; }
[ "$(status --checkpoint "$work/old.head" --format json)" = 3 ] || fail "accepted: another exit status than 3"
jq -es 'last | .result == "accepted" and .wrong == 0 and .accepted > 0 and (.accept.note | endswith("4711")) and .accept.entry > 0 and
	(has("first_wrong_entry") | not)' "$work/out" >/dev/null || fail "accepted: $(cat "$work/out")"
jq -es 'first | (.wrong == "entry-changed" or .wrong == "ledger-cut") and .accepted_by_entry > 0' "$work/out" >/dev/null || fail "accepted: $(cat "$work/out")"
[ "$(status --checkpoint "$work/old.head")" = 3 ] || fail "accepted, for people: another exit status"
grep -q '^entries .*(accepted by entry [0-9]*)$' "$work/out" || fail "accepted, for people: $(cat "$work/out")"
grep -q '^Result  *ACCEPTED: ' "$work/out" || fail "accepted, the result"
# it covers nothing else: an entry changed with its hash and all hashes after it is not what the new name signed
cp -r "$work/db" "$work/accepted"
sqlite3 "$db" "UPDATE ledger SET body = replace(body, '\"kind\":', '\"kinds\":') WHERE seq = 3"
[ "$(status --checkpoint "$work/old.head")" = 1 ] || fail "accepted once, wrong for ever"
rm -rf "$work/db"
mv "$work/accepted" "$work/db"
# nor does an entry that the sensor has not signed
sqlite3 "$db" "DELETE FROM checkpoint WHERE note LIKE '%/2%'"
cp "$work/old.head" "$work/db/ledger.head"
[ "$(status)" = 1 ] || fail "an acceptance that no checkpoint covers"
exit 0

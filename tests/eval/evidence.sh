#!/bin/sh
# evidence.sh BUILD COUNT SEED - a record of several replays with packets and reviews, COUNT things done to copies of
# it, and how many of them garita verify names rightly. Fails unless it is all.
set -eu
build=$1
count=$2
seed=$3
work=$(mktemp -d "$build/eval/evidence.XXXXXX")
trap 'rm -rf "$work"' EXIT
base=$work/base

# replay CASE... - one run each, with packets kept.
replay() {
	for case in "$@"; do
		{
			sed "s|\.\./geo|$PWD/tests/replay/geo|" "tests/replay/$case/site.yaml"
			echo 'evidence: {packets: full}'
		} >"$work/site.yaml"
		"$build/garitad" -c "$work/site.yaml" -D "$base" -r tests/replay/"$case"/capture* >>"$work/log" 2>&1 || test $? = 3
		${SIGN:+$SIGN "$base"}
	done
}
# decide N DISPOSITION NOTE - about the finding in the N-th row.
decide() {
	id=$(sqlite3 "$base/garita.db" "SELECT id FROM finding WHERE transfers > 0 ORDER BY id LIMIT 1 OFFSET $1")
	"$build/garita" review "$id" --db "$base" --disposition "$2" --note "$3" --analyst "Ana Example" --yes >>"$work/log"
}

replay demo tls-unapproved dicom
decide 1 false-positive "a test of the line"
cp -r "$base" "$work/old"
replay ssh-out scan
decide 2 confirmed "images left by hand"
decide 3 escalated "asked the vendor"
replay smb-out upload dns-tunnel
sqlite3 "$base/garita.db" "SELECT note FROM checkpoint ORDER BY size" | sed '/^$/{N;/^\n$/D}' >"$work/notes"
sqlite3 "$base/garita.db" "PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
sqlite3 "$base/garita.db" "SELECT 'the record: ' || (SELECT count(*) FROM ledger) || ' entries, ' ||
	(SELECT count(*) FROM checkpoint) || ' checkpoints, ' || (SELECT count(*) FROM transfer) || ' transfers, ' ||
	(SELECT count(*) FROM finding) || ' findings, ' || (SELECT count(*) FROM evidence) || ' files of packets'"
"$build/garita" verify --db "$base" --checkpoint "$work/notes" >"$work/whole" || {
	cat "$work/whole"
	echo "the record as the sensor left it is not whole" >&2
	exit 1
}
"$build/eval/tamper" "$build/garita" "$base" "$work/old" "$work/notes" "$work" "$count" "$seed"

#!/bin/sh
# garita findings --watch: what is new and changed comes as it happens, into a
# pipe and as JSON; it ends at SIGINT and when nobody reads; a database that is
# begun anew does not end it; it does not keep a core busy.
set -eu
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
build=$1
work=$(mktemp -d)
watcher=
trap '[ -z "$watcher" ] || kill "$watcher" 2>/dev/null; rm -rf "$work"' EXIT
fail() { echo "$*" >&2; cat "$work/out" "$work/err" >&2; exit 1; }
"$build/garitad" -c tests/replay/demo/site.yaml -D "$work/db" -r tests/replay/demo/capture.pcap >"$work/log" 2>&1
db=$work/db/garita.db
sqlite3 "$db" "PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
cp "$db" "$work/fresh.db"

# until PATTERN FILE - it is there within ten seconds.
until_there() {
	n=0
	until grep -q -- "$1" "$2"; do
		n=$((n + 1))
		[ $n -le 100 ] || fail "never came: $1"
		sleep 0.1
	done
}

: >"$work/out"
"$build/garita" findings --watch --db "$work/db" >"$work/out" 2>"$work/err" &
watcher=$!
until_there '^13 ' "$work/out"
[ "$(sed -n 1p "$work/out")" = "11 new" ] || fail "the summary"
sqlite3 "$db" "UPDATE finding SET severity = 75 WHERE id = 1"
until_there '  severity        1 (75)  NII-0008 → drop.cloud.example, US, 43.8 kB: no-approval · new$' "$work/out"
sqlite3 "$db" "INSERT INTO finding SELECT 99, equipment, peer, reasons, first_us + 5, last_us, transfers, bytes_out, bytes_in,
	kind, char(27) || ']0;x' || char(7), several, state, severity, signs, country, asn, as_org, unknown_equipment,
	foreign_country, peer_opened FROM finding WHERE id = 6"
until_there '  NEW            99 (65)  BAG-0004 → .x1b]0;x.x07, DE' "$work/out"
sqlite3 "$db" "UPDATE finding SET transfers = 0, signs = NULL WHERE id = 2"
until_there '  emptied         2 ' "$work/out"
# A deadline that passes is told though nobody writes.
sqlite3 "$db" "INSERT INTO review(finding, state, at_us, transfers, bytes_out, severity, due_us, severe_us, entry)
	VALUES(6, 'open', 1, 1, 1, 65, (strftime('%s', 'now') + 3) * 1000000, 1, 0)"
until_there '  SEVERE          6 ' "$work/out"
until_there '  OVERDUE         6 ' "$work/out"
sqlite3 "$db" "UPDATE review SET state = 'closed', disposition = 'confirmed', closed_us = 2 WHERE finding = 6"
until_there '  review          6 (65).* closed$' "$work/out"
# Growth is told at doublings alone.
sqlite3 "$db" "UPDATE finding SET bytes_out = bytes_out * 1.5 WHERE id = 11"
sqlite3 "$db" "UPDATE finding SET bytes_out = bytes_out * 3 WHERE id = 12"
until_there '  grew           12 ' "$work/out"
grep -q '  grew           11 ' "$work/out" && fail "it was told that it grew by half"
# Begun anew.
mv "$db" "$work/db/aside.db"
rm -f "$db-wal" "$db-shm"
until_there 'database is gone' "$work/err"
cp "$work/fresh.db" "$work/db/new" && mv "$work/db/new" "$db"
until_there 'begun anew' "$work/err"
until_there '  severity        1 (32)' "$work/out"
if LC_ALL=C grep -q "$(printf '[\001-\011\013-\037\177]')" "$work/out"; then fail "control characters, or a bell into a file"; fi
# It rests between looks.
ticks=$(($(cut -d ' ' -f 14,15 "/proc/$watcher/stat" | tr ' ' '+')))
[ $ticks -lt $((3 * $(getconf CLK_TCK))) ] || fail "it is busy: $ticks ticks"
kill -INT "$watcher"
wait "$watcher" || fail "^C: $?"
watcher=

# JSON: what is there, then events.
"$build/garita" findings --watch 1 --format json --db "$work/db" >"$work/out" 2>"$work/err" &
watcher=$!
until_there '"id":13,' "$work/out"
[ "$(jq -r .event "$work/out" | sort | uniq -c | tr -s ' ')" = " 11 present" ] || fail "present ones"
sqlite3 "$db" "UPDATE finding SET signs = '[\"beacon\"]' WHERE id = 1"
until_there '"event":"detected"' "$work/out"
[ "$(jq -r 'select(.event == "detected") | "\(.id) \(.detections)"' "$work/out")" = '1 ["beacon"]' ] || fail "the event"
kill -TERM "$watcher"
wait "$watcher" || fail "SIGTERM: $?"
watcher=

# Nobody reads any more.
mkfifo "$work/pipe"
"$build/garita" findings --watch --format csv --db "$work/db" >"$work/pipe" 2>"$work/err" &
watcher=$!
head -n 1 "$work/pipe" | grep -q '^event,id,' || fail "the head of CSV"
n=0
while kill -0 "$watcher" 2>/dev/null; do
	n=$((n + 1))
	[ $n -le 50 ] || fail "it goes on for nobody"
	sleep 0.1
done
watcher=
for bad in "--watch=x" "--watch x" "--watch 1 2" "--watch=99999"; do
	# shellcheck disable=SC2086
	if timeout 5 "$build/garita" findings --db "$work/db" $bad >/dev/null 2>&1; then fail "$bad was taken"; fi
done
"$build/garita" findings --watch --db "$work/none" >/dev/null 2>&1 && fail "no database"
:

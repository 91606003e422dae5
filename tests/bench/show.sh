#!/bin/sh
# show.sh BUILD [TRANSFERS] - what garita show and garita findings take: a
# finding of the demo is given so many transfers (a week of them, a third with
# contents), and so many findings like it; user and system time and wall time,
# the least of five runs.
set -eu
build=$1
count=${2:-1000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/garitad" -c tests/replay/demo/site.yaml -D "$work/db" -r tests/replay/demo/capture.pcap >/dev/null 2>&1
db=$work/db/garita.db
columns=$(sqlite3 "$db" "SELECT group_concat(CASE name WHEN 'id' THEN '1000 + i' WHEN 'start_us' THEN 'start_us + i * 600000'
	WHEN 'end_us' THEN 'end_us + i * 600000 + abs(random()) % 2000000' WHEN 'hostname' THEN 'iif(i % 7 = 0, ''h'' || (i % 5) || ''.abroad.example'', hostname)'
	WHEN 'ip_bytes_out' THEN 'ip_bytes_out + abs(random()) % 100000' WHEN 'content' THEN 'iif(i % 3 = 0, content, NULL)'
	WHEN 'signs' THEN 'iif(i % 3 = 0, signs, NULL)' ELSE name END, ', ') FROM pragma_table_info('transfer')")
findings=$(sqlite3 "$db" "SELECT group_concat(CASE name WHEN 'id' THEN '1000 + i' WHEN 'bytes_out' THEN 'bytes_out + i' ELSE name END, ', ')
	FROM pragma_table_info('finding')")
sqlite3 "$db" "PRAGMA synchronous = OFF;
	CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < $count - 1) SELECT i FROM c;
	CREATE TEMP TABLE one AS SELECT * FROM transfer WHERE id = (SELECT max(id) FROM transfer WHERE finding = 6);
	INSERT INTO transfer SELECT $columns FROM one, n;
	UPDATE finding SET (transfers, last_us, bytes_out, bytes_in) = (SELECT count(*), max(end_us), sum(ip_bytes_out), sum(ip_bytes_in)
		FROM transfer WHERE finding = 6) WHERE id = 6;
	INSERT INTO finding SELECT $findings FROM finding, n WHERE id = 2 AND i < $count / 50"

# least NAME COMMAND... - of five runs
least() {
	name=$1
	shift
	for _ in 1 2 3 4 5; do
		bash -c 'TIMEFORMAT="%U %S %R"; time "$@" >/dev/null' time "$@" 2>&1
	done | awk -v name="$name" '{ cpu = $1 + $2; if (NR == 1 || cpu < c) c = cpu; if (NR == 1 || $3 < w) w = $3 }
		END { printf "%-52s %6.2f s of processor, %6.2f s\n", name, c, w }'
}
echo "$count transfers in one finding, $(sqlite3 "$db" 'SELECT count(*) FROM finding') findings, $(du -m "$db" | cut -f 1) MB"
least "garita show ID" "$build/garita" show 6 --db "$work/db"
least "garita show ID --all --format json" "$build/garita" show 6 --all --format json --db "$work/db"
least "garita show ID (two transfers, as many neighbours)" "$build/garita" show 2 --db "$work/db"
least "garita findings --limit 50" "$build/garita" findings --limit 50 --db "$work/db"

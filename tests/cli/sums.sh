#!/bin/sh
# garita transfers --sums: what it adds up is what the rows add up to, in every
# format; a reader of a record without folded rows is told of none.
set -eu
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }
"$build/garitad" -c tests/replay/demo/site.yaml -D "$work/db" -r tests/replay/demo/capture.pcap >"$work/log" 2>&1
garita() { "$build/garita" transfers --db "$work/db" "$@"; }

rows() { jq -cs "map(select(.verdict == \"$1\")) | [length, (map(.ip_bytes_out) | add), (map(.packets_in) | add)]"; }
sums() {
	jq -cs "map(select(.verdict == \"$1\")) |
		[(map(.transfers) | add), (map(.ip_bytes_out) | add), (map(.packets_in) | add)]"
}
for verdict in approved unapproved; do
	wanted=$(garita --format json | rows $verdict)
	for by in total hour; do
		found=$(garita --sums $by --format json | sums $verdict)
		[ "$wanted" = "$found" ] || fail "$verdict by $by: rows $wanted, sums $found"
	done
done
[ "$(garita --sums hour --format json | jq -r .hour | sort -u)" = 2026-11-22T03:00:00.000000Z ] || fail "the hour"
[ "$(garita --sums total --format csv | wc -l)" = $(($(garita --sums total --format json | wc -l) + 1)) ] || fail "csv"
[ -z "$(garita --sums total --since 2026-11-22T04:00:00Z --format json)" ] || fail "an hour later there is nothing"
garita --sums total | grep -q 'UNAPPROVED' || fail "the table"
garita 2>&1 >/dev/null | grep -q 'sums' && fail "nothing was folded"
for bad in "--sums day" "--sums hour --id 1" "--sums hour --limit 3"; do
	# shellcheck disable=SC2086
	if garita $bad >/dev/null 2>&1; then fail "$bad was taken"; fi
done

# Fold it by hand, as the sensor does, but for one transfer: the sums stay, and the rows are said to be gone.
before=$(garita --sums total --format json | jq -c 'del(.folded)' | sort)
sqlite3 "$work/db/garita.db" "
	INSERT INTO folded SELECT start_us - start_us % 3600000000, 'hour', equipment, verdict, dest_ip, proto,
		coalesce(iif(initiator = 'peer', src_port, dest_port), -1), initiator, coalesce(app, ''), coalesce(hostname, ''),
		hostname_verified, coalesce(approval, ''), coalesce(reasons, ''), coalesce(finding, 0), coalesce(policy, 0),
		coalesce(network, ''), coalesce(country, ''), coalesce(asn, 0), max(as_org), min(start_us), max(end_us), count(*),
		sum(collapsed), sum(ip_bytes_out), sum(ip_bytes_in), sum(payload_bytes_out), sum(payload_bytes_in),
		sum(packets_out), sum(packets_in) FROM transfer WHERE id > 1
		GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18;
	INSERT INTO event(run, day_us, start_us, end_us, what, transfers, last_us)
		SELECT 1, 0, 0, 0, 'folded', count(*), max(end_us) FROM transfer WHERE id > 1;
	DELETE FROM transfer WHERE id > 1"
[ "$before" = "$(garita --sums total --format json | jq -c 'del(.folded)' | sort)" ] || fail "the sums changed"
[ "$(garita --format json 2>"$work/err" | wc -l)" = 1 ] || fail "one row is left"
grep -q -- '--sums total' "$work/err" || fail "folded transfers are not said"
"$build/garita" policy explain 7 --db "$work/db" -c tests/replay/demo/site.yaml 2>"$work/err" && fail "a folded row is explained"
grep -q -- '--sums total' "$work/err" || fail "policy explain does not say where it went"
"$build/garita" status --db "$work/db" --format json | jq -e '.folded_hours == 1' >/dev/null || fail "status: folded_hours"

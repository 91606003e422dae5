#!/bin/sh
# garita show: whole screens in both languages, as they are expected in
# tests/cli/show (UPDATE=1 writes them anew: read the diff); each fits on one
# screen; deadline, review and ledger; strips without Unicode.
set -eu
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
export LC_ALL=C.UTF-8 COLUMNS=80
build=$1
want=tests/cli/show
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "$*" >&2; exit 1; }
replay() {
	[ -d "$work/$1" ] || "$build/garitad" -c "tests/replay/$1/site.yaml" -D "$work/$1" -r tests/replay/"$1"/capture.* >"$work/log" 2>&1
}
# page CASE ID LANG - but for what lies beside the traffic: it has the time of the replay.
page() { "$build/garita" show "$2" --db "$work/$1" --lang "$3" | sed '/^\(Packets\|Paquetes\|Evidence\|Evidencia\)  /,$d'; }

golden() {
	for lang in en es; do
		page "$1" "$2" $lang >"$work/page"
		[ -z "${UPDATE:-}" ] || cp "$work/page" "$want/$1-$2.$lang"
		diff -u "$want/$1-$2.$lang" "$work/page" || failed=1
	done
}
mkdir -p "$want"
# Two countries and a content in one of two; a peer that fetches; a tunnel in names; another resolver of an unknown machine.
for id in 6 2 13 4; do replay demo && golden demo "$id"; done
# A claimed name; a limit; three ways through tunnels; a scan in few rows; storage abroad; a strip.
for case in name-not-verified limit-exceeded scan channel-storage openvpn; do replay $case && golden $case 1; done
[ "$failed" = 0 ] || fail "a screen is not as it was (UPDATE=1 $0 $build takes it over)"

# Every finding of those fits on a screen of 50 lines, no line is wider than 80 columns; JSON holds what the page says.
for case in demo name-not-verified limit-exceeded scan channel-storage openvpn; do
	for id in $("$build/garita" findings --db "$work/$case" --format json | jq .id); do
		for lang in en es; do
			"$build/garita" show "$id" --db "$work/$case" --lang $lang >"$work/page"
			[ "$(wc -l <"$work/page")" -le 50 ] || fail "$case $id: $(wc -l <"$work/page") lines"
			[ "$(wc -L <"$work/page")" -le 80 ] || fail "$case $id: a line of $(wc -L <"$work/page") columns"
		done
		"$build/garita" show "$id" --db "$work/$case" --format json >"$work/json"
		jq -e '([.places[].ip_bytes_out] | add // 0) == ([.apps[].ip_bytes_out] | add // 0)
			and ([.timeline.ip_bytes_out[]] | add - $f) * ([.timeline.ip_bytes_out[]] | add - $f) < 10000
			and .ledger.seq >= 0 and (.ledger.hash | length) == 64' \
			--argjson f "$(jq '[.apps[].ip_bytes_out] | add // 0' "$work/json")" "$work/json" >/dev/null ||
			fail "$case $id: the parts do not add up"
		"$build/garita" show "$id" --all --db "$work/$case" >"$work/all"
		[ "$(wc -l <"$work/all")" -ge "$("$build/garita" show "$id" --db "$work/$case" | wc -l)" ] || fail "$case $id: --all says less"
	done
done

# A locale without Unicode gets digits.
LC_ALL=C "$build/garita" show 1 --db "$work/openvpn" | grep -qE '^Over time   out   [1-9]{55}[0-9.]{5}$' || fail "the strip in ASCII"
# Narrow terminals: every line fits.
for width in 40 60 132; do
	COLUMNS=$width "$build/garita" show 6 --db "$work/demo" >"$work/page"
	[ "$(wc -L <"$work/page")" -le $((width < 78 ? 78 : width)) ] || fail "$width columns"
done

# Old transfers are kept as sums: their bytes count, and of contents no more is claimed than is known.
cp -r "$work/demo" "$work/folded"
sqlite3 "$work/folded/garita.db" "
	INSERT INTO folded SELECT start_us - start_us % 3600000000, 'hour', equipment, verdict, dest_ip, proto,
		coalesce(iif(initiator = 'peer', src_port, dest_port), -1), initiator, coalesce(app, ''), coalesce(hostname, ''),
		hostname_verified, coalesce(approval, ''), coalesce(reasons, ''), coalesce(finding, 0), coalesce(policy, 0),
		coalesce(network, ''), coalesce(country, ''), coalesce(asn, 0), max(as_org), min(start_us), max(end_us), count(*),
		sum(collapsed), sum(ip_bytes_out), sum(ip_bytes_in), sum(payload_bytes_out), sum(payload_bytes_in),
		sum(packets_out), sum(packets_in) FROM transfer WHERE id <> 24
		GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18;
	DELETE FROM transfer WHERE id <> 24"
"$build/garita" show 6 --db "$work/folded" >"$work/page"
grep -q '^BAG-0004 sent 180 kB to files.abroad.example (NL, DE), mostly over TCP, part of' "$work/page" || fail "a folded one: $(sed -n 3,4p "$work/page")"
grep -q '^            NL, AS64499 Example Hosting BV: 136 kB out$' "$work/page" || fail "where folded bytes went"
grep -q '^            1 of them are kept as sums alone' "$work/page" || fail "that it is folded"
"$build/garita" show 2 --lang es --db "$work/folded" | grep -q '^            2 de ellas se guardan solo como sumas' || fail "all of it folded"

# Packets: from the evidence files, harmless, on the same one screen; headers alone; a file that is gone.
sed "s|\.\./geo|$PWD/tests/replay/geo|g" tests/replay/demo/site.yaml >"$work/packets.yaml"
echo 'evidence: {packets: full}' >>"$work/packets.yaml"
"$build/garitad" -c "$work/packets.yaml" -D "$work/packets" -r tests/replay/demo/capture.pcap >"$work/log" 2>&1
for id in $("$build/garita" findings --db "$work/packets" --format json | jq .id); do
	"$build/garita" show "$id" --db "$work/packets" >"$work/page"
	[ "$(wc -l <"$work/page")" -le 50 ] || fail "packets of $id: $(wc -l <"$work/page") lines"
	[ "$(wc -L <"$work/page")" -le 80 ] || fail "packets of $id: a line of $(wc -L <"$work/page") columns"
	"$build/garita" show "$id" --all --db "$work/packets" >>"$work/page"
	if LC_ALL=C grep -q "$(printf '[\001-\011\013-\037\177]')" "$work/page"; then fail "packets of $id: control characters"; fi
done
"$build/garita" show 6 --db "$work/packets" >"$work/page"
grep -q '^  0000  01 00 00 00 ..[ 0-9a-f]*  \.\.\.\.' "$work/page" || fail "the association request"
grep -q '^  0000  02 00 00 00 ..[ 0-9a-f]*  \.\.\.\.' "$work/page" || fail "the association's answer"
grep -q '^Evidence    215 packets, 194 kB: evidence/.*pcapng$' "$work/page" || fail "where they are"
file=$(sqlite3 "$work/packets/garita.db" "SELECT path FROM evidence")
[ "$("$build/garita" show 6 --db "$work/packets" --format json | jq -r '.evidence[0].sha256')" = \
	"$(sha256sum "$work/packets/$file" | cut -d ' ' -f 1)" ] || fail "its hash"
# What was sent is what is shown.
payload=$("$build/garita" show 6 --db "$work/packets" --format json | jq -r '.packets[0].payload')
xxd -p "$work/packets/$file" | tr -d '\n' | grep -q "$payload" || fail "the bytes of the first packet"
rm "$work/packets/$file"
"$build/garita" show 6 --db "$work/packets" | grep -q '^Packets     the evidence files cannot be read' || fail "a file that is gone"
ln -s /etc/hostname "$work/packets/$file"
"$build/garita" show 6 --db "$work/packets" | grep -q '^Packets     the evidence files cannot be read' || fail "a link in place of a file"
sqlite3 "$work/packets/garita.db" "UPDATE evidence SET path = 'evidence/../../x'"
"$build/garita" show 6 --db "$work/packets" | grep -q '^Packets     the evidence files cannot be read' || fail "a path that leads out"
sed -i 's/packets: full/packets: headers/' "$work/packets.yaml"
"$build/garitad" -c "$work/packets.yaml" -D "$work/headers" -r tests/replay/demo/capture.pcap >"$work/log" 2>&1
"$build/garita" show 6 --db "$work/headers" | grep -q '^Packets     their headers alone are kept' || fail "headers alone"

# A deadline, a decision, the ledger.
cat tests/replay/demo/site.yaml >"$work/site.yaml"
sed -i "s|\.\./geo|$PWD/tests/replay/geo|g" "$work/site.yaml"
echo 'review: {severe: 60, deadline: 90m}' >>"$work/site.yaml"
"$build/garitad" -c "$work/site.yaml" -D "$work/severe" -r tests/replay/demo/capture.pcap >"$work/log" 2>&1
show() { "$build/garita" show 6 --db "$work/severe" "$@"; }
show >"$work/page"
grep -qE '^Finding 6 · severity 65 of 100 · active · due in (90|89|88) min$' "$work/page" || fail "no deadline in the heading: $(head -1 "$work/page")"
grep -q '^What to do  Tell the incident team now\. ' "$work/page" || fail "what to do about a severe one"
grep -qE '^            severe: the report is due on .*, (90|89|88) min are left$' "$work/page" || fail "what is left"
[ "$(show --format json | jq '.due_left_s > 5000 and .due_left_s <= 5400')" = true ] || fail "what is left, JSON"
"$build/garita" findings --db "$work/severe" >"$work/page"
[ "$(sed -n 1p "$work/page")" = "11 new, 1 severe and due" ] || fail "the summary: $(sed -n 1p "$work/page")"
sqlite3 "$work/severe/garita.db" "UPDATE review SET due_us = 1000000 WHERE finding = 6"
show --lang es | head -1 | grep -q ' · VENCIDO hace [0-9]* d$' || fail "overdue"
"$build/garita" review 6 --db "$work/severe" --analyst Ana --disposition false-positive --note "Prueba acordada" </dev/null >"$work/out"
show >"$work/page"
grep -q '^What to do  Nothing: Ana decided it (false-positive)\.' "$work/page" || fail "what to do when it is decided"
grep -q '^            note: Prueba acordada$' "$work/page" || fail "the note"
grep -q '^Review      closed by Ana (' "$work/page" || fail "the review"
seq=$(sqlite3 "$work/severe/garita.db" "SELECT max(seq) FROM ledger WHERE subject = 6 AND kind = 'review'")
hash=$(sqlite3 "$work/severe/garita.db" "SELECT lower(hex(hash)) FROM ledger WHERE seq = $seq")
grep -q "^Ledger      entry $seq (review), " "$work/page" || fail "the entry"
[ "$(show --format json | jq -r .ledger.hash)" = "$hash" ] || fail "its hash"
sqlite3 "$work/severe/garita.db" "DELETE FROM checkpoint; INSERT INTO checkpoint(size, time_us, root, note) VALUES($seq, 1, x'00', ''), ($((seq + 1)), 1, x'00', '')" 2>/dev/null &&
	{ show | tr '\n' ' ' | tr -s ' ' | grep -q "checkpoint $((seq + 1))" || fail "the checkpoint"; }
:

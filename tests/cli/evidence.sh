#!/bin/sh
# Packets of unapproved transfers: those in the evidence files are those of the
# capture, from the first packet of each transfer to its last, with one worker
# and with two; what is missing is counted; the hashes are right.
set -eu
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }
query() { sqlite3 "$work/db/garita.db" "$1"; }

# A copy of a case's site.yaml with evidence as in $2.
site() {
	grep -v '^evidence:' "tests/replay/$1/site.yaml" | sed "s#\.\./geo#$PWD/tests/replay/geo#g" >"$work/site.yaml"
	echo "evidence: $2" >>"$work/site.yaml"
}
replay() {
	rm -rf "$work/db"
	set +e
	# shellcheck disable=SC2046 # a list of files
	"$build/garitad" -c "$work/site.yaml" -D "$work/db" -w "$2" $(printf -- '-r %s ' "tests/replay/$1"/capture*) >"$work/log" 2>&1
	code=$?
	set -e
	[ $code = 0 ] || [ $code = 3 ] || { cat "$work/log" && fail "$1: garitad ended with $code"; }
}
# What tells one packet from another, one a line.
packets() {
	tshark -r "$1" -Y "${2:-frame}" -T fields -e frame.time_epoch -e frame.len -e frame.cap_len -e ip.id -e ipv6.flow \
		-e tcp.seq_raw -e tcp.ack_raw -e tcp.flags -e tcp.payload -e udp.payload -e icmp.seq -e data.data 2>/dev/null
}
hashes_hold() {
	query "SELECT lower(hex(sha256)) || '  ' || path FROM evidence WHERE state = 'closed'" >"$work/hashes"
	[ -s "$work/hashes" ] || fail "$1: no file"
	(cd "$work/db" && sha256sum --quiet -c "$work/hashes") || fail "$1: a hash is wrong"
	[ "$(query "SELECT count(*) FROM evidence e JOIN ledger l ON l.seq = e.entry WHERE l.kind = 'evidence-kept'
		AND l.subject = e.id AND l.body LIKE '%' || lower(hex(e.sha256)) || '%'")" = "$(wc -l <"$work/hashes")" ] ||
		fail "$1: a hash is not in the ledger"
}
parts() { query "SELECT transfer, finding, packets, bytes, missed FROM evidence_part ORDER BY 1, 2"; }

# Every case with an unapproved transfer: each of its packets is there, or counted as missing.
for c in tests/replay/*/; do
	c=$(basename "$c")
	grep -q '"verdict":"unapproved"' "tests/replay/$c/expected.jsonl" 2>/dev/null || continue
	site "$c" '{packets: full}'
	replay "$c" 1
	hashes_hold "$c"
	bad=$(query "SELECT t.id || ': ' || (packets_out + packets_in) || ' packets, ' || coalesce(sum(p.packets), 0) || ' kept, '
		|| coalesce(sum(p.missed), 0) || ' missed' FROM transfer t LEFT JOIN evidence_part p ON p.transfer = t.id
		WHERE verdict = 'unapproved' AND packets_out + packets_in > 0 GROUP BY t.id
		HAVING coalesce(sum(p.packets), 0) + coalesce(sum(p.missed), 0) <> packets_out + packets_in")
	[ -z "$bad" ] || fail "$c: transfer $bad"
	parts >"$work/parts1"
	cat "$work"/db/evidence/*/*.pcapng >"$work/pcapng1"
	replay "$c" 2
	hashes_hold "$c with two workers"
	parts | diff -u "$work/parts1" - || fail "$c: two workers keep other packets than one"
done

# The demo, packet by packet.
for workers in 1 2; do
	site demo '{packets: full}'
	replay demo $workers
	file=$(echo "$work"/db/evidence/*/*.pcapng)
	capinfos "$file" >/dev/null || fail "capinfos"
	query "SELECT id, src_ip, src_port, dest_ip, dest_port, proto FROM transfer WHERE verdict = 'unapproved'" >"$work/transfers"
	[ "$(wc -l <"$work/transfers")" = 12 ] || fail "the demo has another number of unapproved transfers"
	while IFS='|' read -r id src sport dst dport proto; do
		v=ip
		case $src in *:*) v=ipv6 ;; esac
		filter="$v.addr == $src and $v.addr == $dst"
		case $proto in
		6) filter="$filter and tcp.port == $sport and tcp.port == $dport" ;;
		17) filter="$filter and udp.port == $sport and udp.port == $dport" ;;
		*) filter="$filter and icmp" ;;
		esac
		packets tests/replay/demo/capture.pcap "$filter" >"$work/want"
		packets "$file" "($filter) and frame.comment matches \"transfer=$id( |$)\"" >"$work/have"
		[ -s "$work/want" ] || fail "transfer $id is not in the capture"
		diff "$work/want" "$work/have" >"$work/diff" || { head "$work/diff" && fail "transfer $id, $workers worker(s)"; }
	done <"$work/transfers"
	[ "$(packets "$file" | wc -l)" = "$(query 'SELECT sum(packets) FROM evidence_part')" ] || fail "more packets than rows say"
done
tshark -r "$file" -Y 'frame.comment contains "equipment=NII-0007"' -T fields -e frame.comment 2>/dev/null |
	grep -q 'verdict=unapproved reasons=.* policy=[0-9a-f]\{64\} sensor=pe-01' || fail "the comment of a first packet"

# Budgets: a transfer's first bytes, and how many packets are missing.
site demo '{packets: full, per_transfer: 5kB}'
replay demo 1
[ "$(query 'SELECT max(bytes) <= 5000 AND sum(missed) > 0 FROM evidence_part')" = 1 ] || fail "per_transfer"
[ "$(query "SELECT count(*) FROM evidence_part p JOIN transfer t ON t.id = p.transfer
	WHERE packets + missed <> packets_out + packets_in")" = 0 ] || fail "per_transfer: the sums do not hold"

# Several files: every packet is in one of them.
site scan '{packets: full, file: 1MB}'
replay scan 1
hashes_hold "small files"

# No content.
site demo '{packets: headers}'
replay demo 1
file=$(echo "$work"/db/evidence/*/*.pcapng)
[ "$(tshark -r "$file" -Y 'tcp and frame.cap_len > 110' 2>/dev/null | wc -l)" = 0 ] || fail "headers: content is there"
[ "$(packets "$file" 'tcp.flags.syn == 1' | wc -l)" -gt 0 ] || fail "headers: no SYN"
tshark -r "$file" -T fields -e frame.comment 2>/dev/null | grep -q 'headers-only' || fail "headers: nothing says so"
[ "$(tshark -r "$file" -Y 'frame.len > frame.cap_len' 2>/dev/null | wc -l)" -gt 0 ] || fail "headers: the length on the wire is lost"

# Nothing at all.
site demo '{packets: off}'
replay demo 1
[ ! -e "$work/db/evidence" ] || fail "off: there is a folder"

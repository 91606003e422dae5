#!/bin/sh
# replay.sh [--rewrite] BUILD CASE - replay tests/replay/CASE and compare the
# records with expected.jsonl and findings.jsonl and the sums with
# accounting.json: the whole diff counts. Also with two workers (the same records), and cut at several
# snap lengths (no crash, the sums hold).
set -eu
# Under AddressSanitizer: its leak checker traces the process that ends, which
# garitad's sandbox forbids. The unit tests look for leaks.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
rewrite=no
if [ "$1" = --rewrite ]; then
	rewrite=yes
	shift
fi
build=$1
case_dir=$(dirname "$0")/replay/$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
captures=$(find "$case_dir" -name 'capture*' | sort)

# accounting of one run on standard output; the database in $1
run() {
	db=$1
	shift
	args=
	for f in $captures; do args="$args -r $f"; done
	set +e
	# shellcheck disable=SC2086 # a list of options
	"$build/garitad" -c "$case_dir/site.yaml" -D "$db" --format json "$@" $args
	code=$?
	set -e
	# 3: the input was damaged, as some cases are meant to be
	[ $code = 0 ] || [ $code = 3 ] || { echo "garitad ended with $code" >&2 && exit 1; }
	echo "{\"exit\":$code}"
}

# Without the vendors of unknown machines: those come from this system's
# ieee-data, whose names differ from release to release.
records() {
	"$build/garita" transfers --db "$1" --format json --limit 0 |
		jq -c 'if .equipment | startswith("unknown:") then del(.vendor) else . end' | LC_ALL=C sort
}

# what people do with findings is no matter of the capture, and deadlines are of the clock on the wall
findings() { "$build/garita" findings --db "$1" --format json --limit 0 --sort id | jq -c 'del(.review_state, .due)'; }

run "$work/one" >"$work/accounting.json"
records "$work/one" >"$work/actual.jsonl"
findings "$work/one" >"$work/findings.jsonl"
if [ $rewrite = yes ]; then
	cp "$work/actual.jsonl" "$case_dir/expected.jsonl"
	cp "$work/findings.jsonl" "$case_dir/findings.jsonl"
	cp "$work/accounting.json" "$case_dir/accounting.json"
	exit 0
fi
diff -u "$case_dir/expected.jsonl" "$work/actual.jsonl"
diff -u "$case_dir/findings.jsonl" "$work/findings.jsonl"
diff -u "$case_dir/accounting.json" "$work/accounting.json"

run "$work/two" -w 2 >"$work/accounting2.json"
records "$work/two" >"$work/actual2.jsonl"
findings "$work/two" >"$work/findings2.jsonl"
diff -u "$work/actual.jsonl" "$work/actual2.jsonl"
diff -u "$work/findings.jsonl" "$work/findings2.jsonl"
diff -u "$work/accounting.json" "$work/accounting2.json"

sums_hold() {
	jq -es '.[0] | .frames == .flow_frames + .housekeeping_frames + .other_network_frames + .non_ip_frames
		+ .malformed_frames + .filtered_frames' "$1" >/dev/null || { echo "sums do not hold:" && cat "$1" && exit 1; }
}
sums_hold "$work/accounting.json"

if command -v editcap >/dev/null; then
	for snaplen in 14 33 60 96 200; do
		cut=
		n=0
		for f in $captures; do
			n=$((n + 1))
			editcap -F pcap -s $snaplen "$f" "$work/cut$n" 2>/dev/null || editcap -s $snaplen "$f" "$work/cut$n" \
				2>/dev/null || continue
			cut="$cut $work/cut$n"
		done
		[ -n "$cut" ] || continue
		all=$captures
		captures=$cut
		run "$work/snap$snaplen" >"$work/snap.json"
		captures=$all
		sums_hold "$work/snap.json"
	done
else
	echo "SKIPPED: snap lengths of $2 (editcap of tshark's package is missing)"
fi

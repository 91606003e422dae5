#!/bin/sh
# garita policy suggest and what-if, garita maintenance: over a recorded day.
set -eu
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }
site=tests/replay/demo/site.yaml
"$build/garitad" -c $site -D "$work/db" -r tests/replay/demo/capture.pcap >"$work/log" 2>&1
policy() { "$build/garita" policy "$@" --db "$work/db"; }
transfers() { "$build/garita" transfers --db "$work/db" --format json "$@"; }

# --- what-if: the same policy changes nothing, whatever the order of limits ---
policy what-if $site --format json >"$work/same"
[ "$(jq -s 'length' "$work/same")" = 1 ] || fail "the policy in force changes something"
jq -e '.kind == "summary" and .["now-approved"].transfers == 0 and .["now-unapproved"].transfers == 0' "$work/same" >/dev/null
[ "$(jq '.approved.transfers + .unapproved.transfers' "$work/same")" = "$(transfers | wc -l)" ] || fail "not every transfer"
[ "$(jq '.approved.ip_bytes_out' "$work/same")" = "$(transfers --verdict approved | jq -s 'map(.ip_bytes_out) | add')" ] ||
	fail "bytes of the approved"

# --- without approvals all that was approved is not; the bytes stay ---
sed '/^approvals:/,/^[a-z]*:/{/^approvals:/d;/^ /d;/^#/d}' $site >"$work/none.yaml"
mkdir "$work/geo" && cp tests/replay/geo/*.mmdb "$work/geo"
sed -i "s|\.\./geo|$work/geo|g" "$work/none.yaml"
policy what-if "$work/none.yaml" --format json >"$work/none"
jq -es '.[0]["now-unapproved"].transfers as $n | ($n > 0) and (.[1:] | map(select(.change == "now-unapproved") | .transfers) | add) == $n
	and .[0].approved.transfers == 0' "$work/none" >/dev/null || fail "nothing is approved without approvals"
[ "$(jq -s '.[0]["now-unapproved"].ip_bytes_out' "$work/none")" = "$(jq '.approved.ip_bytes_out' "$work/same")" ] || fail "bytes"
policy what-if "$work/none.yaml" | grep -q 'Now unapproved' || fail "the table"
policy what-if "$work/none.yaml" --lang es | grep -q 'Ahora no aprobadas' || fail "the table in Spanish"
policy what-if "$work/none.yaml" --since 2027-01-01 --format json | jq -es 'length == 1 and .[0].approved.transfers == 0' >/dev/null ||
	fail "--since"
policy what-if "$work/none.yaml" --equipment BAG-0004 --format json |
	jq -es '[.[1:][].equipment] | unique - ["BAG-0004"] == []' >/dev/null || fail "--equipment"

# --- an expired policy: by the time of the packets, not by today's clock ---
sed 's/valid: [0-9.-]*/valid: 2020-01-01..2020-12-31/' "$site" | sed "s|\.\./geo|$work/geo|g" >"$work/old.yaml"
policy what-if "$work/old.yaml" --format json | jq -es '[.[1:][] | select(.change == "now-unapproved") | .would_be] |
	length > 0 and all(contains("approval-expired"))' >/dev/null || fail "expired"

# --- suggest: refused until somebody answers for it, and then it covers what it says ---
policy suggest >"$work/suggested"
grep -q '^  - id: SUGGESTED-001' "$work/suggested" || fail "nothing is suggested"
{ cat "$work/none.yaml"; cat "$work/suggested"; } >"$work/raw.yaml"
if "$build/garitad" -c "$work/raw.yaml" -T >/dev/null 2>"$work/err"; then fail "nobody approved it"; fi
for key in valid approved_by ticket; do grep -q "'$key' has no value" "$work/err" || fail "$key is not asked for"; done
sed -e 's/^    valid: .*/    valid: 2026-01-01..2026-12-31/' -e 's/^    approved_by: .*/    approved_by: A. Officer/' \
	-e 's/^    ticket: .*/    ticket: OFICIO-1/' "$work/raw.yaml" >"$work/filled.yaml"
"$build/garitad" -c "$work/filled.yaml" -T >/dev/null || fail "the filled file is refused"
wanted=$(policy suggest --format json | jq -s 'map(select(.kind == "suggestion") | .transfers) | add')
found=$(policy what-if "$work/filled.yaml" --format json | jq -s '.[0]["now-approved"].transfers')
[ "$wanted" = "$found" ] || fail "suggested for $wanted transfers, approves $found"
# never for what was detected, has a name that nobody gave, or comes from nobody's machine
policy suggest --format json | jq -s '[.[] | select(.kind == "suggestion") | .example]' >"$work/ids"
transfers | jq -es --slurpfile ids "$work/ids" 'map(select(.id as $i | $ids[0] | index($i))) | length > 0 and
	all(.verdict == "unapproved" and ((has("hostname") | not) or .hostname_verified) and .channel == null and
	(.equipment | startswith("unknown:") | not) and .initiator == "equipment")' >/dev/null || fail "it suggests too much"
policy suggest --lang es | grep -q 'Nadie las ha aprobado' || fail "Spanish"
policy suggest --since 2027-01-01 | grep -q 'nothing to suggest' || fail "nothing later"

# --- maintenance ---
maintenance() { "$build/garita" maintenance --db "$work/db" "$@"; }
maintenance --format json >"$work/sessions"
jq -es 'length == 1 and .[0].tool == "SSH" and .[0].equipment == "NII-0007" and .[0].initiator == "peer" and
	.[0].unapproved == 0 and (.[0].ticket | length) > 0' "$work/sessions" >/dev/null || fail "the session: $(cat "$work/sessions")"
[ "$(jq .ip_bytes_out "$work/sessions")" = "$(transfers | jq -s 'map(select(.app_proto == "SSH") | .ip_bytes_out) | add')" ] ||
	fail "its bytes"
maintenance --unapproved --format json | grep -q . && fail "all of it was approved"
maintenance --tool ssh | grep -q NII-0007 || fail "--tool in any case"
maintenance --since 2027-01-01 --format json | grep -q . && fail "--since"
[ "$(maintenance --format csv | wc -l)" = 2 ] || fail "csv"
COLUMNS=140 maintenance --lang es | grep -q HERRAMIENTA || fail "Spanish"

# --- wrong usage ---
for bad in "what-if" "what-if /nonexistent" "suggest now" "what-if $site --format csv" "suggest --since never"; do
	# shellcheck disable=SC2086
	if policy $bad >/dev/null 2>&1; then fail "$bad was taken"; fi
done
if maintenance now >/dev/null 2>&1; then fail "an argument was taken"; fi

# --- channel lists of a site: errors with file, line and column ---
printf 'channels:\n  - {name: Own, kind: vpn, hosts: [own.example], source: "site: me, today"}\n' >"$work/own.yaml"
{ cat "$work/none.yaml"; echo "signatures: {channels: [own.yaml]}"; } >"$work/site.yaml"
"$build/garitad" -c "$work/site.yaml" -T >/dev/null || fail "a list of the site is refused"
sed -i 's/kind: vpn/kind: vnp/' "$work/own.yaml"
if "$build/garitad" -c "$work/site.yaml" -T 2>"$work/err" >/dev/null; then fail "a bad list is taken"; fi
grep -q "own.yaml:2:23: .*did you mean 'vpn'" "$work/err" || fail "$(cat "$work/err")"

#!/bin/sh
# bundle.sh BUILD - figures of garita evidence: bundles of every finding of the
# recorded cases, opened by capinfos and tshark, each hash and each count of
# packets compared. Prints one line; exit 1 when one is wrong.
set -eu
build=${1:-build}
cd "$(dirname "$0")/../.."
for tool in tshark capinfos unzip sqlite3 jq; do
	command -v $tool >/dev/null || { echo "SKIPPED: bundles: $tool is not installed" && exit 0; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bundles=0 packets=0 hashes=0 entries=0 wrong=0
bad() { echo "$*" >&2; wrong=$((wrong + 1)); }
for c in tests/replay/*/; do
	c=$(basename "$c")
	grep -q '"verdict":"unapproved"' "tests/replay/$c/expected.jsonl" 2>/dev/null || continue
	rm -rf "$work/db"
	grep -v '^evidence:' "tests/replay/$c/site.yaml" | sed "s#\.\./geo#$PWD/tests/replay/geo#g" >"$work/site.yaml"
	echo 'evidence: {packets: full}' >>"$work/site.yaml"
	# shellcheck disable=SC2046 # a list of files
	"$build/garitad" -c "$work/site.yaml" -D "$work/db" $(printf -- '-r %s ' "tests/replay/$c"/capture*) >/dev/null 2>&1 || [ $? = 3 ] || bad "$c: garitad"
	db=$work/db/garita.db
	for id in $(sqlite3 "$db" 'SELECT DISTINCT finding FROM evidence_part ORDER BY 1'); do
		rm -rf "$work/b.zip" "$work/garita-finding-$id"
		"$build/garita" evidence "$id" --db "$work/db" -o "$work/b.zip" --format json >"$work/said" || { bad "$c: finding $id: no bundle" && continue; }
		(cd "$work" && unzip -q b.zip)
		b=$work/garita-finding-$id
		bundles=$((bundles + 1))
		(cd "$b" && sha256sum --strict --quiet -c SHA256SUMS) || bad "$c: finding $id: a hash"
		hashes=$((hashes + $(wc -l <"$b/SHA256SUMS")))
		entries=$((entries + $(jq .ledger_entries_proven "$work/said")))
		[ "$(jq '.problems + .ledger_entries - .ledger_entries_proven' "$work/said")" = 0 ] || bad "$c: finding $id: $(cat "$work/said")"
		[ -f "$b/evidence.pcapng" ] || continue
		[ "$(capinfos -H "$b/evidence.pcapng" 2>/dev/null | sed -n 's/^SHA256: *//p')" = "$(jq -r '.files[] | select(.name == "evidence.pcapng").sha256' "$b/manifest.json")" ] ||
			bad "$c: finding $id: capinfos -H says another SHA-256"
		sqlite3 "$db" "SELECT sum(packets), transfer FROM evidence_part WHERE finding = $id AND packets > 0 GROUP BY transfer" | tr '|' ' ' | sort >"$work/want"
		tshark -r "$b/evidence.pcapng" -T fields -e frame.comment 2>/dev/null | grep -o 'transfer=[0-9]*' | sed 's/.*=//' | sort | uniq -c |
			awk '{ print $1, $2 }' | sort >"$work/have"
		cmp -s "$work/want" "$work/have" || bad "$c: finding $id: tshark counts other packets than the record"
		packets=$((packets + $(awk '{ n += $1 } END { print n + 0 }' "$work/have")))
	done
done
echo "bundles: $bundles, $hashes files of them with the hash of the manifest, $packets packets counted by tshark as the record says, $entries ledger entries proven; wrong: $wrong"
[ $wrong = 0 ] && [ $bundles -gt 0 ]

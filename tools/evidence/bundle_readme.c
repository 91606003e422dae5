/* The two pages for a reader who has never seen garita. What they tell him to type
 * is typed by tests/cli/evidence.sh: lines that begin with four blanks. */
#include <inttypes.h>
#include <string.h>

#include "evidence/bundle.h"
#include "text.h"
#include "translate.h"

/* --- what to type, the same in every language --- */

static const char sums[] = "    sha256sum -c SHA256SUMS\n";

static const char packets[] =
    "    capinfos -H evidence.pcapng\n"
    "    tshark -r evidence.pcapng -q -z io,stat,0\n"
    "    tshark -r evidence.pcapng -T fields -e frame.comment | grep -o 'transfer=[0-9]*' | sort | uniq -c\n";

static const char policy[] = "    for f in policy/*.yaml; do b2sum -l 256 $f; done\n";

static const char signature[] =
    "    sed '/^$/,$d' checkpoint.txt > /tmp/checkpoint.signed\n"
    "    tail -n 1 checkpoint.txt | sed 's/.* //' | base64 -d | tail -c 64 > /tmp/checkpoint.sig\n"
    "    openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in /tmp/checkpoint.signed -sigfile /tmp/checkpoint.sig\n";

static const char inclusion[] =
    "    python3 - <<'END'\n"
    "    import base64, hashlib, json\n"
    "    sha = lambda data: hashlib.sha256(data).digest()\n"
    "    origin, size, root = open('checkpoint.txt').read().split('\\n')[:3]\n"
    "    for line in open('ledger.jsonl', encoding='utf-8'):\n"
    "        e = json.loads(line)\n"
    "        at = sha(b'\\0' + e['entry'].encode())                     # RFC 6962, 2.1: a leaf\n"
    "        assert at.hex() == e['hash'] and json.loads(e['entry'])['seq'] == e['seq']\n"
    "        if 'proof' not in e:\n"
    "            print(e['seq'], e['kind'], 'newer than the checkpoint: no proof')\n"
    "            continue\n"
    "        index, last = e['seq'], int(size) - 1\n"
    "        for p in map(bytes.fromhex, e['proof']):                   # RFC 9162, 2.1.3.2\n"
    "            if index % 2 or index == last:\n"
    "                at = sha(b'\\1' + p + at)\n"
    "                while index % 2 == 0 and index: index, last = index // 2, last // 2\n"
    "            else:\n"
    "                at = sha(b'\\1' + at + p)\n"
    "            index, last = index // 2, last // 2\n"
    "        assert last == 0 and base64.b64encode(at).decode() == root, e['seq']\n"
    "        print(e['seq'], e['kind'], 'is in the signed ledger')\n"
    "    END\n";

static const char rows[] =
    "    python3 - <<'END'\n"
    "    import base64, hashlib, json\n"
    "    entries = {e['seq']: json.loads(e['entry']) for e in map(json.loads, open('ledger.jsonl', encoding='utf-8'))}\n"
    "    sealed = {}\n"
    "    for s in sorted(map(json.loads, open('seals.jsonl')), key=lambda s: s['seq']):\n"
    "        data = base64.b64decode(s['rows'])\n"
    "        assert hashlib.sha256(data).hexdigest() == entries[s['seq']]['sha256']\n"
    "        for at in range(0, len(data), 24):                         # 8 bytes id, 16 bytes hash; the last one holds\n"
    "            sealed[int.from_bytes(data[at:at + 8], 'big')] = data[at + 8:at + 24]\n"
    "    def cell(v):                                                   # NULL, INTEGER, TEXT\n"
    "        if v is None: return b'\\0'\n"
    "        if isinstance(v, int):\n"
    "            n = 8 if v < 0 else (v.bit_length() + 7) // 8\n"
    "            return bytes([16 + v]) if 0 <= v < 48 else bytes([n]) + (v & 2**64 - 1).to_bytes(8, 'little')[:n]\n"
    "        v = bytes.fromhex(v['hex']) if isinstance(v, dict) else v.encode()\n"
    "        return (bytes([64 + len(v)]) if len(v) < 191 else b'\\xff' + len(v).to_bytes(4, 'little')) + v\n"
    "    for r in map(json.loads, open('rows.jsonl', encoding='utf-8')):\n"
    "        row = r['row']\n"
    "        have = hashlib.sha256(b''.join(map(cell, row.values()))).digest()[:16]\n"
    "        assert sealed.get(row['id'], have) == have, row['id']\n"
    "        print('transfer', row['id'], 'is what was sealed' if row['id'] in sealed else 'is not sealed yet')\n"
    "    END\n";

/* --- the parts --- */

static void what(FILE *f, const struct bundle *b, const char *lang)
{
	char transfers[TEXT_COUNT_MAX], packets_kept[TEXT_COUNT_MAX], bytes[TEXT_COUNT_MAX], entries[TEXT_COUNT_MAX];
	fprintf(f, b->of.finding != 0 ? tr(lang, "Finding %jd of sensor %s\n\n") : tr(lang, "Transfer %jd of sensor %s\n\n"),
	        b->of.finding != 0 ? b->of.finding : b->of.transfer, b->sensor);
	fprintf(f,
	        tr(lang, "garita is a passive sensor beside inspection equipment (X-ray machines for cargo and baggage). It records what\n"
	        "leaves that equipment for places that nobody approved. A transfer is one connection between a machine and something\n"
	        "outside; a finding is the unapproved or suspicious transfers of one machine to one peer. This folder holds what it\n"
	        "recorded of one of them: %s, %s (%s), %s of its ledger.\n"
	        "src_ip and src_port are always the machine's end, dest_ip and dest_port the other one; \"out\" is away from the machine.\n"
	        "All times are UTC. The zip file has no times of its own: the same record gives the same bytes.\n\n"),
	        text_count(lang, "{0} transfer", "{0} transfers", b->transfers, transfers),
	        text_count(lang, "{0} packet", "{0} packets", b->packets, packets_kept),
	        text_count(lang, "{0} byte", "{0} bytes", b->bytes, bytes), text_count(lang, "{0} entry", "{0} entries", b->entries, entries));
}

static void problems_of(FILE *f, const struct bundle *b, bool notes)
{
	for (unsigned i = 0; i < b->problems; i++)
		if (b->problem[i].note == notes)
			fprintf(f, "  - %s: %s.\n", b->problem[i].word, b->problem[i].text);
}

static void found(FILE *f, const struct bundle *b, const char *lang)
{
	if (b->wrong > 0) {
		fprintf(f, tr_n(lang, "WRONG. When this was made, %u thing did not agree with the ledger; read it before you believe the rest:\n",
		             "WRONG. When this was made, %u things did not agree with the ledger; read them before you believe the rest:\n", b->wrong),
		        b->wrong);
		problems_of(f, b, false);
	} else {
		fprintf(f, tr(lang, "When this was made, everything that was taken from the record agreed with the ledger.\n"));
	}
	if (b->problems > 0) {
		fprintf(f, tr(lang, "To know:\n"));
		problems_of(f, b, true);
	}
	fprintf(f, "\n");
}

static void files_of(FILE *f, const struct bundle *b)
{
	for (unsigned i = 0; i < b->members; i++)
		if (strncmp(b->member[i].name, "policy/", 7) != 0)
			fprintf(f, "  %-16s %s\n", b->member[i].name, b->member[i].what);
}

static void check(FILE *f, const struct bundle *b, const char *lang)
{
	fprintf(f, tr(lang, "How to check it, with tools of others\n\n1. Nothing was changed since this was packed (coreutils):\n\n%s\n"), sums);
	fprintf(f, tr(lang, "   This says nothing of who packed it: ask for the SHA-256 of the zip file by another way.\n\n"));
	if (b->packets > 0)
		fprintf(f,
		        tr(lang, "2. The packets (Wireshark, its capinfos and tshark). Each has a comment \"garita transfer=…\"; the first of each\n"
		        "   transfer says more. Lost packets are in the interface statistics (capinfos, or Statistics > Capture File\n"
		        "   Properties). The numbers of each transfer stand in manifest.json, packets_of_transfers:\n\n%s\n"),
		        packets);
	fprintf(f,
	        tr(lang, "3. The policies, which say what was approved. The name of each file is the BLAKE2b-256 of its text (coreutils), and\n"
	        "   policy_hash in the ledger's entries of kind policy, policy= in the comments of the packets:\n\n%s\n"),
	        policy);
	if (b->checkpoint == 0)
		return;
	fprintf(f,
	        tr(lang, "4. The ledger is a list that is only ever added to: each entry holds the hash of the one before, and all of them\n"
	        "   are the leaves of a Merkle tree (RFC 6962). Its head is signed (checkpoint.txt: the sensor, the number of\n"
	        "   entries, the root of the tree, the signature; C2SP tlog-checkpoint) every hour, and sent away from the machine\n"
	        "   where the site set that up. Compare public-key.txt with what the site published when it installed the sensor,\n"
	        "   and checkpoint.txt with the copies that went away: who holds the machine can make both anew, but not those.\n"
	        "   Signature (OpenSSL 3 prints \"Signature Verified Successfully\"):\n\n%s\n"),
	        signature);
	fprintf(f, tr(lang, "5. Each entry in ledger.jsonl is in the tree whose root was signed (Python 3, nothing else):\n\n%s\n"), inclusion);
	fprintf(f,
	        tr(lang, "6. The transfers: each one that has ended is hashed (rows.jsonl holds its columns, as they are hashed), and lists of\n"
	        "   those hashes (seals.jsonl) have theirs in entries of kind rows. transfers.json says the same for people:\n\n%s\n"),
	        rows);
	fprintf(f,
	        tr(lang, "7. The packets come out of larger files (manifest.json, segments), whose SHA-256 stands in an entry evidence-kept of\n"
	        "   the ledger. They were compared when this was made; whoever has the sensor compares them again: garita verify.\n\n"));
}

static const char blind[] =
    N_("What it cannot show\n\n"
    "- What did not pass the mirrored switch port: modems and radios within a machine, other cables.\n"
    "- Packets that the switch or the sensor lost; what is known of that is in the interface statistics, and in\n"
    "  packets_missed and packets_evicted of manifest.json.\n"
    "- What is within encrypted connections; names hidden by ECH; data hidden in the fields of harmless protocols.\n"
    "- Whether the sensor's clock was right, and who sat at the machine. Host names are as the traffic gave them:\n"
    "  hostname_verified says whether DNS gave that name for that address.\n"
    "- \"unapproved\" means that no written approval covered it: not that it was malicious.\n");

void bundle_write_readme(FILE *f, const struct bundle *b, const char *lang)
{
	what(f, b, lang);
	found(f, b, lang);
	fprintf(f, tr(lang, "What is here\n\n"));
	files_of(f, b);
	fprintf(f, "  %-16s %s\n  %-16s %s\n\n", "manifest.json", tr(lang, "the list of all of it, where it came from, what is missing or wrong"), "policy/*.yaml",
	        tr(lang, "each site.yaml that judged these transfers"));
	check(f, b, lang);
	fputs(tr(lang, blind), f);
}

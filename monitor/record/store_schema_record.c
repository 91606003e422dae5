/* Schema 10: the ledger, the review and the packets. See store_schema.c. */
#include "record/store_schema.h"

const char store_schema_ledger_sql[] =
	"CREATE TABLE ledger ( -- everything that happened, in order; nothing in it is ever changed or taken out\n"
	"  seq INTEGER PRIMARY KEY,   -- 0, 1, 2 …: the index of its leaf in the Merkle tree\n"
	"  time_us INTEGER NOT NULL,  -- wall clock\n"
	"  kind TEXT NOT NULL,        -- garita-ledger(5) has the words\n"
	"  subject INTEGER,           -- id of the run, finding, evidence file … that it is about\n"
	"  body TEXT NOT NULL,        -- the entry: canonical JSON (RFC 8785) with seq, time, kind, prev and all the rest\n"
	"  hash BLOB NOT NULL         -- SHA-256(0x00 || body), the leaf of RFC 6962; hex of it is prev of the next entry\n"
	") STRICT;\n"
	"CREATE INDEX ledger_subject ON ledger(subject, kind) WHERE subject IS NOT NULL;\n"
	"CREATE TABLE seal ( -- hashes of the rows that an entry of kind 'rows' vouches for, ids that one of 'purge' took out\n"
	"  entry INTEGER PRIMARY KEY REFERENCES ledger(seq),\n"
	"  rows BLOB NOT NULL         -- ids and hashes: garita-ledger(5); SHA-256 of it is in the entry\n"
	") STRICT;\n"
	"CREATE TABLE seal_part ( -- the same of the last minute, or ten seconds: the next entry of kind 'rows' takes them all\n"
	"  id INTEGER PRIMARY KEY,    -- in this order\n"
	"  time_us INTEGER NOT NULL,  -- wall clock\n"
	"  rows BLOB NOT NULL\n"
	") STRICT;\n"
	"ALTER TABLE gap ADD COLUMN entry INTEGER /* of the ledger, that told it as it stands; NULL: none yet */;\n"
	"CREATE INDEX gap_untold ON gap(id) WHERE entry IS NULL;\n"
	"CREATE TABLE checkpoint ( -- signed heads of the ledger, C2SP tlog-checkpoint\n"
	"  size INTEGER PRIMARY KEY,  -- entries that it covers\n"
	"  time_us INTEGER NOT NULL,  -- wall clock\n"
	"  root BLOB NOT NULL,        -- RFC 6962\n"
	"  note TEXT NOT NULL,        -- the signed text\n"
	"  tree BLOB NOT NULL,        -- the full subtrees that the root is made of, 32 bytes each, the greatest first\n"
	"  stamp BLOB                 -- RFC 3161 time-stamp response over the note; NULL: none\n"
	") STRICT;\n";

const char store_schema_review_sql[] =
	"CREATE TABLE review ( -- how the review of each finding stands: what its newest entry of kind 'review' says,\n"
	"                      -- under the names of these columns; absent there: NULL\n"
	"  finding INTEGER PRIMARY KEY REFERENCES finding(id), -- the entry's subject\n"
	"  state TEXT NOT NULL CHECK (state IN ('open','in-review','closed')),\n"
	"  disposition TEXT CHECK (disposition IN ('confirmed','false-positive','approved-after-review','escalated')),\n"
	"                             -- of the last decision, also where it was opened again since\n"
	"  analyst TEXT, user TEXT,   -- who said so last, and the account it was done from\n"
	"  note TEXT,                 -- of the last decision\n"
	"  at_us INTEGER NOT NULL,    -- wall clock, of the last change\n"
	"  closed_us INTEGER,         -- wall clock; NULL: not closed now\n"
	"  transfers INTEGER NOT NULL, bytes_out INTEGER NOT NULL, -- of the finding when state or disposition changed last\n"
	"  severity INTEGER NOT NULL, signs TEXT, -- likewise\n"
	"  reopened INTEGER NOT NULL DEFAULT 0, -- times that new traffic opened it again\n"
	"  hold INTEGER NOT NULL DEFAULT 0, -- 1: legal hold, its evidence is not evicted\n"
	"  severe_us INTEGER, due_us INTEGER, -- wall clock: since when it is severe, when a review is due; NULL: never severe\n"
	"  entry INTEGER NOT NULL     -- of the ledger\n"
	") STRICT;\n"
	"CREATE TABLE suppression ( -- findings like these need no review until it expires; they are recorded all the same.\n"
	"                           -- As its newest entry of kind 'suppression' says, under the names of these columns\n"
	"  id INTEGER PRIMARY KEY,    -- the entry's subject\n"
	"  equipment TEXT,            -- id, or the beginning of ids and '*'; NULL: any\n"
	"  peer TEXT,                 -- host name, '*.example.com', AS64500, address or prefix; NULL: any\n"
	"  reason TEXT,               -- a reason or detection that the finding has; NULL: any\n"
	"  severity INTEGER NOT NULL, -- of findings that are no worse\n"
	"  owner TEXT NOT NULL, why TEXT NOT NULL, user TEXT NOT NULL, -- user: the account it was made from\n"
	"  from_us INTEGER NOT NULL, until_us INTEGER NOT NULL, -- wall clock\n"
	"  ended_us INTEGER, ended_by TEXT, -- by hand, before its time\n"
	"  entry INTEGER NOT NULL     -- of the ledger\n"
	") STRICT;\n";

const char store_schema_evidence_sql[] =
	"CREATE TABLE evidence ( -- pcapng files with the packets of unapproved transfers\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  path TEXT NOT NULL UNIQUE, -- from the data directory on\n"
	"  run INTEGER NOT NULL REFERENCES run(id),\n"
	"  state TEXT NOT NULL CHECK (state IN ('open','closed','evicted')),\n"
	"  first_us INTEGER, last_us INTEGER, -- packet time\n"
	"  packets INTEGER NOT NULL, bytes INTEGER NOT NULL, -- bytes: of the file\n"
	"  sha256 BLOB,               -- of the file; NULL while it is open\n"
	"  entry INTEGER              -- of the ledger that holds the hash\n"
	") STRICT;\n"
	"CREATE INDEX evidence_closed ON evidence(coalesce(first_us, 0), id) WHERE state = 'closed';\n"
	"CREATE TABLE evidence_part ( -- what a file holds of a transfer\n"
	"  finding INTEGER NOT NULL REFERENCES finding(id),\n"
	"  transfer INTEGER NOT NULL, -- 0: of several of the finding, gone with an evicted file\n"
	"  evidence INTEGER NOT NULL REFERENCES evidence(id) ON DELETE CASCADE,\n"
	"  packets INTEGER NOT NULL, bytes INTEGER NOT NULL, -- kept; bytes as captured\n"
	"  missed INTEGER NOT NULL,   -- packets that are not in it: over a budget, or nobody had room for them\n"
	"  PRIMARY KEY (finding, transfer, evidence)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE INDEX evidence_part_transfer ON evidence_part(transfer);\n"
	"CREATE INDEX evidence_part_evidence ON evidence_part(evidence);\n";

const char store_schema_behind_sql[] =
	"CREATE TABLE finding_behind ( -- whose counts are written within the second: what a killed garitad left here, the\n"
	"                              -- next one counts again from the transfers\n"
	"  finding INTEGER PRIMARY KEY -- id\n"
	") STRICT;\n";

/* Live. */
#define VLAN_SQL \
	"CREATE TABLE vlan_seen ( -- VLAN tags of frames: whether a VLAN that is usually there is missing\n" \
	"  quarter_us INTEGER NOT NULL, -- wall clock: begin of the quarter of an hour\n" \
	"  vlan INTEGER NOT NULL,     -- VID of a tag, the outer and the inner one each; 0: frames without one; -1: of more\n" \
	"                             -- than 256 all that no network of site.yaml names\n" \
	"  minutes INTEGER NOT NULL,  -- in which it was seen\n" \
	"  PRIMARY KEY (quarter_us, vlan)\n" \
	") STRICT, WITHOUT ROWID;\n"

#define RECORDED_SQL \
	"CREATE TABLE recorded ( -- by when transfers were here, live: a row for each second that brought some, of two days\n" \
	"  last_id INTEGER PRIMARY KEY, -- the greatest id of a transfer then\n" \
	"  time_us INTEGER NOT NULL   -- wall clock\n" \
	") STRICT;\n"

/* The report asks for what began in a week: by the index of ends, and by this one. */
const char store_schema_report_sql[] =
	VLAN_SQL RECORDED_SQL
	"CREATE INDEX transfer_long ON transfer(start_us) WHERE " STORE_LONG ";\n"
	"ALTER TABLE minute ADD COLUMN acks INTEGER NOT NULL DEFAULT 0"
	"  /* TCP segments that acknowledge, where the other direction was seen */;\n"
	"ALTER TABLE minute ADD COLUMN acks_unseen INTEGER NOT NULL DEFAULT 0"
	"  /* of those: data that never arrived here; the mirror lost it */;\n"
	"ALTER TABLE totals ADD COLUMN acks INTEGER NOT NULL DEFAULT 0;\n"
	"ALTER TABLE totals ADD COLUMN acks_unseen INTEGER NOT NULL DEFAULT 0;\n"
	"ALTER TABLE tally ADD COLUMN acks INTEGER NOT NULL DEFAULT 0;\n"
	"ALTER TABLE tally ADD COLUMN acks_unseen INTEGER NOT NULL DEFAULT 0;\n";

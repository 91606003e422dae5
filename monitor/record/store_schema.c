/* The texts below are what .schema in sqlite3(1) shows: the comments are the
 * documentation of the columns. A text that was released is never edited; a
 * change is one more entry of migrations[]. */
#include "record/store_schema.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "judge/severity.h"
#include "record/store_words.h"

#define SCHEMA_VERSION_EVER 1000   /* no later garita will have that many */

static const char runs_sql[] =
	"CREATE TABLE run ( -- one life of garitad, live or a replay\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  start_us INTEGER NOT NULL, -- wall clock; all times are microseconds since 1970, UTC\n"
	"  last_us INTEGER NOT NULL,  -- wall clock of the last committed write: the last sign of life\n"
	"  end_us INTEGER,            -- wall clock; NULL while it runs\n"
	"  end TEXT CHECK (end IN ('orderly','killed')), -- killed: the sensor was, or the next run found it unfinished\n"
	"  pid INTEGER NOT NULL,\n"
	"  live INTEGER NOT NULL CHECK (live IN (0,1)), -- 0: a replay of files; it knows no gaps\n"
	"  resumed INTEGER NOT NULL DEFAULT 0, -- 1: goes on with the workers of the run before, whose judge died\n"
	"  version TEXT NOT NULL,     -- of garita\n"
	"  ndpi TEXT,                 -- version of nDPI\n"
	"  sensor TEXT,\n"
	"  source TEXT                -- 'live span0', or the files\n"
	") STRICT;\n"
	"CREATE TABLE policy ( -- each text of site.yaml that ever gave a verdict\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  hash TEXT NOT NULL UNIQUE, -- BLAKE2b-256 of the text, hex\n"
	"  text TEXT,\n"
	"  path TEXT,\n"
	"  loaded_us INTEGER          -- last time it was loaded\n"
	") STRICT;\n"
	"CREATE TABLE status ( -- the running sensor's own words, replaced every second\n"
	"  key TEXT PRIMARY KEY,\n"
	"  json TEXT NOT NULL,\n"
	"  at_us INTEGER NOT NULL     -- wall clock\n"
	") STRICT, WITHOUT ROWID;\n";

static const char machines_sql[] =
	"CREATE TABLE machine ( -- what lives in the scanner networks\n"
	"  id TEXT PRIMARY KEY,       -- of site.yaml, 'unknown:<mac>', or 'gateway:<address>'\n"
	"  known INTEGER NOT NULL,    -- 1: site.yaml has it\n"
	"  vendor TEXT,               -- of site.yaml, else who holds the MAC's block\n"
	"  network TEXT,              -- scanner network where it was last seen\n"
	"  mac TEXT,\n"
	"  address TEXT,              -- last seen; all of them: machine_address\n"
	"  vlan_outer INTEGER, vlan_inner INTEGER,\n"
	"  mac_mismatch INTEGER NOT NULL DEFAULT 0, -- 1: its address came from a MAC that is not its own\n"
	"  first_us INTEGER NOT NULL, last_us INTEGER NOT NULL -- packet time of first and last sight\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE machine_address (\n"
	"  machine TEXT NOT NULL REFERENCES machine(id) ON DELETE CASCADE,\n"
	"  address TEXT NOT NULL,\n"
	"  mac TEXT,                  -- that used the address last\n"
	"  network TEXT,\n"
	"  first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,\n"
	"  PRIMARY KEY (machine, address)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE finding ( -- unapproved transfers of one machine to one peer for one set of reasons\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  equipment TEXT NOT NULL REFERENCES machine(id),\n"
	"  peer TEXT NOT NULL,        -- address\n"
	"  reasons TEXT NOT NULL,     -- JSON array of words: garita-site.yaml(5), REASONS\n"
	"  first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,\n"
	"  transfers INTEGER NOT NULL,\n"
	"  bytes_out INTEGER NOT NULL, bytes_in INTEGER NOT NULL -- IP bytes\n"
	") STRICT;\n";

static const char transfer_sql[] =
	"CREATE TABLE transfer ( -- one flow between a scanner network and something outside it\n"
	"  id INTEGER PRIMARY KEY,    -- growing\n"
	"  run INTEGER NOT NULL REFERENCES run(id),\n"
	"  finding INTEGER REFERENCES finding(id),\n"
	"  policy INTEGER REFERENCES policy(id), -- that gave the verdict\n"
	"  start_us INTEGER NOT NULL, -- packet time of its first packet\n"
	"  end_us INTEGER NOT NULL,   -- of its last packet so far\n"
	"  state TEXT NOT NULL CHECK (state IN ('open','closed','interrupted')),\n"
	"  vlan_outer INTEGER, vlan_inner INTEGER, -- NULL: no tag\n"
	"  network TEXT,              -- scanner network of the inside end\n"
	"  equipment TEXT NOT NULL REFERENCES machine(id),\n"
	"  vendor TEXT,\n"
	"  src_mac TEXT, dest_mac TEXT, -- as in the frames; src is always the inside end, dest the peer\n"
	"  src_ip TEXT NOT NULL, src_port INTEGER, -- port NULL: the protocol has none, or no first fragment was seen\n"
	"  dest_ip TEXT NOT NULL, dest_port INTEGER,\n"
	"  proto INTEGER NOT NULL,    -- IANA number: 6 TCP, 17 UDP …\n"
	"  initiator TEXT NOT NULL CHECK (initiator IN ('equipment','peer','unknown')),\n"
	"  app TEXT, category TEXT,   -- names of nDPI and of garita's own recognisers; NULL: not inspected yet\n"
	"  encrypted INTEGER,\n"
	"  hostname TEXT,\n"
	"  hostname_source TEXT NOT NULL, -- sni, http, dns, quic, cert, none\n"
	"  hostname_verified INTEGER NOT NULL, -- 1: DNS gave that name for dest_ip\n"
	"  ja3 TEXT, ja4 TEXT,\n"
	"  country TEXT, city TEXT, asn INTEGER, as_org TEXT, -- of dest_ip; NULL: unknown\n"
	"  ip_bytes_out INTEGER NOT NULL, ip_bytes_in INTEGER NOT NULL, -- IP total length\n"
	"  payload_bytes_out INTEGER NOT NULL, payload_bytes_in INTEGER NOT NULL, -- without retransmissions\n"
	"  packets_out INTEGER NOT NULL, packets_in INTEGER NOT NULL,\n"
	"  content TEXT,              -- JSON array of what was recognised\n"
	"  verdict TEXT NOT NULL CHECK (verdict IN ('approved','unapproved','housekeeping')),\n"
	"  approval TEXT,             -- id, when approved\n"
	"  reasons TEXT,              -- JSON array of words, when unapproved\n"
	"  flags INTEGER NOT NULL,    -- 1 mid-stream, 2 fragments only, 4 tunnel, 8 one way out, 16 one way in,\n"
	"    -- 32 inside by MAC, 64 inside by VLAN, 128 between scanner networks, 256 cut by the snaplen,\n"
	"    -- 512 doubled by the mirror, 1024 told again after a restart, 2048 established,\n"
	"    -- 4096 its interface's VLAN tags were ignored, 65536 stands for flows that were too many\n"
	"  risk INTEGER NOT NULL,     -- nDPI risk bits 0 to 41\n"
	"  collapsed INTEGER NOT NULL -- more flows that this row stands for (a scan or flood)\n"
	") STRICT;\n"
	/* By the end, because --since asks for what was still alive then; the start
	 * grows with the id. The others hold nothing that a checkpoint changes. */
	"CREATE INDEX transfer_end ON transfer(end_us);\n"
	"CREATE INDEX transfer_equipment ON transfer(equipment);\n"
	"CREATE INDEX transfer_peer ON transfer(dest_ip);\n"
	"CREATE INDEX transfer_unapproved ON transfer(verdict) WHERE verdict = 'unapproved';\n"
	"CREATE INDEX transfer_finding ON transfer(finding) WHERE finding IS NOT NULL;\n"
	/* A restart closes them without reading the rest. */
	"CREATE INDEX transfer_open ON transfer(run) WHERE state = 'open';\n";

static const char counts_sql[] =
	"CREATE TABLE usage ( -- IP bytes that an approval has used in a local hour, day, week or month\n"
	"  approval TEXT NOT NULL,\n"
	"  per TEXT NOT NULL CHECK (per IN ('none','hour','day','week','month')),\n"
	"  start_us INTEGER NOT NULL, -- of the period\n"
	"  bytes_out INTEGER NOT NULL, bytes_in INTEGER NOT NULL,\n"
	"  PRIMARY KEY (approval, per, start_us)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE gap ( -- time in which the sensor did not see, or saw less\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  run INTEGER NOT NULL REFERENCES run(id),\n"
	"  start_us INTEGER NOT NULL,\n"
	"  end_us INTEGER,            -- NULL: still\n"
	"  cause TEXT NOT NULL,       -- stopped, worker-died, kernel-drops, interface-down, clock-step, input-damaged …\n"
	"  detail TEXT NOT NULL DEFAULT '',\n"
	"  lost INTEGER NOT NULL DEFAULT 0, -- frames, where known\n"
	"  UNIQUE (run, start_us, cause, detail)\n"
	") STRICT;\n"
	"CREATE INDEX gap_start ON gap(start_us);\n"
	"CREATE TABLE minute ( -- counters of one minute of packet time, all workers together\n"
	"  minute_us INTEGER NOT NULL,\n"
	"  run INTEGER NOT NULL REFERENCES run(id),\n"
	"  frames INTEGER NOT NULL, bytes INTEGER NOT NULL, -- on the wire; frames is the sum of the next six\n"
	"  flow_frames INTEGER NOT NULL, housekeeping_frames INTEGER NOT NULL, other_network_frames INTEGER NOT NULL,\n"
	"  non_ip_frames INTEGER NOT NULL, malformed_frames INTEGER NOT NULL, filtered_frames INTEGER NOT NULL,\n"
	"  ip_frames INTEGER NOT NULL,\n"
	"  kernel_drops INTEGER NOT NULL, interface_drops INTEGER NOT NULL,\n"
	"  truncated_frames INTEGER NOT NULL, duplicate_frames INTEGER NOT NULL,\n"
	"  ip_bytes_out INTEGER NOT NULL, ip_bytes_in INTEGER NOT NULL, -- of transfers\n"
	"  flows INTEGER NOT NULL, transfers INTEGER NOT NULL, flow_table_full INTEGER NOT NULL,\n"
	"  PRIMARY KEY (minute_us, run)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE totals ( -- the accounting of a run, so far or at its end\n"
	"  run INTEGER PRIMARY KEY REFERENCES run(id),\n"
	"  frames INTEGER NOT NULL, bytes INTEGER NOT NULL,\n"
	"  flow_frames INTEGER NOT NULL, housekeeping_frames INTEGER NOT NULL, other_network_frames INTEGER NOT NULL,\n"
	"  non_ip_frames INTEGER NOT NULL, malformed_frames INTEGER NOT NULL, filtered_frames INTEGER NOT NULL,\n"
	"  ip_frames INTEGER NOT NULL,\n"
	"  kernel_drops INTEGER NOT NULL, interface_drops INTEGER NOT NULL,\n"
	"  truncated_frames INTEGER NOT NULL, duplicate_frames INTEGER NOT NULL,\n"
	"  ip_bytes_out INTEGER NOT NULL, ip_bytes_in INTEGER NOT NULL,\n"
	"  flows INTEGER NOT NULL, transfers INTEGER NOT NULL, flow_table_full INTEGER NOT NULL,\n"
	"  approved INTEGER NOT NULL, unapproved INTEGER NOT NULL, housekeeping INTEGER NOT NULL, -- transfers\n"
	"  findings INTEGER NOT NULL, open INTEGER NOT NULL, collapsed INTEGER NOT NULL,\n"
	"  first_us INTEGER NOT NULL, last_us INTEGER NOT NULL -- packet time of the first and last frame, 0: none\n"
	") STRICT;\n";

/* For people who open the file with sqlite3(1): times as text. */
static const char views_sql[] =
	"CREATE VIEW transfer_text AS SELECT id, finding,\n"
	"  strftime('%Y-%m-%dT%H:%M:%S', start_us / 1000000, 'unixepoch') || printf('.%06dZ', start_us % 1000000) AS start,\n"
	"  strftime('%Y-%m-%dT%H:%M:%S', end_us / 1000000, 'unixepoch') || printf('.%06dZ', end_us % 1000000) AS end,\n"
	"  state, network, equipment, src_ip, src_port, dest_ip, dest_port,\n"
	"  CASE proto WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 58 THEN 'icmp6'\n"
	"    WHEN 132 THEN 'sctp' ELSE proto END AS proto,\n"
	"  initiator, app, hostname, country, as_org, ip_bytes_out, ip_bytes_in, verdict, approval, reasons\n"
	"FROM transfer;\n"
	"CREATE VIEW gap_text AS SELECT id, run,\n"
	"  strftime('%Y-%m-%dT%H:%M:%SZ', start_us / 1000000, 'unixepoch') AS start,\n"
	"  strftime('%Y-%m-%dT%H:%M:%SZ', end_us / 1000000, 'unixepoch') AS end,\n"
	"  cause, detail, lost FROM gap;\n";

static const char resume_sql[] =
	"ALTER TABLE transfer ADD COLUMN"
	"  dns_name TEXT /* what DNS that is believed gave for dest_ip, whatever the flow itself says */;\n"
	"ALTER TABLE transfer ADD COLUMN"
	"  bad_us INTEGER /* first packet time outside of hours, validity or limit; NULL: none */;\n"
	"CREATE TABLE tally ( -- counters of each worker, as they were when its minutes were written last: a judge that is\n"
	"                     -- started anew goes on from here\n"
	"  worker INTEGER PRIMARY KEY,\n"
	"  run INTEGER NOT NULL REFERENCES run(id),\n"
	"  told_us INTEGER NOT NULL, -- packet time\n"
	"  first_us INTEGER NOT NULL, -- of the worker's life\n"
	"  frames INTEGER NOT NULL, bytes INTEGER NOT NULL,\n"
	"  flow_frames INTEGER NOT NULL, housekeeping_frames INTEGER NOT NULL, other_network_frames INTEGER NOT NULL,\n"
	"  non_ip_frames INTEGER NOT NULL, malformed_frames INTEGER NOT NULL, filtered_frames INTEGER NOT NULL,\n"
	"  ip_frames INTEGER NOT NULL,\n"
	"  kernel_drops INTEGER NOT NULL, interface_drops INTEGER NOT NULL,\n"
	"  truncated_frames INTEGER NOT NULL, duplicate_frames INTEGER NOT NULL,\n"
	"  ip_bytes_out INTEGER NOT NULL, ip_bytes_in INTEGER NOT NULL,\n"
	"  flows INTEGER NOT NULL, transfers INTEGER NOT NULL, flow_table_full INTEGER NOT NULL\n"
	") STRICT;\n";

static const char retention_sql[] =
	"CREATE TABLE folded ( -- sums of transfers whose own rows were taken out: every byte of them\n"
	"  -- What made the key stands as '' or 0 where it is unknown, and in a month's sum for any.\n"
	"  hour_us INTEGER NOT NULL,  -- the UTC hour in which they began; span 'month': the first one of the UTC month\n"
	"  span TEXT NOT NULL CHECK (span IN ('hour','month')),\n"
	"  equipment TEXT NOT NULL REFERENCES machine(id),\n"
	"  verdict TEXT NOT NULL CHECK (verdict IN ('approved','unapproved','housekeeping')),\n"
	"  dest_ip TEXT NOT NULL,\n"
	"  proto INTEGER NOT NULL,\n"
	"  port INTEGER NOT NULL,     -- of the end that was connected to (initiator unknown: of dest_ip); -1: none\n"
	"  initiator TEXT NOT NULL,\n"
	"  app TEXT NOT NULL,\n"
	"  hostname TEXT NOT NULL, hostname_verified INTEGER NOT NULL,\n"
	"  approval TEXT NOT NULL, reasons TEXT NOT NULL,\n"
	"  finding INTEGER NOT NULL, policy INTEGER NOT NULL, -- ids\n"
	"  network TEXT NOT NULL, country TEXT NOT NULL, asn INTEGER NOT NULL,\n"
	"  as_org TEXT,\n"
	"  start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, -- first start and last end of them\n"
	"  transfers INTEGER NOT NULL, -- rows\n"
	"  collapsed INTEGER NOT NULL, -- more flows that those rows stood for\n"
	"  ip_bytes_out INTEGER NOT NULL, ip_bytes_in INTEGER NOT NULL,\n"
	"  payload_bytes_out INTEGER NOT NULL, payload_bytes_in INTEGER NOT NULL,\n"
	"  packets_out INTEGER NOT NULL, packets_in INTEGER NOT NULL,\n"
	"  PRIMARY KEY (hour_us, span, equipment, verdict, dest_ip, proto, port, initiator, app, hostname,\n"
	"    hostname_verified, approval, reasons, finding, policy, network, country, asn)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE event ( -- what befell this record, a row for each UTC day, kind and detail\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  run INTEGER NOT NULL REFERENCES run(id),\n"
	"  day_us INTEGER NOT NULL,   -- wall clock, as the next two\n"
	"  start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, -- first and last time on that day\n"
	"  what TEXT NOT NULL,        -- folded, folded-early, unapproved-folded, sums-merged, sums-merged-early,\n"
	"                             -- database-damaged, database-missing, database-converted\n"
	"  detail TEXT NOT NULL DEFAULT '',\n"
	"  transfers INTEGER NOT NULL DEFAULT 0, -- that it is about, and their IP bytes\n"
	"  ip_bytes_out INTEGER NOT NULL DEFAULT 0, ip_bytes_in INTEGER NOT NULL DEFAULT 0,\n"
	"  first_us INTEGER, last_us INTEGER, -- packet time: first start and last end of them\n"
	"  last_id INTEGER,           -- the greatest of their ids: none is given twice\n"
	"  UNIQUE (day_us, what, detail)\n"
	") STRICT;\n"
	"CREATE VIEW folded_text AS SELECT\n"
	"  CASE span WHEN 'hour' THEN strftime('%Y-%m-%dT%H:00Z', hour_us / 1000000, 'unixepoch')\n"
	"    ELSE strftime('%Y-%m', hour_us / 1000000, 'unixepoch') END AS hour,\n"
	"  equipment, verdict, approval, reasons, dest_ip, port, app, hostname, country, asn, as_org,\n"
	"  transfers, ip_bytes_out, ip_bytes_in, packets_out, packets_in FROM folded;\n";

/* Half of what a row costs is its indexes. Transfers with a finding, which may
 * be many, are not indexed by machine and peer: the finding knows both, and who
 * asks for one of them goes through it (store_read.c). */
static const char fewer_indexes_sql[] =
	"DROP INDEX transfer_equipment;\n"
	"DROP INDEX transfer_peer;\n"
	"CREATE INDEX transfer_equipment ON transfer(equipment) WHERE finding IS NULL;\n"
	"CREATE INDEX transfer_peer ON transfer(dest_ip) WHERE finding IS NULL;\n"
	"CREATE INDEX finding_equipment ON finding(equipment);\n"
	"CREATE INDEX finding_peer ON finding(peer);\n";

static const char names_sql[] =
	"CREATE TABLE dns_name ( -- what a resolver that is believed answered: approvals by host name hold after a restart\n"
	"  machine TEXT NOT NULL REFERENCES machine(id) ON DELETE CASCADE, -- that asked\n"
	"  address TEXT NOT NULL,     -- that the name stands for\n"
	"  name TEXT NOT NULL,\n"
	"  trust TEXT NOT NULL,       -- a mark of the names.resolvers in force, '' without\n"
	"  answered_us INTEGER NOT NULL, expires_us INTEGER NOT NULL, -- packet time; some minutes late\n"
	"  PRIMARY KEY (machine, address, name)\n"
	") STRICT, WITHOUT ROWID;\n";

static const char death_sql[] =
	"ALTER TABLE gap ADD COLUMN"
	"  bytes TEXT /* worker-died: hex, the first of the packet that it was looking at; NULL: none. What is like it is not\n"
	"    inspected for five minutes: flag 8192 of transfer */;\n";

/* A finding's peer may be several addresses: who asks for an address asks those
 * findings, too (store_read.c). What older rows had in common with their
 * transfers is taken from one of them. */
static const char findings_sql[] =
	"ALTER TABLE finding ADD COLUMN"
	"  kind TEXT NOT NULL DEFAULT 'address' /* of its peer: host, network, address, domain */;\n"
	"ALTER TABLE finding ADD COLUMN"
	"  peer_name TEXT /* host, domain, 'AS64500'; NULL: kind address. peer is the address of its first transfer, '': none */;\n"
	"ALTER TABLE finding ADD COLUMN"
	"  several INTEGER NOT NULL DEFAULT 0 /* 1: its transfers go to other addresses than peer, too */;\n"
	"ALTER TABLE finding ADD COLUMN"
	"  state TEXT NOT NULL DEFAULT 'open' /* open: it grows; closed: quiet for a day, what comes begins another */;\n"
	"ALTER TABLE finding ADD COLUMN"
	"  severity INTEGER NOT NULL DEFAULT 0 /* 0 to 100: garita show prints it term by term */;\n"
	"ALTER TABLE finding ADD COLUMN"
	"  signs TEXT /* JSON array of words, garita-detections(7); NULL: none */;\n"
	"ALTER TABLE finding ADD COLUMN country TEXT /* of peer */;\n"
	"ALTER TABLE finding ADD COLUMN asn INTEGER;\n"
	"ALTER TABLE finding ADD COLUMN as_org TEXT;\n"
	"ALTER TABLE finding ADD COLUMN"
	"  unknown_equipment INTEGER NOT NULL DEFAULT 0 /* 1: site.yaml did not have it when the finding began */;\n"
	"ALTER TABLE finding ADD COLUMN"
	"  foreign_country INTEGER NOT NULL DEFAULT 0 /* 1: approvals name countries, and country is none of them */;\n"
	"ALTER TABLE finding ADD COLUMN"
	"  peer_opened INTEGER NOT NULL DEFAULT 0 /* 1: in one at least the peer connected to the equipment */;\n"
	"ALTER TABLE transfer ADD COLUMN"
	"  signs TEXT /* JSON array of words, garita-detections(7), of what was detected on it alone; NULL: nothing */;\n"
	"CREATE TABLE detection ( -- what was detected in a finding, a row for each word\n"
	"  finding INTEGER NOT NULL REFERENCES finding(id) ON DELETE CASCADE,\n"
	"  word TEXT NOT NULL,        -- garita-detections(7)\n"
	"  score INTEGER NOT NULL,    -- the greatest, 1 to 100\n"
	"  count INTEGER NOT NULL,    -- transfers that have it, or times that it was told; 0: none any more\n"
	"  first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, -- packet time\n"
	"  bytes_out INTEGER NOT NULL, -- that no transfer counts (in DNS names)\n"
	"  detail TEXT,\n"
	"  PRIMARY KEY (finding, word)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE INDEX finding_several ON finding(id) WHERE several = 1;\n"
	"CREATE INDEX finding_peer_name ON finding(peer_name) WHERE peer_name IS NOT NULL;\n"
	"UPDATE finding SET (country, asn, as_org) = (SELECT t.country, t.asn, t.as_org FROM transfer t"
	"  WHERE t.finding = finding.id LIMIT 1), unknown_equipment = equipment LIKE 'unknown:%';\n"
	"UPDATE finding SET severity = garita_severity(reasons, bytes_out, unknown_equipment);\n"
	"CREATE VIEW finding_text AS SELECT id, severity, state,\n"
	"  strftime('%Y-%m-%dT%H:%M:%SZ', first_us / 1000000, 'unixepoch') AS first,\n"
	"  strftime('%Y-%m-%dT%H:%M:%SZ', last_us / 1000000, 'unixepoch') AS last,\n"
	"  equipment, coalesce(peer_name, peer) AS peer, country, as_org, reasons, signs, transfers, bytes_out, bytes_in\n"
	"FROM finding;\n";

static const char channel_sql[] =
	"ALTER TABLE transfer ADD COLUMN"
	"  channel TEXT /* JSON array: by what means it went, as the channel lists know it; NULL: none of them */;\n"
	"ALTER TABLE transfer ADD COLUMN"
	"  provider TEXT /* who offers that, or the network of dest_ip; NULL: not known */;\n"
	"ALTER TABLE transfer ADD COLUMN"
	"  jurisdiction TEXT /* country whose law binds the provider, whatever the country of the address */;\n"
	"CREATE TABLE maintenance ( -- sessions of remote maintenance: flows of one tool between one machine and one peer\n"
	"  id INTEGER PRIMARY KEY,    -- growing\n"
	"  run INTEGER NOT NULL REFERENCES run(id), -- that wrote it last\n"
	"  state TEXT NOT NULL CHECK (state IN ('open','closed','interrupted')),\n"
	"  start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, -- packet time of the first packet, and of the last so far\n"
	"  tool TEXT NOT NULL,        -- as the channel lists name it\n"
	"  equipment TEXT NOT NULL, network TEXT,\n"
	"  peer TEXT NOT NULL,        -- address of its first flow\n"
	"  hostname TEXT,\n"
	"  by_name INTEGER NOT NULL,  -- 1: the tool is known by host name; flows to other addresses are in it, too\n"
	"  initiator TEXT NOT NULL,   -- who connected\n"
	"  flows INTEGER NOT NULL, unapproved INTEGER NOT NULL, -- unapproved: of those\n"
	"  bytes_out INTEGER NOT NULL, bytes_in INTEGER NOT NULL, -- IP bytes\n"
	"  approval TEXT, ticket TEXT -- that covered the last approved flow of it\n"
	") STRICT;\n"
	"CREATE INDEX maintenance_end ON maintenance(end_us);\n";

/* Entry n makes version n + 1; several texts make one step. */
#define TEXTS_MAX 5
static const char *const migrations[STORE_SCHEMA_VERSION][TEXTS_MAX] = {
	{runs_sql, machines_sql, transfer_sql, counts_sql},
	{views_sql},
	{resume_sql},
	{retention_sql},
	{fewer_indexes_sql},
	{names_sql},
	{death_sql},
	{findings_sql},
	{channel_sql},
	{store_schema_ledger_sql, store_schema_review_sql, store_schema_evidence_sql, store_schema_behind_sql,
	 store_schema_report_sql},
};

int store_code(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_FULL:
		return ERR_FULL;
	case SQLITE_NOMEM:
		return ERR_NOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_DAMAGED;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		return ERR_PERM;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_RANGE:
	case SQLITE_MISUSE:
		return ERR_INVALID;
	default:
		return ERR_IO;
	}
}

int64_t store_query_int(sqlite3 *db, const char *sql, int64_t fallback)
{
	sqlite3_stmt *st = NULL;
	int64_t value = fallback;
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return value;
}

int store_schema_check(sqlite3 *db, int *ret_version, char *err, size_t err_size)
{
	/* The first read also tells whether it is a database at all. */
	const int code = sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	if (code != SQLITE_OK) {
		snprintf(err, err_size, "%s", sqlite3_errmsg(db));
		return store_code(code);
	}
	const int64_t id = store_query_int(db, "PRAGMA application_id", 0);
	const int64_t version = store_query_int(db, "PRAGMA user_version", 0);
	const int64_t tables = store_query_int(db, "SELECT count(*) FROM sqlite_schema", 0);
	if (tables == 0 && version == 0 && (id == 0 || id == STORE_APPLICATION_ID)) {
		*ret_version = 0;
		return 0;
	}
	/* Its first page may be what is damaged. */
	const bool ours = store_query_int(db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN"
	                                  " ('run', 'transfer', 'finding', 'machine', 'usage')", 0) == 5;
	if (ours && (id != STORE_APPLICATION_ID || version < 1 || version > SCHEMA_VERSION_EVER)) {
		snprintf(err, err_size, "its first page is damaged");
		return ERR_DAMAGED;
	}
	if (id != STORE_APPLICATION_ID) {
		snprintf(err, err_size, "not a garita database");
		return ERR_INVALID;
	}
	if (version > STORE_SCHEMA_VERSION || version < 1) {
		snprintf(err, err_size, "its schema is version %d, this program knows versions 1 to %d; a newer garita wrote it",
		         (int)version, STORE_SCHEMA_VERSION);
		return ERR_INVALID;
	}
	*ret_version = (int)version;
	return 0;
}

/* garita_severity(reasons, bytes_out, unknown_equipment) of a finding without detections. */
static void sql_severity(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const int64_t bytes = sqlite3_value_int64(argv[1]);
	const struct severity_facts f = {.unapproved = true, .bytes_out = bytes > 0 ? (uint64_t)bytes : 0,
	                                 .reasons = store_reasons_find((const char *)sqlite3_value_text(argv[0])),
	                                 .unknown_equipment = sqlite3_value_int(argv[2]) != 0};
	(void)argc;
	sqlite3_result_int(ctx, (int)severity_total(&f));
}

static int step_up(sqlite3 *db, int to)
{
	char pragma[96];
	snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d; PRAGMA user_version = %d", STORE_APPLICATION_ID, to);
	int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (int i = 0; code == SQLITE_OK && i < TEXTS_MAX && migrations[to - 1][i] != NULL; i++)
		code = sqlite3_exec(db, migrations[to - 1][i], NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, pragma, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	return code;
}

int store_schema_migrate(sqlite3 *db, int version, char *err, size_t err_size)
{
	int have = 0;
	int r = store_schema_check(db, &have, err, err_size);
	if (r == 0 && have < version)
		r = store_code(sqlite3_create_function_v2(db, "garita_severity", 3, SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL,
		                                          sql_severity, NULL, NULL, NULL));
	if (r != 0)
		return r;
	for (int to = have + 1; to <= version && to <= STORE_SCHEMA_VERSION; to++) {
		const int code = step_up(db, to);
		if (code != SQLITE_OK) {
			snprintf(err, err_size, "making schema version %d: %s", to, sqlite3_errmsg(db));
			if (!sqlite3_get_autocommit(db))
				sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
			return store_code(code);
		}
	}
	return 0;
}

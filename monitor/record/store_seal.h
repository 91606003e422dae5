/* store_seal.h - hashes of rows, which the ledger vouches for.
 *
 * A transfer is hashed each time that it is written closed or interrupted, in the
 * same transaction: its columns in the order of STORE_SEAL_COLUMNS, as
 * store_seal_image.h has it. A finding is hashed each time that it is written: the
 * columns STORE_FINDING_COLUMNS and its id, then those of STORE_SEAL_DETECTIONS
 * of each of its detections, by word.
 * What waits for the ledger (table seal_part) and what has an entry of kind
 * "rows" (table seal) is a list of records of STORE_SEAL_RECORD bytes: the id,
 * big-endian (of a finding: less than 0 by its id), and the hash. Of several records of one id the last one holds: that
 * of the greatest entry, of seal_part before any entry, within a blob the last.
 * A row that is open has none that holds.
 *
 * The blob of an entry "purge" holds the ids that it took out, ascending: each as
 * its difference from the one before (the first: from 0), 7 bits a byte, the
 * lowest first, the top bit set in all but the last byte.
 * Private to store*.c. */
#ifndef MONITOR_STORE_SEAL_H
#define MONITOR_STORE_SEAL_H
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/store_seal_image.h"

struct store;
struct row_transfer;
struct row_finding;

#define STORE_SEAL_RECORD (8u + STORE_SEAL_HASH)

/* Columns in the order in which they are bound, and hashed; the id comes last. */
#define STORE_COUNTS_OF(state) \
	"start_us, end_us, " state ", initiator, ip_bytes_out, ip_bytes_in, payload_bytes_out, payload_bytes_in," \
	" packets_out, packets_in, flags, collapsed, bad_us, hostname_verified"
#define STORE_SEEN \
	"app, category, encrypted, hostname, hostname_source, ja3, ja4, content, risk, dns_name, signs, channel, provider," \
	" jurisdiction"
#define STORE_DECIDED \
	"finding, policy, vlan_outer, vlan_inner, network, equipment, vendor, src_mac, dest_mac, country, city, asn," \
	" as_org, verdict, approval, reasons"
#define STORE_FIXED "run, src_ip, src_port, dest_ip, dest_port, proto"
#define STORE_ALL_OF(state) STORE_COUNTS_OF(state) ", " STORE_SEEN ", " STORE_DECIDED ", " STORE_FIXED ", id"
#define STORE_SEAL_COLUMNS STORE_ALL_OF("state")
#define STORE_SEAL_COUNT 51

/* Of the columns of a stored row, from column on. */
void store_seal_stored(sqlite3_stmt *st, int column, uint8_t ret[STORE_SEAL_HASH]);
/* The same of the arguments of a function of SQL, STORE_SEAL_COUNT of them: these come much faster. */
void store_seal_values(sqlite3_value **values, uint8_t ret[STORE_SEAL_HASH]);

#define STORE_SEAL_DETECTIONS \
	"SELECT word, score, count, first_us, last_us, bytes_out, detail FROM detection WHERE finding = ? ORDER BY word"
#define STORE_DETECTION_CELLS 7
/* Of the columns of a stored finding, from column on, and its detections, by a statement as above. SQLite's code. */
int store_seal_finding_stored(sqlite3_stmt *row, int column, int64_t id, sqlite3_stmt *detections, uint8_t ret[STORE_SEAL_HASH]);

/* --- the writer --- */

struct sealer {
	uint8_t *records;            /* of committed rows without an entry, then those of the open transaction */
	uint32_t count, room;
	uint32_t waiting;            /* of the former */
	int64_t since_us;            /* wall clock; 0: nothing waits */
	bool soon;                   /* something unapproved is among what waits */
	/* of the commit that is on its way */
	int64_t now_us;
	bool told;                   /* an entry takes all */
};
void store_seal_done(struct sealer *l);

/* A transfer that was written, and is not open; added: with the run of s. */
MUST_CHECK int store_seal_row(struct store *s, const struct row_transfer *r, int64_t policy, bool added);
/* The same of one on its way; cells: those of store_bind.h, STORE_SEAL_COUNT of them. */
MUST_CHECK int store_seal_cells(struct store *s, const struct row_transfer *r, const struct cell *cells);
/* A finding that was written; r holds all of its detections. */
MUST_CHECK int store_seal_finding(struct store *s, const struct row_finding *r);
/* Those that a query gives, with the columns STORE_FINDING_COLUMNS and id, as they stand in the table. */
MUST_CHECK int store_seal_findings(struct store *s, const char *sql);
MUST_CHECK int store_seal_add(struct store *s, int64_t id, const uint8_t hash[STORE_SEAL_HASH]);
void store_seal_undo(struct store *s, int64_t id);   /* the last one, if it is of that row */
/* Of rows that nobody will end: they are open, and will be interrupted. */
MUST_CHECK int store_seal_open(struct store *s);
/* Take over what an earlier run left in seal_part; it is written now. */
MUST_CHECK int store_seal_begin(struct store *s);

/* Before the commit: into seal_part, or into an entry where enough waits, or for
 * long enough, or now is true. */
MUST_CHECK int store_seal_write(struct store *s, bool now);
void store_seal_committed(struct store *s, bool committed);
/* The blob of an entry. */
MUST_CHECK int store_seal_put(struct store *s, int64_t entry, const void *blob, size_t bytes);

#endif

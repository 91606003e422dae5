/* store_ledger_finding.h - what the ledger says of findings.
 *
 * An entry of kind finding-opened, -changed or -closed has the members
 *   row     what changes seldom: an object with the columns of STORE_FINDING_ROW,
 *           as they stand in the table; of the finding's newest entry it is the row
 *   counts  first_us, last_us, severity, transfers, bytes_out, bytes_in. While
 *           row.state is "open" the table may be ahead: first_us not more, all
 *           others not less, than in the newest entry; else they are equal
 *   found   true: an earlier run, or what was saved of a damaged database, left
 *           the row, and its judge never told the ledger of it
 * An entry is made when row changes, when a sum has doubled, the severity has
 * grown by ten points, either has gone down, and where they grew once a day.
 * Private to store*.c. */
#ifndef MONITOR_STORE_LEDGER_FINDING_H
#define MONITOR_STORE_LEDGER_FINDING_H
#include <sqlite3.h>

#include "base/json.h"
#include "record/store.h"

/* Columns in the order of store_finding_json. */
#define STORE_FINDING_COUNTS "first_us, last_us, transfers, bytes_out, bytes_in, severity"
#define STORE_FINDING_FIXED \
	"equipment, peer, reasons, kind, peer_name, several, state, signs, country, asn, as_org, unknown_equipment," \
	" foreign_country, peer_opened"
#define STORE_FINDING_COLUMNS STORE_FINDING_COUNTS ", " STORE_FINDING_FIXED
#define STORE_FINDING_CELLS 20

struct cell;
struct row_cells;

/* The members row and counts of a stored row, from column on. 0 or ERR_NOMEM. */
MUST_CHECK int store_finding_json(sqlite3_stmt *st, int column, struct json *ret_row, struct json *ret_counts);

/* What the ledger said of a finding last; of those that are at work, by id: asking it costs 25 us. */
#define FINDINGS_TOLD 16384u
struct finding_told {
	int64_t id, time_us;
	int64_t counts[6];           /* STORE_FINDING_COUNTS */
	uint8_t row[16];             /* of SHA-256 of the member */
	bool closed;
};

/* Within an open transaction: an entry, where there is something to say. */
MUST_CHECK int store_tell_finding(struct store *s, const struct row_finding *r);
/* Findings of which it says nothing: once, after the database was opened. */
MUST_CHECK int store_tell_found(struct store *s);

/* What was said may have been taken back. */
void store_forget_told(struct store *s);

/* store_transfer.c */
void store_finding_cells(struct store *s, const struct row_finding *r, struct row_cells *ret);
/* As STORE_SEAL_DETECTIONS has them. */
void store_detection_cells(struct store *s, const struct row_detection *d, struct cell *ret);

#endif

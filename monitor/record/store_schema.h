/* store_schema.h - the tables and how an older database becomes a newer one.
 * Private to store*.c. */
#ifndef MONITOR_STORE_SCHEMA_H
#define MONITOR_STORE_SCHEMA_H
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define STORE_FILE "garita.db"
#define STORE_LOCK_FILE "garitad.pid"
#define STORE_APPLICATION_ID 0x47415254   /* "GART": file(1) and we know it by that */
#define STORE_SCHEMA_VERSION 10

/* Bring the database to version (at most STORE_SCHEMA_VERSION), each step in
 * a transaction of its own. 0, ERR_INVALID (of another program, or newer),
 * ERR_DAMAGED, ERR_BUSY, ERR_FULL, ERR_IO; err says which. */
MUST_CHECK int store_schema_migrate(sqlite3 *db, int version, char *err, size_t err_size);

/* Is it ours, and of a version that this program knows? *ret_version is 0 for
 * an empty file. 0 or a negative code, err says why. */
MUST_CHECK int store_schema_check(sqlite3 *db, int *ret_version, char *err, size_t err_size);

/* Transfers that lasted long: few, with an index of their begins (transfer_long). */
#define STORE_LONG "(end_us - start_us > 3600000000)"

/* store_schema_record.c: texts of version 10. */
extern const char store_schema_ledger_sql[], store_schema_review_sql[], store_schema_evidence_sql[],
    store_schema_behind_sql[], store_schema_report_sql[];

/* SQLite's result code as ours. */
int store_code(int sqlite_code);

/* First column of the first row of a query; fallback when there is none. */
int64_t store_query_int(sqlite3 *db, const char *sql, int64_t fallback);

#endif

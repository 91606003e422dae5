/* store_again.h - the fixture of test_store*.c, and another who looks at its database. */
#ifndef TESTS_STORE_AGAIN_H
#define TESTS_STORE_AGAIN_H
#include "store_rows.h"

#include <sqlite3.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "judge/judge.h"
#include "record/store_private.h"
#include "record/store_schema.h"

static inline int setup(void **state)
{
	static struct fixture f;
	fixture_init(&f);
	fixture_open(&f, "live span0", T0);
	*state = &f;
	return 0;
}

static inline int teardown(void **state)
{
	fixture_done(*state);
	return 0;
}

static inline sqlite3 *other(const struct fixture *f)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f->db, &db), SQLITE_OK);
	return db;
}

static inline int64_t ask(const struct fixture *f, const char *sql)
{
	sqlite3 *db = other(f);
	const int64_t value = store_query_int(db, sql, -99);
	sqlite3_close(db);
	return value;
}

struct kept {
	struct row_usage usage;
	struct row_machine machine;
	struct row_finding finding;
	struct row_detection detections[4];
	unsigned detection_count;
	char texts[200];
	struct row_name name;
	int count;
};

static inline int keep_finding(void *ctx, const struct row_finding *r)
{
	struct kept *k = ctx;
	k->finding = *r;
	k->detection_count = r->detection_count;
	for (unsigned i = 0; i < r->detection_count; i++)
		k->detections[i] = r->detections[i];
	snprintf(k->texts, sizeof k->texts, "%s %s %s %s", r->peer_name, r->country, r->as_org,
	         r->detection_count > 0 ? r->detections[0].detail : "");
	k->count++;
	return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif

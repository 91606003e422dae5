/* A database that was made without auto_vacuum (by VACUUM INTO, .recover or an
 * early version) never gives a page back. It is made anew in place where that
 * is quick and there is room for it, else it is said how. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "record/store_private.h"
#include "record/store_retention.h"
#include "record/store_schema.h"

#define CONVERT_MAX_BYTES INT64_C(1000000000)   /* ten seconds or so: garitad is being waited for */
#define ROOM 3                                  /* times its size: a copy beside it, and that in the log */

static bool has_room(const struct store *s, uint64_t bytes)
{
	struct statvfs v;
	return statvfs(s->dir, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize / ROOM > bytes;
}

static int make_anew(struct store *s)
{
	/* The copy goes beside the database, not into memory or a small /tmp. */
	setenv("SQLITE_TMPDIR", s->dir, 1);
	const int code = sqlite3_exec(s->db, "PRAGMA temp_store = FILE; PRAGMA auto_vacuum = INCREMENTAL; VACUUM", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		store_fail(s, code);
	sqlite3_exec(s->db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
	unsetenv("SQLITE_TMPDIR");
	return store_code(code);
}

static int tell(struct store *s)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	const struct store_event e = {.what = "database-converted", .now_us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000};
	int r = store_begin(s);
	if (r == 0)
		r = store_put_event(s, &e);
	if (r == 0)
		r = store_tell_record(s, e.what, "made anew in place, so that it shrinks");
	if (r == 0)
		return store_commit(s);
	store_rollback(s);
	return r;
}

int store_convert(struct store *s)
{
	struct store_size z;
	int r = store_get_size(s, &z);
	if (r != 0 || z.shrinks)
		return r;
	const uint64_t bytes = z.pages * z.page_bytes;
	const char *why = bytes > CONVERT_MAX_BYTES ? "it is large" : !has_room(s, bytes) ? "there is too little room" : NULL;
	if (why == NULL) {
		r = make_anew(s);
		if (r == 0)
			return tell(s);
		if (r == ERR_DAMAGED)
			return r;
		why = s->error;
	}
	snprintf(s->notice, sizeof s->notice, "the database never shrinks, for it was made without auto_vacuum, and it was not"
	         " converted: %.100s. Stop garitad, and run: sqlite3 %.200s/garita.db 'PRAGMA auto_vacuum=INCREMENTAL; VACUUM'"
	         " (it takes three times the room meanwhile)", why, s->dir);
	return 0;
}

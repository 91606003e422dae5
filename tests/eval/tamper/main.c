/* main.c - things done to a record, and whether garita verify names them:
 * tamper GARITA BASE OLD NOTES WORK COUNT SEED
 * BASE is a record as the sensor left it, OLD the same some runs earlier, NOTES
 * the checkpoints that went off the machine. Each time one thing is done to a
 * copy, as somebody would who may write every file there: with all hashes made
 * anew, and where the kind says so with the key too. Named rightly is: the right
 * word for the right entry, row or file, and nothing else that does not follow. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tamper.h"

#define WRONGS 4000
#define KINDS_MAX 64

struct wrong {
	char what[40], file[300];
	int64_t entry, until, id, checkpoint;
};

static struct {
	sqlite3 *json;
	struct wrong wrong[WRONGS];
	unsigned count;
	int64_t first;
} said;

/* --- what garita verify says --- */

static int64_t field_int(const char *line, const char *path)
{
	sqlite3_stmt *st;
	sqlite3_prepare_v2(said.json, "SELECT json_extract(?1, ?2)", -1, &st, NULL);
	sqlite3_bind_text(st, 1, line, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, path, -1, SQLITE_STATIC);
	const int64_t value = sqlite3_step(st) == SQLITE_ROW && sqlite3_column_type(st, 0) == SQLITE_INTEGER
	                              ? sqlite3_column_int64(st, 0) : -1;
	sqlite3_finalize(st);
	return value;
}

static bool field_text(const char *line, const char *path, char *buf, size_t size)
{
	sqlite3_stmt *st;
	sqlite3_prepare_v2(said.json, "SELECT json_extract(?1, ?2)", -1, &st, NULL);
	sqlite3_bind_text(st, 1, line, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, path, -1, SQLITE_STATIC);
	const bool found = sqlite3_step(st) == SQLITE_ROW && sqlite3_column_type(st, 0) == SQLITE_TEXT;
	snprintf(buf, size, "%s", found ? (const char *)sqlite3_column_text(st, 0) : "");
	sqlite3_finalize(st);
	return found;
}

/* Its exit code. */
static int verify(const struct expected *e)
{
	char command[4096];
	static char line[100000];
	snprintf(command, sizeof command, "'%s' verify --db '%s' --format json --limit %d %s%s%s 2>>'%s/errors'", t.garita, t.dir,
	         WRONGS - 1, e->outside ? "--checkpoint '" : "", e->outside ? t.notes : "", e->outside ? "'" : "", t.work);
	FILE *f = popen(command, "r");
	if (f == NULL)
		die("popen");
	said.count = 0;
	said.first = -1;
	while (fgets(line, sizeof line, f) != NULL) {
		struct wrong w = {.entry = field_int(line, "$.entry"), .until = field_int(line, "$.until"), .id = field_int(line, "$.id"),
		                  .checkpoint = field_int(line, "$.checkpoint")};
		field_text(line, "$.file", w.file, sizeof w.file);
		if (field_text(line, "$.wrong", w.what, sizeof w.what) && said.count < WRONGS)
			said.wrong[said.count++] = w;
		else
			said.first = field_int(line, "$.first_wrong_entry");
	}
	const int status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool is_it(const struct expected *e, const struct wrong *w, int64_t id)
{
	bool what = false;
	for (int i = 0; i < 3; i++)
		what = what || (e->what[i] != NULL && strcmp(e->what[i], w->what) == 0);
	const int64_t until = w->until >= 0 ? w->until : w->entry;
	return what && (e->entry < 0 || (w->entry <= e->entry && e->entry <= until)) &&
	       (id == 0 || w->id == id || w->checkpoint == id) && (e->file[0] == '\0' || strcmp(e->file, w->file) == 0);
}

static bool right(const struct expected *e, int code)
{
	bool found = false, other = e->id2 == 0;
	for (unsigned i = 0; i < said.count; i++) {
		char padded[44];
		const bool it = is_it(e, &said.wrong[i], e->id), second = e->id2 != 0 && is_it(e, &said.wrong[i], e->id2);
		snprintf(padded, sizeof padded, " %s ", said.wrong[i].what);
		if (!it && !second && strstr(e->follows, padded) == NULL)
			return false;
		found = found || it;
		other = other || second;
	}
	return code == 1 && found && other && (e->entry < 0 || said.first <= e->entry);
}

static bool once(size_t kind, uint64_t seed)
{
	struct expected e = {.entry = -1};
	seed_random(seed);
	fresh(t.base);
	kinds[kind].run(&e);
	sqlite3_close(t.db);
	const int code = verify(&e);
	const bool good = right(&e, code);
	if (!good) {
		fprintf(stderr, "not named: %s, seed %" PRIu64 ": exit %d, wanted %s entry %" PRId64 " id %" PRId64 "; said", kinds[kind].name,
		        seed, code, e.what[0], e.entry, e.id);
		for (unsigned i = 0; i < said.count && i < 6; i++)
			fprintf(stderr, " %s %" PRId64 "-%" PRId64 " %" PRId64, said.wrong[i].what, said.wrong[i].entry, said.wrong[i].until, said.wrong[i].id);
		fputc('\n', stderr);
	}
	return good;
}

int main(int argc, char **argv)
{
	unsigned done[KINDS_MAX] = {0}, named[KINDS_MAX] = {0}, all = 0, right_all = 0;
	if (argc != 8 || kind_count > KINDS_MAX)
		return fprintf(stderr, "usage: tamper GARITA BASE OLD NOTES WORK COUNT SEED\n"), 2;
	t.garita = argv[1];
	t.base = argv[2];
	t.old = argv[3];
	t.notes = argv[4];
	t.work = argv[5];
	const unsigned count = (unsigned)atoi(argv[6]);
	const uint64_t seed = strtoull(argv[7], NULL, 10);
	if (sodium_init() < 0 || sqlite3_open(":memory:", &said.json) != SQLITE_OK)
		return 2;
	for (unsigned i = 0; i < count; i++) {
		const size_t kind = i % kind_count;
		done[kind]++;
		named[kind] += once(kind, seed + i);
	}
	for (size_t k = 0; k < kind_count; k++) {
		printf("%-55s %3u of %3u\n", kinds[k].name, named[k], done[k]);
		all += done[k];
		right_all += named[k];
	}
	printf("%-55s %3u of %3u\n", "all", right_all, all);
	sqlite3_close(said.json);
	return right_all == all ? 0 : 1;
}

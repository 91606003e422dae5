/* Heads of the ledger: what is signed, and that nothing is that contradicts an earlier one. */
#include "store_rows.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "record/emit.h"
#include "record/signer.h"
#include "record/store_checkpoint.h"
#include "record/store_ledger.h"

struct world {
	struct fixture f;
	struct ledger_key key;
	struct signer *g;
};

static void begin(struct world *w, bool quick)
{
	char vkey[LEDGER_VKEY_MAX], err[400] = "";
	int pid;
	assert_int_equal(signer_prepare(w->f.dir, "pe-01", &w->key, vkey, err, sizeof err), 0);
	const struct store_run run = {.version = "0", .sensor = "pe-01", .source = "live span0", .start_us = T0, .vkey = vkey};
	assert_int_equal(store_open(w->f.dir, &run, &w->f.store, &pid, err, sizeof err), 0);
	assert_int_equal(signer_new(w->f.store, w->f.dir, &w->key, NULL, quick, &w->g), 0);
}

static void end(struct world *w)
{
	signer_free(w->g);
	store_close(w->f.store);
	w->g = NULL;
	w->f.store = NULL;
}

static void add(struct world *w, int count)
{
	const struct ledger_entry e = {.kind = LEDGER_GAP};
	assert_int_equal(store_begin(w->f.store), 0);
	for (int i = 0; i < count; i++)
		assert_int_equal(store_ledger_add(w->f.store, &e, NULL), 0);
	assert_int_equal(store_commit(w->f.store), 0);
}

static enum signer_status status(struct world *w)
{
	struct signer_state s;
	signer_get_state(w->g, &s);
	return s.status;
}

static void sql(struct world *w, const char *text)
{
	sqlite3 *db;
	char *why = NULL;
	assert_int_equal(sqlite3_open(w->f.db, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	sqlite3_close(db);
}

/* The head in the file is signed by the public key there, and has the root of that many entries. */
static uint64_t check_head(struct world *w)
{
	char path[200], note[LEDGER_NOTE_MAX];
	struct ledger_vkey vkey;
	struct ledger_checkpoint c;
	struct ledger_tree t = {.size = 0};
	struct ledger_hash root;
	sqlite3 *db;
	sqlite3_stmt *st;
	snprintf(path, sizeof path, "%s/ledger.pub", w->f.dir);
	assert_int_equal(ledger_vkey_load(path, &vkey), 0);
	snprintf(path, sizeof path, "%s/ledger.head", w->f.dir);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	const size_t n = fread(note, 1, sizeof note, f);
	fclose(f);
	assert_int_equal(ledger_checkpoint_open(note, n, &vkey, &c), 0);
	assert_int_equal(sqlite3_open(w->f.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT hash FROM ledger ORDER BY seq LIMIT ?", -1, &st, NULL), SQLITE_OK);
	sqlite3_bind_int64(st, 1, (int64_t)c.size);
	while (sqlite3_step(st) == SQLITE_ROW) {
		struct ledger_hash h;
		memcpy(&h, sqlite3_column_blob(st, 0), sizeof h);
		ledger_tree_add(&t, &h);
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	ledger_tree_root(&t, &root);
	assert_int_equal(t.size, c.size);
	assert_true(ledger_hash_equal(&root, &c.root));
	return c.size;
}

static void test_signs(void **state)
{
	(void)state;
	struct world w = {0};
	fixture_init(&w.f);
	begin(&w, false);
	/* not enough, and not told to */
	assert_int_equal(signer_step(w.g, 10, false), 0);
	add(&w, 8);
	assert_int_equal(signer_step(w.g, 10, false), 1);
	assert_int_equal(check_head(&w), 10);
	assert_int_equal(signer_step(w.g, 10, true), 0);
	add(&w, 1);
	assert_int_equal(signer_step(w.g, 10, false), 0);
	assert_int_equal(signer_step(w.g, 10, true), 1);
	assert_int_equal(check_head(&w), 11);
	for (int i = 1; i < 70; i++) {
		add(&w, i);
		assert_int_equal(signer_step(w.g, 1, false), 1);
	}
	assert_int_equal(check_head(&w), 11 + 69 * 70 / 2);
	store_end_run(w.f.store);
	assert_int_equal(signer_step(w.g, 1, true), 1);
	end(&w);
	assert_int_equal(check_head(&w), ask_path(w.f.db, "SELECT count(*) FROM ledger"));
	for (int quick = 0; quick < 2; quick++) {
		begin(&w, quick == 1);
		assert_int_equal(status(&w), SIGNER_GOOD);
		assert_int_equal(signer_step(w.g, 1, false), 1);
		check_head(&w);
		end(&w);
	}
	fixture_done(&w.f);
}

static void test_files(void **state)
{
	(void)state;
	struct world w = {0};
	struct stat st;
	char path[200];
	fixture_init(&w.f);
	begin(&w, false);
	snprintf(path, sizeof path, "%s/ledger.key", w.f.dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	snprintf(path, sizeof path, "%s/ledger.pub", w.f.dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0444, 0444);
	assert_int_equal(ask_path(w.f.db, "SELECT json_extract(body, '$.key') LIKE 'garita/pe-01+%' FROM ledger WHERE seq = 0"), 1);
	end(&w);
	/* the same one the next time */
	const struct ledger_key first = w.key;
	begin(&w, false);
	assert_memory_equal(&first, &w.key, sizeof first);
	end(&w);
	/* one that can't be read is not written over */
	snprintf(path, sizeof path, "%s/ledger.key", w.f.dir);
	assert_int_equal(chmod(path, 0600), 0);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("nonsense\n", f);
	fclose(f);
	char vkey[LEDGER_VKEY_MAX], err[400] = "";
	assert_true(signer_prepare(w.f.dir, "pe-01", &w.key, vkey, err, sizeof err) < 0);
	assert_non_null(strstr(err, "ledger.key"));
	fixture_open(&w.f, "live span0", T0);
	assert_int_equal(signer_new(w.f.store, w.f.dir, NULL, err, false, &w.g), 0);
	assert_int_equal(status(&w), SIGNER_NO_KEY);
	assert_int_equal(signer_step(w.g, 1, true), 0);
	end(&w);
	fixture_done(&w.f);
}

static void make_and_sign(struct world *w, int entries)
{
	begin(w, false);
	add(w, entries);
	assert_int_equal(signer_step(w->g, 1, true), 1);
	end(w);
}

/* Whatever was done to what was signed: nothing more is, and the ledger says so. */
static void expect_contradiction(struct world *w, bool quick)
{
	begin(w, quick);
	assert_int_equal(status(w), SIGNER_CONTRADICTED);
	assert_int_equal(ask_path(w->f.db, "SELECT count(*) FROM ledger WHERE kind = 'record'"
	                                   " AND json_extract(body, '$.what') = 'ledger-contradicted'"), 1);
	add(w, 5);
	assert_int_equal(signer_step(w->g, 1, true), 0);
	assert_int_equal(ask_path(w->f.db, "SELECT count(*) FROM checkpoint WHERE size > 20"), 0);
}

static void test_contradictions(void **state)
{
	(void)state;
	static const struct {
		const char *tamper;
		bool quick;                  /* seen, too, where only the end is read */
	} all[] = {
		{"UPDATE ledger SET hash = randomblob(32) WHERE seq = 3", false},
		{"DELETE FROM ledger WHERE seq = 3", false},
		{"DELETE FROM ledger WHERE seq >= 9", true},
		{"UPDATE checkpoint SET root = randomblob(32)", true},
		{"UPDATE checkpoint SET note = replace(note, char(10) || '12' || char(10), char(10) || '11' || char(10))", true},
		{"UPDATE checkpoint SET note = 'x'", true},
		{"DELETE FROM checkpoint; UPDATE ledger SET hash = randomblob(32) WHERE seq = 3", true},
		{"DELETE FROM checkpoint; DELETE FROM ledger WHERE seq >= 9", true},
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		for (int quick = 0; quick <= all[i].quick; quick++) {
			struct world w = {0};
			fixture_init(&w.f);
			make_and_sign(&w, 10);
			sql(&w, all[i].tamper);
			expect_contradiction(&w, quick == 1);
			end(&w);
			fixture_done(&w.f);
		}
	}
}

static void copy(const struct world *w, const char *from, const char *to)
{
	char command[400];
	snprintf(command, sizeof command, "cp %s/%s %s/%s", w->f.dir, from, w->f.dir, to);
	assert_int_equal(system(command), 0);
}

/* Last week's database beside today's head; and a person who looked at it. */
static void test_restored(void **state)
{
	(void)state;
	struct world w = {0};
	struct store_edit *e;
	char err[400];
	fixture_init(&w.f);
	make_and_sign(&w, 3);
	copy(&w, "garita.db", "last-week");
	make_and_sign(&w, 10);
	copy(&w, "last-week", "garita.db");
	begin(&w, false);
	assert_int_equal(status(&w), SIGNER_CONTRADICTED);
	assert_int_equal(signer_step(w.g, 1, true), 0);
	end(&w);
	/* it stays so */
	begin(&w, true);
	assert_int_equal(status(&w), SIGNER_CONTRADICTED);
	assert_int_equal(store_edit_open(w.f.db, &e, err, sizeof err), 0);
	assert_int_equal(store_edit_begin(e), 0);
	assert_int_equal(store_edit_accept(e, "ana", "the disk was changed; restored from Sunday's copy"), 0);
	assert_int_equal(store_edit_commit(e), 0);
	store_edit_close(e);
	assert_int_equal(signer_step(w.g, 1000, true), 1);
	assert_int_equal(status(&w), SIGNER_GOOD);
	struct signer_state s;
	signer_get_state(w.g, &s);
	assert_string_equal(s.origin, "garita/pe-01/2");
	check_head(&w);
	end(&w);
	begin(&w, false);
	assert_int_equal(status(&w), SIGNER_GOOD);
	add(&w, 1);
	assert_int_equal(signer_step(w.g, 1, true), 1);
	check_head(&w);
	end(&w);
	fixture_done(&w.f);
}

/* Accepted while no sensor runs. */
static void test_accepted_between(void **state)
{
	(void)state;
	struct world w = {0};
	struct store_edit *e;
	char err[400];
	fixture_init(&w.f);
	make_and_sign(&w, 10);
	sql(&w, "UPDATE ledger SET hash = randomblob(32) WHERE seq = 3");
	expect_contradiction(&w, false);
	end(&w);
	assert_int_equal(store_edit_open(w.f.db, &e, err, sizeof err), 0);
	assert_int_equal(store_edit_begin(e), 0);
	assert_int_equal(store_edit_accept(e, "ana", "seen"), 0);
	assert_int_equal(store_edit_commit(e), 0);
	store_edit_close(e);
	begin(&w, false);
	assert_int_equal(signer_step(w.g, 1, true), 1);
	assert_int_equal(status(&w), SIGNER_GOOD);
	end(&w);
	fixture_done(&w.f);
}

/* A database that begins anew has a ledger of another name. */
static void test_anew(void **state)
{
	(void)state;
	struct world w = {0};
	char path[200];
	fixture_init(&w.f);
	make_and_sign(&w, 3);
	assert_int_equal(unlink(w.f.db), 0);
	snprintf(path, sizeof path, "%s-wal", w.f.db);
	unlink(path);
	snprintf(path, sizeof path, "%s-shm", w.f.db);
	unlink(path);
	begin(&w, false);
	assert_int_equal(status(&w), SIGNER_GOOD);
	assert_int_equal(signer_step(w.g, 1, true), 1);
	check_head(&w);
	/* and while it is open, twice */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(unlink(w.f.db), 0);
		assert_true(store_is_gone(w.f.store));
		assert_int_equal(store_renew(w.f.store), 0);
		assert_int_equal(signer_renewed(w.g), 0);
		assert_int_equal(status(&w), SIGNER_GOOD);
	}
	struct signer_state s;
	signer_get_state(w.g, &s);
	assert_string_equal(s.origin, "garita/pe-01/4");
	assert_int_equal(signer_step(w.g, 1, true), 1);
	check_head(&w);
	assert_int_equal(ask_path(w.f.db, "SELECT json_extract(body, '$.before_entries') > 1 AND length(json_extract(body,"
	                                  " '$.before_head')) = 64 FROM ledger WHERE kind = 'record'"), 1);
	end(&w);
	begin(&w, false);
	assert_int_equal(status(&w), SIGNER_GOOD);
	end(&w);
	snprintf(path, sizeof path, "rm -f %s/ledger.pub.* %s/garita.db.*", w.f.dir, w.f.dir);
	assert_int_equal(system(path), 0);
	fixture_done(&w.f);
}

/* Ended between the file and the database: the entries are there, and are signed again. */
static void test_cut_off(void **state)
{
	(void)state;
	struct world w = {0};
	fixture_init(&w.f);
	make_and_sign(&w, 3);
	make_and_sign(&w, 3);
	sql(&w, "DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint)");
	for (int quick = 0; quick < 2; quick++) {
		begin(&w, quick == 1);
		assert_int_equal(status(&w), SIGNER_GOOD);
		end(&w);
	}
	fixture_done(&w.f);
}

/* --- emit --- */

static int listen_at(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void test_emit(void **state)
{
	(void)state;
	struct fixture f;
	struct emit *e;
	struct emit_state s;
	char file[200], socket_path[100], got[500];
	static const char *const note = "garita/pe-01\n16\nrDTm=\n\n\xe2\x80\x94 garita/pe-01 luc=\n";
	fixture_init(&f);
	snprintf(file, sizeof file, "%s/out", f.dir);
	snprintf(socket_path, sizeof socket_path, "%s/log", f.dir);
	int log = listen_at(socket_path);
	const int fd = emit_open_syslog(socket_path);
	assert_int_equal(emit_new(file, fd, socket_path, &e), 0);
	emit_put(e, note);
	emit_put(e, note);
	emit_get_state(e, &s);
	assert_true(s.file.sent == 2 && s.syslog.sent == 2 && !s.file.waits && !s.syslog.waits);
	ssize_t n = recv(log, got, sizeof got - 1, 0);
	assert_true(n > 0);
	got[n] = '\0';
	assert_non_null(strstr(got, "]: checkpoint garita/pe-01 16 rDTm= \xe2\x80\x94 garita/pe-01 luc="));
	assert_null(strchr(got, '\n'));
	/* syslog is started anew */
	close(log);
	unlink(socket_path);
	emit_put(e, note);
	emit_get_state(e, &s);
	assert_true(s.syslog.waits && s.syslog.failed == 1 && s.syslog.why[0] != '\0' && s.file.sent == 3);
	log = listen_at(socket_path);
	emit_again(e);
	emit_get_state(e, &s);
	assert_true(!s.syslog.waits && s.syslog.sent == 3 && s.file.sent == 3);
	/* a folder that is not there */
	emit_free(e);
	assert_int_equal(emit_new("/nowhere/at/all", -1, NULL, &e), 0);
	emit_put(e, note);
	emit_again(e);
	emit_get_state(e, &s);
	assert_true(s.file.failed == 2 && s.file.waits && !s.syslog.on);
	emit_free(e);
	close(log);
	close(fd);
	FILE *out = fopen(file, "r");
	assert_non_null(out);
	n = (ssize_t)fread(got, 1, sizeof got - 1, out);
	fclose(out);
	assert_int_equal(n, 3 * (strlen(note) + 1));
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signs),    cmocka_unit_test(test_files), cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_restored), cmocka_unit_test(test_accepted_between), cmocka_unit_test(test_anew),
		cmocka_unit_test(test_cut_off),  cmocka_unit_test(test_emit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A bundle as its reader sees it: unpacked with unzip, checked with what its own
 * README says; the same bytes each time; what is wrong in the record is said. */
#include "evidence_made.h"

#include <sodium.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "evidence/bundle.h"
#include "record/ledger_merkle.h"
#include "record/ledger_note.h"
#include "record/store_ledger.h"

static struct fixture fx;
static char out[160], dir[160];
static struct bundle bundle;

static bool there(const char *tool)
{
	char command[64];
	snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", tool);
	return system(command) == 0;
}

/* A command in the unpacked folder: its exit code and what it says. */
static char said[20000];
static int shell(const char *command)
{
	char whole[4000];
	snprintf(whole, sizeof whole, "cd '%s' && { %s; } 2>&1", dir, command);
	FILE *p = popen(whole, "r");
	assert_non_null(p);
	const size_t n = fread(said, 1, sizeof said - 1, p);
	said[n] = '\0';
	const int status = pclose(p);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void tell(enum ledger_kind kind, int64_t subject, const char *key, const char *value)
{
	const struct ledger_field f = {.key = key, .text = value};
	const struct ledger_entry e = {.kind = kind, .subject = subject, .fields = &f, .field_count = 1};
	assert_int_equal(store_begin(fx.store), 0);
	assert_int_equal(store_ledger_add(fx.store, &e, NULL), 0);
	assert_int_equal(store_commit(fx.store), 0);
}

/* Sign what there is, as the sensor does. */
static void sign(void)
{
	struct ledger_key key;
	struct ledger_tree tree = {0};
	struct ledger_hash root;
	sqlite3 *db;
	sqlite3_stmt *st;
	char note[LEDGER_NOTE_MAX], path[160];
	snprintf(path, sizeof path, "%s/ledger.pub", fx.dir);
	unlink(path);
	assert_int_equal(ledger_key_new("pe-01", &key), 0);
	assert_int_equal(ledger_vkey_save(&key.vkey, path), 0);
	assert_int_equal(sqlite3_open(fx.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT hash FROM ledger ORDER BY seq", -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		struct ledger_hash h;
		memcpy(h.bytes, sqlite3_column_blob(st, 0), sizeof h.bytes);
		ledger_tree_add(&tree, &h);
	}
	sqlite3_finalize(st);
	ledger_tree_root(&tree, &root);
	assert_int_equal(ledger_checkpoint_sign(tree.size, &root, &key, note), 0);
	assert_int_equal(sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO checkpoint(size, time_us, root, note, tree) VALUES(?, 0, ?, ?, zeroblob(0))", -1, &st, NULL), SQLITE_OK);
	sqlite3_bind_int64(st, 1, (int64_t)tree.size);
	sqlite3_bind_blob(st, 2, root.bytes, sizeof root.bytes, SQLITE_TRANSIENT);
	sqlite3_bind_text(st, 3, note, -1, SQLITE_TRANSIENT);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

/* Finding 7 with transfers 1 to 3, of which 1 and 2 have packets in two files, beside
 * those of finding 8; more entries than one run of leaves. */
static int setup(void **state)
{
	(void)state;
	char hash[65];
	const char *text = "site: {name: x}\n";
	uint8_t raw[32];
	fixture_init(&fx);
	fixture_open(&fx, "live span0", T0);
	struct row_sink sink;
	store_sink(fx.store, &sink);
	crypto_generichash(raw, sizeof raw, (const unsigned char *)text, strlen(text), NULL, 0);
	sodium_bin2hex(hash, sizeof hash, raw, sizeof raw);
	assert_int_equal(store_begin(fx.store), 0);
	const struct row_policy policy = {.hash = hash, .text = text, .path = "/etc/garita/site.yaml", .loaded_us = T0};
	assert_int_equal(sink.policy(sink.ctx, &policy), 0);
	assert_int_equal(store_commit(fx.store), 0);
	for (int64_t id = 1; id <= 3; id++) {
		struct row_transfer r = full_row(id);
		r.policy_hash = hash;
		r.state = ROW_CLOSED;
		commit_row(fx.store, &r);
	}
	make_finding(&fx, 8, 10, NULL);
	make_file(&fx, 1, (struct made_part[]){{7, 1, 30}, {8, 90, 20}}, 2);
	make_file(&fx, 2, (struct made_part[]){{8, 90, 10}, {7, 1, 5}, {7, 2, 12}}, 3);
	tell(LEDGER_EVIDENCE_KEPT, 1, "path", "evidence/2026-11-22/030000-1.pcapng");
	tell(LEDGER_REVIEW, 7, "note", "\xc2\xa1hola, \"se\xc3\xb1or\"! \\ \xe2\x80\xa8");
	for (int i = 0; i < 1500; i++)
		tell(LEDGER_GAP, i, "n", "x");
	tell(LEDGER_REVIEW, 7, "note", "again");
	tell(LEDGER_REVIEW, 8, "note", "another's");
	sign();
	snprintf(out, sizeof out, "%s/bundle.zip", fx.dir);
	snprintf(dir, sizeof dir, "%s/unpacked", fx.dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	evidence_fixture_done(&fx);
	return 0;
}

static int make_of(struct custody_of of, bool force)
{
	struct store_reader *r = NULL;
	char err[300];
	assert_int_equal(store_reader_open(fx.db, &r, err, sizeof err), 0);
	const struct bundle_options o = {.verb = "evidence", .db = fx.db, .out = out, .force = force, .of = of};
	const int code = bundle_make(r, &o, &bundle);
	bundle_done(&bundle);
	store_reader_close(r);
	return code;
}

static void unpack(void)
{
	char command[1000];
	snprintf(command, sizeof command, "rm -rf %s && mkdir %s && cd %s && unzip -q %s && mv garita-*/* . && rmdir garita-*", dir,
	         dir, dir, out);
	assert_int_equal(system(command), 0);
}

static bool has_problem(const char *word)
{
	for (unsigned i = 0; i < bundle.problems; i++)
		if (strcmp(bundle.problem[i].word, word) == 0)
			return true;
	return false;
}

/* Nothing but the zip file and what was there before. */
static void nothing_left(void)
{
	char command[200];
	snprintf(command, sizeof command, "ls -A %s | grep -q '^\\.garita'", fx.dir);
	assert_int_not_equal(system(command), 0);
}

static void test_reader_checks_it(void **state)
{
	(void)state;
	if (!there("unzip") || !there("openssl") || !there("python3")) {
		print_message("SKIPPED: unzip, openssl and python3 are not all installed: no bundle was checked\n");
		skip();
	}
	assert_int_equal(make_of((struct custody_of){.finding = 7}, false), 0);
	assert_int_equal(bundle.wrong, 0);
	assert_int_equal(bundle.packets, 47);
	assert_int_equal(bundle.transfers, 3);
	assert_int_equal(bundle.missed, 3);
	nothing_left();
	struct stat st;
	assert_int_equal(stat(out, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	unpack();
	if (shell("sha256sum --strict -c SHA256SUMS && test $(ls | wc -l) = 14 && test $(wc -l < SHA256SUMS) = 13") != 0)
		fail_msg("%s", said);
	/* what the page says, line by line */
	for (int i = 0; i < 2; i++) {
		char command[300];
		snprintf(command, sizeof command, "sed -n 's/^    //p' %s | grep -v -e capinfos -e tshark | bash -e", i == 0 ? "README.txt" : "LEEME.txt");
		if (shell(command) != 0)
			fail_msg("%s", said);
		assert_non_null(strstr(said, "Signature Verified Successfully"));
		assert_non_null(strstr(said, " review is in the signed ledger"));
		assert_null(strstr(said, "no proof"));
	}
	assert_int_equal(shell("b2sum -l 256 policy/*.yaml | awk '{if (\"policy/\" $1 \".yaml\" != $2) exit 1}'"), 0);
	assert_int_equal(shell("python3 -m json.tool transfers.json > /dev/null && python3 -m json.tool finding.json > /dev/null"), 0);
	assert_int_equal(shell("grep -c another ledger.jsonl"), 1);
	/* a proof that is of something else is seen */
	assert_int_equal(shell("sed -i 's/again/never/' ledger.jsonl; sed -n '/^5/,/^6/s/^    //p' README.txt | bash -e"), 1);
}

static void test_packets(void **state)
{
	(void)state;
	if (!there("unzip")) {
		print_message("SKIPPED: unzip is not installed\n");
		skip();
	}
	assert_int_equal(make_of((struct custody_of){.finding = 7}, false), 0);
	unpack();
	char name[64];
	struct fixture here;
	snprintf(here.dir, sizeof here.dir, "%s", fx.dir);
	snprintf(name, sizeof name, "unpacked/evidence.pcapng");
	assert_int_equal(packets_in(&here, name, 0), 47);
	assert_int_equal(packets_in(&here, name, 1), 35);
	assert_int_equal(packets_in(&here, name, 2), 12);
	if (there("capinfos") && there("tshark")) {
		assert_int_equal(shell("test \"$(capinfos -Tmrc evidence.pcapng | cut -d, -f2)\" = 47"), 0);
		assert_int_equal(shell("test \"$(capinfos -H evidence.pcapng | sed -n 's/^SHA256: *//p')\" ="
		                       " \"$(sed -n 's/  evidence.pcapng//p' SHA256SUMS)\""), 0);
		assert_int_equal(shell("test \"$(tshark -r evidence.pcapng -Y 'frame.comment contains \"transfer=1\"' 2>/dev/null | wc -l)\" = 35"), 0);
		assert_int_equal(shell("capinfos evidence.pcapng | grep -q 'Number of interfaces in file: 1'"), 0);
		assert_int_equal(shell("capinfos evidence.pcapng | grep -q 'Number of stat entries = 2'"), 0);
	} else {
		print_message("SKIPPED: capinfos and tshark are not installed: nobody else has read the packets\n");
	}
	/* of one transfer alone */
	assert_int_equal(make_of((struct custody_of){.transfer = 2}, true), 0);
	assert_int_equal(bundle.packets, 12);
	assert_int_equal(bundle.transfers, 1);
	assert_int_equal(bundle.finding, 7);
	assert_int_equal(make_of((struct custody_of){.transfer = 3}, true), 0);
	assert_int_equal(bundle.packets, 0);
	assert_true(has_problem("no-packets"));
	assert_int_equal(bundle.wrong, 0);
}

static void test_same_bytes(void **state)
{
	(void)state;
	char command[400];
	setenv("TZ", "America/Mexico_City", 1);
	assert_int_equal(make_of((struct custody_of){.finding = 7}, false), 0);
	snprintf(command, sizeof command, "mv %s %s.1", out, out);
	assert_int_equal(system(command), 0);
	setenv("TZ", "Asia/Tokyo", 1);
	assert_int_equal(make_of((struct custody_of){.finding = 7}, false), 0);
	unsetenv("TZ");
	snprintf(command, sizeof command, "cmp %s %s.1", out, out);
	assert_int_equal(system(command), 0);
}

static void test_not_over_another(void **state)
{
	(void)state;
	const int fd = open(out, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
	assert_int_equal(make_of((struct custody_of){.finding = 7}, false), ERR_BUSY);
	struct stat st;
	assert_int_equal(stat(out, &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(make_of((struct custody_of){.finding = 7}, true), 0);
	assert_int_equal(stat(out, &st), 0);
	assert_true(st.st_size > 4);
	unlink(out);
	assert_int_equal(make_of((struct custody_of){.finding = 99}, false), ERR_NOTFOUND);
	assert_int_equal(make_of((struct custody_of){.transfer = 99}, false), ERR_NOTFOUND);
	assert_int_not_equal(access(out, F_OK), 0);
	nothing_left();
}

/* --- what is wrong --- */

static void flip(const char *path, off_t at)
{
	char name[300], c;
	snprintf(name, sizeof name, "%s/%s", fx.dir, path);
	const int fd = open(name, O_RDWR);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

static void test_changed_segment(void **state)
{
	(void)state;
	flip("evidence/2026-11-22/030000-1.pcapng", 400);   /* within the data of a packet */
	assert_int_equal(make_of((struct custody_of){.finding = 7}, false), 0);
	assert_true(has_problem("segment-changed"));
	assert_int_equal(bundle.wrong, 1);
	assert_int_equal(bundle.packets, 47);
	assert_int_equal(access(out, F_OK), 0);
}

static void test_cut_and_missing_segments(void **state)
{
	(void)state;
	char name[300];
	snprintf(name, sizeof name, "%s/evidence/2026-11-22/030000-1.pcapng", fx.dir);
	assert_int_equal(truncate(name, 8000), 0);
	assert_int_equal(make_of((struct custody_of){.finding = 7}, false), 0);
	assert_true(has_problem("segment-changed") && has_problem("segment-damaged") && has_problem("packets-missing"));
	assert_true(bundle.packets > 17 && bundle.packets < 47);
	unlink(name);
	assert_int_equal(make_of((struct custody_of){.finding = 7}, true), 0);
	assert_true(has_problem("segment-missing"));
	assert_int_equal(bundle.packets, 17);
	/* one that is still being written has no hash, and an end that may be cut: nothing is wrong */
	teardown(NULL);
	setup(NULL);
	sql_on(fx.db, "UPDATE evidence SET state = 'open', sha256 = NULL WHERE id = 1");
	snprintf(name, sizeof name, "%s/evidence/2026-11-22/030000-1.pcapng", fx.dir);
	assert_int_equal(truncate(name, 8001), 0);
	assert_int_equal(make_of((struct custody_of){.finding = 7}, false), 0);
	assert_true(has_problem("segment-open"));
	assert_int_equal(bundle.wrong, 0);
}

static void test_rewritten_ledger(void **state)
{
	(void)state;
	sql_on(fx.db, "UPDATE ledger SET body = replace(body, 'again', 'never') WHERE body LIKE '%%again%%'");
	assert_int_equal(make_of((struct custody_of){.finding = 7}, false), 0);
	assert_true(has_problem("entry-changed") && has_problem("entry-not-proven"));
	/* and with a hash that fits */
	sql_on(fx.db, "UPDATE ledger SET hash = zeroblob(32) WHERE seq = 1300");
	assert_int_equal(make_of((struct custody_of){.finding = 7}, true), 0);
	assert_true(has_problem("ledger-contradicts-checkpoint"));
	assert_int_equal(bundle.proven, 0);
	sql_on(fx.db, "DELETE FROM ledger WHERE seq > 1000");
	assert_int_equal(make_of((struct custody_of){.finding = 7}, true), 0);
	assert_true(has_problem("ledger-contradicts-checkpoint"));
	sql_on(fx.db, "UPDATE checkpoint SET note = replace(note, 'pe-01', 'pe-02')");
	assert_int_equal(make_of((struct custody_of){.finding = 7}, true), 0);
	assert_true(has_problem("checkpoint-signature"));
	sql_on(fx.db, "UPDATE checkpoint SET note = 'pe-01' || char(10) || '99999999999999' || char(10) || 'x'");
	assert_int_equal(make_of((struct custody_of){.finding = 7}, true), 0);
	assert_true(has_problem("checkpoint-text"));
	sql_on(fx.db, "UPDATE policy SET text = text || ' '");
	assert_int_equal(make_of((struct custody_of){.finding = 7}, true), 0);
	assert_true(has_problem("policy-changed"));
}

static void test_newer_than_the_checkpoint(void **state)
{
	(void)state;
	tell(LEDGER_REVIEW, 7, "note", "just now");
	assert_int_equal(make_of((struct custody_of){.finding = 7}, false), 0);
	assert_int_equal(bundle.wrong, 0);
	assert_true(has_problem("entries-not-signed-yet"));
	assert_int_equal(bundle.entries, bundle.proven + 1);
	sql_on(fx.db, "DELETE FROM checkpoint");
	assert_int_equal(make_of((struct custody_of){.finding = 7}, true), 0);
	assert_true(has_problem("no-checkpoint"));
	assert_int_equal(bundle.wrong, 0);
}

/* A path in the record that leads elsewhere is not followed. */
static void test_hostile_path(void **state)
{
	(void)state;
	sql_on(fx.db, "UPDATE evidence SET path = 'evidence/../garita.db' WHERE id = 1");
	assert_int_equal(make_of((struct custody_of){.finding = 7}, false), 0);
	assert_true(has_problem("segment-path"));
	assert_int_equal(bundle.packets, 17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reader_checks_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_over_another, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_segment, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_and_missing_segments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rewritten_ledger, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer_than_the_checkpoint, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_path, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

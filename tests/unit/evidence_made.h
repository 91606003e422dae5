/* evidence_made.h - files of packets and their rows, for the tests of what keeps and hands them out. */
#ifndef TEST_EVIDENCE_MADE_H
#define TEST_EVIDENCE_MADE_H
#include "store_rows.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "record/evidence_keep.h"
#include "record/pcapng.h"

static inline void run_sql_on(const char *path, const char *sql)
{
	sqlite3 *db;
	char *error = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 2000);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
	sqlite3_close(db);
}

PRINTF_LIKE(2, 3)
static inline void sql_on(const char *path, const char *format, ...)
{
	char sql[2048];
	va_list args;
	va_start(args, format);
	vsnprintf(sql, sizeof sql, format, args);
	va_end(args);
	run_sql_on(path, sql);
}

/* So many packets of a transfer of a finding. */
struct made_part {
	int64_t finding, transfer;
	unsigned packets;
};

/* File number id with those parts, their packets in turn; 500 bytes each. */
static inline void make_file(const struct fixture *f, int64_t id, const struct made_part *parts, unsigned count)
{
	char path[128], name[300], hex[2 * PCAPNG_HASH_BYTES + 1];
	uint8_t hash[PCAPNG_HASH_BYTES], data[500];
	struct pcapng_writer *w = NULL;
	uint32_t interface;
	snprintf(path, sizeof path, "%s/evidence", f->dir);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/evidence/2026-11-22", f->dir);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "evidence/2026-11-22/030000-%" PRId64 ".pcapng", id);
	snprintf(name, sizeof name, "%s/%s", f->dir, path);
	const int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pcapng_writer_new(fd, &(struct pcapng_section){.application = "garita"}, &w), 0);
	assert_int_equal(pcapng_add_interface(w, &(struct pcapng_interface){.link_type = 1, .name = "span0"}, &interface), 0);
	unsigned most = 0;
	for (unsigned i = 0; i < count; i++)
		most = parts[i].packets > most ? parts[i].packets : most;
	for (unsigned n = 0; n < most; n++) {
		for (unsigned i = 0; i < count; i++) {
			char comment[200];
			if (n >= parts[i].packets)
				continue;
			const struct pcapng_note note = {.transfer = parts[i].transfer, .finding = n == 0 ? parts[i].finding : 0};
			assert_int_equal(pcapng_note_write(&note, comment, sizeof comment), 0);
			memset(data, (int)(parts[i].transfer + n), sizeof data);
			const struct pcapng_packet p = {.time_us = T0 + id * SECOND + n, .caplen = sizeof data, .wirelen = sizeof data,
			                                .data = data, .comment = comment};
			assert_int_equal(pcapng_add_packet(w, &p), 0);
		}
	}
	const struct pcapng_statistics stats = {.time_us = T0 + id * SECOND + most, .start_us = T0, .end_us = PCAPNG_NO_TIME,
	                                        .received = 7, .dropped = 0, .os_dropped = 1, .delivered = PCAPNG_NOT_KNOWN};
	assert_int_equal(pcapng_add_statistics(w, &stats), 0);
	assert_int_equal(pcapng_flush(w), 0);
	pcapng_hash(w, hash);
	for (size_t i = 0; i < sizeof hash; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	sql_on(f->db, "INSERT INTO evidence(id, path, run, state, first_us, last_us, packets, bytes, sha256) VALUES(%" PRId64
	       ", '%s', 1, 'closed', %" PRId64 ", %" PRId64 ", %" PRIu64 ", %" PRIu64 ", x'%s')", id, path, T0 + id * SECOND,
	       T0 + id * SECOND + most, pcapng_packets(w), pcapng_size(w), hex);
	for (unsigned i = 0; i < count; i++)
		sql_on(f->db, "INSERT INTO evidence_part VALUES(%" PRId64 ", %" PRId64 ", %" PRId64 ", %u, %u, 1)", parts[i].finding,
		       parts[i].transfer, id, parts[i].packets, parts[i].packets * 500);
	pcapng_writer_free(w);
	close(fd);
}

/* review: NULL none; "hold", or a disposition of a closed one, or "in-review". */
static inline void make_finding(const struct fixture *f, int64_t id, unsigned severity, const char *review)
{
	sql_on(f->db, "INSERT INTO finding(id, equipment, peer, reasons, first_us, last_us, transfers, bytes_out, bytes_in,"
	       " severity) VALUES(%" PRId64 ", 'NII-0007', '198.51.100.7', '[]', 0, 0, 1, 1, 1, %u)", id, severity);
	if (review == NULL)
		return;
	const bool hold = strcmp(review, "hold") == 0, in_review = strcmp(review, "in-review") == 0;
	sql_on(f->db, "INSERT INTO review(finding, state, disposition, at_us, transfers, bytes_out, severity, hold, entry)"
	       " VALUES(%" PRId64 ", '%s', %s%s%s, 0, 1, 1, 0, %d, 1)", id, in_review ? "in-review" : "closed", in_review ? "" : "'",
	       in_review ? "NULL" : hold ? "false-positive" : review, in_review ? "" : "'", hold);
}

/* Packets of a transfer in all files that are there (0: of any), each checked on the way. */
static inline unsigned packets_in(const struct fixture *f, const char *path, int64_t transfer)
{
	char name[300];
	struct pcapng_reader *r = NULL;
	struct pcapng_block b;
	unsigned n = 0;
	int rc;
	snprintf(name, sizeof name, "%s/%s", f->dir, path);
	const int fd = open(name, O_RDONLY);
	if (fd < 0)
		fail_msg("%s is not there", path);
	assert_int_equal(pcapng_reader_new_fd(fd, &r), 0);
	while ((rc = pcapng_next(r, &b)) == 0)
		if (b.kind == PCAPNG_PACKET) {
			const int64_t of = pcapng_note_transfer(b.packet.comment, b.packet.comment_bytes);
			assert_true(of > 0 && b.packet.caplen == 500 && b.packet.data[0] == b.packet.data[499]);
			n += transfer == 0 || of == transfer;
		}
	assert_int_equal(rc, ERR_END);
	pcapng_reader_free(r);
	close(fd);
	return n;
}

static inline void evidence_fixture_done(struct fixture *f)
{
	char command[128];
	store_close(f->store);
	f->store = NULL;
	snprintf(command, sizeof command, "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
}

#endif

/* Evidence files: what is written is read back, by us and by others' tools;
 * cut, flipped and full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include "record/pcapng.h"

#define PACKETS 400u
#define TIME_US INT64_C(1795355600000001)

static uint32_t random_u32(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static int temporary(char path[32])
{
	strcpy(path, "/tmp/pcapng-XXXXXX");
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	return fd;
}

static uint8_t data_of[PCAPNG_DATA_MAX];

/* The packet of that number: everything about it follows from the number. */
static struct pcapng_packet made(uint32_t i, char comment[256])
{
	uint32_t seed = i + 1;
	struct pcapng_packet p = {.interface = i % 2, .time_us = TIME_US + i, .data = data_of};
	p.caplen = i == 7 ? PCAPNG_DATA_MAX : i == 8 ? 0 : 1 + random_u32(&seed) % 1600;
	p.wirelen = p.caplen + random_u32(&seed) % 3;
	p.direction = (enum pcapng_direction)(i % 3);
	p.dropped = i % 5 == 0 ? i : 0;
	for (uint32_t n = 0; n < p.caplen; n++)
		data_of[n] = (uint8_t)(i + n);
	if (i % 4 != 3) {
		const struct pcapng_note note = {.transfer = 1 + i % 7, .finding = i % 4 == 0 ? 12 : 0,
		                                 .equipment = "NII 0007%", .verdict = "unapproved", .reasons = "a,b"};
		assert_int_equal(pcapng_note_write(&note, comment, 256), 0);
		p.comment = comment;
	}
	return p;
}

static void write_file(int fd, uint8_t hash[PCAPNG_HASH_BYTES])
{
	const struct pcapng_section section = {.comment = "evidence", .hardware = "x86_64", .os = "Linux", .application = "garita 0.1.0"};
	const struct pcapng_interface interfaces[] = {
		{.link_type = 1, .snaplen = 65535, .name = "span0", .filter = "not port 22"},
		{.link_type = 113, .snaplen = 0, .name = "file"},
	};
	struct pcapng_writer *w = NULL;
	uint32_t id;
	assert_int_equal(pcapng_writer_new(fd, &section, &w), 0);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(pcapng_add_interface(w, &interfaces[i], &id), 0);
		assert_int_equal(id, i);
	}
	for (uint32_t i = 0; i < PACKETS; i++) {
		char comment[256];
		const struct pcapng_packet p = made(i, comment);
		assert_int_equal(pcapng_add_packet(w, &p), 0);
	}
	for (uint32_t i = 0; i < 2; i++) {
		const struct pcapng_statistics s = {
			.interface = i, .time_us = TIME_US + PACKETS, .start_us = TIME_US, .end_us = TIME_US + PACKETS,
			.received = 1000, .dropped = 3, .os_dropped = i == 0 ? 4 : PCAPNG_NOT_KNOWN, .delivered = PACKETS / 2,
		};
		assert_int_equal(pcapng_add_statistics(w, &s), 0);
	}
	assert_int_equal(pcapng_flush(w), 0);
	assert_int_equal(pcapng_size(w), pcapng_written(w));
	assert_int_equal(pcapng_size(w), lseek(fd, 0, SEEK_END));
	assert_int_equal(pcapng_packets(w), PACKETS);
	pcapng_hash(w, hash);
	pcapng_writer_free(w);
}

static void check_packet(const struct pcapng_packet *got, uint32_t i)
{
	char comment[256];
	const struct pcapng_packet want = made(i, comment);
	assert_int_equal(got->interface, want.interface);
	assert_int_equal(got->time_us, want.time_us);
	assert_int_equal(got->caplen, want.caplen);
	assert_int_equal(got->wirelen, want.wirelen);
	assert_int_equal(got->direction, want.direction);
	assert_int_equal(got->dropped, want.dropped);
	assert_memory_equal(got->data, want.data, want.caplen);
	assert_int_equal(got->comment == NULL, want.comment == NULL);
	if (want.comment == NULL)
		return;
	assert_int_equal(got->comment_bytes, strlen(want.comment));
	assert_memory_equal(got->comment, want.comment, got->comment_bytes);
	assert_int_equal(pcapng_note_transfer(got->comment, got->comment_bytes), 1 + i % 7);
}

static void test_written_is_read(void **state)
{
	(void)state;
	char path[32];
	uint8_t hash[PCAPNG_HASH_BYTES], again[PCAPNG_HASH_BYTES];
	uint64_t bytes;
	const int fd = temporary(path);
	write_file(fd, hash);
	assert_int_equal(pcapng_hash_file(fd, UINT64_MAX, again, &bytes), 0);
	assert_memory_equal(hash, again, sizeof hash);
	assert_int_equal(bytes, lseek(fd, 0, SEEK_END));
	lseek(fd, 0, SEEK_SET);
	struct pcapng_reader *r = NULL;
	struct pcapng_block b;
	uint32_t packets = 0, interfaces = 0, statistics = 0;
	int rc;
	assert_int_equal(pcapng_reader_new_fd(fd, &r), 0);
	while ((rc = pcapng_next(r, &b)) == 0) {
		if (b.kind == PCAPNG_PACKET)
			check_packet(&b.packet, packets++);
		interfaces += b.kind == PCAPNG_INTERFACE;
		if (b.kind == PCAPNG_STATISTICS) {
			assert_int_equal(b.statistics.received, 1000);
			assert_int_equal(b.statistics.dropped, 3);
			assert_true(b.statistics.os_dropped == (statistics == 0 ? 4 : PCAPNG_NOT_KNOWN));
			assert_int_equal(b.statistics.delivered, PACKETS / 2);
			assert_int_equal(b.statistics.start_us, TIME_US);
			assert_int_equal(b.statistics.end_us, TIME_US + PACKETS);
			statistics++;
		}
	}
	assert_int_equal(rc, ERR_END);
	assert_string_equal(pcapng_reader_error(r), "");
	assert_int_equal(packets, PACKETS);
	assert_int_equal(interfaces, 2);
	assert_int_equal(statistics, 2);
	assert_int_equal(pcapng_reader_whole(r), bytes);
	assert_string_equal(pcapng_reader_interface(r, 0)->name, "span0");
	assert_string_equal(pcapng_reader_interface(r, 0)->filter, "not port 22");
	assert_int_equal(pcapng_reader_interface(r, 1)->link_type, 113);
	assert_null(pcapng_reader_interface(r, 1)->filter);
	assert_null(pcapng_reader_interface(r, 2));
	pcapng_reader_free(r);
	close(fd);
	unlink(path);
}

/* --- others' tools --- */

static bool there(const char *tool)
{
	char command[64];
	snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", tool);
	return system(command) == 0;
}

/* First line of what a command says of $FILE; its exit code. */
static int run(const char *command, const char *path, char *ret, size_t size)
{
	setenv("FILE", path, 1);
	FILE *f = popen(command, "r");
	assert_non_null(f);
	ret[0] = '\0';
	if (fgets(ret, (int)size, f) != NULL)
		ret[strcspn(ret, "\n")] = '\0';
	char rest[256];
	while (fgets(rest, sizeof rest, f) != NULL)
		;
	return pclose(f);
}

static void test_tools_take_it(void **state)
{
	(void)state;
	if (!there("capinfos") || !there("tshark")) {
		print_message("SKIPPED: capinfos and tshark are not installed: nobody else has read our files\n");
		skip();
	}
	char path[32], line[512], hex[2 * PCAPNG_HASH_BYTES + 1];
	uint8_t hash[PCAPNG_HASH_BYTES];
	const int fd = temporary(path);
	write_file(fd, hash);
	close(fd);
	sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
	assert_int_equal(run("capinfos -H $FILE 2>&1 | sed -n 's/^SHA256: *//p'", path, line, sizeof line), 0);
	assert_string_equal(line, hex);
	assert_int_equal(run("capinfos -Tmrc $FILE 2>&1 | cut -d, -f2", path, line, sizeof line), 0);
	assert_string_equal(line, "400");
	assert_int_equal(run("capinfos $FILE 2>&1 | grep -c -e 'Capture application: *garita 0.1.0' -e 'Number of interfaces in file: 2' "
	                     "-e 'Name = span0' -e 'Filter string = not port 22' -e 'Capture comment: *evidence' "
	                     "-e 'Number of stat entries = 1'", path, line, sizeof line), 0);
	assert_string_equal(line, "7");
	assert_int_equal(run("tshark -r $FILE -Y 'frame.comment contains \"transfer=3 \"' 2>/dev/null | wc -l", path, line, sizeof line), 0);
	unsigned want = 0;
	for (uint32_t i = 0; i < PACKETS; i++)
		want += i % 7 == 2 && i % 4 != 3;
	assert_int_equal(strtoul(line, NULL, 10), want);
	assert_int_equal(run("tshark -r $FILE -T fields -e frame.comment -c 1 2>/dev/null", path, line, sizeof line), 0);
	assert_string_equal(line, "garita transfer=1 finding=12 equipment=NII%200007%25 verdict=unapproved reasons=a,b");
	unlink(path);
}

/* --- damage --- */

struct memory {
	const uint8_t *at;
	size_t left;
};

static ssize_t give(void *ctx, void *to, size_t n)
{
	struct memory *m = ctx;
	if (n > m->left)
		n = m->left;
	memcpy(to, m->at, n);
	m->at += n;
	m->left -= n;
	return (ssize_t)n;
}

struct outcome {
	int rc;
	unsigned blocks;
	uint64_t whole;
	char error[200];
};

static struct outcome walk(const uint8_t *file, size_t n)
{
	struct memory m = {file, n};
	const struct pcapng_source source = {give, &m};
	struct pcapng_reader *r = NULL;
	struct pcapng_block b;
	struct outcome o = {0};
	assert_int_equal(pcapng_reader_new(&source, &r), 0);
	while ((o.rc = pcapng_next(r, &b)) == 0)
		o.blocks++;
	assert_int_equal(pcapng_next(r, &b), o.rc);
	o.whole = pcapng_reader_whole(r);
	snprintf(o.error, sizeof o.error, "%s", pcapng_reader_error(r));
	pcapng_reader_free(r);
	return o;
}

static size_t small_file(uint8_t *ret, size_t size)
{
	char path[32];
	struct pcapng_writer *w = NULL;
	uint32_t id;
	const int fd = temporary(path);
	assert_int_equal(pcapng_writer_new(fd, &(struct pcapng_section){.application = "garita"}, &w), 0);
	assert_int_equal(pcapng_add_interface(w, &(struct pcapng_interface){.link_type = 1, .name = "x"}, &id), 0);
	for (uint32_t i = 0; i < 3; i++) {
		const struct pcapng_packet p = {.time_us = TIME_US, .caplen = 5 + i, .wirelen = 9, .data = data_of, .comment = "garita transfer=1"};
		assert_int_equal(pcapng_add_packet(w, &p), 0);
	}
	assert_int_equal(pcapng_flush(w), 0);
	pcapng_writer_free(w);
	const ssize_t n = pread(fd, ret, size, 0);
	assert_true(n > 0 && (size_t)n < size);
	close(fd);
	unlink(path);
	return (size_t)n;
}

/* Cut anywhere: what is before the cut is read, and the place is named. */
static void test_cut_anywhere(void **state)
{
	(void)state;
	uint8_t file[1024];
	const size_t n = small_file(file, sizeof file);
	const struct outcome all = walk(file, n);
	assert_int_equal(all.rc, ERR_END);
	assert_int_equal(all.blocks, 5);
	for (size_t cut = 0; cut < n; cut++) {
		const struct outcome o = walk(file, cut);
		char where[32];
		assert_true(o.whole <= cut && o.blocks < 5);
		if (o.whole == cut && cut > 0) {
			assert_int_equal(o.rc, ERR_END);
			continue;
		}
		assert_int_equal(o.rc, ERR_DAMAGED);
		snprintf(where, sizeof where, "at byte %" PRIu64 ": ", o.whole);
		assert_memory_equal(o.error, where, strlen(where));
		/* what stands before is a file of its own */
		if (o.whole > 0) {
			const struct outcome before = walk(file, o.whole);
			assert_int_equal(before.rc, ERR_END);
			assert_int_equal(before.blocks, o.blocks);
		}
	}
}

static void test_flipped_anywhere(void **state)
{
	(void)state;
	uint8_t file[1024], other[1024];
	const size_t n = small_file(file, sizeof file);
	for (size_t at = 0; at < n; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(other, file, n);
			other[at] ^= (uint8_t)(1u << bit);
			const struct outcome o = walk(other, n);
			assert_true(o.rc == ERR_END || ((o.rc == ERR_DAMAGED || o.rc == ERR_UNSUPPORTED) && o.error[0] != '\0'));
		}
	}
	/* after a power loss: whole pages of zeros at the end */
	memset(file + n, 0, sizeof file - n);
	const struct outcome o = walk(file, sizeof file);
	assert_int_equal(o.rc, ERR_DAMAGED);
	assert_int_equal(o.whole, n);
}

/* --- a full disk --- */

static void test_full_disk(void **state)
{
	(void)state;
	char path[32];
	uint8_t hash[PCAPNG_HASH_BYTES], again[PCAPNG_HASH_BYTES];
	struct pcapng_writer *w = NULL;
	uint32_t id, taken = 0;
	const int fd = temporary(path);
	const struct rlimit limit = {.rlim_cur = 1000001, .rlim_max = RLIM_INFINITY};
	struct rlimit before;
	getrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(pcapng_writer_new(fd, &(struct pcapng_section){0}, &w), 0);
	assert_int_equal(pcapng_add_interface(w, &(struct pcapng_interface){.link_type = 1}, &id), 0);
	const struct pcapng_packet p = {.time_us = TIME_US, .caplen = 1400, .wirelen = 1400, .data = data_of};
	int rc;
	while ((rc = pcapng_add_packet(w, &p)) == 0)
		assert_true(++taken < 100000);
	assert_int_equal(rc, ERR_FULL);
	assert_int_equal(pcapng_add_packet(w, &p), ERR_FULL);
	assert_int_equal(pcapng_packets(w), taken);
	assert_int_equal(pcapng_written(w), limit.rlim_cur);
	assert_int_equal(pcapng_flush(w), ERR_FULL);
	/* there is room again: nothing is missing, nothing is twice */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(pcapng_add_packet(w, &p), 0);
	assert_int_equal(pcapng_flush(w), 0);
	pcapng_hash(w, hash);
	pcapng_writer_free(w);
	assert_int_equal(pcapng_hash_file(fd, UINT64_MAX, again, NULL), 0);
	assert_memory_equal(hash, again, sizeof hash);
	struct pcapng_reader *r = NULL;
	struct pcapng_block b;
	uint32_t seen = 0;
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(pcapng_reader_new_fd(fd, &r), 0);
	while ((rc = pcapng_next(r, &b)) == 0)
		seen += b.kind == PCAPNG_PACKET;
	assert_int_equal(rc, ERR_END);
	assert_int_equal(seen, taken + 1);
	pcapng_reader_free(r);
	close(fd);
	unlink(path);
}

static void test_what_is_not_taken(void **state)
{
	(void)state;
	char path[32];
	struct pcapng_writer *w = NULL;
	uint32_t id;
	const int fd = temporary(path);
	assert_int_equal(pcapng_writer_new(fd, &(struct pcapng_section){0}, &w), 0);
	const struct pcapng_packet p = {.caplen = 1, .wirelen = 1, .data = data_of};
	assert_int_equal(pcapng_add_packet(w, &p), ERR_INVALID);   /* no interface */
	for (uint32_t i = 0; i < PCAPNG_INTERFACES; i++)
		assert_int_equal(pcapng_add_interface(w, &(struct pcapng_interface){.link_type = 1}, &id), 0);
	assert_int_equal(pcapng_add_interface(w, &(struct pcapng_interface){.link_type = 1}, &id), ERR_FULL);
	struct pcapng_packet bad = p;
	bad.wirelen = 0;
	assert_int_equal(pcapng_add_packet(w, &bad), ERR_INVALID);
	bad.caplen = bad.wirelen = PCAPNG_DATA_MAX + 1;
	assert_int_equal(pcapng_add_packet(w, &bad), ERR_INVALID);
	const uint64_t size = pcapng_size(w);
	/* a comment past the limit is cut, not in the middle of a character */
	char longest[PCAPNG_TEXT_MAX + 100];
	memset(longest, 'x', sizeof longest);
	memcpy(longest + PCAPNG_TEXT_MAX - 1, "\xc3\xa9", 2);
	longest[sizeof longest - 1] = '\0';
	struct pcapng_packet with = p;
	with.comment = longest;
	assert_int_equal(pcapng_add_packet(w, &with), 0);
	assert_int_equal(pcapng_flush(w), 0);
	struct pcapng_reader *r = NULL;
	struct pcapng_block b = {0};
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(pcapng_reader_new_fd(fd, &r), 0);
	while (b.kind != PCAPNG_PACKET)
		assert_int_equal(pcapng_next(r, &b), 0);
	assert_int_equal(b.offset, size);
	assert_int_equal(b.packet.comment_bytes, PCAPNG_TEXT_MAX - 1);
	pcapng_reader_free(r);
	pcapng_writer_free(w);
	close(fd);
	unlink(path);
}

/* --- notes --- */

static void test_notes(void **state)
{
	(void)state;
	const struct pcapng_note note = {
		.transfer = INT64_C(999999999999999999), .finding = 12, .equipment = "Túnel 3 100%", .verdict = "unapproved",
		.reasons = "no-approval,country", .policy = "abc", .sensor = "a=b\n", .extra = "headers-only",
	};
	struct pcapng_note back;
	char text[PCAPNG_TEXT_MAX];
	assert_int_equal(pcapng_note_write(&note, text, sizeof text), 0);
	assert_null(strchr(text, '\n'));
	assert_int_equal(pcapng_note_read(text, strlen(text), &back), 0);
	assert_int_equal(back.transfer, note.transfer);
	assert_int_equal(back.finding, note.finding);
	assert_string_equal(back.equipment, note.equipment);
	assert_string_equal(back.reasons, note.reasons);
	assert_string_equal(back.sensor, note.sensor);
	assert_string_equal(back.extra, note.extra);
	/* any shorter room: a note still */
	const size_t whole = strlen(text);
	char less[PCAPNG_TEXT_MAX];
	for (size_t size = 40; size <= whole; size++) {
		assert_int_equal(pcapng_note_write(&note, less, size), ERR_FULL);
		assert_true(strlen(less) < size);
		assert_int_equal(pcapng_note_read(less, strlen(less), &back), 0);
		assert_int_equal(back.transfer, note.transfer);
	}
	assert_int_equal(pcapng_note_write(&(struct pcapng_note){0}, text, sizeof text), ERR_INVALID);
	static const char *const none[] = {"", "garita", "garita ", "garita finding=3", "garita transfer=", "garita transfer=x",
	                                   "garita transfer=-4", "garita transfer=9999999999999999999", "hello transfer=3"};
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		assert_int_equal(pcapng_note_read(none[i], strlen(none[i]), &back), ERR_NOTFOUND);
		assert_int_equal(pcapng_note_transfer(none[i], strlen(none[i])), 0);
	}
	assert_int_equal(pcapng_note_transfer("garita transfer=42 finding=9", 28), 42);
	assert_int_equal(pcapng_note_transfer("garita transfer=42", 18), 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_is_read), cmocka_unit_test(test_tools_take_it), cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_flipped_anywhere), cmocka_unit_test(test_full_disk), cmocka_unit_test(test_what_is_not_taken),
		cmocka_unit_test(test_notes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

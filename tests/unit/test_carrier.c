#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>
#include <zlib.h>

#include "sense/carrier.h"

enum { TCP = 6, UDP = 17, BYTES = 1024, FINDS = 16 };

static struct {
	unsigned finds;
	char word[FINDS][32], detail[FINDS][160];
} seen;

static struct carriers *cs;

static void on_find(void *ctx, void *owner, const char *word, const char *detail)
{
	(void)ctx;
	assert_ptr_equal(owner, &seen);
	assert_true(seen.finds < FINDS);
	for (const char *c = detail; *c != '\0'; c++)
		assert_true(*c >= ' ' && *c <= '~');
	snprintf(seen.word[seen.finds], sizeof seen.word[0], "%s", word);
	snprintf(seen.detail[seen.finds++], sizeof seen.detail[0], "%s", detail);
}

static void start(enum config_keep keep, uint32_t flows, struct signatures *rules)
{
	const struct carrier_options o = {.max_flows = flows, .bytes = BYTES, .keep = keep, .hash_key = "key", .rules = rules,
	                                  .find = on_find};
	carriers_free(cs);
	assert_int_equal(carriers_new(&o, &cs), 0);
	memset(&seen, 0, sizeof seen);
}

static struct carrier_ends ends_of(uint8_t proto, uint16_t peer_port)
{
	struct carrier_ends e = {.port = {40000, peer_port}, .proto = proto};
	e.addr[0] = addr_from_v4((const uint8_t[]){192, 0, 2, 1});
	e.addr[1] = addr_from_v4((const uint8_t[]){198, 51, 100, 1});
	return e;
}

static struct carrier *flow(void)
{
	const struct carrier_ends e = ends_of(TCP, 80);
	struct carrier *c = carrier_new(cs, &seen, &e);
	assert_non_null(c);
	carrier_begin(c, CONTENT_OUT, 1000);
	carrier_begin(c, CONTENT_IN, 1000);
	return c;
}

static bool feed(struct carrier *c, enum content_end from, uint32_t seq, const void *p, size_t n)
{
	uint8_t *exact = malloc(n > 0 ? n : 1);
	memcpy(exact, p, n);
	const bool more = carrier_feed(cs, c, from, seq, exact, (uint32_t)n);
	free(exact);
	return more;
}

/* Both directions, one after the other, in segments of step bytes; swapped: each
 * pair of segments in the wrong order. */
struct talk {
	const char *out, *in;
	size_t out_bytes, in_bytes;
	bool in_first;
};

static void say(struct carrier *c, enum content_end from, const char *p, size_t n, size_t step, bool swapped)
{
	bool more = true;
	for (size_t at = 0; at < n && more; at += 2 * step) {
		const size_t first = n - at < step ? n - at : step;
		const size_t second = n - at - first < step ? n - at - first : step;
		const uint32_t seq = 1000 + (uint32_t)at;
		if (swapped && second > 0)
			more = feed(c, from, seq + (uint32_t)first, p + at + first, second);
		more = more && feed(c, from, seq, p + at, first);
		if (!swapped && second > 0)
			more = more && feed(c, from, seq + (uint32_t)first, p + at + first, second);
	}
}

static void hold(const struct talk *t, size_t step, bool swapped)
{
	struct carrier *c = flow();
	if (t->in_first)
		say(c, CONTENT_IN, t->in, t->in_bytes, step, swapped);
	say(c, CONTENT_OUT, t->out, t->out_bytes, step, swapped);
	if (!t->in_first)
		say(c, CONTENT_IN, t->in, t->in_bytes, step, swapped);
	carrier_look(cs, c);
	carrier_free(cs, c);
}

/* However it is cut, the finds are these: "word|detail" in order, "" for none. */
static void expect(const struct talk *t, const char *want)
{
	static const size_t steps[] = {100000, 1460, 300, 100, 64, 17, 7, 3, 2, 1};
	for (size_t i = 0; i < 2 * sizeof steps / sizeof steps[0]; i++) {
		char got[1024] = "";
		if (i % 2 == 1 && steps[i / 2] > BYTES / 2)
			continue;   /* a segment that comes early must fit the buffer */
		start(KEEP_CLEAR, 64, NULL);
		hold(t, steps[i / 2], i % 2 == 1);
		for (unsigned k = 0; k < seen.finds; k++)
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s|%s", k > 0 ? "\n" : "", seen.word[k], seen.detail[k]);
		if (strcmp(got, want) != 0)
			fail_msg("in steps of %zu%s:\n%s\nand not\n%s", steps[i / 2], i % 2 == 1 ? ", swapped" : "", got, want);
	}
}

#define OUT(text) {.out = text, .out_bytes = sizeof(text) - 1}
#define BOTH(text, answer) {.out = text, .out_bytes = sizeof(text) - 1, .in = answer, .in_bytes = sizeof(answer) - 1}
#define TIFF "II*\0\x08\0\0\0...."

/* --- streams --- */

static void a_stream(void **state)
{
	const struct talk t = OUT(TIFF);
	(void)state;
	expect(&t, "tiff|");
	const struct talk record = BOTH("....", "xx<DataForm><ContainerId>CSQU3054383</ContainerId>");
	expect(&record, "scan-record|\ncontainer-number|CSQU3054383");
	/* magic numbers are short: not where the beginning was not seen */
	start(KEEP_CLEAR, 4, NULL);
	const struct carrier_ends e = ends_of(TCP, 9000);
	struct carrier *c = carrier_new(cs, &seen, &e);
	assert_true(feed(c, CONTENT_OUT, 1, TIFF "CSQU3054383 ", sizeof TIFF + 11));
	carrier_look(cs, c);
	assert_int_equal(seen.finds, 1);
	assert_string_equal(seen.word[0], "container-number");
	carrier_free(cs, c);
}

static void datagrams(void **state)
{
	(void)state;
	start(KEEP_CLEAR, 4, NULL);
	const struct carrier_ends e = ends_of(UDP, 9000);
	struct carrier *c = carrier_new(cs, &seen, &e);
	for (unsigned i = 0; i < 3; i++)
		assert_true(feed(c, CONTENT_OUT, 0, i == 0 ? TIFF : "CSQU3054383 ", 12));
	carrier_look(cs, c);
	assert_int_equal(seen.finds, 2);
	carrier_free(cs, c);
}

static void what_is_encrypted_is_left_alone(void **state)
{
	static const char *const encrypted[] = {"\x16\3\1\2\0\1\0\1\xfc\3\3CSQU3054383 ", "SSH-2.0-OpenSSH_9.2 CSQU3054383 "};
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		start(KEEP_CLEAR, 4, NULL);
		struct carrier *c = flow();
		assert_false(carrier_feed(cs, c, CONTENT_OUT, 1000, (const uint8_t *)encrypted[i], 28));
		assert_false(carrier_feed(cs, c, CONTENT_IN, 1000, (const uint8_t *)TIFF, 12));
		carrier_look(cs, c);
		assert_int_equal(seen.finds, 0);
		carrier_free(cs, c);
	}
}

static void values(void **state)
{
	static const struct {
		enum config_keep keep;
		const char *detail;
	} all[] = {{KEEP_NONE, ""}, {KEEP_CLEAR, "CSQU3054383"}, {KEEP_HASH, NULL}};
	const struct talk t = OUT("number CSQU3054383 here");
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		start(all[i].keep, 4, NULL);
		hold(&t, 100, false);
		assert_int_equal(seen.finds, 1);
		if (all[i].detail != NULL)
			assert_string_equal(seen.detail[0], all[i].detail);
		assert_true(all[i].keep != KEEP_HASH || (strlen(seen.detail[0]) == 13 && seen.detail[0][0] == '#'));
		assert_true(all[i].keep == KEEP_CLEAR || strstr(seen.detail[0], "3054383") == NULL);
	}
}

/* --- HTTP --- */

static void http_uploads(void **state)
{
	(void)state;
	const struct talk put = OUT("PUT /a/scan.tif?x=/y HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n" TIFF);
	expect(&put, "tiff|in an HTTP upload of scan.tif");
	const struct talk chunked = OUT("POST /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	                                "3\r\nII*\r\n9;x=y\r\n\0\x08\0\0\0....\r\n0\r\nTrailer: x\r\n\r\n"
	                                "PUT /b.db HTTP/1.1\r\nContent-Length: 16\r\n\r\nSQLite format 3\0");
	expect(&chunked, "tiff|in an HTTP upload of up\ndatabase-file|SQLite; in an HTTP upload of b.db");
	/* what only looks like a body is none, and what follows a message is not of it */
	const struct talk none = OUT("GET /scan.tif HTTP/1.1\r\nHost: h\r\n\r\nGET /x HTTP/1.1\r\nContent-Length: 4\r\n\r\n....II*\0....");
	expect(&none, "");
	/* a long header is passed over */
	char text[4000];
	const int n = snprintf(text, sizeof text, "PUT /t HTTP/1.1\r\nCookie: %03000d\r\nContent-Length: 12\r\n\r\n", 0);
	memcpy(text + n, TIFF, 12);
	const struct talk cookie = {.out = text, .out_bytes = (size_t)n + 12};
	expect(&cookie, "tiff|in an HTTP upload of t");
}

static void http_downloads(void **state)
{
	(void)state;
	const struct talk get = BOTH("GET /s/one.tif HTTP/1.1\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"
	                             "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n" TIFF "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
	expect(&get, "tiff|in an HTTP download of one.tif");
	const struct talk to_the_end = BOTH("GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Disposition: attachment; filename=\"a.zip\"\r\n\r\n"
	                                    "PK\3\4\x14\0\1\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0a");
	expect(&to_the_end, "encrypted-archive|zip, ZipCrypto; in an HTTP download of a.zip");
	const struct talk head = BOTH("HEAD /one.tif HTTP/1.1\r\n\r\n",
	                              "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nII*\0");
	expect(&head, "");
}

#define FORM "POST /form HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=\"--b-7\"\r\nContent-Length: "
#define PARTS "----b-7\r\nContent-Disposition: form-data; name=\"who\"\r\n\r\nlane 3\r\n" \
	"----b-7\r\nContent-Disposition: form-data; name=\"f\"; filename=\"C:\\scans\\one.tif\"\r\nContent-Type: image/tiff\r\n\r\n" \
	TIFF "\n--\r\n----c\r\n\r\n----b-7\r\nContent-Disposition: form-data; name=\"g\"; filename=two.db\r\n\r\nSQLite format 3\0\r\n" \
	"----b-7--\r\n"

static void http_forms(void **state)
{
	(void)state;
	char text[2000];
	int n = snprintf(text, sizeof text, FORM "%zu\r\n\r\n", sizeof PARTS - 1);
	memcpy(text + n, PARTS, sizeof PARTS - 1);
	const struct talk form = {.out = text, .out_bytes = (size_t)n + sizeof PARTS - 1};
	expect(&form, "tiff|in an HTTP upload of one.tif\ndatabase-file|SQLite; in an HTTP upload of two.db");
	/* the same in chunks of a line */
	static const char parts[] = PARTS;
	n = snprintf(text, sizeof text, "POST /form HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=--b-7\r\n"
	             "Transfer-Encoding: chunked\r\n\r\n");
	for (size_t at = 0, piece; at < sizeof PARTS - 1; at += piece) {
		piece = (size_t)((const char *)memchr(parts + at, '\n', sizeof parts - at) - (parts + at)) + 1;
		n += snprintf(text + n, sizeof text - (size_t)n, "%zX\r\n", piece);
		memcpy(text + n, parts + at, piece);
		memcpy(text + n + piece, "\r\n", 2);
		n += (int)piece + 2;
	}
	n += snprintf(text + n, sizeof text - (size_t)n, "0\r\n\r\n");
	start(KEEP_CLEAR, 4, NULL);
	const struct talk chunked = {.out = text, .out_bytes = (size_t)n};
	hold(&chunked, 5000, false);
	assert_int_equal(seen.finds, 2);
	assert_string_equal(seen.detail[0], "in an HTTP upload of one.tif");
}

static size_t pack(const char *p, size_t n, int window, char *ret, size_t size)
{
	z_stream z = {0};
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)ret;
	z.avail_out = (uInt)size;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	const size_t got = z.total_out;
	deflateEnd(&z);
	return got;
}

static void compressed(void **state)
{
	static const char dump[] = "-- MySQL dump 10.13  Distrib 8.0\n--\n-- Host: localhost    Database: scans\n";
	static const struct {
		const char *coding;
		int window;
	} ways[] = {{"gzip", 31}, {"deflate", 15}, {"deflate", -15}};
	char packed[400], text[1000];
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const size_t bytes = pack(dump, sizeof dump - 1, ways[i].window, packed, sizeof packed);
		const int n = snprintf(text, sizeof text, "PUT /d.sql HTTP/1.1\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n", ways[i].coding, bytes);
		memcpy(text + n, packed, bytes);
		const struct talk t = {.out = text, .out_bytes = (size_t)n + bytes};
		expect(&t, "sql-dump|mysqldump; in an HTTP upload of d.sql");
	}
	/* a gzip file as such: what it is, and what is in it */
	const size_t bytes = pack(dump, sizeof dump - 1, 31, packed, sizeof packed);
	const struct talk file = {.out = packed, .out_bytes = bytes};
	expect(&file, "archive|gzip\nsql-dump|mysqldump, gzip");
	/* a bomb: as much as is looked at, no more */
	static char zeros[1 << 20], bomb[1 << 12];
	const struct talk t = {.out = bomb, .out_bytes = pack(zeros, sizeof zeros, 31, bomb, sizeof bomb)};
	expect(&t, "archive|gzip");
}

/* --- gaps --- */

static void gaps(void **state)
{
	static char text[200000];
	const int n = snprintf(text, sizeof text, "PUT /a.bin HTTP/1.1\r\nContent-Length: 100000\r\n\r\n");
	const size_t next = (size_t)n + 100000;
	const int m = snprintf(text + next, sizeof text - next, "PUT /b.tif HTTP/1.1\r\nContent-Length: 8\r\n\r\nII*%c....", 0);
	(void)state;
	for (unsigned way = 0; way < 3; way++) {
		start(KEEP_CLEAR, 4, NULL);
		struct carrier *c = flow();
		/* way 0: a hole in the body; 1: each segment cut as by a short snaplen; 2: over the end of the body */
		for (size_t at = 0; at < next; at += 1000) {
			const size_t piece = next - at < 1000 ? next - at : 1000;
			if (way == 2 ? at + 1000 >= next : way == 0 && at > 20000 && at < 30000)
				continue;
			assert_true(feed(c, CONTENT_OUT, 1000 + (uint32_t)at, text + at, way == 1 && at > 0 ? piece / 2 : piece));
		}
		(void)feed(c, CONTENT_OUT, 1000 + (uint32_t)next, text + next, (size_t)m);
		for (unsigned i = 0; i < 40 && way == 2; i++)   /* the hole counts as one once many went by */
			(void)feed(c, CONTENT_OUT, 1000 + (uint32_t)next, text + next, (size_t)m);
		carrier_look(cs, c);
		assert_int_equal(seen.finds, 1);
		assert_string_equal(seen.detail[0], "in an HTTP upload of b.tif");
		carrier_free(cs, c);
	}
}

/* --- mail --- */

#define MAIL "EHLO scanner\r\nMAIL FROM:<a@scanner.example>\r\nRCPT TO:<b@peer.example>\r\nDATA\r\n" \
	"From: a\r\nSubject: scan\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=\"=_outer\"\r\n\r\nnothing\r\n" \
	"--=_outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n--inner\r\nContent-Type: text/plain\r\n\r\nhello\r\n" \
	"--inner--\r\n\r\n--=_outer\r\nContent-Type: image/tiff; name=\"one.tif\"\r\nContent-Transfer-Encoding: base64\r\n" \
	"Content-Disposition: attachment; filename=\"one.tif\"\r\n\r\nSUkqAAgA\r\nAAAuLi4u\r\n--=_outer--\r\n.\r\n" \
	"MAIL FROM:<a@scanner.example>\r\nDATA\r\nSubject: x\r\n\r\nThe box is CSQU3054383.\r\n.\r\nQUIT\r\n"

static void mail(void **state)
{
	(void)state;
	struct talk t = BOTH(MAIL, "220 mx.peer.example ESMTP\r\n250 OK\r\n354 go on\r\n");
	expect(&t, "tiff|in a mail, attachment one.tif\ncontainer-number|CSQU3054383; in a mail");
	t.in_first = true;
	expect(&t, "tiff|in a mail, attachment one.tif\ncontainer-number|CSQU3054383; in a mail");
	const struct talk bdat = OUT("EHLO x\r\nBDAT 42\r\nSubject: x\r\n\r\nSQLite format 3 CSQU3054383\nBDAT 2 LAST\r\n\r\n"
	                             "BDAT 26 LAST\r\nSubject: y\r\n\r\n" TIFF);
	expect(&bdat, "container-number|CSQU3054383; in a mail\ntiff|in a mail");
	/* TLS on the way: nothing more */
	const struct talk tls = OUT("EHLO x\r\nSTARTTLS\r\n\x16\3\1\2\0\1\n DATA\r\n\r\nII*\0");
	expect(&tls, "");
}

/* --- files over SMB --- */

static size_t smb(char *p, unsigned command, bool answer, uint64_t id, const char *body, size_t n)
{
	memset(p, 0, 68);
	p[2] = (char)((64 + n) >> 8);
	p[3] = (char)(64 + n);
	memcpy(p + 4, "\xfeSMB", 4);
	p[16] = (char)command;
	p[20] = answer;
	p[28] = (char)id;
	memcpy(p + 68, body, n);
	return 68 + n;
}

static void smb_files(void **state)
{
	static const char name[] = "s\0c\0a\0n\0s\0\\\0o\0n\0e\0.\0t\0i\0f";   /* and a zero */
	char out[4000], in[2000], body[200];
	size_t n = 0, m = 0;
	(void)state;
	n += smb(out + n, 0, false, 1, "................................................................", 60);
	memset(body, 0, sizeof body);
	body[44] = 120;
	body[46] = sizeof name;
	memcpy(body + 56, name, sizeof name);
	n += smb(out + n, 5, false, 2, body, 56 + sizeof name);
	memset(body, 0, sizeof body);
	body[2] = 112;
	body[4] = 12;
	memcpy(body + 48, TIFF, 12);
	n += smb(out + n, 9, false, 3, body, 60);
	body[8] = 1;   /* further on in the file: not its beginning */
	memcpy(body + 48, "SQLite format 3\0", 16);
	n += smb(out + n, 9, false, 4, body, 64);
	memset(body, 0, sizeof body);
	n += smb(out + n, 8, false, 9, body, 52);   /* READ at 0, message 9 */
	body[2] = 80;
	memcpy(body + 16, "SQLite format 3\0", 16);
	m += smb(in + m, 8, true, 8, body, 60);     /* answers another */
	memcpy(body + 16, "PGDMP\1..........", 16);
	m += smb(in + m, 8, true, 9, body, 60);
	const struct talk t = {.out = out, .out_bytes = n, .in = in, .in_bytes = m};
	expect(&t, "tiff|in a file written over SMB, one.tif\nsql-dump|pg_dump, custom format; in a file read over SMB, one.tif");
	/* encrypted from some message on */
	out[68 + 60 + 4] = (char)0xfd;
	expect(&t, "");
}

/* --- MQTT --- */

static void mqtt_messages(void **state)
{
	(void)state;
	const struct talk t = BOTH("\x10\x0e\0\4MQTT\4\2\0\x3c\0\2id" "\x30\x16\0\x07scans/3" TIFF "." "\xc0\0"
	                           "\x32\x17\0\3a/b\0\1SQLite format 3\0" "\xe0\0",
	                           "\x20\2\0\0" "\x30\x0b\0\1tPGDMP\1..");
	expect(&t, "tiff|in an MQTT message of scans/3\ndatabase-file|SQLite; in an MQTT message of a/b\n"
	           "sql-dump|pg_dump, custom format; in an MQTT message of t");
	const struct talk five = OUT("\x10\x0f\0\4MQTT\5\2\0\x3c\0\0\2id" "\x30\x12\0\1t\2\1\1II*\0........");
	expect(&five, "tiff|in an MQTT message of t");
	char big[1200] = "\x10\x0e\0\4MQTT\4\2\0\x3c\0\2id\x30\x83\x08\0\1tII*";
	const struct talk large = {.out = big, .out_bytes = sizeof big};
	expect(&large, "tiff|in an MQTT message of t");
}

/* --- databases --- */

static void databases(void **state)
{
	(void)state;
	const struct talk replica = OUT("\0\0\0\x26\0\3\0\0user\0rep\0replication\0database\0\0");
	expect(&replica, "database-replication|PostgreSQL");
	const struct talk no_replica = OUT("\0\0\0\x23\0\3\0\0user\0rep\0replication\0false\0\0");
	expect(&no_replica, "");
	const struct talk dump = OUT("\0\0\0\x10\0\3\0\0user\0u\0\0p\0\0\0\5p" "Q\0\0\0\x0dSELECT 1\0" "Q\0\0\0\x1a" "COPY t (a) TO stdout;\0");
	expect(&dump, "sql-dump|PostgreSQL, COPY TO stdout");
	char login[300] = "\x40\0\0\1\x05\xa6\x0f\0\0\0\0\1\x21";   /* answer to the greeting, 64 bytes */
	size_t n = 4 + 64;
	memcpy(login + n, "\x11\0\0\0\3SHOW MASTER STATU", 21);
	n += 21;
	memcpy(login + n, "\x0b\0\0\0\x12\4\0\0\0\0\0\1\0\0\0", 15);
	n += 15;
	const struct talk binlog = {.out = login, .out_bytes = n};
	expect(&binlog, "database-replication|MySQL");
	login[68 + 21 + 4] = 3;
	expect(&binlog, "");
	memcpy(login + 68, "\x28\0\0\0\3SELECT /*!40001 SQL_NO_CACHE */ * FROM s", 45);
	const struct talk mysqldump = {.out = login, .out_bytes = 68 + 44};
	expect(&mysqldump, "sql-dump|MySQL, mysqldump's queries");
}

/* --- FTP --- */

static void hear(unsigned from_end, const char *line)
{
	const struct carrier_ends e = ends_of(TCP, 21);
	struct packet p = {.proto = TCP, .payload = (const uint8_t *)line, .payload_caplen = (uint32_t)strlen(line)};
	p.src = e.addr[from_end];
	p.dst = e.addr[1 - from_end];
	carrier_overhear(cs, &p);
}

/* A data connection to that port of that end. */
static const char *ftp_data(unsigned listens, uint16_t port)
{
	struct carrier_ends e = ends_of(TCP, 50000);
	e.port[listens] = port;
	struct carrier *c = carrier_new(cs, &seen, &e);
	memset(&seen, 0, sizeof seen);
	carrier_begin(c, CONTENT_OUT, 1);
	(void)feed(c, CONTENT_OUT, 1, TIFF, 12);
	carrier_look(cs, c);
	carrier_free(cs, c);
	assert_int_equal(seen.finds, 1);
	return seen.detail[0];
}

static void ftp(void **state)
{
	(void)state;
	start(KEEP_CLEAR, 8, NULL);
	hear(1, "227 Entering Passive Mode (10,1,2,3,200,10).\r\n");
	hear(1, "227 Entering Passive Mode (10,1,2,3,200,10).\r\n");
	hear(0, "STOR dir/one.tif\r\n");
	assert_string_equal(ftp_data(1, 51210), "in an FTP transfer of one.tif");
	assert_string_equal(ftp_data(1, 51211), "");
	assert_string_equal(ftp_data(0, 51210), "");
	hear(1, "229 Entering Extended Passive Mode (|||6446|)\r\n");
	assert_string_equal(ftp_data(1, 6446), "in an FTP transfer");
	hear(0, "RETR two.tif\r\n");
	assert_string_equal(ftp_data(1, 6446), "in an FTP transfer of two.tif");
	assert_string_equal(ftp_data(1, 51210), "in an FTP transfer of one.tif");
	hear(0, "port 192,0,2,1,4,1\r\n");
	hear(0, "EPRT |1|192.0.2.1|6000|\r\n");
	hear(0, "APPE log\r\n");
	assert_string_equal(ftp_data(0, 6000), "in an FTP transfer of log");
	assert_string_equal(ftp_data(0, 1025), "in an FTP transfer");
	/* nonsense is none */
	hear(1, "227 (1,2,3)\r\n");
	hear(1, "227 Entering (1,2,3,4,999,1)\r\n");
	hear(1, "229 |\r\n");
	hear(0, "EPRT |||99999999|\r\n");
	assert_string_equal(ftp_data(0, 6000), "in an FTP transfer of log");
}

static size_t pdu(char *p, uint8_t control, const char *bytes, size_t n)
{
	const char head[12] = {4, 0, 0, 0, 0, (char)(n + 6), 0, 0, 0, (char)(n + 2), 1, (char)control};
	memcpy(p, head, sizeof head);
	memcpy(p + sizeof head, bytes, n);
	return sizeof head + n;
}

#define EXPLICIT "\x08\0\x05\0CS\x0a\0ISO_IR 100" "\x08\0\x60\0CS\2\0CT" "\x08\0\x10\x11SQ\0\0\xff\xff\xff\xff" \
	"\xfe\xff\xdd\xe0\0\0\0\0" "\x10\0\x10\0PN\x0c\0CSQU3054383 " "\x10\0\x20\0LO\2\0x "
#define IMPLICIT "\x08\0\x60\0\2\0\0\0DX" "\x10\0\x10\0\4\0\0\0A^B "

static void dicom_data(void **state)
{
	char text[600] = {1, 0, 0, 0, 0, 74, 0, 1};
	(void)state;
	size_t n = 80;   /* a request, of whatever */
	n += pdu(text + n, 3, "CSQU3054383 as a command", 24);
	n += pdu(text + n, 0, EXPLICIT, 30);
	n += pdu(text + n, 2, EXPLICIT + 30, sizeof EXPLICIT - 1 - 30);
	n += pdu(text + n, 3, "command", 7);
	n += pdu(text + n, 2, IMPLICIT, sizeof IMPLICIT - 1);
	const struct talk t = {.out = text, .out_bytes = n, .in = "\2\0\0\0\0\x4a\0\1 CSQU3054383 ", .in_bytes = 22};
	expect(&t, "container-number|CSQU3054383\ndicom-record|CT, patient CSQU3054383");
	n = 80 + pdu(text + 80, 2, IMPLICIT, sizeof IMPLICIT - 1);
	const struct talk plain = {.out = text, .out_bytes = n};
	expect(&plain, "dicom-record|DX, patient A^B");
}

static void remote_copy(void **state)
{
	(void)state;
	const struct talk t = OUT("C0644 12 one.tif\n" TIFF);
	expect(&t, "tiff|in a remote copy of one.tif");
	const struct talk rsync = OUT("@RSYNCD: 31.0 sha512 md5\nscans\n CSQU3054383 ");
	expect(&rsync, "container-number|CSQU3054383; over rsync");
}

/* --- limits --- */

/* More flows hold something than there are buffers: the oldest is looked at early. */
static void too_many(void **state)
{
	struct carrier *c[64];
	(void)state;
	start(KEEP_CLEAR, 64, NULL);
	for (unsigned i = 0; i < 64; i++) {
		c[i] = flow();
		char text[200] = TIFF;
		text[1] = i == 0 ? 'I' : '.';
		(void)feed(c[i], CONTENT_OUT, 1000, text, sizeof text);
	}
	assert_int_equal(carriers_given_up(cs), 32);
	assert_int_equal(seen.finds, 1);
	assert_false(feed(c[0], CONTENT_OUT, 1200, TIFF, 12));
	assert_true(feed(c[63], CONTENT_OUT, 1200, TIFF, 12));
	const struct carrier_ends e = ends_of(TCP, 80);
	assert_null(carrier_new(cs, &seen, &e));
	for (unsigned i = 0; i < 64; i++)
		carrier_free(cs, c[i]);
	c[0] = flow();
	(void)feed(c[0], CONTENT_OUT, 1000, "Salted__........", 16);
	carrier_look(cs, c[0]);
	assert_string_equal(seen.word[seen.finds - 1], "encrypted-archive");
	carrier_free(cs, c[0]);
}

static int end(void **state)
{
	(void)state;
	carriers_free(cs);
	cs = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_stream),
	    cmocka_unit_test(datagrams),
	    cmocka_unit_test(what_is_encrypted_is_left_alone),
	    cmocka_unit_test(values),
	    cmocka_unit_test(http_uploads),
	    cmocka_unit_test(http_downloads),
	    cmocka_unit_test(http_forms),
	    cmocka_unit_test(compressed),
	    cmocka_unit_test(gaps),
	    cmocka_unit_test(mail),
	    cmocka_unit_test(smb_files),
	    cmocka_unit_test(mqtt_messages),
	    cmocka_unit_test(databases),
	    cmocka_unit_test(ftp),
	    cmocka_unit_test(dicom_data),
	    cmocka_unit_test(remote_copy),
	    cmocka_unit_test(too_many),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, end);
}

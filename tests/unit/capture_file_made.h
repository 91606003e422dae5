/* capture_file_made.h - capture files in memory, for test_capture_reader*.c. */
#ifndef TESTS_CAPTURE_FILE_MADE_H
#define TESTS_CAPTURE_FILE_MADE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <glob.h>
#include <pcap/pcap.h>

#include "sense/capture_reader.h"

#define FILE_MAX (2u << 20)
#define PACKETS_MAX 65536u
#define TIME_MAX_US INT64_C(253402300799999999)

struct memory {
	const uint8_t *at;
	size_t left, piece;    /* piece 0: of random size */
	uint32_t seed;
};

static inline ssize_t give(void *ctx, void *to, size_t n)
{
	struct memory *m = ctx;
	size_t some = m->piece;
	if (some == 0) {
		m->seed = m->seed * 1664525u + 1013904223u;
		some = 1 + (m->seed >> 8) % 3000;
	}
	if (n > some)
		n = some;
	if (n > m->left)
		n = m->left;
	memcpy(to, m->at, n);
	m->at += n;
	m->left -= n;
	return (ssize_t)n;
}

struct seen {
	int64_t time_us;
	uint32_t caplen, wirelen, sum;
	int link_type;
};

struct result {
	unsigned count;
	int rc;                /* of the end */
	bool opened;
	char error[400];
	struct seen packet[PACKETS_MAX];
};

static struct result ours, theirs;

static inline uint32_t sum_of(const uint8_t *p, uint32_t n)
{
	uint32_t sum = n;
	for (uint32_t i = 0; i < n; i++)
		sum = sum * 31 + p[i];
	return sum;
}

static inline void read_ours(const uint8_t *p, size_t n, size_t piece, struct result *ret)
{
	struct memory m = {.at = p, .left = n, .piece = piece, .seed = (uint32_t)n};
	const struct capture_source source = {.read = give, .ctx = &m};
	struct capture_reader *r = NULL;
	ret->count = 0;
	ret->error[0] = '\0';
	ret->rc = capture_reader_new(&source, &r, ret->error, sizeof ret->error);
	ret->opened = ret->rc == 0;
	if (!ret->opened) {
		assert_int_equal(ret->rc, ERR_DAMAGED);
		assert_true(ret->error[0] != '\0');
		return;
	}
	struct capture_frame f;
	while ((ret->rc = capture_reader_next(r, true, &f)) == 0) {
		assert_true(ret->count < PACKETS_MAX);
		assert_true(f.caplen <= 262144 && f.wirelen >= f.caplen);
		assert_true(f.time_us >= 0 && f.time_us <= TIME_MAX_US);
		ret->packet[ret->count++] = (struct seen){.time_us = f.time_us, .caplen = f.caplen, .wirelen = f.wirelen,
			.sum = sum_of(f.data, f.caplen), .link_type = f.link_type};
	}
	assert_int_equal(capture_reader_next(r, true, &f), ret->rc);   /* for good */
	assert_true(ret->rc == ERR_END || ret->rc == ERR_DAMAGED);
	if (ret->rc == ERR_DAMAGED)
		snprintf(ret->error, sizeof ret->error, "%s", capture_reader_error(r));
	capture_reader_free(r);
}

static inline int64_t time_of(const struct pcap_pkthdr *h, bool pcapng)
{
	int64_t s = h->ts.tv_sec, us = h->ts.tv_usec;
	if (!pcapng)
		s &= UINT32_MAX;   /* libpcap extends the sign */
	if (s < 0)
		return 0;
	if (s > TIME_MAX_US / 1000000)
		s = TIME_MAX_US / 1000000;
	if (us < 0 || us > 999999)
		us = 999999;
	return s * 1000000 + us;
}

static inline void read_theirs(uint8_t *p, size_t n, struct result *ret)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	*ret = (struct result){.rc = ERR_DAMAGED};
	FILE *f = n > 0 ? fmemopen(p, n, "rb") : fopen("/dev/null", "rb");
	assert_non_null(f);
	pcap_t *pcap = pcap_fopen_offline(f, why);
	if (pcap == NULL) {
		snprintf(ret->error, sizeof ret->error, "%s", why);
		fclose(f);
		return;
	}
	ret->opened = true;
	struct pcap_pkthdr *h;
	const u_char *data;
	const bool pcapng = p[0] == 0x0a;
	int rc;
	while ((rc = pcap_next_ex(pcap, &h, &data)) == 1) {
		assert_true(ret->count < PACKETS_MAX);
		const int dlt = pcap_datalink(pcap);
		ret->packet[ret->count++] = (struct seen){.time_us = time_of(h, pcapng), .caplen = h->caplen,
			.wirelen = h->len > h->caplen ? h->len : h->caplen, .sum = sum_of(data, h->caplen),
			.link_type = dlt == DLT_RAW ? 101 : dlt};
	}
	ret->rc = rc == PCAP_ERROR_BREAK ? ERR_END : ERR_DAMAGED;
	if (ret->rc == ERR_DAMAGED)
		snprintf(ret->error, sizeof ret->error, "%s", pcap_geterr(pcap));
	pcap_close(pcap);
}

static inline void assert_same_packets(const struct result *a, const struct result *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (memcmp(&a->packet[i], &b->packet[i], sizeof a->packet[i]) != 0)
			fail_msg("packet %u differs", i + 1);
	}
}

/* What libpcap cannot read and we can, or counts another way. */
static inline bool libpcap_cannot(const char *error)
{
	return strstr(error, "different") != NULL;
}

/* The words up to the figures: how much of a record is read at once differs. */
static inline void assert_same_end(const struct result *a, const struct result *b)
{
	if (a->opened != b->opened || a->rc != b->rc)
		fail_msg("%d \"%s\" where libpcap says %d \"%s\"", a->rc, a->error, b->rc, b->error);
	/* Of a first section header that is none we may say more. */
	if (!b->opened && (strcmp(b->error, "unknown file format") == 0 || strstr(b->error, "INSANE") != NULL))
		return;
	const size_t n = strcspn(b->error, ";");
	if (strncmp(a->error, b->error, n) != 0)
		fail_msg("\"%s\" where libpcap says \"%s\"", a->error, b->error);
}

static inline void assert_as_libpcap(uint8_t *p, size_t n)
{
	read_ours(p, n, 1u << 20, &ours);
	read_theirs(p, n, &theirs);
	if (libpcap_cannot(theirs.error)) {
		assert_true(ours.count >= theirs.count);
	} else {
		assert_int_equal(ours.count, theirs.count);
		assert_same_end(&ours, &theirs);
	}
	assert_same_packets(&ours, &theirs, theirs.count);
}

static glob_t captures;

static inline int setup(void **state)
{
	(void)state;
	return glob("tests/replay/*/capture.pcap*", 0, NULL, &captures);
}

static inline int teardown(void **state)
{
	(void)state;
	globfree(&captures);
	return 0;
}

static struct {
	uint8_t p[FILE_MAX];
	size_t n;
	bool big;
} out;

static inline void put(const void *p, size_t n)
{
	assert_true(out.n + n <= sizeof out.p);
	memcpy(out.p + out.n, p, n);
	out.n += n;
}

static inline void put16(unsigned v)
{
	const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v}, l[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
	put(out.big ? b : l, 2);
}

static inline void put32(uint32_t v)
{
	put16(out.big ? v >> 16 : v & 0xffff);
	put16(out.big ? v & 0xffff : v >> 16);
}

static inline void put64(uint64_t v)
{
	put32((uint32_t)(out.big ? v >> 32 : v));
	put32((uint32_t)(out.big ? v : v >> 32));
}

static inline size_t block(uint32_t type)
{
	put32(type);
	put32(0);
	return out.n;
}

static inline void end_block(size_t start)
{
	while (out.n % 4 != 0)
		put("", 1);
	const size_t end = out.n, total = out.n - start + 12;
	put32((uint32_t)total);
	memcpy(out.p + start - 4, out.p + end, 4);
}

static inline void section(bool big, unsigned minor)
{
	out.big = big;
	const size_t b = block(0x0a0d0d0a);
	put32(0x1a2b3c4d);
	put16(1);
	put16(minor);
	put64(UINT64_MAX);
	end_block(b);
}

static inline void interface(unsigned link_type, uint32_t snaplen, int resolution, uint64_t offset_s)
{
	const size_t b = block(1);
	put16(link_type);
	put16(0);
	put32(snaplen);
	put16(2);   /* if_name */
	put16(5);
	put("span0\0\0\0", 8);
	if (resolution >= 0) {
		put16(9);
		put16(1);
		put((const uint8_t[4]){(uint8_t)resolution}, 4);
	}
	if (offset_s != 0) {
		put16(14);
		put16(8);
		put64(offset_s);
	}
	put32(0);
	end_block(b);
}

static inline void enhanced(uint32_t number, uint64_t time, const char *text, uint32_t len)
{
	const size_t b = block(6);
	put32(number);
	put32((uint32_t)(time >> 32));
	put32((uint32_t)time);
	put32((uint32_t)strlen(text));
	put32(len);
	put(text, strlen(text));
	end_block(b);
}

static inline void expect(unsigned i, const char *text, int64_t time_us, int link_type)
{
	assert_true(i < ours.count);
	const struct seen *s = &ours.packet[i];
	assert_int_equal(s->caplen, strlen(text));
	assert_int_equal(s->sum, sum_of((const uint8_t *)text, (uint32_t)strlen(text)));
	if (s->time_us != time_us)
		fail_msg("%lld instead of %lld", (long long)s->time_us, (long long)time_us);
	assert_int_equal(s->link_type, link_type);
}

static inline void begin(void)
{
	out.n = 0;
	section(false, 0);
	interface(1, 96, -1, 0);
	enhanced(0, 1, "fine", 4);
}

#endif

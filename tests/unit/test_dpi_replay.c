/* dpi and content over recorded captures: what each flow is called.
 * With file names as arguments it prints one line a flow; without, it runs the
 * captures of tests/replay that the table below names and asserts the label. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "sense/content.h"
#include "sense/dpi.h"

#define FLOWS_MAX 4096

struct key {
	uint8_t addr[2][16];
	uint16_t port[2];
	uint8_t proto, version;
};

struct replay_flow {
	struct key key;          /* end 0 sent the first packet */
	struct dpi_flow *dpi;
	struct content *content;
	bool content_done, dpi_done;
	unsigned packets, fed, names;
	struct dpi_result result;
	char app[FACT_APP_MAX], found[400];
};

static struct replay_flow flows[FLOWS_MAX];
static unsigned flow_count;
static struct dpi *dpi;
static struct content_pool *pool;
static uint64_t packets_all, packets_fed;

struct cut {
	const uint8_t *l3, *l4, *payload;
	uint32_t len, payload_len, seq;
	uint8_t flags;
};

/* Ethernet with any number of tags, then IPv4 or IPv6 without extensions. */
static bool cut_frame(const uint8_t *p, uint32_t n, struct key *k, struct cut *c)
{
	uint32_t at = 12;
	memset(k, 0, sizeof *k);
	memset(c, 0, sizeof *c);
	while (at + 4 <= n && (be16(p + at) == 0x8100 || be16(p + at) == 0x88a8))
		at += 4;
	if (at + 2 + 20 > n)
		return false;
	const uint16_t type = be16(p + at);
	c->l3 = p + at + 2;
	c->len = n - at - 2;
	uint32_t header, total;
	if (type == 0x0800) {
		header = (c->l3[0] & 15U) * 4;
		total = be16(c->l3 + 2);
		if ((be16(c->l3 + 6) & 0x1fff) != 0)
			return false;
		memcpy(k->addr[0], c->l3 + 12, 4);
		memcpy(k->addr[1], c->l3 + 16, 4);
		k->proto = c->l3[9];
		k->version = 4;
	} else if (type == 0x86dd && c->len >= 40) {
		header = 40;
		total = be16(c->l3 + 4) + 40U;
		memcpy(k->addr[0], c->l3 + 8, 16);
		memcpy(k->addr[1], c->l3 + 24, 16);
		k->proto = c->l3[6];
		k->version = 6;
	} else {
		return false;
	}
	if (total < c->len)
		c->len = total;
	if (header + 8 > c->len)
		return false;
	c->l4 = c->l3 + header;
	uint32_t l4_header = 8;
	if (k->proto == 6) {
		if (header + 20 > c->len)
			return false;
		l4_header = (c->l4[12] >> 4) * 4U;
		c->seq = be32(c->l4 + 4);
		c->flags = c->l4[13];
	}
	if (k->proto == 6 || k->proto == 17) {
		k->port[0] = be16(c->l4);
		k->port[1] = be16(c->l4 + 2);
	}
	if (header + l4_header > c->len)
		return false;
	c->payload = c->l4 + l4_header;
	c->payload_len = c->len - header - l4_header;
	return true;
}

static struct replay_flow *flow_of(const struct key *k, bool *ret_first_end)
{
	struct key back = *k;
	memcpy(back.addr[0], k->addr[1], 16);
	memcpy(back.addr[1], k->addr[0], 16);
	back.port[0] = k->port[1];
	back.port[1] = k->port[0];
	for (unsigned i = 0; i < flow_count; i++) {
		*ret_first_end = memcmp(&flows[i].key, k, sizeof *k) == 0;
		if (*ret_first_end || memcmp(&flows[i].key, &back, sizeof back) == 0)
			return &flows[i];
	}
	if (flow_count == FLOWS_MAX)
		return NULL;
	struct replay_flow *f = &flows[flow_count++];
	memset(f, 0, sizeof *f);
	f->key = *k;
	f->dpi = dpi_flow_new(dpi);
	f->content = content_new(pool, k->proto, k->port[0], k->port[1]);
	*ret_first_end = true;
	return f;
}

static void found(void *ctx, const struct content_find *c)
{
	struct replay_flow *f = ctx;
	const size_t n = strlen(f->found);
	char *const end = f->found + n;   /* what was found before stays */
	if (c->app != NULL)
		snprintf(f->app, sizeof f->app, "%s", c->app);
	snprintf(end, sizeof f->found - n, " %s(%s)", c->word, c->detail);
}

static void answered(void *ctx, const struct dns_answer *a, enum content_end from)
{
	(void)from;
	((struct replay_flow *)ctx)->names += a->addr_count;
}

static void frame(const uint8_t *p, uint32_t n, int64_t time_us)
{
	struct key k;
	struct cut c;
	bool first_end;
	if (!cut_frame(p, n, &k, &c))
		return;
	struct replay_flow *f = flow_of(&k, &first_end);
	if (f == NULL)
		return;
	f->packets++;
	packets_all++;
	if (!f->dpi_done) {
		f->fed++;
		packets_fed++;
		f->dpi_done = dpi_feed(dpi, f->dpi, c.l3, c.len, time_us, first_end) == DPI_DONE;
	}
	const bool syn = (c.flags & 2) != 0;
	if (f->content == NULL || f->content_done || (c.payload_len == 0 && !syn))
		return;
	const struct content_sink sink = {.ctx = f, .find = found, .dns = answered};
	f->content_done = !content_feed(f->content, first_end ? CONTENT_OUT : CONTENT_IN, c.seq + syn, c.payload,
	                                syn ? 0 : c.payload_len, &sink);
}

static void flows_end(void)
{
	for (unsigned i = 0; i < flow_count; i++) {
		struct replay_flow *f = &flows[i];
		dpi_finish(dpi, f->dpi);
		dpi_get(dpi, f->dpi, &f->result);
		dpi_flow_free(dpi, f->dpi);
		content_free(pool, f->content);
		if (f->app[0] == '\0')
			memcpy(f->app, f->result.app, sizeof f->app);
	}
}

/* A classic capture file of this machine's byte order. */
static bool replay(const char *path)
{
	static uint8_t buf[262144];
	uint32_t head[6], rec[4];
	FILE *in = fopen(path, "rb");
	flow_count = 0;
	if (in == NULL)
		return false;
	if (fread(head, sizeof head, 1, in) != 1 || head[0] != 0xa1b2c3d4 || head[5] != 1) {
		fclose(in);
		return false;
	}
	while (fread(rec, sizeof rec, 1, in) == 1 && rec[2] <= sizeof buf && fread(buf, 1, rec[2], in) == rec[2])
		frame(buf, rec[2], (int64_t)rec[0] * 1000000 + rec[1]);
	fclose(in);
	flows_end();
	return true;
}

static void print_flows(const char *path)
{
	for (unsigned i = 0; i < flow_count; i++) {
		const struct replay_flow *f = &flows[i];
		const struct dpi_result *r = &f->result;
		printf("%s proto %u ports %u %u packets %u fed %u: %s (dpi %s, %s%s) host %s/%d ja3 %s ja4 %s risk %llx names "
		       "%u%s\n",
		       path, f->key.proto, f->key.port[0], f->key.port[1], f->packets, f->fed, f->app, r->app, r->category,
		       r->encrypted ? ", encrypted" : "", r->host, r->host_source, r->ja3, r->ja4,
		       (unsigned long long)r->risk, f->names, f->found);
	}
}

struct want {
	const char *name;
	uint8_t proto;
	uint16_t port;           /* of either end; 0: the protocol has none */
	const char *app, *host, *found;
};

/* Labels that hold with every version of nDPI. */
static const struct want wants[] = {
    {"tls-approved", 6, 443, "TLS", "images.aduana.example", ""},
    {"tls-v6", 6, 443, "TLS", NULL, ""},
    {"one-way", 6, 443, "TLS", "drop.cloud.example", ""},
    {"doubled", 6, 443, "TLS", "drop.cloud.example", ""},
    {"app-not-approved", 6, 443, "SSH", "", ""},
    {"port-not-approved", 6, 80, "HTTP", "images.aduana.example", ""},
    {"ssh-out", 6, 22, "SSH", "", ""},
    {"ftp-pull", 6, 21, "FTP_CONTROL", "", " ftp"},
    {"mqtt", 6, 1883, "MQTT", "", ""},
    {"rsync-pull", 6, 873, "RSYNC", "", ""},
    {"ntp", 17, 123, "NTP", "", ""},
    {"dns", 17, 53, "DNS", "", ""},
    {"dns", 6, 53, "DNS", "", ""},
    {"dns-tunnel", 17, 53, "DNS", "", ""},
    {"icmp", 1, 0, "ICMP", "", ""},
    {"openvpn", 6, 443, "OpenVPN", "", " openvpn"},
    {"openvpn", 17, 1194, "OpenVPN", "", " openvpn"},
    {"dicom", 6, 104, "DICOM", "", " dicom(AE XRAY3 -> ARCHIVE"},
    {"dicom", 6, 11112, "DICOM", "", " dicom(AE XRAY3 -> OUTSIDE"},
    {"file-snaplen-96", 6, 443, "TLS", "", ""},
    {"file-midstream", 6, 443, "TLS", "", ""},
};

static void assert_want(const struct want *w)
{
	unsigned seen = 0;
	for (unsigned i = 0; i < flow_count; i++) {
		const struct replay_flow *f = &flows[i];
		if (f->key.proto != w->proto || (f->key.port[0] != w->port && f->key.port[1] != w->port))
			continue;
		seen++;
		assert_string_equal(f->app, w->app);
		if (w->host != NULL)
			assert_string_equal(f->result.host, w->host);
		assert_memory_equal(f->found, w->found, strlen(w->found));
		if (strcmp(w->app, "DICOM") == 0)
			assert_non_null(strstr(f->found, " dicom-store(Secondary Capture Image Storage)"));
		assert_true((w->host != NULL && w->host[0] == '\0') == (f->result.host_source == HOST_NONE));
	}
	assert_true(seen > 0);
}

static void recorded_traffic(void **state)
{
	(void)state;
	unsigned there = 0;
	for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++) {
		char path[200];
		snprintf(path, sizeof path, "tests/replay/%s/capture.pcap", wants[i].name);
		if (!replay(path))
			continue;
		there++;
		assert_want(&wants[i]);
	}
	if (there == 0)
		skip();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(recorded_traffic)};
	char err[200];
	int rc = 0;
	if (dpi_new(FLOWS_MAX, &dpi, err, sizeof err) != 0 || content_pool_new(FLOWS_MAX, 4096, &pool) != 0) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	if (argc < 2)
		rc = cmocka_run_group_tests(tests, NULL, NULL);
	for (int i = 1; i < argc; i++)
		if (replay(argv[i]))
			print_flows(argv[i]);
	if (argc > 1)
		fprintf(stderr, "%s: %zu bytes a flow; %llu of %llu packets fed\n", dpi_version(), dpi_flow_bytes(),
		        (unsigned long long)packets_fed, (unsigned long long)packets_all);
	content_pool_free(pool);
	dpi_free(dpi);
	return rc;
}

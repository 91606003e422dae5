/* gencap.c - captures for benchmarks, made from recorded flows.
 *
 *   gencap mixed PACKETS OUT TEMPLATE...   many short flows, half of them tagged, all of scanner networks
 *   gencap span  PACKETS OUT TEMPLATE...   the same flows; the untagged half is of other networks
 *   gencap bulk  PACKETS OUT               16 long uploads and 200 idle flows
 *   gencap flood PACKETS OUT               a SYN flood: each packet a new five-tuple
 *
 * mixed takes the flows of the recorded captures (real TLS, HTTP, DNS, SSH …)
 * and writes them again and again from other addresses and ports, a thousand
 * at a time interleaved, about ten packets a flow, 416 bytes on average.
 * The same arguments give the same bytes. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap.h>

#define TEMPLATES_MAX 400
#define PACKETS_PER_TEMPLATE 24
#define FRAME_MAX 1600
#define ACTIVE 1000
#define MEAN_BYTES 416

struct packet {
	uint8_t *l3;          /* IP header and all that follows */
	uint16_t bytes;
	bool from_first;      /* sent by who sent the first packet */
};

struct template {
	struct packet packet[PACKETS_PER_TEMPLATE];
	unsigned count;
	uint64_t bytes;
	uint8_t addr[2][16], proto, version;
	uint16_t port[2];
};

static struct template templates[TEMPLATES_MAX];
static unsigned template_count;
static uint64_t seed = 0x9e3779b97f4a7c15u;

/* xorshift64*, so that the bytes are the same everywhere. */
static uint32_t random_u32(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1du) >> 32);
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static unsigned header_bytes(const uint8_t *l3)
{
	return l3[0] >> 4 == 4 ? (unsigned)(l3[0] & 15) * 4 : 40;
}

/* RFC 1071 */
static uint32_t sum16(const uint8_t *p, unsigned n, uint32_t sum)
{
	for (; n > 1; n -= 2, p += 2)
		sum += get16(p);
	if (n == 1)
		sum += (uint32_t)p[0] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void checksums(uint8_t *l3, unsigned bytes)
{
	const unsigned h = header_bytes(l3);
	const bool v4 = l3[0] >> 4 == 4;
	const uint8_t proto = v4 ? l3[9] : l3[6];
	if (v4) {
		put16(l3 + 10, 0);
		put16(l3 + 10, fold(sum16(l3, h, 0)));
	}
	if ((proto != 6 || bytes < h + 20) && (proto != 17 || bytes < h + 8))
		return;
	uint8_t *at = l3 + h + (proto == 6 ? 16 : 6);
	put16(at, 0);
	uint32_t sum = sum16(v4 ? l3 + 12 : l3 + 8, v4 ? 8 : 32, 0) + proto + (bytes - h);
	const uint16_t value = fold(sum16(l3 + h, bytes - h, sum));
	put16(at, value == 0 && proto == 17 ? 0xffff : value);
}

/* --- templates --- */

static struct template *template_of(const uint8_t *l3, unsigned bytes, bool *ret_from_first)
{
	const bool v4 = l3[0] >> 4 == 4;
	const unsigned alen = v4 ? 4 : 16, h = header_bytes(l3);
	const uint8_t *src = l3 + (v4 ? 12 : 8), *dst = src + alen;
	const uint8_t proto = v4 ? l3[9] : l3[6];
	if ((proto != 6 && proto != 17) || bytes < h + 8)
		return NULL;
	const uint16_t sport = get16(l3 + h), dport = get16(l3 + h + 2);
	for (unsigned i = 0; i < template_count; i++) {
		struct template *t = &templates[i];
		if (t->proto != proto || t->version != l3[0] >> 4)
			continue;
		for (int d = 0; d < 2; d++) {
			if (memcmp(t->addr[d], src, alen) == 0 && memcmp(t->addr[!d], dst, alen) == 0 && t->port[d] == sport &&
			    t->port[!d] == dport) {
				*ret_from_first = d == 0;
				return t;
			}
		}
	}
	if (template_count == TEMPLATES_MAX)
		return NULL;
	struct template *t = &templates[template_count++];
	memcpy(t->addr[0], src, alen);
	memcpy(t->addr[1], dst, alen);
	t->port[0] = sport;
	t->port[1] = dport;
	t->proto = proto;
	t->version = l3[0] >> 4;
	*ret_from_first = true;
	return t;
}

static void add_frame(const uint8_t *frame, unsigned caplen)
{
	unsigned at = 12;
	while (at + 4 < caplen && (get16(frame + at) == 0x8100 || get16(frame + at) == 0x88a8))
		at += 4;
	at += 2;
	if (at + 40 > caplen)
		return;
	const uint8_t *l3 = frame + at;
	unsigned bytes;
	if (get16(l3 - 2) == 0x0800 && l3[0] >> 4 == 4 && (get16(l3 + 6) & 0x3fff) == 0)
		bytes = get16(l3 + 2);
	else if (get16(l3 - 2) == 0x86dd && l3[0] >> 4 == 6)
		bytes = get16(l3 + 4) + 40u;
	else
		return;
	bool from_first;
	if (bytes > caplen - at || bytes > 1500)
		return;
	struct template *t = template_of(l3, bytes, &from_first);
	if (t == NULL || t->count == PACKETS_PER_TEMPLATE)
		return;
	struct packet *p = &t->packet[t->count++];
	p->l3 = malloc(bytes);
	if (p->l3 == NULL)
		exit(1);
	memcpy(p->l3, l3, bytes);
	p->bytes = (uint16_t)bytes;
	p->from_first = from_first;
	t->bytes += bytes;
}

static void read_templates(char **files, int n)
{
	char err[PCAP_ERRBUF_SIZE];
	for (int i = 0; i < n; i++) {
		pcap_t *p = pcap_open_offline(files[i], err);
		if (p == NULL) {
			fprintf(stderr, "gencap: %s\n", err);
			exit(1);
		}
		struct pcap_pkthdr *h;
		const u_char *data;
		while (pcap_datalink(p) == DLT_EN10MB && pcap_next_ex(p, &h, &data) == 1)
			add_frame(data, h->caplen);
		pcap_close(p);
	}
	/* Single packets and one-way flows teach nothing. */
	unsigned kept = 0;
	for (unsigned i = 0; i < template_count; i++) {
		if (templates[i].count >= 2)
			templates[kept++] = templates[i];
	}
	template_count = kept;
	if (kept == 0) {
		fprintf(stderr, "gencap: no TCP or UDP flows in the templates\n");
		exit(1);
	}
}

/* --- output --- */

static FILE *out;
static int64_t clock_us = 1767225600000000;   /* 2026-01-01 */
static uint64_t frames, ip_bytes;
static bool untagged_is_other;   /* span: the switch mirrors more than the scanners' VLANs */

static void open_out(const char *path)
{
	const uint32_t header[6] = {0xa1b2c3d4u, 4u << 16 | 2, 0, 0, 65535, 1};
	out = fopen(path, "wb");
	if (out == NULL || fwrite(header, sizeof header, 1, out) != 1) {
		perror(path);
		exit(1);
	}
	setvbuf(out, NULL, _IOFBF, 1 << 20);
}

static void write_frame(const uint8_t *l3, unsigned bytes, unsigned vlan, bool outward)
{
	static const uint8_t scanner[6] = {0xc0, 0x9b, 0xf4, 0xb0, 0, 7}, office[6] = {2, 0, 0, 0, 1, 7};
	static const uint8_t gate[6] = {2, 0, 0, 0, 0, 1};
	const uint8_t *inside = vlan == 0 && untagged_is_other ? office : scanner;
	uint8_t head[18];
	unsigned n = 12;
	memcpy(head, outward ? gate : inside, 6);
	memcpy(head + 6, outward ? inside : gate, 6);
	if (vlan != 0) {
		put16(head + n, 0x8100);
		put16(head + n + 2, vlan);
		n += 4;
	}
	put16(head + n, l3[0] >> 4 == 4 ? 0x0800 : 0x86dd);
	n += 2;
	const uint32_t record[4] = {(uint32_t)(clock_us / 1000000), (uint32_t)(clock_us % 1000000), n + bytes, n + bytes};
	if (fwrite(record, sizeof record, 1, out) != 1 || fwrite(head, n, 1, out) != 1 || fwrite(l3, bytes, 1, out) != 1) {
		perror("gencap: write");
		exit(1);
	}
	frames++;
	ip_bytes += bytes;
	clock_us += 5 + random_u32() % 10;
}

struct live {
	const struct template *t;
	unsigned next, limit, vlan, padded;
	uint8_t addr[2][16];
	uint16_t port;
	uint32_t seq[2];
};

static void start_flow(struct live *f, uint32_t number)
{
	f->t = &templates[number % template_count];
	f->next = 0;
	f->limit = 10 + random_u32() % 12;
	f->vlan = number & 1 ? 120 : 0;
	f->port = (uint16_t)(1024 + number % 60000);
	const bool other = f->vlan == 0 && untagged_is_other;
	const bool v4 = f->t->version == 4;
	memset(f->addr, 0, sizeof f->addr);
	if (v4) {
		const uint8_t in[4] = {192, 0, 2, (uint8_t)(1 + random_u32() % 60)};
		const uint8_t peer[4] = {(uint8_t)(random_u32() & 1 ? 198 : 203), 0, 0, (uint8_t)random_u32()};
		memcpy(f->addr[0], in, 4);
		f->addr[0][3] |= other ? 0x80 : 0;   /* 192.0.2.128/25 is no scanner's */
		memcpy(f->addr[1], peer, 4);
		f->addr[1][1] = peer[0] == 198 ? 51 : 0;
		f->addr[1][2] = peer[0] == 198 ? 100 : 113;
	} else {
		static const uint8_t in[8] = {0x20, 1, 0x0d, 0xb8, 1, 0x20, 0, 0}, peer[6] = {0x20, 1, 0x0d, 0xb8, 0xf0, 0};
		memcpy(f->addr[0], in, 8);
		f->addr[0][5] = other ? 0x99 : 0x20;
		f->addr[0][15] = (uint8_t)(1 + random_u32() % 60);
		memcpy(f->addr[1], peer, 6);
		put32(f->addr[1] + 12, random_u32());
	}
}

static void rewrite(const struct live *f, const struct packet *p, uint8_t *l3)
{
	const bool v4 = f->t->version == 4;
	const unsigned alen = v4 ? 4 : 16, h = header_bytes(l3);
	uint8_t *src = l3 + (v4 ? 12 : 8);
	memcpy(src, f->addr[!p->from_first], alen);
	memcpy(src + alen, f->addr[p->from_first], alen);
	put16(l3 + h + (p->from_first ? 0 : 2), f->port);
}

static void emit(struct live *f)
{
	uint8_t l3[FRAME_MAX];
	const struct packet *p = &f->t->packet[f->next];
	memcpy(l3, p->l3, p->bytes);
	rewrite(f, p, l3);
	if (l3[0] >> 4 == 4)
		put16(l3 + 4, random_u32() & 0xffff);
	checksums(l3, p->bytes);
	write_frame(l3, p->bytes, f->vlan, p->from_first);
	f->next++;
}

/* Payload packets of a flow that has used its template up: keeps the mean. */
static void emit_data(struct live *f, unsigned payload)
{
	uint8_t l3[FRAME_MAX];
	const struct packet *p = &f->t->packet[f->t->count - 1];
	const unsigned h = header_bytes(p->l3);
	const unsigned l4 = f->t->proto == 6 ? 20 : 8;
	const unsigned bytes = h + l4 + payload;
	memcpy(l3, p->l3, h + (l4 < p->bytes - h ? l4 : p->bytes - h));
	rewrite(f, p, l3);
	if (f->t->version == 4) {
		put16(l3 + 2, bytes);
		put16(l3 + 4, random_u32() & 0xffff);
	} else {
		put16(l3 + 4, bytes - 40);
	}
	if (f->t->proto == 6) {
		l3[h + 12] = 5 << 4;
		l3[h + 13] = 0x18;
		put32(l3 + h + 4, f->padded++ * payload + 1000);
	} else {
		put16(l3 + h + 4, l4 + payload);
	}
	for (unsigned i = 0; i + 4 <= payload; i += 4)
		put32(l3 + h + l4 + i, random_u32());
	checksums(l3, bytes);
	write_frame(l3, bytes, f->vlan, p->from_first);
	f->next++;
}

static void mixed(uint64_t packets)
{
	static struct live active[ACTIVE];
	uint32_t number = 0;
	for (unsigned i = 0; i < ACTIVE; i++)
		start_flow(&active[i], number++);
	while (frames < packets) {
		struct live *f = &active[random_u32() % ACTIVE];
		if (f->next >= f->limit) {
			f->padded = 0;
			start_flow(f, number++);
		}
		/* Link headers are about 16 bytes of the 416. */
		const bool below = ip_bytes + 16 * frames < MEAN_BYTES * frames;
		if (f->next < f->t->count)
			emit(f);
		else if (f->t->proto == 6 && below)
			emit_data(f, 1200);
		else
			f->next = f->limit;
	}
	fprintf(stderr, "gencap: %" PRIu64 " packets, %u flows, %u templates, mean %" PRIu64 " bytes\n", frames, number,
	        template_count, ip_bytes / frames + 16);
}

/* A TCP segment made by hand. */
static void segment(unsigned flow, bool outward, uint8_t flags, uint32_t seq, uint32_t ack, unsigned payload)
{
	uint8_t l3[FRAME_MAX] = {0x45};
	const uint8_t in[4] = {192, 0, 2, (uint8_t)(1 + flow % 60)}, peer[4] = {198, 51, 100, (uint8_t)(1 + flow / 60)};
	const unsigned bytes = 40 + payload;
	put16(l3 + 2, bytes);
	put16(l3 + 4, random_u32() & 0xffff);
	l3[8] = 64;
	l3[9] = 6;
	memcpy(l3 + 12, outward ? in : peer, 4);
	memcpy(l3 + 16, outward ? peer : in, 4);
	put16(l3 + (outward ? 20 : 22), 20000 + flow);
	put16(l3 + (outward ? 22 : 20), 443);
	put32(l3 + 24, seq);
	put32(l3 + 28, ack);
	l3[32] = 5 << 4;
	l3[33] = flags;
	put16(l3 + 34, 65535);
	for (unsigned i = 0; i + 4 <= payload; i += 4)
		put32(l3 + 40 + i, random_u32());
	checksums(l3, bytes);
	write_frame(l3, bytes, 120, outward);
}

static void bulk(uint64_t packets)
{
	enum { UPLOADS = 16, IDLE = 200, PAYLOAD = 1346 };
	uint32_t seq[UPLOADS + IDLE];
	for (unsigned f = 0; f < UPLOADS + IDLE; f++) {
		segment(f, true, 2, 0, 0, 0);
		segment(f, false, 0x12, 0, 1, 0);
		segment(f, true, 0x10, 1, 1, 0);
		seq[f] = 1;
	}
	while (frames < packets) {
		const unsigned f = random_u32() % UPLOADS;
		for (int i = 0; i < 4; i++) {
			segment(f, true, 0x10, seq[f], 1, PAYLOAD);
			seq[f] += PAYLOAD;
		}
		segment(f, false, 0x10, 1, seq[f], 0);
		if (random_u32() % 500 == 0) {
			const unsigned idle = UPLOADS + random_u32() % IDLE;
			segment(idle, true, 0x18, seq[idle], 1, 40);
			seq[idle] += 40;
		}
	}
}

static void flood(uint64_t packets)
{
	while (frames < packets) {
		uint8_t l3[40] = {0x45, 0, 0, 40};
		l3[8] = 64;
		l3[9] = 6;
		const uint8_t peer[4] = {203, 0, 113, (uint8_t)random_u32()}, in[4] = {192, 0, 2, (uint8_t)(random_u32() % 60)};
		memcpy(l3 + 12, peer, 4);
		memcpy(l3 + 16, in, 4);
		put32(l3 + 20, random_u32());
		put32(l3 + 24, random_u32());
		put16(l3 + 4, random_u32() & 0xffff);
		l3[32] = 5 << 4;
		l3[33] = 2;
		checksums(l3, 40);
		write_frame(l3, 40, 120, false);
	}
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: gencap mixed|span|bulk|flood PACKETS OUT [TEMPLATE...]\n");
		return 2;
	}
	const uint64_t packets = strtoull(argv[2], NULL, 10);
	untagged_is_other = strcmp(argv[1], "span") == 0;
	if (untagged_is_other || strcmp(argv[1], "mixed") == 0)
		read_templates(argv + 4, argc - 4);
	open_out(argv[3]);
	if (untagged_is_other || strcmp(argv[1], "mixed") == 0)
		mixed(packets);
	else if (strcmp(argv[1], "bulk") == 0)
		bulk(packets);
	else
		flood(packets);
	return fclose(out) == 0 ? 0 : 1;
}

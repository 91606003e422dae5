/* mutate.c - a damaged copy of a capture, the same for the same seed.
 *   mutate SEED IN OUT
 * Bytes within packets are flipped, overwritten, cut, inserted and swapped;
 * packets are dropped, doubled and reordered; in one of eight copies the
 * framing of the file is damaged too (a record's lengths, or its end cut).
 * OUT is a classic pcap with microseconds. */
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_ROOM 70000u
#define FRAMING_ONE_IN 8u

struct packet_out {
	uint8_t bytes[PACKET_ROOM];
	uint32_t caplen, wirelen;
	uint32_t sec, usec;
};

static uint64_t lot;

static uint32_t draw(uint32_t below)
{
	lot ^= lot << 13;
	lot ^= lot >> 7;
	lot ^= lot << 17;
	return below > 0 ? (uint32_t)((lot >> 24) % below) : 0;
}

static void flip(struct packet_out *p, uint32_t near)
{
	if (p->caplen > 0)
		p->bytes[draw(near)] ^= (uint8_t)(1u << draw(8));
}

/* Values that length and type fields break at. */
static void overwrite(struct packet_out *p, uint32_t near)
{
	static const uint8_t odd[] = {0, 1, 0x3f, 0x40, 0x45, 0x60, 0x7f, 0x80, 0xff};
	for (uint32_t n = 1 + draw(4); n > 0 && p->caplen > 0; n--)
		p->bytes[draw(near)] = odd[draw(sizeof odd)];
}

/* By the snaplen (the wire length stays), or as if the frame had been so. */
static void cut(struct packet_out *p)
{
	p->caplen = draw(p->caplen + 1);
	if (draw(2) == 0)
		p->wirelen = p->caplen;
}

static void insert(struct packet_out *p)
{
	const uint32_t n = 1 + draw(16), at = draw(p->caplen + 1);
	if (p->caplen + n > PACKET_ROOM)
		return;
	memmove(p->bytes + at + n, p->bytes + at, p->caplen - at);
	for (uint32_t i = 0; i < n; i++)
		p->bytes[at + i] = (uint8_t)draw(256);
	p->caplen += n;
	p->wirelen += n;
}

static void swap(struct packet_out *p)
{
	if (p->caplen < 8)
		return;
	const uint32_t n = 1 + draw(p->caplen / 4), a = draw(p->caplen - n + 1), b = draw(p->caplen - n + 1);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t x = p->bytes[a + i];
		p->bytes[a + i] = p->bytes[b + i];
		p->bytes[b + i] = x;
	}
}

static void damage(struct packet_out *p)
{
	/* Most of it where the headers are. */
	const uint32_t near = p->caplen > 80 && draw(4) != 0 ? 80 : p->caplen;
	switch (draw(6)) {
	case 0:
	case 1:
		flip(p, near);
		break;
	case 2:
		overwrite(p, near);
		break;
	case 3:
		cut(p);
		break;
	case 4:
		insert(p);
		break;
	default:
		swap(p);
		break;
	}
}

static bool write_packet(FILE *out, const struct packet_out *p)
{
	const uint32_t h[4] = {p->sec, p->usec, p->caplen, p->wirelen};
	return fwrite(h, sizeof h, 1, out) == 1 && (p->caplen == 0 || fwrite(p->bytes, p->caplen, 1, out) == 1);
}

static bool write_header(FILE *out, int link_type)
{
	struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, sigfigs, snaplen, link;
	} h = {0xa1b2c3d4, 2, 4, 0, 0, PACKET_ROOM, (uint32_t)link_type};
	return fwrite(&h, sizeof h, 1, out) == 1;
}

/* A record whose lengths are nonsense, or half a record; nothing readable follows. */
static bool write_broken(FILE *out, struct packet_out *p)
{
	if (draw(2) == 0) {
		const uint32_t h[4] = {p->sec, p->usec, 0xfffffff0u - draw(1000), p->wirelen};
		return fwrite(h, sizeof h, 1, out) == 1;
	}
	const uint32_t h[4] = {p->sec, p->usec, p->caplen + 1, p->wirelen + 1};
	return fwrite(h, 1 + draw(sizeof h - 1), 1, out) == 1;
}

static bool copy(pcap_t *in, FILE *out)
{
	static struct packet_out now, held;
	struct pcap_pkthdr *h;
	const u_char *data;
	bool holding = false, ok = true;
	uint32_t until_broken = draw(FRAMING_ONE_IN) == 0 ? 1 + draw(100) : UINT32_MAX;
	const uint32_t one_in = 2 + draw(12);

	while (ok && pcap_next_ex(in, &h, &data) == 1) {
		now.caplen = h->caplen < PACKET_ROOM - 64 ? h->caplen : PACKET_ROOM - 64;
		now.wirelen = h->len;
		now.sec = (uint32_t)h->ts.tv_sec;
		now.usec = (uint32_t)h->ts.tv_usec;
		memcpy(now.bytes, data, now.caplen);
		if (--until_broken == 0)
			return write_broken(out, &now);
		const uint32_t fate = draw(200);
		if (fate == 0)
			continue;
		if (draw(one_in) == 0)
			damage(&now);
		if (fate == 1 && !holding) {
			held = now;
			holding = true;
			continue;
		}
		ok = write_packet(out, &now) && (fate != 2 || write_packet(out, &now));
		if (holding && draw(3) == 0) {
			ok = ok && write_packet(out, &held);
			holding = false;
		}
	}
	return ok && (!holding || write_packet(out, &held));
}

int main(int argc, char **argv)
{
	char err[PCAP_ERRBUF_SIZE];

	if (argc != 4) {
		fprintf(stderr, "usage: mutate SEED IN OUT\n");
		return 2;
	}
	lot = (strtoull(argv[1], NULL, 10) + 1) * UINT64_C(0x9e3779b97f4a7c15);
	pcap_t *in = pcap_open_offline(argv[2], err);
	if (in == NULL) {
		fprintf(stderr, "mutate: %s: %s\n", argv[2], err);
		return 1;
	}
	/* What libpcap calls raw IP by a number of this machine. */
	const int link_type = pcap_datalink(in) == DLT_RAW ? 101 : pcap_datalink(in);
	FILE *out = fopen(argv[3], "wb");
	const bool ok = out != NULL && write_header(out, link_type) && copy(in, out);
	pcap_close(in);
	if (out == NULL || fclose(out) != 0 || !ok) {
		perror(argv[3]);
		return 1;
	}
	return 0;
}

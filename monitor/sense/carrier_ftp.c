/* FTP (RFC 959, RFC 2428): what control connections say of data connections.
 * Commands and replies are lines in segments of their own, and are heard without
 * following the connection: a segment that begins with PORT, EPRT, 227 or 229
 * gives an address, one that begins with STOR, RETR, … a name, for the two hosts
 * that the control connection joins.
 * A table of FTP_ENTRIES (160 bytes each); the oldest of a pair of hosts, or of
 * the same place in the table, is forgotten. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "sense/carrier_parts.h"

#define FTP_ENTRIES 512u      /* a power of two */
#define LINE_BYTES 300u       /* of a command and its path */
#define FTP_TIMES 4u          /* data connections of one pair at once */

struct expected {
	struct addr host[2];       /* control connection: its client, its server */
	struct addr at;            /* who listens */
	uint16_t port;             /* there; 0: no entry */
	bool named;
	char name[NAME_MAX_BYTES];
};

struct ftp_table {
	struct expected entry[FTP_ENTRIES];
};

struct ftp_table *ftp_table_new(void)
{
	return calloc(1, sizeof(struct ftp_table));
}

void ftp_table_free(struct ftp_table *t)
{
	free(t);
}

/* The same whichever of the two is first. */
static unsigned pair_place(const struct addr *a, const struct addr *b)
{
	uint32_t h = 0;
	for (size_t i = 0; i < sizeof a->b; i++)
		h = h * 31 + (uint32_t)(a->b[i] + b->b[i]) + ((uint32_t)(a->b[i] ^ b->b[i]) << 9);
	return (h ^ h >> 15) & (FTP_ENTRIES / FTP_TIMES - 1);
}

static bool is_pair(const struct expected *e, const struct addr *a, const struct addr *b)
{
	return e->port != 0 && ((addr_eq(&e->host[0], a) && addr_eq(&e->host[1], b)) ||
	                        (addr_eq(&e->host[0], b) && addr_eq(&e->host[1], a)));
}

/* Entries of a pair's place, the youngest first. */
static struct expected *entries_of(struct ftp_table *t, const struct addr *a, const struct addr *b)
{
	return &t->entry[(size_t)pair_place(a, b) * FTP_TIMES];
}

static void expect(struct ftp_table *t, const struct packet *p, const struct addr *at, uint16_t port)
{
	struct expected *e = entries_of(t, &p->src, &p->dst);
	if (port == 0 || (is_pair(e, &p->src, &p->dst) && addr_eq(&e->at, at) && e->port == port))
		return;   /* a mirror may show it twice */
	memmove(e + 1, e, (FTP_TIMES - 1) * sizeof *e);
	memset(e, 0, sizeof *e);
	e->host[0] = p->src;
	e->host[1] = p->dst;
	e->at = *at;
	e->port = port;
}

/* "h1,h2,h3,h4,p1,p2" (RFC 959, section 5.3.2). The port counts; the address is
 * that of the speaker, as servers behind a translation tell another. */
static uint16_t six_numbers(const char *s)
{
	unsigned v[6] = {0};
	while (*s != '\0' && (*s < '0' || *s > '9'))
		s++;
	for (unsigned i = 0; i < 6; i++, s++) {
		const char *const from = s;
		for (; *s >= '0' && *s <= '9' && s < from + 3; s++)
			v[i] = v[i] * 10 + (unsigned)(*s - '0');
		if (s == from || v[i] > 255 || (i < 5 && *s != ','))
			return 0;
	}
	return (uint16_t)(v[4] << 8 | v[5]);
}

/* "|1|132.235.1.2|6275|" or "|||6446|" (RFC 2428): the number before the last bar. */
static uint16_t bars_number(const char *s)
{
	const char *first = strchr(s, '|'), *last = first != NULL ? strrchr(s, '|') : NULL;
	if (last == NULL || last == first)
		return 0;
	const char *from = last;
	while (from > first && from[-1] >= '0' && from[-1] <= '9')
		from--;
	const unsigned long v = strtoul(from, NULL, 10);
	return v <= UINT16_MAX ? (uint16_t)v : 0;
}

/* The youngest connection gets it, unless it has a name. */
static void give_name(struct ftp_table *t, const struct packet *p, const char *name)
{
	struct expected *e = entries_of(t, &p->src, &p->dst);
	for (unsigned i = 0; i < FTP_TIMES; i++) {
		if (!is_pair(&e[i], &p->src, &p->dst))
			continue;
		if (!e[i].named)
			object_name(e[i].name, (const uint8_t *)name, strlen(name));
		e[i].named = true;
		return;
	}
}

static void hear_line(struct ftp_table *t, const struct packet *p, const char *line)
{
	static const char *const named[] = {"STOR ", "RETR ", "APPE ", "STOU "};
	if (strncmp(line, "227 ", 4) == 0)
		expect(t, p, &p->src, six_numbers(line + 4));
	else if (strncmp(line, "229 ", 4) == 0)
		expect(t, p, &p->src, bars_number(line + 4));
	else if (strncasecmp(line, "PORT ", 5) == 0)
		expect(t, p, &p->src, six_numbers(line + 5));
	else if (strncasecmp(line, "EPRT ", 5) == 0)
		expect(t, p, &p->src, bars_number(line + 5));
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		if (strncasecmp(line, named[i], 5) == 0)
			give_name(t, p, line + 5);
}

/* Asked of every packet: the first four bytes, in upper case, say no of nearly all. */
#define UPPER 0xdfdfdfdfu
#define FOUR(a, b, c, d) (((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d)) & UPPER)

static bool may_be_command(const uint8_t *p)
{
	switch (be32(p) & UPPER) {
	case FOUR('P', 'O', 'R', 'T'):
	case FOUR('E', 'P', 'R', 'T'):
	case FOUR('S', 'T', 'O', 'R'):
	case FOUR('S', 'T', 'O', 'U'):
	case FOUR('R', 'E', 'T', 'R'):
	case FOUR('A', 'P', 'P', 'E'):
	case FOUR('2', '2', '7', ' '):
	case FOUR('2', '2', '9', ' '):
		return true;
	default:
		return false;
	}
}

void ftp_overhear(struct ftp_table *t, const struct packet *p)
{
	char line[LINE_BYTES + 1];
	if (p->proto != IPPROTO_TCP || p->payload_caplen < 8 || p->payload_caplen > LINE_BYTES || !may_be_command(p->payload))
		return;   /* payload of bulk is not even touched */
	const size_t n = p->payload_caplen;
	memcpy(line, p->payload, n);
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	hear_line(t, p, line);
}

bool ftp_is_data(const struct ftp_table *t, const struct carrier_ends *c, char ret_name[static NAME_MAX_BYTES])
{
	const struct expected *e = &t->entry[(size_t)pair_place(&c->addr[0], &c->addr[1]) * FTP_TIMES];
	for (unsigned i = 0; i < FTP_TIMES; i++) {
		if (!is_pair(&e[i], &c->addr[0], &c->addr[1]))
			continue;
		for (unsigned end = 0; end < 2; end++) {
			if (!addr_eq(&e[i].at, &c->addr[end]) || e[i].port != c->port[end])
				continue;
			memcpy(ret_name, e[i].name, NAME_MAX_BYTES);
			return true;
		}
	}
	return false;
}

/* The headers show the module to those who are the library. */
#define NDPI_LIB_COMPILATION
#include "sense/dpi_memo.h"

#include "sense/dpi_stand_in.h"

#if DPI_STANDS_IN

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"
#include "base/seed.h"

#define TEXT_MAX 120u
#define PORT_DNS 53u
#define PORT_TLS 443u
#define PORT_CLIENT 1024u   /* a client's is not below */

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16, TCP_URG = 32 };

/* What the outcome depends on beside the payload. */
struct place {
	uint16_t port[2];         /* the server's as it is, 0 for the client's */
	uint16_t host_protocol;   /* of the networks that nDPI knows */
	uint16_t payload_bytes;
	uint8_t proto, ip_version, tcp_flags;
	uint8_t upwards;          /* the order of the addresses, which nDPI takes for a direction */
};

struct entry {
	uint64_t hash, used;      /* used: when, 0: never */
	struct place place;
	uint8_t payload[MEMO_BYTES];
	char alpn[TEXT_MAX], versions[TEXT_MAX];
	bool has_alpn, has_versions;
	struct dpi_flow flow;
};

enum port_kind { PORT_UNSEEN = 0, PORT_ANY, PORT_KNOWN };

struct dpi_memo {
	struct dpi *dpi;
	uint64_t seed, clock;
	struct dpi_memo_stats stats;
	/* The packet asked for last and not recalled. */
	bool pending;
	uint64_t hash;
	struct place place;
	uint8_t payload[MEMO_BYTES];
	uint8_t kind[2][65536];   /* enum port_kind of TCP and UDP */
	struct entry entry[MEMO_ENTRIES];
};

struct dpi_memo *dpi_memo_new(struct dpi *d)
{
	if (ndpi_get_ndpi_detection_module_size() != sizeof(struct ndpi_detection_module_struct))
		return NULL;
	struct dpi_memo *m = calloc(1, sizeof *m);
	if (m != NULL) {
		m->dpi = d;
		m->seed = seed_new();
	}
	return m;
}

void dpi_memo_free(struct dpi_memo *m)
{
	free(m);
}

void dpi_memo_stats(const struct dpi_memo *m, struct dpi_memo_stats *ret)
{
	*ret = m != NULL ? m->stats : (struct dpi_memo_stats){0};
}

/* --- what is the same --- */

static void blank(uint8_t *p, size_t at, size_t n)
{
	memset(p + at, 0, n);
}

/* ClientHello: record header 5, handshake type 1, length 3, version 2, random
 * 32, session id, cipher suites 2, compression methods 1, extensions 2. Blanks
 * what differs from one to the next; false where it is not whole and tidy. */
static bool hello_blank(uint8_t *p, size_t n)
{
	enum { EXT_TICKET = 35, EXT_PSK = 41, EXT_KEY_SHARE = 51 };
	struct bytes b = bytes_of(p, n);
	if (n < 11 || p[0] != 0x16 || p[1] != 3 || be16(p + 3) != n - 5 || p[5] != 1 || p[6] != 0 || be16(p + 7) != n - 9)
		return false;
	bytes_take(&b, 11);
	const uint8_t *random = bytes_take(&b, 32);
	const uint8_t session_bytes = bytes_u8(&b);
	const uint8_t *session = bytes_take(&b, session_bytes);
	bytes_take(&b, bytes_u16(&b));
	bytes_take(&b, bytes_u8(&b));
	const uint16_t extensions = bytes_u16(&b);
	if (b.failed || session_bytes > 32 || extensions != b.left)
		return false;
	blank(p, (size_t)(random - p), 32);
	blank(p, (size_t)(session - p), session_bytes);
	while (!b.failed && b.left > 0) {
		const uint16_t type = bytes_u16(&b), bytes = bytes_u16(&b);
		const uint8_t *body = bytes_take(&b, bytes);
		if (body != NULL && (type == EXT_TICKET || type == EXT_PSK || type == EXT_KEY_SHARE))
			blank(p, (size_t)(body - p), bytes);
	}
	return !b.failed;
}

/* The payload as it is compared, in m->payload. False: not of these kinds. */
static bool payload_take(struct dpi_memo *m, const struct dpi_view *v)
{
	const size_t n = v->payload_bytes;
	if (n > MEMO_BYTES || n < 12)
		return false;
	memcpy(m->payload, v->payload, n);
	if (v->proto == IPPROTO_TCP)
		return hello_blank(m->payload, n);
	blank(m->payload, 0, 2);
	return true;
}

/* A port that no dissector has for its own. Each is looked up once. */
static bool is_client_port(struct dpi_memo *m, uint8_t proto, uint16_t port)
{
	uint8_t *kind = &m->kind[proto == IPPROTO_UDP][port], ours;
	if (port < PORT_CLIENT)
		return false;
	if (*kind == PORT_UNSEEN)
		*kind = ndpi_guess_protocol_id(m->dpi->module, NULL, proto, port, port, &ours) == NDPI_PROTOCOL_UNKNOWN
		            ? PORT_ANY : PORT_KNOWN;
	return *kind == PORT_ANY;
}

/* nDPI's table of networks, asked as it asks. */
static uint16_t host_protocol(struct dpi_memo *m, const uint8_t *l3, const struct dpi_view *v)
{
	struct in_addr a;
	memcpy(&a, l3 + 12, sizeof a);
	const uint16_t found = ndpi_network_port_ptree_match(m->dpi->module, &a, htons(v->port[0]));
	if (found != NDPI_PROTOCOL_UNKNOWN)
		return found;
	memcpy(&a, l3 + 16, sizeof a);
	return ndpi_network_port_ptree_match(m->dpi->module, &a, htons(v->port[1]));
}

/* What it remembers of certificates that other flows of that server had. */
static bool server_is_cached(const struct dpi_memo *m, const uint8_t *l3, const struct dpi_view *v)
{
	const struct ndpi_detection_module_struct *module = m->dpi->module;
	uint32_t server;
	uint16_t cached;
	if (v->proto != IPPROTO_TCP || module->tls_cert_cache == NULL)
		return false;
	memcpy(&server, l3 + 16, sizeof server);
	return ndpi_lru_find_cache(module->tls_cert_cache, server + htons(v->port[1]), &cached, 0) != 0;
}

static bool place_v4(struct dpi_memo *m, const uint8_t *l3, const struct dpi_view *v, struct place *p)
{
	/* no options, no fragment */
	if ((l3[0] & 15) != 5 || (be16(l3 + 6) & 0xbfff) != 0 || server_is_cached(m, l3, v))
		return false;
	p->upwards = be32(l3 + 12) < be32(l3 + 16);
	p->host_protocol = host_protocol(m, l3, v);
	return true;
}

static bool place_v6(const uint8_t *l3, const struct dpi_view *v, struct place *p)
{
	struct ndpi_ipv6hdr h;
	if (l3[6] != v->proto)   /* extension headers */
		return false;
	memcpy(&h, l3, sizeof h);
	p->upwards = NDPI_COMPARE_IPV6_ADDRESS_STRUCTS(h.ip6_src, h.ip6_dst);
	return true;
}

static bool place_of(struct dpi_memo *m, const uint8_t *l3, const struct dpi_view *v, struct place *p)
{
	*p = (struct place){.proto = v->proto, .ip_version = l3[0] >> 4, .payload_bytes = (uint16_t)v->payload_bytes};
	if (v->proto == IPPROTO_TCP) {
		p->tcp_flags = v->tcp_flags;
		if (v->port[1] != PORT_TLS || !is_client_port(m, v->proto, v->port[0]) ||
		    (p->tcp_flags & (TCP_SYN | TCP_RST | TCP_URG | TCP_FIN | TCP_ACK)) != TCP_ACK)
			return false;
		p->port[1] = PORT_TLS;
	} else if (v->proto == IPPROTO_UDP) {
		const unsigned server = v->port[0] == PORT_DNS ? 0 : 1;
		if (v->port[server] != PORT_DNS || !is_client_port(m, v->proto, v->port[1 - server]))
			return false;
		p->port[server] = PORT_DNS;
	} else {
		return false;
	}
	return p->ip_version == 4 ? place_v4(m, l3, v, p) : place_v6(l3, v, p);
}

/* --- the table --- */

static struct entry *set_of(struct dpi_memo *m, uint64_t hash)
{
	return &m->entry[hash % (MEMO_ENTRIES / MEMO_WAYS) * MEMO_WAYS];
}

static struct entry *find(struct dpi_memo *m)
{
	struct entry *set = set_of(m, m->hash);
	for (unsigned i = 0; i < MEMO_WAYS; i++) {
		struct entry *e = &set[i];
		if (e->used != 0 && e->hash == m->hash && memcmp(&e->place, &m->place, sizeof e->place) == 0 &&
		    memcmp(e->payload, m->payload, e->place.payload_bytes) == 0)
			return e;
	}
	return NULL;
}

static bool text_recall(const char *from, bool has, char **ret)
{
	*ret = NULL;
	if (!has)
		return true;
	const size_t n = strlen(from) + 1;
	*ret = ndpi_malloc(n);
	if (*ret != NULL)
		memcpy(*ret, from, n);
	return *ret != NULL;
}

/* What is of this packet and not of its kind. */
static void own_write(struct dpi_flow *f, const uint8_t *l3, const struct dpi_view *v, uint64_t ms)
{
	struct ndpi_flow_struct *n = &f->n;
	const bool v4 = l3[0] >> 4 == 4;
	const unsigned direction = v->port[0] < v->port[1];
	if (v4) {
		memcpy(&n->saddr, l3 + 12, sizeof n->saddr);
		memcpy(&n->daddr, l3 + 16, sizeof n->daddr);
	}
	n->sport = htons(v->port[0]);
	n->dport = htons(v->port[1]);
	n->last_packet_time_ms = ms;
	f->fed_bytes = (uint32_t)(v->payload - l3) + v->payload_bytes;
	if (v->proto == IPPROTO_TCP) {
		const uint32_t next = v->tcp_seq + v->payload_bytes;
		n->next_tcp_seq_nr[direction] = next;
		n->l4.tcp.tls.message.next_seq[direction] = next;
	}
}

static bool recall(const struct entry *e, struct dpi_flow *f, const uint8_t *l3, const struct dpi_view *v, uint64_t ms)
{
	char *alpn, *versions;
	if (!text_recall(e->alpn, e->has_alpn, &alpn))
		return false;
	if (!text_recall(e->versions, e->has_versions, &versions)) {
		ndpi_free(alpn);
		return false;
	}
	memcpy(f, &e->flow, sizeof *f);
	if (v->proto == IPPROTO_TCP) {
		f->n.protos.tls_quic.alpn = alpn;
		f->n.protos.tls_quic.tls_supported_versions = versions;
	}
	own_write(f, l3, v, ms);
	return true;
}

bool dpi_memo_recall(struct dpi_memo *m, struct dpi_flow *f, const uint8_t *l3, const struct dpi_view *v, uint64_t ms)
{
	if (m == NULL)
		return false;
	m->pending = false;
	if (!place_of(m, l3, v, &m->place) || !payload_take(m, v))
		return false;
	m->hash = XXH3_64bits_withSeed(m->payload, v->payload_bytes, m->seed + m->place.host_protocol);
	struct entry *e = find(m);
	if (e != NULL && recall(e, f, l3, v, ms)) {
		e->used = ++m->clock;
		m->stats.recalled++;
		return true;
	}
	m->pending = e == NULL;
	m->stats.asked++;
	return false;
}

/* --- keeping --- */

/* nDPI does more than it leaves in the flow: it remembers who these are for
 * flows to come. */
static bool is_remembered_elsewhere(const struct dpi_flow *f)
{
	static const uint16_t ids[] = {NDPI_PROTOCOL_MSTEAMS, NDPI_PROTOCOL_SKYPE_TEAMS, NDPI_PROTOCOL_SKYPE_CALL,
	                               NDPI_PROTOCOL_ZOOM};
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		if (dpi_label_is(f, ids[i]) || f->n.detected_protocol_stack[0] == ids[i] ||
		    f->n.detected_protocol_stack[1] == ids[i])
			return true;
	return false;
}

/* The port's own dissector knew it, and by this packet alone. */
static bool is_first_hand(const struct dpi_flow *f, uint16_t carrier)
{
	const uint16_t *stack = f->n.detected_protocol_stack;
	return (stack[0] == carrier || stack[1] == carrier) && f->n.guessed_protocol_id == carrier &&
	       f->n.confidence == NDPI_CONFIDENCE_DPI && f->n.num_processed_pkts == 1 && f->fed == 1 && f->empty == 0;
}

/* Does it hold nothing in memory of its own but the texts that are kept? */
static bool has_only_texts(const struct dpi_flow *f)
{
	const struct ndpi_flow_struct *n = &f->n;
	if (n->http.url != NULL || n->http.content_type != NULL || n->http.request_content_type != NULL ||
	    n->http.user_agent != NULL || n->http.detected_os != NULL || n->http.nat_ip != NULL ||
	    n->kerberos_buf.pktbuf != NULL)
		return false;
	if (f->proto == IPPROTO_UDP)
		return n->l4.udp.quic_reasm_buf == NULL;
	return n->protos.tls_quic.server_names == NULL && n->protos.tls_quic.issuerDN == NULL &&
	       n->protos.tls_quic.subjectDN == NULL && n->protos.tls_quic.encrypted_sni.esni == NULL &&
	       n->l4.tcp.tls.message.buffer_used == 0;
}

static bool text_keep(const char *text, char to[TEXT_MAX], bool *ret_has)
{
	*ret_has = text != NULL;
	if (text == NULL)
		return true;
	const size_t n = strnlen(text, TEXT_MAX);
	if (n == TEXT_MAX)
		return false;
	memcpy(to, text, n + 1);
	return true;
}

static struct entry *oldest(struct dpi_memo *m)
{
	struct entry *set = set_of(m, m->hash), *e = set;
	for (unsigned i = 1; i < MEMO_WAYS; i++)
		if (set[i].used < e->used)
			e = &set[i];
	m->stats.entries += e->used == 0;
	return e;
}

void dpi_memo_keep(struct dpi_memo *m, const struct dpi_flow *f)
{
	if (m == NULL || !m->pending)
		return;
	m->pending = false;
	const bool tls = f->proto == IPPROTO_TCP;
	if (!is_first_hand(f, tls ? NDPI_PROTOCOL_TLS : NDPI_PROTOCOL_DNS) || is_remembered_elsewhere(f) ||
	    !has_only_texts(f) || (tls && f->n.l4.tcp.tls.message.buffer == NULL))
		return;
	struct entry *e = oldest(m);
	e->used = 0;
	if (tls && (!text_keep(f->n.protos.tls_quic.alpn, e->alpn, &e->has_alpn) ||
	            !text_keep(f->n.protos.tls_quic.tls_supported_versions, e->versions, &e->has_versions))) {
		m->stats.entries--;
		return;
	}
	e->has_alpn = e->has_alpn && tls;
	e->has_versions = e->has_versions && tls;
	e->hash = m->hash;
	e->place = m->place;
	memcpy(e->payload, m->payload, m->place.payload_bytes);
	memcpy(&e->flow, f, sizeof *f);
	if (tls) {   /* made again with the next packet, should there be one */
		e->flow.n.l4.tcp.tls.message.buffer = NULL;
		e->flow.n.l4.tcp.tls.message.buffer_len = 0;
		e->flow.n.protos.tls_quic.alpn = e->flow.n.protos.tls_quic.tls_supported_versions = NULL;
	}
	e->used = ++m->clock;
}

#else

struct dpi_memo *dpi_memo_new(struct dpi *d)
{
	(void)d;
	return NULL;
}

void dpi_memo_free(struct dpi_memo *m)
{
	(void)m;
}

bool dpi_memo_recall(struct dpi_memo *m, struct dpi_flow *f, const uint8_t *l3, const struct dpi_view *v, uint64_t ms)
{
	(void)m, (void)f, (void)l3, (void)v, (void)ms;
	return false;
}

void dpi_memo_keep(struct dpi_memo *m, const struct dpi_flow *f)
{
	(void)m, (void)f;
}

void dpi_memo_stats(const struct dpi_memo *m, struct dpi_memo_stats *ret)
{
	(void)m;
	*ret = (struct dpi_memo_stats){0};
}

#endif

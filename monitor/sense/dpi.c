#include "sense/dpi.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "sense/dns.h"
#include "sense/dpi_memo.h"
#include "sense/dpi_ndpi.h"
#include "sense/dpi_stand_in.h"
#include "sense/recognise.h"

#define PACKET_MAX 65535   /* nDPI's length is 16 bits */
#define TAIL_BYTES 512     /* zeros behind a packet: 4.2 reads past it in places */
#define BLOCK_FLOWS 64
#define TCP_SYN 2

/* What nDPI itself may hold for live flows: 4 KB for each of max_flows, or
 * this. Past it a flow gets one packet and is then finished. */
#define HEAP_LEAST ((size_t)64 << 20)
#define HEAP_PER_FLOW 4096

/* Packets given to nDPI, at most. Measured on recorded traffic: what is not
 * known by then does not become known (tests/bench/RESULTS.md). */
#define TCP_PACKETS 24
#define UDP_PACKETS 8
#define FULL_BYTES 1000    /* in a segment: bulk, of which a flow that is not known yet … */
#define FULL_AFTER 5       /* … shows nDPI as many packets; small ones go on to it */
#define FLOW_BYTES 40000   /* the same in bytes: nDPI keeps what is not a whole record yet */
#define EMPTY_PACKETS 64   /* a flow of nothing but empty segments is given up after these */

struct dpi_block {
	struct dpi_block *next;
	struct dpi_flow flow[BLOCK_FLOWS];
};

const char *dpi_version(void)
{
	static char text[64];
	snprintf(text, sizeof text, "nDPI %d.%d (%s)", NDPI_MAJOR, NDPI_MINOR, ndpi_revision());
	return text;
}

size_t dpi_flow_bytes(void)
{
	return sizeof(struct dpi_flow);
}

#if !NDPI_FROM(5, 0)
static void protocol_off(NDPI_PROTOCOL_BITMASK *mask, unsigned id)
{
	/* as NDPI_BITMASK_DEL, whose arithmetic is in another width than the mask */
	mask->fds_bits[id / NDPI_BITS] &= ~((ndpi_ndpi_mask)1 << id % NDPI_BITS);
}

/* DTLS: a valid handshake crashes 4.2 (a UDP flow's TCP header is read); tinc:
 * reads past the packet. Later versions have neither, but the label of DTLS is
 * content's everywhere. */
static void protocols_on(struct ndpi_detection_module_struct *m)
{
	NDPI_PROTOCOL_BITMASK all;
	NDPI_BITMASK_SET_ALL(all);
	protocol_off(&all, NDPI_PROTOCOL_DTLS);
	protocol_off(&all, NDPI_PROTOCOL_TINC);
	ndpi_set_protocol_detection_bitmask2(m, &all);
}
#endif

static struct ndpi_detection_module_struct *module_new(void)
{
#if NDPI_FROM(4, 10)
	struct ndpi_detection_module_struct *m = ndpi_init_detection_module(NULL);
#else
	struct ndpi_detection_module_struct *m = ndpi_init_detection_module(ndpi_no_prefs);
#endif
	if (m == NULL)
		return NULL;
#if !NDPI_FROM(5, 0)
	protocols_on(m);
#endif
#if NDPI_FROM(4, 10)
	ndpi_set_config(m, NULL, "dpi.guess_on_giveup", "0x0");
	if (ndpi_finalize_initialization(m) != 0) {
		ndpi_exit_detection_module(m);
		return NULL;
	}
#else
	ndpi_finalize_initialization(m);
#endif
	return m;
}

int dpi_new(uint32_t max_flows, struct dpi **ret, char *err, size_t err_size)
{
	dpi_memory_count();
	if (!dpi_stand_in_begin()) {
		snprintf(err, err_size, "nDPI: the library (%s) is another than its headers say", ndpi_revision());
		return ERR_UNSUPPORTED;
	}
	const size_t library = ndpi_detection_get_sizeof_ndpi_flow_struct();
	if (library != sizeof(struct ndpi_flow_struct)) {
		snprintf(err, err_size,
		         "nDPI: built with headers of %d.%d, whose flows are %zu bytes, but the library's (%s) are %zu",
		         NDPI_MAJOR, NDPI_MINOR, sizeof(struct ndpi_flow_struct), ndpi_revision(), library);
		return ERR_UNSUPPORTED;
	}
	struct dpi *d = calloc(1, sizeof *d);
	if (d != NULL) {
		d->max_flows = max_flows;
		d->packet = calloc(1, PACKET_MAX + TAIL_BYTES);
		d->module = module_new();
		const size_t flows = (size_t)max_flows * HEAP_PER_FLOW;
		d->heap_max = dpi_memory_bytes() + (flows > HEAP_LEAST ? flows : HEAP_LEAST);
	}
	if (d == NULL || d->packet == NULL || d->module == NULL) {
		snprintf(err, err_size, "nDPI: no memory, or it does not start");
		dpi_free(d);
		return ERR_NOMEM;
	}
	d->memo = dpi_memo_new(d);
	*ret = d;
	return 0;
}

void dpi_free(struct dpi *d)
{
	if (d == NULL)
		return;
	dpi_memo_free(d->memo);
	if (d->module != NULL)
		ndpi_exit_detection_module(d->module);
	while (d->blocks != NULL) {
		struct dpi_block *b = d->blocks;
		d->blocks = b->next;
		free(b);
	}
	free(d->packet);
	free(d);
}

/* Blocks are never given back: what was needed once will be needed again. */
static void block_add(struct dpi *d)
{
	struct dpi_block *b = d->flow_count < d->max_flows ? malloc(sizeof *b) : NULL;
	if (b == NULL)
		return;
	b->next = d->blocks;
	d->blocks = b;
	for (unsigned i = 0; i < BLOCK_FLOWS && d->flow_count < d->max_flows; i++, d->flow_count++) {
		b->flow[i].next = d->free_flows;
		d->free_flows = &b->flow[i];
	}
}

struct dpi_flow *dpi_flow_new(struct dpi *d)
{
	if (d->free_flows == NULL)
		block_add(d);
	struct dpi_flow *f = d->free_flows;
	if (f == NULL)
		return NULL;
	d->free_flows = f->next;
	memset(f, 0, sizeof *f);
	return f;
}

void dpi_flow_free(struct dpi *d, struct dpi_flow *f)
{
	if (f == NULL)
		return;
	ndpi_free_flow_data(&f->n);
	f->next = d->free_flows;
	d->free_flows = f;
}

void dpi_stats(const struct dpi *d, struct dpi_stats *ret)
{
	*ret = (struct dpi_stats){.heap_bytes = dpi_memory_bytes(), .heap_max = d->heap_max, .cut_short = d->cut_short};
}

/* Skip IPv6 extension headers (RFC 8200, section 4) from offset 40.
 * Returns the offset of the transport header or 0. */
static uint32_t v6_transport(const uint8_t *l3, uint32_t len, uint8_t *ret_proto)
{
	uint32_t at = 40;
	uint8_t next = l3[6];
	for (unsigned i = 0; i < 8; i++) {
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS &&
		    next != IPPROTO_FRAGMENT && next != IPPROTO_AH) {
			*ret_proto = next;
			return at <= len ? at : 0;
		}
		if (len < 8 || at > len - 8)
			return 0;
		const uint32_t bytes = next == IPPROTO_FRAGMENT ? 8
		                       : next == IPPROTO_AH     ? (l3[at + 1] + 2U) * 4
		                                                : (l3[at + 1] + 1U) * 8;
		next = l3[at];
		at += bytes;
	}
	return 0;
}

/* Find the payload, and make the lengths in the headers those of the bytes that
 * are there: nDPI drops what a snaplen has cut, though its beginning says all.
 * l3 is our copy. false: no packet that nDPI may see. */
static bool packet_prepare(uint8_t *l3, uint32_t len, struct dpi_view *ret)
{
	uint32_t l4;
	if (len >= 20 && l3[0] >> 4 == 4) {
		l4 = (l3[0] & 15U) * 4;
		ret->proto = l3[9];
		if (l4 < 20 || l4 > len || (be16(l3 + 6) & 0x1fff) != 0)
			return false;
		l3[2] = (uint8_t)(len >> 8);
		l3[3] = (uint8_t)len;
	} else if (len >= 40 && l3[0] >> 4 == 6) {
		l4 = v6_transport(l3, len, &ret->proto);
		if (l4 == 0)
			return false;
		l3[4] = (uint8_t)((len - 40) >> 8);
		l3[5] = (uint8_t)(len - 40);
	} else {
		return false;
	}
	uint8_t *t = l3 + l4;
	const uint32_t n = len - l4;
	uint32_t header = 0;
	if (ret->proto == IPPROTO_TCP) {
		header = n >= 20 ? (t[12] >> 4) * 4U : 0;
		if (header < 20 || header > n)
			return false;
		ret->tcp_seq = be32(t + 4);
		ret->tcp_flags = t[13];
	} else if (ret->proto == IPPROTO_UDP) {
		header = 8;
		if (n < header)
			return false;
		t[4] = (uint8_t)(n >> 8);
		t[5] = (uint8_t)n;
	}
	if (header > 0) {
		ret->port[0] = be16(t);
		ret->port[1] = be16(t + 2);
	}
	ret->payload = t + header;
	ret->payload_bytes = n - header;
	return true;
}

/* Is this payload a DNS message, or the beginning of one over TCP (length 2,
 * message; RFC 7766, section 8)? */
static bool is_dns(const struct dpi_view *v)
{
	struct dns_answer a;
	if (v->proto == IPPROTO_UDP)
		return dns_parse(v->payload, v->payload_bytes, &a) == 0;
	return v->proto == IPPROTO_TCP && v->payload_bytes >= 2 && be16(v->payload) >= 12 &&
	       dns_begins(v->payload + 2, v->payload_bytes - 2);
}

static void see_tls(struct dpi_flow *f, const struct dpi_view *v)
{
	if (v->proto == IPPROTO_TCP && recognise_tls(v->payload, v->payload_bytes)) {
		f->seen |= f->seen & SEEN_TLS ? SEEN_TLS_TWICE : SEEN_TLS;
		if (recognise_tls_hello(v->payload, v->payload_bytes))
			f->seen |= SEEN_TLS_HELLO;
	}
}

static void see_dns(struct dpi_flow *f, const struct dpi_view *v)
{
	if (!(f->seen & SEEN_DNS) &&
	    (v->port[0] == 53 || v->port[1] == 53 || dpi_label_is(f, NDPI_PROTOCOL_DNS) ||
	     dpi_label_is(f, NDPI_PROTOCOL_MDNS)) &&
	    is_dns(v))
		f->seen |= SEEN_DNS;
}

/* Has nDPI anything more to learn of a flow that it has a label for? */
static bool more_to_learn(struct dpi *d, struct dpi_flow *f)
{
	if ((f->seen & (SEEN_CONNECT | SEEN_WITHIN)) == SEEN_CONNECT)
		return true;
	/* we read DNS ourselves; nDPI would wait for an answer */
	if (dpi_label_is(f, NDPI_PROTOCOL_DNS) && (f->seen & SEEN_DNS))
		return false;
#if NDPI_FROM(5, 0)
	(void)d;
	return f->n.extra_packets_func != NULL ||
	       (f->label.state != NDPI_STATE_CLASSIFIED && f->label.state != NDPI_STATE_MONITORING);
#else
	return ndpi_extra_dissection_possible(d->module, &f->n);
#endif
}

static uint64_t ms_of(int64_t time_us)
{
	return time_us > 0 ? (uint64_t)time_us / 1000 : 0;
}

static void process(struct dpi *d, struct dpi_flow *f, uint32_t len, int64_t time_us, bool from_client)
{
	const uint64_t ms = ms_of(time_us);
#if NDPI_FROM(4, 6)
	struct ndpi_flow_input_info in;
	memset(&in, 0, sizeof in);
	in.in_pkt_dir = from_client ? NDPI_IN_PKT_DIR_C_TO_S : NDPI_IN_PKT_DIR_S_TO_C;
	f->label = ndpi_detection_process_packet(d->module, &f->n, d->packet, (unsigned short)len, ms, &in);
#else
	(void)from_client;
	f->label = ndpi_detection_process_packet(d->module, &f->n, d->packet, (unsigned short)len, ms);
#endif
}

static bool labelled(const struct dpi_flow *f)
{
	return NDPI_APP(f->label) != NDPI_PROTOCOL_UNKNOWN || NDPI_MASTER(f->label) != NDPI_PROTOCOL_UNKNOWN;
}

static enum dpi_state state_after(struct dpi *d, struct dpi_flow *f)
{
	const unsigned most = f->proto == IPPROTO_TCP ? TCP_PACKETS : UDP_PACKETS;
	const bool short_of_memory = dpi_memory_bytes() > d->heap_max;
	if (f->fed >= most || f->fed_bytes >= FLOW_BYTES || f->empty >= EMPTY_PACKETS || short_of_memory ||
	    (labelled(f) && !more_to_learn(d, f))) {
		d->cut_short += short_of_memory;
		dpi_finish(d, f);
	}
	return f->done ? DPI_DONE : labelled(f) || (f->seen & SEEN_TLS_SURE) ? DPI_PARTIAL : DPI_MORE;
}

/* On nDPI's own captures the last flow that a full segment made known was so
 * with its fourth packet (tests/bench/RESULTS.md). */
static bool is_bulk(const struct dpi_flow *f, const struct dpi_view *v)
{
	/* of TLS it may be a part of a long record */
	return v->proto == IPPROTO_TCP && f->fed >= FULL_AFTER && v->payload_bytes >= FULL_BYTES && f->seen == 0 &&
	       !recognise_tls(v->payload, v->payload_bytes) && !labelled(f);
}

enum dpi_state dpi_feed(struct dpi *d, struct dpi_flow *f, const uint8_t *l3, uint32_t len, int64_t time_us,
                        bool from_client)
{
	struct dpi_view v = {.payload = NULL};
	if (f->done)
		return DPI_DONE;
	if (len > PACKET_MAX)
		len = PACKET_MAX;
	memcpy(d->packet, l3, len);
	memset(d->packet + len, 0, TAIL_BYTES);
	if (!packet_prepare(d->packet, len, &v) || (f->fed > 0 && v.proto != f->proto)) {
		f->empty++;
		return state_after(d, f);
	}
	f->proto = v.proto;
	if (v.payload_bytes == 0 && v.proto == IPPROTO_TCP && (v.tcp_flags & TCP_SYN) == 0) {
		f->empty++;   /* an acknowledgement teaches nothing */
		return state_after(d, f);
	}
	const bool first = f->fed == 0 && f->empty == 0;
	if (first && dpi_memo_recall(d->memo, f, d->packet, &v, ms_of(time_us)))
		return state_after(d, f);
	if (!is_bulk(f, &v))
		process(d, f, len, time_us, from_client);
	f->fed++;
	f->fed_bytes += len;
	see_tls(f, &v);
	see_dns(f, &v);
	dpi_host_see(f, &v);
	if (first)
		dpi_memo_keep(d->memo, f);
	return state_after(d, f);
}

void dpi_finish(struct dpi *d, struct dpi_flow *f)
{
	if (f->done)
		return;
	f->done = true;
	if (labelled(f) || f->fed == 0)
		return;
#if NDPI_FROM(5, 0)
	f->label = ndpi_detection_giveup(d->module, &f->n);
#elif NDPI_FROM(4, 10)
	uint8_t guessed;
	f->label = ndpi_detection_giveup(d->module, &f->n, &guessed);
#else
	uint8_t guessed;
	f->label = ndpi_detection_giveup(d->module, &f->n, 0, &guessed);
#endif
}

#include "sense/content.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "sense/content_memo.h"
#include "sense/content_pool.h"
#include "sense/recognise.h"
#include "sense/recognise_channel.h"

#define PACKETS_MAX 32       /* with payload: what is not recognised by then stays so */
#define PACKETS_MID 96       /* where the beginning was not seen and a PDU's start must be met by chance */
#define DATAGRAMS_MAX 12     /* other than DNS */
#define BAD_DNS_MAX 8        /* datagrams or messages that are no DNS, before the first and between good ones */
#define PDUS_MAX 8           /* of DICOM, before the first image */
#define HOLE_PACKETS 16      /* packets behind a hole before it counts as a gap */

#define PDU_HEADER 6u        /* of DICOM */
#define PDU_LAST 7           /* type A-ABORT */

#define DNS_PORT 53
#define DNS_HEADER 12
#define DNS_BEGIN_MAX (DNS_HEADER + 255 + 4)   /* a header and one question are whole by then */

enum word { WORD_DICOM, WORD_DICOS, WORD_STORE, WORD_STORE_DICOS, WORD_DTLS, WORD_OPENVPN, WORD_FTP,
	WORD_TAILSCALE, WORD_ZEROTIER, WORD_FRP, WORD_SOCKS, WORD_HEAD };

/* What one end began with says nothing before the other end has spoken. */
enum { HINT_220 = 1, HINT_USER = 2, HINT_HEAD = 4 /* and 8 for the other end: its request was read */ };

static const struct {
	const char *word, *app, *category;
	bool encrypted;
} words[] = {
    [WORD_DICOM] = {"dicom", "DICOM", "Imaging", false},
    [WORD_DICOS] = {"dicos", "DICOS", "Imaging", false},
    [WORD_STORE] = {"dicom-store", "DICOM", "Imaging", false},
    [WORD_STORE_DICOS] = {"dicom-store", "DICOS", "Imaging", false},
    [WORD_DTLS] = {"dtls", "DTLS", "Web", true},
    [WORD_OPENVPN] = {"openvpn", "OpenVPN", "VPN", true},
    [WORD_FTP] = {"ftp", "FTP_CONTROL", "Download", false},
    [WORD_TAILSCALE] = {"tailscale", "Tailscale", "VPN", true},
    [WORD_ZEROTIER] = {"zerotier", "ZeroTier", "VPN", true},
    [WORD_FRP] = {"frp", "frp", "VPN", false},
    [WORD_SOCKS] = {"socks", "SOCKS", "Web", false},
    [WORD_HEAD] = {NULL, NULL, NULL, false},
};

/* One call of content_feed. */
struct feed {
	struct content *c;
	struct content_pool *pool;
	const struct content_sink *sink;
	enum content_end from;
};

static void tell(const struct feed *f, enum word w, const char *word, const char *detail)
{
	struct content_find find = {
	    .word = word != NULL ? word : words[w].word,
	    .app = words[w].app,
	    .category = words[w].category,
	    .encrypted = words[w].encrypted,
	};
	snprintf(find.detail, sizeof find.detail, "%s", detail);
	if (find.app != NULL)
		f->c->over = true;
	f->sink->find(f->sink->ctx, &find);
}

static void tell_dicom(const struct feed *f, const struct recognise_dicom *d)
{
	char detail[sizeof((struct content_find *)0)->detail];
	snprintf(detail, sizeof detail, "AE %s -> %s%s%s", d->calling, d->called, d->classes[0] != '\0' ? "; " : "",
	         d->classes);
	tell(f, d->dicos ? WORD_DICOS : WORD_DICOM, NULL, detail);
	/* who asked for the association will say in it what it stores */
	f->c->side[f->from].is_dicom = d->request;
	f->c->side[f->from].skip = 0;
	f->c->over = !d->request;
}

/* FTP's control connection (RFC 959, section 5.4): the server greets with 220,
 * as SMTP's does, and the client says USER, as POP3's does. Both: FTP. */
static enum recognise examine_ftp(const struct feed *f, const uint8_t *p, size_t n)
{
	if (n >= 4 && memcmp(p, "220", 3) == 0 && (p[3] == ' ' || p[3] == '-'))
		f->c->hints |= HINT_220;
	if (n >= 5 && memcmp(p, "USER ", 5) == 0)
		f->c->hints |= HINT_USER;
	if ((~f->c->hints & (HINT_220 | HINT_USER)) != 0)
		return RECOGNISE_NO;
	tell(f, WORD_FTP, NULL, "");
	return RECOGNISE_YES;
}

/* Tunnels, and what a request to a proxy or a cloud says of itself. */
static enum recognise examine_channel(const struct feed *f, const uint8_t *p, size_t n, bool last)
{
	struct recognise_head head;
	const uint8_t read = (uint8_t)(HINT_HEAD << f->from);
	if (!f->c->side[f->from].start_known)
		return RECOGNISE_NO;
	const enum recognise frp = recognise_frp(p, n);
	if (frp == RECOGNISE_YES) {
		tell(f, WORD_FRP, NULL, "");
		return RECOGNISE_YES;
	}
	char target[RECOGNISE_TARGET_MAX];
	const enum recognise socks = recognise_socks(p, n, target);
	if (socks == RECOGNISE_YES) {
		tell(f, WORD_SOCKS, NULL, target);
		return RECOGNISE_YES;
	}
	const enum recognise tunnel = frp == RECOGNISE_MORE ? frp : socks;
	if ((f->c->hints & read) != 0)
		return tunnel;
	const enum recognise r = recognise_http_head(p, n, last, &head);
	if (r == RECOGNISE_YES)
		tell(f, WORD_HEAD, head.word, head.detail);
	if (r != RECOGNISE_MORE)
		f->c->hints |= read;
	return r == RECOGNISE_MORE ? r : tunnel;
}

/* A ClientHello in several segments (those of post-quantum key exchange are): is
 * an encrypted one in it? In one segment dpi has seen it. */
static enum recognise examine_hello(const struct feed *f, const uint8_t *p, size_t n, bool last)
{
	const enum recognise hello = recognise_hello(p, n);
	const bool waited = f->c->side[f->from].buffer != NULL;
	if (hello == RECOGNISE_NO || (hello == RECOGNISE_YES && !waited))
		return RECOGNISE_NO;
	if (hello == RECOGNISE_MORE && !last)
		return RECOGNISE_MORE;
	if (recognise_hidden_name(p, n) && f->sink->risk != NULL)
		f->sink->risk(f->sink->ctx, RISK_ESNI);
	return RECOGNISE_NO;
}

/* The first n bytes of one direction. NO: there is nothing more to learn from it. */
static enum recognise examine(const struct feed *f, const uint8_t *p, size_t n, bool last)
{
	struct recognise_dicom d;
	const enum recognise dicom = content_memo_association(f->pool->memo, p, n, last, &d);
	f->c->side[f->from].likely = dicom == RECOGNISE_MORE && n >= RECOGNISE_DICOM_LIKELY;
	if (dicom == RECOGNISE_YES) {
		tell_dicom(f, &d);
		return RECOGNISE_YES;
	}
	const enum recognise ovpn = recognise_openvpn_tcp(p, n);
	if (ovpn == RECOGNISE_YES) {
		tell(f, WORD_OPENVPN, NULL, "");
		return RECOGNISE_YES;
	}
	if (examine_ftp(f, p, n) == RECOGNISE_YES)
		return RECOGNISE_YES;
	const enum recognise channel = examine_channel(f, p, n, last);
	if (channel == RECOGNISE_YES)
		return RECOGNISE_YES;
	const enum recognise hello = examine_hello(f, p, n, last);
	const bool more = dicom == RECOGNISE_MORE || ovpn == RECOGNISE_MORE || channel == RECOGNISE_MORE ||
	                  hello == RECOGNISE_MORE;
	return more ? RECOGNISE_MORE : RECOGNISE_NO;
}

static void side_end(const struct feed *f)
{
	struct side *s = &f->c->side[f->from];
	if (!s->ended && s->len > 0 && !s->dns_seen && !s->is_dicom && !f->c->over)
		(void)examine(f, s->buffer->data, s->len, true);
	s->ended = true;
	s->likely = false;
	pool_buffer_give(f->pool, &s->buffer);
	s->len = s->pending = 0;
}

/* The next message of DNS over TCP: length 2, message (RFC 7766, section 8).
 * Returns the bytes used, 0 when it is not whole yet; *ret_fits is false when
 * it is no message. */
static size_t dns_message(const struct feed *f, const uint8_t *p, size_t n, bool *ret_fits)
{
	struct side *s = &f->c->side[f->from];
	struct dns_answer a;
	const size_t bytes = n >= 2 ? be16(p) : 0, have = n >= 2 ? n - 2 : 0;
	*ret_fits = n < 2 || bytes >= DNS_HEADER;
	if (!*ret_fits || have < (bytes < DNS_BEGIN_MAX ? bytes : DNS_BEGIN_MAX) || n < 2)
		return 0;
	if (have < bytes) {
		*ret_fits = dns_begins(p + 2, have);
		if (!*ret_fits || bytes + 2 <= f->pool->bytes)
			return 0;
		/* longer than the buffer: pass over it, keeping step with the lengths */
		s->skip = (uint32_t)(bytes - have);
		return n;
	}
	if (dns_parse(p + 2, bytes, &a) != 0) {
		*ret_fits = s->dns_seen && ++s->bad_dns < BAD_DNS_MAX;
		return *ret_fits ? 2 + bytes : 0;
	}
	s->dns_seen = true;
	f->sink->dns(f->sink->ctx, &a, f->from);
	return 2 + bytes;
}

/* All whole messages at p. Returns the bytes used; *ret_fits as above. */
static size_t dns_messages(const struct feed *f, const uint8_t *p, size_t n, bool *ret_fits)
{
	struct side *s = &f->c->side[f->from];
	size_t used = 0;
	*ret_fits = true;
	while (used < n) {
		size_t step = s->skip;
		if (step > n - used)
			step = n - used;
		s->skip -= (uint32_t)step;
		if (step == 0)
			step = dns_message(f, p + used, n - used, ret_fits);
		if (step == 0)
			break;
		used += step;
	}
	return used;
}

/* PDUs of DICOM, the association request first: what is stored? Returns the
 * bytes used. */
static size_t dicom_pdus(const struct feed *f, const uint8_t *p, size_t n)
{
	struct side *s = &f->c->side[f->from];
	struct recognise_store store;
	size_t used = 0;
	while (used < n && !f->c->over) {
		const size_t left = n - used;
		size_t step = s->skip < left ? s->skip : left;
		s->skip -= (uint32_t)step;
		used += step;
		if (step > 0)
			continue;
		if (left < PDU_HEADER)
			break;
		const uint8_t *pdu = p + used;
		const uint32_t bytes = be32(pdu + 2);
		const enum recognise r = recognise_dicom_store(pdu, left, &store);
		if (r == RECOGNISE_YES)
			tell(f, store.dicos ? WORD_STORE_DICOS : WORD_STORE, NULL, store.sop_class);
		if (r == RECOGNISE_MORE && left < f->pool->bytes)
			break;
		if (pdu[0] == 0 || pdu[0] > PDU_LAST || bytes > INT32_MAX || ++s->pdus > PDUS_MAX)
			f->c->over = true;
		s->skip = PDU_HEADER + bytes;
	}
	return used;
}

/* Read what is in order, n bytes that begin at p. Sets the bytes that need not
 * be kept; RECOGNISE_MORE when the direction is worth following. */
static enum recognise side_read(const struct feed *f, const uint8_t *p, size_t n, size_t *ret_used)
{
	struct side *s = &f->c->side[f->from];
	enum recognise r = RECOGNISE_MORE;
	*ret_used = 0;
	if (s->is_dns) {
		bool fits;
		*ret_used = dns_messages(f, p, n, &fits);
		if (!fits && s->dns_seen)
			return RECOGNISE_NO;
		s->is_dns = fits;
	}
	/* as long as no message was whole, it may be something else on DNS's port */
	if (!s->dns_seen && !s->is_dicom)
		r = examine(f, p, n, n >= f->pool->bytes);
	if (s->is_dicom) {
		s->is_dns = false;
		*ret_used = dicom_pdus(f, p, n);
		r = f->c->over ? RECOGNISE_YES : RECOGNISE_MORE;
	}
	return r == RECOGNISE_NO && s->is_dns ? RECOGNISE_MORE : r;
}

/* Bytes in order, a piece that fits the buffer. What stays unread is kept. */
static void side_bytes(const struct feed *f, const uint8_t *p, size_t n)
{
	struct side *s = &f->c->side[f->from];
	size_t used;
	if (s->buffer != NULL) {
		memcpy(s->buffer->data + s->len, p, n);
		s->len += (uint32_t)n;
		side_join(s);
		p = s->buffer->data;
		n = s->len;
	}
	if (side_read(f, p, n, &used) != RECOGNISE_MORE) {
		s->len = 0;   /* examined */
		side_end(f);
		return;
	}
	if (s->buffer != NULL) {
		side_drop(s, (uint32_t)used);
		if (s->len == 0 && s->pending == 0)
			pool_buffer_give(f->pool, &s->buffer);
	} else if (n > used && pool_buffer_take(f->pool, &s->buffer)) {
		memcpy(s->buffer->data, p + used, n - used);
		s->len = (uint32_t)(n - used);
	} else if (n > used) {
		side_end(f);
	}
	if (!s->is_dns && s->len >= f->pool->bytes)
		side_end(f);
}

static void segment_in_order(const struct feed *f, const uint8_t *p, size_t n)
{
	struct side *s = &f->c->side[f->from];
	while (n > 0 && !s->ended && !f->c->over) {
		size_t piece = f->pool->bytes - s->len;
		if (piece > n)
			piece = n;
		const uint32_t before = s->joined;
		s->next_seq += (uint32_t)piece;
		side_bytes(f, p, piece);
		p += piece;
		n -= piece;
		/* what waited behind the hole repeats a part of this segment at most */
		const uint32_t more = s->joined - before;
		const size_t again = more < n ? more : n;
		p += again;
		n -= again;
	}
}

/* One segment of TCP. */
static void segment(const struct feed *f, uint32_t seq, const uint8_t *p, size_t n)
{
	struct side *s = &f->c->side[f->from];
	if (!s->started) {
		s->started = true;
		s->next_seq = seq;
	}
	const int32_t ahead = (int32_t)(seq - s->next_seq);
	if (ahead > 0) {
		if (++s->hole_packets > HOLE_PACKETS ||
		    (s->buffer == NULL && !pool_buffer_take(f->pool, &s->buffer)) ||
		    !side_put(s, f->pool->bytes, (uint32_t)ahead, p, n))
			side_end(f);
		return;
	}
	const uint32_t old = s->next_seq - seq;
	if (old >= n)
		return;   /* all of it was there */
	if (s->pending == 0)
		s->hole_packets = 0;
	segment_in_order(f, p + old, n - old);
}

static bool feed_tcp(const struct feed *f, uint32_t seq, const uint8_t *p, uint32_t n)
{
	struct content *c = f->c;
	struct side *s = &c->side[f->from];
	if (n == 0) {
		if (!s->started) {   /* a SYN */
			s->started = s->start_known = true;
			s->next_seq = seq;
		}
		return true;
	}
	const bool dicom = c->side[0].is_dicom || c->side[1].is_dicom;
	const bool mid = !c->side[0].start_known && !c->side[1].start_known && !dicom;
	if (dicom && !s->is_dicom)
		return true;   /* the answers: told already */
	if (mid && recognise_dicom_data(p, n)) {
		tell(f, WORD_DICOM, NULL, "association already open");
		return false;
	}
	if (!s->ended)
		segment(f, seq, p, n);
	if (c->over)
		return false;
	if ((c->side[0].is_dns && c->side[0].dns_seen) || (c->side[1].is_dns && c->side[1].dns_seen))
		return !c->side[0].ended || !c->side[1].ended;
	if (++c->packets >= (mid ? PACKETS_MID : PACKETS_MAX)) {
		for (unsigned i = 0; i < 2; i++)
			side_end(&(struct feed){c, f->pool, f->sink, i == 0 ? CONTENT_OUT : CONTENT_IN});
		return false;
	}
	return mid || !c->side[0].ended || !c->side[1].ended;
}

static bool feed_udp(const struct feed *f, const uint8_t *p, uint32_t n)
{
	struct content *c = f->c;
	struct dns_answer a;
	if (n == 0)
		return true;
	if (c->dns_port && dns_parse(p, n, &a) == 0) {
		c->packets = 0;
		c->dns_seen = true;
		f->sink->dns(f->sink->ctx, &a, f->from);
		return true;
	}
	const bool dtls = !c->dns_seen && recognise_dtls(p, n);
	if (dtls || (!c->dns_seen && recognise_openvpn_udp(p, n))) {
		tell(f, dtls ? WORD_DTLS : WORD_OPENVPN, NULL, "");
		return false;
	}
	const bool tailscale = !c->dns_seen && recognise_tailscale(p, n);
	if (tailscale || (!c->dns_seen && recognise_zerotier(p, n))) {
		tell(f, tailscale ? WORD_TAILSCALE : WORD_ZEROTIER, NULL, "");
		return false;
	}
	if (c->packets < UINT8_MAX)
		c->packets++;
	return c->dns_seen || c->packets < (c->dns_port ? BAD_DNS_MAX : DATAGRAMS_MAX);
}

bool content_feed(struct content *c, enum content_end from, uint32_t seq, const uint8_t *payload, uint32_t caplen,
                  const struct content_sink *sink)
{
	const struct feed f = {c, c->pool, sink, from == CONTENT_IN ? CONTENT_IN : CONTENT_OUT};
	return c->proto == IPPROTO_TCP ? feed_tcp(&f, seq, payload, caplen) : feed_udp(&f, payload, caplen);
}

bool content_is_likely(const struct content *c)
{
	return c->side[0].likely || c->side[1].likely;
}

struct content *content_new(struct content_pool *p, uint8_t proto, uint16_t inside_port, uint16_t peer_port)
{
	struct content *c = proto == IPPROTO_TCP || proto == IPPROTO_UDP ? pool_take(p) : NULL;
	if (c == NULL)
		return NULL;
	c->proto = proto;
	c->dns_port = inside_port == DNS_PORT || peer_port == DNS_PORT;
	c->side[0].is_dns = c->side[1].is_dns = c->dns_port;
	return c;
}

void content_free(struct content_pool *p, struct content *c)
{
	if (c != NULL)
		pool_give(p, c);
}

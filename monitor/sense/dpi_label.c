#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "sense/dpi_ndpi.h"
#include "sense/recognise.h"

/* Risk bits keep their meaning between versions up to here (facts promise them). */
#define RISK_BITS 42
#define JA4_LENGTH 36
#define METHOD_MAX 20u   /* the longest method, and its blank, that is looked for */

_Static_assert((int)NDPI_KNOWN_PROTOCOL_ON_NON_STANDARD_PORT == RISK_ODD_PORT &&
                   (int)NDPI_TLS_SELFSIGNED_CERTIFICATE == RISK_SELF_SIGNED &&
                   (int)NDPI_TLS_CERTIFICATE_EXPIRED == RISK_CERTIFICATE_EXPIRED &&
                   (int)NDPI_TLS_CERTIFICATE_MISMATCH == RISK_CERTIFICATE_MISMATCH &&
                   (int)NDPI_TLS_SUSPICIOUS_ESNI_USAGE == RISK_ESNI,
               "the numbers of nDPI's risks");

/* The union of nDPI's flow holds what TLS says only for these. */
static bool has_tls_part(const struct dpi_flow *f)
{
	static const uint16_t ids[] = {NDPI_PROTOCOL_TLS,        NDPI_PROTOCOL_QUIC,      NDPI_PROTOCOL_MAIL_SMTPS,
	                               NDPI_PROTOCOL_MAIL_POPS,  NDPI_PROTOCOL_MAIL_IMAPS};
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		if (dpi_label_is(f, ids[i]))
			return true;
	return false;
}

static bool is_http(const struct dpi_flow *f)
{
	return dpi_label_is(f, NDPI_PROTOCOL_HTTP) || dpi_label_is(f, NDPI_PROTOCOL_HTTP_CONNECT) ||
	       dpi_label_is(f, NDPI_PROTOCOL_HTTP_PROXY);
}

static bool host_char(uint8_t c)
{
	return c > ' ' && c < 0x7f;
}

/* The name behind "Host:" (RFC 9112, section 3.2) in a message's header, else 0. */
static size_t http_host(const uint8_t *p, size_t n, const uint8_t **ret)
{
	static const char field[] = "\nhost:";
	const size_t len = sizeof field - 1;
	const uint8_t *body = memmem(p, n, "\r\n\r\n", 4);
	if (body != NULL)
		n = (size_t)(body - p) + 2;
	for (size_t i = 0; i + len <= n; i++) {
		if (p[i] != '\n' || strncasecmp((const char *)p + i, field, len) != 0)
			continue;
		size_t at = i + len, end;
		while (at < n && (p[at] == ' ' || p[at] == '\t'))
			at++;
		for (end = at; end < n && host_char(p[end]); end++)
			;
		*ret = p + at;
		return end < n ? end - at : 0;   /* cut by the packet's end: not whole */
	}
	return 0;
}

/* Host without ":port", and "[v6]" without its brackets. */
static size_t without_port(const char **host, size_t n)
{
	const char *h = *host;
	if (n > 0 && h[0] == '[') {
		const char *end = memchr(h, ']', n);
		if (end == NULL)
			return 0;
		*host = h + 1;
		return (size_t)(end - h - 1);
	}
	const char *colon = memchr(h, ':', n);
	return colon != NULL ? (size_t)(colon - h) : n;
}

static bool same_host(const uint8_t *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	const char *host = (const char *)a;
	const size_t n = without_port(&host, a_bytes), m = without_port(&b, b_bytes);
	return n == m && strncasecmp(host, b, n) == 0;
}

/* Whom the request's target names, where it does: CONNECT, or a whole URI (RFC
 * 9112, sections 3.2.2 and 3.2.3). Servers go by it and pass over Host. */
static size_t http_target(const uint8_t *p, size_t n, const uint8_t **ret)
{
	static const char *const begins[] = {"CONNECT ", "http://", "https://"};
	const uint8_t *space = memchr(p, ' ', n < METHOD_MAX ? n : METHOD_MAX);
	for (size_t i = 0; i < sizeof begins / sizeof begins[0] && space != NULL; i++) {
		const uint8_t *from = i == 0 ? p : space + 1;
		const size_t len = strlen(begins[i]);
		if ((size_t)(p + n - from) < len || memcmp(from, begins[i], len) != 0)
			continue;
		size_t end = 0;
		for (from += len; from + end < p + n && host_char(from[end]) && from[end] != '/'; end++)
			;
		*ret = from;
		return end;
	}
	return 0;
}

/* One name in the request's target, another in Host. */
static void see_fronting(struct dpi_flow *f, const struct dpi_view *v)
{
	const uint8_t *name;
	const size_t len = http_target(v->payload, v->payload_bytes, &name);
	if (len > 0 && !same_host(name, len, f->host, strlen(f->host)))
		f->seen |= SEEN_FRONTED;
	if (len > 0 && v->payload[0] == 'C')
		f->seen |= SEEN_CONNECT;
}

/* Behind CONNECT the client speaks to whom it named: does what it says there,
 * in TLS's hello or a request in the clear, name another? */
static void see_within(struct dpi_flow *f, const struct dpi_view *v)
{
	const uint8_t *name;
	char host[FACT_HOST_MAX];
	struct addr address;
	size_t len = recognise_sni(v->payload, v->payload_bytes, &name);
	if (len == 0)
		len = http_host(v->payload, v->payload_bytes, &name);
	if (len == 0)
		return;
	f->seen |= SEEN_WITHIN;
	const char *target = f->host;
	const size_t n = without_port(&target, strlen(f->host));
	snprintf(host, sizeof host, "%.*s", (int)n, target);
	if (addr_parse(host, &address) != 0 && !same_host(name, len, host, strlen(host)))
		f->seen |= SEEN_FRONTED;
}

void dpi_host_see(struct dpi_flow *f, const struct dpi_view *v)
{
	const uint8_t *name;
	if ((f->seen & (SEEN_CONNECT | SEEN_WITHIN)) == SEEN_CONNECT)
		see_within(f, v);
	if (f->host[0] != '\0' || v->proto != IPPROTO_TCP)
		return;
	size_t len = recognise_sni(v->payload, v->payload_bytes, &name);
	if (recognise_hidden_name(v->payload, v->payload_bytes))
		f->seen |= SEEN_HIDDEN;
	if (len == 0 && is_http(f))
		len = http_host(v->payload, v->payload_bytes, &name);
	if (len > 0 && len < sizeof f->host) {
		memcpy(f->host, name, len);
		f->host[len] = '\0';
		if (is_http(f))
			see_fronting(f, v);
	}
}

/* Lower case, printable; "" when any byte is neither: no such name exists. */
static void host_copy(const char *from, size_t n, char to[FACT_HOST_MAX])
{
	to[0] = '\0';
	if (n == 0 || n >= FACT_HOST_MAX)
		return;
	for (size_t i = 0; i < n; i++)
		if (!host_char((uint8_t)from[i]))
			return;
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] + 32 : from[i]);
	if (to[n - 1] == '.')
		n--;   /* the root's dot */
	to[n] = '\0';
}

static void host_get(const struct dpi_flow *f, bool is_tls, struct dpi_result *r)
{
	const size_t most = sizeof f->n.host_server_name;
	const char *host = f->host;
	size_t n = strlen(host);
	if (dpi_label_is(f, NDPI_PROTOCOL_QUIC))
		r->host_source = HOST_QUIC;
	else if (has_tls_part(f) || is_tls)
		r->host_source = HOST_SNI;
	else if (is_http(f))
		r->host_source = HOST_HTTP;
	else
		return;   /* a name that was asked for, a workgroup, a realm: not of this transfer's peer */
	if (n == 0 && r->host_source != HOST_HTTP) {
		/* of a hello that nDPI put together, or decrypted; a full field may be cut */
		host = (const char *)f->n.host_server_name;
		n = strnlen(host, most);
		n = n + 1 >= most ? 0 : n;
	}
	if (r->host_source == HOST_HTTP)
		n = without_port(&host, n);
	host_copy(host, n, r->host);
	if (r->host[0] == '\0')
		r->host_source = HOST_NONE;
}

static void fingerprints_get(const struct dpi_flow *f, struct dpi_result *r)
{
	if (!has_tls_part(f))
		return;
#if !NDPI_FROM(4, 14)
	snprintf(r->ja3, sizeof r->ja3, "%.32s", f->n.protos.tls_quic.ja3_client);
#endif
#if NDPI_FROM(4, 10)
	/* 4.10 ends it early where the ALPN has a digit: such a half is none */
	if (strnlen(f->n.protos.tls_quic.ja4_client, JA4_LENGTH + 1) == JA4_LENGTH)
		snprintf(r->ja4, sizeof r->ja4, "%.36s", f->n.protos.tls_quic.ja4_client);
#endif
}

struct label {
	uint16_t master, app;   /* app alone when there is one only */
};

enum evidence { EVIDENCE_NONE, EVIDENCE_OTHERS, EVIDENCE_OWN };

/* What the label rests on: this flow's bytes; partly what other flows of the
 * same addresses were (a cache); or nothing but numbers. */
static enum evidence evidence_of(const struct dpi_flow *f)
{
	switch (f->n.confidence) {
	case NDPI_CONFIDENCE_DPI:
#if NDPI_FROM(4, 4)
	case NDPI_CONFIDENCE_DPI_PARTIAL:
#endif
		return EVIDENCE_OWN;
	case NDPI_CONFIDENCE_DPI_CACHE:
		return EVIDENCE_OTHERS;
	default:
		return EVIDENCE_NONE;
	}
}

static bool carrier_kept(uint16_t id)
{
	return id == NDPI_PROTOCOL_TLS || id == NDPI_PROTOCOL_STUN || id == NDPI_PROTOCOL_QUIC;
}

/* Is a label borne out by what we saw ourselves? nDPI 4.2 calls raw bytes to
 * tcp/443 TLS and to udp/53 DNS, "by DPI". */
static bool borne_out(const struct dpi_flow *f, uint16_t id)
{
	switch (id) {
	case NDPI_PROTOCOL_TLS:
	case NDPI_PROTOCOL_MAIL_SMTPS:
	case NDPI_PROTOCOL_MAIL_POPS:
	case NDPI_PROTOCOL_MAIL_IMAPS:
		return f->seen & SEEN_TLS;
	case NDPI_PROTOCOL_DNS:
	case NDPI_PROTOCOL_MDNS:
		return f->seen & SEEN_DNS;
	default:
		return true;
	}
}

static struct label label_of(const struct dpi_flow *f)
{
	struct label l = {NDPI_MASTER(f->label), NDPI_APP(f->label)};
	if (l.app == NDPI_PROTOCOL_UNKNOWN || l.app == l.master) {
		l.app = l.app == l.master || l.app == NDPI_PROTOCOL_UNKNOWN ? l.master : l.app;
		l.master = NDPI_PROTOCOL_UNKNOWN;
	}
	const enum evidence e = evidence_of(f);
	if (e == EVIDENCE_OTHERS) {
		/* the carrier was in these bytes, the application is hearsay */
		l.app = carrier_kept(l.master) ? l.master : carrier_kept(l.app) ? l.app : NDPI_PROTOCOL_UNKNOWN;
		l.master = NDPI_PROTOCOL_UNKNOWN;
	}
	if (e == EVIDENCE_NONE || !borne_out(f, l.app) || !borne_out(f, l.master))
		l.app = l.master = NDPI_PROTOCOL_UNKNOWN;
	if (l.app == NDPI_PROTOCOL_UNKNOWN && (f->seen & SEEN_TLS_SURE))
		l.app = NDPI_PROTOCOL_TLS;
	return l;
}

/* The carrier decides: "HTTP.Amazon" is in the clear whatever Amazon is. */
static bool is_encrypted(struct dpi *d, const struct dpi_flow *f, struct label l)
{
	ndpi_protocol p = f->label;
	NDPI_APP(p) = l.master != NDPI_PROTOCOL_UNKNOWN ? l.master : l.app;
	NDPI_MASTER(p) = NDPI_PROTOCOL_UNKNOWN;
#if NDPI_FROM(5, 0)
	return ndpi_is_encrypted_proto(d->module, p.proto) != 0;
#else
	return ndpi_is_encrypted_proto(d->module, p) != 0;
#endif
}

void dpi_get(struct dpi *d, struct dpi_flow *f, struct dpi_result *ret)
{
	memset(ret, 0, sizeof *ret);
	const struct label l = f->fed > 0 ? label_of(f) : (struct label){0, 0};
	if (l.app == NDPI_PROTOCOL_UNKNOWN) {
		snprintf(ret->app, sizeof ret->app, "Unknown");
		snprintf(ret->category, sizeof ret->category, "Unspecified");
		return;
	}
	ret->known = true;
	const char *app = ndpi_get_proto_name(d->module, l.app);
	if (l.master != NDPI_PROTOCOL_UNKNOWN)
		snprintf(ret->app, sizeof ret->app, "%s.%s", ndpi_get_proto_name(d->module, l.master), app);
	else
		snprintf(ret->app, sizeof ret->app, "%s", app);
	const bool own = !dpi_label_is(f, l.app);   /* not nDPI's label: its category and risks are of another */
	snprintf(ret->category, sizeof ret->category, "%s",
	         ndpi_category_get_name(d->module, own ? NDPI_PROTOCOL_CATEGORY_WEB : f->label.category));
	ret->encrypted = is_encrypted(d, f, l);
	ret->risk = own ? 0 : f->n.risk & ((UINT64_C(1) << RISK_BITS) - 1);
	if (f->seen & SEEN_HIDDEN)
		ret->risk |= UINT64_C(1) << RISK_ESNI;
	if (f->seen & SEEN_FRONTED)
		ret->risk |= UINT64_C(1) << RISK_FRONTING;
	host_get(f, l.app == NDPI_PROTOCOL_TLS, ret);
	fingerprints_get(f, ret);
}

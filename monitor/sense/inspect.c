#include "sense/inspect.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sense/dpi.h"
#include "sense/inspect_tunnel.h"

#define NONE UINT32_MAX
#define FINDS_MAX 6u
#define INNERS_MAX 4u        /* pairs told of one tunnel */
#define FEED_TCP 24u         /* packets with payload that nDPI gets to see */
#define FEED_UDP 10u
#define FEED_OTHER 2u
#define FEED_KNOWN 8u        /* more of them for a host name, once the protocol is known */
#define PORT_DNS 53u
#define CARRIED_DATAGRAM 100u  /* bytes: no file comes in less */

/* What only some flows have: most are DNS, or of a protocol without names. */
struct extras {
	char host[FACT_HOST_MAX], ja3[33], ja4[40];
	struct inspect_find find[FINDS_MAX];
	uint32_t next_free;
};

struct inspection {
	struct flow *owner;
	struct dpi_flow *dpi;          /* from the first packet that nDPI gets */
	struct content *content;       /* NULL: nothing more to learn */
	struct carrier *carrier;       /* from the first payload that it may be worth */
	bool carries;                  /* there may be more to learn from it */
	bool begins[2];                /* begin_seq[end] is the number of its first byte */
	uint32_t begin_seq[2];
	bool dpi_over;                 /* nor has nDPI */
	bool looked;                   /* whether there are news was looked at since the last change */
	struct extras *extras;         /* NULL: nothing of those */
	struct {                       /* what nDPI said last */
		char app[FACT_APP_MAX], category[FACT_WORD_MAX];
		uint64_t risk;
		uint8_t host_source;
		bool encrypted, known;
	} said;
	const char *app, *category;    /* of our own recognisers: they override; NULL: nothing */
	bool app_encrypted;
	bool hidden_name;              /* and so do they: RISK_ESNI */
	bool names;                    /* DNS: the content goes on, the application is known without it */
	uint8_t fed, fed_known;        /* packets given to nDPI; after it knew the protocol */
	uint8_t inner_count, find_count;
	uint64_t inner[INNERS_MAX];    /* hashes of the pairs told */
	uint64_t fetched;              /* hash of what inspect_get gave last; 0: nothing yet */
	uint32_t older, younger;       /* free: younger is the next free one */
};

struct inspector {
	struct dpi *dpi;
	struct content_pool *content;
	struct carriers *carriers;
	const struct flow_table *flows;
	struct inspection *pool;
	struct extras *extras;         /* as many as of pool */
	uint32_t extras_used, extras_free;
	uint32_t max, used, free, oldest, youngest;
	uint64_t finds_lost;
};

static void on_carried(void *ctx, void *owner, const char *word, const char *detail);

static int new_carriers(struct inspector *i, const struct inspect_options *o)
{
	const struct carrier_options options = {.max_flows = o->max_flows, .bytes = o->content_bytes, .keep = o->keep,
	                                        .hash_key = o->hash_key, .ctx = i, .find = on_carried};
	return carriers_new(&options, &i->carriers);
}

int inspect_new(const struct inspect_options *o, struct inspector **ret, char *err, size_t err_size)
{
	struct inspector *i = calloc(1, sizeof *i);
	if (i == NULL)
		return ERR_NOMEM;
	i->max = o->max_flows;
	i->flows = o->flows;
	i->free = i->oldest = i->youngest = i->extras_free = NONE;
	i->pool = calloc(o->max_flows, sizeof *i->pool);
	i->extras = calloc(o->max_flows, sizeof *i->extras);
	int rc = i->pool == NULL || i->extras == NULL ? ERR_NOMEM : content_pool_new(o->max_flows, o->content_bytes, &i->content);
	if (rc == 0)
		rc = new_carriers(i, o);
	if (rc == 0)
		rc = dpi_new(o->max_flows, &i->dpi, err, err_size);
	else
		snprintf(err, err_size, "inspection: %s", err_str(rc));
	if (rc != 0) {
		inspect_free(i);
		return rc;
	}
	*ret = i;
	return 0;
}

void inspect_free(struct inspector *i)
{
	if (i == NULL)
		return;
	for (uint32_t at = i->oldest; at != NONE; at = i->pool[at].younger) {
		dpi_flow_free(i->dpi, i->pool[at].dpi);
		content_free(i->content, i->pool[at].content);
		carrier_free(i->carriers, i->pool[at].carrier);
	}
	dpi_free(i->dpi);
	content_pool_free(i->content);
	carriers_free(i->carriers);
	free(i->extras);
	free(i->pool);
	free(i);
}

struct flow *inspect_victim(struct inspector *i)
{
	return i->free == NONE && i->used >= i->max ? i->pool[i->oldest].owner : NULL;
}

static struct inspection *take(struct inspector *i)
{
	uint32_t at = i->free;
	if (at != NONE)
		i->free = i->pool[at].younger;
	else if (i->used < i->max)
		at = i->used++;
	else
		return NULL;
	struct inspection *x = &i->pool[at];
	memset(x, 0, sizeof *x);
	x->older = i->youngest;
	x->younger = NONE;
	if (i->youngest != NONE)
		i->pool[i->youngest].younger = at;
	else
		i->oldest = at;
	i->youngest = at;
	return x;
}

/* There is always one: a flow has one at most. */
static struct extras *extras_of(struct inspector *i, struct inspection *x)
{
	if (x->extras != NULL)
		return x->extras;
	uint32_t at = i->extras_free;
	if (at != NONE)
		i->extras_free = i->extras[at].next_free;
	else
		at = i->extras_used++;
	x->extras = &i->extras[at];
	x->extras->host[0] = x->extras->ja3[0] = x->extras->ja4[0] = '\0';
	return x->extras;
}

static void extras_give(struct inspector *i, struct inspection *x)
{
	if (x->extras == NULL)
		return;
	x->extras->next_free = i->extras_free;
	i->extras_free = (uint32_t)(x->extras - i->extras);
	x->extras = NULL;
}

void inspect_end(struct inspector *i, struct flow *f)
{
	struct inspection *x = f->inspection;
	if (x == NULL)
		return;
	if (x->dpi != NULL)
		dpi_flow_free(i->dpi, x->dpi);
	if (x->content != NULL)
		content_free(i->content, x->content);
	carrier_free(i->carriers, x->carrier);
	x->dpi = NULL;
	x->content = NULL;
	x->carrier = NULL;
	extras_give(i, x);
	if (x->older != NONE)
		i->pool[x->older].younger = x->younger;
	else
		i->oldest = x->younger;
	if (x->younger != NONE)
		i->pool[x->younger].older = x->older;
	else
		i->youngest = x->older;
	x->younger = i->free;
	i->free = (uint32_t)(x - i->pool);
	f->inspection = NULL;
}

/* --- our own recognisers --- */

struct content_ctx {
	struct inspector *i;
	struct flow *f;
	const struct inspect_sink *sink;
};

static void keep_find(struct inspector *i, struct inspection *x, const char *word, const char *detail)
{
	if (x->find_count == FINDS_MAX) {
		i->finds_lost++;
		return;
	}
	struct inspect_find *to = &extras_of(i, x)->find[x->find_count++];
	to->word = word;
	snprintf(to->detail, sizeof to->detail, "%s", detail);
}

static void on_find(void *ctx, const struct content_find *find)
{
	struct content_ctx *c = ctx;
	struct inspection *x = c->f->inspection;
	x->looked = false;
	keep_find(c->i, x, find->word, find->detail);
	if (find->app != NULL) {
		x->app = find->app;
		x->category = find->category;
		x->app_encrypted = find->encrypted;
	}
}

static void on_risk(void *ctx, unsigned risk)
{
	struct inspection *x = ((struct content_ctx *)ctx)->f->inspection;
	x->hidden_name |= risk == RISK_ESNI;
	x->looked = false;
}

static void on_carried(void *ctx, void *owner, const char *word, const char *detail)
{
	const struct flow *f = owner;
	keep_find(ctx, f->inspection, word, detail);
}

static void on_dns(void *ctx, const struct dns_answer *a, enum content_end from)
{
	struct content_ctx *c = ctx;
	c->sink->dns(c->sink->ctx, c->f, a, from);
}

static void feed_content(struct content_ctx *ctx, const struct packet *p, unsigned end)
{
	struct inspection *x = ctx->f->inspection;
	const struct content_sink sink = {.ctx = ctx, .find = on_find, .dns = on_dns, .risk = on_risk};
	enum content_end from = end == ctx->f->inside_end ? CONTENT_OUT : CONTENT_IN;
	uint32_t seq = p->proto == IPPROTO_TCP ? p->tcp_seq : 0;
	bool more = true;
	if (p->proto == IPPROTO_TCP && p->tcp_flags & TCP_SYN) {
		seq++;
		more = content_feed(x->content, from, seq, NULL, 0, &sink);
	}
	if (more && p->payload_caplen > 0)
		more = content_feed(x->content, from, seq, p->payload, p->payload_caplen, &sink);
	if (!more) {
		content_free(ctx->i->content, x->content);
		x->content = NULL;
		x->looked = false;
	}
}

static void end_carrier(struct inspector *i, struct inspection *x)
{
	carrier_free(i->carriers, x->carrier);
	x->carrier = NULL;
	x->carries = false;
}

/* Worth the memory? Most flows are encrypted, or say little in datagrams. */
static bool carries_much(const struct packet *p)
{
	return p->proto == IPPROTO_UDP ? p->payload_caplen >= CARRIED_DATAGRAM
	                               : !carrier_is_encrypted(p->payload, p->payload_caplen);
}

static struct carrier *new_carrier(struct inspector *i, struct flow *f)
{
	const struct inspection *x = f->inspection;
	const struct flow_key *k = &f->key;
	const unsigned in = f->inside_end;
	const struct carrier_ends ends = {.addr = {flow_addr(i->flows, f, in), flow_addr(i->flows, f, 1 - in)},
	                                  .port = {k->port[in], k->port[1 - in]}, .proto = k->proto};
	struct carrier *c = carrier_new(i->carriers, f, &ends);
	for (unsigned end = 0; c != NULL && end < 2; end++)
		if (x->begins[end])
			carrier_begin(c, end == in ? CONTENT_OUT : CONTENT_IN, x->begin_seq[end]);
	return c;
}

static void feed_carrier(struct inspector *i, struct flow *f, const struct packet *p, unsigned end)
{
	struct inspection *x = f->inspection;
	if (x->carrier == NULL && !carries_much(p)) {
		x->carries = p->proto == IPPROTO_UDP;
		return;
	}
	if (x->carrier == NULL)
		x->carrier = new_carrier(i, f);
	const uint32_t seq = p->proto == IPPROTO_TCP ? p->tcp_seq + (p->tcp_flags & TCP_SYN ? 1 : 0) : 0;
	if (x->carrier == NULL || !carrier_feed(i->carriers, x->carrier, end == f->inside_end ? CONTENT_OUT : CONTENT_IN, seq,
	                                        p->payload, p->payload_caplen))
		end_carrier(i, x);
}

/* What is encrypted carries nothing that could be read. */
static bool is_encrypted(const struct inspection *x)
{
	return x->app != NULL ? x->app_encrypted : x->said.encrypted;
}

static void begin_carrier(struct flow *f)
{
	struct inspection *x = f->inspection;
	x->carries = !x->names && f->class_ == FLOW_TRANSFER &&
	             (f->key.proto == IPPROTO_TCP || f->key.proto == IPPROTO_UDP);
	for (unsigned end = 0; end < 2; end++) {
		x->begins[end] = f->key.proto == IPPROTO_TCP && f->tcp_seen[end] & TCP_SYN;
		x->begin_seq[end] = f->tcp_next[end];
	}
}

void inspect_rules(struct inspector *i, struct signatures *rules)
{
	carriers_rules(i->carriers, rules);
}

void inspect_overhear(struct inspector *i, const struct packet *p)
{
	carrier_overhear(i->carriers, p);
}

void inspect_look(struct inspector *i, struct flow *f)
{
	struct inspection *x = f->inspection;
	if (x != NULL && x->carrier != NULL && !is_encrypted(x))
		carrier_look(i->carriers, x->carrier);
}

/* Where the handshake was seen, each direction's beginning is known. */
static void content_beginnings(struct flow *f)
{
	static const struct content_sink nothing;   /* is found in no bytes */
	for (unsigned end = 0; end < 2; end++) {
		enum content_end from = end == f->inside_end ? CONTENT_OUT : CONTENT_IN;
		if (f->tcp_seen[end] & TCP_SYN)
			(void)!content_feed(f->inspection->content, from, f->tcp_next[end], NULL, 0, &nothing);
	}
}

void inspect_begin(struct inspector *i, struct flow *f, bool look)
{
	struct inspection *x = take(i);
	if (x == NULL)
		return;
	const struct flow_key *k = &f->key;
	unsigned in = f->inside_end;
	x->owner = f;
	f->inspection = x;
	x->names = k->port[0] == PORT_DNS || k->port[1] == PORT_DNS;
	/* Within one network only the names matter. */
	x->dpi_over = !look || f->class_ != FLOW_TRANSFER;
	if (!look)
		return;
	begin_carrier(f);
	x->content = content_new(i->content, k->proto, k->port[in], k->port[1 - in]);
	if (x->content != NULL && k->proto == IPPROTO_TCP)
		content_beginnings(f);
}

/* --- nDPI --- */

/* Keep what nDPI says now. */
static void take_word(struct inspector *i, struct inspection *x)
{
	struct dpi_result r;
	dpi_get(i->dpi, x->dpi, &r);
	memcpy(x->said.app, r.app, sizeof x->said.app);
	memcpy(x->said.category, r.category, sizeof x->said.category);
	x->said.risk = r.risk;
	x->said.host_source = (uint8_t)r.host_source;
	x->said.encrypted = r.encrypted;
	x->said.known = r.known;
	x->looked = false;
	if (x->extras == NULL && r.host[0] == '\0' && r.ja3[0] == '\0' && r.ja4[0] == '\0')
		return;
	struct extras *e = extras_of(i, x);
	memcpy(e->host, r.host, sizeof e->host);
	memcpy(e->ja3, r.ja3, sizeof e->ja3);
	memcpy(e->ja4, r.ja4, sizeof e->ja4);
}

static void stop_dpi(struct inspector *i, struct inspection *x)
{
	dpi_flow_free(i->dpi, x->dpi);
	x->dpi = NULL;
	x->dpi_over = true;
	x->looked = false;
}

static bool from_client(const struct flow *f, unsigned end)
{
	if (f->initiator != INITIATOR_UNKNOWN)
		return (f->initiator == INITIATOR_EQUIPMENT) == (end == f->inside_end);
	return f->key.port[end] >= f->key.port[1 - end];
}

static void feed_dpi(struct inspector *i, struct flow *f, const struct packet *p, unsigned end)
{
	struct inspection *x = f->inspection;
	if (x->dpi == NULL)
		x->dpi = dpi_flow_new(i->dpi);
	if (x->dpi == NULL) {
		stop_dpi(i, x);
		return;
	}
	enum dpi_state state = dpi_feed(i->dpi, x->dpi, p->l3, p->l3_caplen, p->time_us, from_client(f, end));
	const unsigned most = p->proto == IPPROTO_TCP ? FEED_TCP : p->proto == IPPROTO_UDP ? FEED_UDP : FEED_OTHER;
	x->fed++;
	x->fed_known = (uint8_t)(x->fed_known + (state != DPI_MORE));
	if (state != DPI_DONE && (x->fed >= most || x->fed_known >= FEED_KNOWN)) {
		dpi_finish(i->dpi, x->dpi);
		state = DPI_DONE;
	}
	if (state != DPI_MORE)
		take_word(i, x);
	if (state == DPI_DONE)
		stop_dpi(i, x);
}

void inspect_packet(struct inspector *i, struct flow *f, const struct packet *p, unsigned end, bool fresh,
                    const struct inspect_sink *sink)
{
	struct inspection *x = f->inspection;
	if (p->fragment && !p->first_fragment)
		return;
	if (x->content != NULL) {
		struct content_ctx ctx = {.i = i, .f = f, .sink = sink};
		feed_content(&ctx, p, end);
	}
	if (x->carries && p->payload_caplen > 0)
		feed_carrier(i, f, p, end);
	if (x->app != NULL && !x->dpi_over)
		stop_dpi(i, x);
	if (x->dpi_over || !fresh || !p->l4_whole || p->payload_caplen == 0)
		return;
	if (x->content == NULL || !content_is_likely(x->content))
		feed_dpi(i, f, p, end);
	if (x->carries && is_encrypted(x))
		end_carrier(i, x);
}

void inspect_finish(struct inspector *i, struct flow *f)
{
	struct inspection *x = f->inspection;
	if (x == NULL)
		return;
	if (x->dpi != NULL) {
		dpi_finish(i->dpi, x->dpi);
		take_word(i, x);
	}
	if (!x->dpi_over)
		stop_dpi(i, x);
	if (x->content != NULL) {
		content_free(i->content, x->content);
		x->content = NULL;
		x->looked = false;
	}
	inspect_look(i, f);
	end_carrier(i, x);
}

/* --- tunnels --- */

void inspect_inner(struct inspector *i, struct flow *f, enum decode_tunnel kind, const struct packet *inner)
{
	struct inspection *x = f->inspection;
	if (x == NULL || x->inner_count == INNERS_MAX)
		return;
	/* The pair alone, the same both ways: ports of a busy tunnel would use up the few. */
	uint64_t pair = XXH3_64bits(&inner->src, sizeof inner->src) + XXH3_64bits(&inner->dst, sizeof inner->dst);
	for (unsigned n = 0; n < x->inner_count; n++)
		if (x->inner[n] == pair)
			return;
	x->inner[x->inner_count++] = pair;
	char detail[160];
	inspect_tunnel_detail(inner, detail);
	keep_find(i, x, inspect_tunnel_word(kind), detail);
}

/* --- what is known --- */

static bool is_final(const struct inspection *x)
{
	return x->dpi_over && (x->content == NULL || x->names || x->app != NULL);
}

static const char *app_of(const struct inspection *x)
{
	return x->app != NULL ? x->app : x->said.known ? x->said.app : "Unknown";
}

static const char *category_of(const struct inspection *x)
{
	if (x->app != NULL)
		return x->category;
	return x->said.category[0] != '\0' ? x->said.category : "Unspecified";   /* nDPI saw nothing of it */
}

static const struct extras no_extras;

static uint64_t text_hash(const char *text, uint64_t seed)
{
	return text[0] != '\0' ? XXH3_64bits_withSeed(text, strlen(text), seed) : seed + 2;
}

static uint64_t news_hash(const struct inspection *x)
{
	const struct extras *e = x->extras != NULL ? x->extras : &no_extras;
	uint64_t h = text_hash(app_of(x), 1);
	h = text_hash(e->host, h);
	h = text_hash(e->ja3, h);
	h = text_hash(e->ja4, h) + x->hidden_name;
	return h << 2 | (is_final(x) ? 3 : 1);
}

bool inspect_has_news(const struct flow *f)
{
	struct inspection *x = f->inspection;
	if (x == NULL || x->looked || f->class_ != FLOW_TRANSFER)
		return false;
	bool known = x->app != NULL || x->said.known || (x->extras != NULL && x->extras->host[0] != '\0');
	bool news = (known || is_final(x)) && news_hash(x) != x->fetched;
	x->looked = !news;
	return news;
}

/* *to is all zero. */
static void copy_text(char *to, size_t size, const char *from)
{
	if (from != NULL)
		memcpy(to, from, strnlen(from, size - 1));
}

void inspect_get(struct flow *f, struct fact_flow_class *ret)
{
	struct inspection *x = f->inspection;
	const struct extras *e = x->extras != NULL ? x->extras : &no_extras;
	copy_text(ret->app, sizeof ret->app, app_of(x));
	copy_text(ret->category, sizeof ret->category, category_of(x));
	copy_text(ret->host, sizeof ret->host, e->host);
	copy_text(ret->ja3, sizeof ret->ja3, e->ja3);
	copy_text(ret->ja4, sizeof ret->ja4, e->ja4);
	ret->risk = x->said.risk | (x->hidden_name ? UINT64_C(1) << RISK_ESNI : 0);
	ret->host_source = x->said.host_source;
	ret->encrypted = x->app != NULL ? x->app_encrypted : x->said.encrypted;
	ret->final = is_final(x);
	x->fetched = news_hash(x);
}

const struct inspect_find *inspect_first_find(const struct flow *f)
{
	const struct inspection *x = f->inspection;
	return x != NULL && x->find_count > 0 ? &x->extras->find[0] : NULL;
}

void inspect_drop_find(struct flow *f)
{
	struct inspection *x = f->inspection;
	x->find_count--;
	memmove(&x->extras->find[0], &x->extras->find[1], x->find_count * sizeof x->extras->find[0]);
}

bool inspect_is_over(const struct flow *f)
{
	const struct inspection *x = f->inspection;
	if (!x->dpi_over || x->content != NULL || x->carrier != NULL)
		return false;
	return (f->flags & FLOW_TUNNEL) == 0 || x->inner_count == INNERS_MAX;
}

uint64_t inspect_finds_lost(const struct inspector *i)
{
	return i->finds_lost;
}

uint64_t inspect_cut_short(const struct inspector *i)
{
	struct dpi_stats stats;
	dpi_stats(i->dpi, &stats);
	return stats.cut_short;
}

/* garita signatures test - the code of workers on a file, or on a capture. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_signatures.h"
#include "base/bytes.h"
#include "sense/capture.h"
#include "sense/carrier.h"
#include "sense/content.h"
#include "sense/decode.h"

#define OBJECT_BYTES 4096u    /* as flows.content_kib is by itself */
#define FLOWS 65536u          /* of a capture; a power of two */

/* The two ends, the smaller first. */
struct ends {
	struct addr addr[2];
	uint16_t port[2];
	uint8_t proto, zero[3];   /* compared as bytes */
};

struct tried {
	struct ends key;
	bool used;
	struct carrier *carrier;
	struct content *content;
};

struct trial {
	struct asked_signatures *a;
	const char *path;
	const struct ends *key;       /* of the flow that is looked at; NULL: a file */
	struct carriers *carriers;
	struct content_pool *pool;
	struct tried *flows;
};

static void tell(struct trial *t, const char *word, const char *detail)
{
	char where[4400], a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX];
	const struct ends *k = t->key;
	if (k == NULL)
		snprintf(where, sizeof where, "%s", t->path);
	else
		snprintf(where, sizeof where, "%s: %s %u - %s %u", t->path, addr_text(&k->addr[0], a), k->port[0],
		         addr_text(&k->addr[1], b), k->port[1]);
	signatures_row(t->a, (const char *const[]){where, word, detail});
}

static void on_carried(void *ctx, void *owner, const char *word, const char *detail)
{
	struct trial *t = ctx;
	t->key = owner != NULL ? &((struct tried *)owner)->key : NULL;
	tell(t, word, detail);
}

static void on_find(void *ctx, const struct content_find *f)
{
	struct trial *t = ctx;
	tell(t, f->word, f->detail);
}

static void on_dns(void *ctx, const struct dns_answer *a, enum content_end from)
{
	(void)ctx;
	(void)a;
	(void)from;
}

/* --- a file: a stream of its own --- */

static int try_file(struct trial *t, FILE *f)
{
	uint8_t p[1400];
	const struct carrier_ends ends = {.proto = IPPROTO_TCP};
	const struct content_sink sink = {.ctx = t, .find = on_find, .dns = on_dns};
	struct carrier *c = carrier_new(t->carriers, NULL, &ends);
	struct content *content = content_new(t->pool, IPPROTO_TCP, 1, 1);
	uint32_t seq = 1;
	size_t n;
	bool more = c != NULL, talk = content != NULL;
	if (c != NULL)
		carrier_begin(c, CONTENT_OUT, seq);
	if (content != NULL)
		talk = content_feed(content, CONTENT_OUT, seq, NULL, 0, &sink);
	while ((more || talk) && (n = fread(p, 1, sizeof p, f)) > 0) {
		more = more && carrier_feed(t->carriers, c, CONTENT_OUT, seq, p, (uint32_t)n);
		talk = talk && content_feed(content, CONTENT_OUT, seq, p, (uint32_t)n, &sink);
		seq += (uint32_t)n;
	}
	if (more)
		carrier_look(t->carriers, c);
	content_free(t->pool, content);
	carrier_free(t->carriers, c);
	return ferror(f) ? EXIT_FAILED : EXIT_DONE;
}

/* --- a capture: each of its flows --- */

static uint32_t hash_of(const struct ends *e)
{
	const uint8_t *p = (const uint8_t *)e;
	uint32_t h = 2166136261u;   /* FNV-1a: the captures are one's own */
	for (size_t i = 0; i < sizeof *e; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

static unsigned ends_of(const struct packet *p, struct ends *ret)
{
	const int order = addr_cmp(&p->src, &p->dst);
	const unsigned src = order > 0 || (order == 0 && p->src_port > p->dst_port);
	memset(ret, 0, sizeof *ret);
	ret->addr[src] = p->src;
	ret->addr[1 - src] = p->dst;
	ret->port[src] = p->src_port;
	ret->port[1 - src] = p->dst_port;
	ret->proto = p->proto;
	return src;
}

static struct tried *find_flow(struct trial *t, const struct ends *key)
{
	for (uint32_t i = 0, at = hash_of(key); i < FLOWS; i++, at++) {
		struct tried *f = &t->flows[at % FLOWS];
		if (f->used && memcmp(&f->key, key, sizeof *key) != 0)
			continue;
		if (!f->used) {
			const struct carrier_ends ends = {.addr = {key->addr[0], key->addr[1]}, .port = {key->port[0], key->port[1]},
			                                  .proto = key->proto};
			f->used = true;
			f->key = *key;
			f->carrier = carrier_new(t->carriers, f, &ends);
			f->content = content_new(t->pool, key->proto, key->port[0], key->port[1]);
		}
		return f;
	}
	return NULL;
}

static void try_packet(struct trial *t, const struct packet *p)
{
	struct ends key;
	const struct content_sink sink = {.ctx = t, .find = on_find, .dns = on_dns};
	carrier_overhear(t->carriers, p);
	if ((p->proto != IPPROTO_TCP && p->proto != IPPROTO_UDP) || !p->l4_whole || (p->fragment && !p->first_fragment))
		return;
	const unsigned end = ends_of(p, &key);
	struct tried *f = find_flow(t, &key);
	if (f == NULL)
		return;
	t->key = &f->key;
	const enum content_end from = end == 0 ? CONTENT_OUT : CONTENT_IN;
	const bool syn = p->proto == IPPROTO_TCP && p->tcp_flags & TCP_SYN;
	const uint32_t seq = p->proto == IPPROTO_TCP ? p->tcp_seq + syn : 0;
	if (f->content != NULL && ((syn && !content_feed(f->content, from, seq, NULL, 0, &sink)) ||
	                           (p->payload_caplen > 0 && !content_feed(f->content, from, seq, p->payload, p->payload_caplen, &sink)))) {
		content_free(t->pool, f->content);
		f->content = NULL;
	}
	if (f->carrier != NULL && syn)
		carrier_begin(f->carrier, from, seq);
	if (f->carrier != NULL && p->payload_caplen > 0 && key.port[0] != 53 && key.port[1] != 53 &&
	    !carrier_feed(t->carriers, f->carrier, from, seq, p->payload, p->payload_caplen)) {
		carrier_free(t->carriers, f->carrier);
		f->carrier = NULL;
	}
}

/* Unwraps tunnels; ends with DECODE_DEPTH_MAX. */
static void try_unwrapped(struct trial *t, const struct packet *p)
{
	struct packet inner;
	if (p->tunnel == TUNNEL_NONE)
		try_packet(t, p);
	else if (decode_inner(p, &inner) == DECODE_IP)
		try_unwrapped(t, &inner);
}

static int try_capture(struct trial *t)
{
	const struct capture_files files = {.paths = &t->path, .path_count = 1};
	struct capture *c = NULL;
	struct capture_frame frame;
	char err[400] = "";
	t->flows = calloc(FLOWS, sizeof *t->flows);
	int rc = t->flows != NULL ? capture_open_files(&files, &c, err, sizeof err) : ERR_NOMEM;
	if (rc != 0) {
		tool_error("signatures", "%s", err[0] != '\0' ? err : err_str(rc));
		return EXIT_FAILED;
	}
	struct packet p;
	int code = EXIT_DONE;
	while ((rc = capture_next(c, &frame)) == 0 || rc == ERR_DAMAGED) {
		if (rc == 0 && decode_frame(&frame, &p) == DECODE_IP)
			try_unwrapped(t, &p);
		if (rc == ERR_DAMAGED)
			code = EXIT_DAMAGED;
	}
	for (size_t i = 0; i < FLOWS; i++) {
		if (t->flows[i].carrier != NULL)
			carrier_look(t->carriers, t->flows[i].carrier);
		carrier_free(t->carriers, t->flows[i].carrier);
		content_free(t->pool, t->flows[i].content);
	}
	capture_close(c);
	return code;
}

/* Magic numbers of pcap, of either order and precision, and of pcapng. */
static bool is_capture(FILE *f)
{
	uint8_t p[4] = {0};
	const size_t n = fread(p, 1, sizeof p, f);
	rewind(f);
	const uint32_t m = be32(p), s = le32(p);
	return n == sizeof p && (m == 0xa1b2c3d4 || s == 0xa1b2c3d4 || m == 0xa1b23c4d || s == 0xa1b23c4d || m == 0x0a0d0d0a);
}

int signatures_test_file(struct asked_signatures *a, struct signatures *rules, const char *path)
{
	struct trial t = {.a = a, .path = path};
	const struct carrier_options o = {.max_flows = FLOWS, .bytes = OBJECT_BYTES, .keep = KEEP_CLEAR, .rules = rules,
	                                  .ctx = &t, .find = on_carried};
	FILE *f = fopen(path, "rbe");
	if (f == NULL) {
		tool_error("signatures", "%s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	int code = carriers_new(&o, &t.carriers) == 0 && content_pool_new(FLOWS, OBJECT_BYTES, &t.pool) == 0 ? EXIT_DONE
	                                                                                                 : EXIT_FAILED;
	if (code == EXIT_DONE)
		code = is_capture(f) ? try_capture(&t) : try_file(&t, f);
	free(t.flows);
	carriers_free(t.carriers);
	content_pool_free(t.pool);
	fclose(f);
	return code;
}

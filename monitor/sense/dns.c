#include "sense/dns.h"

#include <string.h>

#include "base/bytes.h"

/* Every section is walked to the end of the message, so that bytes which only
 * look like a header are no DNS message. Of the answer section the records
 * that can lead to an address are noted in fixed arrays; the chain of aliases
 * is then followed through the notes, whatever their order was. */

#define HEADER_BYTES 12
#define NAME_WIRE_MAX 255   /* RFC 1035, section 2.3.4 */
#define LABEL_MAX 63
#define JUMPS_MAX 64
#define ALIASES_MAX 32      /* CNAME and SVCB AliasMode records noted of one message */
#define HOLDERS_MAX 128     /* A, AAAA, SVCB and HTTPS records noted */
#define CHAIN_MAX 16        /* names on the chain, the question included; resolvers give up earlier */

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, TYPE_OPT = 41, TYPE_SVCB = 64, TYPE_HTTPS = 65 };
enum { CLASS_IN = 1, CLASS_CH = 3, CLASS_HS = 4, CLASS_NONE = 254, CLASS_ANY = 255 };
enum { SVC_KEY_IPV4HINT = 4, SVC_KEY_IPV6HINT = 6 };

/* A name without compression, in lower case: length bytes and labels, with the
 * final zero. The hash is of those bytes. */
struct name {
	uint8_t wire[NAME_WIRE_MAX];
	size_t bytes;
	uint64_t hash;
};

struct alias {
	size_t target_at;     /* offset of the name it stands for */
	uint64_t owner_hash;
	size_t owner_at;
	uint32_t ttl_s;
};

struct holder {
	size_t owner_at;
	uint64_t owner_hash;
	size_t data_at, data_bytes;
	uint32_t ttl_s;
	uint16_t type;
};

struct link {
	struct name name;
	uint32_t ttl_s;       /* smallest so far */
};

struct parse {
	const uint8_t *msg;
	size_t bytes;
	unsigned alias_count, holder_count;
	bool holders_missed;
	struct alias alias[ALIASES_MAX];
	struct holder holder[HOLDERS_MAX];
};

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* One label at *at goes behind ret. 0 or ERR_DAMAGED. */
static int label_add(const struct parse *p, size_t *at, struct name *ret)
{
	const size_t n = p->msg[*at];
	/* one byte must remain for the root label */
	if (n > LABEL_MAX || p->bytes - *at < n + 1 || ret->bytes + n + 1 > NAME_WIRE_MAX - 1)
		return ERR_DAMAGED;
	ret->wire[ret->bytes++] = (uint8_t)n;
	for (size_t i = 1; i <= n; i++)
		ret->wire[ret->bytes++] = lower(p->msg[*at + i]);
	*at += n + 1;
	return 0;
}

static uint64_t hash_of(const uint8_t *b, size_t n)
{
	uint64_t h = 0xcbf29ce484222325U;
	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3U;
	return h;
}

/* Read the name at an offset (RFC 1035, section 4.1.4). A pointer must lead to
 * before the piece that it ends, so that no loop is possible.
 * *ret_end: the offset behind it. 0 or ERR_DAMAGED. */
static int name_read(const struct parse *p, size_t at, struct name *ret, size_t *ret_end)
{
	size_t piece = at, end = 0;
	unsigned jumps = 0;
	ret->bytes = 0;
	for (;;) {
		if (at >= p->bytes)
			return ERR_DAMAGED;
		const uint8_t n = p->msg[at];
		if (n == 0)
			break;
		if (n < 0xc0) {
			if (label_add(p, &at, ret) != 0)
				return ERR_DAMAGED;
			continue;
		}
		if (p->bytes - at < 2 || ++jumps > JUMPS_MAX)
			return ERR_DAMAGED;
		const size_t to = be16(p->msg + at) & 0x3fffU;
		if (to < HEADER_BYTES || to >= piece)
			return ERR_DAMAGED;
		if (end == 0)
			end = at + 2;
		at = piece = to;
	}
	ret->wire[ret->bytes++] = 0;
	ret->hash = hash_of(ret->wire, ret->bytes);
	*ret_end = end != 0 ? end : at + 1;
	return 0;
}

static bool name_eq(const struct name *a, const struct name *b)
{
	return a->hash == b->hash && a->bytes == b->bytes && memcmp(a->wire, b->wire, a->bytes) == 0;
}

/* Is the name at an offset, whose hash is known, this one? */
static bool name_is(const struct parse *p, size_t at, uint64_t hash, const struct name *n)
{
	struct name other;
	size_t end;
	return hash == n->hash && name_read(p, at, &other, &end) == 0 && name_eq(&other, n);
}

static bool plain(uint8_t c)
{
	return c >= '!' && c <= '~' && c != '\\' && c != '.';
}

static size_t label_text_bytes(const uint8_t *label)
{
	size_t n = 0;
	for (size_t i = 1; i <= label[0]; i++)
		n += plain(label[i]) ? 1 : 4;
	return n;
}

static size_t label_text(const uint8_t *label, char *to)
{
	size_t n = 0;
	for (size_t i = 1; i <= label[0]; i++) {
		const uint8_t c = label[i];
		if (plain(c)) {
			to[n++] = (char)c;
			continue;
		}
		to[n++] = '\\';
		to[n++] = (char)('0' + c / 100);
		to[n++] = (char)('0' + c / 10 % 10);
		to[n++] = (char)('0' + c % 10);
	}
	return n;
}

/* Text of a name. Where it does not fit the first labels are left out, because
 * the last ones tell whose name it is; false then. */
static bool name_text(const struct name *n, char to[DNS_NAME_MAX])
{
	size_t need = 0, from = 0, len = 0;
	for (size_t at = 0; n->wire[at] != 0; at += n->wire[at] + 1U)
		need += label_text_bytes(n->wire + at) + 1;
	const bool whole = need <= DNS_NAME_MAX;
	while (need > DNS_NAME_MAX) {
		need -= label_text_bytes(n->wire + from) + 1;
		from += n->wire[from] + 1U;
	}
	for (size_t at = from; n->wire[at] != 0; at += n->wire[at] + 1U) {
		len += label_text(n->wire + at, to + len);
		to[len++] = '.';
	}
	to[len > 0 ? len - 1 : 0] = '\0';
	return whole;
}

/* The top bit asks for an answer to one station (mDNS: RFC 6762, section 5.4). */
static bool class_known(uint16_t c)
{
	c &= 0x7fff;
	return c == CLASS_IN || c == CLASS_CH || c == CLASS_HS || c == CLASS_NONE || c == CLASS_ANY;
}

static int question_read(const struct parse *p, size_t *at, struct name *ret, uint16_t *ret_type)
{
	if (name_read(p, *at, ret, at) != 0 || p->bytes - *at < 4)
		return ERR_DAMAGED;
	*ret_type = be16(p->msg + *at);
	const uint16_t class_ = be16(p->msg + *at + 2);
	*at += 4;
	return class_known(class_) && *ret_type != 0 ? 0 : ERR_DAMAGED;
}

/* SvcParams (RFC 9460, section 2.2): key, length, value; keys grow strictly.
 * Is the record whole? *ret_params: offset of the first. */
static int svcb_check(const struct parse *p, size_t at, size_t bytes, size_t *ret_params)
{
	const size_t end = at + bytes;
	struct name target;
	if (bytes < 3 || name_read(p, at + 2, &target, ret_params) != 0 || *ret_params > end)
		return ERR_DAMAGED;
	long last = -1;
	for (size_t i = *ret_params; i < end;) {
		if (end - i < 4)
			return ERR_DAMAGED;
		const uint16_t key = be16(p->msg + i), n = be16(p->msg + i + 2);
		if (key <= last || end - i - 4 < n)
			return ERR_DAMAGED;
		if ((key == SVC_KEY_IPV4HINT && (n == 0 || n % 4 != 0)) ||
		    (key == SVC_KEY_IPV6HINT && (n == 0 || n % 16 != 0)))
			return ERR_DAMAGED;
		last = key;
		i += 4U + n;
	}
	return 0;
}

static void alias_note(struct parse *p, const struct holder *h, size_t target_at)
{
	if (p->alias_count == ALIASES_MAX)
		return;
	p->alias[p->alias_count++] = (struct alias){
	    .target_at = target_at, .owner_hash = h->owner_hash, .owner_at = h->owner_at, .ttl_s = h->ttl_s};
}

static void holder_note(struct parse *p, const struct holder *h)
{
	if (p->holder_count == HOLDERS_MAX) {
		p->holders_missed = true;
		return;
	}
	p->holder[p->holder_count++] = *h;
}

/* A record of the answer section, class IN. 0 or ERR_DAMAGED. */
static int answer_note(struct parse *p, const struct holder *h)
{
	struct name target;
	size_t end;
	switch (h->type) {
	case TYPE_A:
	case TYPE_AAAA:
		if (h->data_bytes != (h->type == TYPE_A ? 4 : 16))
			return ERR_DAMAGED;
		holder_note(p, h);
		return 0;
	case TYPE_CNAME:
		if (name_read(p, h->data_at, &target, &end) != 0 || end != h->data_at + h->data_bytes)
			return ERR_DAMAGED;
		alias_note(p, h, h->data_at);
		return 0;
	case TYPE_SVCB:
	case TYPE_HTTPS:
		if (svcb_check(p, h->data_at, h->data_bytes, &end) != 0)
			return ERR_DAMAGED;
		if (be16(p->msg + h->data_at) == 0)
			alias_note(p, h, h->data_at + 2);   /* AliasMode: RFC 9460, section 2.4.2 */
		else
			holder_note(p, h);
		return 0;
	default:
		return 0;
	}
}

/* Any record: owner, type, class, TTL, length, data (RFC 1035, section 3.2.1). */
static int record_read(struct parse *p, size_t *at, bool answer)
{
	struct name owner;
	struct holder h = {.owner_at = *at};
	if (name_read(p, *at, &owner, at) != 0 || p->bytes - *at < 10)
		return ERR_DAMAGED;
	const uint8_t *fixed = p->msg + *at;
	const uint16_t class_ = be16(fixed + 2);
	h.type = be16(fixed);
	h.ttl_s = be32(fixed + 4);
	if (h.ttl_s > INT32_MAX)
		h.ttl_s = 0;   /* RFC 2181, section 8 */
	h.owner_hash = owner.hash;
	h.data_bytes = be16(fixed + 8);
	h.data_at = *at + 10;
	if (p->bytes - h.data_at < h.data_bytes)
		return ERR_DAMAGED;
	*at = h.data_at + h.data_bytes;
	return answer && class_ == CLASS_IN ? answer_note(p, &h) : 0;
}

static void addr_add(struct dns_answer *a, const struct addr *addr, uint32_t ttl_s)
{
	for (unsigned i = 0; i < a->addr_count; i++) {
		if (!addr_eq(&a->addr[i].addr, addr))
			continue;
		if (ttl_s < a->addr[i].ttl_s)
			a->addr[i].ttl_s = ttl_s;
		return;
	}
	if (a->addr_count == DNS_ADDRS_MAX) {
		a->more_addrs = true;
		return;
	}
	a->addr[a->addr_count].addr = *addr;
	a->addr[a->addr_count++].ttl_s = ttl_s;
}

/* ipv4hint and ipv6hint of a record that svcb_check found whole. */
static void hints_add(const struct parse *p, const struct holder *h, uint32_t ttl_s, struct dns_answer *a)
{
	const size_t end = h->data_at + h->data_bytes;
	size_t at;
	if (svcb_check(p, h->data_at, h->data_bytes, &at) != 0)
		return;
	while (at < end) {
		const uint16_t key = be16(p->msg + at), n = be16(p->msg + at + 2);
		const size_t step = key == SVC_KEY_IPV4HINT ? 4 : 16;
		at += 4;
		for (size_t i = 0; (key == SVC_KEY_IPV4HINT || key == SVC_KEY_IPV6HINT) && i < n; i += step) {
			const struct addr v = step == 4 ? addr_from_v4(p->msg + at + i) : addr_from_v6(p->msg + at + i);
			addr_add(a, &v, ttl_s);
		}
		at += n;
	}
}

static void holders_add(const struct parse *p, const struct link *l, struct dns_answer *a)
{
	for (unsigned i = 0; i < p->holder_count; i++) {
		const struct holder *h = &p->holder[i];
		if (!name_is(p, h->owner_at, h->owner_hash, &l->name))
			continue;
		const uint32_t ttl_s = h->ttl_s < l->ttl_s ? h->ttl_s : l->ttl_s;
		if (h->type == TYPE_SVCB || h->type == TYPE_HTTPS) {
			hints_add(p, h, ttl_s, a);
			continue;
		}
		const uint8_t *data = p->msg + h->data_at;
		const struct addr v = h->type == TYPE_A ? addr_from_v4(data) : addr_from_v6(data);
		addr_add(a, &v, ttl_s);
	}
}

/* Put what a name is an alias of behind the chain, unless it is there. */
static unsigned chain_grow(const struct parse *p, struct link *chain, unsigned at, unsigned count)
{
	for (unsigned i = 0; i < p->alias_count && count < CHAIN_MAX; i++) {
		const struct alias *al = &p->alias[i];
		struct link *next = &chain[count];
		size_t end;
		if (!name_is(p, al->owner_at, al->owner_hash, &chain[at].name) ||
		    name_read(p, al->target_at, &next->name, &end) != 0 || next->name.bytes == 1)
			continue;   /* an alias of "." says: no such service */
		next->ttl_s = al->ttl_s < chain[at].ttl_s ? al->ttl_s : chain[at].ttl_s;
		bool there = false;
		for (unsigned j = 0; j < count; j++)
			there = there || name_eq(&chain[j].name, &next->name);
		count += !there;
	}
	return count;
}

static void chain_follow(const struct parse *p, const struct name *question, struct dns_answer *a)
{
	struct link chain[CHAIN_MAX];
	unsigned count = 1;
	chain[0].name = *question;
	chain[0].ttl_s = UINT32_MAX;
	for (unsigned i = 0; i < count; i++) {
		holders_add(p, &chain[i], a);
		count = chain_grow(p, chain, i, count);
	}
	a->more_addrs = a->more_addrs || p->holders_missed;
}

/* QR, opcode, AA, TC, RD, RA, Z, AD, CD, rcode (RFC 1035, section 4.1.1; RFC
 * 4035, section 3.1.6). Z must be zero; opcode 3 and those above 6 (RFC 8490)
 * are not assigned. */
static bool flags_sane(uint16_t flags)
{
	const unsigned opcode = flags >> 11 & 15;
	return (flags & 0x40) == 0 && opcode <= 6 && opcode != 3;
}

static void header_read(const uint8_t *msg, struct dns_answer *ret)
{
	const uint16_t flags = be16(msg + 2);
	*ret = (struct dns_answer){.is_response = flags >> 15, .id = be16(msg)};
	ret->opcode = flags >> 11 & 15;
	ret->rcode = flags & 15;
	ret->qdcount = be16(msg + 4);
	ret->ancount = be16(msg + 6);
}

static int sections_read(struct parse *p, struct dns_answer *ret, struct name *ret_question)
{
	size_t at = HEADER_BYTES;
	const unsigned others = be16(p->msg + 8) + (unsigned)be16(p->msg + 10);
	for (unsigned i = 0; i < ret->qdcount; i++) {
		struct name n;
		uint16_t type;
		if (question_read(p, &at, i == 0 ? ret_question : &n, i == 0 ? &ret->qtype : &type) != 0)
			return ERR_DAMAGED;
	}
	for (unsigned i = 0; i < ret->ancount; i++)
		if (record_read(p, &at, true) != 0)
			return ERR_DAMAGED;
	for (unsigned i = 0; i < others; i++)
		if (record_read(p, &at, false) != 0)
			return ERR_DAMAGED;
	return at == p->bytes ? 0 : ERR_DAMAGED;
}

int dns_parse(const uint8_t *msg, size_t bytes, struct dns_answer *ret)
{
	/* offsets of names are 14 bits, of records 16: no longer message exists */
	if (bytes < HEADER_BYTES || bytes > UINT16_MAX || !flags_sane(be16(msg + 2)))
		return ERR_DAMAGED;
	struct parse p;   /* its arrays are read only as far as they were written */
	p.msg = msg;
	p.bytes = bytes;
	p.alias_count = p.holder_count = 0;
	p.holders_missed = false;
	struct dns_answer a;
	struct name question = {.bytes = 0};
	header_read(msg, &a);
	if (sections_read(&p, &a, &question) != 0)
		return ERR_DAMAGED;
	if (a.qdcount > 0) {
		a.name_cut = !name_text(&question, a.name);
		a.name_bytes = (uint16_t)question.bytes;
		a.name_hash = question.hash;
	}
	if (a.is_response && a.opcode == 0 && a.rcode == 0 && a.qdcount > 0 && !a.name_cut)
		chain_follow(&p, &question, &a);
	*ret = a;
	return 0;
}

bool dns_begins(const uint8_t *msg, size_t bytes)
{
	if (bytes < HEADER_BYTES || !flags_sane(be16(msg + 2)))
		return false;
	const struct parse p = {.msg = msg, .bytes = bytes < UINT16_MAX ? bytes : UINT16_MAX};
	size_t at = HEADER_BYTES;
	struct name n;
	uint16_t type;
	const unsigned questions = be16(msg + 4);
	return questions == 0 ? bytes == HEADER_BYTES : question_read(&p, &at, &n, &type) == 0;
}

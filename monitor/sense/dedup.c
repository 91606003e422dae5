/* dedup.c - a table of the signatures of recent frames, and for each pair of
 * addresses how often frames between them came twice. */
#include "sense/dedup.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SETS 4096u          /* of recent frames */
#define WAYS 4u             /* one cache line */
#define PAIRS 4096u         /* of addresses; two with one place forget each other */
#define PAYLOAD_BYTES 64u   /* of the payload in the signature */
#define HEADER_MAX 60u      /* TCP with all options */
#define VERIFY_S 60         /* seconds after a copy in which whole payloads are compared */
#define UNVERIFIED_MAX 8    /* copies of a pair believed at the beginning of those */
#define UNVERIFIED_ALL 32   /* of an interface: pairs are for a sender to choose */
#define COPIES_MAX 4u       /* on one path: mirrors of several ports, ingress and egress */
#define DETOURS_MAX 6u      /* ports and VLANs that a mirror sees the frame pass */

#define PERCENT_STRONG 30   /* of strong frames that are second copies: frames come twice */
#define PERCENT_WEAK 45     /* the same of weak frames, all in exact pairs: 50 is all of them */
#define PERCENT_WEAK_NOT 25 /* fewer: they do not, whatever the interface says; between: as before */
#define PAIR_STRONG_MIN 8   /* frames before a history says anything */
#define PAIR_WEAK_MIN 32
#define INTERFACE_STRONG_MIN 32

/* Frames whose signatures lead to one place, a cache line: of each 48 bits of
 * the signature, 0: free, above 16 of the path; and of struct seen the rest. */
struct set {
	uint64_t tag[WAYS];
	uint32_t time_us[WAYS], rest[WAYS];
};

/* One of them. */
struct seen {
	uint64_t signature;
	uint32_t path;      /* of the first copy: VLANs, MACs, TTL, interface; 16 bits */
	uint32_t time_us;   /* of the last copy; the low 32 bits */
	uint32_t whole;     /* hash of the whole payload; 0: not taken; 24 bits */
	uint32_t copies;    /* on that path; stays odd at the end; 4 bits */
	uint32_t detours;   /* copies on other paths; 4 bits */
};

/* The last 64 frames, newest in bit 0; set: it was a second copy. */
struct history {
	uint64_t copy;
	uint8_t n;              /* at most 64 */
};

struct pair {
	uint32_t tag;
	uint32_t twice;         /* signature of the last weak frame that came again */
	struct history strong, weak;
	uint32_t copy_s;        /* seconds of packet time of the last copy, 0: none */
	uint16_t last_id[2];    /* per direction */
	uint8_t same_id[2];     /* different frames in a row that had it */
	uint8_t unverified;     /* copies believed since verification began */
	bool doubled;           /* what the weak history last said */
};

struct interface {
	struct history strong, all;
	uint32_t copy_s;        /* as of a pair */
	uint8_t unverified;
};

struct dedup {
	struct set set[SETS];
	struct pair pair[PAIRS];
	struct interface interface[256];
	uint64_t secret;        /* so that nobody can make frames that seem to be the same */
};

_Static_assert(sizeof(struct set) == 64 && sizeof(struct dedup) < 600u << 10, "dedup.h says 600 KB");

int dedup_new(struct dedup **ret)
{
	const size_t bytes = (sizeof **ret + 63) / 64 * 64;
	struct dedup *d = aligned_alloc(64, bytes);
	if (d == NULL)
		return ERR_NOMEM;
	memset(d, 0, bytes);
	if (getrandom(&d->secret, sizeof d->secret, 0) != sizeof d->secret) {
		free(d);
		return ERR_IO;
	}
	*ret = d;
	return 0;
}

void dedup_free(struct dedup *d)
{
	free(d);
}

static void history_add(struct history *h, bool copy)
{
	h->copy = h->copy << 1 | copy;
	if (h->n < 64)
		h->n++;
}

static unsigned history_percent(const struct history *h)
{
	return h->n > 0 ? (unsigned)__builtin_popcountll(h->copy) * 100 / h->n : 0;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	const uint64_t x = (a ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
	return (x ^ x >> 29 ^ b) * UINT64_C(0x94d049bb133111eb);
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t x;
	memcpy(&x, p, sizeof x);
	return x;
}

static uint64_t mix_addr(const struct addr *a)
{
	const uint64_t x = mix(load64(a->b), load64(a->b + 8));
	return x ^ x >> 32;
}

/* Does a sender not send these bytes twice, at least not so soon? IPv4 ids are
 * new in each packet (0: RFC 6864 lets it be anything); ESP counts (RFC 4303,
 * section 2.2); a SYN is repeated after a second (RFC 6298, section 2). */
static bool never_repeats(const struct packet *p)
{
	return p->fragment || p->proto == 50 || (p->ip_version == 4 && p->ip_id != 0) || (p->tcp_flags & TCP_SYN) != 0;
}

static inline uint64_t nonzero(uint64_t x, unsigned bits)
{
	x &= (UINT64_C(1) << bits) - 1;
	return x != 0 ? x : 1;
}

/* Where the snaplen cut, a tag more or less moves the cut: the header alone. */
static struct dedup_body body_of(const struct packet *p)
{
	struct dedup_body b = {p->l4, p->l4_caplen, 0};
	if (b.at == NULL) {
		b.at = p->payload;
		b.bytes = p->payload_caplen;
	}
	uint32_t header = p->l4 != NULL && p->payload != NULL ? (uint32_t)(p->payload - p->l4) : 0;
	if (p->truncated) {
		if (header == 0)
			header = p->proto == 6 ? 20 : 8;
		if (b.bytes > header)
			b.bytes = header;
	}
	b.part = (header < HEADER_MAX ? header : HEADER_MAX) + PAYLOAD_BYTES;
	if (b.part > b.bytes)
		b.part = b.bytes;
	return b;
}

/* What a mirror, a switch and a router leave alone. */
static uint64_t signature_of(const struct packet *p, uint64_t seed, const struct dedup_body *b, enum dedup_vlans vlans)
{
	if (vlans == DEDUP_BY_VLAN)
		seed += mix(UINT64_C(1) << 32 | (uint64_t)p->vlan[0] << 16 | p->vlan[1], p->vlan_count);
	const uint64_t fields = (uint64_t)p->ip_id << 32 ^ (uint64_t)p->ip_bytes << 12 ^ p->fragment_offset ^
	                        (uint64_t)p->more_fragments << 31 ^ (uint64_t)p->proto << 56;
	return XXH3_64bits_withSeed(b->at, b->part, seed ^ mix(fields, p->ip_version));
}

_Static_assert(offsetof(struct packet, src_mac) == offsetof(struct packet, dst_mac) + sizeof(struct mac), "one after the other");

static uint32_t path_of(const struct packet *p)
{
	uint64_t first;   /* of the 12 bytes of both MACs */
	uint32_t last;
	memcpy(&first, (const uint8_t *)p + offsetof(struct packet, dst_mac), sizeof first);
	memcpy(&last, (const uint8_t *)p + offsetof(struct packet, dst_mac) + sizeof first, sizeof last);
	const uint64_t where = (uint64_t)p->vlan[0] << 48 | (uint64_t)p->vlan[1] << 32 | (uint64_t)p->ttl << 16 |
	                       (uint64_t)p->interface << 8 | p->vlan_count;
	return (uint32_t)(mix(first ^ (uint64_t)last << 32, where) >> 48);
}

/* Some senders use one id for all they send: then it tells nothing. */
static bool id_stuck(struct pair *pair, const struct packet *p, unsigned direction, bool first)
{
	if (p->ip_version != 4 || p->fragment || p->ip_id == 0)
		return false;
	uint8_t *const row = &pair->same_id[direction];
	if (first) {
		if (pair->last_id[direction] != p->ip_id)
			*row = 0;
		else if (*row < UINT8_MAX)
			++*row;
		pair->last_id[direction] = (uint16_t)p->ip_id;
	}
	return *row >= 2;
}

/* Do frames between these two come twice, on one path? */
static bool pair_doubled(const struct dedup *d, const struct pair *pair, uint8_t interface)
{
	if (pair->strong.n >= PAIR_STRONG_MIN)
		return history_percent(&pair->strong) >= PERCENT_STRONG;
	if (pair->doubled)
		return true;
	if (pair->weak.n >= PAIR_WEAK_MIN && history_percent(&pair->weak) < PERCENT_WEAK_NOT)
		return false;
	const struct history *h = &d->interface[interface].strong;
	return h->n >= INTERFACE_STRONG_MIN && history_percent(h) >= PERCENT_STRONG;
}

static inline uint32_t age_of(uint32_t time_us, uint32_t now_us)
{
	const int32_t age = (int32_t)(now_us - time_us);
	return age < 0 ? 0u - (uint32_t)age : (uint32_t)age;
}

/* Where a signature is in its set: newer ones come first, so where it is not
 * all move on by one, the last falls out, and the first is the place. */
static inline unsigned way_of(struct set *set, uint64_t signature)
{
#pragma GCC unroll 4
	for (unsigned i = 0; i < WAYS; i++)
		if (set->tag[i] >> 16 == signature)
			return i;
#pragma GCC unroll 4
	for (unsigned i = WAYS - 1; i > 0; i--) {
		set->tag[i] = set->tag[i - 1];
		set->time_us[i] = set->time_us[i - 1];
		set->rest[i] = set->rest[i - 1];
	}
	set->tag[0] = 0;
	return 0;
}

/* The entry of a signature; a new one (copies 0) if it is not there, or too old. */
static inline struct seen load_seen(const struct set *set, unsigned way, uint64_t signature, uint32_t now_us)
{
	if (set->tag[way] == 0 || age_of(set->time_us[way], now_us) > DEDUP_WINDOW_US)
		return (struct seen){.signature = signature, .time_us = now_us};
	const uint32_t rest = set->rest[way];
	return (struct seen){.signature = signature, .path = (uint32_t)(set->tag[way] & 0xffff),
	                     .time_us = set->time_us[way], .whole = rest >> 8, .copies = rest >> 4 & 15,
	                     .detours = rest & 15};
}

static inline void store_seen(struct set *set, unsigned way, const struct seen *s)
{
	set->tag[way] = s->signature << 16 | s->path;
	set->time_us[way] = s->time_us;
	set->rest[way] = s->whole << 8 | s->copies << 4 | s->detours;
}

static bool is_quiet(uint32_t copy_s, uint32_t now_s)
{
	return copy_s == 0 || now_s - copy_s > VERIFY_S;
}

static uint32_t whole_of(const struct dedup *d, const struct dedup_body *b)
{
	return (uint32_t)nonzero(XXH3_64bits_withSeed(b->at, b->bytes, d->secret), 24);
}

/* The same for a packet that is routed between two scanner networks. */
static bool verified_routed(const struct dedup *d, struct seen *s, const struct dedup_body *b)
{
	if (b->part == b->bytes)
		return true;
	const uint32_t whole = whole_of(d, b);
	if (s->copies == 0)
		s->whole = whole;
	return s->whole == whole;
}

/* Once frames came again, between two addresses or on the interface, the whole
 * payload must be the same: else a sender could hide content behind equal
 * headers and an equal beginning. */
static bool verified(struct dedup *d, struct pair *pair, struct seen *s, const struct packet *p,
                     const struct dedup_body *b)
{
	struct interface *interface = &d->interface[p->interface];
	const uint32_t now_s = (uint32_t)(p->time_us / 1000000);
	const bool first = s->copies == 0;

	if (b->part == b->bytes)   /* the signature saw it all */
		return true;
	if (is_quiet(interface->copy_s, now_s))
		interface->unverified = 0;
	if (is_quiet(pair->copy_s, now_s)) {
		if (first && is_quiet(interface->copy_s, now_s))
			return true;
		pair->unverified = 0;
	}
	if (!first)
		pair->copy_s = interface->copy_s = now_s;
	const uint32_t whole = whole_of(d, b);
	if (first)
		s->whole = whole;
	if (first || s->whole != 0)
		return s->whole == whole;
	if (pair->unverified >= UNVERIFIED_MAX || interface->unverified >= UNVERIFIED_ALL)
		return false;
	pair->unverified++;
	interface->unverified++;
	return true;
}

/* A weak frame; copy: evidence of doubling. */
static void weak_add(struct pair *pair, bool copy)
{
	history_add(&pair->weak, copy);
	if (pair->weak.n < PAIR_WEAK_MIN)
		return;
	const unsigned percent = history_percent(&pair->weak);
	if (percent >= PERCENT_WEAK)
		pair->doubled = true;
	else if (percent < PERCENT_WEAK_NOT)
		pair->doubled = false;
}

/* A copy on the same path whose bytes may have been sent twice. Of such, every
 * second is taken for the mirror's: a dup-ACK that came twice is still one. */
static bool weak_copy(struct dedup *d, struct pair *pair, const struct seen *s, const struct packet *p, uint32_t age)
{
	/* Counts as evidence only where different frames come exactly twice. */
	const bool twice = s->copies == 2 && age <= DEDUP_WEAK_WINDOW_US && pair->twice != (uint32_t)s->signature;
	const bool copy = s->copies % 2 == 0 && age <= DEDUP_WEAK_WINDOW_US && p->l4_whole &&
	                  pair_doubled(d, pair, p->interface);
	if (twice || s->copies % 2 == 1)
		weak_add(pair, twice);
	pair->twice = (uint32_t)s->signature;
	return copy;
}

static size_t pair_of(uint64_t both)
{
	return (both ^ both >> 24) % PAIRS;
}

void dedup_seek(const struct dedup *d, const struct packet *p, enum dedup_vlans vlans, struct dedup_place *ret)
{
	if (__builtin_expect(d == NULL, 0)) {
		*ret = (struct dedup_place){0};
		return;
	}
	const uint64_t src = mix_addr(&p->src) ^ d->secret, dst = mix_addr(&p->dst) ^ d->secret;
	ret->body = body_of(p);
	ret->pair = src + dst;
	ret->upward = src < dst;
	ret->signature = signature_of(p, src * 3 + dst, &ret->body, vlans);
	__builtin_prefetch(&d->pair[pair_of(ret->pair)], 1);
	__builtin_prefetch((const char *)&d->pair[pair_of(ret->pair)] + 64, 1);
	__builtin_prefetch(&d->set[ret->signature % SETS], 1);
}

/* Counts a frame that is no packet of another with the same beginning. */
static bool judge(struct dedup *d, struct pair *pair, struct seen *s, const struct packet *p, bool strong, bool routed)
{
	struct interface *interface = &d->interface[p->interface];
	const uint32_t path = path_of(p), now_us = (uint32_t)p->time_us, age = age_of(s->time_us, now_us);
	const bool first = s->copies == 0, same_path = first || s->path == path;
	bool copy = false;

	if (first)
		s->path = path;
	if (same_path && s->copies < 15)
		s->copies++;
	else if (!same_path && s->detours < 15)
		s->detours++;
	s->time_us = now_us;

	if (!first && !same_path) {
		copy = s->detours <= DETOURS_MAX;
		if (routed)
			return copy;
	} else if (strong) {
		copy = !first && s->copies <= COPIES_MAX;
		history_add(&pair->strong, copy);
		history_add(&interface->strong, copy);
	} else if (first) {
		weak_add(pair, false);
	} else {
		copy = weak_copy(d, pair, s, p, age);
	}
	history_add(&interface->all, copy);
	return copy;
}

bool dedup_seen(struct dedup *d, const struct packet *p, enum dedup_vlans vlans, const struct dedup_place *at)
{
	if (__builtin_expect(d == NULL, 0))
		return false;
	struct pair *pair = &d->pair[pair_of(at->pair)];
	struct set *set = &d->set[at->signature % SETS];
	const uint32_t tag = (uint32_t)(at->pair >> 32) | 1, now_us = (uint32_t)p->time_us;
	const uint64_t signature = nonzero(at->signature >> 16, 48);
	const bool routed = vlans == DEDUP_ROUTED;
	bool copy = false;

	if (pair->tag != tag)
		*pair = (struct pair){.tag = tag};
	const unsigned way = way_of(set, signature);
	struct seen s = load_seen(set, way, signature, now_us);
	const bool strong = !id_stuck(pair, p, at->upward, s.copies == 0) && never_repeats(p);
	if (routed ? verified_routed(d, &s, &at->body) : verified(d, pair, &s, p, &at->body))
		copy = judge(d, pair, &s, p, strong, routed);
	else
		history_add(&d->interface[p->interface].all, false);
	store_seen(set, way, &s);
	return copy;
}

bool dedup_doubling(const struct dedup *d, uint8_t interface)
{
	const struct history *h = &d->interface[interface].all;
	return h->n == 64 && history_percent(h) >= PERCENT_STRONG;
}

#include "sense/ssh.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define BUCKETS 4096u
#define NEWKEYS_BYTES 16u       /* unencrypted: 4 of length, 1 of padding's length, the number, 10 of padding */
#define MSG_NEWKEYS 21          /* RFC 4250, section 4.1.2 */
#define ACCEPT_LEAST 40u        /* 17 bytes in blocks of 16 with a MAC of 8 */
#define ACCEPT_MOST 112u
#define ACCEPT_TRIES 3u         /* segments of the server's in which it may be */

enum phase {
	PHASE_HANDSHAKE = 0,    /* until the client's NEWKEYS */
	PHASE_ACCEPT,           /* until the server's SERVICE_ACCEPT */
	PHASE_REST,             /* nothing of note in this exchange */
	PHASE_OPEN,             /* the server began it with what may be an open */
	PHASE_CONFIRMED,        /* and the client confirmed */
};

struct entry {
	uint64_t flow;
	int64_t last_us;        /* of the last payload */
	int64_t begun_us;       /* of the exchange */
	uint64_t bytes_out, bytes_in;   /* since the first that counts was confirmed */
	uint32_t opened;
	uint32_t next;          /* of its bucket, or free */
	uint16_t confirm_bytes;
	uint8_t phase;          /* enum phase */
	uint8_t opens, small, tries;
	bool changed;           /* since it was told */
	bool clients;           /* the exchange was begun by the client */
	bool client_last;       /* and the client spoke last */
};

struct ssh_table {
	uint32_t used, free;
	uint32_t bucket[BUCKETS];
	struct entry pool[SSH_FLOWS];
};

_Static_assert(sizeof(struct entry) <= 64, "ssh.h says so");

int ssh_table_new(struct ssh_table **ret)
{
	struct ssh_table *t = calloc(1, sizeof *t);
	if (t == NULL)
		return ERR_NOMEM;
	t->free = NONE;
	memset(t->bucket, 0xff, sizeof t->bucket);
	*ret = t;
	return 0;
}

void ssh_table_free(struct ssh_table *t)
{
	free(t);
}

/* The slot of a flow is in the low half of its id: slots in use are near each other. */
static uint32_t *bucket_of(struct ssh_table *t, uint64_t flow)
{
	return &t->bucket[flow % BUCKETS];
}

static struct entry *find(struct ssh_table *t, uint64_t flow)
{
	for (uint32_t at = *bucket_of(t, flow); at != NONE; at = t->pool[at].next)
		if (t->pool[at].flow == flow)
			return &t->pool[at];
	return NULL;
}

bool ssh_begin(struct ssh_table *t, uint64_t flow)
{
	uint32_t at = t->free;
	if (at != NONE) {
		t->free = t->pool[at].next;
	} else if (t->used < SSH_FLOWS) {
		at = t->used++;
	} else {
		return false;
	}
	uint32_t *bucket = bucket_of(t, flow);
	t->pool[at] = (struct entry){.flow = flow, .next = *bucket};
	*bucket = at;
	return true;
}

void ssh_forget(struct ssh_table *t, uint64_t flow)
{
	for (uint32_t *at = bucket_of(t, flow); *at != NONE; at = &t->pool[*at].next) {
		const uint32_t is = *at;
		if (t->pool[is].flow != flow)
			continue;
		*at = t->pool[is].next;
		t->pool[is].next = t->free;
		t->free = is;
		return;
	}
}

/* --- the beginning --- */

static bool is_newkeys(const struct packet *p)
{
	return p->payload_caplen > 5 && p->payload[0] == 0 && p->payload[1] == 0 && p->payload[2] == 0 &&
	       p->payload[3] == NEWKEYS_BYTES - 4 && p->payload[5] == MSG_NEWKEYS;
}

/* The client says NEWKEYS when the server has (it answers the key exchange with
 * both), and then asks for a service: the server's next word accepts that. */
static void learn(struct entry *e, const struct packet *p, uint32_t bytes, bool by_client)
{
	if (e->phase == PHASE_HANDSHAKE) {
		if (by_client && is_newkeys(p))
			e->phase = PHASE_ACCEPT;
		return;
	}
	if (by_client)
		return;
	if (bytes >= ACCEPT_LEAST && bytes <= ACCEPT_MOST && bytes % 4 == 0) {
		e->confirm_bytes = (uint16_t)bytes;
		e->phase = PHASE_REST;
	} else if (++e->tries == ACCEPT_TRIES) {
		e->confirm_bytes = UINT16_MAX;   /* never */
		e->phase = PHASE_REST;
	}
}

/* --- exchanges --- */

/* Neither said anything for a while: whoever speaks begins something new. But
 * what the server says after a word of the client's is its answer, however late. */
static bool begins(const struct entry *e, const struct packet *p)
{
	return p->time_us - e->last_us >= SSH_QUIET_US && !(e->clients && e->client_last);
}

static bool may_be_open(const struct entry *e, uint32_t bytes)
{
	return bytes >= e->confirm_bytes + SSH_OPEN_LEAST && bytes <= e->confirm_bytes + SSH_OPEN_MOST;
}

static void begin(struct entry *e, const struct packet *p, uint32_t bytes, bool by_client)
{
	e->clients = by_client;
	e->begun_us = p->time_us;
	if (e->phase == PHASE_CONFIRMED)
		return;   /* what is open stays open */
	e->phase = PHASE_REST;
	if (!by_client && may_be_open(e, bytes)) {
		e->phase = PHASE_OPEN;
		e->opens = 1;
	}
}

static void answer_open(struct entry *e, const struct packet *p, uint32_t bytes, bool by_client)
{
	const bool confirms = bytes % e->confirm_bytes == 0 && bytes / e->confirm_bytes <= e->opens &&
	                      p->time_us - e->begun_us <= SSH_ANSWER_US;
	if (!by_client && may_be_open(e, bytes) && e->opens < SSH_OPENS) {
		e->opens++;
		return;
	}
	e->phase = by_client && confirms ? PHASE_CONFIRMED : PHASE_REST;
	e->small = 0;
}

/* True: what was opened is used. */
static bool use(struct entry *e, uint32_t bytes, bool by_client)
{
	if (!by_client)
		return false;
	if (bytes >= SSH_REPLY_BYTES) {
		e->phase = PHASE_REST;
		e->opened += e->opened < UINT32_MAX;
		return true;
	}
	if (++e->small == SSH_SMALL_MAX)
		e->phase = PHASE_REST;
	return false;
}

static bool go_on(struct entry *e, const struct packet *p, uint32_t bytes, bool by_client)
{
	bool news = false;
	if (begins(e, p))
		begin(e, p, bytes, by_client);
	else if (e->phase == PHASE_OPEN)
		answer_open(e, p, bytes, by_client);
	if (e->phase == PHASE_CONFIRMED)
		news = use(e, bytes, by_client);
	e->client_last = by_client;
	return news;
}

static void count(struct entry *e, uint32_t bytes, bool out)
{
	if (e->opened == 0 && e->phase != PHASE_CONFIRMED) {
		e->bytes_out = e->bytes_in = 0;
		return;
	}
	*(out ? &e->bytes_out : &e->bytes_in) += bytes;
	e->changed = true;
}

bool ssh_see(struct ssh_table *t, uint64_t flow, const struct packet *p, uint32_t new_bytes, bool by_client, bool out)
{
	struct entry *e = find(t, flow);
	bool news = false;
	if (e == NULL || new_bytes == 0)
		return false;
	if (e->phase == PHASE_HANDSHAKE || e->phase == PHASE_ACCEPT)
		learn(e, p, new_bytes, by_client);
	else
		news = go_on(e, p, new_bytes, by_client);
	e->last_us = p->time_us;
	count(e, new_bytes, out);
	return news;
}

bool ssh_get(struct ssh_table *t, uint64_t flow, struct ssh_sums *ret)
{
	const struct entry *e = find(t, flow);
	if (e == NULL || e->opened == 0 || !e->changed)
		return false;
	*ret = (struct ssh_sums){.bytes_out = e->bytes_out, .bytes_in = e->bytes_in, .opened = e->opened};
	return true;
}

void ssh_told(struct ssh_table *t, uint64_t flow)
{
	struct entry *e = find(t, flow);
	if (e != NULL)
		e->changed = false;
}

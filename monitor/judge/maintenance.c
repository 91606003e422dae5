#include "judge/maintenance.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define MEMBERS_MAX (1u << 20)
#define BUCKETS 1024u

struct session {
	int64_t id;                   /* 0: free */
	uint32_t tool, equipment, network, hostname, approval, ticket;   /* texts */
	struct addr peer;             /* of its first flow */
	bool by_name;
	uint8_t initiator;
	bool open, changed, offered;
	uint32_t live, next;          /* next: of the same bucket */
	uint64_t flows, unapproved, out, in;
	int64_t start_us, last_us;
};

struct member {
	uint32_t key, session;        /* session NONE: free */
	uint8_t verdict;              /* 0: not judged yet, 1 approved, 2 unapproved */
};

struct maintenances {
	struct intern *texts;
	struct session all[MAINTENANCE_MAX];
	uint32_t buckets[BUCKETS];    /* open sessions by tool, machine and peer; NONE: empty */
	uint32_t used;                /* sessions ever in use; free ones among them */
	uint32_t count, changed;
	struct member *members;       /* open addressing */
	uint32_t member_count, member_mask;
	int64_t next_id;
	uint64_t refused;
};

int maintenances_new(struct intern *texts, int64_t next_id, struct maintenances **ret)
{
	struct maintenances *m = calloc(1, sizeof *m);
	if (m == NULL)
		return ERR_NOMEM;
	m->texts = texts;
	m->next_id = next_id > 0 ? next_id : 1;
	memset(m->buckets, 0xff, sizeof m->buckets);
	m->member_mask = 255;
	m->members = malloc((m->member_mask + 1) * sizeof *m->members);
	if (m->members == NULL) {
		free(m);
		return ERR_NOMEM;
	}
	memset(m->members, 0xff, (m->member_mask + 1) * sizeof *m->members);
	*ret = m;
	return 0;
}

void maintenances_free(struct maintenances *m)
{
	if (m != NULL)
		free(m->members);
	free(m);
}

/* --- flows --- */

static uint32_t slot_of(const struct maintenances *m, uint32_t key)
{
	/* the upper bits: keys that follow each other must not stand together */
	uint32_t i = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 40) & m->member_mask;
	while (m->members[i].session != NONE && m->members[i].key != key)
		i = (i + 1) & m->member_mask;
	return i;
}

static bool grow(struct maintenances *m)
{
	if (m->member_count * 2 < m->member_mask)
		return true;
	if (m->member_count >= MEMBERS_MAX)
		return false;
	const uint32_t old_mask = m->member_mask, mask = old_mask * 4 + 3;
	struct member *old = m->members, *fresh = malloc(((size_t)mask + 1) * sizeof *fresh);
	if (fresh == NULL)
		return m->member_count < old_mask - 8;
	memset(fresh, 0xff, ((size_t)mask + 1) * sizeof *fresh);
	m->members = fresh;
	m->member_mask = mask;
	for (uint32_t i = 0; i <= old_mask; i++)
		if (old[i].session != NONE)
			fresh[slot_of(m, old[i].key)] = old[i];
	free(old);
	return true;
}

/* What stands behind it moves up, so that nothing is lost to a search. */
static void take_out(struct maintenances *m, uint32_t at)
{
	m->members[at].session = NONE;
	m->member_count--;
	for (uint32_t i = (at + 1) & m->member_mask; m->members[i].session != NONE; i = (i + 1) & m->member_mask) {
		const struct member moved = m->members[i];
		m->members[i].session = NONE;
		m->members[slot_of(m, moved.key)] = moved;
	}
}

/* --- sessions --- */

static void change(struct maintenances *m, struct session *s)
{
	if (!s->changed)
		m->changed++;
	s->changed = true;
}

static void forget(struct maintenances *m, struct session *s)
{
	const uint32_t texts[] = {s->tool, s->equipment, s->network, s->hostname, s->approval, s->ticket};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		intern_put(m->texts, texts[i]);
	memset(s, 0, sizeof *s);
	m->count--;
}

static uint32_t *bucket_of(struct maintenances *m, const struct session *s)
{
	uint64_t h = (uint64_t)s->tool << 32 | s->equipment;
	for (size_t i = 0; !s->by_name && i < sizeof s->peer.b; i++)
		h = h * UINT64_C(0x100000001b3) ^ s->peer.b[i];
	return &m->buckets[(h * UINT64_C(0x9e3779b97f4a7c15) >> 40) % BUCKETS];
}

/* Open, and not quiet for too long; a clock that was set back is no silence.
 * like: what the session must have in common with it. */
static struct session *find(struct maintenances *m, const struct session *like, int64_t start_us)
{
	for (uint32_t i = *bucket_of(m, like); i != NONE; i = m->all[i].next) {
		struct session *s = &m->all[i];
		if (s->tool == like->tool && s->equipment == like->equipment && s->by_name == like->by_name &&
		    (s->by_name || addr_eq(&s->peer, &like->peer)) && start_us - s->last_us <= MAINTENANCE_GAP_US)
			return s;
	}
	return NULL;
}

/* It is open no longer: what comes is another. */
static void close_session(struct maintenances *m, struct session *s)
{
	uint32_t *at = bucket_of(m, s);
	while (*at != (uint32_t)(s - m->all))
		at = &m->all[*at].next;
	*at = s->next;
	s->open = false;
	change(m, s);
}

static struct session *place(struct maintenances *m)
{
	if (m->count < m->used)
		for (uint32_t i = 0; i < m->used; i++)
			if (m->all[i].id == 0)
				return &m->all[i];
	return m->used < MAINTENANCE_MAX ? &m->all[m->used++] : NULL;
}

static struct session *make(struct maintenances *m, const struct maintenance_flow *f)
{
	struct session *s = place(m);
	if (s == NULL)
		return NULL;
	m->count++;
	*s = (struct session){.id = m->next_id++, .tool = intern_get(m->texts, f->tool),
	                      .equipment = intern_get(m->texts, f->equipment), .network = intern_get(m->texts, f->network),
	                      .hostname = intern_get(m->texts, f->hostname), .peer = f->peer, .by_name = f->by_name,
	                      .initiator = (uint8_t)f->initiator, .open = true, .start_us = f->start_us, .last_us = f->start_us};
	uint32_t *bucket = bucket_of(m, s);
	s->next = *bucket;
	*bucket = (uint32_t)(s - m->all);
	return s;
}

static void add_verdict(struct maintenances *m, struct session *s, struct member *of, const struct maintenance_verdict *v)
{
	const uint8_t now = !v->judged ? 0 : v->approved ? 1 : 2;
	if (now == 1) {
		intern_set(m->texts, &s->approval, v->approval);
		intern_set(m->texts, &s->ticket, v->ticket);
	}
	if (now == of->verdict)
		return;
	s->unapproved += (uint64_t)(now == 2) - (uint64_t)(of->verdict == 2);
	of->verdict = now;
	change(m, s);
}

static void add_counts(struct session *s, const struct flow_counts *c, int64_t last_us)
{
	s->out += c->ip_bytes_out;
	s->in += c->ip_bytes_in;
	if (last_us > s->last_us)
		s->last_us = last_us;
}

bool maintenance_join(struct maintenances *m, const struct maintenance_flow *f, const struct maintenance_verdict *v)
{
	if (m->members[slot_of(m, f->key)].session != NONE)
		return false;
	const struct session like = {.tool = intern_get(m->texts, f->tool), .equipment = intern_get(m->texts, f->equipment),
	                             .peer = f->peer, .by_name = f->by_name};
	struct session *s = grow(m) ? find(m, &like, f->start_us) : NULL;
	if (s == NULL && m->member_count < m->member_mask - 8)
		s = make(m, f);
	intern_put(m->texts, like.tool);
	intern_put(m->texts, like.equipment);
	if (s == NULL) {
		m->refused++;
		return false;
	}
	struct member *of = &m->members[slot_of(m, f->key)];
	*of = (struct member){.key = f->key, .session = (uint32_t)(s - m->all)};
	m->member_count++;
	s->flows++;
	s->live++;
	if (s->initiator == INITIATOR_UNKNOWN)
		s->initiator = (uint8_t)f->initiator;
	if (s->hostname == 0)
		intern_set(m->texts, &s->hostname, f->hostname);
	if (f->start_us < s->start_us)
		s->start_us = f->start_us;
	add_counts(s, &f->counts, f->last_us);
	add_verdict(m, s, of, v);
	change(m, s);
	return true;
}

void maintenance_grow(struct maintenances *m, uint32_t key, const struct flow_counts *delta, int64_t last_us)
{
	const struct member *of = &m->members[slot_of(m, key)];
	if (of->session == NONE)
		return;
	add_counts(&m->all[of->session], delta, last_us);
	change(m, &m->all[of->session]);
}

void maintenance_judge(struct maintenances *m, uint32_t key, const struct maintenance_verdict *v)
{
	struct member *of = &m->members[slot_of(m, key)];
	if (of->session != NONE)
		add_verdict(m, &m->all[of->session], of, v);
}

void maintenance_leave(struct maintenances *m, uint32_t key)
{
	const uint32_t at = slot_of(m, key);
	if (m->members[at].session == NONE)
		return;
	m->all[m->members[at].session].live--;
	take_out(m, at);
}

void maintenances_tick(struct maintenances *m, int64_t now_us)
{
	for (uint32_t i = 0; i < m->used && m->count > 0; i++) {
		struct session *s = &m->all[i];
		if (s->id == 0 || !s->open || s->live > 0 || now_us - s->last_us <= MAINTENANCE_GAP_US)
			continue;
		close_session(m, s);
	}
}

/* --- the record --- */

int maintenances_restore(struct maintenances *m, const struct row_maintenance *r)
{
	const struct maintenance_flow f = {.tool = r->tool, .equipment = r->equipment, .network = r->network,
	                                   .hostname = r->hostname, .peer = r->peer, .by_name = r->by_name,
	                                   .initiator = r->initiator, .start_us = r->start_us};
	struct session *s = make(m, &f);
	if (s == NULL)
		return ERR_FULL;
	s->id = r->id;
	s->last_us = r->last_us;
	s->flows = r->flows;
	s->unapproved = r->unapproved;
	s->out = r->bytes_out;
	s->in = r->bytes_in;
	s->approval = intern_get(m->texts, r->approval);
	s->ticket = intern_get(m->texts, r->ticket);
	maintenances_next_id(m, r->id + 1);
	return 0;
}

void maintenances_next_id(struct maintenances *m, int64_t id)
{
	if (id > m->next_id)
		m->next_id = id;
}

static int tell(const struct maintenances *m, const struct session *s, const struct row_sink *sink)
{
	const struct row_maintenance r = {
	    .id = s->id, .tool = intern_text(m->texts, s->tool), .equipment = intern_text(m->texts, s->equipment),
	    .network = intern_text(m->texts, s->network), .hostname = intern_text(m->texts, s->hostname),
	    .approval = intern_text(m->texts, s->approval), .ticket = intern_text(m->texts, s->ticket), .peer = s->peer,
	    .by_name = s->by_name, .initiator = (enum fact_initiator)s->initiator, .open = s->open, .start_us = s->start_us,
	    .last_us = s->last_us, .flows = s->flows, .unapproved = s->unapproved, .bytes_out = s->out, .bytes_in = s->in};
	return sink->maintenance != NULL ? sink->maintenance(sink->ctx, &r) : 0;
}

int maintenances_flush(struct maintenances *m, const struct row_sink *sink, uint32_t *left)
{
	for (uint32_t i = 0; i < m->used && m->changed > 0 && *left > 0; i++) {
		struct session *s = &m->all[i];
		if (s->id == 0 || !s->changed)
			continue;
		const int e = tell(m, s, sink);
		if (e != 0)
			return e;
		s->changed = false;
		s->offered = true;
		m->changed--;
		--*left;
	}
	return 0;
}

void maintenances_recorded(struct maintenances *m, bool committed)
{
	for (uint32_t i = 0; i < m->used; i++) {
		struct session *s = &m->all[i];
		if (s->id == 0 || !s->offered)
			continue;
		s->offered = false;
		if (!committed)
			change(m, s);
		else if (!s->open && !s->changed)
			forget(m, s);
	}
}

void maintenances_offer_all(struct maintenances *m)
{
	for (uint32_t i = 0; i < m->used; i++)
		if (m->all[i].id != 0)
			change(m, &m->all[i]);
}

bool maintenances_has_changed(const struct maintenances *m)
{
	return m->changed > 0;
}

uint64_t maintenances_refused(const struct maintenances *m)
{
	return m->refused;
}

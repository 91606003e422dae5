#include "sense/carrier.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "sense/carrier_parts.h"
#include "sense/recognise.h"

#define BLOCK 32u
#define HOLE_PACKETS 16u      /* behind a hole before it counts as a gap */
#define OBJECTS_MAX 256u      /* of one flow */
#define BEGIN_BYTES 8u        /* enough to say what a direction begins with */

struct block {
	struct block *next;
	struct carrier carrier[BLOCK];
};

struct carriers {
	struct carrier_options o;
	struct content_pool *buffers;
	struct block *blocks;
	struct carrier *free_carriers, *oldest, *youngest;
	uint32_t made;
	uint64_t given_up;
	struct inflater *inflater;
	struct ftp_table *ftp;
};

int carriers_new(const struct carrier_options *o, struct carriers **ret)
{
	struct carriers *cs = calloc(1, sizeof *cs);
	if (cs == NULL)
		return ERR_NOMEM;
	cs->o = *o;
	cs->o.bytes = o->bytes < 512 ? 512 : o->bytes;
	cs->inflater = inflater_new(cs->o.bytes);
	cs->ftp = ftp_table_new();
	/* the pool makes two buffers for each flow it is told of */
	const uint32_t pairs = o->max_flows / 4 > 0 ? o->max_flows / 4 : 1;
	const int rc = cs->inflater == NULL || cs->ftp == NULL ? ERR_NOMEM : content_pool_new(pairs, cs->o.bytes, &cs->buffers);
	if (rc != 0) {
		carriers_free(cs);
		return rc;
	}
	*ret = cs;
	return 0;
}

void carriers_free(struct carriers *cs)
{
	if (cs == NULL)
		return;
	while (cs->blocks != NULL) {
		struct block *b = cs->blocks;
		cs->blocks = b->next;
		free(b);
	}
	content_pool_free(cs->buffers);
	inflater_free(cs->inflater);
	ftp_table_free(cs->ftp);
	free(cs);
}

void carriers_rules(struct carriers *cs, struct signatures *rules)
{
	cs->o.rules = rules;
}

uint64_t carriers_given_up(const struct carriers *cs)
{
	return cs->given_up;
}

const struct carrier_options *carriers_options(const struct carriers *cs)
{
	return &cs->o;
}

struct inflater *carriers_inflater(const struct carriers *cs)
{
	return cs->inflater;
}

struct ftp_table *carriers_ftp(const struct carriers *cs)
{
	return cs->ftp;
}

/* --- carriers of flows --- */

static void add_block(struct carriers *cs)
{
	struct block *b = cs->made < cs->o.max_flows ? malloc(sizeof *b) : NULL;
	if (b == NULL)
		return;
	b->next = cs->blocks;
	cs->blocks = b;
	for (unsigned i = 0; i < BLOCK && cs->made < cs->o.max_flows; i++, cs->made++) {
		b->carrier[i].younger = cs->free_carriers;
		cs->free_carriers = &b->carrier[i];
	}
}

static void unlist(struct carriers *cs, struct carrier *c)
{
	if (!c->listed)
		return;
	if (c->older != NULL)
		c->older->younger = c->younger;
	else
		cs->oldest = c->younger;
	if (c->younger != NULL)
		c->younger->older = c->older;
	else
		cs->youngest = c->older;
	c->listed = false;
}

struct carrier *carrier_new(struct carriers *cs, void *owner, const struct carrier_ends *ends)
{
	if (cs->free_carriers == NULL)
		add_block(cs);
	struct carrier *c = cs->free_carriers;
	if (c == NULL)
		return NULL;
	cs->free_carriers = c->younger;
	memset(c, 0, sizeof *c);
	c->pool = cs;
	c->owner = owner;
	c->ends = *ends;
	return c;
}

/* Those that took a buffer, the first first. Who has none any more is taken off
 * when he is met. */
static void list(struct carriers *cs, struct carrier *c)
{
	if (c->listed)
		return;
	c->listed = true;
	c->younger = NULL;
	c->older = cs->youngest;
	if (c->older != NULL)
		c->older->younger = c;
	else
		cs->oldest = c;
	cs->youngest = c;
}

static void give_buffers(struct carriers *cs, struct carrier *c)
{
	for (unsigned i = 0; i < 2; i++) {
		pool_buffer_give(cs->buffers, &c->lane[i].in.buffer);
		pool_buffer_give(cs->buffers, &c->lane[i].object.buffer);
	}
}

void carrier_free(struct carriers *cs, struct carrier *c)
{
	if (c == NULL)
		return;
	give_buffers(cs, c);
	unlist(cs, c);
	c->younger = cs->free_carriers;
	cs->free_carriers = c;
}

/* Nothing more is learnt of it. */
static void give_up(struct carriers *cs, struct carrier *c)
{
	c->over = true;
	give_buffers(cs, c);
	unlist(cs, c);
}

static bool holds_buffer(const struct carrier *c)
{
	return c->lane[0].in.buffer != NULL || c->lane[0].object.buffer != NULL || c->lane[1].in.buffer != NULL ||
	       c->lane[1].object.buffer != NULL;
}

bool carrier_buffer(struct carriers *cs, struct carrier *me, struct buffer **ret)
{
	list(cs, me);
	if (pool_buffer_take(cs->buffers, ret))
		return true;
	struct carrier *c = cs->oldest;
	while (c != NULL && (c == me || !holds_buffer(c))) {
		struct carrier *next = c->younger;
		if (c != me)
			unlist(cs, c);
		c = next;
	}
	if (c == NULL)
		return false;
	cs->given_up++;
	carrier_look(cs, c);
	give_up(cs, c);
	return pool_buffer_take(cs->buffers, ret);
}

void carrier_buffer_give(struct carriers *cs, struct buffer **b)
{
	pool_buffer_give(cs->buffers, b);
}

struct lane *carrier_other(const struct passage *a)
{
	return &a->c->lane[1 - a->from];
}

void lane_end(struct passage *a)
{
	struct lane *l = a->lane;
	object_shut(a);
	l->ended = true;
	l->in.len = l->in.pending = 0;
	pool_buffer_give(a->cs->buffers, &l->in.buffer);
}

/* --- what a direction is --- */

/* A plain stream; FTP data and rcp know a name (rcp: "C0644 size name\n", as
 * rcp and scp write it; rsync(5) greets with @RSYNCD:). */
static void begin_stream(struct passage *a, const uint8_t *p, size_t n)
{
	char name[NAME_MAX_BYTES] = "";
	enum carrier_via via = VIA_NOTHING;
	if (a->c->ends.proto == IPPROTO_TCP && ftp_is_data(a->cs->ftp, &a->c->ends, name))
		via = VIA_FTP;
	else if (n >= 8 && memcmp(p, "@RSYNCD:", 8) == 0)
		via = VIA_RSYNC;
	object_open(a, via, name, CODING_NONE, a->lane->known);
	a->lane->kind = KIND_STREAM;
}

bool carrier_is_encrypted(const uint8_t *p, size_t n)
{
	return recognise_tls(p, n) || (n >= 4 && memcmp(p, "SSH-", 4) == 0);
}

/* Greetings of servers of mail and FTP say nothing themselves. */
static bool is_greeting(const uint8_t *p, size_t n)
{
	return n >= 4 && memcmp(p, "220", 3) == 0 && (p[3] == ' ' || p[3] == '-');
}

/* Nor does the client of FTP's control connection: what it names is overheard. */
static bool is_login(const uint8_t *p, size_t n)
{
	return n >= 5 && (memcmp(p, "USER ", 5) == 0 || memcmp(p, "FEAT\r", 5) == 0 || memcmp(p, "AUTH ", 5) == 0);
}

static void begin_lane(struct passage *a, const uint8_t *p, size_t n)
{
	static const struct {
		bool (*begins)(const uint8_t *, size_t);
		enum carrier_kind kind;
	} kinds[] = {{http_begins, KIND_HTTP}, {smtp_begins, KIND_SMTP}, {smb_begins, KIND_SMB}, {mqtt_begins, KIND_MQTT}, {dicom_begins, KIND_DICOM},
	             {postgres_begins, KIND_POSTGRES}, {mysql_begins, KIND_MYSQL}};
	const bool tcp = a->c->ends.proto == IPPROTO_TCP;
	if (tcp && carrier_is_encrypted(p, n)) {
		a->c->over = true;
		return;
	}
	for (size_t i = 0; tcp && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (!kinds[i].begins(p, n))
			continue;
		a->lane->kind = (uint8_t)kinds[i].kind;
		return;
	}
	/* the server of MQTT answers with a byte that anything may begin with */
	const uint8_t other = carrier_other(a)->kind;
	if (other == KIND_MQTT)
		a->lane->kind = other;
	else if (other == KIND_POSTGRES || other == KIND_MYSQL || other == KIND_SMTP || other == KIND_DICOM ||
	          is_greeting(p, n) || is_login(p, n))
		lane_end(a);
	else
		begin_stream(a, p, n);
}

static size_t stream_read(struct passage *a, const uint8_t *p, size_t n, bool full)
{
	(void)full;
	object_add(a, p, n);
	if (a->lane->object.state != OBJECT_OPEN)
		lane_end(a);
	return n;
}

static size_t lane_read(struct passage *a, const uint8_t *p, size_t n, bool full)
{
	static size_t (*const read[KIND_KINDS])(struct passage *, const uint8_t *, size_t, bool) = {
	    [KIND_STREAM] = stream_read, [KIND_HTTP] = http_read, [KIND_SMTP] = smtp_read, [KIND_SMB] = smb_read,
	    [KIND_MQTT] = mqtt_read, [KIND_DICOM] = dicom_read, [KIND_POSTGRES] = postgres_read, [KIND_MYSQL] = mysql_read};
	size_t used = 0;
	if (a->lane->kind == KIND_UNKNOWN) {
		if (!full && (n < BEGIN_BYTES || mysql_may_begin(p, n)))
			return 0;
		begin_lane(a, p, n);
	}
	while (used < n && !a->lane->ended && !a->c->over) {
		const size_t step = read[a->lane->kind](a, p + used, n - used, full && used == 0);
		if (step == 0)
			break;
		used += step;
	}
	if (a->c->objects > OBJECTS_MAX)
		a->c->over = true;
	return used;
}

/* --- bytes in order --- */

/* What is in order and waits: read it, keep what stays unread. */
static void lane_drain(struct passage *a)
{
	struct side *s = &a->lane->in;
	const size_t capacity = a->cs->o.bytes;
	const size_t used = lane_read(a, s->buffer->data, s->len, s->len >= capacity);
	if (a->lane->ended || a->c->over)
		return;
	side_drop(s, (uint32_t)used);
	if (s->len >= capacity)
		lane_end(a);   /* nothing can be made of it */
	else if (s->len == 0 && s->pending == 0)
		pool_buffer_give(a->cs->buffers, &s->buffer);
}

/* A piece that fits the buffer beside what waits there. */
static void lane_bytes(struct passage *a, const uint8_t *p, size_t n)
{
	struct side *s = &a->lane->in;
	if (s->buffer != NULL) {
		memcpy(s->buffer->data + s->len, p, n);
		s->len += (uint32_t)n;
		side_join(s);
		lane_drain(a);
		return;
	}
	const size_t used = lane_read(a, p, n, n >= a->cs->o.bytes);
	if (a->lane->ended || a->c->over || used == n)
		return;
	if (!carrier_buffer(a->cs, a->c, &s->buffer)) {
		lane_end(a);
		return;
	}
	memcpy(s->buffer->data, p + used, n - used);
	s->len = (uint32_t)(n - used);
	if (s->len >= a->cs->o.bytes)
		lane_end(a);
}

static void lane_in_order(struct passage *a, const uint8_t *p, size_t n)
{
	struct side *s = &a->lane->in;
	while (n > 0 && !a->lane->ended && !a->c->over) {
		size_t piece = a->cs->o.bytes - s->len;
		if (piece > n)
			piece = n;
		const uint32_t before = s->joined;
		s->next_seq += (uint32_t)piece;
		lane_bytes(a, p, piece);
		p += piece;
		n -= piece;
		const uint32_t more = s->joined - before;
		const size_t again = more < n ? more : n;
		p += again;
		n -= again;
	}
}

/* Bytes are missing. Within what is passed over anyway nothing is lost; else the
 * carrier is met again only where a message begins with a segment. */
static void lane_gap(struct passage *a, uint32_t bytes)
{
	struct lane *l = a->lane;
	object_look(a);
	if (l->kind != KIND_STREAM && l->kind != KIND_UNKNOWN && l->in.len == 0 && l->left > bytes) {
		l->left -= bytes;
	} else if (l->kind == KIND_HTTP) {
		object_shut(a);
		l->kind = KIND_UNKNOWN;
		l->state = 0;
		l->left = 0;
		l->known = false;
		l->in.len = 0;
	} else {
		lane_end(a);
	}
}

/* What came early is all that will come: go on behind the hole before it. */
static void lane_pass_hole(struct passage *a)
{
	struct side *s = &a->lane->in;
	unsigned first = 0;
	for (unsigned i = 1; i < s->pending; i++)
		if (s->piece[i].from < s->piece[first].from)
			first = i;
	const uint32_t from = s->piece[first].from, bytes = s->piece[first].to - from, hole = from - s->len;
	lane_gap(a, hole);
	if (a->lane->ended || a->c->over)
		return;
	memmove(s->buffer->data, s->buffer->data + from, a->cs->o.bytes - from);
	s->piece[first] = s->piece[--s->pending];
	for (unsigned i = 0; i < s->pending; i++) {
		s->piece[i].from -= from;
		s->piece[i].to -= from;
	}
	s->len = bytes;
	s->next_seq += hole + bytes;
	s->hole_packets = 0;
	side_join(s);
	lane_drain(a);
}

/* A segment behind a hole: it waits. False: there is no place for it. */
static bool lane_early(struct passage *a, uint32_t ahead, const uint8_t *p, size_t n)
{
	struct side *s = &a->lane->in;
	return ++s->hole_packets <= HOLE_PACKETS && (s->buffer != NULL || carrier_buffer(a->cs, a->c, &s->buffer)) &&
	       side_put(s, a->cs->o.bytes, ahead, p, n);
}

static void lane_segment(struct passage *a, uint32_t seq, const uint8_t *p, size_t n)
{
	struct side *s = &a->lane->in;
	if (!s->started) {
		s->started = true;
		s->next_seq = seq;
	}
	int32_t ahead;
	while ((ahead = (int32_t)(seq - s->next_seq)) > 0) {
		if (lane_early(a, (uint32_t)ahead, p, n))
			return;
		if (s->pending > 0) {
			lane_pass_hole(a);
		} else {
			lane_gap(a, (uint32_t)ahead);
			s->next_seq = seq;
		}
		if (a->lane->ended || a->c->over)
			return;
	}
	const uint32_t old = (uint32_t)-ahead;
	if (old >= n)
		return;
	lane_in_order(a, p + old, n - old);
	if (s->pending == 0)
		s->hole_packets = 0;
}

void carrier_begin(struct carrier *c, enum content_end from, uint32_t seq)
{
	struct lane *l = &c->lane[from];
	if (l->in.started)
		return;
	l->in.started = l->known = true;
	l->in.next_seq = seq;
}

static struct passage passage_of(struct carriers *cs, struct carrier *c, enum content_end from)
{
	return (struct passage){cs, c, &c->lane[from], from};
}

bool carrier_feed(struct carriers *cs, struct carrier *c, enum content_end from, uint32_t seq, const uint8_t *p,
                  uint32_t n)
{
	struct passage a = passage_of(cs, c, from == CONTENT_IN ? CONTENT_IN : CONTENT_OUT);
	if (c->over)
		return false;
	if (c->ends.proto != IPPROTO_TCP) {
		a.lane->known = true;   /* datagrams: each begins something */
		seq = a.lane->in.next_seq;
	}
	if (n > 0 && !a.lane->ended)
		lane_segment(&a, seq, p, n);
	if (c->over || (c->lane[0].ended && c->lane[1].ended)) {
		give_up(cs, c);
		return false;
	}
	return true;
}

void carrier_look(struct carriers *cs, struct carrier *c)
{
	for (unsigned i = 0; i < 2 && !c->over; i++) {
		struct passage a = passage_of(cs, c, i == 0 ? CONTENT_OUT : CONTENT_IN);
		struct side *s = &a.lane->in;
		while (s->pending > 0 && !a.lane->ended && !c->over)
			lane_pass_hole(&a);
		/* too short to say what it begins with */
		if (a.lane->kind == KIND_UNKNOWN && !a.lane->ended && s->len > 0) {
			begin_stream(&a, s->buffer->data, s->len);
			object_add(&a, s->buffer->data, s->len);
			s->len = 0;
		}
		object_look(&a);
	}
}

void carrier_overhear(struct carriers *cs, const struct packet *p)
{
	ftp_overhear(cs->ftp, p);
}

/* Transfers and findings: the rows that come by the thousand.
 *
 * A row that the record does not hold yet is inserted; of one that it holds,
 * only the columns that may have changed are written: an index whose columns
 * stay, and a foreign key whose column stays, cost nothing then, and neither
 * does an UPDATE that touches no foreign key need a journal of its own, as each
 * INSERT … ON CONFLICT does. What the judge says of a row (row_news) is taken
 * as a hint: where the record turns out to hold something else, the other way
 * is taken. New rows go in many at a time: store_batch.c. */
#include <assert.h>
#include <string.h>

#include "record/store_bind.h"
#include "record/store_schema.h"
#include "record/store_seal.h"
#include "record/store_words.h"

/* Columns in the order in which they are bound; the id comes last. */
#define COUNTS STORE_COUNTS_OF("state")
#define COUNTS_MARKS "?,?,?,?,?,?,?,?,?,?,?,?,?,?"
#define SEEN STORE_SEEN
#define SEEN_MARKS "?,?,?,?,?,?,?,?,?,?,?,?,?,?"
#define DECIDED STORE_DECIDED
#define DECIDED_MARKS "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?"
#define FIXED_MARKS "?,?,?,?,?,?"
#define ALL STORE_SEAL_COLUMNS
_Static_assert((sizeof COUNTS_MARKS + sizeof SEEN_MARKS + sizeof DECIDED_MARKS + sizeof FIXED_MARKS) / 2 + 1 == TRANSFER_CELLS,
               "a cell for each column");
_Static_assert(TRANSFER_CELL_OF_RUN == TRANSFER_CELLS - 1 - sizeof FIXED_MARKS / 2, "the first of the fixed ones");

/* As the columns stand in the table: SQLite takes the values of a row as they
 * come then, else it copies each of them once more. */
#define IN_TABLE \
	"id, run, finding, policy, start_us, end_us, state, vlan_outer, vlan_inner, network, equipment, vendor, src_mac," \
	" dest_mac, src_ip, src_port, dest_ip, dest_port, proto, initiator, app, category, encrypted, hostname," \
	" hostname_source, hostname_verified, ja3, ja4, country, city, asn, as_org, ip_bytes_out, ip_bytes_in," \
	" payload_bytes_out, payload_bytes_in, packets_out, packets_in, content, verdict, approval, reasons, flags, risk," \
	" collapsed, dns_name, bad_us, signs, channel, provider, jurisdiction"

#define FINDING_COUNTS STORE_FINDING_COUNTS
#define FINDING_COUNTS_MARKS "?,?,?,?,?,?"
#define FINDING_FIXED STORE_FINDING_FIXED
#define FINDING_FIXED_MARKS "?,?,?,?,?,?,?,?,?,?,?,?,?,?"

const char *const store_transfer_texts[ST_COUNT] = {
	[ST_TRANSFER_ADD] = "INSERT INTO transfer(" ALL ")"
	                    " VALUES(" COUNTS_MARKS "," SEEN_MARKS "," DECIDED_MARKS "," FIXED_MARKS ",?)",
	[ST_TRANSFER_BATCH] = "INSERT OR FAIL INTO transfer(" IN_TABLE ") SELECT * FROM " STORE_BATCH_TABLE,
	[ST_TRANSFER_ALL] = "UPDATE transfer SET (" COUNTS ", " SEEN ", " DECIDED ") = (" COUNTS_MARKS "," SEEN_MARKS
	                    "," DECIDED_MARKS ") WHERE id = ?",
	[ST_TRANSFER_SEEN] = "UPDATE transfer SET (" COUNTS ", " SEEN ") = (" COUNTS_MARKS "," SEEN_MARKS ") WHERE id = ?",
	[ST_TRANSFER_COUNTS] = "UPDATE transfer SET (" COUNTS ") = (" COUNTS_MARKS ") WHERE id = ?",
	[ST_FINDING_ADD] = "INSERT INTO finding(" FINDING_COUNTS ", " FINDING_FIXED ", id)"
	                   " VALUES(" FINDING_COUNTS_MARKS "," FINDING_FIXED_MARKS ",?)",
	[ST_FINDING_ALL] = "UPDATE finding SET (" FINDING_COUNTS ", " FINDING_FIXED ") = (" FINDING_COUNTS_MARKS
	                   "," FINDING_FIXED_MARKS ") WHERE id = ?",
	[ST_FINDING_COUNTS] = "UPDATE finding SET (" FINDING_COUNTS ") = (" FINDING_COUNTS_MARKS ") WHERE id = ?",
	[ST_FINDING_STUB] = "INSERT OR IGNORE INTO finding(id, equipment, peer, reasons, first_us, last_us, transfers,"
	                    " bytes_out, bytes_in) VALUES(?,?,?,?,?,?,1,?,?)",
	[ST_DETECTION] = "INSERT INTO detection(finding, word, score, count, first_us, last_us, bytes_out, detail)"
	                 " VALUES(?,?,?,?,?,?,?,?) ON CONFLICT(finding, word) DO UPDATE SET score = excluded.score,"
	                 " count = excluded.count, first_us = excluded.first_us, last_us = excluded.last_us,"
	                 " bytes_out = excluded.bytes_out, detail = excluded.detail",
	[ST_MACHINE_STUB] = "INSERT OR IGNORE INTO machine(id, known, network, first_us, last_us)"
	                    " VALUES(?1, ?1 NOT LIKE 'unknown:%' AND ?1 NOT LIKE 'gateway:%', ?2, ?3, ?3)",
	[ST_BEHIND] = "INSERT OR IGNORE INTO finding_behind(finding) VALUES(?)",
	[ST_NOT_BEHIND] = "DELETE FROM finding_behind",
	[ST_POLICY_STUB] = "INSERT OR IGNORE INTO policy(hash) VALUES(?)",
	[ST_POLICY_ID] = "SELECT id FROM policy WHERE hash = ?",
};

const char store_batch_declaration[] = "CREATE TABLE x(" IN_TABLE ")";

/* The place of a name in a list of names between commas; the list has it. */
static unsigned place_in(const char *list, const char *name, size_t bytes)
{
	for (unsigned n = 0;; n++) {
		const size_t here = strcspn(list, ",");
		assert(list[0] != '\0');
		if (here == bytes && memcmp(list, name, bytes) == 0)
			return n;
		list += here;
		list += strspn(list, ", ");
	}
}

void store_batch_cells(uint8_t ret[STORE_SEAL_COUNT])
{
	const char *name = IN_TABLE;
	for (unsigned i = 0; i < STORE_SEAL_COUNT; i++) {
		const size_t bytes = strcspn(name, ",");
		ret[i] = (uint8_t)place_in(ALL, name, bytes);
		name += bytes;
		name += strspn(name, ", ");
	}
}

/* --- parents --- */

static uint32_t text_hash(const char *text)
{
	uint32_t h = UINT32_C(2166136261);   /* FNV-1a */
	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * UINT32_C(16777619);
	return h;
}

/* The parents of a row may come later than their children, or in another
 * transaction: then a row that holds what is known stands in. SQLite is not
 * asked to enforce the foreign keys, so this has to be right. */
int store_have_machine(struct store *s, const char *id, const char *network, int64_t time_us)
{
	struct binder b;
	if (id == NULL)
		return 0;   /* the row itself will be refused */
	char *known = s->machine[text_hash(id) % STORE_MACHINES];
	if (strcmp(known, id) == 0)
		return 0;
	if (!bind_start(&b, s, ST_MACHINE_STUB))
		return store_code(s->code);
	put_text(&b, id);
	put_text(&b, network);
	put_int(&b, time_us);
	const int r = store_taken(s, bind_run(&b));
	const size_t size = strlen(id) + 1;
	if (r == 0 && size <= sizeof s->machine[0])
		memcpy(known, id, size);
	return r;
}

static int have_finding(struct store *s, const struct row_transfer *r)
{
	struct binder b;
	char peer[ADDR_TEXT_MAX], reasons[STORE_REASONS_MAX];
	int64_t *known = &s->finding[(uint64_t)r->finding % STORE_FINDINGS];
	if (r->finding == 0 || *known == r->finding)
		return 0;
	if (!bind_start(&b, s, ST_FINDING_STUB))
		return store_code(s->code);
	put_int(&b, r->finding);
	put_text(&b, r->equipment);
	put_text(&b, addr_text(&r->ident.peer, peer));
	put_text(&b, store_reasons_json(r->reasons, reasons));
	put_int(&b, r->start_us);
	put_int(&b, r->end_us);
	put_count(&b, r->counts.ip_bytes_out);
	put_count(&b, r->counts.ip_bytes_in);
	const int code = store_taken(s, bind_run(&b));
	if (code == 0)
		*known = r->finding;
	return code;
}

static int have_policy(struct store *s, const char *hash, int64_t *ret_id)
{
	const size_t slot = (uint8_t)hash[0] % STORE_POLICIES;   /* it is a hash, in hex */
	if (strcmp(s->policy[slot].hash, hash) == 0) {
		*ret_id = s->policy[slot].id;
		return 0;
	}
	struct binder b;
	if (!bind_start(&b, s, ST_POLICY_STUB))
		return store_code(s->code);
	put_text(&b, hash);
	int r = store_taken(s, bind_run(&b));
	if (r != 0)
		return r;
	if (!bind_start(&b, s, ST_POLICY_ID))
		return store_code(s->code);
	put_text(&b, hash);
	const int code = sqlite3_step(b.st);
	if (code == SQLITE_ROW)
		*ret_id = sqlite3_column_int64(b.st, 0);
	r = code == SQLITE_ROW ? 0 : store_fail(s, code);
	sqlite3_reset(b.st);
	const size_t size = strlen(hash) + 1;
	if (r == 0 && size <= sizeof s->policy[slot].hash) {
		memcpy(s->policy[slot].hash, hash, size);
		s->policy[slot].id = *ret_id;
	}
	return r;
}

void store_forget_parents(struct store *s)
{
	memset(s->policy, 0, sizeof s->policy);
	memset(s->machine, 0, sizeof s->machine);
	memset(s->finding, 0, sizeof s->finding);
}

int store_have_parents(struct store *s, const struct row_transfer *r, int64_t *ret_policy)
{
	int code = store_have_machine(s, r->equipment, r->network, r->start_us);
	if (code == 0)
		code = have_finding(s, r);
	*ret_policy = 0;
	if (code == 0 && r->policy_hash != NULL && r->policy_hash[0] != '\0')
		code = have_policy(s, r->policy_hash, ret_policy);
	return code;
}

/* --- one row --- */

struct kind {
	enum store_statement add, all;
	/* Bind the row to a statement of the kind and run it. SQLite's code. */
	int (*run)(struct store *s, const void *row, int64_t policy, enum store_statement which);
};

/* With the statement that should do, and with another where the record holds
 * something else. Its parents are there. *ret_added: 1 inserted, 0 updated, -1 refused. */
static int put_row(struct store *s, const struct kind *k, const void *row, int64_t policy, enum store_statement which,
                   int *ret_added)
{
	bool added = false;
	*ret_added = -1;
	for (;;) {
		const int code = k->run(s, row, policy, which);
		if (code == SQLITE_DONE && (which == k->add || added || sqlite3_changes(s->db) > 0)) {
			*ret_added = which == k->add;
			return 0;
		}
		if (code == SQLITE_DONE) {
			which = k->add;   /* not there, or no longer */
		} else if (code == SQLITE_CONSTRAINT_PRIMARYKEY && which == k->add && !added) {
			which = k->all;
			added = true;
		} else {
			return store_taken(s, code);
		}
	}
}

/* --- transfers --- */

static size_t word_set(uint64_t bits)
{
	return (size_t)(bits * UINT64_C(0x9e3779b97f4a7c15) >> 60) % STORE_WORD_SETS;
}

/* Until the next call of it. */
static const char *reasons_of(struct store *s, uint32_t reasons)
{
	const size_t i = word_set(reasons);
	_Static_assert(sizeof s->reasons[0].text == STORE_REASONS_MAX, "room for every reason");
	if (s->reasons[i].bits != reasons || s->reasons[i].text[0] == '\0')
		store_reasons_json(reasons, s->reasons[i].text);
	s->reasons[i].bits = reasons;
	return s->reasons[i].text;
}

static const char *signs_of(struct store *s, uint64_t signs)
{
	const size_t i = word_set(signs);
	_Static_assert(sizeof s->signs[0].text == STORE_SIGNS_MAX, "room for every detection");
	if (s->signs[i].bits != signs || s->signs[i].text[0] == '\0')
		store_signs_json(signs, s->signs[i].text);
	s->signs[i].bits = signs;
	return s->signs[i].text;
}

static const char *text_or_null(const char *s)
{
	return s != NULL && s[0] != '\0' ? s : NULL;
}

static void put_counts(struct binder *b, const struct row_transfer *r)
{
	put_int(b, r->start_us);
	put_int(b, r->end_us);
	put_text(b, store_state_word(r->state));
	put_text(b, store_initiator_word(r->initiator));
	put_count(b, r->counts.ip_bytes_out);
	put_count(b, r->counts.ip_bytes_in);
	put_count(b, r->counts.payload_bytes_out);
	put_count(b, r->counts.payload_bytes_in);
	put_count(b, r->counts.packets_out);
	put_count(b, r->counts.packets_in);
	put_int(b, r->flags);
	put_count(b, r->collapsed);
	put_int_if(b, r->bad_us != 0, r->bad_us);
	put_int(b, r->hostname_verified);
}

static void put_seen(struct binder *b, const struct row_transfer *r)
{
	put_text(b, r->inspected ? text_or_null(r->app) : NULL);
	put_text(b, r->inspected ? text_or_null(r->category) : NULL);
	put_int_if(b, r->inspected, r->encrypted);
	put_text(b, text_or_null(r->hostname));
	put_text(b, store_host_word(text_or_null(r->hostname) != NULL ? r->hostname_source : HOST_NONE));
	put_text(b, text_or_null(r->ja3));
	put_text(b, text_or_null(r->ja4));
	put_text(b, text_or_null(r->content));
	put_count(b, r->risk);
	put_text(b, text_or_null(r->dns_name));
	put_text(b, r->signs != 0 ? signs_of(b->s, r->signs) : NULL);
	put_text(b, text_or_null(r->channels));
	put_text(b, text_or_null(r->provider));
	put_text(b, text_or_null(r->jurisdiction));
}

static void put_decided(struct binder *b, const struct row_transfer *r, int64_t policy, struct row_texts *t)
{
	put_int_if(b, r->finding != 0, r->finding);
	put_int_if(b, policy != 0, policy);
	put_vlan(b, r->ident.vlan, r->ident.vlan_count);
	put_text(b, r->network);
	put_text(b, r->equipment);
	put_text(b, r->vendor);
	put_text(b, mac_or_null(&r->ident.inside_mac, t->src_mac));
	put_text(b, mac_or_null(&r->ident.peer_mac, t->dest_mac));
	put_text(b, text_or_null(r->country));
	put_text(b, text_or_null(r->city));
	put_int_if(b, r->asn != 0, r->asn);
	put_text(b, text_or_null(r->as_org));
	put_text(b, verdict_word(r->verdict));
	put_text(b, r->verdict == VERDICT_APPROVED ? text_or_null(r->approval) : NULL);
	put_text(b, r->reasons != 0 ? reasons_of(b->s, r->reasons) : NULL);
}

static void put_fixed(struct binder *b, const struct row_transfer *r, struct row_texts *t)
{
	const struct flow_ident *d = &r->ident;
	const bool ports = store_proto_has_ports(d->proto) &&
	                   !((r->flags & FLOW_FRAGMENTS) != 0 && d->inside_port == 0 && d->peer_port == 0);
	put_int(b, b->s->run);
	put_text(b, addr_text(&d->inside, t->src_ip));
	put_int_if(b, ports, d->inside_port);
	put_text(b, addr_text(&d->peer, t->dest_ip));
	put_int_if(b, ports, d->peer_port);
	put_int(b, d->proto);
}

static int run_transfer(struct store *s, const void *row, int64_t policy, enum store_statement which)
{
	const struct row_transfer *r = row;
	struct row_texts texts;
	struct binder b;
	if (!bind_start(&b, s, which))
		return s->code;
	put_counts(&b, r);
	if (which != ST_TRANSFER_COUNTS)
		put_seen(&b, r);
	if (which == ST_TRANSFER_ADD || which == ST_TRANSFER_ALL)
		put_decided(&b, r, policy, &texts);
	if (which == ST_TRANSFER_ADD)
		put_fixed(&b, r, &texts);
	put_int(&b, r->id);
	return bind_run(&b);
}

void store_transfer_cells(struct store *s, const struct row_transfer *r, int64_t policy, struct row_cells *ret)
{
	struct binder b = {.s = s, .cells = ret->cells};
	put_counts(&b, r);
	put_seen(&b, r);
	put_decided(&b, r, policy, &ret->texts);
	put_fixed(&b, r, &ret->texts);
	put_int(&b, r->id);
}

static const struct kind transfers = {ST_TRANSFER_ADD, ST_TRANSFER_ALL, run_transfer};

static int put_transfer(struct store *s, const struct row_transfer *r, int64_t policy, enum store_statement which)
{
	int added;
	const int code = put_row(s, &transfers, r, policy, which, &added);
	return code == 0 && added >= 0 && r->state != ROW_OPEN ? store_seal_row(s, r, policy, added == 1) : code;
}

int store_add_transfer(struct store *s, const struct row_transfer *r, int64_t policy)
{
	return put_transfer(s, r, policy, ST_TRANSFER_ADD);
}

int store_put_transfer(void *ctx, const struct row_transfer *r)
{
	static const enum store_statement first[] = {[ROW_ANY] = ST_TRANSFER_ALL, [ROW_NEW] = ST_TRANSFER_ADD,
	                                             [ROW_SEEN] = ST_TRANSFER_SEEN, [ROW_COUNTS] = ST_TRANSFER_COUNTS};
	int64_t policy;
	const int code = store_have_parents(ctx, r, &policy);
	return code == 0 ? put_transfer(ctx, r, policy, first[r->news]) : code;
}

/* --- findings --- */

static void put_finding_fixed(struct binder *b, const struct row_finding *r, struct row_texts *t)
{
	put_text(b, r->equipment);
	put_text(b, r->kind == PEER_DOMAIN && addr_is_zero(&r->peer) ? "" : addr_text(&r->peer, t->dest_ip));
	put_text(b, reasons_of(b->s, r->reasons));
	put_text(b, store_peer_word(r->kind));
	put_text(b, r->kind != PEER_ADDRESS ? text_or_null(r->peer_name) : NULL);
	put_int(b, r->several);
	put_text(b, r->closed ? "closed" : "open");
	put_text(b, r->signs != 0 ? signs_of(b->s, r->signs) : NULL);
	put_text(b, text_or_null(r->country));
	put_int_if(b, r->asn != 0, r->asn);
	put_text(b, text_or_null(r->as_org));
	put_int(b, r->unknown_equipment);
	put_int(b, r->foreign);
	put_int(b, r->peer_opened);
}

static void put_finding_counts(struct binder *b, const struct row_finding *r)
{
	put_int(b, r->first_us);
	put_int(b, r->last_us);
	put_count(b, r->transfers);
	put_count(b, r->bytes_out);
	put_count(b, r->bytes_in);
	put_int(b, r->severity);
}

static int run_finding(struct store *s, const void *row, int64_t policy, enum store_statement which)
{
	const struct row_finding *r = row;
	struct row_texts text;
	struct binder b;
	(void)policy;
	if (!bind_start(&b, s, which))
		return s->code;
	put_finding_counts(&b, r);
	if (which != ST_FINDING_COUNTS)
		put_finding_fixed(&b, r, &text);
	put_int(&b, r->id);
	return bind_run(&b);
}

void store_finding_cells(struct store *s, const struct row_finding *r, struct row_cells *ret)
{
	struct binder b = {.s = s, .cells = ret->cells};
	put_finding_counts(&b, r);
	put_finding_fixed(&b, r, &ret->texts);
}

static void put_detection(struct binder *b, const struct row_detection *d)
{
	put_text(b, detect_word(d->what)->word);
	put_int(b, d->score);
	put_count(b, d->count);
	put_int(b, d->first_us);
	put_int(b, d->last_us);
	put_count(b, d->bytes_out);
	put_text(b, text_or_null(d->detail));
}

void store_detection_cells(struct store *s, const struct row_detection *d, struct cell *ret)
{
	struct binder b = {.s = s, .cells = ret};
	put_detection(&b, d);
}

static int put_detections(struct store *s, const struct row_finding *r)
{
	int code = 0;
	for (unsigned i = 0; code == 0 && i < r->detection_count; i++) {
		struct binder b;
		if (r->detections[i].known)
			continue;
		if (!bind_start(&b, s, ST_DETECTION))
			return store_code(s->code);
		put_int(&b, r->id);
		put_detection(&b, &r->detections[i]);
		code = store_taken(s, bind_run(&b));
	}
	return code;
}

int store_put_finding(void *ctx, const struct row_finding *r)
{
	static const struct kind kind = {ST_FINDING_ADD, ST_FINDING_ALL, run_finding};
	static const enum store_statement first[] = {[ROW_ANY] = ST_FINDING_ALL, [ROW_NEW] = ST_FINDING_ADD,
	                                             [ROW_SEEN] = ST_FINDING_COUNTS, [ROW_COUNTS] = ST_FINDING_COUNTS};
	struct store *s = ctx;
	const uint64_t refused = s->refused;
	int added = -1, code = store_have_machine(s, r->equipment, NULL, r->first_us);
	if (code == 0)
		code = put_row(s, &kind, r, 0, first[r->news], &added);
	if (code == 0 && added >= 0)
		code = store_tell_finding(s, r);
	if (code == 0)
		code = put_detections(s, r);
	if (code == 0 && added >= 0)
		code = store_seal_finding(s, r);
	if (code == 0)
		code = store_review_finding(s, r);
	if (code == 0 && s->refused == refused)
		s->finding[(uint64_t)r->id % STORE_FINDINGS] = r->id;
	return code;
}

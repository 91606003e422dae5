/* Transfers and findings: the rows that come by the thousand.
 *
 * A row that the record does not hold yet is inserted; of one that it holds,
 * only the columns that may have changed are written: an index whose columns
 * stay, and a foreign key whose column stays, cost nothing then, and neither
 * does an UPDATE that touches no foreign key need a journal of its own, as each
 * INSERT … ON CONFLICT does. What the judge says of a row (row_news) is taken
 * as a hint: where the record turns out to hold something else, the other way
 * is taken. */
#include <string.h>

#include "record/store_bind.h"
#include "record/store_schema.h"
#include "record/store_words.h"

/* Columns in the order in which they are bound; the id comes last. */
#define COUNTS \
	"start_us, end_us, state, initiator, ip_bytes_out, ip_bytes_in, payload_bytes_out, payload_bytes_in," \
	" packets_out, packets_in, flags, collapsed, bad_us, hostname_verified"
#define COUNTS_MARKS "?,?,?,?,?,?,?,?,?,?,?,?,?,?"
#define SEEN \
	"app, category, encrypted, hostname, hostname_source, ja3, ja4, content, risk, dns_name"
#define SEEN_MARKS "?,?,?,?,?,?,?,?,?,?"
#define DECIDED \
	"finding, policy, vlan_outer, vlan_inner, network, equipment, vendor, src_mac, dest_mac, country, city, asn," \
	" as_org, verdict, approval, reasons"
#define DECIDED_MARKS "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?"
#define FIXED "run, src_ip, src_port, dest_ip, dest_port, proto"
#define FIXED_MARKS "?,?,?,?,?,?"

#define FINDING_COUNTS "first_us, last_us, transfers, bytes_out, bytes_in"
#define FINDING_COUNTS_MARKS "?,?,?,?,?"
#define FINDING_FIXED "equipment, peer, reasons"
#define FINDING_FIXED_MARKS "?,?,?"

const char *const store_transfer_texts[ST_COUNT] = {
	[ST_TRANSFER_ADD] = "INSERT INTO transfer(" COUNTS ", " SEEN ", " DECIDED ", " FIXED ", id)"
	                    " VALUES(" COUNTS_MARKS "," SEEN_MARKS "," DECIDED_MARKS "," FIXED_MARKS ",?)",
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
	[ST_MACHINE_STUB] = "INSERT OR IGNORE INTO machine(id, known, network, first_us, last_us)"
	                    " VALUES(?1, ?1 NOT LIKE 'unknown:%' AND ?1 NOT LIKE 'gateway:%', ?2, ?3, ?3)",
	[ST_POLICY_STUB] = "INSERT OR IGNORE INTO policy(hash) VALUES(?)",
	[ST_POLICY_ID] = "SELECT id FROM policy WHERE hash = ?",
};

/* --- parents --- */

static uint32_t text_hash(const char *text)
{
	uint32_t h = UINT32_C(2166136261);   /* FNV-1a */
	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * UINT32_C(16777619);
	return h;
}

/* The parents of foreign keys may come later than their children, or in
 * another transaction: then a row that holds what is known stands in. */
static int have_machine(struct store *s, const char *id, const char *network, int64_t time_us)
{
	struct binder b;
	if (id == NULL)
		return 0;   /* the row itself will be refused */
	if (!bind_start(&b, s, ST_MACHINE_STUB))
		return store_code(s->code);
	put_text(&b, id);
	put_text(&b, network);
	put_int(&b, time_us);
	return store_taken(s, bind_run(&b));
}

static int have_finding(struct store *s, const struct row_transfer *r)
{
	struct binder b;
	char peer[ADDR_TEXT_MAX], reasons[STORE_REASONS_MAX];
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
	return store_taken(s, bind_run(&b));
}

static int have_policy(struct store *s, const char *hash, int64_t *ret_id)
{
	const size_t slot = text_hash(hash) % STORE_POLICIES;
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

static int transfer_parents(struct store *s, const void *row)
{
	const struct row_transfer *r = row;
	const int code = have_machine(s, r->equipment, r->network, r->start_us);
	return code == 0 && r->finding != 0 ? have_finding(s, r) : code;
}

static int finding_parents(struct store *s, const void *row)
{
	const struct row_finding *r = row;
	return have_machine(s, r->equipment, NULL, r->first_us);
}

/* --- one row --- */

struct kind {
	enum store_statement add, all;
	/* Bind the row to a statement of the kind and run it. SQLite's code. */
	int (*run)(struct store *s, const void *row, enum store_statement which);
	int (*parents)(struct store *s, const void *row);
};

/* With the statement that should do, and with another where the record holds
 * something else. */
static int put_row(struct store *s, const struct kind *k, const void *row, enum store_statement which)
{
	bool parents = false, added = false;
	for (;;) {
		const int code = k->run(s, row, which);
		if (code == SQLITE_DONE && (which == k->add || added || sqlite3_changes(s->db) > 0))
			return 0;
		if (code == SQLITE_DONE) {
			which = k->add;   /* not there, or no longer */
		} else if (code == SQLITE_CONSTRAINT_PRIMARYKEY && which == k->add && !added) {
			which = k->all;
			added = true;
		} else if (code == SQLITE_CONSTRAINT_FOREIGNKEY && !parents) {
			const int r = k->parents(s, row);
			if (r != 0)
				return r;
			parents = true;
		} else {
			return store_taken(s, code);
		}
	}
}

/* --- transfers --- */

static const char *reasons_of(struct store *s, uint32_t reasons)
{
	_Static_assert(sizeof s->reasons_text == STORE_REASONS_MAX, "room for every reason");
	if (s->reasons != reasons || s->reasons_text[0] == '\0')
		store_reasons_json(reasons, s->reasons_text);
	s->reasons = reasons;
	return s->reasons_text;
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
}

/* Texts made for one row; they live as long as the statement runs. */
struct made_text {
	char src_mac[MAC_TEXT_MAX], dest_mac[MAC_TEXT_MAX], src_ip[ADDR_TEXT_MAX], dest_ip[ADDR_TEXT_MAX];
};

static void put_decided(struct binder *b, const struct row_transfer *r, int64_t policy, struct made_text *t)
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

static void put_fixed(struct binder *b, const struct row_transfer *r, struct made_text *t)
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

static int run_transfer(struct store *s, const void *row, enum store_statement which)
{
	const struct row_transfer *r = row;
	const bool decided = which == ST_TRANSFER_ADD || which == ST_TRANSFER_ALL;
	struct made_text text;
	struct binder b;
	int64_t policy = 0;
	if (decided && text_or_null(r->policy_hash) != NULL && have_policy(s, r->policy_hash, &policy) != 0)
		return s->code;
	if (!bind_start(&b, s, which))
		return s->code;
	put_counts(&b, r);
	if (which != ST_TRANSFER_COUNTS)
		put_seen(&b, r);
	if (decided)
		put_decided(&b, r, policy, &text);
	if (which == ST_TRANSFER_ADD)
		put_fixed(&b, r, &text);
	put_int(&b, r->id);
	return bind_run(&b);
}

int store_put_transfer(void *ctx, const struct row_transfer *r)
{
	static const struct kind kind = {ST_TRANSFER_ADD, ST_TRANSFER_ALL, run_transfer, transfer_parents};
	static const enum store_statement first[] = {[ROW_ANY] = ST_TRANSFER_ALL, [ROW_NEW] = ST_TRANSFER_ADD,
	                                             [ROW_SEEN] = ST_TRANSFER_SEEN, [ROW_COUNTS] = ST_TRANSFER_COUNTS};
	return put_row(ctx, &kind, r, first[r->news]);
}

/* --- findings --- */

static int run_finding(struct store *s, const void *row, enum store_statement which)
{
	const struct row_finding *r = row;
	char peer[ADDR_TEXT_MAX];
	struct binder b;
	if (!bind_start(&b, s, which))
		return s->code;
	put_int(&b, r->first_us);
	put_int(&b, r->last_us);
	put_count(&b, r->transfers);
	put_count(&b, r->bytes_out);
	put_count(&b, r->bytes_in);
	if (which != ST_FINDING_COUNTS) {
		put_text(&b, r->equipment);
		put_text(&b, addr_text(&r->peer, peer));
		put_text(&b, reasons_of(s, r->reasons));
	}
	put_int(&b, r->id);
	return bind_run(&b);
}

int store_put_finding(void *ctx, const struct row_finding *r)
{
	static const struct kind kind = {ST_FINDING_ADD, ST_FINDING_ALL, run_finding, finding_parents};
	static const enum store_statement first[] = {[ROW_ANY] = ST_FINDING_ALL, [ROW_NEW] = ST_FINDING_ADD,
	                                             [ROW_SEEN] = ST_FINDING_COUNTS, [ROW_COUNTS] = ST_FINDING_COUNTS};
	return put_row(ctx, &kind, r, first[r->news]);
}

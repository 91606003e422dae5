/* Rows into tables. Each writer runs within the transaction of its caller. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "judge/judge.h"
#include "record/store_private.h"
#include "record/store_schema.h"
#include "record/store_words.h"

#define COUNTER_COLUMNS \
	"frames, bytes, flow_frames, housekeeping_frames, other_network_frames, non_ip_frames, malformed_frames," \
	" filtered_frames, ip_frames, kernel_drops, interface_drops, truncated_frames, duplicate_frames," \
	" ip_bytes_out, ip_bytes_in, flows, transfers, flow_table_full"
#define COUNTER_MARKS "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?"
#define ADD(c) #c " = " #c " + excluded." #c

static const char *const texts[ST_COUNT] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_ALIVE] = "UPDATE run SET last_us = max(last_us, ?1) WHERE id = ?2",
	[ST_TRANSFER] =
	    "INSERT INTO transfer(id, run, finding, policy, start_us, end_us, state, vlan_outer, vlan_inner, network,"
	    " equipment, vendor, src_mac, dest_mac, src_ip, src_port, dest_ip, dest_port, proto, initiator, app, category,"
	    " encrypted, hostname, hostname_source, hostname_verified, ja3, ja4, country, city, asn, as_org,"
	    " ip_bytes_out, ip_bytes_in, payload_bytes_out, payload_bytes_in, packets_out, packets_in, content, verdict,"
	    " approval, reasons, flags, risk, collapsed, dns_name, bad_us)"
	    " VALUES(?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?,?,?,?, ?,?,?,?,?,?,?)"
	    " ON CONFLICT(id) DO UPDATE SET finding = excluded.finding, policy = excluded.policy,"
	    " start_us = excluded.start_us, end_us = excluded.end_us, state = excluded.state,"
	    " vlan_outer = excluded.vlan_outer, vlan_inner = excluded.vlan_inner, network = excluded.network,"
	    " equipment = excluded.equipment, vendor = excluded.vendor, src_mac = excluded.src_mac,"
	    " dest_mac = excluded.dest_mac, initiator = excluded.initiator, app = excluded.app,"
	    " category = excluded.category, encrypted = excluded.encrypted, hostname = excluded.hostname,"
	    " hostname_source = excluded.hostname_source, hostname_verified = excluded.hostname_verified,"
	    " ja3 = excluded.ja3, ja4 = excluded.ja4, country = excluded.country, city = excluded.city,"
	    " asn = excluded.asn, as_org = excluded.as_org, ip_bytes_out = excluded.ip_bytes_out,"
	    " ip_bytes_in = excluded.ip_bytes_in, payload_bytes_out = excluded.payload_bytes_out,"
	    " payload_bytes_in = excluded.payload_bytes_in, packets_out = excluded.packets_out,"
	    " packets_in = excluded.packets_in, content = excluded.content, verdict = excluded.verdict,"
	    " approval = excluded.approval, reasons = excluded.reasons, flags = excluded.flags, risk = excluded.risk,"
	    " collapsed = excluded.collapsed, dns_name = excluded.dns_name, bad_us = excluded.bad_us",
	[ST_FINDING] = "INSERT INTO finding(id, equipment, peer, reasons, first_us, last_us, transfers, bytes_out, bytes_in)"
	               " VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET equipment = excluded.equipment,"
	               " peer = excluded.peer, reasons = excluded.reasons, first_us = excluded.first_us,"
	               " last_us = excluded.last_us, transfers = excluded.transfers, bytes_out = excluded.bytes_out,"
	               " bytes_in = excluded.bytes_in",
	[ST_FINDING_STUB] = "INSERT OR IGNORE INTO finding(id, equipment, peer, reasons, first_us, last_us, transfers,"
	                    " bytes_out, bytes_in) VALUES(?,?,?,?,?,?,1,?,?)",
	[ST_MACHINE] = "INSERT INTO machine(id, known, vendor, network, mac, address, vlan_outer, vlan_inner, mac_mismatch,"
	               " first_us, last_us) VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
	               " known = excluded.known, vendor = excluded.vendor, network = coalesce(excluded.network, network),"
	               " mac = coalesce(excluded.mac, mac), address = coalesce(excluded.address, address),"
	               " vlan_outer = excluded.vlan_outer, vlan_inner = excluded.vlan_inner,"
	               " mac_mismatch = excluded.mac_mismatch, first_us = min(first_us, excluded.first_us),"
	               " last_us = max(last_us, excluded.last_us)",
	[ST_MACHINE_STUB] = "INSERT OR IGNORE INTO machine(id, known, network, first_us, last_us)"
	                    " VALUES(?1, ?1 NOT LIKE 'unknown:%', ?2, ?3, ?3)",
	[ST_ADDRESS] = "INSERT INTO machine_address(machine, address, mac, network, first_us, last_us)"
	               " VALUES(?1,?2,?3,?4,?5,?5) ON CONFLICT(machine, address) DO UPDATE SET mac = excluded.mac,"
	               " network = excluded.network, last_us = max(last_us, excluded.last_us)",
	[ST_USAGE] = "INSERT INTO usage(approval, per, start_us, bytes_out, bytes_in) VALUES(?,?,?,?,?)"
	             " ON CONFLICT(approval, per, start_us) DO UPDATE SET bytes_out = excluded.bytes_out,"
	             " bytes_in = excluded.bytes_in",
	[ST_GAP] = "INSERT INTO gap(run, start_us, end_us, cause, detail, lost) VALUES(?,?,?,?,?,?)"
	           " ON CONFLICT(run, start_us, cause, detail) DO UPDATE SET end_us = excluded.end_us, lost = excluded.lost",
	[ST_MINUTE] = "INSERT INTO minute(minute_us, run, " COUNTER_COLUMNS ") VALUES(?,?," COUNTER_MARKS ")"
	              " ON CONFLICT(minute_us, run) DO UPDATE SET "
	              ADD(frames) "," ADD(bytes) "," ADD(flow_frames) "," ADD(housekeeping_frames) ","
	              ADD(other_network_frames) "," ADD(non_ip_frames) "," ADD(malformed_frames) "," ADD(filtered_frames) ","
	              ADD(ip_frames) "," ADD(kernel_drops) "," ADD(interface_drops) "," ADD(truncated_frames) ","
	              ADD(duplicate_frames) "," ADD(ip_bytes_out) "," ADD(ip_bytes_in) "," ADD(flows) "," ADD(transfers) ","
	              ADD(flow_table_full),
	[ST_POLICY] = "INSERT INTO policy(hash, text, path, loaded_us) VALUES(?,?,?,?) ON CONFLICT(hash) DO UPDATE SET"
	              " text = excluded.text, path = excluded.path, loaded_us = excluded.loaded_us",
	[ST_POLICY_STUB] = "INSERT OR IGNORE INTO policy(hash) VALUES(?)",
	[ST_POLICY_ID] = "SELECT id FROM policy WHERE hash = ?",
	[ST_STATUS] = "INSERT OR REPLACE INTO status(key, json, at_us) VALUES(?,?,?)",
	[ST_TOTALS] = "INSERT OR REPLACE INTO totals(run, " COUNTER_COLUMNS ", approved, unapproved, housekeeping, findings,"
	              " open, collapsed, first_us, last_us) VALUES(?," COUNTER_MARKS ",?,?,?,?,?,?,?,?)",
	[ST_TALLY] = "INSERT OR REPLACE INTO tally(worker, run, told_us, first_us, " COUNTER_COLUMNS ")"
	             " VALUES(?,?,?,?," COUNTER_MARKS ")",
};

sqlite3_stmt *store_statement(struct store *s, enum store_statement which)
{
	if (s->st[which] == NULL) {
		const int code = sqlite3_prepare_v3(s->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, &s->st[which], NULL);
		if (code != SQLITE_OK) {
			store_fail(s, code);
			return NULL;
		}
	}
	return s->st[which];
}

/* Values bound one after the other. A failed bind (too big, no memory) is
 * kept and told by run_bound. */
struct binder {
	struct store *s;
	sqlite3_stmt *st;
	int at, code;
};

static bool bind_start(struct binder *b, struct store *s, enum store_statement which)
{
	*b = (struct binder){.s = s, .st = store_statement(s, which), .code = SQLITE_OK};
	return b->st != NULL;
}

static void keep(struct binder *b, int code)
{
	if (code != SQLITE_OK)
		b->code = code;
}

static void put_int(struct binder *b, int64_t value)
{
	keep(b, sqlite3_bind_int64(b->st, ++b->at, value));
}

/* SQLite's integers are signed. */
static void put_count(struct binder *b, uint64_t value)
{
	put_int(b, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void put_int_if(struct binder *b, bool there, int64_t value)
{
	if (there)
		put_int(b, value);
	else
		keep(b, sqlite3_bind_null(b->st, ++b->at));
}

/* The text must live until run_bound. */
static void put_text(struct binder *b, const char *value)
{
	keep(b, sqlite3_bind_text(b->st, ++b->at, value, -1, SQLITE_STATIC));
}

static const char *mac_or_null(const struct mac *m, char buf[MAC_TEXT_MAX])
{
	static const struct mac zero = {{0}};
	return mac_eq(m, &zero) ? NULL : mac_text(m, buf);
}

static void put_vlan(struct binder *b, const uint16_t vlan[2], uint8_t count)
{
	put_int_if(b, count > 0, vlan[0]);
	put_int_if(b, count > 1, vlan[1]);
}

static int run_bound(struct binder *b)
{
	int r;
	if (b->code != SQLITE_OK) {
		sqlite3_reset(b->st);
		r = store_fail(b->s, b->code);
	} else {
		r = store_step(b->s, b->st);
	}
	const int code = b->s->code & 0xff;
	if (r != 0 && (code == SQLITE_CONSTRAINT || code == SQLITE_MISMATCH || code == SQLITE_TOOBIG)) {
		b->s->refused++;
		return 0;
	}
	return r;
}

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
	if (id == NULL)
		return 0;   /* the row itself will be refused */
	char *seen = s->machine[text_hash(id) % STORE_MACHINES];
	if (strcmp(seen, id) == 0)
		return 0;
	struct binder b;
	if (!bind_start(&b, s, ST_MACHINE_STUB))
		return store_code(s->code);
	put_text(&b, id);
	put_text(&b, network);
	put_int(&b, time_us);
	const int r = run_bound(&b);
	const size_t size = strlen(id) + 1;
	if (r == 0 && size <= sizeof s->machine[0])
		memcpy(seen, id, size);
	return r;
}

static int have_finding(struct store *s, const struct row_transfer *r)
{
	int64_t *seen = &s->finding[(uint64_t)r->finding % STORE_FINDINGS];
	if (*seen == r->finding)
		return 0;
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
	const int code = run_bound(&b);
	if (code == 0)
		*seen = r->finding;
	return code;
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
	int r = run_bound(&b);
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

static int have_parents(struct store *s, const struct row_transfer *r, int64_t *ret_policy)
{
	*ret_policy = 0;
	int code = have_machine(s, r->equipment, r->network, r->start_us);
	if (code == 0 && r->finding != 0)
		code = have_finding(s, r);
	if (code == 0 && r->policy_hash != NULL && r->policy_hash[0] != '\0')
		code = have_policy(s, r->policy_hash, ret_policy);
	return code;
}

/* Texts made for one row; they live as long as the statement runs. */
struct transfer_text {
	char src_mac[MAC_TEXT_MAX], dest_mac[MAC_TEXT_MAX], src_ip[ADDR_TEXT_MAX], dest_ip[ADDR_TEXT_MAX];
};

static const char *reasons_of(struct store *s, uint32_t reasons)
{
	_Static_assert(sizeof s->reasons_text == STORE_REASONS_MAX, "room for every reason");
	if (s->reasons != reasons || s->reasons_text[0] == '\0')
		store_reasons_json(reasons, s->reasons_text);
	s->reasons = reasons;
	return s->reasons_text;
}

static void put_ends(struct binder *b, const struct row_transfer *r, struct transfer_text *t)
{
	const struct flow_ident *d = &r->ident;
	const bool ports = store_proto_has_ports(d->proto) &&
	                   !((r->flags & FLOW_FRAGMENTS) != 0 && d->inside_port == 0 && d->peer_port == 0);
	put_vlan(b, d->vlan, d->vlan_count);
	put_text(b, r->network);
	put_text(b, r->equipment);
	put_text(b, r->vendor);
	put_text(b, mac_or_null(&d->inside_mac, t->src_mac));
	put_text(b, mac_or_null(&d->peer_mac, t->dest_mac));
	put_text(b, addr_text(&d->inside, t->src_ip));
	put_int_if(b, ports, d->inside_port);
	put_text(b, addr_text(&d->peer, t->dest_ip));
	put_int_if(b, ports, d->peer_port);
	put_int(b, d->proto);
}

static const char *text_or_null(const char *s)
{
	return s != NULL && s[0] != '\0' ? s : NULL;
}

static void put_inspection(struct binder *b, const struct row_transfer *r)
{
	put_text(b, store_initiator_word(r->initiator));
	put_text(b, r->inspected ? text_or_null(r->app) : NULL);
	put_text(b, r->inspected ? text_or_null(r->category) : NULL);
	put_int_if(b, r->inspected, r->encrypted);
	put_text(b, text_or_null(r->hostname));
	put_text(b, store_host_word(text_or_null(r->hostname) != NULL ? r->hostname_source : HOST_NONE));
	put_int(b, r->hostname_verified);
	put_text(b, text_or_null(r->ja3));
	put_text(b, text_or_null(r->ja4));
	put_text(b, text_or_null(r->country));
	put_text(b, text_or_null(r->city));
	put_int_if(b, r->asn != 0, r->asn);
	put_text(b, text_or_null(r->as_org));
}

static void put_verdict(struct binder *b, const struct row_transfer *r)
{
	put_count(b, r->counts.ip_bytes_out);
	put_count(b, r->counts.ip_bytes_in);
	put_count(b, r->counts.payload_bytes_out);
	put_count(b, r->counts.payload_bytes_in);
	put_count(b, r->counts.packets_out);
	put_count(b, r->counts.packets_in);
	put_text(b, text_or_null(r->content));
	put_text(b, verdict_word(r->verdict));
	put_text(b, r->verdict == VERDICT_APPROVED ? text_or_null(r->approval) : NULL);
	put_text(b, r->reasons != 0 ? reasons_of(b->s, r->reasons) : NULL);
	put_int(b, r->flags);
	put_count(b, r->risk);
	put_count(b, r->collapsed);
	put_text(b, text_or_null(r->dns_name));
	put_int_if(b, r->bad_us != 0, r->bad_us);
}

static int write_transfer(void *ctx, const struct row_transfer *r)
{
	struct store *s = ctx;
	struct transfer_text text;
	struct binder b;
	int64_t policy;
	const int code = have_parents(s, r, &policy);
	if (code != 0)
		return code;
	if (!bind_start(&b, s, ST_TRANSFER))
		return store_code(s->code);
	put_int(&b, r->id);
	put_int(&b, s->run);
	put_int_if(&b, r->finding != 0, r->finding);
	put_int_if(&b, policy != 0, policy);
	put_int(&b, r->start_us);
	put_int(&b, r->end_us);
	put_text(&b, store_state_word(r->state));
	put_ends(&b, r, &text);
	put_inspection(&b, r);
	put_verdict(&b, r);
	return run_bound(&b);
}

static int write_finding(void *ctx, const struct row_finding *r)
{
	struct store *s = ctx;
	struct binder b;
	char peer[ADDR_TEXT_MAX], reasons[STORE_REASONS_MAX];
	const int code = have_machine(s, r->equipment, NULL, r->first_us);
	if (code != 0)
		return code;
	if (!bind_start(&b, s, ST_FINDING))
		return store_code(s->code);
	put_int(&b, r->id);
	put_text(&b, r->equipment);
	put_text(&b, addr_text(&r->peer, peer));
	put_text(&b, store_reasons_json(r->reasons, reasons));
	put_int(&b, r->first_us);
	put_int(&b, r->last_us);
	put_count(&b, r->transfers);
	put_count(&b, r->bytes_out);
	put_count(&b, r->bytes_in);
	return run_bound(&b);
}

static int write_machine(void *ctx, const struct row_machine *r)
{
	struct store *s = ctx;
	struct binder b;
	char mac[MAC_TEXT_MAX], address[ADDR_TEXT_MAX];
	const bool has_address = !addr_is_zero(&r->address) && (addr_is_v4(&r->address) || r->address.b[0] != 0);
	if (!bind_start(&b, s, ST_MACHINE))
		return store_code(s->code);
	put_text(&b, r->id);
	put_int(&b, r->known);
	put_text(&b, r->vendor);
	put_text(&b, r->network);
	put_text(&b, mac_or_null(&r->mac, mac));
	put_text(&b, has_address ? addr_text(&r->address, address) : NULL);
	put_vlan(&b, r->vlan, r->vlan_count);
	put_int(&b, r->mac_mismatch);
	put_int(&b, r->first_us);
	put_int(&b, r->last_us);
	const int code = run_bound(&b);
	if (code != 0 || !has_address)
		return code;
	if (!bind_start(&b, s, ST_ADDRESS))
		return store_code(s->code);
	put_text(&b, r->id);
	put_text(&b, address);
	put_text(&b, mac_or_null(&r->mac, mac));
	put_text(&b, r->network);
	put_int(&b, r->last_us);
	return run_bound(&b);
}

static int write_usage(void *ctx, const struct row_usage *r)
{
	struct store *s = ctx;
	struct binder b;
	if (!bind_start(&b, s, ST_USAGE))
		return store_code(s->code);
	put_text(&b, r->approval);
	put_text(&b, store_period_word(r->per));
	put_int(&b, r->period_start_us);
	put_count(&b, r->out);
	put_count(&b, r->in);
	return run_bound(&b);
}

static int write_gap(void *ctx, const struct row_gap *r)
{
	struct store *s = ctx;
	struct binder b;
	if (!bind_start(&b, s, ST_GAP))
		return store_code(s->code);
	put_int(&b, s->run);
	put_int(&b, r->start_us);
	put_int_if(&b, r->end_us != 0, r->end_us);
	put_text(&b, r->cause);
	put_text(&b, r->detail != NULL ? r->detail : "");
	put_count(&b, r->lost);
	return run_bound(&b);
}

static void put_counters(struct binder *b, const struct counters *c)
{
	const uint64_t values[] = {
		c->frames, c->bytes, c->flow_frames, c->housekeeping_frames, c->other_network_frames, c->non_ip_frames,
		c->malformed_frames, c->filtered_frames, c->ip_frames, c->kernel_drops, c->interface_drops,
		c->truncated_frames, c->duplicate_frames, c->ip_bytes_out, c->ip_bytes_in, c->flows, c->transfers,
		c->flow_table_full,
	};
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		put_count(b, values[i]);
}

static int write_minute(void *ctx, const struct row_minute *r)
{
	struct store *s = ctx;
	struct binder b;
	if (!bind_start(&b, s, ST_MINUTE))
		return store_code(s->code);
	put_int(&b, r->minute_us);
	put_int(&b, s->run);
	put_counters(&b, &r->delta);
	return run_bound(&b);
}

static int write_tally(void *ctx, const struct row_tally *r)
{
	struct store *s = ctx;
	struct binder b;
	if (!bind_start(&b, s, ST_TALLY))
		return store_code(s->code);
	put_int(&b, r->worker);
	put_int(&b, s->run);
	put_int(&b, r->told_us);
	put_int(&b, r->total.first_us);
	put_counters(&b, &r->total);
	return run_bound(&b);
}

static int write_policy(void *ctx, const struct row_policy *r)
{
	struct store *s = ctx;
	struct binder b;
	if (!bind_start(&b, s, ST_POLICY))
		return store_code(s->code);
	put_text(&b, r->hash);
	put_text(&b, r->text);
	put_text(&b, r->path);
	put_int(&b, r->loaded_us);
	return run_bound(&b);
}

void store_sink(struct store *s, struct row_sink *ret)
{
	*ret = (struct row_sink){
		.ctx = s,
		.transfer = write_transfer,
		.finding = write_finding,
		.machine = write_machine,
		.usage = write_usage,
		.gap = write_gap,
		.minute = write_minute,
		.policy = write_policy,
		.tally = write_tally,
	};
}

int store_put_status(struct store *s, const char *key, const char *json)
{
	struct binder b;
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	if (!bind_start(&b, s, ST_STATUS))
		return store_code(s->code);
	put_text(&b, key);
	put_text(&b, json);
	put_int(&b, (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	return run_bound(&b);
}

int store_put_totals(struct store *s, const struct judge_totals *t)
{
	struct binder b;
	if (!bind_start(&b, s, ST_TOTALS))
		return store_code(s->code);
	put_int(&b, s->run);
	struct counters c = t->counters;
	c.transfers = t->transfers;   /* as judged: the sum of the three verdicts */
	put_counters(&b, &c);
	put_count(&b, t->approved);
	put_count(&b, t->unapproved);
	put_count(&b, t->housekeeping);
	put_count(&b, t->findings);
	put_count(&b, t->open);
	put_count(&b, t->collapsed);
	put_int(&b, t->counters.first_us);
	put_int(&b, t->counters.last_us);
	return run_bound(&b);
}

/* Rows into tables, but for transfers and findings (store_transfer.c). Each
 * writer runs within the transaction of its caller. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "judge/judge.h"
#include "record/store_bind.h"
#include "record/store_schema.h"
#include "record/store_words.h"

#define COUNTER_COLUMNS \
	"frames, bytes, flow_frames, housekeeping_frames, other_network_frames, non_ip_frames, malformed_frames," \
	" filtered_frames, ip_frames, kernel_drops, interface_drops, truncated_frames, duplicate_frames," \
	" ip_bytes_out, ip_bytes_in, flows, transfers, flow_table_full, acks, acks_unseen"
#define COUNTER_MARKS "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?"
#define ADD(c) #c " = " #c " + excluded." #c

static const char *const texts[ST_COUNT] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_ALIVE] = "UPDATE run SET last_us = max(start_us, ?1) WHERE id = ?2",
	[ST_MACHINE] = "INSERT INTO machine(id, known, vendor, network, mac, address, vlan_outer, vlan_inner, mac_mismatch,"
	               " first_us, last_us) VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
	               " known = excluded.known, vendor = excluded.vendor, network = coalesce(excluded.network, network),"
	               " mac = coalesce(excluded.mac, mac), address = coalesce(excluded.address, address),"
	               " vlan_outer = excluded.vlan_outer, vlan_inner = excluded.vlan_inner,"
	               " mac_mismatch = excluded.mac_mismatch, first_us = min(first_us, excluded.first_us),"
	               " last_us = max(last_us, excluded.last_us)",
	[ST_ADDRESS] = "INSERT INTO machine_address(machine, address, mac, network, first_us, last_us)"
	               " VALUES(?1,?2,?3,?4,?5,?5) ON CONFLICT(machine, address) DO UPDATE SET mac = excluded.mac,"
	               " network = excluded.network, last_us = max(last_us, excluded.last_us)",
	[ST_NAME] = "INSERT INTO dns_name(machine, address, name, trust, answered_us, expires_us) VALUES(?,?,?,?,?,?)"
	            " ON CONFLICT(machine, address, name) DO UPDATE SET trust = excluded.trust,"
	            " answered_us = excluded.answered_us, expires_us = excluded.expires_us",
	[ST_NAME_OLD] = "DELETE FROM dns_name WHERE expires_us < ?",
	[ST_USAGE] = "INSERT INTO usage(approval, per, start_us, bytes_out, bytes_in) VALUES(?,?,?,?,?)"
	             " ON CONFLICT(approval, per, start_us) DO UPDATE SET bytes_out = excluded.bytes_out,"
	             " bytes_in = excluded.bytes_in",
	[ST_GAP] = "INSERT INTO gap(run, start_us, end_us, cause, detail, lost, bytes) VALUES(?,?,?,?,?,?,?)"
	           " ON CONFLICT(run, start_us, cause, detail) DO UPDATE SET end_us = excluded.end_us, lost = excluded.lost,"
	           " entry = NULL",
	[ST_MINUTE] = "INSERT INTO minute(minute_us, run, " COUNTER_COLUMNS ") VALUES(?,?," COUNTER_MARKS ")"
	              " ON CONFLICT(minute_us, run) DO UPDATE SET "
	              ADD(frames) "," ADD(bytes) "," ADD(flow_frames) "," ADD(housekeeping_frames) ","
	              ADD(other_network_frames) "," ADD(non_ip_frames) "," ADD(malformed_frames) "," ADD(filtered_frames) ","
	              ADD(ip_frames) "," ADD(kernel_drops) "," ADD(interface_drops) "," ADD(truncated_frames) ","
	              ADD(duplicate_frames) "," ADD(ip_bytes_out) "," ADD(ip_bytes_in) "," ADD(flows) "," ADD(transfers) ","
	              ADD(flow_table_full) "," ADD(acks) "," ADD(acks_unseen),
	[ST_POLICY] = "INSERT INTO policy(hash, text, path, loaded_us) VALUES(?,?,?,?) ON CONFLICT(hash) DO UPDATE SET"
	              " text = excluded.text, path = excluded.path, loaded_us = excluded.loaded_us",
	[ST_STATUS] = "INSERT OR REPLACE INTO status(key, json, at_us) VALUES(?,?,?)",
	[ST_TOTALS] = "INSERT OR REPLACE INTO totals(run, " COUNTER_COLUMNS ", approved, unapproved, housekeeping, findings,"
	              " open, collapsed, first_us, last_us) VALUES(?," COUNTER_MARKS ",?,?,?,?,?,?,?,?)",
	[ST_SEAL] = "INSERT INTO seal(entry, rows) VALUES(?,?)",
	[ST_SEAL_PART] = "INSERT INTO seal_part(time_us, rows) VALUES(?,?)",
	[ST_SEAL_CLEAR] = "DELETE FROM seal_part",
	[ST_FINDING_TOLD] = "SELECT time_us, json_extract(body, '$.row'), json_extract(body, '$.row.state'),"
	                    " json_extract(body, '$.counts.first_us'), json_extract(body, '$.counts.last_us'),"
	                    " json_extract(body, '$.counts.transfers'), json_extract(body, '$.counts.bytes_out'),"
	                    " json_extract(body, '$.counts.bytes_in'), json_extract(body, '$.counts.severity') FROM ledger"
	                    " WHERE subject = ? AND kind IN ('finding-opened', 'finding-changed', 'finding-closed')"
	                    " ORDER BY seq DESC LIMIT 1",
	[ST_GAPS_UNTOLD] = "SELECT id, run, start_us, end_us, cause, detail, lost, bytes FROM gap"
	                   " WHERE entry IS NULL AND end_us IS NOT NULL ORDER BY id",
	[ST_GAP_TOLD] = "UPDATE gap SET entry = ? WHERE id = ?",
	[ST_VLAN] = "INSERT INTO vlan_seen(quarter_us, vlan, minutes) SELECT ?1, iif(?3"
	            " OR EXISTS (SELECT 1 FROM vlan_seen WHERE quarter_us = ?1 AND vlan = ?2)"
	            " OR (SELECT count(*) FROM vlan_seen WHERE quarter_us = ?1) < ?4, ?2, -1), 1 WHERE true"
	            " ON CONFLICT(quarter_us, vlan) DO UPDATE SET minutes = min(minutes + 1, 15)",
	[ST_RECORDED] = "INSERT INTO recorded(last_id, time_us) SELECT id, ?1 FROM (SELECT max(id) AS id FROM transfer)"
	                " WHERE id > (SELECT coalesce(max(last_id), 0) FROM recorded)",
	/* A few for each that is new: so they become no more, and no step is long. */
	[ST_RECORDED_OLD] = "DELETE FROM recorded WHERE last_id IN (SELECT last_id FROM recorded ORDER BY last_id LIMIT 4)"
	                    " AND time_us < ?1 - 172800000000",
	[ST_TRANSFER_RUN] = "SELECT run FROM transfer WHERE id = ?",
	[ST_TALLY] = "INSERT OR REPLACE INTO tally(worker, run, told_us, first_us, " COUNTER_COLUMNS ")"
	             " VALUES(?,?,?,?," COUNTER_MARKS ")",
};

sqlite3_stmt *store_statement(struct store *s, enum store_statement which)
{
	if (s->st[which] == NULL) {
		const char *text = which == ST_MAINTENANCE ? store_maintenance_text
		                   : texts[which] != NULL  ? texts[which]
		                   : store_evidence_texts[which] != NULL ? store_evidence_texts[which]
		                                                         : store_transfer_texts[which];
		const int code = sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, &s->st[which], NULL);
		if (code != SQLITE_OK) {
			store_fail(s, code);
			return NULL;
		}
	}
	return s->st[which];
}

static int run_bound(struct binder *b)
{
	return store_taken(b->s, bind_run(b));
}

int store_taken(struct store *s, int sqlite_code)
{
	if (sqlite_code == SQLITE_DONE || sqlite_code == SQLITE_ROW)
		return 0;
	const int r = store_fail(s, sqlite_code), code = sqlite_code & 0xff;
	if (code == SQLITE_CONSTRAINT || code == SQLITE_MISMATCH || code == SQLITE_TOOBIG) {
		s->refused++;
		return 0;
	}
	return r;
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

static int write_name(void *ctx, const struct row_name *r)
{
	struct store *s = ctx;
	struct binder b;
	char address[ADDR_TEXT_MAX];
	const int code = store_have_machine(s, r->machine, NULL, r->answered_us);
	if (code != 0)
		return code;
	if (!bind_start(&b, s, ST_NAME))
		return store_code(s->code);
	put_text(&b, r->machine);
	put_text(&b, addr_text(&r->address, address));
	put_text(&b, r->name);
	put_text(&b, r->trust);
	put_int(&b, r->answered_us);
	put_int(&b, r->expires_us);
	return run_bound(&b);
}

int store_forget_names(struct store *s, int64_t before_us)
{
	struct binder b;
	if (!bind_start(&b, s, ST_NAME_OLD))
		return store_code(s->code);
	put_int(&b, before_us);
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
	put_text(&b, r->bytes);
	return run_bound(&b);
}

static void put_counters(struct binder *b, const struct counters *c)
{
	const uint64_t values[] = {
		c->frames, c->bytes, c->flow_frames, c->housekeeping_frames, c->other_network_frames, c->non_ip_frames,
		c->malformed_frames, c->filtered_frames, c->ip_frames, c->kernel_drops, c->interface_drops,
		c->truncated_frames, c->duplicate_frames, c->ip_bytes_out, c->ip_bytes_in, c->flows, c->transfers,
		c->flow_table_full, c->acks, c->acks_unseen,
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
	/* Of a sensor that is the one in force, also where the clock was set back
	 * since the one before was loaded. */
	int64_t loaded_us = r->loaded_us, last_us;
	if (s->live && (last_us = store_query_int(s->db, "SELECT coalesce(max(loaded_us), 0) FROM policy", 0)) >= loaded_us)
		loaded_us = last_us + 1;
	put_int(&b, loaded_us);
	const int code = run_bound(&b);
	return code == 0 ? store_tell_policy(s, r) : code;
}

void store_sink(struct store *s, struct row_sink *ret)
{
	*ret = (struct row_sink){
		.ctx = s,
		.transfer = store_put_transfer,
		.transfers = store_put_transfers,
		.finding = store_put_finding,
		.machine = write_machine,
		.name = write_name,
		.usage = write_usage,
		.gap = write_gap,
		.minute = write_minute,
		.policy = write_policy,
		.tally = write_tally,
		.maintenance = store_put_maintenance,
		.behind = store_put_behind,
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

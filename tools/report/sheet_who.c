/* Tables of machines, findings, transfers that nobody approved and maintenance. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "finding_text.h"
#include "record/store_words.h"
#include "report/sheets.h"
#include "translate.h"

/* --- equipment --- */

static const struct sheet_column equipment_columns[] = {
    {"id", CELL_TEXT, false, N_("Equipment"), "of site.yaml, or unknown:<MAC>"},
    {"vendor", CELL_TEXT, false, N_("Vendor"), ""},
    {"model", CELL_TEXT, false, N_("Model"), ""},
    {"place", CELL_TEXT, false, N_("Place"), ""},
    {"network", CELL_TEXT, false, N_("Scanner network"), "where it was last seen"},
    {"mac", CELL_TEXT, false, N_("MAC"), ""},
    {"addresses", CELL_NAMES, true, N_("Addresses"), "every one that it used"},
    {"known", CELL_FLAG, false, N_("Known"), "site.yaml has it"},
    {"change", CELL_WORD, false, N_("This week"), "seen, new, silent, never-seen"},
    {"mac_mismatch", CELL_FLAG, true, N_("Other MAC"), "its address came from a MAC that is not its own"},
    {"first_seen", CELL_TIME, false, N_("First seen"), ""},
    {"last_seen", CELL_TIME, false, N_("Last seen"), "before the end of the record"}};
#define EQUIPMENT_COLUMNS 12

struct machines {
	const struct report *r;
	sheet_row_fn fn;
	void *ctx;
	bool *seen;       /* of site.yaml's equipment */
};

static const struct config_equipment *configured(const struct report *r, const char *id, size_t *ret)
{
	for (size_t i = 0; i < r->site->equipment_count; i++) {
		if (strcmp(r->site->equipment[i].id, id) == 0) {
			*ret = i;
			return &r->site->equipment[i];
		}
	}
	return NULL;
}

static const char *blanks_to_commas(const char *text, char *buf, size_t size)
{
	size_t used = 0;
	for (; text != NULL && *text != '\0' && used + 3 < size; text++) {
		buf[used++] = *text == ' ' ? ',' : *text;
		if (*text == ' ')
			buf[used++] = ' ';
	}
	buf[used] = '\0';
	return buf;
}

static int machine_row(void *ctx, const struct stored_machine *s)
{
	struct machines *m = ctx;
	const struct row_machine *row = &s->row;
	size_t index = 0;
	const struct config_equipment *e = configured(m->r, row->id, &index);
	char mac[MAC_TEXT_MAX] = "", addresses[1000];
	if (e != NULL)
		m->seen[index] = true;
	if (row->first_us >= m->r->week.until_us || strncmp(row->id, "gateway:", 8) == 0)
		return 0;
	if (s->has_mac)
		mac_text(&row->mac, mac);
	const char *change = row->first_us >= m->r->week.from_us ? "new" : row->last_us < m->r->week.from_us ? "silent" : "seen";
	const struct cell cells[EQUIPMENT_COLUMNS] = {
	    cell_text(row->id), cell_text(row->vendor), cell_text(e != NULL ? e->model : NULL),
	    cell_text(e != NULL ? e->place : NULL), cell_text(row->network), cell_text(mac),
	    cell_text(blanks_to_commas(s->addresses, addresses, sizeof addresses)), cell_number(row->known), cell_text(change),
	    cell_number(row->mac_mismatch), cell_time(row->first_us), cell_time(row->last_us)};
	return m->fn(m->ctx, cells);
}

static int equipment_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	struct machines m = {.r = r, .fn = fn, .ctx = ctx, .seen = calloc(r->site->equipment_count + 1, sizeof(bool))};
	if (m.seen == NULL)
		return ERR_NOMEM;
	int e = store_read_machine_list(r->db, machine_row, &m);
	for (size_t i = 0; e == 0 && i < r->site->equipment_count; i++) {
		const struct config_equipment *c = &r->site->equipment[i];
		const struct cell cells[EQUIPMENT_COLUMNS] = {
		    cell_text(c->id), cell_text(c->vendor), cell_text(c->model), cell_text(c->place), [7] = cell_number(1),
		    [8] = cell_text("never-seen"), [9] = cell_number(0)};
		if (!m.seen[i])
			e = fn(ctx, cells);
	}
	free(m.seen);
	return e;
}

const struct sheet sheet_equipment = {
    "equipment", C_("machines", "Equipment"), "machines of the scanner networks, and what changed",
    equipment_columns, EQUIPMENT_COLUMNS, equipment_rows, NULL, N_("no machine was seen")};

/* --- unapproved transfers --- */

static const struct sheet_column unapproved_columns[] = {
    {"id", CELL_COUNT, false, N_("Id"), "garita show --transfer"},
    {"finding", CELL_COUNT, false, N_("Finding"), ""},
    {"start", CELL_TIME, false, N_("Start"), "of its first packet"},
    {"lasted", CELL_SPAN, true, N_("Lasted"), "seconds, to the last packet so far"},
    {"state", CELL_WORD, true, N_("State"), "open, closed, interrupted"},
    {"equipment", CELL_TEXT, false, N_("Equipment"), ""},
    {"peer", CELL_TEXT, false, N_("Peer"), "address"},
    {"port", CELL_COUNT, true, N_("Port"), "of the peer"},
    {"protocol", CELL_TEXT, true, N_("Protocol"), ""},
    {"hostname", CELL_TEXT, false, N_("Host"), "as claimed or as DNS gave it"},
    {"country", CELL_TEXT, false, N_("Country"), ""},
    {"network", CELL_TEXT, false, N_("Network"), "autonomous system"},
    {"application", CELL_TEXT, false, N_("Application"), ""},
    {"initiator", CELL_WORD, true, N_("Opened by"), "equipment, peer, unknown"},
    {"bytes_out", CELL_BYTES, false, N_("Out"), "IP bytes"},
    {"bytes_in", CELL_BYTES, false, N_("In"), "IP bytes"},
    {"collapsed", CELL_COUNT, true, N_("More flows"), "that the row stands for"},
    {"reasons", CELL_LIST, false, N_("Why"), "words, garita-site.yaml(5)"}};
#define UNAPPROVED_COLUMNS 18

struct transfers {
	const struct report *r;
	sheet_row_fn fn;
	void *ctx;
	uint64_t rows;
};

/* ["a","b"] to "a, b" */
static const char *plain_list(const char *json, char *buf, size_t size)
{
	size_t used = 0;
	for (; json != NULL && *json != '\0' && used + 3 < size; json++) {
		if (*json == '[' || *json == ']' || *json == '"')
			continue;
		buf[used++] = *json;
		if (*json == ',')
			buf[used++] = ' ';
	}
	buf[used] = '\0';
	return buf;
}

static int transfer_row(void *ctx, const struct week_transfer *t)
{
	struct transfers *a = ctx;
	char network[300] = "", why[STORE_REASONS_MAX];
	if (t->asn != 0)
		snprintf(network, sizeof network, "AS%u %.200s", t->asn, t->as_org);
	const struct cell cells[UNAPPROVED_COLUMNS] = {
	    cell_number(t->id), {.number = t->finding, .here = t->finding != 0}, cell_time(t->start_us),
	    cell_number(t->end_us - t->start_us), cell_text(t->state), cell_text(t->equipment), cell_text(t->peer),
	    {.number = t->port, .here = t->has_port}, cell_text(t->proto), cell_text(t->hostname), cell_text(t->country),
	    cell_text(network), cell_text(t->app), cell_text(t->initiator), cell_count(t->bytes_out), cell_count(t->bytes_in),
	    cell_count(t->collapsed), cell_text(plain_list(t->reasons, why, sizeof why))};
	if (++a->rows % WORK_STEP == 0)
		work_done(a->r->work, WORK_WRITE, a->rows);
	return a->fn(a->ctx, cells);
}

static int unapproved_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	struct transfers a = {r, fn, ctx, 0};
	return store_read_week_unapproved(r->db, &r->span, transfer_row, &a);
}

static int unapproved_page(const struct report *r, sheet_row_fn fn, void *ctx)
{
	struct transfers a = {r, fn, ctx, 0};
	int e = 0;
	for (unsigned i = 0; e == 0 && i < r->largest_count; i++) {
		struct id_span one = {r->largest[i].id, r->largest[i].id};
		const struct week_span w = {r->span.from_us, r->span.until_us, {.span = &one, .count = 1}};
		e = store_read_week_unapproved(r->db, &w, transfer_row, &a);
	}
	return e;
}

const struct sheet sheet_unapproved = {
    "unapproved_transfers", N_("Unapproved transfers"),
    "every transfer that began in the week and no approval covers; a page shows the largest", unapproved_columns,
    UNAPPROVED_COLUMNS, unapproved_rows, unapproved_page, C_("sessions", "none was seen")};

/* --- findings --- */

static const struct sheet_column finding_columns[] = {
    {"id", CELL_COUNT, false, N_("Finding"), "garita show ID"},
    {"severity", CELL_COUNT, false, N_("Severity"), "0 to 100"},
    {"equipment", CELL_TEXT, false, N_("Equipment"), ""},
    {"peer", CELL_TEXT, false, N_("Peer"), "host, network or address"},
    {"country", CELL_TEXT, false, N_("Country"), ""},
    {"transfers", CELL_COUNT, false, N_("Transfers"), ""},
    {"bytes_out", CELL_BYTES, false, N_("Out"), "IP bytes"},
    {"bytes_in", CELL_BYTES, true, N_("In"), "IP bytes"},
    {"first", CELL_TIME, false, N_("First"), "packet time"},
    {"last", CELL_TIME, false, N_("Last"), "packet time"},
    {"why", CELL_LIST, false, N_("Why"), "reasons and detections"},
    {"review", CELL_WORD, false, N_("Review"), "open, in-review, closed; overdue: severe, and its deadline has passed"},
    {"disposition", CELL_WORD, false, N_("Disposition"), "of the last decision"},
    {"analyst", CELL_TEXT, false, N_("Analyst"), "who said so last"},
    {"note", CELL_TEXT, true, N_("Note"), ""},
    {"review_due", CELL_TIME, true, N_("Due"), "of severe ones"},
    {"time_to_review", CELL_SPAN, false, N_("Time to review"), "from its first packet to the decision that closed it"},
    {"reopened", CELL_COUNT, true, N_("Reopened"), "times that new traffic opened it again"},
    {"suppressed", CELL_COUNT, true, N_("Suppression"), "the suppression that hides it from the list of work"},
    {"legal_hold", CELL_FLAG, true, N_("Legal hold"), "its packets are not evicted"}};
#define FINDING_COLUMNS 20

static const char *review_text(const struct report *r, const struct row_review *v)
{
	const bool overdue = v->state != REVIEW_CLOSED && v->due_us != 0 && v->due_us <= r->as_of_us;
	return overdue ? "overdue" : review_state_word(v->state);
}

static int finding_row(void *ctx, const struct stored_finding *f)
{
	const struct transfers *a = ctx;
	const struct row_finding *row = &f->row;
	const struct row_review *v = &f->review;
	char why[STORE_REASONS_MAX + STORE_SIGNS_MAX + 4];
	size_t used = strlen(plain_list(f->reasons, why, sizeof why));
	if (used > 0 && f->signs != NULL)
		used += (size_t)snprintf(why + used, sizeof why - used, ", ");
	plain_list(f->signs, why + used, sizeof why - used);
	const struct cell cells[FINDING_COLUMNS] = {
	    cell_number(row->id), cell_number(row->severity), cell_text(row->equipment), cell_text(finding_peer(f)),
	    cell_text(row->country), cell_count(row->transfers), cell_count(row->bytes_out), cell_count(row->bytes_in),
	    cell_time(row->first_us), cell_time(row->last_us), cell_text(why), cell_text(review_text(a->r, &f->review)),
	    cell_text(review_disposition_word(v->disposition)), cell_text(v->analyst), cell_text(v->note), cell_time(v->due_us),
	    {.number = v->closed_us - row->first_us, .here = v->closed_us > row->first_us}, cell_count(v->reopened),
	    {.number = f->suppressed, .here = f->suppressed != 0}, cell_number(v->hold)};
	return a->fn(a->ctx, cells);
}

static int findings(const struct report *r, uint64_t limit, sheet_row_fn fn, void *ctx)
{
	struct transfers a = {r, fn, ctx, 0};
	const struct finding_filter f = {.since_us = r->week.from_us, .until_us = r->week.until_us,
	                                 .sort = FINDINGS_TO_DO, .now_us = r->as_of_us, .limit = limit};
	return store_read_findings(r->db, &f, finding_row, &a);
}

static int finding_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	return findings(r, 0, fn, ctx);
}

static int finding_page(const struct report *r, sheet_row_fn fn, void *ctx)
{
	return findings(r, REPORT_PAGE_ROWS, fn, ctx);
}

const struct sheet sheet_findings = {
    "findings", N_("Findings"), "transfers kept together for review: those that were alive in the week",
    finding_columns, FINDING_COLUMNS, finding_rows, finding_page, N_("none")};

/* --- maintenance --- */

static const struct sheet_column maintenance_columns[] = {
    {"id", CELL_COUNT, true, N_("Id"), ""},
    {"start", CELL_TIME, false, N_("Start"), ""},
    {"end", CELL_TIME, false, N_("End"), "so far, where state is open"},
    {"state", CELL_WORD, false, N_("State"), "open, closed, interrupted"},
    {"tool", CELL_TEXT, false, N_("Tool"), ""},
    {"equipment", CELL_TEXT, false, N_("Equipment"), ""},
    {"peer", CELL_TEXT, false, N_("Peer"), "host name, else address"},
    {"initiator", CELL_WORD, false, N_("Opened by"), "equipment, peer, unknown"},
    {"bytes_out", CELL_BYTES, false, N_("Out"), "IP bytes"},
    {"bytes_in", CELL_BYTES, false, N_("In"), "IP bytes"},
    {"flows", CELL_COUNT, true, N_("Flows"), ""},
    {"unapproved", CELL_COUNT, false, N_("Uncovered flows"), "that no approval covers"},
    {"approval", CELL_TEXT, false, N_("Approval"), "of its last covered flow"},
    {"ticket", CELL_TEXT, false, N_("Ticket"), ""}};

static int maintenance_row(void *ctx, const struct stored_maintenance *m)
{
	const struct transfers *a = ctx;
	const struct row_maintenance *row = &m->row;
	char peer[ADDR_TEXT_MAX];
	const struct cell cells[] = {
	    cell_number(row->id), cell_time(row->start_us), cell_time(row->last_us), cell_text(store_state_word(m->state)),
	    cell_text(row->tool), cell_text(row->equipment),
	    cell_text(row->hostname != NULL ? row->hostname : addr_text(&row->peer, peer)),
	    cell_text(store_initiator_word(row->initiator)), cell_count(row->bytes_out), cell_count(row->bytes_in),
	    cell_count(row->flows), cell_count(row->unapproved), cell_text(row->approval), cell_text(row->ticket)};
	return a->fn(a->ctx, cells);
}

static int maintenance_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	struct transfers a = {r, fn, ctx, 0};
	const struct stored_maintenance_filter f = {.since_us = r->week.from_us, .until_us = r->week.until_us};
	return store_read_maintenance(r->db, &f, maintenance_row, &a);
}

const struct sheet sheet_maintenance = {
    "maintenance", N_("Remote maintenance"), "sessions (NIST SP 800-53 MA-4) against what covers them",
    maintenance_columns, 14, maintenance_rows, NULL, N_("no session was seen")};

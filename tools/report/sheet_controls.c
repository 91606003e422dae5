/* Controls of frameworks with what was measured for each, and what nobody can see from here. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_frameworks.h"
#include "format.h"
#include "record/store_self_test.h"
#include "report/sheets.h"
#include "translate.h"

/* --- measures: a sentence each, and the table that it is taken from --- */

struct measured {
	const struct report *r;
	char *buf;
	size_t size;
};

static void put_measure(const struct measured *m, const char *msgid, ...) __attribute__((format(printf, 2, 3)));

static void put_measure(const struct measured *m, const char *msgid, ...)
{
	va_list ap;
	va_start(ap, msgid);
	vsnprintf(m->buf, m->size, tr(m->r->lang, msgid), ap);
	va_end(ap);
}

static void bytes_by_verdict(const struct measured *m)
{
	char approved[FORMAT_SIZE_MAX], unapproved[FORMAT_SIZE_MAX];
	const struct tally_sum *a = &m->r->now.all;
	put_measure(m, "%s out approved, %s unapproved",
	    format_size(a->out[VERDICT_APPROVED], approved), format_size(a->out[VERDICT_UNAPPROVED], unapproved));
}

static void encrypted_share(const struct measured *m)
{
	char bytes[FORMAT_SIZE_MAX];
	const struct tally_sum *a = &m->r->now.all;
	const uint64_t out = tally_all(a->out);
	put_measure(m, "%s out encrypted, %u %% of all", format_size(a->encrypted_out, bytes),
	    out > 0 ? (unsigned)((double)a->encrypted_out / (double)out * 100) : 0);
}

static void external_systems(const struct measured *m)
{
	size_t networks, destinations;
	tally_sorted(m->r->now.by[BY_NETWORK], &networks);
	tally_sorted(m->r->now.by[BY_DESTINATION], &destinations);
	put_measure(m, "networks: %zu, relations of machine, country and network: %zu",
	    networks, destinations);
}

static void new_destinations(const struct measured *m)
{
	size_t count, fresh = 0;
	const struct tally_entry *all = tally_sorted(m->r->now.by[BY_DESTINATION], &count);
	for (size_t i = 0; i < count; i++)
		fresh += tally_all(all[i].sum.transfers) > 0 && tally_all(all[i].before.transfers) == 0;
	put_measure(m, "new since last week: %zu", fresh);
}

static void unapproved(const struct measured *m)
{
	put_measure(m, "transfers that no approval covers: %ju, and from earlier weeks: %ju",
	    m->r->now.all.transfers[VERDICT_UNAPPROVED], m->r->carried.unapproved);
}

static void approvals(const struct measured *m)
{
	size_t used = 0;
	for (size_t i = 0; i < m->r->site->approval_count; i++) {
		const struct tally_sum *s = tally_of(m->r->now.by[BY_APPROVAL], m->r->site->approvals[i].id);
		used += s != NULL && s->transfers[VERDICT_APPROVED] > 0;
	}
	put_measure(m, "approvals used: %zu of %zu", used, m->r->site->approval_count);
}

static void agreements(const struct measured *m)
{
	char bytes[FORMAT_SIZE_MAX];
	put_measure(m, "%s out under approvals that name a ticket",
	    format_size(m->r->now.all.out[VERDICT_APPROVED], bytes));
}

struct sessions {
	uint64_t all, bare;
};

static int count_session(void *ctx, const struct stored_maintenance *s)
{
	struct sessions *c = ctx;
	c->all++;
	c->bare += s->row.unapproved > 0;
	return 0;
}

static void maintenance(const struct measured *m)
{
	struct sessions c = {0, 0};
	const struct stored_maintenance_filter f = {.since_us = m->r->week.from_us, .until_us = m->r->week.until_us};
	if (store_read_maintenance(m->r->db, &f, count_session, &c) == 0)
		put_measure(m, "sessions: %ju, with flows that no approval covers: %ju", c.all, c.bare);
}

static void coverage(const struct measured *m)
{
	const struct coverage *c = &m->r->coverage;
	if (!m->r->live)
		put_measure(m, "not known%s", "");
	else if (c->frames == 0)
		put_measure(m, "not a single frame arrived%s", "");
	else
		put_measure(m, "%u.%02u %% (time %u.%02u %%, frames %u.%02u %%)",
		    c->ppm / 10000, c->ppm / 100 % 100, c->time_ppm / 10000, c->time_ppm / 100 % 100, c->frames_ppm / 10000,
		    c->frames_ppm / 100 % 100);
}

static void findings(const struct measured *m)
{
	put_measure(m, "findings: %ju, severe: %ju", m->r->findings.all,
	    m->r->findings.severe);
}

static void detections(const struct measured *m)
{
	put_measure(m, "findings with detections: %ju", m->r->findings.detected);
}

static void review(const struct measured *m)
{
	const struct report_findings *f = &m->r->findings;
	char age[FORMAT_AGE_MAX];
	put_measure(m, "findings closed: %ju of %ju, the slowest after %s; overdue: %ju", f->closed, f->all,
	    f->slowest_us > 0 ? format_age(f->slowest_us, age) : "-", f->overdue);
}

struct machines {
	const struct week *week;
	uint64_t unknown, fresh;
};

static int count_machine(void *ctx, const struct stored_machine *s)
{
	struct machines *c = ctx;
	c->unknown += strncmp(s->row.id, "unknown:", 8) == 0 && s->row.first_us < c->week->until_us;
	c->fresh += s->row.first_us >= c->week->from_us && s->row.first_us < c->week->until_us;
	return 0;
}

static void machines(const struct measured *m)
{
	struct machines c = {&m->r->week, 0, 0};
	if (store_read_machine_list(m->r->db, count_machine, &c) == 0)
		put_measure(m, "unknown machines so far: %ju, machines seen for the first time: %ju", c.unknown, c.fresh);
}

static void listening(const struct measured *m)
{
	put_measure(m, "findings of machines that accept connections from outside: %ju", m->r->findings.listening);
}

static int count_step(void *ctx, const struct stored_gap *g)
{
	*(uint64_t *)ctx += strcmp(g->row.cause, "clock-step") == 0;
	return 0;
}

static void clock_steps(const struct measured *m)
{
	uint64_t steps = 0;
	if (store_read_gaps(m->r->db, m->r->week.from_us, m->r->week.until_us, count_step, &steps) == 0)
		put_measure(m, "steps of the sensor's clock: %ju", steps);
}

static void records(const struct measured *m)
{
	put_measure(m, "transfers recorded, with who, to whom, when, how much, verdict and reasons: %ju",
	    tally_all(m->r->now.all.transfers));
}

static void retention(const struct measured *m)
{
	struct stored_extent x;
	char oldest[WEEK_LOCAL_MAX];
	if (store_read_extent(m->r->db, &x) != 0)
		return;
	const int64_t first = x.folded_us != 0 && x.folded_us < x.oldest_us ? x.folded_us : x.oldest_us;
	put_measure(m, "oldest record: %s", first != 0 ? week_local(m->r->zone, first, oldest) : "-");
}

static void not_measured(const struct measured *m)
{
	put_measure(m, "not measured in this week%s", "");
}

static void ledger(const struct measured *m)
{
	const struct report_ledger *l = &m->r->ledger;
	if (l->wrong == 0)
		put_measure(m, "entries: %jd, and the record is what they say", l->head_seq + 1);
	else
		put_measure(m, "%ju CONTRADICTIONS between record and ledger", l->wrong);
}

static void checkpoints(const struct measured *m)
{
	const struct report_ledger *l = &m->r->ledger;
	char when[WEEK_LOCAL_MAX];
	if (l->checkpoint_size == 0)
		put_measure(m, "no signed checkpoint yet%s", "");
	else
		put_measure(m, "last signed checkpoint: %s, %ju entries",
		    week_local(m->r->zone, l->checkpoint_us, when), l->checkpoint_size);
}

struct tests {
	uint64_t checks, seen;
	int64_t slowest_us;
};

static int count_result(void *ctx, const struct stored_self_result *t)
{
	struct tests *c = ctx;
	c->checks++;
	c->seen += t->seen && t->verdict != NULL && strcmp(t->verdict, "unapproved") == 0;
	const int64_t took = t->detected_us != 0 ? t->detected_us : t->recorded_us;
	if (took > c->slowest_us)
		c->slowest_us = took;
	return 0;
}

static void self_test(const struct measured *m)
{
	struct tests c = {0, 0, 0};
	if (store_read_self_results(m->r->db, m->r->week.from_us, m->r->week.until_us, count_result, &c) != 0 || c.checks == 0)
		not_measured(m);
	else
		put_measure(m, "channels tested that were seen and judged unapproved: %ju of %ju, the slowest after %jd ms", c.seen,
		    c.checks, c.slowest_us / 1000);
}

static const struct {
	const char *word;
	void (*say)(const struct measured *m);
	const char *sheet;    /* where it stands */
} measures[] = {
    {"bytes-by-verdict", bytes_by_verdict, "by_equipment"}, {"encrypted-share", encrypted_share, "summary"},
    {"external-systems", external_systems, "destinations"}, {"new-destinations", new_destinations, "destinations"},
    {"unapproved", unapproved, "unapproved_transfers"}, {"approvals", approvals, "approvals"},
    {"agreements", agreements, "approvals"}, {"maintenance", maintenance, "maintenance"}, {"coverage", coverage, "coverage"},
    {"exfiltration-test", self_test, "self_tests"}, {"findings", findings, "findings"}, {"detections", detections, "findings"}, {"review", review, "findings"},
    {"machines", machines, "equipment"}, {"listening", listening, "findings"}, {"clock", clock_steps, "gaps"},
    {"records", records, "unapproved_transfers"}, {"retention", retention, "runs"},
    {"ledger", ledger, "ledger_wrong"}, {"checkpoints", checkpoints, "ledger_wrong"}};

static const char *measure(const struct report *r, const char *word, char *buf, size_t size)
{
	const struct measured m = {r, buf, size};
	buf[0] = '\0';
	for (size_t i = 0; i < sizeof measures / sizeof measures[0]; i++) {
		if (strcmp(word, measures[i].word) == 0) {
			measures[i].say(&m);
			return measures[i].sheet;
		}
	}
	not_measured(&m);
	return "";
}

/* --- the table --- */

static const struct sheet_column control_columns[] = {
    {"framework", CELL_TEXT, false, N_("Framework"), ""},
    {"control", CELL_TEXT, false, N_("Control"), ""},
    {"title", CELL_TEXT, false, N_("Title"), "as the framework has it"},
    {"evidence", CELL_TEXT, false, N_("Measured"), "what this week showed"},
    {"stands_in", CELL_SHEETS, false, N_("Stands in"), "tables of this report"},
    {"note", CELL_TEXT, true, N_("Note"), "what the measure does not show"}};

static int control_row(const struct report *r, const char *framework, const struct config_control *c, sheet_row_fn fn, void *ctx)
{
	char evidence[1200] = "", sheets[300] = "";
	for (size_t i = 0; i < c->evidence_count; i++) {
		char one[400];
		const char *sheet = measure(r, c->evidence[i], one, sizeof one);
		const size_t used = strlen(evidence), named = strlen(sheets);
		snprintf(evidence + used, sizeof evidence - used, "%s%s", used > 0 ? "; " : "", one);
		if (sheet[0] != '\0' && strstr(sheets, sheet) == NULL)
			snprintf(sheets + named, sizeof sheets - named, "%s%s", named > 0 ? ", " : "", sheet);
	}
	const char *title = c->title_es != NULL && strcmp(r->lang, "es") == 0 ? c->title_es : c->title;
	const struct cell cells[] = {cell_text(framework), cell_text(c->id), cell_text(title), cell_text(evidence),
	                             cell_text(sheets), cell_text(c->note)};
	return fn(ctx, cells);
}

static int control_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	int e = 0;
	for (size_t i = 0; e == 0 && i < r->frameworks.count; i++) {
		const struct config_framework *f = r->frameworks.all[i];
		char name[160];
		snprintf(name, sizeof name, "%s%s%s", f->name, f->edition != NULL ? " " : "", f->edition != NULL ? f->edition : "");
		for (size_t n = 0; e == 0 && n < f->control_count; n++)
			e = control_row(r, name, &f->controls[n], fn, ctx);
	}
	return e;
}

const struct sheet sheet_controls = {
    "controls", N_("Controls"), "what was measured for the controls of frameworks, and where it stands",
    control_columns, 6, control_rows, NULL, N_("no list of controls was found")};

/* --- self-tests --- */

static const struct sheet_column test_columns[] = {
    {"test", CELL_TEXT, false, N_("Test"), "its number"},
    {"checked", CELL_TIME, false, C_("test", "Checked"), ""},
    {"channel", CELL_TEXT, false, N_("Channel"), "tcp, http, udp, dns, icmp"},
    {"seen", CELL_FLAG, false, N_("Seen"), ""},
    {"verdict", CELL_WORD, false, N_("Verdict"), "unapproved, as it should be"},
    {"bytes_out", CELL_BYTES, false, N_("Out"), "IP bytes"},
    {"detected_ms", CELL_COUNT, false, N_("Detected after (ms)"), "from its first packet to the ledger's entry of its finding; absent: the finding was there before"},
    {"recorded_ms", CELL_COUNT, false, N_("Recorded after (ms)"), "from its first packet until the transfer was in the record with its verdict, to the second at most; absent: a replay, or checked more than two days later"},
    {"transfer", CELL_COUNT, true, N_("Transfer"), ""},
    {"finding", CELL_COUNT, true, N_("Finding"), ""}};

struct to {
	sheet_row_fn fn;
	void *ctx;
};

static int test_row(void *ctx, const struct stored_self_result *t)
{
	const struct to *to = ctx;
	const struct cell cells[] = {cell_text(t->test), cell_time(t->time_us), cell_text(t->channel), cell_number(t->seen),
	                             cell_text(t->verdict), {.number = t->bytes_out, .here = t->seen},
	                             {.number = t->detected_us / 1000, .here = t->detected_us != 0},
	                             {.number = t->recorded_us / 1000, .here = t->recorded_us != 0},
	                             {.number = t->transfer, .here = t->transfer != 0},
	                             {.number = t->finding, .here = t->finding != 0}};
	return to->fn(to->ctx, cells);
}

static int test_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	struct to to = {fn, ctx};
	return store_read_self_results(r->db, r->week.from_us, r->week.until_us, test_row, &to);
}

const struct sheet sheet_self_tests = {
    "self_tests", N_("Exfiltration test"), "NIST SP 800-53 SC-7(10)(b): what was sent on purpose, and how it was judged",
    test_columns, 10, test_rows, NULL, N_("no test was checked in this week")};

/* --- blind spots --- */

static const struct sheet_column blind_columns[] = {
    {"blind_spot", CELL_TEXT, false, N_("Blind spot"), ""},
    {"why", CELL_TEXT, false, N_("Why, and what helps"), ""}};

static int blind_rows(const struct report *r, sheet_row_fn fn, void *ctx)
{
	static const char *const spots[][2] = {
	    {N_("Private modems (4G, 5G, satellite)"),
	     N_("What a machine sends by radio does not pass the mirrored switch; look for unknown MACs and inspect the machine.")},
	    {N_("The content of encrypted transfers"),
	     N_("TLS, QUIC, SSH and VPNs hide what is said; who, to whom, when and how much are measured.")},
	    {N_("Encrypted server names (ECH)"),
	     N_("With ECH the name in the handshake is not the server's; clients also send it as a decoy (GREASE), so its presence proves nothing.")},
	    {N_("Covert fields"),
	     N_("A few bits in time stamps (NTP), identifiers or timing cannot be told from the honest ones; approve the servers and bound the bytes.")},
	    {N_("What the mirror does not deliver"),
	     N_("Switches drop mirrored frames in silence when the port is full; the sensor counts its own losses and one-way traffic, not those of the switch.")},
	    {N_("Between machines of one scanner network"),
	     N_("Such traffic is no transfer, and a mirror may not carry it.")},
	    {N_("Storage that is carried away"),
	     N_("Disks and sticks leave no packets.")}};
	int e = 0;
	for (size_t i = 0; e == 0 && i < sizeof spots / sizeof spots[0]; i++) {
		const struct cell cells[] = {cell_text(report_said(r, spots[i][0])),
		                             cell_text(report_said(r, spots[i][1]))};
		e = fn(ctx, cells);
	}
	return e;
}

const struct sheet sheet_blind_spots = {
    "blind_spots", N_("Blind spots"), "what no passive monitor at this place can see", blind_columns, 2,
    blind_rows, NULL, ""};

#include "finding_page.h"

#include <stdio.h>
#include <string.h>

#include "finding_text.h"

#define TRANSFERS_MAX 20000u   /* the newest so many are looked at */

static const char *keep_text(char to[PAGE_TEXT], const char *from)
{
	snprintf(to, PAGE_TEXT, "%s", from != NULL ? from : "");
	return from != NULL ? to : NULL;
}

static int on_finding(void *ctx, const struct stored_finding *s)
{
	struct finding_page *p = ctx;
	p->found = true;
	p->finding = *s;
	p->finding.row.equipment = keep_text(p->text[0], s->row.equipment);
	p->finding.row.peer_name = keep_text(p->text[1], s->row.peer_name);
	p->finding.row.country = keep_text(p->text[2], s->row.country);
	p->finding.row.as_org = keep_text(p->text[3], s->row.as_org);
	p->finding.address = keep_text(p->text[4], s->address);
	snprintf(p->reasons, sizeof p->reasons, "%s", s->reasons != NULL ? s->reasons : "[]");
	snprintf(p->signs, sizeof p->signs, "%s", s->signs != NULL ? s->signs : "");
	p->finding.reasons = p->reasons;
	p->finding.signs = s->signs != NULL ? p->signs : NULL;
	return 0;
}

static int on_detection(void *ctx, const struct stored_detection *d)
{
	struct finding_page *p = ctx;
	if (p->detection_count == DETECT_COUNT)
		return 0;
	struct page_detection *to = &p->detections[p->detection_count++];
	*to = (struct page_detection){.what = d->what, .score = d->score, .count = d->count, .bytes_out = d->bytes_out,
	                              .first_us = d->first_us, .last_us = d->last_us};
	snprintf(to->word, sizeof to->word, "%s", d->word);
	snprintf(to->detail, sizeof to->detail, "%s", d->detail != NULL ? d->detail : "");
	return 0;
}

/* As the judge does when it writes the row. */
static void weigh(struct finding_page *p)
{
	const struct row_finding *r = &p->finding.row;
	struct severity_facts f = {.unapproved = r->reasons != 0, .unknown_equipment = r->unknown_equipment,
	                           .peer_opened = r->peer_opened, .foreign = r->foreign, .reasons = r->reasons,
	                           .bytes_out = r->bytes_out};
	for (unsigned i = 0; i < p->detection_count; i++)
		if (p->detections[i].what >= 0)
			f.score[p->detections[i].what] = (uint8_t)(p->detections[i].score < 100 ? p->detections[i].score : 100);
	severity_sum(&f, &p->severity);
}

/* --- over time --- */

static void spread(struct finding_page *p, int64_t from_us, int64_t to_us, uint64_t bytes)
{
	const struct row_finding *r = &p->finding.row;
	const double start = (double)r->first_us, width = (double)(r->last_us - r->first_us + 1) / PAGE_BINS;
	const double from = from_us > r->first_us ? (double)from_us : start;
	const double end = start + width * PAGE_BINS, to = (double)to_us + 1 < end ? (double)to_us + 1 : end;
	const double span = to > from ? to - from : 1;
	for (unsigned i = 0; i < PAGE_BINS; i++) {
		const double low = start + width * i, high = low + width;
		const double a = from > low ? from : low, b = from + span < high ? from + span : high;
		if (b > a)
			p->bins[i] += (double)bytes * (b - a) / span;
	}
}

/* --- its transfers, added up --- */

static void add_app(struct finding_page *p, const struct stored_sum *s)
{
	struct page_app a = {.port = s->has_port ? s->port : -1, .bytes = s->ip_bytes_out + s->ip_bytes_in};
	snprintf(a.app, sizeof a.app, "%s", s->app != NULL ? s->app : "");
	char proto[STORE_PROTO_MAX];
	snprintf(a.proto, sizeof a.proto, "%s", s->month ? "" : store_proto_word((uint8_t)s->proto, proto));
	for (unsigned i = 0; i < p->app_count; i++) {
		struct page_app *e = &p->apps[i];
		if (strcmp(e->app, a.app) != 0 || strcmp(e->proto, a.proto) != 0 || e->port != a.port)
			continue;
		e->bytes += a.bytes;
		for (; i > 0 && p->apps[i - 1].bytes < p->apps[i].bytes; i--) {
			const struct page_app swap = p->apps[i];
			p->apps[i] = p->apps[i - 1];
			p->apps[i - 1] = swap;
		}
		return;
	}
	unsigned at = p->app_count < PAGE_APPS ? p->app_count++ : PAGE_APPS;
	if (at == PAGE_APPS) {
		p->more_apps++;
		if (p->apps[--at].bytes >= a.bytes)
			return;
	}
	for (; at > 0 && p->apps[at - 1].bytes < a.bytes; at--)
		p->apps[at] = p->apps[at - 1];
	p->apps[at] = a;
}

static int on_total(void *ctx, const struct stored_sum *s)
{
	struct finding_page *p = ctx;
	add_app(p, s);
	p->folded = p->folded || s->folded > 0;
	if (s->network != NULL)
		keep_text(p->network, s->network);
	return 0;
}

#define HOUR_US INT64_C(3600000000)

static int on_hour(void *ctx, const struct stored_sum *s)
{
	struct finding_page *p = ctx;
	const bool within = !s->month && s->end_us < s->hour_us + HOUR_US;
	spread(p, s->start_us, within ? s->end_us : s->month ? s->end_us : s->hour_us + HOUR_US, s->ip_bytes_out);
	return 0;
}

/* --- its transfers, one by one --- */

static void add_name(struct finding_page *p, const struct row_transfer *r)
{
	if (r->hostname == NULL)
		return;
	for (unsigned i = 0; i < p->name_count; i++)
		if (strcmp(p->names[i].name, r->hostname) == 0 && p->names[i].source == r->hostname_source &&
		    p->names[i].verified == r->hostname_verified)
			return;
	if (p->name_count == PAGE_NAMES) {
		p->more_names++;
		return;
	}
	struct page_name *n = &p->names[p->name_count++];
	keep_text(n->name, r->hostname);
	n->source = r->hostname_source;
	n->verified = r->hostname_verified;
}

static void add_largest(struct finding_page *p, const struct stored_transfer *t)
{
	const struct row_transfer *r = &t->row;
	const uint64_t bytes = r->counts.ip_bytes_out + r->counts.ip_bytes_in;
	unsigned at = p->largest_count < PAGE_LARGEST ? p->largest_count++ : PAGE_LARGEST;
	char address[ADDR_TEXT_MAX];
	if (at == PAGE_LARGEST) {
		at--;
		if (p->largest[at].out + p->largest[at].in >= bytes)
			return;
	}
	for (; at > 0 && p->largest[at - 1].out + p->largest[at - 1].in < bytes; at--)
		p->largest[at] = p->largest[at - 1];
	struct page_transfer *to = &p->largest[at];
	char proto[STORE_PROTO_MAX];
	*to = (struct page_transfer){.id = r->id, .start_us = r->start_us, .end_us = r->end_us, .out = r->counts.ip_bytes_out,
	                             .in = r->counts.ip_bytes_in, .initiator = r->initiator};
	snprintf(to->app, sizeof to->app, "%s", r->app != NULL ? r->app : store_proto_word(r->ident.proto, proto));
	addr_text(&r->ident.peer, address);
	const bool brackets = t->has_ports && !addr_is_v4(&r->ident.peer);
	if (t->has_ports)
		snprintf(to->peer, sizeof to->peer, "%s%s%s:%u", brackets ? "[" : "", address, brackets ? "]" : "",
		         r->ident.peer_port);
	else
		snprintf(to->peer, sizeof to->peer, "%s", address);
	if (at == 0)
		p->encrypted = r->encrypted;
}

static int on_transfer(void *ctx, const struct stored_transfer *t)
{
	struct finding_page *p = ctx;
	char address[ADDR_TEXT_MAX];
	add_name(p, &t->row);
	add_largest(p, t);
	keep_text(p->vendor, t->row.vendor);
	if (t->row.approval != NULL)
		keep_text(p->approval, t->row.approval);
	if (!p->finding.row.several)
		snprintf(p->address, sizeof p->address, "%s", addr_text(&t->row.ident.peer, address));
	if (!p->folded)
		spread(p, t->row.start_us, t->row.end_us, t->row.counts.ip_bytes_out);
	return 0;
}

/* --- what is like it --- */

static int on_neighbour(void *ctx, const struct stored_finding *s)
{
	struct finding_page *p = ctx;
	struct page_neighbour *n = &p->neighbours[p->neighbour_count++];
	*n = (struct page_neighbour){.id = s->row.id, .severity = s->row.severity, .out = s->row.bytes_out,
	                             .same_peer = strcmp(s->row.equipment, p->finding.row.equipment) != 0};
	keep_text(n->equipment, s->row.equipment);
	keep_text(n->peer, finding_peer(s));
	finding_why(s, n->why, sizeof n->why);
	return 0;
}

static int read_neighbours(struct store_reader *r, struct finding_page *p)
{
	const struct row_finding *row = &p->finding.row;
	const struct prefix address = {.addr = row->peer, .bits = 128};
	struct finding_filter f = {.not_equipment = row->equipment, .limit = PAGE_NEIGHBOURS};
	int code = 0;
	f.name = row->peer_name;
	if (row->peer_name == NULL)
		f.peer = &address;
	if (row->peer_name != NULL || p->finding.address != NULL)
		code = store_read_findings(r, &f, on_neighbour, p);
	f = (struct finding_filter){.equipment = row->equipment, .not_id = row->id, .limit = PAGE_NEIGHBOURS};
	return code == 0 ? store_read_findings(r, &f, on_neighbour, p) : code;
}

int finding_page_read(struct store_reader *r, int64_t id, struct finding_page *ret)
{
	const struct finding_filter one = {.id = id, .limit = 1};
	const struct store_filter all = {.finding = id}, newest = {.finding = id, .limit = TRANSFERS_MAX};
	memset(ret, 0, sizeof *ret);
	int code = store_read_findings(r, &one, on_finding, ret);
	if (code != 0 || !ret->found)
		return code;
	code = store_read_detections(r, id, on_detection, ret);
	weigh(ret);
	if (code == 0)
		code = store_read_sums(r, &all, false, on_total, ret);
	ret->folded = ret->folded || ret->finding.row.transfers > TRANSFERS_MAX;
	if (code == 0)
		code = store_read_transfers(r, &newest, on_transfer, ret);
	if (code == 0 && ret->folded)
		code = store_read_sums(r, &all, true, on_hour, ret);
	return code == 0 ? read_neighbours(r, ret) : code;
}

#include "finding_page.h"

#include <stdio.h>
#include <string.h>

#include "finding_text.h"

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
	p->finding.review.analyst = keep_text(p->text[5], s->review.analyst);
	p->finding.review.user = keep_text(p->text[6], s->review.user);
	p->finding.review.signs = NULL;
	p->finding.review.note = s->review.note != NULL ? p->note : NULL;
	snprintf(p->note, sizeof p->note, "%s", s->review.note != NULL ? s->review.note : "");
	snprintf(p->reasons, sizeof p->reasons, "%s", s->reasons != NULL ? s->reasons : "[]");
	snprintf(p->signs, sizeof p->signs, "%s", s->signs != NULL ? s->signs : "");
	p->finding.reasons = p->reasons;
	p->finding.signs = s->signs != NULL ? p->signs : NULL;
	p->emptied = s->row.transfers == 0 && s->signs == NULL;
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

/* --- the largest transfer, or the one asked for --- */

static int on_transfer(void *ctx, const struct stored_transfer *t)
{
	struct finding_page *p = ctx;
	const struct row_transfer *r = &t->row;
	static const struct mac none = {{0}};
	keep_text(p->of.network, r->network);
	keep_text(p->of.vendor, r->vendor);
	keep_text(p->of.city, r->city);
	keep_text(p->of.approval, r->approval);
	if (!mac_eq(&r->ident.inside_mac, &none))
		mac_text(&r->ident.inside_mac, p->of.mac);
	addr_text(&r->ident.inside, p->of.address);
	return 0;
}

static int read_largest(struct store_reader *r, struct finding_page *p)
{
	const struct store_filter one = {.id = p->largest[0].id, .limit = 1};
	return p->largest_count > 0 ? store_read_transfers(r, &one, on_transfer, p) : 0;
}

/* --- what is like it --- */

static int on_neighbour(void *ctx, const struct stored_finding *s)
{
	struct page_neighbours *to = ctx;
	struct page_neighbour *n = &to->worst[to->shown++];
	*n = (struct page_neighbour){.id = s->row.id, .severity = s->row.severity, .out = s->row.bytes_out};
	keep_text(n->equipment, s->row.equipment);
	keep_text(n->peer, finding_peer(s));
	finding_why(s, n->why, sizeof n->why);
	return 0;
}

static int read_side(struct store_reader *r, const struct finding_filter *f, struct page_neighbours *to)
{
	to->count = store_read_findings_count(r, f);
	if (to->count < 0)
		return ERR_IO;
	return to->count > 0 ? store_read_findings(r, f, on_neighbour, to) : 0;
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
		code = read_side(r, &f, &p->same_peer);
	f = (struct finding_filter){.equipment = row->equipment, .not_id = row->id, .limit = PAGE_NEIGHBOURS};
	return code == 0 ? read_side(r, &f, &p->same_equipment) : code;
}

int finding_page_read(struct store_reader *r, int64_t id, struct finding_page *ret)
{
	const struct finding_filter one = {.id = id, .limit = 1};
	struct page_sums sums = {.page = ret};
	memset(ret, 0, sizeof *ret);
	int code = store_read_findings(r, &one, on_finding, ret);
	if (code != 0 || !ret->found)
		return code;
	code = store_read_detections(r, id, on_detection, ret);
	weigh(ret);
	if (code == 0)
		code = store_read_briefs(r, &ret->finding.row, finding_page_add, &sums);
	finding_page_sort(ret);
	if (code == 0)
		code = read_largest(r, ret);
	return code == 0 ? read_neighbours(r, ret) : code;
}

/* --- of one transfer --- */

static int on_one(void *ctx, const struct stored_transfer *t)
{
	struct finding_page *p = ctx;
	const struct row_transfer *r = &t->row;
	char address[ADDR_TEXT_MAX];
	const bool host = r->hostname != NULL && r->hostname_verified;
	const bool peer = r->initiator == INITIATOR_PEER;
	const struct stored_finding as = {
		.row = {.id = r->finding, .equipment = r->equipment, .peer = r->ident.peer, .kind = host ? PEER_HOST : PEER_ADDRESS,
		        .peer_name = host ? r->hostname : NULL, .reasons = r->reasons, .first_us = r->start_us,
		        .last_us = r->end_us, .transfers = 1, .bytes_out = r->counts.ip_bytes_out,
		        .bytes_in = r->counts.ip_bytes_in, .country = r->country, .as_org = r->as_org, .asn = r->asn,
		        .unknown_equipment = strncmp(r->equipment, "unknown:", 8) == 0, .peer_opened = peer, .signs = r->signs,
		        .closed = r->state != ROW_OPEN, .severity = (uint8_t)(t->severity > 0 ? t->severity : 0)},
		.address = addr_text(&r->ident.peer, address), .reasons = t->reasons, .signs = t->signs};
	const struct stored_brief b = {
		.id = r->id, .start_us = r->start_us, .end_us = r->end_us, .transfers = 1, .dest_ip = address,
		.port = t->has_ports ? peer ? r->ident.inside_port : r->ident.peer_port : -1, .proto = r->ident.proto,
		.encrypted = r->inspected ? r->encrypted : -1, .initiator = r->initiator, .app = r->app, .hostname = r->hostname,
		.hostname_source = r->hostname_source, .hostname_verified = r->hostname_verified,
		.country = r->country, .asn = r->asn, .as_org = r->as_org, .provider = r->provider, .jurisdiction = r->jurisdiction,
		.content = r->content, .signs = t->signs, .channels = r->channels, .collapsed = r->collapsed,
		.ip_bytes_out = r->counts.ip_bytes_out, .ip_bytes_in = r->counts.ip_bytes_in,
		.packets_out = r->counts.packets_out, .packets_in = r->counts.packets_in,
		.payload_bytes_out = r->counts.payload_bytes_out, .payload_bytes_in = r->counts.payload_bytes_in};
	struct page_sums sums = {.page = p};
	const int code = on_finding(p, &as);
	p->one = true;
	p->emptied = false;
	return code == 0 && finding_page_add(&sums, &b) == 0 ? on_transfer(p, t) : code;
}

int finding_page_of_transfer(struct store_reader *r, int64_t id, struct finding_page *ret)
{
	const struct store_filter one = {.id = id, .limit = 1};
	memset(ret, 0, sizeof *ret);
	int code = store_read_transfers(r, &one, on_one, ret);
	return code == 0 && ret->found ? read_neighbours(r, ret) : code;
}

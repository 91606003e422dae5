/* Findings to the record, and back from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/finding_parts.h"
#include "judge/geo.h"

/* --- what an earlier run recorded --- */

static uint32_t place_of(struct findings *f, const struct row_finding *r)
{
	struct geo_place p;
	memset(&p, 0, sizeof(p));
	snprintf(p.country, sizeof(p.country), "%s", r->country != NULL ? r->country : "");
	snprintf(p.as_org, sizeof(p.as_org), "%s", r->as_org != NULL ? r->as_org : "");
	p.asn = r->asn;
	return p.country[0] != 0 || p.asn != 0 ? intern_get_bytes(f->texts, &p, sizeof(p)) : 0;
}

int findings_restore(struct findings *f, const struct row_finding *r)
{
	const bool named = r->kind == PEER_HOST || r->kind == PEER_DOMAIN;
	if (r->id >= f->next_id)
		f->next_id = r->id + 1;
	if (r->closed)
		return 0;
	struct finding_about a = {.peer = r->peer, .kind = r->kind, .asn = r->asn, .reasons = r->reasons,
	                          .unknown_equipment = r->unknown_equipment};
	a.name = named ? intern_get(f->texts, r->peer_name) : 0;
	a.where = place_of(f, r);
	const uint32_t i = finding_find_or_make(f, intern_get(f->texts, r->equipment), &a, INT64_MIN);
	intern_put(f->texts, a.name);
	intern_put(f->texts, a.where);
	if (i == FINDING_NONE)
		return ERR_NOMEM;
	/* The record may hold two of one kind, when the first was forgotten here:
	 * the younger goes on. */
	struct finding *d = &f->all[i];
	if (d->id > r->id)
		return 0;
	if (d->id != 0)
		finding_forget_detected(f, d);
	d->id = r->id;
	d->peer = r->peer;
	d->several = r->several;
	d->foreign = r->foreign;
	d->peer_opened = r->peer_opened;
	d->first_us = r->first_us;
	d->last_us = r->last_us;
	d->transfers = r->transfers;
	d->bytes_out = r->bytes_out;
	d->bytes_in = r->bytes_in;
	d->recorded = true;
	d->news = ROW_COUNTS;
	finding_restore_detected(f, i, r);
	return 0;
}

/* --- the record --- */

static const char *name_of(const struct findings *f, const struct finding *d, char as_text[16])
{
	uint32_t asn;
	memcpy(&asn, d->who.b, 4);
	if (d->kind == PEER_NETWORK)
		snprintf(as_text, 16, "AS%u", asn);
	return d->kind == PEER_ADDRESS ? NULL : d->kind == PEER_NETWORK ? as_text : intern_text(f->texts, d->name);
}

static int tell(const struct findings *f, struct finding *d, const struct row_sink *sink)
{
	static const struct geo_place nowhere;
	struct row_detection detections[DETECT_COUNT];
	char as_text[16];
	/* One that lost its transfers before anybody heard of it. */
	d->told = d->recorded || d->transfers > 0 || d->refs > 0 || d->detected != FINDING_NONE;
	if (!d->told)
		return 0;
	const bool known = d->recorded && !d->again;
	const struct geo_place *where = d->where != 0 ? intern_data(f->texts, d->where) : &nowhere;
	struct row_finding r = {
	    .news = known ? (enum row_news)d->news : ROW_NEW, .id = d->id, .equipment = intern_text(f->texts, d->equipment),
	    .peer = d->peer, .kind = (enum peer_kind)d->kind, .peer_name = name_of(f, d, as_text), .several = d->several,
	    .reasons = d->reasons, .first_us = d->first_us, .last_us = d->last_us, .transfers = d->transfers,
	    .bytes_out = d->bytes_out, .bytes_in = d->bytes_in, .country = where->country[0] != 0 ? where->country : NULL,
	    .as_org = where->as_org[0] != 0 ? where->as_org : NULL, .asn = where->asn,
	    .unknown_equipment = d->unknown_equipment, .foreign = d->foreign, .peer_opened = d->peer_opened,
	    .severity = (uint8_t)finding_severity(f, d), .closed = d->closed, .signs = finding_signs(f, d), .detections = detections};
	r.detection_count = finding_rows(f, d, !d->detected_again && known, detections);
	return sink->finding(sink->ctx, &r);
}

/* The sink hears once that the counts of a finding wait. */
static int wait_with(struct findings *f, struct finding *d, const struct row_sink *sink)
{
	if (d->behind || sink->behind == NULL)
		return 0;
	const int e = sink->behind(sink->ctx, d->id);
	if (e == 0)
		d->behind = f->behind = true;
	return e;
}

/* The one at the place *at of the queue, whose last one before it is before. */
static void take_offered(struct findings *f, uint32_t *at, uint32_t before)
{
	const uint32_t i = *at;
	struct finding *d = &f->all[i];
	*at = d->queue_next;
	if (f->changed.last == i)
		f->changed.last = before;
	f->urgent -= d->urgent;
	finding_detected_told(f, d);
	d->changed = d->urgent = d->behind = false;
	d->offered = true;
	d->news = ROW_COUNTS;
	finding_push(f, &f->offered, i);
}

int findings_flush(struct findings *f, const struct row_sink *sink, uint32_t max, uint32_t *ret_count)
{
	uint32_t *at = &f->changed.first, before = FINDING_NONE;
	*ret_count = 0;
	while (*at != FINDING_NONE && (max == 0 || *ret_count < max)) {
		struct finding *d = &f->all[*at];
		const bool waits = f->hold && !d->urgent;
		const int e = waits ? wait_with(f, d, sink) : tell(f, d, sink);
		if (e != 0)
			return e;
		if (waits) {
			before = *at;
			at = &d->queue_next;
			continue;
		}
		take_offered(f, at, before);
		++*ret_count;
	}
	if (f->behind && f->changed.first == FINDING_NONE) {
		f->behind = false;
		return sink->behind(sink->ctx, 0);
	}
	return 0;
}

void findings_hold_counts(struct findings *f, bool hold)
{
	f->hold = hold;
}

void findings_recorded(struct findings *f, bool committed)
{
	struct queue changed = f->changed;
	for (uint32_t i = committed ? FINDING_NONE : changed.first; i != FINDING_NONE; i = f->all[i].queue_next)
		f->all[i].behind = false;   /* that was undone, too */
	if (!committed)
		f->changed = (struct queue){FINDING_NONE, FINDING_NONE};   /* what was offered goes first */
	while (f->offered.first != FINDING_NONE) {
		uint32_t i = finding_pop(f, &f->offered);
		struct finding *d = &f->all[i];
		bool again = d->changed || !committed;
		d->offered = d->changed = false;
		d->recorded = d->recorded || (committed && d->told);
		d->again = d->again && !committed;
		d->detected_again |= !committed;
		if (again)
			finding_mark(f, i, committed ? (enum row_news)d->news : ROW_ANY);
		else
			finding_settle(f, i);
	}
	if (!committed && changed.first != FINDING_NONE) {
		if (f->changed.last != FINDING_NONE)
			f->all[f->changed.last].queue_next = changed.first;
		else
			f->changed.first = changed.first;
		f->changed.last = changed.last;
	}
}

void findings_offer_all(struct findings *f)
{
	for (uint32_t i = f->oldest; i != FINDING_NONE; i = f->all[i].younger) {
		if (!f->all[i].recorded)
			continue;
		/* With transfers or none: the old record held it. */
		f->all[i].again = true;
		finding_mark(f, i, ROW_ANY);
	}
}

bool findings_has_changed(const struct findings *f)
{
	return f->hold ? f->urgent > 0 : f->changed.first != FINDING_NONE;
}

/* The detections of a finding: a short list each, in the order of their first. */
#include <stdlib.h>

#include "judge/finding_parts.h"
#include "judge/severity.h"

static uint32_t take(struct findings *f)
{
	if (f->detected_spare != FINDING_NONE) {
		const uint32_t i = f->detected_spare;
		f->detected_spare = f->detected[i].next;
		return i;
	}
	if (f->detected_used >= f->max)
		return FINDING_NONE;
	if (f->detected_used == f->detected_room) {
		const uint32_t room = f->detected_room == 0 ? 64 : f->detected_room * 2;
		struct detected *grown = realloc(f->detected, room * sizeof(*grown));
		if (grown == NULL)
			return FINDING_NONE;
		f->detected = grown;
		f->detected_room = room;
	}
	return f->detected_used++;
}

void finding_forget_detected(struct findings *f, struct finding *d)
{
	for (uint32_t i = d->detected, next; i != FINDING_NONE; i = next) {
		next = f->detected[i].next;
		intern_put(f->texts, f->detected[i].detail);
		f->detected[i].next = f->detected_spare;
		f->detected_spare = i;
	}
	d->detected = FINDING_NONE;
}

/* The one of a kind, made at the end of the list where there is none. */
static struct detected *find_or_make(struct findings *f, struct finding *d, enum detection what)
{
	uint32_t last = FINDING_NONE;
	for (uint32_t i = d->detected; i != FINDING_NONE; i = f->detected[i].next) {
		if (f->detected[i].what == (uint8_t)what)
			return &f->detected[i];
		last = i;
	}
	const uint32_t i = take(f);
	if (i == FINDING_NONE) {
		f->detected_refused++;
		return NULL;
	}
	f->detected[i] = (struct detected){.what = (uint8_t)what, .next = FINDING_NONE};
	if (last != FINDING_NONE)
		f->detected[last].next = i;
	else
		d->detected = i;
	return &f->detected[i];
}

/* How many bytes it tells that were not told before. */
static uint64_t new_bytes(struct detected *e, const struct finding_sign *s)
{
	if (s->first_us > e->last_us)
		e->bytes_before = e->bytes_out;   /* another time */
	const uint64_t known = e->bytes_out - e->bytes_before;
	return s->bytes_out > known ? s->bytes_out - known : 0;
}

/* Which kinds it has stands in the row of the finding itself; how often, how
 * sure and when stands in that of the detection. */
static void mark_detected(struct findings *f, uint32_t index, struct detected *e, bool kinds_changed)
{
	e->changed = true;
	f->all[index].detected_changed = true;
	finding_mark(f, index, kinds_changed ? ROW_ANY : ROW_COUNTS);
}

void findings_detect(struct findings *f, uint32_t index, const struct finding_sign *s)
{
	struct detected *e = find_or_make(f, &f->all[index], s->what);
	if (e == NULL)
		return;
	const bool first = e->count == 0;
	const uint64_t bytes = s->bytes_out > 0 ? new_bytes(e, s) : 0;
	if (s->by < 0)
		e->count -= e->count > (uint64_t)-s->by ? (uint64_t)-s->by : e->count;
	else
		e->count += (uint64_t)s->by;
	if (s->score > e->score)
		e->score = s->score <= 100 ? s->score : 100;
	e->bytes_out += bytes;
	if (first || s->first_us < e->first_us)
		e->first_us = s->first_us;
	if (first || s->last_us > e->last_us)
		e->last_us = s->last_us;
	if (s->detail != NULL && s->detail[0] != 0)
		intern_set(f->texts, &e->detail, s->detail);
	mark_detected(f, index, e, first != (e->count == 0));
	if (s->by > 0)
		findings_add(f, index, &(const struct finding_delta){.bytes_out = (int64_t)bytes, .time_us = s->last_us});
}

void findings_pass_on(struct findings *f, uint32_t from, uint32_t to)
{
	if (from == FINDING_NONE || to == FINDING_NONE || from == to || f->all[from].transfers > 0 || f->all[from].reasons == 0)
		return;
	for (uint32_t i = f->all[from].detected; i != FINDING_NONE; i = f->detected[i].next) {
		const struct detected e = f->detected[i];   /* the table may move */
		if (e.count == 0)
			continue;
		const struct finding_sign s = {.what = (enum detection)e.what, .score = e.score, .by = (int64_t)e.count,
		                               .first_us = e.first_us, .last_us = e.last_us, .bytes_out = e.bytes_out,
		                               .detail = intern_text(f->texts, e.detail)};
		findings_detect(f, to, &s);
		f->detected[i].count = 0;
		mark_detected(f, from, &f->detected[i], true);
	}
}

unsigned finding_rows(const struct findings *f, const struct finding *d, bool known, struct row_detection ret[DETECT_COUNT])
{
	unsigned n = 0;
	for (uint32_t i = d->detected; i != FINDING_NONE && n < DETECT_COUNT; i = f->detected[i].next) {
		const struct detected *e = &f->detected[i];
		ret[n++] = (struct row_detection){.what = (enum detection)e->what, .score = e->score, .count = e->count,
		                                  .first_us = e->first_us, .last_us = e->last_us, .bytes_out = e->bytes_out,
		                                  .detail = intern_text(f->texts, e->detail), .known = known && !e->changed};
	}
	return n;
}

void finding_detected_told(struct findings *f, struct finding *d)
{
	for (uint32_t i = d->detected_changed ? d->detected : FINDING_NONE; i != FINDING_NONE; i = f->detected[i].next)
		f->detected[i].changed = false;
	d->detected_changed = d->detected_again = false;
}

uint64_t finding_signs(const struct findings *f, const struct finding *d)
{
	uint64_t bits = 0;
	for (uint32_t i = d->detected; i != FINDING_NONE; i = f->detected[i].next)
		if (f->detected[i].count > 0)
			bits |= detect_bit((enum detection)f->detected[i].what);
	return bits;
}

unsigned finding_severity(const struct findings *f, const struct finding *d)
{
	struct severity_facts s = {.unapproved = d->reasons != 0, .unknown_equipment = d->unknown_equipment,
	                           .peer_opened = d->peer_opened, .foreign = d->foreign, .reasons = d->reasons,
	                           .bytes_out = d->bytes_out};
	for (uint32_t i = d->detected; i != FINDING_NONE; i = f->detected[i].next)
		if (f->detected[i].count > 0)
			s.score[f->detected[i].what] = f->detected[i].score;
	return severity_total(&s);
}

void finding_restore_detected(struct findings *f, uint32_t index, const struct row_finding *r)
{
	for (unsigned i = 0; i < r->detection_count; i++) {
		const struct row_detection *from = &r->detections[i];
		struct detected *e = find_or_make(f, &f->all[index], from->what);
		if (e == NULL)
			return;
		e->score = from->score;
		e->count = from->count;
		e->first_us = from->first_us;
		e->last_us = from->last_us;
		e->bytes_out = from->bytes_out;
		intern_set(f->texts, &e->detail, from->detail);
	}
}

uint64_t findings_detections_refused(const struct findings *f)
{
	return f->detected_refused;
}

/* judge_sign.c - detections: those about one transfer stand in it as bits
 * ("signs") with their details, and are told to its finding whenever it joins
 * one; those about a machine and a peer over time go to their finding. */
#include <stdio.h>
#include <string.h>

#include "judge/judge_internal.h"
#include "judge/severity.h"

#define DETAIL_MAX 200u
#define SIGNS_BYTES_MAX 1024u   /* of one transfer: a further detail is left out, never its bit */

/* As it is interned: the bits, then for each detail the number of its
 * detection and the text with its NUL. */
struct signs {
	uint64_t bits;
	uint8_t details[SIGNS_BYTES_MAX];
	size_t used;
};

static void read_signs(const struct judge *j, const struct transfer *t, struct signs *ret)
{
	const size_t bytes = t->signs != 0 ? intern_size(j->texts, t->signs) : 0;
	ret->bits = 0;
	ret->used = 0;
	if (bytes < sizeof(ret->bits))
		return;
	const uint8_t *data = intern_data(j->texts, t->signs);
	memcpy(&ret->bits, data, sizeof(ret->bits));
	ret->used = bytes - sizeof(ret->bits);
	memcpy(ret->details, data + sizeof(ret->bits), ret->used);
}

static void write_signs(struct judge *j, struct transfer *t, const struct signs *s)
{
	uint8_t data[sizeof(s->bits) + SIGNS_BYTES_MAX];
	memcpy(data, &s->bits, sizeof(s->bits));
	memcpy(data + sizeof(s->bits), s->details, s->used);
	intern_set_bytes(j->texts, &t->signs, data, sizeof(s->bits) + s->used);
}

uint64_t judge_signs(const struct judge *j, const struct transfer *t)
{
	uint64_t bits = 0;
	if (t->signs != 0)
		memcpy(&bits, intern_data(j->texts, t->signs), sizeof(bits));
	return bits;
}

/* Printable ASCII alone, whoever made it. */
static void clean_detail(char to[DETAIL_MAX + 1], const char *detail)
{
	snprintf(to, DETAIL_MAX + 1, "%s", detail != NULL ? detail : "");
	for (char *p = to; *p != 0; p++)
		if (*p < 0x20 || *p >= 0x7f)
			*p = '?';
}

static void add_detail(struct signs *s, enum detection what, const char *detail)
{
	const size_t n = strlen(detail);
	if (n == 0 || s->used + n + 2 > SIGNS_BYTES_MAX)
		return;
	s->details[s->used++] = (uint8_t)what;
	memcpy(s->details + s->used, detail, n + 1);
	s->used += n + 1;
}

static const char *detail_of(const struct signs *s, enum detection what)
{
	for (size_t i = 0; i < s->used; i += strlen((const char *)s->details + i + 1) + 2)
		if (s->details[i] == (uint8_t)what)
			return (const char *)s->details + i + 1;
	return NULL;
}

bool judge_signs_weigh(const struct judge *j, const struct transfer *t)
{
	struct severity_facts f = {.unapproved = false};
	const uint64_t bits = judge_signs(j, t);
	for (unsigned d = 0; d < DETECT_COUNT; d++)
		f.score[d] = (bits & detect_bit((enum detection)d)) != 0 ? 100 : 0;
	return bits != 0 && severity_of_detections(&f) >= SEVERITY_SUSPICIOUS;
}

void judge_signs_tell(struct judge *j, const struct transfer *row, int by)
{
	struct signs s;
	if (row->signs == 0 || row->finding == TRANSFER_NONE)
		return;
	read_signs(j, row, &s);
	for (unsigned d = 0; d < DETECT_COUNT; d++) {
		if ((s.bits & detect_bit((enum detection)d)) == 0)
			continue;
		const struct finding_sign sign = {.what = (enum detection)d, .score = 100, .by = by, .first_us = row->start_us,
		                                  .last_us = row->end_us, .detail = detail_of(&s, (enum detection)d)};
		findings_detect(j->findings, row->finding, &sign);
	}
}

/* The bit, and the detail where there is one. False: it has it already. */
static bool put_sign(struct judge *j, struct transfer *t, enum detection what, const char *detail)
{
	struct signs s;
	if ((judge_signs(j, t) & detect_bit(what)) != 0)
		return false;
	read_signs(j, t, &s);
	s.bits |= detect_bit(what);
	add_detail(&s, what, detail);
	write_signs(j, t, &s);
	return t->signs != 0;
}

/* A row has a sign more, of a flow with these times. */
static void sign_row(struct judge *j, uint32_t index, const struct finding_sign *s)
{
	struct transfer *row = at(j, index);
	if (row->finding != TRANSFER_NONE) {
		judge_dirty(j, index, ROW_SEEN);
		findings_detect(j->findings, row->finding, s);
		return;
	}
	const struct flow_counts counts = transfer_counts(row);
	judge_finding_join(j, row);
	judge_finding_add(j, row, row->place == PLACE_COLLAPSED ? (int64_t)row->collapsed : 1, &counts, 1);
	judge_dirty(j, index, row->finding != TRANSFER_NONE ? ROW_ANY : ROW_SEEN);
}

static void sign_fold(struct judge *j, const struct transfer *t, enum detection what, const char *detail)
{
	(void)put_sign(j, at(j, t->fold), what, detail != NULL ? detail : "");
	sign_row(j, t->fold, &(const struct finding_sign){.what = what, .score = 100, .by = 1, .first_us = t->start_us,
	                                                  .last_us = t->end_us, .detail = detail});
}

void judge_sign(struct judge *j, uint32_t index, enum detection what, const char *said)
{
	struct transfer *t = at(j, index);
	char detail[DETAIL_MAX + 1];
	clean_detail(detail, said);
	if (!put_sign(j, t, what, detail))
		return;
	if (t->place == PLACE_FOLDED)
		sign_fold(j, t, what, detail);
	else if (t->place != PLACE_NONE)
		sign_row(j, index, &(const struct finding_sign){.what = what, .score = 100, .by = 1, .first_us = t->start_us,
		                                                .last_us = t->end_us, .detail = detail});
	judge_keep(j, index);
}

void judge_sign_more(struct judge *j, uint32_t index, enum detection what, const char *said)
{
	const struct transfer *t = at(j, index);
	char detail[DETAIL_MAX + 1];
	clean_detail(detail, said);
	if (t->place == PLACE_NONE || t->place == PLACE_FOLDED || t->finding == TRANSFER_NONE)
		return;
	findings_detect(j->findings, t->finding, &(const struct finding_sign){.what = what, .score = 100,
	                .first_us = t->start_us, .last_us = t->end_us, .detail = detail});
}

/* Words of signatures/README.md. An association of DICOM ("dicom") carries
 * nothing yet: "dicom-store" does. */
void judge_sign_content(struct judge *j, uint32_t index, const struct fact_content *f)
{
	static const struct {
		const char *word;
		enum detection what;
	} words[] = {
	    {"dicom-store", DETECT_INSPECTION_DATA}, {"dicom-file", DETECT_INSPECTION_DATA},
	    {"dicom-record", DETECT_INSPECTION_DATA},
	    {"dicos", DETECT_INSPECTION_DATA},       {"tiff", DETECT_INSPECTION_DATA},
	    {"hdf5", DETECT_INSPECTION_DATA},        {"jpeg2000", DETECT_INSPECTION_DATA},
	    {"png", DETECT_INSPECTION_DATA},         {"jpeg", DETECT_INSPECTION_DATA},
	    {"scan-record", DETECT_INSPECTION_DATA}, {"container-number", DETECT_CONTAINER_NUMBER},
	    {"archive", DETECT_ARCHIVE},             {"encrypted-archive", DETECT_ARCHIVE_ENCRYPTED},
	    {"sql-dump", DETECT_DATABASE_COPY},      {"database-file", DETECT_DATABASE_COPY},
	    {"database-replication", DETECT_DATABASE_COPY}, {"site-rule", DETECT_SITE_RULE},
	};
	char detail[DETAIL_MAX + 1];
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, f->word) != 0)
			continue;
		snprintf(detail, sizeof(detail), "%s%s%s", f->word, f->detail[0] != 0 ? ": " : "", f->detail);
		judge_sign(j, index, words[i].what, detail);
	}
}

void judge_signs_fold(struct judge *j, const struct transfer *t)
{
	struct signs s;
	read_signs(j, t, &s);
	for (unsigned d = 0; d < DETECT_COUNT; d++)
		if ((s.bits & detect_bit((enum detection)d)) != 0)
			sign_fold(j, t, (enum detection)d, detail_of(&s, (enum detection)d));
}

void judge_signs_unfold(struct judge *j, const struct transfer *t)
{
	const uint64_t bits = judge_signs(j, t);
	const uint32_t finding = at(j, t->fold)->finding;
	for (unsigned d = 0; finding != TRANSFER_NONE && d < DETECT_COUNT; d++)
		if ((bits & detect_bit((enum detection)d)) != 0)
			findings_detect(j->findings, finding, &(const struct finding_sign){.what = (enum detection)d, .by = -1,
			                                                                   .first_us = t->start_us,
			                                                                   .last_us = t->end_us});
}

/* --- about a machine and a peer --- */

/* Of their live transfers, the one that says most of them: with a finding, else
 * the youngest. TRANSFER_NONE: none lives. */
static uint32_t live_of(struct judge *j, const struct machine *m, const struct addr *peer)
{
	uint32_t best = TRANSFER_NONE;
	for (uint32_t i = m != NULL ? *judge_pair(j, m, peer) : TRANSFER_NONE; i != TRANSFER_NONE; i = at(j, i)->pair_next) {
		const struct transfer *t = at(j, i);
		if (t->machine != m || !addr_eq(&t->peer, peer))
			continue;
		if (best == TRANSFER_NONE || (t->finding != TRANSFER_NONE && at(j, best)->finding == TRANSFER_NONE))
			best = i;
	}
	return best;
}

/* As a live transfer says, else as is known of the peer. Takes name and where for its own. */
static void find_about(struct judge *j, const struct detect_hit *h, const struct transfer *live, struct finding_about *a)
{
	const struct machine *m = inventory_find(j->inventory, h->machine);
	struct geo_place p;
	memset(&p, 0, sizeof(p));
	*a = (struct finding_about){.equipment = h->machine, .peer = h->peer,
	                            .unknown_equipment = m == NULL || m->equipment == NULL};
	if (h->domain != NULL) {
		a->kind = PEER_DOMAIN;
		a->name = intern_get(j->texts, h->domain);
		return;
	}
	if (live != NULL) {
		judge_about(j, live, a);
		a->reasons = 0;
		intern_ref(j->texts, a->name);
		intern_ref(j->texts, a->where);
		return;
	}
	geo_lookup(j->geo, &h->peer, &p);
	a->asn = p.asn;
	a->where = intern_get_bytes(j->texts, &p, sizeof(p));
	a->name = m != NULL ? judge_name_at(j, m, &h->peer, h->last_us) : 0;
	a->kind = a->name != 0 ? PEER_HOST : p.asn != 0 ? PEER_NETWORK : PEER_ADDRESS;
}

/* Their approved transfers that live are looked at again: they may have a finding to join now. */
static void gather(struct judge *j, const struct machine *m, const struct addr *peer)
{
	for (uint32_t i = *judge_pair(j, m, peer); i != TRANSFER_NONE; i = at(j, i)->pair_next) {
		struct transfer *t = at(j, i);
		if (t->machine != m || !addr_eq(&t->peer, peer) || t->place != PLACE_ROW || t->finding != TRANSFER_NONE)
			continue;
		const struct flow_counts counts = transfer_counts(t);
		judge_finding_join(j, t);
		judge_finding_add(j, t, 1, &counts, 1);
		if (t->finding == TRANSFER_NONE)
			continue;
		judge_dirty(j, i, ROW_ANY);
		judge_keep(j, i);
	}
}

static bool weighs(const struct detect_hit *h)
{
	struct severity_facts f = {.unapproved = false};
	f.score[h->what] = h->score;
	return severity_of_detections(&f) >= SEVERITY_SUSPICIOUS;
}

/* What comes from one transfer goes where that one counts, and if it is
 * approved and enough by itself, into a finding of approved ones: not into that
 * of others, of which it says nothing. FINDING_NONE: there is none yet. */
static uint32_t finding_for(struct judge *j, const struct detect_hit *h, const struct transfer *about,
                            const struct finding_about *a, uint32_t live)
{
	if (about != NULL && about->finding != FINDING_NONE)
		return about->finding;
	if (about != NULL && about->verdict == VERDICT_APPROVED && weighs(h))
		return findings_find(j->findings, a, false, h->last_us);
	const uint32_t any = findings_find(j->findings, a, true, h->last_us);
	return any == FINDING_NONE && live != TRANSFER_NONE ? at(j, live)->finding : any;
}

void judge_suspect(struct judge *j, const struct detect_hit *h, const struct transfer *about)
{
	const struct machine *m = inventory_find(j->inventory, h->machine);
	const uint32_t live = h->domain == NULL ? live_of(j, m, &h->peer) : TRANSFER_NONE;
	const struct transfer *as = about != NULL ? about : live != TRANSFER_NONE ? at(j, live) : NULL;
	struct finding_about a;
	char detail[DETAIL_MAX + 1];
	clean_detail(detail, h->detail);
	find_about(j, h, as, &a);
	uint32_t finding = finding_for(j, h, about, &a, live);
	bool joined = false;
	if (finding == FINDING_NONE && weighs(h)) {
		finding = judge_finding_get(j, &a, h->first_us);
		joined = finding != FINDING_NONE;
	}
	if (finding != FINDING_NONE) {
		const struct finding_sign s = {.what = h->what, .score = h->score > 0 ? h->score : 1, .by = 1,
		                               .first_us = h->first_us, .last_us = h->last_us, .bytes_out = h->bytes_out,
		                               .detail = detail};
		findings_detect(j->findings, finding, &s);
		if (joined)
			findings_leave(j->findings, finding);
		if (h->domain == NULL && m != NULL)
			gather(j, m, &h->peer);
	} else if (live != TRANSFER_NONE && h->score >= 100) {   /* a sign has no score: it is sure */
		judge_sign(j, live, h->what, detail);   /* too little alone: with others it may be enough */
	}
	intern_put(j->texts, a.name);
	intern_put(j->texts, a.where);
}

static void hit(void *ctx, const struct detect_hit *h)
{
	judge_suspect(ctx, h, NULL);
}

struct detect_sink judge_detect_sink(struct judge *j)
{
	return (struct detect_sink){.ctx = j, .hit = hit};
}

/* What stands in the record about it beside its transfers: where its packets
 * are, how its review stands, its entry in the ledger. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "text.h"

static const char *say(const struct show *s, enum show_text t)
{
	return show_text(s->lang, t);
}

/* --- reading --- */

static int on_evidence(void *ctx, const struct stored_evidence *e)
{
	struct show_record *to = ctx;
	to->kept_packets += e->packets;
	to->kept_bytes += e->bytes;
	to->missed += e->missed;
	if (to->file_count == SHOW_FILES) {
		to->more_files++;
		return 0;
	}
	struct show_file *f = &to->files[to->file_count++];
	*f = (struct show_file){.id = e->id, .packets = e->packets, .bytes = e->bytes, .missed = e->missed,
	                        .evicted = strcmp(e->state, "evicted") == 0};
	snprintf(f->path, sizeof f->path, "%s", e->path);
	snprintf(f->state, sizeof f->state, "%s", e->state);
	snprintf(f->sha256, sizeof f->sha256, "%s", e->sha256 != NULL ? e->sha256 : "");
	return 0;
}

int show_record_read(struct store_reader *r, struct show *s)
{
	const int64_t finding = s->g->finding.row.id;
	s->record.entry.seq = -1;
	if (finding == 0)
		return 0;
	int code = store_read_evidence_of(r, finding, s->g->one ? s->id : 0, on_evidence, &s->record);
	if (code == 0)
		code = store_read_entry_of(r, finding, &s->record.entry);
	if (code == 0 && !s->g->one)
		code = store_read_review_before(r, finding, &s->record.before);
	return code == 0 ? show_packets_read(s) : code;
}

int show_read(struct store_reader *r, bool transfer, struct finding_page *g, struct show *s)
{
	int code = transfer ? finding_page_of_transfer(r, s->id, g) : finding_page_read(r, s->id, g);
	if (code != 0 || !g->found)
		return code;
	code = show_policy_read(r, s);
	return code == 0 ? show_record_read(r, s) : code;
}

/* --- where its packets are --- */

static void print_evidence(const struct show *s)
{
	const struct show_record *c = &s->record;
	const unsigned shown = s->all || c->file_count <= 2 ? c->file_count : 1;
	unsigned count = 0;
	char size[FORMAT_SIZE_MAX], n[24], m[24], buf[300];
	for (unsigned i = 0; i < shown; i++) {
		const struct show_file *f = &c->files[i];
		snprintf(n, sizeof n, "%" PRIu64, f->packets);
		snprintf(m, sizeof m, "%" PRIu64, f->missed);
		const char *const values[] = {n, format_size(f->bytes, size), m};
		text_fill(show_text_n(s->lang, f->evicted ? SHOW_KEPT_ONCE : f->missed > 0 ? SHOW_KEPT_BUT : SHOW_KEPT, f->packets), values, buf, sizeof buf);
		show_item(s, count++ == 0 ? say(s, SHOW_EVIDENCE) : NULL, "%s: %s", buf, f->path);
	}
	if (c->file_count - shown + c->more_files > 0) {
		snprintf(n, sizeof n, "%" PRIu64, c->kept_packets);
		snprintf(m, sizeof m, "%" PRIu64, c->missed);
		snprintf(buf, sizeof buf, "%u", c->file_count - shown + c->more_files);
		char line[300];
		const char *const values[] = {buf, n, format_size(c->kept_bytes, size), m};
		show_item(s, NULL, "%s", text_fill(show_text_n(s->lang, SHOW_FILES_MORE, c->file_count - shown + c->more_files), values, line, sizeof line));
	}
	if (c->file_count == 0)
		show_item(s, say(s, SHOW_EVIDENCE), "%s", say(s, SHOW_NO_PACKETS));
	if (s->g->finding.review.hold)
		show_item(s, NULL, "%s", say(s, SHOW_HELD));
}

/* --- how its review stands --- */

static void print_review(const struct show *s)
{
	const struct row_review *v = &s->g->finding.review;
	const struct review_before *b = &s->record.before;
	const char *disposition = review_disposition_word(v->disposition);
	char at[SHOW_TIME_MAX], due[SHOW_TIME_MAX], n[24], buf[400];
	const char *const values[] = {v->analyst != NULL ? v->analyst : "?", v->user != NULL ? v->user : "?",
	                              show_local(s, v->at_us, at), disposition != NULL ? disposition : "?"};
	if (v->state == REVIEW_CLOSED)
		text_fill(say(s, SHOW_REVIEW_CLOSED), values, buf, sizeof buf);
	else if (v->state == REVIEW_IN_REVIEW)
		text_fill(say(s, SHOW_REVIEW_IN), values, buf, sizeof buf);
	else if (v->reopened > 0 && disposition != NULL)
		text_fill(say(s, SHOW_REVIEW_REOPENED), values, buf, sizeof buf);
	else
		snprintf(buf, sizeof buf, "%s", say(s, v->analyst != NULL ? SHOW_REVIEW_OPEN : SHOW_REVIEW_NEW));
	show_item(s, say(s, SHOW_REVIEW), "%s", buf);
	if (v->note != NULL && v->note[0] != '\0')
		show_item(s, NULL, "%s: %s", say(s, SHOW_NOTE), v->note);
	if (v->due_us != 0 && v->state != REVIEW_CLOSED) {
		const int64_t left = v->due_us - s->now_us;
		char age[FORMAT_AGE_MAX];
		const char *const dues[] = {show_local(s, v->due_us, due), format_age(left > 0 ? left : -left, age)};
		show_item(s, NULL, "%s", text_fill(say(s, left > 0 ? SHOW_REPORT_DUE : SHOW_REPORT_LATE), dues, buf, sizeof buf));
	}
	if (b->finding == 0)
		return;
	snprintf(n, sizeof n, "%" PRId64, b->finding);
	const char *const before[] = {n, review_disposition_word(b->disposition) != NULL ? review_disposition_word(b->disposition) : "?",
	                              b->analyst};
	show_item(s, NULL, "%s%s%s", text_fill(say(s, SHOW_BEFORE), before, buf, sizeof buf), b->note[0] != '\0' ? ": " : "",
	          b->note);
}

/* --- the ledger --- */

static void print_ledger(const struct show *s)
{
	const struct stored_entry *e = &s->record.entry;
	char number[24], at[SHOW_TIME_MAX], hash[LEDGER_HEX_MAX], size[24], covered[120];
	if (e->seq < 0) {
		show_item(s, say(s, SHOW_LEDGER), "%s", say(s, SHOW_NO_ENTRY));
		return;
	}
	snprintf(number, sizeof number, "%" PRId64, e->seq);
	snprintf(size, sizeof size, "%" PRId64, e->covered_by);
	text_fill(say(s, e->covered_by > 0 ? SHOW_COVERED : SHOW_NOT_COVERED), (const char *[]){size}, covered, sizeof covered);
	char buf[300];
	show_local(s, e->time_us, at);
	at[s->all ? strlen(at) : strlen("2026-11-22 03:39")] = '\0';
	ledger_hash_text(&e->hash, hash);
	hash[s->all ? strlen(hash) : 8] = '\0';
	const char *const values[] = {number, e->kind, at, hash, covered};
	show_item(s, say(s, SHOW_LEDGER), "%s", text_fill(say(s, SHOW_ENTRY), values, buf, sizeof buf));
}

void show_record(const struct show *s)
{
	if (s->g->finding.row.id == 0)
		return;
	print_evidence(s);
	if (!s->g->one)
		print_review(s);
	print_ledger(s);
}

/* --- JSON --- */

/* How it stands is among the keys of every finding. */
static void json_review(const struct show *s, struct json *j)
{
	const struct row_review *v = &s->g->finding.review;
	const struct review_before *b = &s->record.before;
	if (v->due_us != 0 && v->state != REVIEW_CLOSED)
		json_int(j, "due_left_s", (v->due_us - s->now_us) / 1000000);
	if (b->finding == 0)
		return;
	json_object(j, "decided_before");
	json_int(j, "finding", b->finding);
	json_str(j, "disposition", review_disposition_word(b->disposition));
	json_str(j, "analyst", b->analyst);
	json_str(j, "note", b->note[0] != '\0' ? b->note : NULL);
	json_object_end(j);
}

void show_record_json(const struct show *s, struct json *j)
{
	const struct show_record *c = &s->record;
	char hash[LEDGER_HEX_MAX];
	json_array(j, "evidence");
	for (unsigned i = 0; i < c->file_count; i++) {
		const struct show_file *f = &c->files[i];
		json_object(j, NULL);
		json_str(j, "path", f->path);
		json_str(j, "state", f->state);
		json_str(j, "sha256", f->sha256[0] != '\0' ? f->sha256 : NULL);
		json_uint(j, "packets", f->packets);
		json_uint(j, "bytes", f->bytes);
		json_uint(j, "missed", f->missed);
		json_object_end(j);
	}
	json_array_end(j);
	show_packets_json(s, j);
	if (!s->g->one)
		json_review(s, j);
	if (c->entry.seq < 0)
		return;
	json_object(j, "ledger");
	json_int(j, "seq", c->entry.seq);
	json_str(j, "kind", c->entry.kind);
	json_time(j, "time", c->entry.time_us);
	json_str(j, "hash", ledger_hash_text(&c->entry.hash, hash));
	json_uint(j, "entries", c->entry.entries);
	if (c->entry.covered_by > 0)
		json_int(j, "checkpoint", c->entry.covered_by);
	json_object_end(j);
}

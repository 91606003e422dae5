#include "verify_print.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "format.h"
#include "text.h"

#define LINE 1200

/* --- kept --- */

static char *copy(const char *s)
{
	return s != NULL ? strdup(s) : NULL;
}

int verify_keep(struct verify_found *f, const struct verify_wrong *w)
{
	struct verify_kept k = {.w = *w, .order = f->told++};
	if (f->limit != 0 && f->count >= f->limit)
		return 0;
	if (f->count == f->room) {
		const size_t room = f->room * 2 + 64;
		struct verify_kept *more = realloc(f->kept, room * sizeof *more);
		if (more == NULL)
			return ERR_NOMEM;
		f->kept = more;
		f->room = room;
	}
	k.w.name = copy(w->name);
	k.w.was = copy(w->was);
	k.w.is = copy(w->is);
	f->kept[f->count++] = k;
	return 0;
}

void verify_found_done(struct verify_found *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free((char *)f->kept[i].w.name);
		free((char *)f->kept[i].w.was);
		free((char *)f->kept[i].w.is);
	}
	free(f->kept);
}

/* Entries first, in their order; the rest as it was told. */
static int by_place(const void *a, const void *b)
{
	const struct verify_kept *x = a, *y = b;
	const bool first = x->w.what <= VERIFY_LEDGER_CUT, second = y->w.what <= VERIFY_LEDGER_CUT;
	if (first != second)
		return first ? -1 : 1;
	if (first && x->w.entry != y->w.entry)
		return x->w.entry < y->w.entry ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* --- words --- */

static const char *filled(const struct verify_found *f, enum verify_text t, const char *const *values, char *buf, size_t size)
{
	return text_fill(verify_text(f->lang, t), values, buf, size);
}

#define NUMBER_MAX 24
static const char *number(int64_t n, char buf[NUMBER_MAX])
{
	snprintf(buf, NUMBER_MAX, "%" PRId64, n);
	return buf;
}

static const char *checkpoint(const struct verify_found *f, const struct verify_wrong *w, char *buf, size_t size)
{
	char n[NUMBER_MAX];
	const char *const values[] = {number((int64_t)w->size, n), w->name != NULL ? w->name : "?"};
	return filled(f, w->outside ? VT_CHECKPOINT_OF : VT_CHECKPOINT, values, buf, size);
}

static bool is_checkpoint(enum verify_what w)
{
	return w >= VERIFY_CHECKPOINT_NOTE && w <= VERIFY_CHECKPOINT_STAMP;
}

static const char *place(const struct verify_found *f, const struct verify_wrong *w, char *buf, size_t size)
{
	char a[NUMBER_MAX], b[NUMBER_MAX];
	char c[NUMBER_MAX];
	const char *const entry[] = {number(w->entry, a), number(w->until, b)}, *const id[] = {number(w->id, c)};
	const char *const file[] = {w->name != NULL ? w->name : id[0]};
	if (is_checkpoint(w->what))
		return checkpoint(f, w, buf, size);
	if (w->what == VERIFY_KEY)
		return filled(f, VT_KEY, entry, buf, size);
	if (w->what <= VERIFY_SEAL_UNKNOWN)
		return filled(f, w->until > w->entry ? VT_ENTRIES : VT_ENTRY, entry, buf, size);
	if (w->what <= VERIFY_TRANSFER_REOPENED)
		return filled(f, VT_TRANSFER, id, buf, size);
	if (w->what == VERIFY_FOLDED_SUM)
		return verify_text(f->lang, VT_FOLDED);
	if (w->what <= VERIFY_FINDING_SUM)
		return filled(f, VT_FINDING, id, buf, size);
	if (w->what <= VERIFY_REVIEW_UNKNOWN)
		return filled(f, VT_REVIEW, id, buf, size);
	if (w->what <= VERIFY_SUPPRESSION_UNKNOWN)
		return filled(f, VT_SUPPRESSION, id, buf, size);
	if (w->what <= VERIFY_EVIDENCE_ROW_MISSING)
		return filled(f, VT_EVIDENCE, id, buf, size);
	return filled(f, VT_EVIDENCE, file, buf, size);
}

static const char *message(const struct verify_found *f, const struct verify_wrong *w, char *buf, size_t size)
{
	char entry[NUMBER_MAX], mark[LINE];
	const char *const none = verify_text(f->lang, VT_NONE);
	const char *const values[] = {w->name != NULL ? w->name : "?", w->was != NULL ? w->was : none,
	                              w->is != NULL ? w->is : none, w->entry >= 0 ? number(w->entry, entry) : "?",
	                              checkpoint(f, w, mark, sizeof mark)};
	return text_fill(verify_wrong_form(f->lang, w->what), values, buf, size);
}

/* --- what could not be checked --- */

enum { LACKS_MAX = 5 };

static unsigned lacks(const struct verify_found *f, char ret[LACKS_MAX][300])
{
	const struct verify_summary *s = &f->sum;
	unsigned n = 0;
	char count[NUMBER_MAX];
	const char *const values[] = {""};
	if (s->no_ledger)
		filled(f, VT_LACKS_LEDGER, values, ret[n++], sizeof ret[0]);
	else if (s->checkpoints + s->outside == 0)
		filled(f, VT_LACKS_CHECKPOINT, values, ret[n++], sizeof ret[0]);
	else if (f->key == NULL)
		filled(f, VT_LACKS_KEY, values, ret[n++], sizeof ret[0]);
	const char *const asked[] = {number((int64_t)s->unasked, count)};
	if (s->unasked > 0)
		filled(f, VT_LACKS_ASKED, asked, ret[n++], sizeof ret[0]);
	const char *const unread[] = {number((int64_t)s->unreadable, count)};
	if (s->unreadable > 0)
		filled(f, VT_LACKS_FILES, unread, ret[n++], sizeof ret[0]);
	return n;
}

static int exit_of(const struct verify_found *f, unsigned lacking)
{
	return f->sum.wrong > 0 ? EXIT_FAILED : lacking > 0 || f->sum.accepted > 0 ? EXIT_DAMAGED : EXIT_DONE;
}

/* --- JSON Lines --- */

static void json_hash(struct json *j, const char *key, const struct ledger_hash *h)
{
	char hex[LEDGER_HEX_MAX];
	json_str(j, key, ledger_hash_text(h, hex));
}

static void json_wrong(const struct verify_found *f, const struct verify_wrong *w, struct json *j)
{
	char buf[LINE];
	json_reset(j);
	json_object(j, NULL);
	json_str(j, "wrong", verify_what_word(w->what));
	json_str(j, "place", place(f, w, buf, sizeof buf));
	if (w->entry >= 0)
		json_int(j, "entry", w->entry);
	if (w->until >= 0)
		json_int(j, "until", w->until);
	if (w->id != 0)
		json_int(j, "id", w->id);
	if (w->size != 0)
		json_uint(j, "checkpoint", w->size);
	const bool file = w->outside || w->what >= VERIFY_EVIDENCE_MISSING;
	json_str(j, file ? "file" : "column", w->name);
	if (w->accepted)
		json_int(j, "accepted_by_entry", f->sum.accept.entry);
	json_str(j, "expected", w->was);
	json_str(j, "found", w->is);
	json_str(j, "message", message(f, w, buf, sizeof buf));
	json_str(j, "do", w->accepted ? NULL : verify_wrong_do(f->lang, w->what));
	json_object_end(j);
}

static void json_counts(const struct verify_summary *s, struct json *j)
{
	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {{"entries", s->entries}, {"unsigned_entries", s->unsigned_entries}, {"checkpoints", s->checkpoints},
	              {"outside_checkpoints", s->outside}, {"stamps", s->stamps}, {"transfers", s->transfers},
	              {"sealed", s->sealed}, {"waiting", s->waiting}, {"open", s->open}, {"before_ledger", s->before},
	              {"purged", s->purged}, {"findings", s->findings}, {"reviews", s->reviews},
	              {"suppressions", s->suppressions}, {"files", s->files}, {"files_open", s->files_open},
	              {"files_evicted", s->files_evicted}, {"bytes_read", s->file_bytes}, {"files_unreadable", s->unreadable},
	              {"wrong", s->wrong}, {"accepted", s->accepted}};
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		json_uint(j, counts[i].key, counts[i].value);
}

static void json_summary(const struct verify_found *f, struct json *j, char (*lack)[300], unsigned lacking)
{
	static const char *const results[] = {[EXIT_DONE] = "whole", [EXIT_FAILED] = "wrong", [EXIT_DAMAGED] = "incomplete"};
	const struct verify_summary *s = &f->sum;
	char text[LEDGER_VKEY_MAX];
	json_reset(j);
	json_object(j, NULL);
	json_str(j, "result", s->wrong == 0 && s->accepted > 0 ? "accepted" : results[exit_of(f, lacking)]);
	if (s->first_entry >= 0)
		json_int(j, "first_wrong_entry", s->first_entry);
	json_counts(s, j);
	if (s->accepted > 0) {
		json_object(j, "accept");
		json_int(j, "entry", s->accept.entry);
		json_str(j, "by", s->accept.by);
		json_str(j, "note", s->accept.note);
		json_object_end(j);
	}
	json_str(j, "sensor", s->sensor[0] != '\0' ? s->sensor : NULL);
	if (s->entries > 0) {
		json_hash(j, "head", &s->head);
		json_hash(j, "root", &s->root);
		json_time(j, "first", s->first_us);
		json_time(j, "last", s->last_us);
	}
	if (s->checkpoint_us != 0)
		json_time(j, "last_checkpoint", s->checkpoint_us);
	json_str(j, "key", f->key != NULL ? ledger_vkey_text(f->key, text) : NULL);
	json_bool(j, "quick", f->quick);
	json_array(j, "not_checked");
	for (unsigned i = 0; i < lacking; i++)
		json_str(j, NULL, lack[i]);
	json_array_end(j);
	json_time(j, "checked", f->wall_us);
	json_str(j, "version", GARITA_VERSION);
	json_int(j, "took_ms", f->took_ms);
	json_object_end(j);
}

static int put_line(struct json *j)
{
	const char *line = json_text(j);
	return line == NULL ? ERR_NOMEM : puts(line) >= 0 ? 0 : ERR_IO;
}

static int print_json(const struct verify_found *f, char (*lack)[300], unsigned lacking)
{
	struct json j;
	int code = 0;
	json_init(&j);
	for (size_t i = 0; code == 0 && i < f->count; i++) {
		json_wrong(f, &f->kept[i].w, &j);
		code = put_line(&j);
	}
	if (code == 0) {
		json_summary(f, &j, lack, lacking);
		code = put_line(&j);
	}
	json_done(&j);
	return code;
}

/* --- for people --- */

struct page {
	const struct verify_found *f;
	bool colour;
};

static void heading(const struct page *p, enum verify_text what)
{
	const char *name = verify_text(p->f->lang, what);
	const size_t width = format_width(name);
	printf("%s%s%s%*s", p->colour ? format_colour_start(COLOUR_BOLD) : "", name, p->colour ? FORMAT_COLOUR_END : "",
	       (int)(width < 20 ? 20 - width : 1), "");
}

static void put_clean(const char *text)
{
	char buf[2 * LINE];
	fputs(format_clean(text, buf, sizeof buf), stdout);
}

static void print_line(const struct page *p, enum verify_text what, const char *value)
{
	heading(p, what);
	put_clean(value);
	putchar('\n');
}

/* Numbers in the text's places; its form is that for the first. */
static void print_counts(const struct page *p, enum verify_text what, enum verify_text form, uint64_t a, uint64_t b)
{
	char x[NUMBER_MAX], y[NUMBER_MAX], line[LINE];
	const char *const values[] = {number((int64_t)a, x), number((int64_t)b, y), ""};
	print_line(p, what, text_fill(verify_text_n(p->f->lang, form, a), values, line, sizeof line));
}

static void print_more(const struct page *p, enum verify_text form, uint64_t n)
{
	char x[NUMBER_MAX], line[LINE];
	const char *const values[] = {number((int64_t)n, x)};
	if (n > 0)
		printf("%20s%s\n", "", filled(p->f, form, values, line, sizeof line));
}

static void print_ledger(const struct page *p)
{
	const struct verify_summary *s = &p->f->sum;
	char entries[NUMBER_MAX], from[FORMAT_TIME_MAX], to[FORMAT_TIME_MAX], line[LINE], hex[LEDGER_HEX_MAX];
	char last[FORMAT_TIME_MAX], count[NUMBER_MAX], root[64], key[LEDGER_VKEY_MAX];
	const char *const ledger[] = {s->sensor, number((int64_t)s->entries, entries), format_time(s->first_us, from),
	                              format_time(s->last_us, to)};
	const char *const marks[] = {number((int64_t)s->checkpoints, count), format_time(s->checkpoint_us, last)};
	print_line(p, VT_LEDGER, text_fill(verify_text_n(p->f->lang, VT_LEDGER_LINE, s->entries), ledger, line, sizeof line));
	print_line(p, VT_HEAD, ledger_hash_text(&s->head, hex));
	sodium_bin2base64(root, sizeof root, s->root.bytes, sizeof s->root.bytes, sodium_base64_VARIANT_ORIGINAL);
	print_line(p, VT_ROOT, root);
	if (p->f->key != NULL)
		print_line(p, VT_SIGNED_KEY, ledger_vkey_text(p->f->key, key));
	print_line(p, VT_CHECKPOINTS,
	           s->checkpoints > 0 ? filled(p->f, VT_CHECKPOINTS_LINE, marks, line, sizeof line)
	                              : verify_text(p->f->lang, VT_NO_CHECKPOINTS));
	if (s->checkpoints > 0)
		print_more(p, VT_UNSIGNED, s->unsigned_entries);
	if (s->stamps > 0)
		print_line(p, VT_STAMPS, filled(p->f, p->f->stamp_ca != NULL ? VT_STAMPS_LINE : VT_STAMPS_ALONE,
		                                (const char *const[]){number((int64_t)s->stamps, count)}, line, sizeof line));
	if (s->outside > 0)
		print_counts(p, VT_OUTSIDE, VT_OUTSIDE_LINE, s->outside, 0);
}

static void print_rows(const struct page *p)
{
	const struct verify_summary *s = &p->f->sum;
	char a[NUMBER_MAX], b[NUMBER_MAX], c[NUMBER_MAX], size[FORMAT_SIZE_MAX], line[LINE];
	const char *const reviews[] = {number((int64_t)s->findings, a), number((int64_t)s->reviews, b),
	                               number((int64_t)s->suppressions, c)};
	print_counts(p, VT_TRANSFERS, VT_TRANSFERS_LINE, s->transfers, s->sealed);
	print_more(p, VT_WAITING, s->waiting);
	print_more(p, VT_OPEN_ROWS, s->open);
	print_more(p, VT_BEFORE, s->before);
	print_more(p, VT_PURGED, s->purged);
	print_line(p, VT_REVIEWS, filled(p->f, VT_REVIEWS_LINE, reviews, line, sizeof line));
	const char *const files[] = {number((int64_t)s->files, a), format_size(s->file_bytes, size),
	                             number((int64_t)s->files_open, b), number((int64_t)s->files_evicted, c)};
	print_line(p, VT_FILES, text_fill(verify_text_n(p->f->lang, p->f->quick ? VT_FILES_QUICK : VT_FILES_LINE, s->files), files, line, sizeof line));
}

static void print_result(const struct page *p, char (*lack)[300], unsigned lacking)
{
	const struct verify_found *f = p->f;
	char now[FORMAT_TIME_MAX], took[NUMBER_MAX], count[NUMBER_MAX], line[LINE];
	snprintf(took, sizeof took, "%" PRId64 ".%" PRId64, f->took_ms / 1000, f->took_ms % 1000 / 100);
	const char *const checked[] = {format_time(f->wall_us, now), GARITA_VERSION, took};
	const char *const wrong[] = {number((int64_t)f->sum.wrong, count)};
	const enum verify_text result = f->sum.wrong > 0 ? VT_WRONG : f->sum.accepted > 0 ? VT_ACCEPTED
	                              : lacking > 0 ? VT_INCOMPLETE : VT_WHOLE;
	print_line(p, VT_CHECKED, filled(f, VT_CHECKED_LINE, checked, line, sizeof line));
	heading(p, VT_RESULT);
	printf("%s%s%s\n", p->colour ? format_colour_start(result == VT_WHOLE ? COLOUR_GOOD : COLOUR_BAD) : "",
	       filled(f, result, wrong, line, sizeof line), p->colour ? FORMAT_COLOUR_END : "");
	if (f->sum.accepted > 0) {
		const char *const by[] = {number(f->sum.accept.entry, count), f->sum.accept.by, f->sum.accept.note};
		printf("%20s", "");
		put_clean(filled(f, VT_ACCEPTED_BY, by, line, sizeof line));
		putchar('\n');
	}
	for (unsigned i = 0; i < lacking; i++)
		printf("%20s%s\n", "", lack[i]);
	if (f->sum.first_entry >= 0) {
		const char *const first[] = {number(f->sum.first_entry, count)};
		printf("%20s%s\n", "", filled(f, VT_FIRST, first, line, sizeof line));
	}
}

/* Each thing on a line, then what to do, each advice once. */
static void print_wrong(const struct page *p)
{
	const struct verify_found *f = p->f;
	const char *said[VERIFY_WHATS];
	unsigned count = 0;
	char line[LINE], where[LINE], more[NUMBER_MAX];
	for (size_t i = 0; i < f->count; i++) {
		const struct verify_wrong *w = &f->kept[i].w;
		put_clean(place(f, w, where, sizeof where));
		fputs(": ", stdout);
		put_clean(message(f, w, line, sizeof line));
		if (w->accepted) {
			const char *const by[] = {number(f->sum.accept.entry, more)};
			printf(" (%s)\n", filled(f, VT_ACCEPTED_THERE, by, line, sizeof line));
			continue;
		}
		putchar('\n');
		const char *advice = verify_wrong_do(f->lang, w->what);
		unsigned k = 0;
		while (k < count && said[k] != advice)
			k++;
		if (k == count)
			said[count++] = advice;
	}
	if (f->told > f->count) {
		const char *const values[] = {number((int64_t)(f->told - f->count), more)};
		printf("%s\n", filled(f, VT_MORE, values, line, sizeof line));
	}
	if (count > 0)
		printf("\n%s\n", verify_text(f->lang, VT_TO_DO));
	for (unsigned i = 0; i < count; i++)
		printf("- %s\n", said[i]);
	if (count > 0)
		putchar('\n');
}

int verify_print(struct verify_found *f, bool json, int *ret_exit)
{
	char lack[LACKS_MAX][300];
	const unsigned lacking = lacks(f, lack);
	const struct page p = {f, format_has_colour(stdout)};
	*ret_exit = exit_of(f, lacking);
	if (f->count > 0)
		qsort(f->kept, f->count, sizeof *f->kept, by_place);
	if (json)
		return print_json(f, lack, lacking);
	print_wrong(&p);
	if (!f->sum.no_ledger) {
		print_ledger(&p);
		print_rows(&p);
	}
	print_result(&p, lack, lacking);
	return ferror(stdout) ? ERR_IO : 0;
}

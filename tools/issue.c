#include "issue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "format.h"
#include "record/store_issue.h"
#include "review_say.h"

int issue_hash(const char *path, struct ledger_hash *ret, int64_t *ret_bytes)
{
	struct sha256 state;
	unsigned char buf[65536];
	size_t n;
	FILE *f = fopen(path, "re");
	*ret_bytes = 0;
	if (f == NULL)
		return ERR_IO;
	sha256_begin(&state);
	while ((n = fread(buf, 1, sizeof buf, f)) > 0) {
		sha256_add(&state, buf, n);
		*ret_bytes += (int64_t)n;
	}
	const int bad = ferror(f) != 0;
	fclose(f);
	sha256_end(&state, ret->bytes);
	return bad ? ERR_IO : 0;
}

int issue_enter(const struct tool_options *o, const struct issued_report *r, int64_t *ret_entry)
{
	char account[REVIEW_USER_MAX + 1], name[REVIEW_NAME_MAX + 1];
	struct issued_report row = *r;
	struct store_edit *e = NULL;
	review_who(account, name);
	row.by = account;
	if (tool_edit(o, &e) != EXIT_DONE)
		return ERR_IO;
	int code = store_edit_begin(e);
	if (code == 0)
		code = store_edit_report(e, &row, ret_entry);
	if (code == 0)
		code = store_edit_commit(e);
	if (code != 0)
		tool_edit_failed(o, e, code);
	store_edit_close(e);
	return code;
}

struct found {
	const struct tool_options *o;
	struct json json;
	uint64_t count;
};

static int take_issue(void *ctx, const struct stored_issue *i)
{
	struct found *f = ctx;
	char time[FORMAT_TIME_MAX], by[8 * REVIEW_USER_MAX];
	f->count++;
	if (f->o->format == FORMAT_JSON) {
		json_reset(&f->json);
		json_object(&f->json, NULL);
		json_bool(&f->json, "issued", true);
		json_int(&f->json, "entry", i->entry);
		json_time(&f->json, "time", i->time_us);
		json_str(&f->json, "report", i->row.report);
		json_str(&f->json, "about", i->row.about);
		json_str(&f->json, "format", i->row.format);
		json_str(&f->json, "lang", i->row.lang);
		json_str(&f->json, "by", i->row.by);
		json_object_end(&f->json);
		return json_text(&f->json) != NULL && puts(json_text(&f->json)) >= 0 ? 0 : ERR_IO;
	}
	printf(review_said(f->o, "issued: %s report of %s (%s, %s) on %s by %s; entry %jd of the ledger\n"),
	       i->row.report, i->row.about, i->row.format, i->row.lang, format_time(i->time_us, time),
	       format_clean(i->row.by != NULL ? i->row.by : "?", by, sizeof by), i->entry);
	return 0;
}

int issue_check(const struct tool_options *o, struct store_reader *r, const char *path)
{
	struct ledger_hash sha256;
	int64_t bytes;
	struct found f = {.o = o};
	if (issue_hash(path, &sha256, &bytes) != 0) {
		tool_error(o->verb, "%s: %s", path, strerror(errno));
		return EXIT_USAGE;
	}
	json_init(&f.json);
	const int e = store_read_issued(r, &sha256, take_issue, &f);
	json_done(&f.json);
	if (e != 0) {
		tool_error(o->verb, "%s", store_reader_error(r)[0] != '\0' ? store_reader_error(r) : err_str(e));
		return EXIT_DAMAGED;
	}
	if (f.count == 0 && o->format == FORMAT_JSON)
		puts("{\"issued\":false}");
	else if (f.count == 0)
		printf(review_said(o, "NOT issued from this record: no entry has the SHA-256 of %s; it was changed, or made elsewhere, or "
		                      "without --issue\n"), path);
	return f.count > 0 ? EXIT_DONE : EXIT_FAILED;
}

/* garita review - what an analyst decides about findings. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cmd_policy.h"
#include "cmd_review.h"
#include "format.h"
#include "review_say.h"
#include "text.h"
#include "translate.h"

#define VERB "review"
#define AT_ONCE 100u   /* findings of one transaction: the sensor waits meanwhile */

enum { OPT_DISPOSITION = FINDING_OPT_OWN, OPT_NOTE, OPT_ANALYST, OPT_STATE, OPT_HOLD, OPT_RELEASE, OPT_YES, OPT_LOG, OPT_DRAFT };

static const struct option long_options[] = {
	TOOL_LONG,
	FINDING_LONG_PLAIN,
	{"disposition", required_argument, NULL, OPT_DISPOSITION},
	{"note", required_argument, NULL, OPT_NOTE},
	{"analyst", required_argument, NULL, OPT_ANALYST},
	{"state", required_argument, NULL, OPT_STATE},
	{"hold", no_argument, NULL, OPT_HOLD},
	{"release", no_argument, NULL, OPT_RELEASE},
	{"yes", no_argument, NULL, OPT_YES},
	{"log", no_argument, NULL, OPT_LOG},
	{"draft-approval", no_argument, NULL, OPT_DRAFT},
	{NULL, 0, NULL, 0},
};

static void print_usage(const struct tool_options *o, FILE *to)
{
	fprintf(to, "%s\n", review_said(o,
	    "usage: garita review ID… --disposition confirmed|false-positive|approved-after-review|escalated --note TEXT\n"
	    "       garita review ID… [--state in-review|open|closed] [--hold|--release] [--note TEXT]\n"
	    "       garita review ID… --log     garita review ID --draft-approval\n"
	    "       [--analyst NAME] [--yes] [-c FILE] [--db FILE|DIR] [--format table|json|csv] [--lang en|es]\n"
	    "In place of IDs the filters of garita findings choose them: --equipment, --peer, --severity, --reason,\n"
	    "--detection, --review, --since, --until, --reviewed-by, --suppressed; without --review those that are not closed."));
}

static int bad(const struct reviewing *r, const char *option, const char *value, const char *why)
{
	return finding_option_bad(&r->f, option, value, tr(tool_lang(&r->f.common), why));
}

static int take_disposition(struct reviewing *r, const char *arg)
{
	const int found = review_disposition_find(arg);
	if (found < 0)
		return bad(r, "--disposition", arg, "not one of confirmed, false-positive, approved-after-review, escalated");
	r->disposition = (enum review_disposition)found;
	r->acts = true;
	return 0;
}

static int take_state(struct reviewing *r, const char *arg)
{
	r->state = review_state_find(arg);
	r->acts = true;
	return r->state >= 0 ? 0 : bad(r, "--state", arg, "not one of open, in-review, closed");
}

static int take_hold(struct reviewing *r, bool hold)
{
	if (r->hold >= 0 && r->hold != hold)
		return bad(r, "--hold", "--release", "one or the other");
	r->hold = hold;
	r->acts = true;
	return 0;
}

static int take_own(struct reviewing *r, int opt, const char *arg)
{
	switch (opt) {
	case OPT_DISPOSITION:
		return take_disposition(r, arg);
	case OPT_NOTE:
		r->noted = r->acts = true;
		return review_take_text(&r->f.common, "--note", arg, REVIEW_NOTE_MAX, r->note);
	case OPT_ANALYST:
		return review_take_text(&r->f.common, "--analyst", arg, REVIEW_NAME_MAX, r->analyst);
	case OPT_STATE:
		return take_state(r, arg);
	case OPT_HOLD:
	case OPT_RELEASE:
		return take_hold(r, opt == OPT_HOLD);
	case OPT_YES:
		r->yes = true;
		return 0;
	case OPT_LOG:
		r->log = true;
		return 0;
	default:   /* OPT_DRAFT */
		r->draft = true;
		return 0;
	}
}

static int add_id(struct reviewing *r, int64_t id)
{
	for (size_t i = 0; !r->chosen && i < r->count; i++) {
		if (r->ids[i] == id)
			return 0;
	}
	if (r->count == r->room) {
		const size_t room = r->room == 0 ? 64 : 2 * r->room;
		int64_t *grown = realloc(r->ids, room * sizeof *grown);
		if (grown == NULL)
			return ERR_NOMEM;
		r->ids = grown;
		r->room = room;
	}
	r->ids[r->count++] = id;
	return 0;
}

static int take_ids(struct reviewing *r, int argc, char **argv)
{
	for (int i = optind; i < argc; i++) {
		uint64_t id = 0;
		if (tool_number(&r->f.common, "ID", argv[i], INT64_MAX, &id) != 0)
			return ERR_INVALID;
		if (id == 0)
			return finding_option_bad(&r->f, "ID", argv[i], text(tool_lang(&r->f.common), TEXT_NO_SUCH_FINDING));
		if (add_id(r, (int64_t)id) != 0)
			return ERR_NOMEM;
	}
	if ((r->count > 0) == r->f.any)
		return r->f.any ? bad(r, "ID", argv[optind], "either IDs or filters")
		                : finding_option_bad(&r->f, "ID", "", text(tool_lang(&r->f.common), TEXT_WHICH_FINDING));
	return 0;
}

/* What can't go together. */
static int check(const struct reviewing *r)
{
	if (r->disposition != DISPOSITION_NONE && r->state >= 0 && r->state != REVIEW_CLOSED)
		return bad(r, "--disposition", "--state", "a disposition closes it");
	if ((r->log || r->draft) && (r->acts || r->log == r->draft))
		return bad(r, r->log ? "--log" : "--draft-approval", "", "goes alone");
	if (r->draft && (r->count != 1 || r->f.common.format == FORMAT_CSV))
		return bad(r, "--draft-approval", "", "of one finding, by its number, as YAML or JSON");
	return 0;
}

static int parse(int argc, char **argv, struct reviewing *r)
{
	int opt;
	optind = 1;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, long_options, NULL)) != -1) {
		int code = finding_option(&r->f, opt, optarg);
		if (code == ERR_NOTFOUND)
			code = take_own(r, opt, optarg);
		if (code != 0)
			return code;
	}
	if (r->f.common.help)
		return 0;
	const int code = take_ids(r, argc, argv);
	return code == 0 ? check(r) : code;
}

/* --- choosing by filters --- */

static int keep_id(void *ctx, const struct stored_finding *s)
{
	return add_id(ctx, s->row.id);
}

static int choose(struct reviewing *r, struct store_reader *reader)
{
	if (r->f.filter.review == REVIEWS_ALL && !r->log)
		r->f.filter.review = REVIEWS_TO_REVIEW;
	r->f.filter.sort = FINDINGS_BY_ID;
	r->chosen = true;
	int result = store_read_findings(reader, &r->f.filter, keep_id, r);
	if (result == 0)
		result = finding_tell_hidden(reader, &r->f);
	if (result == 0 && r->count == 0)
		fprintf(stderr, "%s\n", text(tool_lang(&r->f.common), TEXT_NO_FINDINGS));
	return result;
}

/* --- --log --- */

struct logging {
	const struct reviewing *r;
	int64_t finding;
	struct json json;
	uint64_t rows;
};

static void print_event(const struct logging *l, const struct review_event *e)
{
	char at[FORMAT_TIME_MAX], by[8 * REVIEW_NAME_MAX], user[8 * REVIEW_USER_MAX], said[8 * (REVIEW_NOTE_MAX + 1)];
	char since[80] = "", size[FORMAT_SIZE_MAX];
	if (e->transfers_since > 0 || e->bytes_since > 0)
		snprintf(since, sizeof since, tr_n(tool_lang(&l->r->f.common), " by %jd transfer, %s since",
		                                     " by %jd transfers, %s since", (uint64_t)e->transfers_since),
		         e->transfers_since, format_size((uint64_t)e->bytes_since, size));
	const char *action = e->action != NULL ? e->action : "?";
	printf("%" PRId64 "  %s  %" PRId64 "  %s", l->finding, format_time(e->time_us, at), e->entry, format_clean(action, said, sizeof said));
	if (e->disposition != NULL && strcmp(action, "decided") == 0)
		printf(" %s", format_clean(e->disposition, said, sizeof said));
	printf("%s  %s", since, format_clean(e->by != NULL ? e->by : "?", by, sizeof by));
	if (e->user != NULL)
		printf(" [%s]", format_clean(e->user, user, sizeof user));
	if (e->text != NULL)
		printf(": %s", format_clean(e->text, said, sizeof said));
	putchar('\n');
}

static int print_event_as(void *ctx, const struct review_event *e)
{
	struct logging *l = ctx;
	char at[TIME_TEXT_MAX], numbers[4][24];
	const enum tool_format format = l->r->f.common.format;
	l->rows++;
	if (format == FORMAT_TABLE) {
		print_event(l, e);
	} else if (format == FORMAT_CSV) {
		snprintf(numbers[0], sizeof numbers[0], "%" PRId64, l->finding);
		snprintf(numbers[1], sizeof numbers[1], "%" PRId64, e->entry);
		snprintf(numbers[2], sizeof numbers[2], "%" PRId64, e->transfers_since);
		snprintf(numbers[3], sizeof numbers[3], "%" PRId64, e->bytes_since);
		const char *const cells[] = {numbers[0], numbers[1], time_text_utc(e->time_us, at), e->action, e->by, e->user,
		                             e->disposition, e->text, numbers[2], numbers[3]};
		for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
			format_csv(stdout, cells[i], i == 0);
		fputs("\r\n", stdout);
	} else {
		json_reset(&l->json);
		json_object(&l->json, NULL);
		json_int(&l->json, "finding", l->finding);
		json_int(&l->json, "entry", e->entry);
		json_time(&l->json, "time", e->time_us);
		json_str(&l->json, "action", e->action);
		json_str(&l->json, "by", e->by);
		json_str(&l->json, "user", e->user);
		json_str(&l->json, "disposition", e->disposition);
		json_str(&l->json, "text", e->text);
		if (e->transfers_since > 0 || e->bytes_since > 0) {
			json_int(&l->json, "transfers_since", e->transfers_since);
			json_int(&l->json, "bytes_since", e->bytes_since);
		}
		json_object_end(&l->json);
		const char *line = json_text(&l->json);
		if (line == NULL)
			return ERR_NOMEM;
		puts(line);
	}
	return 0;
}

static int print_log(const struct reviewing *r, struct store_reader *reader)
{
	struct logging l = {.r = r};
	int result = 0;
	json_init(&l.json);
	if (r->f.common.format == FORMAT_CSV)
		fputs("finding,entry,time,action,by,user,disposition,text,transfers_since,bytes_since\r\n", stdout);
	for (size_t i = 0; result == 0 && i < r->count; i++) {
		l.finding = r->ids[i];
		result = store_read_review_events(reader, r->ids[i], print_event_as, &l);
	}
	json_done(&l.json);
	if (result == 0 && l.rows == 0)
		fprintf(stderr, "%s\n", review_said(&r->f.common, "Nothing was done about it yet."));
	return result;
}

/* --- doing it --- */

static enum review_action action_of(const struct reviewing *r)
{
	if (r->disposition != DISPOSITION_NONE)
		return REVIEW_DECIDED;
	if (r->state >= 0)
		return r->state == REVIEW_IN_REVIEW ? REVIEW_TAKEN : REVIEW_PUT_BACK;
	return r->hold > 0 ? REVIEW_HELD : r->hold == 0 ? REVIEW_RELEASED : REVIEW_NOTED;
}

/* What whoever decided ought to know: it is not over, or there is nothing in it any more. */
static void print_more(const struct reviewing *r, const struct kept_review *v)
{
	if (v->row.hold)
		fputs(review_said(&r->f.common, ", on legal hold"), stdout);
	if (v->going_on > 0)
		printf(tr_n(tool_lang(&r->f.common), "; %ju of its transfers goes on", "; %ju of its transfers go on", v->going_on), v->going_on);
	if (v->transfers == 0)
		fputs(review_said(&r->f.common, "; no transfer is left in it: all are judged otherwise now"), stdout);
}

static int print_done(const struct reviewing *r, const struct kept_review *k)
{
	const struct row_review *v = &k->row;
	char stands[REVIEW_STANDS_MAX];
	const enum tool_format format = r->f.common.format;
	if (format == FORMAT_TABLE) {
		printf(review_said(&r->f.common, "finding %jd: %s"), v->finding,
		       review_stands(v, tool_lang(&r->f.common), stands));
		print_more(r, k);
		printf(review_said(&r->f.common, " (entry %jd)\n"), v->entry);
		return 0;
	}
	if (format == FORMAT_CSV) {
		printf("%" PRId64 ",%s,%s,%s,%" PRIu64 ",%" PRId64 "\r\n", v->finding, review_state_word(v->state),
		       v->disposition != 0 ? review_disposition_word(v->disposition) : "", v->hold ? "true" : "false", k->going_on, v->entry);
		return 0;
	}
	struct json j;
	json_init(&j);
	json_object(&j, NULL);
	json_int(&j, "finding", v->finding);
	json_str(&j, "review_state", review_state_word(v->state));
	json_str(&j, "disposition", review_disposition_word(v->disposition));
	json_str(&j, "analyst", v->analyst);
	json_bool(&j, "hold", v->hold);
	json_uint(&j, "going_on", k->going_on);
	json_int(&j, "entry", v->entry);
	json_object_end(&j);
	const char *line = json_text(&j);
	const int result = line != NULL && puts(line) >= 0 ? 0 : ERR_NOMEM;
	json_done(&j);
	return result;
}

/* Somebody else has it: taken over only where that is meant. */
static bool is_taken(const struct reviewing *r, const struct row_review *v, enum review_action action)
{
	char clean[8 * REVIEW_NAME_MAX], at[FORMAT_TIME_MAX];
	if (v->finding == 0 || v->state != REVIEW_IN_REVIEW || v->analyst == NULL || strcmp(v->analyst, r->analyst) == 0 ||
	    (action != REVIEW_TAKEN && action != REVIEW_DECIDED && action != REVIEW_PUT_BACK) || r->yes)
		return false;
	tool_error(VERB, review_said(&r->f.common, "finding %jd: %s has it since %s; --yes takes it over"),
	           v->finding, format_clean(v->analyst, clean, sizeof clean), format_time(v->at_us, at));
	return true;
}

/* One finding in the open transaction. *ret_done: it was changed, not left as it is. */
static int review_one(const struct reviewing *r, struct store_edit *e, int64_t finding, bool *ret_done)
{
	struct kept_review v;
	struct timespec now;
	struct review_change c = {.finding = finding, .action = action_of(r), .disposition = r->disposition, .hold = r->hold,
	                          .analyst = r->analyst, .user = r->account, .note = r->noted ? r->note : NULL};
	clock_gettime(CLOCK_REALTIME, &now);
	c.now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	const int code = store_edit_review(e, finding, &v);
	*ret_done = false;
	if (code == ERR_NOTFOUND) {
		tool_error(VERB, "%" PRId64 ": %s", finding, text(tool_lang(&r->f.common), TEXT_NO_SUCH_FINDING));
		return 0;
	}
	if (code != 0 || is_taken(r, &v.row, c.action))
		return code;
	*ret_done = true;
	return store_edit_put_review(e, &c);
}

/* Some of them in one transaction; what became of them is said when it holds. *ret_left: some were left. */
static int review_some(const struct reviewing *r, struct store_edit *e, size_t from, bool *ret_left)
{
	const size_t count = r->count - from < AT_ONCE ? r->count - from : AT_ONCE;
	bool done[AT_ONCE] = {false};
	int code = store_edit_begin(e);
	for (size_t i = 0; code == 0 && i < count; i++)
		code = review_one(r, e, r->ids[from + i], &done[i]);
	if (code != 0)
		store_edit_rollback(e);
	else
		code = store_edit_commit(e);
	for (size_t i = 0; code == 0 && i < count; i++) {
		struct kept_review v;
		*ret_left |= !done[i];
		if (done[i])
			code = store_edit_review(e, r->ids[from + i], &v);
		if (done[i] && code == 0)
			code = print_done(r, &v);
	}
	return code;
}

static int review_all(const struct reviewing *r, struct store_edit *e)
{
	bool left = false;
	int code = 0;
	if (r->f.common.format == FORMAT_CSV)
		fputs("finding,review_state,disposition,hold,going_on,entry\r\n", stdout);
	for (size_t i = 0; code == 0 && i < r->count; i += AT_ONCE)
		code = review_some(r, e, i, &left);
	if (code != 0)
		return tool_edit_failed(&r->f.common, e, code);
	return left || fflush(stdout) != 0 || ferror(stdout) != 0 ? EXIT_FAILED : EXIT_DONE;
}

static int edit(struct reviewing *r)
{
	char name[REVIEW_NAME_MAX + 1];
	struct store_edit *e = NULL;
	review_who(r->account, name);
	if (r->analyst[0] == '\0')
		memcpy(r->analyst, name, sizeof name);
	const int opened = tool_edit(&r->f.common, &e);
	if (opened != EXIT_DONE)
		return opened;
	const int code = review_all(r, e);
	store_edit_close(e);
	return code;
}

/* What is read only: the choice, and --log. EXIT_DONE, or an exit code. */
static int look(struct reviewing *r)
{
	struct store_reader *reader = NULL;
	const int opened = tool_open(&r->f.common, &reader);
	if (opened != EXIT_DONE)
		return opened;
	int result = r->f.any ? choose(r, reader) : 0;
	if (result == 0 && r->log)
		result = print_log(r, reader);
	return tool_close(&r->f.common, reader, result);
}

static int run(struct reviewing *r)
{
	if (r->draft)
		return policy_draft(&r->f.common, r->ids[0]);
	if (r->f.any || r->log) {
		const int code = look(r);
		if (code != EXIT_DONE || r->log || r->count == 0)
			return code;
	}
	int code = review_ask(r);
	if (code == 0)
		code = review_confirm(r);
	return code == 0 ? edit(r) : code == ERR_NOTFOUND ? EXIT_FAILED : EXIT_USAGE;
}

int cmd_review(int argc, char **argv)
{
	struct reviewing *r = calloc(1, sizeof *r);
	if (r == NULL)
		return EXIT_FAILED;
	finding_options_init(&r->f, VERB);
	r->state = r->hold = -1;
	int code = EXIT_USAGE;
	if (parse(argc, argv, r) == 0) {
		if (r->f.common.help)
			print_usage(&r->f.common, stdout);
		code = r->f.common.help ? EXIT_DONE : run(r);
	}
	free(r->ids);
	free(r);
	return code;
}

/* garita verify - is the record what its ledger says, and the ledger what was
 * signed? The check itself: record/store_verify.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd.h"
#include "issue.h"
#include "record/store_verify.h"
#include "text.h"
#include "timestamp.h"
#include "verify_load.h"
#include "verify_print.h"

#define VERB "verify"

enum { OPT_KEY = TOOL_OPT_OWN, OPT_CHECKPOINT, OPT_QUICK, OPT_STAMP_CA, OPT_LIMIT, OPT_REPORT };

static const struct option long_options[] = {TOOL_LONG,
                                             {"key", required_argument, NULL, OPT_KEY},
                                             {"checkpoint", required_argument, NULL, OPT_CHECKPOINT},
                                             {"quick", no_argument, NULL, OPT_QUICK},
                                             {"stamp-ca", required_argument, NULL, OPT_STAMP_CA},
                                             {"limit", required_argument, NULL, OPT_LIMIT},
                                             {"report", required_argument, NULL, OPT_REPORT},
                                             {NULL, 0, NULL, 0}};

struct options {
	struct tool_options tool;
	const char *key, *report, *stamp_ca;
	struct verify_brought brought;
	bool quick;
	uint64_t limit;
};

static int parse(int argc, char **argv, struct options *o)
{
	int opt;
	optind = 1;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, long_options, NULL)) != -1) {
		const int common = tool_option(&o->tool, opt, optarg);
		int code = common == ERR_NOTFOUND ? 0 : common;
		if (common == ERR_NOTFOUND && opt == OPT_KEY)
			o->key = optarg;
		else if (common == ERR_NOTFOUND && opt == OPT_REPORT)
			o->report = optarg;
		else if (common == ERR_NOTFOUND && opt == OPT_STAMP_CA)
			o->stamp_ca = optarg;
		else if (common == ERR_NOTFOUND && opt == OPT_QUICK)
			o->quick = true;
		else if (common == ERR_NOTFOUND && opt == OPT_CHECKPOINT)
			code = verify_bring(&o->tool, optarg, &o->brought);
		else if (common == ERR_NOTFOUND)
			code = tool_number(&o->tool, "--limit", optarg, UINT32_MAX, &o->limit);
		if (code != 0)
			return code;
	}
	if (optind < argc) {
		tool_error(VERB, "%s: %s", argv[optind], text(tool_lang(&o->tool), TEXT_TOO_MANY));
		return ERR_INVALID;
	}
	if (o->tool.format == FORMAT_CSV) {
		tool_error(VERB, "--format csv: %s", text(tool_lang(&o->tool), TEXT_NO_CSV));
		return ERR_INVALID;
	}
	return 0;
}

/* --- progress, on a terminal --- */

static void progress(void *ctx, enum verify_phase phase, uint64_t done, uint64_t total)
{
	static const enum verify_text names[VERIFY_PHASES] = {VT_READING_ENTRIES, VT_READING_ROWS, VT_READING_STATE,
	                                                      VT_READING_FILES};
	struct verify_found *f = ctx;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	const int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (ms - f->told_ms < 200)
		return;
	f->told_ms = ms;
	fprintf(stderr, "\r\033[K%s %" PRIu64 " %%", verify_text(f->lang, names[phase]), total > 0 ? done * 100 / total : 100);
}

static int check_stamp(void *ctx, const char *note, size_t note_bytes, const void *stamp, size_t bytes)
{
	const struct verify_found *f = ctx;
	return timestamp_check(f->stamp_ca, note, note_bytes, stamp, bytes);
}

static int keep(void *ctx, const struct verify_wrong *w)
{
	return verify_keep(ctx, w);
}

static int check(struct options *o, struct store_reader *r, const char *path, int *ret_exit)
{
	char dir[4096], head[VERIFY_HEAD_MAX];
	struct ledger_vkey key;
	bool found = false;
	struct verify_found f = {.lang = tool_lang(&o->tool), .limit = o->limit, .quick = o->quick, .stamp_ca = o->stamp_ca,
	                         .wall_us = (int64_t)time(NULL) * 1000000};
	struct timespec begin, end;
	verify_dir(path, dir, sizeof dir);
	if (verify_key(&o->tool, o->key, dir, &key, &found) != 0) {
		*ret_exit = o->key != NULL ? EXIT_USAGE : EXIT_FAILED;
		return 0;
	}
	/* before the database is looked at: a sensor that runs signs only what stands there already */
	if (verify_bring_head(&o->tool, dir, head, &o->brought) != 0) {
		*ret_exit = EXIT_FAILED;
		return 0;
	}
	const bool terminal = isatty(STDERR_FILENO) != 0;
	const struct verify_options v = {.key = found ? &key : NULL, .outside = o->brought.checkpoint,
	                                 .outside_count = o->brought.count, .dir = dir, .quick = o->quick, .wrong = keep, .stamp = f.stamp_ca != NULL ? check_stamp : NULL,
	                                 .progress = terminal ? progress : NULL, .ctx = &f};
	clock_gettime(CLOCK_MONOTONIC, &begin);
	int code = store_verify(r, &v, &f.sum);
	clock_gettime(CLOCK_MONOTONIC, &end);
	f.took_ms = ((int64_t)end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
	f.key = v.key;
	if (terminal)
		fputs("\r\033[K", stderr);
	if (code == 0)
		code = verify_print(&f, o->tool.format == FORMAT_JSON, ret_exit);
	verify_found_done(&f);
	return code;
}

static int run(struct options *o)
{
	char path[4096];
	struct store_reader *r = NULL;
	int result = EXIT_FAILED;
	const int found = tool_db_path(&o->tool, path, sizeof path);
	if (found != 0)
		return found == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
	const int opened = tool_open(&o->tool, &r);
	if (opened != EXIT_DONE)
		return opened;
	const int code = check(o, r, path, &result);
	/* Entries that are wrong vouch for nothing: only where the ledger is whole does it say whether it knows a report. */
	if (code == 0 && o->report != NULL && result != EXIT_FAILED) {
		const int issued = issue_check(&o->tool, r, o->report);
		result = issued != EXIT_DONE ? issued : result;
	}
	const int closed = tool_close(&o->tool, r, code);
	return closed != EXIT_DONE ? EXIT_DAMAGED : result;
}

int cmd_verify(int argc, char **argv)
{
	struct options o = {.tool = {.verb = VERB}, .limit = 100};
	const int code = parse(argc, argv, &o);
	int result = EXIT_USAGE;
	if (code == 0 && o.tool.help) {
		printf("%s\n", text(tool_lang(&o.tool), TEXT_USAGE_VERIFY));
		result = EXIT_DONE;
	} else if (code == 0) {
		result = run(&o);
	}
	verify_brought_done(&o.brought);
	return result;
}

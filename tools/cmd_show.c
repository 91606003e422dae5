/* garita show - one finding, or one transfer, on one screen: for whoever was
 * woken by it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "format.h"
#include "show.h"
#include "text.h"
#include "verify_load.h"
#include "wrap.h"

#define VERB "show"
#define WIDTH_LEAST 40u
#define WIDTH_MOST 120u   /* longer lines are hard to read */

enum { OPT_TRANSFER = TOOL_OPT_OWN, OPT_ALL };

static const struct option long_options[] = {
	TOOL_LONG, {"transfer", no_argument, NULL, OPT_TRANSFER}, {"all", no_argument, NULL, OPT_ALL}, {NULL, 0, NULL, 0}};

struct asked {
	struct tool_options o;
	int64_t id;
	bool transfer, all;
};

static int parse(int argc, char **argv, struct asked *a)
{
	int opt;
	uint64_t id = 0;
	optind = 1;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT, long_options, NULL)) != -1) {
		const int r = tool_option(&a->o, opt, optarg);
		if (r == ERR_INVALID)
			return r;
		a->transfer = a->transfer || opt == OPT_TRANSFER;
		a->all = a->all || opt == OPT_ALL;
	}
	if (a->o.help)
		return 0;
	if (optind == argc || optind + 1 < argc) {
		tool_error(VERB, "%s", text(tool_lang(&a->o), optind == argc ? TEXT_WHICH_FINDING : TEXT_TOO_MANY));
		return ERR_INVALID;
	}
	if (a->o.format == FORMAT_CSV) {
		tool_error(VERB, "--format csv: %s", text(tool_lang(&a->o), TEXT_NO_CSV));
		return ERR_INVALID;
	}
	const int r = tool_number(&a->o, "", argv[optind], INT64_MAX, &id);
	a->id = (int64_t)id;
	return r;
}

static unsigned width_of_page(void)
{
	const unsigned width = format_terminal_width(stdout);
	return width < WIDTH_LEAST ? WIDTH_LEAST : width > WIDTH_MOST ? WIDTH_MOST : width;
}

static int show(const struct asked *a, struct store_reader *r, struct show *s, struct finding_page *g)
{
	const int code = show_read(r, a->transfer, g, s);
	if (code != 0 || !g->found)
		return code;
	if (a->o.format == FORMAT_JSON)
		return show_json(s);
	show_page(s);
	return 0;
}

/* Evidence lies beside the database. */
static int find_dir(const struct asked *a, struct show *s)
{
	char path[sizeof s->dir];
	const int code = tool_db_path(&a->o, path, sizeof path);
	if (code == 0)
		verify_dir(path, s->dir, sizeof s->dir);
	return code;
}

static int run(const struct asked *a, struct store_reader *r)
{
	struct timespec now;
	struct finding_page *g = calloc(1, sizeof *g);
	struct show *s = calloc(1, sizeof *s);
	int code = ERR_NOMEM;
	if (g != NULL && s != NULL) {
		clock_gettime(CLOCK_REALTIME, &now);
		*s = (struct show){.g = g, .lang = tool_lang(&a->o), .width = width_of_page(), .colour = format_has_colour(stdout),
		                   .unicode = wrap_has_unicode(), .all = a->all, .id = a->id,
		                   .now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000};
		code = find_dir(a, s);
		if (code == 0)
			code = show(a, r, s, g);
		config_free(s->config);
		tz_free(s->tz);
	}
	const bool found = g != NULL && g->found;
	free(s);
	free(g);
	if (code == 0 && !found) {
		tool_error(VERB, "%" PRId64 ": %s", a->id,
		           text(tool_lang(&a->o), a->transfer ? TEXT_NO_SUCH_TRANSFER : TEXT_NO_SUCH_FINDING));
		store_reader_close(r);
		return EXIT_FAILED;
	}
	return tool_close(&a->o, r, code);
}

int cmd_show(int argc, char **argv)
{
	struct asked a = {.o = {.verb = VERB}};
	if (parse(argc, argv, &a) != 0)
		return EXIT_USAGE;
	if (a.o.help) {
		printf("%s\n", text(tool_lang(&a.o), TEXT_USAGE_SHOW));
		return EXIT_DONE;
	}
	struct store_reader *r = NULL;
	const int opened = tool_open(&a.o, &r);
	return opened == EXIT_DONE ? run(&a, r) : opened;
}

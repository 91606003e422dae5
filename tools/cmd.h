/* cmd.h - the verbs of garita, one cmd_<verb>.c each, and the options that
 * all of them share. argv[0] is the verb. Each returns an enum exit_code. */
#ifndef TOOLS_CMD_H
#define TOOLS_CMD_H
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

int cmd_transfers(int argc, char **argv);
int cmd_findings(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_equipment(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_geoip(int argc, char **argv);
int cmd_maintenance(int argc, char **argv);
int cmd_signatures(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_ledger(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_self_test(int argc, char **argv);
int cmd_review(int argc, char **argv);
int cmd_suppress(int argc, char **argv);
int cmd_evidence(int argc, char **argv);

enum tool_format { FORMAT_TABLE = 0, FORMAT_JSON, FORMAT_CSV };

/* What every verb takes. Zeroed is the default. */
struct tool_options {
	const char *verb;          /* for messages */
	const char *config;        /* -c FILE */
	const char *db;            /* --db FILE or DIR */
	enum tool_format format;   /* --format */
	const char *lang;          /* --lang en|es; see tool_lang */
	bool help;                 /* -h, --help: print usage, exit 0 */
};

/* To be put first in a verb's option lists. Own long options take values from
 * TOOL_OPT_OWN up, short ones their letter. */
#define TOOL_SHORT "c:h"
enum { TOOL_OPT_DB = 256, TOOL_OPT_FORMAT, TOOL_OPT_LANG, TOOL_OPT_VERSION, TOOL_OPT_OWN };
#define TOOL_LONG \
	{"config", required_argument, NULL, 'c'}, {"db", required_argument, NULL, TOOL_OPT_DB}, \
	    {"format", required_argument, NULL, TOOL_OPT_FORMAT}, {"lang", required_argument, NULL, TOOL_OPT_LANG}, \
	    {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, TOOL_OPT_VERSION}

/* Take one option that getopt_long returned. 0: it was a common one;
 * ERR_NOTFOUND: it is the verb's own; ERR_INVALID: wrong, already said on
 * stderr (so is '?'). --version prints and exits. */
MUST_CHECK int tool_option(struct tool_options *o, int opt, const char *arg);

/* "en" or "es": --lang, else the locale ($LC_ALL, $LC_MESSAGES, $LANG). */
const char *tool_lang(const struct tool_options *o);

/* Path of the database: --db (a directory holds garita.db), else the data_dir
 * of -c, else of /etc/garita/site.yaml where that file is, else
 * /var/lib/garita/garita.db. 0, or a negative code (already said on stderr). */
MUST_CHECK int tool_db_path(const struct tool_options *o, char *buf, size_t size);

struct store_reader;
/* The record of these options, opened to be read. EXIT_DONE, or an exit code
 * and all is said. */
MUST_CHECK int tool_open(const struct tool_options *o, struct store_reader **ret);
/* The end of a verb that read it with that result: what is wrong with it, or
 * with stdout, is said; the reader is closed. The exit code. */
MUST_CHECK int tool_close(const struct tool_options *o, struct store_reader *r, int result);

struct store_edit;
/* The same to be written by a person. */
MUST_CHECK int tool_edit(const struct tool_options *o, struct store_edit **ret);
/* What went wrong with that is said. EXIT_FAILED. */
int tool_edit_failed(const struct tool_options *o, const struct store_edit *e, int result);

/* A number from 0 to max for an option. 0 or ERR_INVALID (already said on stderr). */
MUST_CHECK int tool_number(const struct tool_options *o, const char *option, const char *arg, uint64_t max, uint64_t *ret);

/* "garita <verb>: <message>" on stderr; control characters made harmless. */
void tool_error(const char *verb, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif

/* The options that all verbs share: see cmd.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "cmd.h"
#include "text.h"

#define DEFAULT_CONFIG "/etc/garita/site.yaml"
#define DEFAULT_DATA_DIR "/var/lib/garita"
#define DB_NAME "garita.db"

void tool_error(const char *verb, const char *fmt, ...)
{
	char message[1000];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	fflush(stdout);
	fprintf(stderr, "garita %s: ", verb);
	for (const unsigned char *p = (const unsigned char *)message; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			fprintf(stderr, "\\x%02x", *p);
		else
			putc(*p, stderr);
	}
	putc('\n', stderr);
}

static int parse_format(struct tool_options *o, const char *arg)
{
	static const char *const names[] = {"table", "json", "csv"};
	for (int i = 0; i < 3; i++) {
		if (strcmp(arg, names[i]) == 0) {
			o->format = (enum tool_format)i;
			return 0;
		}
	}
	tool_error(o->verb, "--format %s: %s", arg, text(tool_lang(o), TEXT_BAD_FORMAT));
	return ERR_INVALID;
}

int tool_option(struct tool_options *o, int opt, const char *arg)
{
	switch (opt) {
	case 'c':
		o->config = arg;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case TOOL_OPT_DB:
		o->db = arg;
		return 0;
	case TOOL_OPT_FORMAT:
		return parse_format(o, arg);
	case TOOL_OPT_LANG:
		if (strcmp(arg, "en") != 0 && strcmp(arg, "es") != 0) {
			tool_error(o->verb, "--lang %s: %s", arg, text(tool_lang(o), TEXT_BAD_LANG));
			return ERR_INVALID;
		}
		o->lang = arg;
		return 0;
	case TOOL_OPT_VERSION:
		printf("garita %s\n", GARITA_VERSION);
		exit(EXIT_DONE);
	case '?':   /* getopt_long has said it */
	case ':':
		return ERR_INVALID;
	default:
		return ERR_NOTFOUND;
	}
}

int tool_number(const struct tool_options *o, const char *option, const char *arg, uint64_t max, uint64_t *ret)
{
	char *end;
	errno = 0;
	const unsigned long long n = strtoull(arg, &end, 10);
	if (arg[0] < '0' || arg[0] > '9' || *end != '\0' || errno != 0 || n > max) {
		tool_error(o->verb, "%s %s: %s", option, arg, text(tool_lang(o), TEXT_BAD_NUMBER));
		return ERR_INVALID;
	}
	*ret = n;
	return 0;
}

const char *tool_lang(const struct tool_options *o)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	if (o->lang != NULL)
		return o->lang;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && value[0] != '\0')
			return strncmp(value, "es", 2) == 0 ? "es" : "en";
	}
	return "en";
}

static int join(const struct tool_options *o, const char *dir, char *buf, size_t size)
{
	const int n = snprintf(buf, size, "%s/%s", dir, DB_NAME);
	if (n > 0 && (size_t)n < size)
		return 0;
	tool_error(o->verb, "%s: %s", dir, strerror(ENAMETOOLONG));
	return ERR_INVALID;
}

static int path_of_config(const struct tool_options *o, const char *path, char *buf, size_t size)
{
	struct config *cfg = NULL;
	struct config_errors errors = {0};
	int r = config_load(path, &cfg, &errors);
	for (size_t i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	config_errors_done(&errors);
	if (r == 0)
		r = join(o, cfg->data_dir, buf, size);
	config_free(cfg);
	return r;
}

int tool_db_path(const struct tool_options *o, char *buf, size_t size)
{
	if (o->db != NULL) {
		struct stat st;
		if (stat(o->db, &st) == 0 && S_ISDIR(st.st_mode))
			return join(o, o->db, buf, size);
		const int n = snprintf(buf, size, "%s", o->db);
		return n >= 0 && (size_t)n < size ? 0 : ERR_INVALID;
	}
	if (o->config != NULL)
		return path_of_config(o, o->config, buf, size);
	if (access(DEFAULT_CONFIG, F_OK) == 0)
		return path_of_config(o, DEFAULT_CONFIG, buf, size);
	return join(o, DEFAULT_DATA_DIR, buf, size);
}

#include "ledger_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "record/store_ledger.h"
#include "review_say.h"
#include "text.h"
#include "timestamp.h"

#define DEFAULT_CONFIG "/etc/garita/site.yaml"

/* Its command, to be freed. 0 or a code, and all is said. */
static int stamp_command(const struct tool_options *o, char **ret)
{
	struct config *cfg = NULL;
	struct config_errors errors = {0};
	const char *path = o->config != NULL ? o->config : DEFAULT_CONFIG;
	int code = config_load(path, &cfg, &errors);
	for (size_t i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	config_errors_done(&errors);
	if (code != 0)
		return code;
	*ret = cfg->ledger.stamp != NULL ? strdup(cfg->ledger.stamp) : NULL;
	if (cfg->ledger.stamp == NULL) {
		tool_error(o->verb, "%s: %s", path, text(tool_lang(o), TEXT_NO_STAMP_COMMAND));
		code = ERR_CONFIG;
	} else if (*ret == NULL) {
		code = ERR_NOMEM;
	}
	config_free(cfg);
	return code;
}

/* The database is not held while the authority is asked. */
static int last_note(struct store_edit *e, uint64_t *ret_size, char **ret_note)
{
	int code = store_edit_begin(e);
	if (code != 0)
		return code;
	code = store_edit_checkpoint(e, ret_size, ret_note);
	store_edit_rollback(e);
	return code;
}

static int keep_stamp(struct store_edit *e, uint64_t size, const void *stamp, size_t bytes)
{
	int code = store_edit_begin(e);
	if (code == 0)
		code = store_edit_stamp(e, size, stamp, bytes);
	return code == 0 ? store_edit_commit(e) : code;
}

static int stamp_last(const struct tool_options *o, struct store_edit *e, const char *command)
{
	static unsigned char stamp[TIMESTAMP_MAX];
	uint64_t size = 0;
	char *note = NULL;
	size_t bytes = 0;
	int code = last_note(e, &size, &note);
	if (code == ERR_NOTFOUND)
		tool_error(o->verb, "%s", text(tool_lang(o), TEXT_NO_CHECKPOINT));
	else if (code != 0)
		return tool_edit_failed(o, e, code);
	if (code == 0)
		code = timestamp_get(o, command, note, strlen(note), stamp, &bytes);
	free(note);
	if (code != 0)
		return EXIT_FAILED;
	code = keep_stamp(e, size, stamp, bytes);
	if (code != 0)
		return tool_edit_failed(o, e, code);
	char number[24], line[200];
	snprintf(number, sizeof number, "%" PRIu64, size);
	const char *const values[] = {number};
	printf("%s\n", text_fill(text(tool_lang(o), TEXT_STAMPED), values, line, sizeof line));
	return EXIT_DONE;
}

int ledger_stamp(const struct tool_options *o)
{
	char *command = NULL;
	struct store_edit *e = NULL;
	const int code = stamp_command(o, &command);
	if (code != 0)
		return code == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
	int result = tool_edit(o, &e);
	if (result == EXIT_DONE) {
		result = stamp_last(o, e, command);
		store_edit_close(e);
	}
	free(command);
	return result;
}

int ledger_accept(const struct tool_options *o, const char *note)
{
	char account[REVIEW_USER_MAX + 1], name[REVIEW_NAME_MAX + 1];
	struct store_edit *e = NULL;
	int result = tool_edit(o, &e);
	if (result != EXIT_DONE)
		return result;
	review_who(account, name);
	int code = store_edit_begin(e);
	if (code == 0)
		code = store_edit_accept(e, account, note);
	if (code == 0)
		code = store_edit_commit(e);
	result = code == 0 ? EXIT_DONE : tool_edit_failed(o, e, code);
	store_edit_close(e);
	return result;
}

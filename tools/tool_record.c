/* What the verbs that read the record begin and end with. */
#include <stdio.h>

#include "cmd.h"
#include "record/store_ledger.h"
#include "record/store_read.h"

int tool_open(const struct tool_options *o, struct store_reader **ret)
{
	char path[4096], err[4400];
	const int found = tool_db_path(o, path, sizeof path);
	if (found != 0)
		return found == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
	if (store_reader_open(path, ret, err, sizeof err) != 0) {
		tool_error(o->verb, "%s", err);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

int tool_close(const struct tool_options *o, struct store_reader *r, int result)
{
	if (result == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		result = ERR_IO;
	if (result != 0)
		tool_error(o->verb, "%s", store_reader_error(r)[0] != '\0' ? store_reader_error(r) : err_str(result));
	store_reader_close(r);
	return result == 0 ? EXIT_DONE : EXIT_FAILED;
}

int tool_edit(const struct tool_options *o, struct store_edit **ret)
{
	char path[4096], err[4400];
	const int found = tool_db_path(o, path, sizeof path);
	if (found != 0)
		return found == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
	if (store_edit_open(path, ret, err, sizeof err) != 0) {
		tool_error(o->verb, "%s", err);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

int tool_edit_failed(const struct tool_options *o, const struct store_edit *e, int result)
{
	tool_error(o->verb, "%s", store_edit_error(e)[0] != '\0' ? store_edit_error(e) : err_str(result));
	return EXIT_FAILED;
}

#include "verify_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify_text.h"

#define FILE_MAX (16u << 20)
#define DASH "\xe2\x80\x94 "

static char *read_all(const char *path, size_t *ret_bytes)
{
	FILE *f = fopen(path, "re");
	size_t used = 0, room = 65536;
	char *text = f != NULL ? malloc(room) : NULL;
	while (text != NULL) {
		used += fread(text + used, 1, room - used, f);
		if (used < room)
			break;
		char *more = room < FILE_MAX ? realloc(text, room * 2) : NULL;
		if (more == NULL) {
			free(text);
			text = NULL;
		} else {
			text = more;
			room *= 2;
		}
	}
	if (f != NULL && (ferror(f) || text == NULL)) {
		free(text);
		text = NULL;
	}
	if (f != NULL)
		fclose(f);
	*ret_bytes = used;
	return text;
}

static int add(struct verify_brought *b, const char *name, const char *note, size_t bytes)
{
	if (b->count == b->room) {
		const unsigned room = b->room * 2 + 16;
		struct verify_checkpoint *more = b->room < VERIFY_CHECKPOINTS_MAX ? realloc(b->checkpoint, room * sizeof *more) : NULL;
		if (more == NULL)
			return ERR_FULL;
		b->checkpoint = more;
		b->room = room;
	}
	b->checkpoint[b->count++] = (struct verify_checkpoint){.name = name, .note = note, .bytes = bytes};
	return 0;
}

/* A note ends with lines of signatures: behind the last of them the next one begins. */
static int split(struct verify_brought *b, const char *name, const char *text, size_t bytes)
{
	const char *const end = text + bytes;
	const char *begin = text;
	bool signs = false;
	int code = 0;
	for (const char *line = text, *stop; code == 0 && line < end; line = stop) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		stop = newline != NULL ? newline + 1 : end;
		const bool dash = (size_t)(stop - line) > strlen(DASH) && memcmp(line, DASH, strlen(DASH)) == 0;
		if (signs && !dash) {
			code = add(b, name, begin, (size_t)(line - begin));
			for (begin = line; begin < end && *begin == '\n'; begin++)
				stop = begin + 1;
		}
		signs = dash;
	}
	return code == 0 && begin < end ? add(b, name, begin, (size_t)(end - begin)) : code;
}

int verify_bring(const struct tool_options *o, const char *path, struct verify_brought *ret)
{
	size_t bytes;
	char **more = realloc(ret->text, (ret->texts + 1) * sizeof *more);
	char *text = more != NULL ? read_all(path, &bytes) : NULL;
	if (more != NULL)
		ret->text = more;
	if (text == NULL) {
		tool_error(o->verb, "%s: %s", path, verify_text(tool_lang(o), VT_NO_FILE));
		return ERR_NOTFOUND;
	}
	ret->text[ret->texts++] = text;
	const unsigned before = ret->count;
	int code = split(ret, path, text, bytes);
	if (code == 0 && ret->count == before)
		code = add(ret, path, text, bytes);   /* an empty one is no checkpoint, and that is said */
	if (code != 0)
		tool_error(o->verb, "%s: %s", path, verify_text(tool_lang(o), VT_TOO_MANY));
	return code;
}

int verify_bring_head(const struct tool_options *o, const char *dir, char path[VERIFY_HEAD_MAX], struct verify_brought *ret)
{
	const unsigned before = ret->count;
	snprintf(path, VERIFY_HEAD_MAX, "%.4096s/ledger.head", dir);
	if (access(path, R_OK) != 0)
		return 0;
	const int code = verify_bring(o, path, ret);
	for (unsigned i = before; i < ret->count; i++)
		ret->checkpoint[i].beside = true;
	return code;
}

void verify_brought_done(struct verify_brought *b)
{
	for (unsigned i = 0; i < b->texts; i++)
		free(b->text[i]);
	free(b->text);
	free(b->checkpoint);
}

const char *verify_dir(const char *path, char *buf, size_t size)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		snprintf(buf, size, ".");
	else
		snprintf(buf, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return buf;
}

int verify_key(const struct tool_options *o, const char *arg, const char *dir, struct ledger_vkey *ret, bool *ret_found)
{
	char path[4400];
	int code;
	if (arg == NULL)
		snprintf(path, sizeof path, "%.4096s/ledger.pub", dir);
	if (arg != NULL && ledger_vkey_read(arg, ret) == 0)
		code = 0;
	else
		code = ledger_vkey_load(arg != NULL ? arg : path, ret);
	*ret_found = code == 0;
	if (code == 0 || (arg == NULL && code == ERR_NOTFOUND))
		return 0;
	tool_error(o->verb, "%s: %s", arg != NULL ? arg : path,
	           verify_text(tool_lang(o), code == ERR_INVALID || code == ERR_UNSUPPORTED ? VT_BAD_KEY : VT_NO_FILE));
	return code;
}

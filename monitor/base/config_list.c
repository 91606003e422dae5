#include "base/config_list.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The struct that is filled follows; the memory goes with it. */
struct owned {
	struct arena *memory;
	max_align_t filled[];
};

static int add_error(struct config_errors *e, char *line)
{
	char **grown = line != NULL ? realloc(e->text, (e->count + 1) * sizeof *grown) : NULL;
	if (grown == NULL) {
		free(line);
		return ERR_NOMEM;
	}
	e->text = grown;
	e->text[e->count++] = line;
	return 0;
}

/* The errors of one file behind those of the others. */
static int append_errors(struct config_ctx *x, struct config_errors *errors)
{
	struct config_errors own = {0};
	int err = report_hand_over(x, &own);
	for (size_t i = 0; err == 0 && i < own.count; i++) {
		err = add_error(errors, own.text[i]);
		own.text[i] = NULL;
	}
	config_errors_done(&own);
	return err;
}

static int parse(struct config_ctx *x, const struct config_list_kind *kind, const char *text, void *filled)
{
	const struct node *root = yaml_tree(x, text, strlen(text));
	if (root != NULL) {
		config_read_table(x, root, kind->keys, filled, kind->what);
		if (x->report_count == 0 && kind->check != NULL)
			kind->check(x, filled);
	}
	if (x->no_memory)
		return ERR_NOMEM;
	return x->report_count > 0 ? ERR_CONFIG : 0;
}

static struct owned *owner_of(void *filled)
{
	return (struct owned *)(void *)((char *)filled - offsetof(struct owned, filled));
}

void config_list_free(void *filled)
{
	if (filled == NULL)
		return;
	struct owned *o = owner_of(filled);
	arena_free(o->memory);
	free(o);
}

int config_list_parse(const struct config_list_kind *kind, const char *name, const char *text, void **ret, const char **ret_name,
                      struct config_errors *errors)
{
	struct owned *o = calloc(1, sizeof *o + kind->size);
	struct config_ctx x = {.name = name};
	int err = o != NULL ? arena_new(&o->memory) : ERR_NOMEM;
	if (err == 0)
		err = arena_new(&x.scratch);
	if (err == 0) {
		x.keep = o->memory;
		*ret_name = arena_text(o->memory, name, strlen(name));
		err = *ret_name != NULL ? parse(&x, kind, text, o->filled) : ERR_NOMEM;
	}
	if (err == ERR_CONFIG && append_errors(&x, errors) != 0)
		err = ERR_NOMEM;
	arena_free(x.scratch);
	free(x.reports);
	free(x.marks);
	if (err == 0)
		*ret = o->filled;
	else if (o != NULL)
		config_list_free(o->filled);
	return err;
}

/* --- files --- */

static int say_unreadable(const char *path, int why, struct config_errors *errors)
{
	char *line = NULL;
	if (asprintf(&line, "%s: cannot be read: %s", path, strerror(why)) < 0)
		return ERR_NOMEM;
	return add_error(errors, line) == 0 ? ERR_IO : ERR_NOMEM;
}

struct load {
	const struct config_list_taker *to;
	struct config_errors *errors;
	size_t count;
};

static int load_file(struct load *l, const char *path, bool site)
{
	char *text = NULL;
	size_t bytes = 0;
	if (l->count++ >= CONFIG_LIST_FILES_MAX)
		return say_unreadable(path, EMFILE, l->errors);
	int err = config_read_file(path, &text, &bytes);
	if (err == ERR_IO)
		return say_unreadable(path, errno, l->errors);
	if (err == 0 && memchr(text, '\0', bytes) != NULL)
		err = say_unreadable(path, EILSEQ, l->errors);
	if (err == 0)
		err = l->to->take(l->to->ctx, path, text, site, l->errors);
	free(text);
	return err;
}

static int is_list(const struct dirent *e)
{
	const size_t n = strlen(e->d_name);
	return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".yaml") == 0;
}

static int load_folder(struct load *l, const char *folder)
{
	struct dirent **found = NULL;
	const int count = scandir(folder, &found, is_list, alphasort);
	int err = count < 0 ? say_unreadable(folder, errno, l->errors) : 0;
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];
		const int n = snprintf(path, sizeof path, "%s/%s", folder, found[i]->d_name);
		const int one = n > 0 && (size_t)n < sizeof path ? load_file(l, path, false) : ERR_IO;
		err = err == 0 || one == ERR_NOMEM ? one : err;
		free(found[i]);
	}
	free(found);
	return err;
}

int config_list_load(char *const *site_files, size_t site_count, const char *folder, const struct config_list_taker *to,
                     struct config_errors *errors)
{
	struct load l = {.to = to, .errors = errors};
	int err = 0;
	for (size_t i = 0; i < site_count; i++) {
		const int one = load_file(&l, site_files[i], true);
		err = err == 0 || one == ERR_NOMEM ? one : err;
	}
	if (folder != NULL) {
		const int all = load_folder(&l, folder);
		err = err == 0 || all == ERR_NOMEM ? all : err;
	}
	return err;
}

/* --- where they are --- */

static bool is_there(char *buf, size_t size, const char *base, const char *way, const char *folder)
{
	const int n = snprintf(buf, size, "%s/%s%s", base, way, folder);
	return n > 0 && (size_t)n < size && access(buf, R_OK | X_OK) == 0;
}

int config_list_find(const char *variable, const char *source, const char *folder, char *buf, size_t size)
{
	const char *set = getenv(variable);
	char exe[PATH_MAX], way[PATH_MAX];
	if (set != NULL && set[0] != '\0')
		return is_there(buf, size, set, "", folder) ? 0 : ERR_NOTFOUND;
	const ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	exe[n > 0 ? n : 0] = '\0';
	const char *base = dirname(exe);
	if (n > 0 && is_there(buf, size, base, "../share/garita/", folder))
		return 0;
	/* build/garita, and build/unit/test_channel */
	for (int up = 1; n > 0 && up <= 2; up++) {
		snprintf(way, sizeof way, "%s%s/", up == 1 ? "../" : "../../", source);
		if (is_there(buf, size, base, way, folder))
			return 0;
	}
	return is_there(buf, size, GARITA_PREFIX, "share/garita/", folder) ? 0 : ERR_NOTFOUND;
}

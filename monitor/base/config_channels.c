#include "base/config_channels.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config_channels_parts.h"

_Static_assert(offsetof(struct config_provider, place) == offsetof(struct channel_head, place) &&
                   offsetof(struct config_channel, place) == offsetof(struct channel_head, place),
               "both begin alike");

/* What the caller holds is the first member; the memory goes with it. */
struct owned {
	struct config_channel_file file;
	struct arena *memory;
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

static void say_where(struct config_channel_file *f, const char *name, bool site)
{
	for (size_t i = 0; i < f->provider_count; i++) {
		f->providers[i].place.file = name;
		f->providers[i].place.site = site;
	}
	for (size_t i = 0; i < f->channel_count; i++) {
		f->channels[i].place.file = name;
		f->channels[i].place.site = site;
	}
}

static void check_entries(struct config_ctx *x, const struct config_channel_file *f)
{
	for (size_t i = 0; i < f->channel_count; i++) {
		const struct config_channel *c = &f->channels[i];
		if (c->host_count + c->port_count + c->address_count + c->label_count + c->content_count == 0 && c->place.line != 0)
			report_at(x, c->place.line, c->place.column,
			          "nothing to know it by; give 'hosts', 'ports', 'addresses', 'labels' or 'content'");
	}
}

static int parse(struct config_ctx *x, struct owned *o, const char *text, bool site)
{
	const struct node *root = yaml_tree(x, text, strlen(text));
	const char *name = arena_text(o->memory, x->name, strlen(x->name));
	if (root != NULL) {
		config_read_table(x, root, config_channels_keys, &o->file, "channel list");
		if (x->report_count == 0)
			check_entries(x, &o->file);
	}
	if (x->no_memory || name == NULL)
		return ERR_NOMEM;
	say_where(&o->file, name, site);
	return x->report_count > 0 ? ERR_CONFIG : 0;
}

static int take_in(struct config_channels *c, struct owned *o)
{
	struct config_channel_file **grown = realloc(c->files, (c->file_count + 1) * sizeof(struct config_channel_file *));
	if (grown == NULL)
		return ERR_NOMEM;
	c->files = grown;
	c->files[c->file_count++] = &o->file;
	return 0;
}

static void owned_free(struct owned *o)
{
	if (o != NULL)
		arena_free(o->memory);
	free(o);
}

int config_channels_parse(struct config_channels *c, const char *name, const char *text, bool site,
                          struct config_errors *errors)
{
	struct owned *o = calloc(1, sizeof *o);
	struct config_ctx x = {.name = name};
	int err = o != NULL ? arena_new(&o->memory) : ERR_NOMEM;
	if (err == 0)
		err = arena_new(&x.scratch);
	if (err == 0) {
		x.keep = o->memory;
		err = parse(&x, o, text, site);
	}
	if (err == ERR_CONFIG && append_errors(&x, errors) != 0)
		err = ERR_NOMEM;
	arena_free(x.scratch);
	free(x.reports);
	free(x.marks);
	if (err == 0)
		err = take_in(c, o);
	if (err != 0)
		owned_free(o);
	return err;
}

static int say_unreadable(const char *path, int why, struct config_errors *errors)
{
	char *line = NULL;
	if (asprintf(&line, "%s: cannot be read: %s", path, strerror(why)) < 0)
		return ERR_NOMEM;
	return add_error(errors, line) == 0 ? ERR_IO : ERR_NOMEM;
}

static int load_file(struct config_channels *c, const char *path, bool site, struct config_errors *errors)
{
	char *text = NULL;
	size_t bytes = 0;
	if (c->file_count >= CONFIG_CHANNEL_FILES_MAX)
		return say_unreadable(path, EMFILE, errors);
	int err = config_read_file(path, &text, &bytes);
	if (err == ERR_IO)
		return say_unreadable(path, errno, errors);
	if (err == 0 && memchr(text, '\0', bytes) != NULL)
		err = say_unreadable(path, EILSEQ, errors);
	if (err == 0)
		err = config_channels_parse(c, path, text, site, errors);
	free(text);
	return err;
}

static int is_list(const struct dirent *e)
{
	const size_t n = strlen(e->d_name);
	return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".yaml") == 0;
}

static int load_folder(struct config_channels *c, const char *folder, struct config_errors *errors)
{
	struct dirent **found = NULL;
	const int count = scandir(folder, &found, is_list, alphasort);
	int err = count < 0 ? say_unreadable(folder, errno, errors) : 0;
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];
		const int n = snprintf(path, sizeof path, "%s/%s", folder, found[i]->d_name);
		const int one = n > 0 && (size_t)n < sizeof path ? load_file(c, path, false, errors) : ERR_IO;
		err = err == 0 || one == ERR_NOMEM ? one : err;
		free(found[i]);
	}
	free(found);
	return err;
}

int config_channels_load(char *const *site_files, size_t site_count, const char *folder, struct config_channels *ret,
                         struct config_errors *errors)
{
	int err = 0;
	*ret = (struct config_channels){0};
	*errors = (struct config_errors){0};
	for (size_t i = 0; i < site_count; i++) {
		const int one = load_file(ret, site_files[i], true, errors);
		err = err == 0 || one == ERR_NOMEM ? one : err;
	}
	if (folder != NULL) {
		const int all = load_folder(ret, folder, errors);
		err = err == 0 || all == ERR_NOMEM ? all : err;
	}
	return err;
}

void config_channels_done(struct config_channels *c)
{
	for (size_t i = 0; i < c->file_count; i++)
		owned_free((struct owned *)c->files[i]);
	free(c->files);
	*c = (struct config_channels){0};
}

/* --- where the lists are --- */

static bool is_there(char *buf, size_t size, const char *base, const char *way, const char *folder)
{
	const int n = snprintf(buf, size, "%s/%s%s", base, way, folder);
	return n > 0 && (size_t)n < size && access(buf, R_OK | X_OK) == 0;
}

int config_signatures_find(const char *folder, char *buf, size_t size)
{
	static const char *const beside[] = {"../share/garita/", "../signatures/", "../../signatures/"};
	const char *set = getenv("GARITA_SIGNATURES");
	char exe[PATH_MAX];
	if (set != NULL && set[0] != '\0')
		return is_there(buf, size, set, "", folder) ? 0 : ERR_NOTFOUND;
	const ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	exe[n > 0 ? n : 0] = '\0';
	const char *base = dirname(exe);
	for (size_t i = 0; n > 0 && i < sizeof beside / sizeof beside[0]; i++)
		if (is_there(buf, size, base, beside[i], folder))
			return 0;
	return is_there(buf, size, GARITA_PREFIX, "share/garita/", folder) ? 0 : ERR_NOTFOUND;
}

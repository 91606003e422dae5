#include "base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config_parts.h"

/* What the caller holds is the first member; the memory goes with it. */
struct owned {
	struct config config;
	struct arena *memory;
};

static void hash_text(struct config *c)
{
	crypto_generichash(c->hash, sizeof c->hash, (const unsigned char *)c->text, c->text_bytes, NULL, 0);
	sodium_bin2hex(c->hash_text, sizeof c->hash_text, c->hash, sizeof c->hash);
}

static int keep_file(struct owned *o, const char *name, const char *text, size_t bytes)
{
	o->config.path = arena_text(o->memory, name, strlen(name));
	o->config.text = arena_text(o->memory, text, bytes);
	if (o->config.path == NULL || o->config.text == NULL)
		return ERR_NOMEM;
	o->config.text_bytes = bytes;
	hash_text(&o->config);
	return 0;
}

/* An error in reading leaves holes that a check of the whole would only
 * misread (a network whose prefix is wrong makes its machines homeless), but
 * each check passes over holes of its own kind, so both are run. */
static int parse_into(struct owned *o, struct config_ctx *x, const char *text, size_t bytes)
{
	const struct node *root = yaml_tree(x, text, bytes);
	if (root != NULL) {
		config_read(x, root);
		config_check(x);
	}
	if (x->no_memory)
		return ERR_NOMEM;
	return x->report_count > 0 ? ERR_CONFIG : keep_file(o, x->name, text, bytes);
}

int config_parse(const char *name, const char *text, size_t bytes, struct config **ret,
                 struct config_errors *errors)
{
	*errors = (struct config_errors){0};
	struct owned *o = calloc(1, sizeof *o);
	struct config_ctx x = {.name = name, .cfg = o != NULL ? &o->config : NULL};
	int err = o != NULL ? arena_new(&o->memory) : ERR_NOMEM;
	if (err == 0)
		err = arena_new(&x.scratch);
	if (err == 0) {
		x.keep = o->memory;
		err = parse_into(o, &x, text, bytes);
	}
	if (err == ERR_CONFIG && report_hand_over(&x, errors) != 0)
		err = ERR_NOMEM;
	arena_free(x.scratch);
	free(x.reports);
	free(x.marks);
	if (err != 0) {
		config_free(o != NULL ? &o->config : NULL);
		return err;
	}
	*ret = &o->config;
	return 0;
}

/* One byte more than allowed is read, so that too large shows. */
static int read_all(int fd, char **ret_text, size_t *ret_bytes)
{
	const size_t room = CONFIG_FILE_MAX + 1;
	size_t used = 0;
	char *text = malloc(room + 1);
	if (text == NULL)
		return ERR_NOMEM;
	while (used < room) {
		const ssize_t n = read(fd, text + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			const int why = errno;
			free(text);
			errno = why;
			return ERR_IO;
		}
		if (n == 0)
			break;
		used += (size_t)n;
	}
	text[used] = '\0';
	*ret_text = text;
	*ret_bytes = used;
	return 0;
}

static int say_unreadable(const char *path, int why, struct config_errors *errors)
{
	errors->text = calloc(1, sizeof *errors->text);
	if (errors->text == NULL || asprintf(&errors->text[0], "%s: cannot be read: %s", path, strerror(why)) < 0)
		return ERR_NOMEM;
	errors->count = 1;
	return ERR_IO;
}

int config_read_file(const char *path, char **ret_text, size_t *ret_bytes)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return ERR_IO;
	const int err = read_all(fd, ret_text, ret_bytes);
	const int why = errno;
	close(fd);
	errno = why;
	return err;
}

int config_load(const char *path, struct config **ret, struct config_errors *errors)
{
	char *text = NULL;
	size_t bytes = 0;
	*errors = (struct config_errors){0};
	int err = config_read_file(path, &text, &bytes);
	if (err == ERR_IO)
		return say_unreadable(path, errno, errors);
	if (err == 0)
		err = config_parse(path, text, bytes, ret, errors);
	free(text);
	return err;
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	struct owned *o = (struct owned *)c;
	arena_free(o->memory);
	free(o);
}

void config_errors_done(struct config_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++)
		free(errors->text[i]);
	free(errors->text);
	*errors = (struct config_errors){0};
}

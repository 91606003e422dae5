#include "timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sha256.h"
#include "text.h"

extern char **environ;

/* A folder for the files that openssl(1) wants. */
struct desk {
	char dir[64];
	char data[80], query[80], reply[80];
};

static int desk_open(struct desk *d)
{
	snprintf(d->dir, sizeof d->dir, "/tmp/garita-stamp-XXXXXX");
	if (mkdtemp(d->dir) == NULL)
		return ERR_IO;
	snprintf(d->data, sizeof d->data, "%s/data", d->dir);
	snprintf(d->query, sizeof d->query, "%s/query", d->dir);
	snprintf(d->reply, sizeof d->reply, "%s/reply", d->dir);
	return 0;
}

static void desk_close(const struct desk *d)
{
	const int why = errno;
	unlink(d->data);
	unlink(d->query);
	unlink(d->reply);
	rmdir(d->dir);
	errno = why;
}

static int put(const char *path, const void *data, size_t bytes)
{
	FILE *f = fopen(path, "wxe");
	if (f == NULL)
		return ERR_IO;
	const size_t n = fwrite(data, 1, bytes, f);
	return fclose(f) == 0 && n == bytes ? 0 : ERR_IO;
}

/* Run a program, from and into files. Its exit code, or -1. */
static int run(char *const argv[], const char *in, const char *out, bool quiet)
{
	posix_spawn_file_actions_t a;
	pid_t pid;
	int status;
	if (posix_spawn_file_actions_init(&a) != 0)
		return -1;
	int code = posix_spawn_file_actions_addopen(&a, STDIN_FILENO, in, O_RDONLY, 0);
	if (code == 0)
		code = posix_spawn_file_actions_addopen(&a, STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (code == 0 && quiet)
		code = posix_spawn_file_actions_addopen(&a, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (code == 0)
		code = posix_spawnp(&pid, argv[0], &a, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&a);
	if (code != 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int ask(const struct desk *d, const char *command)
{
	char *const query[] = {"openssl", "ts", "-query", "-data", (char *)d->data, "-sha256", "-cert", "-out", (char *)d->query, NULL};
	char *const shell[] = {"sh", "-c", (char *)command, NULL};
	if (run(query, "/dev/null", "/dev/null", true) != 0)
		return ERR_IO;
	return run(shell, d->query, d->reply, false) == 0 ? 0 : ERR_IO;
}

/* Granted, and the hash of the data stands in it. */
static int look(const struct desk *d, const void *data, size_t bytes, unsigned char ret[TIMESTAMP_MAX], size_t *ret_bytes)
{
	char *const read_it[] = {"openssl", "ts", "-reply", "-in", (char *)d->reply, "-token_out", "-out", "/dev/null", NULL};
	unsigned char hash[SHA256_BYTES];
	FILE *f = fopen(d->reply, "re");
	if (f == NULL)
		return ERR_IO;
	*ret_bytes = fread(ret, 1, TIMESTAMP_MAX, f);
	fclose(f);
	sha256(data, bytes, hash);
	if (*ret_bytes == 0 || *ret_bytes == TIMESTAMP_MAX || memmem(ret, *ret_bytes, hash, sizeof hash) == NULL)
		return ERR_DAMAGED;
	/* of a response that was refused there is no token */
	return run(read_it, "/dev/null", "/dev/null", true) == 0 ? 0 : ERR_DAMAGED;
}

int timestamp_get(const struct tool_options *o, const char *command, const void *data, size_t bytes,
                  unsigned char ret[TIMESTAMP_MAX], size_t *ret_bytes)
{
	struct desk d = {.dir = ""};
	if (desk_open(&d) != 0) {
		tool_error(o->verb, "/tmp: %s", strerror(errno));
		return ERR_IO;
	}
	int code = put(d.data, data, bytes);
	if (code == 0)
		code = ask(&d, command);
	if (code != 0)
		tool_error(o->verb, "%s: %s", command, text(tool_lang(o), TEXT_STAMP_FAILED));
	if (code == 0) {
		code = look(&d, data, bytes, ret, ret_bytes);
		if (code != 0)
			tool_error(o->verb, "%s: %s", command, text(tool_lang(o), TEXT_STAMP_REFUSED));
	}
	desk_close(&d);
	return code;
}

int timestamp_check(const char *ca, const void *data, size_t bytes, const void *stamp, size_t stamp_bytes)
{
	struct desk d = {.dir = ""};
	int code = desk_open(&d);
	if (code != 0)
		return code;
	char *const check[] = {"openssl", "ts", "-verify", "-data", d.data, "-in", d.reply, "-CAfile", (char *)ca, NULL};
	code = put(d.data, data, bytes);
	if (code == 0)
		code = put(d.reply, stamp, stamp_bytes);
	if (code == 0) {
		const int said = run(check, "/dev/null", "/dev/null", true);
		code = said == 0 ? 0 : said == 1 ? ERR_DAMAGED : ERR_IO;
	}
	desk_close(&d);
	return code;
}

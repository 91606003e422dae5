#include "record/emit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DEV_LOG "/dev/log"
#define PRIORITY (10 * 8 + 5)    /* RFC 5424: authpriv, notice */
#define LINE_MAX_BYTES 2048

struct emit {
	char *file;
	int fd;
	char *path;
	char *note;
	struct emit_state state;
};

static int connect_to(int fd, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const size_t n = strlen(path);
	if (n >= sizeof a.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a.sun_path, path, n + 1);
	return connect(fd, (const struct sockaddr *)&a, sizeof a);
}

int emit_open_syslog(const char *path)
{
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* A syslog that is not there yet may come. */
	if (fd >= 0)
		(void)!connect_to(fd, path != NULL ? path : DEV_LOG);
	return fd;
}

int emit_new(const char *file, int syslog_fd, const char *path, struct emit **ret)
{
	struct emit *e = calloc(1, sizeof *e);
	if (e == NULL)
		return ERR_NOMEM;
	e->fd = syslog_fd;
	e->file = file != NULL ? strdup(file) : NULL;
	e->path = strdup(path != NULL ? path : DEV_LOG);
	e->state.file.on = file != NULL;
	e->state.syslog.on = syslog_fd >= 0;
	if ((file != NULL && e->file == NULL) || e->path == NULL) {
		emit_free(e);
		return ERR_NOMEM;
	}
	*ret = e;
	return 0;
}

void emit_free(struct emit *e)
{
	if (e == NULL)
		return;
	free(e->file);
	free(e->path);
	free(e->note);
	free(e);
}

/* --- file --- */

/* Opened each time: it may be moved away (logrotate), or its medium changed. An
 * empty line goes between two notes. */
static int append(const char *path, const char *note)
{
	char text[LINE_MAX_BYTES];
	const int n = snprintf(text, sizeof text, "%s\n", note);
	const int fd = n > 0 && (size_t)n < sizeof text
	                       ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644)
	                       : -1;
	if (fd < 0)
		return -1;
	const ssize_t wrote = write(fd, text, (size_t)n);
	int r = wrote == n ? 0 : -1;
	if (wrote >= 0 && wrote < n)
		errno = ENOSPC;
	if (r == 0 && fsync(fd) != 0 && errno != EINVAL && errno != EROFS)   /* a pipe or a device has nothing to sync */
		r = -1;
	const int why = errno;
	close(fd);
	errno = why;
	return r;
}

/* --- syslog --- */

/* On one line: "<85>garitad[1]: checkpoint " and the lines of the note, a blank
 * between two; the empty line is left out. */
static size_t one_line(const char *note, char *ret, size_t size)
{
	size_t used = (size_t)snprintf(ret, size, "<%d>garitad[%d]: checkpoint ", PRIORITY, (int)getpid());
	for (const char *p = note; *p != '\0' && used + 2 < size; p++) {
		if (*p != '\n')
			ret[used++] = *p;
		else if (p[1] != '\n' && p[1] != '\0')
			ret[used++] = ' ';
	}
	ret[used] = '\0';
	return used;
}

/* A syslog that was started anew has another socket under the same name. */
static int to_syslog(struct emit *e)
{
	char line[LINE_MAX_BYTES];
	const size_t n = one_line(e->note, line, sizeof line);
	if (write(e->fd, line, n) == (ssize_t)n)
		return 0;
	if (connect_to(e->fd, e->path) != 0)
		return -1;
	return write(e->fd, line, n) == (ssize_t)n ? 0 : -1;
}

/* --- both --- */

static void count(struct emit_way *w, int result)
{
	w->waits = result != 0;
	w->sent += result == 0;
	w->failed += result != 0;
	snprintf(w->why, sizeof w->why, "%s", result == 0 ? "" : strerror(errno));
}

void emit_again(struct emit *e)
{
	if (e->note == NULL)
		return;
	if (e->state.file.waits)
		count(&e->state.file, append(e->file, e->note));
	if (e->state.syslog.waits)
		count(&e->state.syslog, to_syslog(e));
}

void emit_put(struct emit *e, const char *note)
{
	char *copy = strdup(note);
	if (copy == NULL)
		return;   /* the next one has all that this one has */
	free(e->note);
	e->note = copy;
	e->state.file.waits = e->state.file.on;
	e->state.syslog.waits = e->state.syslog.on;
	emit_again(e);
}

void emit_get_state(const struct emit *e, struct emit_state *ret)
{
	*ret = e->state;
}

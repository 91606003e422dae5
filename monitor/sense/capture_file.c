#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/capture_parts.h"
#include "sense/capture_reader.h"

#define FILES_MAX 1000
#define SPARE_DESCRIPTORS 64
#define WHY_MAX 300
#define LINKS_MAX 64   /* link types that a filter is kept for */

struct file {
	char *name;
	struct capture_stream *stream;
	struct capture_reader *reader;
	uint64_t packets;
	bool standard_input, begun, failed;
};

/* The filter for one link type. */
struct link_filter {
	int link_type;
	int rc;                /* of compiling it */
	struct capture_filter filter;
	char why[WHY_MAX];
};

struct capture_file_set {
	struct file *files;
	size_t count, current;
	uint64_t done_bytes, all_bytes;   /* of the files that are done, and of all */
	const struct capture_room *room;  /* NULL: each reader has its own */
	char *filter;          /* NULL: none */
	struct link_filter links[LINKS_MAX];
	unsigned link_count, last_link;
};

/* What decode knows. The filter is compiled for all of them at once: an
 * interface may show up in the middle of a pcapng, when names in the filter
 * (a host, a service) can no longer be looked up. */
static const int known_links[] = {0, 1, 9, 50, 51, 101, 108, 113, 228, 229, 276};

/* Every file is open at once: the usual limit of 1,024 may be too low. */
static void raise_descriptor_limit(size_t files)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= files + SPARE_DESCRIPTORS)
		return;
	limit.rlim_cur = files + SPARE_DESCRIPTORS;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);   /* open(2) says it if this was not enough */
}

static int open_descriptor(const struct file *f, uint64_t *ret_bytes, char *err, size_t err_size)
{
	struct stat st;
	const int fd = f->standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
	                                 : open(f->name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(err, err_size, "%s: %s", f->name, strerror(errno));
		return ERR_IO;
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		snprintf(err, err_size, "%s: %s", f->name, strerror(EISDIR));
		close(fd);
		return ERR_IO;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		*ret_bytes += (uint64_t)st.st_size;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return fd;
}

static void close_file(struct file *f)
{
	capture_reader_free(f->reader);
	capture_stream_close(f->stream);
	f->reader = NULL;
	f->stream = NULL;
}

/* Returns NULL when there is no room for another link type. */
static struct link_filter *filter_of(struct capture_file_set *s, int link_type)
{
	for (unsigned i = 0; i < s->link_count; i++) {
		if (s->links[i].link_type == link_type)
			return &s->links[i];
	}
	if (s->link_count == LINKS_MAX)
		return NULL;
	struct link_filter *l = &s->links[s->link_count++];
	l->link_type = link_type;
	l->rc = capture_filter_compile(s->filter, capture_dlt(link_type), &l->filter, l->why, sizeof l->why);
	return l;
}

static int open_file(struct capture_file_set *s, struct file *f, char *err, size_t err_size)
{
	char why[WHY_MAX] = "";
	const int fd = open_descriptor(f, &s->all_bytes, err, err_size);
	if (fd < 0)
		return fd;
	f->stream = capture_stream_open(fd);
	if (f->stream == NULL) {
		snprintf(err, err_size, "%s: out of memory", f->name);
		return ERR_NOMEM;
	}
	const struct capture_source source = {.read = capture_stream_read, .ctx = f->stream};
	const int rc = capture_reader_new(&source, &f->reader, why, sizeof why);
	if (rc != 0) {
		const char *packed = capture_stream_error(f->stream);
		snprintf(err, err_size, "%s: %s", f->name, packed != NULL ? packed : why);
		return rc;
	}
	if (s->filter == NULL)
		return 0;
	const struct link_filter *l = filter_of(s, capture_reader_link_type(f->reader));
	if (l == NULL || l->rc != 0) {
		snprintf(err, err_size, "%s: %s", f->name, l != NULL ? l->why : "too many link types for a filter");
		return l != NULL ? l->rc : ERR_UNSUPPORTED;
	}
	return 0;
}

static int compile_all(struct capture_file_set *s, const char *filter)
{
	s->filter = strdup(filter);
	if (s->filter == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < sizeof known_links / sizeof known_links[0]; i++)
		(void)filter_of(s, known_links[i]);
	return 0;
}

int capture_files_open(const struct capture_files *o, struct capture_file_set **ret, char *err, size_t err_size)
{
	if (o->path_count == 0 || o->path_count > FILES_MAX) {
		snprintf(err, err_size, "%zu capture files: at least one and at most %d can be read at once", o->path_count,
		         FILES_MAX);
		return ERR_INVALID;
	}
	struct capture_file_set *s = calloc(1, sizeof *s);
	int rc = s != NULL ? 0 : ERR_NOMEM;
	if (rc == 0) {
		s->files = calloc(o->path_count, sizeof *s->files);
		rc = s->files != NULL ? 0 : ERR_NOMEM;
	}
	if (rc == 0 && o->filter != NULL)
		rc = compile_all(s, o->filter);
	raise_descriptor_limit(o->path_count);
	for (size_t i = 0; rc == 0 && i < o->path_count; i++) {
		struct file *f = &s->files[i];
		f->standard_input = strcmp(o->paths[i], "-") == 0;
		f->name = strdup(f->standard_input ? "standard input" : o->paths[i]);
		if (f->name == NULL) {
			rc = ERR_NOMEM;
			break;
		}
		s->count = i + 1;
		rc = open_file(s, f, err, err_size);
	}
	if (rc == 0) {
		*ret = s;
		return 0;
	}
	if (rc == ERR_NOMEM)
		snprintf(err, err_size, "out of memory");
	capture_files_close(s);
	return rc;
}

void capture_files_close(struct capture_file_set *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++) {
		close_file(&s->files[i]);
		free(s->files[i].name);
	}
	for (unsigned i = 0; i < s->link_count; i++) {
		if (s->links[i].rc == 0)
			capture_filter_done(&s->links[i].filter);
	}
	free(s->filter);
	free(s->files);
	free(s);
}

/* Say where the damage is. The number is that of the first packet that is
 * missing. */
static int damaged(struct capture *c, struct file *f, const char *what)
{
	f->failed = true;
	snprintf(c->error, sizeof c->error, "%s: packet %llu: %s", f->name, (unsigned long long)f->packets + 1, what);
	return ERR_DAMAGED;
}

/* Ask the filter. 0, or ERR_DAMAGED when it cannot be asked. */
static int ask_filter(struct capture *c, struct file *f, struct capture_frame *frame)
{
	struct capture_file_set *s = c->files;
	frame->filtered = false;
	if (s->filter == NULL)
		return 0;
	struct link_filter *l = &s->links[s->last_link];
	if (l->link_type != frame->link_type) {
		l = filter_of(s, frame->link_type);
		if (l == NULL)
			return damaged(c, f, "too many link types for a filter");
		s->last_link = (unsigned)(l - s->links);
	}
	if (l->rc != 0)
		return damaged(c, f, l->why);
	frame->filtered = !capture_filter_pass(&l->filter, frame, c->scratch);
	return 0;
}

/* The next frame of a file. What it handed out before stays where it is
 * unless it may_move. 0, ERR_AGAIN, ERR_END, ERR_DAMAGED. */
static int next_of(struct capture *c, struct file *f, bool may_move, struct capture_frame *ret)
{
	if (f->failed)
		return ERR_DAMAGED;
	int rc = 0;
	if (!f->begun) {
		f->begun = true;
		if (c->files->room != NULL)
			rc = capture_reader_use(f->reader, c->files->room);
	}
	if (rc == 0)
		rc = capture_reader_next(f->reader, may_move, ret);
	if (rc == ERR_DAMAGED) {
		const char *packed = capture_stream_error(f->stream);
		return damaged(c, f, packed != NULL ? packed : capture_reader_error(f->reader));
	}
	if (rc != 0)
		return rc;
	rc = ask_filter(c, f, ret);
	if (rc != 0)
		return rc;
	f->packets++;
	ret->number = ++c->number;
	ret->interface = 0;
	ret->share = 0;
	return 0;
}

void capture_files_use(struct capture_file_set *s, const struct capture_room *room)
{
	s->room = room;
}

int capture_files_next(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count)
{
	struct capture_file_set *s = c->files;
	unsigned n = 0;
	while (n < max && s->current < s->count) {
		struct file *f = &s->files[s->current];
		const int rc = next_of(c, f, n == 0, &ret[n]);
		if (rc == 0) {
			n++;
			continue;
		}
		if (n > 0)
			break;   /* said again by the next call */
		s->done_bytes += capture_stream_read_bytes(f->stream);
		close_file(f);
		s->current++;
		if (rc != ERR_END)
			return rc;
	}
	*ret_count = n;
	return n > 0 ? 0 : ERR_END;
}

/* Asked for after each batch: no loop over the files. */
void capture_files_progress(const struct capture_file_set *s, uint64_t *ret_done, uint64_t *ret_all)
{
	*ret_done = s->done_bytes;
	if (s->current < s->count)
		*ret_done += capture_stream_read_bytes(s->files[s->current].stream);
	*ret_all = s->all_bytes;
}

/* A file of packets written again without some of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"
#include "record/evidence_keep_parts.h"
#include "record/pcapng.h"

#define LOOK_EVERY 64u                  /* blocks between two looks at the clock */
#define SYNC_BYTES (4u * 1024 * 1024)

struct rewrite {
	int dir_fd, in, out;
	struct evict_plan *plan;        /* borrowed */
	const struct evict_file *old;   /* borrowed */
	struct evict_file now;
	struct pcapng_reader *reader;
	struct pcapng_writer *writer;
	struct sha256 hash;  /* of all that was read of the old one */
	uint64_t synced;
	char part[sizeof((struct evict_file *)0)->path + sizeof REWRITE_SUFFIX];
	bool made;                      /* the file has its name */
};

/* --- beginning --- */

static ssize_t read_hashed(void *ctx, void *to, size_t n)
{
	struct rewrite *w = ctx;
	const ssize_t got = read(w->in, to, n);
	if (got > 0)
		sha256_add(&w->hash, to, (size_t)got);
	return got;
}

static int open_files(struct rewrite *w, const char *why, char *err, size_t err_size)
{
	struct stat st;
	w->in = openat(w->dir_fd, w->old->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (w->in < 0 || fstat(w->in, &st) != 0 || !S_ISREG(st.st_mode)) {
		snprintf(err, err_size, "%s", w->in < 0 ? strerror(errno) : "no file");
		return ERR_DAMAGED;
	}
	w->out = openat(w->dir_fd, w->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, st.st_mode & 0777);
	if (w->out < 0)
		return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
	char comment[400];
	snprintf(comment, sizeof comment, "%s without what was evicted (%s)", w->old->path, why);
	const struct pcapng_section section = {.comment = comment, .application = "garita " GARITA_VERSION};
	const struct pcapng_source source = {.read = read_hashed, .ctx = w};
	int rc = pcapng_reader_new(&source, &w->reader);
	if (rc == 0)
		rc = pcapng_writer_new(w->out, &section, &w->writer);
	return rc;
}

int rewrite_new(int dir_fd, const struct evict_file *old, struct evict_plan *plan, const char *why, struct rewrite **ret,
                char *err, size_t err_size)
{
	struct rewrite *w = calloc(1, sizeof *w);
	if (w == NULL)
		return ERR_NOMEM;
	w->dir_fd = dir_fd;
	w->in = w->out = -1;
	w->old = old;
	w->plan = plan;
	sha256_begin(&w->hash);
	int rc = evidence_path_next(old->path, w->now.path, sizeof w->now.path);
	if (rc == 0) {
		snprintf(w->part, sizeof w->part, "%s" REWRITE_SUFFIX, w->now.path);
		rc = open_files(w, why, err, err_size);
	}
	if (rc != 0) {
		rewrite_free(w, false);
		return rc;
	}
	*ret = w;
	return 0;
}

/* --- packets --- */

static int by_transfer(const void *key, const void *part)
{
	const int64_t a = *(const int64_t *)key, b = ((const struct evict_part *)part)->transfer;
	return a < b ? -1 : a > b;
}

static struct evict_part *part_of(const struct evict_plan *plan, int64_t transfer)
{
	return plan->count > 0 ? bsearch(&transfer, plan->part, plan->count, sizeof *plan->part, by_transfer) : NULL;
}

static int copy_packet(struct rewrite *w, const struct pcapng_packet *p)
{
	struct evict_part *part = part_of(w->plan, pcapng_note_transfer(p->comment, p->comment_bytes));
	if (part != NULL && part->packets >= part->head)
		return 0;
	const int rc = pcapng_add_packet(w->writer, p);
	if (rc != 0)
		return rc;
	if (part != NULL) {
		part->packets++;
		part->bytes += p->caplen;
	}
	if (w->now.packets == 0 || p->time_us < w->now.first_us)
		w->now.first_us = p->time_us;
	if (w->now.packets == 0 || p->time_us > w->now.last_us)
		w->now.last_us = p->time_us;
	w->now.packets++;
	return 0;
}

static int copy_block(struct rewrite *w, const struct pcapng_block *b)
{
	uint32_t id;
	switch (b->kind) {
	case PCAPNG_INTERFACE:   /* the same number, since they come in the same order */
		return pcapng_add_interface(w->writer, pcapng_reader_interface(w->reader, b->interface), &id);
	case PCAPNG_PACKET: return copy_packet(w, &b->packet);
	case PCAPNG_STATISTICS: return pcapng_add_statistics(w->writer, &b->statistics);
	default: return 0;
	}
}

/* --- the end --- */

static int check_old(struct rewrite *w, char *err, size_t err_size)
{
	uint8_t hash[PCAPNG_HASH_BYTES];
	sha256_end(&w->hash, hash);
	if (!w->old->has_hash || memcmp(hash, w->old->sha256, sizeof hash) == 0)
		return 0;
	snprintf(err, err_size, "its SHA-256 is not the one in the record");
	return ERR_DAMAGED;
}

static int sync_parent(const struct rewrite *w)
{
	char path[sizeof w->now.path];
	snprintf(path, sizeof path, "%s", w->now.path);
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		return ERR_INVALID;
	*slash = '\0';
	const int fd = openat(w->dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int rc = fd >= 0 && fsync(fd) == 0 ? 0 : ERR_IO;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int finish(struct rewrite *w, char *err, size_t err_size)
{
	int rc = check_old(w, err, err_size);
	if (rc == 0)
		rc = pcapng_flush(w->writer);
	if (rc != 0)
		return rc;
	if (fdatasync(w->out) != 0)
		return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
	w->now.bytes = pcapng_size(w->writer);
	pcapng_hash(w->writer, w->now.sha256);
	w->now.has_hash = true;
	if (renameat(w->dir_fd, w->part, w->dir_fd, w->now.path) != 0)
		return ERR_IO;
	w->made = true;
	return sync_parent(w);
}

int rewrite_step(struct rewrite *w, int64_t until_us, char *err, size_t err_size)
{
	for (unsigned n = 0;; n++) {
		if (n % LOOK_EVERY == LOOK_EVERY - 1 && evidence_monotonic_us() >= until_us)
			break;
		struct pcapng_block b;
		int rc = pcapng_next(w->reader, &b);
		if (rc == ERR_END)
			return finish(w, err, err_size);
		if (rc != 0) {
			snprintf(err, err_size, "%s", pcapng_reader_error(w->reader));
			return ERR_DAMAGED;
		}
		rc = copy_block(w, &b);
		if (rc != 0)
			return rc;
	}
	/* in pieces, so that the end does not wait for all of it */
	if (pcapng_written(w->writer) - w->synced >= SYNC_BYTES) {
		w->synced = pcapng_written(w->writer);
		if (fdatasync(w->out) != 0)
			return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
	}
	return ERR_AGAIN;
}

const struct evict_file *rewrite_result(const struct rewrite *w)
{
	return &w->now;
}

void rewrite_free(struct rewrite *w, bool keep_file)
{
	if (w == NULL)
		return;
	pcapng_reader_free(w->reader);
	pcapng_writer_free(w->writer);
	if (w->in >= 0)
		close(w->in);
	if (w->out >= 0) {
		close(w->out);
		if (!keep_file)
			unlinkat(w->dir_fd, w->made ? w->now.path : w->part, 0);
	}
	free(w);
}

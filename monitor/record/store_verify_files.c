/* The files of packets: are they there, and what was written? Nothing is read of
 * what they say. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"
#include "record/store_verify_parts.h"

#define FOLDER "evidence"
#define CHUNK 262144u
#define DEPTH_MAX 4u

struct file {
	int64_t id, entry;
	int64_t bytes;
	char *path;
	struct ledger_hash hash;
	bool closed, evicted, found;
};

struct files {
	struct verify *v;
	struct file *file;               /* by path */
	size_t count, room;
	uint8_t *chunk;
	uint64_t total, done;
	int64_t begun_us;                /* the run that goes on */
};

static int tell_file(struct files *f, enum verify_what what, const struct file *e, const char *name)
{
	struct verify_wrong w = verify_none(what);
	w.name = name;
	if (e != NULL) {
		w.id = e->id;
		w.entry = e->entry;
	}
	return verify_tell(f->v, &w);
}

static int take_file(struct files *f, sqlite3_stmt *st)
{
	struct file e = {.id = sqlite3_column_int64(st, 0), .entry = -1, .bytes = sqlite3_column_int64(st, 3)};
	const char *path = store_text_at(st, 1), *state = store_text_at(st, 2);
	if (f->count == f->room)
		return 0;                    /* one state of the database: there are no more */
	e.path = strdup(path != NULL ? path : "");
	if (e.path == NULL)
		return ERR_NOMEM;
	e.closed = state != NULL && strcmp(state, "closed") == 0;
	e.evicted = state != NULL && strcmp(state, "evicted") == 0;
	if (sqlite3_column_bytes(st, 4) == (int)sizeof e.hash)
		memcpy(&e.hash, sqlite3_column_blob(st, 4), sizeof e.hash);
	if (sqlite3_column_type(st, 5) != SQLITE_NULL)
		e.entry = sqlite3_column_int64(st, 5);
	f->v->sum->files += e.closed;
	f->v->sum->files_evicted += e.evicted;
	f->v->sum->files_open += !e.closed && !e.evicted;
	if (e.closed && e.bytes > 0)
		f->total += (uint64_t)e.bytes;
	f->file[f->count++] = e;
	return 0;
}

static int load(struct files *f)
{
	sqlite3_stmt *st = NULL;
	f->room = (size_t)verify_count(f->v, "SELECT count(*) FROM evidence");
	f->file = calloc(f->room + 1, sizeof *f->file);
	if (f->file == NULL)
		return ERR_NOMEM;
	int code = verify_prepare(f->v, "SELECT id, path, state, bytes, sha256, entry FROM evidence ORDER BY path", &st);
	while (code == 0 && (code = verify_next(f->v, st)) == 1)
		code = take_file(f, st);
	sqlite3_finalize(st);
	return code;
}

/* A sensor that runs may have evicted it meanwhile: how does the record stand now? */
static bool still_kept(struct files *f, const struct file *e)
{
	sqlite3_stmt *st = NULL;
	bool kept = true;
	if (!f->v->live)
		return true;
	sqlite3_exec(f->v->r->db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_exec(f->v->r->db, "BEGIN", NULL, NULL, NULL);
	if (verify_prepare(f->v, "SELECT count(*) FROM evidence WHERE id = ? AND path = ? AND state = 'closed'", &st) == 0) {
		sqlite3_bind_int64(st, 1, e->id);
		sqlite3_bind_text(st, 2, e->path, -1, SQLITE_STATIC);
		kept = verify_next(f->v, st) != 1 || sqlite3_column_int64(st, 0) > 0;
	}
	sqlite3_finalize(st);
	return kept;
}

/* 0, ERR_NOTFOUND, ERR_DAMAGED (another size or hash), ERR_IO. */
static int read_file(struct files *f, int fd, const struct file *e)
{
	struct sha256 state;
	struct ledger_hash hash;
	struct stat st;
	ssize_t n;
	if (fstat(fd, &st) != 0)
		return ERR_IO;
	if (!S_ISREG(st.st_mode) || st.st_size != e->bytes)
		return ERR_DAMAGED;
	if (f->v->o->quick)
		return 0;
	sha256_begin(&state);
	while ((n = read(fd, f->chunk, CHUNK)) > 0) {
		sha256_add(&state, f->chunk, (size_t)n);
		f->done += (uint64_t)n;
		verify_progress(f->v, VERIFY_FILES, f->done, f->total);
	}
	if (n < 0)
		return ERR_IO;
	sha256_end(&state, hash.bytes);
	f->v->sum->file_bytes += (uint64_t)st.st_size;
	return ledger_hash_equal(&hash, &e->hash) ? 0 : ERR_DAMAGED;
}

/* A path that the database leads out of the folder is not followed. */
static bool is_inside(const char *path)
{
	return strncmp(path, FOLDER "/", sizeof FOLDER) == 0 && strstr(path, "..") == NULL;
}

static int check_file(struct files *f, const struct file *e)
{
	char path[4400];
	int code = ERR_NOTFOUND;
	if (snprintf(path, sizeof path, "%s/%s", f->v->o->dir, e->path) >= (int)sizeof path)
		return ERR_INVALID;
	const int fd = is_inside(e->path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	if (fd >= 0) {
		code = read_file(f, fd, e);
		close(fd);
	} else if (is_inside(e->path) && errno != ENOENT && errno != ELOOP) {
		code = ERR_IO;
	}
	if (code == ERR_IO) {
		f->v->sum->unreadable++;
		return 0;
	}
	if (code == 0 || !still_kept(f, e))
		return 0;
	return tell_file(f, code == ERR_NOTFOUND ? VERIFY_EVIDENCE_MISSING : VERIFY_EVIDENCE_CHANGED, e, e->path);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static bool is_known(const struct files *f, const char *path)
{
	const struct file key = {.path = (char *)(uintptr_t)path};
	const struct file *e = f->count > 0 ? bsearch(&key, f->file, f->count, sizeof *f->file, by_path) : NULL;
	return e != NULL && !e->evicted;
}

static int check_folder(struct files *f, const char *path, unsigned depth);

/* Files that no row knows. What was written since it began belongs to a sensor that runs: its rows come in time. */
static int check_name(struct files *f, const char *path, unsigned depth)
{
	char full[4400];
	struct stat st;
	if (snprintf(full, sizeof full, "%s/%s", f->v->o->dir, path) >= (int)sizeof full || lstat(full, &st) != 0)
		return 0;
	if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
		return check_folder(f, path, depth + 1);
	if (is_known(f, path) || (f->v->live && (int64_t)st.st_mtime * 1000000 >= f->begun_us - 2000000))
		return 0;
	return tell_file(f, VERIFY_EVIDENCE_UNKNOWN, NULL, path);
}

static int check_folder(struct files *f, const char *path, unsigned depth)
{
	char full[4400];
	int code = 0;
	if (snprintf(full, sizeof full, "%s/%s", f->v->o->dir, path) >= (int)sizeof full)
		return ERR_INVALID;
	DIR *d = opendir(full);
	if (d == NULL) {
		f->v->sum->unreadable += errno != ENOENT;
		return 0;
	}
	for (const struct dirent *e; code == 0 && (e = readdir(d)) != NULL;) {
		char name[1024];
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof name, "%.700s/%.255s", path, e->d_name);
		code = check_name(f, name, depth);
	}
	closedir(d);
	return code;
}

static int check_files(struct files *f)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < f->count; i++) {
		if (f->file[i].closed)
			code = check_file(f, &f->file[i]);   /* NOLINT(clang-analyzer-unix.Malloc): done() frees the list */
	}
	return code;
}

static void done(struct files *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->file[i].path);
	free(f->file);
	free(f->chunk);
}

int verify_files(struct verify *v)
{
	struct files f = {.v = v, .chunk = malloc(CHUNK)};
	f.begun_us = verify_count(v, "SELECT start_us FROM run ORDER BY id DESC LIMIT 1");
	int code = f.chunk != NULL ? load(&f) : ERR_NOMEM;
	if (code == 0)
		code = check_files(&f);
	if (code == 0)
		code = check_folder(&f, FOLDER, 0);
	done(&f);
	return code;
}

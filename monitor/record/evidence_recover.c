/* What an earlier run left: files that were being written when it died. They
 * are cut behind their last whole block, counted, hashed, and closed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "record/evidence_parts.h"

#define OPEN_MAX 1000u                       /* files of a start */
#define ADOPT_BYTES (UINT64_C(256) << 20)    /* of files that no row knows, of a start */

/* --- counting --- */

struct tally {
	struct row_evidence_part *part;
	size_t count, room;
	int64_t first_us, last_us;
	uint64_t packets;
};

/* The transfers of a file come in runs: the last are the likely ones. */
static struct row_evidence_part *part_of(struct tally *t, int64_t transfer)
{
	for (size_t i = t->count; i > 0; i--) {
		if (t->part[i - 1].transfer == transfer)
			return &t->part[i - 1];
	}
	if (t->count == t->room) {
		const size_t room = t->room == 0 ? 64 : 2 * t->room;
		struct row_evidence_part *grown = realloc(t->part, room * sizeof *grown);
		if (grown == NULL)
			return NULL;
		t->part = grown;
		t->room = room;
	}
	struct row_evidence_part *p = &t->part[t->count++];
	*p = (struct row_evidence_part){.transfer = transfer};
	return p;
}

static int count_packet(struct tally *t, const struct pcapng_packet *p)
{
	struct pcapng_note note;
	t->first_us = t->packets == 0 || p->time_us < t->first_us ? p->time_us : t->first_us;
	t->last_us = t->packets == 0 || p->time_us > t->last_us ? p->time_us : t->last_us;
	t->packets++;
	if (p->comment == NULL || pcapng_note_read(p->comment, p->comment_bytes, &note) != 0)
		return 0;
	struct row_evidence_part *part = part_of(t, note.transfer);
	if (part == NULL)
		return ERR_NOMEM;
	part->packets++;
	part->bytes += p->caplen;
	part->finding = note.finding != 0 ? note.finding : part->finding;
	return 0;
}

/* Where its last whole block ends. */
static int count_file(int fd, struct tally *t, uint64_t *ret_whole)
{
	struct pcapng_reader *r = NULL;
	struct pcapng_block block;
	int rc = pcapng_reader_new_fd(fd, &r);
	if (rc != 0)
		return rc;
	while (rc == 0) {
		rc = pcapng_next(r, &block);
		if (rc == 0 && block.kind == PCAPNG_PACKET)
			rc = count_packet(t, &block.packet);
	}
	*ret_whole = pcapng_reader_whole(r);
	pcapng_reader_free(r);
	return rc == ERR_NOMEM || rc == ERR_IO ? rc : 0;
}

/* --- closing --- */

static int record_file(struct store *s, struct row_evidence *row, const struct tally *t)
{
	int64_t id = 0;
	int rc = store_begin(s);
	if (rc != 0)
		return rc;
	rc = store_put_evidence(s, row, &id);
	for (size_t i = 0; rc == 0 && i < t->count; i++) {
		t->part[i].evidence = id;
		rc = store_set_evidence_part(s, &t->part[i]);
	}
	if (rc == 0)
		rc = store_commit(s);
	else
		store_rollback(s);
	return rc;
}

static int close_one(struct evidence *e, struct store *s, int64_t id, const char *path)
{
	char full[1100];
	uint8_t hash[PCAPNG_HASH_BYTES];
	uint64_t whole = 0;
	struct tally t = {0};
	snprintf(full, sizeof full, "%s/%s", e->o.data_dir, path);
	const int fd = open(full, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int rc = fd >= 0 ? count_file(fd, &t, &whole) : errno == ENOENT ? 0 : ERR_IO;
	const off_t had = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
	if (rc == 0 && fd >= 0 && had > (off_t)whole && (ftruncate(fd, (off_t)whole) != 0 || fdatasync(fd) != 0))
		rc = ERR_IO;
	/* Of a file that is gone: the hash of nothing. */
	if (rc == 0)
		rc = pcapng_hash_file(fd, fd >= 0 ? UINT64_MAX : 0, hash, NULL);
	if (fd >= 0)
		close(fd);
	struct row_evidence row = {.id = id, .path = path, .closed = true, .crashed = true, .first_us = t.first_us,
	                           .last_us = t.last_us, .packets = t.packets, .bytes = whole, .sha256 = hash};
	if (rc == 0)
		rc = record_file(s, &row, &t);
	if (rc == 0)
		log_info("judge", "evidence: %s was left open and is closed now: %llu packets%s", path,
		         (unsigned long long)t.packets, fd < 0 ? ": the file is gone" : "");
	else
		log_error("judge", "evidence: %s was left open and cannot be closed: %s", path,
		          rc == ERR_IO && fd < 0 ? strerror(errno) : err_str(rc));
	free(t.part);
	return rc;
}

/* --- which --- */

struct open_files {
	struct {
		int64_t id;
		char path[EVIDENCE_PATH_MAX + 256];
	} *file;
	size_t count;
};

static int note_open(void *ctx, const struct row_evidence *r)
{
	struct open_files *o = ctx;
	if (o->count == OPEN_MAX)
		return 0;
	o->file[o->count].id = r->id;
	snprintf(o->file[o->count++].path, sizeof o->file[0].path, "%s", r->path);
	return 0;
}

static int close_open(struct evidence *e, struct store *s)
{
	struct open_files o = {.file = calloc(OPEN_MAX, sizeof *o.file)};
	int rc = o.file != NULL ? store_each_open_evidence(s, note_open, &o) : ERR_NOMEM;
	for (size_t i = 0; rc == 0 && i < o.count; i++) {
		const int one = close_one(e, s, o.file[i].id, o.file[i].path);
		rc = one == ERR_BUSY || one == ERR_DAMAGED ? one : 0;   /* another may go */
	}
	free(o.file);
	return rc;
}

/* "123456-7.pcapng". What is being written again has another name (evidence_keep.h). */
static bool is_ours(const char *name)
{
	static const char digits[] = "0123456789";
	const size_t a = strspn(name, digits), b = name[a] == '-' ? strspn(name + a + 1, digits) : 0;
	return a > 0 && a <= 6 && b > 0 && b <= 9 && strcmp(name + a + 1 + b, ".pcapng") == 0;
}

/* Between the making of a file and the commit of its row a run may die. */
static int adopt_folder(struct evidence *e, struct store *s, const char *folder, uint64_t *left)
{
	char path[EVIDENCE_PATH_MAX + 256], full[700];
	struct dirent *d;
	struct stat st;
	int rc = 0;
	snprintf(full, sizeof full, "%s/%s", e->o.data_dir, folder);
	DIR *dir = opendir(full);
	while (rc == 0 && dir != NULL && *left > 0 && (d = readdir(dir)) != NULL) {
		bool known = true;
		if (!is_ours(d->d_name))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, d->d_name);
		rc = store_knows_evidence(s, path, &known);
		snprintf(full, sizeof full, "%s/%s", e->o.data_dir, path);
		if (rc != 0 || known || lstat(full, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		*left -= (uint64_t)st.st_size < *left ? (uint64_t)st.st_size : *left;
		const int one = close_one(e, s, 0, path);
		rc = one == ERR_BUSY || one == ERR_DAMAGED ? one : 0;
	}
	if (dir != NULL)
		closedir(dir);
	return rc;
}

static int adopt(struct evidence *e, struct store *s)
{
	char full[1100], folder[EVIDENCE_PATH_MAX];
	uint64_t left = ADOPT_BYTES;
	struct dirent *d;
	int rc = 0;
	snprintf(full, sizeof full, "%s/" EVIDENCE_FOLDER, e->o.data_dir);
	DIR *dir = opendir(full);
	while (rc == 0 && dir != NULL && (d = readdir(dir)) != NULL) {
		if (strlen(d->d_name) != strlen("2026-11-22") || d->d_name[4] != '-')
			continue;
		snprintf(folder, sizeof folder, EVIDENCE_FOLDER "/%.10s", d->d_name);
		rc = adopt_folder(e, s, folder, &left);
	}
	if (dir != NULL)
		closedir(dir);
	return rc;
}

int evidence_recover(struct evidence *e, struct store *s)
{
	int rc = close_open(e, s);
	if (rc == 0)
		rc = adopt(e, s);
	int64_t number = 1;
	const int named = store_next_evidence(s, &number);
	e->name_number = named == 0 ? number - 1 : 0;
	return rc != 0 ? rc : named;
}

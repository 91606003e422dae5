/* The packets of a finding out of the files that hold those of many. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sha256.h"
#include "evidence/bundle.h"
#include "record/evidence_keep.h"
#include "record/pcapng.h"

#define LOOK_EVERY 1024u                /* packets between two looks whether to end */

/* --- which files, which transfers --- */

static void *grown(void *array, size_t count, size_t item)
{
	/* doubled at each power of two */
	return (count & (count - 1)) == 0 ? reallocarray(array, count == 0 ? 1 : 2 * count, item) : array;
}

static int take_file(void *ctx, const struct custody_file *row)
{
	struct bundle *b = ctx;
	b->missed += row->missed;
	b->evicted += row->state == CUSTODY_EVICTED ? row->part_packets : 0;
	struct bundle_file *more = grown(b->file, b->files, sizeof *more);
	if (more == NULL)
		return ERR_NOMEM;
	b->file = more;
	struct bundle_file *f = &b->file[b->files++];
	*f = (struct bundle_file){.row = *row, .has_recorded = row->sha256 != NULL};
	snprintf(f->path, sizeof f->path, "%s", row->path);
	if (row->sha256 != NULL)
		memcpy(f->recorded, row->sha256, sizeof f->recorded);
	f->row.path = NULL;   /* those were borrowed */
	f->row.sha256 = NULL;
	f->wanted = row->state != CUSTODY_EVICTED ? row->part_packets : 0;
	return 0;
}

/* A transfer that two findings claim is one. */
static int take_part(void *ctx, const struct custody_part *row)
{
	struct bundle *b = ctx;
	struct bundle_part *last = b->parts > 0 ? &b->part[b->parts - 1] : NULL;
	if (last != NULL && last->file == row->file && last->transfer == row->transfer) {
		last->wanted += row->packets;
		last->missed += row->missed;
		return 0;
	}
	struct bundle_part *more = grown(b->part, b->parts, sizeof *more);
	if (more == NULL)
		return ERR_NOMEM;
	b->part = more;
	b->part[b->parts++] = (struct bundle_part){.file = row->file, .transfer = row->transfer, .wanted = row->packets,
	                                           .missed = row->missed};
	return 0;
}

int bundle_read_parts(struct bundle *b)
{
	const int code = store_read_custody_files(b->reader, &b->of, take_file, b);
	return code == 0 ? store_read_custody_parts(b->reader, &b->of, take_part, b) : code;
}

/* --- one file --- */

struct interface {
	uint16_t link_type;
	uint32_t snaplen;
	char name[256], filter[256];
};

struct copying {
	struct bundle *b;
	struct bundle_file *file;
	struct bundle_part *part;       /* of the file */
	size_t parts;
	struct pcapng_writer *writer;
	struct interface interface[PCAPNG_INTERFACES];   /* of the new file */
	uint32_t interfaces;
	int64_t place[PCAPNG_INTERFACES];   /* of those of the old one in the new one; -1: not yet */
	int fd;
	struct sha256 hash;
	uint64_t looked;
};

static ssize_t read_hashed(void *ctx, void *to, size_t n)
{
	struct copying *c = ctx;
	const ssize_t got = read(c->fd, to, n);
	if (got > 0)
		sha256_add(&c->hash, to, (size_t)got);
	return got;
}

static int by_transfer(const void *key, const void *part)
{
	const int64_t a = *(const int64_t *)key, b = ((const struct bundle_part *)part)->transfer;
	return a < b ? -1 : a > b;
}

static struct bundle_part *part_of(const struct copying *c, int64_t transfer)
{
	return c->parts > 0 ? bsearch(&transfer, c->part, c->parts, sizeof *c->part, by_transfer) : NULL;
}

/* The same interface in several files is one. */
static int place_of(struct copying *c, const struct pcapng_reader *r, uint32_t id, uint32_t *ret)
{
	const struct pcapng_interface *i = pcapng_reader_interface(r, id);
	if (c->place[id] >= 0) {
		*ret = (uint32_t)c->place[id];
		return 0;
	}
	struct interface mine = {.link_type = i->link_type, .snaplen = i->snaplen};
	snprintf(mine.name, sizeof mine.name, "%s", i->name != NULL ? i->name : "");
	snprintf(mine.filter, sizeof mine.filter, "%s", i->filter != NULL ? i->filter : "");
	uint32_t at = 0;
	while (at < c->interfaces && (c->interface[at].link_type != mine.link_type || c->interface[at].snaplen != mine.snaplen ||
	                              strcmp(c->interface[at].name, mine.name) != 0 || strcmp(c->interface[at].filter, mine.filter) != 0))
		at++;
	if (at == c->interfaces) {
		const int code = pcapng_add_interface(c->writer, i, &at);
		if (code != 0)
			return code;
		c->interface[at] = mine;
		c->interfaces = at + 1;
	}
	c->place[id] = at;
	*ret = at;
	return 0;
}

static int copy_packet(struct copying *c, const struct pcapng_reader *r, const struct pcapng_packet *old)
{
	struct bundle_part *part = part_of(c, pcapng_note_transfer(old->comment, old->comment_bytes));
	if (part == NULL)
		return 0;
	struct pcapng_packet p = *old;
	int code = place_of(c, r, old->interface, &p.interface);
	if (code == 0)
		code = pcapng_add_packet(c->writer, &p);
	if (code != 0)
		return code;
	part->found++;
	c->file->packets++;
	c->b->packets++;
	c->b->bytes += p.caplen;
	return 0;
}

/* What the interface has lost says something of the packets that were taken from it. */
static int copy_statistics(struct copying *c, const struct pcapng_statistics *old)
{
	if (c->place[old->interface] < 0)
		return 0;
	char comment[PCAPNG_TEXT_MAX];
	struct pcapng_statistics s = *old;
	snprintf(comment, sizeof comment, "%s%s%.*s", c->file->path, old->comment != NULL ? ": " : "", (int)old->comment_bytes,
	         old->comment != NULL ? old->comment : "");
	s.interface = (uint32_t)c->place[old->interface];
	s.comment = comment;
	s.comment_bytes = 0;
	return pcapng_add_statistics(c->writer, &s);
}

static int copy_blocks(struct copying *c, struct pcapng_reader *r)
{
	struct pcapng_block block;
	int code;
	while ((code = pcapng_next(r, &block)) == 0) {
		if (c->looked++ % LOOK_EVERY == 0 && bundle_stopped())
			return bundle_fail(c->b, ERR_AGAIN, "told to end");
		if (block.kind == PCAPNG_PACKET)
			code = copy_packet(c, r, &block.packet);
		else if (block.kind == PCAPNG_STATISTICS)
			code = copy_statistics(c, &block.statistics);
		if (code != 0)
			return bundle_fail(c->b, code, "evidence.pcapng: %s", code == ERR_FULL ? strerror(ENOSPC) : err_str(code));
	}
	if (code != ERR_END && c->file->row.state != CUSTODY_OPEN)
		bundle_problem(c->b, "segment-damaged", "%s: %s; what stands behind that is not in evidence.pcapng", c->file->path,
		               pcapng_reader_error(r));
	return 0;
}

/* The rest, behind a place that could not be read; then: is it what the ledger says? */
static void check_hash(struct copying *c)
{
	uint8_t rest[16384];
	while (read_hashed(c, rest, sizeof rest) > 0)
		;
	sha256_end(&c->hash, c->file->found);
	c->file->has_found = true;
	if (c->file->row.state == CUSTODY_OPEN)
		return;
	if (!c->file->has_recorded)
		bundle_problem(c->b, "segment-without-hash", "%s: the record holds no SHA-256 of it", c->file->path);
	else if (memcmp(c->file->found, c->file->recorded, sizeof c->file->found) != 0)
		bundle_problem(c->b, "segment-changed", "%s: its SHA-256 is not the one that was recorded when it was finished:"
		               " somebody or something changed it", c->file->path);
}

static int open_segment(struct copying *c)
{
	char path[sizeof c->b->data_dir + sizeof c->file->path];
	snprintf(path, sizeof path, "%s/%s", c->b->data_dir, c->file->path);
	if (!evidence_path_good(c->file->path)) {
		bundle_problem(c->b, "segment-path", "%s: this is no path of evidence; nothing was read", c->file->path);
		return ERR_INVALID;
	}
	c->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (c->fd >= 0)
		return 0;
	if (errno == EACCES || errno == EPERM)
		return bundle_fail(c->b, ERR_PERM, "%s: %s", path, strerror(errno));
	if (errno == ENOENT && !c->b->last_try)
		return ERR_NOTFOUND;
	bundle_problem(c->b, "segment-missing", "%s: %s", c->file->path, strerror(errno));
	return ERR_INVALID;
}

static int copy_file(struct copying *c)
{
	struct pcapng_reader *r = NULL;
	const struct pcapng_source source = {.read = read_hashed, .ctx = c};
	int code = open_segment(c);
	if (code != 0)
		return code == ERR_INVALID ? 0 : code;
	for (unsigned i = 0; i < PCAPNG_INTERFACES; i++)
		c->place[i] = -1;
	sha256_begin(&c->hash);
	code = pcapng_reader_new(&source, &r);
	if (code == 0)
		code = copy_blocks(c, r);
	if (code == 0)
		check_hash(c);
	pcapng_reader_free(r);
	close(c->fd);
	return code;
}

/* --- all of them --- */

static void find_parts(struct copying *c)
{
	size_t from = 0;
	while (from < c->b->parts && c->b->part[from].file != c->file->row.id)
		from++;
	size_t to = from;
	while (to < c->b->parts && c->b->part[to].file == c->file->row.id)
		to++;
	c->part = c->b->part + from;
	c->parts = to - from;
}

static void compare_counts(struct copying *c)
{
	uint64_t less = 0;
	for (size_t i = 0; i < c->parts; i++)
		less += c->part[i].wanted > c->part[i].found ? c->part[i].wanted - c->part[i].found : 0;
	if (less == 0)
		return;
	if (c->file->row.state == CUSTODY_OPEN)
		bundle_note(c->b, "segment-open", "%s: %" PRIu64 " packets are not written out yet; ask again in a minute",
		            c->file->path, less);
	else
		bundle_problem(c->b, "packets-missing", "%s: %" PRIu64 " packets fewer than the record says", c->file->path, less);
}

static int copy_all(struct copying *c)
{
	struct bundle *b = c->b;
	for (size_t i = 0; i < b->files; i++) {
		c->file = &b->file[i];
		find_parts(c);
		if (c->parts == 0 || c->file->row.state == CUSTODY_EVICTED)
			continue;
		const int code = copy_file(c);
		if (code != 0)
			return code;
		compare_counts(c);
		if (c->file->row.state == CUSTODY_OPEN)
			bundle_note(b, "segment-open", "%s: still being written; the ledger has no hash of it yet", c->file->path);
	}
	return 0;
}

static int write_packets(struct bundle *b, int fd)
{
	struct copying *c = calloc(1, sizeof *c);
	if (c == NULL)
		return ERR_NOMEM;
	c->b = b;
	char comment[300];
	snprintf(comment, sizeof comment, "%s %" PRId64 " of sensor %s: the packets that garita kept",
	         b->of.finding != 0 ? "finding" : "transfer", b->of.finding != 0 ? b->of.finding : b->of.transfer, b->sensor);
	const struct pcapng_section section = {.comment = comment, .application = "garita " GARITA_VERSION};
	int code = pcapng_writer_new(fd, &section, &c->writer);
	if (code == 0)
		code = copy_all(c);
	if (code == 0) {
		code = pcapng_flush(c->writer);
		if (code != 0)
			bundle_fail(b, code, "evidence.pcapng: %s", strerror(errno));
	}
	pcapng_writer_free(c->writer);
	free(c);
	return code;
}

int bundle_add_packets(struct bundle *b)
{
	FILE *f = NULL;
	if (b->missed > 0)
		bundle_note(b, "packets-missed", "%" PRIu64 " packets were seen and not kept: past a limit, or for want of room", b->missed);
	if (b->evicted > 0)
		bundle_note(b, "packets-evicted", "%" PRIu64 " packets were kept and have been evicted since; the ledger says when and why",
		            b->evicted);
	if (b->parts == 0) {
		bundle_note(b, "no-packets", "no packets are kept of this");
		return 0;
	}
	int code = bundle_open(b, "evidence.pcapng", "the packets, each with a comment that says of which transfer it is", &f);
	if (code != 0)
		return code;
	code = write_packets(b, fileno(f));
	const int closed = bundle_close(b, f);
	return code != 0 ? code : closed;
}

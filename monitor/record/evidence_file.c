/* The file that is written: begun with the first packet that is kept, ended by
 * its size, by the hour, or by the end of the run. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "record/evidence_parts.h"

#define HOUR_US (INT64_C(3600) * 1000000)
#define HOUR_MS (3600 * 1000)
#define LOOK_MS 2000                 /* between two looks at the room on the disk */
#define RETRY_MS 5000                /* after it was full */
#define GAP_MS 60000                 /* that often a gap that goes on is told again */
#define NAMES_TRIED 1000
#define BEGIN_BYTES (4u << 20)       /* the disk is given at a time */
#define NOTE_BYTES 200               /* of a packet's block beside its bytes, more or less */
#define RESERVE_SHARE 20u            /* of the disk is the record's, at most */
#define RESERVE_LEAST (UINT64_C(64) << 20)   /* but that much, or a quarter of a small one */

void evidence_file_free(struct evidence_file *f)
{
	if (f == NULL)
		return;
	pcapng_writer_free(f->writer);
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

/* --- the disk --- */

static int64_t wall_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Told more than once: the record knows it by its start, its cause and its words. */
static void tell_gap(struct evidence *e)
{
	char detail[160];
	snprintf(detail, sizeof detail, "packets of unapproved transfers are not kept: %s", e->full_why);
	const struct row_gap gap = {.start_us = e->full_us, .end_us = wall_us(), .cause = "evidence-full", .detail = detail,
	                            .lost = e->missed[EVIDENCE_DISK] - e->full_missed};
	if (e->o.judge != NULL)
		judge_add_gap(e->o.judge, &gap);
	e->told_ms = e->now_ms;
}

static int is_full(struct evidence *e, int code)
{
	if (e->full_ms == 0) {
		e->full_us = wall_us();
		e->full_missed = e->missed[EVIDENCE_DISK];
		snprintf(e->full_why, sizeof e->full_why, "%s", e->no_more ? "the files are past their bounds, and none of them may go" :
		         e->exhausted ? "the room that is left on the disk is the record's" :
		         code == ERR_FULL ? "the disk is full" : strerror(errno));
		log_error("judge", "evidence: packets are not kept: %s", e->full_why);
		tell_gap(e);
	}
	e->full_ms = e->now_ms != 0 ? e->now_ms : 1;
	return ERR_FULL;
}

static void is_good(struct evidence *e)
{
	if (e->full_ms == 0)
		return;
	tell_gap(e);
	e->full_ms = 0;
	e->exhausted = false;
	log_info("judge", "evidence: packets are kept again");
}

/* The record needs room to go on: evidence leaves it some. */
static bool has_room(struct evidence *e)
{
	struct statfs s;
	/* What was written since then counts: a fast line fills a small disk between two looks. */
	if (e->looked_ms != 0 && e->now_ms - e->looked_ms < LOOK_MS && (e->exhausted || e->spare > 0))
		return !e->exhausted;
	e->looked_ms = e->now_ms != 0 ? e->now_ms : 1;
	if (statfs(e->o.data_dir, &s) != 0)
		return true;
	const uint64_t all = (uint64_t)s.f_blocks * (uint64_t)s.f_bsize, left = (uint64_t)s.f_bavail * (uint64_t)s.f_bsize;
	const uint64_t small = all / 4 < RESERVE_LEAST ? all / 4 : RESERVE_LEAST, wanted = e->config.reserve_bytes;
	const uint64_t share = all / RESERVE_SHARE > small ? all / RESERVE_SHARE : small;
	e->reserve = share < wanted ? share : wanted;
	e->exhausted = left <= e->reserve + KEPT_DATA_MAX || e->no_more;
	/* Half of it, as the record and others write, too. */
	e->spare = e->exhausted ? 0 : (int64_t)((left - e->reserve) / 2);
	return !e->exhausted;
}

/* --- begin --- */

static int sync_folder(const char *path)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	const int rc = fsync(fd) == 0 ? 0 : ERR_IO;
	close(fd);
	return rc;
}

static int make_folder(const char *path)
{
	return mkdir(path, 0750) == 0 || errno == EEXIST ? 0 : errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
}

/* Its names are never used twice: a file of another record may lie there. */
static int open_file(struct evidence *e, struct evidence_file *f)
{
	char folder[600], path[700], date[16], when[16];
	const time_t seconds = (time_t)(f->first_us / 1000000);
	struct tm t;
	gmtime_r(&seconds, &t);
	strftime(date, sizeof date, "%Y-%m-%d", &t);
	strftime(when, sizeof when, "%H%M%S", &t);
	snprintf(folder, sizeof folder, "%s/" EVIDENCE_FOLDER, e->o.data_dir);
	int rc = make_folder(folder);
	snprintf(folder, sizeof folder, "%s/" EVIDENCE_FOLDER "/%s", e->o.data_dir, date);
	if (rc == 0)
		rc = make_folder(folder);
	for (unsigned i = 0; rc == 0 && i < NAMES_TRIED; i++) {
		snprintf(f->path, sizeof f->path, EVIDENCE_FOLDER "/%s/%s-%" PRId64 ".pcapng", date, when, ++e->name_number);
		snprintf(path, sizeof path, "%s/%s", e->o.data_dir, f->path);
		f->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
		if (f->fd >= 0)
			return sync_folder(folder);
		if (errno != EEXIST)
			rc = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
	}
	return rc != 0 ? rc : ERR_IO;
}

static int remember(struct evidence *e, uint32_t number)
{
	if (number < e->id_room)
		return 0;
	const uint32_t room = e->id_room == 0 ? 64 : 2 * e->id_room;
	int64_t *ids = realloc(e->ids, room * sizeof *ids);
	if (ids == NULL)
		return ERR_NOMEM;
	memset(ids + e->id_room, 0, (room - e->id_room) * sizeof *ids);
	e->ids = ids;
	e->id_room = room;
	return 0;
}

static void get_counters(const struct evidence *e, struct counters *ret)
{
	struct judge_totals t = {0};
	if (e->o.judge != NULL)
		judge_get_totals(e->o.judge, &t);
	*ret = t.counters;
}

static int begin_file(struct evidence *e, int64_t first_us)
{
	char comment[120];
	struct evidence_file *f = calloc(1, sizeof *f);
	if (f == NULL)
		return ERR_NOMEM;
	f->fd = -1;
	f->first_us = f->last_us = first_us;
	f->hour_end_us = (first_us / HOUR_US + 1) * HOUR_US;
	f->opened_ms = f->synced_ms = e->now_ms;
	f->changed = true;
	snprintf(comment, sizeof comment, "evidence of garita, sensor %s", e->o.sensor != NULL ? e->o.sensor : "");
	const struct pcapng_section section = {.comment = comment, .application = "garita " GARITA_VERSION};
	int rc = remember(e, e->file_number + 1);
	if (rc == 0)
		rc = open_file(e, f);
	if (rc == 0)
		rc = pcapng_writer_new(f->fd, &section, &f->writer);
	if (rc != 0) {
		const int why = errno;
		evidence_file_free(f);
		errno = why;
		return rc;
	}
	get_counters(e, &f->before);
	f->number = ++e->file_number;
	e->file = f;
	e->files++;
	return 0;
}

/* --- write --- */

static int find_interface(struct evidence *e, const struct kept_frame *k, uint32_t *ret)
{
	struct evidence_file *f = e->file;
	char name[32];
	for (unsigned i = 0; i < f->interface_count; i++) {
		if (f->interface[i].link_type == k->link_type && f->interface[i].interface == k->interface) {
			*ret = i;
			return 0;
		}
	}
	snprintf(name, sizeof name, "replay");
	if (e->o.interfaces != NULL && k->interface < e->o.interface_count)
		snprintf(name, sizeof name, "%s", e->o.interfaces[k->interface]);
	const struct pcapng_interface i = {.link_type = k->link_type, .name = name};
	/* A worker that makes them up: no file has so many. */
	if (f->interface_count == PCAPNG_INTERFACES)
		return ERR_INVALID;
	const int rc = pcapng_add_interface(f->writer, &i, ret);
	if (rc == 0) {
		f->interface[*ret].link_type = k->link_type;
		f->interface[*ret].interface = k->interface;
		f->interface_count = *ret + 1;
	}
	return rc;
}

static void say_reasons(uint32_t reasons, char *ret, size_t n)
{
	size_t used = 0;
	ret[0] = '\0';
	for (unsigned i = 0; i < 32 && used < n; i++) {
		const char *word = (reasons >> i & 1) != 0 ? reason_word((enum reason)i) : NULL;
		if (word != NULL)
			used += (size_t)snprintf(ret + used, n - used, "%s%s", used > 0 ? "," : "", word);
	}
}

static void say_text(const struct evidence *e, uint32_t id, char *ret, size_t n)
{
	const char *text = intern_text(e->texts, id);
	snprintf(ret, n, "%s", text != NULL ? text : "");
}

/* All of it with the first packet of a flow in a file, the transfer alone with the others. */
static void say(struct evidence *e, const struct kept *k, const struct kept_frame *f, char *ret, size_t n)
{
	e->note.transfer = k->transfer;
	if (k->said == e->file->number) {
		(void)!pcapng_note_write(&e->note, ret, n);
		return;
	}
	struct pcapng_note note = {.transfer = k->transfer, .finding = k->finding};
	say_text(e, k->equipment, note.equipment, sizeof note.equipment);
	say_text(e, k->policy, note.policy, sizeof note.policy);
	snprintf(note.verdict, sizeof note.verdict, "%s", verdict_word((enum verdict)k->verdict));
	snprintf(note.sensor, sizeof note.sensor, "%s", e->o.sensor != NULL ? e->o.sensor : "");
	say_reasons(k->reasons, note.reasons, sizeof note.reasons);
	if (f->snapped)
		snprintf(note.extra, sizeof note.extra, "headers-only");
	(void)!pcapng_note_write(&note, ret, n);
}

static bool is_over(const struct evidence *e, int64_t time_us)
{
	const struct evidence_file *f = e->file;
	return f != NULL && (pcapng_size(f->writer) >= e->config.file_bytes || time_us >= f->hour_end_us);
}

static int prepare(struct evidence *e, const struct kept_frame *f)
{
	if (e->full_ms != 0 && e->now_ms - e->full_ms < RETRY_MS)
		return ERR_FULL;
	if (!has_room(e))
		return is_full(e, ERR_FULL);
	if (is_over(e, f->time_us))
		evidence_close_file(e);
	if (e->file != NULL)
		return 0;
	const int rc = begin_file(e, f->time_us);
	return rc == ERR_FULL || rc == ERR_IO ? is_full(e, rc) : rc;
}

/* So that who waits for the disk at the file's end waits for its last part only. */
static void begin_writing(struct evidence_file *f)
{
	const uint64_t done = pcapng_written(f->writer);
	if (done - f->begun < BEGIN_BYTES)
		return;
	(void)!sync_file_range(f->fd, (off_t)f->begun, (off_t)(done - f->begun), SYNC_FILE_RANGE_WRITE);
	f->begun = done;
}

int evidence_write(struct evidence *e, struct kept *k, const struct kept_frame *f, const uint8_t *data)
{
	char note[PCAPNG_TEXT_MAX];
	uint32_t interface;
	int rc = prepare(e, f);
	if (rc == 0)
		rc = find_interface(e, f, &interface);
	if (rc != 0)
		return rc == ERR_FULL || rc == ERR_IO ? is_full(e, rc) : rc;
	say(e, k, f, note, sizeof note);
	const struct pcapng_packet p = {.interface = interface, .time_us = f->time_us, .caplen = f->caplen,
	                                .wirelen = f->wirelen, .data = data, .comment = note};
	rc = pcapng_add_packet(e->file->writer, &p);
	if (rc != 0)
		return is_full(e, rc);
	is_good(e);
	struct evidence_file *to = e->file;
	to->first_us = to->packets == 0 || f->time_us < to->first_us ? f->time_us : to->first_us;
	to->last_us = f->time_us > to->last_us ? f->time_us : to->last_us;
	to->packets++;
	to->unsynced += f->caplen;
	begin_writing(to);
	e->spare -= (int64_t)f->caplen + NOTE_BYTES;
	to->changed = true;
	k->said = k->file = to->number;
	evidence_count(e, to->number, k, &(const struct delta){.packets = 1, .bytes = f->caplen});
	return 0;
}

int evidence_write_out(struct evidence *e)
{
	if (e->file == NULL)
		return 0;
	const int rc = pcapng_flush(e->file->writer);
	if (rc != 0)
		return is_full(e, rc);
	e->file->bytes = pcapng_size(e->file->writer);
	return 0;
}

/* --- end --- */

static uint64_t since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* What the sensor saw and lost while the file was open. Its counters are of all interfaces together. */
static int add_statistics(struct evidence *e, struct evidence_file *f)
{
	struct counters now;
	int rc = 0;
	get_counters(e, &now);
	for (uint32_t i = 0; rc == 0 && i < f->interface_count; i++) {
		struct pcapng_statistics s = {
			.interface = i, .time_us = f->last_us, .start_us = f->first_us, .end_us = f->last_us,
			.received = PCAPNG_NOT_KNOWN, .dropped = PCAPNG_NOT_KNOWN, .os_dropped = PCAPNG_NOT_KNOWN,
			.delivered = PCAPNG_NOT_KNOWN,
		};
		if (i == 0 && e->o.judge != NULL) {
			s.comment = f->interface_count > 1 || e->o.interface_count > 1 ? "counts of all interfaces together" : NULL;
			s.received = since(now.frames, f->before.frames);
			s.dropped = since(now.interface_drops, f->before.interface_drops);
			s.os_dropped = since(now.kernel_drops, f->before.kernel_drops);
			s.delivered = f->packets;
		}
		rc = pcapng_add_statistics(f->writer, &s);
	}
	return rc;
}

/* A file that cannot be ended now stays open; the next start ends it, if nobody did before. */
void evidence_close_file(struct evidence *e)
{
	struct evidence_file *f = e->file;
	if (f == NULL)
		return;
	/* Statistics that are there twice do no harm. */
	int rc = add_statistics(e, f);
	if (rc == 0)
		rc = pcapng_flush(f->writer);
	if (rc == 0 && fdatasync(f->fd) != 0)
		rc = ERR_IO;
	if (rc != 0) {
		(void)is_full(e, rc);
		return;
	}
	pcapng_hash(f->writer, f->sha256);
	f->bytes = pcapng_size(f->writer);
	f->closed = f->changed = true;
	pcapng_writer_free(f->writer);
	f->writer = NULL;
	close(f->fd);
	f->fd = -1;
	f->next = NULL;
	struct evidence_file **last = &e->closed;
	while (*last != NULL)
		last = &(*last)->next;
	*last = f;
	e->file = NULL;
}

void evidence_file_end(struct evidence *e)
{
	evidence_close_file(e);
	if (e->full_ms != 0)
		tell_gap(e);
}

void evidence_file_step(struct evidence *e)
{
	struct evidence_file *f = e->file;
	if (e->full_ms != 0 && e->now_ms - e->told_ms >= GAP_MS)
		tell_gap(e);
	if (f == NULL)
		return;
	/* Nothing new for so long, or nothing but old packets. */
	if (e->o.live && e->now_ms - f->opened_ms >= HOUR_MS && (e->full_ms == 0 || e->now_ms - e->full_ms >= RETRY_MS)) {
		evidence_close_file(e);
		return;
	}
	if (f->unsynced == 0 || e->now_ms - f->synced_ms < EVIDENCE_SYNC_MS)
		return;
	f->synced_ms = e->now_ms;
	if (evidence_write_out(e) == 0 && fdatasync(f->fd) == 0)
		f->unsynced = 0;
}

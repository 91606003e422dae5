/* The order in which a bundle is made; its temporary folder, its end. */
#include "evidence/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evidence/bundle_zip.h"
#include "record/pcapng.h"

#define TRIES 3u                        /* a sensor may evict files meanwhile */

/* --- told to end --- */

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	stopped = number;
}

bool bundle_stopped(void)
{
	return stopped != 0;
}

static void catch_signals(bool on)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	const struct sigaction act = {.sa_handler = on ? on_signal : SIG_DFL};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		sigaction(numbers[i], &act, NULL);
}

/* --- what there is to say --- */

int bundle_fail(struct bundle *b, int code, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(b->error, sizeof b->error, fmt, args);
	va_end(args);
	return code;
}

static void say(struct bundle *b, bool note, const char *word, const char *text)
{
	b->wrong += !note;
	if (b->problems == BUNDLE_PROBLEMS)
		return;
	struct bundle_problem *p = &b->problem[b->problems++];
	p->note = note;
	snprintf(p->word, sizeof p->word, "%s", word);
	snprintf(p->text, sizeof p->text, "%s", text);
}

void bundle_problem(struct bundle *b, const char *word, const char *fmt, ...)
{
	char text[400];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	say(b, false, word, text);
}

void bundle_note(struct bundle *b, const char *word, const char *fmt, ...)
{
	char text[400];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	say(b, true, word, text);
}

/* --- members --- */

const char *bundle_path(const struct bundle *b, unsigned member, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%u", b->dir, member);
	return buf;
}

int bundle_open(struct bundle *b, const char *name, const char *what, FILE **ret)
{
	char path[sizeof b->dir + 16];
	if (bundle_stopped())
		return bundle_fail(b, ERR_AGAIN, "told to end");
	if (b->members == BUNDLE_MEMBERS)
		return bundle_fail(b, ERR_FULL, "more than %u files", BUNDLE_MEMBERS);
	struct bundle_member *m = &b->member[b->members];
	FILE *f = fopen(bundle_path(b, b->members, path, sizeof path), "w+");
	if (f == NULL)
		return bundle_fail(b, ERR_IO, "%s: %s", path, strerror(errno));
	snprintf(m->name, sizeof m->name, "%s", name);
	m->what = what;
	b->members++;
	*ret = f;
	return 0;
}

int bundle_close(struct bundle *b, FILE *f)
{
	struct bundle_member *m = &b->member[b->members - 1];
	errno = 0;
	int code = 0;
	if (fflush(f) != 0 || ferror(f)) {
		code = errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ERR_FULL : ERR_IO;
		bundle_fail(b, code, "%s: %s", m->name, errno != 0 ? strerror(errno) : err_str(code));
	}
	if (code == 0)
		code = pcapng_hash_file(fileno(f), UINT64_MAX, m->sha256, &m->bytes);
	fclose(f);
	return code;
}

/* --- the temporary folder --- */

static int make_folder(struct bundle *b, const char *out)
{
	const char *slash = strrchr(out, '/');
	const int n = slash != NULL ? snprintf(b->dir, sizeof b->dir, "%.*s/.garita-evidence-XXXXXX", (int)(slash - out), out)
	                            : snprintf(b->dir, sizeof b->dir, ".garita-evidence-XXXXXX");
	if (n < 0 || (size_t)n >= sizeof b->dir || mkdtemp(b->dir) == NULL) {
		bundle_fail(b, ERR_IO, "%s: %s", out, strerror(n < 0 || (size_t)n >= sizeof b->dir ? ENAMETOOLONG : errno));
		b->dir[0] = '\0';
		return ERR_IO;
	}
	return 0;
}

static void empty_folder(const struct bundle *b)
{
	DIR *d = opendir(b->dir);
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
}

void bundle_done(struct bundle *b)
{
	if (b->dir[0] != '\0') {
		empty_folder(b);
		rmdir(b->dir);
	}
	free(b->file);
	free(b->part);
	b->file = NULL;
	b->part = NULL;
	b->dir[0] = '\0';
}

/* --- the zip file --- */

static int move_into_place(struct bundle *b, const char *from, const struct bundle_options *o)
{
	const int fd = open(from, O_RDONLY | O_CLOEXEC);
	const bool synced = fd >= 0 && fchmod(fd, 0600) == 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	if (!synced)
		return bundle_fail(b, ERR_IO, "%s: %s", o->out, strerror(errno));
	/* A device would be a file from then on, also /dev/null. */
	struct stat st;
	if (o->force && stat(o->out, &st) == 0 && !S_ISREG(st.st_mode))
		return bundle_fail(b, ERR_INVALID, "%s: is no regular file", o->out);
	int failed = o->force ? rename(from, o->out) : renameat2(AT_FDCWD, from, AT_FDCWD, o->out, RENAME_NOREPLACE);
	if (failed != 0 && !o->force && (errno == EINVAL || errno == ENOSYS))
		failed = link(from, o->out);   /* a file system that knows no better: the other name goes with the folder */
	if (failed == 0)
		return 0;
	return bundle_fail(b, errno == EEXIST ? ERR_BUSY : ERR_IO, "%s: %s", o->out, strerror(errno));
}

static int write_zip(struct bundle *b, const struct bundle_options *o)
{
	char path[sizeof b->dir + 16], name[BUNDLE_NAME_MAX + sizeof b->folder + 1], member[sizeof b->dir + 16];
	struct bundle_zip *z = NULL;
	snprintf(path, sizeof path, "%s/zip", b->dir);
	int code = bundle_zip_new(path, &z);
	for (unsigned i = 0; code == 0 && i < b->members; i++) {
		snprintf(name, sizeof name, "%s/%s", b->folder, b->member[i].name);
		code = bundle_zip_add(z, name, bundle_path(b, i, member, sizeof member));
	}
	if (code != 0) {
		bundle_zip_drop(z);
		return bundle_fail(b, code, "%s: %s", o->out, err_str(code));
	}
	char why[200] = "";
	code = bundle_zip_end(z, bundle_stopped, why, sizeof why);
	if (code != 0)
		return bundle_fail(b, code, "%s: %s", o->out, why);
	return move_into_place(b, path, o);
}

/* --- the order --- */

static int write_readmes(struct bundle *b)
{
	static const struct {
		const char *name, *lang, *what;
	} readmes[] = {
		{"README.txt", "en", "what this is, and how to check it"},
		{"LEEME.txt", "es", "what this is, and how to check it, in Spanish"},
	};
	for (size_t i = 0; i < sizeof readmes / sizeof readmes[0]; i++) {
		FILE *f = NULL;
		int code = bundle_open(b, readmes[i].name, readmes[i].what, &f);
		if (code != 0)
			return code;
		bundle_write_readme(f, b, readmes[i].lang);
		code = bundle_close(b, f);
		if (code != 0)
			return code;
	}
	return 0;
}

static int take_sensor(void *ctx, const struct stored_run *run)
{
	struct bundle *b = ctx;
	snprintf(b->sensor, sizeof b->sensor, "%s", run->sensor != NULL ? run->sensor : "");
	return 0;
}

/* One state of the record; then the packets, which takes longer. */
static int gather(struct bundle *b)
{
	int code = store_read_begin(b->reader);
	if (code == 0)
		code = store_read_runs(b->reader, 1, take_sensor, b);
	if (code == 0)
		code = bundle_read_parts(b);
	if (code == 0)
		code = bundle_add_records(b);
	if (code == 0)
		code = bundle_add_seals(b);
	if (code == 0)
		code = bundle_add_ledger(b);
	store_read_end(b->reader);
	if (code != 0 && b->error[0] == '\0' && code != ERR_NOTFOUND)
		bundle_fail(b, code, "%s", store_reader_error(b->reader)[0] != '\0' ? store_reader_error(b->reader) : err_str(code));
	return code;
}

static void begin_anew(struct bundle *b)
{
	empty_folder(b);
	free(b->file);
	free(b->part);
	b->file = NULL;
	b->part = NULL;
	b->members = b->problems = b->wrong = 0;
	b->files = b->parts = 0;
	b->transfers = b->packets = b->bytes = b->missed = b->evicted = b->entries = b->proven = b->checkpoint = 0;
	b->seals = 0;
	b->finding = 0;
}

static int fill(struct bundle *b, const struct bundle_options *o)
{
	int code = ERR_NOTFOUND;
	for (unsigned i = 1; i <= TRIES && code == ERR_NOTFOUND; i++) {
		begin_anew(b);
		b->last_try = i == TRIES;
		code = gather(b);
		if (code != 0)
			return code;
		code = bundle_add_packets(b);
	}
	if (code == 0)
		code = write_readmes(b);
	if (code == 0)
		code = bundle_add_manifest(b);
	return code == 0 ? write_zip(b, o) : code;
}

static void take_data_dir(struct bundle *b, const char *db)
{
	const char *slash = strrchr(db, '/');
	if (slash != NULL)
		snprintf(b->data_dir, sizeof b->data_dir, "%.*s", slash == db ? 1 : (int)(slash - db), db);
	else
		snprintf(b->data_dir, sizeof b->data_dir, ".");
}

int bundle_make(struct store_reader *r, const struct bundle_options *o, struct bundle *ret)
{
	struct bundle *b = ret;
	memset(b, 0, sizeof *b);
	b->reader = r;
	b->verb = o->verb;
	b->of = o->of;
	take_data_dir(b, o->db);
	snprintf(b->folder, sizeof b->folder, "garita-%s-%lld", o->of.finding != 0 ? "finding" : "transfer",
	         (long long)(o->of.finding != 0 ? o->of.finding : o->of.transfer));
	if (!o->force && access(o->out, F_OK) == 0)
		return bundle_fail(b, ERR_BUSY, "%s: %s", o->out, strerror(EEXIST));
	const mode_t mask = umask(077);
	catch_signals(true);
	int code = make_folder(b, o->out);
	if (code == 0)
		code = fill(b, o);
	catch_signals(false);
	umask(mask);
	return code;
}

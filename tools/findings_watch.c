/* garita findings --watch: a line for each finding that is new or changed, as
 * they come. Lines are added and never drawn over: that works over ssh, in
 * tmux, in a file and in a pipe, and nothing that was said is lost. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "finding_text.h"
#include "findings.h"
#include "format.h"
#include "text.h"
#include "transfer_fields.h"

#define VERB "findings"
#define REST_TIMES 10      /* a look at very many findings takes longer: one in so much time at most */
#define LOOK_ANYWAY_S 30   /* deadlines pass and suppressions end without anybody writing */

enum event { EVENT_NONE = 0, EVENT_PRESENT, EVENT_NEW, EVENT_REOPENED, EVENT_OVERDUE, EVENT_SEVERE, EVENT_REVIEW, EVENT_DETECTED,
             EVENT_WEIGHS, EVENT_GREW, EVENT_QUIET, EVENT_ACTIVE, EVENT_EMPTIED, EVENT_SUPPRESSED, EVENTS };

static const char *const words[EVENTS] = {"", "present", "new", "reopened", "overdue", "severe", "review", "detected",
                                          "severity", "grew", "quiet", "active", "emptied", "suppressed"};

/* What was last said of a finding. */
struct known {
	int64_t id, first_us, due_us;
	uint64_t signs, reopened, bytes_out;
	uint32_t reasons;
	unsigned severity;
	enum review_state state;
	enum review_disposition disposition;
	bool closed, overdue, seen;
};

struct watch {
	struct findings_asked *a;
	struct store_reader *r;
	struct known *known;
	size_t count, room;
	bool first, changed;           /* something was printed */
	int64_t now_us, looked_us, version;
	int64_t rest_us;               /* after the last look */
	int64_t next_due_us;           /* deadline that passes next; 0: none */
	dev_t device;
	ino_t inode;
	struct json json;
};

static volatile sig_atomic_t ended;

static void on_signal(int signal)
{
	(void)signal;
	ended = 1;
}

static int64_t wall_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- what is said --- */

static const char *event_text(enum event e, const char *lang)
{
	static const enum text texts[EVENTS] = {
		[EVENT_NEW] = TEXT_EVENT_NEW, [EVENT_REOPENED] = TEXT_EVENT_REOPENED, [EVENT_OVERDUE] = TEXT_EVENT_OVERDUE,
		[EVENT_SEVERE] = TEXT_EVENT_SEVERE, [EVENT_REVIEW] = TEXT_EVENT_REVIEW, [EVENT_DETECTED] = TEXT_EVENT_DETECTED,
		[EVENT_WEIGHS] = TEXT_EVENT_SEVERITY, [EVENT_GREW] = TEXT_EVENT_GREW, [EVENT_QUIET] = TEXT_EVENT_QUIET,
		[EVENT_ACTIVE] = TEXT_EVENT_ACTIVE, [EVENT_EMPTIED] = TEXT_EVENT_EMPTIED,
		[EVENT_SUPPRESSED] = TEXT_EVENT_SUPPRESSED};
	return text(lang, texts[e]);
}

static void say_line(const struct watch *w, enum event e, const struct stored_finding *s)
{
	const struct row_finding *r = &s->row;
	const char *lang = tool_lang(&w->a->f.common);
	const bool colour = format_has_colour(stdout), bad = findings_is_due(s) && e != EVENT_EMPTIED && e != EVENT_SUPPRESSED;
	char at[FORMAT_TIME_MAX], out[FORMAT_SIZE_MAX], why[STORE_REASONS_MAX + STORE_SIGNS_MAX], raw[3000], clean[6000];
	char state[FINDINGS_STATE_MAX];
	snprintf(raw, sizeof raw, "%s %s%s%s%s, %s: %s · %s", r->equipment, r->peer_opened ? "← " : "→ ", finding_peer(s),
	         r->country != NULL ? ", " : "", r->country != NULL ? r->country : "", format_size(r->bytes_out, out),
	         finding_why(s, why, sizeof why), findings_state(s, w->now_us, lang, state));
	/* A bell for what must be looked at now. */
	if (bad && isatty(STDOUT_FILENO) && (e == EVENT_NEW || e == EVENT_SEVERE || e == EVENT_OVERDUE || e == EVENT_REOPENED))
		putchar('\a');
	const char *what = event_text(e, lang);
	printf("%.8sZ  %s%s%*s%s %4" PRId64 " (%u)  %s\n", format_time(w->now_us, at) + 11,
	       colour ? format_colour_start(bad ? COLOUR_BAD : COLOUR_BOLD) : "", what,
	       format_width(what) < 12 ? (int)(12 - format_width(what)) : 0, "", colour ? FORMAT_COLOUR_END : "", r->id, r->severity,
	       format_clean(raw, clean, sizeof clean));
}

static int say_json(struct watch *w, enum event e, const struct stored_finding *s)
{
	struct transfer_fields f;
	finding_fields(s, &f);
	json_reset(&w->json);
	json_object(&w->json, NULL);
	json_str(&w->json, "event", words[e]);
	json_time(&w->json, "told", w->now_us);
	transfer_json_keys(&f, &w->json);
	json_object_end(&w->json);
	const char *line = json_text(&w->json);
	return line == NULL ? ERR_NOMEM : puts(line) >= 0 ? 0 : ERR_IO;
}

static int say_csv(enum event e, const struct stored_finding *s)
{
	struct transfer_fields f;
	finding_fields(s, &f);
	printf("%s,", words[e]);
	return transfer_csv(&f);
}

static int say(struct watch *w, enum event e, const struct stored_finding *s)
{
	w->changed = true;
	if (w->a->f.common.format == FORMAT_JSON)
		return say_json(w, e, s);
	if (w->a->f.common.format == FORMAT_CSV)
		return say_csv(e, s);
	say_line(w, e, s);
	return 0;
}

/* --- what changed --- */

static struct known *find(const struct watch *w, int64_t id)
{
	size_t low = 0, high = w->count;
	while (low < high) {
		const size_t at = (low + high) / 2;
		if (w->known[at].id == id)
			return &w->known[at];
		if (w->known[at].id < id)
			low = at + 1;
		else
			high = at;
	}
	return NULL;
}

/* A place for that id, in order; they mostly come at the end. NULL: no memory. */
static struct known *place(struct watch *w, int64_t id)
{
	if (w->count == w->room) {
		const size_t room = w->room != 0 ? 2 * w->room : 256;
		struct known *more = realloc(w->known, room * sizeof *more);
		if (more == NULL)
			return NULL;
		w->known = more;
		w->room = room;
	}
	size_t at = w->count;
	while (at > 0 && w->known[at - 1].id > id)
		at--;
	memmove(&w->known[at + 1], &w->known[at], (w->count - at) * sizeof *w->known);
	w->count++;
	w->known[at] = (struct known){.id = id};
	return &w->known[at];
}

static struct known state_of(const struct stored_finding *s, int64_t now_us)
{
	const struct row_review *v = &s->review;
	return (struct known){.id = s->row.id, .first_us = s->row.first_us, .due_us = v->due_us, .signs = s->row.signs,
	                      .reopened = v->reopened, .bytes_out = s->row.bytes_out, .reasons = s->row.reasons,
	                      .severity = s->row.severity, .state = v->state, .disposition = v->disposition,
	                      .closed = s->row.closed, .overdue = findings_is_due(s) && v->due_us <= now_us, .seen = true};
}

/* The weightiest thing that is otherwise than it was said. */
static enum event compare(const struct known *was, const struct known *is)
{
	if (is->reopened > was->reopened)
		return EVENT_REOPENED;
	if (is->overdue && !was->overdue)
		return EVENT_OVERDUE;
	if (is->due_us != 0 && was->due_us == 0)
		return EVENT_SEVERE;
	if (is->state != was->state || is->disposition != was->disposition)
		return EVENT_REVIEW;
	if ((is->signs & ~was->signs) != 0 || (is->reasons & ~was->reasons) != 0)
		return EVENT_DETECTED;
	if (is->severity != was->severity)
		return EVENT_WEIGHS;
	if (is->closed != was->closed)
		return is->closed ? EVENT_QUIET : EVENT_ACTIVE;
	/* One that only grows is told at each doubling. */
	return is->bytes_out / 2 > was->bytes_out ? EVENT_GREW : EVENT_NONE;
}

static int on_finding(void *ctx, const struct stored_finding *s)
{
	struct watch *w = ctx;
	const struct known is = state_of(s, w->now_us);
	struct known *k = find(w, s->row.id);
	enum event e = EVENT_NEW;
	if (k != NULL && k->first_us == is.first_us) {
		e = compare(k, &is);
	} else if (k == NULL && (k = place(w, s->row.id)) == NULL) {
		return ERR_NOMEM;
	}
	if (findings_is_due(s) && is.due_us > w->now_us && (w->next_due_us == 0 || is.due_us < w->next_due_us))
		w->next_due_us = is.due_us;
	if (w->first)
		e = w->a->f.common.format == FORMAT_TABLE ? EVENT_NONE : EVENT_PRESENT;   /* the table has shown them */
	k->seen = true;
	if (e == EVENT_NONE && !w->first)
		return 0;
	*k = is;
	return e == EVENT_NONE ? 0 : say(w, e, s);
}

/* One that the list has no longer: why, where that is of its own. */
static int on_gone(void *ctx, const struct stored_finding *s)
{
	struct watch *w = ctx;
	if (s->row.transfers == 0 && s->signs == NULL)
		return say(w, EVENT_EMPTIED, s);
	if (s->suppressed != 0 && w->a->f.filter.suppressed == SUPPRESSED_NOT)
		return say(w, EVENT_SUPPRESSED, s);
	return 0;
}

static int look_for_gone(struct watch *w)
{
	size_t kept = 0;
	int code = 0;
	for (size_t i = 0; i < w->count; i++) {
		const struct finding_filter one = {.id = w->known[i].id, .limit = 1, .now_us = w->now_us};
		if (w->known[i].seen)
			w->known[kept++] = w->known[i];
		else if (code == 0)
			code = store_read_findings(w->r, &one, on_gone, w);
	}
	w->count = kept;
	return code;
}

static int look(struct watch *w)
{
	struct finding_filter f = w->a->f.filter;
	f.limit = 0;
	f.sort = FINDINGS_BY_ID;
	f.now_us = w->now_us;
	w->next_due_us = 0;
	for (size_t i = 0; i < w->count; i++)
		w->known[i].seen = false;
	int code = store_read_findings(w->r, &f, on_finding, w);
	if (code == 0)
		code = look_for_gone(w);
	w->looked_us = w->now_us;
	w->rest_us = (wall_us() - w->now_us) * REST_TIMES;
	w->first = false;
	return code;
}

/* --- the database --- */

static bool is_same_file(const struct watch *w)
{
	char path[4096];
	struct stat st;
	return tool_db_path(&w->a->f.common, path, sizeof path) == 0 && stat(path, &st) == 0 && st.st_dev == w->device &&
	       st.st_ino == w->inode;
}

static void remember_file(struct watch *w)
{
	char path[4096];
	struct stat st;
	if (tool_db_path(&w->a->f.common, path, sizeof path) != 0 || stat(path, &st) != 0)
		return;
	w->device = st.st_dev;
	w->inode = st.st_ino;
}

/* It was begun anew, or taken away for a while: go on with what is there now. */
static void open_again(struct watch *w)
{
	char path[4096], err[4400];
	struct store_reader *r = NULL;
	const char *lang = tool_lang(&w->a->f.common);
	if (tool_db_path(&w->a->f.common, path, sizeof path) != 0 || store_reader_open(path, &r, err, sizeof err) != 0) {
		if (w->r != NULL)
			tool_error(VERB, "%s", text(lang, TEXT_WATCH_GONE));
		store_reader_close(w->r);
		w->r = NULL;
		return;
	}
	tool_error(VERB, "%s", text(lang, TEXT_WATCH_ANEW));
	store_reader_close(w->r);
	w->r = r;
	w->version = -1;
	w->looked_us = 0;
	remember_file(w);
}

/* Nobody wrote, and no time has come; or it is too soon. */
static bool nothing_new(const struct watch *w, int64_t version)
{
	if (w->now_us >= w->looked_us && w->now_us < w->looked_us + w->rest_us)
		return true;
	return version >= 0 && version == w->version && w->now_us >= w->looked_us &&
	       w->now_us - w->looked_us < LOOK_ANYWAY_S * INT64_C(1000000) && (w->next_due_us == 0 || w->next_due_us > w->now_us);
}

static int step(struct watch *w)
{
	w->now_us = wall_us();
	if (w->r == NULL || !is_same_file(w))
		open_again(w);
	if (w->r == NULL)
		return 0;
	const int64_t version = store_reader_version(w->r);
	if (nothing_new(w, version))
		return 0;
	const int code = look(w);
	if (code == ERR_BUSY)
		return 0;
	/* Damaged, or on a disk that does not answer: as if it were gone. */
	if (code == ERR_DAMAGED || code == ERR_IO) {
		tool_error(VERB, "%s", store_reader_error(w->r));
		store_reader_close(w->r);
		w->r = NULL;
		return 0;
	}
	w->version = version;
	return code;
}

/* Until the next look. False: who reads is gone. */
static bool wait_for(const struct watch *w)
{
	struct pollfd out = {.fd = STDOUT_FILENO};
	const int n = poll(&out, 1, (int)w->a->watch_s * 1000);
	return n <= 0 || (out.revents & (POLLERR | POLLNVAL)) == 0;
}

int findings_watch(struct store_reader *r, struct findings_asked *a)
{
	struct watch w = {.a = a, .r = r, .first = true, .version = -1};
	const struct sigaction end = {.sa_handler = on_signal};
	int code = 0;
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	json_init(&w.json);
	remember_file(&w);
	if (a->f.common.format == FORMAT_TABLE)
		code = findings_list(r, a);
	if (code == 0 && a->f.common.format == FORMAT_CSV) {
		const struct stored_finding none = {.reasons = NULL};
		struct transfer_fields f;
		finding_fields(&none, &f);
		printf("event,");
		transfer_csv_head(&f);
	}
	if (code == 0 && isatty(STDOUT_FILENO))
		fprintf(stderr, "%s\n", text(tool_lang(&a->f.common), TEXT_WATCHING));
	bool read = true;
	while (code == 0 && ended == 0 && read) {
		code = step(&w);
		if (code == 0 && (fflush(stdout) != 0 || ferror(stdout)))
			code = ERR_IO;
		read = ended != 0 || code != 0 || wait_for(&w);
	}
	json_done(&w.json);
	free(w.known);
	if (w.r != NULL)
		return tool_close(&a->f.common, w.r, code);
	return code == 0 ? EXIT_DONE : EXIT_FAILED;
}

#include "record/evidence_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "record/evidence_keep_parts.h"

#define AGAIN_US (60 * INT64_C(1000000))   /* all was walked through in vain: not at once again */
#define BAD_MAX 32u                        /* files that are left alone, remembered */

struct evidence_keep {
	struct store *store;
	int dir_fd;
	struct evidence_keep_state state;
	enum evict_stage stage;         /* the walk */
	struct evict_walk at;           /* got so far in it */
	bool disk;                      /* because of the disk, not of the budget */
	bool no_room;                   /* a file of this stage could not be written again */
	int64_t again_us;
	struct evict_file file;         /* that is dealt with */
	struct evict_plan plan;
	struct rewrite *rewrite;        /* NULL: none is under way */
	char why[96];
	int64_t bad[BAD_MAX];
};

int64_t evidence_monotonic_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int evidence_keep_new(struct store *s, const char *dir, const struct evidence_limits *limits, struct evidence_keep **ret)
{
	struct evidence_keep *k = calloc(1, sizeof *k);
	if (k == NULL)
		return ERR_NOMEM;
	k->store = s;
	k->state.limits = *limits;
	k->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (k->dir_fd < 0) {
		free(k);
		return ERR_IO;
	}
	evidence_sweep(s, k->dir_fd);
	*ret = k;
	return 0;
}

static void forget_plan(struct evidence_keep *k)
{
	free(k->plan.part);
	k->plan = (struct evict_plan){0};
}

void evidence_keep_free(struct evidence_keep *k)
{
	if (k == NULL)
		return;
	rewrite_free(k->rewrite, false);
	forget_plan(k);
	close(k->dir_fd);
	free(k);
}

void evidence_keep_set_limits(struct evidence_keep *k, const struct evidence_limits *limits)
{
	k->state.limits = *limits;
}

/* --- how much is there --- */

static int look(struct evidence_keep *k)
{
	struct evidence_keep_state *t = &k->state;
	struct statvfs v;
	const int code = store_evidence_used(k->store, &t->used_bytes);
	if (code != 0)
		return code;
	const bool known = fstatvfs(k->dir_fd, &v) == 0;
	t->free_bytes = known ? (uint64_t)v.f_bavail * v.f_frsize : UINT64_MAX;
	k->disk = known && t->used_bytes > 0 && t->free_bytes < t->limits.reserve_bytes;
	t->over = k->disk || (t->limits.total_bytes != 0 && t->used_bytes > t->limits.total_bytes);
	return 0;
}

static void begin_walk(struct evidence_keep *k)
{
	k->stage = EVICT_HARMLESS;
	k->at = (struct evict_walk){0};
	k->again_us = 0;
	k->no_room = false;
}

/* --- files that are left alone --- */

static bool is_bad(const struct evidence_keep *k, int64_t id)
{
	for (unsigned i = 0; i < BAD_MAX; i++)
		if (k->bad[i] == id)
			return true;
	return false;
}

static void leave_alone(struct evidence_keep *k, const char *why)
{
	k->bad[k->state.unlooked++ % BAD_MAX] = k->file.id;
	snprintf(k->state.unlooked_path, sizeof k->state.unlooked_path, "%s", k->file.path);
	snprintf(k->state.unlooked_why, sizeof k->state.unlooked_why, "%s", why);
}

/* --- taking out --- */

static int take_out(struct evidence_keep *k, const struct evict_file *now)
{
	const struct evict_done d = {.old = &k->file, .now = now, .plan = &k->plan, .why = k->why};
	const int code = store_evidence_evict(k->store, &d);
	if (code != 0)
		return code;
	unlinkat(k->dir_fd, k->file.path, 0);   /* a file that stays is swept up at the next start */
	k->state.evicted_files += now == NULL;
	k->state.rewritten_files += now != NULL;
	const uint64_t left = now != NULL ? now->bytes : 0;
	k->state.evicted_bytes += k->file.bytes > left ? k->file.bytes - left : 0;
	return 0;
}

/* 1: more waits, or a code. What fails by the file's own fault is passed over. */
static int go_on(struct evidence_keep *k, int64_t until_us)
{
	char err[160] = "";
	int code = rewrite_step(k->rewrite, until_us, err, sizeof err);
	if (code == ERR_AGAIN)
		return 1;
	if (code == ERR_DAMAGED)
		leave_alone(k, err);
	k->no_room |= code == ERR_FULL || code == ERR_IO;
	const bool made = code == 0;
	if (made)
		code = take_out(k, rewrite_result(k->rewrite));
	const bool kept = made && code == 0;
	rewrite_free(k->rewrite, kept);
	k->rewrite = NULL;
	forget_plan(k);
	return kept || !made ? 1 : code;
}

static int begin_rewrite(struct evidence_keep *k)
{
	char err[160] = "";
	const int code = rewrite_new(k->dir_fd, &k->file, &k->plan, k->why, &k->rewrite, err, sizeof err);
	if (code == 0)
		return 1;
	if (code == ERR_DAMAGED)
		leave_alone(k, err);
	k->no_room |= code == ERR_FULL || code == ERR_IO;
	forget_plan(k);
	return code == ERR_NOMEM ? code : 1;
}

/* One file at one stage. */
static int look_at_file(struct evidence_keep *k)
{
	if (is_bad(k, k->file.id))
		return 1;
	if (!evidence_path_good(k->file.path)) {
		leave_alone(k, "its path is not one of evidence");
		return 1;
	}
	int code = store_evidence_plan(k->store, k->file.id, k->stage, k->state.limits.severe, &k->plan);
	if (code != 0)
		return code;
	snprintf(k->why, sizeof k->why, "%s: %s", k->disk ? "disk" : "budget", evict_stage_word(k->stage));
	if (!k->plan.whole && k->plan.count > 0)
		return begin_rewrite(k);
	code = k->plan.whole ? take_out(k, NULL) : 0;
	forget_plan(k);
	return code == 0 ? 1 : code;
}

static int next_file(struct evidence_keep *k, int64_t now_us)
{
	const int code = store_evidence_next(k->store, &k->at, &k->file);
	if (code == 0)
		return look_at_file(k);
	if (code != ERR_NOTFOUND)
		return code;
	k->stage++;
	k->at = (struct evict_walk){.newest = k->stage >= EVICT_TAILS_MINOR};
	/* what could not be written again for want of room still goes before the next stage */
	if (k->stage < EVICT_STAGES && !k->no_room)
		return 1;
	begin_walk(k);
	k->again_us = now_us + AGAIN_US;
	k->state.exhausted = true;
	return 0;
}

static int take_step(struct evidence_keep *k, int64_t now_us, int64_t begun_us)
{
	if (k->rewrite != NULL)
		return go_on(k, begun_us + EVIDENCE_STEP_US);
	const int code = look(k);
	if (code != 0)
		return code;
	if (!k->state.over) {
		k->state.exhausted = false;
		begin_walk(k);
		return 0;
	}
	return k->again_us == 0 || now_us >= k->again_us ? next_file(k, now_us) : 0;
}

int evidence_keep_step(struct evidence_keep *k, int64_t now_us, bool *ret_more)
{
	const int64_t begun_us = evidence_monotonic_us();
	const int code = take_step(k, now_us, begun_us);
	const int64_t took_us = evidence_monotonic_us() - begun_us;
	if (took_us > k->state.longest_us)
		k->state.longest_us = took_us;
	if (code < 0)
		begin_walk(k);   /* nothing is passed over: the order counts */
	*ret_more = code == 1;
	return code < 0 ? code : 0;
}

void evidence_keep_get_state(const struct evidence_keep *k, struct evidence_keep_state *ret)
{
	*ret = k->state;
}

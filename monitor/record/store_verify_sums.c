/* Findings against the sums over their transfers, which verify_rows adds up in its one pass over the rows: SQL would
 * read each row a second time, and in the order of findings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/store_verify_parts.h"

struct slot {
	int64_t finding;                 /* 0: free; no finding has that id */
	struct verify_sum sum;
	int64_t entry;                   /* of its seal; -1: it waits for one */
	uint8_t hash[STORE_SEAL_HASH];
	bool sealed;
};

struct verify_sums {
	struct slot *slot;
	size_t count, slots;             /* slots: a power of two */
};

int verify_sums_new(struct verify_sums **ret)
{
	struct verify_sums *s = calloc(1, sizeof *s);
	if (s == NULL)
		return ERR_NOMEM;
	s->slots = 1024;
	s->slot = calloc(s->slots, sizeof *s->slot);
	if (s->slot == NULL) {
		free(s);
		return ERR_NOMEM;
	}
	*ret = s;
	return 0;
}

void verify_sums_free(struct verify_sums *s)
{
	if (s == NULL)
		return;
	free(s->slot);
	free(s);
}

static struct slot *find(const struct verify_sums *s, int64_t finding)
{
	size_t i = (size_t)((uint64_t)finding * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (s->slots - 1);
	while (s->slot[i].finding != 0 && s->slot[i].finding != finding)
		i = (i + 1) & (s->slots - 1);
	return &s->slot[i];
}

static int grow(struct verify_sums *s)
{
	struct verify_sums more = {.slots = s->slots * 2, .count = s->count};
	more.slot = calloc(more.slots, sizeof *more.slot);
	if (more.slot == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < s->slots; i++) {
		if (s->slot[i].finding != 0)
			*find(&more, s->slot[i].finding) = s->slot[i];
	}
	free(s->slot);
	*s = more;
	return 0;
}

/* Whoever wrote such numbers into rows: the sum is wrong, and stays so. */
static void add_up(int64_t *to, int64_t more)
{
	if (__builtin_add_overflow(*to, more, to))
		*to = INT64_MAX;
}

/* Of a finding other than 0. NULL: no memory. */
static struct slot *find_or_make(struct verify_sums *s, int64_t finding)
{
	struct slot *at = find(s, finding);
	if (at->finding == 0 && s->count >= s->slots / 2) {
		if (grow(s) != 0)
			return NULL;
		at = find(s, finding);
	}
	s->count += at->finding == 0;
	at->finding = finding;
	return at;
}

int verify_sums_seal(struct verify_sums *s, int64_t finding, const uint8_t hash[STORE_SEAL_HASH], int64_t entry)
{
	struct slot *at = find_or_make(s, finding);
	if (at == NULL)
		return ERR_NOMEM;
	at->sealed = true;
	at->entry = entry;
	memcpy(at->hash, hash, sizeof at->hash);
	return 0;
}

bool verify_sums_sealed(const struct verify_sums *s, int64_t finding, const uint8_t hash[STORE_SEAL_HASH], int64_t *ret_entry)
{
	const struct slot *at = find(s, finding);
	*ret_entry = at->sealed ? at->entry : -1;
	return at->sealed && memcmp(at->hash, hash, sizeof at->hash) == 0;
}

int verify_sums_add(struct verify_sums *s, int64_t finding, const struct verify_sum *more)
{
	struct slot *at = finding != 0 ? find_or_make(s, finding) : NULL;
	if (at == NULL)
		return finding != 0 ? ERR_NOMEM : 0;
	add_up(&at->sum.transfers, more->transfers);
	add_up(&at->sum.out, more->out);
	add_up(&at->sum.in, more->in);
	return 0;
}

/* Beside the rows: those that are folded by the hour, and what detections saw that no transfer counts. Not of findings
 * that a damaged or an older record left, whose rows are elsewhere, nor of those that months were folded of: a month's
 * sum names no finding. A row with nothing in it stands for flows that were too many and went elsewhere (ROW_CROWD);
 * folded it counts as one all the same, so then the bytes alone tell. */
static const char sums_sql[] =
	"SELECT f.id, f.transfers, f.bytes_out, f.bytes_in, coalesce(d.n, 0), coalesce(d.o, 0), coalesce(x.o, 0), coalesce(d.i, 0)"
	" FROM finding f"
	" LEFT JOIN (SELECT finding, sum(transfers + collapsed) n, sum(ip_bytes_out) o, sum(ip_bytes_in) i FROM folded"
	"  WHERE finding > 0 AND span = 'hour' GROUP BY finding) d ON d.finding = f.id"
	" LEFT JOIN (SELECT finding, sum(bytes_out) o FROM detection GROUP BY finding) x ON x.finding = f.id"
	" WHERE f.first_us > coalesce((SELECT max(end_us) FROM folded WHERE span = 'month'), 0)"
	" AND f.bytes_out < 4611686018427387904 AND f.bytes_in < 4611686018427387904"
	" AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.subject = f.id AND l.kind = 'finding-opened'"
	" AND json_valid(l.body) AND json_extract(l.body, '$.found') = 1)"
	/* while a sensor runs, or after it was killed: counts and rows do not go in together */
	" AND NOT (?1 AND f.state = 'open')"
	" ORDER BY f.id";
enum { SQL_ID = 0, SQL_SAID, SQL_FOLDED = 4, SQL_FOLDED_OUT, SQL_DETECTED_OUT, SQL_FOLDED_IN };

static int check_sum(struct verify *v, sqlite3_stmt *st)
{
	static const char *const names[] = {"transfers", "bytes_out", "bytes_in"};
	struct verify_sum sum = find(v->sums, sqlite3_column_int64(st, SQL_ID))->sum;
	const bool folded = sqlite3_column_int64(st, SQL_FOLDED) > 0;
	add_up(&sum.out, sqlite3_column_int64(st, SQL_FOLDED_OUT));
	add_up(&sum.out, sqlite3_column_int64(st, SQL_DETECTED_OUT));
	add_up(&sum.in, sqlite3_column_int64(st, SQL_FOLDED_IN));
	const int64_t came[] = {sum.transfers, sum.out, sum.in};
	for (int i = 0; i < 3; i++) {
		const int64_t said = sqlite3_column_int64(st, SQL_SAID + i);
		struct verify_wrong w = verify_none(VERIFY_FINDING_SUM);
		char was[24], is[24];
		if (said == came[i] || (i == 0 && folded))
			continue;
		snprintf(was, sizeof was, "%lld", (long long)came[i]);
		snprintf(is, sizeof is, "%lld", (long long)said);
		w.id = sqlite3_column_int64(st, SQL_ID);
		w.name = names[i];
		w.was = was;
		w.is = is;
		return verify_tell(v, &w);
	}
	return 0;
}

int verify_sums_check(struct verify *v)
{
	sqlite3_stmt *st = NULL;
	int code = verify_prepare(v, sums_sql, &st);
	sqlite3_bind_int(st, 1, v->live);
	while (code == 0 && (code = verify_next(v, st)) == 1)
		code = check_sum(v, st);
	sqlite3_finalize(st);
	return code;
}

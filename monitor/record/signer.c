#include "record/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "record/store_checkpoint.h"

#define PREFIX "garita/"
#define KEY_FILE "ledger.key"
#define PUBLIC_FILE "ledger.pub"
#define HEAD_FILE "ledger.head"
#define FULL_MAX 500000u         /* entries that are read at the start: half a second */
#define PATH_BYTES 4400

struct signer {
	struct store *store;
	char *dir;
	struct ledger_key key;           /* its name: the origin */
	struct ledger_tree tree;         /* of what was signed last */
	struct signer_state state;
	char note[LEDGER_NOTE_MAX];
	bool pending;                    /* note is signed, and not in the database yet */
	struct ledger_tree next;         /* of it */
	int64_t pending_us;
	uint64_t word_from;              /* contradicted: a person's word is one of the entries from there on */
};

static void path_of(const char *dir, const char *name, char ret[PATH_BYTES])
{
	snprintf(ret, PATH_BYTES, "%.4096s/%s", dir, name);
}

/* --- the head --- */

static int write_head(const char *dir, const char *note)
{
	char path[PATH_BYTES], draft[PATH_BYTES];
	path_of(dir, HEAD_FILE, path);
	path_of(dir, HEAD_FILE ".new", draft);
	const int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return ERR_IO;
	const size_t bytes = strlen(note);
	const bool good = write(fd, note, bytes) == (ssize_t)bytes && fsync(fd) == 0;
	close(fd);
	if (!good || rename(draft, path) != 0)
		return ERR_IO;
	const int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0) {
		(void)!fsync(folder);   /* some file systems can't; the name is there all the same */
		close(folder);
	}
	return 0;
}

/* 0, ERR_NOTFOUND, or ERR_DAMAGED: there is one, and it is no checkpoint. */
static int read_head(const char *dir, char note[LEDGER_NOTE_MAX], struct ledger_checkpoint *ret)
{
	char path[PATH_BYTES];
	path_of(dir, HEAD_FILE, path);
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOTFOUND : ERR_DAMAGED;
	const ssize_t n = read(fd, note, LEDGER_NOTE_MAX - 1);
	close(fd);
	note[n > 0 ? n : 0] = '\0';
	return n > 0 && ledger_checkpoint_read(note, (size_t)n, ret) == 0 ? 0 : ERR_DAMAGED;
}

/* --- names --- */

/* Of "garita/pe-01/2" 2, and the bytes before the last slash; of the first ledger 1. */
static unsigned long number_of(const char *origin, size_t *ret_base)
{
	const char *slash = strrchr(origin, '/');
	char *end = NULL;
	const unsigned long number = slash != NULL && slash[1] >= '1' && slash[1] <= '9' ? strtoul(slash + 1, &end, 10) : 0;
	/* a sensor may be called 7 */
	const bool counted = number > 1 && *end == '\0' && strchr(origin, '/') != slash;
	*ret_base = counted ? (size_t)(slash - origin) : strlen(origin);
	return counted ? number : 1;
}

static void next_name(const char *origin, char ret[LEDGER_ORIGIN_MAX])
{
	size_t base;
	const unsigned long number = number_of(origin, &base);
	snprintf(ret, LEDGER_ORIGIN_MAX, "%.*s/%lu", base < 220 ? (int)base : 220, origin, number + 1);
}

/* Is it the name of a ledger that began after that of another name? */
static bool is_later(const char *name, const char *than)
{
	size_t base, than_base;
	const unsigned long number = number_of(name, &base), than_number = number_of(than, &than_base);
	return number > than_number && base == than_base && strncmp(name, than, base) == 0;
}

static int load_key(const char *dir, const char *sensor, struct ledger_key *ret, char *err, size_t err_size)
{
	char path[PATH_BYTES], name[LEDGER_ORIGIN_MAX], wanted[LEDGER_ORIGIN_MAX];
	path_of(dir, KEY_FILE, path);
	int r = ledger_key_load(path, ret);
	if (r == ERR_NOTFOUND) {
		snprintf(wanted, sizeof wanted, PREFIX "%.200s", sensor != NULL ? sensor : "sensor");
		r = ledger_key_new(ledger_key_name(wanted, name), ret);
		if (r == 0)
			r = ledger_key_save(ret, path);
	}
	if (r != 0)
		snprintf(err, err_size, "%.200s: %s", path, r == ERR_IO || r == ERR_PERM ? strerror(errno) : "not a key of this ledger");
	return r;
}

int signer_prepare(const char *dir, const char *sensor, struct ledger_key *ret, char ret_vkey[LEDGER_VKEY_MAX], char *err,
                   size_t err_size)
{
	char note[LEDGER_NOTE_MAX], name[LEDGER_ORIGIN_MAX];
	struct ledger_checkpoint head;
	int r = load_key(dir, sensor, ret, err, err_size);
	if (r != 0)
		return r;
	struct ledger_vkey vkey = ret->vkey;
	if (read_head(dir, note, &head) == 0) {
		next_name(head.origin, name);
		r = ledger_vkey_rename(&vkey, name);
	}
	ledger_vkey_text(&vkey, ret_vkey);
	return r;
}

/* ledger.pub says under which name the key signs now; the one of an earlier ledger stays beside it. */
static void publish(const struct signer *g)
{
	char path[PATH_BYTES], old[PATH_BYTES];
	struct ledger_vkey there;
	path_of(g->dir, PUBLIC_FILE, path);
	const int r = ledger_vkey_load(path, &there);
	if (r == 0 && strcmp(there.name, g->key.vkey.name) == 0 && memcmp(there.key, g->key.vkey.key, sizeof there.key) == 0)
		return;
	for (unsigned n = 1; r != ERR_NOTFOUND && n < 1000; n++) {
		struct stat st;
		snprintf(old, sizeof old, "%.4300s.%u", path, n);
		if (lstat(old, &st) != 0) {
			if (rename(path, old) != 0)
				return;   /* it stays as it is: garita verify says that it is another key */
			break;
		}
	}
	(void)!ledger_vkey_save(&g->key.vkey, path);
}

/* Everything that is signed from now on has another name. */
static int take_next_name(struct signer *g, const char *from)
{
	char name[LEDGER_ORIGIN_MAX];
	next_name(from, name);
	return ledger_vkey_rename(&g->key.vkey, name);
}

/* --- holding the ledger against what was signed --- */

static int contradicted(struct signer *g, const char *why)
{
	g->state.status = SIGNER_CONTRADICTED;
	snprintf(g->state.why, sizeof g->state.why, "%.299s", why);
	return 0;
}

struct walk {
	struct ledger_tree tree;
	const struct ledger_checkpoint *marks[2];
	char why[200];                   /* "": all is as it was signed */
};

static void compare(struct walk *w)
{
	struct ledger_hash root;
	for (int i = 0; i < 2; i++) {
		if (w->marks[i] == NULL || w->marks[i]->size != w->tree.size)
			continue;
		ledger_tree_root(&w->tree, &root);
		if (!ledger_hash_equal(&root, &w->marks[i]->root) && w->why[0] == '\0')
			snprintf(w->why, sizeof w->why, "the first %llu entries are not those that were signed", (unsigned long long)w->tree.size);
	}
}

static int walk_leaf(void *ctx, uint64_t seq, const struct ledger_hash *h)
{
	struct walk *w = ctx;
	if (seq != w->tree.size) {
		snprintf(w->why, sizeof w->why, "entry %llu is missing", (unsigned long long)w->tree.size);
		return ERR_END;
	}
	ledger_tree_add(&w->tree, h);
	compare(w);
	return 0;
}

/* From the tree in w to the end. */
static int walk_on(struct signer *g, struct walk *w)
{
	const int r = store_each_leaf(g->store, w->tree.size, walk_leaf, w);
	for (int i = 0; i < 2 && w->why[0] == '\0'; i++) {
		if (w->marks[i] != NULL && w->marks[i]->size > w->tree.size)
			snprintf(w->why, sizeof w->why, "%llu entries were signed, and there are %llu", (unsigned long long)w->marks[i]->size,
			         (unsigned long long)w->tree.size);
	}
	return r == ERR_END ? 0 : r;
}

/* What the database has as its last checkpoint: is it ours? */
static bool is_signed(const struct signer *g, const struct store_checkpoint *c, struct ledger_checkpoint *ret)
{
	return ledger_checkpoint_open(c->note, strlen(c->note), &g->key.vkey, ret) == 0 && ret->size == c->size &&
	       ledger_hash_equal(&ret->root, &c->root);
}

struct end {
	uint64_t next, until;
	struct ledger_tree tree;
};

static int end_leaf(void *ctx, uint64_t seq, const struct ledger_hash *h)
{
	struct end *e = ctx;
	if (seq != e->next || e->next == e->until)
		return ERR_END;
	ledger_tree_add(&e->tree, h);
	e->next++;
	return 0;
}

/* The last of the full subtrees of what was signed, from the entries that are there: the end of the ledger is not another. */
static int check_end(struct signer *g, const struct ledger_tree *t, bool *ret_same)
{
	const unsigned level = (unsigned)__builtin_ctzll(t->size);
	struct end e = {.next = t->size - (UINT64_C(1) << level), .until = t->size};
	const int r = store_each_leaf(g->store, e.next, end_leaf, &e);
	*ret_same = e.next == e.until && ledger_hash_equal(&e.tree.node[level], &t->node[level]);
	return r == ERR_END ? 0 : r;
}

/* May the walk begin at the last checkpoint? */
static bool may_begin_there(struct signer *g, const struct store_checkpoint *last, const struct ledger_checkpoint *head, bool quick)
{
	struct ledger_hash root;
	if (last->tree.size == 0 || (!quick && g->state.entries <= FULL_MAX))
		return false;
	return head == NULL || head->size >= last->size ||
	       (store_checkpoint_root(g->store, head->size, &root) == 0 && ledger_hash_equal(&root, &head->root));
}

static int hold_against(struct signer *g, const struct store_checkpoint *last, const struct ledger_checkpoint *head, bool quick)
{
	struct walk w = {.marks = {NULL, head}};
	struct ledger_checkpoint own;
	if (last != NULL) {
		if (!is_signed(g, last, &own))
			return contradicted(g, "the last checkpoint in the database is not one that this key signed");
		w.marks[0] = &own;
		if (may_begin_there(g, last, head, quick))
			w.tree = last->tree;
	}
	bool same = true;
	int r = w.tree.size != 0 ? check_end(g, &w.tree, &same) : 0;
	if (r == 0 && !same)
		return contradicted(g, "the last entries that were signed are missing, or others");
	if (r == 0)
		r = walk_on(g, &w);
	if (r != 0)
		return r;
	if (w.why[0] != '\0')
		return contradicted(g, w.why);
	/* From what was signed last the next step goes on; the rest is read once more. */
	memset(&g->tree, 0, sizeof g->tree);
	if (last != NULL && last->tree.size != 0)
		g->tree = last->tree;
	g->state.size = last != NULL ? last->size : 0;
	return 0;
}

/* The key's name is that of the ledger in the database. */
static int take_origin(struct signer *g, const struct store_checkpoint *last)
{
	struct ledger_checkpoint c;
	struct ledger_vkey begun;
	if (last != NULL && ledger_checkpoint_read(last->note, strlen(last->note), &c) == 0)
		return ledger_vkey_rename(&g->key.vkey, c.origin);
	const int r = store_ledger_key(g->store, &begun);
	return r == 0 ? ledger_vkey_rename(&g->key.vkey, begun.name) : r == ERR_NOTFOUND ? 0 : r;
}

static int hold(struct signer *g, bool quick)
{
	struct store_checkpoint last;
	struct ledger_checkpoint head;
	char note[LEDGER_NOTE_MAX];
	const int there = store_last_checkpoint(g->store, &last), kept = read_head(g->dir, note, &head);
	int r = there == 0 || there == ERR_NOTFOUND ? store_ledger_size(g->store, &g->state.entries) : there;
	if (r == 0)
		r = take_origin(g, there == 0 ? &last : NULL);
	if (r != 0)
		return r;
	if (kept == ERR_DAMAGED)
		return contradicted(g, HEAD_FILE ", which holds what was signed last, can't be read");
	if (kept != 0)
		return hold_against(g, there == 0 ? &last : NULL, NULL, quick);
	if (strcmp(head.origin, g->key.vkey.name) == 0)
		return hold_against(g, there == 0 ? &last : NULL, &head, quick);
	/* A ledger that began after that one says so by its name. */
	if (there == ERR_NOTFOUND && is_later(g->key.vkey.name, head.origin))
		return hold_against(g, NULL, NULL, quick);
	snprintf(note, sizeof note, "what was signed last is of another ledger, %.120s", head.origin);
	return contradicted(g, note);
}

/* --- making and ending --- */

/* The name of a ledger that would begin after this one. */
static int tell_store(struct signer *g)
{
	char name[LEDGER_ORIGIN_MAX], text[LEDGER_VKEY_MAX];
	struct ledger_vkey next = g->key.vkey;
	next_name(g->key.vkey.name, name);
	const int r = ledger_vkey_rename(&next, name);
	return r == 0 ? store_set_key(g->store, ledger_vkey_text(&next, text)) : r;
}

static int begin(struct signer *g, bool quick)
{
	if (g->state.status == SIGNER_NO_KEY)
		return 0;
	g->state.status = SIGNER_GOOD;
	g->pending = false;
	int r = hold(g, quick);
	if (r == 0)
		r = tell_store(g);
	snprintf(g->state.origin, sizeof g->state.origin, "%s", g->key.vkey.name);
	if (r != 0)
		return r;
	if (g->state.status == SIGNER_GOOD) {
		publish(g);
		return 0;
	}
	bool accepted = false;
	g->word_from = 0;
	r = store_is_accepted(g->store, 0, &accepted);
	if (r != 0 || accepted)
		return r;
	g->word_from = g->state.entries;
	return store_put_contradiction(g->store, g->state.why);
}

int signer_new(struct store *s, const char *dir, const struct ledger_key *key, const char *why, bool quick, struct signer **ret)
{
	struct signer *g = calloc(1, sizeof *g);
	char *copy = strdup(dir);
	if (g == NULL || copy == NULL) {
		free(g);
		free(copy);
		return ERR_NOMEM;
	}
	g->store = s;
	g->dir = copy;
	if (key != NULL) {
		g->key = *key;
	} else {
		g->state.status = SIGNER_NO_KEY;
		snprintf(g->state.why, sizeof g->state.why, "%.299s", why);
	}
	const int r = begin(g, quick);
	if (r != 0) {
		signer_free(g);
		return r;
	}
	*ret = g;
	return 0;
}

void signer_free(struct signer *g)
{
	if (g == NULL)
		return;
	ledger_key_wipe(&g->key);
	free(g->dir);
	free(g);
}

int signer_renewed(struct signer *g)
{
	memset(&g->tree, 0, sizeof g->tree);
	g->state.size = 0;
	return begin(g, true);
}

/* --- signing --- */

static int add_leaf(void *ctx, uint64_t seq, const struct ledger_hash *h)
{
	struct ledger_tree *t = ctx;
	if (seq != t->size)
		return ERR_DAMAGED;
	ledger_tree_add(t, h);
	return 0;
}

/* First into the file, then into the database: should this end between the two,
 * the next start finds the entries that were signed. */
static int sign(struct signer *g)
{
	struct ledger_hash root;
	g->next = g->tree;
	int r = store_each_leaf(g->store, g->next.size, add_leaf, &g->next);
	if (r == ERR_DAMAGED)
		return contradicted(g, "an entry is missing");
	if (r != 0)
		return r;
	ledger_tree_root(&g->next, &root);
	r = ledger_checkpoint_sign(g->next.size, &root, &g->key, g->note);
	if (r == 0)
		r = write_head(g->dir, g->note);
	if (r != 0)
		return r;
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	g->pending = true;
	g->pending_us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
	return 0;
}

static int store_pending(struct signer *g)
{
	const int r = store_put_checkpoint(g->store, &g->next, g->note, g->pending_us);
	if (r != 0)
		return r;
	g->pending = false;
	g->tree = g->next;
	g->state.size = g->tree.size;
	g->state.signed_us = g->pending_us;
	return 1;
}

/* Has a person said that it is to go on? Then from the beginning, under another name. */
static int look_for_word(struct signer *g)
{
	struct ledger_checkpoint head;
	char note[LEDGER_NOTE_MAX];
	bool accepted = false;
	int r = store_is_accepted(g->store, g->word_from, &accepted);
	if (r != 0 || !accepted)
		return r;
	r = take_next_name(g, read_head(g->dir, note, &head) == 0 ? head.origin : g->key.vkey.name);
	if (r != 0)
		return r;
	memset(&g->tree, 0, sizeof g->tree);
	g->state = (struct signer_state){.entries = g->state.entries};
	snprintf(g->state.origin, sizeof g->state.origin, "%s", g->key.vkey.name);
	publish(g);
	return tell_store(g);
}

int signer_step(struct signer *g, uint64_t entries, bool now)
{
	if (g->state.status == SIGNER_NO_KEY)
		return 0;
	int r = store_ledger_size(g->store, &g->state.entries);
	if (r == 0 && g->state.status == SIGNER_CONTRADICTED && now)
		r = look_for_word(g);
	if (r != 0 || g->state.status == SIGNER_CONTRADICTED)
		return r;
	if (g->pending)
		return store_pending(g);
	const uint64_t fresh = g->state.entries > g->tree.size ? g->state.entries - g->tree.size : 0;
	if (fresh == 0 || (fresh < entries && !now))
		return 0;
	r = sign(g);
	return r == 0 && g->pending ? store_pending(g) : r;
}

const char *signer_note(const struct signer *g)
{
	return g->state.signed_us != 0 ? g->note : "";
}

void signer_get_state(const struct signer *g, struct signer_state *ret)
{
	*ret = g->state;
}

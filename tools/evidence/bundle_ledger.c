/* What the ledger says, and the proofs that the last signed checkpoint covers it.
 *
 * The leaves are read once. An entry's proof is that of its place within a run of
 * RUN leaves, then that of the run among all runs: RFC 6962 cuts a tree at powers
 * of two, so that each run is a subtree of its own. */
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/bundle.h"
#include "record/ledger_merkle.h"
#include "record/ledger_note.h"

#define RUN 1024u                       /* a power of two */
#define KEY_FILE "ledger.pub"
#define SIZE_MOST (UINT64_C(1) << 34)   /* a ledger of more entries is none */

struct entry {
	int64_t seq;
	char *kind, *body;
	struct ledger_hash hash;        /* of the body */
	struct ledger_proof proof;
	bool covered, proven;
};

struct led {
	struct bundle *b;
	struct entry *entry;
	size_t entries;
	struct ledger_hash *run;        /* root of each run */
	uint64_t size, leaves;          /* of the tree; read so far */
	struct ledger_tree tree, run_tree;
	struct ledger_hash leaf[RUN];   /* of the run that is being read */
	size_t at;                      /* first entry that no run was read for */
	char note[LEDGER_NOTE_READ_MAX];
	struct ledger_hash root;
	bool has_note, good;            /* good: the leaves have the root that was signed */
};

/* --- the entries --- */

static int take_entry(void *ctx, const struct custody_entry *e)
{
	struct led *l = ctx;
	struct bundle *b = l->b;
	if ((l->entries & (l->entries - 1)) == 0) {
		struct entry *more = reallocarray(l->entry, l->entries == 0 ? 1 : 2 * l->entries, sizeof *more);
		if (more == NULL)
			return ERR_NOMEM;
		l->entry = more;
	}
	struct entry *mine = &l->entry[l->entries];
	*mine = (struct entry){.seq = e->seq, .kind = strdup(e->kind), .body = strdup(e->body)};
	l->entries++;
	if (mine->kind == NULL || mine->body == NULL)
		return ERR_NOMEM;
	ledger_leaf_hash(mine->body, e->body_bytes, &mine->hash);
	if (!ledger_hash_equal(&mine->hash, &e->hash) || strlen(mine->body) != e->body_bytes)
		bundle_problem(b, "entry-changed", "entry %" PRId64 " of the ledger does not have its hash", e->seq);
	return 0;
}

/* --- the tree --- */

/* Proof within the run that was just read. */
static void prove_in_run(struct led *l, uint64_t first, uint64_t count)
{
	struct ledger_prover p;
	for (; l->at < l->entries && (uint64_t)l->entry[l->at].seq < first + count; l->at++) {
		struct entry *e = &l->entry[l->at];
		e->covered = true;
		if (ledger_prove_inclusion((uint64_t)e->seq - first, count, &p) != 0)
			continue;
		for (uint64_t i = 0; i < count; i++)
			ledger_prover_add(&p, &l->leaf[i]);
		const struct ledger_proof *proof = ledger_prover_end(&p);
		if (proof != NULL)
			e->proof = *proof;
	}
}

static int take_leaf(void *ctx, const struct ledger_hash *leaf)
{
	struct led *l = ctx;
	const uint64_t within = l->leaves % RUN;
	l->leaf[within] = *leaf;
	ledger_tree_add(&l->tree, leaf);
	ledger_tree_add(&l->run_tree, leaf);
	l->leaves++;
	if (within == RUN - 1 || l->leaves == l->size) {
		ledger_tree_root(&l->run_tree, &l->run[(l->leaves - 1) / RUN]);
		memset(&l->run_tree, 0, sizeof l->run_tree);
		prove_in_run(l, l->leaves - 1 - within, within + 1);
	}
	return 0;
}

/* And of the run among the others; then, does it hold? */
static void finish_proof(struct led *l, struct entry *e)
{
	struct ledger_prover p;
	const uint64_t runs = (l->size + RUN - 1) / RUN;
	if (ledger_prove_inclusion((uint64_t)e->seq / RUN, runs, &p) != 0)
		return;
	for (uint64_t i = 0; i < runs; i++)
		ledger_prover_add(&p, &l->run[i]);
	const struct ledger_proof *above = ledger_prover_end(&p);
	if (above == NULL || e->proof.count + above->count > LEDGER_PROOF_MAX)
		return;
	memcpy(e->proof.hash + e->proof.count, above->hash, above->count * sizeof above->hash[0]);
	e->proof.count += above->count;
	e->proven = ledger_inclusion_holds((uint64_t)e->seq, l->size, &e->hash, &e->proof, &l->root);
}

static int make_proofs(struct led *l)
{
	struct bundle *b = l->b;
	l->run = calloc((size_t)((l->size + RUN - 1) / RUN) + 1, sizeof *l->run);
	if (l->run == NULL)
		return ERR_NOMEM;
	const int code = store_read_leaves(b->reader, l->size, take_leaf, l);
	if (code != 0)
		return code;
	struct ledger_hash root;
	ledger_tree_root(&l->tree, &root);
	l->good = l->leaves == l->size && ledger_hash_equal(&root, &l->root);
	if (!l->good) {
		bundle_problem(b, "ledger-contradicts-checkpoint", "the ledger is not the one that was signed: of the %" PRIu64
		               " entries of the checkpoint %" PRIu64 " are there%s; run garita verify", l->size, l->leaves,
		               l->leaves == l->size ? ", and their root is another" : "");
		return 0;
	}
	for (size_t i = 0; i < l->entries; i++) {
		if (!l->entry[i].covered)
			continue;
		finish_proof(l, &l->entry[i]);
		b->proven += l->entry[i].proven;
		if (!l->entry[i].proven)
			bundle_problem(b, "entry-not-proven", "entry %" PRId64 " of the ledger is not the one that was signed", l->entry[i].seq);
	}
	return 0;
}

/* --- the checkpoint, and who signed it --- */

static int take_note(void *ctx, uint64_t size, const char *note)
{
	struct led *l = ctx;
	(void)size;   /* what counts is what was signed */
	const size_t bytes = strlen(note) + 1;
	l->has_note = bytes <= sizeof l->note;
	if (l->has_note)
		memcpy(l->note, note, bytes);
	return 0;
}

static int put_text(struct bundle *b, const char *name, const char *what, const char *text)
{
	FILE *f = NULL;
	const int code = bundle_open(b, name, what, &f);
	if (code != 0)
		return code;
	fputs(text, f);
	return bundle_close(b, f);
}

/* The key as openssl reads it: RFC 8410, a SubjectPublicKeyInfo of Ed25519. */
static int put_pem(struct bundle *b, const struct ledger_vkey *key)
{
	static const uint8_t head[12] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	uint8_t der[sizeof head + sizeof key->key];
	char base64[sodium_base64_ENCODED_LEN(sizeof der, sodium_base64_VARIANT_ORIGINAL)], pem[200];
	memcpy(der, head, sizeof head);
	memcpy(der + sizeof head, key->key, sizeof key->key);
	sodium_bin2base64(base64, sizeof base64, der, sizeof der, sodium_base64_VARIANT_ORIGINAL);
	snprintf(pem, sizeof pem, "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", base64);
	return put_text(b, "public-key.pem", "the same key, as openssl reads it", pem);
}

static int add_key(struct led *l)
{
	struct bundle *b = l->b;
	char path[sizeof b->data_dir + sizeof KEY_FILE + 1], text[LEDGER_VKEY_MAX], line[LEDGER_VKEY_MAX + 1];
	struct ledger_vkey key;
	struct ledger_checkpoint said;
	snprintf(path, sizeof path, "%s/" KEY_FILE, b->data_dir);
	int code = ledger_vkey_load(path, &key);
	if (code != 0) {
		bundle_problem(b, "no-public-key", "%s: %s: the signature was not checked", KEY_FILE, err_str(code));
		return 0;
	}
	if (ledger_checkpoint_open(l->note, strlen(l->note), &key, &said) != 0)
		bundle_problem(b, "checkpoint-signature", "the last checkpoint is not signed by the key of " KEY_FILE);
	snprintf(line, sizeof line, "%s\n", ledger_vkey_text(&key, text));
	code = put_text(b, "public-key.txt", "the key that signed it, as C2SP's tools read it", line);
	return code == 0 ? put_pem(b, &key) : code;
}

static int add_checkpoint(struct led *l)
{
	struct ledger_checkpoint said;
	int code = store_read_checkpoint(l->b->reader, take_note, l);
	if (code == ERR_NOTFOUND || (code == 0 && !l->has_note)) {
		bundle_note(l->b, "no-checkpoint", "the ledger has not been signed yet: its entries stand here without proof");
		return 0;
	}
	if (code == 0 && (ledger_checkpoint_read(l->note, strlen(l->note), &said) != 0 || said.size > SIZE_MOST)) {
		bundle_problem(l->b, "checkpoint-text", "the last checkpoint is no checkpoint");
		return 0;
	}
	if (code != 0)
		return code;
	l->size = said.size;
	l->root = said.root;
	l->b->checkpoint = said.size;
	code = put_text(l->b, "checkpoint.txt", "the last signed head of the ledger: C2SP tlog-checkpoint", l->note);
	if (code == 0)
		code = add_key(l);
	return code == 0 ? make_proofs(l) : code;
}

/* --- ledger.jsonl --- */

static void put_hash(struct json *j, const char *key, const struct ledger_hash *h)
{
	char hex[2 * LEDGER_HASH_BYTES + 1];
	json_str(j, key, sodium_bin2hex(hex, sizeof hex, h->bytes, sizeof h->bytes));
}

static void put_entry(const struct led *l, const struct entry *e, struct json *j)
{
	json_reset(j);
	json_object(j, NULL);
	json_int(j, "seq", e->seq);
	json_str(j, "kind", e->kind);
	put_hash(j, "hash", &e->hash);
	if (e->proven) {
		json_uint(j, "tree_size", l->size);
		json_array(j, "proof");
		for (unsigned i = 0; i < e->proof.count; i++)
			put_hash(j, NULL, &e->proof.hash[i]);
		json_array_end(j);
	}
	json_str(j, "entry", e->body);
	json_object_end(j);
}

static int add_entries(struct led *l)
{
	FILE *f = NULL;
	struct json j;
	uint64_t later = 0;
	int code = bundle_open(l->b, "ledger.jsonl", "entries of the ledger about this, one a line, with their proofs of inclusion", &f);
	if (code != 0)
		return code;
	json_init(&j);
	for (size_t i = 0; i < l->entries && code == 0; i++) {
		put_entry(l, &l->entry[i], &j);
		const char *line = json_text(&j);
		code = line != NULL && fprintf(f, "%s\n", line) > 0 ? 0 : line == NULL ? ERR_NOMEM : 0;
		later += l->has_note && !l->entry[i].covered;
	}
	json_done(&j);
	l->b->entries = l->entries;
	if (later > 0 && l->good)
		bundle_note(l->b, "entries-not-signed-yet", "%" PRIu64 " entries are newer than the last checkpoint and stand here without"
		            " proof; the next one, within the hour, covers them", later);
	const int closed = bundle_close(l->b, f);
	return code != 0 ? code : closed;
}

static int by_seq(const void *a, const void *b)
{
	const int64_t x = ((const struct entry *)a)->seq, y = ((const struct entry *)b)->seq;
	return x < y ? -1 : x > y;
}

int bundle_add_ledger(struct bundle *b)
{
	struct led *l = calloc(1, sizeof *l);
	if (l == NULL)
		return ERR_NOMEM;
	l->b = b;
	int code = store_read_custody_entries(b->reader, &b->of, take_entry, l);
	for (unsigned i = 0; code == 0 && i < b->seals; i++)
		code = store_read_custody_entry(b->reader, b->seal[i], take_entry, l);
	if (l->entries > 0)
		qsort(l->entry, l->entries, sizeof *l->entry, by_seq);
	if (code == 0)
		code = add_checkpoint(l);
	if (code == 0)
		code = add_entries(l);
	for (size_t i = 0; i < l->entries; i++) {
		free(l->entry[i].kind);
		free(l->entry[i].body);
	}
	free(l->entry);
	free(l->run);
	free(l);
	return code;
}

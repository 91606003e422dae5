/* garita ledger - the entries, and what is to be taken elsewhere: the last
 * checkpoint, the key, the proof that an entry is in the ledger. */
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "cmd.h"
#include "format.h"
#include "ledger_write.h"
#include "record/ledger_merkle.h"
#include "record/ledger_read.h"
#include "record/store_read_ledger.h"
#include "text.h"
#include "verify_load.h"
#include "verify_text.h"

#define VERB "ledger"
#define NOTE_MAX 2000u

enum { OPT_KIND = TOOL_OPT_OWN, OPT_SUBJECT, OPT_SINCE, OPT_UNTIL, OPT_LIMIT, OPT_NOTE };

static const struct option long_options[] = {TOOL_LONG,
                                             {"kind", required_argument, NULL, OPT_KIND},
                                             {"subject", required_argument, NULL, OPT_SUBJECT},
                                             {"since", required_argument, NULL, OPT_SINCE},
                                             {"until", required_argument, NULL, OPT_UNTIL},
                                             {"limit", required_argument, NULL, OPT_LIMIT},
                                             {"note", required_argument, NULL, OPT_NOTE},
                                             {"output", required_argument, NULL, 'o'},
                                             {NULL, 0, NULL, 0}};

enum what { LIST = 0, HEAD, KEY, CHECKPOINT, PROOF, STAMP, ACCEPT, WHATS };
static const char *const whats[WHATS] = {"list", "head", "key", "checkpoint", "proof", "stamp", "accept"};

struct options {
	struct tool_options tool;
	struct entry_filter filter;
	enum what what;
	uint64_t seq;
	const char *output, *note;
	bool filtered;
};

static int bad(const struct options *o, const char *what, const char *arg, enum text why)
{
	tool_error(VERB, "%s %s: %s", what, arg, text(tool_lang(&o->tool), why));
	return ERR_INVALID;
}

static int own_option(struct options *o, int opt, const char *arg)
{
	const int64_t now_us = (int64_t)time(NULL) * 1000000;
	uint64_t n = 0;
	int code = 0;
	o->filtered = o->filtered || (opt != 'o' && opt != OPT_NOTE);
	if (opt == 'o') {
		o->output = arg;
	} else if (opt == OPT_NOTE) {
		o->note = arg;
	} else if (opt == OPT_KIND) {
		o->filter.kind = arg;
		if (ledger_kind_find(arg) < 0)
			code = bad(o, "--kind", arg, TEXT_BAD_KIND);
	} else if (opt == OPT_SUBJECT) {
		code = tool_number(&o->tool, "--subject", arg, INT64_MAX, &n);
		o->filter.subject = (int64_t)n;
	} else if (opt == OPT_LIMIT) {
		code = tool_number(&o->tool, "--limit", arg, INT64_MAX, &o->filter.limit);
	} else if (format_when(arg, now_us, opt == OPT_SINCE ? &o->filter.since_us : &o->filter.until_us) != 0) {
		code = bad(o, opt == OPT_SINCE ? "--since" : "--until", arg, TEXT_BAD_TIME);
	}
	return code;
}

static int parse_words(int argc, char **argv, struct options *o)
{
	if (optind < argc) {
		int w = 0;
		while (w < WHATS && strcmp(argv[optind], whats[w]) != 0)
			w++;
		if (w == WHATS)
			return bad(o, "", argv[optind], TEXT_TOO_MANY);
		o->what = (enum what)w;
		optind++;
	}
	if (o->what == PROOF) {
		if (optind >= argc)
			return bad(o, "proof", "SEQ", TEXT_BAD_NUMBER);
		if (tool_number(&o->tool, "proof", argv[optind], INT64_MAX - 1, &o->seq) != 0)
			return ERR_INVALID;
		optind++;
	}
	if (optind < argc)
		return bad(o, "", argv[optind], TEXT_TOO_MANY);
	if (o->filtered && o->what != LIST)
		return bad(o, whats[o->what], "--kind --subject --since --until --limit", TEXT_TOO_MANY);
	if (o->tool.format == FORMAT_CSV)
		return bad(o, "--format", "csv", TEXT_NO_CSV);
	if ((o->what == ACCEPT) != (o->note != NULL && o->note[0] != '\0') || (o->note != NULL && strlen(o->note) > NOTE_MAX))
		return bad(o, whats[o->what], "--note", TEXT_ACCEPT_NOTE);
	return 0;
}

static int parse(int argc, char **argv, struct options *o)
{
	int opt;
	optind = 1;
	while ((opt = getopt_long(argc, argv, TOOL_SHORT "o:", long_options, NULL)) != -1) {
		int code = tool_option(&o->tool, opt, optarg);
		if (code == ERR_NOTFOUND)
			code = own_option(o, opt, optarg);
		if (code != 0)
			return code;
	}
	return o->tool.help ? 0 : parse_words(argc, argv, o);
}

/* --- list --- */

struct list {
	const struct options *o;
	struct table *table;
	struct ledger_text *text;
};

/* What an entry says beside its six: key=value, in the order of the keys. */
static void summarise(const struct ledger_text *t, char *buf, size_t size)
{
	static const char *const own[] = {"seq", "time", "kind", "prev", "subject"};
	size_t n = 0;
	buf[0] = '\0';
	for (unsigned i = 0; i < t->count && n + 1 < size; i++) {
		const struct ledger_member *m = &t->member[i];
		bool skip = false;
		for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
			skip = skip || (strlen(own[k]) == m->key_bytes && memcmp(own[k], m->key, m->key_bytes) == 0);
		if (skip)
			continue;
		const int w = snprintf(buf + n, size - n, "%s%.*s=%.*s", n > 0 ? " " : "", (int)m->key_bytes, m->key,
		                       (int)m->value_bytes, m->value);
		n += w > 0 ? (size_t)w : 0;
	}
}

static int list_entry(void *ctx, const struct stored_ledger_entry *e)
{
	struct list *l = ctx;
	char seq[24], subject[24], when[FORMAT_TIME_MAX], rest[2000];
	if (l->o->tool.format == FORMAT_JSON)   /* the very text that the hash is of */
		return fwrite(e->body, 1, e->body_bytes, stdout) == e->body_bytes && putchar('\n') != EOF ? 0 : ERR_IO;
	snprintf(seq, sizeof seq, "%" PRId64, e->seq);
	snprintf(subject, sizeof subject, "%" PRId64, e->subject);
	if (ledger_text_read(e->body, e->body_bytes, l->text) == 0)
		summarise(l->text, rest, sizeof rest);
	else
		snprintf(rest, sizeof rest, "%.1900s", e->body);
	const char *const cells[] = {seq, format_time(e->time_us, when), e->kind, e->subject != 0 ? subject : NULL, rest};
	return table_row(l->table, cells, NULL);
}

static int list(const struct options *o, struct store_reader *r)
{
	const char *lang = tool_lang(&o->tool);
	const struct column columns[] = {{text(lang, TEXT_COL_SEQ), 0, 0, true}, {text(lang, TEXT_COL_TOLD), 0, 0, false},
	                                 {text(lang, TEXT_COL_KIND), 0, 0, false}, {text(lang, TEXT_COL_SUBJECT), 0, 0, true},
	                                 {text(lang, TEXT_COL_SAYS), 20, 0, false}};
	struct list l = {.o = o, .text = malloc(sizeof *l.text)};
	if (l.text != NULL && o->tool.format == FORMAT_TABLE)
		l.table = table_new(stdout, columns, sizeof columns / sizeof columns[0], 0);
	int code = l.text == NULL || (o->tool.format == FORMAT_TABLE && l.table == NULL) ? ERR_NOMEM : 0;
	if (code == 0)
		code = store_read_ledger(r, &o->filter, list_entry, &l);
	table_end(l.table);
	free(l.text);
	return code;
}

/* --- what is taken elsewhere --- */

/* To -o or standard output. */
static int put_out(const struct options *o, const char *text_out)
{
	FILE *to = o->output != NULL ? fopen(o->output, "we") : stdout;
	if (to == NULL) {
		tool_error(VERB, "%s: %s", o->output, strerror(errno));
		return ERR_IO;
	}
	int code = fputs(text_out, to) >= 0 && fflush(to) == 0 ? 0 : ERR_IO;
	if (to != stdout && fclose(to) != 0)
		code = ERR_IO;
	if (code != 0 && o->output != NULL)
		tool_error(VERB, "%s: %s", o->output, strerror(errno));
	return code;
}

struct head {
	struct ledger_tree tree;
	struct stored_ledger_entry last;
	struct ledger_prover prover;
	bool proving;
	uint64_t seq;
	char *body;
	uint64_t size;                   /* of the checkpoint */
	char *note;
	struct ledger_hash leaf, root;   /* root: at that size, or of all */
};

static int take_leaf(void *ctx, const struct stored_ledger_entry *e)
{
	struct head *h = ctx;
	ledger_tree_add(&h->tree, &e->hash);
	h->last = *e;
	if (h->proving)
		ledger_prover_add(&h->prover, &e->hash);
	if (h->proving && (uint64_t)e->seq == h->seq) {
		h->leaf = e->hash;
		h->body = strndup(e->body, e->body_bytes);
	}
	if (h->tree.size == h->size || h->size == 0)
		ledger_tree_root(&h->tree, &h->root);
	return 0;
}

static int take_note(void *ctx, uint64_t size, const char *note)
{
	struct head *h = ctx;
	h->size = size;
	h->note = strdup(note);
	return h->note != NULL ? 0 : ERR_NOMEM;
}

static const char *base64(const void *data, size_t bytes, char *buf, size_t size)
{
	return sodium_bin2base64(buf, size, data, bytes, sodium_base64_VARIANT_ORIGINAL);
}

static int print_head(const struct options *o, struct store_reader *r)
{
	const struct entry_filter all = {0};
	struct head *h = calloc(1, sizeof *h);
	struct json j;
	char hex[LEDGER_HEX_MAX], root[64];
	int code = h != NULL ? store_read_ledger(r, &all, take_leaf, h) : ERR_NOMEM;
	json_init(&j);
	if (code == 0 && h->tree.size == 0)
		ledger_tree_root(&h->tree, &h->root);
	if (code == 0) {
		json_object(&j, NULL);
		json_uint(&j, "size", h->tree.size);
		json_str(&j, "root", ledger_hash_text(&h->root, hex));
		if (h->tree.size > 0) {
			json_str(&j, "head", ledger_hash_text(&h->last.hash, hex));
			json_time(&j, "time", h->last.time_us);
		}
		json_object_end(&j);
		const char *line = json_text(&j);
		code = line == NULL ? ERR_NOMEM : 0;
		if (code == 0 && o->tool.format == FORMAT_JSON)
			code = puts(line) >= 0 ? 0 : ERR_IO;
		else if (code == 0)
			printf("%" PRIu64 "\n%s\n%s\n", h->tree.size, base64(h->root.bytes, LEDGER_HASH_BYTES, root, sizeof root),
			       h->tree.size > 0 ? ledger_hash_text(&h->last.hash, hex) : "");
	}
	json_done(&j);
	free(h);
	return code;
}

static int print_key(const struct options *o, const char *path)
{
	char dir[4096], line[LEDGER_VKEY_MAX + 1];
	struct ledger_vkey key;
	bool found;
	int code = verify_key(&o->tool, NULL, verify_dir(path, dir, sizeof dir), &key, &found);
	if (code == 0 && !found) {
		tool_error(VERB, "%s/ledger.pub: %s", dir, verify_text(tool_lang(&o->tool), VT_NO_FILE));
		code = ERR_NOTFOUND;
	}
	if (code == 0) {
		char key_line[LEDGER_VKEY_MAX];
		snprintf(line, sizeof line, "%s\n", ledger_vkey_text(&key, key_line));
		code = put_out(o, line);
	}
	return code;
}

static int print_checkpoint(const struct options *o, struct store_reader *r)
{
	struct head h = {.size = 0};
	int code = store_read_ledger_head(r, 0, take_note, &h);
	if (code == ERR_NOTFOUND)
		tool_error(VERB, "%s", verify_text(tool_lang(&o->tool), VT_LACKS_CHECKPOINT));
	else if (code == 0)
		code = put_out(o, h.note);
	free(h.note);
	return code;
}

static void proof_json(const struct head *h, const struct ledger_proof *p, struct json *j)
{
	char hex[LEDGER_HEX_MAX];
	json_object(j, NULL);
	json_uint(j, "seq", h->seq);
	json_uint(j, "size", h->prover.size);
	json_str(j, "leaf", ledger_hash_text(&h->leaf, hex));
	json_str(j, "root", ledger_hash_text(&h->root, hex));
	json_array(j, "proof");
	for (unsigned i = 0; i < p->count; i++)
		json_str(j, NULL, ledger_hash_text(&p->hash[i], hex));
	json_array_end(j);
	json_str(j, "body", h->body);
	json_str(j, "checkpoint", h->note);
	json_object_end(j);
}

/* C2SP tlog-proof; its extra data is the entry. */
static int proof_text(const struct head *h, const struct ledger_proof *p, char **ret)
{
	char *text_out = NULL, hash[64];
	size_t bytes = 0;
	const size_t body = strlen(h->body), room = sodium_base64_encoded_len(body, sodium_base64_VARIANT_ORIGINAL);
	char *extra = malloc(room);
	FILE *f = extra != NULL ? open_memstream(&text_out, &bytes) : NULL;
	if (f != NULL) {
		fprintf(f, "c2sp.org/tlog-proof@v1\nextra %s\nindex %" PRIu64 "\n", base64(h->body, body, extra, room), h->seq);
		for (unsigned i = 0; i < p->count; i++)
			fprintf(f, "%s\n", base64(p->hash[i].bytes, LEDGER_HASH_BYTES, hash, sizeof hash));
		fprintf(f, "\n%s", h->note != NULL ? h->note : "");
		if (fclose(f) != 0) {
			free(text_out);
			text_out = NULL;
		}
	}
	free(extra);
	*ret = text_out;
	return text_out != NULL ? 0 : ERR_NOMEM;
}

static int write_proof(const struct options *o, const struct head *h, const struct ledger_proof *p)
{
	char *made = NULL;
	struct json j;
	int code = 0;
	json_init(&j);
	if (o->tool.format == FORMAT_JSON) {
		proof_json(h, p, &j);
		const char *line = json_text(&j);
		code = line == NULL || asprintf(&made, "%s\n", line) < 0 ? ERR_NOMEM : 0;
	} else {
		code = proof_text(h, p, &made);
	}
	json_done(&j);
	if (code == 0)
		code = put_out(o, made);
	free(made);
	return code;
}

/* In the tree of the last checkpoint that holds the entry; before there is one
 * of all entries, and nobody has signed that. */
static int print_proof(const struct options *o, struct store_reader *r)
{
	const struct entry_filter all = {0};
	struct head *h = calloc(1, sizeof *h);
	int code = h != NULL ? store_read_ledger_head(r, o->seq + 1, take_note, h) : ERR_NOMEM;
	if (code == ERR_NOTFOUND)
		code = store_read_ledger(r, &all, take_leaf, h);
	const uint64_t size = code == 0 ? h->size != 0 ? h->size : h->tree.size : 0;
	if (code == 0) {
		h->proving = true;
		h->seq = o->seq;
		h->size = size;
		h->tree = (struct ledger_tree){.size = 0};
		code = ledger_prove_inclusion(o->seq, size, &h->prover);
	}
	if (code == 0)
		code = store_read_ledger(r, &all, take_leaf, h);
	const struct ledger_proof *p = code == 0 ? ledger_prover_end(&h->prover) : NULL;
	if (code == ERR_INVALID || (code == 0 && (p == NULL || h->body == NULL))) {
		tool_error(VERB, "%" PRIu64 ": %s", o->seq, text(tool_lang(&o->tool), TEXT_NO_SUCH_ENTRY));
		code = ERR_NOTFOUND;
	} else if (code == 0 && !ledger_inclusion_holds(o->seq, size, &h->leaf, p, &h->root)) {
		code = ERR_DAMAGED;
	}
	if (code == 0 && h->note == NULL)
		fprintf(stderr, "garita " VERB ": %s\n", text(tool_lang(&o->tool), TEXT_NOT_SIGNED));
	if (code == 0)
		code = write_proof(o, h, p);
	if (h != NULL) {
		free(h->note);
		free(h->body);
	}
	free(h);
	return code;
}

static int run(const struct options *o)
{
	char path[4096];
	struct store_reader *r = NULL;
	if (o->what == STAMP || o->what == ACCEPT)
		return o->what == STAMP ? ledger_stamp(&o->tool) : ledger_accept(&o->tool, o->note);
	const int found = tool_db_path(&o->tool, path, sizeof path);
	if (found != 0)
		return found == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
	if (o->what == KEY)
		return print_key(o, path) == 0 ? EXIT_DONE : EXIT_FAILED;
	const int opened = tool_open(&o->tool, &r);
	if (opened != EXIT_DONE)
		return opened;
	const int code = o->what == LIST         ? list(o, r)
	                 : o->what == HEAD       ? print_head(o, r)
	                 : o->what == CHECKPOINT ? print_checkpoint(o, r)
	                                         : print_proof(o, r);
	if (code == ERR_NOTFOUND) {   /* said */
		store_reader_close(r);
		return EXIT_FAILED;
	}
	return tool_close(&o->tool, r, code);
}

int cmd_ledger(int argc, char **argv)
{
	struct options o = {.tool = {.verb = VERB}};
	if (parse(argc, argv, &o) != 0)
		return EXIT_USAGE;
	if (o.tool.help) {
		printf("%s\n", text(tool_lang(&o.tool), TEXT_USAGE_LEDGER));
		return EXIT_DONE;
	}
	return run(&o);
}

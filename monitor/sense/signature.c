#include "sense/signature.h"

#include <errno.h>
#include <glob.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <yara.h>

struct signatures {
	YR_RULES *rules;
	YR_SCANNER *scanner;
	uint32_t pause;              /* scans that are left out */
	struct signature_stats stats;
	signature_sink hit;          /* of the scan that goes on */
	void *ctx;
};

/* --- what a person is told --- */

static void say(struct signature_report *r, const char *file, int line, const char *what)
{
	const size_t old = r->text != NULL ? strlen(r->text) : 0, more = strlen(file) + strlen(what) + 32;
	char *text = realloc(r->text, old + more);
	if (text == NULL)
		return;
	r->text = text;
	if (line > 0)
		snprintf(text + old, more, "%s:%d: %s\n", file, line, what);
	else
		snprintf(text + old, more, "%s: %s\n", file, what);
}

void signature_report_done(struct signature_report *r)
{
	free(r->text);
	*r = (struct signature_report){.text = NULL};
}

static void on_message(int level, const char *file, int line, const YR_RULE *rule, const char *message, void *ctx)
{
	struct signature_report *r = ctx;
	(void)rule;
	if (level == YARA_ERROR_LEVEL_WARNING) {
		r->warnings++;
		return;
	}
	r->errors++;
	say(r, file != NULL ? file : "rules", line, message);
}

/* --- compiling --- */

struct grown {
	uint8_t *bytes;
	size_t n, room;
};

static size_t grow(const void *p, size_t size, size_t count, void *ctx)
{
	struct grown *g = ctx;
	const size_t more = size * count;
	if (g->n + more > g->room) {
		const size_t room = (g->n + more) * 2;
		uint8_t *bytes = realloc(g->bytes, room);
		if (bytes == NULL)
			return 0;
		g->bytes = bytes;
		g->room = room;
	}
	memcpy(g->bytes + g->n, p, more);
	g->n += more;
	return count;
}

/* Rules of one file stand in a name space of their own: two files may use one name. */
static int add_file(YR_COMPILER *c, const char *path, struct signature_report *r)
{
	FILE *f = fopen(path, "re");
	if (f == NULL) {
		say(r, path, 0, strerror(errno));
		r->errors++;
		return ERR_CONFIG;
	}
	/* once it met an error the compiler takes nothing more */
	const int errors = yr_compiler_add_file(c, f, path, path);
	fclose(f);
	r->files++;
	return errors == 0 ? 0 : ERR_CONFIG;
}

static int with_compiler(int (*run)(YR_COMPILER *, void *), void *ctx, struct signature_report *r)
{
	YR_COMPILER *c;
	if (yr_initialize() != ERROR_SUCCESS)
		return ERR_NOMEM;
	int rc = ERR_NOMEM;
	if (yr_compiler_create(&c) == ERROR_SUCCESS) {
		yr_compiler_set_callback(c, on_message, r);
		rc = run(c, ctx);
		yr_compiler_destroy(c);
	}
	yr_finalize();
	return rc;
}

/* Each file alone, so that the errors of all are found. */
struct alone {
	const char *path;
	struct signature_report *report;
};

static int check_alone(YR_COMPILER *c, void *ctx)
{
	const struct alone *a = ctx;
	return add_file(c, a->path, a->report);
}

struct all {
	const glob_t *files;
	struct signature_report *report;
	struct grown out;
};

static int compile_all(YR_COMPILER *c, void *ctx)
{
	struct all *a = ctx;
	YR_RULES *rules;
	for (size_t i = 0; i < a->files->gl_pathc; i++)
		if (add_file(c, a->files->gl_pathv[i], a->report) != 0)
			return ERR_CONFIG;
	if (yr_compiler_get_rules(c, &rules) != ERROR_SUCCESS)
		return ERR_NOMEM;
	a->report->rules = rules->num_rules;
	YR_STREAM stream = {.user_data = &a->out, .write = grow};
	const int rc = yr_rules_save_stream(rules, &stream);
	yr_rules_destroy(rules);
	return rc == ERROR_SUCCESS ? 0 : ERR_NOMEM;
}

static int find_files(const char *const *patterns, size_t count, glob_t *files, struct signature_report *r)
{
	int result = 0;
	for (size_t i = 0; i < count; i++) {
		const bool wild = strpbrk(patterns[i], "*?[") != NULL;
		const int rc = glob(patterns[i], (i > 0 ? GLOB_APPEND : 0) | (wild ? 0 : GLOB_NOCHECK), NULL, files);
		if (rc == GLOB_NOSPACE)
			return ERR_NOMEM;
		if (rc == GLOB_ABORTED) {
			say(r, patterns[i], 0, "cannot be read");
			r->errors++;
			result = ERR_CONFIG;
		}
	}
	return result;
}

int signatures_compile(const char *const *patterns, size_t count, uint8_t **ret, size_t *ret_bytes,
                       struct signature_report *report)
{
	glob_t files = {.gl_pathc = 0};
	*report = (struct signature_report){.text = NULL};
	int rc = find_files(patterns, count, &files, report);
	struct all all = {.files = &files, .report = report};
	for (size_t i = 0; rc != ERR_NOMEM && i < files.gl_pathc; i++) {
		struct alone one = {files.gl_pathv[i], report};
		const int this = with_compiler(check_alone, &one, report);
		rc = this != 0 ? this : rc;
	}
	report->files = 0;
	report->warnings = 0;
	if (rc == 0)
		rc = with_compiler(compile_all, &all, report);
	globfree(&files);
	if (rc != 0) {
		free(all.out.bytes);
		return rc;
	}
	*ret = all.out.bytes;
	*ret_bytes = all.out.n;
	return 0;
}

/* --- matching --- */

struct read_from {
	const uint8_t *at;
	size_t left;
};

static size_t read_bytes(void *p, size_t size, size_t count, void *ctx)
{
	struct read_from *from = ctx;
	if (size == 0 || count > from->left / size)
		return 0;
	memcpy(p, from->at, size * count);
	from->at += size * count;
	from->left -= size * count;
	return count;
}

static struct signature_hit hit_of(YR_RULE *rule)
{
	struct signature_hit hit = {rule->identifier, "", "", "", OBJECT_RULE};
	YR_META *meta;
	yr_rule_metas_foreach(rule, meta)
	{
		if (meta->type != META_TYPE_STRING || meta->string == NULL)
			continue;
		if (strcmp(meta->identifier, "severity") == 0)
			hit.severity = meta->string;
		else if (strcmp(meta->identifier, "description") == 0)
			hit.description = meta->string;
		else if (strcmp(meta->identifier, "source") == 0)
			hit.source = meta->string;
		else if (strcmp(meta->identifier, "word") == 0)
			hit.word = object_word_find(meta->string);
	}
	return hit;
}

static int on_match(YR_SCAN_CONTEXT *context, int message, void *data, void *ctx)
{
	struct signatures *s = ctx;
	(void)context;
	if (message == CALLBACK_MSG_RULE_MATCHING) {
		const struct signature_hit hit = hit_of(data);
		s->hit(s->ctx, &hit);
	}
	return CALLBACK_CONTINUE;
}

int signatures_load(const uint8_t *bytes, size_t n, struct signatures **ret)
{
	struct signatures *s = calloc(1, sizeof *s);
	struct read_from from = {bytes, n};
	YR_STREAM stream = {.user_data = &from, .read = read_bytes};
	if (s == NULL || yr_initialize() != ERROR_SUCCESS) {
		free(s);
		return ERR_NOMEM;
	}
	int rc = yr_rules_load_stream(&stream, &s->rules) == ERROR_SUCCESS ? 0 : ERR_DAMAGED;
	if (rc == 0 && yr_scanner_create(s->rules, &s->scanner) != ERROR_SUCCESS)
		rc = ERR_NOMEM;
	if (rc != 0) {
		signatures_free(s);
		return rc;
	}
	yr_scanner_set_callback(s->scanner, on_match, s);
	yr_scanner_set_timeout(s->scanner, SIGNATURE_LIMIT_S);
	/* no signal handlers: a fault in the library ends the worker, as any other does */
	yr_scanner_set_flags(s->scanner,
	                     SCAN_FLAGS_FAST_MODE | SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING);
	*ret = s;
	return 0;
}

void signatures_free(struct signatures *s)
{
	if (s == NULL)
		return;
	if (s->scanner != NULL)
		yr_scanner_destroy(s->scanner);
	if (s->rules != NULL)
		yr_rules_destroy(s->rules);
	yr_finalize();
	free(s);
}

void signatures_scan(struct signatures *s, const uint8_t *p, size_t n, signature_sink hit, void *ctx)
{
	if (s->pause > 0) {
		s->pause--;
		s->stats.left_out++;
		return;
	}
	s->hit = hit;
	s->ctx = ctx;
	s->stats.scans++;
	/* The library's clock runs on while a busy machine lets others run: what took long by mischance does not twice. */
	bool slow = true;
	for (int i = 0; slow && i < 2; i++)
		slow = yr_scanner_scan_mem(s->scanner, p, n) == ERROR_SCAN_TIMEOUT;
	if (slow) {
		s->stats.broken_off++;
		s->pause = SIGNATURE_PAUSE;
	}
}

void signatures_each(struct signatures *s, signature_sink each, void *ctx)
{
	YR_RULE *rule;
	yr_rules_foreach(s->rules, rule)
	{
		const struct signature_hit hit = hit_of(rule);
		each(ctx, &hit);
	}
}

void signatures_stats(const struct signatures *s, struct signature_stats *ret)
{
	*ret = s->stats;
}

/* --- shared --- */

struct signature_page {
	_Atomic uint32_t generation;      /* half[generation % 2] is good; 0: nothing yet */
	size_t bytes[2];
	_Alignas(64) uint8_t half[2][SIGNATURE_PAGE_BYTES];
};

int signature_page_new(struct signature_page **ret)
{
	void *p = mmap(NULL, sizeof(struct signature_page), PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return ERR_NOMEM;
	*ret = p;
	return 0;
}

void signature_page_free(struct signature_page *p)
{
	if (p != NULL)
		munmap(p, sizeof *p);
}

int signature_page_confine(struct signature_page *p)
{
	return mprotect(p, sizeof *p, PROT_READ) == 0 ? 0 : ERR_IO;
}

int signature_page_put(struct signature_page *p, const uint8_t *bytes, size_t n)
{
	const uint32_t next = atomic_load(&p->generation) + 1;
	if (n > SIGNATURE_PAGE_BYTES)
		return ERR_FULL;
	memcpy(p->half[next % 2], bytes, n);
	p->bytes[next % 2] = n;
	atomic_store(&p->generation, next);
	return 0;
}

bool signature_page_get(struct signature_page *p, uint32_t *generation, struct signatures **s)
{
	const uint32_t now = atomic_load_explicit(&p->generation, memory_order_acquire);
	struct signatures *fresh = NULL;
	if (now == *generation)
		return false;
	const int rc = signatures_load(p->half[now % 2], p->bytes[now % 2], &fresh);
	/* overwritten meanwhile by the one after the next: come again */
	if (atomic_load(&p->generation) - now > 1) {
		signatures_free(fresh);
		return false;
	}
	*generation = now;
	if (rc != 0)
		return false;
	/* What the earlier rules cost is still so. */
	if (*s != NULL)
		fresh->stats = (*s)->stats;
	signatures_free(*s);
	*s = fresh;
	return true;
}

/* signature.h - rules of signatures/content and of the site, in the language of
 * YARA. The only file that includes its library is signature.c.
 * Compiled by the supervisor (files are read there), handed over as bytes in
 * memory that processes share, matched by workers against the first bytes of
 * objects. Not here: which bytes those are (carrier.h). */
#ifndef MONITOR_SIGNATURE_H
#define MONITOR_SIGNATURE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sense/recognise_object.h"

struct signatures;

/* What went wrong, a line each: "file:line: what". */
struct signature_report {
	char *text;              /* lines; NULL: none. signature_report_done frees it */
	size_t errors, warnings;
	size_t files, rules;     /* compiled */
};
void signature_report_done(struct signature_report *r);

/* Compile files; each pattern may hold the wildcards of glob(7), and a pattern
 * without them must name a file. The rules as bytes in *ret, which the caller
 * frees. 0, ERR_CONFIG (errors in the report; nothing returned), ERR_IO,
 * ERR_NOMEM. */
MUST_CHECK int signatures_compile(const char *const *patterns, size_t count, uint8_t **ret, size_t *ret_bytes,
                                  struct signature_report *report);

/* Rules from such bytes, ready to match. 0, ERR_DAMAGED or ERR_NOMEM. */
MUST_CHECK int signatures_load(const uint8_t *bytes, size_t n, struct signatures **ret);
void signatures_free(struct signatures *s);

/* What a rule says of itself by its meta: word, one of those of objects
 * (OBJECT_RULE where it has none), severity, description, source. Borrowed for
 * the time of the call. */
struct signature_hit {
	const char *rule, *severity, *description, *source;   /* "" where not given */
	enum object_word word;
};
typedef void (*signature_sink)(void *ctx, const struct signature_hit *hit);

/* Match. A scan that takes longer than SIGNATURE_LIMIT_S is begun anew, once (a
 * rule may be told again then); if it takes as long again it is broken off, and
 * the next SIGNATURE_PAUSE are left out: both are counted. */
#define SIGNATURE_LIMIT_S 1
#define SIGNATURE_PAUSE 10000u
void signatures_scan(struct signatures *s, const uint8_t *p, size_t n, signature_sink hit, void *ctx);

/* All rules. */
void signatures_each(struct signatures *s, signature_sink each, void *ctx);

struct signature_stats {
	uint64_t scans, broken_off, left_out;
};
void signatures_stats(const struct signatures *s, struct signature_stats *ret);

/* Rules in memory that processes share: the supervisor puts, workers get.
 * Twice SIGNATURE_PAGE_BYTES of address space, touched as far as used. */
#define SIGNATURE_PAGE_BYTES (8u << 20)
struct signature_page;
MUST_CHECK int signature_page_new(struct signature_page **ret);
void signature_page_free(struct signature_page *p);
/* In a worker: readable only from now on. */
MUST_CHECK int signature_page_confine(struct signature_page *p);
/* 0 or ERR_FULL. */
MUST_CHECK int signature_page_put(struct signature_page *p, const uint8_t *bytes, size_t n);
/* Are there others than those of *generation (0: none yet)? Then they take the
 * place of *s, which may be NULL. True: they were taken. */
bool signature_page_get(struct signature_page *p, uint32_t *generation, struct signatures **s);

#endif

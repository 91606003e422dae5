/* evidence_keep_parts.h - what evidence_keep.c and its parts share. */
#ifndef MONITOR_EVIDENCE_KEEP_PARTS_H
#define MONITOR_EVIDENCE_KEEP_PARTS_H
#include <stdbool.h>
#include <stdint.h>

#include "record/evidence_keep.h"
#include "record/store_evidence_keep.h"

#define REWRITE_SUFFIX ".part"

/* "evidence/D/x.pcapng" → "evidence/D/x-r1.pcapng" → "…-r2.pcapng". 0 or ERR_FULL. */
MUST_CHECK int evidence_path_next(const char *path, char *ret, size_t size);

/* evidence_keep_sweep.c: take away what a crash left. */
void evidence_sweep(struct store *s, int dir_fd);

/* evidence_keep_rewrite.c: a file again without what a plan takes out, a piece at a time. */
struct rewrite;
MUST_CHECK int rewrite_new(int dir_fd, const struct evict_file *old, struct evict_plan *plan, const char *why,
                           struct rewrite **ret, char *err, size_t err_size);
/* Until about that time (monotonic). ERR_AGAIN: more waits; 0: the new file lies there, whole and synced,
 * under its name; ERR_DAMAGED: the old one is not what the record says (err); ERR_FULL, ERR_IO. */
MUST_CHECK int rewrite_step(struct rewrite *w, int64_t until_us, char *err, size_t err_size);
const struct evict_file *rewrite_result(const struct rewrite *w);
/* Not finished, or not taken into the record: the new file is taken away. */
void rewrite_free(struct rewrite *w, bool keep_file);

int64_t evidence_monotonic_us(void);

#endif

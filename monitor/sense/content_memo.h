/* content_memo.h - DICOM associations read once. A machine proposes the same
 * hundred contexts each time it sends an image: the whole PDU is compared, and
 * what was read of it comes from memory. MEMO_ASSOCIATIONS of at most the
 * pool's bytes, the one not used longest gives way. Private to content. */
#ifndef MONITOR_CONTENT_MEMO_H
#define MONITOR_CONTENT_MEMO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sense/recognise.h"

#define MEMO_ASSOCIATIONS 16u

struct content_memo;   /* opaque */

/* NULL: no memory, allowed below. */
struct content_memo *content_memo_new(size_t bytes);
void content_memo_free(struct content_memo *m);

/* As recognise_dicom_association. */
enum recognise content_memo_association(struct content_memo *m, const uint8_t *p, size_t n, bool last,
                                        struct recognise_dicom *ret);
/* Associations that were read already. */
uint64_t content_memo_recalled(const struct content_memo *m);

#endif

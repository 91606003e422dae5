#include "sense/content_memo.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define PDU_HEADER 6u

struct association {
	size_t bytes;            /* of the PDU, as much of it as was there */
	uint64_t used;           /* when; 0: never */
	struct recognise_dicom read;
};

struct content_memo {
	size_t bytes;
	uint64_t clock, recalled;
	struct association entry[MEMO_ASSOCIATIONS];
	uint8_t pdu[];           /* bytes for each entry */
};

struct content_memo *content_memo_new(size_t bytes)
{
	struct content_memo *m = calloc(1, sizeof *m + MEMO_ASSOCIATIONS * bytes);
	if (m != NULL)
		m->bytes = bytes;
	return m;
}

void content_memo_free(struct content_memo *m)
{
	free(m);
}

uint64_t content_memo_recalled(const struct content_memo *m)
{
	return m != NULL ? m->recalled : 0;
}

static uint8_t *pdu_of(struct content_memo *m, const struct association *e)
{
	return m->pdu + (size_t)(e - m->entry) * m->bytes;
}

static void keep(struct content_memo *m, const uint8_t *p, size_t bytes, const struct recognise_dicom *read)
{
	struct association *e = m->entry;
	for (unsigned i = 1; i < MEMO_ASSOCIATIONS; i++)
		if (m->entry[i].used < e->used)
			e = &m->entry[i];
	memcpy(pdu_of(m, e), p, bytes);
	*e = (struct association){.bytes = bytes, .used = ++m->clock, .read = *read};
}

/* A whole PDU says everything: what follows it, and whether more may come, does
 * not matter. One that is cut is read as far as it goes once no more may come.
 * Which of the two it is, its length tells. */
enum recognise content_memo_association(struct content_memo *m, const uint8_t *p, size_t n, bool last,
                                        struct recognise_dicom *ret)
{
	const size_t pdu = n >= PDU_HEADER && (p[0] == 1 || p[0] == 2) ? PDU_HEADER + (size_t)be32(p + 2) : 0;
	const size_t bytes = n < pdu ? n : pdu;
	if (m == NULL || bytes == 0 || bytes > m->bytes || (n < pdu && !last))
		return recognise_dicom_association(p, n, last, ret);
	for (struct association *e = m->entry; e < m->entry + MEMO_ASSOCIATIONS; e++) {
		if (e->used == 0 || e->bytes != bytes || memcmp(pdu_of(m, e), p, bytes) != 0)
			continue;
		e->used = ++m->clock;
		m->recalled++;
		*ret = e->read;
		return RECOGNISE_YES;
	}
	const enum recognise r = recognise_dicom_association(p, n, last, ret);
	if (r == RECOGNISE_YES)
		keep(m, p, bytes, ret);
	return r;
}

/* finding_text.h - a finding in words: its peer, its reasons, one plain sentence. */
#ifndef TOOLS_FINDING_TEXT_H
#define TOOLS_FINDING_TEXT_H
#include <stdbool.h>
#include <stddef.h>

#include "record/store_read.h"

/* By what its peer is known: a host, "AS64500", an address. */
const char *finding_peer(const struct stored_finding *s);
/* The words of its reasons and detections, commas between. Returns buf. */
const char *finding_why(const struct stored_finding *s, char *buf, size_t size);

/* Contents that a sentence names; of two that were recognised the first. */
enum said_kind { SAID_DICOM = 0, SAID_DATABASE, SAID_INSPECTION, SAID_ENCRYPTED_ARCHIVE, SAID_ARCHIVE, SAID_KINDS };

/* What its transfers have in common, for the sentence, which claims no more than
 * was seen: contents are said with the bytes of the transfers that held them. */
struct finding_said {
	const struct stored_finding *s;
	const char *lang;
	const char *app;               /* that most bytes went by; NULL: none was recognised */
	const char *proto;             /* "tcp"; NULL: it has no transfers */
	int encrypted;                 /* -1: not known */
	bool all;                      /* every byte went by that application */
	bool empty;                    /* nothing but headers went out */
	int what;                      /* enum said_kind; -1: nothing was recognised */
	uint64_t what_out, what_transfers;   /* of the transfers in which it was; 0: only sums are left of them */
	uint64_t opened_out;           /* bytes out of transfers that the peer opened */
	const char *places;            /* where its bytes went, where that is not one place: "NL and DE"; NULL: the row says it */
	const char *approval;          /* of what is approved; NULL: not known */
	const char *address;           /* the one peer address of a host; NULL: several, or not to be said */
};

/* "NII-0007 sent 412 MB to 203.0.113.50 (CN, AS64500), 136 MB of it in 2 transfers
 * with DICOM images, over plain TCP; no approval". Not cleaned: see format_clean.
 * Returns buf. */
const char *finding_sentence(const struct finding_said *f, char *buf, size_t size);

/* What to do about detections of that group. */
const char *finding_advice(enum detect_group g, const char *lang);

#endif

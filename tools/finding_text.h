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

/* What its transfers have in common, for the sentence. */
struct finding_said {
	const struct stored_finding *s;
	const char *lang;
	const char *app;               /* that most bytes went by; NULL: none was recognised */
	const char *proto;             /* "tcp"; NULL: it has no transfers */
	bool encrypted;
	const char *address;           /* the one peer address of a host; NULL: several, or not to be said */
};

/* "NII-0007 sent 412 MB of DICOM images to 203.0.113.50 (CN, AS64500) over
 * plain TCP; no approval". Not cleaned: see format_clean. Returns buf. */
const char *finding_sentence(const struct finding_said *f, char *buf, size_t size);

/* What to do about detections of that group. */
const char *finding_advice(enum detect_group g, const char *lang);

#endif

/* show.h - the parts of garita show: a page for people (show_page.c,
 * show_why.c, show_time.c, show_policy.c, show_record.c) and one object
 * (show_json.c). All that is printed through show_item is made harmless there. */
#ifndef TOOLS_SHOW_H
#define TOOLS_SHOW_H
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/json.h"
#include "base/tz.h"
#include "finding_page.h"
#include "format.h"
#include "show_text.h"

#define SHOW_LABEL 12u             /* columns of a label */
#define SHOW_FAILING 12u
#define SHOW_APPROVALS 64u

/* An approval that does not cover it, and why. */
struct show_step {
	char condition[24], detail[200];
};
struct show_approval {
	char id[100];
	unsigned line, failing;        /* conditions that do not hold; as many as have room below */
	bool equipment;                /* it is for this equipment */
	struct show_step step[SHOW_FAILING];
};
struct show_policy {
	bool known;                    /* the policy in force was in the record */
	bool other;                    /* the verdict was given by another one */
	int64_t transfer;              /* that it was explained for */
	enum verdict verdict;
	char approval[100];            /* approved: by which; else the nearest; "": none is for it */
	char above[120];               /* conditions above all approvals that do not hold, ", " between */
	struct show_approval approvals[SHOW_APPROVALS];   /* the nearest first */
	unsigned count, more;
};

#define SHOW_FILES 32u
#define SHOW_PACKETS_MAX 8u
#define SHOW_PACKET_BYTES 256u
struct show_file {                 /* evidence of it */
	int64_t id;
	char path[200], state[16], sha256[65];
	uint64_t packets, bytes, missed;
	bool evicted;
};
struct show_packet {               /* what it carried, past the transport header */
	int64_t time_us;
	uint32_t bytes;
	unsigned kept;
	bool out;
	uint8_t data[SHOW_PACKET_BYTES];
};
struct show_record {
	struct show_file files[SHOW_FILES];
	unsigned file_count, more_files;
	uint64_t kept_packets, kept_bytes, missed;
	struct show_packet packets[SHOW_PACKETS_MAX];
	unsigned packet_count;
	int64_t packets_of;            /* transfer */
	bool headers_only;             /* what they carried was not kept */
	bool unreadable;               /* a file that should be there cannot be opened */
	struct review_before before;
	struct stored_entry entry;
};

struct show {
	const struct finding_page *g;
	const char *lang;
	unsigned width;
	bool colour, unicode, all;
	int64_t now_us;
	struct config *config;         /* that was in force last; NULL: the record has none that can be read */
	struct tz *tz;                 /* the site's; NULL: UTC */
	struct show_policy policy;
	struct show_record record;
	char dir[4096];                /* of the database */
	int64_t id;                    /* asked for: of the finding, or of the transfer */
};

/* --- lines (show_page.c) --- */
/* One item of the page, wrapped; label NULL: below the item before. */
void show_item(const struct show *s, const char *label, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* One that is not wrapped, whatever its width. */
void show_line(const struct show *s, const char *label, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same in two parts: label and a harmless beginning; then any text, wrapped
 * under that many columns. */
void show_head(const struct show *s, const char *label, const char *beginning);
void show_rest(const struct show *s, unsigned indent, const char *text);
/* The heading of the page, the sentence, what to do. */
void show_page(const struct show *s);
const char *show_sentence(const struct show *s, char *buf, size_t size);

/* --- what to do, and why (show_why.c) --- */
void show_advice(const struct show *s);
void show_why(const struct show *s);
/* A term of the severity in words. */
const char *show_term(const struct show *s, const struct severity_item *i, char buf[900]);

/* --- over time (show_time.c) --- */
#define SHOW_TIME_MAX 80
/* "2026-11-21 21:39:17" in the site's time zone. */
const char *show_local(const struct show *s, int64_t time_us, char buf[SHOW_TIME_MAX]);
#define SHOW_SPAN_MAX 40
const char *show_span(int64_t us, char buf[SHOW_SPAN_MAX]);   /* "82 ms", "12 min", "3 h 52 min" */
bool show_one_day(const struct show *s);   /* all of it, in the site's time zone */
void show_when(const struct show *s);
void show_strip(const struct show *s);

/* --- the policy (show_policy.c) --- */
/* Which condition of which approval fails for the largest transfer. 0 or a code. */
MUST_CHECK int show_policy_read(struct store_reader *r, struct show *s);
void show_policy(const struct show *s);
void show_policy_json(const struct show *s, struct json *j);

/* All of it: the finding, or the transfer, that s->id asks for, into g, policy and record.
 * Where there is none g->found is false. */
MUST_CHECK int show_read(struct store_reader *r, bool transfer, struct finding_page *g, struct show *s);

/* --- where its packets are, review, ledger (show_record.c); packets (show_packets.c) --- */
MUST_CHECK int show_record_read(struct store_reader *r, struct show *s);
void show_record(const struct show *s);
void show_record_json(const struct show *s, struct json *j);
MUST_CHECK int show_packets_read(struct show *s);
void show_packets(const struct show *s);
void show_packets_json(const struct show *s, struct json *j);

/* --- one object (show_json.c) --- */
MUST_CHECK int show_json(const struct show *s);

#endif

/* report.h - the weekly compliance report: what it is made of. Everything
 * comes from the record, so that the same record and week give the same bytes,
 * whenever it is made. A transfer belongs to the week in which it began. */
#ifndef TOOLS_REPORT_REPORT_H
#define TOOLS_REPORT_REPORT_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/config.h"
#include "base/config_frameworks.h"
#include "record/ledger.h"
#include "record/store_read.h"
#include "record/store_read_week.h"
#include "report/coverage.h"
#include "report/sheet.h"
#include "report/tally.h"
#include "report/week.h"
#include "report/work.h"
#include "translate.h"

#define REPORT_TREND_WEEKS 12
#define REPORT_PAGE_ROWS 200u    /* of a long table, in HTML and PDF; all of them are in JSON and CSV */

enum report_tally { BY_EQUIPMENT = 0, BY_COUNTRY, BY_NETWORK, BY_APP, BY_SCANNER_NETWORK, BY_DESTINATION, BY_APPROVAL, TALLIES };

/* May "no unapproved transfer" be said at all? */
enum report_light { LIGHT_GREEN = 0, LIGHT_AMBER, LIGHT_RED, LIGHT_INCONCLUSIVE };

struct report_sums {             /* of a week */
	struct tally *by[TALLIES];
	struct tally_sum all, day[8];
	uint64_t months;             /* monthly sums that touch it, whose bytes have no place in it */
	uint64_t open;               /* transfers that had not ended when the record was read */
};

struct report_findings {         /* counts over findings alive in the week */
	uint64_t all, severe, closed, overdue, suppressed;
	uint64_t detected, listening;   /* with a detection; with that of listening */
	int64_t slowest_us;          /* longest time to review of those that are closed */
};

#define REPORT_WRONG_KEPT 50u
struct report_ledger {
	int error;                   /* a code: it could not be checked */
	bool any, has_key;           /* of entries; of ledger.pub beside the record: signatures are checked */
	int64_t head_seq, head_us;   /* of the last entry that is no report, not after as_of */
	struct ledger_hash head, root;
	uint64_t checkpoint_size;    /* of the last one; 0: none */
	int64_t checkpoint_us;
	char origin[256];
	uint64_t sealed, unsealed;   /* transfers that the ledger vouches for; that have not ended, or wait */
	uint64_t wrong;
	struct report_wrong {
		char what[48], name[120];
		int64_t entry, id;
	} kept[REPORT_WRONG_KEPT];
};

struct report_vlans {
	struct report_vlan {
		int vlan;                    /* store_vlan.h */
		bool named;
		char networks[200];
		uint16_t minutes[WEEK_HOURS_MAX];   /* of this week */
		uint8_t weeks[WEEK_HOURS_MAX];      /* a bit for each week before that brought it in the hour */
		bool missing[WEEK_HOURS_MAX];
		unsigned hours_seen, hours_missing;
	} *all;                              /* those of site.yaml first */
	size_t count, room;
	bool any, known[WEEK_HOURS_MAX];     /* of this week: a VLAN is recorded; in the hour */
	uint8_t weeks[WEEK_HOURS_MAX];       /* before, in which the hour has any */
};

/* Databases that placed the peers of the week. */
struct report_geo {
	struct report_geo_use {
		char role[16], path[300], type[80], sha256[65];
		int64_t build_us, bytes, from_us, until_us;   /* until 0: still in use; wall clock */
		bool live;           /* false: of a replay */
		bool last;           /* of the role, in use at the end of the week, or of the replay that came last */
	} *all;
	size_t count, room;
	bool recorded;               /* the ledger says what was in use, be it nothing */
	int64_t at_us;               /* against which ages are held: the end of the week, or how far the record goes */
	int64_t oldest_us;           /* greatest age of those in use at the end; 0: none, or no file says when it was built */
	bool old;                    /* one of them is older than geo.max_age of the site */
	char text[600];              /* "country: GeoLite2-Country 2026-11-17, asn: …" */
};

struct report {
	struct store_reader *db;
	const char *lang;            /* "en" or "es" */
	struct tz *zone;
	struct week week;
	struct config_frameworks frameworks;
	struct config *site;         /* site.yaml in force at the end of the week; NULL: none is in the record */
	char policy_hash[72];
	bool policy_later;           /* the record has none from before the end of the week: the oldest later one */
	char sensor[80], version[32], ndpi[32];
	bool live;                   /* the record holds a live run; else coverage is not known */
	int64_t as_of_us;            /* the last sign of life in the record: deadlines are held against it */
	uint32_t least_ppm;          /* coverage below that: inconclusive */
	unsigned severe;             /* severity from which a finding is severe */
	struct coverage coverage;
	struct report_sums now, before;
	struct week_carried carried;
	struct week_sum trend[REPORT_TREND_WEEKS];   /* the last is this week */
	struct report_findings findings;
	struct report_geo geo;
	struct report_vlans vlans;
	struct report_ledger ledger;
	struct report_largest {      /* unapproved transfers with most bytes out: a heap, the least of them first */
		int64_t id;
		uint64_t out;
	} largest[REPORT_PAGE_ROWS];
	unsigned largest_count;
	enum report_light light;
	struct week_span span;       /* of its transfers */
	bool lists_rows;             /* it will be JSON or CSV */
	struct work *work;
};

struct report_options {
	const char *path, *dir;      /* of the record; ledger.pub and evidence are in dir */
	const char *week;            /* "2026-W47"; NULL: the last whole week before now_us */
	const char *lang;            /* NULL: the site's */
	int64_t now_us;
	bool lists_rows;             /* every transfer will be written: JSON and CSV */
	struct work *work;
};

/* Gather everything. EXIT-code free: 0, or a negative code and err says why.
 * ERR_NOTFOUND: the record holds no site.yaml. r is to be freed in any case. */
MUST_CHECK int report_gather(struct store_reader *db, const struct report_options *o, struct report *ret, char *err, size_t err_size);
void report_done(struct report *r);

static inline const char *report_said(const struct report *r, const char *msgid) __attribute__((format_arg(2)));
static inline const char *report_said(const struct report *r, const char *msgid)
{
	return tr(r->lang, msgid);
}

MUST_CHECK int report_gather_sums(struct report *r);   /* pass.c */
/* After the coverage: it notes the hours in which one is missing there. */
MUST_CHECK int report_gather_vlans(struct report *r);
/* "120, 130": of an hour, those that were seen, or are missing. Returns buf. */
const char *report_vlans_text(const struct report *r, unsigned hour, bool missing, char *buf, size_t size);
MUST_CHECK int report_gather_geo(struct report *r);
/* How old a database was at the end of the week, in days; -1: not known, or built later (a replay). */
int64_t report_geo_days(const struct report *r, const struct report_geo_use *u);

/* Verification in a process of its own, of report_gather. */
struct report_check {
	const char *path, *dir;      /* of the record; ledger.pub and evidence are in dir */
	struct work *work;
	struct work_check *shared;
	int pid, from;
};
MUST_CHECK int report_check_begin(struct report_check *c);
MUST_CHECK int report_check_end(struct report_check *c, struct report *r);

/* One sentence that answers (first page). Returns buf. */
const char *report_sentence(const struct report *r, char *buf, size_t size);
const char *report_light_word(enum report_light l);
/* A word of the record as a person of r's language reads it. */
const char *report_word(const struct report *r, const char *word);
/* Name of a key of BY_COUNTRY. */
const char *report_country(const struct report *r, const char *code);

/* Write out in large pieces; one file at a time. */
void report_buffer(FILE *out);

/* The forms. 0, ERR_IO, ERR_NOMEM or a code of the record. */
MUST_CHECK int report_json(const struct report *r, FILE *out);
MUST_CHECK int report_html(const struct report *r, FILE *out);
/* One file for each table, and summary.csv, into the folder dir, which is there. */
MUST_CHECK int report_csv(const struct report *r, const char *dir, char *err, size_t err_size);
/* JSON Schema (2020-12) of report_json. */
MUST_CHECK int report_schema(FILE *out);

/* "99.9712" of parts per million. */
#define REPORT_PPM_MAX 32
const char *report_ppm(int64_t ppm, char buf[REPORT_PPM_MAX]);

#endif

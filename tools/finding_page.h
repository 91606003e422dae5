/* finding_page.h - all that garita show says of a finding, gathered from the
 * database. Texts are as recorded: they are cleaned where they are printed. */
#ifndef TOOLS_FINDING_PAGE_H
#define TOOLS_FINDING_PAGE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "judge/severity.h"
#include "record/store_read.h"
#include "record/store_words.h"

#define PAGE_BINS 48u
#define PAGE_APPS 4u
#define PAGE_NAMES 4u
#define PAGE_LARGEST 5u
#define PAGE_NEIGHBOURS 3u
#define PAGE_TEXT 300u

struct page_detection {
	char word[40], detail[256];
	int what;
	unsigned score;
	uint64_t count, bytes_out;
	int64_t first_us, last_us;
};

struct page_app {
	char app[64], proto[STORE_PROTO_MAX];
	int64_t port;                  /* -1: none */
	uint64_t bytes;                /* both ways */
};

struct page_name {
	char name[PAGE_TEXT];
	enum fact_host_source source;
	bool verified;
};

struct page_transfer {
	int64_t id, start_us, end_us;
	uint64_t out, in;
	char app[64], peer[80];
	enum fact_initiator initiator;
};

struct page_neighbour {
	int64_t id;
	unsigned severity;
	uint64_t out;
	char equipment[PAGE_TEXT], peer[PAGE_TEXT], why[PAGE_TEXT];
	bool same_peer;
};

struct finding_page {
	bool found;
	struct stored_finding finding; /* its strings point to text */
	char text[8][PAGE_TEXT], reasons[STORE_REASONS_MAX], signs[STORE_SIGNS_MAX];
	char vendor[PAGE_TEXT], network[PAGE_TEXT], approval[PAGE_TEXT];
	struct severity severity;
	struct page_detection detections[DETECT_COUNT];
	unsigned detection_count;
	struct page_app apps[PAGE_APPS];      /* most bytes first */
	unsigned app_count, more_apps;
	struct page_name names[PAGE_NAMES];
	unsigned name_count, more_names;
	struct page_transfer largest[PAGE_LARGEST];
	unsigned largest_count;
	struct page_neighbour neighbours[2 * PAGE_NEIGHBOURS];
	unsigned neighbour_count;
	double bins[PAGE_BINS];        /* bytes out by time, from first_us to last_us */
	bool encrypted, folded;        /* of what has most bytes; some transfers are kept as sums alone */
	char address[80];              /* of the peer; empty: several */
};

/* 0 or a negative code; where there is no such finding, found is false. */
MUST_CHECK int finding_page_read(struct store_reader *r, int64_t id, struct finding_page *ret);

#endif

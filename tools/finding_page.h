/* finding_page.h - all that garita show says of a finding, or of one transfer,
 * gathered from the database. Texts are as recorded: they are cleaned where they
 * are printed. finding_page.c reads, finding_page_sum.c adds up transfers. */
#ifndef TOOLS_FINDING_PAGE_H
#define TOOLS_FINDING_PAGE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "finding_text.h"
#include "judge/severity.h"
#include "record/store_read.h"
#include "record/store_words.h"

#define PAGE_BINS 60u
#define PAGE_APPS 24u
#define PAGE_WORDS 24u
#define PAGE_CHANNELS 16u
#define PAGE_NAMES 24u
#define PAGE_ADDRESSES 24u
#define PAGE_PLACES 12u
#define PAGE_LARGEST 20u
#define PAGE_NEIGHBOURS 3u
#define PAGE_TEXT 300u

struct page_detection {
	char word[40], detail[256];
	int what;
	unsigned score;
	uint64_t count, bytes_out;
	int64_t first_us, last_us;
};

/* What its transfers have in common, the most bytes first. Of each: how many, and IP bytes. */
struct page_amount {
	uint64_t transfers, out, in;
};
struct page_app {
	char app[64], proto[STORE_PROTO_MAX];
	int64_t port;                  /* -1: none */
	int encrypted;                 /* -1: not known */
	struct page_amount amount;
};
struct page_word {
	char word[40], detail[220];    /* recognised content; detail: the first that came with it */
	struct page_amount amount;
};
struct page_channel {
	char kind[40], name[100], provider[100];
	struct page_amount amount;
};
struct page_name {
	char name[PAGE_TEXT];
	enum fact_host_source source;  /* HOST_NONE: folded, not known any more */
	bool verified;
	struct page_amount amount;
};
struct page_place {
	char country[8], as_org[120], provider[100], jurisdiction[40];   /* "": unknown */
	uint32_t asn;
	struct page_amount amount;
};
struct page_address {
	char text[ADDR_TEXT_MAX];
	struct page_amount amount;
};

struct page_transfer {
	int64_t id, start_us, end_us;
	uint64_t out, in;
	char app[64], peer[ADDR_TEXT_MAX + 12];
	enum fact_initiator initiator;
};

/* Findings of the same peer from other equipment, or of the same equipment to other peers. */
struct page_neighbour {
	int64_t id;
	unsigned severity;
	uint64_t out;
	char equipment[PAGE_TEXT], peer[PAGE_TEXT], why[PAGE_TEXT];
};
struct page_neighbours {
	int64_t count;
	unsigned shown;                /* the worst */
	struct page_neighbour worst[PAGE_NEIGHBOURS];
};

struct finding_page {
	bool found;
	bool one;                      /* of a transfer alone: finding is made of it */
	bool emptied;                  /* its transfers are judged otherwise now */
	struct stored_finding finding; /* its strings point to text */
	char text[8][PAGE_TEXT], note[REVIEW_NOTE_MAX + 1], reasons[STORE_REASONS_MAX], signs[STORE_SIGNS_MAX];
	struct severity severity;
	struct page_detection detections[DETECT_COUNT];
	unsigned detection_count;
	/* its transfers, added up */
	struct page_amount amount, folded;    /* of all; kept as sums alone */
	uint64_t packets_out, packets_in, payload_out, payload_in, collapsed;
	struct page_amount peer_opened, with[SAID_KINDS];
	struct page_app apps[PAGE_APPS];
	struct page_word words[PAGE_WORDS];
	struct page_channel channels[PAGE_CHANNELS];
	struct page_name names[PAGE_NAMES];
	struct page_address addresses[PAGE_ADDRESSES];
	struct page_place places[PAGE_PLACES];
	unsigned app_count, word_count, channel_count, name_count, address_count, place_count;
	bool more_apps, more_words, more_channels, more_names, more_addresses, more_places;   /* that found no room */
	struct page_transfer largest[PAGE_LARGEST];
	unsigned largest_count;
	double bins_out[PAGE_BINS], bins_in[PAGE_BINS];   /* from first_us to last_us; evenly within each transfer */
	/* of the largest */
	struct {
		char network[PAGE_TEXT], vendor[PAGE_TEXT], mac[MAC_TEXT_MAX], address[ADDR_TEXT_MAX];
		char city[PAGE_TEXT], approval[PAGE_TEXT];
	} of;
	struct page_neighbours same_peer, same_equipment;
};

/* 0 or a negative code; where there is no such finding, found is false. */
MUST_CHECK int finding_page_read(struct store_reader *r, int64_t id, struct finding_page *ret);
/* A page of one transfer. */
MUST_CHECK int finding_page_of_transfer(struct store_reader *r, int64_t id, struct finding_page *ret);

/* --- finding_page_sum.c: for store_read_briefs, ctx is a struct page_sums --- */
struct page_sums {
	struct finding_page *page;
	struct {
		char text[200];
		uint64_t bits;
	} signs[8];                    /* texts that came, so that few are taken apart */
	unsigned sign_count, sign_next;
};
int finding_page_add(void *ctx, const struct stored_brief *b);
/* The most bytes first. */
void finding_page_sort(struct finding_page *p);

#endif

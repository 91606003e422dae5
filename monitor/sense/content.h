/* content.h - the first bytes of each direction against our own recognisers
 * (DICOM, DICOS, DTLS, TLS, …) and DNS messages over UDP and TCP.
 * In order, across segments, a bounded number of bytes; a gap ends the
 * inspection of that direction. Not here: nDPI, verdicts. */
#ifndef MONITOR_CONTENT_H
#define MONITOR_CONTENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "fact.h"
#include "sense/dns.h"

struct content_pool;   /* opaque: buffers, taken once */
struct content;        /* of one flow */

enum content_end { CONTENT_OUT = 0, CONTENT_IN = 1 };

/* What was found; each at most once a flow. */
struct content_find {
	const char *word;      /* static: "dicom", "dicos", "dtls" … (signatures/README.md) */
	const char *app;       /* overrides the label of nDPI; NULL: it does not */
	const char *category;  /* with app */
	bool encrypted;        /* with app */
	char detail[160];
};

struct content_sink {
	void *ctx;
	void (*find)(void *ctx, const struct content_find *f);
	void (*dns)(void *ctx, const struct dns_answer *a, enum content_end from);
	void (*risk)(void *ctx, unsigned risk);   /* RISK_…; NULL: nobody asks */
};

/* max_flows at once, bytes of each direction looked at (512 at least; 4,096 take
 * in all but the longest DICOM proposals and DNS messages). Memory is made when
 * first needed: 176 bytes a flow, and a buffer of that many bytes for a direction
 * that is between its first bytes and the decision; few flows ever are. At most
 * max_flows * (176 + 2 * bytes), and 16 * bytes for associations that were read
 * already (content_memo.h). 0 or ERR_NOMEM. */
MUST_CHECK int content_pool_new(uint32_t max_flows, size_t bytes, struct content_pool **ret);
void content_pool_free(struct content_pool *p);

/* NULL when the pool is empty. proto: IANA; ports of the inside end and peer. */
struct content *content_new(struct content_pool *p, uint8_t proto, uint16_t inside_port, uint16_t peer_port);
void content_free(struct content_pool *p, struct content *c);

/* Payload of one packet. seq: TCP sequence number of its first byte (other
 * protocols: 0); caplen: bytes captured. A SYN is given with caplen 0 and
 * seq + 1 so that the beginning is known. A few pieces that come early wait;
 * what is sent again is passed over; what the snaplen cut is a gap.
 * Returns false when there is nothing more to learn: free it then. */
bool content_feed(struct content *c, enum content_end from, uint32_t seq, const uint8_t *payload, uint32_t caplen,
                  const struct content_sink *sink);

/* Is the flow as good as recognised, though what is told of it is not whole
 * yet? Then nobody else need look at it. */
bool content_is_likely(const struct content *c);

#endif

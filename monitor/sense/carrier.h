/* carrier.h - what a flow carries in the clear: the first bytes of each file,
 * message or stream in it, against the recognisers of objects and the rules of
 * signatures/content. A flow is a stream of its own, or carries objects: HTTP
 * bodies and the parts of forms, mail attachments, SMB files, MQTT messages,
 * FTP data (tied to its control connection), statements to a database.
 * In order, across segments; of each object the first options.bytes are kept
 * and looked at once, when they are there, or when the object, the flow or a
 * checkpoint ends it. What a flow that is encrypted carries is not looked at.
 * Not here: labels and protocols (content.h), what a find is worth. */
#ifndef MONITOR_CARRIER_H
#define MONITOR_CARRIER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/config.h"
#include "base/err.h"
#include "sense/content.h"
#include "sense/decode.h"

struct carriers;    /* opaque: of one worker */
struct carrier;     /* of one flow */
struct signatures;  /* signature.h */

struct carrier_options {
	uint32_t max_flows;
	size_t bytes;                 /* of each object; 512 at least */
	enum config_keep keep;        /* values of records in details */
	const char *hash_key;         /* of KEEP_HASH; NULL or "": none */
	struct signatures *rules;     /* NULL: none; borrowed */
	void *ctx;
	/* owner: as given to carrier_new; word is static or lives as long as the rules */
	void (*find)(void *ctx, void *owner, const char *word, const char *detail);
};

/* Memory is made when first needed: about 900 bytes for each of max_flows, and
 * at most max_flows / 2 buffers of options.bytes. Without a free buffer the flow
 * that began first is looked at early and given up. 0 or ERR_NOMEM. */
MUST_CHECK int carriers_new(const struct carrier_options *o, struct carriers **ret);
void carriers_free(struct carriers *cs);

/* Other rules from now on; NULL: none. */
void carriers_rules(struct carriers *cs, struct signatures *rules);

/* Flows given up for want of a buffer. */
uint64_t carriers_given_up(const struct carriers *cs);

/* Who talks, for FTP's data connections; ends as in enum content_end. */
struct carrier_ends {
	struct addr addr[2];
	uint16_t port[2];
	uint8_t proto;
};

/* Does a direction that begins so hide what it carries (TLS, SSH)? */
bool carrier_is_encrypted(const uint8_t *p, size_t n);

/* NULL when there is no memory. */
struct carrier *carrier_new(struct carriers *cs, void *owner, const struct carrier_ends *ends);
/* The beginning of a direction of TCP is known: sequence number of its first byte. */
void carrier_begin(struct carrier *c, enum content_end from, uint32_t seq);
/* Payload of a packet (seq as in content_feed). False: nothing more to learn. */
bool carrier_feed(struct carriers *cs, struct carrier *c, enum content_end from, uint32_t seq, const uint8_t *p,
                  uint32_t n);
/* Look at what is there of objects that wait for more. */
void carrier_look(struct carriers *cs, struct carrier *c);
void carrier_free(struct carriers *cs, struct carrier *c);

/* A packet, whoever inspects its flow: commands of FTP's control connection.
 * Workers that read the same files call it for every packet, so that each knows
 * of the data connection, whichever gets it. Live, a worker sees the control
 * connections that the kernel gave it; a data connection at another worker is
 * looked at all the same, as a stream without a name. */
void carrier_overhear(struct carriers *cs, const struct packet *p);

#endif

/* channel.h - by what means a transfer goes (remote maintenance, tunnel, cloud
 * storage …), and under whose law the one stands who offers it. Compiled from
 * the channel lists (config_channels.h), which it takes over.
 * A host name is looked up by its last labels, one step a label; labels of
 * inspection, content words and addresses in one step, ports by bisection: no
 * list is walked. What is found names a channel and weighs; it never approves,
 * and nothing is let through because no list names it.
 * Memory: about 100 bytes a name, beside the lists. Not here: signs, records. */
#ifndef MONITOR_CHANNEL_H
#define MONITOR_CHANNEL_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/config_channels.h"
#include "base/err.h"
#include "judge/detect.h"

struct channels;

/* How it is known. */
enum channel_by { CHANNEL_BY_CONTENT = 0, CHANNEL_BY_LABEL, CHANNEL_BY_HOST, CHANNEL_BY_ADDRESS, CHANNEL_BY_PORT,
	CHANNEL_BY_ASN };

/* What is known of a transfer; NULL, zero: nothing. */
struct channel_query {
	const char *host;         /* claimed, or of DNS */
	const char *app;          /* the label */
	const char *content;      /* JSON array of {"word", …} */
	struct addr peer;
	uint32_t asn;
	uint8_t proto;
	uint16_t port[2];         /* the service's; both where nobody knows who was connected to */
	bool by_port;             /* inspection is over and there was payload: a port may say something */
};

#define CHANNEL_BUCKET_MAX 128
#define CHANNEL_REGION_MAX 40
struct channel_hit {
	const struct config_channel *channel;
	enum detection kind;
	enum channel_by by;
	char bucket[CHANNEL_BUCKET_MAX], region[CHANNEL_REGION_MAX];   /* "" where the name does not say */
};

#define CHANNEL_HITS_MAX 4u
struct channel_result {
	struct channel_hit hit[CHANNEL_HITS_MAX];   /* each kind once: by host, which says most, then content, then label */
	unsigned count;
	const struct config_provider *provider;     /* NULL: not known */
	enum channel_by provider_by;
};

/* Takes the lists over, also on failure. An entry without its provider and a
 * name that stands twice are errors (a site's entry goes before an installed
 * one). 0, ERR_NOMEM or ERR_CONFIG. */
MUST_CHECK int channels_new(struct config_channels *lists, struct channels **ret, struct config_errors *errors);
/* Read them all: the site's files, and what is installed. Where nothing is
 * installed the site's alone are in use, and *ret_found is false. */
MUST_CHECK int channels_load(const struct config *cfg, struct channels **ret, bool *ret_found,
                             struct config_errors *errors);
void channels_free(struct channels *c);

/* True when anything was found. */
bool channels_find(const struct channels *c, const struct channel_query *q, struct channel_result *ret);

const char *channel_by_word(enum channel_by by);   /* "host" … */
uint32_t channels_count(const struct channels *c); /* entries */

#endif

/* detect_dns.h - data in DNS questions, by machine and registered domain.
 *   dns-tunnel        bytes of different names below one domain, an hour and a
 *                     day: the information rate of ibHH (arXiv 2307.02614: from
 *                     0.7 bytes a second), estimated in constant memory
 *   dns-subdomains    different names below one domain in a day (RITA: 100, 500,
 *                     800, 1000; more where the domain is never contacted)
 *   dns-record-types  different names asked for as TXT or NULL in an hour
 * Reverse names (in-addr.arpa, ip6.arpa) count with the bytes of their address.
 * Names to whose addresses the machine then talks are no channel: they are
 * taken off in proportion.
 * Hearing a question twice changes nothing.
 * Memory: DETECT_DNS_PAIRS pairs of machine and domain, 1.1 KB each.
 * Not here: who answered (judge_name.c), encrypted DNS. */
#ifndef MONITOR_DETECT_DNS_H
#define MONITOR_DETECT_DNS_H
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "judge/detect.h"

#define DETECT_DNS_PAIRS 4096u

struct detect_dns;

/* cfg: until it is replaced. seed: the same gives the same hits. */
MUST_CHECK int detect_dns_new(const struct config_detect *cfg, uint64_t seed, struct detect_dns **ret);
void detect_dns_free(struct detect_dns *d);
void detect_dns_configure(struct detect_dns *d, const struct config_detect *cfg);

struct detect_dns_question {
	uint32_t machine_number;
	const char *machine;     /* id */
	const char *name;        /* lower case, no final dot */
	struct addr resolver;
	uint64_t name_hash;
	uint16_t name_bytes;     /* on the wire */
	uint16_t qtype;
	int64_t time_us;
};
void detect_dns_question(struct detect_dns *d, const struct detect_dns_question *q, const struct detect_sink *sink);

/* The machine talks to an address that bears this name. */
void detect_dns_contact(struct detect_dns *d, uint32_t machine_number, const char *name, int64_t time_us);
uint64_t detect_dns_evicted(const struct detect_dns *d);

#endif

/* dns.h - DNS answers on the wire (RFC 1035; RFC 9460 SVCB/HTTPS hints).
 * Not here: what the names are worth (judge/names). */
#ifndef MONITOR_DNS_H
#define MONITOR_DNS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

#define DNS_NAME_MAX 256      /* text with the final NUL */
#define DNS_ADDRS_MAX 32      /* addresses kept of one message */

struct dns_answer {
	bool is_response;
	uint8_t opcode, rcode;
	uint16_t id, qtype, qdcount, ancount;
	char name[DNS_NAME_MAX];  /* of the first question: lower case, no final dot, bytes outside [!-~] and '\\' '.' as \DDD */
	uint16_t name_bytes;      /* of that name on the wire, without compression; 0: no question */
	uint64_t name_hash;       /* of those bytes, lower case */
	bool name_cut;            /* the text was longer: name holds its last labels, and no address is kept */
	unsigned addr_count;
	struct {
		struct addr addr;
		uint32_t ttl_s;       /* smallest along the CNAME chain */
	} addr[DNS_ADDRS_MAX];    /* A and AAAA whose owner is the question or on its CNAME chain */
	bool more_addrs;          /* there were more than DNS_ADDRS_MAX */
};

/* Parse one message. 0; ERR_DAMAGED when it is no DNS message: every section is
 * walked and must end where the message ends. Compression pointers must point
 * backwards and are followed at most 64 times. Addresses are kept of answers
 * without an error code only. *ret is untouched on error. */
MUST_CHECK int dns_parse(const uint8_t *msg, size_t bytes, struct dns_answer *ret);

/* Could these be the first bytes of a message? Its header and first question
 * are there and sane; the rest is not looked at. */
bool dns_begins(const uint8_t *msg, size_t bytes);

#endif

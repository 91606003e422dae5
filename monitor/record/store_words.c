#include "record/store_words.h"

#include <stdio.h>
#include <string.h>

#include "record/store_review.h"

static const char *const states[] = {[ROW_OPEN] = "open", [ROW_CLOSED] = "closed", [ROW_INTERRUPTED] = "interrupted"};
static const char *const initiators[] = {
	[INITIATOR_UNKNOWN] = "unknown", [INITIATOR_EQUIPMENT] = "equipment", [INITIATOR_PEER] = "peer"};
static const char *const hosts[] = {[HOST_NONE] = "none", [HOST_SNI] = "sni",   [HOST_HTTP] = "http",
                                    [HOST_DNS] = "dns",   [HOST_QUIC] = "quic", [HOST_CERT] = "cert"};
static const char *const peers[] = {[PEER_ADDRESS] = "address", [PEER_NETWORK] = "network", [PEER_HOST] = "host",
                                    [PEER_DOMAIN] = "domain"};
static const char *const periods[] = {[PERIOD_NONE] = "none", [PERIOD_HOUR] = "hour",   [PERIOD_DAY] = "day",
                                      [PERIOD_WEEK] = "week", [PERIOD_MONTH] = "month"};

static const char *const review_states[] = {[REVIEW_OPEN] = "open", [REVIEW_IN_REVIEW] = "in-review", [REVIEW_CLOSED] = "closed"};
static const char *const dispositions[DISPOSITIONS] = {
	[DISPOSITION_NONE] = "", [DISPOSITION_CONFIRMED] = "confirmed", [DISPOSITION_FALSE_POSITIVE] = "false-positive",
	[DISPOSITION_APPROVED] = "approved-after-review", [DISPOSITION_ESCALATED] = "escalated"};
static const char *const review_actions[REVIEW_ACTIONS] = {
	[REVIEW_DUE] = "due", [REVIEW_TAKEN] = "taken", [REVIEW_DECIDED] = "decided", [REVIEW_PUT_BACK] = "put-back",
	[REVIEW_REOPENED] = "reopened", [REVIEW_HELD] = "held", [REVIEW_RELEASED] = "released", [REVIEW_NOTED] = "noted",
	[REVIEW_LESSENED] = "lessened", [REVIEW_CARRIED] = "carried"};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const char *word_of(const char *const *words, size_t count, unsigned value, size_t fallback)
{
	return words[value < count ? value : fallback];
}

static size_t find(const char *const *words, size_t count, const char *word, size_t fallback)
{
	for (size_t i = 0; word != NULL && i < count; i++) {
		if (strcmp(words[i], word) == 0)
			return i;
	}
	return fallback;
}

const char *store_state_word(enum row_state s)
{
	return word_of(states, COUNT(states), (unsigned)s, ROW_INTERRUPTED);
}

const char *store_initiator_word(enum fact_initiator i)
{
	return word_of(initiators, COUNT(initiators), (unsigned)i, INITIATOR_UNKNOWN);
}

const char *store_host_word(enum fact_host_source s)
{
	return word_of(hosts, COUNT(hosts), (unsigned)s, HOST_NONE);
}

const char *store_period_word(enum config_period p)
{
	return word_of(periods, COUNT(periods), (unsigned)p, PERIOD_NONE);
}

enum row_state store_state_find(const char *word)
{
	return (enum row_state)find(states, COUNT(states), word, ROW_INTERRUPTED);
}

enum fact_initiator store_initiator_find(const char *word)
{
	return (enum fact_initiator)find(initiators, COUNT(initiators), word, INITIATOR_UNKNOWN);
}

enum fact_host_source store_host_find(const char *word)
{
	return (enum fact_host_source)find(hosts, COUNT(hosts), word, HOST_NONE);
}

enum config_period store_period_find(const char *word)
{
	return (enum config_period)find(periods, COUNT(periods), word, PERIOD_NONE);
}

enum verdict store_verdict_find(const char *word)
{
	static const enum verdict all[] = {VERDICT_UNAPPROVED, VERDICT_APPROVED, VERDICT_HOUSEKEEPING};
	for (size_t i = 0; word != NULL && i < COUNT(all); i++) {
		if (strcmp(verdict_word(all[i]), word) == 0)
			return all[i];
	}
	return VERDICT_UNAPPROVED;
}

const char *store_peer_word(enum peer_kind k)
{
	return word_of(peers, COUNT(peers), (unsigned)k, PEER_ADDRESS);
}

enum peer_kind store_peer_find(const char *word)
{
	return (enum peer_kind)find(peers, COUNT(peers), word, PEER_ADDRESS);
}

/* --- sets of words as JSON --- */

static const char *reason_at(unsigned bit)
{
	return reason_word((enum reason)bit);
}

static const char *sign_at(unsigned bit)
{
	return detect_word((enum detection)bit)->word;
}

static const char *bits_json(uint64_t bits, unsigned count, const char *(*word)(unsigned bit), char *buf, size_t size)
{
	size_t used = 0;
	buf[used++] = '[';
	for (unsigned i = 0; i < count; i++) {
		if ((bits & UINT64_C(1) << i) == 0)
			continue;
		const int n = snprintf(buf + used, size - used, "%s\"%s\"", used > 1 ? "," : "", word(i));
		if (n < 0 || used + (size_t)n + 2 > size)
			break;
		used += (size_t)n;
	}
	buf[used++] = ']';
	buf[used] = '\0';
	return buf;
}

static uint64_t bits_find(const char *json, int (*number)(const char *word))
{
	uint64_t bits = 0;
	char word[64];
	for (const char *p = json; p != NULL && (p = strchr(p, '"')) != NULL;) {
		const char *end = strchr(++p, '"');
		if (end == NULL)
			break;
		const size_t n = (size_t)(end - p);
		if (n < sizeof word) {
			memcpy(word, p, n);
			word[n] = '\0';
			const int bit = number(word);
			if (bit >= 0 && bit < 64)
				bits |= UINT64_C(1) << bit;
		}
		p = end + 1;
	}
	return bits;
}

const char *store_reasons_json(uint32_t reasons, char buf[STORE_REASONS_MAX])
{
	return bits_json(reasons, REASON_COUNT, reason_at, buf, STORE_REASONS_MAX);
}

uint32_t store_reasons_find(const char *json)
{
	return (uint32_t)bits_find(json, reason_find);
}

const char *store_signs_json(uint64_t signs, char buf[STORE_SIGNS_MAX])
{
	return bits_json(signs, DETECT_COUNT, sign_at, buf, STORE_SIGNS_MAX);
}

uint64_t store_signs_find(const char *json)
{
	return bits_find(json, detect_find);
}

static const struct {
	uint8_t proto;
	char word[STORE_PROTO_MAX];
} protos[] = {
	{1, "icmp"},  {2, "igmp"},  {4, "ipip"},    {6, "tcp"},     {17, "udp"},  {33, "dccp"},  {41, "ipv6"},
	{47, "gre"},  {50, "esp"},  {51, "ah"},     {58, "icmp6"},  {89, "ospf"}, {103, "pim"},  {112, "vrrp"},
	{115, "l2tp"}, {132, "sctp"}, {136, "udplite"}, {137, "mpls"},
};

const char *store_proto_word(uint8_t proto, char buf[STORE_PROTO_MAX])
{
	for (size_t i = 0; i < COUNT(protos); i++) {
		if (protos[i].proto == proto)
			return protos[i].word;
	}
	snprintf(buf, STORE_PROTO_MAX, "%u", proto);
	return buf;
}

bool store_proto_has_ports(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 33 || proto == 132 || proto == 136;
}

const char *review_state_word(enum review_state s)
{
	return word_of(review_states, COUNT(review_states), (unsigned)s, REVIEW_OPEN);
}

int review_state_find(const char *word)
{
	const size_t found = find(review_states, COUNT(review_states), word, COUNT(review_states));
	return found < COUNT(review_states) ? (int)found : -1;
}

const char *review_disposition_word(enum review_disposition d)
{
	return d > DISPOSITION_NONE && d < DISPOSITIONS ? dispositions[d] : NULL;
}

int review_disposition_find(const char *word)
{
	const size_t found = find(dispositions, DISPOSITIONS, word, DISPOSITION_NONE);
	return found != DISPOSITION_NONE ? (int)found : -1;
}

const char *review_action_word(enum review_action a)
{
	return word_of(review_actions, REVIEW_ACTIONS, (unsigned)a, REVIEW_NOTED);
}

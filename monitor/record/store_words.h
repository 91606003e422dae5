/* store_words.h - the words that stand for enumerations in the database and
 * in what garita prints. Numbers may change their meaning, words may not. */
#ifndef MONITOR_STORE_WORDS_H
#define MONITOR_STORE_WORDS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fact.h"
#include "judge/row.h"

const char *store_state_word(enum row_state s);
const char *store_initiator_word(enum fact_initiator i);
const char *store_host_word(enum fact_host_source s);
const char *store_period_word(enum config_period p);

/* Back again. An unknown word gives the fallback: open's is interrupted,
 * unknown, none, none, unapproved. */
enum row_state store_state_find(const char *word);
enum fact_initiator store_initiator_find(const char *word);
enum fact_host_source store_host_find(const char *word);
enum config_period store_period_find(const char *word);
enum verdict store_verdict_find(const char *word);

/* Bits of enum reason as ["no-approval",…] and back; words that this program
 * does not know are skipped. */
#define STORE_REASONS_MAX 640
const char *store_reasons_json(uint32_t reasons, char buf[STORE_REASONS_MAX]);
uint32_t store_reasons_find(const char *json);

/* Bits of enum detection likewise. */
#define STORE_SIGNS_MAX 1400
const char *store_signs_json(uint64_t signs, char buf[STORE_SIGNS_MAX]);
uint64_t store_signs_find(const char *json);

const char *store_peer_word(enum peer_kind k);
enum peer_kind store_peer_find(const char *word);   /* unknown: address */

/* "tcp", "udp", "icmp" …; a number where the protocol has no well-known name.
 * And does it have ports? */
#define STORE_PROTO_MAX 12
const char *store_proto_word(uint8_t proto, char buf[STORE_PROTO_MAX]);
bool store_proto_has_ports(uint8_t proto);

#endif

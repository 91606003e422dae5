/* transfer_fields.h - one transfer as the keys and values that --format json
 * and csv print, in DESIGN's order. */
#ifndef TOOLS_TRANSFER_FIELDS_H
#define TOOLS_TRANSFER_FIELDS_H
#include <stdint.h>

#include "base/json.h"
#include "record/community_id.h"
#include "record/store_read.h"
#include "record/store_words.h"

enum field_kind { FIELD_ABSENT = 0, FIELD_TEXT, FIELD_INT, FIELD_BOOL, FIELD_TIME, FIELD_JSON };

struct field {
	const char *key;
	enum field_kind kind;
	const char *text;       /* FIELD_TEXT, FIELD_JSON */
	int64_t number;         /* FIELD_INT, FIELD_BOOL, FIELD_TIME */
};

#define TRANSFER_FIELDS 49
#define ATTACK_MAX 512

struct transfer_fields {
	struct field field[TRANSFER_FIELDS];
	unsigned count;
	char src_mac[MAC_TEXT_MAX], src_ip[ADDR_TEXT_MAX], dest_ip[ADDR_TEXT_MAX];
	char proto[STORE_PROTO_MAX], vlan[24], community[COMMUNITY_ID_MAX], attack[ATTACK_MAX];
};

/* Fill *ret from t, whose strings must live as long. Every key is there, the
 * absent ones as FIELD_ABSENT. */
void transfer_fields(const struct stored_transfer *t, struct transfer_fields *ret);

/* A sum of transfers likewise, under the same keys and its own: hour, span, network,
 * port, transfers, folded. */
void sum_fields(const struct stored_sum *s, bool by_hour, struct transfer_fields *ret);

/* A finding likewise. */
void finding_fields(const struct stored_finding *s, struct transfer_fields *ret);

/* The ATT&CK ids of signs as a JSON array, each once; NULL: none. */
const char *attack_json(uint64_t signs, char buf[ATTACK_MAX]);

/* ["a","b"] as a b; other JSON as it stands. */
const char *transfer_flat(const char *json, char *buf, size_t size);
/* A line of CSV to standard output; and that of the keys. */
void transfer_csv_head(const struct transfer_fields *f);
MUST_CHECK int transfer_csv(const struct transfer_fields *f);

/* The object, onto j; and its keys alone, into one that is begun. */
void transfer_json(const struct transfer_fields *f, struct json *j);
void transfer_json_keys(const struct transfer_fields *f, struct json *j);

#endif

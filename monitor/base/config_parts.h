/* config_parts.h - what the files of config share. Not for other modules.
 *   config_yaml    bytes → tree of nodes with line and column
 *   config_schema  the table of keys
 *   config_value   one scalar → one checked value
 *   config_read    tree + table → struct config
 *   config_check   what only the whole file can show
 *   config_report  errors, the nearest right word, memory */
#ifndef MONITOR_CONFIG_PARTS_H
#define MONITOR_CONFIG_PARTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"

#define CONFIG_FILE_MAX      (4u << 20) /* bytes */
#define CONFIG_DEPTH_MAX     32u        /* nested lists and maps */
#define CONFIG_VALUES_MAX    1000000u   /* after aliases are followed: bounds what a small file can become */
#define CONFIG_ANCHORS_MAX   1024u
#define CONFIG_ERRORS_MAX    200u
#define CONFIG_TEXT_MAX      200u /* bytes of a name, a place, a note … */
#define CONFIG_ID_MAX        63u
#define CONFIG_PREFIX_UNREAD 255u /* bits of a prefix that was wrong: config_check passes over it */

/* Memory that is freed in one go. */
struct arena;
MUST_CHECK int arena_new(struct arena **ret);
void arena_free(struct arena *a);
void *arena_take(struct arena *a, size_t bytes); /* zeroed, aligned for anything; NULL: no memory */
char *arena_text(struct arena *a, const char *text, size_t bytes); /* a copy with its NUL */

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool plain;            /* a scalar without quotes */
	unsigned line, column; /* from 1 */
	uint32_t weight;       /* values in it, aliases followed */
	char *text;            /* scalar: UTF-8, without NUL inside */
	size_t length;
	struct node **item; /* list: its items; map: key, value, key, value … */
	size_t count;       /* items, or pairs */
};

struct report {
	unsigned line, column;
	char *text;
};

/* Where in the file a value of struct config came from. */
struct mark {
	const void *value;
	const struct node *node;
};

struct config_ctx {
	const char *name;      /* of the file, for the messages */
	struct arena *scratch; /* tree and messages */
	struct arena *keep;    /* what struct config points to */
	struct config *cfg;
	struct report *reports;
	size_t report_count, report_room;
	struct mark *marks;
	size_t mark_count, mark_room;
	bool marks_sorted;
	bool no_memory;
};

/* An error at a place. "file:line:column: " is put before it. */
void report_at(struct config_ctx *x, unsigned line, unsigned column, const char *fmt, ...) PRINTF_LIKE(4, 5);
void report(struct config_ctx *x, const struct node *n, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* No more are kept: looking for suggestions is a waste. */
bool report_full(const struct config_ctx *x);
/* In the order of the file, "file:line:column: …"; into errors. */
MUST_CHECK int report_hand_over(struct config_ctx *x, struct config_errors *errors);
/* A value from the file, short and harmless, in quotes. */
const char *shown(struct config_ctx *x, const char *text);

/* Remember, and find, the node of a value. */
void mark_put(struct config_ctx *x, const void *value, const struct node *n);
const struct node *mark_of(struct config_ctx *x, const void *value);

/* The nearest right word: offer candidates, then ask. */
struct nearest {
	const char *word; /* what was written */
	const char *best;
	unsigned distance; /* of best */
};
void nearest_init(struct nearest *n, const char *word);
void nearest_offer(struct nearest *n, const char *candidate);
/* "; did you mean 'x'?" or "" */
const char *nearest_said(struct config_ctx *x, const struct nearest *n);
/* Edit distance (optimal string alignment), case ignored; at most limit + 1. */
unsigned edit_distance(const char *a, const char *b, unsigned limit);

/* NULL when the file could not be read as YAML: the errors say why. */
struct node *yaml_tree(struct config_ctx *x, const char *text, size_t bytes);

struct config_key;
typedef void (*config_parse_fn)(struct config_ctx *x, const struct node *n, const struct config_key *key,
                                void *out);

struct config_type {
	const char *word; /* for the manual: "text", "size" */
	size_t size;      /* of one value */
	config_parse_fn parse;
};

enum {
	KEY_MANDATORY = 1 << 0,
	KEY_LIST = 1 << 1,      /* a list of values (one alone will do), or of maps */
	KEY_SHORT = 1 << 2,     /* an item may be the value of its first key alone */
	KEY_NOT_EMPTY = 1 << 3, /* the list must hold something */
	KEY_WHOLE = 1 << 4,     /* parse gets the struct itself: it fills several fields */
};

struct config_key {
	const char *name;               /* NULL ends a table */
	const struct config_type *type; /* of the value, or of each item; NULL: sub */
	const struct config_key *sub;   /* the keys of a map, or of each map of a list */
	unsigned flags;
	size_t offset;             /* in the struct of the table; of a list: of its pointer */
	size_t count_offset, size; /* of a list: its count, and bytes of one item */
	int64_t min, max;          /* number: range; list: max items */
	const char *standard;      /* default, as one would write it */
};

extern const struct config_key config_keys[];
extern const struct config_key config_approval_keys[];

extern const struct config_type type_text, type_id, type_network_name, type_path, type_number, type_percent, type_form, type_flag,
    type_language, type_zone, type_prefix, type_address, type_mac, type_gateway, type_host, type_country, type_asn, type_ports,
    type_app, type_initiator, type_duplicates, type_keep, type_packets, type_period, type_hours, type_valid, type_size, type_vlan, type_selector,
    type_days, type_span;

void config_read(struct config_ctx *x, const struct node *root);
/* The same for a file of other keys; what: for messages. */
void config_read_table(struct config_ctx *x, const struct node *root, const struct config_key *table, void *base,
                       const char *what);
void config_check(struct config_ctx *x);

/* Parsers that stand in files of their own (config_time.c, config_peer.c). */
const char *value_text(struct config_ctx *x, const struct node *n, const struct config_key *key);
/* One of words (the last is NULL), as a char * into out; all: what they are, for the message. */
void value_word(struct config_ctx *x, const struct node *n, const struct config_key *key, const char *const *words,
                const char *all, void *out);

#endif

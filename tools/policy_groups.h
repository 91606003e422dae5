/* policy_groups.h - transfers added up under a key of texts: for what-if and
 * suggest. Bounded: past GROUPS_MAX keys further ones are added up in one. */
#ifndef TOOLS_POLICY_GROUPS_H
#define TOOLS_POLICY_GROUPS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GROUPS_MAX 50000u
#define GROUP_FIELDS 8
#define GROUP_EXAMPLES 3
#define GROUP_NOTE_MAX 160

struct group {
	char *field[GROUP_FIELDS];     /* of the key; "" where there is none */
	uint64_t transfers, out, in;   /* IP bytes */
	int64_t first_us, last_us;
	int64_t example[GROUP_EXAMPLES];   /* ids, the first ones */
	char note[GROUP_NOTE_MAX];     /* words that were given with it, each once */
	unsigned examples;
};

struct groups;

struct group_add {
	const char *field[GROUP_FIELDS];   /* NULL as "" */
	uint64_t transfers, out, in;
	int64_t first_us, last_us, id;
	const char *note;              /* one word, NULL: none */
};

MUST_CHECK int groups_new(struct groups **ret);
void groups_free(struct groups *g);
MUST_CHECK int groups_add(struct groups *g, const struct group_add *a);
/* In the order of bytes out, the most first; of equals by key. NULL past the end. */
void groups_sort(struct groups *g);
/* The same by key alone, field by field. */
void groups_sort_keys(struct groups *g);
size_t groups_count(const struct groups *g);
const struct group *groups_at(const struct groups *g, size_t i);
/* What found no room: zero transfers when all did. */
const struct group *groups_rest(const struct groups *g);

#endif

#include "judge/domain.h"

#include <libpsl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <xxhash.h>

/* The list takes some 10,000 instructions for a name, and most names are asked
 * for again and again: what it said of the last ones. The answer is a part of
 * the name, so where it begins is enough. */
#define MEMO 512u
#define MEMO_NAME 64u
#define NO_DOMAIN UINT8_MAX

static struct memo {
	char name[MEMO_NAME - 1];   /* "": free */
	uint8_t at;
} memo[MEMO];

static const char *ask_list(const psl_ctx_t *list, const char *name)
{
	const size_t length = strlen(name);
	if (length >= sizeof memo[0].name)
		return psl_registrable_domain(list, name);
	struct memo *m = &memo[XXH3_64bits(name, length) % MEMO];
	if (memcmp(m->name, name, length + 1) != 0) {
		const char *domain = psl_registrable_domain(list, name);
		memcpy(m->name, name, length + 1);
		m->at = domain != NULL ? (uint8_t)(domain - name) : NO_DOMAIN;
	}
	return m->at != NO_DOMAIN ? name + m->at : NULL;
}

const char *domain_registered(const char *name)
{
	const psl_ctx_t *list = psl_builtin();
	if (strchr(name, '.') == NULL)
		return NULL;
	if (list != NULL)
		return ask_list(list, name);
	/* A libpsl without a list: the last two labels. */
	const char *last = NULL, *before = name;
	for (const char *p = name; *p != '\0'; p++) {
		if (*p != '.')
			continue;
		before = last != NULL ? last : name;
		last = p + 1;
	}
	return before;
}

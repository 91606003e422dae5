#include "judge/domain.h"

#include <libpsl.h>
#include <stddef.h>
#include <string.h>

const char *domain_registered(const char *name)
{
	const psl_ctx_t *list = psl_builtin();
	if (strchr(name, '.') == NULL)
		return NULL;
	if (list != NULL)
		return psl_registrable_domain(list, name);
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

/* config_list.h - files of YAML beside site.yaml: lists that garita ships and a
 * site extends (channels, controls). Each is checked like site.yaml. Private to
 * config*.c. */
#ifndef MONITOR_CONFIG_LIST_H
#define MONITOR_CONFIG_LIST_H
#include <stdbool.h>
#include <stddef.h>

#include "base/config_parts.h"

struct config_list_kind {
	const struct config_key *keys;
	const char *what;              /* "channel list", for messages */
	size_t size;                   /* of the struct that the keys fill */
	/* What only the whole file can show, told by report_at; filled: for the caller's marks. NULL: nothing. */
	void (*check)(struct config_ctx *x, void *filled);
};

/* One file, from memory: the struct, which config_list_free takes back, with all that
 * it points to; *ret_name is name, as long as it. 0, ERR_NOMEM, or ERR_CONFIG and errors. */
MUST_CHECK int config_list_parse(const struct config_list_kind *kind, const char *name, const char *text, void **ret,
                                 const char **ret_name, struct config_errors *errors);
void config_list_free(void *filled);

/* The site's files, then the *.yaml of folder (NULL: none) in the order of their names, each
 * to take; all of them, whatever one is. The worst code of them. */
#define CONFIG_LIST_FILES_MAX 256u
struct config_list_taker {
	int (*take)(void *ctx, const char *name, const char *text, bool site, struct config_errors *errors);
	void *ctx;
};
MUST_CHECK int config_list_load(char *const *site_files, size_t site_count, const char *folder,
                                const struct config_list_taker *to, struct config_errors *errors);

/* Where folder is: below $variable where that is set, beside the program (../share/garita, or
 * source in the tree that it was built in), or below PREFIX/share/garita. 0, ERR_NOTFOUND. */
MUST_CHECK int config_list_find(const char *variable, const char *source, const char *folder, char *buf, size_t size);

#endif

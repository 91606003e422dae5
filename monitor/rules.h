/* rules.h - which rules for contents are in force: those that are installed
 * (signatures/content) and the site's. Compiled by the supervisor at the start
 * and again on SIGHUP, by garita to check them. */
#ifndef MONITOR_RULES_H
#define MONITOR_RULES_H
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "sense/signature.h"

/* cfg may be NULL: the installed alone. As signatures_compile. */
MUST_CHECK int rules_compile(const struct config *cfg, uint8_t **ret, size_t *ret_bytes,
                             struct signature_report *report);

/* Compile and put them for the workers. What is wrong is logged, a line each;
 * then what was there stays. 0, ERR_CONFIG, ERR_IO, ERR_NOMEM or ERR_FULL. */
MUST_CHECK int rules_put(struct signature_page *page, const struct config *cfg);

/* The same after a reload, with the configuration as it is on disk now. */
void rules_reload(struct signature_page *page, const char *config_path);

#endif

/* config_frameworks.h - the controls of a framework (NIST SP 800-53 …) and what
 * this program measures for each: YAML, shipped and extended by a site.
 * garita-frameworks(5) describes the format. Not here: the measures themselves
 * (tools/report). */
#ifndef MONITOR_CONFIG_FRAMEWORKS_H
#define MONITOR_CONFIG_FRAMEWORKS_H
#include <stddef.h>

#include "base/config.h"

struct config_control {
	char *id;              /* "AC-4" */
	char *title;           /* as the framework has it */
	char *title_es;        /* NULL: the framework's own is not translated */
	char **evidence;       /* words of config_evidence */
	size_t evidence_count;
	char *note;            /* what the measure does not show; NULL */
};

struct config_framework {
	char *name;            /* "NIST SP 800-53" */
	char *edition;         /* "Rev. 5" */
	char **sources;        /* where ids and titles are written */
	size_t source_count;
	struct config_control *controls;
	size_t control_count;
};

struct config_frameworks {
	struct config_framework **all;   /* the site's first */
	size_t count;
};

/* What can be shown for a control; the last is NULL. */
extern const char *const config_evidence[];

/* As config_channels_load. The caller frees both in any case. */
MUST_CHECK int config_frameworks_load(char *const *site_files, size_t site_count, const char *folder,
                                      struct config_frameworks *ret, struct config_errors *errors);
MUST_CHECK int config_frameworks_parse(struct config_frameworks *f, const char *name, const char *text,
                                       struct config_errors *errors);
void config_frameworks_done(struct config_frameworks *f);

/* Where the shipped ones are: below $GARITA_FRAMEWORKS, else as config_signatures_find. 0, ERR_NOTFOUND. */
MUST_CHECK int config_frameworks_find(char *buf, size_t size);

#endif

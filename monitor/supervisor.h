/* supervisor.h - garitad's parent process: opens, forks, drops, restarts. */
#ifndef MONITOR_SUPERVISOR_H
#define MONITOR_SUPERVISOR_H
#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"

struct supervisor_options {
	const struct config *config;       /* taken over by the judge process */
	const char *const *interfaces;     /* live */
	size_t interface_count;
	const char *const *files;          /* or a replay */
	size_t file_count;
	const char *filter;                /* NULL: of the configuration */
	const char *data_dir;
	bool json;                         /* accounting as JSON */
};

/* Returns an enum exit_code. */
int supervisor_run(const struct supervisor_options *o);

#endif

/* supervisor.h - garitad's parent process: opens, forks, drops, restarts. */
#ifndef MONITOR_SUPERVISOR_H
#define MONITOR_SUPERVISOR_H
#include "process.h"

/* Returns an enum exit_code. */
int supervisor_run(const struct garitad_options *o);

#endif

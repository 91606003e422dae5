/* supervisor_parts.h - what the files of the supervisor share. */
#ifndef MONITOR_SUPERVISOR_PARTS_H
#define MONITOR_SUPERVISOR_PARTS_H
#include "process.h"

/* Make the data directory where it is missing; find the users of workers and
 * judge. 0, or a code and said. */
MUST_CHECK int supervisor_data_dir(struct process_context *p);

#endif

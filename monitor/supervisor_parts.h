/* supervisor_parts.h - what the files of the supervisor share. */
#ifndef MONITOR_SUPERVISOR_PARTS_H
#define MONITOR_SUPERVISOR_PARTS_H
#include "process.h"

/* Make the data directory where it is missing; find the users of workers and
 * judge. 0, or a code and said. */
MUST_CHECK int supervisor_data_dir(struct process_context *p);

/* Let as many files be open as its processes need. 0, or ERR_FULL and said. */
MUST_CHECK int supervisor_descriptors(size_t interfaces);
/* The data directory, and the memory that its processes share. 0 or a code. */
MUST_CHECK int supervisor_prepare(struct process_context *p, const struct garitad_options *o);

#endif

/* sandbox_filter.h - the seccomp filter of each kind of process. */
#ifndef MONITOR_SANDBOX_FILTER_H
#define MONITOR_SANDBOX_FILTER_H
#include "sandbox.h"

/* 0 or a negative errno of libseccomp. no_new_privs must be set. */
MUST_CHECK int sandbox_filter_load(enum sandbox_kind kind, int fd);

#endif

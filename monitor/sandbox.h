/* sandbox.h - rights dropped for good: an unprivileged user, no capabilities,
 * no new privileges, no core dumps, a seccomp filter of its own for each kind
 * of process. Forbidden calls give EPERM where a library may try them in good
 * faith (open, socket), and kill the process otherwise. */
#ifndef MONITOR_SANDBOX_H
#define MONITOR_SANDBOX_H
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum sandbox_kind {
	SANDBOX_SUPERVISOR,   /* fork, open capture sockets (CAP_NET_RAW kept, live only), kill, wait; no exec */
	SANDBOX_WORKER,       /* read its ring, write(2) to stderr and its eventfd only; no open, no socket, no fork, no exec */
	SANDBOX_WORKER_FEED,  /* of a replay: frames lie in its memory already; write(2) as above, and no ring */
	SANDBOX_READER,       /* of a replay: read(2), lseek(2) on descriptors already open, write(2) to stderr */
	SANDBOX_JUDGE,        /* files, no socket, no fork, no exec */
};

struct sandbox_user {
	uid_t uid;
	gid_t gid;
};

/* Look a user up by name. 0 or ERR_NOTFOUND. */
MUST_CHECK int sandbox_find_user(const char *name, struct sandbox_user *ret);

/* As root: become the user, keep CAP_NET_RAW when keep_net_raw, drop all other
 * capabilities and the bounding set. Not root: nothing but no_new_privs. */
MUST_CHECK int sandbox_drop_user(const struct sandbox_user *u, int keep_net_raw, char *err, size_t err_size);

/* Drop every capability, set no_new_privs and load the filter. fd: of a worker
 * the one descriptor beside stderr that it may write; of judge and supervisor the
 * one socket that may connect(2) again, that of syslog; -1: none. */
MUST_CHECK int sandbox_enter(enum sandbox_kind kind, int fd, char *err, size_t err_size);

#endif

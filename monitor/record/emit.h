/* emit.h - signed heads of the ledger go off the machine: to a file that is
 * appended to, and to syslog as one datagram. What fails is counted and tried
 * again. The socket is opened before the rights are dropped. */
#ifndef MONITOR_EMIT_H
#define MONITOR_EMIT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct emit;

/* A socket of AF_UNIX for datagrams, connected to /dev/log where that is there. -1: none is to be had (errno).
 * path NULL: /dev/log. */
int emit_open_syslog(const char *path);

/* file NULL and syslog_fd -1: nothing goes anywhere. path: of the socket at the other end, NULL: /dev/log. 0 or ERR_NOMEM. */
MUST_CHECK int emit_new(const char *file, int syslog_fd, const char *path, struct emit **ret);
void emit_free(struct emit *e);   /* the socket stays open */

/* Send a note (ledger_note.h), which is copied; what waits is the newest one. */
void emit_put(struct emit *e, const char *note);
/* What failed once more. */
void emit_again(struct emit *e);

struct emit_way {
	bool on, waits;                  /* waits: the last one is not out */
	uint64_t sent, failed;
	char why[160];                   /* of the last failure; "": none since the last success */
};
struct emit_state {
	struct emit_way file, syslog;
};
void emit_get_state(const struct emit *e, struct emit_state *ret);

#endif

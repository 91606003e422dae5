/* ssh.h - does the server of an SSH connection open channels? Then something
 * on its side reaches back through the connection to the client's: a reverse
 * forward (ssh -R; RFC 4254, section 7.2). Nothing is decrypted: sizes,
 * directions and pauses of the payload say it.
 *
 * What an open looks like: both ends were silent for SSH_QUIET_US, and nothing
 * of the client's waited for an answer; the server says one message as long as
 * an open with "forwarded-tcpip", an address and two ports must be (longer by
 * SSH_OPEN_LEAST than the answer, so that one of "x11" or an agent is none);
 * the client answers within SSH_ANSWER_US with exactly the 17 bytes of a
 * confirmation, padded and sealed. How long those are on this connection the
 * server's SERVICE_ACCEPT has shown, which has 17 bytes, too (RFC 4253, section
 * 10). It counts when a segment of SSH_REPLY_BYTES or more of the client's
 * follows, before SSH_SMALL_MAX small ones: what a person types is less, and
 * answers to keep-alives (OpenSSH's ClientAlive), new keys and stalled file
 * transfers have other sizes.
 *
 * The idea that sizes and order betray a reverse session is that of J. Atkinson
 * and J. Althouse (2015, reverse shells by the length of echoed characters) and
 * of B. Reardon's packetStrider (2019); the sizes here are computed from the
 * RFCs.
 *
 * Not seen: connections whose beginning was not captured, or was cut before a
 * message's sixth byte; compressed ones (ssh -C), mostly; opens amid other
 * traffic of the connection; answers that all stay small; the client's own
 * forwards (ssh -L, -D), which look like files that it asks for.
 * Bounded: SSH_FLOWS flows at once, 64 bytes each, taken once; further ones are
 * not watched. Other flows have no part in it but one look at their
 * first payload.
 * Not here: whether that is worth a finding (judge/detect_ssh). */
#ifndef MONITOR_SSH_H
#define MONITOR_SSH_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "fact.h"
#include "sense/decode.h"

#define SSH_FLOWS 8192u
#define SSH_QUIET_US INT64_C(1000000)
#define SSH_ANSWER_US INT64_C(1000000)
#define SSH_OPEN_LEAST 32u      /* bytes more than the confirmation has */
#define SSH_OPEN_MOST 176u      /* addresses of IPv6, or the path of a socket */
#define SSH_OPENS 4u            /* at once: one page, several connections */
#define SSH_REPLY_BYTES 200u
#define SSH_SMALL_MAX 8u

struct ssh_table;

MUST_CHECK int ssh_table_new(struct ssh_table **ret);
void ssh_table_free(struct ssh_table *t);

/* Is it the first payload of an SSH connection (RFC 4253, section 4.2)? */
static inline bool ssh_is_banner(const struct packet *p)
{
	return p->payload_caplen >= 4 && p->payload[0] == 'S' && p->payload[1] == 'S' && p->payload[2] == 'H' &&
	       p->payload[3] == '-';
}

/* Watch the flow of that id from now on. False: there is no room. */
bool ssh_begin(struct ssh_table *t, uint64_t flow);

/* A packet of a watched flow with new_bytes of payload that was not seen before.
 * by_client: sent by the end that opened the connection; out: by the inside.
 * True: something was opened. */
bool ssh_see(struct ssh_table *t, uint64_t flow, const struct packet *p, uint32_t new_bytes, bool by_client, bool out);

/* What was seen since the flow began; false: nothing was opened, or all of it was told. */
bool ssh_get(struct ssh_table *t, uint64_t flow, struct ssh_sums *ret);
void ssh_told(struct ssh_table *t, uint64_t flow);
/* The flow is over. */
void ssh_forget(struct ssh_table *t, uint64_t flow);

#endif

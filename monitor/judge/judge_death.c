/* judge_death.c - what workers died over. The five-tuple and the bytes are a
 * dead worker's word: shown, never judged by. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "judge/judge_internal.h"

#define DETAIL_MAX 400

static const char *proto_text(uint8_t proto, char buf[static 12])
{
	const char *word = config_proto_word(proto);
	if (word != NULL)
		return word;
	snprintf(buf, 12, "ip/%u", proto);
	return buf;
}

/* "NII-0007 192.0.2.10:40000 and 198.51.100.9:443 tcp" */
static void flow_text(const struct judge *j, const struct control_sight *s, char *ret, size_t n)
{
	char inside[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX], proto[12];
	bool mismatch;
	const struct machine *m = inventory_who(j->inventory, &s->inside_mac, &s->inside, &mismatch);
	snprintf(ret, n, "%s%s%s port %u and %s port %u, %s", m != NULL ? m->id : "", m != NULL ? " " : "",
	         addr_text(&s->inside, inside), s->inside_port, addr_text(&s->peer, peer), s->peer_port,
	         proto_text(s->proto, proto));
}

static char *hex_text(const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * n + 1);
	for (size_t i = 0; text != NULL && i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	if (text != NULL)
		text[2 * n] = '\0';
	return text;
}

static void own_gap(struct judge *j, const struct death *d)
{
	const struct row_gap row = {.start_us = d->at_us, .end_us = d->at_us, .cause = "worker-died",
	                            .detail = d->detail, .bytes = d->bytes};
	judge_add_gap(j, &row);
}

static void drop(struct deaths *d, unsigned i)
{
	free(d->all[i].detail);
	free(d->all[i].bytes);
	d->count--;
	memmove(&d->all[i], &d->all[i + 1], (d->count - i) * sizeof(d->all[0]));
}

void judge_worker_died(struct judge *j, const struct control_death *d)
{
	struct deaths *all = &j->deaths;
	char detail[DETAIL_MAX], flow[DETAIL_MAX / 2];
	const int sig = (int)(d->signal & 127);
	int n = snprintf(detail, sizeof(detail), "worker %" PRIu32 ", %s %d (%s)", d->worker,
	                 d->hung ? "hung, signal" : "signal", sig, strsignal(sig));
	if (d->looked) {
		flow_text(j, &d->sight, flow, sizeof(flow));
		n += snprintf(detail + n, sizeof(detail) - (size_t)n, ", over %s", flow);
	}
	if (d->avoid_until_us != 0) {
		snprintf(detail + n, sizeof(detail) - (size_t)n, ": not inspected for a while");
		log_error("judge", "%s", detail);
	}
	if (all->count == DEATHS_MAX) {
		own_gap(j, &all->all[0]);
		drop(all, 0);
	}
	struct death *to = &all->all[all->count];
	size_t bytes = d->looked ? d->sight.byte_count : 0;
	if (bytes > CONTROL_SIGHT_BYTES)
		bytes = CONTROL_SIGHT_BYTES;
	*to = (struct death){.worker = d->worker, .at_us = d->at_us, .detail = strdup(detail),
	                     .bytes = bytes > 0 ? hex_text(d->sight.bytes, bytes) : NULL};
	if (to->detail != NULL)
		all->count++;
	else
		free(to->bytes);
}

void judge_death_gap(struct judge *j, unsigned worker, struct row_gap *row)
{
	struct deaths *all = &j->deaths;
	char detail[32];
	int last = -1;
	for (unsigned i = 0; i < all->count; i++)
		last = all->all[i].worker == worker ? (int)i : last;
	snprintf(detail, sizeof(detail), "worker %u", worker);
	row->detail = last >= 0 ? all->all[last].detail : detail;
	row->bytes = last >= 0 ? all->all[last].bytes : NULL;
	judge_add_gap(j, row);
	for (unsigned i = 0; i < all->count;) {
		if (all->all[i].worker != worker) {
			i++;
			continue;
		}
		if ((int)i != last)
			own_gap(j, &all->all[i]);
		drop(all, i);
		last--;
	}
}

void judge_death_end(struct judge *j)
{
	while (j->deaths.count > 0) {
		own_gap(j, &j->deaths.all[0]);
		drop(&j->deaths, 0);
	}
}

void judge_death_done(struct judge *j)
{
	while (j->deaths.count > 0)
		drop(&j->deaths, 0);
}

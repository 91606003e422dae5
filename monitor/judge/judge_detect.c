/* judge_detect.c - what the detect_* modules are told, and by whom: the one
 * owner of all of them. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/detect_beacon.h"
#include "judge/detect_burst.h"
#include "judge/detect_dns.h"
#include "judge/detect_first.h"
#include "judge/detect_icmp.h"
#include "judge/detect_ntp.h"
#include "judge/detect_ports.h"
#include "judge/detect_station.h"
#include "judge/detect_volume.h"
#include "judge/judge_internal.h"

#define PORT_DNS 53u
#define PORT_NTP 123u
#define DAY_US (86400 * SECOND_US)

struct detectors {
	struct detect_sink sink;
	struct detect_dns *dns;
	struct detect_beacon *beacon;
	struct detect_burst *burst;
	struct detect_icmp *icmp;
	struct detect_ntp *ntp;
	struct detect_ports *ports;
	struct detect_station *stations;
	struct detect_first *first;
	struct detect_volume *volume;
	int64_t since_us;        /* the first machine was seen; 0: none yet */
	const struct transfer *about;   /* what is told now comes from this one; NULL: from none */
};

static bool is_regular(const struct judge *j, const struct transfer *t)
{
	const char *id = text_of(j, t->approval);
	for (size_t i = 0; id != NULL && i < j->config->approval_count; i++)
		if (strcmp(j->config->approvals[i].id, id) == 0)
			return j->config->approvals[i].regular;
	return false;
}

/* Heartbeats, checks for updates and scans sent one after the other to whom
 * they may be sent are as regular as what is meant to hide: they are told, a
 * beacon as a finding of its own, but no two of them weigh much. Where the
 * approval says that they are regular there is nothing to tell: 0. */
static uint8_t most_approved(const struct judge *j, const struct transfer *t, enum detection what)
{
	switch (what) {
	case DETECT_BEACON:
		return is_regular(j, t) ? 0 : 60;
	case DETECT_TIMED_BURSTS:
	case DETECT_EQUAL_PIECES:
		return is_regular(j, t) ? 0 : 30;
	default:
		return 100;
	}
}

static void on_hit(void *ctx, const struct detect_hit *h)
{
	struct judge *j = ctx;
	struct detect_hit said = *h;
	const struct transfer *t = j->detectors->about;
	const uint8_t most = t != NULL && t->verdict == VERDICT_APPROVED ? most_approved(j, t, h->what) : 100;
	if (said.score > most)
		said.score = most;
	if (most > 0)
		judge_suspect(j, &said, t);
}

/* The same file gives the same hits, and nobody who has not read it knows
 * what to send to stay out of a sample. */
static uint64_t seed_of(const struct config *c)
{
	uint64_t seed;
	memcpy(&seed, c->hash, sizeof(seed));
	return seed;
}

int judge_detect_init(struct judge *j, const struct config *c)
{
	const uint64_t seed = seed_of(c);
	struct detectors *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	j->detectors = d;
	d->sink = (struct detect_sink){.ctx = j, .hit = on_hit};
	int e = detect_dns_new(&c->detect, seed, &d->dns);
	if (e == 0)
		e = detect_beacon_new(&c->detect, seed, &d->beacon);
	if (e == 0)
		e = detect_burst_new(&c->detect, seed, &d->burst);
	if (e == 0)
		e = detect_icmp_new(&c->detect, seed, &d->icmp);
	if (e == 0)
		e = detect_ntp_new(&c->detect, seed, &d->ntp);
	if (e == 0)
		e = detect_ports_new(&c->detect, seed, &d->ports);
	if (e == 0)
		e = detect_station_new(seed, &d->stations);
	if (e == 0)
		e = detect_first_new(&c->detect, seed, &d->first);
	if (e == 0)
		e = detect_volume_new(&c->detect, seed, &d->volume);
	return e;
}

void judge_detect_done(struct judge *j)
{
	struct detectors *d = j->detectors;
	if (d == NULL)
		return;
	detect_dns_free(d->dns);
	detect_beacon_free(d->beacon);
	detect_burst_free(d->burst);
	detect_icmp_free(d->icmp);
	detect_ntp_free(d->ntp);
	detect_ports_free(d->ports);
	detect_station_free(d->stations);
	detect_first_free(d->first);
	detect_volume_free(d->volume);
	free(d);
	j->detectors = NULL;
}

uint64_t judge_detect_evicted(const struct judge *j)
{
	const struct detectors *d = j->detectors;
	return d == NULL ? 0 : detect_dns_evicted(d->dns) + detect_beacon_evicted(d->beacon) + detect_burst_evicted(d->burst) +
	       detect_icmp_evicted(d->icmp) + detect_ntp_evicted(d->ntp) + detect_ports_evicted(d->ports) +
	       detect_station_evicted(d->stations) + detect_first_evicted(d->first) + detect_volume_evicted(d->volume);
}

void judge_detect_reload(struct judge *j)
{
	const struct config_detect *c = &j->config->detect;
	detect_dns_configure(j->detectors->dns, c);
	detect_beacon_configure(j->detectors->beacon, c);
	detect_burst_configure(j->detectors->burst, c);
	detect_icmp_configure(j->detectors->icmp, c);
	detect_ntp_configure(j->detectors->ntp, c);
	detect_ports_configure(j->detectors->ports, c);
	detect_first_configure(j->detectors->first, c);
	detect_volume_configure(j->detectors->volume, c);
}

/* --- DNS --- */

void judge_question(struct judge *j, const struct fact_question *f)
{
	const uint32_t over = judge_find(j, &f->head);
	const struct transfer *t = f->head.flow != 0 && over != TRANSFER_NONE ? at(j, over) : NULL;
	const struct machine *m = t != NULL && addr_eq(&attached(j, t)->inside, &f->client)
	                              ? t->machine
	                              : inventory_find_address(j->inventory, &f->client);
	if (m == NULL)
		return;   /* nobody that was ever seen */
	const struct detect_dns_question q = {
	    .machine_number = m->number, .machine = m->id, .name = f->name, .resolver = f->resolver,
	    .name_hash = f->name_hash, .name_bytes = f->name_bytes, .qtype = f->qtype, .time_us = f->head.time_us};
	detect_dns_question(j->detectors->dns, &q, &j->detectors->sink);
}

/* --- a flow begins --- */

/* More addresses than it is configured with, and than a machine has. */
static bool has_many_addresses(struct judge *j, const struct transfer *t)
{
	const struct config_equipment *e = t->machine->equipment;
	const size_t own = e != NULL ? e->address_count : 0;
	static const struct mac none;
	const struct mac *mac = &attached(j, t)->inside_mac;
	const unsigned least = j->config->detect.addresses;
	if (mac_eq(mac, &none))
		return false;
	return detect_station_addresses(j->detectors->stations, mac) >= (own < least ? least : own + 1);
}

/* Unknown, and first seen today, when the sensor had learnt who is there. */
static bool is_new_mac(struct judge *j, const struct transfer *t)
{
	struct detectors *d = j->detectors;
	const struct machine *m = t->machine;
	static const struct mac none;
	if (d->since_us == 0 || m->first_us < d->since_us)
		d->since_us = m->first_us;
	return m->equipment == NULL && !mac_eq(&m->mac, &none) && t->start_us - m->first_us < DAY_US &&
	       m->first_us - d->since_us >= (int64_t)j->config->detect.learn_days * DAY_US;
}

void judge_detect_begun(struct judge *j, uint32_t index)
{
	const struct transfer *t = at(j, index);
	const char *name = text_of(j, t->host != 0 ? t->host : t->dns_name);
	if (name != NULL && t->initiator != INITIATOR_PEER)
		detect_dns_contact(j->detectors->dns, t->machine->number, name, t->start_us);
	if (has_many_addresses(j, t))
		judge_sign(j, index, DETECT_MANY_ADDRESSES, NULL);
	if (is_new_mac(j, t))
		judge_sign(j, index, DETECT_NEW_MAC, t->machine->id);
}

void judge_detect_station(struct judge *j, const struct fact_station *f)
{
	(void)detect_station_seen(j->detectors->stations, &f->mac, &f->address, f->head.time_us);
}

/* --- ICMP --- */

void judge_icmp(struct judge *j, const struct fact_icmp *f)
{
	const uint32_t index = judge_find(j, &f->head);
	if (index == TRANSFER_NONE)
		return;
	const struct transfer *t = at(j, index);
	const struct detect_icmp_seen s = {.machine_number = t->machine->number, .machine = t->machine->id, .peer = t->peer,
	                                   .time_us = f->head.time_us, .sums = f->sums};
	detect_icmp_seen(j->detectors->icmp, &s, &j->detectors->sink);
}

/* --- SSH --- */

/* Who reaches back: towards the end that opened the connection. */
void judge_ssh(struct judge *j, const struct fact_ssh *f)
{
	const uint32_t index = judge_find(j, &f->head);
	char detail[160];
	if (index == TRANSFER_NONE || f->sums.opened < j->config->detect.ssh_opened)
		return;
	snprintf(detail, sizeof(detail), "%u opened by the %s's side; since the first %llu bytes out, %llu in",
	         f->sums.opened, at(j, index)->initiator == INITIATOR_PEER ? "equipment" : "peer",
	         (unsigned long long)f->sums.bytes_out, (unsigned long long)f->sums.bytes_in);
	judge_sign(j, index, DETECT_SSH_REVERSE, detail);
	judge_sign_more(j, index, DETECT_SSH_REVERSE, detail);
}

/* --- as a flow goes on, and ends --- */

/* RITA's steps: 1 h base, 4 h low, 8 h medium, 12 h high. */
static void look_long(struct judge *j, const struct transfer *t, int64_t before_us)
{
	static const int steps[] = {12, 8, 4, 1};
	static const uint8_t scores[] = {100, 75, 50, 25};
	const int64_t base_us = (int64_t)j->config->detect.long_connection_s * SECOND_US;
	const int64_t was = before_us - t->start_us, is = t->end_us - t->start_us;
	char detail[60];
	for (unsigned i = 0; i < 4; i++) {
		if (is < steps[i] * base_us)
			continue;
		if (was >= steps[i] * base_us)
			return;
		snprintf(detail, sizeof(detail), "open for %.1f h", (double)is / 3600e6);
		const struct detect_hit h = {.what = DETECT_LONG_CONNECTION, .score = scores[i], .machine = t->machine->id,
		                             .peer = t->peer, .first_us = t->start_us, .last_us = t->end_us, .detail = detail};
		j->detectors->sink.hit(j->detectors->sink.ctx, &h);
		return;
	}
}

void judge_detect_counted(struct judge *j, const struct transfer *t, const struct flow_counts *delta, int64_t before_us)
{
	struct detectors *d = j->detectors;
	if ((t->flags & FLOW_ESTABLISHED) == 0)
		return;
	d->about = t;
	const struct detect_moved m = {.machine_number = t->machine->number, .machine = t->machine->id,
	                               .machine_first_us = t->machine->first_us, .peer = t->peer, .time_us = t->end_us,
	                               .bytes_out = delta->ip_bytes_out, .bytes_in = delta->ip_bytes_in};
	detect_volume_moved(d->volume, &m, &d->sink);
	look_long(j, t, before_us);
	if (t->proto == IPPROTO_UDP && t->peer_port == PORT_NTP) {
		const struct detect_ntp_sent n = {.machine_number = t->machine->number, .machine = t->machine->id,
		                                  .peer = t->peer, .time_us = t->end_us, .bytes = delta->ip_bytes_out,
		                                  .packets = delta->packets_out};
		detect_ntp_sent(d->ntp, &n, &d->sink);
	}
	if (delta->ip_bytes_out >= DETECT_BURST_LEAST) {
		const struct detect_sent s = {.machine_number = t->machine->number, .machine = t->machine->id,
		                              .peer = t->peer, .time_us = t->end_us, .bytes = delta->ip_bytes_out};
		detect_burst_sent(d->burst, &s, &d->sink);
	}
	d->about = NULL;
}

/* DNS and NTP have measures of their own. */
static bool has_own_rhythm(const struct judge *j, const struct transfer *t)
{
	const char *app = label_of(j, t)->app;
	return (t->peer_port == PORT_DNS && strncmp(app, "DNS", 3) == 0) || (t->peer_port == PORT_NTP && strcmp(app, "NTP") == 0);
}

void judge_detect_ended(struct judge *j, const struct transfer *t)
{
	struct detectors *d = j->detectors;
	if ((t->flags & (FLOW_ESTABLISHED | FLOW_MID_STREAM)) != FLOW_ESTABLISHED || t->initiator == INITIATOR_PEER ||
	    has_own_rhythm(j, t))
		return;
	const struct detect_connection c = {.machine_number = t->machine->number, .machine = t->machine->id,
	                                    .peer = t->peer, .start_us = t->start_us, .end_us = t->end_us,
	                                    .bytes_out = transfer_counts(t).ip_bytes_out};
	d->about = t;
	detect_beacon_connection(d->beacon, &c, &d->sink);
	if (t->peer_port != 0 && transfer_counts(t).payload_bytes_out > 0 && t->verdict != VERDICT_APPROVED) {
		const struct detect_port_used u = {.machine_number = t->machine->number, .machine = t->machine->id,
		                                   .peer = t->peer, .port = t->peer_port, .proto = t->proto,
		                                   .time_us = t->end_us};
		detect_ports_used(d->ports, &u, &d->sink);
	}
	d->about = NULL;
}

/* --- first contact --- */

static bool met(struct judge *j, struct detect_met *m, enum detect_first_kind kind, const void *what, size_t bytes)
{
	m->kind = kind;
	m->what = what;
	m->bytes = bytes;
	return bytes > 0 && detect_first_met(j->detectors->first, m);
}

static struct detect_met met_by(const struct machine *m, int64_t time_us)
{
	return (struct detect_met){.machine_number = m->number, .machine_first_us = m->first_us, .time_us = time_us};
}

void judge_detect_met(struct judge *j, uint32_t index)
{
	const struct transfer *t = at(j, index);
	const struct geo_place *where = where_of(j, t);
	const char *app = label_of(j, t)->app;
	struct detect_met m = met_by(t->machine, t->start_us);
	char detail[40];
	if ((t->flags & FLOW_ESTABLISHED) == 0)
		return;
	if (met(j, &m, FIRST_PEER, &t->peer, sizeof(t->peer)))
		judge_sign(j, index, DETECT_NEW_PEER, NULL);
	if (met(j, &m, FIRST_COUNTRY, where->country, strlen(where->country)))
		judge_sign(j, index, DETECT_NEW_COUNTRY, where->country);
	if (where->asn != 0 && met(j, &m, FIRST_NETWORK, &where->asn, sizeof(where->asn))) {
		snprintf(detail, sizeof(detail), "AS%u", where->asn);
		judge_sign(j, index, DETECT_NEW_NETWORK, detail);
	}
	if (strcmp(app, "Unknown") != 0 && met(j, &m, FIRST_APP, app, strlen(app)))
		judge_sign(j, index, DETECT_NEW_APP, app);
}

int judge_restore_habit(struct judge *j, const struct row_habit *r)
{
	const struct machine *machine = inventory_find(j->inventory, r->machine);
	if (machine == NULL)
		return 0;
	if (j->detectors->since_us == 0 || machine->first_us < j->detectors->since_us)
		j->detectors->since_us = machine->first_us;
	const struct detect_moved moved = {.machine_number = machine->number, .machine = machine->id, .peer = r->peer,
	                                   .time_us = r->hour_us, .bytes_out = r->out, .bytes_in = r->in};
	detect_volume_known(j->detectors->volume, &moved);
	if (!r->established)
		return 0;
	struct detect_met m = met_by(machine, r->hour_us);
	(void)met(j, &m, FIRST_PEER, &r->peer, sizeof(r->peer));
	(void)met(j, &m, FIRST_COUNTRY, r->country, strlen(r->country));
	if (r->asn != 0)
		(void)met(j, &m, FIRST_NETWORK, &r->asn, sizeof(r->asn));
	if (strcmp(r->app, "Unknown") != 0)
		(void)met(j, &m, FIRST_APP, r->app, strlen(r->app));
	return 0;
}

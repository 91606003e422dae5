#include "judge/detect_ntp.h"

#include <stdio.h>
#include <stdlib.h>

#include "judge/detect_table.h"

#define HOUR_US (3600 * INT64_C(1000000))
#define FORGET_US (2 * HOUR_US)

struct pair {
	struct detect_entry entry;
	int64_t hour, first_us, told_hour;   /* told_hour: + 1; 0: never */
	uint64_t bytes, packets;
};

struct detect_ntp {
	const struct config_detect *cfg;
	struct detect_table *pairs;
};

int detect_ntp_new(const struct config_detect *cfg, uint64_t seed, struct detect_ntp **ret)
{
	struct detect_ntp *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	d->cfg = cfg;
	const int e = detect_table_new(DETECT_NTP_PAIRS, sizeof(struct pair), FORGET_US, seed, &d->pairs);
	if (e < 0) {
		detect_ntp_free(d);
		return e;
	}
	*ret = d;
	return 0;
}

void detect_ntp_free(struct detect_ntp *d)
{
	if (d == NULL)
		return;
	detect_table_free(d->pairs);
	free(d);
}

uint64_t detect_ntp_evicted(const struct detect_ntp *d)
{
	return detect_table_evicted(d->pairs);
}

void detect_ntp_configure(struct detect_ntp *d, const struct config_detect *cfg)
{
	d->cfg = cfg;
}

void detect_ntp_sent(struct detect_ntp *d, const struct detect_ntp_sent *s, const struct detect_sink *sink)
{
	struct {
		struct addr peer;
		uint32_t machine;
	} key = {s->peer, s->machine_number};
	struct pair *p = detect_table_get(d->pairs, &key, sizeof(key), s->time_us);
	const int64_t hour = s->time_us / HOUR_US;
	char detail[120];
	if (p->first_us == 0 || (hour != p->hour && hour != p->hour - 1)) {
		p->hour = hour;
		p->bytes = p->packets = 0;
		p->first_us = s->time_us;
	}
	p->bytes += s->bytes;
	p->packets += s->packets;
	p->entry.worth = p->bytes < UINT32_MAX ? (uint32_t)p->bytes : UINT32_MAX;
	if (p->bytes < d->cfg->ntp_hour || p->told_hour == p->hour + 1)
		return;
	p->told_hour = p->hour + 1;
	snprintf(detail, sizeof(detail), "%llu bytes in %llu messages to a time server within an hour",
	         (unsigned long long)p->bytes, (unsigned long long)p->packets);
	const struct detect_hit h = {.what = DETECT_NTP, .score = 100, .machine = s->machine, .peer = s->peer,
	                             .first_us = p->first_us, .last_us = s->time_us, .detail = detail};
	sink->hit(sink->ctx, &h);
}

#include "judge/detect_dns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "judge/detect_table.h"
#include "judge/distinct.h"
#include "judge/domain.h"

#define HOUR_US (3600 * INT64_C(1000000))
#define DAY_HOURS 24
#define FORGET_US (48 * HOUR_US)
#define NAME_BYTES_LEAST 16.0    /* a mean name shorter than that is counted by dns-subdomains alone */
#define WEIGHT_IN_ADDR 4u
#define WEIGHT_IP6 16u
#define SCORE_LEAST 30.0         /* at the threshold; 100 at ten times of it */
#define SCORE_STEP 20u           /* told again within the hour where it grew so much */
#define NULL_COUNTS_AS 10u       /* nothing but tunnels asks for NULL records */

enum { TYPE_NULL = 10, TYPE_TXT = 16 };
enum kind { KIND_TUNNEL = 0, KIND_SUBDOMAINS, KIND_TYPES, KINDS };

struct told {
	int64_t hour;            /* of the last hit + 1; 0: none */
	uint8_t score;
};

struct pair {
	struct detect_entry entry;
	int64_t hour, first_us;
	uint64_t txt, null;      /* bitmaps of names: linear counting */
	struct distinct names_hour, names_day, contacted;
	struct told told[KINDS];
};

struct detect_dns {
	const struct config_detect *cfg;
	struct detect_table *pairs;
	uint64_t seed;
};

int detect_dns_new(const struct config_detect *cfg, uint64_t seed, struct detect_dns **ret)
{
	struct detect_dns *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	d->cfg = cfg;
	d->seed = seed;
	const int e = detect_table_new(DETECT_DNS_PAIRS, sizeof(struct pair), FORGET_US, seed, &d->pairs);
	if (e < 0) {
		detect_dns_free(d);
		return e;
	}
	*ret = d;
	return 0;
}

void detect_dns_free(struct detect_dns *d)
{
	if (d == NULL)
		return;
	detect_table_free(d->pairs);
	free(d);
}

void detect_dns_configure(struct detect_dns *d, const struct config_detect *cfg)
{
	d->cfg = cfg;
}

uint64_t detect_dns_evicted(const struct detect_dns *d)
{
	return detect_table_evicted(d->pairs);
}

/* --- names --- */

static bool ends_with(const char *name, const char *domain)
{
	const size_t n = strlen(name), m = strlen(domain);
	return n >= m && strcmp(name + n - m, domain) == 0 && (n == m || name[n - m - 1] == '.');
}

static bool is_ignored(const struct detect_dns *d, const char *name)
{
	for (size_t i = 0; i < d->cfg->dns_ignore_count; i++)
		if (ends_with(name, d->cfg->dns_ignore[i] + (d->cfg->dns_ignore[i][0] == '*' ? 2 : 0)))
			return true;
	return false;
}

/* Bytes that the name carries below its domain; 0: it is the domain. */
static uint8_t weight_of(const struct detect_dns_question *q, const char *domain)
{
	const size_t under = strlen(domain) + 2;   /* its length bytes: as many as dots, one more, and the root's */
	if (q->name_bytes <= under)
		return 0;
	size_t bytes = q->name_bytes - under;
	if (ends_with(domain, "in-addr.arpa"))
		bytes = bytes < WEIGHT_IN_ADDR ? bytes : WEIGHT_IN_ADDR;
	else if (ends_with(domain, "ip6.arpa"))
		bytes = bytes < WEIGHT_IP6 ? bytes : WEIGHT_IP6;
	return (uint8_t)(bytes < UINT8_MAX ? bytes : UINT8_MAX);
}

struct key {
	uint32_t machine;
	char domain[256];
};

static size_t key_of(struct key *k, uint32_t machine, const char *domain)
{
	k->machine = machine;
	const size_t n = strnlen(domain, sizeof(k->domain));
	memcpy(k->domain, domain, n);
	return offsetof(struct key, domain) + n;
}

static uint64_t mix(const struct detect_dns *d, uint64_t name_hash)
{
	return XXH3_64bits_withSeed(&name_hash, sizeof(name_hash), d->seed);
}

/* --- time --- */

/* Windows are hours and days of UTC. A little disorder stays in the later one. */
static void pass_time(struct pair *p, int64_t time_us)
{
	const int64_t hour = time_us / HOUR_US;
	if (p->first_us == 0) {
		p->first_us = time_us;
		p->hour = hour;
	}
	if (hour == p->hour || hour == p->hour - 1)
		return;
	if (hour / DAY_HOURS != p->hour / DAY_HOURS) {
		memset(&p->names_day, 0, sizeof(p->names_day));
		memset(&p->contacted, 0, sizeof(p->contacted));
		p->first_us = time_us;
	}
	memset(&p->names_hour, 0, sizeof(p->names_hour));
	p->txt = p->null = 0;
	p->hour = hour;
}

/* --- measures --- */

static unsigned bits_seen(uint64_t bitmap)
{
	const int clear = 64 - __builtin_popcountll(bitmap);
	return clear == 0 ? 300 : (unsigned)(64.0 * log(64.0 / clear) + 0.5);
}

static uint8_t score_of(double value, double threshold)
{
	const double s = SCORE_LEAST + (100.0 - SCORE_LEAST) * log10(value / threshold);
	return (uint8_t)(s >= 100.0 ? 100 : s < 0 ? 0 : s);
}

/* RITA's steps, at 1, 5, 8 and 10 times of the least. */
static uint8_t subdomain_score(double names, double least, bool contacted)
{
	const int s = names >= 10 * least ? 100 : names >= 8 * least ? 75 : names >= 5 * least ? 50 : 25;
	return (uint8_t)(contacted || s == 100 ? s : s + 25);
}

/* May it be told now? */
static bool is_news(struct pair *p, enum kind kind, uint8_t score)
{
	struct told *t = &p->told[kind];
	const bool grown = score >= t->score + SCORE_STEP || (score == 100 && t->score < 100);
	if (t->hour == p->hour + 1 && !grown)
		return false;
	t->hour = p->hour + 1;
	t->score = score;
	return true;
}

struct look {
	const struct detect_dns_question *q;
	const struct detect_sink *sink;
	struct pair *p;
	const char *domain;
	double names_hour, bytes_hour, names_day, bytes_day, contacted;
};

static void tell(const struct look *l, enum detection what, uint8_t score, const char *detail)
{
	const struct detect_hit h = {.what = what, .score = score, .machine = l->q->machine, .domain = l->domain,
	                             .bytes_out = (uint64_t)l->bytes_day, .first_us = l->p->first_us,
	                             .last_us = l->q->time_us, .detail = detail};
	l->sink->hit(l->sink->ctx, &h);
}

static void look_tunnel(const struct detect_dns *d, const struct look *l)
{
	const double part = l->names_day > 0 ? fmax(0, 1 - l->contacted / l->names_day) : 0;
	const double hour = l->bytes_hour * part / (double)d->cfg->dns_tunnel_hour,
	             day = l->bytes_day * part / (double)d->cfg->dns_tunnel_day;
	const double over = hour > day ? hour : day;
	if (over < 1 || l->bytes_day < NAME_BYTES_LEAST * l->names_day)
		return;
	const uint8_t score = score_of(over, 1);
	char detail[160];
	if (!is_news(l->p, KIND_TUNNEL, score))
		return;
	snprintf(detail, sizeof(detail), "%.0f bytes in %.0f names this hour, %.0f in %.0f this day; %.0f names contacted",
	         l->bytes_hour, l->names_hour, l->bytes_day, l->names_day, l->contacted);
	tell(l, DETECT_DNS_TUNNEL, score, detail);
}

static void look_subdomains(const struct detect_dns *d, const struct look *l)
{
	const double names = l->names_day - l->contacted;
	if (names < d->cfg->dns_subdomains || ends_with(l->domain, "arpa"))
		return;
	const uint8_t score = subdomain_score(names, d->cfg->dns_subdomains, l->contacted > 0);
	char detail[120];
	if (!is_news(l->p, KIND_SUBDOMAINS, score))
		return;
	snprintf(detail, sizeof(detail), "%.0f names this day, %.0f of them contacted", l->names_day, l->contacted);
	tell(l, DETECT_DNS_SUBDOMAINS, score, detail);
}

static void look_types(const struct detect_dns *d, const struct look *l)
{
	const unsigned txt = bits_seen(l->p->txt), null = bits_seen(l->p->null);
	const double over = (double)(txt + NULL_COUNTS_AS * null) / d->cfg->dns_records;
	if (over < 1)
		return;
	const uint8_t score = score_of(over, 1);
	char detail[120];
	if (!is_news(l->p, KIND_TYPES, score))
		return;
	snprintf(detail, sizeof(detail), "%u names as TXT and %u as NULL this hour", txt, null);
	tell(l, DETECT_DNS_RECORD_TYPES, score, detail);
}

static void see_type(struct pair *p, uint16_t qtype, uint64_t hash)
{
	if (qtype == TYPE_TXT)
		p->txt |= UINT64_C(1) << (hash >> 58);
	else if (qtype == TYPE_NULL)
		p->null |= UINT64_C(1) << (hash >> 58);
}

void detect_dns_question(struct detect_dns *d, const struct detect_dns_question *q, const struct detect_sink *sink)
{
	const char *domain = domain_registered(q->name);
	const uint8_t weight = domain != NULL ? weight_of(q, domain) : 0;
	if (weight == 0 || is_ignored(d, q->name))
		return;
	struct key k;
	struct pair *p = detect_table_get(d->pairs, &k, key_of(&k, q->machine_number, domain), q->time_us);
	pass_time(p, q->time_us);
	const uint64_t hash = mix(d, q->name_hash);
	const uint64_t types_before = p->txt ^ p->null;
	see_type(p, q->qtype, hash);
	const bool hour = distinct_add(&p->names_hour, hash, weight), day = distinct_add(&p->names_day, hash, weight);
	if (!hour && !day && types_before == (p->txt ^ p->null))
		return;
	struct look l = {.q = q, .sink = sink, .p = p, .domain = domain};
	distinct_sums(&p->names_hour, &l.names_hour, &l.bytes_hour);
	distinct_sums(&p->names_day, &l.names_day, &l.bytes_day);
	double weight_contacted;
	distinct_sums(&p->contacted, &l.contacted, &weight_contacted);
	p->entry.worth = (uint32_t)fmin(l.bytes_day, UINT32_MAX);
	look_tunnel(d, &l);
	look_subdomains(d, &l);
	look_types(d, &l);
}

void detect_dns_contact(struct detect_dns *d, uint32_t machine_number, const char *name, int64_t time_us)
{
	const char *domain = domain_registered(name);
	struct key k;
	if (domain == NULL || domain == name)
		return;
	struct pair *p = detect_table_find(d->pairs, &k, key_of(&k, machine_number, domain));
	if (p == NULL)
		return;
	pass_time(p, time_us);
	(void)distinct_add(&p->contacted, XXH3_64bits_withSeed(name, strlen(name), d->seed), 1);
}

/* Tunnels in DNS questions are found early; what CDNs, Windows and resolvers
 * of ordinary machines ask for is not taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xxhash.h>

#include "judge/detect_dns.h"
#include "judge/distinct.h"
#include "judge/domain.h"

#define SECOND INT64_C(1000000)
#define NOON INT64_C(1781697600000000)

static const struct config_detect standard = {
    .dns_tunnel_hour = 2520, .dns_tunnel_day = 60480, .dns_subdomains = 100, .dns_records = 50};

struct heard {
	unsigned hits[DETECT_COUNT];
	uint8_t score[DETECT_COUNT];
	uint64_t bytes;
	char domain[256], detail[256];
};

static void on_hit(void *ctx, const struct detect_hit *h)
{
	struct heard *x = ctx;
	x->hits[h->what]++;
	x->score[h->what] = h->score;
	x->bytes = h->bytes_out;
	assert_string_equal(h->machine, "E1");
	assert_true(strlen(h->detail) <= 200);
	snprintf(x->domain, sizeof(x->domain), "%s", h->domain);
	snprintf(x->detail, sizeof(x->detail), "%s", h->detail);
}

struct world {
	struct detect_dns *d;
	struct heard heard;
	int64_t now;
	uint64_t told;           /* bytes of names asked so far */
};

static void begin(struct world *w, const struct config_detect *cfg)
{
	memset(w, 0, sizeof(*w));
	w->now = NOON;
	assert_int_equal(detect_dns_new(cfg, 7, &w->d), 0);
}

static void ask(struct world *w, const char *name, uint16_t qtype)
{
	const struct detect_sink sink = {.ctx = &w->heard, .hit = on_hit};
	const struct detect_dns_question q = {.machine_number = 1, .machine = "E1", .name = name,
	                                      .name_hash = XXH3_64bits(name, strlen(name)),
	                                      .name_bytes = (uint16_t)(strlen(name) + 2), .qtype = qtype, .time_us = w->now};
	detect_dns_question(w->d, &q, &sink);
	w->told += strlen(name);
}

static void letters(char *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = "abcdefghijklmnopqrstuvwxyz234567"[rand() % 32];
	to[n] = 0;
}

static void registered_domains(void **state)
{
	(void)state;
	assert_string_equal(domain_registered("a.b.example.co.uk"), "example.co.uk");
	assert_string_equal(domain_registered("example.com"), "example.com");
	assert_string_equal(domain_registered("x.imagenes.example.gob.mx"), "example.gob.mx");
	assert_string_equal(domain_registered("pc7.corp.lan"), "corp.lan");
	assert_null(domain_registered("wpad"));
	assert_null(domain_registered("co.uk"));
	/* Of a name that was asked for before, the same part of the name that is given now. */
	char again[] = "a.b.example.co.uk", suffix[] = "co.uk";
	assert_ptr_equal(domain_registered(again), again + 4);
	assert_null(domain_registered(suffix));
	char wide[80];
	memset(wide, 'w', sizeof wide);
	strcpy(wide + 60, ".example.com");
	assert_ptr_equal(domain_registered(wide), wide + 61);
}

/* Sums within four standard errors, whatever the order, however often. */
static void distinct_counts(void **state)
{
	(void)state;
	const unsigned sizes[] = {1, 10, 63, 64, 65, 500, 20000};
	for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct distinct d = {.count = 0}, back = {.count = 0};
		double count, weight, all = 0, other;
		for (uint64_t i = 0; i < sizes[s]; i++) {
			const uint8_t w = (uint8_t)(1 + i * 37 % 200);
			(void)distinct_add(&d, XXH3_64bits(&i, sizeof(i)), w);
			assert_false(distinct_add(&d, XXH3_64bits(&i, sizeof(i)), w));
			all += w;
		}
		for (uint64_t i = sizes[s]; i-- > 0;)
			(void)distinct_add(&back, XXH3_64bits(&i, sizeof(i)), (uint8_t)(1 + i * 37 % 200));
		distinct_sums(&d, &count, &weight);
		distinct_sums(&back, &other, &all);
		assert_true(other > count * 0.999 && other < count * 1.001);
		all = 0;
		for (uint64_t i = 0; i < sizes[s]; i++)
			all += (double)(1 + i * 37 % 200);
		const double room = sizes[s] < DISTINCT_SAMPLE ? 0.001 : 0.5;
		assert_true(count > sizes[s] * (1 - room) && count < sizes[s] * (1 + room));
		assert_true(weight > all * (1 - room) && weight < all * (1 + room));
	}
}

/* Whatever the length of its names and its pace, down to 0.7 bytes a second. */
static void tunnel_is_found_within_100_kb(void **state)
{
	(void)state;
	const struct { size_t label; unsigned labels; int64_t step_us; } shape[] = {
	    {60, 3, SECOND / 50}, {30, 1, SECOND / 2}, {60, 2, 20 * SECOND}, {32, 1, 40 * SECOND}, {63, 3, 250 * SECOND},
	};
	for (unsigned s = 0; s < sizeof(shape) / sizeof(shape[0]); s++) {
		struct world w;
		begin(&w, &standard);
		while (w.heard.hits[DETECT_DNS_TUNNEL] == 0 && w.told < 200000) {
			char name[256], *at = name;
			for (unsigned i = 0; i < shape[s].labels; i++) {
				letters(at, shape[s].label);
				at += shape[s].label;
				*at++ = '.';
			}
			strcpy(at, "t.example.com");
			ask(&w, name, 1);
			w.now += shape[s].step_us;
		}
		assert_int_equal(w.heard.hits[DETECT_DNS_TUNNEL], 1);
		assert_in_range(w.told, 2000, 100000);
		assert_string_equal(w.heard.domain, "example.com");
		assert_in_range(w.heard.bytes, w.told / 3, w.told * 2);
		detect_dns_free(w.d);
	}
}

/* A fast one becomes certain within its first hour, and is told a few times. */
static void tunnel_grows_to_certainty(void **state)
{
	(void)state;
	struct world w;
	begin(&w, &standard);
	for (unsigned i = 0; i < 2000; i++) {
		char name[256];
		letters(name, 50);
		strcpy(name + 50, ".example.com");
		ask(&w, name, i % 2 == 0 ? 16 : 10);
		w.now += SECOND;
	}
	assert_int_equal(w.heard.score[DETECT_DNS_TUNNEL], 100);
	assert_in_range(w.heard.hits[DETECT_DNS_TUNNEL], 2, 5);
	assert_int_equal(w.heard.score[DETECT_DNS_SUBDOMAINS], 100);
	assert_int_equal(w.heard.score[DETECT_DNS_RECORD_TYPES], 100);
	detect_dns_free(w.d);
}

static void same_names_again_mean_nothing(void **state)
{
	(void)state;
	struct world w;
	begin(&w, &standard);
	for (unsigned i = 0; i < 100000; i++) {
		char name[100];
		snprintf(name, sizeof(name), "host-with-a-rather-long-name-%u.telemetry.example.com", i % 20);
		ask(&w, name, (uint16_t)(i % 2 == 0 ? 1 : 28));
		w.now += SECOND / 10;
	}
	for (int i = 0; i < DETECT_COUNT; i++)
		assert_int_equal(w.heard.hits[i], 0);
	detect_dns_free(w.d);
}

/* Names of a CDN: many, short, and talked to. Windows: many services of one
 * domain. Reverse names of a whole network. A mail server's TXT. */
static void benign_names_are_quiet(void **state)
{
	(void)state;
	struct world w;
	begin(&w, &standard);
	for (unsigned i = 0; i < 600; i++) {
		char name[160];
		snprintf(name, sizeof(name), "r%u---sn-%08x.video.example.com", i % 7, (unsigned)rand());
		ask(&w, name, 1);
		detect_dns_contact(w.d, 1, name, w.now);
		snprintf(name, sizeof(name), "e%u.dscb.example.net", 1000 + i % 80);
		ask(&w, name, 28);
		snprintf(name, sizeof(name), "_ldap._tcp.site%u._sites.dc._msdcs.corp.example.org", i % 5);
		ask(&w, name, 33);
		snprintf(name, sizeof(name), "%u.%u.113.203.in-addr.arpa", i % 250, i / 250);
		ask(&w, name, 12);
		snprintf(name, sizeof(name), "_dmarc.mail%u.example.mx", i % 10);
		ask(&w, name, 16);
		ask(&w, "wpad", 1);
		w.now += 20 * SECOND;
	}
	for (int i = 0; i < DETECT_COUNT; i++)
		assert_int_equal(w.heard.hits[i], 0);
	detect_dns_free(w.d);
}

static void ignored_domains(void **state)
{
	(void)state;
	char *ignore[] = {(char *)(uintptr_t)"example.com"};
	struct config_detect cfg = standard;
	cfg.dns_ignore = ignore;
	cfg.dns_ignore_count = 1;
	struct world w;
	begin(&w, &cfg);
	for (unsigned i = 0; i < 500; i++) {
		char name[256];
		letters(name, 50);
		strcpy(name + 50, i < 450 ? ".av.example.com" : ".notexample.com");
		ask(&w, name, 1);
	}
	assert_string_equal(w.heard.domain, "notexample.com");
	assert_true(w.heard.hits[DETECT_DNS_TUNNEL] <= 1);
	detect_dns_free(w.d);
}

/* A flood of other domains between the questions drives the tunnel out of no memory. */
static void floods_hide_no_tunnel(void **state)
{
	(void)state;
	struct world w;
	begin(&w, &standard);
	for (unsigned i = 0; i < 400 && w.heard.hits[DETECT_DNS_TUNNEL] == 0; i++) {
		char name[256];
		letters(name, 40);
		strcpy(name + 40, ".tunnel.example.com");
		ask(&w, name, 1);
		for (unsigned k = 0; k < 200; k++) {
			snprintf(name, sizeof(name), "a.d%u.com", rand());
			ask(&w, name, 1);
		}
	}
	assert_int_equal(w.heard.hits[DETECT_DNS_TUNNEL], 1);
	assert_true(detect_dns_evicted(w.d) > 0);
	detect_dns_free(w.d);
}

int main(void)
{
	srand(1);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(registered_domains),         cmocka_unit_test(distinct_counts),
	    cmocka_unit_test(tunnel_is_found_within_100_kb), cmocka_unit_test(tunnel_grows_to_certainty),
	    cmocka_unit_test(same_names_again_mean_nothing), cmocka_unit_test(benign_names_are_quiet),
	    cmocka_unit_test(ignored_domains),            cmocka_unit_test(floods_hide_no_tunnel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a worker is looking at, and what it keeps off because others died over it. */
#include <time.h>

#include "worker_rig.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: x\r\n\r\n";
#define GET_BYTES (sizeof get - 1)

/* A connection of machine 10 to port 80 of 198.51.100.peer. */
static void add_get(struct capture *c, int64_t t, unsigned peer, unsigned sport)
{
	add_tcp(c, t, (struct spec){.src = 10, .dst = peer, .sport = sport, .dport = 80, .flags = TCP_SYN, .seq = 99});
	add_tcp(c, t + 1, (struct spec){.src = peer, .dst = 10, .sport = 80, .dport = sport,
	                                .flags = TCP_SYN | TCP_ACK, .seq = 499});
	add_tcp(c, t + 2, (struct spec){.src = 10, .dst = peer, .sport = sport, .dport = 80, .flags = TCP_ACK, .seq = 100,
	                                .bytes = GET_BYTES, .payload = get});
}

static int64_t monotonic_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

static struct control_death death_of(unsigned peer, unsigned inside_port, unsigned peer_port, int64_t left_us)
{
	struct control_death d = {.signal = 11, .looked = 1, .avoid_until_us = monotonic_us() + left_us};
	char text[ADDR_TEXT_MAX];
	snprintf(text, sizeof text, "198.51.100.%u", peer);
	assert_int_equal(addr_parse(text, &d.sight.peer), 0);
	d.sight.inside_port = (uint16_t)inside_port;
	d.sight.peer_port = (uint16_t)peer_port;
	d.sight.proto = 6;
	return d;
}

/* One worker over the capture, with these deaths told before it begins. */
static struct run run_after(struct capture *c, const struct control_death *deaths, unsigned count)
{
	struct run r = {0};
	setup_networks();
	for (unsigned i = 0; i < count; i++)
		control_put_death(control, &deaths[i]);
	assert_int_equal(ring_new(RING, &rings[0]), 0);
	c->next = 0;
	c->number = 0;
	struct worker *w = new_worker(c, 0, 1);
	r.code[0] = worker_run(w);
	worker_free(w);
	drain(&r, rings[0]);
	ring_free(rings[0]);
	return r;
}

static void done(struct run *r)
{
	control_free(control);
	free(r->fact);
}

static void a_look_leaves_a_trace(void **state)
{
	(void)state;
	struct capture c = {0};
	add_get(&c, START, 200, 40000);
	struct run r = run_after(&c, NULL, 0);
	const struct control_worker *me = &control->worker[0];
	char text[ADDR_TEXT_MAX];
	assert_int_equal(me->looks, 0);   /* it lived */
	assert_string_equal(addr_text(&me->sight.inside, text), "192.0.2.10");
	assert_string_equal(addr_text(&me->sight.peer, text), "198.51.100.200");
	assert_true(me->sight.inside_port == 40000 && me->sight.peer_port == 80 && me->sight.proto == 6);
	/* The last packet with payload, from its IP header on; then the end of the flow had none. */
	assert_int_equal(me->sight.bytes[0], 0x45);
	assert_memory_equal(me->sight.bytes + 40, get, GET_BYTES);
	assert_string_equal(nth(&r, FACT_FLOW_CLASS, 0)->flow_class.app, "HTTP");
	done(&r);
	empty(&c);
}

/* The same capture of three connections to two peers, each time with other deaths. */
static void check(const struct control_death *deaths, unsigned count, const char *apps)
{
	struct capture c = {0};
	add_get(&c, START, 200, 40000);
	add_get(&c, START + SECOND, 200, 40001);
	add_get(&c, START + 2 * SECOND, 201, 40000);
	struct run r = run_after(&c, deaths, count);
	char got[4] = "...";
	for (size_t i = 0; i < r.count; i++) {
		const union fact_any *f = &r.fact[i];
		const unsigned slot = (unsigned)(f->head.flow & 0xffffffff);
		if (f->head.type == FACT_FLOW_CLASS) {
			assert_in_range(slot, 0, 2);
			assert_true(f->flow_class.final || strcmp(f->flow_class.app, "HTTP") == 0);
			got[slot] = strcmp(f->flow_class.app, "HTTP") == 0 ? 'h' : f->flow_class.host[0] == '\0' ? 'u' : '?';
		} else if (f->head.type == FACT_FLOW_END) {
			assert_int_equal(f->flow_count.counts.packets_out, 2);
			assert_int_equal(f->flow_count.counts.payload_bytes_out, GET_BYTES);
			assert_int_equal((f->flow_count.flags & FLOW_NOT_INSPECTED) != 0, got[slot] == 'u');
		}
	}
	assert_int_equal(count_of(&r, FACT_FLOW_END), 3);
	assert_string_equal(got, apps);
	done(&r);
	empty(&c);
}

static void what_others_died_over_is_kept_off(void **state)
{
	(void)state;
	struct control_death d[CONTROL_DEATHS] = {{0}};
	check(d, 0, "hhh");
	d[0] = death_of(200, 40000, 8080, 100 * SECOND);   /* the same port inside */
	check(d, 1, "uhh");
	d[0] = death_of(200, 50000, 80, 100 * SECOND);     /* the same service of the peer */
	check(d, 1, "uuh");
	d[0] = death_of(200, 50000, 80, -1);               /* long ago */
	check(d, 1, "hhh");
	d[0] = death_of(200, 50000, 80, 100 * SECOND);
	d[0].sight.proto = 17;
	check(d, 1, "hhh");
	d[1] = death_of(200, 50001, 8081, 100 * SECOND);   /* it comes again and again */
	check(d, 2, "uuh");
	for (unsigned i = 0; i < CONTROL_DEATHS; i++)      /* from everywhere */
		d[i] = death_of(100 + i, 1, 1, 100 * SECOND);
	check(d, CONTROL_DEATHS, "uuu");
	d[0].avoid_until_us = 0;
	check(d, CONTROL_DEATHS, "hhh");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_leaves_a_trace),
		cmocka_unit_test(what_others_died_over_is_kept_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

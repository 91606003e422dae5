/* What time and the stop bring comes in the order of packets, whichever worker
 * tells it: live as in the replay. */
#include <time.h>

#include "worker_rig.h"

static int64_t stop_at_us;

static void stop_now(void)
{
	atomic_store(&control->stop_us, stop_at_us);
	atomic_store(&control->stop, 1);
}

/* One after the other, as slow as it may come. */
static struct run run_live(struct capture *c, unsigned workers)
{
	struct run r = {0};
	setup_networks();
	for (unsigned i = 0; i < workers; i++) {
		assert_int_equal(ring_new(RING, &rings[i]), 0);
		c[i].live = true;
		atomic_store(&control->stop, 0);
		struct worker *w = new_worker(&c[i], i, workers);
		assert_int_equal(worker_run(w), EXIT_DONE);
		worker_free(w);
		drain(&r, rings[i]);
		ring_free(rings[i]);
	}
	qsort(r.fact, r.count, sizeof *r.fact, compare);
	control_free(control);
	return r;
}

static void nothing(void)
{
}

/* A frame that the filter leaves out; the sensor is stopped with it. */
static void add_stop(struct capture *c, int64_t time_us)
{
	struct stored *s = store(c);
	s->filtered = true;
	s->time_us = stop_at_us = time_us;
	s->call = stop_now;
}

/* Live, packets of another time than the wall clock's are a clock that was set;
 * a little ahead they are not. */
static int64_t begin_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return ((int64_t)t.tv_sec + 3) * SECOND;
}

/* --- counts in order --- */

struct told {
	unsigned port;       /* of the inside: names the flow */
	bool end;
	uint64_t bytes;      /* both ways */
};

struct story {
	struct told *told;
	size_t count;
};

/* Counts and ends, in the order of the facts. Where a flow ends because the
 * input does, live it is told only if something of it is not. */
static struct story story_of(const struct run *r)
{
	struct story s = {calloc(r->count + 1, sizeof *s.told), 0};
	static struct { uint64_t flow; unsigned port; uint64_t bytes; } known[4][4096];
	memset(known, 0, sizeof known);
	for (size_t i = 0; i < r->count; i++) {
		const union fact_any *f = &r->fact[i];
		const uint32_t slot = (uint32_t)f->head.flow;
		if (f->head.type == FACT_FLOW_NEW) {
			known[f->head.worker][slot].port = f->flow_new.ident.inside_port;
			known[f->head.worker][slot].bytes = f->flow_new.counts.ip_bytes_out + f->flow_new.counts.ip_bytes_in;
		}
		if (f->head.type != FACT_FLOW_COUNT && f->head.type != FACT_FLOW_END)
			continue;
		const uint64_t bytes = f->flow_count.counts.ip_bytes_out + f->flow_count.counts.ip_bytes_in;
		const bool input = f->flow_count.end == END_INPUT;
		if (!input || bytes != known[f->head.worker][slot].bytes)
			s.told[s.count++] = (struct told){known[f->head.worker][slot].port, f->flow_count.end != END_NONE && !input, bytes};
		known[f->head.worker][slot].bytes = bytes;
	}
	return s;
}

static void assert_same_story(const struct story *a, const struct story *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		if (memcmp(&a->told[i], &b->told[i], sizeof a->told[i]) != 0)
			fail_msg("fact %zu of %zu: port %u or %u, %llu or %llu bytes", i, a->count, a->told[i].port, b->told[i].port,
			         (unsigned long long)a->told[i].bytes, (unsigned long long)b->told[i].bytes);
	}
}

static uint32_t random_state = 7;

static uint32_t rnd(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)random_state * below) >> 32);
}

/* The same packets: all[0] for a replay, live[] as the kernel shares them out. */
struct traffic {
	struct capture all, live[3];
	unsigned workers;
};

static void add_to(struct traffic *t, int64_t time_us, struct spec s, bool tcp, unsigned flow)
{
	struct capture *to[2] = {&t->all, &t->live[flow % t->workers]};
	for (unsigned i = 0; i < 2; i++) {
		if (tcp)
			add_tcp(to[i], time_us, s);
		else
			add_udp(to[i], time_us, s);
	}
}

/* Connections that open and close, datagrams, pauses: all of it within seconds
 * that several flows of each worker share. */
static int64_t add_mix(struct traffic *t, unsigned packets)
{
	int64_t now = begin_us();
	for (unsigned i = 0; i < packets; i++) {
		const unsigned flow = rnd(60);
		const bool tcp = flow % 2 == 0;
		struct spec s = {.src = 1 + flow % 20, .dst = OUTSIDE + flow % 5, .sport = 20000 + flow, .dport = tcp ? 80 : 9000,
		                 .flags = TCP_ACK, .seq = 1000 * i, .bytes = rnd(20) == 0 ? 1400 : rnd(400)};
		if (rnd(6) == 0)
			s.flags |= TCP_RST;
		else if (rnd(9) == 0)
			s.flags = TCP_SYN, s.bytes = 0;
		add_to(t, now, s, tcp, flow);
		now += 1 + rnd(rnd(30) == 0 ? 3000000 : 90000);
	}
	return now;
}

static void live_is_the_replay(void **state)
{
	(void)state;
	for (unsigned turn = 0; turn < 6; turn++) {
		struct traffic t = {.workers = 1 + turn % 3};
		const int64_t end_us = add_mix(&t, 6000);
		for (unsigned i = 0; i < t.workers; i++)
			add_stop(&t.live[i], end_us);
		add_stop(&t.all, end_us);
		t.all.frame[t.all.count - 1].call = NULL;
		struct run replay = run_workers(&t.all, 1, RING), live = run_live(t.live, t.workers);
		struct story a = story_of(&replay), b = story_of(&live);
		assert_true(a.count > 300);
		assert_same_story(&a, &b);
		free(a.told);
		free(b.told);
		free(replay.fact);
		free(live.fact);
		empty(&t.all);
		for (unsigned i = 0; i < t.workers; i++)
			empty(&t.live[i]);
	}
}

/* --- the stop --- */

static size_t index_of(const struct run *r, enum fact_type type, unsigned worker)
{
	size_t at = r->count;
	for (size_t i = 0; i < r->count; i++)
		if (r->fact[i].head.type == type && r->fact[i].head.worker == worker)
			at = i;
	assert_true(at < r->count);
	return at;
}

/* Who sent last is told last, whichever worker is the first to stop. */
static void stop_tells_in_the_order_of_packets(void **state)
{
	(void)state;
	struct capture c[2] = {{0}, {0}};
	const int64_t begin = begin_us();
	for (unsigned i = 0; i < 2; i++) {
		const struct spec s = {.src = 1 + i, .dst = OUTSIDE, .sport = 1000 + i, .dport = 9, .bytes = 72};
		add_udp(&c[i], begin, s);
		add_udp(&c[i], begin + (i == 0 ? 500000 : 400000), s);
		add_stop(&c[i], begin + 600000 + i);
	}
	struct run r = run_live(c, 2);
	assert_true(index_of(&r, FACT_FLOW_COUNT, 1) < index_of(&r, FACT_FLOW_COUNT, 0));
	assert_true(index_of(&r, FACT_COUNTERS, 0) > index_of(&r, FACT_FLOW_COUNT, 0));
	free(r.fact);
	empty(&c[0]);
	empty(&c[1]);
}

/* What the kernel holds from before the stop is read, what came later is not. */
static void what_came_before_the_stop_is_read(void **state)
{
	(void)state;
	struct capture c = {0};
	const int64_t begin = begin_us();
	const struct spec s = {.src = 1, .dst = OUTSIDE, .sport = 1000, .dport = 9, .bytes = 72};
	add_udp(&c, begin, s);
	add_stop(&c, begin + 1);
	for (unsigned i = 0; i < 20; i++)
		add_udp(&c, begin + 10 * i, s);
	c.frame[2].call = nothing;   /* a batch of its own */
	stop_at_us = begin + 95;
	struct run r = run_live(&c, 1);
	assert_int_equal(totals(&r, 1).flow_frames, 11);   /* of 21 */
	free(r.fact);
	empty(&c);
}

/* --- contents --- */

static const char small_file[] = "\x89HDF\r\n\x1a\n\0\0\0\0\0\10\10\0";

static void add_upload(struct capture *c, bool closes)
{
	struct spec out = {.src = 1, .dst = OUTSIDE, .sport = 1000, .dport = 9000, .flags = TCP_SYN},
	            in = {.src = OUTSIDE, .dst = 1, .sport = 9000, .dport = 1000, .flags = TCP_SYN | TCP_ACK};
	add_tcp(c, START, out);
	add_tcp(c, START + 1, in);
	out.seq = in.seq = 1;
	out.flags = in.flags = TCP_ACK;
	out.bytes = sizeof small_file - 1;
	out.payload = small_file;
	add_tcp(c, START + 2, out);
	out.seq += out.bytes;
	out.bytes = 0;
	out.flags = in.flags = TCP_ACK | TCP_FIN;
	if (!closes)
		return;
	add_tcp(c, START + 3, out);
	add_tcp(c, START + 4, in);
}

/* A file too small to fill a buffer is looked at with the last FIN, not when the flow is forgotten. */
static void a_small_file_is_told_at_its_end(void **state)
{
	(void)state;
	struct capture c = {0};
	add_upload(&c, true);
	struct run r = run_workers(&c, 1, RING);
	assert_int_equal(count_of(&r, FACT_FLOW_CONTENT), 1);
	assert_string_equal(nth(&r, FACT_FLOW_CONTENT, 0)->content.word, "hdf5");
	assert_int_equal(nth(&r, FACT_FLOW_CONTENT, 0)->head.seq >> FACT_SECOND_BITS, 5);
	free(r.fact);
	empty(&c);
}

/* And when the sensor is stopped before. */
static void a_small_file_is_told_at_the_stop(void **state)
{
	(void)state;
	struct capture c = {0};
	add_upload(&c, false);
	add_stop(&c, START + 10);
	struct run r = run_live(&c, 1);
	assert_int_equal(count_of(&r, FACT_FLOW_CONTENT), 1);
	assert_int_equal(count_of(&r, FACT_FLOW_END), 0);
	assert_true(index_of(&r, FACT_FLOW_CONTENT, 0) < index_of(&r, FACT_FLOW_COUNT, 0));
	free(r.fact);
	empty(&c);
}

/* --- VLANs --- */

static uint32_t seen[CONTROL_VLANS / 32];

static void look_at_vlans(void)
{
	for (unsigned i = 0; i < CONTROL_VLANS / 32; i++)
		seen[i] = atomic_load(&control->worker[0].vlan_seen[i]);
	stop_now();
}

static void add_tagged(struct capture *c, int64_t time_us, unsigned outer, unsigned inner)
{
	struct frame f;
	struct spec s = {.src = 1, .dst = OUTSIDE, .sport = 1000, .dport = 9, .bytes = 20};
	body(&f, &s);
	push_udp(&f, s.sport, s.dport);
	ends(push_ipv4(&f, 17, 0, 0), s.src, s.dst, 64);
	if (inner != 0)
		push_tag(&f, inner, 0x0800);
	push_tag(&f, outer, inner != 0 ? 0x8100 : 0x0800);
	push_ethernet(&f, 0x8100, s.src, s.dst);
	add(c, &f, time_us);
}

/* The tags of each frame, whatever its priority bits, are left behind for the judge; of a replay they are not. */
static void vlans_are_left_behind(void **state)
{
	struct capture c = {0};
	const int64_t t = begin_us();
	struct spec plain = {.src = 2, .dst = OUTSIDE, .sport = 1, .dport = 2, .bytes = 20};
	uint32_t expected[CONTROL_VLANS / 32] = {0};
	static const unsigned vids[] = {0, 1, 120, 900, 77, 4094};
	(void)state;
	for (int i = 0; i < 3; i++) {
		add_tagged(&c, t, 120 | 5u << 13, 0);
		add_tagged(&c, t, 900, 77);
		add_tagged(&c, t, 4094, 0);
		add_tagged(&c, t, 1, 0);
		add_udp(&c, t, plain);
	}
	struct stored *s = store(&c);
	s->filtered = true;
	s->time_us = stop_at_us = t + 1;
	s->call = look_at_vlans;
	struct run r = run_live(&c, 1);
	for (unsigned i = 0; i < sizeof vids / sizeof vids[0]; i++)
		expected[vids[i] / 32] |= UINT32_C(1) << vids[i] % 32;
	assert_memory_equal(seen, expected, sizeof seen);
	free(r.fact);
	empty(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_is_the_replay),
		cmocka_unit_test(stop_tells_in_the_order_of_packets),
		cmocka_unit_test(what_came_before_the_stop_is_read),
		cmocka_unit_test(a_small_file_is_told_at_its_end),
		cmocka_unit_test(a_small_file_is_told_at_the_stop),
		cmocka_unit_test(vlans_are_left_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

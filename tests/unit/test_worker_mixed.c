/* Workers on mixed traffic: what must add up, and be the same for any number of them. */
#include "worker_rig.h"

static uint32_t random_state = 3;

static uint32_t rnd(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)random_state * below) >> 32);
}

static void add_odd(struct capture *c, int64_t t)
{
	struct frame f;
	frame_start(&f, 60);
	switch (rnd(6)) {
	case 0:
		push_ethernet(&f, 0x88cc, 1, 2);   /* LLDP */
		break;
	case 1:
		set16(f.at, 1), set16(f.at + 2, 0x0800), f.at[4] = 6, f.at[5] = 4, set16(f.at + 6, 1);
		memcpy(f.at + 14, (const uint8_t[]){192, 0, 2, (uint8_t)rnd(100)}, 4);
		push_ethernet(&f, 0x0806, rnd(20), 255);
		break;
	case 2:
		push_ethernet(&f, 0x0800, 1, 2);   /* no IP header */
		break;
	case 3:
		push_ipv4(&f, 47 + rnd(5), rnd(20), rnd(20));
		push_ethernet(&f, 0x0800, 1, 2);
		break;
	case 4:
		push_udp(&f, 138, 138);
		ends(push_ipv4(&f, 17, 0, 0), rnd(20), 255, 0);
		memset(f.at + 16, 255, 4);
		push_ethernet(&f, 0x0800, 1, 255);
		break;
	default:
		push_ipv6(&f, 58, rnd(9), rnd(9));
		push_ethernet(&f, 0x86dd, 1, 2);
		break;
	}
	add(c, &f, t);
	c->frame[c->count - 1].filtered = rnd(20) == 0;
}

/* A later or first fragment of UDP. */
static void add_fragment(struct capture *c, int64_t t)
{
	struct frame f;
	unsigned first = rnd(2), id = rnd(200);
	frame_start(&f, 400);
	if (first)
		push_udp(&f, 5000, 6000);
	uint8_t *h = push_ipv4(&f, 17, 0, 0);
	ends(h, rnd(8), OUTSIDE + rnd(8), 0);
	set16(h + 4, id);
	set16(h + 6, first ? 0x2000 : 51 + rnd(3) * 50);
	push_ethernet(&f, 0x0800, 1, 2);
	add(c, &f, t);
}

static void add_mix(struct capture *c, unsigned frames)
{
	int64_t t = START;
	uint32_t seq[64] = {0};
	for (unsigned i = 0; i < frames; i++) {
		unsigned flow = rnd(64), src = flow % 70, dst = OUTSIDE + flow % 9;
		t += rnd(400) == 0 ? rnd(20) * SECOND : rnd(20000);
		bool back = rnd(3) == 0;
		struct spec s = {.src = src, .dst = dst, .sport = 40000 + flow, .dport = 443,
		                 .flags = TCP_ACK, .seq = seq[flow], .bytes = rnd(1400)};
		if (back)
			s = (struct spec){.src = dst, .dst = src, .sport = 443, .dport = 40000 + flow, .flags = TCP_ACK,
			                  .seq = 5, .bytes = rnd(10)};
		switch (rnd(12)) {
		case 0: add_odd(c, t); continue;
		case 1: add_fragment(c, t); continue;
		case 2: s.flags = TCP_SYN; s.bytes = 0; seq[flow] = s.seq = rnd(UINT32_MAX); break;
		case 3: s.flags |= rnd(4) == 0 ? TCP_RST : TCP_FIN; break;
		case 4: s.dst = rnd(64); break;                 /* within a network, or between two */
		case 5: s.src = 130 + rnd(20); break;           /* neither inside */
		case 6: s.dport = 5000; add_udp(c, t, s); continue;
		default: break;
		}
		add_tcp(c, t, s);
		seq[flow] += s.bytes;
	}
}

/* What must be the same: everything but who said it. Flows are named by the
 * place of their FACT_FLOW_NEW. */
struct names_of_flows {
	struct { uint32_t worker; uint64_t flow; } at[100000];
	size_t count;
};

static uint64_t name_of(struct names_of_flows *n, const struct fact_head *h)
{
	if (h->type == FACT_FLOW_NEW) {
		n->at[n->count].worker = h->worker;
		n->at[n->count++].flow = h->flow;
	}
	for (size_t i = n->count; i-- > 0;)
		if (n->at[i].worker == h->worker && n->at[i].flow == h->flow)
			return i + 1;
	return 0;
}

static size_t normalise(struct run *r)
{
	struct names_of_flows *names = calloc(1, sizeof *names);
	size_t kept = 0;
	for (size_t i = 0; i < r->count; i++) {
		struct fact_head *h = &r->fact[i].head;
		if (h->type == FACT_COUNTERS || h->type == FACT_NOTE || h->type == FACT_STATION)
			continue;   /* of each worker */
		h->flow = h->flow == 0 ? 0 : name_of(names, h);
		h->worker = 0;
		h->sub = 0;   /* stations shift the numbers within a frame; the order is kept */
		r->fact[kept++] = r->fact[i];
	}
	free(names);
	return kept;
}

static void any_number_of_workers(void **state)
{
	(void)state;
	struct capture c = {0};
	add_mix(&c, 30000);
	struct run one = run_workers(&c, 1, RING);
	struct counters a = totals(&one, 1);
	size_t facts = normalise(&one);
	assert_int_equal(a.frames, c.count);
	assert_true(a.flow_frames > 15000 && a.housekeeping_frames > 100 && a.other_network_frames > 1000 &&
	            a.non_ip_frames > 100 && a.malformed_frames > 100 && a.filtered_frames > 20);
	assert_true(facts > 3000);
	for (unsigned workers = 2; workers <= 4; workers += 2) {
		struct run more = run_workers(&c, workers, RING);
		struct counters b = totals(&more, workers);
		assert_int_equal(normalise(&more), facts);
		for (size_t i = 0; i < facts; i++)
			assert_memory_equal(&one.fact[i], &more.fact[i], one.fact[i].head.size);
		b.facts_delayed = a.facts_delayed;
		b.stations_refused = a.stations_refused;
		assert_memory_equal(&a, &b, sizeof a);
		free(more.fact);
	}
	free(one.fact);
	empty(&c);
}

/* The ends of the flows hold every byte, and the checkpoints never more. */
static void flows_add_up(void **state)
{
	(void)state;
	struct capture c = {0};
	add_mix(&c, 20000);
	struct run r = run_workers(&c, 1, RING);
	struct counters sum = totals(&r, 1);
	uint64_t out = 0, in = 0, packets = 0, ends_seen = 0;
	for (size_t i = 0; i < r.count; i++) {
		if (r.fact[i].head.type != FACT_FLOW_END)
			continue;
		const struct flow_counts *n = &r.fact[i].flow_count.counts;
		out += n->ip_bytes_out;
		in += n->ip_bytes_in;
		packets += n->packets_out + n->packets_in;
		assert_true(n->payload_bytes_out <= n->ip_bytes_out && n->payload_bytes_in <= n->ip_bytes_in);
		ends_seen++;
	}
	assert_int_equal(out, sum.ip_bytes_out);
	assert_int_equal(in, sum.ip_bytes_in);
	assert_int_equal(ends_seen, sum.transfers);
	assert_int_equal(count_of(&r, FACT_FLOW_NEW), sum.transfers);
	assert_true(packets <= sum.flow_frames);
	free(r.fact);
	empty(&c);
}

/* A table of few flows: refused packets keep their bytes. */
static void full_table(void **state)
{
	(void)state;
	struct capture c = {0};
	for (unsigned i = 0; i < 500; i++)
		add_udp(&c, START + i, (struct spec){.src = 1, .dst = OUTSIDE, .sport = 1000 + i, .dport = 9, .bytes = 72});
	flows_max = 100;
	struct run r = run_workers(&c, 1, RING);
	flows_max = 4096;
	struct counters sum = totals(&r, 1);
	assert_int_equal(sum.flows, 100);
	assert_int_equal(sum.flow_table_full, 400);
	assert_int_equal(sum.flow_frames, 500);
	assert_int_equal(sum.ip_bytes_out, 500 * 100);
	free(r.fact);
	empty(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_workers),
		cmocka_unit_test(flows_add_up),
		cmocka_unit_test(full_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

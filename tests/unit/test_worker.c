/* The worker on frames made by hand. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "worker_rig.h"

/* --- one thing at a time --- */

static void a_transfer_from_syn_to_end(void **state)
{
	(void)state;
	struct capture c = {0};
	struct spec out = {.src = 1, .dst = OUTSIDE, .sport = 40000, .dport = 443}, in = {.src = OUTSIDE, .dst = 1,
	                   .sport = 443, .dport = 40000};
	int64_t t = START;
	out.flags = TCP_SYN, out.seq = 99, add_tcp(&c, t, out);
	in.flags = TCP_SYN | TCP_ACK, in.seq = 999, add_tcp(&c, t + 10, in);
	out.flags = TCP_ACK, out.seq = 100, out.bytes = 1000;
	for (unsigned i = 0; i < 200; i++, out.seq += 1000)
		add_tcp(&c, t + 1000 + i * 20000, out);   /* four seconds */
	out.seq -= 1000, add_tcp(&c, t + 4100000, out);   /* once more */
	in.flags = TCP_FIN | TCP_ACK, in.seq = 1000, add_tcp(&c, t + 4200000, in);
	out.flags = TCP_FIN | TCP_ACK, out.seq += 1000, out.bytes = 0, add_tcp(&c, t + 4200010, out);
	add_udp(&c, t + 30 * SECOND, (struct spec){.src = 130, .dst = OUTSIDE, .sport = 1, .dport = 1});
	struct run r = run_workers(&c, 1, RING);

	const struct fact_flow_new *n = &nth(&r, FACT_FLOW_NEW, 0)->flow_new;
	assert_int_equal(n->initiator, INITIATOR_EQUIPMENT);
	assert_int_equal(n->ident.inside_port, 40000);
	assert_int_equal(n->ident.peer_port, 443);
	assert_int_equal(n->ident.inside_mac.b[5], 1);
	assert_int_equal(n->start_us, START);
	assert_int_equal(n->counts.packets_out, 1);
	const struct fact_flow_count *end = &nth(&r, FACT_FLOW_END, 0)->flow_count;
	assert_int_equal(end->end, END_CLOSED);
	assert_int_equal(end->last_us, START + 4200010);
	assert_int_equal(end->counts.payload_bytes_out, 200000);
	assert_int_equal(end->counts.packets_out, 203);
	assert_true(end->flags & FLOW_ESTABLISHED);
	assert_false(end->flags & (FLOW_MID_STREAM | FLOW_ONE_WAY_OUT));
	/* 50 KB a second: told when 64 KiB are new, not at each packet. */
	assert_in_range(count_of(&r, FACT_FLOW_COUNT), 2, 6);
	assert_int_equal(totals(&r, 1).retransmitted_bytes, 1000);
	assert_int_equal(count_of(&r, FACT_STATION), 1);
	free(r.fact);
	empty(&c);
}

static void tuple_used_again(void **state)
{
	(void)state;
	struct capture c = {0};
	struct spec s = {.src = 1, .dst = OUTSIDE, .sport = 40000, .dport = 443};
	for (unsigned i = 0; i < 3; i++) {
		s.flags = TCP_SYN, s.seq = 1000 * i, s.bytes = 0, add_tcp(&c, START + i * SECOND, s);
		s.flags = TCP_ACK, s.seq++, s.bytes = 10 + i, add_tcp(&c, START + i * SECOND, s);
		s.flags = TCP_RST, s.bytes = 0, add_tcp(&c, START + i * SECOND, s);
	}
	struct run r = run_workers(&c, 1, RING);
	assert_int_equal(count_of(&r, FACT_FLOW_NEW), 3);
	assert_int_equal(nth(&r, FACT_FLOW_END, 0)->flow_count.end, END_REPLACED);
	assert_int_equal(nth(&r, FACT_FLOW_END, 1)->flow_count.counts.payload_bytes_out, 11);
	assert_int_equal(nth(&r, FACT_FLOW_END, 2)->flow_count.end, END_INPUT);
	free(r.fact);
	empty(&c);
}

static void inside_outside_between(void **state)
{
	(void)state;
	struct capture c = {0};
	add_udp(&c, START, (struct spec){.src = 1, .dst = 2, .sport = 1, .dport = 2, .bytes = 9});         /* within */
	add_udp(&c, START + 1, (struct spec){.src = 70, .dst = 2, .sport = 1, .dport = 2, .bytes = 9});    /* between */
	add_tcp(&c, START + 2, (struct spec){.src = 3, .dst = 71, .sport = 1, .dport = 2, .flags = TCP_SYN | TCP_ACK});
	add_udp(&c, START + 3, (struct spec){.src = OUTSIDE, .dst = 2, .sport = 1, .dport = 2, .bytes = 9});
	add_udp(&c, START + 4, (struct spec){.src = OUTSIDE, .dst = 130, .sport = 1, .dport = 2, .bytes = 9});
	struct run r = run_workers(&c, 1, RING);
	struct counters sum = totals(&r, 1);
	assert_int_equal(sum.flows, 4);
	assert_int_equal(sum.transfers, 3);
	assert_int_equal(sum.other_network_frames, 1);
	const struct fact_flow_new *n = &nth(&r, FACT_FLOW_NEW, 0)->flow_new;
	assert_int_equal(n->ident.inside.b[15], 70);
	assert_int_equal(n->ident.network, 1);
	assert_true(n->flags & FLOW_BETWEEN_NETWORKS);
	n = &nth(&r, FACT_FLOW_NEW, 1)->flow_new;   /* an answer: who was asked for it is the inside */
	assert_int_equal(n->ident.inside.b[15], 71);
	assert_int_equal(n->initiator, INITIATOR_EQUIPMENT);
	n = &nth(&r, FACT_FLOW_NEW, 2)->flow_new;
	assert_int_equal(n->ident.inside.b[15], 2);
	assert_int_equal(n->initiator, INITIATOR_PEER);
	free(r.fact);
	empty(&c);
}

static void housekeeping_stays_on_the_link(void **state)
{
	(void)state;
	static const struct { uint8_t dst[4]; unsigned sport, dport, ttl; bool transfer; } cases[] = {
		{{224, 0, 0, 251}, 5353, 5353, 255, false},
		{{239, 255, 255, 250}, 1900, 1900, 1, false},
		{{239, 255, 255, 250}, 1900, 1900, 4, true},
		{{255, 255, 255, 255}, 68, 67, 64, false},
		{{192, 0, 2, 9}, 68, 67, 64, false},
		{{198, 51, 100, 9}, 68, 67, 64, true},     /* DHCP to somewhere else */
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct capture c = {0};
		struct frame f;
		frame_start(&f, 100);
		push_udp(&f, cases[i].sport, cases[i].dport);
		uint8_t *h = push_ipv4(&f, 17, 0, 0);
		ends(h, 1, 2, cases[i].ttl);
		memcpy(h + 16, cases[i].dst, 4);
		push_ethernet(&f, 0x0800, 1, 2);
		add(&c, &f, START);
		struct run r = run_workers(&c, 1, RING);
		struct counters sum = totals(&r, 1);
		assert_int_equal(sum.transfers, cases[i].transfer);
		assert_int_equal(sum.housekeeping_frames, !cases[i].transfer);
		assert_int_equal(count_of(&r, FACT_STATION), 1);
		free(r.fact);
		empty(&c);
	}
}

/* GRE with an inner TCP packet from 192.0.2.1 to outside. */
static void add_gre(struct capture *c, int64_t t, unsigned src, unsigned dst, unsigned inner)
{
	struct frame f;
	frame_start(&f, 100);
	push_tcp(&f, 40000, 443, TCP_ACK);
	ends(push_ipv4(&f, 6, 0, 0), inner, OUTSIDE + 5, 0);
	set16(frame_push(&f, 4) + 2, 0x0800);
	ends(push_ipv4(&f, 47, 0, 0), src, dst, 0);
	push_ethernet(&f, 0x0800, src, dst);
	add(c, &f, t);
}

static void tunnels(void **state)
{
	(void)state;
	struct capture c = {0};
	add_gre(&c, START, 150, OUTSIDE, 1);          /* a mirror session: its inside counts */
	for (unsigned i = 0; i < 20; i++)
		add_gre(&c, START + 1 + i, 9, OUTSIDE, 1 + i % 2);   /* out of the scanner network */
	struct run r = run_workers(&c, 1, RING);
	struct counters sum = totals(&r, 1);
	assert_int_equal(sum.tunnel_frames, 21);
	assert_int_equal(sum.transfers, 2);
	assert_int_equal(nth(&r, FACT_FLOW_NEW, 0)->flow_new.ident.proto, 6);
	const struct fact_flow_new *n = &nth(&r, FACT_FLOW_NEW, 1)->flow_new;
	assert_int_equal(n->ident.proto, 47);
	assert_true(n->flags & FLOW_TUNNEL);
	assert_int_equal(count_of(&r, FACT_FLOW_CONTENT), 2);
	assert_string_equal(nth(&r, FACT_FLOW_CONTENT, 0)->content.word, "tunnel-gre");
	assert_string_equal(nth(&r, FACT_FLOW_CONTENT, 0)->content.detail, "192.0.2.1 > 198.51.100.205 tcp/443");
	free(r.fact);
	empty(&c);
}

/* An A record: scan.example. 198.51.100.7 */
static const char dns_answer[] =
    "\x12\x34\x81\x80\0\1\0\1\0\0\0\0" "\4scan\7example\0\0\1\0\1" "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc6\x33\x64\x07";

static void names(void **state)
{
	(void)state;
	struct capture c = {0};
	struct spec s = {.sport = 53, .dport = 5000, .bytes = sizeof dns_answer - 1, .payload = dns_answer};
	s.src = OUTSIDE, s.dst = 1, add_udp(&c, START, s);        /* from outside */
	s.src = 2, s.dst = 3, add_udp(&c, START + 1, s);          /* of a resolver in the same network */
	s.src = 4, s.dst = OUTSIDE, add_udp(&c, START + 2, s);    /* what equipment tells others is no name */
	s.src = OUTSIDE + 1, s.dst = 5, s.mac = KNOWN_MAC, add_udp(&c, START + 3, s);   /* nor as if it came from outside */
	s.sport = 443, s.dport = 53;
	s.src = OUTSIDE, s.dst = 1, add_udp(&c, START + 3, s);    /* nor what another service answers to port 53 */
	struct run r = run_workers(&c, 1, RING);
	assert_int_equal(count_of(&r, FACT_NAME), 2);
	const struct fact_name *n = &nth(&r, FACT_NAME, 0)->name;
	assert_string_equal(n->name, "scan.example");
	assert_int_equal(n->client.b[15], 1);
	assert_int_equal(n->resolver.b[15], OUTSIDE);
	assert_int_equal(n->address.b[15], 7);
	assert_int_equal(n->ttl_s, 300);
	assert_int_equal(n->head.flow, nth(&r, FACT_FLOW_NEW, 0)->head.flow);
	assert_int_not_equal(n->head.flow, 0);
	n = &nth(&r, FACT_NAME, 1)->name;
	assert_int_equal(n->client.b[15], 3);
	assert_int_equal(n->resolver.b[15], 2);
	assert_int_equal(n->head.flow, 0);
	assert_int_equal(n->resolver_mac.b[5], 2);
	free(r.fact);
	empty(&c);
}

/* The question to that answer. */
static const char dns_question[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0" "\4SCAN\7example\0\0\1\0\1";

static void questions(void **state)
{
	(void)state;
	struct capture c = {0};
	struct spec s = {.sport = 5000, .dport = 53, .bytes = sizeof dns_question - 1, .payload = dns_question};
	s.src = 1, s.dst = OUTSIDE, add_udp(&c, START, s);
	s.sport = 5001, add_udp(&c, START + 1, s);                          /* again: told once */
	s.src = 2, s.dst = 3, add_udp(&c, START + 2, s);                    /* within one network */
	s.src = OUTSIDE + 1, s.dst = 4, add_udp(&c, START + 3, s);          /* of the outside: not ours */
	s.src = 1, s.dst = OUTSIDE, add_udp(&c, START + 3600 * SECOND, s);  /* an hour later */
	struct run r = run_workers(&c, 1, RING);
	assert_int_equal(count_of(&r, FACT_QUESTION), 3);
	assert_int_equal(count_of(&r, FACT_NAME), 0);
	const struct fact_question *q = &nth(&r, FACT_QUESTION, 0)->question;
	assert_string_equal(q->name, "scan.example");
	assert_int_equal(q->head.size, fact_question_size(12));
	assert_int_equal(q->name_bytes, 14);
	assert_int_equal(q->qtype, 1);
	assert_int_equal(q->client.b[15], 1);
	assert_int_equal(q->resolver.b[15], OUTSIDE);
	assert_int_equal(q->head.flow, nth(&r, FACT_FLOW_NEW, 0)->head.flow);
	q = &nth(&r, FACT_QUESTION, 1)->question;
	assert_int_equal(q->client.b[15], 2);
	assert_int_equal(q->head.flow, 0);
	free(r.fact);
	empty(&c);
}

/* Flows that never say enough cannot keep later ones from being looked at. */
static void inspection_goes_round(void **state)
{
	(void)state;
	struct capture c = {0};
	struct spec dns = {.src = OUTSIDE, .dst = 1, .sport = 53, .dport = 5000, .bytes = sizeof dns_answer - 1,
	                   .payload = dns_answer};
	for (unsigned i = 0; i < 40000; i++) {
		add_tcp(&c, START + i, (struct spec){.src = 1 + i % 60, .dst = OUTSIDE, .sport = 1000 + i, .dport = 9999,
		                                     .flags = TCP_ACK, .seq = 1, .bytes = 3});
		if (i % 10000 == 9999)
			dns.dport++, add_udp(&c, START + i, dns);
	}
	flows_max = 60000;
	struct run r = run_workers(&c, 1, 4 * RING);
	flows_max = 4096;
	assert_int_equal(count_of(&r, FACT_FLOW_NEW), 40004);
	assert_int_equal(count_of(&r, FACT_NAME), 4);
	assert_in_range(totals(&r, 1).inspections_given_up, 40004 - 16384, 40004);
	assert_true(count_of(&r, FACT_FLOW_CLASS) >= 40004);   /* of each at its end, or when it gave way */
	free(r.fact);
	empty(&c);
}

static void time_goes_back(void **state)
{
	(void)state;
	struct capture c = {0};
	struct spec s = {.src = 1, .dst = OUTSIDE, .sport = 1000, .dport = 9, .bytes = 10};
	add_udp(&c, START, s);
	add_udp(&c, START - 3 * SECOND, s);       /* disordered: not before the last */
	add_udp(&c, START - 3600 * SECOND, s);    /* set back */
	s.sport++;
	add_udp(&c, START - 3599 * SECOND, s);
	add_udp(&c, INT64_MAX, s);
	add_udp(&c, INT64_MIN, s);
	struct run r = run_workers(&c, 1, RING);
	struct counters sum = totals(&r, 1);
	assert_int_equal(sum.clock_steps, 2);
	assert_int_equal(sum.flow_frames, 6);
	assert_int_equal(nth(&r, FACT_FLOW_NEW, 1)->flow_new.start_us, START - 3599 * SECOND);
	free(r.fact);
	empty(&c);
}

static void damage_is_told(void **state)
{
	(void)state;
	struct capture c = {0};
	struct spec s = {.src = 1, .dst = OUTSIDE, .sport = 1000, .dport = 9, .bytes = 10};
	add_udp(&c, START, s);
	store(&c)->rc = ERR_DAMAGED;
	add_udp(&c, START + 1, s);
	for (unsigned workers = 1; workers <= 2; workers++) {
		struct run r = run_workers(&c, workers, RING);
		assert_int_equal(r.code[0], EXIT_DAMAGED);
		assert_int_equal(totals(&r, workers).flow_frames, 2);
		unsigned told = 0, ends_told = 0;
		for (size_t i = 0; i < r.count; i++) {
			told += r.fact[i].head.type == FACT_NOTE && r.fact[i].note.kind == NOTE_DAMAGED_INPUT;
			ends_told += r.fact[i].head.type == FACT_NOTE && r.fact[i].note.kind == NOTE_INPUT_END;
		}
		assert_int_equal(told, 1);
		assert_int_equal(ends_told, workers);
		assert_int_equal(r.fact[0].note.kind, NOTE_WORKER_START);
		free(r.fact);
	}
	empty(&c);
}

/* What may be held is said for all workers together. */
static void they_share_the_hold(void **state)
{
	(void)state;
	static struct config config;
	struct capture c = {0};
	struct worker *w[3];
	struct ring *orders, *packets;
	char err[200];
	config.flows = (struct config_flows){.max = 1000, .content_kib = 4};
	config.evidence = (struct config_evidence){.packets = PACKETS_FULL, .hold_mb = 7, .per_transfer_bytes = 1000000};
	setup_networks();
	assert_int_equal(ring_new(65536, &rings[0]), 0);
	assert_int_equal(ring_new(65536, &orders), 0);
	assert_int_equal(ring_new(65536, &packets), 0);
	for (unsigned workers = 1; workers <= 3; workers++) {
		uint64_t room = 0;
		for (unsigned i = 0; i < workers; i++) {
			const struct worker_options o = {.config = &config, .capture = &c, .ring = rings[0], .orders = orders,
			                                 .packets = packets, .control = control, .judge_eventfd = -1,
			                                 .index = i, .workers = workers};
			assert_int_equal(worker_new(&o, &w[i], err, sizeof err), 0);
			room += atomic_load(&control->worker[i].hold_room);
		}
		assert_in_range(room, (7u << 20) - workers * 256, 7u << 20);   /* in whole blocks */
		for (unsigned i = 0; i < workers; i++)
			worker_free(w[i]);
	}
	ring_free(rings[0]);
	ring_free(orders);
	ring_free(packets);
	control_free(control);
}

/* --- live --- */

static struct run live_run;

static void drain_now(void)
{
	drain(&live_run, rings[0]);
}

/* The judge comes back and reads until the end. */
static pthread_t reader;
static bool reading;

static void *read_to_the_end(void *arg)
{
	struct timespec pause = {.tv_nsec = 1000000};
	while (!ring_is_closed(rings[0])) {
		drain_now();
		nanosleep(&pause, NULL);
	}
	return arg;
}

static void start_reading(void)
{
	assert_int_equal(pthread_create(&reader, NULL, read_to_the_end, NULL), 0);
	reading = true;
}

static void drain_and_resync(void)
{
	drain_now();
	atomic_fetch_add(&control->resync, 1);
}

static int64_t wall_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

static void run_live(struct capture *c)
{
	live_run = (struct run){0};
	setup_networks();
	c->live = true;
	assert_int_equal(ring_new(65536, &rings[0]), 0);
	struct worker *w = new_worker(c, 0, 1);
	assert_int_equal(worker_run(w), EXIT_DONE);
	worker_free(w);
	if (reading)
		pthread_join(reader, NULL);
	reading = false;
	drain_now();
	ring_free(rings[0]);
	control_free(control);
}

/* Nobody reads the ring for long: nothing blocks, and in the end everything
 * is told once, with the right sums. */
static void a_full_ring_loses_nothing(void **state)
{
	(void)state;
	struct capture c = {0};
	int64_t t = wall_us() - 30000;
	struct spec dns = {.src = OUTSIDE, .dst = 1, .sport = 53, .bytes = sizeof dns_answer - 1, .payload = dns_answer};
	for (unsigned i = 0; i < 3000; i++) {
		struct spec s = {.src = 1 + i % 60, .dst = OUTSIDE, .sport = 1000 + i % 1000, .dport = 443,
		                 .flags = TCP_ACK, .seq = 100 * (i / 1000), .bytes = 100};
		add_tcp(&c, t + i, s);
		if (i % 100 == 0)
			dns.dport = 2000 + i, add_udp(&c, t + i, dns);
	}
	store(&c)->rc = ERR_AGAIN;
	c.frame[c.count - 1].call = start_reading;
	run_live(&c);
	uint64_t out = 0;
	size_t told = 0;
	for (size_t i = 0; i < live_run.count; i++) {
		const union fact_any *f = &live_run.fact[i];
		if (f->head.type == FACT_FLOW_END) {
			out += f->flow_count.counts.payload_bytes_out;
			told++;
		}
	}
	struct counters sum = totals(&live_run, 1);
	assert_true(sum.facts_delayed > 100);
	assert_int_equal(count_of(&live_run, FACT_FLOW_NEW), sum.transfers);
	assert_int_equal(told, sum.transfers);
	assert_int_equal(out, 300000);
	assert_int_equal(count_of(&live_run, FACT_NAME), 30);
	free(live_run.fact);
	empty(&c);
}

static void stop_now(void)
{
	atomic_store(&control->stop, 1);
}

/* Told to stop: what was counted is told, but no flow has ended. */
/* Live an hour ahead at once is a clock that was set: no flow ends for it. */
static void a_clock_set_ahead_ends_no_flow(void **state)
{
	(void)state;
	struct capture c = {0};
	const int64_t t = wall_us() - 30000;
	struct spec s = {.src = 1, .dst = OUTSIDE, .sport = 1000, .dport = 9, .bytes = 72};
	add_udp(&c, t, s);
	for (int i = 0; i < 5; i++)
		add_udp(&c, t + (3600 + i) * SECOND, s);
	store(&c)->rc = ERR_AGAIN;
	c.frame[c.count - 1].call = stop_now;
	run_live(&c);
	assert_int_equal(count_of(&live_run, FACT_FLOW_NEW), 1);
	assert_int_equal(count_of(&live_run, FACT_FLOW_END), 0);
	assert_in_range(totals(&live_run, 1).clock_steps, 1, 2);   /* back, too, where the idle line looks at the clock */
	free(live_run.fact);
	empty(&c);
}

static void stops_with_counts_told(void **state)
{
	(void)state;
	struct capture c = {0};
	int64_t t = wall_us() - 30000;
	struct spec s = {.src = 1, .dst = OUTSIDE, .sport = 1000, .dport = 9, .bytes = 72};
	for (unsigned i = 0; i < 10; i++)
		add_udp(&c, t + i, s);
	store(&c)->rc = ERR_AGAIN;
	c.frame[c.count - 1].call = stop_now;
	add_udp(&c, t + 20, s);   /* not read any more */
	run_live(&c);
	assert_int_equal(count_of(&live_run, FACT_FLOW_END), 0);
	assert_int_equal(nth(&live_run, FACT_FLOW_COUNT, count_of(&live_run, FACT_FLOW_COUNT) - 1)->flow_count.counts.ip_bytes_out,
	                 1000);
	assert_int_equal(totals(&live_run, 1).flow_frames, 10);
	for (size_t i = 0; i < live_run.count; i++)
		assert_true(live_run.fact[i].head.type != FACT_NOTE || live_run.fact[i].note.kind != NOTE_INPUT_END);
	free(live_run.fact);
	empty(&c);
}

static void tells_again_after_a_resync(void **state)
{
	(void)state;
	struct capture c = {0};
	int64_t t = wall_us() - 30000;
	struct spec s = {.src = 1, .dst = OUTSIDE, .dport = 22, .flags = TCP_ACK, .seq = 1, .bytes = 24,
	                 .payload = "SSH-2.0-OpenSSH_9.2p1\r\n"}, in = s;
	for (unsigned i = 0; i < 20; i++) {
		struct spec syn = {.src = 1, .dst = OUTSIDE, .sport = 1000 + i, .dport = 22, .flags = TCP_SYN};
		add_tcp(&c, t + i, syn);
		s.sport = 1000 + i, add_tcp(&c, t + i, s);
		in.src = OUTSIDE, in.dst = 1, in.sport = 22, in.dport = 1000 + i, add_tcp(&c, t + i, in);
		for (unsigned n = 0; n < 40; n++) {   /* more than anyone looks at */
			struct spec more = {.src = 1, .dst = OUTSIDE, .sport = 1000 + i, .dport = 22, .flags = TCP_ACK,
			                    .seq = 25 + n * 50, .bytes = 50};
			add_tcp(&c, t + i, more);
		}
	}
	for (unsigned i = 0; i < 10; i++) {
		store(&c)->rc = ERR_AGAIN;
		c.frame[c.count - 1].call = i == 2 ? drain_and_resync : drain_now;
	}
	run_live(&c);
	unsigned resumed = 0, finals = 0;
	for (size_t i = 0; i < live_run.count; i++)
		resumed += live_run.fact[i].head.type == FACT_FLOW_NEW && live_run.fact[i].flow_new.flags & FLOW_RESUMED;
	for (size_t i = 0; i < live_run.count; i++)
		finals += live_run.fact[i].head.type == FACT_FLOW_CLASS && live_run.fact[i].flow_class.final &&
		          strcmp(live_run.fact[i].flow_class.app, "SSH") == 0;
	assert_int_equal(finals, 40);   /* also of flows whose inspection was over */
	assert_int_equal(resumed, 20);
	assert_int_equal(count_of(&live_run, FACT_FLOW_NEW), 40);
	free(live_run.fact);
	empty(&c);
}

static void both_down(void)
{
	down_now = 3;
}

static void second_up(void)
{
	down_now = 1;
}

static void both_up(void)
{
	down_now = 0;
}

/* Whatever lies between down and up: each interface that comes back is named. */
static void interfaces_come_back(void **state)
{
	(void)state;
	void (*const calls[])(void) = {both_down, second_up, both_up, both_down, both_up};
	const char *const expect[] = {"", "span1", "span0", "", "span0", "span1"};
	struct capture c = {0};
	size_t n = 0;
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		store(&c)->rc = calls[i] == both_down ? ERR_IO : ERR_AGAIN;
		c.frame[c.count - 1].call = calls[i];
	}
	run_live(&c);
	for (size_t i = 0; i < live_run.count; i++) {
		const struct fact_note *f = &live_run.fact[i].note;
		if (f->head.type != FACT_NOTE || (f->kind != NOTE_INTERFACE_DOWN && f->kind != NOTE_INTERFACE_UP))
			continue;
		assert_true(n < sizeof expect / sizeof expect[0]);
		assert_int_equal(f->kind, expect[n][0] == '\0' ? NOTE_INTERFACE_DOWN : NOTE_INTERFACE_UP);
		if (expect[n][0] != '\0')
			assert_string_equal(f->text, expect[n]);
		n++;
	}
	assert_int_equal(n, sizeof expect / sizeof expect[0]);
	free(live_run.fact);
	empty(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_transfer_from_syn_to_end),
		cmocka_unit_test(tuple_used_again),
		cmocka_unit_test(inside_outside_between),
		cmocka_unit_test(housekeeping_stays_on_the_link),
		cmocka_unit_test(tunnels),
		cmocka_unit_test(questions), cmocka_unit_test(names),
		cmocka_unit_test(inspection_goes_round),
		cmocka_unit_test(time_goes_back),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(a_full_ring_loses_nothing),
		cmocka_unit_test(a_clock_set_ahead_ends_no_flow),
		cmocka_unit_test(they_share_the_hold),
		cmocka_unit_test(stops_with_counts_told),
		cmocka_unit_test(tells_again_after_a_resync),
		cmocka_unit_test(interfaces_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

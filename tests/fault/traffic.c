/* traffic.c - frames for the fault tests, sent on an interface at their time,
 * or written as a capture file, always the same for the same arguments.
 *
 *   traffic [-i IFACE | -o FILE] [-t FIRST_S] [-S AT_S:BY_S]... [-v] KIND ARGUMENT...
 *   work SECONDS SHORT LONG   SHORT new connections a second of 2,000 bytes each
 *                             (port 9000), LONG ones that go on all the time with
 *                             100 segments of 1,000 bytes a second (port 9100…)
 *   flood SYNS PPS LONG       SYNs of random five-tuples from outside, beside work 0 LONG;
 *                             then a minute and a half of work 20 LONG
 *   scan PPS                  every port of one peer, IPv4 and IPv6, from equipment
 *   macs COUNT PPS            so many machines nobody knows, each with ARP and a datagram
 *   replay PPS FILE           frames of a capture, - for standard input, at that rate
 *
 * -o writes time stamps from FIRST_S on; -S sets that clock forward or (negative)
 * back by BY_S once AT_S seconds have gone. SIGTERM ends work in order.
 * On standard error at the end one JSON object: what was sent. Addresses are of
 * the documentation ranges only. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 2048
#define SHORT_STEPS 11
#define SHORT_BYTES 2000u
#define SHORT_PORT 9000u
#define LONG_PORT 9100u
#define LONG_MAX 64u
#define SEGMENT 1000u
#define STEPS_MAX 8

static struct { int64_t at_us, by_us; } steps[STEPS_MAX];
static unsigned step_count;
static int fd = -1, failed_sends;
static FILE *out;
static volatile sig_atomic_t stop;
static int64_t first_us = INT64_C(1767225600) * 1000000;   /* 2026-01-01 */
static int64_t now_us;             /* since the beginning */
static int64_t begun_us;           /* monotonic */
static uint64_t frames, syns, shorts, long_segments, machines;
static uint64_t seed = 0x9e3779b97f4a7c15u;

static uint32_t random_u32(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1du) >> 32);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static int64_t monotonic_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- out --- */

static int64_t stamp_us(void)
{
	int64_t t = first_us + now_us;
	for (unsigned i = 0; i < step_count; i++)
		t += now_us >= steps[i].at_us ? steps[i].by_us : 0;
	return t;
}

static void send_frame(const uint8_t *frame, unsigned n)
{
	frames++;
	if (out != NULL) {
		const int64_t t = stamp_us();
		const uint32_t record[4] = {(uint32_t)(t / 1000000), (uint32_t)(t % 1000000), n, n};
		if (fwrite(record, sizeof record, 1, out) != 1 || fwrite(frame, n, 1, out) != 1) {
			perror("traffic: write");
			exit(1);
		}
		return;
	}
	/* ENETDOWN and the like are what some tests are about. */
	if (fd >= 0 && send(fd, frame, n, 0) != (ssize_t)n) {
		frames--;
		failed_sends++;
	}
}

/* The time of the next frames; live it is waited for. */
static void pass_to(int64_t us)
{
	now_us = us;
	if (fd < 0)
		return;
	const int64_t left = begun_us + us - monotonic_us();
	if (left > 200) {
		const struct timespec pause = {left / 1000000, left % 1000000 * 1000};
		nanosleep(&pause, NULL);
	}
}

static void open_interface(const char *name)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0 || to.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		fprintf(stderr, "traffic: %s: %s\n", name, strerror(errno));
		exit(1);
	}
}

static void open_file(const char *path)
{
	const uint32_t header[6] = {0xa1b2c3d4u, 4u << 16 | 2, 0, 0, 65535, 1};
	out = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
	if (out == NULL || fwrite(header, sizeof header, 1, out) != 1) {
		perror(path);
		exit(1);
	}
	setvbuf(out, NULL, _IOFBF, 1 << 20);
}

/* --- frames --- */

struct ends {
	bool v6;
	uint8_t in[16], peer[16];
	uint16_t in_port, peer_port;
};

static const uint8_t gate_mac[6] = {0, 0, 0x5e, 0, 0x53, 12};
static uint8_t in_mac[6] = {0xc0, 0x9b, 0xf4, 0xb0, 0, 7};
static unsigned vlan = 120;

static unsigned put_link(uint8_t *f, bool outward, unsigned type)
{
	memcpy(f, outward ? gate_mac : in_mac, 6);
	memcpy(f + 6, outward ? in_mac : gate_mac, 6);
	unsigned n = 12;
	if (vlan != 0) {
		put16(f + n, 0x8100);
		put16(f + n + 2, vlan);
		n += 4;
	}
	put16(f + n, type);
	return n + 2;
}

static unsigned put_ip(uint8_t *p, const struct ends *e, bool outward, unsigned proto, unsigned l4_bytes)
{
	static uint16_t id;
	const uint8_t *src = outward ? e->in : e->peer, *dst = outward ? e->peer : e->in;
	if (e->v6) {
		memset(p, 0, 40);
		p[0] = 0x60;
		put16(p + 4, l4_bytes);
		p[6] = (uint8_t)proto;
		p[7] = 63;
		memcpy(p + 8, src, 16);
		memcpy(p + 24, dst, 16);
		return 40;
	}
	memset(p, 0, 20);
	p[0] = 0x45;
	put16(p + 2, 20 + l4_bytes);
	put16(p + 4, ++id);
	p[8] = 63;
	p[9] = (uint8_t)proto;
	memcpy(p + 12, src, 4);
	memcpy(p + 16, dst, 4);
	uint32_t sum = 0;
	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(p + 10, (uint16_t)~sum);
	return 20;
}

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct segment {
	bool outward;
	uint8_t flags;
	uint32_t seq, ack;
	unsigned payload;
};

static void send_tcp(const struct ends *e, const struct segment *s)
{
	uint8_t f[FRAME_MAX];
	unsigned n = put_link(f, s->outward, e->v6 ? 0x86dd : 0x0800);
	n += put_ip(f + n, e, s->outward, 6, 20 + s->payload);
	uint8_t *t = f + n;
	memset(t, 0, 20);
	put16(t, s->outward ? e->in_port : e->peer_port);
	put16(t + 2, s->outward ? e->peer_port : e->in_port);
	put32(t + 4, s->seq);
	put32(t + 8, s->ack);
	t[12] = 5 << 4;
	t[13] = s->flags;
	put16(t + 14, 65535);
	memset(t + 20, 0xa5, s->payload);
	send_frame(f, n + 20 + s->payload);
}

static void send_udp(const struct ends *e, bool outward, unsigned payload)
{
	uint8_t f[FRAME_MAX];
	unsigned n = put_link(f, outward, e->v6 ? 0x86dd : 0x0800);
	n += put_ip(f + n, e, outward, 17, 8 + payload);
	put16(f + n, outward ? e->in_port : e->peer_port);
	put16(f + n + 2, outward ? e->peer_port : e->in_port);
	put16(f + n + 4, 8 + payload);
	put16(f + n + 6, 0);
	memset(f + n + 8, 0xa5, payload);
	send_frame(f, n + 8 + payload);
}

static void set_v4(uint8_t *to, unsigned a, unsigned b, unsigned c, unsigned d)
{
	const uint8_t address[4] = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d};
	memcpy(to, address, 4);
}

/* --- work --- */

/* Connection number n, its step 0…10: eight segments out, three in. */
static void short_step(uint64_t n, unsigned step)
{
	struct ends e = {.in_port = (uint16_t)(1024 + n % 60000), .peer_port = SHORT_PORT};
	set_v4(e.in, 192, 0, 2, 10);
	set_v4(e.peer, 203, 0, 113, 1 + (unsigned)(n / 60000 % 250));
	const uint32_t i = (uint32_t)n * 7919u, p = (uint32_t)n * 104729u;
	const struct segment all[SHORT_STEPS] = {
		{true, SYN, i, 0, 0},
		{false, SYN | ACK, p, i + 1, 0},
		{true, ACK, i + 1, p + 1, 0},
		{true, PSH | ACK, i + 1, p + 1, 500},
		{true, PSH | ACK, i + 501, p + 1, 500},
		{true, PSH | ACK, i + 1001, p + 1, 500},
		{true, PSH | ACK, i + 1501, p + 1, 500},
		{false, ACK, p + 1, i + 2001, 0},
		{true, FIN | ACK, i + 2001, p + 1, 0},
		{false, FIN | ACK, p + 1, i + 2002, 0},
		{true, ACK, i + 2002, p + 2, 0},
	};
	send_tcp(&e, &all[step]);
}

static struct {
	struct ends e;
	uint32_t seq;
} longs[LONG_MAX];

static void long_start(unsigned k)
{
	struct ends *e = &longs[k].e;
	*e = (struct ends){.in_port = (uint16_t)(40000 + k), .peer_port = (uint16_t)(LONG_PORT + k)};
	set_v4(e->in, 192, 0, 2, 11);
	set_v4(e->peer, 203, 0, 113, 80);
	send_tcp(e, &(struct segment){true, SYN, 999, 0, 0});
	send_tcp(e, &(struct segment){false, SYN | ACK, 4999, 1000, 0});
	send_tcp(e, &(struct segment){true, ACK, 1000, 5000, 0});
	longs[k].seq = 1000;
}

static void long_step(unsigned k)
{
	send_tcp(&longs[k].e, &(struct segment){true, PSH | ACK, longs[k].seq, 5000, SEGMENT});
	longs[k].seq += SEGMENT;
	long_segments++;
	if (longs[k].seq / SEGMENT % 8 == 0)
		send_tcp(&longs[k].e, &(struct segment){false, ACK, 5000, longs[k].seq, 0});
}

static void long_end(unsigned k)
{
	const struct ends *e = &longs[k].e;
	send_tcp(e, &(struct segment){true, FIN | ACK, longs[k].seq, 5000, 0});
	send_tcp(e, &(struct segment){false, FIN | ACK, 5000, longs[k].seq + 1, 0});
	send_tcp(e, &(struct segment){true, ACK, longs[k].seq + 1, 5001, 0});
}

/* The machine of the long ones is another. */
static void as_machine(unsigned last)
{
	static const uint8_t nuctech[6] = {0xc0, 0x9b, 0xf4, 0xb0, 0, 7}, rapiscan[6] = {0x70, 0xb3, 0xd5, 0xcc, 0x90, 8};
	memcpy(in_mac, last == 10 ? nuctech : rapiscan, 6);
}

struct plan {
	int64_t from_us, until_us;
	unsigned rate, count;            /* short ones a second; long ones */
	unsigned syn_rate;               /* a second, and how many */
	uint64_t syns_left;
	bool start, end;                 /* of the long ones */
};

static void random_syn(void)
{
	struct ends e = {.in_port = (uint16_t)random_u32(), .peer_port = (uint16_t)random_u32()};
	const uint32_t r = random_u32();
	set_v4(e.in, 192, 0, 2, 1 + (r & 31));
	if (r & 32)
		set_v4(e.peer, 203, 0, 113, r >> 8 & 255);
	else
		set_v4(e.peer, 198, 51, 100, r >> 8 & 255);
	send_tcp(&e, &(struct segment){false, SYN, random_u32(), 0, 0});
	syns++;
}

static int64_t born_ms[1u << 16];   /* of the short ones that live, by number */
static uint64_t oldest;            /* of them */

/* Each live short one makes a step. */
static void step_shorts(int64_t ms)
{
	as_machine(10);
	for (uint64_t n = oldest; n < shorts; n++) {
		const int64_t step = ms - born_ms[n & 0xffff];
		short_step(n, (unsigned)step);
		oldest += step == SHORT_STEPS - 1;
	}
}

static void step_longs(int64_t ms, unsigned count)
{
	as_machine(11);
	for (unsigned k = 0; k < count; k++) {
		if (ms % 10 == k % 10)
			long_step(k);
	}
}

static void step_syns(struct plan *p, int64_t t)
{
	const unsigned each = p->syn_rate / 1000;
	as_machine(10);
	for (unsigned i = 0; i < each && p->syns_left > 0; i++, p->syns_left--) {
		now_us = t + (int64_t)i * 1000 / each;
		random_syn();
	}
}

/* One millisecond after the other. */
static void run(struct plan *p)
{
	const uint64_t first = shorts;
	as_machine(11);
	for (unsigned k = 0; p->start && k < p->count; k++)
		long_start(k);
	bool over = false;
	for (int64_t ms = 0; !over || oldest < shorts; ms++) {
		const int64_t t = p->from_us + ms * 1000;
		pass_to(t);
		over = over || stop || t >= p->until_us || (p->syn_rate != 0 && p->syns_left == 0);
		while (!over && shorts - first < (uint64_t)(ms + 1) * p->rate / 1000)
			born_ms[shorts++ & 0xffff] = ms;
		step_shorts(ms);
		if (!over)
			step_longs(ms, p->count);
		if (!over && p->syn_rate != 0)
			step_syns(p, t);
	}
	p->until_us = now_us + 1000;
	as_machine(11);
	for (unsigned k = 0; p->end && k < p->count; k++)
		long_end(k);
}

static void flood(uint64_t count, unsigned pps, unsigned lots)
{
	struct plan p = {.until_us = INT64_C(2000000), .rate = 20, .count = lots, .start = true};
	run(&p);
	struct plan syn = {.from_us = p.until_us, .until_us = INT64_MAX, .count = lots, .syn_rate = pps, .syns_left = count};
	run(&syn);
	struct plan rest = {.from_us = syn.until_us, .until_us = syn.until_us + 90 * INT64_C(1000000), .rate = 20,
	                    .count = lots, .end = true};
	if (fd >= 0)   /* live: a moment is enough */
		rest.until_us = rest.from_us + 3000000;
	run(&rest);
}

/* --- the others --- */

static void scan(unsigned pps)
{
	struct ends e = {.in_port = 50000};
	for (unsigned v6 = 0; v6 < 2; v6++) {
		e.v6 = v6 != 0;
		if (v6) {
			inet_pton(AF_INET6, "2001:db8:120::10", e.in);
			inet_pton(AF_INET6, "2001:db8:f100::80", e.peer);
		} else {
			set_v4(e.in, 192, 0, 2, 10);
			set_v4(e.peer, 203, 0, 113, 80);
		}
		for (unsigned port = 1; port <= 65535 && !stop; port++) {
			pass_to((int64_t)(frames / 2) * 1000000 / pps);
			e.peer_port = (uint16_t)port;
			send_tcp(&e, &(struct segment){true, SYN, port, 0, 0});
			send_tcp(&e, &(struct segment){false, RST | ACK, 0, port + 1, 0});
			syns++;
		}
	}
}

static void arp(const uint8_t *address)
{
	uint8_t f[60] = {0};
	unsigned n = put_link(f, true, 0x0806);
	memset(f, 0xff, 6);
	static const uint8_t head[8] = {0, 1, 8, 0, 6, 4, 0, 1};
	memcpy(f + n, head, 8);
	memcpy(f + n + 8, in_mac, 6);
	memcpy(f + n + 14, address, 4);
	set_v4(f + n + 24, 192, 0, 2, 1);
	send_frame(f, sizeof f);
}

/* They share the 40 addresses 192.0.2.20 to .59, as after a loop or behind a
 * machine that makes them up; one of the known machines speaks in between. */
static void macs(uint64_t count, unsigned pps)
{
	for (uint64_t n = 0; n < count && !stop; n++) {
		struct ends e = {.in_port = (uint16_t)(10000 + n % 50000), .peer_port = 5000};
		const uint8_t mac[6] = {0, 0, 0x5e, 0, (uint8_t)(n >> 8), (uint8_t)n}, more = (uint8_t)(n >> 16);
		pass_to((int64_t)n * 1000000 / pps);
		memcpy(in_mac, mac, 6);
		in_mac[1] = more;
		set_v4(e.in, 192, 0, 2, 20 + (unsigned)(n % 40));
		set_v4(e.peer, 203, 0, 113, 77);
		arp(e.in);
		send_udp(&e, true, 100);
		machines++;
		if (n % 1000 != 999)
			continue;
		as_machine(10);
		short_step(shorts, 0);
		for (unsigned i = 1; i < SHORT_STEPS; i++)
			short_step(shorts, i);
		oldest = ++shorts;
	}
}

static void replay(unsigned pps, const char *path)
{
	char err[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p = pcap_open_offline(path, err);
	if (p == NULL) {
		fprintf(stderr, "traffic: %s\n", err);
		exit(1);
	}
	while (!stop && pcap_next_ex(p, &h, &data) == 1) {
		if (frames % 8 == 0)
			pass_to((int64_t)(frames * 1000000 / pps));
		send_frame(data, h->caplen);
	}
	pcap_close(p);
}

/* --- the command --- */

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static int usage(void)
{
	fprintf(stderr, "usage: traffic [-i IFACE | -o FILE] [-t FIRST_S] [-S AT_S:BY_S]... [-v] KIND ARGUMENT...\n");
	return 2;
}

static int options(int argc, char **argv)
{
	int opt;
	char *rest;
	while ((opt = getopt(argc, argv, "i:o:t:S:v")) != -1) {
		if (opt == 'i') {
			open_interface(optarg);
		} else if (opt == 'o') {
			open_file(optarg);
		} else if (opt == 't') {
			first_us = strtoll(optarg, NULL, 10) * 1000000;
		} else if (opt == 'S' && step_count < STEPS_MAX) {
			steps[step_count].at_us = strtoll(optarg, &rest, 10) * 1000000;
			steps[step_count++].by_us = *rest == ':' ? strtoll(rest + 1, NULL, 10) * 1000000 : 0;
		} else if (opt == 'v') {
			vlan = 0;
		} else {
			return usage();
		}
	}
	return fd < 0 && out == NULL ? usage() : 0;
}

int main(int argc, char **argv)
{
	const struct sigaction on = {.sa_handler = on_signal};
	sigaction(SIGTERM, &on, NULL);
	sigaction(SIGINT, &on, NULL);
	if (options(argc, argv) != 0)
		return 2;
	const char *kind = optind < argc ? argv[optind++] : "";
	const char *text[3] = {"", "", ""};
	long arg[3] = {0};
	for (int i = 0; i < 3 && optind < argc; i++, optind++) {
		text[i] = argv[optind];
		arg[i] = strtol(argv[optind], NULL, 10);
	}
	begun_us = monotonic_us();
	if (strcmp(kind, "work") == 0 && arg[2] <= (long)LONG_MAX) {
		struct plan p = {.until_us = arg[0] * INT64_C(1000000), .rate = (unsigned)arg[1], .count = (unsigned)arg[2],
		                 .start = true, .end = true};
		run(&p);
	} else if (strcmp(kind, "flood") == 0 && arg[1] >= 1000 && arg[2] <= (long)LONG_MAX) {
		flood((uint64_t)arg[0], (unsigned)arg[1], (unsigned)arg[2]);
	} else if (strcmp(kind, "scan") == 0 && arg[0] > 0) {
		scan((unsigned)arg[0]);
	} else if (strcmp(kind, "macs") == 0 && arg[1] > 0) {
		macs((uint64_t)arg[0], (unsigned)arg[1]);
	} else if (strcmp(kind, "replay") == 0 && arg[0] > 0) {
		replay((unsigned)arg[0], text[1]);
	} else {
		return usage();
	}
	if (out != NULL && fclose(out) != 0)
		return 1;
	fprintf(stderr, "{\"frames\":%" PRIu64 ",\"failed\":%d,\"short\":%" PRIu64 ",\"short_payload\":%" PRIu64
	        ",\"long_payload\":%" PRIu64 ",\"syns\":%" PRIu64 ",\"machines\":%" PRIu64 ",\"seconds\":%.1f}\n",
	        frames, failed_sends, shorts, shorts * SHORT_BYTES, long_segments * SEGMENT, syns, machines,
	        (double)(monotonic_us() - begun_us) / 1e6);
	return 0;
}

/* Live capture on a veth pair in a network namespace of its own: needs root,
 * and says so when it has to skip. Frames are sent on "far"; "span" listens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox.h"
#include "sense/capture.h"

static char error[600];
static int far_fd = -1;
static bool ready;

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void make_pair(void)
{
	run("ip link add span type veth peer name far");
	run("sysctl -q -w net.ipv6.conf.span.disable_ipv6=1 net.ipv6.conf.far.disable_ipv6=1");
	run("ip link set span up && ip link set far up");
	far_fd = socket(AF_PACKET, SOCK_RAW, 0);
	assert_true(far_fd >= 0);
	const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("far")};
	assert_int_equal(bind(far_fd, (const struct sockaddr *)&at, sizeof at), 0);
}

static void remove_pair(void)
{
	if (far_fd >= 0)
		close(far_fd);
	far_fd = -1;
	if (if_nametoindex("span") != 0)
		run("ip link del span");
}

static int setup(void **state)
{
	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("sysfs", "/sys", "sysfs", 0, NULL) != 0)
		return 0;
	ready = system("ip link add span type veth peer name far && ip link del span") == 0;
	return 0;
}

static int test_setup(void **state)
{
	(void)state;
	if (ready)
		make_pair();
	return 0;
}

static int test_teardown(void **state)
{
	(void)state;
	if (ready)
		remove_pair();
	return 0;
}

#define NEEDS_ROOT()                                                                            \
	do {                                                                                    \
		if (!ready) {                                                                   \
			fprintf(stderr, "SKIPPED: %s needs root, ip(8) and veth\n", __func__);      \
			skip();                                                                 \
		}                                                                               \
	} while (0)

static struct capture *open_span(unsigned worker, unsigned workers, const char *filter)
{
	static const char *const names[] = {"span"};
	const struct capture_live o = {.interfaces = names, .interface_count = 1, .snaplen = 65535, .buffer_mb = 2,
				       .worker = worker, .workers = workers, .fanout_group = 4711, .filter = filter};
	struct capture *c = NULL;
	if (capture_open_live(&o, &c, error, sizeof error) != 0)
		fail_msg("%s", error);
	return c;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum link_kind { PLAIN, TAGGED, QINQ, MPLS, PPPOE, LINK_KINDS };

struct flow {
	uint32_t a, b;
	uint16_t port;
	enum link_kind kind;
	bool v6, fragment;
};

static size_t put16(uint8_t *p, size_t n, unsigned v)
{
	p[n] = (uint8_t)(v >> 8);
	p[n + 1] = (uint8_t)v;
	return n + 2;
}

static size_t put32(uint8_t *p, size_t n, uint32_t v)
{
	return put16(p, put16(p, n, v >> 16), v & 0xffff);
}

static size_t link_header(uint8_t *p, enum link_kind kind, unsigned ethertype)
{
	memcpy(p, (const uint8_t[]){2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, 12);
	size_t n = 12;
	switch (kind) {
	case QINQ:
		n = put32(p, n, 0x88a80000u | 500);
		/* fall through */
	case TAGGED:
		n = put32(p, n, 0x81000000u | 120);
		break;
	case MPLS:
		n = put16(p, n, 0x8847);
		n = put32(p, n, 16u << 12 | 64);
		return put32(p, n, 17u << 12 | 0x100 | 64);
	case PPPOE:
		n = put16(p, n, 0x8864);
		n = put32(p, n, 0x11000001);
		n = put16(p, n, 60);
		return put16(p, n, ethertype == 0x0800 ? 0x0021 : 0x0057);
	default:
		break;
	}
	return put16(p, n, ethertype);
}

/* One UDP packet of a flow, in one of its directions. */
static void send_packet(const struct flow *f, bool back)
{
	uint8_t p[128] = {0};
	const uint32_t src = back ? f->b : f->a, dst = back ? f->a : f->b;
	size_t n = link_header(p, f->kind, f->v6 ? 0x86dd : 0x0800);
	if (f->v6) {
		n = put32(p, n, 6u << 28);
		n = put32(p, n, 8u << 16 | 17u << 8 | 64);
		for (int i = 0; i < 2; i++) {
			n = put32(p, n, 0x20010db8);
			n = put32(p, n, 0);
			n = put32(p, n, 0);
			n = put32(p, n, i == 0 ? src : dst);
		}
	} else {
		n = put32(p, n, 0x45000000u | 28);
		n = put32(p, n, 1u << 16 | (f->fragment ? 100 : 0));
		n = put32(p, n, 64u << 24 | 17u << 16);
		n = put32(p, n, src);
		n = put32(p, n, dst);
	}
	n = put16(p, n, back ? f->port : 50000);
	n = put16(p, n, back ? 50000 : f->port);
	n = put32(p, n, 8u << 16);
	assert_int_equal(send(far_fd, p, n, 0), n);
}

#define INSIDE(i) (0xc0000200u + (uint32_t)(i))    /* 192.0.2.i */
#define OUTSIDE(i) (0xc6336400u + (uint32_t)(i))   /* 198.51.100.i */

/* Next frame within ms; false: none. */
static bool next_within(struct capture *c, int ms, struct capture_frame *ret)
{
	const int64_t until = now_ms() + ms;
	do {
		const int rc = capture_next(c, ret);
		if (rc == 0)
			return true;
		if (rc != ERR_AGAIN)
			fail_msg("%s", capture_error(c));
	} while (now_ms() < until);
	return false;
}

static void test_filter_sees_tagged_frames(void **state)
{
	(void)state;
	NEEDS_ROOT();
	struct capture *c = open_span(0, 1, "port 443");
	assert_true(capture_is_live(c));
	for (enum link_kind k = PLAIN; k <= QINQ; k++) {
		send_packet(&(struct flow){.a = INSIDE(5), .b = OUTSIDE(7), .port = 443, .kind = k}, false);
		send_packet(&(struct flow){.a = INSIDE(5), .b = OUTSIDE(7), .port = 80, .kind = k}, false);
	}
	for (unsigned i = 0; i < 6; i++) {
		struct capture_frame f;
		assert_true(next_within(c, 1000, &f));
		assert_int_equal(f.filtered, i % 2);
		assert_int_equal(f.number, i + 1);
		assert_int_equal(f.caplen, 42 + 4 * (i / 2));   /* the kernel takes a tag off, the capture puts it back */
		assert_int_equal(f.wirelen, f.caplen);
	}
	capture_close(c);
}

static struct capture *open_only(const char *name, unsigned snaplen)
{
	const struct capture_live o = {.interfaces = &name, .interface_count = 1, .snaplen = snaplen, .buffer_mb = 2,
				       .workers = 1};
	struct capture *c = NULL;
	if (capture_open_live(&o, &c, error, sizeof error) != 0)
		fail_msg("%s", error);
	return c;
}

/* Frames come as they were sent, tags and all; many blocks of them, in order,
 * a batch all at once; cut to the snap length. */
static void test_frames_are_whole(void **state)
{
	(void)state;
	NEEDS_ROOT();
	enum { COUNT = 20000 };
	for (unsigned snaplen = 100; snaplen <= 65535; snaplen += 65435) {
		struct capture *c = open_only("span", snaplen);
		unsigned seen = 0, n;
		for (unsigned sent = 0; sent < COUNT;) {
			for (unsigned i = 0; i < 100; i++, sent++) {
				uint8_t p[1514];
				const size_t head = link_header(p, (enum link_kind)(sent % 3), 0x88b5);
				const size_t bytes = head + 4 + sent * 7 % (sizeof p - head - 4);
				put32(p, head, sent);
				memset(p + head + 4, (int)(sent & 0xff), bytes - head - 4);
				assert_int_equal(send(far_fd, p, bytes, 0), bytes);
			}
			struct capture_frame f[CAPTURE_BATCH_MAX];
			for (int64_t until = now_ms() + 2000; seen < sent && now_ms() < until;) {
				const int rc = capture_next_batch(c, f, CAPTURE_BATCH_MAX, &n);
				assert_true(rc == 0 || rc == ERR_AGAIN);
				for (unsigned i = 0; i < n; i++, seen++) {
					uint8_t p[64];
					const size_t head = link_header(p, (enum link_kind)(seen % 3), 0x88b5);
					const size_t bytes = head + 4 + seen * 7 % (1514 - head - 4);
					put32(p, head, seen);
					assert_int_equal(f[i].number, seen + 1);
					assert_int_equal(f[i].wirelen, bytes);
					assert_int_equal(f[i].caplen, bytes < snaplen ? bytes : snaplen);
					assert_memory_equal(f[i].data, p, head + 4);
					for (size_t k = head + 4; k < f[i].caplen; k++)
						assert_int_equal(f[i].data[k], seen & 0xff);
				}
			}
			assert_int_equal(seen, sent);
		}
		capture_close(c);
	}
}

static void send_datagram(const char *to)
{
	const struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {inet_addr(to)}};
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(sendto(fd, "to nobody", 9, 0, (const struct sockaddr *)&at, sizeof at), 9);
	close(fd);
}

/* lo shows each frame going out and coming in: one is enough. */
static void test_loopback_once(void **state)
{
	(void)state;
	NEEDS_ROOT();
	run("ip link set lo up");
	struct capture *c = open_only("lo", 65535);
	struct capture_frame f;
	send_datagram("127.0.0.1");
	assert_true(next_within(c, 2000, &f));
	assert_int_equal(f.link_type, 1);
	assert_int_equal(f.caplen, 14 + 20 + 8 + 9);
	while (next_within(c, 300, &f))   /* the answer: nobody is there */
		assert_int_equal(f.data[23], 1);
	capture_close(c);
	run("ip link set lo down");
}

/* What is no Ethernet goes through libpcap. */
static void test_raw_ip(void **state)
{
	(void)state;
	NEEDS_ROOT();
	struct ifreq q = {.ifr_name = "raw0", .ifr_flags = IFF_TUN | IFF_NO_PI};
	const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &q) != 0) {
		fprintf(stderr, "SKIPPED: %s needs /dev/net/tun\n", __func__);
		skip();
	}
	run("sysctl -q -w net.ipv6.conf.raw0.disable_ipv6=1");
	run("ip addr add 192.0.2.1/24 dev raw0 && ip link set raw0 up");
	struct capture *c = open_only("raw0", 65535);
	for (int i = 0; i < 100; i++) {
		struct capture_frame f;
		send_datagram("192.0.2.2");
		assert_true(next_within(c, 2000, &f));
		assert_int_equal(f.number, i + 1);
		assert_int_equal(f.link_type, 101);
		assert_int_equal(f.caplen, 20 + 8 + 9);
		assert_int_equal(f.data[0], 0x45);
		assert_memory_equal(f.data + 28, "to nobody", 9);
	}
	capture_close(c);
	close(fd);
}

static void test_a_frame_comes_within_a_moment(void **state)
{
	(void)state;
	NEEDS_ROOT();
	struct capture *c = open_span(0, 1, NULL);
	struct capture_frame f;
	int64_t start = now_ms();
	assert_int_equal(capture_next(c, &f), ERR_AGAIN);   /* does not block for long */
	assert_true(now_ms() - start < 500);
	start = now_ms();
	send_packet(&(struct flow){.a = INSIDE(5), .b = OUTSIDE(7), .port = 443}, false);
	assert_true(next_within(c, 2000, &f));
	assert_true(now_ms() - start < 500);   /* 10 to 30 ms on an idle machine */
	const int64_t wall = (int64_t)time(NULL);
	assert_true(f.time_us / 1000000 >= wall - 5 && f.time_us / 1000000 <= wall + 5);
	capture_close(c);
}

/* Which worker got it? Addresses and direction are in the last bytes. */
static unsigned flow_of(const struct capture_frame *f)
{
	const uint8_t *p = f->data + f->caplen;
	const unsigned low = p[-9] < p[-13] ? p[-9] : p[-13], low6 = p[-9] < p[-25] ? p[-9] : p[-25];
	const bool v6 = p[-24] == 0x20 && p[-23] == 0x01;
	return (v6 ? 100 : 0) + (v6 ? low6 : low);
}

static void test_fanout_keeps_both_directions(void **state)
{
	(void)state;
	NEEDS_ROOT();
	struct capture *c[2] = {open_span(0, 2, NULL), open_span(1, 2, NULL)};
	for (int kind = PLAIN; kind < LINK_KINDS; kind++) {
		static unsigned seen[2][200];
		memset(seen, 0, sizeof seen);
		for (unsigned i = 1; i <= 60; i++) {
			struct flow f = {.a = INSIDE(i), .b = OUTSIDE(i + 60), .port = (uint16_t)(1000 + i),
					 .kind = (enum link_kind)kind, .v6 = i % 3 == 0};
			for (int turn = 0; turn < 4; turn++) {
				f.fragment = turn >= 2 && !f.v6;
				f.port = (uint16_t)(f.port + turn);   /* ports do not count */
				send_packet(&f, turn % 2);
			}
		}
		unsigned total = 0, of[2] = {0, 0};
		for (int w = 0; w < 2; w++) {
			struct capture_frame f;
			while (next_within(c[w], 200, &f)) {
				seen[w][flow_of(&f)]++;
				of[w]++;
				total++;
			}
		}
		assert_int_equal(total, 240);   /* each frame once, and none lost */
		for (unsigned i = 0; i < 200; i++)
			assert_true((seen[0][i] == 0 && seen[1][i] % 4 == 0) || (seen[1][i] == 0 && seen[0][i] % 4 == 0));
		if (of[0] < 40 || of[1] < 40)
			fail_msg("link %d: %u and %u frames", kind, of[0], of[1]);
	}
	capture_close(c[0]);
	capture_close(c[1]);
}

/* A worker that comes later must not see what the first was given. */
static void test_fanout_joined_late(void **state)
{
	(void)state;
	NEEDS_ROOT();
	struct capture *first = open_span(0, 2, NULL);
	for (unsigned i = 1; i <= 20; i++)
		send_packet(&(struct flow){.a = INSIDE(i), .b = OUTSIDE(i), .port = 443}, false);
	struct capture *late = open_span(1, 2, NULL);
	struct capture_frame f;
	unsigned n = 0;
	while (next_within(first, 200, &f))
		n++;
	assert_int_equal(n, 20);
	assert_false(next_within(late, 100, &f));
	capture_close(first);
	/* alone, it gets everything */
	for (unsigned i = 1; i <= 20; i++)
		send_packet(&(struct flow){.a = INSIDE(i), .b = OUTSIDE(i), .port = 443}, false);
	for (n = 0; next_within(late, 200, &f); n++)
		;
	assert_int_equal(n, 20);
	capture_close(late);
}

static void test_down_and_up(void **state)
{
	(void)state;
	NEEDS_ROOT();
	struct capture *c = open_span(0, 1, NULL);
	struct capture_frame f;
	const char *const down[] = {"ip link set span down", "ip link set far down"};
	const char *const up[] = {"ip link set span up", "ip link set far up"};
	for (int i = 0; i < 2; i++) {
		assert_false(next_within(c, 60, &f));
		assert_int_equal(capture_down(c), 0);
		run(down[i]);
		const int64_t until = now_ms() + 2000;
		int rc;
		while ((rc = capture_next(c, &f)) == ERR_AGAIN && now_ms() < until)
			;
		assert_int_equal(rc, ERR_IO);
		assert_non_null(strstr(capture_error(c), "span: "));
		assert_int_equal(capture_down(c), 1);
		assert_false(capture_lost(c));
		assert_false(next_within(c, 100, &f));   /* it is said once */
		run(up[i]);
		assert_false(next_within(c, 200, &f));
		assert_int_equal(capture_down(c), 0);
		send_packet(&(struct flow){.a = INSIDE(5), .b = OUTSIDE(7), .port = 443}, false);
		assert_true(next_within(c, 1000, &f));
	}
	capture_close(c);
}

static void test_removed(void **state)
{
	(void)state;
	NEEDS_ROOT();
	/* once gone for good, once replaced by another of the same name */
	for (int again = 0; again < 2; again++) {
		struct capture *c = open_span(0, 1, NULL);
		struct capture_frame f;
		assert_false(next_within(c, 60, &f));
		remove_pair();
		if (again == 0)
			make_pair();
		const int64_t until = now_ms() + 2000;
		int rc;
		while (((rc = capture_next(c, &f)) == ERR_AGAIN || !capture_lost(c)) && now_ms() < until)
			;
		assert_int_equal(rc, ERR_IO);
		assert_true(capture_lost(c));
		assert_string_equal(capture_error(c), "span: the interface is gone");
		assert_int_equal(capture_next(c, &f), ERR_AGAIN);
		capture_close(c);
	}
}

/* As a worker does it: two frames, down and up between them, then gone. */
static int sandboxed_worker(int ready_fd)
{
	struct capture *c = open_span(0, 2, "port 443");
	struct capture_frame f;
	struct capture_stats stats;
	int frames = 0, lost_link = 0;
	if (sandbox_enter(SANDBOX_WORKER, ready_fd, error, sizeof error) != 0 || write(ready_fd, "r", 1) != 1)
		return 100;
	const int64_t until = now_ms() + 10000;
	while (!capture_lost(c) && now_ms() < until) {
		const int rc = capture_next(c, &f);
		if (rc == ERR_IO)
			lost_link++;
		else if (rc == 0)
			frames++;
		else if (rc != ERR_AGAIN)
			return 101;
		capture_stats(c, &stats);
	}
	capture_close(c);
	return frames * 10 + lost_link;
}

static void wait_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void test_all_of_it_in_the_sandbox(void **state)
{
	(void)state;
	NEEDS_ROOT();
	const struct flow flow = {.a = INSIDE(5), .b = OUTSIDE(7), .port = 443, .kind = TAGGED};
	int ends[2], status;
	char byte;
	assert_int_equal(pipe(ends), 0);
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(sandboxed_worker(ends[1]));
	assert_int_equal(read(ends[0], &byte, 1), 1);
	send_packet(&flow, false);
	wait_ms(400);
	run("ip link set span down");
	wait_ms(400);
	run("ip link set span up");
	wait_ms(400);
	send_packet(&flow, true);
	wait_ms(400);
	remove_pair();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 22);   /* two frames; down, and gone */
	close(ends[0]);
	close(ends[1]);
}

static uint64_t counter_of(const char *file)
{
	char path[128];
	unsigned long long v = 0;
	snprintf(path, sizeof path, "/sys/class/net/span/statistics/%s", file);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%llu", &v), 1);
	fclose(f);
	return v;
}

static void test_drops_are_counted_and_nothing_is_sent(void **state)
{
	(void)state;
	NEEDS_ROOT();
	struct capture *c = open_span(0, 1, NULL);
	struct capture_stats stats;
	capture_stats(c, &stats);
	assert_true(stats.kernel_drops == 0 && stats.interface_drops == 0);
	const uint64_t before = counter_of("rx_packets");
	for (int round = 0; round < 60000; round++)
		send_packet(&(struct flow){.a = INSIDE(5), .b = OUTSIDE(7), .port = 443}, round % 2);
	struct capture_frame f;
	uint64_t frames = 0, last = 0;
	while (next_within(c, 200, &f)) {
		frames++;
		if (frames % 1000 == 0) {
			capture_stats(c, &stats);
			assert_true(stats.kernel_drops >= last);
			last = stats.kernel_drops;
		}
	}
	capture_stats(c, &stats);
	assert_true(stats.kernel_drops > 0);   /* 2 MB do not hold them all */
	assert_int_equal(frames + stats.kernel_drops, counter_of("rx_packets") - before);
	assert_int_equal(counter_of("tx_packets"), 0);
	capture_close(c);
}

static void test_snaplen_and_two_interfaces(void **state)
{
	(void)state;
	NEEDS_ROOT();
	static const char *const names[] = {"span", "lo"};
	const struct capture_live o = {.interfaces = names, .interface_count = 2, .snaplen = 128, .buffer_mb = 2,
				       .workers = 1};
	struct capture *c = NULL;
	run("ip link set lo up");
	if (capture_open_live(&o, &c, error, sizeof error) != 0)
		fail_msg("%s", error);
	uint8_t big[1000] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45};
	assert_int_equal(send(far_fd, big, sizeof big, 0), sizeof big);
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x7f000001)};
	assert_int_equal(sendto(fd, big, 10, 0, (const struct sockaddr *)&to, sizeof to), 10);
	close(fd);
	unsigned seen[2] = {0, 0};
	struct capture_frame f;
	while (next_within(c, 200, &f)) {
		assert_true(f.interface < 2);
		seen[f.interface]++;
		if (f.interface == 0)
			assert_true(f.caplen == 128 && f.wirelen == 1000);
	}
	assert_true(seen[0] == 1 && seen[1] >= 1);
	run("ip link set lo down");
	capture_close(c);
}

/* A tap: one direction on each interface. */
static void test_two_interfaces_in_order(void **state)
{
	(void)state;
	NEEDS_ROOT();
	static const char *const names[] = {"span", "far"};
	const struct capture_live o = {.interfaces = names, .interface_count = 2, .snaplen = 65535, .buffer_mb = 8,
				       .workers = 1};
	struct capture *c = NULL;
	if (capture_open_live(&o, &c, error, sizeof error) != 0)
		fail_msg("%s", error);
	/* each frame is seen where it is sent, and where it arrives */
	for (unsigned i = 0; i < 500; i++)
		send_packet(&(struct flow){.a = INSIDE(5), .b = OUTSIDE(7), .port = (uint16_t)(i + 1)}, false);
	wait_ms(100);   /* both rings hold everything: then the order is exact */
	struct capture_frame f;
	unsigned seen[2] = {0, 0}, back = 0;
	int64_t last = 0;
	while (next_within(c, 200, &f)) {
		seen[f.interface]++;
		back += f.time_us < last;
		last = f.time_us;
	}
	assert_true(seen[0] == 500 && seen[1] == 500);
	assert_int_equal(back, 0);
	capture_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_filter_sees_tagged_frames, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_frames_are_whole, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_loopback_once, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_raw_ip, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_a_frame_comes_within_a_moment, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_fanout_keeps_both_directions, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_fanout_joined_late, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_down_and_up, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_removed, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_all_of_it_in_the_sandbox, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_drops_are_counted_and_nothing_is_sent, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_two_interfaces_in_order, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_snaplen_and_two_interfaces, test_setup, test_teardown),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}

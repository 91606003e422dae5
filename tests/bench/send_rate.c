/* send_rate.c - replays a capture onto an interface at a rate, in a loop.
 *
 *   send_rate INTERFACE FILE PACKETS_PER_SECOND SECONDS [CPU]
 *
 * Only into a laboratory: it sends whatever the file holds. The capture must
 * be a little-endian Ethernet pcap, as gencap writes it; it is kept in memory.
 * Each round changes the IPv4 identification, so that a packet of one round is
 * no second copy of the same packet of the round before. Prints what was sent,
 * and the rate. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define BURST 32
#define FRAME_MAX 9000
#define FRAMES_MAX 4000000u

static uint8_t *file;
static size_t file_bytes;
static uint32_t *at;          /* of each frame's record in the file */
static uint32_t frames;

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint32_t le32_at(size_t o)
{
	uint32_t v;
	memcpy(&v, file + o, sizeof v);
	return v;
}

static void die(const char *what)
{
	fprintf(stderr, "send_rate: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void load(const char *path)
{
	struct stat st;
	const int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) != 0)
		die(path);
	file_bytes = (size_t)st.st_size;
	file = mmap(NULL, file_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	at = malloc(FRAMES_MAX * sizeof *at);
	if (file == MAP_FAILED || at == NULL)
		die(path);
	close(fd);
	for (size_t o = 24; o + 16 <= file_bytes && frames < FRAMES_MAX && o < UINT32_MAX;) {
		const uint32_t n = le32_at(o + 8);
		if (n > FRAME_MAX || n < 14 || n > file_bytes - o - 16)
			break;
		at[frames++] = (uint32_t)o;
		o += 16 + n;
	}
	if (frames == 0) {
		fprintf(stderr, "send_rate: %s: no frames\n", path);
		exit(1);
	}
}

static int open_socket(const char *interface)
{
	const int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;
	const struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
	if (fd < 0 || to.sll_ifindex == 0 || bind(fd, (const struct sockaddr *)&to, sizeof to) != 0)
		die(interface);
	if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one) != 0)
		die("PACKET_QDISC_BYPASS");
	return fd;
}

/* One more than in the round before; the header's sum follows (RFC 1624). */
static void change(uint8_t *frame, uint32_t n)
{
	uint32_t h = 12;
	while (h + 4 < n && frame[h] == 0x81 && frame[h + 1] == 0)
		h += 4;
	if (h + 22 > n || frame[h] != 8 || frame[h + 1] != 0)
		return;
	uint8_t *ip = frame + h + 2;
	const uint16_t was = (uint16_t)(ip[4] << 8 | ip[5]), is = (uint16_t)(was + 1);
	const uint16_t sum = (uint16_t)(ip[10] << 8 | ip[11]);
	uint32_t s = (uint32_t)(uint16_t)~sum + (uint16_t)~was + is;
	s = (s & 0xffff) + (s >> 16);
	s = ~((s & 0xffff) + (s >> 16));
	ip[4] = (uint8_t)(is >> 8);
	ip[5] = (uint8_t)is;
	ip[10] = (uint8_t)(s >> 8);
	ip[11] = (uint8_t)s;
}

static uint64_t failed;

static void send_burst(int fd, uint32_t first, uint32_t count, int again)
{
	struct iovec v[BURST];
	struct mmsghdr m[BURST];
	memset(m, 0, sizeof m);
	for (uint32_t i = 0; i < count; i++) {
		const size_t o = at[first + i];
		v[i] = (struct iovec){.iov_base = file + o + 16, .iov_len = le32_at(o + 8)};
		if (again)
			change(v[i].iov_base, (uint32_t)v[i].iov_len);
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	for (uint32_t done = 0; done < count;) {
		const int n = sendmmsg(fd, m + done, count - done, 0);
		if (n > 0) {
			done += (uint32_t)n;
		} else {
			failed++;
			if (errno != ENOBUFS && errno != EINTR)
				die("sendmmsg");
		}
	}
}

int main(int argc, char **argv)
{
	if (argc < 5 || argc > 6) {
		fprintf(stderr, "usage: send_rate INTERFACE FILE PACKETS_PER_SECOND SECONDS [CPU]\n");
		return 2;
	}
	const double rate = atof(argv[3]), seconds = atof(argv[4]);
	if (argc == 6) {
		cpu_set_t set;
		CPU_ZERO(&set);
		CPU_SET(atoi(argv[5]), &set);
		(void)sched_setaffinity(0, sizeof set, &set);
		(void)setpriority(PRIO_PROCESS, 0, -20);
	}
	load(argv[2]);
	const int fd = open_socket(argv[1]);
	const uint64_t all = (uint64_t)(rate * seconds);
	uint64_t sent = 0, late = 0;
	uint32_t next = 0;
	int again = 0;
	const int64_t start = now_ns();
	while (sent < all) {
		const int64_t due = start + (int64_t)((double)sent / rate * 1e9);
		int64_t now = now_ns();
		if (now > due + 100000000)
			late++;
		while (now < due) {
			if (due - now > 200000) {
				const struct timespec pause = {.tv_nsec = 100000};
				nanosleep(&pause, NULL);
			}
			now = now_ns();
		}
		uint32_t count = BURST;
		if (count > frames - next)
			count = frames - next;
		if (count > all - sent)
			count = (uint32_t)(all - sent);
		send_burst(fd, next, count, again);
		sent += count;
		next += count;
		if (next == frames) {
			next = 0;
			again = 1;
		}
	}
	const double took = (double)(now_ns() - start) / 1e9;
	printf("{\"sent\":%" PRIu64 ",\"seconds\":%.3f,\"rate\":%.0f,\"retries\":%" PRIu64 ",\"late_bursts\":%" PRIu64 "}\n", sent,
	       took, (double)sent / took, failed, late);
	return 0;
}

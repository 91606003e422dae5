/* latency.c - from packet to row: sends the first packet of a new, unapproved
 * flow and waits until another process can read its row in SQLite.
 *
 *   latency INTERFACE DATABASE FLOWS
 *
 * One flow at a time, a UDP datagram from 192.0.2.10 (VLAN 120) to a port of
 * 203.0.113.200 that nothing approves, at irregular times; the row is looked
 * for every half millisecond. Prints percentiles in milliseconds. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FLOWS_MAX 10000
#define PAYLOAD 200
#define LOOK_NS 500000
#define PATIENCE_MS 5000.0

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void wait_ms(double ms)
{
	const struct timespec t = {.tv_sec = (time_t)(ms / 1e3), .tv_nsec = (long)((ms - 1e3 * (int)(ms / 1e3)) * 1e6)};
	nanosleep(&t, NULL);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static size_t make_frame(uint8_t *p, unsigned port)
{
	static const uint8_t head[] = {2, 0, 0, 0, 0, 1, 0xc0, 0x9b, 0xf4, 0xb0, 0, 7, 0x81, 0, 0, 120, 8, 0,
	                               0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 10, 203, 0, 113, 200};
	memset(p, 0x5a, sizeof head + 8 + PAYLOAD);
	memcpy(p, head, sizeof head);
	put16(p + 20, 28 + PAYLOAD);
	put16(p + 22, port);
	uint32_t sum = 0;
	for (int i = 18; i < 38; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(p + 28, ~sum & 0xffff);
	put16(p + 38, port);
	put16(p + 40, 40000);
	put16(p + 42, 8 + PAYLOAD);
	put16(p + 44, 0);
	return sizeof head + 8 + PAYLOAD;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static int open_socket(const char *interface)
{
	const int fd = socket(AF_PACKET, SOCK_RAW, 0);
	const struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
	if (fd < 0 || bind(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
		perror(interface);
		exit(1);
	}
	return fd;
}

static int is_there(sqlite3_stmt *look, unsigned port)
{
	sqlite3_bind_int(look, 1, (int)port);
	const int there = sqlite3_step(look) == SQLITE_ROW;
	sqlite3_reset(look);
	return there;
}

int main(int argc, char **argv)
{
	static double took[FLOWS_MAX];
	uint8_t frame[512];
	sqlite3 *db;
	sqlite3_stmt *look;
	if (argc != 4 || atoi(argv[3]) < 1 || atoi(argv[3]) > FLOWS_MAX) {
		fprintf(stderr, "usage: latency INTERFACE DATABASE FLOWS\n");
		return 2;
	}
	const int fd = open_socket(argv[1]), flows = atoi(argv[3]);
	if (sqlite3_open_v2(argv[2], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, "SELECT id FROM transfer WHERE src_port = ?1 AND verdict = 'unapproved' "
	                       "ORDER BY id DESC LIMIT 1", -1, &look, NULL) != SQLITE_OK) {
		fprintf(stderr, "latency: %s\n", sqlite3_errmsg(db));
		return 1;
	}
	srand(1);
	for (int i = 0; i < flows; i++) {
		const unsigned port = 20000 + (unsigned)i;
		const size_t n = make_frame(frame, port);
		wait_ms(20 + rand() % 100);
		const double start = now_ms();
		if (send(fd, frame, n, 0) != (ssize_t)n) {
			perror("send");
			return 1;
		}
		while (!is_there(look, port)) {
			if (now_ms() - start > PATIENCE_MS) {
				fprintf(stderr, "latency: no row of flow %d within %.0f ms\n", i, PATIENCE_MS);
				return 1;
			}
			const struct timespec t = {.tv_nsec = LOOK_NS};
			nanosleep(&t, NULL);
		}
		took[i] = now_ms() - start;
	}
	qsort(took, (size_t)flows, sizeof took[0], by_size);
	printf("{\"flows\":%d,\"p50_ms\":%.1f,\"p90_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f}\n", flows, took[flows / 2],
	       took[flows * 9 / 10], took[flows * 99 / 100], took[flows - 1]);
	sqlite3_finalize(look);
	sqlite3_close(db);
	return 0;
}

/* garita-probe - sends the marked, harmless bytes of the exfiltration test.
 * One file without libraries, to be built static and carried to a machine in a
 * scanner network; as sink it is the target outside. It changes nothing on the
 * machine, and refuses to send where a sensor captures.
 *
 *   garita-probe send --id ID --target ADDRESS [--channel NAME]...
 *   garita-probe sink [--address ADDRESS]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "self_test.h"

#define PIECE 1000u          /* bytes of a datagram */
#define WAIT_MS 10000        /* for a connection */
#define SINKS 4

enum { EXIT_OK = 0, EXIT_BAD = 1, EXIT_WRONG_USE = 2 };

struct target {
	struct sockaddr_storage address;
	socklen_t size;
	const char *text, *id;
};

static void set_port(struct sockaddr_storage *a, uint16_t port)
{
	if (a->ss_family == AF_INET)
		((struct sockaddr_in *)a)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)a)->sin6_port = htons(port);
}

static bool parse_address(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size)
{
	memset(ret, 0, sizeof *ret);
	if (inet_pton(AF_INET, text, &((struct sockaddr_in *)ret)->sin_addr) == 1) {
		ret->ss_family = AF_INET;
		*ret_size = sizeof(struct sockaddr_in);
		return true;
	}
	if (inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)ret)->sin6_addr) == 1) {
		ret->ss_family = AF_INET6;
		*ret_size = sizeof(struct sockaddr_in6);
		return true;
	}
	return false;
}

/* --- never on the interface of a sensor --- */

static bool same_address(const struct sockaddr *a, const struct sockaddr_storage *b)
{
	if (a == NULL || a->sa_family != b->ss_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr == ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, &((const struct sockaddr_in6 *)b)->sin6_addr, 16) == 0;
}

/* The kernel says with which address it would send; whose interface captures
 * (promiscuous) is a sensor's. 0; else said. */
static int refuse_sensor(const struct target *t)
{
	struct sockaddr_storage to = t->address, from = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof from;
	struct ifaddrs *all = NULL;
	int found = -1;
	set_port(&to, 9);
	const int s = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Connecting a datagram socket sends nothing. */
	if (s < 0 || connect(s, (struct sockaddr *)&to, t->size) != 0 || getsockname(s, (struct sockaddr *)&from, &size) != 0) {
		fprintf(stderr, "garita-probe: no way to %s: %s\n", t->text, strerror(errno));
		if (s >= 0)
			close(s);
		return EXIT_BAD;
	}
	close(s);
	if (getifaddrs(&all) != 0)
		return EXIT_BAD;
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		if (!same_address(i->ifa_addr, &from))
			continue;
		found = (i->ifa_flags & IFF_PROMISC) != 0;
		if (found)
			fprintf(stderr, "garita-probe: %s captures (it is promiscuous): this looks like the sensor; "
			                "run the test on a machine of a scanner network\n", i->ifa_name);
		break;
	}
	freeifaddrs(all);
	if (found < 0)
		fprintf(stderr, "garita-probe: the interface that leads to %s is not known\n", t->text);
	return found == 0 ? 0 : EXIT_BAD;
}

/* --- sending --- */

static void fill(const struct target *t, enum self_test_channel c, char *buf, size_t size)
{
	char mark[120];
	const int n = snprintf(mark, sizeof mark, "%s %s %s\n", SELF_TEST_MARK, t->id, self_test_ways[c].word);
	for (size_t at = 0; at < size; at++)
		buf[at] = mark[at % (size_t)n];
}

static int connect_in_time(const struct target *t, int type, uint16_t port)
{
	struct sockaddr_storage to = t->address;
	set_port(&to, port);
	const int s = socket(to.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -1;
	if (connect(s, (struct sockaddr *)&to, t->size) == 0)
		return s;
	struct pollfd p = {.fd = s, .events = POLLOUT};
	int error = 0;
	socklen_t size = sizeof error;
	if (errno == EINPROGRESS && poll(&p, 1, WAIT_MS) == 1 && getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
		return s;
	if (error != 0)
		errno = error;
	else if (errno == EINPROGRESS)
		errno = ETIMEDOUT;
	close(s);
	return -1;
}

static int send_all(int s, const char *data, size_t size)
{
	while (size > 0) {
		struct pollfd p = {.fd = s, .events = POLLOUT};
		const ssize_t n = poll(&p, 1, WAIT_MS) == 1 ? send(s, data, size, MSG_NOSIGNAL) : -1;
		if (n <= 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int send_stream(const struct target *t, enum self_test_channel c)
{
	const struct self_test_way *w = &self_test_ways[c];
	char head[300] = "", data[65536], answer[512];
	const int s = connect_in_time(t, SOCK_STREAM, w->port);
	if (s < 0)
		return -1;
	fill(t, c, data, sizeof data);
	if (c == SELF_TEST_HTTP)
		snprintf(head, sizeof head,
		         "PUT /garita-self-test/%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: garita-probe\r\nContent-Type: text/plain\r\n"
		         "Content-Length: %u\r\nConnection: close\r\n\r\n", t->id, t->text, (unsigned)w->bytes);
	int bad = send_all(s, head, strlen(head)) != 0 || send_all(s, data, w->bytes) != 0;
	shutdown(s, SHUT_WR);
	struct pollfd p = {.fd = s, .events = POLLIN};
	while (!bad && poll(&p, 1, 2000) == 1 && recv(s, answer, sizeof answer, 0) > 0)
		;
	close(s);
	return bad ? -1 : 0;
}

static void pause_ms(long ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

/* A refusal of the one before (ICMP) is told once, instead of sending. */
static bool send_anew(int s, const void *data, size_t size)
{
	bool sent = false;
	for (int i = 0; !sent && i < 2; i++)
		sent = send(s, data, size, MSG_NOSIGNAL) == (ssize_t)size;
	return sent;
}

static int send_datagrams(const struct target *t)
{
	const struct self_test_way *w = &self_test_ways[SELF_TEST_UDP];
	char data[PIECE];
	const int s = connect_in_time(t, SOCK_DGRAM, w->port);
	if (s < 0)
		return -1;
	fill(t, SELF_TEST_UDP, data, sizeof data);
	unsigned sent = 0;
	for (unsigned at = 0; at < w->bytes; at += PIECE) {
		sent += send_anew(s, data, sizeof data);
		pause_ms(20);
	}
	close(s);
	return sent > 0 ? 0 : -1;
}

/* A question for garita-self-test-N.<id>.test, type TXT (RFC 1035 section 4.1). */
static size_t question(const struct target *t, unsigned n, unsigned char *buf, size_t size)
{
	char name[120];
	size_t at = 12;
	const int length = snprintf(name, sizeof name, "garita-self-test-%u.%s.test", n, t->id);
	memset(buf, 0, size);
	buf[0] = (unsigned char)(n >> 8);
	buf[1] = (unsigned char)n;
	buf[2] = 1;   /* recursion desired */
	buf[5] = 1;
	if (length <= 0 || (size_t)length + 20 > size)
		return 0;
	for (const char *p = name; *p != '\0';) {
		const size_t label = strcspn(p, ".");
		buf[at++] = (unsigned char)label;
		memcpy(buf + at, p, label);
		at += label;
		p += label + (p[label] == '.' ? 1 : 0);
	}
	at++;
	buf[at + 1] = 16;
	buf[at + 3] = 1;
	return at + 4;
}

static int send_questions(const struct target *t)
{
	unsigned char data[300];
	unsigned sent = 0;
	const int s = connect_in_time(t, SOCK_DGRAM, self_test_ways[SELF_TEST_DNS].port);
	if (s < 0)
		return -1;
	for (unsigned n = 1; n <= 100; n++) {
		const size_t size = question(t, n, data, sizeof data);
		sent += size > 0 && send_anew(s, data, size);
		pause_ms(10);
	}
	close(s);
	return sent > 0 ? 0 : -1;
}

/* The Internet checksum (RFC 1071), which a raw socket wants of its user. */
static void sum_up(unsigned char *data, size_t size)
{
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	data[2] = (unsigned char)(~sum >> 8);
	data[3] = (unsigned char)~sum;
}

/* Through the kernel's ping sockets, which need no right (net.ipv4.ping_group_range), else raw as root. */
static int send_echoes(const struct target *t)
{
	const bool v6 = t->address.ss_family == AF_INET6;
	const int proto = v6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP;
	unsigned char data[8 + PIECE];
	unsigned sent = 0;
	int s = socket(t->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, proto);
	if (s < 0)
		s = socket(t->address.ss_family, SOCK_RAW | SOCK_CLOEXEC, proto);
	if (s < 0)
		return -1;
	for (unsigned n = 1; n <= self_test_ways[SELF_TEST_ICMP].bytes / PIECE; n++) {
		memset(data, 0, 8);
		data[0] = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
		data[7] = (unsigned char)n;
		fill(t, SELF_TEST_ICMP, (char *)data + 8, PIECE);
		if (!v6)
			sum_up(data, sizeof data);
		sent += sendto(s, data, sizeof data, 0, (const struct sockaddr *)&t->address, t->size) > 0;
		pause_ms(100);
	}
	close(s);
	return sent > 0 ? 0 : -1;
}

static int send_channel(const struct target *t, enum self_test_channel c)
{
	int r;
	errno = 0;
	switch (c) {
	case SELF_TEST_TCP:
	case SELF_TEST_HTTP:
		r = send_stream(t, c);
		break;
	case SELF_TEST_UDP:
		r = send_datagrams(t);
		break;
	case SELF_TEST_DNS:
		r = send_questions(t);
		break;
	default:
		r = send_echoes(t);
		break;
	}
	if (r == 0)
		printf("%s: sent\n", self_test_ways[c].word);
	else
		printf("%s: not sent: %s\n", self_test_ways[c].word, errno != 0 ? strerror(errno) : "no answer");
	fflush(stdout);
	return r;
}

/* --- the sink --- */

static int open_sink(const struct sockaddr_storage *address, socklen_t size, int type, uint16_t port)
{
	struct sockaddr_storage a = *address;
	const int one = 1;
	set_port(&a, port);
	const int s = socket(a.ss_family, type | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -1;
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(s, (struct sockaddr *)&a, size) == 0 && (type != SOCK_STREAM || listen(s, 16) == 0))
		return s;
	fprintf(stderr, "garita-probe: port %u: %s\n", port, strerror(errno));
	close(s);
	return -1;
}

static void swallow_stream(int listener, bool http)
{
	static const char answer[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
	char data[65536];
	const int s = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (s < 0)
		return;
	struct pollfd p = {.fd = s, .events = POLLIN};
	while (poll(&p, 1, 3000) == 1 && recv(s, data, sizeof data, 0) > 0)
		;
	if (http && send(s, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
		perror("garita-probe: answer");
	close(s);
}

/* A question gets the answer that there is no such name. */
static void swallow_datagram(int s, bool dns)
{
	unsigned char data[2048];
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	const ssize_t n = recvfrom(s, data, sizeof data, 0, (struct sockaddr *)&from, &size);
	if (!dns || n < 12)
		return;
	data[2] = (unsigned char)(data[2] | 0x80);
	data[3] = 3;
	if (sendto(s, data, (size_t)n, 0, (struct sockaddr *)&from, size) < 0)
		perror("garita-probe: answer");
}

static int run_sink(const char *text)
{
	struct sockaddr_storage a;
	socklen_t size;
	struct pollfd p[SINKS];
	if (!parse_address(text, &a, &size)) {
		fprintf(stderr, "garita-probe: %s is no address\n", text);
		return EXIT_WRONG_USE;
	}
	const int types[SINKS] = {SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_DGRAM};
	for (int i = 0; i < SINKS; i++) {
		p[i] = (struct pollfd){.fd = open_sink(&a, size, types[i], self_test_ways[i].port), .events = POLLIN};
		if (p[i].fd < 0)
			return EXIT_BAD;
	}
	printf("ready\n");
	fflush(stdout);
	while (poll(p, SINKS, -1) > 0) {
		for (int i = 0; i < SINKS; i++) {
			if ((p[i].revents & POLLIN) == 0)
				continue;
			if (types[i] == SOCK_STREAM)
				swallow_stream(p[i].fd, i == SELF_TEST_HTTP);
			else
				swallow_datagram(p[i].fd, i == SELF_TEST_DNS);
		}
	}
	return EXIT_BAD;
}

/* --- what is asked --- */

static int usage(FILE *to)
{
	fputs("usage: garita-probe send --id ID --target ADDRESS [--channel tcp|http|udp|dns|icmp]...\n"
	      "       garita-probe sink [--address ADDRESS]\n"
	      "Sends the marked, harmless bytes of garita's exfiltration test (garita self-test gives ID and ADDRESS) from a\n"
	      "machine of a scanner network; as sink it takes and throws away what comes, at the target.\n", to);
	return to == stdout ? EXIT_OK : EXIT_WRONG_USE;
}

static int channel_of(const char *word)
{
	for (int c = 0; c < SELF_TEST_CHANNELS; c++) {
		if (strcmp(word, self_test_ways[c].word) == 0)
			return c;
	}
	fprintf(stderr, "garita-probe: no channel %s\n", word);
	return -1;
}

static bool good_id(const char *id)
{
	const size_t n = strlen(id);
	return n > 0 && n < SELF_TEST_ID_MAX && strspn(id, "0123456789abcdef-") == n;
}

static int run_send(int argc, char **argv)
{
	struct target t = {.text = NULL};
	bool wanted[SELF_TEST_CHANNELS] = {false}, any = false;
	for (int i = 2; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--id") == 0) {
			t.id = argv[i + 1];
		} else if (strcmp(argv[i], "--target") == 0) {
			t.text = argv[i + 1];
		} else if (strcmp(argv[i], "--channel") == 0) {
			const int c = channel_of(argv[i + 1]);
			if (c < 0)
				return usage(stderr);
			wanted[c] = any = true;
		} else {
			return usage(stderr);
		}
	}
	if (argc % 2 != 0 || t.text == NULL || t.id == NULL || !good_id(t.id) || !parse_address(t.text, &t.address, &t.size))
		return usage(stderr);
	if (refuse_sensor(&t) != 0)
		return EXIT_BAD;
	int bad = 0;
	for (int c = 0; c < SELF_TEST_CHANNELS; c++)
		bad |= (!any || wanted[c]) && send_channel(&t, (enum self_test_channel)c) != 0;
	return bad != 0 ? EXIT_BAD : EXIT_OK;
}

int main(int argc, char **argv)
{
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return usage(stdout);
	if (argc >= 2 && strcmp(argv[1], "send") == 0)
		return run_send(argc, argv);
	if (argc == 2 && strcmp(argv[1], "sink") == 0)
		return run_sink("0.0.0.0");
	if (argc == 4 && strcmp(argv[1], "sink") == 0 && strcmp(argv[2], "--address") == 0)
		return run_sink(argv[3]);
	return usage(stderr);
}

/* clock.c - another wall clock for garitad alone (LD_PRELOAD): FAULT_CLOCK names
 * a file of eight bytes, microseconds that its owner may change at any time.
 * They are added to CLOCK_REALTIME, to gettimeofday and time, and to the time
 * stamps of live frames: to garitad it looks as if the machine's clock was set.
 * The file is mapped before the sandbox is entered. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static int64_t zero;
static volatile int64_t *by = &zero;
static int (*real_clock)(clockid_t, struct timespec *);
static int (*real_next)(pcap_t *, struct pcap_pkthdr **, const u_char **);
static int (*real_dispatch)(pcap_t *, int, pcap_handler, u_char *);

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAULT_CLOCK");
	const int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p = fd >= 0 ? mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (p != MAP_FAILED)
		by = p;
	real_clock = dlsym(RTLD_NEXT, "clock_gettime");
	real_next = dlsym(RTLD_NEXT, "pcap_next_ex");
	real_dispatch = dlsym(RTLD_NEXT, "pcap_dispatch");
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	const int rc = real_clock(id, t);
	if (rc == 0 && id == CLOCK_REALTIME) {
		const int64_t us = (int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000 + *by;
		t->tv_nsec = us % 1000000 * 1000 + t->tv_nsec % 1000;
		t->tv_sec = us / 1000000;
	}
	return rc;
}

int gettimeofday(struct timeval *t, void *zone)
{
	struct timespec now;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	t->tv_sec = now.tv_sec;
	t->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (ret != NULL)
		*ret = now.tv_sec;
	return now.tv_sec;
}

static void shift(struct pcap_pkthdr *h)
{
	const int64_t us = (int64_t)h->ts.tv_sec * 1000000 + h->ts.tv_usec + *by;
	h->ts.tv_sec = us / 1000000;
	h->ts.tv_usec = us % 1000000;
}

/* One header a handle: garitad reads one frame of each interface ahead. */
int pcap_next_ex(pcap_t *p, struct pcap_pkthdr **h, const u_char **data)
{
	const int rc = real_next(p, h, data);
	if (rc == 1)
		shift(*h);
	return rc;
}

static pcap_handler handler;

static void shifted(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct pcap_pkthdr mine = *h;
	shift(&mine);
	handler(user, &mine, data);
}

int pcap_dispatch(pcap_t *p, int count, pcap_handler fn, u_char *user)
{
	handler = fn;
	return real_dispatch(p, count, shifted, user);
}

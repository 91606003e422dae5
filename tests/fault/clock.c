/* clock.c - another wall clock for garitad alone: linked into garitad-clock
 * (fault.mk) in place of clock_gettime, time and capture_next_batch. FAULT_CLOCK
 * names a file of eight bytes, microseconds that its owner may change at any
 * time. They are added to CLOCK_REALTIME and to the time stamps of frames: to
 * garitad it looks as if the machine's clock was set. SQLite and libpcap keep
 * the machine's. The file is mapped before the sandbox is entered. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "sense/capture.h"

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
time_t __wrap_time(time_t *ret);
int __real_capture_next_batch(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count);
int __wrap_capture_next_batch(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count);

static int64_t zero;
static volatile int64_t *by = &zero;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAULT_CLOCK");
	const int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p = fd >= 0 ? mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (p != MAP_FAILED)
		by = p;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	const int rc = __real_clock_gettime(id, t);
	if (rc == 0 && id == CLOCK_REALTIME) {
		const int64_t us = (int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000 + *by;
		t->tv_nsec = us % 1000000 * 1000 + t->tv_nsec % 1000;
		t->tv_sec = us / 1000000;
	}
	return rc;
}

time_t __wrap_time(time_t *ret)
{
	struct timespec now;
	__wrap_clock_gettime(CLOCK_REALTIME, &now);
	if (ret != NULL)
		*ret = now.tv_sec;
	return now.tv_sec;
}

int __wrap_capture_next_batch(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count)
{
	const int rc = __real_capture_next_batch(c, ret, max, ret_count);
	for (unsigned i = 0; rc == 0 && i < *ret_count; i++)
		ret[i].time_us += *by;
	return rc;
}

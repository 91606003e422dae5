/* still.c - what differs from one making of a record to the next, held still,
 * so that reports of it are the same bytes each time: the clock on the wall
 * (GOLDEN_TIME, microseconds since 1970), the versions, the process, the key of
 * the ledger, who is logged in, and the IEEE's lists of this system. Linked into
 * the programs of tests/report in place of the real functions (report.mk). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "judge/vendors.h"
#include "record/store.h"
#include "review_say.h"
#include "still.h"

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
time_t __wrap_time(time_t *ret);
void __wrap_randombytes_buf(void *buf, size_t size);
int __real_vendors_new(const char *dir, struct vendors **ret);
int __wrap_vendors_new(const char *dir, struct vendors **ret);
int __real_store_open(const char *dir, const struct store_run *run, struct store **ret, int *ret_pid, char *err, size_t err_size);
int __wrap_store_open(const char *dir, const struct store_run *run, struct store **ret, int *ret_pid, char *err, size_t err_size);
void __wrap_review_who(char account[REVIEW_USER_MAX + 1], char name[REVIEW_NAME_MAX + 1]);

int64_t still_us;

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("GOLDEN_TIME");
	still_us = text != NULL ? strtoll(text, NULL, 10) : 0;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	if (id != CLOCK_REALTIME)
		return __real_clock_gettime(id, t);
	*t = (struct timespec){.tv_sec = still_us / 1000000, .tv_nsec = still_us % 1000000 * 1000};
	return 0;
}

time_t __wrap_time(time_t *ret)
{
	if (ret != NULL)
		*ret = still_us / 1000000;
	return still_us / 1000000;
}

void __wrap_randombytes_buf(void *buf, size_t size)
{
	memset(buf, 0x5a, size);
}

int __wrap_vendors_new(const char *dir, struct vendors **ret)
{
	(void)dir;
	return __real_vendors_new("/nonexistent", ret);
}

int __wrap_store_open(const char *dir, const struct store_run *run, struct store **ret, int *ret_pid, char *err, size_t err_size)
{
	struct store_run still = *run;
	still.version = "0.0";
	still.ndpi = "nDPI 0.0";
	still.pid = 1;
	return __real_store_open(dir, &still, ret, ret_pid, err, err_size);
}

void __wrap_review_who(char account[REVIEW_USER_MAX + 1], char name[REVIEW_NAME_MAX + 1])
{
	snprintf(account, REVIEW_USER_MAX + 1, "analyst (uid 1000)");
	snprintf(name, REVIEW_NAME_MAX + 1, "analyst");
}

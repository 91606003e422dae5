#include "base/tz.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/tz_rule.h"

#define DAY_S          86400
#define NAME_MAX_BYTES 64u

struct tz {
	size_t count;         /* transitions */
	int64_t *at;          /* ascending */
	int32_t *offset;      /* from at[i] on */
	int32_t first_offset; /* before at[0] */
	bool has_rule;        /* rule holds from the last transition on */
	struct tz_rule rule;
};

/* Floor division: times before 1970 are times like others. */
static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Howard Hinnant's era arithmetic: 400 years are 146,097 days; the year begins
 * in March so that the leap day is its last. */
int64_t tz_days(int32_t year, unsigned month, unsigned day)
{
	const int64_t y = (int64_t)year - (month <= 2);
	const int64_t era = floor_div(y, 400);
	const int64_t yoe = y - era * 400;
	const int64_t doy = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void tz_civil_of_days(int64_t days, struct tz_civil *ret)
{
	const int64_t z = days + 719468;
	const int64_t era = floor_div(z, 146097);
	const int64_t doe = z - era * 146097;
	const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const int64_t mp = (5 * doy + 2) / 153;
	const int64_t month = mp < 10 ? mp + 3 : mp - 9;
	*ret = (struct tz_civil){
	    .year = (int32_t)(yoe + era * 400 + (month <= 2)),
	    .month = (uint8_t)month,
	    .day = (uint8_t)(doy - (153 * mp + 2) / 5 + 1),
	    .weekday = (uint8_t)(days + 3 - floor_div(days + 3, 7) * 7), /* 1970-01-01 was a Thursday */
	};
}

unsigned tz_month_days(int32_t year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

int32_t tz_offset(const struct tz *z, int64_t time_s, int64_t *ret_until)
{
	int64_t until = INT64_MAX;
	int32_t offset;
	if (z->count == 0 || time_s < z->at[0]) {
		offset = z->first_offset;
		if (z->count > 0)
			until = z->at[0];
		else if (z->has_rule)
			offset = tz_rule_offset(&z->rule, time_s, &until);
	} else {
		size_t low = 0, high = z->count; /* at[low] <= time_s < at[high] */
		while (high - low > 1) {
			const size_t mid = low + (high - low) / 2;
			if (z->at[mid] <= time_s)
				low = mid;
			else
				high = mid;
		}
		offset = z->offset[low];
		if (high < z->count)
			until = z->at[high];
		else if (z->has_rule)
			offset = tz_rule_offset(&z->rule, time_s, &until);
	}
	if (ret_until != NULL)
		*ret_until = until;
	return offset;
}

void tz_local(const struct tz *z, int64_t time_s, struct tz_civil *ret)
{
	const int64_t local = time_s + tz_offset(z, time_s, NULL);
	const int64_t days = floor_div(local, DAY_S);
	const int64_t s = local - days * DAY_S;
	tz_civil_of_days(days, ret);
	ret->hour = (uint8_t)(s / 3600);
	ret->minute = (uint8_t)(s / 60 % 60);
	ret->second = (uint8_t)(s % 60);
}

int tz_first(const struct tz *z, int64_t local_from, int64_t local_to, int64_t *ret)
{
	/* No zone is further than 26 hours from UTC (RFC 8536, section 3.2:
	 * -89999 to 93599 seconds), so every candidate lies in this window. */
	const int64_t slack = 27 * 3600;
	int64_t t = local_from - slack;
	while (t <= local_to + slack) {
		int64_t until;
		const int32_t offset = tz_offset(z, t, &until);
		const int64_t candidate = local_from - offset > t ? local_from - offset : t;
		if (candidate < until && candidate + offset < local_to) {
			*ret = candidate;
			return 0;
		}
		if (until == INT64_MAX)
			break;
		t = until;
	}
	return ERR_NOTFOUND;
}

/* TZif header, RFC 8536 section 3.1:
 *  0  4  "TZif"
 *  4  1  version, NUL or '2' or later
 *  5 15  unused
 * 20  4  isutcnt   24 4 isstdcnt   28 4 leapcnt
 * 32  4  timecnt   36 4 typecnt    40 4 charcnt
 * The data block: timecnt times (4 or 8 bytes), timecnt type indices,
 * typecnt × {int32 offset, u8 is_dst, u8 abbreviation}, charcnt,
 * leapcnt × (time + 4), isstdcnt, isutcnt. */
struct tzif_head {
	uint8_t version;
	uint32_t isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt;
};

static bool read_head(struct bytes *b, struct tzif_head *h)
{
	const uint8_t *p = bytes_take(b, 20);
	if (p == NULL || memcmp(p, "TZif", 4) != 0)
		return false;
	h->version = p[4];
	h->isutcnt = bytes_u32(b);
	h->isstdcnt = bytes_u32(b);
	h->leapcnt = bytes_u32(b);
	h->timecnt = bytes_u32(b);
	h->typecnt = bytes_u32(b);
	h->charcnt = bytes_u32(b);
	return !b->failed && h->timecnt < TZ_FILE_MAX && h->leapcnt < TZ_FILE_MAX && h->typecnt >= 1 &&
	       h->typecnt <= 256 && h->charcnt < TZ_FILE_MAX && h->isutcnt <= 256 && h->isstdcnt <= 256;
}

static size_t block_bytes(const struct tzif_head *h, size_t time_bytes)
{
	return h->timecnt * (time_bytes + 1) + h->typecnt * 6u + h->charcnt + h->leapcnt * (time_bytes + 4) +
	       h->isstdcnt + h->isutcnt;
}

static int64_t read_time(const uint8_t *p, size_t time_bytes)
{
	if (time_bytes == 4)
		return (int32_t)be32(p);
	return (int64_t)(((uint64_t)be32(p) << 32) | be32(p + 4));
}

static bool sane_offset(int32_t offset)
{
	return offset >= -89999 && offset <= 93599; /* RFC 8536, section 3.2 */
}

/* times, idx and types point into a block that is known to be whole. */
static int read_block(struct tz *z, const uint8_t *block, const struct tzif_head *h, size_t time_bytes)
{
	const uint8_t *idx = block + h->timecnt * time_bytes;
	const uint8_t *types = idx + h->timecnt;
	z->first_offset = (int32_t)be32(types);
	if (!sane_offset(z->first_offset))
		return ERR_DAMAGED;
	if (h->timecnt == 0)
		return 0;
	z->at = calloc(h->timecnt, sizeof *z->at);
	z->offset = calloc(h->timecnt, sizeof *z->offset);
	if (z->at == NULL || z->offset == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < h->timecnt; i++) {
		z->at[i] = read_time(block + i * time_bytes, time_bytes);
		if (idx[i] >= h->typecnt || (i > 0 && z->at[i] <= z->at[i - 1]))
			return ERR_DAMAGED;
		z->offset[i] = (int32_t)be32(types + 6u * idx[i]);
		if (!sane_offset(z->offset[i]))
			return ERR_DAMAGED;
	}
	z->count = h->timecnt;
	return 0;
}

/* The footer, RFC 8536 section 3.3: newline, POSIX TZ string, newline. */
static int read_footer(struct tz *z, struct bytes *b)
{
	char text[128];
	if (bytes_u8(b) != '\n' || b->failed)
		return ERR_DAMAGED;
	const uint8_t *end = memchr(b->at, '\n', b->left);
	if (end == NULL || (size_t)(end - b->at) >= sizeof text)
		return ERR_DAMAGED;
	const size_t n = (size_t)(end - b->at);
	if (n == 0)
		return 0;
	memcpy(text, b->at, n);
	text[n] = '\0';
	if (tz_rule_parse(text, &z->rule) != 0)
		return ERR_DAMAGED;
	z->has_rule = true;
	return 0;
}

static int parse_into(struct tz *z, struct bytes b)
{
	struct tzif_head h;
	if (!read_head(&b, &h))
		return ERR_DAMAGED;
	size_t time_bytes = 4;
	if (h.version >= '2') { /* the first block is for old readers */
		if (bytes_take(&b, block_bytes(&h, 4)) == NULL || !read_head(&b, &h))
			return ERR_DAMAGED;
		time_bytes = 8;
	}
	if (h.leapcnt != 0)
		return ERR_UNSUPPORTED; /* "right/" zones: not POSIX time */
	const uint8_t *block = bytes_take(&b, block_bytes(&h, time_bytes));
	if (block == NULL)
		return ERR_DAMAGED;
	const int err = read_block(z, block, &h, time_bytes);
	if (err != 0)
		return err;
	return time_bytes == 8 ? read_footer(z, &b) : 0;
}

int tz_parse(const uint8_t *data, size_t bytes, struct tz **ret)
{
	struct tz *z = calloc(1, sizeof *z);
	if (z == NULL)
		return ERR_NOMEM;
	const int err = bytes <= TZ_FILE_MAX ? parse_into(z, bytes_of(data, bytes)) : ERR_DAMAGED;
	if (err != 0) {
		tz_free(z);
		return err;
	}
	*ret = z;
	return 0;
}

/* Names are relative, of plain characters, and do not climb. */
static bool good_name(const char *name)
{
	const size_t n = strlen(name);
	if (n == 0 || n > NAME_MAX_BYTES || strstr(name, "..") != NULL || !isalpha((unsigned char)name[0]))
		return false;
	for (const char *p = name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("_+-/", *p) == NULL)
			return false;
	return name[n - 1] != '/';
}

static int read_file(int fd, uint8_t *buf, size_t room, size_t *ret_bytes)
{
	size_t used = 0;
	while (used < room) {
		const ssize_t n = read(fd, buf + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	*ret_bytes = used;
	return 0;
}

int tz_load(const char *name, struct tz **ret)
{
	if (!good_name(name))
		return ERR_INVALID;
	char path[sizeof TZ_DIR + NAME_MAX_BYTES + 2];
	snprintf(path, sizeof path, "%s/%s", TZ_DIR, name);
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : ERR_IO;
	struct stat st;
	int err = fstat(fd, &st) != 0 ? ERR_IO : S_ISREG(st.st_mode) ? 0 : ERR_NOTFOUND;
	uint8_t *buf = err == 0 ? malloc(TZ_FILE_MAX + 1) : NULL;
	size_t bytes = 0;
	if (err == 0)
		err = buf == NULL ? ERR_NOMEM : read_file(fd, buf, TZ_FILE_MAX + 1, &bytes);
	if (err == 0)
		err = tz_parse(buf, bytes, ret);
	free(buf);
	close(fd);
	return err;
}

void tz_free(struct tz *z)
{
	if (z == NULL)
		return;
	free(z->at);
	free(z->offset);
	free(z);
}

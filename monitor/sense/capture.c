#include "sense/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sense/capture_parts.h"

#define LINKTYPE_RAW_OPENBSD 14
#define LINKTYPE_ATM_RFC1483 100
#define LINKTYPE_RAW 101
#define TIME_MAX_S 253402300799   /* 9999-12-31T23:59:59Z */

int capture_link_type(int dlt)
{
	/* The few numbers that differ between platforms; the rest are the same. */
	switch (dlt) {
	case DLT_RAW:
		return LINKTYPE_RAW;
	case DLT_ATM_RFC1483:
		return LINKTYPE_ATM_RFC1483;
	default:
		return dlt;
	}
}

int capture_dlt(int link_type)
{
	switch (link_type) {
	case LINKTYPE_RAW:
	case LINKTYPE_RAW_OPENBSD:
		return DLT_RAW;
	case LINKTYPE_ATM_RFC1483:
		return DLT_ATM_RFC1483;
	default:
		return link_type;
	}
}

/* Whatever the clock says, the time can be written as RFC 3339. */
static int64_t frame_time(const struct timeval *tv)
{
	int64_t s = tv->tv_sec, us = tv->tv_usec;
	if (s < 0)
		s = 0;
	if (s > TIME_MAX_S)
		s = TIME_MAX_S;
	if (us < 0 || us > 999999)
		us = 999999;
	return s * 1000000 + us;
}

void capture_fill(const struct pcap_pkthdr *h, const uint8_t *data, int dlt, struct capture_frame *ret)
{
	ret->data = data;
	ret->caplen = h->caplen;
	ret->wirelen = h->len > h->caplen ? h->len : h->caplen;
	ret->time_us = frame_time(&h->ts);
	ret->link_type = capture_link_type(dlt);
}

int capture_check_filter(const char *filter, char *err, size_t err_size)
{
	struct capture_filter f = {.set = false};
	const int rc = capture_filter_compile(filter, DLT_EN10MB, &f, err, err_size);
	if (rc == 0)
		capture_filter_done(&f);
	return rc;
}

static struct capture *new_capture(const char *filter)
{
	struct capture *c = calloc(1, sizeof *c);
	if (c != NULL && filter != NULL) {
		c->scratch = malloc(CAPTURE_SNAPLEN_MAX);
		if (c->scratch == NULL) {
			free(c);
			c = NULL;
		}
	}
	return c;
}

int capture_open_live(const struct capture_live *o, struct capture **ret, char *err, size_t err_size)
{
	struct capture *c = new_capture(o->filter);
	if (c == NULL) {
		snprintf(err, err_size, "out of memory");
		return ERR_NOMEM;
	}
	const int rc = capture_live_open(o, &c->live, err, err_size);
	if (rc == 0)
		*ret = c;
	else
		capture_close(c);
	return rc;
}

int capture_open_files(const struct capture_files *o, struct capture **ret, char *err, size_t err_size)
{
	struct capture *c = new_capture(o->filter);
	if (c == NULL) {
		snprintf(err, err_size, "out of memory");
		return ERR_NOMEM;
	}
	const int rc = capture_files_open(o, &c->files, err, err_size);
	if (rc == 0)
		*ret = c;
	else
		capture_close(c);
	return rc;
}

void capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	capture_live_close(c->live);
	capture_files_close(c->files);
	free(c->feed);
	free(c->scratch);
	free(c);
}

int capture_next(struct capture *c, struct capture_frame *ret)
{
	unsigned count;
	return capture_next_batch(c, ret, 1, &count);
}

int capture_next_batch(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count)
{
	*ret_count = 0;
	if (max > CAPTURE_BATCH_MAX)
		max = CAPTURE_BATCH_MAX;
	if (c->feed != NULL)
		return capture_feed_next(c, ret, max, ret_count);
	return c->files != NULL ? capture_files_next(c, ret, max, ret_count) : capture_live_next(c, ret, max, ret_count);
}

bool capture_lost(const struct capture *c)
{
	return (c->live != NULL && capture_live_lost(c->live)) || (c->feed != NULL && capture_feed_lost(c->feed));
}

uint32_t capture_down(const struct capture *c)
{
	return c->live != NULL ? capture_live_down(c->live) : 0;
}

const char *capture_error(const struct capture *c)
{
	return c->error;
}

void capture_stats(struct capture *c, struct capture_stats *ret)
{
	memset(ret, 0, sizeof *ret);
	if (c->live != NULL)
		capture_live_stats(c->live, ret);
}

void capture_progress(const struct capture *c, uint64_t *ret_done, uint64_t *ret_all)
{
	*ret_done = 0;
	*ret_all = 0;
	if (c->files != NULL)
		capture_files_progress(c->files, ret_done, ret_all);
	if (c->feed != NULL)
		capture_feed_progress(c->feed, ret_done, ret_all);
}

bool capture_is_live(const struct capture *c)
{
	return c->live != NULL;
}

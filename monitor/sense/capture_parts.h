/* capture_parts.h - what the files of capture share. Nobody else includes it. */
#ifndef MONITOR_CAPTURE_PARTS_H
#define MONITOR_CAPTURE_PARTS_H
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sense/capture.h"

#define CAPTURE_ERROR_MAX 512
#define CAPTURE_SNAPLEN_MAX 262144

/* A BPF program for one link type, run here and not in the kernel. */
struct capture_filter {
	struct bpf_program program;
	bool set;              /* false: everything passes */
	bool as_is;            /* the expression speaks of tags itself */
	int dlt;
};

MUST_CHECK int capture_filter_compile(const char *expression, int dlt, struct capture_filter *ret, char *err,
                                      size_t err_size);
void capture_filter_done(struct capture_filter *f);
/* scratch: CAPTURE_SNAPLEN_MAX bytes. */
bool capture_filter_pass(const struct capture_filter *f, const struct capture_frame *frame, uint8_t *scratch);

struct capture_live_set;   /* of capture_live.c */
struct capture_file_set;   /* of capture_file.c */
struct capture_feed_end;   /* of capture_feed.c */
struct capture_room;       /* capture_reader.h */

struct capture {
	struct capture_live_set *live;
	struct capture_file_set *files;
	struct capture_feed_end *feed;
	uint64_t number;       /* frames handed out */
	uint8_t *scratch;      /* for the filter, NULL without one */
	char error[CAPTURE_ERROR_MAX];
};

/* The same as the capture_… functions of capture.h. */
int capture_live_open(const struct capture_live *o, struct capture_live_set **ret, char *err, size_t err_size);
int capture_live_next(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count);
bool capture_live_lost(const struct capture_live_set *s);
uint32_t capture_live_down(const struct capture_live_set *s);
void capture_live_stats(struct capture_live_set *s, struct capture_stats *ret);
void capture_live_close(struct capture_live_set *s);

int capture_files_open(const struct capture_files *o, struct capture_file_set **ret, char *err, size_t err_size);
int capture_files_next(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count);
void capture_files_progress(const struct capture_file_set *s, uint64_t *ret_done, uint64_t *ret_all);
/* Before the first frame: all files are read into such room. Borrowed. */
void capture_files_use(struct capture_file_set *s, const struct capture_room *room);
void capture_files_close(struct capture_file_set *s);

int capture_feed_next(struct capture *c, struct capture_frame *ret, unsigned max, unsigned *ret_count);
void capture_feed_progress(const struct capture_feed_end *e, uint64_t *ret_done, uint64_t *ret_all);
bool capture_feed_lost(const struct capture_feed_end *e);

/* What libpcap gave: data, caplen, wirelen, time_us and link_type. */
void capture_fill(const struct pcap_pkthdr *h, const uint8_t *data, int dlt, struct capture_frame *ret);

/* LINKTYPE_ of a DLT_ of this platform, and back. */
int capture_link_type(int dlt);
int capture_dlt(int link_type);

/* A stream that unpacks gzip and zstd, known by their magic; everything else
 * passes. Takes fd over, closes it on an error too. NULL: no memory. */
struct capture_stream;
struct capture_stream *capture_stream_open(int fd);
void capture_stream_close(struct capture_stream *s);
/* As read(2); what was wrong with packed data is said by capture_stream_error.
 * The first argument is a struct capture_stream (capture_reader.h). */
ssize_t capture_stream_read(void *stream, void *to, size_t n);
/* Borrowed. What was wrong with the packed data, or NULL; and the bytes read
 * from fd. */
const char *capture_stream_error(const struct capture_stream *s);
uint64_t capture_stream_read_bytes(const struct capture_stream *s);

#endif

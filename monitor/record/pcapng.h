/* pcapng.h - files of packets that are evidence: written block by block with a
 * running SHA-256, and read back (draft-ietf-opsawg-pcapng; little-endian, one
 * section, time in microseconds: what the writer writes is what the reader takes,
 * other people's captures are sense/capture_reader's).
 * Not here: which packets, into which file, for how long. */
#ifndef MONITOR_PCAPNG_H
#define MONITOR_PCAPNG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define PCAPNG_DATA_MAX (256u * 1024)   /* bytes of a packet; libpcap's own limit */
#define PCAPNG_TEXT_MAX 2048u           /* bytes of a comment, a name, a filter; a longer one is cut */
#define PCAPNG_INTERFACES 64u           /* of a file */
#define PCAPNG_HASH_BYTES 32u

/* --- what the blocks say --- */

struct pcapng_section {                 /* Section Header Block; NULL: not said */
	const char *comment, *hardware, *os, *application;
};

struct pcapng_interface {               /* Interface Description Block */
	uint16_t link_type;             /* DLT as in files: LINKTYPE_ */
	uint32_t snaplen;               /* 0: no limit */
	const char *name, *filter;      /* NULL: not said; filter in libpcap's language */
};

enum pcapng_direction { PCAPNG_UNKNOWN = 0, PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };

struct pcapng_packet {                  /* Enhanced Packet Block */
	uint32_t interface;             /* 0 for the first that was added */
	int64_t time_us;                /* since 1970 */
	uint32_t caplen, wirelen;
	const uint8_t *data;
	const char *comment;            /* NULL: none. See struct pcapng_note */
	uint32_t comment_bytes;         /* reader: the text is not NUL-terminated. Writer: 0 takes strlen */
	enum pcapng_direction direction;
	uint64_t dropped;               /* packets lost since the one before: epb_dropcount; 0 is not written */
};

struct pcapng_statistics {              /* Interface Statistics Block; PCAPNG_NOT_KNOWN: not said */
	uint32_t interface;
	int64_t time_us;                /* of the block */
	int64_t start_us, end_us;
	uint64_t received, dropped, os_dropped, delivered;   /* isb_ifrecv, _ifdrop, _osdrop, _usrdeliv */
	const char *comment;            /* NULL: none */
	uint32_t comment_bytes;         /* as of a packet */
};
#define PCAPNG_NOT_KNOWN UINT64_MAX
#define PCAPNG_NO_TIME INT64_MIN        /* of start_us, end_us */

/* --- the comment of a packet: one line that a person and a program can read ---
 * "garita transfer=4711 finding=12 equipment=NII-0007 verdict=unapproved reasons=a,b policy=<hash> sensor=pe-01":
 * the first packet of a transfer in each file says all of it, later ones the
 * transfer alone. Values: printable ASCII; space, '%' and the rest as %XX. */
struct pcapng_note {
	int64_t transfer;               /* > 0 */
	int64_t finding;                /* 0: not said, as are empty texts below */
	char equipment[64], verdict[32], reasons[640], policy[72], sensor[64];
	char extra[64];                 /* what else is to be said, as one word: note= */
};
/* NUL-terminated; 0, or ERR_FULL (ret is then cut at a whole field, and still a note). */
MUST_CHECK int pcapng_note_write(const struct pcapng_note *n, char *ret, size_t size);
/* ERR_NOTFOUND: no note of garita's. Unknown words are passed over; a value too long is cut.
 * *ret is untouched on error. */
MUST_CHECK int pcapng_note_read(const char *text, size_t bytes, struct pcapng_note *ret);
/* The transfer alone, quickly; 0: none. */
int64_t pcapng_note_transfer(const char *text, size_t bytes);

/* --- writing --- */

struct pcapng_writer;                   /* 600 KB: a buffer, and nothing is allocated after */

/* Begin a file at the descriptor's place, which is the start of an empty file; the
 * section header is in the buffer. The descriptor stays the caller's. 0, ERR_NOMEM or ERR_INVALID. */
MUST_CHECK int pcapng_writer_new(int fd, const struct pcapng_section *section, struct pcapng_writer **ret);
void pcapng_writer_free(struct pcapng_writer *w);   /* what is in the buffer is lost: flush first */

/* Each adds one block, whole or not at all: on ERR_FULL (the disk) and ERR_IO (errno tells)
 * nothing of it was taken, and it may be offered again later. ERR_INVALID: an
 * interface that is not there, too much data, a packet longer than it was on the wire. */
MUST_CHECK int pcapng_add_interface(struct pcapng_writer *w, const struct pcapng_interface *i, uint32_t *ret_id);
MUST_CHECK int pcapng_add_packet(struct pcapng_writer *w, const struct pcapng_packet *p);
MUST_CHECK int pcapng_add_statistics(struct pcapng_writer *w, const struct pcapng_statistics *s);

/* Write out what is in the buffer (no fsync). On a failure the rest stays there. */
MUST_CHECK int pcapng_flush(struct pcapng_writer *w);
uint64_t pcapng_size(const struct pcapng_writer *w);      /* bytes so far, those in the buffer too */
uint64_t pcapng_written(const struct pcapng_writer *w);   /* bytes that are in the file */
uint64_t pcapng_packets(const struct pcapng_writer *w);
/* SHA-256 of all that is in the file: flush before. The writer may go on afterwards. */
void pcapng_hash(const struct pcapng_writer *w, uint8_t ret[PCAPNG_HASH_BYTES]);
/* SHA-256 of the first bytes of a file (UINT64_MAX: of all), from its start on; *ret_bytes may be NULL. 0, ERR_NOMEM or ERR_IO. */
MUST_CHECK int pcapng_hash_file(int fd, uint64_t bytes, uint8_t ret[PCAPNG_HASH_BYTES], uint64_t *ret_bytes);

/* --- reading --- */

struct pcapng_reader;                   /* 600 KB */

struct pcapng_source {                  /* as read(2): bytes, 0 at the end, -1 */
	ssize_t (*read)(void *ctx, void *to, size_t n);
	void *ctx;
};
/* fd: from its place on; it stays the caller's. source must stay until the reader is freed. 0 or ERR_NOMEM. */
MUST_CHECK int pcapng_reader_new(const struct pcapng_source *source, struct pcapng_reader **ret);
MUST_CHECK int pcapng_reader_new_fd(int fd, struct pcapng_reader **ret);
void pcapng_reader_free(struct pcapng_reader *r);

enum pcapng_kind { PCAPNG_SECTION = 0, PCAPNG_INTERFACE, PCAPNG_PACKET, PCAPNG_STATISTICS, PCAPNG_OTHER };
struct pcapng_block {
	enum pcapng_kind kind;
	uint64_t offset;                /* of the block in the file */
	uint32_t bytes;                 /* of the block */
	union {                         /* texts and data: until the next call */
		struct pcapng_packet packet;
		struct pcapng_statistics statistics;
		uint32_t interface;     /* of an interface block: see pcapng_reader_interface */
	};
};
/* The next block. 0; ERR_END after the last one, which was whole; ERR_DAMAGED, ERR_UNSUPPORTED (another
 * program's file) or ERR_IO, and pcapng_reader_error says at which byte; the same again when called again. */
MUST_CHECK int pcapng_next(struct pcapng_reader *r, struct pcapng_block *ret);
/* Until the reader is freed; NULL: no such interface. */
const struct pcapng_interface *pcapng_reader_interface(const struct pcapng_reader *r, uint32_t id);
/* Where the last block ended that was whole and made sense: what stands behind may be cut off. */
uint64_t pcapng_reader_whole(const struct pcapng_reader *r);
const char *pcapng_reader_error(const struct pcapng_reader *r);   /* "": none */

#endif

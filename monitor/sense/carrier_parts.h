/* carrier_parts.h - what the files of carrier share. Included by carrier*.c alone. */
#ifndef MONITOR_CARRIER_PARTS_H
#define MONITOR_CARRIER_PARTS_H
#include "sense/carrier.h"
#include "sense/content_pool.h"
#include "sense/recognise_object.h"

#define NAME_MAX_BYTES 64u        /* of a file, with its end */
#define BOUNDARY_MAX 72u          /* RFC 2046, section 5.1.1: 70 and the two hyphens */
#define SMALL_BYTES 128u
#define RULES_TOLD 6u             /* of one flow */

enum carrier_kind {
	KIND_UNKNOWN = 0, KIND_STREAM, KIND_HTTP, KIND_SMTP, KIND_SMB, KIND_MQTT, KIND_POSTGRES, KIND_MYSQL,
	KIND_DICOM, KIND_KINDS
};

/* By what an object came; carrier_object.c has the words. */
enum carrier_via {
	VIA_NOTHING = 0, VIA_HTTP_UP, VIA_HTTP_DOWN, VIA_FTP, VIA_MAIL, VIA_SMB_WRITE, VIA_SMB_READ, VIA_MQTT, VIA_RSYNC,
	VIA_RCP, VIA_DICOM, VIA_VIAS
};

enum object_coding { CODING_NONE = 0, CODING_GZIP, CODING_DEFLATE, CODING_BASE64 };

enum object_state { OBJECT_SHUT = 0, OBJECT_OPEN, OBJECT_LOOKED };

struct object {
	struct buffer *buffer;
	uint32_t len;
	uint8_t state, coding, via;
	bool start_known;             /* it is the beginning of something */
	bool sampled;                 /* whether it is random */
	uint8_t base64_chars;         /* of base64_bits */
	uint32_t base64_bits;
	char name[NAME_MAX_BYTES];
	uint8_t small[SMALL_BYTES];   /* until there are more: no buffer is taken for an answer of a line */
};

enum mime_state { MIME_HEAD = 0, MIME_SEEK, MIME_BODY };

/* A message of MIME parts (RFC 2046) or of one. */
struct mime {
	uint8_t state, depth, coding;
	bool form;                    /* of HTTP; else mail, which ends with a dot on a line */
	bool multipart;               /* the header that is being read says so */
	bool line_begins;             /* of a body: with its next byte */
	uint8_t boundary_len[2];
	char boundary[2][BOUNDARY_MAX];   /* with its two hyphens */
	char name[NAME_MAX_BYTES];
};

struct lane {
	struct side in;
	uint64_t left;                /* bytes of the body, chunk, or message to come */
	uint64_t pdu_left;            /* DICOM: of the PDU, behind the value */
	struct object object;
	struct mime mime;
	uint8_t kind, state;
	bool ended, known;            /* known: its first byte was the direction's first */
	bool skip_line;
	struct {
		bool request, chunked, head, no_body, until_close, has_length, multipart;
		uint8_t coding;
	} http;
	char name[NAME_MAX_BYTES];    /* HTTP: of the path; SMB: of the last file opened */
	uint64_t read_id;             /* SMB: message that reads a file's first bytes; 0: none */
};

struct carrier {
	struct carrier *older, *younger;   /* while listed; younger: of the free list, too */
	struct carriers *pool;
	void *owner;
	struct carrier_ends ends;
	bool listed, over;
	bool http_head;                /* the last request was HEAD */
	uint8_t rules_told;
	uint16_t objects;
	uint32_t told;                 /* bit of each enum object_word */
	uint32_t rule[RULES_TOLD];     /* hashes of names */
	struct lane lane[2];
};

/* One call. */
struct passage {
	struct carriers *cs;
	struct carrier *c;
	struct lane *lane;
	enum content_end from;
};

/* --- carrier.c --- */
const struct carrier_options *carriers_options(const struct carriers *cs);
/* A buffer from the pool; false: none, even after another flow was given up. */
bool carrier_buffer(struct carriers *cs, struct carrier *me, struct buffer **ret);
void carrier_buffer_give(struct carriers *cs, struct buffer **b);
struct lane *carrier_other(const struct passage *a);
/* The direction has nothing more. */
void lane_end(struct passage *a);

/* --- carrier_object.c --- */
void object_open(struct passage *a, enum carrier_via via, const char *name, enum object_coding coding, bool start_known);
/* Bytes of the open object: kept as far as there is room, then looked at. */
void object_add(struct passage *a, const uint8_t *p, size_t n);
/* It ends: looked at unless it was. */
void object_shut(struct passage *a);
/* The same as far as it is there; it may go on. */
void object_look(struct passage *a);
void object_tell(struct passage *a, enum object_word word, const char *detail, enum carrier_via via, const char *name);
/* The last part of a path as printable ASCII. */
void object_name(char ret[static NAME_MAX_BYTES], const uint8_t *p, size_t n);
/* What inflate needs; made once. */
struct inflater;
struct inflater *inflater_new(size_t bytes);
void inflater_free(struct inflater *i);
struct inflater *carriers_inflater(const struct carriers *cs);
/* The first bytes of what p holds, gzip, zlib or bare deflate. Returns how many;
 * *ret is good until the next call. */
size_t inflater_run(struct inflater *i, const uint8_t *p, size_t n, bool gzip, const uint8_t **ret);

/* Each reads bytes of its direction, n from p on, and returns how many need not
 * be kept. full: no more fit beside these, so something must be used. It ends the
 * direction by lane_end. */
size_t http_read(struct passage *a, const uint8_t *p, size_t n, bool full);
size_t smtp_read(struct passage *a, const uint8_t *p, size_t n, bool full);
size_t smb_read(struct passage *a, const uint8_t *p, size_t n, bool full);
size_t mqtt_read(struct passage *a, const uint8_t *p, size_t n, bool full);
size_t postgres_read(struct passage *a, const uint8_t *p, size_t n, bool full);
size_t dicom_read(struct passage *a, const uint8_t *p, size_t n, bool full);
size_t mysql_read(struct passage *a, const uint8_t *p, size_t n, bool full);

/* Do the first n bytes begin such a direction? At least 8 are there, or all. */
bool http_begins(const uint8_t *p, size_t n);
bool smb_begins(const uint8_t *p, size_t n);
bool dicom_begins(const uint8_t *p, size_t n);
bool mqtt_begins(const uint8_t *p, size_t n);
bool postgres_begins(const uint8_t *p, size_t n);
bool mysql_begins(const uint8_t *p, size_t n);
bool mysql_may_begin(const uint8_t *p, size_t n);   /* more are needed to say */
bool smtp_begins(const uint8_t *p, size_t n);

/* --- carrier_dicom.c --- */
#define DICOM_TEXT 65u        /* PS3.5, section 6.2: LO and a component of PN have 64 */
struct dicom_fields {
	char modality[DICOM_TEXT], patient[DICOM_TEXT];   /* "" where there is none */
};
/* Does a data set begin here? Its fields as far as they are there. */
bool dicom_data_set(const uint8_t *p, size_t n, struct dicom_fields *ret);

/* --- carrier_mime.c --- */
/* A body of parts, whose header said so (boundary as in the header). */
void mime_begin(struct mime *m, bool form);
/* One header line, without its end; RFC 2045, RFC 2183. */
void mime_header(struct mime *m, const uint8_t *line, size_t n);
/* Bytes of the message from here on; *ret_end: mail: the final dot was seen. */
size_t mime_read(struct passage *a, const uint8_t *p, size_t n, bool full, bool *ret_end);
/* Is this the header of that name? Returns where its value begins, 0: no. */
size_t header_is(const uint8_t *line, size_t n, const char *name);
/* A parameter of a header's value: name="value" or name=value. Its length. */
size_t header_parameter(const uint8_t *line, size_t n, const char *name, const uint8_t **ret);

/* --- carrier_ftp.c --- */
struct ftp_table;
struct ftp_table *ftp_table_new(void);
void ftp_table_free(struct ftp_table *t);
void ftp_overhear(struct ftp_table *t, const struct packet *p);
/* Is this a data connection? Then the name of what it carries, "" if not known. */
bool ftp_is_data(const struct ftp_table *t, const struct carrier_ends *e, char ret_name[static NAME_MAX_BYTES]);
struct ftp_table *carriers_ftp(const struct carriers *cs);

#endif

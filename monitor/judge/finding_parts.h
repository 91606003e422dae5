/* finding_parts.h - what finding*.c share. */
#ifndef MONITOR_FINDING_PARTS_H
#define MONITOR_FINDING_PARTS_H
#include "judge/finding.h"

struct finding {
	int64_t id, first_us, last_us;
	uint64_t transfers, bytes_out, bytes_in;
	int64_t of_this_run;          /* transfers */
	struct addr peer;             /* of its first transfer */
	struct addr who;              /* the peer as it is known: 16 bytes by kind */
	uint32_t equipment, reasons;  /* equipment: interned */
	uint32_t name, where;         /* interned */
	uint32_t hash, next;          /* in the bucket; free ones: the next free */
	uint32_t refs;                /* rows that refer to it and may change */
	uint32_t older, younger;
	uint32_t queue_next;
	uint32_t detected;            /* the first of its detections */
	uint8_t kind, news;           /* enum peer_kind; enum row_news: what changed since it was offered */
	bool changed, offered, told, recorded, again;   /* again: recorded, but not in the record that was begun anew */
	bool closed;                  /* in no bucket */
	bool several, unknown_equipment, foreign, peer_opened;
	bool detected_changed;        /* some of its detections, since it was offered; */
	bool detected_again;          /* all of them are to be told */
	bool urgent;                  /* changed, in more than counts that grew */
	bool behind;                  /* the sink knows that its counts wait */
};

struct detected {
	int64_t first_us, last_us;
	uint64_t count, bytes_out;
	uint64_t bytes_before;        /* of bytes_out: of the times before this one */
	uint32_t detail, next;        /* detail: interned; next: of the finding, or free */
	uint8_t what, score;
	bool changed;                 /* since its finding was offered */
};

struct queue {
	uint32_t first, last;
};

struct findings {
	struct intern *texts;
	struct finding *all;
	uint32_t used, room, max, spare, count;
	uint32_t *buckets, mask;
	uint32_t oldest, youngest;
	struct queue changed, offered;
	uint32_t urgent;              /* of those that have changed */
	bool hold, behind;            /* counts wait; the sink was told of some that do */
	int64_t next_id, hour;
	uint64_t active, ended, forgotten, seed;   /* ended: quiet, and no longer here */
	uint32_t suspicious;
	struct detected *detected;
	uint32_t detected_used, detected_room, detected_spare;
	uint64_t detected_refused;
};

/* finding.c */
/* Takes over one use of the text equipment. Its id is 0 where it was made. */
uint32_t finding_find_or_make(struct findings *f, uint32_t equipment, const struct finding_about *a, int64_t time_us);
/* It has changed, in this. */
void finding_mark(struct findings *f, uint32_t index, enum row_news news);
void finding_push(struct findings *f, struct queue *q, uint32_t index);
uint32_t finding_pop(struct findings *f, struct queue *q);
/* It has ended and is recorded: its place is free, where nobody refers to it. */
void finding_settle(struct findings *f, uint32_t index);

/* finding_detect.c */
void finding_forget_detected(struct findings *f, struct finding *d);
/* Its detections as rows of the record; how many. known: the record holds those that have not changed. */
unsigned finding_rows(const struct findings *f, const struct finding *d, bool known, struct row_detection ret[DETECT_COUNT]);
/* They were offered. */
void finding_detected_told(struct findings *f, struct finding *d);
uint64_t finding_signs(const struct findings *f, const struct finding *d);
unsigned finding_severity(const struct findings *f, const struct finding *d);
void finding_restore_detected(struct findings *f, uint32_t index, const struct row_finding *r);

#endif

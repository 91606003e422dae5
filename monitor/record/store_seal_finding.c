/* Findings with what was detected in them, as records of seals. */
#include <string.h>

#include "record/store_bind.h"
#include "record/store_schema.h"

static const char *word_of(const struct row_detection *d)
{
	return detect_word(d->what)->word;
}

static void add_detections(struct seal_image *m, struct store *s, const struct row_finding *r)
{
	const struct row_detection *sorted[DETECT_COUNT] = {NULL};
	const unsigned count = r->detection_count <= DETECT_COUNT ? r->detection_count : DETECT_COUNT;
	/* By their words: few, and often so already. */
	for (unsigned i = 0; i < count; i++) {
		unsigned at = i;
		for (; at > 0 && strcmp(word_of(sorted[at - 1]), word_of(&r->detections[i])) > 0; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = &r->detections[i];
	}
	for (unsigned i = 0; i < count; i++) {
		struct cell cells[STORE_DETECTION_CELLS];
		store_detection_cells(s, sorted[i], cells);
		seal_image_cells(m, cells, STORE_DETECTION_CELLS);
	}
}

int store_seal_finding(struct store *s, const struct row_finding *r)
{
	struct seal_image m;
	struct row_cells row;
	uint8_t hash[STORE_SEAL_HASH];
	store_finding_cells(s, r, &row);
	row.cells[STORE_FINDING_CELLS] = (struct cell){.kind = CELL_INT, .value = r->id};
	seal_image_begin(&m);
	seal_image_cells(&m, row.cells, STORE_FINDING_CELLS + 1);
	if (r->detection_count > 0)
		add_detections(&m, s, r);
	seal_image_end(&m, hash);
	return store_seal_add(s, -r->id, hash);
}

int store_seal_finding_stored(sqlite3_stmt *row, int column, int64_t id, sqlite3_stmt *detections, uint8_t ret[STORE_SEAL_HASH])
{
	const struct cell last = {.kind = CELL_INT, .value = id};
	struct seal_image m;
	int code;
	seal_image_begin(&m);
	seal_image_stored(&m, row, column, STORE_FINDING_CELLS);
	seal_image_cells(&m, &last, 1);
	sqlite3_bind_int64(detections, 1, id);
	while ((code = sqlite3_step(detections)) == SQLITE_ROW)
		seal_image_stored(&m, detections, 0, STORE_DETECTION_CELLS);
	sqlite3_reset(detections);
	seal_image_end(&m, ret);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

int store_seal_findings(struct store *s, const char *sql)
{
	sqlite3_stmt *row = NULL, *detections = NULL;
	int code = sqlite3_prepare_v2(s->db, sql, -1, &row, NULL), r = 0;
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(s->db, STORE_SEAL_DETECTIONS, -1, &detections, NULL);
	while (code == SQLITE_OK && r == 0 && (code = sqlite3_step(row)) == SQLITE_ROW) {
		const int64_t id = sqlite3_column_int64(row, STORE_FINDING_CELLS);
		uint8_t hash[STORE_SEAL_HASH];
		code = store_seal_finding_stored(row, 0, id, detections, hash);
		if (code == SQLITE_OK)
			r = store_seal_add(s, -id, hash);
	}
	if (r == 0 && code != SQLITE_DONE)
		r = store_fail(s, code);
	sqlite3_finalize(row);
	sqlite3_finalize(detections);
	return r;
}

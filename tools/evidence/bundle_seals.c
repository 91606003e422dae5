/* The rows of the transfers as their hashes are made of them, and what the ledger
 * vouches for: so that also transfers.json can be held against the signed root. */
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "evidence/bundle.h"

#define RECORD (8u + CUSTODY_SEAL)

struct row {
	int64_t id, entry;              /* entry -1: none found */
	uint8_t hash[CUSTODY_SEAL];
};

struct seals {
	struct bundle *b;
	struct row *row;                /* by id */
	size_t rows, open;              /* open: without an entry */
	FILE *out;
	struct json json;
	char *text;                     /* base64 */
	size_t room;
	uint64_t changed;
};

/* --- rows.jsonl --- */

/* A text that is none in UTF-8 stands in hex: JSON could not give it back. */
static bool is_utf8(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		const uint8_t c = (uint8_t)s[i];
		const size_t more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 4;
		if (c == 0 || more == 4 || i + more >= n)
			return false;
		for (size_t k = 1; k <= more; k++)
			if (((uint8_t)s[i + k] & 0xc0) != 0x80)
				return false;
		const uint8_t next = more > 0 ? (uint8_t)s[i + 1] : 0;
		if ((c == 0xe0 && next < 0xa0) || (c == 0xed && next > 0x9f) || (c == 0xf0 && next < 0x90) || (c == 0xf4 && next > 0x8f))
			return false;
		i += 1 + more;
	}
	return true;
}

static int put_cell(struct json *j, const struct custody_cell *c)
{
	if (c->type == CUSTODY_NULL) {
		json_raw(j, c->name, "null");
	} else if (c->type == CUSTODY_INT) {
		json_int(j, c->name, c->number);
	} else if (is_utf8(c->text, c->bytes)) {
		json_str(j, c->name, c->text);
	} else {
		char *hex = malloc(2 * c->bytes + 1);
		if (hex == NULL)
			return ERR_NOMEM;
		json_object(j, c->name);
		json_str(j, "hex", sodium_bin2hex(hex, 2 * c->bytes + 1, (const uint8_t *)c->text, c->bytes));
		json_object_end(j);
		free(hex);
	}
	return 0;
}

static int put_row(void *ctx, const struct custody_row *row)
{
	struct seals *s = ctx;
	struct json *j = &s->json;
	char hex[2 * CUSTODY_SEAL + 1];
	int code = 0;
	if ((s->rows & (s->rows - 1)) == 0) {
		struct row *more = reallocarray(s->row, s->rows == 0 ? 1 : 2 * s->rows, sizeof *more);
		if (more == NULL)
			return ERR_NOMEM;
		s->row = more;
	}
	struct row *mine = &s->row[s->rows++];
	mine->id = row->id;
	mine->entry = -1;
	memcpy(mine->hash, row->hash, sizeof mine->hash);
	json_reset(j);
	json_object(j, NULL);
	json_str(j, "hash", sodium_bin2hex(hex, sizeof hex, row->hash, sizeof row->hash));
	json_object(j, "row");
	for (unsigned i = 0; i < CUSTODY_CELLS && code == 0; i++)
		code = put_cell(j, &row->cell[i]);
	json_object_end(j);
	json_object_end(j);
	const char *line = json_text(j);
	if (code != 0 || line == NULL)
		return ERR_NOMEM;
	fprintf(s->out, "%s\n", line);
	return bundle_stopped() ? bundle_fail(s->b, ERR_AGAIN, "told to end") : 0;
}

/* --- seals.jsonl --- */

static int64_t id_of(const uint8_t *record)
{
	uint64_t id = 0;
	for (unsigned i = 0; i < 8; i++)
		id = id << 8 | record[i];
	return (int64_t)id;
}

static int by_id(const void *key, const void *row)
{
	const int64_t a = *(const int64_t *)key, b = ((const struct row *)row)->id;
	return a < b ? -1 : a > b;
}

static struct row *row_of(const struct seals *s, int64_t id)
{
	return s->rows > 0 ? bsearch(&id, s->row, s->rows, sizeof *s->row, by_id) : NULL;
}

static int put_seal(struct seals *s, int64_t entry, const void *rows, size_t bytes)
{
	const size_t need = sodium_base64_encoded_len(bytes, sodium_base64_VARIANT_ORIGINAL);
	if (need > s->room) {
		char *more = realloc(s->text, need);
		if (more == NULL)
			return ERR_NOMEM;
		s->text = more;
		s->room = need;
	}
	sodium_bin2base64(s->text, s->room, rows, bytes, sodium_base64_VARIANT_ORIGINAL);
	fprintf(s->out, "{\"seq\":%" PRId64 ",\"rows\":\"%s\"}\n", entry, s->text);
	s->b->seal[s->b->seals++] = entry;
	return 0;
}

/* The newest record of an id holds: seals come newest first, so within one from its end. */
static int take_seal(void *ctx, int64_t entry, const void *rows, size_t bytes)
{
	struct seals *s = ctx;
	bool used = false;
	for (size_t at = bytes / RECORD; at > 0; at--) {
		const uint8_t *record = (const uint8_t *)rows + (at - 1) * RECORD;
		struct row *row = row_of(s, id_of(record));
		if (row == NULL || row->entry >= 0)
			continue;
		row->entry = entry;
		s->changed += memcmp(row->hash, record + 8, sizeof row->hash) != 0;
		s->open--;
		used = true;
	}
	const int code = used ? put_seal(s, entry, rows, bytes) : 0;
	if (code != 0 || bundle_stopped())
		return code != 0 ? code : bundle_fail(s->b, ERR_AGAIN, "told to end");
	return s->open == 0 || s->b->seals == BUNDLE_SEALS ? CUSTODY_ENOUGH : 0;
}

static int add_file(struct seals *s, const char *name, const char *what, bool seals)
{
	int code = bundle_open(s->b, name, what, &s->out);
	if (code != 0)
		return code;
	code = seals ? store_read_custody_seals(s->b->reader, take_seal, s) : store_read_custody_rows(s->b->reader, &s->b->of, put_row, s);
	const int closed = bundle_close(s->b, s->out);
	return code != 0 ? code : closed;
}

int bundle_add_seals(struct bundle *b)
{
	struct seals s = {.b = b};
	json_init(&s.json);
	int code = add_file(&s, "rows.jsonl", "the same transfers, once they ended, as the ledger vouches for them: garita-ledger(5)", false);
	s.open = s.rows;
	if (code == 0)
		code = add_file(&s, "seals.jsonl", "hashes of those rows (and of others), whose own hashes are in the ledger", true);
	if (code == 0 && s.changed > 0)
		bundle_problem(b, "transfer-changed", "%" PRIu64 " transfers are not what the ledger says that they were", s.changed);
	if (code == 0 && s.open > 0)
		bundle_note(b, "transfers-not-sealed", "%zu transfers are not in an entry of the ledger yet (or in older ones than the last"
		            " %u that hold any): nothing vouches for them here", s.open, BUNDLE_SEALS);
	json_done(&s.json);
	free(s.row);
	free(s.text);
	return code;
}

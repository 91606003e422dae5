/* What is in it, and what a reader has to know: manifest.json and SHA256SUMS. */
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "base/json.h"
#include "evidence/bundle.h"

static void put_hash(struct json *j, const char *key, const uint8_t hash[32], bool there)
{
	char hex[65];
	if (there)
		json_str(j, key, sodium_bin2hex(hex, sizeof hex, hash, 32));
}

static void put_segments(struct json *j, const struct bundle *b)
{
	json_array(j, "segments");
	for (size_t i = 0; i < b->files; i++) {
		const struct bundle_file *f = &b->file[i];
		json_object(j, NULL);
		json_str(j, "path", f->path);
		json_str(j, "state", custody_state_word(f->row.state));
		put_hash(j, "sha256_recorded", f->recorded, f->has_recorded);
		put_hash(j, "sha256_found", f->found, f->has_found && f->row.state == CUSTODY_CLOSED);
		if (f->row.entry >= 0)
			json_int(j, "ledger_entry", f->row.entry);
		if (f->row.state == CUSTODY_EVICTED)
			json_uint(j, "packets_evicted", f->row.part_packets);
		else
			json_uint(j, "packets_recorded", f->wanted);
		json_uint(j, "packets_taken", f->packets);
		json_uint(j, "packets_missed", f->row.missed);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_parts(struct json *j, const struct bundle *b)
{
	json_array(j, "packets_of_transfers");
	for (size_t i = 0; i < b->parts; i++) {
		const struct bundle_part *p = &b->part[i];
		json_object(j, NULL);
		json_int(j, "transfer", p->transfer);
		for (size_t n = 0; n < b->files; n++)
			if (b->file[n].row.id == p->file)
				json_str(j, "segment", b->file[n].path);
		json_uint(j, "recorded", p->wanted);
		json_uint(j, "taken", p->found);
		json_uint(j, "missed", p->missed);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_problems(struct json *j, const struct bundle *b, const char *key, bool notes)
{
	json_array(j, key);
	for (unsigned i = 0; i < b->problems; i++) {
		if (b->problem[i].note != notes)
			continue;
		json_object(j, NULL);
		json_str(j, "word", b->problem[i].word);
		json_str(j, "text", b->problem[i].text);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_files(struct json *j, const struct bundle *b)
{
	json_array(j, "files");
	for (unsigned i = 0; i < b->members; i++) {
		const struct bundle_member *m = &b->member[i];
		json_object(j, NULL);
		json_str(j, "name", m->name);
		json_uint(j, "bytes", m->bytes);
		put_hash(j, "sha256", m->sha256, true);
		json_str(j, "what", m->what);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_manifest(struct json *j, const struct bundle *b)
{
	json_object(j, NULL);
	json_str(j, "made_by", "garita " GARITA_VERSION);
	json_str(j, "sensor", b->sensor);
	if (b->of.transfer != 0)
		json_int(j, "transfer", b->of.transfer);
	if (b->finding != 0)
		json_int(j, "finding", b->finding);
	json_uint(j, "transfers", b->transfers);
	json_uint(j, "packets", b->packets);
	json_uint(j, "packet_bytes", b->bytes);
	json_uint(j, "packets_missed", b->missed);
	json_uint(j, "packets_evicted", b->evicted);
	json_uint(j, "ledger_entries", b->entries);
	json_uint(j, "ledger_entries_proven", b->proven);
	json_uint(j, "checkpoint_size", b->checkpoint);
	put_problems(j, b, "problems", false);
	put_problems(j, b, "notes", true);
	put_segments(j, b);
	put_parts(j, b);
	put_files(j, b);
	json_object_end(j);
}

static int write_sums(struct bundle *b)
{
	FILE *f = NULL;
	const unsigned members = b->members;
	const int code = bundle_open(b, "SHA256SUMS", "SHA-256 of every other file", &f);
	if (code != 0)
		return code;
	for (unsigned i = 0; i < members; i++) {
		char hex[65];
		fprintf(f, "%s  %s\n", sodium_bin2hex(hex, sizeof hex, b->member[i].sha256, 32), b->member[i].name);
	}
	return bundle_close(b, f);
}

int bundle_add_manifest(struct bundle *b)
{
	struct json j;
	FILE *f = NULL;
	json_init(&j);
	put_manifest(&j, b);
	const char *text = json_text(&j);
	int code = text != NULL ? bundle_open(b, "manifest.json", "what is in here, where it came from, what is missing or wrong", &f)
	                        : ERR_NOMEM;
	if (code == 0) {
		fprintf(f, "%s\n", text);
		code = bundle_close(b, f);
	}
	json_done(&j);
	return code == 0 ? write_sums(b) : code;
}

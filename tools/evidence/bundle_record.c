/* What the record says: the finding, its transfers, the policies that judged them. */
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/bundle.h"
#include "transfer_fields.h"

/* --- transfers --- */

struct transfers {
	struct bundle *b;
	FILE *out;
	struct json json;
};

static int put_transfer(void *ctx, const struct stored_transfer *t)
{
	struct transfers *p = ctx;
	struct transfer_fields f;
	transfer_fields(t, &f);
	json_reset(&p->json);
	transfer_json(&f, &p->json);
	const char *line = json_text(&p->json);
	if (line == NULL)
		return ERR_NOMEM;
	fprintf(p->out, "%s%s", p->b->transfers > 0 ? ",\n" : "", line);
	p->b->transfers++;
	if (p->b->finding == 0)
		p->b->finding = t->row.finding;
	return bundle_stopped() ? bundle_fail(p->b, ERR_AGAIN, "told to end") : 0;
}

static int add_transfers(struct bundle *b)
{
	struct transfers p = {.b = b};
	const struct store_filter filter = {.id = b->of.transfer, .finding = b->of.finding};
	int code = bundle_open(b, "transfers.json", "the transfers, as `garita transfers --format json` prints them: garita(1)", &p.out);
	if (code != 0)
		return code;
	json_init(&p.json);
	b->finding = b->of.finding;
	fputs("[\n", p.out);
	code = store_read_transfers(b->reader, &filter, put_transfer, &p);
	fputs("\n]\n", p.out);
	json_done(&p.json);
	const int closed = bundle_close(b, p.out);
	return code != 0 ? code : closed;
}

/* --- the finding --- */

struct finding {
	struct json json;
	bool found;
};

static int put_finding(void *ctx, const struct stored_finding *s)
{
	struct finding *p = ctx;
	struct transfer_fields f;
	finding_fields(s, &f);
	transfer_json_keys(&f, &p->json);
	p->found = true;
	return 0;
}

static int put_detection(void *ctx, const struct stored_detection *d)
{
	struct json *j = &((struct finding *)ctx)->json;
	json_object(j, NULL);
	json_str(j, "detection", d->word);
	json_str(j, "detail", d->detail);
	json_uint(j, "score", d->score);
	json_uint(j, "count", d->count);
	json_uint(j, "bytes_out", d->bytes_out);
	json_time(j, "first", d->first_us);
	json_time(j, "last", d->last_us);
	json_object_end(j);
	return 0;
}

static int write_finding(struct bundle *b, struct finding *p)
{
	FILE *out = NULL;
	json_object_end(&p->json);
	const char *text = json_text(&p->json);
	if (text == NULL)
		return ERR_NOMEM;
	const int code = bundle_open(b, "finding.json", "the finding, with what was detected", &out);
	if (code != 0)
		return code;
	fprintf(out, "%s\n", text);
	return bundle_close(b, out);
}

static int add_finding(struct bundle *b)
{
	struct finding p = {.found = false};
	const struct finding_filter filter = {.id = b->finding};
	if (b->finding == 0)
		return 0;
	json_init(&p.json);
	json_object(&p.json, NULL);
	int code = store_read_findings(b->reader, &filter, put_finding, &p);
	json_array(&p.json, "detected");
	if (code == 0)
		code = store_read_detections(b->reader, b->finding, put_detection, &p);
	json_array_end(&p.json);
	if (code == 0 && p.found)
		code = write_finding(b, &p);
	json_done(&p.json);
	return code == 0 && !p.found ? ERR_NOTFOUND : code;
}

/* --- policies --- */

static int put_policy(void *ctx, const struct row_policy *p)
{
	struct bundle *b = ctx;
	char name[BUNDLE_NAME_MAX], hex[2 * 32 + 1];
	uint8_t hash[32];
	FILE *out = NULL;
	if (strspn(p->hash, "0123456789abcdef") != 64 || strlen(p->hash) != 64) {
		bundle_problem(b, "policy-hash", "the record holds a policy whose hash is none");
		return 0;
	}
	if (p->text == NULL) {
		bundle_problem(b, "policy-missing", "the text of policy %.12s is not in the record", p->hash);
		return 0;
	}
	crypto_generichash(hash, sizeof hash, (const unsigned char *)p->text, strlen(p->text), NULL, 0);
	sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
	if (strcmp(hex, p->hash) != 0)
		bundle_problem(b, "policy-changed", "the text of policy %.12s does not have that hash", p->hash);
	snprintf(name, sizeof name, "policy/%s.yaml", p->hash);
	const int code = bundle_open(b, name, "a site.yaml that judged these transfers; its name is the BLAKE2b-256 of it", &out);
	if (code != 0)
		return code;
	fputs(p->text, out);
	return bundle_close(b, out);
}

int bundle_add_records(struct bundle *b)
{
	struct stored_folded folded = {0};
	int code = add_transfers(b);
	if (code == 0 && b->of.finding == 0 && b->transfers == 0 && b->parts == 0)
		return ERR_NOTFOUND;
	if (code == 0)
		code = add_finding(b);
	if (code == 0)
		code = store_read_custody_policies(b->reader, &b->of, put_policy, b);
	if (code == 0 && b->of.finding != 0) {
		const struct store_filter filter = {.finding = b->of.finding};
		code = store_read_folded(b->reader, &filter, &folded);
	}
	if (code == 0 && folded.transfers > 0)
		bundle_note(b, "transfers-folded", "%" PRIu64 " older transfers of it are in the record as sums alone, and not in"
		            " transfers.json", folded.transfers);
	return code;
}

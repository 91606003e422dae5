/* All parts of the page as one JSON object. */
#include <stdio.h>
#include <string.h>

#include "show.h"
#include "transfer_fields.h"

static void json_severity(struct json *j, const struct severity *s)
{
	static const char *const terms[] = {
		[SEVERITY_UNAPPROVED] = "unapproved", [SEVERITY_REASON] = "reason", [SEVERITY_DETECTION] = "detection",
		[SEVERITY_BYTES] = "bytes", [SEVERITY_PEER_OPENED] = "peer-opened",
		[SEVERITY_UNKNOWN_EQUIPMENT] = "unknown-equipment", [SEVERITY_COUNTRY] = "country"};
	json_array(j, "severity_terms");
	for (unsigned i = 0; i < s->count; i++) {
		const struct severity_item *t = &s->item[i];
		json_object(j, NULL);
		json_str(j, "term", terms[t->term]);
		if (t->term == SEVERITY_REASON)
			json_str(j, "word", reason_word((enum reason)t->which));
		if (t->term == SEVERITY_DETECTION)
			json_str(j, "word", detect_word((enum detection)t->which)->word);
		json_uint(j, "points", t->points);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_detections(struct json *j, const struct finding_page *g)
{
	char attack[ATTACK_MAX];
	json_array(j, "detected");
	for (unsigned i = 0; i < g->detection_count; i++) {
		const struct page_detection *d = &g->detections[i];
		json_object(j, NULL);
		json_str(j, "word", d->word);
		json_uint(j, "score", d->score);
		json_uint(j, "count", d->count);
		json_time(j, "first", d->first_us);
		json_time(j, "last", d->last_us);
		if (d->bytes_out > 0)
			json_uint(j, "bytes_out", d->bytes_out);
		json_str(j, "detail", d->detail[0] != '\0' ? d->detail : NULL);
		if (d->what >= 0)
			json_raw(j, "attack", attack_json(detect_bit((enum detection)d->what), attack));
		json_object_end(j);
	}
	json_array_end(j);
}

/* --- who, to whom, what --- */

static void json_amount(struct json *j, const struct page_amount *a)
{
	json_uint(j, "transfers", a->transfers);
	json_uint(j, "ip_bytes_out", a->out);
	json_uint(j, "ip_bytes_in", a->in);
	json_object_end(j);
}

static const char *or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static void json_ends(struct json *j, const struct show *s)
{
	const struct finding_page *g = s->g;
	json_str(j, "vendor", or_null(g->of.vendor));
	json_str(j, "network", or_null(g->of.network));
	json_str(j, "src_mac", or_null(g->of.mac));
	json_str(j, "src_ip", or_null(g->of.address));
	for (size_t i = 0; s->config != NULL && i < s->config->equipment_count; i++) {
		const struct config_equipment *e = &s->config->equipment[i];
		if (strcmp(e->id, g->finding.row.equipment) != 0)
			continue;
		json_str(j, "model", e->model);
		json_str(j, "place", e->place);
	}
	json_str(j, "city", g->finding.row.several ? NULL : or_null(g->of.city));
	json_array(j, "addresses");
	for (unsigned i = 0; i < g->address_count; i++) {
		json_object(j, NULL);
		json_str(j, "address", g->addresses[i].text);
		json_amount(j, &g->addresses[i].amount);
	}
	json_array_end(j);
	json_array(j, "places");
	for (unsigned i = 0; i < g->place_count; i++) {
		json_object(j, NULL);
		json_str(j, "country", or_null(g->places[i].country));
		if (g->places[i].asn != 0)
			json_uint(j, "asn", g->places[i].asn);
		json_str(j, "as_org", or_null(g->places[i].as_org));
		json_str(j, "provider", or_null(g->places[i].provider));
		json_str(j, "jurisdiction", or_null(g->places[i].jurisdiction));
		json_amount(j, &g->places[i].amount);
	}
	json_array_end(j);
	json_array(j, "names");
	for (unsigned i = 0; i < g->name_count; i++) {
		json_object(j, NULL);
		json_str(j, "name", g->names[i].name);
		json_str(j, "source", store_host_word(g->names[i].source));
		json_bool(j, "verified", g->names[i].verified);
		json_amount(j, &g->names[i].amount);
	}
	json_array_end(j);
}

static void json_what(struct json *j, const struct finding_page *g)
{
	json_array(j, "apps");
	for (unsigned i = 0; i < g->app_count; i++) {
		const struct page_app *a = &g->apps[i];
		json_object(j, NULL);
		json_str(j, "app_proto", or_null(a->app));
		json_str(j, "proto", or_null(a->proto));
		if (a->port >= 0)
			json_int(j, "port", a->port);
		if (a->encrypted >= 0)
			json_bool(j, "encrypted", a->encrypted > 0);
		json_amount(j, &a->amount);
	}
	json_array_end(j);
	json_array(j, "content");
	for (unsigned i = 0; i < g->word_count; i++) {
		json_object(j, NULL);
		json_str(j, "word", g->words[i].word);
		json_str(j, "detail", or_null(g->words[i].detail));
		json_amount(j, &g->words[i].amount);
	}
	json_array_end(j);
	json_array(j, "channel");
	for (unsigned i = 0; i < g->channel_count; i++) {
		json_object(j, NULL);
		json_str(j, "kind", g->channels[i].kind);
		json_str(j, "name", or_null(g->channels[i].name));
		json_str(j, "provider", or_null(g->channels[i].provider));
		json_amount(j, &g->channels[i].amount);
	}
	json_array_end(j);
}

/* --- over time --- */

static void json_bins(struct json *j, const char *key, const double bins[PAGE_BINS])
{
	json_array(j, key);
	for (unsigned i = 0; i < PAGE_BINS; i++)
		json_uint(j, NULL, bins[i] > 0 ? (uint64_t)(bins[i] + 0.5) : 0);
	json_array_end(j);
}

static void json_timeline(struct json *j, const struct show *s)
{
	const struct row_finding *r = &s->g->finding.row;
	json_object(j, "timeline");
	json_time(j, "start", r->first_us);
	json_time(j, "end", r->last_us);
	json_str(j, "timezone", s->tz != NULL ? s->config->timezone : NULL);
	json_bins(j, "ip_bytes_out", s->g->bins_out);
	json_bins(j, "ip_bytes_in", s->g->bins_in);
	json_object_end(j);
	json_uint(j, "packets_out", s->g->packets_out);
	json_uint(j, "packets_in", s->g->packets_in);
	json_uint(j, "payload_bytes_out", s->g->payload_out);
	json_uint(j, "payload_bytes_in", s->g->payload_in);
	json_uint(j, "folded", s->g->folded.transfers);
	if (s->g->collapsed > 0)
		json_uint(j, "collapsed", s->g->collapsed);
}

static void json_ids(struct json *j, const char *key, const struct page_neighbours *n)
{
	char count[32];
	json_array(j, key);
	for (unsigned i = 0; i < n->shown; i++)
		json_int(j, NULL, n->worst[i].id);
	json_array_end(j);
	snprintf(count, sizeof count, "%s_count", key);
	json_int(j, count, n->count);
}

/* Of a transfer: its id, and what is of its finding under names that say so. */
static void of_transfer(struct json *j, const struct show *s, struct transfer_fields *f)
{
	const int64_t finding = s->g->finding.row.id;
	json_int(j, "transfer", s->id);
	if (finding != 0)
		json_int(j, "finding", finding);
	for (unsigned i = 0; i < f->count; i++)
		if (strcmp(f->field[i].key, "id") == 0 || (finding == 0 && strcmp(f->field[i].key, "severity") == 0))
			f->field[i].kind = FIELD_ABSENT;
}

int show_json(const struct show *s)
{
	const struct finding_page *g = s->g;
	struct transfer_fields f;
	struct json j;
	char buf[1600];
	json_init(&j);
	json_object(&j, NULL);
	finding_fields(&g->finding, &f);
	if (g->one)
		of_transfer(&j, s, &f);
	transfer_json_keys(&f, &j);
	json_bool(&j, "emptied", g->emptied);
	json_str(&j, "sentence", g->emptied ? NULL : show_sentence(s, buf, sizeof buf));
	json_severity(&j, &g->severity);
	json_detections(&j, g);
	json_ends(&j, s);
	json_what(&j, g);
	json_timeline(&j, s);
	json_array(&j, "largest");
	for (unsigned i = 0; i < g->largest_count; i++)
		json_int(&j, NULL, g->largest[i].id);
	json_array_end(&j);
	json_ids(&j, "same_peer", &g->same_peer);
	json_ids(&j, "same_equipment", &g->same_equipment);
	show_policy_json(s, &j);
	show_record_json(s, &j);
	json_object_end(&j);
	const char *line = json_text(&j);
	const int code = line == NULL ? ERR_NOMEM : puts(line) >= 0 ? 0 : ERR_IO;
	json_done(&j);
	return code;
}

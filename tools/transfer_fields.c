#include "transfer_fields.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format.h"

static struct field *add(struct transfer_fields *f, const char *key, enum field_kind kind)
{
	assert(f->count < TRANSFER_FIELDS);
	struct field *field = &f->field[f->count++];
	*field = (struct field){.key = key, .kind = kind};
	return field;
}

static void add_text(struct transfer_fields *f, const char *key, const char *text)
{
	add(f, key, text != NULL ? FIELD_TEXT : FIELD_ABSENT)->text = text;
}

static void add_json(struct transfer_fields *f, const char *key, const char *text)
{
	add(f, key, text != NULL ? FIELD_JSON : FIELD_ABSENT)->text = text;
}

static void add_number(struct transfer_fields *f, const char *key, enum field_kind kind, int64_t number)
{
	add(f, key, kind)->number = number;
}

static void add_int(struct transfer_fields *f, const char *key, bool there, uint64_t number)
{
	add_number(f, key, there ? FIELD_INT : FIELD_ABSENT, (int64_t)number);
}

static void add_head(struct transfer_fields *f, const struct row_transfer *r)
{
	const uint16_t *vlan = r->ident.vlan;
	if (r->ident.vlan_count == 1)
		snprintf(f->vlan, sizeof f->vlan, "[%u]", vlan[0]);
	else if (r->ident.vlan_count > 1)
		snprintf(f->vlan, sizeof f->vlan, "[%u,%u]", vlan[0], vlan[1]);
	add_int(f, "id", true, (uint64_t)r->id);
	add_int(f, "finding", r->finding != 0, (uint64_t)r->finding);
	add_number(f, "start", FIELD_TIME, r->start_us);
	add_number(f, "end", FIELD_TIME, r->end_us);
	add_text(f, "state", store_state_word(r->state));
	add_json(f, "vlan", r->ident.vlan_count > 0 ? f->vlan : NULL);
	add_text(f, "equipment", r->equipment);
	add_text(f, "vendor", r->vendor);
}

static void add_ends(struct transfer_fields *f, const struct stored_transfer *t)
{
	static const struct mac none = {{0}};
	const struct flow_ident *d = &t->row.ident;
	add_text(f, "src_mac", mac_eq(&d->inside_mac, &none) ? NULL : mac_text(&d->inside_mac, f->src_mac));
	add_text(f, "src_ip", addr_text(&d->inside, f->src_ip));
	add_int(f, "src_port", t->has_ports, d->inside_port);
	add_text(f, "dest_ip", addr_text(&d->peer, f->dest_ip));
	add_int(f, "dest_port", t->has_ports, d->peer_port);
	add_text(f, "proto", store_proto_word(d->proto, f->proto));
	add_text(f, "initiator", store_initiator_word(t->row.initiator));
}

static void add_inspection(struct transfer_fields *f, const struct row_transfer *r)
{
	add_text(f, "app_proto", r->app);
	add_text(f, "app_category", r->category);
	add_number(f, "encrypted", r->inspected ? FIELD_BOOL : FIELD_ABSENT, r->encrypted);
	add_text(f, "hostname", r->hostname);
	add_text(f, "hostname_source", store_host_word(r->hostname_source));
	add_number(f, "hostname_verified", r->hostname != NULL ? FIELD_BOOL : FIELD_ABSENT, r->hostname_verified);
	add_text(f, "ja3", r->ja3);
	add_text(f, "ja4", r->ja4);
	add_text(f, "country", r->country);
	add_text(f, "city", r->city);
	add_int(f, "asn", r->asn != 0, r->asn);
	add_text(f, "as_org", r->as_org);
	add_text(f, "jurisdiction", r->jurisdiction);
}

static void add_counts(struct transfer_fields *f, const struct flow_counts *c)
{
	add_int(f, "ip_bytes_out", true, c->ip_bytes_out);
	add_int(f, "ip_bytes_in", true, c->ip_bytes_in);
	add_int(f, "payload_bytes_out", true, c->payload_bytes_out);
	add_int(f, "payload_bytes_in", true, c->payload_bytes_in);
	add_int(f, "packets_out", true, c->packets_out);
	add_int(f, "packets_in", true, c->packets_in);
}

static const char *community_of(const struct stored_transfer *t, char buf[COMMUNITY_ID_MAX])
{
	const struct flow_ident *d = &t->row.ident;
	const struct community_id c = {.src = d->inside, .dest = d->peer, .proto = d->proto, .has_ports = t->has_ports,
	                               .src_port = d->inside_port, .dest_port = d->peer_port};
	return community_id(&c, buf);
}

/* What was detected over time is of the finding alone. */
static uint64_t behaviour(void)
{
	uint64_t bits = 0;
	for (unsigned d = 0; d < DETECT_COUNT; d++)
		if (detect_word((enum detection)d)->group == DETECT_BEHAVIOUR)
			bits |= detect_bit((enum detection)d);
	return bits;
}

const char *attack_json(uint64_t signs, char buf[ATTACK_MAX])
{
	size_t used = 1;
	buf[0] = '[';
	buf[1] = '\0';
	for (unsigned d = 0; d < DETECT_COUNT; d++) {
		if ((signs & detect_bit((enum detection)d)) == 0)
			continue;
		for (const char *p = detect_word((enum detection)d)->attack; *p != '\0';) {
			const size_t n = strcspn(p, ", ");
			char id[24];
			snprintf(id, sizeof id, "\"%.*s\"", (int)n, p);
			if (strstr(buf, id) == NULL && used + n + 5 < ATTACK_MAX)
				used += (size_t)snprintf(buf + used, ATTACK_MAX - used, "%s%s", used > 1 ? "," : "", id);
			p += n + strspn(p + n, ", ");
		}
	}
	if (used == 1)
		return NULL;
	memcpy(buf + used, "]", 2);
	return buf;
}

void transfer_fields(const struct stored_transfer *t, struct transfer_fields *ret)
{
	const struct row_transfer *r = &t->row;
	ret->count = 0;
	add_head(ret, r);
	add_ends(ret, t);
	add_inspection(ret, r);
	add_counts(ret, &r->counts);
	add_json(ret, "content", r->content);
	add_text(ret, "verdict", verdict_word(r->verdict));
	add_text(ret, "approval", r->approval);
	add_json(ret, "reasons", t->reasons);
	add_json(ret, "detections", t->signs);
	add_json(ret, "attack", attack_json(r->signs | (t->finding_signs & behaviour()), ret->attack));
	add_int(ret, "severity", t->severity >= 0, (uint64_t)t->severity);
	add_text(ret, "community_id", community_of(t, ret->community));
	add_int(ret, "collapsed", r->collapsed != 0, r->collapsed);
	add_text(ret, "network", r->network);
	add_json(ret, "channel", r->channels);
	add_text(ret, "provider", r->provider);
	add_text(ret, "policy", r->policy_hash);
}

void transfer_json(const struct transfer_fields *f, struct json *j)
{
	json_object(j, NULL);
	transfer_json_keys(f, j);
	json_object_end(j);
}

void transfer_json_keys(const struct transfer_fields *f, struct json *j)
{
	for (unsigned i = 0; i < f->count; i++) {
		const struct field *field = &f->field[i];
		switch (field->kind) {
		case FIELD_ABSENT:
			break;
		case FIELD_TEXT:
			json_str(j, field->key, field->text);
			break;
		case FIELD_INT:
			json_int(j, field->key, field->number);
			break;
		case FIELD_BOOL:
			json_bool(j, field->key, field->number != 0);
			break;
		case FIELD_TIME:
			json_time(j, field->key, field->number);
			break;
		case FIELD_JSON:
			json_raw(j, field->key, field->text);
			break;
		}
	}
}

const char *transfer_flat(const char *json, char *buf, size_t size)
{
	size_t n = 0;
	if (strpbrk(json, "{}\\") != NULL)
		return json;
	for (const char *p = json; *p != '\0' && n + 1 < size; p++) {
		if (*p == ',')
			buf[n++] = ' ';
		else if (strchr("[]\"", *p) == NULL)
			buf[n++] = *p;
	}
	buf[n] = '\0';
	return buf;
}

void transfer_csv_head(const struct transfer_fields *f)
{
	for (unsigned i = 0; i < f->count; i++)
		format_csv(stdout, f->field[i].key, i == 0);
	fputs("\r\n", stdout);
}

int transfer_csv(const struct transfer_fields *f)
{
	for (unsigned i = 0; i < f->count; i++) {
		const struct field *field = &f->field[i];
		char buf[TIME_TEXT_MAX > 1024 ? TIME_TEXT_MAX : 1024];
		const char *value = NULL;
		if (field->kind == FIELD_TEXT)
			value = field->text;
		else if (field->kind == FIELD_JSON)
			value = transfer_flat(field->text, buf, sizeof buf);
		else if (field->kind == FIELD_TIME)
			value = time_text_utc(field->number, buf);
		else if (field->kind == FIELD_BOOL)
			value = field->number != 0 ? "true" : "false";
		else if (field->kind == FIELD_INT) {
			snprintf(buf, sizeof buf, "%" PRId64, field->number);
			value = buf;
		}
		format_csv(stdout, value, i == 0);
	}
	fputs("\r\n", stdout);
	return ferror(stdout) ? ERR_IO : 0;
}

/* due: only where a deadline runs. */
static void review_fields(const struct stored_finding *s, struct transfer_fields *f)
{
	const struct row_review *v = &s->review;
	const bool runs = v->due_us != 0 && v->state != REVIEW_CLOSED;
	add_text(f, "review_state", review_state_word(v->state));
	add_text(f, "disposition", review_disposition_word(v->disposition));
	add_text(f, "analyst", v->analyst);
	add_text(f, "note", v->note);
	add_number(f, "reviewed", v->analyst != NULL ? FIELD_TIME : FIELD_ABSENT, v->at_us);
	add_int(f, "reopened", v->reopened != 0, v->reopened);
	add_number(f, "due", runs ? FIELD_TIME : FIELD_ABSENT, v->due_us);
	add_number(f, "hold", v->hold ? FIELD_BOOL : FIELD_ABSENT, 1);
	add_int(f, "suppression", s->suppressed != 0, (uint64_t)s->suppressed);
}

void finding_fields(const struct stored_finding *s, struct transfer_fields *f)
{
	const struct row_finding *r = &s->row;
	const bool reasons = r->reasons != 0 || (s->reasons != NULL && strcmp(s->reasons, "[]") != 0);
	f->count = 0;
	add_int(f, "id", true, (uint64_t)r->id);
	add_int(f, "severity", true, r->severity);
	add_text(f, "state", r->closed ? "closed" : "open");
	add_number(f, "first", FIELD_TIME, r->first_us);
	add_number(f, "last", FIELD_TIME, r->last_us);
	add_text(f, "equipment", r->equipment);
	add_text(f, "peer", r->peer_name != NULL ? r->peer_name : s->address);
	add_text(f, "peer_kind", store_peer_word(r->kind));
	add_text(f, "dest_ip", s->address);
	add_number(f, "several_addresses", r->several ? FIELD_BOOL : FIELD_ABSENT, 1);
	add_text(f, "country", r->country);
	add_int(f, "asn", r->asn != 0, r->asn);
	add_text(f, "as_org", r->as_org);
	add_text(f, "verdict", verdict_word(reasons ? VERDICT_UNAPPROVED : VERDICT_APPROVED));
	add_json(f, "reasons", reasons ? s->reasons : NULL);
	add_json(f, "detections", s->signs);
	add_json(f, "attack", attack_json(r->signs, f->attack));
	add_number(f, "peer_opened", r->peer_opened ? FIELD_BOOL : FIELD_ABSENT, 1);
	add_number(f, "unknown_equipment", r->unknown_equipment ? FIELD_BOOL : FIELD_ABSENT, 1);
	add_int(f, "transfers", true, r->transfers);
	add_int(f, "ip_bytes_out", true, r->bytes_out);
	add_int(f, "ip_bytes_in", true, r->bytes_in);
	review_fields(s, f);
}

void sum_fields(const struct stored_sum *s, bool by_hour, struct transfer_fields *f)
{
	f->count = 0;
	add_number(f, "hour", by_hour ? FIELD_TIME : FIELD_ABSENT, s->hour_us);
	add_text(f, "span", s->month ? "month" : NULL);
	add_text(f, "equipment", s->equipment);
	add_text(f, "network", s->network);
	add_text(f, "dest_ip", s->dest_ip);
	add_text(f, "proto", s->month ? NULL : store_proto_word((uint8_t)s->proto, f->proto));
	add_int(f, "port", s->has_port, (uint64_t)s->port);
	add_text(f, "initiator", s->initiator);
	add_text(f, "app_proto", s->app);
	add_text(f, "hostname", s->hostname);
	add_text(f, "country", s->country);
	add_int(f, "asn", s->asn != 0, (uint64_t)s->asn);
	add_text(f, "as_org", s->as_org);
	add_text(f, "verdict", s->verdict);
	add_text(f, "approval", s->approval);
	add_json(f, "reasons", s->reasons);
	add_int(f, "finding", s->finding != 0, (uint64_t)s->finding);
	add_number(f, "start", FIELD_TIME, s->start_us);
	add_number(f, "end", FIELD_TIME, s->end_us);
	add_int(f, "transfers", true, s->transfers);
	add_int(f, "folded", true, s->folded);
	add_int(f, "collapsed", s->collapsed != 0, s->collapsed);
	add_int(f, "ip_bytes_out", true, s->ip_bytes_out);
	add_int(f, "ip_bytes_in", true, s->ip_bytes_in);
	add_int(f, "payload_bytes_out", true, s->payload_bytes_out);
	add_int(f, "payload_bytes_in", true, s->payload_bytes_in);
	add_int(f, "packets_out", true, s->packets_out);
	add_int(f, "packets_in", true, s->packets_in);
}

/* judge_channel.c - by what means a transfer goes: the channel lists are asked
 * whenever host name, label or content of it are news; what they name stands in
 * its row and becomes a sign. Flows of remote maintenance are kept together in
 * sessions. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "judge/judge_internal.h"

#define CHANNELS_TEXT_MAX 1200u

/* --- lists --- */

/* On an error the old ones stay. */
int judge_channels_load(struct judge *j, const struct config *cfg, char *err, size_t err_size)
{
	struct config_errors errors = {0};
	struct channels *fresh = NULL;
	bool found = false;
	const int e = channels_load(cfg, &fresh, &found, &errors);
	if (e != 0)
		snprintf(err, err_size, "channel lists: %s", errors.count > 0 ? errors.text[0] : err_str(e));
	config_errors_done(&errors);
	if (e != 0)
		return e;
	if (!found)
		log_warn("judge", "no channel lists are installed: only those that site.yaml names are in use");
	channels_free(j->channels);
	j->channels = fresh;
	judge_channels_forget(j);
	return 0;
}

/* The tags that were made last say nothing of other lists. */
void judge_channels_forget(struct judge *j)
{
	for (size_t i = 0; i < TAGS_KEPT; i++)
		intern_put(j->texts, j->tags[i].tag);
	memset(j->tags, 0, sizeof(j->tags));
}

/* --- one transfer --- */

static void query_of(const struct judge *j, const struct transfer *t, struct channel_query *q)
{
	const struct geo_place *where = where_of(j, t);
	*q = (struct channel_query){.host = text_of(j, t->host != 0 ? t->host : t->dns_name), .app = label_of(j, t)->app,
	                            .content = text_of(j, t->content), .peer = t->peer, .asn = where->asn, .proto = t->proto};
	/* the service's is the port of whoever was connected to */
	if (t->initiator != INITIATOR_PEER)
		q->port[0] = t->peer_port;
	if (t->initiator != INITIATOR_EQUIPMENT)
		q->port[1] = t->inside_port;
	q->by_port = t->final && transfer_counts(t).payload_bytes_out + transfer_counts(t).payload_bytes_in > 0;
}

static void hit_json(struct json *js, const struct channel_hit *h)
{
	json_object(js, NULL);
	json_str(js, "kind", detect_word(h->kind)->word);
	json_str(js, "name", h->channel->name);
	json_str(js, "provider", h->channel->provider);
	json_str(js, "bucket", h->bucket[0] != '\0' ? h->bucket : NULL);
	json_str(js, "region", h->region[0] != '\0' ? h->region : NULL);
	json_str(js, "by", channel_by_word(h->by));
	json_object_end(js);
}

/* "Alibaba Cloud OSS by host, bucket images, region cn-hangzhou, law CN" */
static void hit_detail(const struct channel_result *r, const struct channel_hit *h, char *buf, size_t size)
{
	size_t n = (size_t)snprintf(buf, size, "%s by %s", h->channel->name, channel_by_word(h->by));
	if (h->bucket[0] != '\0' && n < size)
		n += (size_t)snprintf(buf + n, size - n, ", bucket %.60s", h->bucket);
	if (h->region[0] != '\0' && n < size)
		n += (size_t)snprintf(buf + n, size - n, ", region %s", h->region);
	if (r->provider != NULL && n < size)
		snprintf(buf + n, size - n, ", under the law of %s", r->provider->jurisdiction);
}

/* Most channels say nothing of the transfer but themselves: their tags are made
 * once. NULL: this one says more. */
static struct kept_tag *kept_tag_of(struct judge *j, const struct channel_result *r)
{
	const struct channel_hit *h = &r->hit[0];
	if (r->count != 1 || h->bucket[0] != '\0' || h->region[0] != '\0')
		return NULL;
	return &j->tags[((uintptr_t)h->channel / sizeof(*h->channel) * 8 + h->by) % TAGS_KEPT];
}

static bool is_kept(const struct kept_tag *k, const struct channel_result *r)
{
	return k->tag != 0 && k->channel == r->hit[0].channel && k->provider == r->provider && k->by == r->hit[0].by;
}

/* The tag of a transfer: its head, and the array of channels. */
static void make_tag(struct judge *j, struct transfer *t, const struct channel_result *r)
{
	struct {
		struct transfer_tag head;
		char channels[CHANNELS_TEXT_MAX];
	} tag;
	size_t bytes = 1;
	memset(&tag, 0, sizeof(tag));
	if (r->provider != NULL) {
		memcpy(tag.head.jurisdiction, r->provider->jurisdiction, sizeof(r->provider->jurisdiction));
		snprintf(tag.head.provider, sizeof(tag.head.provider), "%s", r->provider->name);
	}
	if (r->count > 0) {
		struct json js;
		json_init(&js);
		json_array(&js, NULL);
		for (unsigned i = 0; i < r->count; i++)
			hit_json(&js, &r->hit[i]);
		json_array_end(&js);
		const char *text = json_text(&js);
		if (text != NULL && strlen(text) < sizeof(tag.channels)) {
			bytes = strlen(text) + 1;
			memcpy(tag.channels, text, bytes);
		}
		json_done(&js);
	}
	intern_set_bytes(j->texts, &t->tag, &tag, sizeof(tag.head) + bytes);
}

static void set_tag(struct judge *j, struct transfer *t, const struct channel_result *r)
{
	struct kept_tag *k = kept_tag_of(j, r);
	if (k != NULL && is_kept(k, r)) {
		const uint32_t old = t->tag;
		t->tag = intern_ref(j->texts, k->tag);
		intern_put(j->texts, old);
		return;
	}
	make_tag(j, t, r);
	if (k == NULL)
		return;
	intern_put(j->texts, k->tag);
	*k = (struct kept_tag){r->hit[0].channel, r->provider, r->hit[0].by, intern_ref(j->texts, t->tag)};
}

static void verdict_of(const struct judge *j, const struct transfer *t, struct maintenance_verdict *ret)
{
	*ret = (struct maintenance_verdict){.judged = t->place != PLACE_NONE, .approved = t->verdict == VERDICT_APPROVED};
	if (!ret->judged || !ret->approved)
		return;
	ret->approval = text_of(j, t->approval);
	for (size_t i = 0; ret->approval != NULL && i < j->config->approval_count; i++)
		if (strcmp(j->config->approvals[i].id, ret->approval) == 0)
			ret->ticket = j->config->approvals[i].ticket;
}

static void join_session(struct judge *j, uint32_t index, const struct channel_hit *h)
{
	struct transfer *t = at(j, index);
	struct maintenance_verdict v;
	if (t->maintained || !t->live)
		return;
	verdict_of(j, t, &v);
	const struct maintenance_flow f = {
	    .key = index, .tool = h->channel->name, .equipment = t->machine->id, .network = text_of(j, t->network),
	    .hostname = text_of(j, t->host != 0 ? t->host : t->dns_name), .peer = t->peer, .by_name = h->by == CHANNEL_BY_HOST,
	    .initiator = t->initiator, .start_us = t->start_us, .last_us = t->end_us, .counts = transfer_counts(t)};
	t->maintained = maintenance_join(j->maintenances, &f, &v);
}

void judge_channel(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	struct channel_query q;
	struct channel_result r;
	query_of(j, t, &q);
	t->by_port = t->by_port || q.by_port;
	if (!channels_find(j->channels, &q, &r))
		return;
	set_tag(j, t, &r);
	const uint64_t signs = judge_signs(j, t);
	for (unsigned i = 0; i < r.count; i++) {
		char detail[200];
		if ((signs & detect_bit(r.hit[i].kind)) == 0) {
			hit_detail(&r, &r.hit[i], detail, sizeof(detail));
			judge_sign(j, index, r.hit[i].kind, detail);
		}
		if (r.hit[i].kind == DETECT_REMOTE_MAINTENANCE)
			join_session(j, index, &r.hit[i]);
	}
}

void judge_channel_counted(struct judge *j, uint32_t index, const struct flow_counts *delta)
{
	struct transfer *t = at(j, index);
	if (t->maintained)
		maintenance_grow(j->maintenances, index, delta, t->end_us);
	/* a port says something once payload went, and that shows here first */
	const struct flow_counts counts = transfer_counts(t);
	if (!t->by_port && t->final && counts.payload_bytes_out + counts.payload_bytes_in > 0) {
		const uint32_t before = t->tag;
		judge_channel(j, index);
		if (t->tag != before && t->place == PLACE_ROW)
			judge_dirty(j, index, ROW_SEEN);
	}
}

void judge_channel_judged(struct judge *j, uint32_t index)
{
	struct maintenance_verdict v;
	if (!at(j, index)->maintained)
		return;
	verdict_of(j, at(j, index), &v);
	maintenance_judge(j->maintenances, index, &v);
}

void judge_channel_over(struct judge *j, uint32_t index)
{
	if (at(j, index)->maintained)
		maintenance_leave(j->maintenances, index);
	at(j, index)->maintained = false;
}

int judge_restore_maintenance(struct judge *j, const struct row_maintenance *r)
{
	return maintenances_restore(j->maintenances, r);
}

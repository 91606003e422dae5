/* Transfers of a finding, added up in one pass: there may be a million. */
#include <stdlib.h>
#include <string.h>
#include <stdio.h>

#include "finding_page.h"
#include "json_items.h"

static void keep(char *to, size_t size, const char *from)
{
	const size_t n = from != NULL ? strnlen(from, size - 1) : 0;
	if (n > 0)
		memcpy(to, from, n);
	to[n] = '\0';
}

static bool same(const char *kept, const char *text)
{
	return strcmp(kept, text != NULL ? text : "") == 0;
}

static void add(struct page_amount *a, const struct stored_brief *b)
{
	a->transfers += b->transfers;
	a->out += b->ip_bytes_out;
	a->in += b->ip_bytes_in;
}

/* --- tables of few entries --- */

static void add_app(struct finding_page *p, const struct stored_brief *b)
{
	char buf[STORE_PROTO_MAX];
	const char *proto = b->proto >= 0 ? store_proto_word((uint8_t)b->proto, buf) : "";
	unsigned i;
	for (i = 0; i < p->app_count; i++)
		if (p->apps[i].port == b->port && p->apps[i].encrypted == b->encrypted && same(p->apps[i].app, b->app) &&
		    strcmp(p->apps[i].proto, proto) == 0)
			break;
	if (i == PAGE_APPS) {
		p->more_apps = true;
		return;
	}
	if (i == p->app_count) {
		struct page_app *a = &p->apps[p->app_count++];
		*a = (struct page_app){.port = b->port, .encrypted = b->encrypted};
		keep(a->app, sizeof a->app, b->app);
		keep(a->proto, sizeof a->proto, proto);
	}
	add(&p->apps[i].amount, b);
}

static void add_name(struct finding_page *p, const struct stored_brief *b)
{
	unsigned i;
	if (b->hostname == NULL)
		return;
	for (i = 0; i < p->name_count; i++)
		if (p->names[i].source == b->hostname_source && p->names[i].verified == b->hostname_verified &&
		    strcmp(p->names[i].name, b->hostname) == 0)
			break;
	if (i == PAGE_NAMES) {
		p->more_names = true;
		return;
	}
	if (i == p->name_count) {
		struct page_name *n = &p->names[p->name_count++];
		*n = (struct page_name){.source = b->hostname_source, .verified = b->hostname_verified};
		keep(n->name, sizeof n->name, b->hostname);
	}
	add(&p->names[i].amount, b);
}

static void add_address(struct finding_page *p, const struct stored_brief *b)
{
	unsigned i;
	if (b->dest_ip == NULL)
		return;
	for (i = 0; i < p->address_count; i++)
		if (strcmp(p->addresses[i].text, b->dest_ip) == 0)
			break;
	if (i == PAGE_ADDRESSES) {
		p->more_addresses = true;
		return;
	}
	if (i == p->address_count)
		keep(p->addresses[p->address_count++].text, sizeof p->addresses[i].text, b->dest_ip);
	add(&p->addresses[i].amount, b);
}

static void add_place(struct finding_page *p, const struct stored_brief *b)
{
	unsigned i;
	for (i = 0; i < p->place_count; i++)
		if (p->places[i].asn == b->asn && same(p->places[i].country, b->country) &&
		    same(p->places[i].provider, b->provider) && same(p->places[i].jurisdiction, b->jurisdiction))
			break;
	if (i == PAGE_PLACES) {
		p->more_places = true;
		return;
	}
	if (i == p->place_count) {
		struct page_place *l = &p->places[p->place_count++];
		*l = (struct page_place){.asn = b->asn};
		keep(l->country, sizeof l->country, b->country);
		keep(l->as_org, sizeof l->as_org, b->as_org);
		keep(l->provider, sizeof l->provider, b->provider);
		keep(l->jurisdiction, sizeof l->jurisdiction, b->jurisdiction);
	}
	add(&p->places[i].amount, b);
}

static void add_word(struct finding_page *p, const struct json_item *item, const struct stored_brief *b)
{
	char word[sizeof p->words[0].word];
	unsigned i;
	json_member(item, "word", word, sizeof word);
	for (i = 0; i < p->word_count; i++)
		if (strcmp(p->words[i].word, word) == 0)
			break;
	if (i == PAGE_WORDS) {
		p->more_words = true;
		return;
	}
	if (i == p->word_count) {
		struct page_word *w = &p->words[p->word_count++];
		keep(w->word, sizeof w->word, word);
		json_member(item, "detail", w->detail, sizeof w->detail);
	}
	add(&p->words[i].amount, b);
}

static void add_channel(struct finding_page *p, const struct json_item *item, const struct stored_brief *b)
{
	char kind[sizeof p->channels[0].kind], name[sizeof p->channels[0].name];
	unsigned i;
	json_member(item, "kind", kind, sizeof kind);
	json_member(item, "name", name, sizeof name);
	for (i = 0; i < p->channel_count; i++)
		if (strcmp(p->channels[i].kind, kind) == 0 && strcmp(p->channels[i].name, name) == 0)
			break;
	if (i == PAGE_CHANNELS) {
		p->more_channels = true;
		return;
	}
	if (i == p->channel_count) {
		struct page_channel *c = &p->channels[p->channel_count++];
		keep(c->kind, sizeof c->kind, kind);
		keep(c->name, sizeof c->name, name);
		json_member(item, "provider", c->provider, sizeof c->provider);
	}
	add(&p->channels[i].amount, b);
}

/* --- what the sentence says of contents --- */

static uint64_t signs_of(struct page_sums *s, const char *text)
{
	if (text == NULL)
		return 0;
	for (unsigned i = 0; i < s->sign_count; i++)
		if (strcmp(s->signs[i].text, text) == 0)
			return s->signs[i].bits;
	const uint64_t bits = store_signs_find(text);
	if (strlen(text) < sizeof s->signs[0].text) {
		const unsigned at = s->sign_next++ % 8;
		keep(s->signs[at].text, sizeof s->signs[at].text, text);
		s->signs[at].bits = bits;
		s->sign_count = s->sign_count < 8 ? s->sign_count + 1 : 8;
	}
	return bits;
}

static void add_with(struct finding_page *p, const struct stored_brief *b, uint64_t signs)
{
	if ((signs & detect_bit(DETECT_INSPECTION_DATA)) != 0)
		add(&p->with[same("DICOM", b->app) ? SAID_DICOM : SAID_INSPECTION], b);
	if ((signs & detect_bit(DETECT_DATABASE_COPY)) != 0)
		add(&p->with[SAID_DATABASE], b);
	if ((signs & detect_bit(DETECT_ARCHIVE_ENCRYPTED)) != 0)
		add(&p->with[SAID_ENCRYPTED_ARCHIVE], b);
	if ((signs & detect_bit(DETECT_ARCHIVE)) != 0)
		add(&p->with[SAID_ARCHIVE], b);
}

/* --- over time --- */

/* Evenly from the first packet to the last: the record knows no more. */
static void spread(struct finding_page *p, const struct stored_brief *b)
{
	const double start = (double)p->finding.row.first_us;
	const double width = (double)(p->finding.row.last_us - p->finding.row.first_us + 1) / PAGE_BINS;
	double from = ((double)b->start_us - start) / width, to = ((double)b->end_us + 1 - start) / width;
	from = from < 0 ? 0 : from > PAGE_BINS - 1e-6 ? PAGE_BINS - 1e-6 : from;
	to = to > PAGE_BINS ? PAGE_BINS : to < from ? from : to;
	unsigned i = (unsigned)from;
	if (to <= i + 1) {
		p->bins_out[i] += (double)b->ip_bytes_out;
		p->bins_in[i] += (double)b->ip_bytes_in;
		return;
	}
	for (; i < PAGE_BINS && i < to; i++) {
		const double a = from > i ? from : i, e = to < i + 1 ? to : i + 1, part = (e - a) / (to - from);
		p->bins_out[i] += (double)b->ip_bytes_out * part;
		p->bins_in[i] += (double)b->ip_bytes_in * part;
	}
}

/* --- one by one --- */

static void add_largest(struct finding_page *p, const struct stored_brief *b)
{
	const uint64_t bytes = b->ip_bytes_out + b->ip_bytes_in;
	unsigned at = p->largest_count < PAGE_LARGEST ? p->largest_count++ : PAGE_LARGEST;
	if (at == PAGE_LARGEST) {
		at--;
		if (p->largest[at].out + p->largest[at].in >= bytes)
			return;
	}
	for (; at > 0 && p->largest[at - 1].out + p->largest[at - 1].in < bytes; at--)
		p->largest[at] = p->largest[at - 1];
	struct page_transfer *to = &p->largest[at];
	char proto[STORE_PROTO_MAX];
	*to = (struct page_transfer){.id = b->id, .start_us = b->start_us, .end_us = b->end_us, .out = b->ip_bytes_out,
	                             .in = b->ip_bytes_in, .initiator = b->initiator};
	keep(to->app, sizeof to->app, b->app != NULL ? b->app : b->proto >= 0 ? store_proto_word((uint8_t)b->proto, proto) : "");
	const char *address = b->dest_ip != NULL ? b->dest_ip : "?";
	const bool brackets = b->port >= 0 && strchr(address, ':') != NULL;
	if (b->port >= 0 && b->initiator != INITIATOR_PEER)
		snprintf(to->peer, sizeof to->peer, "%s%s%s:%u", brackets ? "[" : "", address, brackets ? "]" : "",
		         (unsigned)b->port);
	else
		keep(to->peer, sizeof to->peer, address);
}

int finding_page_add(void *ctx, const struct stored_brief *b)
{
	struct page_sums *s = ctx;
	struct finding_page *p = s->page;
	struct json_item item;
	const char *at = b->content;
	add(&p->amount, b);
	p->packets_out += b->packets_out;
	p->packets_in += b->packets_in;
	p->payload_out += b->payload_bytes_out;
	p->payload_in += b->payload_bytes_in;
	p->collapsed += b->collapsed;
	if (b->folded)
		add(&p->folded, b);
	if (b->initiator == INITIATOR_PEER)
		add(&p->peer_opened, b);
	add_app(p, b);
	add_name(p, b);
	add_address(p, b);
	add_place(p, b);
	while (json_next_object(&at, &item))
		add_word(p, &item, b);
	for (at = b->channels; json_next_object(&at, &item);)
		add_channel(p, &item, b);
	add_with(p, b, signs_of(s, b->signs));
	spread(p, b);
	if (!b->folded)
		add_largest(p, b);
	return 0;
}

/* --- order --- */

/* Stable, so that what came first stays first among equals. */
static void sort_by(void *base, unsigned count, size_t size, size_t amount_at)
{
	char *b = base, one[sizeof(struct page_name) + sizeof(struct page_word)];
	for (unsigned i = 1; i < count; i++) {
		struct page_amount mine, other;
		unsigned at = i;
		memcpy(one, b + i * size, size);
		memcpy(&mine, one + amount_at, sizeof mine);
		for (; at > 0; at--) {
			memcpy(&other, b + (at - 1) * size + amount_at, sizeof other);
			if (other.out + other.in >= mine.out + mine.in)
				break;
			memcpy(b + at * size, b + (at - 1) * size, size);
		}
		memcpy(b + at * size, one, size);
	}
}

#define SORT(p, array, count) sort_by((p)->array, (p)->count, sizeof (p)->array[0], \
	(size_t)((char *)&(p)->array[0].amount - (char *)&(p)->array[0]))

void finding_page_sort(struct finding_page *p)
{
	SORT(p, apps, app_count);
	SORT(p, words, word_count);
	SORT(p, channels, channel_count);
	SORT(p, names, name_count);
	SORT(p, addresses, address_count);
	SORT(p, places, place_count);
}

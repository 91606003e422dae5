#include "judge/channel.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/channel_table.h"

#define WORD_MAX 64u

struct port_range {
	uint8_t proto;
	uint16_t low, high;
	uint32_t channel;
};

struct entry {
	const struct config_channel *config;
	const struct config_provider *provider;
	enum detection kind;
};

struct channels {
	struct config_channels lists;
	struct entry *entries;
	uint32_t entry_count;
	const struct config_provider **providers;
	uint32_t provider_count;
	struct channel_hosts hosts, provider_hosts;
	struct channel_table provider_names, labels, words, addresses, asns;
	struct port_range *ports;     /* by protocol and number; none overlaps another */
	uint32_t port_count;
};

/* --- making it --- */

struct making {
	struct channels *c;
	struct config_errors *errors;
	bool bad, no_memory;
};

static void say(struct making *m, const struct config_place *at, const char *what, const char *text,
                const struct config_place *other)
{
	char *line = NULL, **grown = realloc(m->errors->text, (m->errors->count + 1) * sizeof *grown);
	if (grown != NULL)
		m->errors->text = grown;
	const int n = other != NULL
	                  ? asprintf(&line, "%s:%u:%u: '%s' %s; it stands in %s:%u already, so take it out of one", at->file,
	                             at->line, at->column, text, what, other->file, other->line)
	                  : asprintf(&line, "%s:%u:%u: '%s' %s", at->file, at->line, at->column, text, what);
	m->bad = true;
	if (grown == NULL || n < 0)
		m->no_memory = true;
	else
		m->errors->text[m->errors->count++] = line;
}

/* A site's entry takes the place of an installed one; it comes first. */
static void check_twice(struct making *m, uint32_t before, uint32_t now, const char *text)
{
	const struct entry *a = &m->c->entries[before], *b = &m->c->entries[now];
	if (before != now && a->config->place.site == b->config->place.site)
		say(m, &b->config->place, "names two channels", text, &a->config->place);
}

static void put_text(struct making *m, struct channel_table *t, const char *text, uint32_t entry)
{
	check_twice(m, *channel_table_put(t, text, strlen(text), entry), entry, text);
}

static void put_hosts(struct making *m, uint32_t entry)
{
	const struct config_channel *k = m->c->entries[entry].config;
	for (size_t i = 0; i < k->host_count; i++) {
		const uint32_t before = channel_hosts_put(&m->c->hosts, k->hosts[i], entry);
		if (before != CHANNEL_NONE)
			check_twice(m, before, entry, k->hosts[i]);
	}
}

static void put_ports(struct making *m, uint32_t entry)
{
	const struct config_channel *k = m->c->entries[entry].config;
	struct channels *c = m->c;
	for (size_t i = 0; i < k->port_count; i++) {
		const struct port_range r = {k->ports[i].proto, k->ports[i].low, k->ports[i].high, entry};
		uint32_t other = 0;
		while (other < c->port_count && (c->ports[other].proto != r.proto || c->ports[other].low > r.high ||
		                                 c->ports[other].high < r.low))
			other++;
		char text[32];
		snprintf(text, sizeof text, "%u", r.low);
		if (other < c->port_count)
			check_twice(m, c->ports[other].channel, entry, text);
		else
			c->ports[c->port_count++] = r;
	}
}

static int by_port(const void *va, const void *vb)
{
	const struct port_range *a = va, *b = vb;
	return a->proto != b->proto ? (int)a->proto - (int)b->proto : (int)a->low - (int)b->low;
}

static void put_entry(struct making *m, const struct config_channel *k)
{
	struct channels *c = m->c;
	const uint32_t entry = c->entry_count++;
	const int kind = detect_find(k->kind);
	struct entry *e = &c->entries[entry];
	*e = (struct entry){.config = k, .kind = kind >= 0 ? (enum detection)kind : DETECT_REMOTE_MAINTENANCE};
	if (k->provider != NULL) {
		const uint32_t p = channel_table_get(&c->provider_names, k->provider, strlen(k->provider));
		if (p == CHANNEL_NONE)
			say(m, &k->place, "is no provider of any list; add it under 'providers', with its jurisdiction and source",
			    k->provider, NULL);
		else
			e->provider = c->providers[p];
	}
	put_hosts(m, entry);
	put_ports(m, entry);
	for (size_t i = 0; i < k->label_count; i++)
		put_text(m, &c->labels, k->labels[i], entry);
	for (size_t i = 0; i < k->content_count; i++)
		put_text(m, &c->words, k->content[i], entry);
	for (size_t i = 0; i < k->address_count; i++) {
		char text[ADDR_TEXT_MAX];
		const uint32_t before = *channel_table_put(&c->addresses, k->addresses[i].b, sizeof k->addresses[i].b, entry);
		check_twice(m, before, entry, addr_text(&k->addresses[i], text));
	}
}

static void put_provider(struct making *m, const struct config_provider *p)
{
	struct channels *c = m->c;
	const uint32_t number = c->provider_count++;
	c->providers[number] = p;
	const uint32_t before = *channel_table_put(&c->provider_names, p->name, strlen(p->name), number);
	if (before != number && c->providers[before]->place.site == p->place.site)
		say(m, &p->place, "is a provider twice", p->name, &c->providers[before]->place);
	if (before != number)
		return;
	for (size_t i = 0; i < p->host_count; i++) {
		const uint32_t other = channel_hosts_put(&c->provider_hosts, p->hosts[i], number);
		if (other != CHANNEL_NONE && c->providers[other]->place.site == p->place.site)
			say(m, &p->place, "belongs to two providers", p->hosts[i], &c->providers[other]->place);
	}
	for (size_t i = 0; i < p->asn_count; i++) {
		char text[16];
		const uint32_t other = *channel_table_put(&c->asns, &p->asns[i], sizeof p->asns[i], number);
		snprintf(text, sizeof text, "AS%u", p->asns[i]);
		if (other != number && c->providers[other]->place.site == p->place.site)
			say(m, &p->place, "belongs to two providers", text, &c->providers[other]->place);
	}
}

struct sizes {
	size_t channels, providers, hosts, provider_hosts, asns, labels, words, addresses, ports;
};

static void measure(const struct config_channels *lists, struct sizes *ret)
{
	for (size_t f = 0; f < lists->file_count; f++) {
		const struct config_channel_file *file = lists->files[f];
		ret->channels += file->channel_count;
		ret->providers += file->provider_count;
		for (size_t i = 0; i < file->channel_count; i++) {
			ret->hosts += file->channels[i].host_count;
			ret->labels += file->channels[i].label_count;
			ret->words += file->channels[i].content_count;
			ret->addresses += file->channels[i].address_count;
			ret->ports += file->channels[i].port_count;
		}
		for (size_t i = 0; i < file->provider_count; i++) {
			ret->provider_hosts += file->providers[i].host_count;
			ret->asns += file->providers[i].asn_count;
		}
	}
}

static int make_room(struct channels *c)
{
	struct sizes n = {0};
	measure(&c->lists, &n);
	c->entries = calloc(n.channels + 1, sizeof *c->entries);
	c->providers = calloc(n.providers + 1, sizeof(const struct config_provider *));
	c->ports = calloc(n.ports + 1, sizeof *c->ports);
	int err = c->entries != NULL && c->providers != NULL && c->ports != NULL ? 0 : ERR_NOMEM;
	if (err == 0)
		err = channel_hosts_init(&c->hosts, n.hosts);
	if (err == 0)
		err = channel_hosts_init(&c->provider_hosts, n.provider_hosts);
	if (err == 0)
		err = channel_table_init(&c->provider_names, n.providers);
	if (err == 0)
		err = channel_table_init(&c->labels, n.labels);
	if (err == 0)
		err = channel_table_init(&c->words, n.words);
	if (err == 0)
		err = channel_table_init(&c->addresses, n.addresses);
	return err == 0 ? channel_table_init(&c->asns, n.asns) : err;
}

int channels_new(struct config_channels *lists, struct channels **ret, struct config_errors *errors)
{
	struct channels *c = calloc(1, sizeof *c);
	if (c == NULL) {
		config_channels_done(lists);
		return ERR_NOMEM;
	}
	c->lists = *lists;
	*lists = (struct config_channels){0};
	const int err = make_room(c);
	struct making m = {.c = c, .errors = errors, .no_memory = err != 0};
	for (size_t f = 0; err == 0 && f < c->lists.file_count; f++)
		for (size_t i = 0; i < c->lists.files[f]->provider_count; i++)
			put_provider(&m, &c->lists.files[f]->providers[i]);
	for (size_t f = 0; err == 0 && f < c->lists.file_count; f++)
		for (size_t i = 0; i < c->lists.files[f]->channel_count; i++)
			put_entry(&m, &c->lists.files[f]->channels[i]);
	if (m.bad || m.no_memory) {
		channels_free(c);
		return m.no_memory ? ERR_NOMEM : ERR_CONFIG;
	}
	qsort(c->ports, c->port_count, sizeof *c->ports, by_port);
	*ret = c;
	return 0;
}

int channels_load(const struct config *cfg, struct channels **ret, bool *ret_found, struct config_errors *errors)
{
	struct config_channels lists = {0};
	char folder[4096];
	*ret_found = config_signatures_find("channels", folder, sizeof folder) == 0;
	const int err = config_channels_load(cfg->signatures.channels, cfg->signatures.channel_count,
	                                     *ret_found ? folder : NULL, &lists, errors);
	if (err == 0)
		return channels_new(&lists, ret, errors);
	config_channels_done(&lists);
	return err;
}

void channels_free(struct channels *c)
{
	if (c == NULL)
		return;
	channel_hosts_done(&c->hosts);
	channel_hosts_done(&c->provider_hosts);
	channel_table_done(&c->provider_names);
	channel_table_done(&c->labels);
	channel_table_done(&c->words);
	channel_table_done(&c->addresses);
	channel_table_done(&c->asns);
	free(c->ports);
	free(c->providers);
	free(c->entries);
	config_channels_done(&c->lists);
	free(c);
}

/* --- asking it --- */

static struct channel_hit *add(const struct channels *c, uint32_t entry, enum channel_by by, struct channel_result *r)
{
	const struct entry *e = &c->entries[entry];
	for (unsigned i = 0; i < r->count; i++)
		if (r->hit[i].kind == e->kind)
			return NULL;
	if (r->count == CHANNEL_HITS_MAX)
		return NULL;
	if (r->provider == NULL && e->provider != NULL) {
		r->provider = e->provider;
		r->provider_by = by;
	}
	struct channel_hit *h = &r->hit[r->count++];
	h->channel = e->config;
	h->kind = e->kind;
	h->by = by;
	h->bucket[0] = h->region[0] = '\0';
	return h;
}

static void by_host(const struct channels *c, const char *host, struct channel_result *r)
{
	struct channel_host_hit found;
	if (host == NULL || host[0] == '\0')
		return;
	if (channel_hosts_find(&c->hosts, host, &found)) {
		struct channel_hit *h = add(c, found.owner, CHANNEL_BY_HOST, r);
		if (h != NULL) {
			memcpy(h->bucket, found.bucket, sizeof found.bucket);
			memcpy(h->region, found.region, sizeof found.region);
		}
	}
	if (r->provider == NULL && channel_hosts_find(&c->provider_hosts, host, &found)) {
		r->provider = c->providers[found.owner];
		r->provider_by = CHANNEL_BY_HOST;
	}
}

/* A name that is asked for over DNS says nothing of the flow that asks. */
static void by_label(const struct channels *c, const char *app, struct channel_result *r)
{
	if (app == NULL)
		return;
	const bool dns = strncmp(app, "DNS.", 4) == 0 || strncmp(app, "MDNS.", 5) == 0;
	const char *p = app;
	for (;;) {
		const size_t n = strcspn(p, ".");
		const uint32_t entry = n > 0 && n < WORD_MAX ? channel_table_get(&c->labels, p, n) : CHANNEL_NONE;
		if (entry != CHANNEL_NONE)
			(void)add(c, entry, CHANNEL_BY_LABEL, r);
		if (p[n] == '\0' || dns)
			return;
		p += n + 1;
	}
}

/* The array is our own writing: "word":"x" stands in each object. */
static void by_content(const struct channels *c, const char *content, struct channel_result *r)
{
	static const char key[] = "{\"word\":\"";
	for (const char *p = content != NULL ? content : ""; (p = strstr(p, key)) != NULL;) {
		p += sizeof key - 1;
		const size_t n = strcspn(p, "\"");
		const uint32_t entry = channel_table_get(&c->words, p, n);
		if (entry != CHANNEL_NONE)
			(void)add(c, entry, CHANNEL_BY_CONTENT, r);
	}
}

static bool app_is(const char *app, const char *master)
{
	const size_t n = strlen(master);
	return app != NULL && strncmp(app, master, n) == 0 && (app[n] == '\0' || app[n] == '.');
}

/* Nothing that inspection named speaks against what port or address say. */
static bool is_unnamed(const char *app)
{
	return app == NULL || app[0] == '\0' || app_is(app, "Unknown") || app_is(app, "TLS") || app_is(app, "DTLS") ||
	       app_is(app, "QUIC");
}

static uint32_t entry_of_port(const struct channels *c, uint8_t proto, uint16_t port)
{
	uint32_t low = 0, high = c->port_count;
	while (low < high) {
		const uint32_t mid = (low + high) / 2;
		const struct port_range *r = &c->ports[mid];
		if (r->proto < proto || (r->proto == proto && r->high < port))
			low = mid + 1;
		else
			high = mid;
	}
	const struct port_range *r = &c->ports[low];
	/* port 0: the protocol has none, and an entry without ports is meant */
	return low < c->port_count && r->proto == proto && r->low <= port ? r->channel : CHANNEL_NONE;
}

static void by_where(const struct channels *c, const struct channel_query *q, struct channel_result *r)
{
	if (!is_unnamed(q->app))
		return;
	for (unsigned i = 0; i < 2; i++) {
		const uint32_t address = c->addresses.count > 0 && q->port[i] != 0
		                             ? channel_table_get(&c->addresses, q->peer.b, sizeof q->peer.b)
		                             : CHANNEL_NONE;
		const uint32_t port = q->by_port ? entry_of_port(c, q->proto, q->port[i]) : CHANNEL_NONE;
		const bool web = q->port[i] == 443 && (q->proto == IPPROTO_TCP || q->proto == IPPROTO_UDP);
		if (address != CHANNEL_NONE && (web || port != CHANNEL_NONE))
			(void)add(c, address, CHANNEL_BY_ADDRESS, r);
		if (port != CHANNEL_NONE && r->count == 0)
			(void)add(c, port, CHANNEL_BY_PORT, r);
	}
}

bool channels_find(const struct channels *c, const struct channel_query *q, struct channel_result *ret)
{
	ret->count = 0;
	ret->provider = NULL;
	by_host(c, q->host, ret);
	by_content(c, q->content, ret);
	by_label(c, q->app, ret);
	if (ret->count == 0)
		by_where(c, q, ret);
	if (ret->provider == NULL && q->asn != 0 && c->asns.count > 0) {
		const uint32_t p = channel_table_get(&c->asns, &q->asn, sizeof q->asn);
		ret->provider = p != CHANNEL_NONE ? c->providers[p] : NULL;
		ret->provider_by = CHANNEL_BY_ASN;
	}
	return ret->count > 0 || ret->provider != NULL;
}

const char *channel_by_word(enum channel_by by)
{
	static const char *const words[] = {"content", "label", "host", "address", "port", "asn"};
	return words[by];
}

uint32_t channels_count(const struct channels *c)
{
	return c->entry_count;
}

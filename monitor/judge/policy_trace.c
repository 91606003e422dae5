/* The conditions in words: what the facts are, and what is approved. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "judge/policy_parts.h"

/* A bounded line; names from the network are made harmless. */
struct line {
	char *text;
	size_t used, room;
};

static void add(struct line *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const int n = vsnprintf(l->text + l->used, l->room - l->used, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < l->room - l->used) {
		l->used += (size_t)n;
		return;
	}
	l->used = l->room - 1;
	memcpy(l->text + l->room - 4, "...", 4); /* did not fit */
}

static void add_name(struct line *l, const char *name)
{
	char buf[100];
	size_t n = 0;
	for (const char *p = name; *p != '\0' && n < sizeof buf - 1; p++)
		buf[n++] = *p < 0x20 || *p == 0x7f ? '?' : *p; /* bytes above 0x7f too: host names have none */
	buf[n] = '\0';
	add(l, "%s", buf);
}

static void add_words(struct line *l, char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(l, "%s%s", i > 0 ? ", " : "", words[i]);
}

const char *cond_word(enum cond_id id)
{
	static const char *const words[COND_COUNT] = {"equipment", "hosts", "prefixes", "countries",
	                                              "asns",      "ports", "apps",     "initiator",
	                                              "hours",     "valid", "limit"};
	return words[id];
}

static const char *proto_word(uint8_t proto, char buf[8])
{
	const char *word = config_proto_word(proto);
	snprintf(buf, 8, "ip/%u", proto);
	return word != NULL ? word : buf;
}

static void add_ports(struct line *l, const struct config_ports *p)
{
	char buf[8];
	add(l, "%s", proto_word(p->proto, buf));
	if (p->low == p->high)
		add(l, "/%u", p->low);
	else if (p->low != 0 || p->high != 65535)
		add(l, "/%u-%u", p->low, p->high);
}

static const char *const day_words[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static void add_hours(struct line *l, const struct config_hours *h)
{
	const char *sep = "";
	for (unsigned d = 0; d < 7 && h->days != 0x7f; d++) {
		if ((h->days >> d & 1) == 0)
			continue;
		unsigned last = d;
		while (last < 6 && (h->days >> (last + 1) & 1) != 0)
			last++;
		add(l, last > d ? "%s%s-%s" : "%s%s", sep, day_words[d], day_words[last]);
		sep = ",";
		d = last;
	}
	if (h->from_min != 0 || h->to_min != 1440 || h->days == 0x7f)
		add(l, "%s%02u:%02u-%02u:%02u", sep[0] != '\0' ? " " : "", h->from_min / 60u, h->from_min % 60u,
		    h->to_min / 60u, h->to_min % 60u);
}

static void tell_equipment(struct line *l, const struct config_approval *a, const struct policy_facts *f)
{
	add(l, "%s", f->equipment != NULL ? f->equipment : "unknown");
	if (f->group != NULL)
		add(l, ", group %s", f->group);
	if (f->vendor != NULL)
		add(l, ", vendor %s", f->vendor);
	if (f->network != NULL)
		add(l, ", network %s", f->network);
	add(l, "; approved: ");
	add_words(l, a->equipment, a->equipment_count);
}

static void tell_hosts(struct line *l, const struct config_approval *a, const struct policy_facts *f)
{
	const bool claimed = claimed_name(f) != NULL;
	if (!claimed && f->hostname != NULL && f->hostname[0] != '\0') {
		add_name(l, f->hostname);
		add(l, " (said by the peer, which connected: not its own name)");
	} else if (claimed) {
		add_name(l, f->hostname);
		const bool bound = a->prefix_count > 0 || a->asn_count > 0;
		add(l, f->hostname_verified ? " (verified by DNS)"
		       : bound              ? " (claimed; bound to prefixes or asns)"
		                            : " (claimed only)");
	} else {
		add(l, f->inspection_done ? "no name in the flow" : "no name in the flow yet");
	}
	if (f->dns_name != NULL && f->dns_name[0] != '\0' && !(claimed && f->hostname_verified)) {
		add(l, ", DNS gave ");
		add_name(l, f->dns_name);
	}
	add(l, "; approved: ");
	add_words(l, a->hosts, a->host_count);
}

static void tell_prefixes(struct line *l, const struct config_approval *a, const struct policy_facts *f)
{
	char buf[PREFIX_TEXT_MAX];
	add(l, "%s; approved: ", addr_text(&f->peer, buf));
	for (size_t i = 0; i < a->prefix_count; i++)
		add(l, "%s%s", i > 0 ? ", " : "", prefix_text(&a->prefixes[i], buf));
}

static void tell_countries(struct line *l, const struct config_approval *a, const struct policy_facts *f)
{
	add(l, "%s; approved: ", f->country != NULL && f->country[0] != '\0' ? f->country : "unknown");
	for (size_t i = 0; i < a->country_count; i++)
		add(l, "%s%s", i > 0 ? ", " : "", a->countries[i]);
}

static void tell_asns(struct line *l, const struct config_approval *a, const struct policy_facts *f)
{
	if (f->asn == 0)
		add(l, "unknown; approved: ");
	else
		add(l, "AS%" PRIu32 "; approved: ", f->asn);
	for (size_t i = 0; i < a->asn_count; i++)
		add(l, "%sAS%" PRIu32, i > 0 ? ", " : "", a->asns[i]);
}

static void tell_ports(struct line *l, const struct config_approval *a, const struct policy_facts *f)
{
	char buf[8];
	add(l, "%s", proto_word(f->proto, buf));
	if (f->peer_port != 0 || f->inside_port != 0)
		add(l, "/%u%s", service_port(f),
		    f->initiator == INITIATOR_UNKNOWN ? " (the lower; opener not seen)" : "");
	add(l, "; approved: ");
	for (size_t i = 0; i < a->port_count; i++) {
		if (i > 0)
			add(l, ", ");
		add_ports(l, &a->ports[i]);
	}
}

static void tell_apps(struct line *l, const struct config_approval *a, const struct policy_facts *f)
{
	if (f->app != NULL)
		add_name(l, f->app);
	else
		add(l, f->inspection_done ? "not recognised" : "not known yet");
	add(l, "; approved: ");
	add_words(l, a->apps, a->app_count);
}

static void tell_initiator(struct line *l, const struct config_approval *a, const struct policy_facts *f)
{
	static const char *const words[] = {"unknown", "equipment", "peer"};
	add(l, "%s; approved: %s", words[f->initiator <= INITIATOR_PEER ? f->initiator : 0],
	    a->initiator == APPROVE_PEER ? "peer" : "equipment");
}

static void tell_hours(struct line *l, const struct config_approval *a, const struct question *q)
{
	add(l, "%s %02u:%02u; approved: ", day_words[q->local.weekday], q->local.hour, q->local.minute);
	for (size_t i = 0; i < a->hours_count; i++) {
		if (i > 0)
			add(l, "; ");
		add_hours(l, &a->hours[i]);
	}
}

static void tell_valid(struct line *l, const struct config_approval *a, const struct question *q)
{
	add(l, "%04d-%02u-%02u; approved: %04d-%02u-%02u..%04d-%02u-%02u", (int)q->local.year, q->local.month,
	    q->local.day, a->valid_from.year, a->valid_from.month, a->valid_from.day, a->valid_to.year,
	    a->valid_to.month, a->valid_to.day);
}

static void tell_limit(struct line *l, const struct config_approval *a, const struct policy_usage *u)
{
	static const char *const words[] = {"", "hour", "day", "week", "month"};
	const uint64_t total = u->out > UINT64_MAX - u->in ? UINT64_MAX : u->out + u->in;
	const char *sep = "";
	if (a->limit_out != 0) {
		add(l, "out %" PRIu64 " of %" PRIu64, u->out, a->limit_out);
		sep = ", ";
	}
	if (a->limit_in != 0) {
		add(l, "%sin %" PRIu64 " of %" PRIu64, sep, u->in, a->limit_in);
		sep = ", ";
	}
	if (a->limit_total != 0)
		add(l, "%stotal %" PRIu64 " of %" PRIu64, sep, total, a->limit_total);
	add(l, " bytes this %s", words[a->limit_per]);
}

static void tell(struct line *l, enum cond_id id, const struct config_approval *a, const struct question *q,
                 const struct policy_usage *used)
{
	static void (*const by_facts[])(struct line *, const struct config_approval *,
	                                const struct policy_facts *) = {
	    [COND_EQUIPMENT] = tell_equipment, [COND_HOSTS] = tell_hosts,         [COND_PREFIXES] = tell_prefixes,
	    [COND_COUNTRIES] = tell_countries, [COND_ASNS] = tell_asns,           [COND_PORTS] = tell_ports,
	    [COND_APPS] = tell_apps,           [COND_INITIATOR] = tell_initiator,
	};
	if (id <= COND_INITIATOR)
		by_facts[id](l, a, q->facts);
	else if (id == COND_HOURS)
		tell_hours(l, a, q);
	else if (id == COND_VALID)
		tell_valid(l, a, q);
	else
		tell_limit(l, a, used);
}

void trace_approval(const struct config_approval *a, const struct question *q, const struct eval *e,
                    policy_trace_fn trace, void *trace_ctx)
{
	for (enum cond_id id = 0; id < COND_COUNT; id++) {
		if (e->cond[id].state == COND_ABSENT)
			continue;
		struct policy_step s = {
		    .approval = a, .condition = cond_word(id), .holds = e->cond[id].state == COND_HOLDS};
		struct line l = {.text = s.detail, .room = sizeof s.detail};
		tell(&l, id, a, q, &e->used);
		trace(trace_ctx, &s);
	}
}

void trace_general(const struct policy_facts *f, policy_trace_fn trace, void *trace_ctx)
{
	const struct policy_step steps[] = {
	    {.condition = "known-equipment", .holds = f->known_equipment},
	    {.condition = "address-in-network", .holds = !f->address_outside_network},
	    {.condition = "mac", .holds = !f->mac_mismatch},
	};
	static const char *const details[][2] = {
	    {"not in the inventory", "in the inventory"},
	    {"the inside address is in no configured prefix", "the inside address is in a configured prefix"},
	    {"the address is known, its MAC is another", "nothing against it"},
	};
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		struct policy_step s = steps[i];
		snprintf(s.detail, sizeof s.detail, "%s", details[i][s.holds]);
		trace(trace_ctx, &s);
	}
}

/* One approval against the facts. What is not known never holds. */
#include <string.h>
#include <strings.h>

#include "judge/policy_parts.h"

static struct cond holds(void)
{
	return (struct cond){COND_HOLDS, -1};
}

static struct cond fails(int reason)
{
	return (struct cond){COND_FAILS, reason};
}

static struct cond holds_if(bool yes, int reason)
{
	return yes ? holds() : fails(reason);
}

static bool given(const char *s)
{
	return s != NULL && s[0] != '\0';
}

static bool is(const char *fact, const char *word)
{
	return fact != NULL && strcmp(fact, word) == 0;
}

/* An unknown machine is nobody's: neither id, group nor vendor cover it, since
 * a vendor is only a guess from its MAC. The network it stands in is a fact. */
struct cond match_equipment(const struct config_approval *a, const struct policy_facts *f)
{
	for (size_t i = 0; i < a->equipment_count; i++) {
		const char *word = a->equipment[i];
		if (is(f->network, word))
			return holds();
		if (f->known_equipment && (is(f->equipment, word) || is(f->group, word) ||
		                           (f->vendor != NULL && strcasecmp(f->vendor, word) == 0)))
			return holds();
	}
	return fails(-1);
}

bool host_matches(const char *pattern, const char *name)
{
	if (strncmp(pattern, "*.", 2) != 0)
		return strcasecmp(pattern, name) == 0;
	const size_t n = strlen(name), tail = strlen(pattern) - 1; /* with its dot */
	return n > tail && strcasecmp(name + n - tail, pattern + 1) == 0;
}

static bool any_host(const struct config_approval *a, const char *name)
{
	if (!given(name))
		return false;
	for (size_t i = 0; i < a->host_count; i++)
		if (host_matches(a->hosts[i], name))
			return true;
	return false;
}

/* Whoever connects names whom he connects to: in a flow that the peer opened
 * that is the equipment's side, and no name of the peer. */
const char *claimed_name(const struct policy_facts *f)
{
	return f->initiator != INITIATOR_PEER && given(f->hostname) ? f->hostname : NULL;
}

/* A name in the flow is the sender's own word. It counts where DNS gave an
 * approved name for that address, or where the approval binds the address as
 * well, by prefix or ASN. A name that is not approved never passes, whatever
 * DNS says: the client asked for another host. */
static struct cond match_hosts(const struct config_approval *a, const struct policy_facts *f)
{
	const bool bound = a->prefix_count > 0 || a->asn_count > 0;
	if (a->host_count == 0)
		return (struct cond){COND_ABSENT, -1};
	if (claimed_name(f) != NULL) {
		if (!any_host(a, f->hostname))
			return fails(REASON_HOST_NOT_APPROVED);
		return holds_if(f->hostname_verified || bound || any_host(a, f->dns_name),
		                REASON_NAME_NOT_VERIFIED);
	}
	if (any_host(a, f->dns_name))
		return holds();
	if (!f->inspection_done && f->initiator != INITIATOR_PEER)
		return (struct cond){COND_WAITS, REASON_HOST_NOT_APPROVED};
	return fails(REASON_HOST_NOT_APPROVED);
}

static struct cond match_prefixes(const struct config_approval *a, const struct policy_facts *f)
{
	if (a->prefix_count == 0)
		return (struct cond){COND_ABSENT, -1};
	for (size_t i = 0; i < a->prefix_count; i++)
		/* ::/0 is all of IPv6, not IPv4 in its mapped form. */
		if (prefix_has(&a->prefixes[i], &f->peer) &&
		    addr_is_v4(&a->prefixes[i].addr) == addr_is_v4(&f->peer))
			return holds();
	return fails(REASON_ADDRESS_NOT_APPROVED);
}

static struct cond match_countries(const struct config_approval *a, const struct policy_facts *f)
{
	if (a->country_count == 0)
		return (struct cond){COND_ABSENT, -1};
	if (!given(f->country))
		return fails(REASON_COUNTRY_UNKNOWN);
	for (size_t i = 0; i < a->country_count; i++)
		if (strcmp(a->countries[i], f->country) == 0)
			return holds();
	return fails(REASON_COUNTRY_NOT_APPROVED);
}

static struct cond match_asns(const struct config_approval *a, const struct policy_facts *f)
{
	if (a->asn_count == 0)
		return (struct cond){COND_ABSENT, -1};
	if (f->asn == 0)
		return fails(REASON_NETWORK_UNKNOWN);
	for (size_t i = 0; i < a->asn_count; i++)
		if (a->asns[i] == f->asn)
			return holds();
	return fails(REASON_NETWORK_NOT_APPROVED);
}

uint16_t service_port(const struct policy_facts *f)
{
	if (f->initiator == INITIATOR_EQUIPMENT)
		return f->peer_port;
	if (f->initiator == INITIATOR_PEER)
		return f->inside_port;
	return f->peer_port < f->inside_port ? f->peer_port : f->inside_port;
}

static struct cond match_ports(const struct config_approval *a, const struct policy_facts *f)
{
	if (a->port_count == 0)
		return (struct cond){COND_ABSENT, -1};
	const uint16_t port = service_port(f);
	for (size_t i = 0; i < a->port_count; i++)
		if (a->ports[i].proto == f->proto && port >= a->ports[i].low && port <= a->ports[i].high)
			return holds();
	return fails(REASON_PORT_NOT_APPROVED);
}

/* "TLS" approves "TLS" and "TLS.Amazon"; "TLS.Amazon" itself alone. */
static bool app_matches(const char *approved, const char *label)
{
	const size_t n = strlen(approved);
	return strncasecmp(approved, label, n) == 0 &&
	       (label[n] == '\0' || (label[n] == '.' && strchr(approved, '.') == NULL));
}

static struct cond match_apps(const struct config_approval *a, const struct policy_facts *f)
{
	if (a->app_count == 0)
		return (struct cond){COND_ABSENT, -1};
	if (f->app == NULL)
		return (struct cond){f->inspection_done ? COND_FAILS : COND_WAITS, REASON_APP_NOT_APPROVED};
	for (size_t i = 0; i < a->app_count && strcasecmp(f->app, "unknown") != 0; i++)
		if (app_matches(a->apps[i], f->app))
			return holds();
	return fails(REASON_APP_NOT_APPROVED);
}

static struct cond match_initiator(const struct config_approval *a, const struct policy_facts *f)
{
	if (a->initiator == APPROVE_ANY)
		return (struct cond){COND_ABSENT, -1};
	if (f->initiator == INITIATOR_UNKNOWN)
		return fails(REASON_INITIATOR_UNKNOWN);
	const enum fact_initiator wanted = a->initiator == APPROVE_PEER ? INITIATOR_PEER : INITIATOR_EQUIPMENT;
	return holds_if(f->initiator == wanted, REASON_INITIATOR_NOT_APPROVED);
}

static struct cond match_hours(const struct config_approval *a, struct question *q)
{
	if (a->hours_count == 0)
		return (struct cond){COND_ABSENT, -1};
	question_local(q);
	for (size_t i = 0; i < a->hours_count; i++)
		if (hours_hold(&a->hours[i], &q->local))
			return holds();
	return fails(REASON_OUTSIDE_HOURS);
}

static struct cond match_valid(const struct config_approval *a, struct question *q)
{
	question_local(q);
	const int side = valid_side(a, q->local_day);
	if (side < 0)
		return fails(REASON_APPROVAL_NOT_YET);
	return holds_if(side == 0, REASON_APPROVAL_EXPIRED);
}

static bool within(uint64_t used, uint64_t limit)
{
	return limit == 0 || used <= limit;
}

static bool keeps_limit(const struct config_approval *a, const struct policy_usage *used)
{
	const uint64_t total = used->out > UINT64_MAX - used->in ? UINT64_MAX : used->out + used->in;
	return within(used->out, a->limit_out) && within(used->in, a->limit_in) && within(total, a->limit_total);
}

bool policy_within_limit(const struct config_approval *a, int64_t time_us, policy_usage_fn usage, void *usage_ctx)
{
	struct policy_usage used;
	usage(usage_ctx, a->id, a->limit_per, time_us, &used);
	return keeps_limit(a, &used);
}

static struct cond match_limit(const struct config_approval *a, const struct question *q,
                               struct policy_usage *ret_used)
{
	*ret_used = (struct policy_usage){0};
	if (a->limit_per == PERIOD_NONE)
		return (struct cond){COND_ABSENT, -1};
	if (q->usage != NULL)
		q->usage(q->usage_ctx, a->id, a->limit_per, q->facts->time_us, ret_used);
	return holds_if(keeps_limit(a, ret_used), REASON_LIMIT_EXCEEDED);
}

/* Is the destination of the approval the one of the transfer, even where not
 * everything fits? See policy.c. */
static bool is_near(const struct eval *e)
{
	if (e->to_holds || e->named || e->cond[COND_PREFIXES].state == COND_HOLDS || e->cond[COND_ASNS].state == COND_HOLDS)
		return true;
	for (int i = COND_HOSTS; i <= COND_ASNS; i++) {
		const int reason = e->cond[i].reason;
		if (e->cond[i].state == COND_FAILS && reason != REASON_COUNTRY_UNKNOWN &&
		    reason != REASON_NETWORK_UNKNOWN)
			return false;
	}
	return true;
}

void match_destination(const struct config_approval *a, const struct policy_facts *f, struct eval *ret)
{
	ret->cond[COND_EQUIPMENT] = match_equipment(a, f);
	ret->cond[COND_HOSTS] = match_hosts(a, f);
	ret->cond[COND_PREFIXES] = match_prefixes(a, f);
	ret->cond[COND_COUNTRIES] = match_countries(a, f);
	ret->cond[COND_ASNS] = match_asns(a, f);
	ret->to_holds = true;
	for (int i = COND_HOSTS; i <= COND_ASNS; i++)
		ret->to_holds = ret->to_holds && ret->cond[i].state < COND_FAILS;
	ret->named = any_host(a, claimed_name(f)) || any_host(a, f->dns_name);
	ret->near = is_near(ret);
}

void match_terms(const struct config_approval *a, struct question *q, struct eval *e)
{
	const struct policy_facts *f = q->facts;
	e->cond[COND_PORTS] = match_ports(a, f);
	e->cond[COND_APPS] = match_apps(a, f);
	e->cond[COND_INITIATOR] = match_initiator(a, f);
	e->cond[COND_HOURS] = match_hours(a, q);
	e->cond[COND_VALID] = match_valid(a, q);
	e->cond[COND_LIMIT] = match_limit(a, q, &e->used);
	e->failing = e->waiting = 0;
	for (int i = 0; i < COND_COUNT; i++) {
		e->failing += e->cond[i].state >= COND_FAILS;
		e->waiting += e->cond[i].state == COND_WAITS;
	}
}

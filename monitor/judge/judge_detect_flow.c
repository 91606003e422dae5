/* judge_detect_flow.c - what one transfer shows by itself: names, certificates,
 * protocols, tags. Each is looked at when inspection knows what it will know,
 * at the latest when the flow is over. */
#include <netinet/in.h>
#include <string.h>

#include "judge/judge_internal.h"

#define PORT_DNS 53u
#define PORT_NTP 123u

static bool is_app(const struct judge *j, const struct transfer *t, const char *name)
{
	const char *app = label_of(j, t)->app;
	const size_t n = strlen(name);
	return strncmp(app, name, n) == 0 && (app[n] == 0 || app[n] == '.');
}

/* A host that is an address was asked of nobody. */
static bool is_address(const char *host)
{
	struct addr a;
	return addr_parse(host, &a) == 0;
}

/* --- names --- */

static void look_certificate(struct judge *j, uint32_t index, uint64_t risk)
{
	static const struct {
		uint8_t risk, what;
	} all[] = {
	    {RISK_SELF_SIGNED, DETECT_CERTIFICATE_SELF_SIGNED}, {RISK_CERTIFICATE_EXPIRED, DETECT_CERTIFICATE_EXPIRED},
	    {RISK_CERTIFICATE_MISMATCH, DETECT_CERTIFICATE_MISMATCH}, {RISK_ESNI, DETECT_HIDDEN_NAME},
	    {RISK_FRONTING, DETECT_FRONTING},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if ((risk & UINT64_C(1) << all[i].risk) != 0)
			judge_sign(j, index, (enum detection)all[i].what, NULL);
}

/* The name that was claimed, where the equipment is the client. Of what is
 * approved nothing follows from the lack of answers to a sensor that sees none. */
static void look_host(struct judge *j, uint32_t index)
{
	const struct transfer *t = at(j, index);
	const char *host = text_of(j, t->host);
	if (host != NULL && !is_address(host)) {
		if (!t->host_verified && (t->verdict != VERDICT_APPROVED ||
		                          names_count(j->names) + names_count(j->names_heard) > 0))
			judge_sign(j, index, DETECT_NAME_NOT_ANSWERED, host);
		return;
	}
	const bool hello = label_of(j, t)->ja3[0] != 0 && (t->flags & FLOW_MID_STREAM) == 0;
	if (!is_app(j, t, "TLS") && !is_app(j, t, "QUIC"))
		return;
	if (host == NULL && hello)
		judge_sign(j, index, DETECT_TLS_WITHOUT_NAME, NULL);
	if (t->dns_name == 0 && (hello || host != NULL))
		judge_sign(j, index, DETECT_DIRECT_TO_ADDRESS, NULL);
}

/* --- protocols --- */

static void look_services(struct judge *j, uint32_t index)
{
	const struct transfer *t = at(j, index);
	if (t->proto != IPPROTO_TCP && t->proto != IPPROTO_UDP && t->proto != IPPROTO_ICMP && t->proto != IPPROTO_ICMPV6)
		judge_sign(j, index, DETECT_OTHER_PROTOCOL, NULL);
	if (t->verdict != VERDICT_UNAPPROVED)
		return;
	if ((label_of(j, t)->risk & UINT64_C(1) << RISK_ODD_PORT) != 0)
		judge_sign(j, index, DETECT_ODD_PORT, NULL);
	if (t->initiator == INITIATOR_PEER)
		return;
	if (t->peer_port == PORT_DNS && is_app(j, t, "DNS"))
		judge_sign(j, index, DETECT_RESOLVER, NULL);
	if (t->proto == IPPROTO_UDP && t->peer_port == PORT_NTP)
		judge_sign(j, index, DETECT_NTP, "a server that nobody approved");
}

static bool accepts(const struct transfer *t)
{
	return t->proto == IPPROTO_TCP && t->initiator == INITIATOR_PEER && transfer_counts(t).packets_out > 0 &&
	       (t->flags & (FLOW_ESTABLISHED | FLOW_MID_STREAM | FLOW_BETWEEN_NETWORKS)) == FLOW_ESTABLISHED;
}

/* --- evasion --- */

/* One tag more than the network has, and two at least; more than two anywhere. */
static bool has_odd_tags(const struct judge *j, const struct transfer *t, const struct attachment *a)
{
	if ((t->flags & FLOW_MANY_TAGS) != 0)
		return true;
	const int network = netset_find_addr(&j->netset, &a->inside);
	return a->vlan_count > 1 && network != NETSET_OUTSIDE && (t->flags & FLOW_BETWEEN_NETWORKS) == 0 &&
	       j->config->networks[network].vlan_count < a->vlan_count;
}

static bool has_v6(const struct config_network *n)
{
	for (size_t i = 0; i < n->prefix_count; i++)
		if (!addr_is_v4(&n->prefixes[i].addr))
			return true;
	return false;
}

/* Neither the machine nor its network has an IPv6 address. */
static bool is_odd_v6(const struct judge *j, const struct transfer *t, const struct attachment *a)
{
	const struct config_equipment *e = t->machine->equipment;
	if (a->ip_version != 6 || e == NULL || e->address_count == 0)
		return false;
	for (size_t i = 0; i < e->address_count; i++)
		if (!addr_is_v4(&e->addresses[i]))
			return false;
	for (size_t i = 0; i < j->config->network_count; i++)
		if (t->machine->network != NULL && strcmp(j->config->networks[i].name, t->machine->network) == 0)
			return !has_v6(&j->config->networks[i]);
	return true;
}

static void look_evasion(struct judge *j, uint32_t index)
{
	const struct transfer *t = at(j, index);
	const struct attachment *a = attached(j, t);
	if (has_odd_tags(j, t, a))
		judge_sign(j, index, DETECT_STACKED_TAGS, NULL);
	if (is_odd_v6(j, t, a))
		judge_sign(j, index, DETECT_IPV6, NULL);
	if ((t->flags & FLOW_NESTED_TUNNEL) != 0)
		judge_sign(j, index, DETECT_NESTED_TUNNEL, NULL);
	if (accepts(t))
		judge_sign(j, index, DETECT_LISTENS, NULL);
}

void judge_detect_look(struct judge *j, uint32_t index)
{
	struct transfer *t = at(j, index);
	if (t->looked || t->verdict == VERDICT_HOUSEKEEPING)
		return;
	t->looked = true;
	look_certificate(j, index, label_of(j, t)->risk);
	if (t->initiator != INITIATOR_PEER)
		look_host(j, index);
	look_services(j, index);
	judge_detect_met(j, index);
	look_evasion(j, index);
}

void judge_detect_last(struct judge *j, uint32_t index)
{
	if (at(j, index)->place != PLACE_NONE)
		judge_detect_look(j, index);
}

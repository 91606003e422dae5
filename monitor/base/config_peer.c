/* One scalar → one checked value: addresses, names and ports. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_parts.h"

/* The prefix that was meant where bits past its length are set. */
static bool meant_prefix(const char *text, char buf[PREFIX_TEXT_MAX])
{
	char host[ADDR_TEXT_MAX];
	struct addr a;
	const char *slash = strchr(text, '/');
	if (slash == NULL || (size_t)(slash - text) >= sizeof host || strlen(slash + 1) > 3 || slash[1] == '\0' ||
	    strspn(slash + 1, "0123456789") != strlen(slash + 1))
		return false;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	if (addr_parse(host, &a) != 0)
		return false;
	unsigned bits = (unsigned)strtoul(slash + 1, NULL, 10);
	bits += addr_is_v4(&a) && strchr(host, ':') == NULL ? 96u : 0u;
	if (bits > 128)
		return false;
	struct prefix p = {.addr = a, .bits = (uint8_t)bits};
	for (unsigned i = bits; i < 128; i++)
		p.addr.b[i / 8] = (uint8_t)(p.addr.b[i / 8] & ~(0x80u >> (i % 8)));
	(void)prefix_text(&p, buf);
	return true;
}

static void parse_prefix(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	char meant[PREFIX_TEXT_MAX];
	((struct prefix *)out)->bits = CONFIG_PREFIX_UNREAD;
	if (text == NULL || prefix_parse(text, out) == 0)
		return;
	if (meant_prefix(text, meant))
		report(x, n, "%s has bits set past its length; did you mean '%s'?", shown(x, text), meant);
	else
		report(x, n, "%s is no prefix; write 198.51.100.0/24 or 2001:db8::/32", shown(x, text));
}

static void parse_address(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	struct addr a;
	if (text == NULL)
		return;
	if (addr_parse(text, &a) != 0)
		report(x, n, "%s is no IP address%s", shown(x, text),
		       strchr(text, '/') != NULL ? "; here goes a single address, without '/'" : "");
	else if (addr_is_zero(&a) || addr_is_multicast(&a) || addr_is_broadcast(&a))
		report(x, n, "%s cannot be the address of a machine", shown(x, text));
	else
		memcpy(out, &a, sizeof a);
}

static void parse_mac(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	static const struct mac zero;
	const char *text = value_text(x, n, key);
	struct mac m;
	if (text == NULL)
		return;
	if (mac_parse(text, &m) != 0)
		report(x, n, "%s is no MAC address; write six pairs of hex digits, such as c0:9b:f4:b0:00:07",
		       shown(x, text));
	else if ((m.b[0] & 1) != 0 || mac_eq(&m, &zero)) /* IEEE 802: the group bit */
		report(x, n, "%s cannot be the MAC of a machine", shown(x, text));
	else
		memcpy(out, &m, sizeof m);
}

/* A MAC, where it can be one; else an address. */
static void parse_gateway(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	struct config_gateway *g = out;
	const char *text = value_text(x, n, key);
	struct mac m;
	struct addr a;
	if (text == NULL)
		return;
	if (mac_parse(text, &m) == 0)
		parse_mac(x, n, key, &g->mac);
	else if (addr_parse(text, &a) == 0)
		parse_address(x, n, key, &g->address);
	else
		report(x, n, "%s is neither a MAC nor an IP address", shown(x, text));
}

/* Labels of letters, digits, '-' and '_', 63 each (RFC 1035, section 2.3.4). */
static bool host_labels(const char *p)
{
	size_t label = 0;
	for (;; p++) {
		if (*p == '.' || *p == '\0') {
			if (label == 0 || label > 63)
				return false;
			label = 0;
			if (*p == '\0')
				return true;
		} else if (isalnum((unsigned char)*p) || *p == '-' || *p == '_') {
			label++;
		} else {
			return false;
		}
	}
}

/* Why text, lower case and without its final dot, is no host; NULL: it is one. */
static const char *bad_host(const char *text)
{
	struct addr a;
	const char *rest = strncmp(text, "*.", 2) == 0 ? text + 2 : text;
	if (strstr(text, "://") != NULL || strchr(text, '/') != NULL)
		return "is a URL; write the host name alone";
	if (addr_parse(text, &a) == 0)
		return "is an address; put it under 'prefixes'";
	if (strchr(text, ':') != NULL)
		return "holds a port; write the name alone, and the port under 'ports'";
	if (strchr(rest, '*') != NULL)
		return "has a wildcard in the wrong place; only '*.' at the beginning, followed by a name";
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			return "has letters outside ASCII; write its xn-- form (RFC 3492)";
	if (strlen(text) > 253 || !host_labels(rest))
		return "is no host name; labels of letters, digits and '-', joined by dots";
	if (rest != text && strchr(rest, '.') == NULL)
		return "would cover a whole top-level domain; name the organisation's domain too";
	return NULL;
}

static void parse_host(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return;
	char *kept = arena_text(x->keep, text, n->length);
	if (kept == NULL) {
		x->no_memory = true;
		return;
	}
	for (char *p = kept; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if (n->length > 1 && kept[n->length - 1] == '.')
		kept[n->length - 1] = '\0';
	const char *why = bad_host(kept);
	if (why != NULL)
		report(x, n, "%s %s", shown(x, text), why);
	else
		memcpy(out, &kept, sizeof kept);
}

static void parse_country(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return;
	if (n->length != 2 || !isalpha((unsigned char)text[0]) || !isalpha((unsigned char)text[1])) {
		report(x, n, "%s is no country code; two letters of ISO 3166-1, such as MX", shown(x, text));
		return;
	}
	const char upper[3] = {(char)toupper((unsigned char)text[0]), (char)toupper((unsigned char)text[1]), '\0'};
	if (strcmp(upper, text) != 0)
		report(x, n, "country codes are upper case; write %s, not %s", upper, text);
	else if (strcmp(upper, "UK") == 0) /* reserved in ISO 3166-1, never in a database */
		report(x, n, "the code of the United Kingdom is GB");
	else if (strcmp(upper, "EU") == 0)
		report(x, n, "EU is no country; list the member states");
	else
		memcpy(out, upper, sizeof upper);
}

static void parse_asn(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return;
	const char *digits = strncasecmp(text, "AS", 2) == 0 ? text + 2 : text;
	const size_t len = strlen(digits);
	const unsigned long long v =
	    len > 0 && len <= 10 && strspn(digits, "0123456789") == len ? strtoull(digits, NULL, 10) : 0;
	if (v == 0 || v > UINT32_MAX)
		report(x, n, "%s is no AS number; write 64500 or AS64500", shown(x, text));
	else
		*(uint32_t *)out = (uint32_t)v;
}

struct proto {
	const char *word;
	uint8_t number; /* IANA protocol numbers */
	bool has_ports;
};

static const struct proto protos[] = {
    {"tcp", 6, true},   {"udp", 17, true},    {"sctp", 132, true}, {"dccp", 33, true},  {"udplite", 136, true},
    {"icmp", 1, false}, {"icmp6", 58, false}, {"gre", 47, false},  {"esp", 50, false},  {"ah", 51, false},
    {"ipip", 4, false}, {"ipv6", 41, false},  {"igmp", 2, false},  {"ospf", 89, false}, {"vrrp", 112, false},
};

static int port_number(const char *text, size_t len)
{
	int v = 0;
	if (len == 0 || len > 5)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		v = v * 10 + (text[i] - '0');
	}
	return v >= 1 && v <= 65535 ? v : -1;
}

/* What stands after the slash: "443", "8000-8100". */
static bool port_range(const char *text, struct config_ports *ret)
{
	const char *dash = strchr(text, '-');
	const int low = port_number(text, dash != NULL ? (size_t)(dash - text) : strlen(text));
	const int high = dash != NULL ? port_number(dash + 1, strlen(dash + 1)) : low;
	if (low < 0 || high < low)
		return false;
	ret->low = (uint16_t)low;
	ret->high = (uint16_t)high;
	return true;
}

static void report_proto(struct config_ctx *x, const struct node *n, const char *word)
{
	if (word[strspn(word, "0123456789-")] == '\0') {
		report(x, n, "%s has no protocol; write tcp/%s or udp/%s", shown(x, n->text), word, word);
		return;
	}
	struct nearest near;
	nearest_init(&near, word);
	for (size_t i = 0; i < sizeof protos / sizeof protos[0]; i++)
		nearest_offer(&near, protos[i].word);
	report(x, n, "unknown protocol in %s%s", shown(x, n->text),
	       near.best != NULL ? nearest_said(x, &near)
	                         : "; write tcp/443, udp, icmp, or ip/47 for a protocol by number");
}

static const struct proto *proto_named(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof protos / sizeof protos[0]; i++)
		if (strlen(protos[i].word) == len && memcmp(protos[i].word, word, len) == 0)
			return &protos[i];
	return NULL;
}

const char *config_proto_word(uint8_t proto)
{
	for (size_t i = 0; i < sizeof protos / sizeof protos[0]; i++)
		if (protos[i].number == proto)
			return protos[i].word;
	return NULL;
}

int config_ports_parse(const char *text, struct config_ports *ret)
{
	const char *slash = strchr(text, '/');
	const size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	struct config_ports p = {.low = 0, .high = 65535};
	if (slash != NULL && len == 2 && memcmp(text, "ip", 2) == 0) {
		const int number = port_number(slash + 1, strlen(slash + 1));
		if (number < 1 || number > 255)
			return ERR_INVALID;
		p.proto = (uint8_t)number;
	} else {
		const struct proto *known = proto_named(text, len);
		if (known == NULL || (slash != NULL && (!known->has_ports || !port_range(slash + 1, &p))))
			return ERR_INVALID;
		p.proto = known->number;
	}
	*ret = p;
	return 0;
}

static void parse_ports(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	if (text == NULL || config_ports_parse(text, out) == 0)
		return;
	char word[24];
	const char *slash = strchr(text, '/');
	const size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1), text);
	const struct proto *known = proto_named(text, len);
	if (strcmp(word, "ip") == 0)
		report(x, n, "%s: a protocol number is from 1 to 255, such as ip/47", shown(x, text));
	else if (known == NULL)
		report_proto(x, n, word);
	else if (!known->has_ports)
		report(x, n, "%s has no ports; write '%s' alone", word, word);
	else
		report(x, n, "%s is no port or range of ports; write %s/443 or %s/8000-8100", shown(x, text), word,
		       word);
}

const struct config_type type_prefix = {"prefix", sizeof(struct prefix), parse_prefix};
const struct config_type type_address = {"address", sizeof(struct addr), parse_address};
const struct config_type type_mac = {"MAC", sizeof(struct mac), parse_mac};
const struct config_type type_gateway = {"MAC or address", sizeof(struct config_gateway), parse_gateway};
const struct config_type type_host = {"host name", sizeof(char *), parse_host};
const struct config_type type_country = {"country", 3, parse_country};
const struct config_type type_asn = {"AS number", sizeof(uint32_t), parse_asn};
const struct config_type type_ports = {"ports", sizeof(struct config_ports), parse_ports};

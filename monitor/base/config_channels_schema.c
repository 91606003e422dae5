/* The table of keys of a channel list, and the values that site.yaml has not. */
#include <ctype.h>
#include <string.h>

#include "base/config_channels_parts.h"

const char *const config_channel_kinds[] = {"remote-maintenance", "vpn",  "proxy",     "cloud-storage",
                                            "encrypted-dns",      "mail", "messaging", NULL};

static char *keep(struct config_ctx *x, const char *text, size_t bytes)
{
	char *kept = arena_text(x->keep, text, bytes);
	if (kept == NULL)
		x->no_memory = true;
	return kept;
}

/* A name for people, which stands in records and tables. */
static void parse_name(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	struct channel_head *head = out;
	if (text == NULL)
		return;
	if (n->length > CONFIG_ID_MAX) {
		report(x, n, "'%s' is %zu bytes long; the limit is %u", key->name, n->length, CONFIG_ID_MAX);
		return;
	}
	head->name = keep(x, text, n->length);
	head->place = (struct config_place){.line = n->line, .column = n->column};
}

static void parse_kind(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	value_word(x, n, key, config_channel_kinds,
	           "remote-maintenance, vpn, proxy, cloud-storage, encrypted-dns, mail or messaging", out);
}

/* One label of a pattern: letters, digits, '-' and '_', at most one {bucket},
 * {region} or '*' among them; {bucket} as a whole label only. */
static bool label_fits(const char *p, size_t n)
{
	unsigned open = 0;
	if (n == 0 || n > 63)
		return false;
	if (n == 8 && memcmp(p, "{bucket}", 8) == 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		if (n - i >= 8 && memcmp(p + i, "{region}", 8) == 0) {
			open++;
			i += 7;
		} else if (p[i] == '*') {
			open++;
		} else if (!isalnum((unsigned char)p[i]) && p[i] != '-' && p[i] != '_') {
			return false;
		}
	}
	return open <= 1;
}

static const char *why_no_pattern(const char *text)
{
	unsigned labels = 0, fixed = 0;
	for (const char *p = text;; p++) {
		const size_t n = strcspn(p, ".");
		if (!label_fits(p, n))
			return "is no host name and no pattern of one; labels of letters, digits and '-', {bucket} as the first label, "
			       "{region} or * once in a label";
		if (labels > 0 && memcmp(p, "{bucket}", n < 8 ? n : 8) == 0 && n == 8)
			return "has {bucket} in the wrong place; it stands for the first labels";
		labels++;
		fixed = memchr(p, '{', n) == NULL && memchr(p, '*', n) == NULL ? fixed + 1 : 0;
		p += n;
		if (*p == '\0')
			break;
	}
	if (labels < 2 || fixed < 2)
		return "covers too much; at least its last two labels must be written out";
	return strlen(text) > 253 ? "is longer than a host name can be" : NULL;
}

static void parse_pattern(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	char *kept = text != NULL ? keep(x, text, n->length) : NULL;
	if (kept == NULL)
		return;
	for (char *p = kept; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	const char *why = why_no_pattern(kept);
	if (why != NULL)
		report(x, n, "%s %s", shown(x, text), why);
	else
		memcpy(out, &kept, sizeof kept);
}

/* Whoever reads the list must be able to look it up. */
static void parse_source(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	static const char *const starts[] = {"https://", "http://", "RFC ", "IANA ", "DICOM ", "site: "};
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return;
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		if (strncmp(text, starts[i], strlen(starts[i])) == 0 && n->length <= 300) {
			char *kept = keep(x, text, n->length);
			memcpy(out, &kept, sizeof kept);
			return;
		}
	}
	report(x, n, "'%s' must say where this is written: an https:// address, 'RFC n', 'IANA …', or 'site: who and when'; not %s",
	       key->name, shown(x, text));
}

static const struct config_type type_name = {"text", sizeof(char *), parse_name};
static const struct config_type type_kind = {"kind", sizeof(char *), parse_kind};
static const struct config_type type_pattern = {"host pattern", sizeof(char *), parse_pattern};
static const struct config_type type_source = {"source", sizeof(char *), parse_source};

/* clang-format off */
#define END {.name = NULL}
#define IN(s, f) .offset = offsetof(struct s, f)
#define LIST_OF(s, f, c) .offset = offsetof(struct s, f), .count_offset = offsetof(struct s, c), \
	.size = sizeof(*((struct s *)0)->f)
#define M KEY_MANDATORY
#define L (KEY_LIST | KEY_NOT_EMPTY)

static const struct config_key provider_keys[] = {
	{"name",         &type_name,    NULL, M | KEY_WHOLE, .offset = 0},
	{"jurisdiction", &type_country, NULL, M, IN(config_provider, jurisdiction)},
	{"operator",     &type_text,    NULL, 0, IN(config_provider, operator_name)},
	{"hosts",        &type_pattern, NULL, L, LIST_OF(config_provider, hosts, host_count), .max = 1024},
	{"asns",         &type_asn,     NULL, L, LIST_OF(config_provider, asns, asn_count), .max = 1024},
	{"source",       &type_source,  NULL, M | L, LIST_OF(config_provider, sources, source_count), .max = 32},
	END
};

static const struct config_key channel_keys[] = {
	{"name",      &type_name,    NULL, M | KEY_WHOLE, .offset = 0},
	{"kind",      &type_kind,    NULL, M, IN(config_channel, kind)},
	{"provider",  &type_text,    NULL, 0, IN(config_channel, provider), .max = CONFIG_ID_MAX},
	{"hosts",     &type_pattern, NULL, L, LIST_OF(config_channel, hosts, host_count), .max = 1024},
	{"ports",     &type_ports,   NULL, L, LIST_OF(config_channel, ports, port_count), .max = 64},
	{"addresses", &type_address, NULL, L, LIST_OF(config_channel, addresses, address_count), .max = 1024},
	{"labels",    &type_text,    NULL, L, LIST_OF(config_channel, labels, label_count), .max = 64},
	{"content",   &type_text,    NULL, L, LIST_OF(config_channel, content, content_count), .max = 64},
	{"source",    &type_source,  NULL, M | L, LIST_OF(config_channel, sources, source_count), .max = 32},
	{"note",      &type_text,    NULL, 0, IN(config_channel, note), .max = 400},
	END
};

const struct config_key config_channels_keys[] = {
	{"providers", NULL, provider_keys, L, LIST_OF(config_channel_file, providers, provider_count), .max = 1024},
	{"channels",  NULL, channel_keys,  L, LIST_OF(config_channel_file, channels, channel_count), .max = 4096},
	END
};
/* clang-format on */

/* One scalar → one checked value: words, numbers, sizes. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_parts.h"
#include "base/netset.h"

const char *value_text(struct config_ctx *x, const struct node *n, const struct config_key *key)
{
	if (n->kind != NODE_SCALAR) {
		report(x, n, "'%s' takes a single value here, not a %s", key->name,
		       n->kind == NODE_LIST ? "list" : "map");
		return NULL;
	}
	if (n->length == 0 || (n->plain && (strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0))) {
		report(x, n, "an empty value in '%s'; give it one, or take it out", key->name);
		return NULL;
	}
	for (const char *p = n->text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			report(x, n, "a control character in '%s'", key->name);
			return NULL;
		}
	return n->text;
}

static void keep_text(struct config_ctx *x, const char *text, void *out)
{
	char *kept = arena_text(x->keep, text, strlen(text));
	if (kept == NULL)
		x->no_memory = true;
	else
		memcpy(out, &kept, sizeof kept);
}

static void parse_text(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	const size_t max = key->max > 0 ? (size_t)key->max : CONFIG_TEXT_MAX;
	if (text == NULL)
		return;
	if (n->length > max)
		report(x, n, "'%s' is %zu bytes long; the limit is %zu", key->name, n->length, max);
	else if (strspn(text, " ") == n->length)
		report(x, n, "'%s' is blank", key->name);
	else
		keep_text(x, text, out);
}

/* Words that a person types at a prompt and that stand in file names and
 * tables: no spaces, no quotes, nothing a shell would act on. */
static bool id_like(const char *text)
{
	if (!isalnum((unsigned char)text[0]))
		return false;
	for (const char *p = text; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("._:/@+-", *p) == NULL)
			return false;
	return true;
}

static const char *id_text(struct config_ctx *x, const struct node *n, const struct config_key *key, size_t max)
{
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return NULL;
	if (n->length > max) {
		report(x, n, "'%s' is %zu bytes long; the limit is %zu", key->name, n->length, max);
		return NULL;
	}
	if (!id_like(text)) {
		report(
		    x, n,
		    "%s cannot be a '%s': letters, digits and . _ : / @ + - only, beginning with a letter or digit",
		    shown(x, text), key->name);
		return NULL;
	}
	if (strncasecmp(text, "unknown:", 8) == 0 || strncasecmp(text, "gateway:", 8) == 0) {
		report(x, n, "'%.8s' names machines that are in no list of equipment; choose another '%s'", text, key->name);
		return NULL;
	}
	return text;
}

static void parse_id(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = id_text(x, n, key, CONFIG_ID_MAX);
	if (text != NULL)
		keep_text(x, text, out);
}

static void parse_network_name(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = id_text(x, n, key, NETSET_NAME_MAX - 1);
	if (text != NULL)
		keep_text(x, text, out);
}

/* A path that does not begin at the root is one beside the file that names
 * it, so that a folder with both can be moved. */
static void parse_path(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	const char *slash = strrchr(x->name, '/');
	if (text == NULL)
		return;
	if (n->length > 1000) {
		report(x, n, "'%s' is longer than 1000 bytes", key->name);
		return;
	}
	const size_t folder = text[0] == '/' || slash == NULL ? 0 : (size_t)(slash - x->name) + 1;
	const size_t bytes = folder + strlen(text);
	char *whole = arena_take(x->scratch, bytes + 1);
	if (whole == NULL) {
		x->no_memory = true;
		return;
	}
	memcpy(whole, x->name, folder);
	memcpy(whole + folder, text, strlen(text));
	keep_text(x, whole, out);
}

/* Decimal digits alone: no sign, no 0x, no 1_000, no octal surprise. */
static bool read_digits(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	if (*text == '\0')
		return false;
	for (const char *p = text; *p != '\0'; p++) {
		if (!isdigit((unsigned char)*p) || v > (max - (uint64_t)(*p - '0')) / 10)
			return false;
		v = v * 10 + (uint64_t)(*p - '0');
	}
	*ret = v;
	return v <= max;
}

static void parse_number(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	uint64_t v;
	if (text == NULL)
		return;
	if (!read_digits(text, (uint64_t)key->max, &v) || v < (uint64_t)key->min)
		report(x, n, "'%s' must be a whole number from %lld to %lld, not %s", key->name,
		       (long long)key->min, (long long)key->max, shown(x, text));
	else
		*(unsigned *)out = (unsigned)v;
}

/* "99", "99.95 %": parts per million. */
static void parse_percent(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	unsigned whole = 0, part = 0, digits = 0;
	const char *p = text;
	if (text == NULL)
		return;
	for (; *p >= '0' && *p <= '9' && whole <= 100; p++)
		whole = whole * 10 + (unsigned)(*p - '0');
	const bool good = p > text;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9' && digits < 4; p++, digits++)
			part = part * 10 + (unsigned)(*p - '0');
	for (; digits < 4; digits++)
		part *= 10;
	p += strspn(p, " ");
	p += *p == '%' ? 1 : 0;
	if (!good || *p != '\0' || whole > 100 || whole * 10000 + part > 1000000)
		report(x, n, "'%s' must be from 0 to 100 per cent, with four decimals at most, not %s", key->name, shown(x, text));
	else
		*(unsigned *)out = whole * 10000 + part;
}

void value_word(struct config_ctx *x, const struct node *n, const struct config_key *key, const char *const *words,
                const char *all, void *out)
{
	const char *text = value_text(x, n, key);
	struct nearest near;
	if (text == NULL)
		return;
	nearest_init(&near, text);
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(text, words[i]) == 0) {
			memcpy(out, &words[i], sizeof(char *));
			return;
		}
		nearest_offer(&near, words[i]);
	}
	report(x, n, "'%s' must be %s, not %s%s", key->name, all, shown(x, text), nearest_said(x, &near));
}

static void parse_form(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	static const char *const words[] = {"html", "pdf", "json", NULL};
	value_word(x, n, key, words, "html, pdf or json", out);
}

static void parse_flag(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return;
	for (size_t i = 0; i < 3; i++) {
		if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
			*(bool *)out = strcasecmp(text, yes[i]) == 0;
			return;
		}
	}
	report(x, n, "'%s' must be true or false, not %s", key->name, shown(x, text));
}

/* One of a few words; its index, or -1 and it is reported. */
static int word_of(struct config_ctx *x, const struct node *n, const struct config_key *key,
                   const char *const *words, const char *all)
{
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return -1;
	struct nearest near;
	nearest_init(&near, text);
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], text) == 0)
			return i;
		nearest_offer(&near, words[i]);
	}
	report(x, n, "'%s' must be %s, not %s%s", key->name, all, shown(x, text), nearest_said(x, &near));
	return -1;
}

static void parse_language(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	static const char *const words[] = {"en", "es", NULL};
	const int i = word_of(x, n, key, words, "en or es");
	if (i >= 0)
		keep_text(x, words[i], out);
}

static void parse_initiator(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	static const char *const words[] = {"any", "equipment", "peer", NULL};
	const int i = word_of(x, n, key, words, "any, equipment or peer");
	if (i >= 0)
		*(enum config_initiator *)out = (enum config_initiator)i;
}

static void parse_duplicates(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	static const char *const words[] = {"count-once", "count-all", NULL};
	const int i = word_of(x, n, key, words, "count-once or count-all");
	if (i >= 0)
		*(enum config_duplicates *)out = (enum config_duplicates)i;
}

static void parse_keep(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	static const char *const words[] = {"none", "hash", "clear", NULL};
	const int i = word_of(x, n, key, words, "none, hash or clear");
	if (i >= 0)
		*(enum config_keep *)out = (enum config_keep)i;
}

static void parse_packets(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	static const char *const words[] = {"off", "headers", "full", NULL};
	const int i = word_of(x, n, key, words, "full, headers or off");
	if (i >= 0)
		*(enum config_packets *)out = (enum config_packets)i;
}

static void parse_period(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	static const char *const words[] = {"", "hour", "day", "week", "month", NULL};
	const int i = word_of(x, n, key, words, "hour, day, week or month");
	if (i > 0)
		*(enum config_period *)out = (enum config_period)i;
}

static bool vlan_id(struct config_ctx *x, const struct node *n, const struct config_key *key, uint16_t *ret)
{
	const char *text = value_text(x, n, key);
	uint64_t v;
	if (text == NULL)
		return false;
	/* IEEE 802.1Q: 0 is a priority tag, 4095 reserved. */
	if (!read_digits(text, 4094, &v) || v == 0) {
		report(x, n, "a VLAN is a number from 1 to 4094, not %s; leave 'vlan' out for untagged",
		       shown(x, text));
		return false;
	}
	*ret = (uint16_t)v;
	return true;
}

/* A number, or [outer, inner]. */
static void parse_vlan(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	struct config_network *net = out;
	uint16_t vlan[2] = {0, 0};
	if (n->kind == NODE_LIST && (n->count == 0 || n->count > 2)) {
		report(x, n, "'vlan' is a number, or [outer, inner] for stacked tags; %zu were given", n->count);
		return;
	}
	const size_t count = n->kind == NODE_LIST ? n->count : 1;
	bool good = true;
	for (size_t i = 0; i < count; i++)
		good = vlan_id(x, n->kind == NODE_LIST ? n->item[i] : n, key, &vlan[i]) && good;
	if (!good)
		return;
	memcpy(net->vlan, vlan, sizeof vlan);
	net->vlan_count = (uint8_t)count;
}

struct unit {
	const char *word;
	uint64_t bytes;
};

static const struct unit units[] = {
    {"B", 1},
    {"kB", 1000},
    {"KB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", 1000000000000},
    {"PB", 1000000000000000},
    {"KiB", 1ull << 10},
    {"MiB", 1ull << 20},
    {"GiB", 1ull << 30},
    {"TiB", 1ull << 40},
    {"PiB", 1ull << 50},
};

/* Why a unit is none: the usual ones are said by name. */
static void report_unit(struct config_ctx *x, const struct node *n, const char *number, const char *unit)
{
	if (unit[0] == '\0') {
		report(x, n, "%s has no unit; write %sB, %sMB, %sGB or %sGiB", shown(x, n->text), number, number,
		       number, number);
		return;
	}
	if (strlen(unit) == 2 && unit[1] == 'b' && strchr("kKMGTP", unit[0]) != NULL) {
		report(x, n, "'%s' are bits; write %cB for bytes", unit, unit[0]);
		return;
	}
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcasecmp(units[i].word, unit) == 0) {
			report(x, n, "%s: unknown unit; did you mean '%s'?", shown(x, n->text), units[i].word);
			return;
		}
	report(x, n, "%s is not a size; write 500MB, 40GB, 1.5TB or 2GiB", shown(x, n->text));
}

/* "40GB", "1.5 TB", "500 MiB" */
static void parse_size(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return;
	char number[24];
	const size_t digits = strspn(text, "0123456789.");
	const char *unit = text + digits + strspn(text + digits, " ");
	if (digits == 0 || digits >= sizeof number || text[0] == '.' || text[digits - 1] == '.' ||
	    strchr(text, '.') != strrchr(text, '.')) {
		report(x, n, "%s is not a size; write 500MB, 40GB, 1.5TB or 2GiB", shown(x, text));
		return;
	}
	memcpy(number, text, digits);
	number[digits] = '\0';
	uint64_t scale = 0;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(units[i].word, unit) == 0)
			scale = units[i].bytes;
	if (scale == 0) {
		report_unit(x, n, number, unit);
		return;
	}
	/* long double: exact for every whole number of bytes up to 2^63. */
	const long double bytes = strtold(number, NULL) * (long double)scale;
	if (key->min > 0 && bytes < (long double)key->min)
		report(x, n, "'%s' must be at least %lldMB, not %s", key->name, (long long)key->min / 1000000, shown(x, text));
	else if (bytes < 1.0L)
		report(x, n, "a limit of nothing; an approval that allows no bytes is better taken out");
	else if (bytes > 9e18L)
		report(x, n, "%s is more than can be counted", shown(x, text));
	else
		*(uint64_t *)out = (uint64_t)bytes;
}

static void parse_app(struct config_ctx *x, const struct node *n, const struct config_key *key, void *out)
{
	const char *text = value_text(x, n, key);
	if (text == NULL)
		return;
	if (strcasecmp(text, "unknown") == 0)
		report(x, n,
		       "'Unknown' is what inspection could not name, so it cannot be approved; leave 'apps' out to "
		       "accept any");
	else if (n->length > 47 || !id_like(text))
		report(x, n,
		       "%s is no application label; write one as `garita transfers` shows it, such as TLS or DICOM",
		       shown(x, text));
	else
		keep_text(x, text, out);
}

const struct config_type type_text = {"text", sizeof(char *), parse_text};
const struct config_type type_id = {"word", sizeof(char *), parse_id};
const struct config_type type_network_name = {"word", sizeof(char *), parse_network_name};
const struct config_type type_path = {"path", sizeof(char *), parse_path};
const struct config_type type_number = {"number", sizeof(unsigned), parse_number};
const struct config_type type_form = {"html, pdf or json", sizeof(char *), parse_form};
const struct config_type type_percent = {"per cent", sizeof(unsigned), parse_percent};
const struct config_type type_flag = {"true or false", sizeof(bool), parse_flag};
const struct config_type type_language = {"en or es", sizeof(char *), parse_language};
const struct config_type type_initiator = {"any, equipment or peer", sizeof(enum config_initiator),
                                           parse_initiator};
const struct config_type type_duplicates = {"count-once or count-all", sizeof(enum config_duplicates),
                                            parse_duplicates};
const struct config_type type_keep = {"none, hash or clear", sizeof(enum config_keep), parse_keep};
const struct config_type type_packets = {"full, headers or off", sizeof(enum config_packets), parse_packets};
const struct config_type type_period = {"hour, day, week or month", sizeof(enum config_period), parse_period};
const struct config_type type_vlan = {"VLAN", sizeof(struct config_network), parse_vlan};
const struct config_type type_size = {"size", sizeof(uint64_t), parse_size};
const struct config_type type_app = {"application", sizeof(char *), parse_app};
/* Whether it names anything is asked when the whole file is known. */
const struct config_type type_selector = {"selector", sizeof(char *), parse_text};

/* site.yaml as a file: YAML itself, many errors at once, the schema, names that are nearly right. */
#include "config_made.h"

static void anchors(void **state)
{
	(void)state;
	struct config *c = good("site: {name: A, sensor: s}\nnetworks: [{name: n1, prefixes: &p [192.0.2.0/24]}]\n"
	                        "approvals:\n"
	                        "- {id: A1, equipment: n1, to: &t {prefixes: [198.51.100.0/24]}, valid: &v "
	                        "2026-01-01..2026-01-02, approved_by: x, ticket: y}\n"
	                        "- {id: A2, equipment: n1, to: *t, valid: *v, approved_by: x, ticket: y}\n");
	assert_int_equal(c->approvals[1].prefix_count, 1);
	assert_int_equal(c->approvals[1].valid_to.day, 2);
	config_free(c);
	wrong("site: &a [*a]\n", "t:1:11: an alias to the very value", NULL);
	wrong("site: *x\n", "t:1:7: an alias without its anchor", NULL);
	wrong("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
	      "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
	      "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
	      "too many values", NULL);
}

/* One file, many mistakes, all said in the order of the file. */
static void all_at_once(void **state)
{
	(void)state;
	wrong("site: {name: A, senser: s, timezone: America/Mexico_Citi}\n"
	      "captura: {}\n"
	      "networks:\n"
	      "- {name: n1, vlan: 4095, prefixes: [192.0.2.1/24]}\n"
	      "- {name: N1, prefixes: []}\n"
	      "equipment:\n"
	      "- {id: E1, mac: 02:00:00:00:00, addresses: [192.0.2.300]}\n"
	      "approvals:\n"
	      "- {id: A1, equipment: [E2], to: {host: [a.b]}, ports: [443], limit: {out: 40, per: dai}, hosts: "
	      "[x.y]}\n",
	      "t:1:7: 'site' lacks 'sensor'", "t:1:17: unknown key 'senser'; did you mean 'sensor'?",
	      "t:1:38: no time zone 'America/Mexico_Citi' in /usr/share/zoneinfo; did you mean "
	      "'America/Mexico_City'?",
	      "t:2:1: unknown key 'captura'; did you mean 'capture'?", "t:4:20: a VLAN is a number from 1 to 4094",
	      "t:4:37: '192.0.2.1/24' has bits set past its length; did you mean '192.0.2.0/24'?",
	      "t:5:10: network 'N1' is said twice; first in line 4", "t:5:24: 'prefixes' is an empty list",
	      "t:7:17: '02:00:00:00:00' is no MAC address", "t:7:45: '192.0.2.300' is no IP address",
	      "t:9:3: 'approvals' 'A1' lacks 'approved_by'", "t:9:3: 'approvals' 'A1' lacks 'ticket'",
	      "t:9:3: 'approvals' 'A1' lacks 'valid'",
	      "t:9:24: 'E2' is no equipment, group, vendor or network of this file; did you mean 'E1'?",
	      "t:9:34: unknown key 'host'; did you mean 'hosts'?",
	      "t:9:56: '443' has no protocol; write tcp/443 or udp/443",
	      "t:9:75: '40' has no unit; write 40B, 40MB, 40GB or 40GiB",
	      "t:9:84: 'per' must be hour, day, week or month, not 'dai'; did you mean 'day'?",
	      "t:9:90: 'hosts' does not stand here; it is a key of 'to'", NULL);
}

static void yaml_itself(void **state)
{
	(void)state;
	wrong("", "t:1:1: empty", NULL);
	wrong("# nothing\n", "t:1:1: empty", NULL);
	wrong("just words\n", "t:1:1: a site.yaml holds keys: site, ", NULL);
	wrong("site:\n\tname: x\n", "t:2:1: not valid YAML", NULL);
	wrong("site: {name: A\n", "not valid YAML", NULL);
	wrong("site: [a, b\nnetworks: 1\n", "not valid YAML", NULL);
	wrong("a: b: c\n", "not valid YAML", NULL);
	wrong(HEAD "---\n" HEAD, "t:4:1: a second document", NULL);
	wrong(HEAD "site: {name: B, sensor: t}\n", "t:4:1: 'site' is said twice; first in line 1", NULL);
	wrong(HEAD "? [a, b]\n: c\n", "t:4:3: a key must be a word", NULL);
	wrong(HEAD "<<: {user: x}\n", "t:4:1: merge keys", NULL);
	wrong("site: {name: \"a\\u0007b\", sensor: s}\nnetworks: [{name: n, prefixes: 192.0.2.0/24}]\n",
	      "t:1:14: a control character in 'name'", NULL);
	wrong("site: {name: \"a\\0b\", sensor: s}\n", "t:1:14: a NUL character", NULL);
	wrong("\xff\xfes\0i\0", "t:1:1: the file is UTF-16", NULL);
	wrong("site:\n  name: Gesti\xf3n\n", "t:2:14: byte 0xf3 is not UTF-8", NULL);
	wrong("site:\n  name: \xc0\x80\n", "t:2:9: byte 0xc0 is not UTF-8", NULL);
	wrong("site:\n  name: \x01\n", "t:2:9: a control character (0x01)", NULL);
	char deep[200] = "";
	memset(deep, '[', 100);
	wrong(deep, "t:1:33: nested too deeply; the limit is 32", NULL);
	struct config *c = good("\xef\xbb\xbf" HEAD); /* a byte order mark is no harm */
	config_free(c);
	c = good("%YAML 1.1\n---\n" HEAD "...\n");
	config_free(c);
}

/* "First" is the first of the file, however the memory of its values lies. */
static void first_is_first(void **state)
{
	(void)state;
	static char text[200000];
	size_t n = (size_t)snprintf(
	    text, sizeof text,
	    "site: {name: A, sensor: s}\nnetworks: [{name: n, prefixes: [10.0.0.0/8]}]\nequipment:\n");
	for (unsigned i = 0; i < 1500; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
		                      "- {id: E%u, addresses: [10.1.%u.%u], mac: '02:00:00:00:%02x:%02x'}\n", i,
		                      i / 200, i % 200 + 1, i / 256, i % 256);
	n += (size_t)snprintf(text + n, sizeof text - n,
	                      "- {id: L, addresses: [10.1.0.1], mac: '02:00:00:00:00:00'}\n");
	assert_true(n < sizeof text);
	wrong(text, "t:1504:23: the address 10.1.0.1 is given twice; first in line 4",
	      "t:1504:39: the MAC 02:00:00:00:00:00 is given twice; first in line 4", NULL);
}

static void flood_of_errors(void **state)
{
	(void)state;
	char *text = malloc(1 << 20);
	size_t used = 0;
	for (int i = 0; i < 5000; i++)
		used += (size_t)sprintf(text + used, "k%d: 1\n", i);
	struct config *c = NULL;
	struct config_errors e;
	assert_int_equal(config_parse("t", text, used, &c, &e), ERR_CONFIG);
	assert_int_equal(e.count, CONFIG_ERRORS_MAX + 1);
	assert_non_null(strstr(e.text[0], "t:1:1: unknown key 'k0'"));
	assert_non_null(strstr(e.text[e.count - 1], "more errors follow"));
	config_errors_done(&e);
	memset(text, ' ', 1 << 20);
	free(text);
	text = calloc(1, CONFIG_FILE_MAX + 2);
	memset(text, '\n', CONFIG_FILE_MAX + 1);
	assert_int_equal(config_parse("t", text, CONFIG_FILE_MAX + 1, &c, &e), ERR_CONFIG);
	assert_non_null(strstr(e.text[0], "larger than 4 MiB"));
	config_errors_done(&e);
	free(text);
}

static void files(void **state)
{
	(void)state;
	struct config *c = NULL;
	struct config_errors e;
	assert_int_equal(config_load("/nonexistent/site.yaml", &c, &e), ERR_IO);
	assert_string_equal(e.text[0], "/nonexistent/site.yaml: cannot be read: No such file or directory");
	config_errors_done(&e);
	assert_int_equal(config_load("/usr", &c, &e), ERR_IO);
	assert_non_null(strstr(e.text[0], "Is a directory"));
	config_errors_done(&e);
	const int err = config_load("tools/install/site.yaml.example", &c, &e);
	for (size_t i = 0; i < e.count; i++)
		print_error("%s\n", e.text[i]);
	assert_int_equal(err, 0);
	assert_int_equal(c->approval_count, 4);
	struct netset *ns = malloc(sizeof *ns);
	assert_int_equal(config_netset(c, ns), 0);
	assert_int_equal(ns->network_count, 2);
	assert_int_equal(ns->prefix_count, 3);
	assert_int_equal(ns->mac_count, 4);
	free(ns);
	config_free(c);
	config_free(NULL);
}

static unsigned count_keys(const struct config_key *t)
{
	unsigned n = 0;
	for (; t[n].name != NULL; n++)
		if (t[n].sub != NULL)
			assert_true(count_keys(t[n].sub) <= 32);
	return n;
}

/* Each key, and its default, is in the manual page. */
static void check_manual(const char *man, const struct config_key *t)
{
	for (; t->name != NULL; t++) {
		char want[120];
		snprintf(want, sizeof want, ".B %s\n", t->name);
		if (strstr(man, want) == NULL)
			fail_msg("garita-site.yaml(5) lacks '%s'", t->name);
		if (t->standard != NULL) {
			const char *at = strstr(man, want);
			bool found = false;
			while (at != NULL && !found) { /* the default stands within the key's own paragraph */
				const char *end = strstr(at, "\n.TP");
				const size_t room = end != NULL ? (size_t)(end - at) : strlen(at);
				snprintf(want, sizeof want, "Default: %s", t->standard);
				const char *d = strstr(at, want);
				found = d != NULL && d < at + room;
				snprintf(want, sizeof want, ".B %s\n", t->name);
				at = strstr(at + 1, want);
			}
			if (!found)
				fail_msg("garita-site.yaml(5) lacks the default %s of '%s'", t->standard, t->name);
		}
		if (t->sub != NULL)
			check_manual(man, t->sub);
	}
}

static void schema(void **state)
{
	(void)state;
	assert_true(count_keys(config_keys) <= 32); /* KEYS_MAX of config_read.c */
	char *man = calloc(1, 1 << 18);
	FILE *f = fopen("tools/man/garita-site.yaml.5", "r");
	assert_non_null(f);
	assert_true(fread(man, 1, (1 << 18) - 1, f) > 0);
	fclose(f);
	check_manual(man, config_keys);
	free(man);
}

static void distances(void **state)
{
	(void)state;
	assert_int_equal(edit_distance("hosts", "hosts", 3), 0);
	assert_int_equal(edit_distance("HOSTS", "hosts", 3), 0);
	assert_int_equal(edit_distance("host", "hosts", 3), 1);
	assert_int_equal(edit_distance("hsots", "hosts", 3), 1);
	assert_int_equal(edit_distance("ports", "hosts", 3), 2);
	assert_int_equal(edit_distance("", "abc", 3), 3);
	assert_int_equal(edit_distance("abc", "", 2), 3);
	assert_int_equal(edit_distance("kitten", "sitting", 3), 3);
	assert_int_equal(edit_distance("abcdef", "ghijkl", 3), 4);
}

static uint64_t rng = 88172645463325252u;
static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 11) % n;
}

/* Bent copies of a good file: never a crash, and an error always has a text. */
static void bent_files(void **state)
{
	(void)state;
	static const char pieces[][12] = {"[",  "]", "{",  "}", ": ", "- ", "\n", "&a ", "*a", "'",
	                                  "\"", "~", "\t", "#", ",",  "0",  "..", "/",   "  ", "|"};
	char base[16384], text[20000];
	FILE *f = fopen("tools/install/site.yaml.example", "r");
	assert_non_null(f);
	const size_t n = fread(base, 1, sizeof base, f);
	fclose(f);
	for (int round = 0; round < 1500; round++) {
		size_t len = n;
		memcpy(text, base, n);
		for (uint32_t k = 1 + rnd(4); k > 0; k--) {
			const size_t at = rnd((uint32_t)len);
			const char *piece = pieces[rnd(sizeof pieces / sizeof pieces[0])];
			if (rnd(3) == 0) {
				const size_t cut = 1 + rnd(20) < len - at ? 1 + rnd(8) : 0;
				memmove(text + at, text + at + cut, len - at - cut);
				len -= cut;
			} else {
				memmove(text + at + strlen(piece), text + at, len - at);
				memcpy(text + at, piece, strlen(piece));
				len += strlen(piece);
			}
		}
		struct config *c = NULL;
		struct config_errors e;
		const int err = config_parse("t", text, len, &c, &e);
		assert_true(err == 0 || err == ERR_CONFIG);
		assert_true((err == 0) == (c != NULL) && (err == 0) == (e.count == 0));
		config_free(c);
		config_errors_done(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anchors),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(yaml_itself),
		cmocka_unit_test(flood_of_errors),
		cmocka_unit_test(files),
		cmocka_unit_test(schema),
		cmocka_unit_test(distances),
		cmocka_unit_test(first_is_first),
		cmocka_unit_test(bent_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

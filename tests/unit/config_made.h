/* config_made.h - site.yaml in memory: good ones, and what is said of bad ones. */
#ifndef TESTS_CONFIG_MADE_H
#define TESTS_CONFIG_MADE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/config_parts.h"

#define HEAD                                                                                                       \
	"site: {name: A, sensor: s}\n"                                                                             \
	"networks: [{name: n1, vlan: 7, prefixes: [192.0.2.0/24, \"2001:db8::/64\"]}]\n"                           \
	"equipment: [{id: E1, vendor: Acme, group: g, mac: \"02:00:00:00:00:01\"}]\n"
#define LINES 3 /* of HEAD */

static inline struct config *good(const char *text)
{
	struct config *c = NULL;
	struct config_errors e;
	const int err = config_parse("t", text, strlen(text), &c, &e);
	for (size_t i = 0; i < e.count; i++)
		print_error("%s\n", e.text[i]);
	assert_int_equal(err, 0);
	assert_int_equal(e.count, 0);
	config_errors_done(&e);
	return c;
}

/* Exactly these lines, in this order; each need only hold what is given. */
static inline void wrong(const char *text, ...)
{
	struct config *c = NULL;
	struct config_errors e;
	va_list ap;
	assert_int_equal(config_parse("t", text, strlen(text), &c, &e), ERR_CONFIG);
	assert_null(c);
	size_t i = 0;
	bool bad = false;
	va_start(ap, text);
	for (const char *want = va_arg(ap, const char *); want != NULL; want = va_arg(ap, const char *), i++)
		if (i >= e.count || strstr(e.text[i], want) == NULL) {
			print_error("wanted: %s\n   got: %s\n", want, i < e.count ? e.text[i] : "nothing");
			bad = true;
		}
	va_end(ap);
	for (; i < e.count; i++) {
		print_error("not wanted: %s\n", e.text[i]);
		bad = true;
	}
	assert_false(bad);
	config_errors_done(&e);
}

struct bad {
	const char *line, *want;
};

static inline void networks(void **state)
{
	(void)state;
#define SITE "site: {name: A, sensor: s}\nnetworks:\n"
	wrong(SITE
	      "- {name: a, vlan: 5, prefixes: [192.0.2.0/24]}\n- {name: b, vlan: 5, prefixes: [192.0.2.128/25]}\n",
	      "t:4:33: 192.0.2.128/25 overlaps 192.0.2.0/24 of the network 'a' (line 3) on the same VLAN", NULL);
	wrong(SITE "- {name: a, prefixes: [192.0.2.0/24]}\n- {name: b, vlan: 5, prefixes: [192.0.2.0/24]}\n",
	      "on the same VLAN", NULL);
	config_free(good(
	    SITE "- {name: a, vlan: 4, prefixes: [192.0.2.0/24]}\n- {name: b, vlan: 5, prefixes: [192.0.2.0/24]}\n"
	         "equipment: [{id: e, addresses: [192.0.2.1]}, {id: f, addresses: [192.0.2.1]}]\n"));
	config_free(good(SITE "- {name: a, vlan: [4, 1], prefixes: [192.0.2.0/24]}\n"
	                      "- {name: b, vlan: [4, 2], prefixes: [192.0.2.0/24]}\n"
	                      "- {name: c, vlan: 4, prefixes: [192.0.2.0/24]}\n"));
	wrong(SITE "- {name: a, vlan: [4, 1], prefixes: [192.0.2.0/24]}\n"
	           "- {name: b, vlan: [4, 1], prefixes: [192.0.2.0/24]}\n",
	      "on the same VLAN", NULL);
	wrong(SITE "- {name: a, prefixes: [192.0.2.0/24, 192.0.2.0/25]}\n", "of the same network", NULL);
	wrong(SITE "- {name: a, prefixes: [0.0.0.0/0]}\n", "no larger than", NULL);
	wrong(SITE "- {name: a, prefixes: ['::/0']}\n", "no larger than", NULL);
	wrong(SITE "- {name: a, prefixes: [{}]}\n", "takes a single value here, not a map", NULL);
	wrong(SITE "- {name: a, vlan: [1, 2, 3], prefixes: [192.0.2.0/24]}\n", "[outer, inner]", NULL);
	wrong(SITE "- {name: a, prefixes: [192.0.2.0/24]}\nequipment: [{id: e, addresses: [198.51.100.1]}]\n",
	      "198.51.100.1 is in none of the networks", NULL);
	wrong(SITE "- {name: a, prefixes: [192.0.2.0/24]}\nequipment: [{id: e, addresses: [192.0.2.1]}, {id: f, "
	           "addresses: [192.0.2.1]}]\n",
	      "the address 192.0.2.1 is given twice; first in line 4", NULL);
	wrong(SITE "- {name: a, prefixes: [192.0.2.0/24]}\nequipment: [{id: e, mac: '02:00:00:00:00:01'}, {id: f, "
	           "mac: '02:00:00:00:00:01'}]\n",
	      "the MAC 02:00:00:00:00:01 is given twice", NULL);
	wrong(SITE "- {name: a, prefixes: [192.0.2.0/24]}\nequipment: [{id: e, mac: '03:00:00:00:00:01'}]\n",
	      "cannot be the MAC", NULL);
	wrong(SITE "- {name: a, prefixes: [192.0.2.0/24]}\nequipment: [{id: e}]\n", "neither 'mac' nor 'addresses'",
	      NULL);
	wrong(SITE
	      "- {name: a, prefixes: [192.0.2.0/24]}\nequipment: [{id: 'unknown:x', addresses: [192.0.2.1]}]\n",
	      "choose another", NULL);
	wrong("site: {name: A, sensor: s}\n", "t:1:1: 'site.yaml' lacks 'networks'", NULL);
}

#endif

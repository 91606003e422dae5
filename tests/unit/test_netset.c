#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/netset.h"

static struct netset ns;
static int cargo, baggage, anywhere, stacked;

static struct addr A(const char *text)
{
	struct addr a = {{0}};
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void add_prefix(int network, const char *text)
{
	struct prefix p = {.bits = 0};
	assert_int_equal(prefix_parse(text, &p), 0);
	assert_int_equal(netset_add_prefix(&ns, network, &p), 0);
}

static const struct mac scanner = {{0xc0, 0x9b, 0xf4, 0xb0, 0, 7}}, scanner2 = {{0xc0, 0x9b, 0xf4, 0xb0, 0, 8}},
			router = {{2, 0, 0, 0, 0, 1}}, gateway = {{2, 0, 0, 0, 0, 2}}, gateway2 = {{2, 0, 0, 0, 0, 3}};

static int setup(void **state)
{
	(void)state;
	netset_init(&ns);
	assert_int_equal(netset_add_network(&ns, "cargo", (const uint16_t[]){120}, 1, &cargo), 0);
	assert_int_equal(netset_add_network(&ns, "baggage", (const uint16_t[]){130}, 1, &baggage), 0);
	assert_int_equal(netset_add_network(&ns, "anywhere", NULL, 0, &anywhere), 0);
	assert_int_equal(netset_add_network(&ns, "stacked", (const uint16_t[]){500, 120}, 2, &stacked), 0);
	add_prefix(cargo, "192.0.2.0/25");
	add_prefix(cargo, "2001:db8:120::/64");
	add_prefix(baggage, "192.0.2.128/25");
	add_prefix(baggage, "192.0.2.32/28");   /* within cargo's, on another VLAN */
	add_prefix(anywhere, "198.51.100.0/24");
	add_prefix(stacked, "192.0.2.0/25");    /* the same addresses in a stacked VLAN */
	assert_int_equal(netset_add_mac(&ns, NETSET_OUTSIDE, &scanner2), 0);
	assert_int_equal(netset_add_mac(&ns, cargo, &scanner), 0);
	assert_int_equal(netset_add_gateway(&ns, cargo, &gateway2), 0);
	assert_int_equal(netset_add_gateway(&ns, baggage, &gateway), 0);
	netset_finish(&ns);
	return 0;
}

struct frame {
	const char *src, *dst;
	uint16_t vlan[4];
	unsigned vlans;
	const struct mac *src_mac, *dst_mac;
	unsigned ignore_vlan;
	char last;
};
#define FRAME(...) ((struct frame){__VA_ARGS__, .last = 0})

static struct netset_ends locate(struct frame f)
{
	const struct addr src = A(f.src), dst = A(f.dst);
	const struct netset_query q = {.vlan = f.vlan, .vlan_count = f.vlans, .ignore_vlan = f.ignore_vlan,
				       .src_mac = f.src_mac, .dst_mac = f.dst_mac, .src = &src, .dst = &dst};
	struct netset_ends e;
	netset_locate(&ns, &q, &e);
	return e;
}

#define EXPECT(e, s, sh, d, dh)                  \
	do {                                     \
		const struct netset_ends got = (e);  \
		assert_int_equal(got.src, s);        \
		assert_int_equal(got.src_how, sh);   \
		assert_int_equal(got.dst, d);        \
		assert_int_equal(got.dst_how, dh);   \
	} while (0)

static void test_rule_1_prefix(void **state)
{
	(void)state;
	const int out = NETSET_OUTSIDE;
	EXPECT(locate(FRAME("192.0.2.5", "203.0.113.9", {120}, 1)), cargo, NETSET_BY_PREFIX, out, NETSET_BY_NONE);
	EXPECT(locate(FRAME("203.0.113.9", "192.0.2.5", {120}, 1)), out, NETSET_BY_NONE, cargo, NETSET_BY_PREFIX);
	EXPECT(locate(FRAME("192.0.2.5", "203.0.113.9", {0}, 0)), cargo, NETSET_BY_PREFIX, out, NETSET_BY_NONE);
	EXPECT(locate(FRAME("2001:db8:120::5", "2001:db8::1", {120}, 1)), cargo, NETSET_BY_PREFIX, out,
	       NETSET_BY_NONE);
	/* another VLAN, unless the interface's tags mean nothing */
	EXPECT(locate(FRAME("192.0.2.5", "203.0.113.9", {99}, 1)), out, NETSET_BY_NONE, out, NETSET_BY_NONE);
	EXPECT(locate(FRAME("192.0.2.5", "203.0.113.9", {99}, 1, .ignore_vlan = 1)), cargo, NETSET_BY_PREFIX, out,
	       NETSET_BY_NONE);
	/* no VLAN named */
	EXPECT(locate(FRAME("198.51.100.1", "203.0.113.9", {99}, 1)), anywhere, NETSET_BY_PREFIX, out,
	       NETSET_BY_NONE);
	/* both */
	EXPECT(locate(FRAME("192.0.2.5", "192.0.2.200", {0}, 0)), cargo, NETSET_BY_PREFIX, baggage,
	       NETSET_BY_PREFIX);
	EXPECT(locate(FRAME("203.0.113.1", "203.0.113.9", {0}, 0)), out, NETSET_BY_NONE, out, NETSET_BY_NONE);
	/* routed between two networks: the tag is that of one of them */
	EXPECT(locate(FRAME("192.0.2.5", "192.0.2.200", {120}, 1)), cargo, NETSET_BY_PREFIX, baggage,
	       NETSET_BY_PREFIX);
	EXPECT(locate(FRAME("192.0.2.5", "192.0.2.200", {130}, 1)), cargo, NETSET_BY_PREFIX, baggage,
	       NETSET_BY_PREFIX);
	/* not where neither fits the tag */
	EXPECT(locate(FRAME("192.0.2.5", "192.0.2.200", {99}, 1)), out, NETSET_BY_NONE, out, NETSET_BY_NONE);
}

static void test_rule_1_which(void **state)
{
	(void)state;
	/* the longest prefix whose VLAN fits; untagged: the longest */
	assert_int_equal(locate(FRAME("192.0.2.33", "203.0.113.9", {120}, 1)).src, cargo);
	assert_int_equal(locate(FRAME("192.0.2.33", "203.0.113.9", {130}, 1)).src, baggage);
	assert_int_equal(locate(FRAME("192.0.2.33", "203.0.113.9", {0}, 0)).src, baggage);
	/* the one that names more of the stack; a mirror's own tag around it */
	assert_int_equal(locate(FRAME("192.0.2.5", "203.0.113.9", {500, 120}, 2)).src, stacked);
	assert_int_equal(locate(FRAME("192.0.2.5", "203.0.113.9", {9, 120}, 2)).src, cargo);
	assert_int_equal(locate(FRAME("192.0.2.5", "203.0.113.9", {9, 500, 120}, 3)).src, stacked);
	assert_int_equal(locate(FRAME("192.0.2.5", "203.0.113.9", {120, 500}, 2)).src, cargo);
	assert_int_equal(locate(FRAME("192.0.2.5", "203.0.113.9", {500}, 1)).src, NETSET_OUTSIDE);
}

static void test_rule_2_mac_and_link_local(void **state)
{
	(void)state;
	const int out = NETSET_OUTSIDE;
	/* an address that nobody configured */
	EXPECT(locate(FRAME("203.0.113.50", "203.0.113.9", {120}, 1, &scanner, &router)), cargo, NETSET_BY_MAC,
	       out, NETSET_BY_NONE);
	EXPECT(locate(FRAME("203.0.113.9", "203.0.113.50", {120}, 1, &router, &scanner2)), out, NETSET_BY_NONE,
	       cargo, NETSET_BY_MAC);
	EXPECT(locate(FRAME("fe80::1", "2001:db8::1", {120}, 1, &router, &router)), cargo, NETSET_BY_LINK_LOCAL,
	       out, NETSET_BY_NONE);
	EXPECT(locate(FRAME("fe80::1", "fe80::2", {120}, 1)), cargo, NETSET_BY_LINK_LOCAL, cargo,
	       NETSET_BY_LINK_LOCAL);
	EXPECT(locate(FRAME("2001:db8:120::5", "fe80::2", {120}, 1)), cargo, NETSET_BY_PREFIX, cargo,
	       NETSET_BY_LINK_LOCAL);
	/* another VLAN than its own */
	EXPECT(locate(FRAME("203.0.113.50", "203.0.113.9", {99}, 1, &scanner, &router)), out, NETSET_BY_NONE,
	       out, NETSET_BY_NONE);
}

/* Some routers forward 169.254.0.0/16. */
static void test_link_local_of_ipv4_hides_nothing(void **state)
{
	(void)state;
	const int out = NETSET_OUTSIDE;
	EXPECT(locate(FRAME("192.0.2.5", "169.254.1.1", {120}, 1)), cargo, NETSET_BY_PREFIX, out, NETSET_BY_NONE);
	EXPECT(locate(FRAME("169.254.1.1", "192.0.2.5", {120}, 1)), out, NETSET_BY_NONE, cargo, NETSET_BY_PREFIX);
	EXPECT(locate(FRAME("203.0.113.50", "169.254.1.1", {120}, 1, &scanner, &router)), cargo, NETSET_BY_MAC,
	       out, NETSET_BY_NONE);
	EXPECT(locate(FRAME("169.254.1.1", "203.0.113.9", {120}, 1, &scanner, &router)), cargo, NETSET_BY_LINK_LOCAL,
	       out, NETSET_BY_NONE);
	EXPECT(locate(FRAME("169.254.1.1", "169.254.1.2", {120}, 1, NULL, NULL)), cargo, NETSET_BY_LINK_LOCAL,
	       cargo, NETSET_BY_LINK_LOCAL);
}

/* Without a tag the MAC tells the network, where it is known. */
static void test_mac_without_a_tag(void **state)
{
	(void)state;
	const int out = NETSET_OUTSIDE;
	EXPECT(locate(FRAME("203.0.113.50", "203.0.113.9", {0}, 0, &scanner, &router)), cargo, NETSET_BY_MAC, out,
	       NETSET_BY_NONE);
	EXPECT(locate(FRAME("203.0.113.9", "203.0.113.50", {0}, 0, &router, &scanner)), out, NETSET_BY_NONE, cargo,
	       NETSET_BY_MAC);
	EXPECT(locate(FRAME("203.0.113.50", "203.0.113.9", {99}, 1, &scanner, &router, 1)), cargo, NETSET_BY_MAC,
	       out, NETSET_BY_NONE);
	EXPECT(locate(FRAME("fe80::1", "fe80::2", {0}, 0, &scanner, &router)), cargo, NETSET_BY_LINK_LOCAL, cargo,
	       NETSET_BY_LINK_LOCAL);
	/* its network is not known, or it is nobody's */
	EXPECT(locate(FRAME("203.0.113.50", "203.0.113.9", {0}, 0, &scanner2, &router)), out, NETSET_BY_NONE, out,
	       NETSET_BY_NONE);
	EXPECT(locate(FRAME("203.0.113.50", "203.0.113.9", {0}, 0, &router, &router)), out, NETSET_BY_NONE, out,
	       NETSET_BY_NONE);
}

/* The first packet of a flow goes to a neighbour's MAC, the rest to the router:
 * neither is traffic within the network. */
static void test_a_known_mac_at_both_ends_hides_nothing(void **state)
{
	(void)state;
	EXPECT(locate(FRAME("203.0.113.50", "203.0.113.9", {120}, 1, &scanner, &scanner2)), cargo, NETSET_BY_MAC,
	       NETSET_OUTSIDE, NETSET_BY_NONE);
	EXPECT(locate(FRAME("fe80::1", "203.0.113.9", {120}, 1, &scanner, &scanner2)), cargo, NETSET_BY_LINK_LOCAL,
	       NETSET_OUTSIDE, NETSET_BY_NONE);
}

static void test_equipment_that_routes_hides_nothing(void **state)
{
	(void)state;
	/* scanner sends to the outside through scanner2 */
	EXPECT(locate(FRAME("192.0.2.5", "203.0.113.9", {120}, 1, &scanner, &scanner2)), cargo, NETSET_BY_PREFIX,
	       NETSET_OUTSIDE, NETSET_BY_NONE);
	EXPECT(locate(FRAME("203.0.113.9", "192.0.2.5", {120}, 1, &scanner2, &scanner)), NETSET_OUTSIDE,
	       NETSET_BY_NONE, cargo, NETSET_BY_PREFIX);
}

static void test_rule_3_vlan_alone(void **state)
{
	(void)state;
	const int out = NETSET_OUTSIDE;
	static const struct mac stranger = {{2, 0, 0, 0, 0, 0x77}};
	EXPECT(locate(FRAME("203.0.113.50", "203.0.113.9", {120}, 1, &stranger, &router)), cargo, NETSET_BY_VLAN,
	       out, NETSET_BY_NONE);
	EXPECT(locate(FRAME("203.0.113.50", "203.0.113.9", {120}, 1, NULL, NULL)), cargo, NETSET_BY_VLAN, out,
	       NETSET_BY_NONE);
	/* towards known equipment the receiver is inside */
	EXPECT(locate(FRAME("203.0.113.9", "203.0.113.50", {120}, 1, &router, &scanner)), out, NETSET_BY_NONE,
	       cargo, NETSET_BY_MAC);
	/* what a gateway passed on was not sent here: the receiver is inside */
	EXPECT(locate(FRAME("203.0.113.50", "203.0.113.9", {120}, 1, &gateway, &stranger)), out, NETSET_BY_NONE,
	       cargo, NETSET_BY_VLAN);
	EXPECT(locate(FRAME("203.0.113.9", "203.0.113.50", {120}, 1, &stranger, &gateway)), cargo, NETSET_BY_VLAN,
	       out, NETSET_BY_NONE);
	EXPECT(locate(FRAME("203.0.113.50", "203.0.113.9", {120}, 1, &gateway, &gateway2)), cargo, NETSET_BY_VLAN,
	       out, NETSET_BY_NONE);
	EXPECT(locate(FRAME("192.0.2.5", "203.0.113.9", {120}, 1, &gateway, &stranger)), cargo, NETSET_BY_PREFIX,
	       out, NETSET_BY_NONE);
	/* a network without a VLAN claims nothing by this rule */
	EXPECT(locate(FRAME("203.0.113.50", "203.0.113.9", {77}, 1, &stranger, &router)), out, NETSET_BY_NONE,
	       out, NETSET_BY_NONE);
	/* not while the other end is inside */
	EXPECT(locate(FRAME("203.0.113.50", "192.0.2.5", {120}, 1, &stranger, &router)), out, NETSET_BY_NONE,
	       cargo, NETSET_BY_PREFIX);
}

static void test_find_addr_and_mac(void **state)
{
	(void)state;
	assert_true(netset_is_gateway(&ns, &gateway) && netset_is_gateway(&ns, &gateway2));
	assert_false(netset_is_gateway(&ns, &router) || netset_is_gateway(&ns, &scanner) || netset_has_mac(&ns, &gateway));
	assert_true(ns.network[cargo].has_gateways && !ns.network[anywhere].has_gateways);
	const struct addr in = A("192.0.2.33"), out = A("203.0.113.1");
	assert_int_equal(netset_find_addr(&ns, &in), baggage);
	assert_int_equal(netset_find_addr(&ns, &out), NETSET_OUTSIDE);
	assert_true(netset_has_mac(&ns, &scanner));
	assert_true(netset_has_mac(&ns, &scanner2));
	assert_false(netset_has_mac(&ns, &router));
}

static void test_limits(void **state)
{
	(void)state;
	struct netset *big = malloc(sizeof *big);
	struct prefix p = {.bits = 128};
	int index;
	netset_init(big);
	assert_int_equal(netset_add_network(big, "x", (const uint16_t[]){1, 2, 3}, 3, &index), ERR_INVALID);
	assert_int_equal(netset_add_prefix(big, 0, &p), ERR_INVALID);
	assert_int_equal(netset_add_mac(big, 0, &router), ERR_INVALID);
	for (int i = 0; i < NETSET_NETWORKS_MAX; i++)
		assert_int_equal(netset_add_network(big, "a name that is much longer than the place that is kept", NULL, 0,
						    &index), 0);
	assert_int_equal(index, NETSET_NETWORKS_MAX - 1);
	assert_int_equal(strlen(big->network[0].name), NETSET_NAME_MAX - 1);
	assert_int_equal(netset_add_network(big, "y", NULL, 0, &index), ERR_FULL);
	for (int i = 0; i < NETSET_PREFIXES_MAX; i++)
		assert_int_equal(netset_add_prefix(big, i % 256, &p), 0);
	assert_int_equal(netset_add_prefix(big, 0, &p), ERR_FULL);
	for (int i = 0; i < NETSET_MACS_MAX; i++)
		assert_int_equal(netset_add_mac(big, 0, &router), 0);
	assert_int_equal(netset_add_mac(big, 0, &router), ERR_FULL);
	netset_finish(big);
	assert_int_equal(netset_find_addr(big, &p.addr), 0);
	free(big);
}

/* The sorted search against the plain definition. */
static void test_search_against_definition(void **state)
{
	(void)state;
	static struct netset big;
	int index;
	srand(5);
	for (int round = 0; round < 120; round++) {
		netset_init(&big);
		for (int i = 0; i < 8; i++)
			assert_int_equal(netset_add_network(&big, "n", NULL, 0, &index), 0);
		/* few, so that most addresses are in none, or many */
		const int count = round % 2 == 0 ? 1 + rand() % 3 : 1 + rand() % 200;
		for (int i = 0; i < count; i++) {
			struct prefix p = {.addr = {{0x20, 1, 0xd, 0xb8}}, .bits = (uint8_t)(rand() % 129)};
			if (rand() % 2) {
				p.addr = addr_from_v4((const uint8_t[]){192, (uint8_t)(rand() % 3), 2, (uint8_t)rand()});
				p.bits = (uint8_t)(96 + rand() % 33);
			} else {
				p.addr.b[rand() % 16] ^= (uint8_t)(rand() % 4);
			}
			for (unsigned b = p.bits; b < 128; b++)
				p.addr.b[b / 8] &= (uint8_t)~(0x80 >> (b % 8));
			assert_int_equal(netset_add_prefix(&big, rand() % 8, &p), 0);
		}
		const struct netset plain = big;
		netset_finish(&big);
		for (int i = 0; i < 500; i++) {
			struct addr a = {{0x20, 1, 0xd, 0xb8}};
			a.b[rand() % 16] ^= (uint8_t)(rand() % 4);
			if (rand() % 2)
				a = addr_from_v4((const uint8_t[]){192, (uint8_t)(rand() % 3), (uint8_t)(rand() % 4), (uint8_t)rand()});
			int want = NETSET_OUTSIDE, bits = -1;
			for (int k = 0; k < plain.prefix_count; k++) {
				const struct netset_prefix *p = &plain.prefix[k];
				if (!prefix_has(&p->prefix, &a) || p->prefix.bits < bits)
					continue;
				if (p->prefix.bits > bits || p->network < want)
					want = p->network;
				bits = p->prefix.bits;
			}
			assert_int_equal(netset_find_addr(&big, &a), want);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_1_prefix),
		cmocka_unit_test(test_rule_1_which),
		cmocka_unit_test(test_rule_2_mac_and_link_local),
		cmocka_unit_test(test_link_local_of_ipv4_hides_nothing),
		cmocka_unit_test(test_mac_without_a_tag),
		cmocka_unit_test(test_a_known_mac_at_both_ends_hides_nothing),
		cmocka_unit_test(test_equipment_that_routes_hides_nothing),
		cmocka_unit_test(test_rule_3_vlan_alone),
		cmocka_unit_test(test_find_addr_and_mac),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_search_against_definition),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}

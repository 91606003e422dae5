/* self_test.h - the exfiltration test of NIST SP 800-53 SC-7(10)(b): what
 * garita-probe sends, and by what garita self-test finds it again. Everything
 * goes to one address that the site chose, is marked as what it is, and carries
 * nothing: a text and the number of the test, over and over. */
#ifndef TOOLS_SELF_TEST_H
#define TOOLS_SELF_TEST_H
#include <stdint.h>

#define SELF_TEST_MARK "GARITA-SELF-TEST"
#define SELF_TEST_ID_MAX 24            /* "20261122-031500-4f2a" and its NUL */

enum self_test_channel { SELF_TEST_TCP = 0, SELF_TEST_HTTP, SELF_TEST_UDP, SELF_TEST_DNS, SELF_TEST_ICMP, SELF_TEST_CHANNELS };

struct self_test_way {
	const char *word;
	uint8_t proto;                 /* IANA; 1 also stands for ICMPv6 */
	uint16_t port;                 /* of the target; 0: none */
	uint32_t bytes;                /* that the probe sends, without headers */
	const char *command;           /* the same with programs of any Linux: {T} the target, {I} the number of the test */
};

/* Ports of services that firewalls often let through, which is the point. */
static const struct self_test_way self_test_ways[SELF_TEST_CHANNELS] = {
	[SELF_TEST_TCP] = {"tcp", 6, 443, 65536, "yes 'GARITA-SELF-TEST {I} tcp' | head -c 65536 | timeout 10 nc -N {T} 443"},
	[SELF_TEST_HTTP] = {"http", 6, 80, 65536,
	                    "yes 'GARITA-SELF-TEST {I} http' | head -c 65536 | curl -m 10 -T - 'http://{T}/garita-self-test/{I}'"},
	[SELF_TEST_UDP] = {"udp", 17, 443, 20000, "yes 'GARITA-SELF-TEST {I} udp' | head -c 20000 | timeout 5 nc -u -w 2 {T} 443"},
	[SELF_TEST_DNS] = {"dns", 17, 53, 4000,
	                   "for n in $(seq 100); do dig +tries=1 +time=1 @{T} TXT \"garita-self-test-$n.{I}.test\"; done"},
	[SELF_TEST_ICMP] = {"icmp", 1, 0, 20000, "ping -c 20 -i 0.2 -s 1000 {T}"},
};

#endif

/* The filter, on frames with and without tags. */
#include "capture_made.h"

enum tags { UNTAGGED, DOT1Q, QINQ, QINQ_9100, THREE, TAG_KINDS };

static size_t tcp_frame(uint8_t *p, enum tags tags, uint16_t port, uint8_t host)
{
	static const uint8_t mac[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	static const uint16_t tag[TAG_KINDS][3] = {[DOT1Q] = {0x8100}, [QINQ] = {0x88a8, 0x8100},
						   [QINQ_9100] = {0x9100, 0x8100}, [THREE] = {0x88a8, 0x8100, 0x8100}};
	size_t n = 12;
	memcpy(p, mac, 12);
	for (int i = 0; i < 3 && tag[tags][i] != 0; i++) {
		p[n++] = (uint8_t)(tag[tags][i] >> 8);
		p[n++] = (uint8_t)tag[tags][i];
		p[n++] = 0;
		p[n++] = (uint8_t)(120 + i);
	}
	const uint8_t ip[] = {8, 0, 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, host, 198, 51, 100, 7};
	memcpy(p + n, ip, sizeof ip);
	n += sizeof ip;
	const uint8_t tcp[20] = {0xc0, 0, (uint8_t)(port >> 8), (uint8_t)port, [12] = 0x50, [13] = 2};
	memcpy(p + n, tcp, sizeof tcp);
	return n + sizeof tcp;
}

/* Which of the frames pass? One bit for each kind of tagging. */
static unsigned passed(const char *filter, uint16_t port, uint8_t host)
{
	uint8_t frame[128];
	unsigned mask = 0;
	pcap_header(MICRO, false, 1);
	for (int t = 0; t < TAG_KINDS; t++)
		pcap_packet(1, 1, frame, (uint32_t)tcp_frame(frame, (enum tags)t, port, host), false);
	struct capture *c = open_one(save_out("f.pcap"), filter);
	for (int t = 0; t < TAG_KINDS; t++) {
		struct capture_frame f;
		assert_int_equal(capture_next(c, &f), 0);   /* a filtered frame is told too */
		assert_int_equal(f.number, t + 1);
		assert_memory_equal(f.data + f.caplen - 20, "\xc0", 1);   /* the frame itself keeps its tags */
		mask |= f.filtered ? 0 : 1u << t;
	}
	expect_end(c);
	capture_close(c);
	return mask;
}

#define ALL ((1u << TAG_KINDS) - 1)

static void test_filter_sees_through_tags(void **state)
{
	(void)state;
	assert_int_equal(passed(NULL, 443, 5), ALL);
	assert_int_equal(passed("", 443, 5), ALL);
	assert_int_equal(passed("  ", 443, 5), ALL);
	assert_int_equal(passed("port 443", 443, 5), ALL);
	assert_int_equal(passed("port 443", 80, 5), 0);
	assert_int_equal(passed("not port 443", 443, 5), 0);
	assert_int_equal(passed("not port 443", 80, 5), ALL);
	assert_int_equal(passed("host 192.0.2.5 and tcp", 80, 5), ALL);
	assert_int_equal(passed("host 192.0.2.5", 80, 6), 0);
	assert_int_equal(passed("not (host 192.0.2.5 and port 80)", 80, 5), 0);
	assert_int_equal(passed("tcp[tcpflags] & tcp-syn != 0", 80, 5), ALL);
	assert_int_equal(passed("ether host 02:00:00:00:00:02 and ip", 80, 5), ALL);
	assert_int_equal(passed("len = 54", 80, 5), ALL);
	assert_int_equal(passed("ip6", 80, 5), 0);
}

static void test_filter_that_speaks_of_tags(void **state)
{
	(void)state;
	assert_int_equal(passed("vlan", 443, 5) & 1u << UNTAGGED, 0);
	assert_int_equal(passed("vlan 120 and port 443", 443, 5), 1u << DOT1Q);
	assert_int_equal(passed("vlan 120 and vlan 121 and port 443", 443, 5), 1u << QINQ | 1u << QINQ_9100);
	assert_int_equal(passed("port 443 or (vlan and port 443)", 443, 5), 1u << UNTAGGED | 1u << DOT1Q);
	assert_int_equal(passed("port 443 or mpls", 443, 5), 1u << UNTAGGED);
}

static void test_filter_on_cooked_frames(void **state)
{
	(void)state;
	uint8_t ether[128], cooked[160];
	for (int v2 = 0; v2 < 2; v2++) {
		const size_t header = v2 ? 20 : 16, type_at = v2 ? 0 : 14;
		pcap_header(MICRO, false, v2 ? 276 : 113);
		for (int t = 0; t < TAG_KINDS; t++) {
			const size_t n = tcp_frame(ether, (enum tags)t, 443, 5);
			memset(cooked, 0, header);
			memcpy(cooked + type_at, ether + 12, 2);
			memcpy(cooked + header, ether + 14, n - 14);
			pcap_packet(1, 1, cooked, (uint32_t)(n - 14 + header), false);
		}
		struct capture *c = open_one(save_out("c.pcap"), "port 443");
		for (int t = 0; t < TAG_KINDS; t++) {
			struct capture_frame f;
			assert_int_equal(capture_next(c, &f), 0);
			assert_false(f.filtered);
		}
		capture_close(c);
	}
}

static void test_filter_on_cut_frames(void **state)
{
	(void)state;
	/* every length of a tagged frame: never past its end, never a false match */
	uint8_t frame[128];
	const size_t n = tcp_frame(frame, THREE, 443, 5);
	pcap_header(MICRO, false, 1);
	for (uint32_t k = 0; k <= n; k++)
		pcap_packet(1, 1, frame, k, false);
	struct capture *c = open_one(save_out("k.pcap"), "port 443");
	for (uint32_t k = 0; k <= n; k++) {
		struct capture_frame f;
		assert_int_equal(capture_next(c, &f), 0);
		assert_int_equal(f.filtered, k < n - 16);   /* the ports are 16 bytes before the end */
	}
	capture_close(c);
}

/* An interface that shows up later may be of a kind that the filter cannot mean. */
static void test_filter_that_does_not_fit_later(void **state)
{
	(void)state;
	out.n = 0;
	ng_section();
	ng_interface(1, 65535);
	ng_packet(0, 1, "first");
	ng_interface(101, 65535);
	ng_packet(1, 2, "second");
	ng_packet(0, 3, "third");
	struct capture *c = open_one(save_out("fit.pcapng"), "not vlan 7 or ether host 02:00:00:00:00:01");
	struct capture_frame f;
	assert_int_equal(capture_next(c, &f), 0);
	assert_int_equal(capture_next(c, &f), ERR_DAMAGED);
	assert_non_null(strstr(capture_error(c), "fit.pcapng: packet 2: filter \"not vlan 7"));
	expect_end(c);
	capture_close(c);
}

static void test_bad_filter(void **state)
{
	(void)state;
	assert_int_equal(capture_check_filter("port 443", error, sizeof error), 0);
	assert_int_equal(capture_check_filter("port 99999", error, sizeof error), ERR_INVALID);
	assert_non_null(strstr(error, "port 99999"));
	assert_int_equal(capture_check_filter("port 443 or", error, sizeof error), ERR_INVALID);
	make_pcap(1, MICRO, false);
	const char *path = save_out("x.pcap");
	struct capture *c = NULL;
	assert_int_equal(try_open(1, &path, "((", &c), ERR_INVALID);
	assert_null(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_sees_through_tags),
		cmocka_unit_test(test_filter_that_speaks_of_tags),
		cmocka_unit_test(test_filter_on_cooked_frames),
		cmocka_unit_test(test_filter_on_cut_frames),
		cmocka_unit_test(test_filter_that_does_not_fit_later),
		cmocka_unit_test(test_bad_filter),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

/* What ICMP messages carry: pings say nothing, whatever their size and
 * pattern; data does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sense/echo.h"

struct rig {
	struct echo_table *t;
	struct flow f;
	uint8_t message[1600];
};

static void begin(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	assert_int_equal(echo_new(&r->t), 0);
	r->f.key.proto = 1;
}

static void end(struct rig *r)
{
	echo_forget(r->t, &r->f);
	assert_null(r->f.echo);
	echo_free(r->t);
}

static void send_icmp(struct rig *r, unsigned from, uint8_t type, uint32_t data_bytes)
{
	const struct packet p = {.ip_version = 4, .proto = 1, .icmp_type = type, .l4_whole = true, .payload = r->message,
	                         .payload_bytes = 8 + data_bytes, .payload_caplen = 8 + data_bytes};
	echo_see(r->t, &r->f, &p, from);
}

/* As ping(8): a time stamp, then a rising row. Windows: the alphabet. */
static void pings_say_nothing(void **state)
{
	(void)state;
	const uint32_t sizes[] = {8, 32, 56, 1400, 1472};
	for (unsigned s = 0; s < 5; s++) {
		struct rig r;
		struct icmp_sums sums;
		begin(&r);
		for (uint32_t i = 0; i < 200; i++) {
			for (uint32_t k = 0; k < sizes[s]; k++)
				r.message[8 + k] = (uint8_t)(k < 16 && s != 1 ? (unsigned)rand() : s == 1 ? 'a' + k % 23u : k);
			send_icmp(&r, 0, 8, sizes[s]);
			send_icmp(&r, 1, 0, sizes[s]);
		}
		assert_false(echo_get(&r.f, &sums));
		end(&r);
	}
}

static void data_is_counted(void **state)
{
	(void)state;
	struct rig r;
	struct icmp_sums sums;
	begin(&r);
	for (unsigned i = 0; i < 50; i++) {
		for (unsigned k = 0; k < 1000; k++)
			r.message[8 + k] = (uint8_t)rand();
		send_icmp(&r, 0, 8, 1000);
		send_icmp(&r, 1, 0, 1000);   /* comes back as it was */
	}
	assert_true(echo_get(&r.f, &sums));
	assert_int_equal(sums.new_bytes_out, 49000);   /* the first is unlike nothing */
	assert_int_equal(sums.new_bytes_in, 0);
	assert_int_equal(sums.unlike, 0);
	assert_int_equal(sums.messages, 100);
	assert_int_equal(sums.largest_out, 1000);
	assert_in_range(sums.entropy, 80, 100);
	echo_told(&r.f);
	assert_false(echo_get(&r.f, &sums));
	send_icmp(&r, 0, 8, 4);   /* no longer than a time stamp */
	assert_false(echo_get(&r.f, &sums));
	end(&r);
}

/* The inside answers a stranger's pings with what was not asked. */
static void answers_unlike_requests(void **state)
{
	(void)state;
	struct rig r;
	struct icmp_sums sums;
	begin(&r);
	for (unsigned i = 0; i < 20; i++) {
		memset(r.message, 0, sizeof(r.message));
		send_icmp(&r, 1, 8, 64);
		for (unsigned k = 0; k < 500; k++)
			r.message[8 + k] = (uint8_t)((unsigned)"the quick brown fox jumps"[(i + k) % 25] + i);
		send_icmp(&r, 0, 0, 500);
	}
	assert_true(echo_get(&r.f, &sums));
	assert_int_equal(sums.unlike, 20);
	assert_int_equal(sums.new_bytes_out, 19 * 500);
	end(&r);
}

static void errors_and_scraps_are_passed_over(void **state)
{
	(void)state;
	struct rig r;
	struct icmp_sums sums;
	begin(&r);
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned k = 0; k < 100; k++)
			r.message[8 + k] = (uint8_t)rand();
		send_icmp(&r, 0, 3, 28);
		send_icmp(&r, 0, 11, 100);
		send_icmp(&r, 0, 8, 0);
	}
	assert_false(echo_get(&r.f, &sums));
	end(&r);
}

/* Past its limit further flows are not watched, and places are used again. */
static void bounded(void **state)
{
	(void)state;
	struct rig r;
	static struct flow flows[ECHO_FLOWS + 10];
	begin(&r);
	for (unsigned i = 0; i < ECHO_FLOWS + 10; i++) {
		r.f = flows[i];
		r.f.key.proto = 1;
		send_icmp(&r, 0, 8, 40);
		flows[i] = r.f;
	}
	assert_non_null(flows[ECHO_FLOWS - 1].echo);
	assert_null(flows[ECHO_FLOWS].echo);
	for (unsigned i = 0; i < ECHO_FLOWS; i++)
		echo_forget(r.t, &flows[i]);
	r.f = flows[ECHO_FLOWS];
	send_icmp(&r, 0, 8, 40);
	assert_non_null(r.f.echo);
	end(&r);
}

int main(void)
{
	srand(1);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pings_say_nothing),
	    cmocka_unit_test(data_is_counted),
	    cmocka_unit_test(answers_unlike_requests),
	    cmocka_unit_test(errors_and_scraps_are_passed_over),
	    cmocka_unit_test(bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

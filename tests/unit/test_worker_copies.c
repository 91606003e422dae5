/* The worker where frames come twice. */
#include "worker_rig.h"

/* A mirror of ingress and egress; and where its copies are not to be recognised. */
static void second_copies_count_once_or_not(void **state)
{
	(void)state;
	for (int all = 0; all < 2; all++) {
		struct capture c = {0};
		duplicates = all ? DUPLICATES_COUNT_ALL : DUPLICATES_COUNT_ONCE;
		for (unsigned i = 0; i < 20; i++) {
			struct spec s = {.src = 10, .dst = OUTSIDE, .sport = 4000, .dport = 5000, .bytes = 100};
			add_udp(&c, START + i * SECOND, s);
			ip_id--;
			add_udp(&c, START + i * SECOND + 10, s);
		}
		struct run r = run_workers(&c, 1, RING);
		const struct counters sum = totals(&r, 1);
		assert_int_equal(sum.frames, 40);
		assert_int_equal(sum.flow_frames, 40);
		assert_int_equal(sum.duplicate_frames, all ? 0 : 20);
		assert_int_equal(sum.ip_bytes_out, (all ? 40 : 20) * 128);
		free(r.fact);
		empty(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_copies_count_once_or_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

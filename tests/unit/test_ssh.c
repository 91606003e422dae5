/* Sizes, directions and pauses of SSH: what is an open from the far end, and
 * what only looks a little like one. Numbers above zero are the client's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sense/ssh.h"

#define PAUSE (-99999)    /* two seconds */
#define WAIT 99999        /* a tenth */
#define FLOW 0x300000007u

struct rig {
	struct ssh_table *t;
	int64_t now;
	uint32_t found;
};

static void say(struct rig *r, uint64_t flow, int bytes, const uint8_t *payload)
{
	static const uint8_t sealed[64] = {0x9c, 1, 2, 3};
	const struct packet p = {.time_us = r->now, .payload = payload != NULL ? payload : sealed, .payload_caplen = 64};
	const bool client = bytes > 0;
	r->now += 500;
	r->found += ssh_see(r->t, flow, &p, (uint32_t)(client ? bytes : -bytes), client, client);
}

static const uint8_t newkeys[64] = {0, 0, 0, 12, 10, 21};

/* As OpenSSH does it; confirm: 17 bytes as they are sealed. */
static void log_in(struct rig *r, uint64_t flow, int confirm)
{
	const int before[] = {41, -41, 1448, 112, -1088, 1208, -1448, -116};
	const int after[] = {confirm, -confirm, 60, -76, 140, -100, 308, -28, 68, 60, -272, -184};
	assert_true(ssh_begin(r->t, flow));
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		say(r, flow, before[i], NULL);
	say(r, flow, 16, newkeys);
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
		say(r, flow, after[i], NULL);
}

static void begin(struct rig *r, int confirm)
{
	*r = (struct rig){.now = 1000000000};
	assert_int_equal(ssh_table_new(&r->t), 0);
	log_in(r, FLOW, confirm);
}

static uint32_t opened(struct rig *r)
{
	struct ssh_sums s = {0};
	return ssh_get(r->t, FLOW, &s) ? s.opened : 0;
}

/* What these make of a connection; 0 ends them. */
static uint32_t after(int confirm, const int *words)
{
	struct rig r;
	begin(&r, confirm);
	for (; *words != 0; words++)
		if (*words == PAUSE)
			r.now += 2000000;
		else if (*words == WAIT)
			r.now += 100000;
		else
			say(&r, FLOW, *words, NULL);
	const uint32_t n = opened(&r);
	assert_int_equal(n, r.found);
	ssh_table_free(r.t);
	return n;
}

static void opens_are_seen(void **state)
{
	(void)state;
	/* OpenSSH with ChaCha20, AES-GCM, a MAC behind and one before. */
	assert_int_equal(after(44, (const int[]){PAUSE, -92, 44, -124, 228, 1448, 0}), 1);
	assert_int_equal(after(52, (const int[]){PAUSE, -100, 52, -132, 228, 1448, 0}), 1);
	assert_int_equal(after(68, (const int[]){PAUSE, -116, 68, -148, 244, 0}), 1);
	assert_int_equal(after(64, (const int[]){PAUSE, -112, 64, -144, 240, 0}), 1);
	/* One by one, and two at once. */
	assert_int_equal(after(44, (const int[]){PAUSE, -92, 44, -124, 900, PAUSE, -92, 44, -124, 900, 0}), 2);
	assert_int_equal(after(44, (const int[]){PAUSE, -92, -92, 88, -124, -124, 900, 0}), 1);
	/* The equipment's program speaks first, or a person waits before it is used. */
	assert_int_equal(after(44, (const int[]){PAUSE, -92, 44, 52, -52, 44, -36, 1448, 0}), 1);
	assert_int_equal(after(44, (const int[]){PAUSE, -92, 44, PAUSE, -52, PAUSE, 600, 0}), 1);
	/* After what the client asked and was answered. */
	assert_int_equal(after(44, (const int[]){PAUSE, 52, -28, PAUSE, -92, 44, -124, 900, 0}), 1);
	/* After the server asked and was answered. */
	assert_int_equal(after(44, (const int[]){PAUSE, -60, 28, PAUSE, -92, 44, -124, 900, 0}), 1);
}

static void others_are_not(void **state)
{
	(void)state;
	/* A late answer, then the next request: files, whatever their sizes. */
	assert_int_equal(after(52, (const int[]){PAUSE, 52, PAUSE, -84, 52, -68, 1448, 1448, 0}), 0);
	/* Keep-alives of either end; new keys; X11 and an agent. */
	assert_int_equal(after(44, (const int[]){PAUSE, -52, 28, PAUSE, -60, 28, PAUSE, 52, -28, PAUSE, 600, 0}), 0);
	assert_int_equal(after(44, (const int[]){PAUSE, -1100, 1448, 1304, -1448, 28, 600, 0}), 0);
	assert_int_equal(after(44, (const int[]){PAUSE, -68, 44, -84, 9000, 0}), 0);
	/* No pause; no answer in time; another answer; an open too long, too short. */
	assert_int_equal(after(44, (const int[]){WAIT, -92, 44, -124, 900, 0}), 0);
	assert_int_equal(after(44, (const int[]){PAUSE, -92, WAIT, WAIT, WAIT, WAIT, WAIT, WAIT, WAIT, WAIT, WAIT, WAIT, 44, -124, 900, 0}), 0);
	assert_int_equal(after(44, (const int[]){PAUSE, -92, 36, -124, 900, 0}), 0);
	assert_int_equal(after(44, (const int[]){PAUSE, -300, 44, -124, 900, 0}), 0);
	assert_int_equal(after(44, (const int[]){PAUSE, -72, 44, -124, 900, 0}), 0);
	/* Keys that are as long as an answer, and more of them. */
	assert_int_equal(after(44, (const int[]){PAUSE, -156, 44, -44, 44, -44, 44, -44, 44, -44, 44, -44, 44, -44, 44, -44,
	                                         44, -44, 44, -44, 900, 0}), 0);
	/* The client's own forwards. */
	assert_int_equal(after(44, (const int[]){PAUSE, 92, -44, 124, -228, -1448, 36, 0}), 0);
}

/* Somebody types, and the screen changes by itself now and then. */
static void typing_says_nothing(void **state)
{
	(void)state;
	srand(7);
	for (unsigned round = 0; round < 200; round++) {
		struct rig r;
		begin(&r, round % 2 != 0 ? 44 : 52);
		for (unsigned i = 0; i < 400; i++) {
			r.now += rand() % 3 == 0 ? 1000000 + rand() % 3000000 : rand() % 400000;
			const int key = rand() % 3 != 0 ? 36 : round % 2 != 0 ? 44 : 52;
			if (rand() % 4 != 0)
				say(&r, FLOW, key, NULL);
			say(&r, FLOW, -(36 + 8 * (rand() % 30)), NULL);
		}
		assert_int_equal(r.found, 0);
		ssh_table_free(r.t);
	}
}

/* Retransmissions are no words; bytes are of the flow since the first open. */
static void sums_are_told_once(void **state)
{
	(void)state;
	struct rig r;
	struct ssh_sums s;
	const struct packet again = {.payload_caplen = 64};
	begin(&r, 44);
	assert_false(ssh_get(r.t, FLOW, &s));
	r.now += 2000000;
	say(&r, FLOW, -92, NULL);
	assert_false(ssh_see(r.t, FLOW, &again, 0, true, true));
	say(&r, FLOW, 44, NULL);
	say(&r, FLOW, -124, NULL);
	assert_false(ssh_get(r.t, FLOW, &s));
	say(&r, FLOW, 1448, NULL);
	assert_true(ssh_get(r.t, FLOW, &s));
	assert_int_equal(s.opened, 1);
	assert_int_equal(s.bytes_out, 44 + 1448);
	assert_int_equal(s.bytes_in, 124);
	ssh_told(r.t, FLOW);
	assert_false(ssh_get(r.t, FLOW, &s));
	say(&r, FLOW, 100, NULL);
	assert_true(ssh_get(r.t, FLOW, &s));
	assert_int_equal(s.bytes_out, 44 + 1448 + 100);
	ssh_forget(r.t, FLOW);
	assert_false(ssh_get(r.t, FLOW, &s));
	ssh_table_free(r.t);
}

/* The table is full, gives places back, and mixes nobody up. */
static void places_come_back(void **state)
{
	(void)state;
	struct rig r = {.now = 1};
	assert_int_equal(ssh_table_new(&r.t), 0);
	for (uint64_t i = 0; i < SSH_FLOWS; i++)
		assert_true(ssh_begin(r.t, i << 32 | i % 5000));
	assert_false(ssh_begin(r.t, FLOW));
	for (uint64_t i = 0; i < SSH_FLOWS; i += 2)
		ssh_forget(r.t, i << 32 | i % 5000);
	ssh_forget(r.t, FLOW);
	for (uint64_t i = 0; i < SSH_FLOWS / 2; i++)
		log_in(&r, (UINT64_C(1) << 48) + i, 44);
	assert_false(ssh_begin(r.t, FLOW));
	r.now += 2000000;
	for (uint64_t i = 0; i < SSH_FLOWS / 2; i += 3) {
		const int words[] = {-92, 44, -124, 900};
		for (unsigned k = 0; k < 4; k++)
			say(&r, (UINT64_C(1) << 48) + i, words[k], NULL);
		r.now += 2000000;
	}
	for (uint64_t i = 0; i < SSH_FLOWS / 2; i++) {
		struct ssh_sums s;
		assert_int_equal(ssh_get(r.t, (UINT64_C(1) << 48) + i, &s), i % 3 == 0);
	}
	ssh_table_free(r.t);
}

/* Anything at all may come: nothing breaks, and no bytes without an open. */
static void noise_breaks_nothing(void **state)
{
	(void)state;
	struct rig r = {.now = 1};
	assert_int_equal(ssh_table_new(&r.t), 0);
	assert_true(ssh_begin(r.t, FLOW));
	srand(11);
	for (unsigned i = 0; i < 200000; i++) {
		r.now += rand() % 2000000 - 200000;
		const int bytes = 1 + rand() % (rand() % 2 ? 300 : 70000);
		say(&r, FLOW, rand() % 2 ? bytes : -bytes, rand() % 50 == 0 ? newkeys : NULL);
	}
	struct ssh_sums s;
	if (ssh_get(r.t, FLOW, &s))
		assert_int_equal(s.opened, r.found);
	ssh_table_free(r.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(opens_are_seen),     cmocka_unit_test(others_are_not),
	    cmocka_unit_test(typing_says_nothing), cmocka_unit_test(sums_are_told_once),
	    cmocka_unit_test(places_come_back),   cmocka_unit_test(noise_breaks_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

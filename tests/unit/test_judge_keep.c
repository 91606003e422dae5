/* Whose packets are wanted, and what is said of those that nobody had judged when the sensor was stopped. */
#include "judge_approvals.h"

/* What was said last of each flow, by slot. */
struct heard {
	struct row_keep last[8];
	unsigned count, over;
};

static void hear(void *ctx, const struct row_keep *k)
{
	struct heard *h = ctx;
	const uint32_t slot = (uint32_t)k->flow;
	assert_in_range(slot, 0, 7);
	h->over += k->what == ROW_OVER;
	h->last[slot] = *k;
	h->count++;
}

static struct world *begin(struct heard *h)
{
	struct world *w = w_new(TLS_10);
	const struct judge_keeper k = {.ctx = h, .tell = hear};
	judge_set_keeper(w->judge, &k);
	for (uint32_t s = 1; s <= 4; s++)
		w_begin(w, &(struct w_new_flow){.slot = s, .machine = 1, .peer = 10, .time_us = NOON + s, .out = 100 * s});
	return w;
}

/* The worker ends and its flows go on: what it holds of them has to be decided now. */
static void test_stopped(void **state)
{
	(void)state;
	struct heard h = {0};
	struct world *w = begin(&h);
	w_class(w, 1, NOON + SECOND, "TLS", "", true);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.last[1].what, ROW_LET_GO);
	w_note(w, 1, NOTE_STOPPED, "", NOON + SECOND);   /* another worker */
	assert_int_equal(h.count, 1);
	w_note(w, 0, NOTE_STOPPED, "", NOON + SECOND);
	for (uint32_t s = 2; s <= 4; s++) {
		assert_int_equal(h.last[s].what, ROW_KEEP);
		assert_int_equal(h.last[s].verdict, VERDICT_UNAPPROVED);
	}
	w_flush(w);
	assert_int_equal(w->last_id, 4);
	assert_int_equal(w->rows[4].r.reasons, BIT(REASON_APP_NOT_APPROVED));
	assert_int_equal(w->rows[4].r.state, ROW_OPEN);
	/* At the end it is known how many packets each had. */
	judge_finish(w->judge);
	assert_int_equal(h.over, 3);
	assert_int_equal(h.last[2].what, ROW_OVER);
	assert_true(h.last[2].packets > 0);
	w_free(w);
}

/* It died, or could not tell: what it held is lost, and counted by whoever hears of it. */
static void test_without_a_word(void **state)
{
	(void)state;
	struct heard h = {0};
	struct world *w = begin(&h);
	judge_finish(w->judge);
	assert_int_equal(h.count, 8);
	assert_int_equal(h.over, 4);
	w_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_stopped), cmocka_unit_test(test_without_a_word)};
	return cmocka_run_group_tests_name("judge_keep", tests, NULL, NULL);
}

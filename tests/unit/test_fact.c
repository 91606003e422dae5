#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/control.h"
#include "fact.h"

static union fact_any of_type(uint16_t type, uint16_t size)
{
	union fact_any f;
	memset(&f, 0, sizeof f);
	f.head = (struct fact_head){.type = type, .size = size, .seq = 1, .time_us = 1000000, .flow = (uint64_t)1 << 32};
	return f;
}

static union fact_any good_flow_new(void)
{
	union fact_any f = of_type(FACT_FLOW_NEW, sizeof f.flow_new);
	f.flow_new.ident.ip_version = 4;
	return f;
}

static int check(const union fact_any *f)
{
	union fact_any ret;
	return fact_check(f, f->head.size, &ret);
}

static void test_each_type(void **state)
{
	(void)state;
	union fact_any f = good_flow_new(), ret;
	assert_int_equal(check(&f), 0);
	f = of_type(FACT_FLOW_CLASS, sizeof f.flow_class);
	assert_int_equal(check(&f), 0);
	f = of_type(FACT_FLOW_CONTENT, sizeof f.content);
	assert_int_equal(check(&f), ERR_DAMAGED);   /* no word */
	strcpy(f.content.word, "dicom");
	assert_int_equal(check(&f), 0);
	f = of_type(FACT_FLOW_COUNT, sizeof f.flow_count);
	assert_int_equal(check(&f), 0);
	f.flow_count.end = END_CLOSED;
	assert_int_equal(check(&f), ERR_DAMAGED);
	f.head.type = FACT_FLOW_END;
	assert_int_equal(check(&f), 0);
	f.flow_count.end = END_NONE;
	assert_int_equal(check(&f), ERR_DAMAGED);
	f = of_type(FACT_NAME, sizeof f.name);
	assert_int_equal(check(&f), ERR_DAMAGED);
	strcpy(f.name.name, "example.com");
	assert_int_equal(check(&f), 0);
	f = of_type(FACT_STATION, sizeof f.station);
	assert_int_equal(check(&f), 0);
	f = of_type(FACT_COUNTERS, sizeof f.counters);
	assert_int_equal(check(&f), 0);
	f = of_type(FACT_NOTE, sizeof f.note);
	assert_int_equal(check(&f), ERR_DAMAGED);
	f.note.kind = NOTE_WORKER_START;
	assert_int_equal(fact_check(&f, f.head.size, &ret), 0);
	assert_int_equal(ret.note.kind, NOTE_WORKER_START);
}

/* A question is as long as its name. */
static void test_question(void **state)
{
	(void)state;
	union fact_any f = of_type(FACT_QUESTION, (uint16_t)fact_question_size(11)), ret;
	f.question.name_bytes = 13;
	memcpy(f.question.name, "example.com", 12);
	assert_int_equal(fact_check(&f, f.head.size, &ret), 0);
	assert_string_equal(ret.question.name, "example.com");
	memcpy(f.question.name, "ex\x1bmple.comXX", 14);   /* no NUL within its size */
	assert_int_equal(fact_check(&f, f.head.size, &ret), 0);
	assert_string_equal(ret.question.name, "ex?mple.com");
	assert_int_equal(fact_check(&f, f.head.size - 1u, &ret), ERR_DAMAGED);   /* head and record differ */
	f.question.name_bytes = 256;
	assert_int_equal(fact_check(&f, f.head.size, &ret), ERR_DAMAGED);
	f = of_type(FACT_QUESTION, (uint16_t)fact_question_size(0));
	f.question.name_bytes = 1;
	assert_int_equal(fact_check(&f, f.head.size, &ret), ERR_DAMAGED);
	f = of_type(FACT_QUESTION, (uint16_t)fact_question_size(1));
	f.question.name_bytes = 3;
	assert_int_equal(fact_check(&f, f.head.size, &ret), ERR_DAMAGED);   /* no name */
	f.head.size = (uint16_t)(sizeof f.question + 1);
	assert_int_equal(fact_check(&f, sizeof f.question, &ret), ERR_DAMAGED);
}

/* As long as the text at its end, and read the same as a whole one. */
static void test_cut(void **state)
{
	(void)state;
	union fact_any f = of_type(FACT_FLOW_CLASS, 0), ret, whole;
	f.flow_class.risk = 5;
	f.flow_class.host_source = HOST_SNI;
	strcpy(f.flow_class.app, "TLS");
	strcpy(f.flow_class.category, "Web");
	memset(f.flow_class.ja3, 'a', sizeof f.flow_class.ja3 - 1);
	for (unsigned i = 0; i < FACT_HOST_MAX; i++) {
		memset(f.flow_class.host, 0, sizeof f.flow_class.host);
		memset(f.flow_class.host, 'x', i);
		f.head.size = (uint16_t)sizeof f.flow_class;
		memset(&whole, 0, sizeof whole);
		assert_int_equal(fact_check(&f, f.head.size, &whole), 0);
		f.head.size = (uint16_t)fact_class_size(&f.flow_class);
		memset(&ret, 0x5a, sizeof ret);   /* nothing of what was there before is left */
		uint8_t *exact = malloc(f.head.size);
		memcpy(exact, &f, f.head.size);
		assert_int_equal(fact_check(exact, f.head.size, &ret), 0);
		free(exact);
		ret.head.size = whole.head.size;
		assert_memory_equal(&ret, &whole, sizeof ret.flow_class);
		f.head.size--;   /* not even its NUL */
		memset(&ret, 0x5a, sizeof ret);
		assert_int_equal(fact_check(&f, f.head.size, &ret), i > 0 ? 0 : ERR_DAMAGED);
		if (i > 0)
			assert_string_equal(ret.flow_class.host, whole.flow_class.host);
	}
	f.head.size = (uint16_t)(sizeof f.flow_class + 1);
	assert_int_equal(fact_check(&f, f.head.size, &ret), ERR_DAMAGED);
	f = of_type(FACT_FLOW_CONTENT, 0);
	strcpy(f.content.word, "dicom");
	strcpy(f.content.detail, "AE A -> B");
	f.head.size = (uint16_t)fact_content_size(&f.content);
	assert_int_equal(fact_check(&f, f.head.size, &ret), 0);
	assert_string_equal(ret.content.detail, "AE A -> B");
	f.head.size = offsetof(struct fact_content, detail);
	assert_int_equal(fact_check(&f, f.head.size, &ret), ERR_DAMAGED);
	f = of_type(FACT_NAME, 0);
	strcpy(f.name.name, "a.example");
	f.head.size = (uint16_t)fact_name_size(&f.name);
	assert_int_equal(fact_check(&f, f.head.size, &ret), 0);
	assert_string_equal(ret.name.name, "a.example");
	f.head.size = offsetof(struct fact_name, name) + 1;
	f.name.name[0] = '\0';
	assert_int_equal(fact_check(&f, f.head.size, &ret), ERR_DAMAGED);
	f = of_type(FACT_FLOW_COUNT, sizeof f.flow_count - 1);
	assert_int_equal(fact_check(&f, f.head.size, &ret), ERR_DAMAGED);
}

/* Texts go to terminals, logs and spreadsheets. */
static void test_texts_are_printable(void **state)
{
	(void)state;
	union fact_any f = of_type(FACT_FLOW_CLASS, sizeof f.flow_class), ret;
	strcpy(f.flow_class.host, "a\x1b]0;x\x07.example");
	strcpy(f.flow_class.app, "TLS\n=1");
	strcpy(f.flow_class.ja4, "\xe2\x80\xae" "x");
	assert_int_equal(fact_check(&f, f.head.size, &ret), 0);
	assert_string_equal(ret.flow_class.host, "a?]0;x?.example");
	assert_string_equal(ret.flow_class.app, "TLS?=1");
	assert_string_equal(ret.flow_class.ja4, "???x");
	/* Every byte, at every place of a word. */
	for (unsigned i = 0; i < 20 * 256; i++) {
		const char c = (char)(i / 20);
		f = of_type(FACT_FLOW_CLASS, sizeof f.flow_class);
		memset(f.flow_class.app, 'a', 20);
		f.flow_class.app[i % 20] = c;
		assert_int_equal(fact_check(&f, f.head.size, &ret), 0);
		assert_int_equal(ret.flow_class.app[i % 20], c == 0 || (c >= ' ' && c <= '~') ? c : '?');
		assert_int_equal(strspn(ret.flow_class.app, "a"), c == 'a' ? 20 : i % 20);
	}
	f = of_type(FACT_NAME, sizeof f.name);
	strcpy(f.name.name, "\x9b" "31m.example");
	assert_int_equal(fact_check(&f, f.head.size, &ret), 0);
	assert_string_equal(ret.name.name, "?31m.example");
	f = of_type(FACT_NOTE, sizeof f.note);
	f.note.kind = NOTE_DAMAGED_INPUT;
	strcpy(f.note.text, "captura-ñ.pcap: \x1b[2J\n");   /* the name of a file may be in any script */
	assert_int_equal(fact_check(&f, f.head.size, &ret), 0);
	assert_string_equal(ret.note.text, "captura-ñ.pcap: ?[2J?");
}

static void test_head(void **state)
{
	(void)state;
	union fact_any f = good_flow_new(), ret, ret0;
	memset(&ret, 0x5a, sizeof ret);
	ret0 = ret;
	assert_int_equal(fact_check(&f, 0, &ret), ERR_DAMAGED);
	assert_int_equal(fact_check(&f, sizeof f.head, &ret), ERR_DAMAGED);
	assert_int_equal(fact_check(&f, sizeof f.flow_new - 1, &ret), ERR_DAMAGED);
	assert_int_equal(fact_check(&f, sizeof f + 1, &ret), ERR_DAMAGED);
	f.head.size--;
	assert_int_equal(fact_check(&f, sizeof f.flow_new, &ret), ERR_DAMAGED);
	f = good_flow_new();
	f.head.type = 0;
	assert_int_equal(fact_check(&f, sizeof f.flow_new, &ret), ERR_DAMAGED);
	f.head.type = FACT_TYPE_MAX;
	assert_int_equal(fact_check(&f, sizeof f.flow_new, &ret), ERR_DAMAGED);
	f = good_flow_new();
	f.head.flow = 0;
	assert_int_equal(fact_check(&f, sizeof f.flow_new, &ret), ERR_DAMAGED);
	f = good_flow_new();
	f.head.worker = CONTROL_WORKERS_MAX;
	assert_int_equal(fact_check(&f, sizeof f.flow_new, &ret), ERR_DAMAGED);
	f = good_flow_new();
	f.head.time_us = -1;
	assert_int_equal(fact_check(&f, sizeof f.flow_new, &ret), ERR_DAMAGED);
	f.head.time_us = INT64_MAX;
	assert_int_equal(fact_check(&f, sizeof f.flow_new, &ret), ERR_DAMAGED);
	assert_memory_equal(&ret, &ret0, sizeof ret);   /* untouched */
}

static void test_ranges(void **state)
{
	(void)state;
	union fact_any f = good_flow_new(), ret;
	f.flow_new.ident.ip_version = 5;
	assert_int_equal(check(&f), ERR_DAMAGED);
	f = good_flow_new();
	f.flow_new.ident.network = NETSET_NETWORKS_MAX;
	assert_int_equal(check(&f), ERR_DAMAGED);
	f = good_flow_new();
	f.flow_new.initiator = INITIATOR_PEER + 1;
	assert_int_equal(check(&f), ERR_DAMAGED);
	f = good_flow_new();
	f.flow_new.ident.vlan_count = 3;   /* three tags are no damage, but only two are kept */
	assert_int_equal(fact_check(&f, f.head.size, &ret), 0);
	assert_int_equal(ret.flow_new.ident.vlan_count, 2);
	f = of_type(FACT_FLOW_CLASS, sizeof f.flow_class);
	f.flow_class.host_source = HOST_CERT + 1;
	assert_int_equal(check(&f), ERR_DAMAGED);
}

static void test_strings_are_ended(void **state)
{
	(void)state;
	union fact_any f = of_type(FACT_FLOW_CLASS, sizeof f.flow_class), ret;
	memset(f.flow_class.app, 'a', sizeof f.flow_class.app);
	memset(f.flow_class.category, 'b', sizeof f.flow_class.category);
	memset(f.flow_class.host, 'c', sizeof f.flow_class.host);
	memset(f.flow_class.ja3, 'd', sizeof f.flow_class.ja3);
	memset(f.flow_class.ja4, 'e', sizeof f.flow_class.ja4);
	f.flow_class.final = 77;
	assert_int_equal(fact_check(&f, f.head.size, &ret), 0);
	assert_int_equal(strlen(ret.flow_class.app), FACT_APP_MAX - 1);
	assert_int_equal(strlen(ret.flow_class.category), FACT_WORD_MAX - 1);
	assert_int_equal(strlen(ret.flow_class.host), FACT_HOST_MAX - 1);
	assert_int_equal(strlen(ret.flow_class.ja3), 32);
	assert_int_equal(strlen(ret.flow_class.ja4), 39);
	assert_int_equal(ret.flow_class.final, 1);

	f = of_type(FACT_FLOW_CONTENT, sizeof f.content);
	strcpy(f.content.word, "dicom");
	memset(f.content.detail, 0x1b, sizeof f.content.detail);
	assert_int_equal(fact_check(&f, f.head.size, &ret), 0);
	assert_int_equal(strspn(ret.content.detail, "?"), sizeof f.content.detail - 1);
	strcpy(f.content.word, "di com");
	assert_int_equal(check(&f), ERR_DAMAGED);
}

/* Whatever a worker writes: no crash, and what passes is in range. */
static void test_random_bytes(void **state)
{
	(void)state;
	union fact_any f, ret;
	unsigned passed = 0;
	srand(7);
	for (int round = 0; round < 200000; round++) {
		uint8_t *p = (uint8_t *)&f;
		f = good_flow_new();
		for (int i = rand() % 8; i > 0; i--)
			p[(size_t)rand() % sizeof f.flow_new] = (uint8_t)rand();
		if (fact_check(&f, sizeof f.flow_new, &ret) != 0)
			continue;
		passed++;
		if (ret.head.type != FACT_FLOW_NEW) {   /* one with a text of any length */
			assert_in_range(ret.head.type, FACT_FLOW_CLASS, FACT_QUESTION);
			continue;
		}
		assert_true(ret.flow_new.ident.network < NETSET_NETWORKS_MAX && ret.flow_new.ident.vlan_count <= 2);
	}
	assert_true(passed > 1000 && passed < 200000);
}

static void test_counters_add(void **state)
{
	(void)state;
	struct counters a, b, sum;
	uint64_t *pa = (uint64_t *)&a, *pb = (uint64_t *)&b;
	const size_t fields = offsetof(struct counters, first_us) / 8;
	for (size_t i = 0; i < fields; i++) {
		pa[i] = i + 1;
		pb[i] = 1000 * i;
	}
	a.first_us = 500, a.last_us = 900;
	b.first_us = 400, b.last_us = 800;
	sum = a;
	counters_add(&sum, &b);
	for (size_t i = 0; i < fields; i++)
		assert_int_equal(((uint64_t *)&sum)[i], pa[i] + pb[i]);
	assert_true(sum.first_us == 400 && sum.last_us == 900);
	assert_int_equal(sum.frames, a.frames + b.frames);
	assert_int_equal(sum.stations_refused, a.stations_refused + b.stations_refused);

	const struct counters none = {0};
	counters_add(&sum, &none);   /* no frame: no time */
	assert_true(sum.first_us == 400 && sum.last_us == 900);
	struct counters first = {0};
	counters_add(&first, &a);
	assert_memory_equal(&first, &a, sizeof a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_type),         cmocka_unit_test(test_question), cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_texts_are_printable),         cmocka_unit_test(test_head),
		cmocka_unit_test(test_ranges),            cmocka_unit_test(test_strings_are_ended),
		cmocka_unit_test(test_random_bytes),      cmocka_unit_test(test_counters_add),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Verdicts by the names that DNS gave, and by whom it was asked. */
#include "judge_approvals.h"

static void test_names(void **state)
{
	(void)state;
	struct world *w = w_new(HOST);
	w_station(w, 1, NOON);
	w_station(w, 2, NOON);
	w_name(w, 1, 20, "images.example", NOON);
	/* No server name: that of DNS. */
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 20, .time_us = NOON + SECOND, .out = 1});
	/* The other machine never asked. */
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 2, .peer = 20, .time_us = NOON + SECOND, .out = 1});
	w_class(w, 2, NOON + SECOND, "TLS", "images.example", true);
	w_flush(w);
	assert_int_equal(w->rows[1].r.verdict, VERDICT_APPROVED);
	assert_string_equal(w->rows[1].r.hostname, "images.example");
	assert_int_equal(w->rows[1].r.hostname_source, HOST_DNS);
	assert_true(w->rows[1].r.hostname_verified);
	assert_int_equal(w->rows[2].r.reasons, BIT(REASON_NAME_NOT_VERIFIED));
	assert_false(w->rows[2].r.hostname_verified);
	/* An answer for another name, then the right one, too late but right. */
	w_name(w, 2, 20, "other.example", NOON + 2 * SECOND);
	w_flush(w);
	assert_int_equal(w->rows[2].r.verdict, VERDICT_UNAPPROVED);
	w_name(w, 2, 20, "images.example", NOON + 3 * SECOND);
	w_flush(w);
	assert_int_equal(w->rows[2].r.verdict, VERDICT_APPROVED);
	assert_true(w->rows[2].r.hostname_verified);
	assert_int_equal(w->findings[w->rows[2].r.finding].transfers, 0);
	/* A name that the peer claims goes before what DNS said. */
	w_class(w, 1, NOON + 4 * SECOND, "TLS", "evil.example", true);
	w_flush(w);
	assert_string_equal(w->rows[1].r.hostname, "evil.example");
	assert_int_equal(w->rows[1].r.reasons, BIT(REASON_HOST_NOT_APPROVED));
	/* What DNS gave at the start stays, though the answer grew old. */
	w_begin(w, &(struct w_new_flow){.slot = 3, .machine = 1, .peer = 20, .time_us = NOON + 5 * SECOND, .out = 1});
	w_count(w, &(struct w_count){.slot = 3, .time_us = NOON + 48 * 60 * MINUTE, .out = 9});
	w_begin(w, &(struct w_new_flow){.slot = 4, .machine = 1, .peer = 20, .time_us = NOON + 48 * 60 * MINUTE, .out = 1});
	w_class(w, 4, NOON + 48 * 60 * MINUTE, "TLS", "", true);
	w_flush(w);
	assert_int_equal(w->rows[3].r.verdict, VERDICT_APPROVED);
	assert_int_equal(w->rows[4].r.verdict, VERDICT_UNAPPROVED);
	assert_null(w->rows[4].r.hostname);
	w_free(w);
}

/* A machine asks over IPv4 and connects over IPv6: one machine, one name.
 * Whom nobody has seen cannot name anything. */
static void test_names_of_a_machine(void **state)
{
	(void)state;
	struct world *w = w_new(HOST);
	struct fact_flow_new f = {.head = {.time_us = NOON + SECOND, .flow = w_flow(5)}, .start_us = NOON + SECOND};
	struct fact_name n = {.head = {.time_us = NOON}, .ttl_s = 60, .name = "images.example"};
	w_station(w, 1, NOON);
	assert_int_equal(addr_parse("192.0.2.2", &n.resolver), 0);
	assert_int_equal(addr_parse("192.0.2.1", &n.client), 0);
	assert_int_equal(addr_parse("2001:db8:f::20", &n.address), 0);
	w_take(w, &n, FACT_NAME, sizeof(n));
	assert_int_equal(addr_parse("2001:db8::1", &f.ident.inside), 0);
	f.ident.peer = n.address;
	f.ident.inside_mac = (struct mac){{2, 0, 0, 0, 0, 1}};
	f.ident.proto = 6;
	f.ident.ip_version = 6;
	f.initiator = INITIATOR_EQUIPMENT;
	w_take(w, &f, FACT_FLOW_NEW, sizeof(f));
	w_class(w, 5, NOON + SECOND, "TLS", "images.example", true);
	assert_int_equal(addr_parse("192.0.2.200", &n.client), 0);
	w_take(w, &n, FACT_NAME, sizeof(n));
	w_flush(w);
	assert_string_equal(w->rows[1].r.equipment, "E1");
	assert_string_equal(w->rows[1].r.hostname, "images.example");
	assert_true(w->rows[1].r.hostname_verified);
	w_free(w);
}

/* E<machine> asks 198.51.100.<peer> over a flow in that slot, which answers
 * that images.example is at .20. */
static void ask(struct world *w, uint32_t slot, uint8_t machine, uint8_t peer, int64_t time_us)
{
	w_begin(w, &(struct w_new_flow){.slot = slot, .machine = machine, .peer = peer, .proto = 17, .port = 53,
	                                .time_us = time_us, .out = 60});
	w_answer(w, &(struct w_answer){.slot = slot, .client = machine, .address = 20, .name = "images.example",
	                               .resolver = addr_from_v4((const uint8_t[]){198, 51, 100, peer}), .time_us = time_us});
	w_class(w, slot, time_us, "DNS", "", true);   /* known only now */
}

static void send_images(struct world *w, uint32_t slot, uint8_t machine, int64_t time_us)
{
	w_begin(w, &(struct w_new_flow){.slot = slot, .machine = machine, .peer = 20, .time_us = time_us, .out = 1});
	w_class(w, slot, time_us, "TLS", "images.example", true);
}

#define RESOLVER \
	"  - {id: D1, equipment: [E1], to: {prefixes: [198.51.100.53/32]}, ports: [udp/53], apps: [DNS], hours: \"06:00-22:00\"" VALID

/* Equipment that asks a resolver of its own cannot verify its own names. */
static void test_names_of_unapproved_resolvers(void **state)
{
	(void)state;
	struct world *w = w_new(HOST RESOLVER);
	ask(w, 1, 1, 99, NOON);
	send_images(w, 2, 1, NOON + SECOND);
	w_begin(w, &(struct w_new_flow){.slot = 3, .machine = 1, .peer = 20, .time_us = NOON + SECOND, .out = 1});
	w_class(w, 3, NOON + SECOND, "TLS", "", true);
	w_flush(w);
	assert_int_equal(w->rows[2].r.reasons, BIT(REASON_NAME_NOT_VERIFIED));
	assert_false(w->rows[2].r.hostname_verified);
	/* To look at, not to judge by. */
	assert_int_equal(w->rows[3].r.reasons, BIT(REASON_NO_APPROVAL));
	assert_string_equal(w->rows[3].r.hostname, "images.example");
	assert_int_equal(w->rows[3].r.hostname_source, HOST_DNS);
	assert_false(w->rows[3].r.hostname_verified);
	/* The approved resolver says the same, before inspection knows that it is DNS. */
	ask(w, 4, 1, 53, NOON + 2 * SECOND);
	w_flush(w);
	assert_int_equal(w->rows[2].r.verdict, VERDICT_APPROVED);
	assert_true(w->rows[2].r.hostname_verified);
	assert_int_equal(w->rows[3].r.verdict, VERDICT_APPROVED);
	assert_true(w->rows[3].r.hostname_verified);
	/* Not at night, and not for whom it is not approved. */
	ask(w, 5, 2, 53, NOON + 3 * SECOND);
	send_images(w, 6, 2, NOON + 3 * SECOND);
	w_flush(w);
	assert_int_equal(w->rows[w->last_id].r.verdict, VERDICT_UNAPPROVED);
	w_free(w);
	w = w_new(HOST RESOLVER);
	ask(w, 1, 1, 53, NOON + 11 * 60 * MINUTE);
	send_images(w, 2, 1, NOON + 11 * 60 * MINUTE);
	w_flush(w);
	assert_int_equal(w->rows[w->last_id].r.reasons, BIT(REASON_NAME_NOT_VERIFIED));
	w_free(w);
}

/* Nor does an answer that nobody asked for, one over another service, one to
 * somebody else, or one that only claims to come from the resolver. */
static void test_names_that_nobody_asked_for(void **state)
{
	(void)state;
	const struct addr r53 = addr_from_v4((const uint8_t[]){198, 51, 100, 53});
	const struct w_new_flow flows[] = {
	    {.slot = 1, .machine = 1, .peer = 53, .proto = 17, .port = 53, .initiator = INITIATOR_PEER},
	    {.slot = 1, .machine = 1, .peer = 53, .proto = 17, .port = 443},
	    {.slot = 1, .machine = 2, .peer = 53, .proto = 17, .port = 53},
	    {.slot = 7, .machine = 1, .peer = 53, .proto = 17, .port = 53},
	    {.slot = 1, .machine = 1, .peer = 53, .proto = 17, .port = 53},   /* good, were it not for the frame */
	};
	for (unsigned i = 0; i < 5; i++) {
		struct world *w = w_new(HOST "  - {id: D1, equipment: [xray], to: {prefixes: [198.51.100.53/32]}" VALID);
		struct w_new_flow f = flows[i];
		f.time_us = NOON;
		f.out = 60;
		w_begin(w, &f);
		w_answer(w, &(struct w_answer){.slot = 1, .client = 1, .address = 20, .name = "images.example",
		                               .resolver = r53, .time_us = NOON,
		                               .resolver_mac = {{2, 0, 0, 0, 0, i == 4 ? 2 : 0xee}}});
		send_images(w, 2, 1, NOON + SECOND);
		w_flush(w);
		assert_int_equal(w->rows[w->last_id].r.reasons, BIT(REASON_NAME_NOT_VERIFIED));
		w_free(w);
	}
}

/* Within the network: only known equipment, with its own MAC, and not oneself. */
static void test_names_of_inside_resolvers(void **state)
{
	(void)state;
	const struct w_answer answers[] = {
	    {.resolver = {{0}}, .resolver_mac = {{2, 0, 0, 0, 0, 2}}},   /* E2 itself: believed */
	    {.resolver = {{0}}, .resolver_mac = {{2, 0, 0, 0, 0, 0x77}}},
	    {.resolver = addr_from_v4((const uint8_t[]){192, 0, 2, 77}), .resolver_mac = {{2, 0, 0, 0, 0, 0x77}}},
	    {.resolver = addr_from_v4((const uint8_t[]){192, 0, 2, 1}), .resolver_mac = {{2, 0, 0, 0, 0, 1}}},
	};
	for (unsigned i = 0; i < 4; i++) {
		struct world *w = w_new(HOST);
		w_station(w, 1, NOON);
		struct w_answer a = answers[i];
		a.client = 1;
		a.address = 20;
		a.name = "images.example";
		a.time_us = NOON;
		w_answer(w, &a);
		send_images(w, 2, 1, NOON + SECOND);
		w_flush(w);
		assert_int_equal(w->rows[1].r.verdict, i == 0 ? VERDICT_APPROVED : VERDICT_UNAPPROVED);
		w_free(w);
	}
}

/* names.resolvers: these, and nothing else. */
static void test_names_of_listed_resolvers(void **state)
{
	(void)state;
	struct world *w = w_new(HOST RESOLVER "names: {resolvers: [198.51.100.99, \"2001:db8::53\"]}\n");
	ask(w, 1, 1, 53, NOON);
	w_name(w, 1, 20, "images.example", NOON);
	send_images(w, 2, 1, NOON + SECOND);
	w_flush(w);
	assert_int_equal(w->rows[w->last_id].r.reasons, BIT(REASON_NAME_NOT_VERIFIED));
	ask(w, 3, 1, 99, NOON + 2 * SECOND);   /* unapproved, and yet listed */
	send_images(w, 4, 1, NOON + 3 * SECOND);
	w_flush(w);
	assert_int_equal(w->rows[w->last_id].r.verdict, VERDICT_APPROVED);
	/* Out of the list: what it said is no longer believed of new transfers. */
	char err[200];
	assert_int_equal(judge_reload(w->judge, w_config(HOST RESOLVER), NOON + 4 * SECOND, err, sizeof(err)), 0);
	send_images(w, 5, 1, NOON + 5 * SECOND);
	w_flush(w);
	assert_int_equal(w->rows[w->last_id].r.reasons, BIT(REASON_NAME_NOT_VERIFIED));
	w_free(w);
}

/* After a restart an approval by host name holds at once: believed names come
 * back, those of anybody do not, and none where others are believed now. */
static void test_names_outlive_a_restart(void **state)
{
	(void)state;
	struct world *w = w_new(HOST RESOLVER);
	ask(w, 1, 1, 53, NOON);
	ask(w, 2, 2, 99, NOON);
	w_flush(w);
	assert_int_equal(w->name_count, 1);
	assert_string_equal(w->names[0].machine, "E1");
	assert_string_equal(w->names[0].name, "images.example");
	assert_string_equal(w->names[0].trust, "");
	static const char *const sites[] = {HOST RESOLVER, HOST RESOLVER "names: {resolvers: [198.51.100.99]}\n"};
	for (unsigned i = 0; i < 2; i++) {
		struct world *after = w_new(sites[i]);
		assert_int_equal(judge_restore_name(after->judge, &w->names[0]), 0);
		send_images(after, 1, 1, NOON + 10 * SECOND);
		w_flush(after);
		if (i == 0)
			assert_int_equal(after->rows[after->last_id].r.verdict, VERDICT_APPROVED);
		else
			assert_int_equal(after->rows[after->last_id].r.reasons, BIT(REASON_NAME_NOT_VERIFIED));
		assert_int_equal(after->name_count, 0);
		w_free(after);
	}
	w_free(w);
}

/* Whoever connects in names the equipment's side: that says nothing of the
 * peer. What DNS gave for the peer's address does. */
static void test_name_that_the_peer_claims(void **state)
{
	(void)state;
	struct world *w = w_new("  - {id: A1, equipment: [E1], to: {hosts: [images.example], prefixes: [198.51.100.0/24]}" VALID);
	w_begin(w, &(struct w_new_flow){.slot = 1, .machine = 1, .peer = 20, .time_us = NOON, .out = 1,
	                                .initiator = INITIATOR_PEER});
	w_class(w, 1, NOON, "HTTP", "images.example", true);
	w_begin(w, &(struct w_new_flow){.slot = 2, .machine = 1, .peer = 21, .time_us = NOON, .out = 1,
	                                .initiator = INITIATOR_PEER});
	w_class(w, 2, NOON, "HTTP", "scanner.local", true);
	w_name(w, 1, 21, "images.example", NOON + SECOND);
	w_flush(w);
	assert_int_equal(w->rows[1].r.reasons, BIT(REASON_HOST_NOT_APPROVED));
	assert_string_equal(w->rows[1].r.hostname, "images.example");
	assert_false(w->rows[1].r.hostname_verified);
	assert_int_equal(w->rows[2].r.verdict, VERDICT_APPROVED);
	assert_string_equal(w->rows[2].r.hostname, "scanner.local");
	assert_false(w->rows[2].r.hostname_verified);
	w_name(w, 1, 20, "images.example", NOON + SECOND);
	w_flush(w);
	assert_int_equal(w->rows[1].r.verdict, VERDICT_APPROVED);
	assert_false(w->rows[1].r.hostname_verified);
	w_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_of_a_machine),
		cmocka_unit_test(test_names_of_unapproved_resolvers),
		cmocka_unit_test(test_names_that_nobody_asked_for),
		cmocka_unit_test(test_names_of_inside_resolvers),
		cmocka_unit_test(test_names_of_listed_resolvers),
		cmocka_unit_test(test_name_that_the_peer_claims),
		cmocka_unit_test(test_names_outlive_a_restart),
	};
	return cmocka_run_group_tests_name("judge names", tests, NULL, NULL);
}

/* judge_approvals.h - approvals that the tests of the judge are about, and a scan. */
#ifndef TESTS_JUDGE_APPROVALS_H
#define TESTS_JUDGE_APPROVALS_H
#include "judge_world.h"

#define TO_10 "  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.10/32]}, initiator: equipment" VALID
#define TLS_10 "  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.10/32]}, apps: [TLS]" VALID
#define HOST "  - {id: A1, equipment: [xray], to: {hosts: [images.example]}" VALID
#define LIMIT "  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.10/32]}, limit: {out: 1000B, per: day}" VALID
#define HOURS "  - {id: A1, equipment: [E1], to: {prefixes: [198.51.100.10/32]}, hours: \"Mon-Sun 06:00-22:00\"" VALID
#define NOTHING "  - {id: A9, equipment: [E1], to: {prefixes: [203.0.113.9/32]}" VALID

static inline void scan(struct world *w, uint32_t flows, int64_t time_us)
{
	for (uint32_t s = 1; s <= flows; s++)
		w_begin(w, &(struct w_new_flow){.slot = s, .machine = 1, .peer = 66, .port = (uint16_t)(2000 + s),
		                                .time_us = time_us + s, .out = 40});
}

#endif

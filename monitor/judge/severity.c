#include "judge/severity.h"

#include "judge/policy.h"

#define UNAPPROVED_POINTS 15
#define PEER_OPENED_POINTS 5
#define UNKNOWN_EQUIPMENT_POINTS 5
#define COUNTRY_POINTS 5

/* What nobody ever permitted weighs more than what was permitted otherwise, or
 * at another time. */
static const uint8_t reason_points[REASON_COUNT] = {
    [REASON_NO_APPROVAL] = 10,         [REASON_APPROVAL_EXPIRED] = 4,       [REASON_APPROVAL_NOT_YET] = 4,
    [REASON_OUTSIDE_HOURS] = 5,        [REASON_LIMIT_EXCEEDED] = 6,         [REASON_PORT_NOT_APPROVED] = 5,
    [REASON_APP_NOT_APPROVED] = 6,     [REASON_HOST_NOT_APPROVED] = 8,      [REASON_NAME_NOT_VERIFIED] = 8,
    [REASON_COUNTRY_NOT_APPROVED] = 8, [REASON_COUNTRY_UNKNOWN] = 5,        [REASON_NETWORK_NOT_APPROVED] = 8,
    [REASON_NETWORK_UNKNOWN] = 5,      [REASON_ADDRESS_NOT_APPROVED] = 8,   [REASON_INITIATOR_NOT_APPROVED] = 6,
    [REASON_INITIATOR_UNKNOWN] = 3,    [REASON_UNKNOWN_EQUIPMENT] = 10,     [REASON_ADDRESS_NOT_IN_NETWORK] = 8,
    [REASON_MAC_MISMATCH] = 10,
};

/* A quarter of a power of ten is a point. */
static unsigned bytes_points(uint64_t bytes)
{
	static const uint64_t steps[] = {1778, 3162, 5623, 10000};
	unsigned points = 0;
	for (uint64_t scale = 10; points < SEVERITY_BYTES_MAX; scale *= 10)
		for (unsigned i = 0; i < 4; i++)
			if (bytes >= steps[i] * scale)
				points++;
			else
				return points;
	return points;
}

static unsigned full_weight(const struct severity_facts *f, unsigned d)
{
	const struct detect_word *w = detect_word((enum detection)d);
	const unsigned score = f->score[d] < 100 ? f->score[d] : 100, points = w->weight * score / 100;
	return !f->unapproved && (w->group == DETECT_CONTENT || w->group == DETECT_CHANNEL) ? points / 3 : points;
}

/* The detections in falling order of weight, each with what it counts in that
 * place. How many. */
static unsigned order(const struct severity_facts *f, uint8_t which[DETECT_COUNT], uint8_t points[DETECT_COUNT])
{
	unsigned n = 0;
	for (unsigned d = 0; d < DETECT_COUNT; d++) {
		if (f->score[d] == 0)
			continue;
		const unsigned w = full_weight(f, d);
		unsigned k = n++;
		for (; k > 0 && points[k - 1] < w; k--) {
			which[k] = which[k - 1];
			points[k] = points[k - 1];
		}
		which[k] = (uint8_t)d;
		points[k] = (uint8_t)w;
	}
	for (unsigned k = 0; k < n; k++)
		points[k] = (uint8_t)(k < 8 ? points[k] >> k : 0);
	return n;
}

unsigned severity_of_detections(const struct severity_facts *f)
{
	uint8_t which[DETECT_COUNT], points[DETECT_COUNT];
	const unsigned n = order(f, which, points);
	unsigned sum = 0;
	for (unsigned k = 0; k < n; k++)
		sum += points[k];
	return sum;
}

static void add(struct severity *s, enum severity_term term, unsigned which, unsigned points)
{
	s->item[s->count++] = (struct severity_item){(uint8_t)term, (uint8_t)which, (uint8_t)points};
	s->total += points;
}

static void add_reason(const struct severity_facts *f, struct severity *s)
{
	unsigned worst = REASON_COUNT;
	for (unsigned r = 0; r < REASON_COUNT; r++)
		if ((f->reasons & UINT32_C(1) << r) != 0 && (worst == REASON_COUNT || reason_points[r] > reason_points[worst]))
			worst = r;
	if (worst != REASON_COUNT)
		add(s, SEVERITY_REASON, worst, reason_points[worst]);
}

static void add_detections(const struct severity_facts *f, struct severity *s)
{
	uint8_t which[DETECT_COUNT], points[DETECT_COUNT];
	const unsigned n = order(f, which, points);
	unsigned left = SEVERITY_DETECTIONS_MAX;
	for (unsigned k = 0; k < n; k++) {
		const unsigned p = points[k] < left ? points[k] : left;
		add(s, SEVERITY_DETECTION, which[k], p);
		left -= p;
	}
}

void severity_sum(const struct severity_facts *f, struct severity *ret)
{
	ret->total = ret->count = 0;
	if (f->unapproved) {
		add(ret, SEVERITY_UNAPPROVED, 0, UNAPPROVED_POINTS);
		add_reason(f, ret);
	}
	add_detections(f, ret);
	const unsigned bytes = f->unapproved ? bytes_points(f->bytes_out) : bytes_points(f->bytes_out) / 2;
	if (bytes > 0)
		add(ret, SEVERITY_BYTES, 0, bytes);
	if (f->unapproved && f->peer_opened)
		add(ret, SEVERITY_PEER_OPENED, 0, PEER_OPENED_POINTS);
	if (f->unapproved && f->unknown_equipment)
		add(ret, SEVERITY_UNKNOWN_EQUIPMENT, 0, UNKNOWN_EQUIPMENT_POINTS);
	if (f->unapproved && f->foreign)
		add(ret, SEVERITY_COUNTRY, 0, COUNTRY_POINTS);
}

unsigned severity_total(const struct severity_facts *f)
{
	struct severity s;
	severity_sum(f, &s);
	return s.total;
}
